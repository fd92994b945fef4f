package ledger

import (
	"maps"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// appendComma appends a comma unless the next value is the first of its object or array.
func appendComma(dst []byte) []byte {
	switch dst[len(dst)-1] {
	case '{', '[':
		return dst
	}
	return append(dst, ',')
}

// appendKey appends the name of the next member of an object.
func appendKey(dst []byte, name string) []byte {
	return append(appendText(appendComma(dst), name), ':')
}

// appendText appends s as a JSON string of at most maxTextBytes bytes before escaping. What does not print is escaped,
// beyond what JSON asks for, so that a name or an error cannot move the cursor of whoever reads the log (CWE-117).
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range clean(s) {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case strconv.IsPrint(r):
			dst = utf8.AppendRune(dst, r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			dst = appendEscape(appendEscape(dst, high), low)
		default:
			dst = appendEscape(dst, r)
		}
	}
	return append(dst, '"')
}

// appendEscape appends \uXXXX for a UTF-16 code unit.
func appendEscape(dst []byte, unit rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[unit>>12&0xF], hex[unit>>8&0xF], hex[unit>>4&0xF], hex[unit&0xF])
}

// appendTally appends an object of name and number, sorted by name.
func appendTally[K ~string](dst []byte, tally map[K]int) []byte {
	dst = append(dst, '{')
	for _, name := range slices.Sorted(maps.Keys(tally)) {
		dst = appendInt(appendKey(dst, string(name)), int64(tally[name]))
	}
	return append(dst, '}')
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

func appendFloat(dst []byte, f float64) []byte { return strconv.AppendFloat(dst, f, 'f', -1, 64) }

func appendBool(dst []byte, b bool) []byte { return strconv.AppendBool(dst, b) }
