package cloudwatch

import (
	"bytes"

	"sluice/internal/record"
)

// Bounds of what is carried along (delivery contract S10).
const (
	maxDepth   = 64   // of objects and arrays in a member's value
	maxMembers = 1000 // of a log event
)

// copier copies JSON without white space and with every string repaired, so that the copy can be passed on. Its methods
// read at the start of b, return how many bytes of b they read, and leave out as it is meant to be only on success.
type copier struct {
	out      []byte
	repaired bool // something in it was no text

	closers [maxDepth]byte // of the objects and arrays that are open
	depth   int
}

func (c *copier) reset() { c.out, c.repaired = c.out[:0], false }

// release lets go of a giant of the last payload.
func (c *copier) release() {
	if cap(c.out) > keptBytes {
		c.out = nil
	}
}

// value copies one JSON value. It does not recurse: depth is data here, and data comes from outside.
func (c *copier) value(b []byte) (n int, err error) {
	c.depth = 0
	for i := 0; ; {
		n, opened, err := c.element(b[i:])
		if err != nil {
			return 0, at(i, err)
		}
		i += n
		if opened {
			continue
		}
		if n, err = c.behind(b[i:]); err != nil {
			return 0, at(i, err)
		}
		i += n
		if c.depth == 0 {
			return i, nil
		}
	}
}

// element copies a scalar or an empty list, or opens a list up to its first element.
func (c *copier) element(b []byte) (n int, opened bool, err error) {
	i := space(b)
	if i >= len(b) {
		return 0, false, errShort
	}
	if b[i] != '{' && b[i] != '[' {
		n, err = c.scalar(b[i:])
		return i + n, false, at(i, err)
	}
	if c.depth == maxDepth {
		return 0, false, fault(i, "nested deeper than 64")
	}
	closer := b[i] + 2 // in ASCII, `}` stands two behind `{` and `]` two behind `[`
	c.out = append(c.out, b[i])
	i++
	i += space(b[i:])
	if i >= len(b) {
		return 0, false, errShort
	}
	if b[i] == closer {
		c.out = append(c.out, closer)
		return i + 1, false, nil
	}
	c.closers[c.depth] = closer
	c.depth++
	if closer == '}' {
		n, err = c.name(b[i:])
	}
	return i + n, true, at(i, err)
}

// behind copies what stands behind a value: closers, then a comma and, in an object, the next name.
func (c *copier) behind(b []byte) (n int, err error) {
	for i := 0; ; i++ {
		if c.depth == 0 {
			return i, nil
		}
		i += space(b[i:])
		if i >= len(b) {
			return 0, errShort
		}
		closer := c.closers[c.depth-1]
		if b[i] == closer {
			c.out = append(c.out, closer)
			c.depth--
			continue
		}
		if b[i] != ',' {
			return 0, fault(i, "want a comma or the end of the list")
		}
		c.out = append(c.out, ',')
		i++
		if closer == '}' {
			n, err = c.name(b[i:])
		}
		return i + n, at(i, err)
	}
}

// name copies `"name":`. An escape that the name does not need is resolved, so that equal names have equal bytes.
func (c *copier) name(b []byte) (n int, err error) {
	i := space(b)
	if i >= len(b) {
		return 0, errShort
	}
	if b[i] != '"' {
		return 0, fault(i, "want a member name")
	}
	// The usual name is plain and has its colon right behind it.
	if end := i + 1 + record.PlainRun(b[i+1:]); end+1 < len(b) && b[end] == '"' && b[end+1] == ':' {
		c.out = append(c.out, b[i:end+2]...)
		return end + 2, nil
	}
	start := len(c.out) + 1
	n, err = c.text(b[i:])
	if err != nil {
		return 0, at(i, err)
	}
	if name := c.out[start : len(c.out)-1]; bytes.IndexByte(name, '\\') >= 0 {
		c.out = append(record.AppendEscaped(c.out[:start], record.AppendUnescaped(nil, name)), '"')
	}
	i += n
	i += space(b[i:])
	if i >= len(b) {
		return 0, errShort
	}
	if b[i] != ':' {
		return 0, fault(i, "want a colon")
	}
	c.out = append(c.out, ':')
	return i + 1, nil
}

// text copies a string with its quotes.
func (c *copier) text(b []byte) (n int, err error) {
	end, clean, err := stringEnd(b, 1)
	if err != nil {
		return 0, err
	}
	if clean {
		c.out = append(c.out, b[:end+1]...)
		return end + 1, nil
	}
	c.repaired = true
	c.out = append(appendRepaired(append(c.out, '"'), b[1:end+1]), '"')
	return end + 1, nil
}

// scalar copies a string, a number, true, false or null.
func (c *copier) scalar(b []byte) (n int, err error) {
	if b[0] == '"' {
		return c.text(b)
	}
	n = bytes.IndexAny(b, ",]} \t\r\n")
	if n < 0 {
		return 0, errShort // a scalar stands in an object or array, so something follows it
	}
	word := b[:n]
	if string(word) != "true" && string(word) != "false" && string(word) != "null" && !isNumber(word) {
		return 0, fault(0, "want a JSON value")
	}
	c.out = append(c.out, word...)
	return n, nil
}

// isNumber reports whether b is a number as JSON writes them (RFC 8259, section 6).
func isNumber(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("-"))
	whole := digits(b)
	if whole == 0 || whole > 1 && b[0] == '0' {
		return false
	}
	if b = b[whole:]; len(b) > 0 && b[0] == '.' {
		n := digits(b[1:])
		if n == 0 {
			return false
		}
		b = b[1+n:]
	}
	if len(b) > 0 && b[0]|0x20 == 'e' {
		b = b[1:]
		if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		n := digits(b)
		return n > 0 && n == len(b)
	}
	return len(b) == 0
}

// digits is the number of decimal digits at the start of b.
func digits(b []byte) int {
	for i, c := range b {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(b)
}
