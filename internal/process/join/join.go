// Package join makes one record of several that a service has delivered line by line, such as those of a stack trace.
//
// It promises that no text is lost or repeated: header lines come as they are, and so do the records of a payload before the
// first start, so that nothing is joined where nothing matches; what outgrows a bound is cut between records, and its parts are
// marked and numbered. It joins within one sequence and one origin only; package lines does the same for the lines of an
// object.
package join

import (
	"bytes"
	"iter"
	"slices"

	"sluice/internal/lines"
	"sluice/internal/record"
)

// Chooser says how the records of an origin are joined; nil for those that are not. It is asked once per origin, with the
// first of its records.
type Chooser func(first *record.Record) *lines.Joiner

// Records joins records of CloudWatch Logs and of streams. A record has the identity, the time and the members of its
// first one, and the texts of all, line feeds between them. It is valid until the next one is asked for. So need those be
// that go in: what is kept of one beyond that is copied.
//
// What comes between records, such as an error or their end, ends the record before it, which is yielded first. Records may
// follow an error where they do in the source.
func Records(records iter.Seq2[*record.Record, error], choose Chooser) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		j := joining{yield: yield, choose: choose}
		for r, err := range records {
			if err != nil {
				if !j.flush() || !yield(nil, err) {
					return
				}
				continue
			}
			if !j.take(r) {
				return
			}
		}
		j.flush()
	}
}

// joining is the state of one sequence.
type joining struct {
	yield  func(*record.Record, error) bool
	choose Chooser

	origin *record.Origin // of joiner
	joiner *lines.Joiner
	plain  []byte // the text of the record that is looked at

	open    bool          // there is a record that may go on
	pending record.Record // that record, but for its text; what it refers to is in bytes
	bytes   []byte
	text    []byte // escaped
	last    int    // where the text of the last one begins
	count   int    // of records in it
	part    int    // its place among the records that one was cut into, from 1; 0 for one that is whole
}

// take adds a record, and reports whether more are wanted.
func (j *joining) take(r *record.Record) bool {
	if r.Origin != j.origin {
		if !j.flush() {
			return false
		}
		j.origin, j.joiner = r.Origin, j.choose(r)
	}
	if j.joiner == nil || r.Origin.Control || r.Header { // what is joined to a header would be dropped with it
		return j.flush() && j.yield(r, nil)
	}
	j.plain = r.Message.AppendPlain(j.plain[:0])
	switch {
	case j.joiner.Start.Match(j.plain):
		if !j.flush() {
			return false
		}
		j.begin(r)
	case !j.open:
		return j.yield(r, nil)
	case j.fits(len(r.Message.Bytes)):
		j.add(r)
	default: // it is cut, and goes on as a record of its own
		j.part = max(j.part, 1)
		part := j.part + 1
		if !j.flush() {
			return false
		}
		j.begin(r)
		j.part = part
	}
	return true
}

// fits reports whether the pending record may take so many bytes more.
func (j *joining) fits(size int) bool {
	most := j.joiner.MaxBytes
	if most <= 0 {
		most = lines.MaxLineBytes
	}
	return len(j.text)+1+size <= most && (j.joiner.MaxLines <= 0 || j.count < j.joiner.MaxLines)
}

// begin keeps a record: what it refers to belongs to its source.
func (j *joining) begin(r *record.Record) {
	j.pending, j.bytes, j.open, j.count = *r, j.bytes[:0], true, 1
	size := len(r.EventID.Bytes)
	for _, m := range r.Members {
		size += len(m.Name) + len(m.Value)
	}
	j.bytes = slices.Grow(j.bytes, size) // so that it does not move any more
	j.pending.EventID.Bytes = j.keep(r.EventID.Bytes)
	j.pending.Members = slices.Clone(r.Members)
	for i, m := range j.pending.Members {
		j.pending.Members[i] = record.Member{Name: j.keep(m.Name), Value: j.keep(m.Value)}
	}
	j.text, j.last = r.Message.AppendJSON(j.text[:0]), 0
}

func (j *joining) keep(b []byte) []byte {
	start := len(j.bytes)
	j.bytes = append(j.bytes, b...)
	return j.bytes[start:len(j.bytes):len(j.bytes)]
}

var lineEnd = []byte(`\n`)

// add puts a text behind that of the pending record, with one line feed between them.
func (j *joining) add(r *record.Record) {
	if !endsLine(j.text[j.last:]) {
		j.text = append(j.text, lineEnd...)
	}
	j.last = len(j.text)
	j.text = r.Message.AppendJSON(j.text)
	j.pending.Marks |= r.Marks
	j.count++
}

// endsLine reports whether an escaped text ends in a line feed, and not in a backslash and an n.
func endsLine(escaped []byte) bool {
	rest, ok := bytes.CutSuffix(escaped, lineEnd)
	return ok && (len(rest)-len(bytes.TrimRight(rest, `\`)))%2 == 0
}

// flush yields the pending record, if there is one, and reports whether more are wanted.
func (j *joining) flush() bool {
	if !j.open {
		return true
	}
	j.open = false
	j.pending.Message = record.Escaped(j.text)
	if j.part > 0 {
		j.pending.Marks, j.pending.Part = j.pending.Marks|record.Chunked, j.part
		j.part = 0
	}
	if j.count > 1 {
		j.pending.Structured = false
	}
	return j.yield(&j.pending, nil)
}
