package kinesis

import (
	"bytes"
	"cmp"
	"iter"
	"unicode/utf8"

	"sluice/internal/format"
	"sluice/internal/record"
)

var byteOrderMark = []byte("\uFEFF")

// Text is a text without the byte order mark that it may begin with. One that stands anywhere else is a part of its line.
func Text(data []byte) []byte { return bytes.TrimPrefix(data, byteOrderMark) }

// UserRecord is a stream record, or one of those that were aggregated in it, that is text.
type UserRecord struct {
	Origin     *record.Origin
	EventID    string // Lambda's: shard and sequence number
	FirstIndex int    // of the first line among those that share the event id
	TimeMillis int64  // when the stream took it, in ms since the epoch
	Data       []byte // whole lines of its text, see Text
	// Clock reads the time of lines, and knows those that name columns. nil: lines do not say.
	Clock *format.Clock
}

// Records yields the lines of a record that is text: separated by `\n`, without a final `\r`. Empty lines are yielded too;
// what stands behind the last separator is a line only if it is not empty. A line that does not state its time has that of the
// user record. The record yielded is reused for the next one.
func Records(r UserRecord) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		id := record.Plain(bytes.ToValidUTF8([]byte(r.EventID), []byte("\uFFFD")))
		rest := r.Data
		var line record.Record
		var repaired []byte
		for index := r.FirstIndex; len(rest) > 0; index++ {
			var text []byte
			text, rest, _ = bytes.Cut(rest, []byte("\n"))
			text = bytes.TrimSuffix(text, []byte("\r"))

			line = record.Record{Origin: r.Origin, EventID: id, Index: index, TimeMillis: r.TimeMillis, Message: record.Plain(text)}
			if line.Header = r.Clock.IsHeader(text); !line.Header {
				line.TimeMillis = cmp.Or(r.Clock.Millis(text), r.TimeMillis)
			}
			line.Columns = r.Clock.Columns()
			if !utf8.Valid(text) {
				repaired, _ = record.AppendRepaired(repaired[:0], text)
				line.Message, line.Marks = record.Escaped(repaired), record.UTF8Repaired
			}
			if !yield(&line, nil) {
				return
			}
		}
	}
}

// CountLines is the number of records that Records yields for these bytes.
func CountLines(data []byte) int {
	n := bytes.Count(data, []byte("\n"))
	if len(data) > 0 && data[len(data)-1] != '\n' {
		n++
	}
	return n
}
