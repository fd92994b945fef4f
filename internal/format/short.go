package format

import (
	"encoding/binary"
	"math/bits"

	"sluice/internal/record"
)

// The columns of a line are many and short. What is written of each costs less if it is copied in pieces of a fixed size,
// which may hold more than is needed: what follows writes over the rest.
const (
	keyBytes   = 40
	headMask   = 63 // no head is longer
	shortBytes = 16
	wordBytes  = 8
)

// head is what stands in front of a value, `,"name":"`. The quote at its end is for texts alone.
type head struct {
	text  string
	bytes [keyBytes]byte // the same, if it is not longer
	n     int            // in use; 0 for one that is
}

func newHead(name string) head {
	h := head{text: string(append(appendKey(nil, []byte(name)), '"'))}
	if len(h.text) <= keyBytes {
		h.n = copy(h.bytes[:], h.text)
	}
	return h
}

// name is the name, escaped as in JSON.
func (h *head) name() string { return h.text[len(`,"`) : len(h.text)-len(`":"`)] }

// textOf writes a value as a string; nothing for an absent one. plain says that no byte of it needs an escape.
func (w *writer) textOf(h *head, value []byte, plain bool) {
	switch {
	case isAbsent(value):
	case plain:
		w.plain(h, value, len(`"`))
	default:
		w.escaped(h, value)
	}
}

// escaped writes a value as a string, whatever it is.
func (w *writer) escaped(h *head, value []byte) {
	w.dst = append(record.AppendEscaped(append(w.dst, h.text...), value), '"')
}

// numberOf writes a value as a number, or as a string if it is none; nothing for an absent one.
func (w *writer) numberOf(h *head, value []byte, plain bool) {
	if isNumber(value) {
		w.plain(h, value, 0)
	} else {
		w.textOf(h, value, plain)
	}
}

// plain writes a value that stands for itself, with so many quotes on each side: one for a string, none for a number.
func (w *writer) plain(h *head, value []byte, quotes int) {
	start := len(w.dst)
	need := keyBytes + max(len(value), shortBytes) + len(`"`)
	if h.n == 0 || cap(w.dst)-start < need {
		w.dst = append(append(w.dst, h.text[:len(h.text)-1+quotes]...), value...)
		w.dst = append(w.dst, `"`[:quotes]...)
		return
	}
	out := w.dst[start : start+need]
	*(*[keyBytes]byte)(out) = h.bytes
	n := h.n - 1 + quotes
	copyShort(out[n:], value)
	n += len(value)
	out[n] = '"'
	w.dst = w.dst[:start+n+quotes]
}

// othersThanDigits has the top bit set of each byte that is no digit. Bytes above one may be flagged wrongly.
func othersThanDigits(word uint64) uint64 {
	word ^= '0' * eachByte
	return (word + (topBits - 10*eachByte) | word) & topBits
}

// places has the top bit set of each byte of a word that is b. Bytes above one may be flagged wrongly.
func places(word uint64, b byte) uint64 {
	word ^= uint64(b) * eachByte
	return (word - eachByte) &^ word & topBits
}

// copyShort copies a value to out, which has room for shortBytes and for the value.
func copyShort(out, value []byte) {
	if len(value) <= shortBytes && cap(value) >= shortBytes {
		*(*[shortBytes]byte)(out) = *(*[shortBytes]byte)(value[:shortBytes])
		return
	}
	copy(out, value)
}

// scan returns where the first stop stands in text, its length where none does, and whether all before that stands for itself
// inside of a JSON string. It looks at eight bytes at once. stop is ASCII.
func scan(text []byte, stop byte) (end int, plain bool) {
	special := uint64(0)
	for end+wordBytes <= len(text) {
		word := binary.LittleEndian.Uint64(text[end:])
		marks := specials(word)
		if found := places(word, stop); found != 0 {
			special |= marks & (found&-found - 1) // what stands below the first stop
			return end + bits.TrailingZeros64(found)/8, special == 0
		}
		special |= marks
		end += wordBytes
	}
	for plain = special == 0; end < len(text) && text[end] != stop; end++ {
		plain = plain && isPlainByte(text[end])
	}
	return end, plain
}

// isPlain reports whether a value is the inside of a JSON string as it is. It looks at sixteen bytes at once.
func isPlain(value []byte) bool {
	found := uint64(0)
	for ; len(value) >= 2*wordBytes; value = value[2*wordBytes:] {
		found |= specials(binary.LittleEndian.Uint64(value)) | specials(binary.LittleEndian.Uint64(value[wordBytes:2*wordBytes]))
	}
	if len(value) >= wordBytes {
		found |= specials(binary.LittleEndian.Uint64(value))
		value = value[wordBytes:]
	}
	for _, c := range value {
		if !isPlainByte(c) {
			return false
		}
	}
	return found == 0
}

func isPlainByte(c byte) bool { return c >= ' ' && c != '"' && c != '\\' }

// Words of eight bytes.
const (
	eachByte = 0x0101_0101_0101_0101
	topBits  = 0x80 * eachByte
)

// specials has the top bit set of each byte that needs an escape; those beyond ASCII need none. Bytes above one that does may
// be flagged wrongly, as subtraction borrows upwards; those below it are not.
func specials(word uint64) uint64 {
	return marks(word, quoteForSpace, upToSpace) & topBits
}
