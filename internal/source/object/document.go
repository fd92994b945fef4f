package object

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"sluice/internal/jsonwalk"
	"sluice/internal/lines"
	"sluice/internal/record"
	"sluice/internal/source/cloudwatch"
	"sluice/internal/source/firehose"
)

// envelopes are the members that hold the records of a document, streamed one by one: CloudTrail's and AWS Config's, beside
// which other members stand (AWS Config developer guide, "Example configuration history from AWS Config").
var envelopes = []string{"Records", "configurationItems"}

// lists are the members that hold the records of exports and of partners' tools. The words are so common that a line of JSON
// may have one among others, and is one record then: only a list that is all of its object holds records.
var lists = []string{"records", "Events", "events", "Findings", "findings", "Logs", "logs", "Items", "items"}

// recordMembers are all of them.
var recordMembers = slices.Concat(envelopes, lists)

// maxWastedBytes bounds what is looked at for JSON in vain, in one object: telling a line that looks like JSON and is none
// may cost a scan of up to the longest value that is looked for. After that all the rest is read as lines.
const maxWastedBytes = 8 << 20

// documents reads the whole object: JSON where there is JSON, else lines. Which it is gets decided anew for each document
// and line, because Firehose puts records of any kind one behind the other.
func (d *Decoder) documents(emit emitFunc) error {
	for !d.stopped {
		head := d.next(emit)
		var err error
		switch {
		case len(head) == 0:
			return d.fault(d.window.Err())
		case d.wasted > maxWastedBytes:
			err = d.lines(emit)
		case isOpening(head[0]):
			err = d.document(emit, head)
		default:
			err = d.textLines(emit)
		}
		if err != nil {
			return err
		}
		d.first = false
	}
	return nil
}

// textLines reads lines: one among documents, or as many as belong together when the object begins with text or lines are to
// be joined.
func (d *Decoder) textLines(emit emitFunc) error {
	d.isText = d.isText || d.first
	if d.isText || d.rules.Joiner != nil {
		return d.lines(emit)
	}
	return d.line(emit)
}

// stray is text for what looked like JSON and is none.
func (d *Decoder) stray(emit emitFunc) error {
	d.waste()
	return d.textLines(emit)
}

// waste counts what was looked at of a document in vain.
func (d *Decoder) waste() {
	d.wasted += d.window.Scanned() - d.scanned + d.walked
	d.scanned, d.walked = d.window.Scanned(), 0
}

// next moves to the next document and returns its beginning. Where no document follows, it moves to the start of the line
// with the next text: white space in front of a text is part of it.
//
// White space without end is passed in blocks, each of which counts as one empty line.
func (d *Decoder) next(emit emitFunc) []byte {
	for {
		head := d.window.Peek(headBytes)
		n := len(head) - len(bytes.TrimLeft(head, " \t\r\n"))
		switch {
		case n == len(head) && n == headBytes:
			r := d.fresh(d.window.Offset(), 0)
			d.window.Skip(n)
			if !emit(r, nil) {
				return nil
			}
			continue
		case n == len(head) && d.window.Err() != nil:
			return nil // what the white space belongs to could not be read
		case n < len(head) && isOpening(head[n]):
			d.window.Skip(n)
			return head[n:]
		case d.first:
			return head // leading empty lines are counted like others
		}
		n = bytes.LastIndexByte(head[:n], '\n') + 1
		d.window.Skip(n)
		return head[n:]
	}
}

func isOpening(c byte) bool { return c == '{' || c == '[' }

// document reads what comes next, which head starts with.
func (d *Decoder) document(emit emitFunc, head []byte) error {
	d.scanned, d.walked = d.window.Scanned(), 0
	if head[0] == '[' {
		if e, ok := d.window.Array(); ok {
			return d.elements(emit, e)
		}
		return d.stray(emit)
	}
	// What an object is gets told by its members, but most are none of these: their first member says so at once.
	name := firstName(head)
	switch {
	case payloadMembers[string(name)] && d.walk(head, cloudwatch.IsPayload):
		return d.subscription(emit)
	case d.depth == 0 && d.name.ErrorType != "" || (d.first || firehose.IsMember(string(name))) && d.walk(head, firehose.IsFailed):
		return d.failedRecord(emit)
	}
	if e, ok := d.envelope(name); ok {
		return d.elements(emit, e)
	}
	return d.value(emit)
}

// envelope enters the object that comes next, whose first member has the name, if it is there for the records that it holds.
func (d *Decoder) envelope(name []byte) (*lines.Envelope, bool) {
	if d.first || isOne(envelopes, name) {
		if e, ok := d.window.Envelope(envelopes...); ok {
			return e, true
		}
	}
	if isOne(lists, name) && d.window.HoldsOnly(lists...) {
		return d.window.Envelope(lists...)
	}
	return nil, false
}

// walk asks what head is, and counts what that may cost.
func (d *Decoder) walk(head []byte, is func([]byte) bool) bool {
	d.walked += int64(len(head))
	return is(head)
}

func isOne(names []string, name []byte) bool { return slices.Contains(names, string(name)) }

// payloadMembers are those of a subscription payload, any of which may come first.
var payloadMembers = map[string]bool{
	"messageType": true, "owner": true, "logGroup": true, "logStream": true, "subscriptionFilters": true,
	"logEvents": true, "policyLevel": true,
}

// firstName is the name of an object's first member, as a view of head unless it has an escape.
func firstName(head []byte) []byte {
	members := jsonwalk.Object(head)
	members.Next()
	return members.Name()
}

// value reads an object, or the line when it is none. One that is too long to be a record is read as the records that it
// holds, if it has any.
func (d *Decoder) value(emit emitFunc) error {
	p, err := d.window.Value()
	switch {
	case err == nil:
		d.emitJSON(emit, p, 0)
		return nil
	case errors.Is(err, lines.ErrTooLong):
		if e, ok := d.window.Envelope(recordMembers...); ok {
			return d.elements(emit, e)
		}
		return d.stray(emit)
	case errors.Is(err, lines.ErrNotJSON):
		return d.stray(emit)
	}
	return d.fault(err)
}

// elements reads an array of records, and what stands around it in its envelope as one more record, if there is
// something.
func (d *Decoder) elements(emit emitFunc, e *lines.Envelope) error {
	d.first = false
	start := d.window.Offset()
	for index := 0; !d.stopped; index++ {
		p, err := e.Element()
		switch {
		case err == io.EOF:
			return d.ending(emit, e, index, start)
		case errors.Is(err, lines.ErrTooLong):
			d.parts(emit, e, index)
		case errors.Is(err, lines.ErrNotJSON):
			// The rest is read as what it looks like. A line at the start has the index 0.
			if d.around(emit, e, nil, index+1, start) {
				return d.stray(emit)
			}
		case err != nil:
			fault := d.fault(err)
			if isDamage(fault) {
				d.around(emit, e, nil, index+1, start)
			}
			return fault
		default:
			d.emitJSON(emit, p, index)
		}
	}
	return nil
}

// parts yields an element that is too long to be one record. What goes wrong meanwhile is the next element's error.
func (d *Decoder) parts(emit emitFunc, e *lines.Envelope, index int) {
	for !d.stopped {
		p, err := e.Part()
		if err != nil {
			return
		}
		r := d.fresh(p.Offset, index)
		r.Part, r.Marks = p.Part, record.Chunked
		if p.Part == 1 {
			d.millis = d.clock.Millis(p.Text)
		}
		r.TimeMillis = d.millis
		d.setMessage(r, p.Text)
		if !emit(r, nil) || p.Last {
			return
		}
	}
}

// ending yields what an envelope has beside its records once these have been read. What cannot be read of it follows.
func (d *Decoder) ending(emit emitFunc, e *lines.Envelope, index int, start int64) error {
	_, after, err := e.Rest()
	if err != nil {
		after = nil
	}
	if errors.Is(err, lines.ErrNotJSON) || errors.Is(err, lines.ErrTooLong) {
		err = nil // the window stands where it could not go on
	}
	fault := d.fault(err)
	if fault != nil && !isDamage(fault) {
		return fault
	}
	if d.around(emit, e, after, index, start) && index+len(e.Before())+len(after) == 0 {
		emit(d.fresh(start, 0), nil) // no records: as good as an empty line
	}
	return fault
}

// isDamage reports whether what is left of an object can never be read. After any other fault the object is read again, and
// the records before the fault have to be the first of all its records, since those are passed over then.
func isDamage(fault error) bool {
	_, is := errors.AsType[*Damage](fault)
	return is
}

// around yields the members of an envelope beside its records, if it has any: nothing of an object gets lost. It reports
// whether more records are wanted.
func (d *Decoder) around(emit emitFunc, e *lines.Envelope, after []byte, index int, start int64) bool {
	before := e.Before()
	if len(before)+len(after) == 0 {
		return !d.stopped
	}
	d.mended = append(append(d.mended[:0], '{'), before...)
	if len(before) > 0 && len(after) > 0 {
		d.mended = append(d.mended, ',')
	}
	d.mended = append(append(d.mended, after...), '}')
	r := d.fresh(start, index)
	r.Message = record.Plain(bytes.ToValidUTF8(d.mended, []byte("\uFFFD")))
	return emit(r, nil)
}

// subscription reads a CloudWatch Logs payload, as Firehose keeps them.
func (d *Decoder) subscription(emit emitFunc) error {
	start := d.window.Offset()
	for r, err := range d.cloudwatch.Records(d.window.Document(), d.in.Origin) {
		if err != nil {
			return d.unreadable(emit, start, err)
		}
		r.Members = append(r.Members, d.members...)
		if !emit(r, nil) {
			return nil
		}
	}
	return nil
}

// unreadable yields the damage of a document that started at start: from behind its last record that was yielded. What
// stands behind the document follows.
func (d *Decoder) unreadable(emit emitFunc, start int64, err error) error {
	if at, ok := errors.AsType[*cloudwatch.Error](err); ok {
		start += at.Unread
	}
	d.window.SkipSpace() // behind the document's rest
	if fault := d.window.Err(); fault != nil && errors.Is(err, fault) {
		return d.faultAt(fault, start)
	}
	end := d.window.Offset()
	if end <= start {
		end = -1 // it ends where the object does
	}
	emit(nil, &Damage{Reason: "undecodable", Offset: start, End: end, Err: err})
	return nil
}
