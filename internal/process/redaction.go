package process

import (
	"encoding/json"

	"sluice/internal/jsonwalk"
	"sluice/internal/record"
)

// redact replaces text in the message and in the members of a record. What it puts there is valid until the next record.
func (p *Processor) redact(r *record.Record) {
	altered := len(r.Members) > 0 && p.redactMembers(r) > 0
	message, hits := p.redactor.Message(r.Message) // last: it is a view of the redactor's buffer
	if hits > 0 {
		altered, r.Message = true, message
		if r.Structured && !json.Valid(message.Bytes) { // too deep to be redacted by its values: it is one text now
			r.Structured = false
		}
	}
	if altered {
		r.Marks |= record.Redacted
	}
}

// redactMembers redacts the values of members, such as the `extractedFields` of a message. The list belongs to the source,
// which may use it for the next record too, so it is changed in a copy.
func (p *Processor) redactMembers(r *record.Record) (hits int) {
	p.values = p.values[:0]
	for i, m := range r.Members {
		start := len(p.values)
		out, n := p.appendValue(p.values, m.Value)
		if n == 0 {
			p.values = out[:start]
			continue
		}
		if hits == 0 {
			p.members = append(p.members[:0], r.Members...)
			r.Members = p.members
		}
		r.Members[i].Value = out[start:len(out):len(out)]
		p.values, hits = out, hits+n
	}
	return hits
}

// appendValue appends a JSON value redacted. One that is too deep to be read becomes a string.
func (p *Processor) appendValue(dst, value []byte) (out []byte, hits int) {
	start := len(dst)
	if out, hits, ok := p.redactor.AppendJSON(dst, value); ok {
		return out, hits
	}
	if p.scratch, hits = p.redactor.AppendText(p.scratch[:0], value); hits == 0 {
		return append(dst[:start], value...), 0
	}
	dst = append(dst[:start], '"')
	dst = record.AppendEscaped(dst, p.scratch)
	return append(dst, '"'), hits
}

// AppendItem appends an item that somebody else has encoded for Datadog, a JSON object, with its values redacted: the
// `message` as the message of a record, the others one by one. Without a hit it appends nothing.
func (p *Processor) AppendItem(dst, item []byte) (out []byte, hits int) {
	if p.redactor == nil {
		return dst, 0
	}
	start := len(dst)
	dst = append(dst, '{')
	members := jsonwalk.Object(item)
	for members.Next() {
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(record.AppendEscaped(append(dst, '"'), members.Name()), `":`...)
		var n int
		if value := members.Value(); string(members.Name()) == "message" {
			dst, n = p.appendMessage(dst, value)
		} else {
			dst, n = p.appendValue(dst, value)
		}
		hits += n
	}
	switch {
	case members.Err() != nil:
		return p.appendValue(dst[:start], item)
	case hits == 0:
		return dst[:start], 0
	}
	return append(dst, '}'), hits
}

// appendMessage is appendValue for a message: JSON in a string is redacted by its values.
func (p *Processor) appendMessage(dst, value []byte) (out []byte, hits int) {
	if len(value) < 2 || value[0] != '"' {
		return p.appendValue(dst, value)
	}
	text, hits := p.redactor.Message(record.Escaped(value[1 : len(value)-1]))
	return append(text.AppendJSON(append(dst, '"')), '"'), hits
}
