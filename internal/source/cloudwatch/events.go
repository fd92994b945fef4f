package cloudwatch

import (
	"bytes"
	"math"
	"strconv"

	"sluice/internal/record"
)

// events reads the array of log events that the window is at. With yield it hands out their records, otherwise it only
// checks them.
func (d *Decoder) events(yield bool) error {
	b := d.win.unread()
	if b[0] == 'n' {
		_, err := d.value() // null: no events
		return err
	}
	if b[0] != '[' {
		return fault(0, "logEvents is no array")
	}
	d.win.pos++
	for first := true; ; first = false {
		// The usual separator is read here: the general way costs a call of a closure for each event.
		if b := d.win.unread(); !first && len(b) > 1 && b[0] == ',' && b[1] == '{' {
			d.win.pos++
		} else if done, err := d.endOrComma(']', first); err != nil || done {
			return err
		}
		if err := d.nextEvent(yield); err != nil {
			return err
		}
	}
}

// nextEvent reads one element of logEvents.
func (d *Decoder) nextEvent(yield bool) error {
	if err := d.unit(d.event); err != nil {
		return err
	}
	if !yield {
		return nil
	}
	origin, err := d.originOf()
	if err != nil {
		return err
	}
	d.rec.Origin = origin
	if !d.yield(&d.rec, nil) {
		return errStopped
	}
	d.unread = d.win.at(d.win.pos)
	return nil
}

// event reads the log event at the start of b into d.rec and returns its length. The usual shape, `{"id":"…",
// "timestamp":…,"message":"…"}` without white space, is compared as it is expected; what differs is read the general way.
func (d *Decoder) event(b []byte) (n int, err error) {
	n, ok := d.usualEvent(b)
	if ok && b[n] == '}' {
		return n + 1, nil
	}
	d.copy.reset()
	d.spans = d.spans[:0]
	if ok {
		return d.moreMembers(b, n, false)
	}
	d.rec = record.Record{Members: d.rec.Members[:0]}
	n = space(b)
	if n >= len(b) {
		return 0, errShort
	}
	if b[n] != '{' {
		return 0, fault(n, "a log event is no object")
	}
	return d.moreMembers(b, n+1, true)
}

const (
	usualStart   = `{"id":"`
	usualTime    = `","timestamp":`
	usualMessage = `,"message":"`
	// maxTimeDigits keeps a timestamp far from overflowing an int64.
	maxTimeDigits = 18
)

// usualEvent reads an event of the usual shape into d.rec, up to the byte behind its message: the brace, or the comma of
// further members. Not ok means only that the general way has to look.
func (d *Decoder) usualEvent(b []byte) (n int, ok bool) {
	if !startsWith(b, 0, usualStart) {
		return 0, false
	}
	id := len(usualStart)
	i := id + record.PlainRun(b[id:])
	idEnd := i
	if !startsWith(b, i, usualTime) {
		return 0, false
	}
	i += len(usualTime)
	var millis int64
	start := i
	for ; i < len(b) && i-start < maxTimeDigits && b[i]-'0' <= 9; i++ {
		millis = millis*10 + int64(b[i]-'0')
	}
	if start == i || b[start] == '0' || !startsWith(b, i, usualMessage) {
		return 0, false
	}
	message := i + len(usualMessage)
	end, clean, err := stringEnd(b, message)
	if err != nil || !clean || end+1 >= len(b) || b[end+1] != '}' && b[end+1] != ',' {
		return 0, false
	}
	d.rec = record.Record{
		EventID:    record.Escaped(b[id:idEnd]),
		TimeMillis: millis,
		Message:    record.Escaped(b[message:end]),
		Members:    d.rec.Members[:0],
	}
	return end + 1, true
}

func startsWith(b []byte, i int, prefix string) bool {
	return len(b)-i >= len(prefix) && string(b[i:i+len(prefix)]) == prefix
}

// span is a member of an event in the copier's output. Offsets, because the output moves when it grows.
type span struct {
	name, value, end int
}

// moreMembers reads the members of an event from b[i] on, in any order. Members that are null count as missing; of two
// members with one name the first counts.
func (d *Decoder) moreMembers(b []byte, i int, first bool) (n int, err error) {
	for ; ; first = false {
		i += space(b[i:])
		if i >= len(b) {
			return 0, errShort
		}
		if b[i] == '}' {
			d.assign()
			return i + 1, nil
		}
		if !first {
			if b[i] != ',' {
				return 0, fault(i, "want a comma or the end of the log event")
			}
			i++
		}
		if n, err = d.member(b[i:]); err != nil {
			return 0, at(i, err)
		}
		i += n
	}
}

// member copies one member of an event.
func (d *Decoder) member(b []byte) (n int, err error) {
	if len(d.spans) == maxMembers {
		return 0, fault(0, "a log event has more than 1000 members")
	}
	m := span{name: len(d.copy.out)}
	i, err := d.copy.name(b)
	if err != nil {
		return 0, err
	}
	m.value = len(d.copy.out)
	if n, err = d.copy.value(b[i:]); err != nil {
		return 0, at(i, err)
	}
	m.end = len(d.copy.out)
	d.spans = append(d.spans, m)
	return i + n, nil
}

// assign adds the members that were copied to the record. What the record has already came first.
func (d *Decoder) assign() {
	if d.copy.repaired {
		d.rec.Marks |= record.UTF8Repaired
	}
	for i, m := range d.spans {
		name, value := d.copy.out[m.name+1:m.value-2], d.copy.out[m.value:m.end]
		if string(value) == "null" || d.repeated(name, d.spans[:i]) {
			continue
		}
		switch string(name) {
		case "id":
			if d.rec.EventID.Bytes == nil {
				d.rec.EventID = textOf(value)
			}
		case "timestamp":
			if d.rec.TimeMillis == 0 {
				d.rec.TimeMillis = millisOf(value)
			}
		case "message":
			if d.rec.Message.Bytes == nil {
				d.rec.Message = textOf(value)
			}
		default:
			d.rec.Members = append(d.rec.Members, record.Member{Name: name, Value: value})
		}
	}
}

// repeated reports whether one of the members before has the same name and is not null.
func (d *Decoder) repeated(name []byte, before []span) bool {
	for _, m := range before {
		if bytes.Equal(d.copy.out[m.name+1:m.value-2], name) && string(d.copy.out[m.value:m.end]) != "null" {
			return true
		}
	}
	return false
}

// textOf makes text of a JSON value: the string itself, or the JSON text of anything else.
func textOf(value []byte) record.Text {
	if value[0] == '"' {
		return record.Escaped(value[1 : len(value)-1])
	}
	return record.Plain(value)
}

// millisOf reads a timestamp in ms: a number, or a string of one as hand-made events have it. 0 when it is neither.
func millisOf(value []byte) int64 {
	if value[0] == '"' {
		value = record.AppendUnescaped(nil, value[1:len(value)-1])
	}
	if millis, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		return millis
	}
	if !isNumber(value) {
		return 0
	}
	if millis, err := strconv.ParseFloat(string(value), 64); err == nil && math.Abs(millis) < 1e15 {
		return int64(millis)
	}
	return 0
}
