package event

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
)

// base64Pairs holds the two characters of base64 for every twelve bits, the first one in the lower byte.
var base64Pairs = func() (pairs [1 << 12]uint16) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range pairs {
		pairs[i] = uint16(alphabet[i>>6]) | uint16(alphabet[i&63])<<8
	}
	return pairs
}()

// appendBase64 is base64.StdEncoding.AppendEncode with a look-up for every two characters, which takes half the time: an
// answer is mostly base64.
func appendBase64(dst, src []byte) []byte {
	at := len(dst)
	dst = slices.Grow(dst, base64.StdEncoding.EncodedLen(len(src)))
	to := dst[at:cap(dst)]
	n := 0
	for ; len(src) >= 8; src, n = src[6:], n+8 { // six bytes are used of eight that are read
		bits := binary.BigEndian.Uint64(src)
		binary.LittleEndian.PutUint64(to[n:], uint64(base64Pairs[bits>>52])|uint64(base64Pairs[bits>>40&0xfff])<<16|
			uint64(base64Pairs[bits>>28&0xfff])<<32|uint64(base64Pairs[bits>>16&0xfff])<<48)
	}
	return base64.StdEncoding.AppendEncode(dst[:at+n], src)
}
