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

// envelopes are the members that hold the records of a document, streamed one by one: CloudTrail's, AWS Config's, and
// those of exports and partner tools.
var envelopes = []string{
	"Records", "records", "configurationItems", "Events", "events", "Findings", "findings", "Logs", "logs", "Items", "items",
}

// maxStrays is how many lines may look like JSON and be none before all the rest is read as lines: telling one costs a scan
// of up to the longest value that is looked for.
const maxStrays = 100

// documents reads the whole object: JSON where there is JSON, else lines. Which it is gets decided anew for each document
// and line, because Firehose puts records of any kind one behind the other.
func (d *Decoder) documents(emit emitFunc) error {
	for !d.stopped {
		head := d.next()
		switch {
		case len(head) == 0:
			return d.fault(d.window.Err())
		case d.first && !isOpening(head[0]), d.strays > maxStrays:
			return d.lines(emit)
		}
		err := d.document(emit, head)
		if err != nil {
			return err
		}
		d.first = false
	}
	return nil
}

// next moves to the next document and returns its beginning. Where no document follows, it moves to the start of the line
// with the next text: white space in front of a text is part of it.
func (d *Decoder) next() []byte {
	for {
		head := d.window.Peek(headBytes)
		n := len(head) - len(bytes.TrimLeft(head, " \t\r\n"))
		switch {
		case n == len(head) && n == headBytes:
			d.window.Skip(n)
			continue
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
	switch {
	case head[0] == '[':
		if e, ok := d.window.Array(); ok {
			return d.elements(emit, e)
		}
		return d.line(emit)
	case head[0] != '{':
		return d.line(emit)
	}
	// What an object is gets told by its members, but most are none of these: their first member says so at once.
	name := firstName(head)
	switch {
	case payloadMembers[string(name)] && cloudwatch.IsPayload(head):
		return d.subscription(emit)
	case d.depth == 0 && d.name.ErrorType != "" || (d.first || firehose.IsMember(string(name))) && firehose.IsFailed(head):
		return d.failedRecord(emit)
	case d.first || slices.Contains(envelopes, string(name)):
		if e, ok := d.window.Envelope(envelopes...); ok {
			return d.elements(emit, e)
		}
	}
	return d.value(emit)
}

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

// value reads an object, or the line when it is none.
func (d *Decoder) value(emit emitFunc) error {
	p, err := d.window.Value()
	switch {
	case err == nil:
		d.emitJSON(emit, p, 0)
		return nil
	case errors.Is(err, lines.ErrNotJSON), errors.Is(err, lines.ErrTooLong):
		d.strays++
		return d.line(emit)
	}
	return d.fault(err)
}

// elements reads an array of records, and what stands around it in its envelope as one more record, if there is
// something.
func (d *Decoder) elements(emit emitFunc, e *lines.Envelope) error {
	start := d.window.Offset()
	for index := 0; !d.stopped; index++ {
		p, err := e.Element()
		if err == io.EOF {
			return d.around(emit, e, index, start)
		}
		if errors.Is(err, lines.ErrNotJSON) || errors.Is(err, lines.ErrTooLong) {
			return d.line(emit) // the rest is read as what it looks like
		}
		if err != nil {
			return d.fault(err)
		}
		d.emitJSON(emit, p, index)
	}
	return nil
}

// around yields the members of an envelope beside its records: nothing of an object gets lost.
func (d *Decoder) around(emit emitFunc, e *lines.Envelope, index int, start int64) error {
	before, after, err := e.Rest()
	if errors.Is(err, lines.ErrNotJSON) || errors.Is(err, lines.ErrTooLong) {
		return nil // the window stands where it could not go on
	}
	if err != nil {
		return d.fault(err)
	}
	if len(before)+len(after) == 0 {
		return nil
	}
	d.text = append(append(d.text[:0], '{'), before...)
	if len(before) > 0 && len(after) > 0 {
		d.text = append(d.text, ',')
	}
	d.text = append(append(d.text, after...), '}')
	r := d.fresh(start, index)
	r.Message = record.Plain(bytes.ToValidUTF8(d.text, []byte("\uFFFD")))
	emit(r, nil)
	return nil
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

// unreadable yields the damage of a document that started at start; what stands behind it follows.
func (d *Decoder) unreadable(emit emitFunc, start int64, err error) error {
	if at, ok := errors.AsType[*cloudwatch.Error](err); ok {
		start += at.Offset
	}
	d.window.SkipSpace() // behind the document's rest
	if fault := d.window.Err(); fault != nil && errors.Is(err, fault) {
		return d.faultAt(fault, start)
	}
	emit(nil, &Damage{Reason: "undecodable", Offset: start, End: d.window.Offset(), Err: err})
	return nil
}

// manifest reads the list of objects that a Redshift delivery stream failed to load. head is the start of the object.
func (d *Decoder) manifest(head []byte) ([]firehose.Entry, error) {
	head = bytes.TrimLeft(head, " \t\r\n")
	if !hasPrefix(head, "{") || string(firstName(head)) != "entries" {
		return nil, nil
	}
	p, err := d.window.Value()
	if err != nil {
		return nil, nil //nolint:nilerr // nothing is consumed; whoever reads on meets the same
	}
	if !firehose.IsManifest(d.in.Origin.Key, p.Text) {
		d.pending = &p
		return nil, nil
	}
	p.Text = slices.Clone(p.Text) // the window moves on
	if d.window.SkipSpace() {
		d.pending = &p // a line like a manifest, and others behind it
		return nil, nil
	}
	if err := d.window.Err(); err != nil {
		return nil, d.fault(err)
	}
	entries, err := firehose.ParseManifest(p.Text)
	if err != nil {
		err = &Damage{Reason: "manifest", Offset: p.Offset, End: p.Offset + int64(len(p.Text)), Err: err}
	}
	return entries, err
}
