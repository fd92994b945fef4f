package agent

import (
	"bytes"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// delimiter finds what stands between columns.
type delimiter interface {
	// find returns the first match at or behind from; -1 where there is none.
	find(text []byte, from int) (start, end int)
}

// newDelimiter compiles a Java regular expression. The usual ones need no regular expression: a text, or a set of ASCII
// characters, one or a run of them.
func newDelimiter(pattern string) (delimiter, error) {
	re, err := compileJava(pattern, `(?:`, `)`, `\z`)
	if err != nil {
		return nil, err
	}
	parsed, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", quote(pattern), err)
	}
	if hasAssertion(parsed) {
		return nil, fmt.Errorf(`%s: want a delimiter without ^, $, \A, \z, \Z, \b and \B`, quote(pattern))
	}
	if d := simpleDelimiter(parsed); d != nil {
		return d, nil
	}
	return expression{re}, nil
}

// hasAssertion reports whether the expression looks at what stands around a match. It would see the start of a column as
// the start of the text.
func hasAssertion(re *syntax.Regexp) bool {
	assertions := []syntax.Op{
		syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary,
	}
	return slices.Contains(assertions, re.Op) || slices.ContainsFunc(re.Sub, hasAssertion)
}

// simpleDelimiter returns nil for an expression that is not one of the usual ones.
func simpleDelimiter(re *syntax.Regexp) delimiter {
	if re.Op == syntax.OpLiteral && re.Flags&syntax.FoldCase == 0 {
		return literal(string(re.Rune))
	}
	run := re.Op == syntax.OpPlus && re.Flags&syntax.NonGreedy == 0
	if run {
		re = re.Sub[0]
	}
	set := &byteSet{run: run}
	switch {
	case re.Op == syntax.OpLiteral && len(re.Rune) == 1 && re.Flags&syntax.FoldCase == 0:
		if re.Rune[0] >= utf8.RuneSelf {
			return nil
		}
		set.in[re.Rune[0]] = true
		return set
	case re.Op == syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			if re.Rune[i+1] >= utf8.RuneSelf {
				return nil
			}
			for c := re.Rune[i]; c <= re.Rune[i+1]; c++ {
				set.in[c] = true
			}
		}
		return set
	}
	return nil
}

// literal is a delimiter that is a text, never an empty one.
type literal []byte

func (l literal) find(text []byte, from int) (start, end int) {
	i := bytes.Index(text[from:], l)
	if i < 0 {
		return -1, -1
	}
	return from + i, from + i + len(l)
}

// byteSet is a delimiter that is one of some ASCII characters, or as many of them as stand together.
type byteSet struct {
	in  [256]bool
	run bool
}

func (s *byteSet) find(text []byte, from int) (start, end int) {
	for i := from; i < len(text); i++ {
		if !s.in[text[i]] {
			continue
		}
		end = i + 1
		for s.run && end < len(text) && s.in[text[end]] {
			end++
		}
		return i, end
	}
	return -1, -1
}

// expression is any other delimiter. It may match the empty text.
type expression struct{ *regexp.Regexp }

func (e expression) find(text []byte, from int) (start, end int) {
	at := e.FindIndex(text[from:])
	if at == nil {
		return -1, -1
	}
	return from + at[0], from + at[1]
}
