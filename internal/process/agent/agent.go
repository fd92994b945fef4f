// Package agent offers the pre-processing of the Kinesis Agent: how it cuts a file into records ([Splitter]), and the
// options that convert a record before it is sent ([Converter]), under the agent's own names.
//
// It promises what the agent does, byte for byte but for what is said here: the number of U+FFFD in place of bytes that are
// no UTF-8 (one a byte), and the case of the digits in \u001b. Regular expressions are Java's where RE2 can say the same,
// and are refused where it cannot. No record is lost in it: a line that the agent would drop is kept as it came, unless the
// agent's way is asked for, and then it is named. A record costs no allocation once buffers have grown, but for regular
// expressions of the user's own, for which package regexp makes some. Time is linear in a record's length, but for
// delimiters that are regular expressions and no set of characters.
//
// It reads no files, sends nothing, and does not know where a record came from.
//
// Format: "Writing to Amazon Data Firehose using Kinesis Agent", section "Pre-process data with agents", and the agent's
// behaviour where it differs.
package agent

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// Outcome says what became of a record.
type Outcome uint8

// The outcomes.
const (
	Converted Outcome = iota // by every option
	Raw                      // kept as it came: an option does not match it, or it would grow beyond 8 MiB
	NoMatch                  // to be dropped, as the agent does: LOGTOJSON does not match it
)

func (o Outcome) String() string {
	switch o {
	case Converted:
		return "converted"
	case Raw:
		return "raw"
	case NoMatch:
		return "no match"
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}

const (
	maxConvertedBytes = 8 << 20 // of what an option makes: a record of 1 MiB whose every byte takes six, and some
	keptBytes         = 1 << 20 // of a buffer that is kept for the next record
)

// Converter applies the options of dataProcessingOptions to records. It is for one goroutine; Clone makes it many.
type Converter struct {
	// Now is the clock of ADDMETADATA with a timestamp; nil stands for time.Now.
	Now func() time.Time

	steps      []step
	strict     bool
	structured bool
	work       workspace
}

// step is one option. It holds no state: a record's state is in the workspace.
type step interface {
	// apply appends what the option makes of text, which is valid UTF-8. It reports false when the option does not match.
	apply(w *workspace, dst, text []byte) (out []byte, ok bool)
}

// workspace is memory that is used again for every record.
type workspace struct {
	now     func() time.Time
	mended  []byte    // the record as valid UTF-8
	between [2][]byte // results of the options before the last, in turns
	groups  []span    // what a LOGTOJSON matched, or the columns of a CSVTOJSON
}

// New returns a converter. With strict, a record that a LOGTOJSON does not match is dropped, as the agent does. Without
// options every record is converted into itself.
//
// An error joins an [OptionError] for everything that is wrong, and prints a line for each.
func New(options []Option, strict bool) (*Converter, error) {
	c := &Converter{strict: strict}
	var found problems
	for i := range options {
		s := options[i].compile(found.at(i))
		c.steps = append(c.steps, s)
		c.structured = s != nil && keepsStructure(s, c.structured)
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// keepsStructure reports whether what the step makes is one JSON object, where before says so of what it is given.
func keepsStructure(s step, before bool) bool {
	switch s := s.(type) {
	case *csvToJSON, *logToJSON, *addMetadata:
		return true
	case singleLine:
		return before && !s.escape
	}
	return false
}

// Clone returns a converter of the same options for another goroutine.
func (c *Converter) Clone() *Converter {
	return &Converter{Now: c.Now, steps: c.steps, strict: c.strict, structured: c.structured}
}

// Structured reports whether every record that is Converted is one JSON object and a line feed.
func (c *Converter) Structured() bool { return c.structured }

// Append appends what the options make of record, which may end in its line feed and may be no UTF-8. What is converted
// ends in a line feed, unless ADDBRACKETS stands behind it. Raw appends the record's own bytes, NoMatch nothing. The bytes
// of record are not kept; dst must not overlap them.
func (c *Converter) Append(dst, record []byte) (out []byte, outcome Outcome) {
	w := &c.work
	defer w.release()
	w.now = c.Now
	text := record
	if !utf8.Valid(text) {
		w.mended = appendValid(w.mended[:0], text)
		text = w.mended
	}
	for i, s := range c.steps[:max(0, len(c.steps)-1)] {
		result, ok := s.apply(w, w.between[i%2][:0], text)
		if w.between[i%2] = result; !ok || len(result) > maxConvertedBytes {
			return c.refuse(dst, record, ok)
		}
		text = result
	}
	if len(c.steps) == 0 {
		return append(dst, text...), Converted
	}
	out, ok := c.steps[len(c.steps)-1].apply(w, dst, text)
	if !ok || len(out)-len(dst) > maxConvertedBytes {
		return c.refuse(dst, record, ok)
	}
	return out, Converted
}

// refuse ends a record that is not converted. What matched and grew too much is no reason to drop anything.
func (c *Converter) refuse(dst, record []byte, matched bool) (out []byte, outcome Outcome) {
	if c.strict && !matched {
		return dst, NoMatch
	}
	return append(dst, record...), Raw
}

// release lets go of buffers that one large record has made.
func (w *workspace) release() {
	for _, buffer := range []*[]byte{&w.mended, &w.between[0], &w.between[1]} {
		if cap(*buffer) > keptBytes {
			*buffer = nil
		}
	}
}

// spans returns n spans to write to.
func (w *workspace) spans(n int) []span {
	if cap(w.groups) < n {
		w.groups = make([]span, n)
	}
	return w.groups[:n]
}

// appendValid appends text with U+FFFD in place of each byte that is no UTF-8.
func appendValid(dst, text []byte) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		dst, text = utf8.AppendRune(dst, r), text[n:]
	}
	return dst
}

// withoutNewline is text without one line feed at its end.
func withoutNewline(text []byte) []byte {
	if n := len(text); n > 0 && text[n-1] == '\n' {
		return text[:n-1]
	}
	return text
}
