package process

import (
	"encoding/json"

	"sluice/internal/jsonwalk"
	"sluice/internal/process/redact"
	"sluice/internal/record"
)

// redactMessages replaces text in the messages of p.out. What it puts there is valid until the next record.
func (p *Processor) redactMessages() {
	p.redacted = p.redacted[:0]
	for _, r := range p.out {
		under := ""
		if r.Marks&record.NotExpanded != 0 {
			under = p.plan.expands
		}
		message, hits := p.plan.redactor.MessageUnder(under, r.Message)
		if hits == 0 {
			continue
		}
		if len(p.out) > 1 { // it is a view of the redactor's buffer, which the next message needs
			start := len(p.redacted)
			p.redacted = append(p.redacted, message.Bytes...)
			message = record.Plain(p.redacted[start:len(p.redacted):len(p.redacted)])
		}
		r.Message = message
		r.Marks |= record.Redacted
		if r.Structured && !json.Valid(message.Bytes) { // too deep to be redacted by its values: it is one text now
			r.Structured = false
		}
	}
}

// redactMembers redacts the values of members, such as the `extractedFields` of a message. The list belongs to the source,
// which may use it for the next record too, so it is changed in a copy.
func (p *Processor) redactMembers(r *record.Record) {
	p.values = p.values[:0]
	redacted := false
	for i, m := range r.Members {
		start := len(p.values)
		out, n := p.appendValue(p.values, p.plan.redactor, m.Name, m.Value)
		if n == 0 {
			p.values = out[:start]
			continue
		}
		if !redacted {
			p.members = append(p.members[:0], r.Members...)
			r.Members = p.members
			r.Marks |= record.Redacted
		}
		r.Members[i].Value = out[start:len(out):len(out)]
		p.values, redacted = out, true
	}
}

// appendValue appends a JSON value redacted, as that of a member whose name stands as it does in JSON; nil is that of none.
// One that is too deep to be read becomes a string.
func (p *Processor) appendValue(dst []byte, redactor *redact.Redactor, name, value []byte) (out []byte, hits int) {
	start := len(dst)
	var ok bool
	if name == nil {
		out, hits, ok = redactor.AppendJSON(dst, value)
	} else {
		out, hits, ok = redactor.AppendMember(dst, name, value)
	}
	if ok {
		return out, hits
	}
	if p.scratch, hits = redactor.AppendText(p.scratch[:0], value); hits == 0 {
		return append(dst[:start], value...), 0
	}
	dst = append(dst[:start], '"')
	dst = record.AppendEscaped(dst, p.scratch)
	return append(dst, '"'), hits
}

// AppendItem appends an item that somebody else has encoded for Datadog, a JSON object, with its values redacted: the
// `message` as the message of a record, the others one by one. Without a hit it appends nothing. The rules are those
// of all routes, as nobody knows which one it had.
func (p *Processor) AppendItem(dst, item []byte) (out []byte, hits int) {
	redactor := p.redactorOf(p.rules.RedactAll)
	if redactor == nil {
		return dst, 0
	}
	start := len(dst)
	dst = append(dst, '{')
	members := jsonwalk.Object(item)
	for members.Next() {
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		p.name = record.AppendEscaped(p.name[:0], members.Name())
		dst = append(append(append(dst, '"'), p.name...), `":`...)
		var n int
		if value := members.Value(); string(members.Name()) == "message" {
			dst, n = p.appendMessage(dst, redactor, value)
		} else {
			dst, n = p.appendValue(dst, redactor, p.name, value)
		}
		hits += n
	}
	switch {
	case members.Err() != nil:
		return p.appendValue(dst[:start], redactor, nil, item)
	case hits == 0:
		return dst[:start], 0
	}
	return append(dst, '}'), hits
}

// appendMessage is appendValue for a message: JSON in a string is redacted by its values.
func (p *Processor) appendMessage(dst []byte, redactor *redact.Redactor, value []byte) (out []byte, hits int) {
	if len(value) < 2 || value[0] != '"' {
		return p.appendValue(dst, redactor, []byte("message"), value)
	}
	text, hits := redactor.Message(record.Escaped(value[1 : len(value)-1]))
	return append(text.AppendJSON(append(dst, '"')), '"'), hits
}
