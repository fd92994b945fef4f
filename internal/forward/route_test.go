package forward

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/config"
)

const trace = "2026-02-01 first\n  at a\n  at b\n2026-02-01 second\n"

var (
	joinedTrace = []string{"2026-02-01 first\n  at a\n  at b", "2026-02-01 second"}
	lineByLine  = []string{"2026-02-01 first", "  at a", "  at b", "2026-02-01 second"}
)

// Lines are joined where the settings or a route say how a record starts; where nothing starts so, they stay lines.
func TestMultiline(t *testing.T) {
	const start = `multiline_start: '\d{4}-\d\d-\d\d'`
	for name, tc := range map[string]struct {
		settings, key, body string
		want                []string
	}{
		"no setting":                         {"", "a.log", trace, lineByLine},
		"for every object":                   {start, "a.log", trace, joinedTrace},
		"nothing matches":                    {`multiline_start: 'ERROR'`, "a.log", trace, lineByLine},
		"lines before the first start":       {start, "a.log", "before\n" + trace, append([]string{"before"}, joinedTrace...)},
		"JSON is not joined":                 {start, "a.log", "{\"n\":1}\n{\"n\":2}\n", []string{`{"n":1}`, `{"n":2}`}},
		"at most so many lines":              {start + ", multiline_max_lines: 2", "a.log", trace, []string{"2026-02-01 first\n  at a", "  at b", "2026-02-01 second"}},
		"of a route":                         {`routes: [{key: "app/*", ` + start + `}]`, "app/a.log", trace, joinedTrace},
		"of another route":                   {`routes: [{key: "app/*", ` + start + `}]`, "web/a.log", trace, lineByLine},
		"of a route for the bucket":          {`routes: [{bucket: "example-*", ` + start + `}]`, "a.log", trace, joinedTrace},
		"of a route for another bucket":      {`routes: [{bucket: other, ` + start + `}]`, "a.log", trace, lineByLine},
		"a route goes before the setting":    {start + `, routes: [{key: "app/*"}]`, "app/a.log", trace, lineByLine},
		"the setting, where no route is":     {start + `, routes: [{key: "app/*"}]`, "web/a.log", trace, joinedTrace},
		"the first of two routes that match": {`routes: [{key: "*.log", ` + start + `}, {key: "app/*"}]`, "app/a.log", trace, joinedTrace},
		"a key with its case":                {`routes: [{key: "App/*", ` + start + `}]`, "app/a.log", trace, lineByLine},
	} {
		t.Run(name, func(t *testing.T) {
			document := both
			if tc.settings != "" {
				document = with(tc.settings, both)
			}
			r := newRig(t, document)
			r.comesTo(t, []byte(native(r.s3.put(logBucket, tc.key, []byte(tc.body)))), ending{answer: "null", lines: tc.want, gets: 1})
		})
	}
}

// The Datadog Forwarder's variable does what it did.
func TestMultilineOfTheForwarder(t *testing.T) {
	r := newRigOf(t, map[string]string{"SLUICE_CONFIG": both, "DD_MULTILINE_LOG_REGEX_PATTERN": `\d{4}-\d\d-\d\d`})
	r.comesTo(t, []byte(native(r.s3.put(logBucket, "a.log", []byte(trace)))), ending{answer: "null", lines: joinedTrace, gets: 1})
}

// Config has checked the pattern; a configuration made otherwise is still refused, and says where.
func TestRoutesOfBadPatterns(t *testing.T) {
	for want, cfg := range map[string]*config.Config{
		"routes[1]: multiline_start: ": {Routes: []config.Route{{}, {Multiline: config.Multiline{Start: "("}}}},
		"multiline_start: ":            {Multiline: config.Multiline{Start: "a)|(b"}},
	} {
		_, err := routesOf(cfg)
		require.ErrorContains(t, err, want)
		_, err = newObjectSource(cfg, nil)
		assert.ErrorContains(t, err, want)
	}
}

func TestMatchesStar(t *testing.T) {
	for _, tc := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"a", "a", true},
		{"a", "ab", false},
		{"*", "", true},
		{"*", "a/b", true},
		{"a*", "a", true},
		{"a*", "ba", false},
		{"*a", "ba", true},
		{"*a", "ab", false},
		{"a*c", "abc", true},
		{"a*c", "ac", true},
		{"a*a", "a", false},
		{"a*b*c", "aXbYc", true},
		{"a*b*c", "acb", false},
		{"*b*", "abc", true},
		{"*ab*ab", "ab", false},
		{"*ab*ab", "abab", true},
		{"**", "x", true},
		{"a**b", "ab", true},
		{"a?c", "abc", false},
		{"a.c", "abc", false},
	} {
		assert.Equal(t, tc.want, matchesStar(tc.pattern, tc.text), "%q %q", tc.pattern, tc.text)
	}
}

// FuzzMatchesStar compares with the same rule spelled out.
func FuzzMatchesStar(f *testing.F) {
	f.Add("a*b", "axxb")
	f.Add("**a*", "ba")
	f.Add("*ab*ab", "abab")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern)*len(text) > 10_000 {
			return
		}
		assert.Equal(t, slowlyMatchesStar(pattern, text), matchesStar(pattern, text))
	})
}

// slowlyMatchesStar fills the table of all beginnings of both.
func slowlyMatchesStar(pattern, text string) bool {
	row := make([]bool, len(text)+1) // whether the pattern so far matches so much of the text
	row[0] = true
	for i := range len(pattern) {
		next := make([]bool, len(text)+1)
		for j := range next {
			switch {
			case pattern[i] == '*':
				next[j] = row[j] || j > 0 && next[j-1]
			case j > 0:
				next[j] = row[j-1] && pattern[i] == text[j-1]
			}
		}
		row = next
	}
	return row[len(text)]
}

func TestAccountOf(t *testing.T) {
	assert.Equal(t, ownAccount, accountOf(functionARN))
	for _, arn := range []string{"", "arn:aws:lambda:eu-west-1", "x"} {
		assert.Empty(t, accountOf(arn))
	}
}
