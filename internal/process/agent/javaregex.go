package agent

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// compileJava compiles a Java regular expression, between the RE2 texts before and after it; atEnd is the RE2 text for $.
// What RE2 reads otherwise than Java is translated (Javadoc of java.util.regex.Pattern, Java 8). Only two things differ
// then: (?i) also takes letters beyond ASCII that are the other case of one, and \b knows letters of ASCII alone, as it does
// since Java 19.
func compileJava(pattern, before, after, atEnd string) (*regexp.Regexp, error) {
	j := java{rest: pattern, atEnd: atEnd, dotAll: []bool{false}}
	for j.rest != "" && j.err == nil {
		j.next()
	}
	if j.err != nil {
		return nil, fmt.Errorf("%s: %w", quote(pattern), j.err)
	}
	// Compiled alone first: a pattern such as `a)|(b` must not become valid by the group around it.
	if _, err := regexp.Compile(j.out.String()); err != nil {
		return nil, fmt.Errorf("%s is no regular expression of RE2: %w", quote(pattern), err)
	}
	re, err := regexp.Compile(before + j.out.String() + after)
	if err != nil {
		return nil, fmt.Errorf("%s is no regular expression of RE2: %w", quote(pattern), err)
	}
	return re, nil
}

// Classes of Java, as the inside of a class of RE2.
const (
	javaSpace      = `[:space:]`                       // \s has a vertical tab, which it has not in RE2
	javaLineEnds   = `\n\r\x{85}\x{2028}\x{2029}`      // what a dot does not match
	javaFinalLine  = `(?:\r\n|[` + javaLineEnds + `])` // what may stand between $ and the end of the text
	possessiveHint = "possessive quantifiers are not understood: write it without the second +"
)

// java translates a pattern. It does not look whether the pattern is whole: RE2 does.
type java struct {
	rest       string
	out        strings.Builder
	atEnd      string
	dotAll     []bool // whether (?s) holds, for each open group
	quantified bool   // a quantifier stands just before rest
	err        error
}

// take moves n bytes to the output as they are.
func (j *java) take(n int) {
	j.out.WriteString(j.rest[:n])
	j.rest = j.rest[n:]
}

// put writes text in place of the next n bytes.
func (j *java) put(n int, text string) {
	j.out.WriteString(text)
	j.rest = j.rest[n:]
}

func (j *java) fail(text string) { j.err = errors.New(text) }

// next translates the next piece.
func (j *java) next() {
	quantified := j.quantified
	j.quantified = false
	switch c := j.rest[0]; c {
	case '\\':
		j.escape()
	case '[':
		j.class()
	case '(':
		j.open()
	case ')':
		if len(j.dotAll) > 1 {
			j.dotAll = j.dotAll[:len(j.dotAll)-1]
		}
		j.take(1)
	case '.':
		if j.dotAll[len(j.dotAll)-1] {
			j.put(1, `(?s:.)`)
		} else {
			j.put(1, `[^`+javaLineEnds+`]`)
		}
	case '$':
		j.end(1)
	case '*', '+', '?':
		if quantified && c == '+' {
			j.fail(possessiveHint)
			return
		}
		j.quantified = !quantified
		j.take(1)
	case '{':
		j.quantified = true
		j.take(max(1, strings.IndexByte(j.rest, '}')+1))
	default:
		_, n := utf8.DecodeRuneInString(j.rest)
		j.take(n)
	}
}

// end translates $ or \Z, of n bytes. RE2 cannot look at the line end that may stand behind it and leave it to others.
func (j *java) end(n int) {
	if rest := j.rest[n:]; rest != "" && rest[0] != ')' && rest[0] != '|' {
		j.fail(j.rest[:n] + " stands before something: want it at the end")
		return
	}
	j.put(n, j.atEnd)
}

// open translates the start of a group.
func (j *java) open() {
	rest, special := strings.CutPrefix(j.rest, "(?")
	if !special {
		j.push(1)
		return
	}
	switch {
	case strings.HasPrefix(rest, "="), strings.HasPrefix(rest, "!"), strings.HasPrefix(rest, "<="), strings.HasPrefix(rest, "<!"):
		j.fail("look-around such as (?=…) is not understood: match the text itself, outside of the groups that are wanted")
	case strings.HasPrefix(rest, ">"):
		j.fail("atomic groups are not understood: write (?:…)")
	case strings.HasPrefix(rest, "<"), strings.HasPrefix(rest, ":"):
		j.push(len("(?"))
	default:
		j.flags(rest)
	}
}

// push opens a group.
func (j *java) push(n int) {
	j.dotAll = append(j.dotAll, j.dotAll[len(j.dotAll)-1])
	j.take(n)
}

// flags translates (?is) and (?is:…); rest begins at the flags.
func (j *java) flags(rest string) {
	end := strings.IndexAny(rest, ":)")
	if end < 0 || strings.Trim(rest[:end], "is-") != "" {
		j.fail("of the flags only i and s are understood, as in (?i)")
		return
	}
	alone := rest[end] == ')'
	if alone {
		j.take(len("(?"))
	} else {
		j.push(len("(?"))
	}
	on, off, _ := strings.Cut(rest[:end], "-")
	top := &j.dotAll[len(j.dotAll)-1]
	*top = (*top || strings.Contains(on, "s")) && !strings.Contains(off, "s")
	j.take(end + 1)
	if alone && j.rest != "" && strings.IndexByte("*+?{", j.rest[0]) >= 0 {
		j.fail("a quantifier stands behind flags: want it behind what it repeats")
	}
}

// escape translates what begins with a backslash outside of a class.
func (j *java) escape() {
	c, n := utf8.DecodeRuneInString(j.rest[1:])
	switch {
	case n == 0:
		j.fail(`a backslash stands at its end: write \\`)
	case c == 'Q':
		text, rest, _ := strings.Cut(j.rest[len(`\Q`):], `\E`)
		j.out.WriteString(regexp.QuoteMeta(text))
		j.rest = rest
	case c == 'Z':
		j.end(2)
	case c == 's':
		j.put(2, `[`+javaSpace+`]`)
	case c == 'S':
		j.put(2, `[^`+javaSpace+`]`)
	case strings.ContainsRune("bBAz", c):
		j.take(2)
	case c == 'p', c == 'P':
		if class, n := j.property(); j.err == nil {
			if strings.HasPrefix(class, "[") {
				class = "[" + class + "]"
			}
			j.put(n, class)
		}
	default:
		j.character(c, n)
	}
}

// character translates an escape that means the same inside and outside of a class; c of n bytes stands behind the
// backslash.
func (j *java) character(c rune, n int) {
	switch {
	case c == 'u':
		if len(j.rest) < len(`\uXXXX`) {
			j.fail(`\u wants four hex digits`)
			return
		}
		j.put(len(`\uXXXX`), `\x{`+j.rest[2:6]+`}`)
	case strings.ContainsRune("dDwWtnrfax", c):
		j.take(2)
	case c >= utf8.RuneSelf:
		j.put(1+n, string(c))
	case c >= '1' && c <= '9', c == 'k':
		j.fail("back-references are not understood: match the text itself again")
	case c == '0':
		j.fail(`octal numbers are not understood: write \x00 for \0`)
	case unicode.IsLetter(c):
		j.fail(`\` + string(c) + " is not understood: write the characters that it stands for as a class")
	default:
		j.take(2)
	}
}

// posixClasses are those of \p{…} that mean ASCII in Java; some of the names mean more in RE2.
var posixClasses = map[string]string{
	"Lower": "lower", "Upper": "upper", "ASCII": "ascii", "Alpha": "alpha", "Digit": "digit", "Alnum": "alnum",
	"Punct": "punct", "Graph": "graph", "Print": "print", "Blank": "blank", "Cntrl": "cntrl", "XDigit": "xdigit",
	"Space": "space",
}

// property reads \p{name} or \pL. It returns what stands for it in a class, and its length.
func (j *java) property() (class string, n int) {
	name := ""
	if rest := j.rest[2:]; strings.HasPrefix(rest, "{") {
		end := max(0, strings.IndexByte(rest, '}'))
		name, n = rest[min(1, end):end], 2+end+1
	} else if rest != "" {
		name, n = rest[:1], 3
	}
	negated := j.rest[1] == 'P'
	posix, isPosix := posixClasses[name]
	switch {
	case isPosix && negated:
		return "[:^" + posix + ":]", n
	case isPosix:
		return "[:" + posix + ":]", n
	case unicode.Categories[name] == nil || len(name) > 2:
		j.fail(`of \p{…} only classes such as Alpha and categories such as Lu are understood: write the characters as a class`)
		return "", 0
	}
	return j.rest[:n], n
}
