package redact

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompileRefuses(t *testing.T) {
	const what = "want a pattern that needs a character"
	for name, tc := range map[string]struct {
		rule Rule
		want string
	}{
		"no pattern":                 {Rule{Name: "a"}, "redaction rule 1 (a): has nothing to look for: want a pattern, a member or an attribute"},
		"control character":          {Rule{Name: "a", Pattern: "\bpw\b"}, "redaction rule 1 (a): pattern: has the control character U+0008 at character 1"},
		"no regular expression":      {Rule{Name: "a", Pattern: "a(b"}, "redaction rule 1 (a): pattern: is no regular expression of RE2 (no look-around, no back-references): a ( that is not closed at character 2"},
		"a part that is wrong":       {Rule{Name: "a", Pattern: `é\y`}, "invalid escape sequence at character 2"},
		"look-around":                {Rule{Name: "a", Pattern: `a(?=b)`}, "a look-ahead at character 2: write the pattern without it"},
		"too large":                  {Rule{Name: "a", Pattern: `((a{100}){100}){100}`}, "invalid repeat count"},
		"no UTF-8":                   {Rule{Name: "a", Pattern: "a\xff"}, "invalid UTF-8"},
		"any number of nothing":      {Rule{Name: "a", Pattern: `a*`}, what},
		"or nothing":                 {Rule{Name: "a", Pattern: `a|`}, what},
		"perhaps":                    {Rule{Name: "a", Pattern: `(a?)(b*)`}, what},
		"assertion":                  {Rule{Name: "a", Pattern: `\b`}, what},
		"not at the end":             {Rule{Name: "a", Pattern: `\B`}, what},
		"start of a line":            {Rule{Name: "a", Pattern: `(?m)^`}, what},
		"nothing of something":       {Rule{Name: "a", Pattern: `a{0}`}, what},
		"nothing, many times":        {Rule{Name: "a", Pattern: `(?:a*)+`}, what},
		"group that is not there":    {Rule{Name: "a", Pattern: `(a)`, Replacement: "$2"}, "replacement: names a group that the pattern does not have"},
		"number runs into a word":    {Rule{Name: "a", Pattern: `(a)`, Replacement: "$1x"}, "write ${1} or ${name}, with braces"},
		"leading zero":               {Rule{Name: "a", Pattern: `(a)`, Replacement: "$01"}, "replacement: names a group"},
		"name that is not there":     {Rule{Name: "a", Pattern: `(?P<b>a)`, Replacement: "${c}"}, "replacement: names a group"},
		"replacement is no UTF-8":    {Rule{Name: "a", Pattern: `a`, Replacement: "\xff"}, "replacement: is no UTF-8"},
		"replacement is too long":    {Rule{Name: "a", Pattern: `a`, Replacement: strings.Repeat("x", 1025)}, "replacement: has 1025 bytes: want 1024 at most"},
		"no name":                    {Rule{Pattern: "a"}, "redaction rule 1: want a name"},
		"name with a line break":     {Rule{Name: "a\nb", Pattern: "a"}, "redaction rule 1: want a name"},
		"name that is too long":      {Rule{Name: strings.Repeat("a", 65), Pattern: "a"}, "redaction rule 1: want a name"},
		"no name for a rule of ours": {IPv4(""), "redaction rule 1: want a name"},
	} {
		t.Run(name, func(t *testing.T) {
			rules, err := Compile(tc.rule)
			assert.ErrorContains(t, err, tc.want)
			assert.Nil(t, rules)
			var problem *RuleError
			assert.ErrorAs(t, err, &problem)
		})
	}
}

func TestCompileSaysAllAtOnce(t *testing.T) {
	_, err := Compile(IPv4("a"), Rule{Name: "b", Pattern: "(", Replacement: "\xff"}, Rule{Name: "a", Pattern: "x*"}, Rule{})
	require.Error(t, err)
	assert.Equal(t, []string{
		"redaction rule 2 (b): pattern: is no regular expression of RE2 (no look-around, no back-references): a ( that is not closed at character 1: close it, or write \\( for the character",
		"redaction rule 2 (b): replacement: is no UTF-8",
		"redaction rule 3 (a): has the name of rule 1: give it another",
		"redaction rule 3 (a): pattern: matches the empty text, so that something would be inserted everywhere: want a pattern that needs a character",
		"redaction rule 4: want a name of 1 to 64 letters, digits, underscores, hyphens and dots",
		"redaction rule 4: has nothing to look for: want a pattern, a member or an attribute",
	}, strings.Split(err.Error(), "\n"))
}

// A pattern may be for a certain secret.
func TestErrorsShowNothing(t *testing.T) {
	const canary = "c4n4ry"
	for _, rule := range []Rule{
		{Name: "a", Pattern: canary + "("},
		{Name: "a", Pattern: "(?" + canary},
		{Name: "a", Pattern: "[z-a" + canary},
		{Name: "a", Pattern: `\p{` + canary + "}"},
		{Name: "a", Pattern: "(?P<" + canary},
		{Name: "a", Pattern: "(" + canary + ")*"},
		{Name: "a", Pattern: "a", Replacement: "${" + canary + "}"},
		{Name: canary + " ", Pattern: canary},
	} {
		_, err := Compile(rule)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), canary)
	}
}

func TestCompileAccepts(t *testing.T) {
	for name, rule := range map[string]Rule{
		"no replacement":   {Name: "a", Pattern: "a"},
		"named group":      {Name: "a", Pattern: "(?P<b>a)", Replacement: "$b${b}$0$1"},
		"dollar signs":     {Name: "a", Pattern: "a", Replacement: "$$1 $ ${ $$"},
		"name of all kind": {Name: "A-b_c.9", Pattern: "a"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Compile(rule)
			assert.NoError(t, err)
		})
	}
	rules, err := Compile()
	require.NoError(t, err)
	out, hits := New(rules).AppendText(nil, []byte("bob@example.com"))
	assert.Equal(t, "bob@example.com", string(out))
	assert.Zero(t, hits)
}

func TestUnfiltered(t *testing.T) {
	rules, err := Compile(
		Rule{Name: "any", Pattern: `\S+`}, Rule{Name: "literal", Pattern: `a=\S+`}, Email("email"), Rule{Name: "letters", Pattern: `\w`}, Rule{Name: "not", Pattern: `[^a-z]+b?`},
		Rule{Name: "quoted", Pattern: `"+`})
	require.NoError(t, err)
	assert.Equal(t, []string{"any", "letters", "not", "quoted"}, rules.Unfiltered())
}

// A pattern is refused exactly if it finds the empty text somewhere; some that would find it nowhere are refused as well.
func FuzzEmptyMatches(f *testing.F) {
	for _, p := range append(slices.Clone(patterns), `a*`, `\b|a`, `(?:)`, `$a?`, `a{0,3}`, `[^\x00-\x{10FFFF}]*`) {
		f.Add(p, "ab é\n")
	}
	f.Fuzz(func(t *testing.T, p, text string) {
		if len(p) > 100 || len(text) > 1000 {
			return
		}
		_, err := Compile(Rule{Name: "a", Pattern: p})
		standard, bad := regexp.Compile(p)
		if bad != nil {
			require.Error(t, err)
			return
		}
		var problem *RuleError
		require.True(t, err == nil || errors.As(err, &problem))
		for _, match := range standard.FindAllStringIndex(text, -1) {
			require.True(t, match[0] < match[1] || err != nil)
		}
	})
}
