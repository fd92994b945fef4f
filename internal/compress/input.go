package compress

import (
	"fmt"
	"io"
)

// Sizes of the window that a stream is read through.
const (
	windowBytes = 64 << 10
	// rewindBytes stay in front of what is unread: an inflater takes up to seven whole bytes ahead and gives them back.
	rewindBytes = 8
	// keptWindowBytes is the largest window that is kept for the next stream.
	keptWindowBytes = 1 << 20
	// directBytes is the least room that is read into from the source itself, and not through the window.
	directBytes = 4 << 10
	// idleReads is how often in a row a source may bring neither bytes nor an error.
	idleReads = 100
)

// input is packed bytes: all of them, or a window on a stream of them. Whoever decodes looks ahead, and moves pos over
// what it has taken.
type input struct {
	in   []byte // what is in memory
	pos  int    // of the next byte in it
	err  error  // what src has ended with; io.EOF if in is all there is
	src  io.Reader
	buf  []byte // the memory of the window
	past int64  // bytes of src in front of in
	told bool   // Read has returned err
}

// sourceError is an error of the source, which says nothing about what is packed.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return "read packed bytes: " + e.err.Error() }

func (e *sourceError) Unwrap() error { return e.err }

// setBytes makes in everything there is.
func (p *input) setBytes(in []byte) {
	*p = input{in: in, err: io.EOF, buf: p.buf}
}

// setReader makes p a window on src.
func (p *input) setReader(src io.Reader) {
	if len(p.buf) < windowBytes || len(p.buf) > keptWindowBytes {
		p.buf = make([]byte, windowBytes)
	}
	*p = input{src: src, in: p.buf[:0], buf: p.buf}
}

// release forgets everything, and lets a window go that is too large to be kept.
func (p *input) release() {
	*p = input{buf: p.buf}
	if len(p.buf) > keptWindowBytes {
		p.buf = nil
	}
}

// taken is how many bytes have been taken.
func (p *input) taken() int64 { return p.past + int64(p.pos) }

// ahead returns what comes next: at least n bytes, unless the source ends before. They stay valid until the next call.
func (p *input) ahead(n int) []byte {
	if len(p.in)-p.pos < n && p.err == nil {
		p.refill(n)
	}
	return p.in[p.pos:]
}

// ended reports whether the source has ended as it should. The error is compared as it is: an io.EOF inside another error
// is how a connection breaks.
func (p *input) ended() bool { return p.err == io.EOF } //nolint:errorlint // see above

// short says why there is not more, for a decoder that needs more: the source ended, or has an error of its own.
func (p *input) short() error {
	if p.ended() {
		return io.ErrUnexpectedEOF
	}
	return &sourceError{p.err}
}

// end says how the source ended, for a decoder that may end here: io.EOF, or an error of the source.
func (p *input) end() error {
	if p.ended() {
		return io.EOF
	}
	return &sourceError{p.err}
}

// refill reads until n bytes are unread, or the source ends.
func (p *input) refill(n int) {
	keep := min(p.pos, rewindBytes)
	p.past += int64(p.pos - keep)
	p.in = p.buf[:copy(p.buf, p.in[p.pos-keep:])]
	p.pos = keep
	for len(p.in)-p.pos < n && p.err == nil {
		if len(p.in) == len(p.buf) {
			// At most twice as much each time, and no more than there are bytes for: a length that lies costs nothing.
			p.buf = append(p.buf, make([]byte, min(len(p.buf), p.pos+n-len(p.buf)))...)
		}
		var m int
		m, p.err = p.read(p.buf[len(p.in):])
		p.in = p.buf[:len(p.in)+m]
	}
}

// read reads from the source until it brings something.
func (p *input) read(b []byte) (int, error) {
	for range idleReads {
		n, err := p.src.Read(b)
		if n < 0 || n > len(b) {
			return 0, fmt.Errorf("source says that it read %d bytes into %d", n, len(b))
		}
		if n > 0 || err != nil {
			return n, err //nolint:wrapcheck // an error of the source passes as it is
		}
	}
	return 0, io.ErrNoProgress
}

// Read hands out the packed bytes themselves.
func (p *input) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if p.pos == len(p.in) && p.err == nil && len(b) >= directBytes {
		n, err := p.read(b)
		p.past += int64(p.pos + n)
		p.in, p.pos, p.err = p.buf[:0], 0, err
		if n > 0 {
			return n, nil
		}
	}
	n := copy(b, p.ahead(1))
	p.pos += n
	if n == 0 {
		p.told = true
		return 0, p.err
	}
	return n, nil
}

// ReadByte is there for decoders that would read too far without it.
func (p *input) ReadByte() (byte, error) {
	next := p.ahead(1)
	if len(next) == 0 {
		p.told = true
		return 0, p.err
	}
	p.pos++
	return next[0], nil
}

// skip takes n bytes. It reports whether there were as many.
func (p *input) skip(n int64) bool {
	for n > 0 {
		m := min(int64(len(p.ahead(1))), n)
		if m == 0 {
			return false
		}
		p.pos += int(m)
		n -= m
	}
	return true
}

// verdict is the error of a decoder that has read from p through Read and ReadByte: an error of the source, if that is
// what it came upon.
func (p *input) verdict(err error) error {
	if p.told && !p.ended() {
		return &sourceError{p.err}
	}
	return err
}
