package event

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
)

// DecodeBase64 appends the bytes that src stands for to dst and returns the extended slice. Reuse a buffer with dst[:0];
// dst and src must not overlap, so decoding in place is not allowed.
//
// AWS writes the standard alphabet with padding, which is decoded fast. Events made by hand
// also come with the URL-safe alphabet, without padding, or with white space inside: they are accepted on a slower path.
// The error wraps a base64.CorruptInputError with the offset in src of the first bad character, len(src) when the text
// ends too early; dst is then returned as it was.
func DecodeBase64(dst, src []byte) ([]byte, error) {
	out, n := appendStandard(dst, src)
	if n == len(src) {
		return out, nil
	}
	out, bad := appendLenient(out[:len(dst)], src)
	if bad >= 0 {
		return dst, fmt.Errorf("decode %d bytes of base64: %w", len(src), base64.CorruptInputError(bad))
	}
	return out, nil
}

// sextets0 to sextets3 hold what a character of the standard alphabet stands for as the first to the fourth of a group,
// shifted to where it belongs in the group's 24 bits, at the top of a word; notBase64 for any other character.
var sextets0, sextets1, sextets2, sextets3 = sextetTables()

const notBase64 = 1

func sextetTables() (t0, t1, t2, t3 [256]uint32) {
	for i := range t0 {
		t0[i], t1[i], t2[i], t3[i] = notBase64, notBase64, notBase64, notBase64
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for value, c := range []byte(alphabet) {
		v := uint32(value)
		t0[c], t1[c], t2[c], t3[c] = v<<26, v<<20, v<<14, v<<8
	}
	return t0, t1, t2, t3
}

// appendStandard decodes the standard alphabet with padding. It returns how much of src it could decode: all of it, or as
// many groups as came before something else. Every event pays for this; a look-up for each character that yields it in
// place takes half the time of encoding/base64.
func appendStandard(dst, src []byte) (out []byte, n int) {
	if len(src)%4 != 0 {
		return dst, 0 // no padding, or white space: and there would be no room for the fourth byte of the last group
	}
	start := len(dst)
	dst = slices.Grow(dst, base64.StdEncoding.DecodedLen(len(src)))
	to := dst[start:cap(dst)]
	at := 0
	// A group is written as four bytes, of which the next one overwrites the last: so the last group is not read here.
	for ; n+4 < len(src); n, at = n+4, at+3 {
		group := src[n : n+4 : n+4]
		word := sextets0[group[0]] | sextets1[group[1]] | sextets2[group[2]] | sextets3[group[3]]
		if word&notBase64 != 0 {
			return dst[:start+at], n
		}
		binary.BigEndian.PutUint32(to[at:], word)
	}
	last, err := base64.StdEncoding.Decode(to[at:], src[n:])
	if err != nil {
		return dst[:start+at], n
	}
	return dst[:start+at+last], len(src)
}

// appendLenient is DecodeBase64's slow path. It returns the offset of the first bad character, -1 when there is none.
func appendLenient(dst, src []byte) (out []byte, bad int) {
	var group uint32 // the sextets of an unfinished group of four
	sextets := 0
	for i, c := range src {
		if isSpace(c) {
			continue
		}
		if c == '=' && sextets >= 2 {
			if bad := afterPadding(src, i); bad >= 0 {
				return dst, bad
			}
			break
		}
		value, ok := sextet(c)
		if !ok {
			return dst, i
		}
		group = group<<6 | value
		if sextets++; sextets == 4 {
			dst = append(dst, byte(group>>16), byte(group>>8), byte(group))
			group, sextets = 0, 0
		}
	}
	switch sextets {
	case 1: // six bits are not a byte
		return dst, len(src)
	case 2:
		dst = append(dst, byte(group>>4))
	case 3:
		dst = append(dst, byte(group>>10), byte(group>>2))
	}
	return dst, -1
}

// afterPadding returns the offset of the first byte from start on that is neither padding nor white space, or -1.
func afterPadding(src []byte, start int) int {
	for i := start; i < len(src); i++ {
		if src[i] != '=' && !isSpace(src[i]) {
			return i
		}
	}
	return -1
}

func sextet(c byte) (value uint32, ok bool) {
	switch {
	case 'A' <= c && c <= 'Z':
		return uint32(c - 'A'), true
	case 'a' <= c && c <= 'z':
		return uint32(c-'a') + 26, true
	case '0' <= c && c <= '9':
		return uint32(c-'0') + 52, true
	case c == '+', c == '-':
		return 62, true
	case c == '/', c == '_':
		return 63, true
	}
	return 0, false
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
