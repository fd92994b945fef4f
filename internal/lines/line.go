package lines

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// Line takes the next line: the text up to '\n', without one '\r' before it. The last line may lack its '\n'; empty lines
// are lines. It returns io.EOF at the end of the stream.
//
// A line of more than MaxLineBytes comes in parts of at most PartBytes, which are cut between characters where the text is
// UTF-8. No part is empty.
//
// A fault of the source inside a line is returned as it is, and the line is not: Offset is then where the line begins, or
// the part of it that could not be read to its end.
func (w *Window) Line() (Piece, error) {
	if w.part == 0 && w.document == nil {
		if i := bytes.IndexByte(w.buf[w.pos:w.end], '\n'); i >= 0 && i <= MaxLineBytes {
			p := Piece{Text: w.buf[w.pos : w.pos+i : w.pos+i], Offset: w.offset + int64(w.pos), Last: true}
			if i > 0 && p.Text[i-1] == '\r' {
				p.Text = p.Text[:i-1]
			}
			w.pos += i + 1
			return p, nil
		}
	}
	w.settle()
	return w.readLine()
}

// readLine is Line where the line does not end in the bytes that were read, or is too long.
func (w *Window) readLine() (Piece, error) {
	limit := MaxLineBytes
	if w.part > 0 {
		limit = PartBytes
	}
	// A text of limit bytes is whole if "\r\n", "\n" or the end of the stream stands behind it.
	end, found := w.findLineEnd(limit + len("\r\n"))
	ended := !found && end < limit+len("\r\n")
	if fault := w.Err(); ended && fault != nil {
		return Piece{}, fault
	}
	if ended && end == 0 {
		return Piece{}, io.EOF
	}
	text := bytes.TrimSuffix(w.unread()[:end], []byte("\r"))
	if !found && !ended || len(text) > limit {
		return w.takePart(partEnd(w.unread()), false), nil
	}
	p := w.takePart(len(text), true)
	w.take(end - len(text)) // '\r'
	if found {
		w.take(1)
	}
	return p, nil
}

// takePart takes n bytes as the next part of a line, or as the whole of one that has no parts.
func (w *Window) takePart(n int, isLast bool) Piece {
	p := Piece{Offset: w.Offset(), Part: w.part, Last: isLast}
	if w.part > 0 || !isLast {
		p.Part++
	}
	p.Text = w.take(n)
	if !isLast {
		w.part = p.Part
	}
	return p
}

// findLineEnd looks for '\n' in the next limit bytes. It returns how many bytes stand before it; without one, how many of
// the limit bytes there are.
func (w *Window) findLineEnd(limit int) (n int, found bool) {
	for {
		b := w.unread()
		b = b[:min(len(b), limit)]
		if i := bytes.IndexByte(b[n:], '\n'); i >= 0 {
			return n + i, true
		}
		n = len(b)
		if !w.more(limit) {
			return n, false
		}
	}
}

// partEnd is where a part of a long line ends, at whose start b begins: before the character that stands across the limit.
func partEnd(b []byte) int {
	for i := PartBytes; i > PartBytes-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			return i
		}
	}
	return PartBytes // no UTF-8
}
