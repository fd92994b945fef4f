package process

import (
	"bytes"
	"regexp"

	"sluice/internal/record"
)

// isFiltered reports whether the filters leave a message out: one of Exclude matches somewhere in it, or there is an
// Include and none of it does. They see the text as it came, as those of the Datadog Forwarder do.
func (p *Processor) isFiltered(message record.Text) bool {
	if len(p.rules.Exclude)+len(p.rules.Include) == 0 {
		return false
	}
	text := message.Bytes
	if message.Escaped && bytes.IndexByte(text, '\\') >= 0 {
		p.scratch = message.AppendPlain(p.scratch[:0])
		text = p.scratch
	}
	if matchesAny(p.rules.Exclude, text) {
		return true
	}
	return len(p.rules.Include) > 0 && !matchesAny(p.rules.Include, text)
}

func matchesAny(patterns []*regexp.Regexp, text []byte) bool {
	for _, pattern := range patterns {
		if pattern.Match(text) {
			return true
		}
	}
	return false
}
