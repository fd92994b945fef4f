package httpjson

import (
	"bytes"

	"sluice/internal/jsonwalk"
	"sluice/internal/record"
)

// lineAttributes returns what the line says as a JSON object, valid until the next call; nil when it says nothing. A line
// that was cut does not say it in full, and its item has been measured to fit: it says nothing.
func (e *encoder) lineAttributes(r *record.Record) []byte {
	if e.keys[fieldAttrs] == "" || r.Marks&(record.Truncated|record.Chunked) != 0 {
		return nil
	}
	line, ok := e.attributes(e.line[:0], r)
	if !ok {
		return nil
	}
	e.line = line
	return line
}

// appendAttrs appends what the source gave beside the message and then what the line says, a JSON object or nil.
func (e *encoder) appendAttrs(dst []byte, members []record.Member, line []byte) []byte {
	key := e.keys[fieldAttrs]
	if key == "" || len(members) == 0 && line == nil {
		return dst
	}
	dst = append(dst, key...)
	if len(members) == 0 {
		return appendOneLine(dst, line)
	}
	start := len(dst)
	for _, m := range members {
		dst = append(append(dst, `,"`...), m.Name...)
		dst = append(dst, `":`...)
		dst = appendOneLine(dst, m.Value)
	}
	if line != nil {
		e.given.set(members)
		dst = e.appendOthers(dst, line)
	}
	return closeObject(dst, start)
}

// appendOthers appends the members of an object that the source has not given, each behind a comma.
func (e *encoder) appendOthers(dst, object []byte) []byte {
	walk := jsonwalk.Object(object)
	for walk.Next() {
		name := walk.Name()
		if e.given.has(name) {
			continue
		}
		dst = record.AppendEscaped(append(dst, `,"`...), name)
		dst = appendOneLine(append(dst, `":`...), walk.Value())
	}
	return dst
}

// appendOneLine appends a JSON value with its line breaks, which can only stand between tokens, as spaces: an item that
// spans lines is several to a reader of JSON lines.
func appendOneLine(dst, value []byte) []byte {
	start := len(dst)
	dst = append(dst, value...)
	for _, lineBreak := range [...]byte{'\n', '\r'} {
		for i := start; ; {
			n := bytes.IndexByte(dst[i:], lineBreak)
			if n < 0 {
				break
			}
			i += n
			dst[i] = ' '
		}
	}
	return dst
}

// fewNames is up to how many names are compared one by one. A source gives one or two; a stranger's may give thousands.
const fewNames = 8

// names are those of a record's members, as they are read.
type names struct {
	text []byte   // of the names with escapes
	few  [][]byte // all of them, when they are few
	many map[string]struct{}
}

// set makes the names those of members.
func (n *names) set(members []record.Member) {
	n.text, n.few, n.many = n.text[:0], n.few[:0], nil
	for _, m := range members {
		name := m.Name
		if bytes.IndexByte(name, '\\') >= 0 {
			start := len(n.text)
			n.text = record.AppendUnescaped(n.text, name)
			name = n.text[start:]
		}
		if len(members) <= fewNames {
			n.few = append(n.few, name)
			continue
		}
		if n.many == nil {
			n.many = make(map[string]struct{}, len(members))
		}
		n.many[string(name)] = struct{}{}
	}
}

func (n *names) has(name []byte) bool {
	for _, known := range n.few {
		if bytes.Equal(known, name) {
			return true
		}
	}
	_, known := n.many[string(name)]
	return known
}
