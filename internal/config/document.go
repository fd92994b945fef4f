package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxDocumentBytes bounds the document, wherever it comes from. A thousand destinations are far smaller.
const maxDocumentBytes = 1 << 20

// parseDocument returns the mapping at the top of a YAML document, nil when there is none. An error is a SettingError, which
// quotes nothing of the text but punctuation.
func parseDocument(text []byte) (node *yaml.Node, err error) {
	if len(text) > maxDocumentBytes {
		return nil, documentError(0, fmt.Sprintf("the document has more than %d bytes", maxDocumentBytes))
	}
	defer func() {
		// The parser panics where it believes that something cannot be ("please report"). A text must not end the process.
		if recover() != nil {
			node, err = nil, documentError(0, "the YAML of the document cannot be read")
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, syntaxError(text, err)
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		return nil, documentError(second.Line, "want one YAML document, have more after it")
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(text, err)
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		return nil, nil
	}
	return root, nil
}

func documentError(line int, text string) SettingError {
	return SettingError{Place: documentVariable, Line: line, Text: text}
}

// syntaxError says what is wrong with the YAML of a text, where, and, as far as that can be guessed, what to do.
func syntaxError(text []byte, err error) SettingError {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line, what := lineIn(message)
	switch alias, unknown := cutAlias(what); {
	case unknown:
		line = lineOfAlias(text, alias)
	case isUnreadable(what):
		line = lineOfUnreadable(text)
	case isOfParser(what):
		line++ // it counts from 0, unlike the scanner
	case line == 0:
		line = 1 // the first line is left out
	}
	problem := withoutText(what)
	if i := slices.IndexFunc(hints, func(h hint) bool { return strings.Contains(what, h.about) }); i >= 0 {
		problem += ": " + hints[i].text
	}
	return documentError(min(line, lastLine(text)), problem)
}

// lastLine is the number of the last line of a text. The library counts one more where a text has no line feed at its end.
func lastLine(text []byte) int {
	return 1 + bytes.Count(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
}

// hint is what to do about a message of the YAML library.
type hint struct{ about, text string }

var hints = []hint{
	{"unknown anchor", "a text that starts with * has to stand in quotes"},
	{"did not find expected alphabetic or numeric", "a text that starts with * or & has to stand in quotes"},
	{"unknown escape character", `in double quotes a backslash is \\, in single quotes it stands for itself`},
	{"mapping values are not allowed", `a text with ": " in it has to stand in quotes`},
	{"cannot start any token", "a text that starts with @, %, a backquote or a tab has to stand in quotes, and lines are indented with spaces"},
}

// lineIn takes the line off the front of a message of the YAML library; 0 where it has none.
func lineIn(message string) (line int, what string) {
	rest, is := strings.CutPrefix(message, "line ")
	if !is {
		return 0, message
	}
	number, what, is := strings.Cut(rest, ": ")
	line, err := strconv.Atoi(number)
	if !is || err != nil {
		return 0, message
	}
	return line, what
}

// isOfParser reports whether a message is of the library's parser and not of its scanner (yaml/v3, parserc.go).
func isOfParser(message string) bool {
	return slices.ContainsFunc([]string{
		"did not find expected <", "did not find expected node content", "did not find expected '-' indicator",
		"did not find expected key", "did not find expected ',' or", "found duplicate %", "found incompatible YAML document",
		"found undefined tag handle",
	}, func(start string) bool { return strings.HasPrefix(message, start) })
}

// isUnreadable reports whether a message is of the library's reader, which does not say where (yaml/v3, readerc.go).
func isUnreadable(message string) bool {
	return strings.Contains(message, "UTF-") || strings.Contains(message, "surrogate") ||
		message == "control characters are not allowed" || message == "invalid Unicode character"
}

// lineOfUnreadable returns the line of the first character that YAML does not allow; 0 if there is none.
func lineOfUnreadable(text []byte) int {
	line := 1
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n <= 1 || !isYAML(r) {
			return line
		}
		if r == '\n' {
			line++
		}
		text = text[n:]
	}
	return 0
}

// isYAML reports whether YAML allows a character (YAML 1.2, section 5.1).
func isYAML(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r', r == '\u0085':
		return true
	case r < ' ', r >= 0x7F && r < 0xA0, r == 0xFFFE, r == 0xFFFF:
		return false
	}
	return true
}

// cutAlias returns the name of an alias whose anchor the library does not know.
func cutAlias(message string) (name string, is bool) {
	name, is = strings.CutPrefix(message, "unknown anchor '")
	if !is {
		return "", false
	}
	return strings.CutSuffix(name, "' referenced")
}

// lineOfAlias returns the line on which an alias stands first: behind white space or punctuation, and with nothing more of a
// name behind it; 0 if it is not found.
func lineOfAlias(text []byte, name string) int {
	const before, inName = " \t\n[{,", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-"
	alias := []byte("*" + name)
	for from := 0; ; {
		i := bytes.Index(text[from:], alias)
		if i < 0 {
			return 0
		}
		at := from + i
		from = at + len(alias)
		begins := at == 0 || strings.IndexByte(before, text[at-1]) >= 0
		if begins && (from == len(text) || strings.IndexByte(inName, text[from]) < 0) {
			return 1 + bytes.Count(text[:at], []byte("\n"))
		}
	}
}

// withoutText removes what the parser quotes, except for single characters: ',' or '}' was expected.
func withoutText(message string) string {
	quotation := regexp.MustCompile("'[^']*'|`.*")
	return quotation.ReplaceAllStringFunc(message, func(quoted string) string {
		if len(quoted) == len("','") && quoted[0] == '\'' {
			return quoted
		}
		return "'…'"
	})
}
