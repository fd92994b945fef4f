package redact

import (
	"bytes"
	"unicode/utf8"

	"sluice/internal/jsontoken"
)

// reveal returns text with the escapes of JSON that stand in it replaced by the characters that they stand for, in buf. It
// is for JSON inside of a text, such as behind the time of a line, or in a string of JSON, at any depth: a text inside of n
// strings has 2ⁿ-1 backslashes before its `u0031`, and all of them go. Only characters that need no escape are put there, so
// that JSON around them stays JSON. hidden is false, and shown nil, when there is none.
func reveal(buf *[]byte, text []byte) (shown []byte, hidden bool) {
	out := (*buf)[:0]
	copied := 0
	for i := bytes.IndexByte(text, '\\'); i >= 0 && i < len(text); {
		start := i
		for jsontoken.At(text, i) == '\\' {
			i++
		}
		if character, n := escapedAt(text[i:]); n > 0 {
			out = utf8.AppendRune(append(out, text[copied:start]...), character)
			i += n
			copied, hidden = i, true
		}
		next := bytes.IndexByte(text[i:], '\\')
		if next < 0 {
			break
		}
		i += next
	}
	if !hidden {
		return nil, false
	}
	out = append(out, text[copied:]...)
	*buf = out
	return out, true
}

// escapedAt returns the character that the escape whose backslash stands before text stands for, and how many bytes of text
// belong to it: none, when it is no escape, or one of a character that needs it or is half of a pair.
func escapedAt(text []byte) (character rune, n int) {
	switch jsontoken.At(text, 0) {
	case '/':
		return '/', 1
	case 'u':
	default:
		return 0, 0
	}
	for i := 1; i < unicodeEscape-1; i++ {
		c := jsontoken.At(text, i)
		if !isHex(c) {
			return 0, 0
		}
		character = character<<4 | hexDigit(c)
	}
	if character < ' ' || character == '"' || character == '\\' || !utf8.ValidRune(character) {
		return 0, 0
	}
	return character, unicodeEscape - 1
}

// hexDigit is what a digit of hex stands for.
func hexDigit(c byte) rune {
	if isDigit(c) {
		return rune(c - '0')
	}
	return rune(c|0x20-'a') + 10
}
