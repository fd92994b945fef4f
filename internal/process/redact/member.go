package redact

import (
	"bytes"

	"sluice/internal/record"
)

// maxNested bounds how deep documents in strings of documents are looked into for members.
const maxNested = 3

// enter goes to a member.
func (r *Redactor) enter(n name) {
	p := &r.position
	p.names, p.isFresh = append(p.names, n), true
	called, isCalled := p.alias()
	for _, i := range r.compiled.scoped {
		if p.entered[i] > 0 {
			continue
		}
		s := r.rules[i].scope
		if s.holds(p.names, r.under, p.plain) || isCalled && s.member != nil && bytes.EqualFold(p.plain(called), s.member) {
			p.entered[i] = len(p.names)
		}
	}
}

// ruleForAll returns the first rule that replaces the object or array at hand as a whole; -1 for none.
func (r *Redactor) ruleForAll() (rule int, all everything) {
	for _, i := range r.compiled.scoped {
		if all, is := r.rules[i].matcher.(everything); is && r.position.entered[i] > 0 {
			return i, all
		}
	}
	return -1, all
}

// replaceAll replaces the object or array doc[start:end].
func (r *Redactor) replaceAll(d *document, rule int, all everything, start, end int) {
	text := all.replacement
	if len(text)-(end-start) > r.room {
		text = []byte(tooLong)
	}
	r.counts[rule]++
	r.room -= len(text) - (end - start)
	d.upTo(start, end, 1)
	d.out = record.AppendEscaped(append(d.out, '"'), text)
	d.out = append(d.out, '"')
}

// replaceNested redacts the members of JSON that stands in a string, for rules that name members.
func (r *Redactor) replaceNested(text []byte) (out []byte, hits int) {
	if len(r.compiled.members) == 0 || r.level == maxNested || !isBracketed(text) {
		return text, 0
	}
	if r.nested == nil {
		r.nested = New(r.compiled.ofMembers())
		r.nested.level = r.level + 1
	}
	n := r.nested
	if !n.probe(text) {
		return text, 0
	}
	n.room = r.room
	out, hits, ok := n.appendValues(n.output[:0], text)
	n.output = out
	r.room = n.room
	for at, i := range r.compiled.members {
		r.counts[i] += n.counts[at]
	}
	n.Reset()
	if !ok || hits == 0 {
		return text, 0
	}
	return out, hits
}
