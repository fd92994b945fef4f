package redact

import "sluice/internal/record"

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
		i = skipSpace(doc, i)
		var opened bool
		switch c := at(doc, i); c {
		case '{', '[':
			if len(v.closers) == maxDepth {
				return false
			}
			v.closers = append(v.closers, c+2) // in ASCII, `}` stands two behind `{` and `]` two behind `[`
			if i = skipSpace(doc, i+1); at(doc, i) != c+2 {
				opened = true
			}
		case '"':
			i = stringBehind(doc, i)
		default:
			i = scalarBehind(doc, i)
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
		i = skipSpace(doc, i)
		last := len(v.closers) - 1
		switch {
		case last < 0:
			return i
		case at(doc, i) == v.closers[last]:
			v.closers = v.closers[:last]
			i++
		case at(doc, i) == ',':
			return skipSpace(doc, i+1)
		default:
			return -1
		}
	}
}

// nameBehind passes a name and its colon; -1 if there is none.
func nameBehind(doc []byte, i int) int {
	if at(doc, i) != '"' {
		return -1
	}
	if i = stringBehind(doc, i); i < 0 {
		return -1
	}
	if i = skipSpace(doc, i); at(doc, i) != ':' {
		return -1
	}
	return i + 1
}

// stringBehind passes the string whose quote is at i; -1 if it is no string.
func stringBehind(doc []byte, i int) int {
	for i++; ; {
		i += record.PlainRun(doc[min(i, len(doc)):])
		switch c := at(doc, i); {
		case c == '"':
			return i + 1
		case c == '\\':
			switch at(doc, i+1) {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
				i += 2
			case 'u':
				for n := range 4 {
					if !isHex(at(doc, i+2+n)) {
						return -1
					}
				}
				i += 6
			default:
				return -1
			}
		case c < ' ':
			return -1
		default:
			i++
		}
	}
}

// scalarBehind passes true, false, null or a number; -1 if there is none.
func scalarBehind(doc []byte, i int) int {
	for _, word := range [...]string{"true", "false", "null"} {
		if len(doc)-i >= len(word) && string(doc[i:i+len(word)]) == word {
			return i + len(word)
		}
	}
	return numberBehind(doc, i)
}

func numberBehind(doc []byte, i int) int {
	if at(doc, i) == '-' {
		i++
	}
	if at(doc, i) == '0' {
		i++
	} else if i = digitsBehind(doc, i); i < 0 {
		return -1
	}
	if at(doc, i) == '.' {
		if i = digitsBehind(doc, i+1); i < 0 {
			return -1
		}
	}
	if c := at(doc, i); c == 'e' || c == 'E' {
		i++
		if c := at(doc, i); c == '+' || c == '-' {
			i++
		}
		return digitsBehind(doc, i)
	}
	return i
}

// digitsBehind passes digits; -1 if there is none.
func digitsBehind(doc []byte, i int) int {
	if !isDigit(at(doc, i)) {
		return -1
	}
	for isDigit(at(doc, i)) {
		i++
	}
	return i
}

// at is a byte of doc; behind its end 0, which JSON has no place for.
func at(doc []byte, i int) byte {
	if i < len(doc) {
		return doc[i]
	}
	return 0
}

func skipSpace(doc []byte, i int) int {
	for i < len(doc) && isSpace(doc[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
