package agent

import (
	"bytes"
	"io"
	"unicode/utf8"
)

const (
	// bufferBytes is the agent's buffer, and ours: a record, and the line behind it that shows its end.
	bufferBytes = 4 << 20
	firstBytes  = 64 << 10 // of a buffer that grows
	emptyReads  = 100      // how often a source may return neither bytes nor an error, as in package bufio
)

// Records is a stream that is being cut. It is for one goroutine.
type Records struct {
	splitter *Splitter
	src      io.Reader
	buf      []byte
	pos, end int   // buf[pos:end] is read and not yet returned
	offset   int64 // of buf[pos] in the stream
	err      error // what the source ended with
	header   int   // lines that are still to be skipped
	runaway  bool  // pos is inside of a record of which a part has been returned
	looked   int   // how many bytes from pos on have been looked at for the end of the piece
	lineAt   int   // where the line starts in which they end, from pos on
}

// Reset makes r stand at the start of another stream. It keeps the buffer.
func (r *Records) Reset(src io.Reader) {
	*r = Records{splitter: r.splitter, src: src, buf: r.buf, header: r.splitter.header}
}

// Next returns the next piece, in order. It returns io.EOF at the end of the stream; the source's fault as it is, when all
// that ended before it has been returned: the piece in which it happened begins at Offset and is not returned.
func (r *Records) Next() (Piece, error) {
	for {
		n, found := r.pieceEnd()
		switch {
		case found && n <= bufferBytes:
			return r.take(n, true), nil
		case r.end-r.pos > bufferBytes: // one byte more, to know that the stream does not end there
			return r.take(partEnd(r.buf[r.pos:r.pos+bufferBytes]), false), nil
		case r.err == nil:
			r.read()
		case r.err != io.EOF: //nolint:errorlint // a wrapped one is a fault
			return Piece{}, r.err
		case r.pos == r.end:
			return Piece{}, io.EOF
		default:
			return r.take(r.end-r.pos, true), nil
		}
	}
}

// Offset is the offset of the next piece in the stream.
func (r *Records) Offset() int64 { return r.offset }

// pieceEnd looks for the end of the piece that begins at pos. It reports false when there is none in what was read.
func (r *Records) pieceEnd() (n int, found bool) {
	b := r.buf[r.pos:r.end]
	for {
		i := bytes.IndexByte(b[r.looked:], '\n')
		atEnd := i < 0 && r.err == io.EOF && r.lineAt < len(b) //nolint:errorlint // a wrapped one is a fault
		if i < 0 && !atEnd {
			r.looked = len(b)
			return 0, false
		}
		lineEnd := r.looked + i + 1
		if atEnd {
			lineEnd = len(b)
		}
		if r.header > 0 || r.splitter.start == nil {
			return lineEnd, true
		}
		if r.lineAt > 0 && r.splitter.start.Match(b[r.lineAt:lineEnd]) {
			return r.lineAt, true // the first line belongs to the record whether it matches or not
		}
		r.lineAt, r.looked = lineEnd, lineEnd
	}
}

// take returns the next n bytes as a piece, or as a part of one.
func (r *Records) take(n int, isLast bool) Piece {
	text := r.buf[r.pos : r.pos+n : r.pos+n]
	p := Piece{Text: text, Offset: r.offset, Last: isLast}
	switch {
	case r.header > 0:
		p.Kind = Header
		if isLast {
			r.header--
		}
	case r.runaway:
		p.Kind = Runaway
	case isLast && bytes.IndexByte(text, '\n') < 0:
		p.Kind = Unended
	}
	r.runaway = !isLast && p.Kind != Header
	r.pos, r.offset = r.pos+n, r.offset+int64(n)
	r.looked, r.lineAt = 0, 0
	return p
}

// read reads on. It may move what was read.
func (r *Records) read() {
	if r.pos > 0 {
		r.end = copy(r.buf, r.buf[r.pos:r.end])
		r.pos = 0
	}
	if r.end == len(r.buf) {
		grown := make([]byte, min(max(firstBytes, 2*len(r.buf)), bufferBytes+1))
		copy(grown, r.buf[:r.end])
		r.buf = grown
	}
	for range emptyReads {
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		if r.err = err; n > 0 || err != nil {
			return
		}
	}
	r.err = io.ErrNoProgress
}

// partEnd is where b is cut when it is no whole piece: not inside of a character, and not behind a line feed, where another
// record may begin.
func partEnd(b []byte) int {
	for i := len(b) - 1; i > len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if b[i] != '\n' && utf8.FullRune(b[i:]) {
				return len(b)
			}
			return i
		}
	}
	return len(b) // no UTF-8
}
