package re2

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const what = "is no regular expression of RE2 (no look-around, no back-references): "

func TestProblem(t *testing.T) {
	for expr, want := range map[string]string{
		"":                "",
		"a(b)[c]":         "",
		`(?i)é\d+`:        "",
		"(?P<a>b)(?<c>d)": "",
		"(?=a)":           "a look-ahead at character 1: write the pattern without it",
		"^(?!a).*":        "a look-ahead at character 2: write the pattern without it",
		"éé(?<=a)b":       "a look-behind at character 3: write the pattern without it",
		"a(?<!b)c":        "a look-behind at character 2: write the pattern without it",
		"a(?<=b)(?<c>d)":  "a look-behind at character 2: write the pattern without it",
		"(?>a)":           "an atomic group at character 1: write the pattern without it",
		"(?P<a>b)(?P=a)":  "a back-reference at character 9: write the pattern without it",
		`(a)\1`:           "a back-reference at character 4: write the pattern without it",
		`\\1(a)\1`:        "a back-reference at character 7: write the pattern without it",
		`(?<a>b)\k<a>`:    "a back-reference at character 8: write the pattern without it",
		"a(?#b)":          "a comment at character 2: write the pattern without it",
		"(a)(?(1)b)":      "a condition at character 4: write the pattern without it",
		"a++":             "a possessive quantifier at character 2: write the pattern without it",
		"a**":             "invalid nested repetition operator at character 2: write it as RE2 has it",
		`a\h`:             `invalid escape sequence at character 2: write it as RE2 has it, and \\ for a backslash`,
		`\x{41}\x`:        `invalid escape sequence at character 7: write it as RE2 has it, and \\ for a backslash`,
		`C:\`:             `a backslash with nothing behind it at character 3: write \\ for a backslash`,
		"*a":              "a repetition of nothing at character 1: write what is repeated before it (.* is any text), or a backslash before it for the character",
		"a*b|*c":          "a repetition of nothing at character 5: write what",
		"a{1001}":         "invalid repeat count at character 2: repeat at most 1000 times",
		"(a":              `a ( that is not closed at character 1: close it, or write \( for the character`,
		"(a(b":            "a ( that is not closed at character 1: close",
		"(a)(b(c)":        "a ( that is not closed at character 4: close",
		"a)":              `a ) that closes nothing at character 2: write \) for the character`,
		`\(a)`:            "a ) that closes nothing at character 4: write",
		`[(]a)`:           "a ) that closes nothing at character 5: write",
		`[](\])]a)`:       "a ) that closes nothing at character 9: write",
		`[^](]a)`:         "a ) that closes nothing at character 7: write",
		`[[:alpha:](]a)`:  "a ) that closes nothing at character 14: write",
		`\Q(\E(`:          "a ( that is not closed at character 6: close",
		`(\Q)`:            "a ( that is not closed at character 1: close",
		"[a":              `a [ that is not closed at character 1: close it, or write \[ for the character`,
		"[a][":            "a [ that is not closed at character 4: close",
		"[z-a]":           "invalid character class range at character 2: write it as RE2 has it",
		"[[:no:]]":        "invalid character class range at character 2: write",
		"(?P<a-b>c)":      "invalid named capture at character 1: write",
		"é\xff":           "invalid UTF-8 at character 2: write it as UTF-8",
		"(?x)a":           "invalid or unsupported Perl syntax at character 1: write",
		"((a{500}){500})": "invalid repeat count",
		`\pX`:             "invalid character class range at character 1: write",
		`(?s)a\Z`:         "invalid escape sequence at character 6: write",
		"a" + deep(1001):  "expression nests too deeply",
	} {
		t.Run(expr[:min(len(expr), 20)], func(t *testing.T) {
			got := Problem(expr)
			_, err := regexp.Compile(expr)
			require.Equal(t, err == nil, got == "", "%v", err)
			if want == "" {
				return
			}
			assert.True(t, strings.HasPrefix(got, what+want), got)
		})
	}
}

func TestControlCharacter(t *testing.T) {
	const behind = ", as a backslash in the double quotes of YAML makes one: write the pattern in single quotes, or "
	for expr, want := range map[string]string{
		"\bDEBUG\b": "has the control character U+0008 at character 1" + behind + `\x08 for the character`,
		"é[\x1b]":   "has the control character U+001B at character 3" + behind + `\x1B for the character`,
		"a\x00":     "has the control character U+0000 at character 2" + behind + `\x00 for the character`,
		"\x7f":      "has the control character U+007F at character 1" + behind + `\x7F for the character`,
		"a\u0085":   "has the control character U+0085 at character 2" + behind + `\x85 for the character`,
		"a\tb\r\nc": "",
		`\bDEBUG\b`: "",
		`\x1b\[0m`:  "",
		"\u00a0":    "",
	} {
		assert.Equal(t, want, Problem(expr), "%q", expr)
	}
	assert.True(t, strings.HasPrefix(Problem("\b("), what), "what does not compile is said first")
}

func deep(n int) string { return strings.Repeat("(", n) + strings.Repeat(")", n) }

// Whatever the expression is, there is a problem exactly if it does not compile or has a control character that is no white
// space, and none of it is shown.
func FuzzProblem(f *testing.F) {
	for _, expr := range []string{"", "(a", `(\Q)`, "[a][", `\\1\1`, "(?<=a)", "a\xff", "[[:alpha:](]a)", "\b", "\t"} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		if len(expr) > 300 {
			return
		}
		problem := Problem(expr)
		_, err := regexp.Compile(expr)
		control := strings.ContainsFunc(expr, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\n\r", r) })
		require.Equal(t, err == nil && !control, problem == "")
		const canary = "c4n4ry"
		if err != nil {
			for _, with := range []string{canary + expr, expr + canary} {
				assert.NotContains(t, Problem(with), canary)
			}
		}
	})
}
