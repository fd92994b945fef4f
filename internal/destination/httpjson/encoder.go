package httpjson

import (
	"strconv"
	"time"

	"sluice/internal/record"
)

// maxOrigins bounds the origins that are remembered. Records whose own text names tags alternate between a few; others
// come one after the other.
const maxOrigins = 64

// Bounds of the times that RFC 3339 can write, in ms since the Unix epoch: the years 0000 to 9999. A time beyond them
// is left out, since an intake that parses it would refuse the whole batch.
const (
	minTimeMillis = -62_167_219_200_000
	maxTimeMillis = 253_402_300_799_999
)

// encoder writes items. Each member is written with a comma before it; the first comma becomes the brace.
type encoder struct {
	keys  keys
	marks map[record.Marks]string // encoded, by what is marked

	attributes func(dst []byte, r *record.Record) (out []byte, ok bool) // nil: none
	maxBytes   int                                                      // of an item that has them
	line       []byte                                                   // the attributes of one
	given      names                                                    // by the source of a record

	origin  *record.Origin // the one of current
	current constant
	known   map[*record.Origin]constant
}

// constant is what all items of an origin share.
type constant struct {
	root string // members of the item: source to tags
	aws  string // members of aws
}

func newEncoder(k keys) encoder {
	return encoder{
		keys:  k,
		marks: make(map[record.Marks]string),
		known: make(map[*record.Origin]constant),
	}
}

// append appends one item. What its line says is left out of one that it would make too large, since then the text would
// be cut.
func (e *encoder) append(dst []byte, r *record.Record) []byte {
	if r.Origin != e.origin {
		e.enter(r.Origin)
	}
	if e.attributes != nil {
		line := e.lineAttributes(r)
		if out := e.appendItem(dst, r, line); line == nil || len(out)-len(dst) <= e.maxBytes {
			return out
		}
	}
	return e.appendItem(dst, r, nil)
}

// appendItem appends an item with the attributes of its line; nil for none.
func (e *encoder) appendItem(dst []byte, r *record.Record, line []byte) []byte {
	start := len(dst)
	dst = e.appendID(dst, r)
	dst = e.appendTime(dst, r.TimeMillis)
	if key := e.keys[fieldMessage]; key != "" {
		dst = append(append(dst, key...), '"') // an empty message too: intakes ask for the member
		dst = append(r.Message.AppendJSON(dst), '"')
	}
	if r.Severity != "" {
		dst = appendMember(dst, e.keys[fieldSeverity], string(r.Severity))
	}
	dst = append(dst, e.current.root...)
	dst = e.appendAWS(dst, r)
	dst = e.appendAttrs(dst, r.Members, line)
	dst = e.appendMarks(dst, r.Marks)
	dst = e.appendCount(dst, fieldTruncatedBytes, r.TruncatedBytes)
	dst = e.appendCount(dst, fieldPart, r.Part)
	dst = e.appendCount(dst, fieldParts, r.Parts)
	return closeObject(dst, start)
}

// enter makes an origin the current one.
func (e *encoder) enter(o *record.Origin) {
	c, ok := e.known[o]
	if !ok {
		if len(e.known) >= maxOrigins {
			clear(e.known)
		}
		c = constant{root: string(e.appendRoot(nil, o)), aws: string(appendAWSMembers(nil, o))}
		e.known[o] = c
	}
	e.origin, e.current = o, c
}

func (e *encoder) appendRoot(dst []byte, o *record.Origin) []byte {
	dst = appendMember(dst, e.keys[fieldSource], o.Source)
	dst = appendMember(dst, e.keys[fieldService], o.Service)
	dst = appendMember(dst, e.keys[fieldHost], o.Host)
	if key := e.keys[fieldTags]; key != "" && len(o.Tags) > 0 {
		dst = append(dst, key...)
		start := len(dst)
		for _, tag := range o.Tags {
			dst = appendQuoted(append(dst, ','), tag.String())
		}
		dst[start] = '['
		dst = append(dst, ']')
	}
	return dst
}

func appendAWSMembers(dst []byte, o *record.Origin) []byte {
	dst = appendMember(dst, `,"account":`, o.Owner)
	dst = appendMember(dst, `,"region":`, o.Region)
	dst = appendMember(dst, `,"log_group":`, o.LogGroup)
	dst = appendMember(dst, `,"log_stream":`, o.LogStream)
	dst = appendMember(dst, `,"stream_arn":`, o.StreamARN)
	if o.Key == "" {
		return dst
	}
	dst = append(dst, `,"s3":`...)
	start := len(dst)
	dst = appendMember(dst, `,"bucket":`, o.Bucket)
	dst = appendMember(dst, `,"key":`, o.Key)
	dst = appendMember(dst, `,"version":`, o.VersionID)
	dst = appendMember(dst, `,"etag":`, o.ETag)
	return closeObject(dst, start)
}

// appendMember appends a member, or nothing when it has no value or is left out.
func appendMember(dst []byte, key, value string) []byte {
	if key == "" || value == "" {
		return dst
	}
	return appendQuoted(append(dst, key...), value)
}

// appendID costs a SHA-256, which is why it is the field to leave out when speed matters more than telling repeats.
func (e *encoder) appendID(dst []byte, r *record.Record) []byte {
	key := e.keys[fieldID]
	if key == "" {
		return dst
	}
	dst = append(append(dst, key...), '"')
	return append(r.AppendID(dst), '"')
}

func (e *encoder) appendTime(dst []byte, millis int64) []byte {
	key := e.keys[fieldTime]
	if key == "" || millis == 0 || millis < minTimeMillis || millis > maxTimeMillis {
		return dst
	}
	dst = append(append(dst, key...), '"')
	at := time.UnixMilli(millis).UTC()
	// A layout with a fraction takes package time's long way, which would be half the cost of an item.
	dst = at.AppendFormat(dst, time.RFC3339)
	ms := at.Nanosecond() / int(time.Millisecond)
	dst[len(dst)-1] = '.' // instead of the Z
	return append(dst, byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z', '"')
}

func (e *encoder) appendAWS(dst []byte, r *record.Record) []byte {
	key, eventID := e.keys[fieldAWS], r.EventID
	if key == "" || e.current.aws == "" && len(eventID.Bytes) == 0 {
		return dst
	}
	dst = append(dst, key...)
	start := len(dst)
	dst = append(dst, e.current.aws...)
	if len(eventID.Bytes) > 0 {
		dst = append(dst, `,"event_id":"`...)
		dst = append(eventID.AppendJSON(dst), '"')
	}
	if r.Origin.Kind == record.S3 {
		dst = strconv.AppendInt(append(dst, `,"offset":`...), r.Offset, 10)
	}
	return closeObject(dst, start)
}

func (e *encoder) appendMarks(dst []byte, marks record.Marks) []byte {
	key := e.keys[fieldMarks]
	if key == "" || marks == 0 {
		return dst
	}
	list, ok := e.marks[marks]
	if !ok {
		list = encodeMarks(marks)
		e.marks[marks] = list
	}
	dst = append(dst, key...)
	return append(dst, list...)
}

func encodeMarks(marks record.Marks) string {
	list := []byte{'['}
	for i, name := range marks.Names() {
		if i > 0 {
			list = append(list, ',')
		}
		list = appendQuoted(list, name)
	}
	return string(append(list, ']'))
}

func (e *encoder) appendCount(dst []byte, f field, n int) []byte {
	key := e.keys[f]
	if key == "" || n == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, key...), int64(n), 10)
}

// closeObject makes an object of the members that stand in dst from start on, each behind a comma.
func closeObject(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, "{}"...)
	}
	dst[start] = '{'
	return append(dst, '}')
}
