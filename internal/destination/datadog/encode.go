package datadog

import (
	"bytes"
	"strconv"
	"time"

	"sluice/internal/record"
)

// encoder writes items. It keeps what it encoded for the origins it saw last.
type encoder struct {
	eventID EventID
	late    Late

	origin *record.Origin // of head and lateHead
	head   []byte         // everything up to the id, ending in a comma
	heads  map[*record.Origin]heads

	lateBefore int64 // ms since the epoch; renewed once per origin
	id         []byte
}

// heads are the encoded constants of one origin.
type heads struct{ usual, late []byte }

// maxHeads bounds the origins that are remembered: records whose own text names tags alternate between a few.
const maxHeads = 64

// append appends one item. The usual one is three copies and a number.
func (e *encoder) append(dst []byte, r *record.Record, now func() time.Time) []byte {
	if r.Origin != e.origin {
		e.enter(r.Origin, now())
	}
	isLate := e.late == DropDate && r.TimeMillis != 0 && r.TimeMillis < e.lateBefore
	if isLate {
		dst = append(dst, e.lateHead(r.Origin)...)
	} else {
		dst = append(dst, e.head...)
	}

	dst = e.appendID(dst, r)
	if r.TimeMillis != 0 {
		if isLate {
			dst = append(dst, `"event_time":`...)
		} else {
			dst = append(dst, `"timestamp":`...)
		}
		dst = append(strconv.AppendInt(dst, r.TimeMillis, 10), ',')
	}
	if len(r.Members) > 0 {
		dst = appendMembers(dst, r.Members)
	}
	if r.Marks != 0 {
		dst = appendMarks(dst, r)
	}
	dst = append(dst, `"message":"`...)
	dst = r.Message.AppendJSON(dst)
	return append(dst, `"}`...)
}

// enter makes an origin the current one.
func (e *encoder) enter(o *record.Origin, now time.Time) {
	e.lateBefore = now.Add(-lateAfter).UnixMilli()
	known, ok := e.heads[o]
	if !ok {
		if e.heads == nil || len(e.heads) >= maxHeads {
			e.heads = make(map[*record.Origin]heads)
		}
		known = heads{usual: appendHead(nil, o, o.Tags)}
		e.heads[o] = known
	}
	e.origin, e.head = o, known.usual
}

// lateHead is the head with the tag of late events.
func (e *encoder) lateHead(o *record.Origin) []byte {
	known := e.heads[o]
	if known.late == nil {
		known.late = appendHead(nil, o, o.Tags.With("late", "true"))
		e.heads[o] = known
	}
	return known.late
}

// appendID appends the item's id and a comma, or nothing.
func (e *encoder) appendID(dst []byte, r *record.Record) []byte {
	const shortLen = 16
	switch {
	case e.eventID == NoID:
		return dst
	case e.eventID == FullID && r.Origin.Kind == record.CloudWatch && len(r.EventID.Bytes) > 0:
		dst = append(dst, `"id":"`...)
		dst = r.EventID.AppendJSON(dst)
	default:
		e.id = r.AppendID(e.id[:0])
		if e.eventID == ShortID {
			e.id = e.id[:shortLen]
		}
		dst = append(dst, `"id":"`...)
		dst = append(dst, e.id...)
	}
	return append(dst, `",`...)
}

// reserved are the members an item has of its own, and those at the root that Datadog takes its date, host, service or
// status from (http-intakes 5). What the source calls so is sent under another name: it must not pass for ours.
var reserved = map[string]bool{
	"aws": true, "ddsource": true, "ddsourcecategory": true, "ddtags": true, "event_time": true, "host": true,
	"hostname": true, "id": true, "lambda": true, "message": true, "service": true, "sluice": true, "status": true,
	"timestamp": true,

	"@timestamp": true, "Timestamp": true, "date": true, "eventTime": true, "published_date": true, "syslog": true,
}

// appendMembers appends the source's further members at the root, as the Datadog Forwarder does. A reserved name gets one
// underscore more than it has, so that no two names become one.
func appendMembers(dst []byte, members []record.Member) []byte {
	for _, m := range members {
		dst = append(dst, '"')
		if reserved[string(bytes.TrimLeft(m.Name, "_"))] {
			dst = append(dst, '_')
		}
		dst = append(dst, m.Name...)
		dst = append(dst, `":`...)
		dst = append(dst, m.Value...)
		dst = append(dst, ',')
	}
	return dst
}

// appendMarks says what was altered.
func appendMarks(dst []byte, r *record.Record) []byte {
	dst = append(dst, `"sluice":{"marks":[`...)
	for i, name := range r.Marks.Names() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), name...), '"')
	}
	dst = append(dst, ']')
	dst = appendCount(dst, "truncated_bytes", r.TruncatedBytes)
	dst = appendCount(dst, "part", r.Part)
	dst = appendCount(dst, "parts", r.Parts)
	return append(dst, `},`...)
}

func appendCount(dst []byte, name string, n int) []byte {
	if n == 0 {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return strconv.AppendInt(dst, int64(n), 10)
}
