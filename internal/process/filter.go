package process

import (
	"bytes"
	"regexp"

	"sluice/internal/format"
	"sluice/internal/jsonwalk"
	"sluice/internal/record"
	"sluice/internal/service"
)

// isFiltered reports whether the filters leave a record out: one of Exclude matches somewhere in the message, or there is
// an Include and none of it does, and the same of attributes. They see the text as it came, as those of the Datadog
// Forwarder do.
func (p *Processor) isFiltered(r *record.Record) bool {
	s := p.plan.steps
	where := len(s.ExcludeWhere)+len(s.IncludeWhere) > 0
	if len(s.Exclude)+len(s.Include) == 0 && !where {
		return false
	}
	text := p.plain(r.Message)
	if matchesAny(s.Exclude, text) || len(s.Include) > 0 && !matchesAny(s.Include, text) {
		return true
	}
	return where && p.isFilteredByAttributes(r, text)
}

func matchesAny(patterns []*regexp.Regexp, text []byte) bool {
	for _, pattern := range patterns {
		if pattern.Match(text) {
			return true
		}
	}
	return false
}

func (p *Processor) isFilteredByAttributes(r *record.Record, text []byte) bool {
	s := p.plan.steps
	line := attributes{p: p, record: r, text: text}
	if line.anyHolds(s.ExcludeWhere) {
		return true
	}
	return len(s.IncludeWhere) > 0 && !line.anyHolds(s.IncludeWhere)
}

// attributes is what the conditions look at in one record. The message is read when the first condition asks.
type attributes struct {
	p      *Processor
	record *record.Record
	text   []byte // of the message, plain

	read    bool
	object  []byte // the message, if it is an object
	columns []byte // what package format says that the line holds, as an object
}

func (a *attributes) anyHolds(conditions []Condition) bool {
	for i := range conditions {
		if a.holds(&conditions[i]) {
			return true
		}
	}
	return false
}

func (a *attributes) holds(c *Condition) bool {
	if !a.read {
		a.read = true
		a.object = objectIn(a.text)
		a.columns = a.p.columnsOf(a.record, a.text)
	}
	if c.holdsInObject(a.object, c.Attribute) || c.holdsInObject(a.columns, c.Attribute) {
		return true
	}
	for _, m := range a.record.Members {
		name := m.Name
		if bytes.IndexByte(name, '\\') >= 0 {
			name = record.AppendUnescaped(nil, name)
		}
		if c.holdsInMember(name, m.Value, c.Attribute) {
			return true
		}
	}
	return false
}

// columnsOf returns what a line says, by the names of its service, as a JSON object; nil where its log is not known, or the
// line is not as its lines are. It is valid until the next call.
func (p *Processor) columnsOf(r *record.Record, text []byte) []byte {
	if r.Origin.Log == "" {
		return nil
	}
	if p.attributes == nil {
		p.attributes = format.NewAttributes(format.AWS)
	}
	columns, ok := p.attributes.Append(p.columns[:0], service.Log(r.Origin.Log), r.Columns, text)
	p.columns = columns
	if !ok {
		return nil
	}
	return columns
}

// objectIn returns text if it is a JSON object and no more, as far as brackets tell; else nil.
func objectIn(text []byte) []byte {
	if i := firstOf(text); i < 0 || text[i] != '{' {
		return nil
	}
	members := jsonwalk.Object(text)
	for members.Next() {
		members.Value()
	}
	if rest := members.Rest(); rest == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil
	}
	return text
}

// holdsInObject reports whether the condition holds for what path leads to in an object. A name may have dots of its own.
// Each level takes a part of the path, so none is looked into that is deeper than the path is long.
func (c *Condition) holdsInObject(object []byte, path string) bool {
	if len(object) == 0 {
		return false
	}
	members := jsonwalk.Object(object)
	for members.Next() {
		if name := members.Name(); leadsInto(name, path) && c.holdsInMember(name, members.Value(), path) {
			return true
		}
	}
	return false
}

// leadsInto reports whether path begins with a member's name, to its end or to a dot.
func leadsInto(name []byte, path string) bool {
	return len(path) >= len(name) && path[:len(name)] == string(name) && (len(path) == len(name) || path[len(name)] == '.')
}

// holdsInMember is holdsInObject for one member.
func (c *Condition) holdsInMember(name, value []byte, path string) bool {
	if len(value) == 0 || !leadsInto(name, path) {
		return false
	}
	rest := path[len(name):]
	if value[0] != '[' {
		return c.holdsFor(value, rest)
	}
	elements := jsonwalk.Array(value)
	for elements.Next() {
		if c.holdsFor(elements.Value(), rest) {
			return true
		}
	}
	return false
}

// holdsFor reports whether the condition holds for a value or, where rest goes on from it, for one in it.
func (c *Condition) holdsFor(value []byte, rest string) bool {
	if rest != "" {
		return len(value) > 0 && value[0] == '{' && c.holdsInObject(value, rest[len("."):])
	}
	if len(value) == 0 {
		return false
	}
	switch value[0] {
	case '{', '[', 'n': // neither objects, arrays nor null have a text
		return false
	case '"':
		text, ok := jsonwalk.Text(value)
		return ok && c.Pattern.Match(text)
	}
	return c.Pattern.Match(value)
}
