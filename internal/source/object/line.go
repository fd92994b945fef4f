package object

import (
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf8"

	"sluice/internal/jsonwalk"
	"sluice/internal/lines"
	"sluice/internal/record"
	"sluice/internal/service"
)

// lines reads the rest of the object line by line.
func (d *Decoder) lines(emit emitFunc) error {
	next := d.window.Line
	if d.in.Joiner != nil {
		next = d.in.Joiner.Join(next)
	}
	for {
		p, err := next()
		if err == io.EOF { //nolint:errorlint // a Window returns it as it is
			return nil
		}
		if err != nil {
			return d.fault(err)
		}
		if !d.emitLine(emit, p) {
			return nil
		}
	}
}

// line reads one line, with all its parts, among documents.
func (d *Decoder) line(emit emitFunc) error {
	for {
		p, err := d.window.Line()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return d.fault(err)
		}
		if !d.emitLine(emit, p) || p.Part == 0 || p.Last {
			return nil
		}
	}
}

// emitLine yields a line, or a part of one.
func (d *Decoder) emitLine(emit emitFunc, p lines.Piece) bool {
	r := d.fresh(p.Offset, 0)
	r.Part = p.Part
	if p.Part > 0 {
		r.Marks |= record.Chunked
	}
	if p.Part <= 1 {
		r.Header = d.clock.IsHeader(p.Text)
		d.millis = d.clock.Millis(p.Text)
	}
	r.TimeMillis = d.millis
	d.setMessage(r, p.Text)
	return emit(r, nil)
}

// emitJSON yields a JSON value; index is its place in the array it stands in.
func (d *Decoder) emitJSON(emit emitFunc, p lines.Piece, index int) {
	r := d.fresh(p.Offset, index)
	r.TimeMillis = d.clock.Millis(p.Text)
	if d.structured && len(p.Text) > 0 && p.Text[0] == '{' {
		r.Structured = true
		r.Message = record.Plain(p.Text)
		if !isUTF8(p.Text) {
			r.Message, r.Marks = record.Plain(bytes.ToValidUTF8(p.Text, []byte("\uFFFD"))), record.UTF8Repaired
		}
	} else {
		d.setMessage(r, d.unwrapped(p.Text))
	}
	emit(r, nil)
}

// unwrapped is the flow log line in what the log delivery service hands to Firehose, {"message":"<line>"}; text itself,
// when it is anything else.
func (d *Decoder) unwrapped(text []byte) []byte {
	if d.log != service.VPCFlow {
		return text
	}
	members := jsonwalk.Object(text)
	if !members.Next() || string(members.Name()) != "message" {
		return text
	}
	line, ok := jsonwalk.Text(members.Value())
	if members.Next() || !ok {
		return text
	}
	return line
}

// fresh returns the decoder's record, empty but for its place.
func (d *Decoder) fresh(offset int64, index int) *record.Record {
	d.record = record.Record{Origin: d.in.Origin, Offset: offset, Index: index, Members: d.members}
	return &d.record
}

// setMessage gives the record a text, mended if it is no UTF-8.
func (d *Decoder) setMessage(r *record.Record, text []byte) {
	r.Message = record.Plain(text)
	if !isUTF8(text) {
		d.text, _ = record.AppendRepaired(d.text[:0], text)
		r.Message, r.Marks = record.Escaped(d.text), r.Marks|record.UTF8Repaired
	}
}

// isUTF8 is utf8.Valid, with a shorter way through the ASCII that nearly all of every log is.
func isUTF8(text []byte) bool {
	const notASCII = 0x8080_8080_8080_8080
	for ; len(text) >= 32; text = text[32:] {
		bits := binary.LittleEndian.Uint64(text) | binary.LittleEndian.Uint64(text[8:]) |
			binary.LittleEndian.Uint64(text[16:]) | binary.LittleEndian.Uint64(text[24:])
		if bits&notASCII != 0 {
			break
		}
	}
	return utf8.Valid(text) // what was passed is whole: no character goes on behind a byte of ASCII
}
