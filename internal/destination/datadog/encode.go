package datadog

import (
	"strconv"
	"time"

	"sluice/internal/record"
)

// encoder writes items. It keeps what it encoded for the origins it saw last.
type encoder struct {
	eventID EventID
	late    Late
	asText  bool   // structured records are sent as the text they were read from
	plain   []byte // of a structured record

	attributes func(dst []byte, r *record.Record) (out []byte, ok bool) // nil: none
	maxBytes   int                                                      // of an item that has them

	origin *record.Origin // of head and lateHead
	head   []byte         // everything up to the id, ending in a comma
	heads  map[*record.Origin]heads

	lateBefore int64 // ms since the epoch; renewed once per origin
	id         []byte
	millis     int64  // the time that was written last; never 0, which is not written
	digits     []byte // of it
}

// heads are the encoded constants of one origin.
type heads struct{ usual, late []byte }

// maxHeads bounds the origins that are remembered: records whose own text names tags alternate between a few.
const maxHeads = 64

// append appends one item. The usual one is three copies and a number.
func (e *encoder) append(dst []byte, r *record.Record, now func() time.Time) []byte {
	start := len(dst)
	if r.Origin != e.origin {
		e.enter(r.Origin, now())
	}
	isLate := e.late == DropDate && r.TimeMillis != 0 && r.TimeMillis < e.lateBefore
	if isLate {
		dst = append(dst, e.lateHead(r.Origin)...)
	} else {
		dst = append(dst, e.head...)
	}

	structured, has := r.Structured && !e.asText, own{}
	if structured {
		dst, structured, has = e.appendFields(dst, r, isLate)
	}
	if !has.id {
		dst = e.appendID(dst, r)
	}
	if r.TimeMillis != 0 {
		if isLate {
			dst = append(dst, `"event_time":`...)
		} else {
			dst = append(dst, `"timestamp":`...)
		}
		dst = append(e.appendMillis(dst, r.TimeMillis), ',')
	}
	if r.Severity != "" && !has.status {
		dst = appendStatus(dst, r.Severity)
	}
	if len(r.Members) > 0 {
		dst = e.appendMembers(dst, r.Members)
	}
	if r.Marks != 0 {
		dst = appendMarks(dst, r)
	}
	if structured {
		dst[len(dst)-1] = '}' // instead of the last comma: the head ends in one
		return dst
	}
	dst = append(dst, `"message":"`...)
	dst = r.Message.AppendJSON(dst)
	if e.attributes == nil {
		return append(dst, `"}`...)
	}
	return append(e.appendAttributes(append(dst, '"'), r, start), '}')
}

// appendMillis appends a time. Many services write whole seconds, so the last one is often asked for again.
func (e *encoder) appendMillis(dst []byte, millis int64) []byte {
	if millis != e.millis {
		e.millis, e.digits = millis, strconv.AppendInt(e.digits[:0], millis, 10)
	}
	return append(dst, e.digits...)
}

// enter makes an origin the current one.
func (e *encoder) enter(o *record.Origin, now time.Time) {
	e.lateBefore = now.Add(-MaxAge).UnixMilli()
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

// appendID appends the item's id and a comma, or nothing. Of the records that were made of one event, the first has the
// event's own id.
func (e *encoder) appendID(dst []byte, r *record.Record) []byte {
	const shortLen = 16
	switch {
	case e.eventID == NoID:
		return dst
	case e.eventID == FullID && r.Origin.Kind == record.CloudWatch && r.Index == 0 && len(r.EventID.Bytes) > 0:
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
