package redact

import "sluice/internal/jsontoken"

// maxDepth bounds how deep objects and arrays may stand in each other, as in encoding/json.
const maxDepth = 10_000

// validator tells JSON from other text, as json.Valid does, and allocates nothing. Whether it is UTF-8 is not judged.
type validator struct {
	closers []byte // of the objects and arrays that are open
}

// isValid reports whether doc is one JSON value (RFC 8259).
func (v *validator) isValid(doc []byte) bool {
	v.closers = v.closers[:0]
	for i := 0; ; {
		i = jsontoken.PastSpace(doc, i)
		var opened bool
		switch c := jsontoken.At(doc, i); c {
		case '{', '[':
			if len(v.closers) == maxDepth {
				return false
			}
			v.closers = append(v.closers, c+2) // in ASCII, `}` stands two behind `{` and `]` two behind `[`
			if i = jsontoken.PastSpace(doc, i+1); jsontoken.At(doc, i) != c+2 {
				opened = true
			}
		case '"':
			i = jsontoken.PastString(doc, i)
		default:
			i = jsontoken.PastScalar(doc, i)
		}
		if !opened && i >= 0 {
			i = v.behindValue(doc, i)
		}
		switch {
		case i < 0:
			return false
		case len(v.closers) == 0:
			return i == len(doc)
		case v.closers[len(v.closers)-1] == '}':
			if i = nameBehind(doc, i); i < 0 {
				return false
			}
		}
	}
}

// behindValue passes the brackets that close behind a value, or in place of one, and the comma behind them. It returns
// where the next value or name is, the end of doc when nothing is open any more, or -1.
func (v *validator) behindValue(doc []byte, i int) int {
	for {
		i = jsontoken.PastSpace(doc, i)
		last := len(v.closers) - 1
		switch {
		case last < 0:
			return i
		case jsontoken.At(doc, i) == v.closers[last]:
			v.closers = v.closers[:last]
			i++
		case jsontoken.At(doc, i) == ',':
			return jsontoken.PastSpace(doc, i+1)
		default:
			return -1
		}
	}
}

// nameBehind passes a name and its colon; -1 if there is none.
func nameBehind(doc []byte, i int) int {
	if jsontoken.At(doc, i) != '"' {
		return -1
	}
	if i = jsontoken.PastString(doc, i); i < 0 {
		return -1
	}
	if i = jsontoken.PastSpace(doc, i); jsontoken.At(doc, i) != ':' {
		return -1
	}
	return i + 1
}
