package agent

import (
	"bytes"
	"unicode/utf8"
)

// class is a set of classes of bytes.
type class uint8

const (
	digit       class = 1 << iota
	wordByte          // letters, digits and the underscore
	userByte          // of a user's name, or of a host's in syslog
	hostByte          // of a host's name or address in Apache's logs
	programByte       // of a program's name
	spaceByte         // white space, the vertical tab among it
	letter
)

var classes = func() (table [256]class) {
	add := func(bytes string, c class) {
		for i := range len(bytes) {
			table[bytes[i]] |= c
		}
	}
	const (
		digits  = "0123456789"
		letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	)
	add(digits, digit)
	add(letters, letter)
	add(letters+digits+"_", wordByte)
	add(letters+digits+"._-", userByte|hostByte)
	add(letters+digits+"_./%-", programByte)
	add("\t\n\v\f\r ", spaceByte)
	return table
}()

// cursor reads a line from left to right. Once something is not there, it has failed, and what it reads then means nothing.
type cursor struct {
	text   []byte
	pos    int
	failed bool
}

// next is the next byte; 0 at the end.
func (c *cursor) next() byte {
	if c.pos < len(c.text) {
		return c.text[c.pos]
	}
	return 0
}

// byte reads one byte.
func (c *cursor) byte(b byte) {
	if c.pos >= len(c.text) || c.text[c.pos] != b {
		c.failed = true
		return
	}
	c.pos++
}

// literal reads a text.
func (c *cursor) literal(s string) {
	if len(c.text)-c.pos < len(s) || string(c.text[c.pos:c.pos+len(s)]) != s {
		c.failed = true
		return
	}
	c.pos += len(s)
}

// run reads one or more bytes of a class, all that there are.
func (c *cursor) run(of class) span {
	start := c.pos
	for c.pos < len(c.text) && classes[c.text[c.pos]]&of != 0 {
		c.pos++
	}
	if c.pos == start {
		c.failed = true
	}
	return span{start, c.pos}
}

// one reads one byte of a class.
func (c *cursor) one(of class) {
	if c.pos >= len(c.text) || classes[c.text[c.pos]]&of == 0 {
		c.failed = true
		return
	}
	c.pos++
}

// of is the text of a span.
func (c *cursor) of(s span) []byte { return c.text[s.start:s.end] }

// integer reads digits, behind a sign if there is one.
func (c *cursor) integer() span {
	start := c.pos
	if b := c.next(); b == '+' || b == '-' {
		c.pos++
	}
	c.run(digit)
	return span{start, c.pos}
}

// integerOrDash reads an integer, or the dash that stands for none.
func (c *cursor) integerOrDash() span {
	if start := c.pos; c.next() == '-' && (start+1 == len(c.text) || classes[c.text[start+1]]&digit == 0) {
		c.pos++
		return span{start, c.pos}
	}
	return c.integer()
}

// positive reads digits of which the first is no zero.
func (c *cursor) positive() span {
	if c.next() == '0' {
		c.failed = true
	}
	return c.run(digit)
}

// quoted reads one or more characters in quotation marks, among which there is none, and returns what is inside.
func (c *cursor) quoted() span {
	c.byte('"')
	start := c.pos
	n := bytes.IndexByte(c.text[start:], '"')
	if n <= 0 {
		c.failed = true
		return none
	}
	c.pos += n + 1
	return span{start, start + n}
}

// host reads the name or the address of a host: words with single dots between them, and perhaps one behind them; or
// digits and dots in any order.
func (c *cursor) host() span {
	s := c.run(hostByte)
	if c.failed || !isHost(c.of(s)) {
		c.failed = true
	}
	return s
}

func isHost(text []byte) bool {
	words := true
	for i, b := range text {
		if b == '.' && (i == 0 || text[i-1] == '.') {
			words = false
		}
	}
	return words || len(bytes.Trim(text, "0123456789.")) == 0
}

// rest reads what is left, in which no line ends.
func (c *cursor) rest() span {
	s := span{c.pos, len(c.text)}
	if endsLine(c.of(s)) {
		c.failed = true
	}
	c.pos = s.end
	return s
}

// endsLine reports whether there is a character in text that ends a line in Java, which a dot does not match.
func endsLine(text []byte) bool {
	return bytes.IndexByte(text, '\n') >= 0 || bytes.IndexByte(text, '\r') >= 0 ||
		bytes.Contains(text, nextLine) || bytes.Contains(text, lineSeparator) || bytes.Contains(text, paragraphSeparator)
}

var (
	nextLine           = []byte("\u0085")
	lineSeparator      = []byte("\u2028")
	paragraphSeparator = []byte("\u2029")
)

// inLine reads one character that does not end a line.
func (c *cursor) inLine() {
	_, n := utf8.DecodeRune(c.text[c.pos:])
	if n == 0 || endsLine(c.text[c.pos:c.pos+n]) {
		c.failed = true
		return
	}
	c.pos += n
}
