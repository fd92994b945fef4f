package cloudwatch

import (
	"fmt"
	"io"
)

const (
	firstWindowBytes = 64 << 10
	// maxWindowBytes bounds what has to be held at once: one log event, or a document that names its events before
	// its log group. CloudWatch Logs writes events of at most 1 MiB, six times that when every byte is escaped.
	maxWindowBytes = 16 << 20
	// keptBytes bounds what a buffer may hold on to from one payload to the next.
	keptBytes = 1 << 20
	// maxEmptyReads is how often a source may return neither bytes nor an error, as in package bufio.
	maxEmptyReads = 100
)

// window is the part of a stream that is being looked at: buf[pos:end].
type window struct {
	src      io.Reader
	buf      []byte
	pos, end int
	offset   int64 // of buf[0] in the stream, in bytes
	pin      int   // when ≥ 0, bytes from here on are kept although they are behind pos
	err      error // what the source ended with
}

func (w *window) reset(src io.Reader) {
	if w.buf == nil || len(w.buf) > keptBytes {
		w.buf = make([]byte, firstWindowBytes)
	}
	*w = window{src: src, buf: w.buf, pin: -1}
}

func (w *window) unread() []byte { return w.buf[w.pos:w.end] }

func (w *window) at(pos int) int64 { return w.offset + int64(pos) }

// more reads on until the unread bytes have at least doubled, so that looking at them again from the start costs no more
// than a constant factor. It moves them, which ends the life of every slice handed out. At the end of the stream it
// returns what the source ended with, io.EOF for a whole one.
func (w *window) more() error {
	if w.err != nil {
		return w.err
	}
	keep := w.pos
	if w.pin >= 0 {
		keep = w.pin
	}
	held, unread := w.end-keep, w.end-w.pos
	if held >= maxWindowBytes {
		return fmt.Errorf("more than %d bytes to be held at once", maxWindowBytes)
	}
	want := min(held+unread+1, maxWindowBytes)
	w.move(keep, want)
	for w.end < want && w.err == nil {
		w.err = w.read()
	}
	if w.end == held {
		return w.err
	}
	return nil
}

// read reads what there is. It returns what the source returned with it.
func (w *window) read() error {
	for range maxEmptyReads {
		n, err := w.src.Read(w.buf[w.end:])
		w.end += n
		if n > 0 || err != nil {
			return err //nolint:wrapcheck // the decoder gives it its place
		}
	}
	return io.ErrNoProgress
}

// move makes the byte at keep the first of a buffer with room for size bytes.
func (w *window) move(keep, size int) {
	from := w.buf
	if size > len(w.buf) {
		w.buf = make([]byte, min(max(size, 2*len(w.buf)), maxWindowBytes))
	}
	copy(w.buf, from[keep:w.end])
	w.offset += int64(keep)
	w.pos -= keep
	w.end -= keep
	if w.pin >= 0 {
		w.pin = 0
	}
}
