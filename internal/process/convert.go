package process

import (
	"bytes"
	"unicode/utf8"

	"sluice/internal/process/agent"
	"sluice/internal/record"
)

// convert applies the options of the Kinesis Agent to a message, and then cuts what is too large for its streams. It reports
// false when the record is to be dropped, as the agent would. The line feed that the agent puts behind a record is left out.
// The result is one text, even where it is a JSON object.
func (p *Processor) convert(r *record.Record) bool {
	text := p.plain(r.Message)
	outcome := agent.Raw
	if p.plan.converter == nil {
		p.converted = append(p.converted[:0], text...)
	} else if p.converted, outcome = p.plan.converter.Append(p.converted[:0], text); outcome == agent.Raw {
		r.Marks |= record.AgentRaw
	}
	switch outcome {
	case agent.NoMatch:
		return false
	case agent.Converted:
		r.Message, r.Structured = record.Plain(withoutNewline(p.converted)), false
	case agent.Raw: // the message stays, unless it is cut
	}
	if p.plan.steps.Truncate != nil {
		p.truncate(r, outcome == agent.Converted)
	}
	return true
}

// truncate cuts what was converted, or the message as it came, as the agent does: a line feed counts that stands behind it
// there.
func (p *Processor) truncate(r *record.Record, isConverted bool) {
	if n := len(p.converted); !isConverted && (n == 0 || p.converted[n-1] != '\n') {
		p.converted = append(p.converted, '\n')
	}
	cut, truncated := p.plan.steps.Truncate.Truncate(p.converted)
	if !truncated {
		return
	}
	r.Marks |= record.Truncated
	r.TruncatedBytes = len(p.converted) - len(cut)
	if cut = withoutNewline(cut); !utf8.Valid(cut) { // it was cut inside of a character
		cut = bytes.ToValidUTF8(cut, []byte("\uFFFD"))
		r.Marks |= record.UTF8Repaired
	}
	r.Message, r.Structured = record.Plain(cut), false
}

// withoutNewline is text without one line feed at its end.
func withoutNewline(text []byte) []byte { return bytes.TrimSuffix(text, []byte("\n")) }
