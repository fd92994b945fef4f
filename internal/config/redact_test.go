package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRedactDefaults(t *testing.T) {
	c, err := load(t, with())
	require.NoError(t, err)
	assert.Empty(t, c.Include)
	assert.Empty(t, c.Exclude)
	assert.Empty(t, c.Redact)
	assert.False(t, c.RedactIP || c.RedactEmail || c.Alters())
}

func TestRedactFromVariables(t *testing.T) {
	rule := func(pattern, replacement string) []RedactRule {
		return []RedactRule{{Name: "scrubbing_rule", Pattern: pattern, Replacement: replacement}}
	}
	const document = "SLUICE_CONFIG={include: a, exclude: [b], redact_ip: true, redact: [{name: a, pattern: x}]}"
	rules := func(c *Config) any { return c.Redact }
	for name, tc := range map[string]struct {
		env  []string
		got  func(*Config) any
		want any
		warn string
	}{
		"include":                       {env: []string{"INCLUDE_AT_MATCH= a,b "}, got: func(c *Config) any { return c.Include }, want: []string{" a,b "}},
		"exclude":                       {env: []string{"EXCLUDE_AT_MATCH=a"}, got: func(c *Config) any { return c.Exclude }, want: []string{"a"}},
		"our include wins":              {env: []string{"INCLUDE_AT_MATCH=a", "SLUICE_INCLUDE=b"}, got: func(c *Config) any { return c.Include }, want: []string{"b"}},
		"our exclude wins":              {env: []string{"EXCLUDE_AT_MATCH=a", "SLUICE_EXCLUDE=b"}, got: func(c *Config) any { return c.Exclude }, want: []string{"b"}},
		"include of the document":       {env: []string{document, "INCLUDE_AT_MATCH=c"}, got: func(c *Config) any { return c.Include }, want: []string{"c"}},
		"addresses":                     {env: []string{"REDACT_IP=True"}, got: func(c *Config) any { return []bool{c.RedactIP, c.RedactEmail} }, want: []bool{true, false}},
		"e-mail":                        {env: []string{"REDACT_EMAIL=true"}, got: func(c *Config) any { return []bool{c.RedactIP, c.RedactEmail} }, want: []bool{false, true}},
		"ours, switched off":            {env: []string{"SLUICE_REDACT_IP=false", "REDACT_IP=true", "SLUICE_REDACT_EMAIL=true"}, got: func(c *Config) any { return []bool{c.RedactIP, c.RedactEmail} }, want: []bool{false, true}},
		"rule, its replacement empty":   {env: []string{"DD_SCRUBBING_RULE=password=.*"}, got: rules, want: rule("password=.*", "")},
		"rule, white space":             {env: []string{"DD_SCRUBBING_RULE= token ", "DD_SCRUBBING_RULE_REPLACEMENT= x "}, got: rules, want: rule(" token ", " x ")},
		"group as Python has it":        {env: []string{`DD_SCRUBBING_RULE=(?P<a>key)=(\w+)`, `DD_SCRUBBING_RULE_REPLACEMENT=\g<a>:$2`}, got: rules, want: rule(`(?P<a>key)=(\w+)`, "${a}:$$2")},
		"group as RE2 has it":           {env: []string{`SLUICE_REDACT=(key)=\w+`, `SLUICE_REDACT_REPLACEMENT=${1}\1`}, got: rules, want: rule(`(key)=\w+`, `${1}\1`)},
		"our rule wins":                 {env: []string{"DD_SCRUBBING_RULE=token", "SLUICE_REDACT=secret"}, got: rules, want: rule("secret", "")},
		"behind those of the document":  {env: []string{document, "DD_SCRUBBING_RULE=token", "DD_SCRUBBING_RULE_REPLACEMENT=b"}, got: rules, want: []RedactRule{{Name: "a", Pattern: "x"}, {Name: "scrubbing_rule", Pattern: "token", Replacement: "b"}}},
		"replacement without a pattern": {env: []string{"DD_SCRUBBING_RULE_REPLACEMENT=x"}, got: rules, want: []RedactRule(nil), warn: "DD_SCRUBBING_RULE_REPLACEMENT: has no effect without a pattern"},
		"members": {
			env: []string{"SLUICE_CONFIG=redact: [{name: a, member: password, replacement: x}, {name: b, attribute: user.card, pattern: '\\d{4}'}]"},
			got: rules, want: []RedactRule{{Name: "a", Member: "password", Replacement: "x"}, {Name: "b", Attribute: "user.card", Pattern: `\d{4}`}},
		},
		"quote of a batch":          {env: []string{`DD_SCRUBBING_RULE=password\\":\\"\w+`}, got: rules, want: rule(`password\\":\\"\w+`, ""), warn: "DD_SCRUBBING_RULE: wants a backslash before a quote"},
		"quote of a batch, escaped": {env: []string{`DD_SCRUBBING_RULE=password\\\":`}, got: rules, want: rule(`password\\\":`, ""), warn: "DD_SCRUBBING_RULE: wants a backslash before a quote"},
		"quote of a batch, perhaps": {env: []string{`DD_SCRUBBING_RULE=password\\?":`}, got: rules, want: rule(`password\\?":`, "")},
		"quote, our variable":       {env: []string{`SLUICE_REDACT=password\\":`}, got: rules, want: rule(`password\\":`, "")},
		"pattern that is slow":      {env: []string{`DD_SCRUBBING_RULE=\w+`}, got: rules, want: rule(`\w+`, ""), warn: "DD_SCRUBBING_RULE: the patterns of these rules run over every message"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, with(tc.env...))
			require.NoError(t, err)
			assertValid(t, c)
			assert.Equal(t, tc.want, tc.got(c))
			warnings := strings.Join(c.Warnings, "\n")
			assert.True(t, strings.HasPrefix(warnings, tc.warn) && (warnings == "") == (tc.warn == ""), warnings)
		})
	}
}

func TestRedactProblems(t *testing.T) {
	const noLookAround = "(no look-around, no back-references)"
	for name, tc := range map[string]struct {
		env  []string
		want string
	}{
		"look-ahead in include":        {[]string{"INCLUDE_AT_MATCH=" + canary + "(?!a)"}, "INCLUDE_AT_MATCH: is no regular expression of RE2 " + noLookAround + ": a look-ahead at character 24: write the pattern without it"},
		"back-reference in exclude":    {[]string{"SLUICE_EXCLUDE=(" + canary + `)\1`}, "SLUICE_EXCLUDE: is no regular expression of RE2 " + noLookAround + ": a back-reference at character 26: write the pattern without it"},
		"empty pattern":                {[]string{"SLUICE_CONFIG=include: ['']"}, "include[0] (line 1): want a regular expression of RE2 of at most 8192 bytes " + noLookAround},
		"first line of a record":       {[]string{"DD_MULTILINE_LOG_REGEX_PATTERN=" + canary + "[0-9"}, "DD_MULTILINE_LOG_REGEX_PATTERN: is no regular expression of RE2 " + noLookAround + ": a [ that is not closed at character 24: close it, or write \\[ for the character"},
		"first line, no end of a text": {[]string{`SLUICE_MULTILINE_START=\Q` + canary}, `SLUICE_MULTILINE_START: has a \Q that is not closed: close it with \E`},
		"long pattern":                 {[]string{"EXCLUDE_AT_MATCH=" + strings.Repeat("a", 8193)}, "EXCLUDE_AT_MATCH: want a regular expression of RE2"},
		"look-behind":                  {[]string{"DD_SCRUBBING_RULE=(?<=" + canary + ")a"}, "DD_SCRUBBING_RULE: is no regular expression of RE2 " + noLookAround + ": a look-behind at character 1: write the pattern without it"},
		"bracket":                      {[]string{"SLUICE_REDACT=" + canary + "[a"}, "SLUICE_REDACT: is no regular expression of RE2 " + noLookAround + ": a [ that is not closed at character 24: close it"},
		"second rule of the document":  {[]string{"SLUICE_CONFIG=redact:\n- {name: a, pattern: b}\n- {name: c, pattern: '" + canary + "(?!a)'}"}, "redact[1] (line 3): pattern: is no regular expression of RE2 " + noLookAround + ": a look-ahead at character 24: write the pattern without it"},
		"long rule":                    {[]string{"SLUICE_REDACT=" + strings.Repeat("a", 8193)}, "SLUICE_REDACT: want at most 8192 bytes"},
		"pattern of nothing":           {[]string{"DD_SCRUBBING_RULE=a*"}, "DD_SCRUBBING_RULE: matches the empty text"},
		"group that is not there":      {[]string{"DD_SCRUBBING_RULE=token", `DD_SCRUBBING_RULE_REPLACEMENT=\1` + canary}, "DD_SCRUBBING_RULE_REPLACEMENT: names a group that the pattern does not have"},
		"escape that Python refuses":   {[]string{"DD_SCRUBBING_RULE=token", `DD_SCRUBBING_RULE_REPLACEMENT=\q` + canary}, "DD_SCRUBBING_RULE_REPLACEMENT: has a backslash that Python does not know"},
		"replacement that is no UTF-8": {[]string{"SLUICE_REDACT=token", "SLUICE_REDACT_REPLACEMENT=\xff" + canary}, "SLUICE_REDACT_REPLACEMENT: is no UTF-8"},
		"long replacement":             {[]string{"SLUICE_REDACT=token", "SLUICE_REDACT_REPLACEMENT=" + strings.Repeat("a", 1025)}, "SLUICE_REDACT_REPLACEMENT: has 1025 bytes: want 1024 at most"},
		"address":                      {[]string{"REDACT_IP=1"}, `REDACT_IP: "1": want true or false`},
		"rule for two":                 {[]string{"SLUICE_CONFIG=redact: [{name: a, member: b, attribute: c}]"}, "redact[0] (line 1): has both a member and an attribute: want one of them"},
		"path with a gap":              {[]string{"SLUICE_CONFIG=redact: [{name: a, attribute: b..c}]"}, "redact[0] (line 1): attribute: has an empty name between its dots"},
		"member that is a list":        {[]string{"SLUICE_CONFIG=redact: [{name: a, pattern: x, member: [" + canary + "]}]"}, "redact[0].member (line 1): a list: want a text"},
		"group without a pattern":      {[]string{"SLUICE_CONFIG=redact: [{name: a, member: b, replacement: '${0}" + canary + "'}]"}, "redact[0] (line 1): replacement: names a group, but there is no pattern"},
		"too many patterns":            {[]string{"SLUICE_CONFIG=include: [" + strings.Repeat("a, ", 101) + "]"}, "include (line 1): has 101 patterns: want at most 100"},
		"nothing to look for":          {[]string{"SLUICE_CONFIG=redact: [{name: a}]"}, "redact[0] (line 1): has nothing to look for: want a pattern, a member or an attribute"},
		"control character":            {[]string{"SLUICE_CONFIG=redact: [{name: a, pattern: \"" + canary + "\\b\"}]"}, "redact[0] (line 1): pattern: has the control character U+0008 at character 24"},
		"too many rules":               {[]string{"SLUICE_CONFIG=redact: [" + strings.Repeat("{}, ", 101) + "]"}, "redact (line 1): has 101 rules: want at most 100"},
		"rules that are a text":        {[]string{"SLUICE_CONFIG=redact: " + canary}, "redact (line 1): a text: want a list of mappings"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, with(tc.env...))
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), canary)
			assert.NotContains(t, err.Error(), "\n", "one problem")
		})
	}
}

// The bytes as they came are what filters and redaction do not reach.
func TestRedactRefusesOriginal(t *testing.T) {
	for _, setting := range []string{"", "INCLUDE_AT_MATCH=a", "EXCLUDE_AT_MATCH=a", "REDACT_IP=true", "REDACT_EMAIL=true", "DD_SCRUBBING_RULE=token"} {
		for output, refused := range map[string]bool{"original": setting != "", "message": false} {
			env := Environ([]string{"SLUICE_FIREHOSE_OUTPUT=" + output, setting})
			_, err := LoadTransform(t.Context(), env, stub{})
			if refused {
				require.ErrorContains(t, err, "firehose_output: original sends the bytes as they came", setting)
			} else {
				require.NoError(t, err, setting)
			}
			env["SLUICE_API_KEY"] = "ssm:/key"
			_, err = Load(t.Context(), env, stub{})
			require.NoError(t, err, "other functions have no such output")
		}
	}
}

func TestFromPython(t *testing.T) {
	for template, want := range map[string]string{
		"":               "",
		"xxx":            "xxx",
		`\1`:             "${1}",
		`<\2>1`:          "<${2}>1",
		`\12`:            "${12}",
		`\123`:           "S",
		`\0`:             "\x00",
		`\044`:           "$$",
		`\0441`:          "$$1",
		`\189`:           "${18}9",
		`\g<1>0`:         "${1}0",
		`\g<01>`:         "${1}",
		`\g<0>`:          "${0}",
		`\g<name>`:       "${name}",
		"$1 ${a} $$":     "$$1 $${a} $$$$",
		`a\\1`:           `a\1`,
		`\n\t\r\a`:       "\n\t\r\a",
		`\.\$\é`:         `\.\$$\é`,
		`\` + "\n":       "\\\n",
		`\g<1>\g<2>\\\3`: `${1}${2}\${3}`,
	} {
		got, ok := fromPython(template)
		assert.True(t, ok, template)
		assert.Equal(t, want, got, template)
	}
	for _, template := range []string{`\`, `a\`, `\q`, `\Z`, `\g`, `\g<`, `\g<>`, `\g1`, `\g<a`, `\g<{>`, `\g<$>`, `\777`} {
		_, ok := fromPython(template)
		assert.False(t, ok, template)
	}
}
