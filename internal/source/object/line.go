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
	"sluice/internal/source/firehose"
)

// lines reads lines up to one with which JSON begins, or to the end. The first is taken whatever it is.
func (d *Decoder) lines(emit emitFunc) error {
	if d.first && d.depth == 0 && d.in.Origin.Kind == record.S3 && d.rules.Skip > 0 {
		if more, err := d.skip(emit, d.rules.Skip); !more {
			return err
		}
	}
	if d.rules.Joiner != nil {
		return d.joined(emit)
	}
	for { // here, where no lines are joined, the object begins with text: only a brace may end it
		p, err := d.window.Line()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return d.fault(err)
		}
		if !d.emitLine(emit, p) || endsLine(p) && d.window.First() == '{' && d.endsText() {
			return nil
		}
	}
}

// skip yields lines that a setting says are headers, and reports whether to read on.
func (d *Decoder) skip(emit emitFunc, n int) (more bool, err error) {
	for ; n > 0; n-- {
		for {
			p, err := d.window.Line()
			if err == io.EOF {
				return false, nil
			}
			if err != nil {
				return false, d.fault(err)
			}
			r := d.fresh(p.Offset, 0)
			r.Part, r.Header = p.Part, true
			d.setMessage(r, p.Text)
			if !emit(r, nil) {
				return false, nil
			}
			if endsLine(p) {
				break
			}
		}
	}
	return true, nil
}

// joined is lines with those joined that belong together.
func (d *Decoder) joined(emit emitFunc) error {
	atStart := false // of a line that is not the first
	next := d.rules.Joiner.Join(func() (lines.Piece, error) {
		if atStart && d.endsText() {
			return lines.Piece{}, io.EOF
		}
		p, err := d.window.Line()
		atStart = endsLine(p)
		return p, err
	})
	for {
		p, err := next()
		if err == io.EOF { //nolint:errorlint // a Joiner returns it as it is
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

func endsLine(p lines.Piece) bool { return p.Part == 0 || p.Last }

// maxNameBytes is as long as a name of a member that tells what a document is may be, with its quotes and the brace.
const maxNameBytes = 64

// endsText reports whether the next line is to be read as a document. In an object that begins with text these are the
// ones that hold many records, told by their first member: a line of JSON is a record either way.
func (d *Decoder) endsText() bool {
	begin := d.window.Peek(2)
	if len(begin) < 2 || d.isText && string(begin) != `{"` || d.wasted > maxWastedBytes {
		return false
	}
	switch name := openingName(d.window.Peek(maxNameBytes)); {
	case payloadMembers[string(name)], firehose.IsMember(string(name)):
		return true
	case d.isText && isOne(lists, name):
		return d.endsWithList()
	case d.isText && !isOne(envelopes, name):
		return false
	}
	if begin = bytes.TrimLeft(d.window.Peek(headBytes), " \t"); len(begin) == 0 || !isOpening(begin[0]) {
		return false
	}
	d.scanned, d.walked = d.window.Scanned(), 0
	is := d.window.IsJSON()
	if !is {
		d.waste()
	}
	return is
}

// endsWithList reports whether the next line is an object that is there for the list it holds. A line with other members is
// looked at no more than a few times its length; what is looked at beyond counts as done in vain.
func (d *Decoder) endsWithList() bool {
	length := bytes.IndexByte(d.window.Peek(headBytes), '\n') + 1
	if length == 0 {
		length = headBytes
	}
	d.scanned, d.walked = d.window.Scanned(), 0
	is := d.window.HoldsOnly(lists...)
	if !is && d.window.Scanned()-d.scanned > int64(4*length) { // twice each time it reaches the end of what is read
		d.waste()
	}
	return is
}

// openingName is the name of the first member of the object that a line begins with; empty when there is none, or it is
// long.
func openingName(line []byte) []byte {
	if !hasPrefix(line, `{"`) {
		return nil
	}
	name, _, ok := bytes.Cut(line[len(`{"`):], []byte(`"`))
	if !ok {
		return nil
	}
	return name
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
		if !d.emitLine(emit, p) || endsLine(p) {
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
		d.header = d.isHeader(p)
		d.millis = d.clock.Millis(p.Text)
	}
	r.Header, r.TimeMillis, r.Columns = d.header, d.millis, d.clock.Columns()
	d.setMessage(r, p.Text)
	return emit(r, nil)
}

// isHeader reports whether a line is a header, or all lines are that were joined to it. Of what is cut only the beginning is
// known, so joined lines are none then.
func (d *Decoder) isHeader(p lines.Piece) bool {
	if d.rules.Joiner == nil {
		return d.clock.IsHeader(p.Text)
	}
	all := p.Part == 0
	for line := range bytes.SplitSeq(p.Text, []byte("\n")) {
		all = d.clock.IsHeader(line) && all
	}
	return all
}

// emitJSON yields a JSON value; index is its place in the array it stands in.
func (d *Decoder) emitJSON(emit emitFunc, p lines.Piece, index int) {
	r := d.fresh(p.Offset, index)
	text := d.unwrapped(p.Text)
	r.TimeMillis = d.clock.Millis(text)
	if d.structured && len(p.Text) > 0 && p.Text[0] == '{' {
		r.Structured = true
		r.Message = record.Plain(p.Text)
		if !isUTF8(p.Text) {
			r.Message, r.Marks = record.Plain(bytes.ToValidUTF8(p.Text, []byte("\uFFFD"))), record.UTF8Repaired
		}
	} else {
		d.setMessage(r, text)
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
		d.mended, _ = record.AppendRepaired(d.mended[:0], text)
		r.Message, r.Marks = record.Escaped(d.mended), r.Marks|record.UTF8Repaired
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
