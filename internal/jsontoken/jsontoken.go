// Package jsontoken passes over the tokens of JSON (RFC 8259), strictly: what it accepts is JSON, as encoding/json takes it.
//
// It serves code that reads JSON it cannot trust, byte by byte, and decodes nothing: each function returns where a token
// ends, or -1 where there is none. It does not judge whether text is UTF-8, and it knows no values, only tokens; for
// members of a document that is known to be valid there is package jsonwalk.
package jsontoken

import "sluice/internal/record"

// PastString passes the string whose quote is at i.
func PastString(doc []byte, i int) int {
	for i++; ; {
		i += record.PlainRun(doc[min(i, len(doc)):])
		switch c := At(doc, i); {
		case c == '"':
			return i + 1
		case c == '\\':
			if i = pastEscape(doc, i); i < 0 {
				return -1
			}
		case c < ' ':
			return -1
		default:
			i++
		}
	}
}

// pastEscape passes the escape whose backslash is at i.
func pastEscape(doc []byte, i int) int {
	switch At(doc, i+1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		for n := range 4 {
			if !isHex(At(doc, i+2+n)) {
				return -1
			}
		}
		return i + 6
	}
	return -1
}

// PastScalar passes true, false, null or a number. What follows it may be anything: a letter behind `true` is for the
// caller to see.
func PastScalar(doc []byte, i int) int {
	for _, word := range [...]string{"true", "false", "null"} {
		if len(doc)-i >= len(word) && string(doc[i:i+len(word)]) == word {
			return i + len(word)
		}
	}
	return PastNumber(doc, i)
}

// PastNumber passes a number.
func PastNumber(doc []byte, i int) int {
	if At(doc, i) == '-' {
		i++
	}
	if At(doc, i) == '0' {
		i++
	} else if i = pastDigits(doc, i); i < 0 {
		return -1
	}
	if At(doc, i) == '.' {
		if i = pastDigits(doc, i+1); i < 0 {
			return -1
		}
	}
	if c := At(doc, i); c == 'e' || c == 'E' {
		i++
		if c := At(doc, i); c == '+' || c == '-' {
			i++
		}
		return pastDigits(doc, i)
	}
	return i
}

// pastDigits passes one digit or more.
func pastDigits(doc []byte, i int) int {
	if !isDigit(At(doc, i)) {
		return -1
	}
	for isDigit(At(doc, i)) {
		i++
	}
	return i
}

// PastSpace passes white space, if there is any; it never returns -1.
func PastSpace(doc []byte, i int) int {
	for i < len(doc) && IsSpace(doc[i]) {
		i++
	}
	return i
}

// At is a byte of doc; behind its end 0, which JSON has no place for.
func At(doc []byte, i int) byte {
	if i < len(doc) {
		return doc[i]
	}
	return 0
}

// IsSpace reports whether c is white space between tokens.
func IsSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func isDigit(c byte) bool { return c-'0' <= 9 }

func isHex(c byte) bool { return isDigit(c) || c|' ' >= 'a' && c|' ' <= 'f' }
