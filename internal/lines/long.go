package lines

import (
	"errors"
	"unicode/utf8"
)

// long follows an element that is too long for a Value from bracket to bracket, outside of strings.
type long struct {
	part    int // parts that were taken
	depth   int // of brackets
	quoted  bool
	escaped bool // the next byte stands behind a backslash
}

var errNoParts = errors.New("only an element that is too long is taken in parts")

// Part takes the next part of the element that Element has found to be too long: at most PartBytes, cut between characters
// where the text is UTF-8. Behind the last part Element goes on with what follows.
//
// What goes beyond MaxValueBytes is not validated. A control character in a string ends the element in front of it, so that
// a quote that is missing does not take all the rest of the stream along: Element then says ErrNotJSON.
//
// Errors: the source's fault, and ErrNotJSON where nothing is left of the element. Element returns the same from then on.
func (e *Envelope) Part() (Piece, error) {
	if !errors.Is(e.err, ErrTooLong) {
		if e.err != nil {
			return Piece{}, e.err
		}
		return Piece{}, errNoParts
	}
	w := e.window
	w.settle()
	w.fill(PartBytes + utf8.UTFMax)
	b := w.unread()
	more := len(b) >= PartBytes+utf8.UTFMax
	if more {
		b = b[:partEnd(b)]
	}
	n, ends := e.long.pass(b)
	switch {
	case !ends && !more && w.Err() != nil:
		e.err = w.err
	case n == 0:
		e.err = w.notJSON(0, unfinished)
	default:
		return e.takePart(n, ends || !more), nil
	}
	return Piece{}, e.err
}

// takePart takes n bytes as the next part of an element.
func (e *Envelope) takePart(n int, isLast bool) Piece {
	e.long.part++
	p := Piece{Offset: e.window.Offset(), Text: e.window.take(n), Part: e.long.part, Last: isLast}
	if isLast {
		e.err, e.long = nil, long{}
	}
	return p
}

// pass moves through b, up to the end of the element or to where it is no JSON. It returns how many bytes that are.
func (l *long) pass(b []byte) (n int, ends bool) {
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case l.quoted:
			if i, ends = l.passText(b, i); ends {
				return i, true
			}
		case c == '"':
			l.quoted = true
		case isBracket(c):
			l.depth++
		case l.depth == 0 && (c == ',' || c == ']' || c == '}' || c <= ' '): // behind a number
			return i, true
		case c == ']' || c == '}':
			if l.depth--; l.depth == 0 {
				return i + 1, true
			}
		}
	}
	return len(b), false
}

// passText moves from i, in a string, to the next byte that matters there. At the end of the element it returns how many
// bytes that are.
func (l *long) passText(b []byte, i int) (at int, ends bool) {
	if l.escaped {
		l.escaped = false
		return i, false
	}
	if i = textRun(b, i); i == len(b) {
		return i, false
	}
	if b[i] < ' ' {
		return i, true
	}
	l.quoted, l.escaped = b[i] != '"', b[i] == '\\'
	if !l.quoted && l.depth == 0 {
		return i + 1, true
	}
	return i, false
}
