package format

import (
	"cmp"
	"slices"

	"sluice/internal/jsonwalk"
)

// span is a part of a document.
type span struct{ start, end int }

// repeated finds the members of a document whose names come again in their objects.
type repeated struct {
	doc  []byte // valid, without white space between tokens
	at   int
	cuts []span // members, each with the comma behind it
}

// dropRepeated cuts out of the object that dst has from start on every member whose name comes again in its object, inner
// objects too: the last one counts, as in the readers of most languages. The object is valid, without white space between
// tokens, and no deeper than maxDepth.
func dropRepeated(dst []byte, start int) []byte {
	r := repeated{doc: dst[start:]}
	r.value()
	slices.SortFunc(r.cuts, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	out, from := dst[:start], 0
	for _, cut := range r.cuts {
		if cut.start < from {
			continue // inside of one that is cut out
		}
		out = append(out, r.doc[from:cut.start]...)
		from = cut.end
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
		r.at = stringBehind(r.doc, r.at)
	default:
		r.at = scalarBehind(r.doc, r.at)
	}
}

func (r *repeated) object() {
	seen := map[string]span{}
	r.at++
	for r.doc[r.at] != '}' {
		start := r.at
		r.at = stringBehind(r.doc, start)
		name, _ := jsonwalk.Text(r.doc[start:r.at])
		r.at++
		r.value()
		r.comma()
		if earlier, ok := seen[string(name)]; ok {
			r.cuts = append(r.cuts, earlier)
		}
		seen[string(name)] = span{start, r.at}
	}
	r.at++
}

func (r *repeated) comma() {
	if r.doc[r.at] == ',' {
		r.at++
	}
}
