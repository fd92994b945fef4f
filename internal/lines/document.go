package lines

import (
	"errors"
	"io"
)

// errPassedOver ends a document whose window has moved on.
var errPassedOver = errors.New("document read after its window has passed over it")

// Document returns a reader of exactly the object or array that comes next, for a decoder that streams. The document may
// have any size; it is not validated: brackets are counted, outside of strings. White space before it is passed.
//
// The reader ends with io.EOF behind the closing bracket, with io.ErrUnexpectedEOF where the stream ends before it, or with
// the source's fault. Where no bracket comes next, it ends at once: with an ErrNotJSON, and nothing is taken but empty
// lines, or with io.EOF at the end of the stream.
//
// What is left unread of a document, the next call on the window passes over, in silence: a caller that wants to know
// whether the document was whole reads it to its end. Offset tells how far it was read.
func (w *Window) Document() io.Reader {
	w.settle()
	d := &document{window: w}
	indent := w.indent()
	switch {
	case indent == w.end-w.pos:
		d.err = w.err
	case !isBracket(w.buf[w.pos+indent]):
		d.err = w.notJSON(indent, noBracket)
	default:
		w.take(indent)
		w.document = d
	}
	return d
}

// document is a reader of the window's bytes up to a closing bracket.
type document struct {
	window  *Window
	depth   int  // of brackets
	quoted  bool // the next byte is in a string
	escaped bool // the next byte stands behind a backslash
	err     error
}

// Read implements io.Reader.
func (d *document) Read(p []byte) (int, error) {
	if len(p) == 0 || d.err != nil {
		return 0, d.err
	}
	return copy(p, d.next(len(p))), d.err
}

// next takes up to limit bytes. d.err is set with the last of them.
func (d *document) next(limit int) []byte {
	w := d.window
	if w.pos == w.end && !w.more(1) {
		d.end(io.ErrUnexpectedEOF)
		if fault := w.Err(); fault != nil {
			d.err = fault
		}
		return nil
	}
	b := w.unread()
	n := d.pass(b[:min(len(b), limit)])
	if d.depth == 0 {
		d.end(io.EOF)
	}
	return w.take(n)
}

func (d *document) end(err error) { d.err, d.window.document = err, nil }

// passOver takes the rest of the document.
func (d *document) passOver() {
	for d.err == nil {
		d.next(MaxValueBytes)
	}
	d.err = errPassedOver
}

// pass follows brackets and strings through b, up to the bracket that closes the document. It returns how many bytes that
// are.
func (d *document) pass(b []byte) int {
	for i := 0; i < len(b); {
		if d.quoted {
			i = d.passText(b, i)
			continue
		}
		switch b[i] {
		case '"':
			d.quoted = true
		case '{', '[':
			d.depth++
		case '}', ']':
			if d.depth--; d.depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return len(b)
}

// passText moves from i, in a string, behind the next byte that matters there.
func (d *document) passText(b []byte, i int) int {
	if d.escaped {
		d.escaped = false
		return i + 1
	}
	if i = textRun(b, i); i == len(b) {
		return i
	}
	d.quoted, d.escaped = b[i] != '"', b[i] == '\\'
	return i + 1
}
