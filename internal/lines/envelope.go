package lines

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

// maxHeaderBytes bounds what stands before the array of an envelope. It is held in memory while the array is read.
const maxHeaderBytes = 64 << 10

// Envelope is an array whose elements are taken one by one, and the object around it if there is one. It is valid until the
// window's next call of Envelope, Array or Reset. Until Element has returned an error, nothing else is to take bytes of the
// window.
type Envelope struct {
	window  *Window
	name    string
	before  []byte // the members before the array, a copy
	entered bool   // an element was taken, so a comma comes before the next
	open    bool   // the object around the array has not been closed
	err     error  // what the elements ended with
	long    long   // the element that is being taken in parts
}

// Envelope enters the object that comes next, such as {"Records":[…]}, if it has a member with one of these names that is
// an array. The members before it must be strings, numbers, true, false or null, and stand in the first 64 KiB together
// with the array's bracket. Otherwise ok is false and nothing was taken but empty lines. Members are compared as they are
// written: a name with an escape is another one.
func (w *Window) Envelope(names ...string) (e *Envelope, ok bool) {
	w.settle()
	indent := w.indent()
	name, before, n, ok := w.findArray(indent, names)
	if !ok {
		return nil, false
	}
	w.enter(name, before)
	w.envelope.open = true
	w.take(indent + n)
	return &w.envelope, true
}

// HoldsOnly reports whether the object that comes next has a single member, which is an array with one of these names, and
// that array is whole and no longer than a Value may be. It takes nothing but empty lines.
func (w *Window) HoldsOnly(names ...string) bool {
	w.settle()
	indent := w.indent()
	_, before, n, ok := w.findArray(indent, names)
	if !ok || len(before) > 0 {
		return false
	}
	end, err := w.valueEnd(indent + n - len("["))
	return err == nil && w.ahead(w.skipSpaceAhead(end)) == '}'
}

// findArray finds the array with one of the names in the object at the unread byte start. The results are those of header;
// before is a view of the buffer.
func (w *Window) findArray(start int, names []string) (name string, before []byte, n int, ok bool) {
	for {
		b := w.unread()[start:]
		name, before, n, p := header(b[:min(len(b), maxHeaderBytes)], names)
		if p == unfinished && w.double(start+maxHeaderBytes) {
			continue
		}
		return name, before, n, p == sound
	}
}

// enter makes the envelope a new one. It takes nothing.
func (w *Window) enter(name string, before []byte) {
	w.envelope = Envelope{window: w, name: name, before: append(w.envelope.before[:0], before...)}
}

// header reads an object up to the bracket that opens the array with one of the names. It returns the inside of the object
// before that member, and the length up to and with the bracket. An object without such an array has the problem noArray.
func header(b []byte, names []string) (name string, before []byte, n int, p problem) {
	if len(b) == 0 || b[0] != '{' {
		return "", nil, 0, noArray
	}
	comma := 1 // where the members end that were passed
	for i := 1; ; {
		if i = skipSpace(b, i); i >= len(b) {
			return "", nil, 0, unfinished
		}
		start := i
		i, p = nameEnd(b, i)
		if i = skipSpace(b, i); p == sound && i >= len(b) {
			p = unfinished
		}
		if p != sound {
			return "", nil, 0, p
		}
		if b[i] == '[' {
			name, p = oneOf(names, b[start:i])
			return name, bytes.TrimSpace(b[1:comma]), i + 1, p
		}
		if i, p = scalarEnd(b, i); p != sound {
			return "", nil, 0, p
		}
		if i = skipSpace(b, i); i >= len(b) {
			return "", nil, 0, unfinished
		}
		if b[i] != ',' {
			return "", nil, 0, noArray
		}
		comma = i
		i++
	}
}

// oneOf finds the name with which member, `"name" :` with white space, begins.
func oneOf(names []string, member []byte) (string, problem) {
	member = bytes.TrimRight(member, " \t\r\n:")
	i := slices.IndexFunc(names, func(name string) bool { return string(member[1:len(member)-1]) == name })
	if i < 0 {
		return "", noArray
	}
	return names[i], sound
}

// Array enters the array that comes next, if it is one. Much text begins with a bracket and is none, such as
// `[2024-02-01 00:00:00,151] INFO …`, `[12345] started` or `["main"] started`. So
//   - an array of objects or arrays is known by a valid first element with a comma or the closing bracket behind it, or by
//     one that is too long for a Value,
//   - an array of strings by a valid first element with a comma behind it,
//   - any other, `[]` among them, by being a valid value within one line, at the end of the line.
//
// Otherwise ok is false and nothing was taken but empty lines. Broken elements further on are Element's to find.
func (w *Window) Array() (e *Envelope, ok bool) {
	w.settle()
	indent := w.indent()
	if b := w.unread()[indent:]; len(b) == 0 || b[0] != '[' || !w.isArray(indent) {
		return nil, false
	}
	w.enter("", nil)
	w.take(indent + 1)
	return &w.envelope, true
}

// isArray reports whether the bracket at the unread byte start opens an array, and not a line of text.
func (w *Window) isArray(start int) bool {
	first := w.skipSpaceAhead(start + 1)
	if first > start+MaxPeekBytes {
		return false
	}
	switch c := w.ahead(first); c {
	case '{', '[', '"':
		end, err := w.valueEnd(first)
		if errors.Is(err, ErrTooLong) {
			return c != '"' // no text is JSON for so long
		}
		if err != nil {
			return false
		}
		behind := w.ahead(w.skipSpaceAhead(end))
		if behind == ',' || behind == ']' && c != '"' {
			return true
		}
	}
	return w.isLine(start)
}

// isLine reports whether the value at the unread byte start ends where its line ends.
func (w *Window) isLine(start int) bool {
	end, err := w.valueEnd(start)
	if err != nil || bytes.IndexByte(w.unread()[start:end], '\n') >= 0 {
		return false
	}
	for ; ; end++ {
		switch w.ahead(end) {
		case ' ', '\t', '\r':
		case '\n':
			return true
		case 0:
			return end == w.end-w.pos && w.Err() == nil
		default:
			return false
		}
	}
}

// maxAheadBytes bounds what is looked at: an array's first element, or the whole of it, with white space around.
const maxAheadBytes = MaxValueBytes + 2*MaxPeekBytes

// ahead reads on to the unread byte i and returns it; 0 where the stream ends or i is too far ahead.
func (w *Window) ahead(i int) byte {
	if i >= maxAheadBytes {
		return 0
	}
	if w.fill(i + 1); i >= w.end-w.pos {
		return 0
	}
	return w.unread()[i]
}

// skipSpaceAhead moves from the unread byte i over white space.
func (w *Window) skipSpaceAhead(i int) int {
	for c := w.ahead(i); c != 0 && c <= ' ' && space([]byte{c}) == 1; c = w.ahead(i) {
		i++
	}
	return i
}

// Name is the name of the member that is the array; empty for an array that stands alone.
func (e *Envelope) Name() string { return e.name }

// Before is the members before the array, as Rest returns them. It may be asked for at any time.
func (e *Envelope) Before() []byte { return e.before }

// Element takes the next element, as Value does, whatever follows it. It returns io.EOF once the array's closing bracket
// was passed: the window then stands behind it.
//
// Errors are those of Value; a missing comma or bracket is an ErrNotJSON. With an error the window stands at the element, or
// at the fault before it, and every further call returns the same error. The caller may treat the rest as lines, or take an
// element that is an ErrTooLong with Part.
func (e *Envelope) Element() (Piece, error) {
	if e.err != nil {
		return Piece{}, e.err
	}
	p, err := e.next()
	e.entered, e.err = true, err
	return p, err
}

func (e *Envelope) next() (Piece, error) {
	w := e.window
	if !w.SkipSpace() {
		return Piece{}, w.endedInside()
	}
	c := w.buf[w.pos]
	switch {
	case c == ']':
		w.take(1)
		return Piece{}, io.EOF
	case e.entered && c != ',':
		return Piece{}, w.notJSON(0, noListEnd)
	case e.entered:
		w.take(1)
		if !w.SkipSpace() {
			return Piece{}, w.endedInside()
		}
	}
	n, err := w.valueEnd(0)
	if err != nil {
		return Piece{}, err
	}
	return w.takeValue(n), nil
}

// endedInside is the error where nothing is unread and something should be.
func (w *Window) endedInside() error {
	if fault := w.Err(); fault != nil {
		return fault
	}
	return w.notJSON(0, unfinished)
}

// Rest takes what follows the last element, up to the end of the object around the array, and returns the object's other
// members: those before the array and those after it, each as the inside of an object, valid and without outer commas or
// white space. Both are empty for an array that stands alone. after is valid until the next call on the window, before as
// long as the envelope.
//
// An error says that the object does not end well, with its offset, or is too long: the window then stands behind the
// array. The members after an array may have MaxValueBytes. Where Element has not returned io.EOF, Rest takes nothing and
// returns an error.
func (e *Envelope) Rest() (before, after []byte, err error) {
	switch {
	case e.err == nil:
		return e.before, nil, errElementsLeft
	case e.err != io.EOF: //nolint:errorlint // next returns it as it is
		return e.before, nil, e.err
	case !e.open:
		return e.before, nil, nil
	}
	w := e.window
	w.settle()
	n, err := w.measure(0, scanMembers, false)
	if err != nil {
		return e.before, nil, err
	}
	e.open = false
	after = bytes.TrimLeft(w.take(n)[:n-1], ", \t\r\n")
	return e.before, bytes.TrimRight(after, " \t\r\n"), nil
}

var errElementsLeft = errors.New("the members after an array are read after its last element")

// scanMembers reads from behind a member's value to the end of the object.
func scanMembers(b []byte) (end int, p problem) {
	s := scanner{b: b, depth: 1, objects: 1}
	if end, p = s.behind(0); p != sound || s.depth == 0 {
		return end, p
	}
	return s.value(end)
}
