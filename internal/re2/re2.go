// Package re2 says what is wrong with a regular expression of the settings.
//
// It promises to name the fault, where it is and what to do, and to show nothing of the expression itself, which tells what
// somebody wants to hide. It does not judge whether an expression matches what it is meant to.
package re2

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Problem returns what keeps expr from being a regular expression of RE2, and what to do; "" if it is one. Characters are
// counted from 1. A control character is a problem too, but for tab, newline and carriage return: nobody writes one on
// purpose, and a \b in the double quotes of YAML makes one (U+0008) that matches nothing.
func Problem(expr string) string {
	_, err := syntax.Parse(expr, syntax.Perl)
	if err == nil {
		return controlProblem(expr)
	}
	const what = "is no regular expression of RE2 (no look-around, no back-references): "
	e, is := errors.AsType[*syntax.Error](err)
	if !is { // there is no other error
		return what + "write it as RE2 has it"
	}
	at := placeOf(expr, e)
	if at < 0 {
		return what + e.Code.String()
	}
	name, advice := faultAt(expr[at:], e.Code)
	return fmt.Sprintf("%s%s at character %d: %s", what, name, utf8.RuneCountInString(expr[:at])+1, advice)
}

// controlProblem reports the first control character of expr that is no white space of a text.
func controlProblem(expr string) string {
	at := strings.IndexFunc(expr, func(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' })
	if at < 0 {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(expr[at:])
	return fmt.Sprintf(`has the control character %U at character %d, as a backslash in the double quotes of YAML makes one: `+
		`write the pattern in single quotes, or \x%02X for the character`, r, utf8.RuneCountInString(expr[:at])+1, r)
}

const without = "write the pattern without it"

// constructs are what other dialects have and RE2 does not, by how they begin; the first that fits counts.
var constructs = []struct{ begin, name string }{
	{"(?=", "a look-ahead"},
	{"(?!", "a look-ahead"},
	{"(?<=", "a look-behind"},
	{"(?<!", "a look-behind"},
	{"(?>", "an atomic group"},
	{"(?P=", "a back-reference"},
	{"(?#", "a comment"},
	{"(?(", "a condition"},
	{`\k`, "a back-reference"},
	{`\g`, "a back-reference"},
	{"*+", "a possessive quantifier"},
	{"++", "a possessive quantifier"},
	{"?+", "a possessive quantifier"},
}

// faultAt names the fault that rest, the end of an expression, begins with, and what to do.
func faultAt(rest string, code syntax.ErrorCode) (name, advice string) {
	for _, c := range constructs {
		if strings.HasPrefix(rest, c.begin) {
			return c.name, without
		}
	}
	switch code {
	case syntax.ErrInvalidEscape:
		if len(rest) > 1 && '1' <= rest[1] && rest[1] <= '9' {
			return "a back-reference", without
		}
		return code.String(), `write it as RE2 has it, and \\ for a backslash`
	case syntax.ErrTrailingBackslash:
		return "a backslash with nothing behind it", `write \\ for a backslash`
	case syntax.ErrMissingParen:
		return "a ( that is not closed", `close it, or write \( for the character`
	case syntax.ErrUnexpectedParen:
		return "a ) that closes nothing", `write \) for the character`
	case syntax.ErrMissingBracket:
		return "a [ that is not closed", `close it, or write \[ for the character`
	case syntax.ErrMissingRepeatArgument:
		return "a repetition of nothing", `write what is repeated before it (.* is any text), or a backslash before it for the character`
	case syntax.ErrInvalidNamedCapture:
		return code.String(), "write its name of letters, digits and underscores"
	case syntax.ErrInvalidRepeatSize:
		return code.String(), "repeat at most 1000 times"
	case syntax.ErrInvalidUTF8:
		return code.String(), "write it as UTF-8"
	default:
		return code.String(), "write it as RE2 has it"
	}
}

// placeOf returns where in expr the fault is, in bytes; -1 if no place can be named.
func placeOf(expr string, e *syntax.Error) int {
	switch e.Code {
	case syntax.ErrMissingParen, syntax.ErrUnexpectedParen:
		return unpaired(expr)
	case syntax.ErrTrailingBackslash:
		return len(expr) - 1
	case syntax.ErrLarge, syntax.ErrNestingDepth:
		return -1 // the whole
	default:
		return placeOfText(expr, e)
	}
}

// placeOfText returns where in expr the text of the fault is. It may stand elsewhere too, as in `\\1\1`: the fault is the last
// place before which all is well.
func placeOfText(expr string, e *syntax.Error) int {
	var places []int
	for from := 0; e.Expr != ""; {
		i := strings.Index(expr[from:], e.Expr)
		if i < 0 {
			break
		}
		places = append(places, from+i)
		from += i + 1
	}
	behind := sort.Search(len(places), func(i int) bool {
		_, err := syntax.Parse(expr[:places[i]], syntax.Perl)
		before, is := errors.AsType[*syntax.Error](err)
		return is && before.Code == e.Code && before.Expr == e.Expr
	})
	if behind == 0 {
		return -1
	}
	return places[behind-1]
}

// unpaired returns the place of the first parenthesis that has no other one: a closing one, else the outermost open one; -1
// if there is none. The expression has no other fault before it.
func unpaired(expr string) int {
	var open []int
	for i := 0; i < len(expr); {
		switch expr[i] {
		case '\\':
			i += escaped(expr[i:])
			continue
		case '[':
			i += class(expr[i:])
			continue
		case '(':
			open = append(open, i)
		case ')':
			if len(open) == 0 {
				return i
			}
			open = open[:len(open)-1]
		}
		i++
	}
	if len(open) == 0 {
		return -1
	}
	return open[0]
}

// escaped returns how many bytes the escape takes that expr begins with: \Q goes on to \E.
func escaped(expr string) int {
	if !strings.HasPrefix(expr, `\Q`) {
		return min(len(`\(`), len(expr))
	}
	if end := strings.Index(expr, `\E`); end >= 0 {
		return end + len(`\E`)
	}
	return len(expr)
}

// class returns how many bytes the class takes that expr begins with. A ] that stands first is a member of it.
func class(expr string) int {
	i := len("[")
	if strings.HasPrefix(expr[i:], "^") {
		i++
	}
	for first := i; i < len(expr); i++ {
		switch {
		case expr[i] == '\\':
			i++
		case strings.HasPrefix(expr[i:], "[:"):
			if end := strings.Index(expr[i:], ":]"); end >= 0 {
				i += end + 1
			}
		case expr[i] == ']' && i > first:
			return i + 1
		}
	}
	return len(expr)
}
