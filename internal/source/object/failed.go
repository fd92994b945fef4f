package object

import (
	"bytes"
	"errors"

	"sluice/internal/lines"
	"sluice/internal/record"
)

// failedRecord reads the envelope of a record that Firehose could not deliver, and yields what it holds. An envelope
// without a record is an empty line. One that cannot be read is forwarded as it is, marked.
func (d *Decoder) failedRecord(emit emitFunc) error {
	p, err := d.window.Value()
	if errors.Is(err, lines.ErrNotJSON) || errors.Is(err, lines.ErrTooLong) {
		p, err = d.window.Line() // an error message with quotes in it, for example
	}
	if err != nil {
		return d.fault(err)
	}
	if p.Part > 0 || d.depth >= maxDepth || d.parser.Parse(p.Text, &d.failed) != nil {
		return d.keep(emit, p)
	}
	if len(d.failed.Data) == 0 {
		emit(d.fresh(p.Offset, 0), nil)
		return nil
	}
	end := d.window.Offset()
	if err := d.unwrap(emit, p.Offset); err != nil {
		emit(nil, &Damage{Reason: "undecodable", Offset: p.Offset, End: end, Err: err})
	}
	return nil
}

// keep yields an envelope that cannot be read as the line that it is, with all its parts.
func (d *Decoder) keep(emit emitFunc, p lines.Piece) error {
	r := d.fresh(p.Offset, 0)
	r.Marks, r.Part = record.BrokenEnvelope, p.Part
	if p.Part > 0 {
		r.Marks |= record.Chunked
	}
	d.setMessage(r, p.Text)
	if !emit(r, nil) || p.Part == 0 || p.Last {
		return nil
	}
	return d.line(emit)
}

// unwrap yields what the failed record at offset holds, read as an object of its own: it may be packed, a payload of
// CloudWatch Logs, or lines.
func (d *Decoder) unwrap(emit emitFunc, offset int64) error {
	if d.inner == nil {
		d.inner = &Decoder{depth: d.depth + 1}
	}
	origin := d.in.Origin.With(d.in.Origin.Tags, "")
	_, err := d.inner.Enter(Input{
		Body: bytes.NewReader(d.failed.Data), Origin: origin, Joiner: d.in.Joiner, MaxPlainBytes: d.in.MaxPlainBytes,
	})
	if err != nil {
		return err
	}
	d.reasons = d.failed.AppendAttributes(d.reasons[:0], d.name)
	d.inner.members = append(d.inner.members[:0], record.Member{Name: []byte("firehose"), Value: d.reasons})
	index := 0
	for r, err := range d.inner.Records() {
		if err != nil {
			return err
		}
		d.enclose(r, offset, index)
		index++
		if !emit(r, nil) {
			return nil
		}
	}
	return nil
}

// enclose gives a record out of a failed one its place in the object, and the time at which it arrived at Firehose if it
// has none of its own.
func (d *Decoder) enclose(r *record.Record, offset int64, index int) {
	r.Offset, r.Index = offset, index
	if r.TimeMillis == 0 {
		r.TimeMillis = d.failed.ArrivalMillis
	}
	if d.failed.Broken != nil {
		r.Marks |= record.BrokenEnvelope
	}
}
