package agent

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// javaCase is what OpenJDK 17 made of a text: Matcher.matches and its groups with the agent's own pattern for a format
// ("format") or with a pattern ("match"), Matcher.lookingAt ("start"), String.split ("split"), and split, trim and join as
// SINGLELINE does it ("single", whose pattern are the parseOptions).
type javaCase struct {
	Kind, Pattern, Text, Result string
	Parts                       []*string
}

// notJava are patterns that Java takes and RE2 does not.
var notJava = map[string]bool{"[a-c&&[^b]]": true, "(?=b)": true, "(?!\\s)": true}

// meansOther are patterns of RE2 that mean something else in Java, so that they are refused.
var meansOther = map[string]bool{"([[:alpha:]]+)": true}

func TestAsJava(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/java.json")
	require.NoError(t, err)
	var cases []javaCase
	require.NoError(t, json.Unmarshal(text, &cases))
	require.Greater(t, len(cases), 1000)
	for _, tc := range cases {
		got, err := tc.run()
		if notJava[tc.Pattern] || meansOther[tc.Pattern] {
			assert.Error(t, err, "%+v", tc)
			continue
		}
		if !assert.NoError(t, err, "%s %q", tc.Kind, tc.Pattern) {
			continue
		}
		assert.Equal(t, tc.Result == "ok", got != nil, "%s %s %q", tc.Kind, tc.Pattern, tc.Text)
		if got != nil && tc.Parts != nil {
			assert.Equal(t, tc.Parts, got, "%s %s %q", tc.Kind, tc.Pattern, tc.Text)
		}
	}
}

// run returns the parts; nil where nothing matches.
func (tc javaCase) run() ([]*string, error) {
	switch tc.Kind {
	case "format":
		f, _ := formatOf(tc.Pattern)
		return matched(f.match, tc.Text, len(f.names)), nil
	case "match":
		re, err := compileJava(tc.Pattern, `\A(?:`, `)\z`, `\z`)
		if err != nil {
			return nil, err
		}
		m, err := newPattern(tc.Pattern, make([]string, re.NumSubexp()))
		if err != nil {
			return nil, err
		}
		return matched(m, tc.Text, re.NumSubexp()), nil
	case "start":
		re, err := CompileStart(tc.Pattern)
		if err != nil || !re.MatchString(tc.Text) {
			return nil, err
		}
		return []*string{}, nil
	case "split":
		d, err := newDelimiter(tc.Pattern)
		if err != nil {
			return nil, err
		}
		columns := make([]span, 100)
		return textOf(tc.Text, columns[:split(d, []byte(tc.Text), columns)]), nil
	}
	c, err := New([]Option{{OptionName: SingleLine, ParseOptions: words(tc.Pattern)}}, true)
	if err != nil {
		return nil, err
	}
	out, _ := c.Append(nil, []byte(tc.Text))
	return []*string{new(string(out))}, nil
}

func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

func matched(m matcher, text string, groups int) []*string {
	spans := make([]span, groups)
	if !m([]byte(text), spans) {
		return nil
	}
	return textOf(text, spans)
}

func textOf(text string, spans []span) []*string {
	parts := []*string{}
	for _, s := range spans {
		if s.start < 0 {
			parts = append(parts, nil)
			continue
		}
		parts = append(parts, new(text[s.start:s.end]))
	}
	return parts
}

// What counts of a split does not depend on how many columns are wanted.
func TestFirstColumns(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{",", `\s*,\s*`, `|`, `,*`, `[,;]+`, `::`} {
		d, err := newDelimiter(pattern)
		require.NoError(t, err)
		for _, text := range []string{"", ",", ",,,", "a", "a,b", "a,,b,,", ",,a", "a,b,c,d", "a::b::", ";,a;;", "é,é"} {
			all := make([]span, 50)
			whole := all[:split(d, []byte(text), all)]
			for n := range 8 {
				some := make([]span, n)
				assert.Equal(t, textOf(text, whole[:min(n, len(whole))]), textOf(text, some[:split(d, []byte(text), some)]),
					"%d columns of %q by %q", n, text, pattern)
			}
		}
	}
}
