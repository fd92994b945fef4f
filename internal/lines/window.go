// Package lines reads a stream as lines, as JSON values, or as both, without ever holding the whole of it.
//
// A [Window] stands on the stream and offers small steps: look ahead, take a line, take a JSON value, pass a document on to
// a decoder, walk through the elements of a large array. Which step comes when is the caller's decision. [Decode] stands
// before a window and turns UTF-16 into UTF-8; a [Joiner] stands behind it and makes one record of several lines.
//
// The package promises: memory is bounded by the limits below, whatever the stream holds; every byte is in a piece, is a
// separator, or is still unread, so that offsets add up; the result does not depend on how the source cuts its reads; a
// fault of the source ends the pieces at a known offset and is not taken for the end of the stream. It allocates nothing
// for a line or a value.
//
// It does not look at what lines and values mean, does not judge UTF-8, and unpacks nothing.
package lines

import (
	"bytes"
	"io"
)

// Limits, in bytes of the stream unless said otherwise.
const (
	// MaxLineBytes bounds a line, without its separator. It is what Datadog takes as one log (Logs API v2). A longer line
	// comes in parts.
	MaxLineBytes = 1 << 20
	// PartBytes bounds a part of a line that is too long.
	PartBytes = 256 << 10
	// MaxValueBytes bounds a JSON value: twice a line, because a log grows when it is escaped and put into a document.
	MaxValueBytes = 2 << 20
	// MaxDepth bounds how deep the objects and arrays of a value stand in each other (delivery contract S10).
	MaxDepth = 64
	// MaxPeekBytes bounds Peek, and the indentation that a line keeps when Value has looked at it.
	MaxPeekBytes = 64 << 10
)

const (
	firstBufferBytes = 128 << 10
	readAheadBytes   = 64 << 10 // read beyond what a limit asks for, so that reads stay large when the buffer is full
	keptBytes        = 1 << 20  // what a buffer may hold on to from one stream to the next
	maxEmptyReads    = 100      // how often a source may return neither bytes nor an error, as in package bufio
)

// Piece is a line, a JSON value, or a part of a line that is too long.
type Piece struct {
	Text   []byte // a view of the window's buffer, valid until the next call on the window
	Offset int64  // of the first byte of Text, in the stream
	Part   int    // 0 for a whole one; 1, 2, … for the parts of one that was cut
	Last   bool   // false while further parts follow
}

// Window is the part of a stream that is being looked at. It is made to be reused: Reset starts anew and keeps the buffer.
// The zero value stands at the end of an empty stream. A window is for one goroutine.
type Window struct {
	src      io.Reader
	buf      []byte
	own      []byte // the buffer, while buf is the text of ResetText
	pos, end int    // buf[pos:end] is read from the source and not yet taken
	offset   int64  // of buf[0] in the stream
	err      error  // what the source ended with
	scanned  int64  // see Scanned
	part     int    // parts that were taken of the line the window stands in; 0 at the start of a line
	document *document
	envelope Envelope
}

// Reset makes w stand at offset 0 of src. It lets go of a buffer that has grown beyond 1 MiB.
func (w *Window) Reset(src io.Reader) {
	if w.document != nil {
		w.document.err = errPassedOver
	}
	buf, before := w.buf, w.envelope.before[:0]
	if w.own != nil {
		buf = w.own
	}
	if len(buf) > keptBytes {
		buf = nil
	}
	*w = Window{src: src, buf: buf, envelope: Envelope{before: before}}
}

// ResetText makes w stand at the start of a stream that is in memory. Nothing is copied: text must stay unchanged as long
// as the window is in use, and is not changed by it.
func (w *Window) ResetText(text []byte) {
	w.Reset(nil)
	w.own = w.buf
	if w.own == nil {
		w.own = []byte{}
	}
	w.buf, w.end, w.err = text, len(text), io.EOF
}

// Offset is the offset of the next byte that has not been taken.
func (w *Window) Offset() int64 { return w.offset + int64(w.pos) }

// Err is the source's fault; nil before it is met and at a clean end of the stream. The window reads ahead, so there may
// still be lines and values before the fault.
func (w *Window) Err() error {
	if w.err == io.EOF { //nolint:errorlint // the source says so itself; a wrapped one is a fault
		return nil
	}
	return w.err
}

// Peek returns the next n bytes and takes nothing; n is at most MaxPeekBytes. It returns fewer only before the end of the
// stream and before a fault. The bytes are valid until the next call.
func (w *Window) Peek(n int) []byte {
	w.settle()
	n = max(0, min(n, MaxPeekBytes))
	w.fill(n)
	n = min(n, w.end-w.pos)
	return w.buf[w.pos : w.pos+n : w.pos+n]
}

// First is the next byte; 0 at the end of the stream and at a fault. It is Peek for those who ask for every line.
func (w *Window) First() byte {
	if w.pos < w.end && w.document == nil {
		return w.buf[w.pos]
	}
	return w.readFirst()
}

func (w *Window) readFirst() byte {
	if b := w.Peek(1); len(b) > 0 {
		return b[0]
	}
	return 0
}

// Skip takes the next n bytes, which Peek has shown. It does not go beyond those that were read.
func (w *Window) Skip(n int) {
	w.settle()
	w.take(max(0, min(n, w.end-w.pos)))
}

// SkipSpace passes the white space of JSON, line ends among it. It reports whether something follows: false at the end of
// the stream and at a fault.
func (w *Window) SkipSpace() bool {
	w.settle()
	w.take(w.indent())
	return w.pos < w.end
}

// indent passes empty lines, and returns the length of the white space in front of what follows them in its line. Where
// nothing follows, all that is unread is white space.
func (w *Window) indent() (n int) {
	for {
		n += space(w.unread()[n:])
		if passed := bytes.LastIndexByte(w.unread()[:n], '\n') + 1; passed > 0 {
			w.take(passed)
			n -= passed
		}
		if n >= MaxPeekBytes { // passed in blocks of one size, so that it does not matter how the source cuts its reads
			blocks := n - n%MaxPeekBytes
			w.take(blocks)
			n -= blocks
		}
		if n < w.end-w.pos || !w.more(n+1) {
			return n
		}
	}
}

func (w *Window) unread() []byte { return w.buf[w.pos:w.end] }

// take takes n unread bytes.
func (w *Window) take(n int) []byte {
	text := w.buf[w.pos : w.pos+n : w.pos+n]
	w.pos += n
	w.part = 0
	return text
}

// settle passes over what a decoder has left of a document.
func (w *Window) settle() {
	if w.document != nil {
		w.document.passOver()
	}
}

// more reads on by at least one byte. It reports false when limit bytes are unread already, and where the source has
// ended. It may move the unread bytes.
func (w *Window) more(limit int) bool {
	if w.err != nil || w.end-w.pos >= limit {
		return false
	}
	w.makeRoom(limit)
	before := w.end
	w.err = w.read()
	return w.end > before
}

// fill reads on until n bytes are unread, or the source has ended.
func (w *Window) fill(n int) {
	for w.more(n) {
	}
}

// double reads on until there are twice as many unread bytes, so that looking at them again from the start costs no more
// than a constant factor. It reports false as more does.
func (w *Window) double(limit int) bool {
	before := w.end - w.pos
	w.fill(min(2*before+1, limit))
	return w.end-w.pos > before
}

// read reads what there is. It returns what the source returned with it.
func (w *Window) read() error {
	if w.src == nil {
		return io.EOF
	}
	n, err := readSome(w.src, w.buf[w.end:])
	w.end += n
	return err
}

// makeRoom makes room behind the unread bytes, of which there are fewer than limit: it moves them to the front when half of
// the buffer is behind them, and makes the buffer grow when they fill it.
func (w *Window) makeRoom(limit int) {
	if free := len(w.buf) - w.end; w.pos > 0 && free < len(w.buf)/2 {
		w.move(w.buf)
	}
	if w.end == len(w.buf) {
		w.move(make([]byte, max(firstBufferBytes, min(2*len(w.buf), limit+readAheadBytes))))
	}
}

// move moves the unread bytes to the start of buf.
func (w *Window) move(buf []byte) {
	n := copy(buf, w.unread())
	w.offset += int64(w.pos)
	w.buf, w.pos, w.end = buf, 0, n
}
