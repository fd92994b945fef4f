package lines

import (
	"encoding/binary"
	"math/bits"
)

// problem is why bytes are no JSON value. It is a number because it is made on the hot path, where most values have none.
type problem uint8

const (
	sound      problem = iota
	unfinished         // the bytes end before the value does: read on and look again
	noValue
	noName
	noColon
	noComma
	noListEnd
	badNumber
	badEscape
	rawControl
	tooDeep
	followed
	noBracket
	noArray
)

var problems = [...]string{
	sound:      "nothing is wrong",
	unfinished: "the stream ends inside a value",
	noValue:    "want a value",
	noName:     "want a member name",
	noColon:    "want a colon",
	noComma:    "want a comma or the end of the object",
	noListEnd:  "want a comma or the end of the array",
	badNumber:  "malformed number",
	badEscape:  "malformed escape in a string",
	rawControl: "raw control character in a string",
	tooDeep:    "nested deeper than 64",
	followed:   "text stands behind a single value",
	noBracket:  "want an object or an array",
	noArray:    "want an object with an array",
}

// scanner validates JSON (RFC 8259) except for UTF-8. It does not recurse: depth is data here, and data comes from outside.
// Its methods read from b[i] on and return where they stopped: behind what they read or, with a problem, at the fault.
type scanner struct {
	b       []byte
	depth   int    // of the objects and arrays that are open
	objects uint64 // bit 0: the innermost one is an object; bit 1: the one around it; …
}

// scan reads the value at the start of b, which is not white space. A value without brackets may go on behind b.
func scan(b []byte) (end int, p problem) {
	s := scanner{b: b}
	return s.value(0)
}

// value reads a value and what stands behind it, up to the end of the outermost object or array.
func (s *scanner) value(i int) (int, problem) {
	for {
		i = skipSpace(s.b, i)
		if i >= len(s.b) {
			return i, unfinished
		}
		var p problem
		switch c := s.b[i]; c {
		case '"':
			i, p = stringEnd(s.b, i+1)
		case '{', '[':
			var opened bool
			if i, opened, p = s.open(i); opened {
				continue
			}
		default:
			i, p = scalarEnd(s.b, i)
		}
		if p != sound {
			return i, p
		}
		if i, p = s.behind(i); p != sound || s.depth == 0 {
			return i, p
		}
	}
}

// open reads an opening bracket up to the first value, or an empty object or array.
func (s *scanner) open(i int) (next int, opened bool, p problem) {
	if s.depth == MaxDepth {
		return i, false, tooDeep
	}
	closer := s.b[i] + 2 // in ASCII, `}` stands two behind `{` and `]` two behind `[`
	if i = skipSpace(s.b, i+1); i >= len(s.b) {
		return i, false, unfinished
	}
	if s.b[i] == closer {
		return i + 1, false, sound
	}
	s.depth++
	s.objects <<= 1
	if closer == '}' {
		s.objects |= 1
		i, p = nameEnd(s.b, i)
	}
	return i, p == sound, p
}

// behind reads what stands behind a value: closing brackets, then a comma and, in an object, the next name.
func (s *scanner) behind(i int) (int, problem) {
	for s.depth > 0 {
		if i = skipSpace(s.b, i); i >= len(s.b) {
			return i, unfinished
		}
		switch inObject := s.objects&1 != 0; s.b[i] {
		case ',':
			if !inObject {
				return i + 1, sound
			}
			if i = skipSpace(s.b, i+1); i >= len(s.b) {
				return i, unfinished
			}
			return nameEnd(s.b, i)
		case '}':
			if !inObject {
				return i, noListEnd
			}
		case ']':
			if inObject {
				return i, noComma
			}
		default:
			if inObject {
				return i, noComma
			}
			return i, noListEnd
		}
		i++
		s.depth--
		s.objects >>= 1
	}
	return i, sound
}

// nameEnd reads `"name":`; there is a byte at i.
func nameEnd(b []byte, i int) (int, problem) {
	if b[i] != '"' {
		return i, noName
	}
	i, p := stringEnd(b, i+1)
	if p != sound {
		return i, p
	}
	if i = skipSpace(b, i); i >= len(b) {
		return i, unfinished
	}
	if b[i] != ':' {
		return i, noColon
	}
	return i + 1, sound
}

// stringEnd reads a string whose first byte behind the opening quote is at i. Most of the time goes here, so it looks at
// eight bytes at once.
func stringEnd(b []byte, i int) (int, problem) {
	for i < len(b) {
		if i+8 <= len(b) {
			stop := stops(binary.LittleEndian.Uint64(b[i:]))
			if stop == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(stop) / 8
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, sound
		case c == '\\':
			next, p := escapeEnd(b, i)
			if p != sound {
				return next, p
			}
			i = next
		case c < 0x20:
			return i, rawControl
		default:
			i++ // one of the last seven
		}
	}
	return i, unfinished
}

// textRun moves from i to the next byte that is a quote, a backslash or a control character.
func textRun(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		if stop := stops(binary.LittleEndian.Uint64(b[i:])); stop != 0 {
			return i + bits.TrailingZeros64(stop)/8
		}
	}
	for i < len(b) && b[i] >= 0x20 && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stops has the high bit set in the lowest byte of w that is a quote, a backslash or a control character.
//
// A byte gets its high bit by a subtraction if it is smaller than what is subtracted. So may bytes above it, by borrowing,
// but only the lowest one counts. Bytes beyond ASCII had theirs before: &^ leaves them out.
func stops(w uint64) uint64 {
	backslash := w ^ (ones * '\\')
	controlOrQuote := w ^ (ones * 2) // `"` stands right behind the control characters now, which stay among themselves
	return ((controlOrQuote-ones*0x21)&^w | (backslash-ones)&^backslash) & highs
}

// escapes tells how many hex digits follow the letter behind a backslash, plus one; 0 for letters that may not stand there.
var escapes = [256]uint8{'"': 1, '\\': 1, '/': 1, 'b': 1, 'f': 1, 'n': 1, 'r': 1, 't': 1, 'u': 5}

// escapeEnd reads an escape whose backslash is at i.
func escapeEnd(b []byte, i int) (int, problem) {
	if i+1 >= len(b) {
		return i, unfinished
	}
	n := int(escapes[b[i+1]])
	if n == 1 {
		return i + 2, sound
	}
	if n == 0 {
		return i, badEscape
	}
	for _, c := range b[i+2 : min(i+1+n, len(b))] {
		if isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' {
			continue
		}
		return i, badEscape
	}
	if i+1+n > len(b) {
		return i, unfinished
	}
	return i + 1 + n, sound
}

// scalarEnd reads a number, true, false or null; there is a byte at i. A number that ends with b may go on behind it.
func scalarEnd(b []byte, i int) (int, problem) {
	switch c := b[i]; {
	case c == '-' || isDigit(c):
		return numberEnd(b, i)
	case c == '"':
		return stringEnd(b, i+1)
	case c == 't':
		return wordEnd(b, i, "true")
	case c == 'f':
		return wordEnd(b, i, "false")
	case c == 'n':
		return wordEnd(b, i, "null")
	}
	return i, noValue
}

func wordEnd(b []byte, i int, word string) (int, problem) {
	n := min(len(word), len(b)-i)
	if string(b[i:i+n]) != word[:n] {
		return i, noValue
	}
	if n < len(word) {
		return i, unfinished
	}
	return i + n, sound
}

// numberEnd reads a number (RFC 8259, section 6).
func numberEnd(b []byte, i int) (int, problem) {
	if b[i] == '-' {
		i++
	}
	whole := i
	if i = digitsEnd(b, i); i == whole {
		return missingDigits(b, i)
	}
	if b[whole] == '0' && i > whole+1 {
		return whole, badNumber
	}
	if i < len(b) && b[i] == '.' {
		fraction := i + 1
		if i = digitsEnd(b, fraction); i == fraction {
			return missingDigits(b, i)
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		exponent := i + 1
		if exponent < len(b) && (b[exponent] == '+' || b[exponent] == '-') {
			exponent++
		}
		if i = digitsEnd(b, exponent); i == exponent {
			return missingDigits(b, i)
		}
	}
	return i, sound
}

func missingDigits(b []byte, i int) (int, problem) {
	if i >= len(b) {
		return i, unfinished
	}
	return i, badNumber
}

func digitsEnd(b []byte, i int) int {
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// skipSpace moves from i over white space, of which there is usually none.
func skipSpace(b []byte, i int) int {
	if i < len(b) && b[i] <= ' ' {
		return i + space(b[i:])
	}
	return i
}

// space is the length of the white space of JSON at the start of b.
func space(b []byte) int {
	for i, c := range b {
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return i
		}
	}
	return len(b)
}
