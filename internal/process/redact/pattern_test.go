package redact

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patterns are what users may write, and shapes that a gate could get wrong.
var patterns = []string{
	`password=\S+`, `(?i)(password|passwd|secret|api[_-]?key|token)["']?\s*[:=]\s*["']?[^\s"',]+`, `\b\d{3}-\d{2}-\d{4}\b`,
	`\b(?:\d[ -]*?){13,16}\b`, `\b(?:AKIA|ASIA)[0-9A-Z]{16}\b`, `eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+`, `(?i)\bbearer\s+[a-z0-9._~+/-]+=*`,
	`[A-Za-z0-9+/]{40}`, `(?i)k`, `(?i)s[ck]`, `(?i)[a-z]{3}`, `[^a]`, `.`, `(?s).+`, `(?s).`, `^a`, `(?m)^a+`, `a$`, `\Aa|b`, `\ba`, `\Ba`, `a\b`,
	`\b\w\w`, `x|yy|zzz`, `(?:a|b|c|d|e|f)(?:1|2|3|4|5|6)`, `(?:ab){20}`, `a{70}`, `[ab]{70}`, `a?b?c`, `(?:a*b)+`, `a+?`, `"[^"]*"`, `\\`, `/`, `a/b`,
	`é`, `(?i)é`, `[é-ü]x`, `日本`, `\x{FFFD}`, `\pL\d`, `\n+`, `a\nb`, `(?U)a+b`, `(a)(b)?`, `(?P<k>\w+)=(?P<v>\w+)`, `<[^>]+>`,
	`one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|13|fourteen|fifteen|sixteen|seventeen|eighteen`,
	`(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|13|fourteen|fifteen|sixteen|seventeen|eighteen)=\d`,
	`(?:a1|b2|c3|d4|e5|f6|g7|h8|i9|j0|kA|lB|mC|nD|oE|pF|qqqqqG|rrrrrH)=\d`, `ab{70}c(@\d+)z`, `pass\d+x|[^a][^b]`, `[^a][^b]|(?:pass\d+x)`, `-----BEGIN [A-Z ]+-----`, `\d`, `\d{16}`, `\x00`, `[\x00-\x1f]`, `(?i:straSSe)`, `[^\x00-\x{10FFFF}]|a`, `a[^\x00-\x{10FFFF}]|b`, `(?:)a(?:)`, `\w+@\w+`,
}

// What a pattern makes of a text is what the standard library makes of it.
func TestPatternAgainstRegexp(t *testing.T) {
	for i, p := range patterns {
		t.Run(p, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			tree, err := syntax.Parse(p, syntax.Perl)
			require.NoError(t, err)
			matched := 0
			standard := regexp.MustCompile(p)
			literal := compiled(t, Rule{Name: "x", Pattern: p, Replacement: "<>"})
			groups := compiled(t, Rule{Name: "x", Pattern: p, Replacement: "<${0}$$>"})
			for range 300 {
				var text []byte
				for range random.IntN(4) {
					text = append(text, noise(random)...)
					text = sample(random, tree.Simplify(), text)
				}
				text = append(text, noise(random)...)
				if standard.Match(text) {
					matched++
				}
				requireSameBy(t, literal, standard, "<>", text)
				requireSameBy(t, groups, standard, "<${0}$$>", text)
			}
			assert.Greater(t, matched, 20, "the texts are of no use")
		})
	}
}

// noise is text between matches: nothing, characters that make assertions hold or fail, or anything.
func noise(random *rand.Rand) string {
	list := []string{"", "", "", " ", "a", "\n", "-", "é", "\xff", "\u212A", "\u017F", "日", "=", `"`, `\`, "x y", "...", "password=", "\x80\xC3"}
	return list[random.IntN(len(list))]
}

// sample appends a text that tree matches, but for assertions.
func sample(random *rand.Rand, tree *syntax.Regexp, dst []byte) []byte {
	times := func(low int) []byte {
		for range low + random.IntN(3) {
			dst = sample(random, tree.Sub[0], dst)
		}
		return dst
	}
	switch tree.Op {
	case syntax.OpLiteral:
		for _, r := range tree.Rune {
			if tree.Flags&syntax.FoldCase != 0 {
				dst = utf8.AppendRune(dst, folded(random, r))
			} else {
				dst = utf8.AppendRune(dst, r)
			}
		}
	case syntax.OpCharClass:
		if len(tree.Rune) > 0 {
			i := random.IntN(len(tree.Rune)/2) * 2
			dst = utf8.AppendRune(dst, tree.Rune[i]+random.Int32N(tree.Rune[i+1]-tree.Rune[i]+1))
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		dst = utf8.AppendRune(dst, []rune{'a', ' ', 'é', '"', '\\', '1'}[random.IntN(6)])
	case syntax.OpCapture:
		dst = sample(random, tree.Sub[0], dst)
	case syntax.OpStar:
		dst = times(0)
	case syntax.OpPlus:
		dst = times(1)
	case syntax.OpQuest:
		if random.IntN(2) == 0 {
			dst = sample(random, tree.Sub[0], dst)
		}
	case syntax.OpConcat:
		for _, sub := range tree.Sub {
			dst = sample(random, sub, dst)
		}
	case syntax.OpAlternate:
		dst = sample(random, tree.Sub[random.IntN(len(tree.Sub))], dst)
	default: // an assertion, or what matches nothing
	}
	return dst
}

// folded is one of the characters that are r when case is ignored.
func folded(random *rand.Rand, r rune) rune {
	all := []rune{r}
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		all = append(all, other)
	}
	return all[random.IntN(len(all))]
}

func TestPatternReplacements(t *testing.T) {
	for name, tc := range map[string]struct{ pattern, replacement, text, want string }{
		"nothing in its place":          {`b`, ``, "abc", "ac"},
		"groups":                        {`(\w+)=(\w+)`, `${1}=x$2`, "a=b c=d", "a=xb c=xd"},
		"named group":                   {`(?P<name>\w+)=\w+`, `$name=x`, "a=b", "a=x"},
		"group that did not match":      {`(a)|b`, `<$1>`, "ab", "<a><>"},
		"dollar sign":                   {`b`, `$$1 $`, "abc", "a$1 $c"},
		"dollar sign, braces":           {`b`, `${`, "abc", "a${c"},
		"quotes and line breaks":        {`b`, "\"\n\\", "abc", "a\"\n\\c"},
		"start of the text only":        {`^a`, `x`, "aaa", "xaa"},
		"start of each line":            {`(?m)^a`, `x`, "aaa\naa", "xaa\nxa"},
		"matches that touch, boundary":  {`\b\w\w`, `x`, "abcd ef", "xcd x"},
		"matches that touch, groups":    {`\b(\w)\w`, `$1`, "abcd ef", "acd e"},
		"not at a boundary":             {`\Ba`, `x`, "aaa a aa", "axx a ax"},
		"behind a character of two":     {`\bé|é`, `x`, "éé é", "xx x"},
		"replacement is not read again": {`a`, `aa`, "aba", "aabaa"},
		"greedy":                        {`password=.*`, `x`, "a password=b c\nd", "a x\nd"},
		"end":                           {`a+$`, `x`, "aaa baa", "aaa bx"},
		"bytes that are no UTF-8":       {`.`, `x`, "a\xff\xe2\x82b", "xxxxx"},
		"case beyond ASCII":             {`(?i)key|secret`, `x`, "\u212Aey \u017Fecret", "x x"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, string(regexp.MustCompile(tc.pattern).ReplaceAll([]byte(tc.text), []byte(tc.replacement))), "the row is wrong")
			assert.Equal(t, tc.want, redactText(t, Rule{Name: "x", Pattern: tc.pattern, Replacement: tc.replacement}, tc.text))
		})
	}
}

func FuzzPattern(f *testing.F) {
	for i, p := range patterns {
		f.Add(p, "<$0>", fmt.Sprintf("aab %d password=x a1b2", i))
		f.Add(p, "x", "abab\nabKſé日本 yy\"\\/\x00\xff")
	}
	f.Add(`(?m)^a|\bb`, "${1}", "aabb")
	f.Fuzz(func(t *testing.T, p, replacement, text string) {
		rule := Rule{Name: "x", Pattern: p, Replacement: replacement}
		if len(p) > 100 || len(text) > 1000 || len(replacement) > 100 {
			return
		}
		if _, err := Compile(rule); err != nil {
			return
		}
		standard := regexp.MustCompile(p)
		requireSame(t, rule, standard, replacement, []byte(text))
		tree, err := syntax.Parse(p, syntax.Perl)
		require.NoError(t, err)
		random := rand.New(rand.NewPCG(1, uint64(len(text))))
		if match := sample(random, tree.Simplify(), []byte(text)); len(match) < 1000 {
			requireSame(t, rule, standard, replacement, match)
		}
	})
}

// A rule whose matches touch and depend on what is before them does not hold any number of them.
func TestMatchesAtOnceAreBounded(t *testing.T) {
	rule := Rule{Name: "x", Pattern: `\b\w|\w`, Replacement: "y"}
	assert.Equal(t, strings.Repeat("y", maxAtOnce), redactText(t, rule, strings.Repeat("a", maxAtOnce)))
	assert.Equal(t, tooLong, redactText(t, rule, strings.Repeat("a", maxAtOnce+1)))
}

// What takes the place of matches does not fill the memory: the value goes as a whole.
func TestGrowthIsBounded(t *testing.T) {
	long := strings.Repeat("y", MaxReplacementBytes)
	few, many := strings.Repeat("a", 50), strings.Repeat("a", 1000)
	for name, tc := range map[string]struct{ pattern, replacement, text, want string }{
		"room for some":       {`a`, long, few, strings.Repeat(long, 50)},
		"no room":             {`a`, long, many, tooLong},
		"no room, groups":     {`(a)`, long[:1000] + "$1", many, tooLong},
		"copies of the match": {`a+`, strings.Repeat("$0", 500), many, tooLong},
		"matches at once":     {`\ba|a`, long, many, tooLong},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, redactText(t, Rule{Name: "x", Pattern: tc.pattern, Replacement: tc.replacement}, tc.text))
		})
	}
	t.Run("rules one behind the other", func(t *testing.T) {
		rules, err := Compile(
			Rule{Name: "1", Pattern: "a", Replacement: strings.Repeat("b", 1000)}, Rule{Name: "2", Pattern: "b", Replacement: strings.Repeat("c", 1000)})
		require.NoError(t, err)
		out, hits := New(rules).AppendText(nil, []byte("aa"))
		assert.Equal(t, tooLong, string(out))
		assert.Positive(t, hits)
	})
	t.Run("rules that share the room", func(t *testing.T) {
		r := compiled(t, Rule{Name: "1", Pattern: "a", Replacement: strings.Repeat("b", 1000)}, Rule{Name: "2", Pattern: "b{20}", Replacement: strings.Repeat("c", 40)})
		out, _ := r.AppendText(nil, []byte(strings.Repeat("a", 30)))
		assert.Equal(t, strings.Repeat("c", 60_000), string(out))
		out, _ = r.AppendText(nil, []byte(strings.Repeat("a", 60)))
		assert.Equal(t, tooLong, string(out))
	})
	t.Run("values of a document", func(t *testing.T) {
		rules, err := Compile(Rule{Name: "1", Pattern: "a", Replacement: long})
		require.NoError(t, err)
		doc := "[" + strings.Repeat(`"a",`, 1000) + `"a"]`
		out, hits, ok := New(rules).AppendJSON(nil, []byte(doc))
		assert.True(t, ok)
		assert.Equal(t, 1001, hits)
		assert.Less(t, len(out), 10*len(doc)+growthBytes)
		assert.NotContains(t, string(out), `"a"`)
		assert.Contains(t, string(out), `"`+tooLong+`"]`)
	})
}
