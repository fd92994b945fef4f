package cloudwatch

import (
	"errors"
	"fmt"

	"sluice/internal/record"
)

// header is what stands around the events of a document. The first of two members with one name counts.
type header struct {
	messageType, owner, logGroup, logStream text
	filters                                 []string
	hasFilters, hasEvents                   bool
	origin                                  *record.Origin
}

// maxNameBytes bounds the names in a document's header. Those of groups and streams have at most 512 characters
// (CloudWatch Logs API reference), and every record of the document carries them.
const maxNameBytes = 4 << 10

// text is a string member that may be missing or null; both are the empty string.
type text struct {
	value string
	seen  bool
}

// complete reports whether the events' origin is known.
func (h *header) complete() bool {
	return h.messageType.seen && h.owner.seen && h.logGroup.seen && h.logStream.seen && h.hasFilters
}

// document reads one document. CloudWatch Logs names the events last, and they are then yielded as they are read. In a
// document of another order they are checked and kept, and yielded when the rest of the header has been read. Should
// there be several arrays of events, the events of all count: none is lost.
func (d *Decoder) document() error {
	d.header = header{}
	var deferred []int // where the event arrays start that came too early, behind the pin
	err := d.members(func(name string) error {
		if name != "logEvents" {
			return d.headerMember(name)
		}
		d.header.hasEvents = true
		if d.header.complete() && len(deferred) == 0 {
			return d.events(true)
		}
		if d.win.pin < 0 {
			d.win.pin = d.win.pos
		}
		deferred = append(deferred, d.win.pos-d.win.pin)
		return d.events(false)
	})
	if err != nil {
		return err
	}
	if !d.header.hasEvents {
		return errors.New("the document has no logEvents: it is no subscription payload")
	}
	if _, err := d.originOf(); err != nil {
		return err
	}
	return d.replay(deferred)
}

// replay yields the events that were read before their origin was known.
func (d *Decoder) replay(deferred []int) error {
	if len(deferred) == 0 {
		return nil
	}
	end, pin := d.win.pos, d.win.pin
	for _, start := range deferred {
		d.win.pos = pin + start
		if err := d.events(true); err != nil {
			return err
		}
	}
	d.win.pos, d.win.pin = end, -1
	return nil
}

// members reads an object, from its `{` to its `}`, and calls value for each member with its name, as escaped as it
// has to be, and the window at its value.
func (d *Decoder) members(value func(name string) error) error {
	d.win.pos++ // the brace
	for first := true; ; first = false {
		done, err := d.endOrComma('}', first)
		if err != nil || done {
			return err
		}
		name, err := d.name()
		if err != nil {
			return err
		}
		if err := value(name); err != nil {
			return err
		}
	}
}

// name reads `"name":` and moves to the value. The result is a copy, without the quotes.
func (d *Decoder) name() (string, error) {
	err := d.unit(func(b []byte) (int, error) {
		d.copy.reset()
		n, err := d.copy.name(b)
		if err != nil {
			return 0, err
		}
		if n += space(b[n:]); n >= len(b) {
			return 0, errShort
		}
		return n, nil
	})
	if err != nil {
		return "", err
	}
	return string(d.copy.out[1 : len(d.copy.out)-2]), nil
}

// endOrComma reads what stands before the next element of an object or array: its end, or a comma that the first element
// does not have.
func (d *Decoder) endOrComma(end byte, first bool) (done bool, err error) {
	err = d.unit(func(b []byte) (int, error) {
		n := space(b)
		switch {
		case n >= len(b):
			return 0, errShort
		case b[n] == end:
			done = true
			return n + 1, nil
		case first:
			return n, nil
		case b[n] == ',':
			return n + 1, nil
		}
		return 0, fault(n, "want a comma or the end of the list")
	})
	return done, err
}

// headerMember reads the value of a member other than logEvents. Unknown ones are checked and passed over.
func (d *Decoder) headerMember(name string) error {
	value, err := d.value()
	if err != nil {
		return err
	}
	switch name {
	case "messageType":
		return d.header.messageType.set(name, value)
	case "owner":
		return d.header.owner.set(name, value)
	case "logGroup":
		return d.header.logGroup.set(name, value)
	case "logStream":
		return d.header.logStream.set(name, value)
	case "subscriptionFilters":
		if !d.header.hasFilters {
			d.header.filters, d.header.hasFilters = stringsIn(value), true
		}
	}
	return nil
}

// value reads a whole JSON value; the result is valid until the next read.
func (d *Decoder) value() ([]byte, error) {
	err := d.unit(func(b []byte) (int, error) {
		d.copy.reset()
		return d.copy.value(b)
	})
	return d.copy.out, err
}

func (t *text) set(name string, value []byte) error {
	if t.seen {
		return nil
	}
	t.seen = true
	if string(value) == "null" {
		return nil
	}
	if value[0] != '"' {
		return fmt.Errorf("%s is no string", name)
	}
	t.value = string(record.AppendUnescaped(nil, value[1:len(value)-1]))
	if len(t.value) > maxNameBytes {
		return fmt.Errorf("%s has %d bytes: want at most %d", name, len(t.value), maxNameBytes)
	}
	return nil
}

// stringsIn returns the strings of a JSON array of strings, as the copier writes it; nil when it is none.
func stringsIn(array []byte) []string {
	if array[0] != '[' {
		return nil
	}
	var all []string
	rest := array[1:]
	for rest[0] == '"' {
		end, _, err := stringEnd(rest, 1)
		if err != nil {
			return nil
		}
		all = append(all, string(record.AppendUnescaped(nil, rest[1:end])))
		if rest = rest[end+1:]; rest[0] == ',' {
			rest = rest[1:]
		}
	}
	if rest[0] != ']' {
		return nil // another value among them
	}
	return all
}

// originOf makes the origin of the document's records, once its header is complete.
func (d *Decoder) originOf() (*record.Origin, error) {
	h := &d.header
	if h.origin != nil {
		return h.origin, nil
	}
	if t := h.messageType.value; t != "DATA_MESSAGE" && t != "CONTROL_MESSAGE" {
		return nil, errors.New("messageType is neither DATA_MESSAGE nor CONTROL_MESSAGE") // its text came from outside
	}
	o := d.base.With(d.base.Tags, d.base.Service)
	o.Kind = record.CloudWatch
	o.Owner, o.LogGroup, o.LogStream = h.owner.value, h.logGroup.value, h.logStream.value
	o.SubscriptionFilters = h.filters
	o.Control = h.messageType.value == "CONTROL_MESSAGE"
	h.origin = o
	return h.origin, nil
}
