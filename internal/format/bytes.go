package format

// byteAt is a byte of text; behind its end 0.
func byteAt(text []byte, i int) byte {
	if i < len(text) {
		return text[i]
	}
	return 0
}

// digitsBehind passes one digit or more and returns where they end; -1 if there is none.
func digitsBehind(text []byte, i int) int {
	if !isDigit(byteAt(text, i)) {
		return -1
	}
	for isDigit(byteAt(text, i)) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isHex(c byte) bool { return isDigit(c) || c|' ' >= 'a' && c|' ' <= 'f' }
