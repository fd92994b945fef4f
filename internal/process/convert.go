package process

import (
	"bytes"
	"unicode/utf8"

	"sluice/internal/process/agent"
	"sluice/internal/record"
)

// convert applies the options of the Kinesis Agent to a message. It reports false when the record is to be dropped, as the
// agent would. The line feed that the agent puts behind a record is left out. The result is one text, even where it is a JSON
// object.
func (p *Processor) convert(r *record.Record) bool {
	var outcome agent.Outcome
	p.converted, outcome = p.plan.converter.Append(p.converted[:0], p.plain(r.Message))
	switch outcome {
	case agent.NoMatch:
		return false
	case agent.Converted:
		text := withoutNewline(p.converted)
		p.unended = len(text) == len(p.converted)
		r.Message, r.Structured = record.Plain(text), false
	case agent.Raw: // the message stays
		r.Marks |= record.AgentRaw
	}
	return true
}

// truncateMessages cuts the messages of p.out that are too large for the agent's streams. What it puts there is valid until
// the next record.
func (p *Processor) truncateMessages() {
	p.cut = p.cut[:0]
	for _, r := range p.out {
		p.truncate(r)
	}
}

// truncate cuts a message as the agent does: a line feed counts that stands behind it there. What was cut is at the end of
// p.cut, which keeps nothing of a message that fits.
func (p *Processor) truncate(r *record.Record) {
	start := len(p.cut)
	p.cut = append(p.cut, p.plain(r.Message)...)
	if !p.unended && !bytes.HasSuffix(p.cut[start:], []byte("\n")) {
		p.cut = append(p.cut, '\n')
	}
	text := p.cut[start:]
	cut, truncated := p.plan.steps.Truncate.Truncate(text)
	if !truncated {
		p.cut = p.cut[:start]
		return
	}
	p.cut = p.cut[:start+len(cut)]
	r.Marks |= record.Truncated
	r.TruncatedBytes = len(text) - len(cut)
	if cut = withoutNewline(cut); !utf8.Valid(cut) { // it was cut inside of a character
		cut = bytes.ToValidUTF8(cut, []byte("\uFFFD"))
		r.Marks |= record.UTF8Repaired
	}
	r.Message, r.Structured = record.Plain(cut), false
}

// withoutNewline is text without one line feed at its end.
func withoutNewline(text []byte) []byte { return bytes.TrimSuffix(text, []byte("\n")) }
