package format

import (
	"sluice/internal/jsontoken"
	"sluice/internal/jsonwalk"
)

// span is a member of a document, with the comma behind it.
type span struct {
	start, end int
	again      bool // its name comes again
}

// repeated finds the members of a document whose names come again in their objects.
type repeated struct {
	doc     []byte // valid, without white space between tokens
	at      int
	members []span // in the order in which they begin
}

// dropRepeated cuts out of the object that dst has from start on every member whose name comes again in its object, inner
// objects too: the last one counts, as in the readers of most languages. The object is valid, without white space between
// tokens, and no deeper than maxDepth.
func dropRepeated(dst []byte, start int) []byte {
	r := repeated{doc: dst[start:]}
	r.value()
	out, from := dst[:start], 0
	for _, m := range r.members {
		if !m.again || m.start < from {
			continue // or inside of one that is cut out
		}
		out = append(out, r.doc[from:m.start]...)
		from = m.end
	}
	return append(out, r.doc[from:]...)
}

func (r *repeated) value() {
	switch r.doc[r.at] {
	case '{':
		r.object()
	case '[':
		r.at++
		for r.doc[r.at] != ']' {
			r.value()
			r.comma()
		}
		r.at++
	case '"':
		r.at = jsontoken.PastString(r.doc, r.at)
	default:
		r.at = jsontoken.PastScalar(r.doc, r.at)
	}
}

func (r *repeated) object() {
	seen := map[string]int{} // places in members
	r.at++
	for r.doc[r.at] != '}' {
		start, n := r.at, len(r.members)
		r.members = append(r.members, span{start: start})
		r.at = jsontoken.PastString(r.doc, start)
		name, _ := jsonwalk.Text(r.doc[start:r.at])
		r.at++
		r.value()
		r.comma()
		r.members[n].end = r.at
		if earlier, ok := seen[string(name)]; ok {
			r.members[earlier].again = true
		}
		seen[string(name)] = n
	}
	r.at++
}

func (r *repeated) comma() {
	if r.doc[r.at] == ',' {
		r.at++
	}
}
