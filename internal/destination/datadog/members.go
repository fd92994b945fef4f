package datadog

import (
	"bytes"

	"sluice/internal/jsonwalk"
	"sluice/internal/record"
)

// attributesName is what the attributes of a line stand under: an object, so that no name in it is one at the root.
const attributesName = "attrs"

// isOurs reports whether name is that of a member at the root that an item has of its own, but for its id. (A switch and
// not a map: every member of a structured record is asked.)
func isOurs(name []byte) bool {
	switch string(name) {
	case "aws", "ddsource", "ddsourcecategory", "ddtags", "event_time", "host", "lambda", "message", "service", "sluice",
		"timestamp":
		return true
	}
	return false
}

// isReserved reports whether name is that of a member that an item has of its own, or of one at the root that Datadog
// takes its date, host, service or status from (http-intakes 5). What the source calls so is sent under another name: it
// must not pass for ours.
func isReserved(name []byte) bool {
	switch string(name) {
	case "id", "hostname", "status", "@timestamp", "Timestamp", "date", "eventTime", "published_date", "syslog":
		return true
	}
	return isOurs(name)
}

// own says which members of an item a structured record has brought along, so that ours are left out.
type own struct{ id, status bool }

// appendFields appends the members of a structured record at the root, as the Datadog Forwarder does with CloudTrail
// and EventBridge. A member called as one of ours gets an underscore in front; of a late record also what Datadog would
// take its date from. An id of the record's own stands for ours, unless several records were made of the event that has
// it: only the first keeps it. A message that is no object appends nothing: whole is false, and its text is to be sent.
func (e *encoder) appendFields(dst []byte, r *record.Record, isLate bool) (out []byte, whole bool, has own) {
	start := len(dst)
	taken := isOurs
	if isLate {
		taken = isReserved
	}
	isFurther := r.Origin.Kind == record.EventBridge && r.Index > 0
	text := r.Message.Bytes
	if r.Message.Escaped {
		e.plain = r.Message.AppendPlain(e.plain[:0])
		text = e.plain
	}
	members := jsonwalk.Object(text)
	for members.Next() {
		name := members.Name()
		bare := bytes.TrimLeft(name, "_")
		dst = append(dst, '"')
		switch {
		case isFurther && string(bare) == "id":
			dst = append(dst, '_')
		case string(name) == "id":
			has.id = true
		case taken(bare):
			dst = append(dst, '_')
		case string(name) == "status":
			has.status = true
		}
		dst = append(record.AppendEscaped(dst, name), `":`...)
		dst = append(append(dst, members.Value()...), ',')
	}
	if members.Err() != nil {
		return dst[:start], false, own{}
	}
	return dst, true, has
}

// appendMembers appends the source's further members at the root, as the Datadog Forwarder does. A reserved name gets one
// underscore more than it has, so that no two names become one.
func (e *encoder) appendMembers(dst []byte, members []record.Member) []byte {
	for _, m := range members {
		dst = append(dst, '"')
		bare := bytes.TrimLeft(m.Name, "_")
		if isReserved(bare) || e.attributes != nil && string(bare) == attributesName {
			dst = append(dst, '_')
		}
		dst = append(dst, m.Name...)
		dst = append(dst, `":`...)
		dst = append(dst, m.Value...)
		dst = append(dst, ',')
	}
	return dst
}

// appendStatus appends how grave the record is, where Datadog looks for it.
func appendStatus(dst []byte, severity record.Severity) []byte {
	dst = append(dst, `"status":"`...)
	return append(record.AppendEscaped(dst, string(severity)), `",`...)
}

// appendAttributes appends what the line says behind the message; start is where the item begins. A line that was cut
// does not say it in full, and its item has been measured to fit: it gets none. Nor does one that they would make too
// large, since then its text would be cut.
func (e *encoder) appendAttributes(dst []byte, r *record.Record, start int) []byte {
	if r.Marks&(record.Truncated|record.Chunked) != 0 {
		return dst
	}
	out, ok := e.attributes(append(dst, `,"`+attributesName+`":`...), r)
	if !ok || len(out)+len("}")-start > e.maxBytes {
		return dst
	}
	return out
}
