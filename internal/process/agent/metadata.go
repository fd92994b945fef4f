package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"sluice/internal/jsonwalk"
	"sluice/internal/record"
)

// addMetadata makes a JSON object of a record's text and of what the user wants beside it.
type addMetadata struct {
	timestamp bool
	timeHead  string // what stands before the timestamp
	head      string // what stands between the timestamp, or the start, and the text
	tail      string
}

const maxMetadataBytes = 8 << 10

const timestampLayout = "2006-01-02T15:04:05.000Z"

func newAddMetadata(o *Option, pretty bool, at place) step {
	metadata := o.Metadata
	if metadata == nil {
		metadata = json.RawMessage("null")
	}
	if len(metadata) > maxMetadataBytes {
		at.fail("metadata", fmt.Sprintf("has %d bytes: want %d at most, every record has them", len(metadata), maxMetadataBytes))
		return nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, metadata); err != nil {
		at.fail("metadata", "is not JSON")
		return nil
	}
	value := []byte(strings.ToValidUTF8(compact.String(), "\uFFFD"))
	if pretty {
		value = appendPretty(nil, value, 1)
	}
	m := &addMetadata{timestamp: o.Timestamp, tail: `"` + objectTail(pretty)}
	if m.timestamp {
		m.timeHead, m.head = memberHead("ts", true, pretty)+`"`, `"`
	}
	m.head += memberHead("metadata", !m.timestamp, pretty) + string(value) + memberHead("data", false, pretty) + `"`
	return m
}

func (m *addMetadata) apply(w *workspace, dst, text []byte) (out []byte, ok bool) {
	if m.timestamp {
		now := time.Now
		if w.now != nil {
			now = w.now
		}
		dst = now().UTC().AppendFormat(append(dst, m.timeHead...), timestampLayout)
	}
	dst = append(dst, m.head...)
	dst = record.AppendEscaped(dst, withoutNewline(text))
	return append(dst, m.tail...), true
}

// appendPretty appends compact JSON as Jackson's DefaultPrettyPrinter writes it inside of depth objects: members on lines of
// their own, arrays in one line.
func appendPretty(dst, value []byte, depth int) []byte {
	switch string(value) {
	case "{}":
		return append(dst, "{ }"...)
	case "[]":
		return append(dst, "[ ]"...)
	}
	newline := "\n" + strings.Repeat("  ", depth)
	switch value[0] {
	case '{':
		separator := "{" + newline + "  "
		for members := jsonwalk.Object(value); members.Next(); separator = "," + newline + "  " {
			name := record.AppendEscaped(nil, members.Name())
			dst = append(append(append(dst, separator...), '"'), name...)
			dst = appendPretty(append(dst, `" : `...), members.Value(), depth+1)
		}
		return append(append(dst, newline...), '}')
	case '[':
		separator := "[ "
		for elements := jsonwalk.Array(value); elements.Next(); separator = ", " {
			dst = appendPretty(append(dst, separator...), elements.Value(), depth)
		}
		return append(dst, " ]"...)
	}
	return append(dst, value...)
}

// addBrackets puts a record into braces, its line feed too.
type addBrackets struct{}

func (addBrackets) apply(_ *workspace, dst, text []byte) (out []byte, ok bool) {
	return append(append(append(dst, '{'), text...), '}'), true
}
