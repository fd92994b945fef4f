package lines

import (
	"errors"
	"fmt"
)

// What a caller branches on. The errors that are returned carry their offset and reason.
var (
	// ErrNotJSON says that what comes next is no JSON value.
	ErrNotJSON = errors.New("not JSON")
	// ErrTooLong says that what comes next is longer than MaxValueBytes.
	ErrTooLong = errors.New("JSON value too long")
)

// valueError is ErrNotJSON or ErrTooLong at a place. Its text is made when it is asked for: a caller may try every line.
type valueError struct {
	kind    error
	offset  int64 // of the fault; of the value's first byte when it is too long
	problem problem
}

func (e *valueError) Error() string {
	if e.kind == ErrTooLong { //nolint:errorlint // one of the two, never wrapped
		return fmt.Sprintf("%s: more than %d bytes from byte %d on", e.kind, MaxValueBytes, e.offset)
	}
	return fmt.Sprintf("%s at byte %d: %s", e.kind, e.offset, problems[e.problem])
}

func (e *valueError) Unwrap() error { return e.kind }

// Value takes the next JSON value (RFC 8259), without the white space around it. It is whole and valid, except that its
// UTF-8 is not judged. Brackets end a value, so objects and arrays may touch what follows; any other value needs white space
// or the end of the stream behind it.
//
// Errors: io.EOF at the end of the stream; the source's fault if the value does not end before it; ErrNotJSON; ErrTooLong.
// With an error only empty lines have been passed, so that Line returns the text with its indentation (of less than
// MaxPeekBytes).
func (w *Window) Value() (Piece, error) {
	w.settle()
	indent := w.indent()
	if indent == w.end-w.pos {
		if w.Err() == nil {
			w.take(indent)
		}
		return Piece{}, w.err
	}
	n, err := w.valueEnd(indent)
	if err != nil {
		return Piece{}, err
	}
	if n < w.end-w.pos && !isBracket(w.buf[w.pos+indent]) && space(w.unread()[n:n+1]) == 0 {
		return Piece{}, w.notJSON(n, followed)
	}
	w.take(indent)
	return w.takeValue(n - indent), nil
}

// IsJSON reports whether the line that comes next begins with an object, or with an array as Array knows it. It takes
// nothing but empty lines.
func (w *Window) IsJSON() bool {
	w.settle()
	indent := w.indent()
	switch b := w.unread()[indent:]; {
	case len(b) == 0:
		return false
	case b[0] == '[':
		return w.isArray(indent)
	case b[0] == '{':
		_, err := w.valueEnd(indent)
		return err == nil
	}
	return false
}

// Scanned is how many bytes were looked at so far to find where values end, those looked at again counted again. It grows
// faster than Offset where text looks like JSON and is none.
func (w *Window) Scanned() int64 { return w.scanned }

func (w *Window) takeValue(n int) Piece {
	offset := w.Offset()
	return Piece{Text: w.take(n), Offset: offset, Last: true}
}

// valueEnd finds the end of the value that begins at the unread byte start, which is there. Behind a value without brackets
// there is an unread byte, or the stream ends.
func (w *Window) valueEnd(start int) (end int, err error) {
	return w.measure(start, scan, !isBracket(w.buf[w.pos+start]))
}

// measure finds the end of what scan reads at the unread byte start. A scan that reaches the last unread byte is done again
// with more of them, if it says so or mayGoOn.
func (w *Window) measure(start int, scan func([]byte) (int, problem), mayGoOn bool) (end int, err error) {
	for {
		b := w.unread()[start:]
		n, p := scan(b[:min(len(b), MaxValueBytes+1)])
		w.scanned += int64(n)
		if p == unfinished {
			w.scanned += int64(min(len(b), MaxValueBytes+1) - n)
		}
		if p == sound && n > MaxValueBytes || p == unfinished && len(b) > MaxValueBytes {
			return 0, &valueError{kind: ErrTooLong, offset: w.Offset() + int64(start)}
		}
		again := p == unfinished || p == sound && mayGoOn && n == len(b)
		if again && w.double(start+MaxValueBytes+1) {
			continue
		}
		switch {
		case again && w.Err() != nil:
			return 0, w.err
		case p != sound:
			return 0, w.notJSON(start+n, p)
		}
		return start + n, nil
	}
}

// notJSON is the error for a fault at the unread byte i.
func (w *Window) notJSON(i int, p problem) error {
	return &valueError{kind: ErrNotJSON, offset: w.Offset() + int64(i), problem: p}
}

func isBracket(c byte) bool { return c == '{' || c == '[' }
