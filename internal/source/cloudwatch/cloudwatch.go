// Package cloudwatch reads the payload of a CloudWatch Logs subscription: one or more JSON documents, each with the log
// events of one log stream.
//
// It is a scanner of its own, because the payload is hot and hostile at once: it validates every byte it passes on,
// leaves messages escaped, repairs what is no text, and holds no more than one log event at a time. What it cannot read
// ends the sequence with an error that names the place; the records before it stand.
//
// Format: Amazon CloudWatch Logs user guide, "Real-time processing of log data with subscriptions".
package cloudwatch

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"sluice/internal/record"
)

// Error is a payload that cannot be read from a certain place on.
type Error struct {
	Offset int64 // in the plain stream, in bytes
	// Unread is where in the plain stream that begins of which nothing was yielded: behind the last event that was, or
	// where its document begins.
	Unread int64
	Err    error
}

func (e *Error) Error() string {
	return fmt.Sprintf("subscription payload at byte %d: %v", e.Offset, e.Err)
}

// Unwrap returns what was wrong.
func (e *Error) Unwrap() error { return e.Err }

// Decoder decodes payloads, one at a time. Its buffers are kept between them.
type Decoder struct {
	win   window
	rec   record.Record
	copy  copier // of what cannot be left where it stands
	spans []span // members of the current event, in copy

	header header
	unread int64 // of Error
	base   *record.Origin
	yield  func(*record.Record, error) bool
}

// Records yields the log events of every document in r, in order. Documents may touch, as those of a payload of several
// gzip members do.
//
// Every document's records share an origin: a copy of base with the document's coordinates. The record is the decoder's
// own and changes with the next one. An *[Error] is the last thing yielded.
func (d *Decoder) Records(r io.Reader, base *record.Origin) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		d.win.reset(r)
		d.copy.release()
		d.base, d.yield, d.unread = base, yield, 0
		for first := true; ; first = false {
			more, err := d.nextDocument()
			if err == nil && !more && first {
				err = errEmpty
			}
			if err == nil && more {
				d.unread = d.win.at(d.win.pos)
				err = d.document()
			}
			if errors.Is(err, errStopped) || err == nil && !more {
				return
			}
			if err != nil {
				yield(nil, d.located(err))
				return
			}
		}
	}
}

// errEmpty says that there is nothing where a document should be. AWS sends no such payload.
var errEmpty = errors.New("empty: want a subscription document")

// errStopped says that the consumer wants no more records.
var errStopped = errors.New("stopped")

// located gives an error the place in the stream where it was found.
func (d *Decoder) located(err error) error {
	pos := d.win.pos
	if syntax, ok := errors.AsType[*syntaxError](err); ok {
		pos += syntax.at
	}
	return &Error{Offset: d.win.at(pos), Unread: d.unread, Err: err}
}

// nextDocument moves to the `{` of the next document. It reports false at the end of the stream.
func (d *Decoder) nextDocument() (bool, error) {
	for {
		d.win.pos += space(d.win.unread())
		if b := d.win.unread(); len(b) > 0 {
			if b[0] != '{' {
				return false, fault(0, "want a JSON object")
			}
			return true, nil
		}
		if err := d.win.more(); err == io.EOF {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
}

// unit reads something that has to be in the window as a whole. read returns the length of what it read, or errShort to
// be called again with more.
func (d *Decoder) unit(read func(b []byte) (n int, err error)) error {
	for {
		n, err := read(d.win.unread())
		if err == nil {
			d.win.pos += n
			return nil
		}
		if err != errShort { //nolint:errorlint // a sentinel of this package that is never wrapped
			return err
		}
		if err := d.more(); err != nil {
			return err
		}
	}
}

// more reads on in the middle of something, where the stream must not end.
func (d *Decoder) more() error {
	err := d.win.more()
	if err == io.EOF {
		return errShort
	}
	return err
}
