package format

import (
	"bytes"

	"sluice/internal/record"
)

// Limits of how far a level may stand in a line of text.
const (
	headBytes   = 256
	maxBrackets = 4 // groups in front of it
)

// textSeverity reads a level at the start of a line, behind a time, in brackets, or as level=… of a line of pairs:
//
//	ERROR text   Error: text   2024-02-01 00:00:00 WARN text   [2024-02-01 00:00:00] [main] [error] text
//	2024-02-01T00:00:00Z [ERROR] text   E0201 00:00:00.000000 1 main.go:1] text   time=… level=error msg=…
//
// Without a bracket or a colon it has to be in capital letters: many sentences begin with such a word.
func textSeverity(line []byte) record.Severity {
	head := line[:min(len(line), headBytes)]
	if isPairs(head) {
		return authenticatorSeverity(head)
	}
	if klog, ok := cutKlog(head); ok {
		return levelOf([]byte(klogLevel(klog.letter)))
	}
	head = skipTime(head)
	for range maxBrackets {
		if byteAt(head, 0) != '[' {
			break
		}
		text, rest := cutBracket(head)
		if text == nil {
			return ""
		}
		if found := bracketLevel(text); found != "" {
			return found
		}
		head = skipTime(rest)
	}
	return wordLevel(head)
}

// isPairs reports whether a line begins with a pair that loggers put first.
func isPairs(head []byte) bool {
	if c := byteAt(head, 0); c != 't' && c != 'l' {
		return false
	}
	for _, name := range [...]string{"time=", "level=", "ts=", "t=", "lvl="} {
		if bytes.HasPrefix(head, []byte(name)) {
			return true
		}
	}
	return false
}

// bracketLevel reads the text in brackets: a level, perhaps behind a time, or a module and a level as Apache writes them.
func bracketLevel(text []byte) record.Severity {
	text = bytes.TrimSpace(text)
	if behind := skipTime(text); len(behind) < len(text) {
		return wordLevel(behind)
	}
	if at := bytes.LastIndexByte(text, ':'); at >= 0 {
		text = text[at+1:]
	}
	var buffer [maxLevelBytes]byte
	return commonLevel(lowered(&buffer, text))
}

// wordLevel reads the word that a text begins with.
func wordLevel(text []byte) record.Severity {
	end := 0
	capitals := true
	for end < len(text) && end <= maxLevelBytes && isLetter(text[end]) {
		capitals = capitals && isCapital(text[end])
		end++
	}
	switch next := byteAt(text, end); {
	case next == ':':
	case !capitals:
		return ""
	case next != 0 && next != ' ' && next != '\t' && next != '[' && next != ',' && next != '|' && next != '\n' && next != '\r':
		return ""
	}
	var buffer [maxLevelBytes]byte
	return commonLevel(lowered(&buffer, text[:end]))
}

func isLetter(c byte) bool { return c|' ' >= 'a' && c|' ' <= 'z' }

// skipTime passes white space and, behind it, a date or a time of any kind made of digits and the marks between them.
func skipTime(text []byte) []byte {
	const short = len("00:00:00")
	text = bytes.TrimLeft(text, " \t")
	if !isDigit(byteAt(text, 0)) {
		return text
	}
	end := 1
	for end < len(text) && isTimeByte(text, end) {
		end++
	}
	if end < short {
		return text
	}
	return bytes.TrimLeft(text[end:], " \t")
}

// isTimeByte reports whether the byte at i may be part of a time. Letters stand behind a digit.
func isTimeByte(text []byte, i int) bool {
	switch c := text[i]; c {
	case '-', '/', ':', '.', ',', '+', ' ':
		return true
	case 'T', 'Z':
		return isDigit(text[i-1])
	default:
		return isDigit(c)
	}
}
