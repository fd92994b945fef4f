package process

import (
	"encoding/json"

	"sluice/internal/jsonwalk"
	"sluice/internal/record"
)

const (
	maxElements = 10_000 // of an array that is expanded: a few MB of records
	// maxCopiedBytes bounds what expansion adds to a message: each element is sent with all members beside the message.
	maxCopiedBytes = 4 << 20
	keptElements   = 1 << 10
)

// expand makes a record of each element of the array that the settings name, in place of the one that holds it, in p.out. Its
// message is the bytes of the element. A message that is no JSON object, or holds no array there, or an empty one, stays as
// it is, and so does one with too many elements for what stands beside it, which is marked.
func (p *Processor) expand(r *record.Record) {
	array := p.arrayIn(r)
	if array == nil {
		return
	}
	if cap(p.elements) > keptElements {
		p.elements = nil
	}
	p.elements = p.elements[:0]
	most := mostElements(r.Members)
	elements := jsonwalk.Array(array)
	for elements.Next() {
		if len(p.elements) == most {
			r.Marks |= record.NotExpanded
			return
		}
		p.elements = append(p.elements, *r)
		element := &p.elements[len(p.elements)-1]
		element.Message = record.Plain(elements.Value())
		element.Structured = r.Structured && elements.First() == '{'
		element.Index = indexOf(r, len(p.elements)-1)
	}
	if len(p.elements) == 0 {
		return
	}
	p.out = p.out[:0]
	for i := range p.elements {
		p.out = append(p.out, &p.elements[i])
	}
}

// mostElements is how many elements of a message with these members may become records: their copies are bounded. One is
// none.
func mostElements(members []record.Member) int {
	each := 0
	for _, m := range members {
		each += len(m.Name) + len(m.Value)
	}
	return min(maxElements, 1+maxCopiedBytes/max(each, 1))
}

// indexOf numbers the elements of a record. The first has the record's own number, and so its id. Other records of a CloudWatch
// event there are none; those beside a line have the numbers that follow its own, but never so many.
func indexOf(r *record.Record, element int) int {
	const manyLines = 32 // bits
	switch {
	case element == 0:
		return r.Index
	case r.Origin.Kind == record.CloudWatch:
		return element
	}
	return (r.Index+1)<<manyLines + element
}

// arrayIn returns the array that is to be expanded, as JSON text; nil where a message has none. It is a view of the message
// or of p.document.
func (p *Processor) arrayIn(r *record.Record) []byte {
	text := r.Message.Bytes
	if i := firstOf(text); i < 0 || text[i] != '{' {
		return nil
	}
	if r.Message.Escaped {
		p.document = r.Message.AppendPlain(p.document[:0])
		text = p.document
	}
	value := text
	for _, name := range p.plan.steps.Expand {
		value, _ = firstMember(value, name)
	}
	if len(value) == 0 || value[0] != '[' || !r.Structured && !json.Valid(text) {
		return nil
	}
	return value
}
