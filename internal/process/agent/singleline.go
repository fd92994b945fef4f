package agent

import (
	"bytes"
	"fmt"
)

// singleLine makes one line of a record: its lines, trimmed, one behind the other.
type singleLine struct {
	noTrim, escape bool
}

// escapedNewLine is what ESCAPE_NEW_LINE puts between lines: two backslashes and an n.
const escapedNewLine = `\\n`

func newSingleLine(o *Option, at place) step {
	var s singleLine
	for i, name := range o.ParseOptions {
		switch oneOf(at, fmt.Sprintf("parseOptions[%d]", i), name, NoTrim, EscapeNewLine) {
		case NoTrim:
			s.noTrim = true
		case EscapeNewLine:
			s.escape = true
		}
	}
	return s
}

func (s singleLine) apply(_ *workspace, dst, text []byte) (out []byte, ok bool) {
	text = bytes.TrimRight(text, "\n") // empty lines at the end are no lines, as in Java's split
	for more, first := true, true; more; first = false {
		var line []byte
		line, text, more = bytes.Cut(text, []byte("\n"))
		if !s.noTrim {
			line = trim(line)
		}
		if s.escape && !first {
			dst = append(dst, escapedNewLine...)
		}
		dst = append(dst, line...)
	}
	return append(dst, '\n'), true
}

// trim is String.trim of Java: without characters up to U+0020 at both ends, control characters among them.
func trim(line []byte) []byte {
	for len(line) > 0 && line[0] <= ' ' {
		line = line[1:]
	}
	for len(line) > 0 && line[len(line)-1] <= ' ' {
		line = line[:len(line)-1]
	}
	return line
}
