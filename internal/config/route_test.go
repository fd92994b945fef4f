package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPatterns(t *testing.T) {
	for text, want := range map[string]bool{
		"a": true, "*": true, "a*b*": true, "/aws/lambda/*": true, "~a": true, "~^(a|b)$": true, "a~": true, "(": true, "é*": true,
		strings.Repeat("a", 1024): true, strings.Repeat("a", 1025): false,
		"": false, "~": false, "~(": false, "~(?=a)": false, `~(a)\1`: false, "~" + strings.Repeat("a", 1024): false,
	} {
		for _, s := range patternSettings() {
			document := fmt.Sprintf("SLUICE_CONFIG=routes: [{%s: %q}]", s.key, text)
			c, err := load(t, with(document))
			if !want {
				problem := "want a pattern of 1 to 1024 bytes"
				if len(text) > 1 && len(text) < 1024 {
					problem = "the text behind the ~ is no regular expression of RE2 (no look-around, no back-references): "
				}
				require.ErrorContains(t, err, "routes[0]."+s.key+" (line 1): "+problem, document)
				continue
			}
			require.NoError(t, err, document)
			assertValid(t, c)
			r := c.Routes[0]
			got := map[string]string{
				"log_group": r.LogGroup, "log_stream": r.LogStream, "bucket": r.Bucket, "key": r.Key, "stream": r.Stream, "owner": r.Owner,
				"from_source": r.FromSource,
			}
			assert.Equal(t, text, got[s.key])
			assert.Equal(t, text, strings.Join([]string{r.LogGroup, r.LogStream, r.Bucket, r.Key, r.Stream, r.Owner, r.FromSource}, ""))
		}
	}
}

func TestRouteProblems(t *testing.T) {
	const destinations = "\ndestinations: [{id: one, type: http, url: 'https://a.example.com'}, {id: two, type: datadog}]"
	for name, tc := range map[string]struct {
		document string
		want     []string
	}{
		"everything, last":           {document: "routes: [{key: a}, {tags: [a]}]"},
		"everything, drops":          {document: "routes: [{key: a}, {drop: true}]"},
		"everything, first":          {"routes: [{tags: [a]}, {key: a}]", []string{"routes[0] (line 1): has no pattern, so that no route behind it counts: want one of log_group, log_stream, bucket, key, stream, owner, from_source, or make it the last"}},
		"patterns alone":             {document: "routes: [{key: a}]"},
		"no route":                   {document: "routes: []"},
		"drops what it labels":       {"routes: [{key: a, drop: true, service: b}]", []string{"routes[0].service (line 1): has no effect, as the route drops everything: leave this or drop out"}},
		"drops what it filters":      {"routes: [{key: a, sample: 0.5, drop: true}]", []string{"routes[0].sample (line 1): has no effect"}},
		"does not drop":              {document: "routes: [{key: a, drop: false, service: b}]"},
		"destinations":               {document: "routes: [{key: a, destinations: [one]}, {key: b, destinations: ' one , two'}]" + destinations},
		"destinations, stated first": {document: destinations[1:] + "\nroutes: [{key: a, destinations: [two]}]"},
		"destination that is not there": {"routes:\n- {key: a}\n- {key: a, destinations: [two, onne]}" + destinations, []string{
			`routes[1].destinations[1] (line 3): "onne", as a destination: this name is unknown; did you mean one?`,
		}},
		"destination of variables":           {document: "routes: [{key: a, destinations: [datadog]}]"},
		"another than the one of variables":  {"routes: [{key: a, destinations: [two]}]", []string{`routes[0].destinations[0] (line 1): "two", as a destination: this name is unknown`}},
		"destination twice":                  {"routes: [{key: a, destinations: [one, one]}]" + destinations, []string{`routes[0].destinations[1] (line 1): "one": want ids of destinations`}},
		"destinations, none":                 {"routes: [{key: a, destinations: []}]" + destinations, []string{"routes[0].destinations (line 1): is empty: want ids of destinations"}},
		"rule of another route":              {document: "routes: [{key: a, redact: [{name: a, pattern: b}]}, {key: b, redact: [{name: a, pattern: b}]}]"},
		"rule of the top":                    {"routes: [{key: a, redact: [{name: b, pattern: b}, {name: a, pattern: c}]}]\nredact: [{name: a, pattern: b}]", []string{"routes[0].redact[1] (line 1): has the name of a rule at the top of the document: give it another"}},
		"rule without a name":                {"routes: [{key: a, redact: [{pattern: b}]}]\nredact: [{pattern: b}]", []string{"routes[0].redact[0] (line 1): want a name", "redact[0] (line 2): want a name"}},
		"too many":                           {"routes: [" + strings.Repeat("{}, ", 1001) + "]", []string{"routes (line 1): has 1001 routes: want at most 1000"}},
		"no list":                            {"routes: {key: a}", []string{"routes (line 1): a mapping: want a list of routes"}},
		"setting of the top":                 {"routes: [{key: a, tag_rules: {max: 1}}]", []string{"routes[0].tag_rules (line 1): belongs at the top of the document"}},
		"destinations of the top":            {"destinations: [{id: a, type: datadog, routes: []}]", []string{"destinations[0].routes (line 1): belongs at the top of the document"}},
		"several wrong in several routes":    {"routes:\n- {key: '~('}\n- {key: b, tags: [',']}", []string{"routes[0].key (line 2): the text behind the ~ is no regular expression", `routes[1].tags[0] (line 3): ",": want a tag`}},
		"wrong pattern of one that is first": {"routes: [{key: '~('}, {key: a}]", []string{"routes[0].key (line 1): the text behind the ~ is no regular expression of RE2 (no look-around, no back-references): a ( that is not closed at character 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, with("SLUICE_CONFIG="+tc.document))
			if tc.want == nil {
				require.NoError(t, err)
				assertValid(t, c)
				assert.Empty(t, c.Warnings)
				return
			}
			require.Error(t, err)
			got := strings.Split(err.Error(), "\n")
			require.Len(t, got, len(tc.want), "%q", got)
			for i, want := range tc.want {
				assert.True(t, strings.HasPrefix(got[i], want), got[i])
			}
		})
	}
}

// A route that stands behind one that matches the same, or more, never counts.
func TestHiddenRoutes(t *testing.T) {
	const warning = "routes: some never count, as a route before them has the same patterns, or some of them: "
	for name, tc := range map[string]struct{ routes, want string }{
		"same pattern":                {"{key: a, tags: [x]}, {key: a, drop: true}", "routes[1] behind routes[0]"},
		"same patterns, turned":       {"{key: b}, {key: a, bucket: c}, {bucket: c, key: a}", "routes[2] behind routes[1]"},
		"one pattern more":            {"{key: a}, {key: a, bucket: c}", "routes[1] behind routes[0]"},
		"one pattern less":            {routes: "{key: a, bucket: c}, {key: a}"},
		"same text, other pattern":    {routes: "{key: a}, {bucket: a}, {stream: a}, {owner: a}, {log_group: a}, {log_stream: a}, {from_source: a}"},
		"every pattern":               {"{log_group: a, log_stream: b, bucket: c, key: d, stream: e, owner: f, from_source: g}, {log_group: a, log_stream: b, bucket: c, key: d, stream: e, owner: f, from_source: g}", "routes[1] behind routes[0]"},
		"another expression":          {routes: "{key: ~a}, {key: a}, {key: ~a.*}"},
		"everything, last":            {routes: "{key: a}, {tags: [x]}"},
		"several, behind the first":   {"{key: a}, {key: a}, {key: b}, {key: a}", "routes[1] behind routes[0], routes[3] behind routes[0]"},
		"more than a warning can say": {strings.Repeat("{key: a}, ", 20), "routes[10] behind routes[0], and more"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, with("SLUICE_CONFIG=routes: ["+tc.routes+"]"))
			require.NoError(t, err)
			if tc.want == "" {
				assert.Empty(t, c.Warnings)
				return
			}
			require.Len(t, c.Warnings, 1)
			assert.True(t, strings.HasPrefix(c.Warnings[0], warning), c.Warnings[0])
			assert.True(t, strings.HasSuffix(c.Warnings[0], tc.want+"; put them in front, or leave them out"), c.Warnings[0])
		})
	}
}

// Whatever is read at the top is read in a route too, in the same way.
func TestRoutesReadProcessing(t *testing.T) {
	const settings = `
  include: [a]
  exclude: b
  include_where: [{attribute: c, matches: d}]
  exclude_where: [{attribute: e, matches: f}]
  sample: 0.5
  expand: g.h
  severity: true
  redact: [{name: i, pattern: j, replacement: k}]
  agent: {agentStrict: true, skipHeaderLines: 3, multiLineStartPattern: l, dataProcessingOptions: [{optionName: SINGLELINE}]}
  multiline_start: m
  multiline_max_lines: 3
  multiline_max_bytes: 4kB
`
	top, err := load(t, with("SLUICE_CONFIG="+strings.ReplaceAll(settings, "\n  ", "\n")))
	require.NoError(t, err)
	route, err := load(t, with("SLUICE_CONFIG=routes:\n- key: x"+settings))
	require.NoError(t, err)
	assert.NotZero(t, top.Processing)
	assert.Equal(t, top.Processing, route.Routes[0].Processing)
	assert.Equal(t, top.Multiline, route.Routes[0].Multiline)
	assert.Zero(t, route.Processing)

	variables, err := load(t, with("SLUICE_INCLUDE=a", "SLUICE_SEVERITY=true", "SLUICE_MULTILINE_START=b", "SLUICE_CONFIG=routes: [{key: x}]"))
	require.NoError(t, err)
	assert.Zero(t, variables.Routes[0].Processing, "variables are for the top")
	assert.Equal(t, Multiline{MaxLines: 500, MaxBytes: 256 << 10}, variables.Routes[0].Multiline)
}

// The examples of the documentation are right.
func TestDocumentationExamples(t *testing.T) {
	_, rest, found := strings.Cut(routePreface, "```yaml\n")
	require.True(t, found)
	example, _, _ := strings.Cut(rest, "```")
	_, rest, found = strings.Cut(introduction, "```yaml\n")
	require.True(t, found)
	destinations, _, _ := strings.Cut(rest, "```")
	c, err := load(t, with("SLUICE_CONFIG="+destinations+example))
	require.NoError(t, err)
	assert.Len(t, c.Routes, 3)

	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	_, rest, found = strings.Cut(string(readme), "```yaml\n")
	require.True(t, found)
	example, _, _ = strings.Cut(rest, "```")
	c, err = load(t, with("SLUICE_CONFIG="+example))
	require.NoError(t, err)
	assert.Len(t, c.Routes, 3)
	assert.Len(t, c.Destinations, 2)
}
