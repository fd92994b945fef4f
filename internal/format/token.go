package format

import "sluice/internal/record"

// What follows passes over the tokens of JSON (RFC 8259) and returns where they end, or -1 where there is none. Whether
// text is UTF-8 is not judged.

// stringBehind passes the string whose quote is at i.
func stringBehind(doc []byte, i int) int {
	for i++; ; {
		i += record.PlainRun(doc[min(i, len(doc)):])
		switch c := byteAt(doc, i); {
		case c == '"':
			return i + 1
		case c == '\\':
			if i = escapeBehind(doc, i); i < 0 {
				return -1
			}
		case c < ' ':
			return -1
		default:
			i++
		}
	}
}

// escapeBehind passes the escape whose backslash is at i.
func escapeBehind(doc []byte, i int) int {
	switch byteAt(doc, i+1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		for n := range 4 {
			if !isHex(byteAt(doc, i+2+n)) {
				return -1
			}
		}
		return i + 6
	}
	return -1
}

// scalarBehind passes true, false, null or a number.
func scalarBehind(doc []byte, i int) int {
	for _, word := range [...]string{"true", "false", "null"} {
		if len(doc)-i >= len(word) && string(doc[i:i+len(word)]) == word {
			return i + len(word)
		}
	}
	return numberBehind(doc, i)
}

func numberBehind(doc []byte, i int) int {
	if byteAt(doc, i) == '-' {
		i++
	}
	if byteAt(doc, i) == '0' {
		i++
	} else if i = digitsBehind(doc, i); i < 0 {
		return -1
	}
	if byteAt(doc, i) == '.' {
		if i = digitsBehind(doc, i+1); i < 0 {
			return -1
		}
	}
	if c := byteAt(doc, i); c == 'e' || c == 'E' {
		i++
		if c := byteAt(doc, i); c == '+' || c == '-' {
			i++
		}
		return digitsBehind(doc, i)
	}
	return i
}

// digitsBehind passes one digit or more.
func digitsBehind(doc []byte, i int) int {
	if !isDigit(byteAt(doc, i)) {
		return -1
	}
	for isDigit(byteAt(doc, i)) {
		i++
	}
	return i
}

// byteAt is a byte of doc; behind its end 0, which JSON has no place for.
func byteAt(doc []byte, i int) byte {
	if i < len(doc) {
		return doc[i]
	}
	return 0
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isHex(c byte) bool { return isDigit(c) || c|' ' >= 'a' && c|' ' <= 'f' }

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
