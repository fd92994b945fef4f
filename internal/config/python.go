package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// fromPython translates a replacement of Python's re.sub into one of regexp.Expand: `\1` and `\g<name>` become ${1} and
// ${name}, and a dollar sign is doubled. ok is false where Python refuses an escape (Python, library reference, re.sub).
func fromPython(template string) (expanded string, ok bool) {
	var b strings.Builder
	for template != "" {
		before, rest, escaped := strings.Cut(template, `\`)
		b.WriteString(dollars(before))
		if !escaped {
			break
		}
		text, n := pythonEscape(rest)
		if n == 0 {
			return "", false
		}
		b.WriteString(text)
		template = rest[n:]
	}
	return b.String(), true
}

func dollars(text string) string { return strings.ReplaceAll(text, "$", "$$") }

// pythonEscape translates the escape whose backslash stands before s, and returns how much of s it takes; 0 when Python
// refuses it.
func pythonEscape(s string) (text string, n int) {
	const letters, meanings = `abfnrtv\`, "\a\b\f\n\r\t\v\\"
	if s == "" {
		return "", 0
	}
	c := s[0]
	switch i := strings.IndexByte(letters, c); {
	case i >= 0:
		return meanings[i : i+1], 1
	case c >= '0' && c <= '9':
		return pythonNumber(s)
	case c == 'g':
		name, _, closed := strings.Cut(s[1:], ">")
		name, opened := strings.CutPrefix(name, "<")
		if !opened || !closed || name == "" || strings.ContainsAny(name, "${}") {
			return "", 0
		}
		n = len("g<") + len(name) + len(">")
		if number, err := strconv.ParseUint(name, 10, 16); err == nil {
			name = strconv.FormatUint(number, 10)
		}
		return "${" + name + "}", n
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return "", 0
	}
	_, n = utf8.DecodeRuneInString(s) // the backslash stands for itself
	return `\` + dollars(s[:n]), n
}

// pythonNumber reads a group of one or two digits, or a character as octal digits: up to two behind a 0, or three.
func pythonNumber(s string) (text string, n int) {
	octal := 0
	for octal < len(s) && octal < 3 && s[octal] >= '0' && s[octal] <= '7' {
		octal++
	}
	if s[0] == '0' || octal == 3 {
		value, err := strconv.ParseUint(s[:octal], 8, 8)
		if err != nil {
			return "", 0
		}
		return dollars(string(rune(value))), octal
	}
	n = 1
	if len(s) > 1 && s[1] >= '0' && s[1] <= '9' {
		n = 2
	}
	return "${" + s[:n] + "}", n
}
