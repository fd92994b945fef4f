package format

import "encoding/binary"

// The columns of a line are many and short. What is written of each costs less if it is copied in pieces of a fixed size,
// which may hold more than is needed: what follows writes over the rest.
const (
	keyBytes   = 32
	shortBytes = 16
	wordBytes  = 8
)

// head is a key with the quote that opens a text behind it.
type head struct {
	bytes [keyBytes]byte
	n     int // in use; 0 for a key that is too long
}

func newHead(name string) (h head) {
	if len(name) < keyBytes {
		h.n = copy(h.bytes[:], name+`"`)
	}
	return h
}

// textOf writes the value of a column as a string; nothing for an absent one.
func (w *writer) textOf(f *field, value []byte) {
	if isAbsent(value) {
		return
	}
	h, start := &f.heads[w.naming], len(w.dst)
	need := keyBytes + max(len(value), shortBytes) + len(`"`)
	if h.n == 0 || cap(w.dst)-start < need || !isPlain(value) {
		w.quoted(f.keys[0][w.naming], value)
		return
	}
	out := w.dst[start : start+need]
	*(*[keyBytes]byte)(out) = h.bytes
	copyShort(out[h.n:], value)
	out[h.n+len(value)] = '"'
	w.dst = w.dst[:start+h.n+len(value)+len(`"`)]
}

// numberOf writes the value of a column as a number, or as a string if it is none; nothing for an absent one.
func (w *writer) numberOf(f *field, value []byte) {
	h, start := &f.heads[w.naming], len(w.dst)
	const need = keyBytes + shortBytes
	if h.n == 0 || cap(w.dst)-start < need || !isShortNumber(value) {
		w.number(f.keys[0], value)
		return
	}
	out := w.dst[start : start+need]
	*(*[keyBytes]byte)(out) = h.bytes
	n := h.n - len(`"`)
	copyShort(out[n:], value)
	w.dst = w.dst[:start+n+len(value)]
}

// copyShort copies a value to out, which has room for shortBytes and for the value.
func copyShort(out, value []byte) {
	if len(value) <= shortBytes && cap(value) >= shortBytes {
		*(*[shortBytes]byte)(out) = *(*[shortBytes]byte)(value[:shortBytes])
		return
	}
	copy(out, value)
}

// isShortNumber reports whether a value is a whole number of few digits. It may say no where isNumber says yes.
func isShortNumber(value []byte) bool {
	if len(value) == 0 || len(value) > maxNumberBytes || cap(value) < shortBytes || value[0] == '0' && len(value) > 1 {
		return false
	}
	if len(value) <= wordBytes {
		return areDigits(firstBytes(value, '0'))
	}
	return areDigits(binary.LittleEndian.Uint64(value)) && areDigits(binary.LittleEndian.Uint64(value[len(value)-wordBytes:]))
}

// areDigits reports whether all eight bytes are digits.
func areDigits(word uint64) bool {
	const (
		ones   = 0x0101_0101_0101_0101
		high   = 0xf0 * ones
		digits = '0' * ones
	)
	return word&high == digits && (word+6*ones)&high == digits
}

// firstBytes is a value of no more than eight bytes, and the byte that fills it up. The value has room for eight.
func firstBytes(value []byte, fill uint64) uint64 {
	const ones = 0x0101_0101_0101_0101
	rest := ^uint64(0) << (8 * len(value)) // 0 for all eight
	return binary.LittleEndian.Uint64(value[:wordBytes])&^rest | fill*ones&rest
}

// isPlain reports whether a value is the inside of a JSON string as it is. It looks at eight bytes at once, the last of
// them twice if need be.
func isPlain(value []byte) bool {
	if len(value) < wordBytes {
		if cap(value) >= wordBytes {
			return isPlainWord(firstBytes(value, ' '))
		}
		for _, c := range value {
			if c < ' ' || c == '"' || c == '\\' {
				return false
			}
		}
		return true
	}
	last := len(value) - wordBytes
	for i := 0; i < last; i += wordBytes {
		if !isPlainWord(binary.LittleEndian.Uint64(value[i:])) {
			return false
		}
	}
	return isPlainWord(binary.LittleEndian.Uint64(value[last:]))
}

// isPlainWord reports whether none of the eight bytes needs an escape. Those beyond ASCII need none. Where one does, the
// lowest of them is seen: nothing below it borrows.
func isPlainWord(word uint64) bool {
	const (
		ones  = 0x0101_0101_0101_0101
		tops  = 0x80 * ones
		blank = ' ' * ones
		quote = '"' * ones
		slash = '\\' * ones
	)
	quotes, slashes := word^quote, word^slash
	return ((word-blank)|(quotes-ones)|(slashes-ones))&^word&tops == 0
}
