package forward

import (
	"bytes"

	"sluice/internal/jsonwalk"
	"sluice/internal/record"
)

// streamErrors tells the lines in which Firehose says what went wrong with the stream that is transformed. Put into that
// stream they would feed themselves: what keeps it from delivering fails them too, and each failure is one more line.
//
// They are known by the log group that the console makes for a stream, or, wherever else they are sent, by what they say
// (Firehose developer guide, "Monitor Amazon Data Firehose Using CloudWatch Logs").
type streamErrors struct {
	arn, group, account string

	judged  *record.Origin // that of the last line; nil where a record begins
	isGroup bool           // judged is the log group of the stream
	maybe   bool           // its lines may be such: the first of them has the member
	plain   []byte
}

// errorGroups is what stands before the name of the stream in the name of its log group.
const errorGroups = "/aws/kinesisfirehose/"

// arnMember names the stream in a line of Firehose's error log, and codeMember says what went wrong.
var arnMember, codeMember = []byte("deliveryStreamARN"), []byte("errorCode")

func streamErrorsOf(streamARN string) streamErrors {
	e := streamErrors{arn: streamARN, account: accountOf(streamARN)}
	if name := streamName(streamARN); name != "" {
		e.group = errorGroups + name
	}
	return e
}

// begin says that the lines to come are those of another record.
func (e *streamErrors) begin() { e.judged = nil }

// has reports whether a line is one of the stream's own errors.
func (e *streamErrors) has(r *record.Record) bool {
	if r.Origin != e.judged {
		e.judge(r)
	}
	return e.isGroup || e.maybe && e.names(r.Message)
}

// judge looks at the first line of an origin.
func (e *streamErrors) judge(r *record.Record) {
	e.judged, e.isGroup = r.Origin, e.owns(r.Origin)
	text := r.Message.Bytes
	e.maybe = !e.isGroup && len(text) > 0 && text[0] == '{' && bytes.Contains(text, arnMember)
}

// owns reports whether an origin is the log group of the stream. Another account may have one of the same name.
func (e *streamErrors) owns(o *record.Origin) bool {
	return o.LogGroup != "" && o.LogGroup == e.group && (e.account == "" || e.account == o.Owner)
}

// names reports whether a line is an error of the stream by what it says.
func (e *streamErrors) names(message record.Text) bool {
	e.plain = message.AppendPlain(e.plain[:0])
	own, code := false, false
	for members := jsonwalk.Object(e.plain); members.Next(); {
		switch name := members.Name(); {
		case bytes.Equal(name, arnMember):
			arn, ok := jsonwalk.Text(members.Value())
			own = own || ok && e.arn != "" && string(arn) == e.arn
		case bytes.Equal(name, codeMember):
			code = true
		}
	}
	return own && code
}
