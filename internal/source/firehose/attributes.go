package firehose

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"sluice/internal/record"
)

// maxMessageBytes is how much of an error message goes into the attributes; ours. Firehose's own messages are shorter, those
// that quote an answer need not be.
const maxMessageBytes = 1 << 10

// AppendAttributes appends a JSON object that says where an object's records come from:
//
//	{"delivery_stream":"app-logs","stream_version":"3","hour":"2024-02-01T00"}
//
// What is not known is left out. It is valid JSON whatever the texts are.
func (n Name) AppendAttributes(dst []byte) []byte {
	o := object{dst: append(dst, '{')}
	n.appendTo(&o)
	return append(o.dst, '}')
}

func (n Name) appendTo(o *object) {
	o.text("delivery_stream", n.Stream)
	o.text("stream_version", n.Version)
	if !n.At.IsZero() {
		o.name("hour")
		o.dst = append(n.At.UTC().AppendFormat(append(o.dst, '"'), "2006-01-02T15"), '"')
	}
}

// AppendAttributes appends a JSON object that says where a record comes from, as Name.AppendAttributes does, and why it was
// not delivered: error_type, error_code, error_message (its first 1,024 bytes), attempts_made, arrived_at (ms since the Unix
// epoch) and lambda_arn, then f.Other in its order.
//
// The names in Other become snake case (`esDocumentId` is es_document_id), and one that is there already gets a number:
// event_id_2. Null values and what is not known are left out. It is valid JSON without repeated names, if the members of
// Other are what Parse leaves there; the same input gives the same bytes. It must be called before the next Parse.
func (f *Failed) AppendAttributes(dst []byte, n Name) []byte {
	o := object{dst: append(dst, '{'), used: make([]span, 0, 24)}
	n.appendTo(&o)
	o.text("error_type", n.ErrorType)
	o.text("error_code", f.ErrorCode)
	o.text("error_message", firstBytes(f.ErrorMessage, maxMessageBytes))
	if f.AttemptsMade >= 0 {
		o.name("attempts_made")
		o.dst = strconv.AppendInt(o.dst, int64(f.AttemptsMade), 10)
	}
	if f.ArrivalMillis > 0 {
		o.name("arrived_at")
		o.dst = strconv.AppendInt(o.dst, f.ArrivalMillis, 10)
	}
	o.text("lambda_arn", f.LambdaARN)
	for _, m := range f.Other {
		if !isNull(m.Value) {
			o.otherName(m.Name)
			o.dst = append(o.dst, m.Value...)
		}
	}
	return append(o.dst, '}')
}

// firstBytes cuts text between characters.
func firstBytes(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

// object is a JSON object that is being written.
type object struct {
	dst  []byte
	used []span // where in dst the names are
}

type span struct{ from, to int }

// text appends a member, unless its text is empty.
func (o *object) text(name, text string) {
	if text == "" {
		return
	}
	o.name(name)
	o.dst = append(o.dst, '"')
	o.dst, _ = record.AppendRepaired(o.dst, []byte(text))
	o.dst = append(o.dst, '"')
}

// name appends a member's name, which must not be there yet.
func (o *object) name(name string) {
	from := o.open()
	o.dst = append(o.dst, name...)
	o.close(from)
}

// otherName appends a name that is escaped already, in snake case, with a number if it is there already.
func (o *object) otherName(name []byte) {
	from := o.open()
	o.dst = appendSnake(o.dst, name)
	end := len(o.dst)
	for n := int64(2); o.isUsed(o.dst[from:]); n++ {
		o.dst = strconv.AppendInt(append(o.dst[:end], '_'), n, 10)
	}
	o.close(from)
}

// open starts a member and returns where its name goes.
func (o *object) open() int {
	if len(o.used) > 0 {
		o.dst = append(o.dst, ',')
	}
	o.dst = append(o.dst, '"')
	return len(o.dst)
}

func (o *object) close(from int) {
	o.used = append(o.used, span{from, len(o.dst)})
	o.dst = append(o.dst, '"', ':')
}

func (o *object) isUsed(name []byte) bool {
	for _, s := range o.used {
		if bytes.Equal(o.dst[s.from:s.to], name) {
			return true
		}
	}
	return false
}

// appendSnake appends `lambdaARN` as `lambda_arn`. A name with an escape or a character beyond ASCII stays as it is.
func appendSnake(dst, name []byte) []byte {
	if record.PlainRun(name) != len(name) {
		return append(dst, name...)
	}
	for i, c := range name {
		if isUpper(c) && i > 0 && startsWord(name, i) {
			dst = append(dst, '_')
		}
		dst = append(dst, lower(c))
	}
	return dst
}

// startsWord reports whether the capital at i opens a word: behind a small letter or a digit, or as the last of several
// before a small letter.
func startsWord(name []byte, i int) bool {
	before := name[i-1]
	if isUpper(before) {
		return i+1 < len(name) && isLower(name[i+1])
	}
	return isLower(before) || isDigit(before)
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
