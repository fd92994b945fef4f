package object

import (
	"bytes"
	"errors"

	"sluice/internal/lines"
	"sluice/internal/record"
)

// failedRecord reads the envelope of a record that Firehose could not deliver, and yields what it holds. An envelope
// without a record is an empty line, if it is one for certain: it stands in an error folder and says nothing else. One that
// may be a log itself is forwarded as such; one that cannot be read is forwarded as it is, marked.
func (d *Decoder) failedRecord(emit emitFunc) error {
	p, err := d.window.Value()
	if errors.Is(err, lines.ErrNotJSON) || errors.Is(err, lines.ErrTooLong) {
		d.waste()
		p, err = d.window.Line() // an error message with quotes in it, for example
	}
	if err != nil {
		return d.fault(err)
	}
	if p.Part > 0 || d.depth >= maxDepth || d.parser.Parse(p.Text, &d.failed) != nil {
		return d.keep(emit, p)
	}
	if len(d.failed.Data) == 0 {
		return d.withoutData(emit, p)
	}
	end := d.window.Offset()
	if err := d.unwrap(emit, p.Offset); err != nil {
		emit(nil, &Damage{Reason: "undecodable", Offset: p.Offset, End: end, Err: err})
	}
	return nil
}

// withoutData yields an envelope that holds no record.
func (d *Decoder) withoutData(emit emitFunc, p lines.Piece) error {
	switch {
	case d.failed.Broken != nil:
		return d.keep(emit, p)
	case d.depth == 0 && d.name.ErrorType != "" && d.failed.HasOnlyUsual():
		emit(d.fresh(p.Offset, 0), nil)
	default:
		d.emitJSON(emit, p, 0)
	}
	return nil
}

var errBrokenEnvelope = errors.New("the envelope of a failed record cannot be read, and what it holds cannot be redacted")

// keep yields an envelope that cannot be read as the line that it is, with all its parts.
func (d *Decoder) keep(emit emitFunc, p lines.Piece) error {
	if d.in.Strict {
		return d.refuse(emit, p)
	}
	for {
		r := d.fresh(p.Offset, 0)
		r.Marks, r.Part = record.BrokenEnvelope, p.Part
		if p.Part > 0 {
			r.Marks |= record.Chunked
		}
		d.setMessage(r, p.Text)
		if !emit(r, nil) || endsLine(p) {
			return nil
		}
		var err error
		if p, err = d.window.Line(); err != nil {
			return d.fault(err)
		}
	}
}

// refuse passes an envelope that cannot be read, and names it as damage.
func (d *Decoder) refuse(emit emitFunc, p lines.Piece) error {
	start := p.Offset
	for !endsLine(p) {
		var err error
		if p, err = d.window.Line(); err != nil {
			return d.fault(err)
		}
	}
	emit(nil, &Damage{Reason: "undecodable", Offset: start, End: d.window.Offset(), Err: errBrokenEnvelope})
	return nil
}

// unwrap yields what the failed record at offset holds, read as an object of its own: it may be packed, a payload of
// CloudWatch Logs, or lines. What cannot be read of it is the error, the first of several; records on both sides of it are
// yielded.
func (d *Decoder) unwrap(emit emitFunc, offset int64) error {
	if d.inner == nil {
		d.inner = &Decoder{depth: d.depth + 1}
	}
	origin := d.in.Origin.With(d.in.Origin.Tags, "")
	_, err := d.inner.Enter(Input{
		Body: bytes.NewReader(d.failed.Data), Origin: origin, Lines: d.in.Lines, Strict: d.in.Strict, MaxPlainBytes: d.in.MaxPlainBytes,
	})
	if err != nil {
		return err
	}
	d.reasons = d.failed.AppendAttributes(d.reasons[:0], d.name)
	d.inner.members = append(d.inner.members[:0], record.Member{Name: []byte("firehose"), Value: d.reasons})
	index := 0
	var unread error
	for r, err := range d.inner.Records() {
		if err != nil {
			if unread == nil {
				unread = err
			}
			continue
		}
		d.enclose(r, offset, index)
		index++
		if !emit(r, nil) {
			return nil
		}
	}
	return unread
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
