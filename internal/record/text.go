package record

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// Text is a piece of text that knows whether it is already the inside of a JSON string.
//
// A CloudWatch message arrives escaped and leaves escaped: its bytes are validated and copied, never unescaped and
// escaped again. Whoever needs the plain text asks for it and pays. Both forms are valid UTF-8; an escaped text has no
// raw control character, quote or lone backslash, and no escape of half a surrogate pair.
type Text struct {
	Bytes   []byte
	Escaped bool
}

// Plain returns text as it is read: nothing in it is an escape.
func Plain(b []byte) Text { return Text{Bytes: b} }

// Escaped returns the inside of a JSON string, which the caller has validated.
func Escaped(b []byte) Text { return Text{Bytes: b, Escaped: true} }

// AppendJSON appends the text as the inside of a JSON string, without quotes.
func (t Text) AppendJSON(dst []byte) []byte {
	if t.Escaped {
		return append(dst, t.Bytes...)
	}
	return AppendEscaped(dst, t.Bytes)
}

// AppendPlain appends the text itself.
func (t Text) AppendPlain(dst []byte) []byte {
	if !t.Escaped {
		return append(dst, t.Bytes...)
	}
	return AppendUnescaped(dst, t.Bytes)
}

// AppendEscaped appends text, which must be valid UTF-8, as the inside of a JSON string. Only what JSON demands is
// escaped: `"`, `\` and control characters. `<`, `>`, `&`, U+2028 and U+2029 stay as they are.
func AppendEscaped[T []byte | string](dst []byte, text T) []byte {
	return appendEscaped(dst, []byte(text)) // a string is not copied: nothing in there writes to it or keeps it
}

// appendEscaped looks at eight bytes at a time. They are written before it is known which of them stand for themselves: what
// follows writes over the others. That is why it wants room for one word more than it keeps.
func appendEscaped(dst, text []byte) []byte {
	for len(text) >= wordBytes {
		out := dst[len(dst):cap(dst)]
		in, at := escapeWords(out, text)
		dst, text = dst[:len(dst)+at], text[in:]
		if len(text) < wordBytes {
			break
		}
		// The room or the text has come to its end, or a character comes that takes six bytes: one word goes the long way.
		n := bits.TrailingZeros64(escapes(binary.LittleEndian.Uint64(text))) / 8
		dst = append(dst, text[:n]...)
		if n < wordBytes {
			dst = appendEscape(dst, text[n])
			n++
		}
		if text = text[n:]; cap(dst)-len(dst) < len(text) {
			dst = slices.Grow(dst, len(text)+len(text)/4+3*wordBytes)
		}
	}
	for _, c := range text {
		if needsEscape(c) {
			dst = appendEscape(dst, c)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

const wordBytes = 8

// escapeWords writes as much of text into out as it can, two words at a time and then one, and returns how much it read and
// wrote. It stops in front of a character that has no short escape, at the end of out, and where less than a word is left.
func escapeWords(out, text []byte) (in, at int) {
	for in+2*wordBytes <= len(text) && at+3*wordBytes <= len(out) {
		t, o := text[in:in+2*wordBytes], out[at:at+3*wordBytes]
		low, high := binary.LittleEndian.Uint64(t), binary.LittleEndian.Uint64(t[wordBytes:])
		binary.LittleEndian.PutUint64(o, low)
		binary.LittleEndian.PutUint64(o[wordBytes:], high)
		var n int
		switch lows, highs := escapes(low), escapes(high); {
		case lows|highs == 0:
			in, at = in+2*wordBytes, at+2*wordBytes
			continue
		case lows != 0:
			n = bits.TrailingZeros64(lows) / 8
		default:
			n = wordBytes + bits.TrailingZeros64(highs)/8
		}
		short := shortEscapes[t[n&(2*wordBytes-1)]]
		if short == 0 {
			return in, at
		}
		binary.LittleEndian.PutUint16(o[n&(2*wordBytes-1):], short)
		in, at = in+n+1, at+n+2
	}
	return in, at
}

// shortEscapes are the escapes of two bytes, as a number whose low byte comes first; 0 for all other characters.
var shortEscapes = func() (table [256]uint16) {
	for c, letter := range map[byte]byte{
		'"': '"', '\\': '\\', '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b', '\f': 'f',
	} {
		table[c] = uint16('\\') | uint16(letter)<<8
	}
	return table
}()

const hexDigits = "0123456789abcdef"

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xF])
}

// AppendRepaired appends text as the inside of a JSON string whatever its bytes are: each byte that is no UTF-8 becomes
// U+FFFD. It reports whether there was one.
func AppendRepaired(dst, text []byte) (out []byte, repaired bool) {
	for len(text) > 0 {
		n := validPrefix(text)
		dst = AppendEscaped(dst, text[:n])
		if n == len(text) {
			break
		}
		dst = append(dst, "\uFFFD"...)
		text, repaired = text[n+1:], true
	}
	return dst, repaired
}

// validPrefix is the length of the longest prefix that is whole, valid UTF-8.
func validPrefix(text []byte) int {
	i := 0
	for i < len(text) {
		if i+8 <= len(text) && binary.LittleEndian.Uint64(text[i:])&0x8080808080808080 == 0 {
			i += 8
			continue
		}
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return i
}

// AppendUnescaped appends the plain form of escaped, the inside of a JSON string that has been validated.
func AppendUnescaped(dst, escaped []byte) []byte {
	for {
		n := bytes.IndexByte(escaped, '\\')
		if n < 0 || n+1 == len(escaped) {
			return append(dst, escaped...)
		}
		dst = append(dst, escaped[:n]...)
		escaped = escaped[n:]
		if escaped[1] == 'u' {
			r, size := DecodeUnicodeEscape(escaped)
			dst, escaped = utf8.AppendRune(dst, r), escaped[max(size, 1):]
			continue
		}
		dst, escaped = append(dst, unescaped(escaped[1])), escaped[2:]
	}
}

// unescaped is the character that a backslash and c stand for: c itself, unless it is one of five letters.
func unescaped(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	}
	return c
}

// DecodeUnicodeEscape reads `\uXXXX`, or two of them that form a surrogate pair, at the start of b. It returns the rune
// and how many bytes were read: 0 when b does not start with four hex digits behind `\u`, 6 and U+FFFD for half a pair.
func DecodeUnicodeEscape(b []byte) (r rune, n int) {
	r = hex4(b)
	if r < 0 {
		return utf8.RuneError, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if low := hex4(b[6:]); low >= 0 {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// hex4 reads `\uXXXX`; -1 when b does not start so.
func hex4(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// PlainRun is the length of b's longest prefix of bytes that stand for themselves inside a JSON string and need no
// further look: printable ASCII other than `"` and `\`. It reads two words of eight bytes at a time.
func PlainRun(b []byte) int {
	i := 0
	for ; i+16 <= len(b); i += 16 {
		low, high := specials(binary.LittleEndian.Uint64(b[i:])), specials(binary.LittleEndian.Uint64(b[i+8:]))
		if low != 0 {
			return i + bits.TrailingZeros64(low)/8
		}
		if high != 0 {
			return i + 8 + bits.TrailingZeros64(high)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	return i
}

// specials has the high bit set in the lowest byte of w that is a control character, `"`, `\` or not ASCII. Bytes above
// that one may be flagged wrongly: subtraction borrows upwards. A byte that is not ASCII keeps its high bit in one of the
// two differences at least.
func specials(w uint64) uint64 {
	backslash := w ^ (ones * '\\')
	// With bit 1 turned over, `"` stands right behind the control characters, which stay among themselves.
	controlOrQuote := w ^ (ones * 2)
	return ((backslash - ones) | (controlOrQuote - ones*0x21)) & highs
}

// needsEscape reports whether JSON has no place for c inside a string as it is.
func needsEscape(c byte) bool { return c < 0x20 || c == '"' || c == '\\' }

// escapes has the high bit set in the lowest byte of w that needs an escape, as specials has it for more. Bytes beyond
// ASCII are masked out; subtraction borrows nothing from them, so they do not disturb the bytes above.
func escapes(w uint64) uint64 { return specials(w) &^ w }
