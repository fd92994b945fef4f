// Package forwarder reads what a Datadog Forwarder has stored of logs that it could not deliver, so that nothing is left
// behind when its stack is replaced.
//
// It promises each log as it was stored, byte for byte but for the escapes of the text around it, in order and one at a time.
// Tags, service and source are already in them. Whether they were scrubbed depends on the version that has stored them.
//
// It does not list or read a bucket, does not scrub or filter, and reads neither metrics nor traces: ParseKey tells them by
// their keys.
package forwarder

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"sluice/internal/jsonwalk"
)

// MaxObjectBytes bounds an object, and with it one log, which takes a few times its size of memory. The Datadog Forwarder
// stores what one invocation has read: tens of megabytes at most, as it holds all of it in memory several times.
const MaxObjectBytes = 64 << 20

// Item is one log as Datadog takes it.
type Item struct {
	JSON   []byte // an object of JSON; valid until the next item is asked for
	Index  int    // in the object, from 0
	Offset int64  // in the object, in bytes, of the end of what was stored of it
	// Wrapped says that what was stored is no object of JSON, as when a rule for scrubbing has broken it: it is the message
	// of an object that has nothing else.
	Wrapped bool
}

// Records yields the logs of an object of the kind Logs, in order. The sequence can be gone through once.
//
// r is the object as it is stored: an array with one text for each log, which is JSON itself. Objects of JSON are taken in
// place of the texts too, and so are values in a row without an array around them. What is null is passed over. What cannot
// be read ends the sequence with an error that says at which byte; logs before it were yielded and stand. So does an object
// of more than MaxObjectBytes. An error of r is wrapped. Nothing of the content is quoted, and UTF-8 is not checked.
// Format: Datadog Forwarder 3.108 to 5, aws/logs_monitoring/forwarder.py and retry/storage.py.
func Records(r io.Reader) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		src := bufio.NewReader(&bounded{from: r, left: MaxObjectBytes})
		d := newReader(src)
		for d.next() {
			if item, ok := d.item(); ok && !yield(item, nil) {
				return
			}
		}
		if d.err != nil {
			yield(Item{}, fmt.Errorf("read failed events of a Datadog Forwarder at byte %d: %w", d.offset(), d.err))
		}
	}
}

// reader stands in an object.
type reader struct {
	doc     *json.Decoder
	skipped int64 // bytes in front of what the decoder was given
	inArray bool
	opened  bool
	value   json.RawMessage // the last one; its memory is used again
	index   int
	err     error // nil at the end of the object
}

// newReader passes the white space in front and looks at what comes first.
func newReader(src *bufio.Reader) *reader {
	d := &reader{doc: json.NewDecoder(src)}
	for {
		c, err := src.ReadByte()
		switch {
		case err != nil:
			d.fail(err)
			return d
		case c == ' ' || c == '\n' || c == '\r' || c == '\t':
			d.skipped++
		default:
			_ = src.UnreadByte() // a byte was read just now
			d.inArray = c == '['
			return d
		}
	}
}

func (d *reader) offset() int64 { return d.skipped + d.doc.InputOffset() }

// next moves to the next value and reports whether there is one.
func (d *reader) next() bool {
	if d.err != nil {
		return false
	}
	if d.inArray && !d.opened {
		d.opened = true
		if _, err := d.doc.Token(); err != nil {
			d.fail(err)
			return false
		}
	}
	if d.inArray && !d.doc.More() {
		d.close()
		return false
	}
	if err := d.doc.Decode(&d.value); err != nil {
		d.fail(err)
		return false
	}
	return true
}

// close reads the end of the array, behind which nothing may be.
func (d *reader) close() {
	if _, err := d.doc.Token(); err != nil {
		d.fail(err)
		return
	}
	d.inArray = false
	if err := d.doc.Decode(&d.value); err == nil {
		d.err = errors.New("there is something behind the array")
	} else {
		d.fail(err)
	}
}

// fail keeps why there is no next value: a syntax error without what it quotes, and io.EOF only where it is the end.
func (d *reader) fail(err error) {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		d.err = errors.New("this is not JSON")
	case err == io.EOF && d.inArray: //nolint:errorlint // a decoder returns io.EOF itself
		d.err = io.ErrUnexpectedEOF
	case err != io.EOF: //nolint:errorlint // likewise
		d.err = err
	}
}

// maxTexts is how many texts may be around a log: one is usual, and a second can come of one that was tried again.
const maxTexts = 3

// item makes a log of the last value; ok is false when that is null.
func (d *reader) item() (item Item, ok bool) {
	value := []byte(d.value)
	if string(value) == "null" {
		return Item{}, false
	}
	item = Item{Index: d.index, Offset: d.offset()}
	d.index++
	inner := value
	for n := 0; n <= maxTexts; n++ {
		if inner[0] == '{' {
			item.JSON = inner
			return item, true
		}
		text, isText := jsonwalk.Text(inner)
		text = bytes.TrimSpace(text)
		if !isText || len(text) == 0 || text[0] != '{' && text[0] != '"' || !json.Valid(text) {
			break
		}
		inner = text
	}
	item.JSON, item.Wrapped = wrap(inner), true
	return item, true
}

// wrap makes a log of a value that is no object: the value is its message, as it stands when it is a text.
func wrap(value []byte) []byte {
	if value[0] != '"' {
		value, _ = json.Marshal(string(value)) // a string is always taken
	}
	log := append(make([]byte, 0, len(`{"message":}`)+len(value)), `{"message":`...)
	return append(append(log, value...), '}')
}

// errTooLarge ends an object that has more than MaxObjectBytes.
var errTooLarge = fmt.Errorf("the object has more than %d bytes", MaxObjectBytes)

// bounded reads as many bytes as are left, and fails where there are more.
type bounded struct {
	from io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	p = p[:min(len(p), b.left+1)] // one more, to know whether there is one
	n, err := b.from.Read(p)
	b.left -= n
	if b.left < 0 {
		return n - 1, errTooLarge
	}
	return n, err //nolint:wrapcheck // a reader hands on io.EOF and faults as they are
}
