package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/process/agent"
)

func TestProcessingDefaults(t *testing.T) {
	c, err := load(t, with())
	require.NoError(t, err)
	assert.Zero(t, c.Processing)
	assert.Zero(t, c.TagRules)
	assert.False(t, c.Alters())
}

func TestProcessing(t *testing.T) {
	for name, tc := range map[string]struct {
		env  []string
		got  func(*Config) any
		want any
	}{
		"sample":                     {[]string{"SLUICE_SAMPLE=0.1"}, sample, 0.1},
		"sample of all":              {[]string{"SLUICE_SAMPLE=1"}, sample, 1.0},
		"sample with an exponent":    {[]string{"SLUICE_SAMPLE= 1e-3 "}, sample, 0.001},
		"a variable's sample wins":   {[]string{"SLUICE_CONFIG=sample: 0.5", "SLUICE_SAMPLE=0.25"}, sample, 0.25},
		"severity":                   {[]string{"SLUICE_SEVERITY=TRUE"}, func(c *Config) any { return c.Severity }, true},
		"severity, switched off":     {[]string{"SLUICE_CONFIG=severity: true", "SLUICE_SEVERITY=false"}, func(c *Config) any { return c.Severity }, false},
		"path of one member":         {[]string{"SLUICE_CONFIG=expand: Records"}, func(c *Config) any { return c.Expand }, "Records"},
		"path of two":                {[]string{"SLUICE_CONFIG=expand: detail.findings"}, func(c *Config) any { return c.Expand }, "detail.findings"},
		"condition":                  {[]string{"SLUICE_CONFIG=include_where: [{attribute: a.b, matches: ' c '}]"}, func(c *Config) any { return c.IncludeWhere }, []Condition{{"a.b", " c "}}},
		"condition, members turned":  {[]string{"SLUICE_CONFIG=exclude_where: [{matches: 1, attribute: a}]"}, func(c *Config) any { return c.ExcludeWhere }, []Condition{{"a", "1"}}},
		"conditions, none":           {[]string{"SLUICE_CONFIG=exclude_where: []"}, func(c *Config) any { return len(c.ExcludeWhere) }, 0},
		"attributes of Datadog":      {nil, attributes, []Attributes{"off"}},
		"attributes of HTTP":         {[]string{twoDestinations}, attributes, []Attributes{"off", "aws"}},
		"attributes by a variable":   {[]string{twoDestinations, "SLUICE_ATTRIBUTES=ecs"}, attributes, []Attributes{"ecs", "ecs"}},
		"attributes by the document": {[]string{twoDestinations + ", attributes: otel}]", "SLUICE_ATTRIBUTES=ecs"}, attributes, []Attributes{"ecs", "otel"}},
		"attributes, none of HTTP":   {[]string{twoDestinations + ", attributes: off}]"}, attributes, []Attributes{"off", "off"}},
	} {
		t.Run(name, func(t *testing.T) {
			env := with(tc.env...)
			if document := env["SLUICE_CONFIG"]; strings.HasPrefix(document, "destinations") && !strings.HasSuffix(document, "]") {
				env["SLUICE_CONFIG"] += "}]"
			}
			c, err := load(t, env)
			require.NoError(t, err)
			assertValid(t, c)
			assert.Equal(t, tc.want, tc.got(c))
			assert.Empty(t, c.Warnings)
		})
	}
}

const twoDestinations = "SLUICE_CONFIG=destinations: [{id: a, type: datadog}, {id: b, type: http, url: 'https://b.example.com'"

func sample(c *Config) any { return c.Sample }

func attributes(c *Config) any {
	var list []Attributes
	for _, d := range c.Destinations {
		list = append(list, d.Attributes)
	}
	return list
}

func TestProcessingProblems(t *testing.T) {
	for name, tc := range map[string]struct{ env, want string }{
		"sample of none":          {"SLUICE_SAMPLE=0", `SLUICE_SAMPLE: "0": want a number above 0 and up to 1`},
		"sample of more than all": {"SLUICE_SAMPLE=1.0001", "SLUICE_SAMPLE: "},
		"sample that is negative": {"SLUICE_SAMPLE=-0.5", "SLUICE_SAMPLE: "},
		"sample that is no share": {"SLUICE_SAMPLE=NaN", "SLUICE_SAMPLE: "},
		"sample in percent":       {"SLUICE_SAMPLE=10%", "SLUICE_SAMPLE: "},
		"sample too small":        {"SLUICE_SAMPLE=1e-400", "SLUICE_SAMPLE: "},
		"severity":                {"SLUICE_SEVERITY=error", `SLUICE_SEVERITY: "error": want true or false`},
		"attributes":              {"SLUICE_ATTRIBUTES=json", `SLUICE_ATTRIBUTES: "json": want off, aws, ecs or otel`},
		"path with a gap":         {"SLUICE_CONFIG=expand: a..b", `expand (line 1): "a..b": want the name of a member`},
		"path that ends in a dot": {"SLUICE_CONFIG=expand: a.", "expand (line 1): "},
		"path that is long":       {"SLUICE_CONFIG=expand: " + strings.Repeat("a", 201), "expand (line 1): "},
		"path that is a list":     {"SLUICE_CONFIG=expand: [a, b]", "expand (line 1): a list: want the name of a member"},
		"no pattern":              {"SLUICE_CONFIG=include_where: [{attribute: a}]", "include_where[0] (line 1): has no matches: want a mapping with attribute and matches"},
		"no attribute":            {"SLUICE_CONFIG=exclude_where: [{matches: a}]", "exclude_where[0] (line 1): has no attribute: want a mapping with attribute and matches"},
		"pattern of a condition":  {"SLUICE_CONFIG=include_where: [{attribute: a, matches: '(" + canary + "'}]", "include_where[0].matches (line 1): is no regular expression of RE2 (no look-around, no back-references): a ( that is not closed at character 1: close it"},
		"long pattern":            {"SLUICE_CONFIG=include_where: [{attribute: a, matches: " + strings.Repeat("a", 8193) + "}]", "include_where[0].matches (line 1): want a regular expression of RE2 of at most 8192 bytes"},
		"control character":       {"SLUICE_CONFIG=include_where: [{attribute: a, matches: \"\\b" + canary + "\\b\"}]", "include_where[0].matches (line 1): has the control character U+0008 at character 1"},
		"start of a record":       {"SLUICE_CONFIG=multiline_start: \"\\b" + canary + "\"", "multiline_start (line 1): has the control character U+0008 at character 1"},
		"pattern of a route":      {"SLUICE_CONFIG=routes: [{key: \"~\\b" + canary + "\"}]", "routes[0].key (line 1): the text behind the ~ has the control character U+0008 at character 1"},
		"too many conditions":     {"SLUICE_CONFIG=include_where: [" + strings.Repeat("{}, ", 101) + "]", "include_where (line 1): has 101 conditions: want at most 100"},
		"condition that is none":  {"SLUICE_CONFIG=include_where: [" + canary + "]", "include_where[0] (line 1): a text: want a mapping with attribute and matches"},
		"no list":                 {"SLUICE_CONFIG=include_where: " + canary, "include_where (line 1): a text: want a list of mappings"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, with(tc.env))
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), canary)
			assert.NotContains(t, err.Error(), "\n", "one problem")
		})
	}
}

// What leaves bytes as they came is no reason to refuse an output of the bytes as they came.
func TestAlters(t *testing.T) {
	for name, tc := range map[string]struct {
		config Config
		want   bool
	}{
		"nothing":               {},
		"addresses":             {Config{RedactIP: true}, true},
		"e-mail":                {Config{RedactEmail: true}, true},
		"owners":                {Config{AllowedOwners: []string{"123456789012"}}, true},
		"include":               {Config{Processing: Processing{Include: []string{"a"}}}, true},
		"exclude":               {Config{Processing: Processing{Exclude: []string{"a"}}}, true},
		"include where":         {Config{Processing: Processing{IncludeWhere: []Condition{{"a", "b"}}}}, true},
		"exclude where":         {Config{Processing: Processing{ExcludeWhere: []Condition{{"a", "b"}}}}, true},
		"sample":                {Config{Processing: Processing{Sample: 0.5}}, true},
		"sample of all":         {Config{Processing: Processing{Sample: 1}}, false},
		"expansion":             {Config{Processing: Processing{Expand: "a"}}, true},
		"rules":                 {Config{Processing: Processing{Redact: []RedactRule{{}}}}, true},
		"agent's options":       {Config{Processing: Processing{Agent: Agent{Options: make([]agent.Option, 1)}}}, true},
		"agent's cut":           {Config{Processing: Processing{Agent: Agent{Terminator: "\n"}}}, true},
		"severity":              {Config{Processing: Processing{Severity: true}}, false},
		"tags":                  {Config{TagRules: TagRules{Max: 1}, ResourceTags: ResourceTags{S3: true}}, false},
		"route with tags":       {Config{Routes: []Route{{Tags: []string{"a"}}}}, false},
		"route that drops":      {Config{Routes: []Route{{}, {Drop: true}}}, true},
		"route that samples":    {Config{Routes: []Route{{}, {Processing: Processing{Sample: 0.1}}}}, true},
		"lines that are joined": {Config{Multiline: Multiline{Start: "a"}}, false},
	} {
		assert.Equal(t, tc.want, tc.config.Alters(), name)
	}
}

// Settings of what happens to records are for the transformation function too.
func TestTransformReadsProcessing(t *testing.T) {
	c, err := LoadTransform(t.Context(), Environ([]string{
		"SLUICE_SAMPLE=0.5", "SLUICE_SEVERITY=true", "DD_FETCH_S3_TAGS=true",
		"SLUICE_CONFIG={expand: a, tag_rules: {max: 3}, routes: [{log_group: a, destinations: [elsewhere]}]}",
	}), stub{})
	require.NoError(t, err, "without destinations, ids cannot be compared")
	assert.Equal(t, Processing{Sample: 0.5, Severity: true, Expand: "a"}, c.Processing)
	assert.Equal(t, 3, c.TagRules.Max)
	assert.True(t, c.NeedsResources())
	assert.Equal(t, []string{"elsewhere"}, c.Routes[0].Destinations)

	_, err = LoadTransform(t.Context(), Environ([]string{"SLUICE_FIREHOSE_OUTPUT=original", "SLUICE_SAMPLE=0.5"}), stub{})
	require.ErrorContains(t, err, "firehose_output: original sends the bytes as they came")
}
