package config

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/process/agent"
)

// The agent's own configuration, copied as it stands, gives what the agent is given.
func TestAgentOptionsAsTheyStand(t *testing.T) {
	for _, options := range []string{
		`[]`,
		`[{"optionName":"SINGLELINE"}]`,
		`[{"optionName":"SINGLELINE","parseOptions":["NO_TRIM","ESCAPE_NEW_LINE"]}]`,
		`[{"optionName":"CSVTOJSON","customFieldNames":["a","b c","true","1"],"delimiter":"\\t"}]`,
		`[{"optionName":"LOGTOJSON","logFormat":"COMMONAPACHELOG","matchPattern":"^([\\d.]+) \"(.+?)\"","customFieldNames":["host","request"]}]`,
		`[{"optionName":"LOGTOJSON","logFormat":"SYSLOG","jsonFormat":"PRETTYPRINT"}]`,
		`[{"optionName":"ADDMETADATA","timestamp":true,"metadata":{"b":1.10,"a":[1e400,-0,null,true,"<&>\u2028é\n"],"b ":{}}}]`,
		`[{"optionName":"ADDMETADATA","timestamp":"true","metadata":null}, {"optionName":"ADDBRACKETS"}]`,
	} {
		want, err := agent.Parse([]byte(options))
		require.NoError(t, err)
		c, err := load(t, with("SLUICE_CONFIG=agent: {dataProcessingOptions: "+options+"}"))
		require.NoError(t, err, options)
		require.Len(t, c.Agent.Options, len(want))
		for i := range want {
			got := c.Agent.Options[i]
			if want[i].Metadata != nil {
				assert.JSONEq(t, numbersAsTexts(string(want[i].Metadata)), numbersAsTexts(string(got.Metadata)))
				got.Metadata, want[i].Metadata = nil, nil
			}
			assert.Equal(t, want[i], got)
		}
	}
}

// numbersAsTexts keeps a comparison from rounding.
func numbersAsTexts(text string) string {
	return strings.NewReplacer("1.10", `"1.10"`, "1e400", `"1e400"`).Replace(text)
}

func TestAgentOptionsAsYAML(t *testing.T) {
	c, err := load(t, with(`SLUICE_CONFIG=
names: &names [a, b]
agent:
  dataProcessingOptions:
  - optionName: CSVTOJSON
    customFieldNames: *names
    delimiter: ~
  - optionName: ADDMETADATA
    timestamp: True
    metadata: {hex: 0x1F, plus: +1, half: .5, day: 2024-01-02, off: off, no: ~}
  agentStrict: "true"
  skipHeaderLines: 2
  truncatedRecordTerminator: "\n"
  multiLineStartPattern: "  \\d"`))
	require.ErrorContains(t, err, "names (line 2): this name is unknown")
	assert.NotContains(t, err.Error(), "\n")
	assert.Nil(t, c)

	c, err = load(t, with(`SLUICE_CONFIG=
agent:
  dataProcessingOptions:
  - {optionName: CSVTOJSON, customFieldNames: &names [a, b], delimiter: ~}
  - optionName: ADDMETADATA
    timestamp: True
    metadata: {hex: 0x1F, plus: +1, half: .5, day: 2024-01-02, off: off, no: ~, names: *names}
  agentStrict: "true"
  skipHeaderLines: 2
  truncatedRecordTerminator: "\n"
  multiLineStartPattern: "  \\d"`))
	require.NoError(t, err)
	assertValid(t, c)
	assert.Equal(t, []string{"a", "b"}, c.Agent.Options[0].CustomFieldNames)
	assert.True(t, c.Agent.Options[1].Timestamp)
	assert.JSONEq(t, `{"hex":31,"plus":1,"half":0.5,"day":"2024-01-02","off":"off","no":null,"names":["a","b"]}`,
		string(c.Agent.Options[1].Metadata))
	assert.Equal(t, []any{true, 2, "\n", `  \d`}, []any{c.Agent.Strict, c.Agent.SkipHeader, c.Agent.Terminator, c.Agent.Start})
}

func TestAgentProblems(t *testing.T) {
	option := func(members string) string {
		return "agent:\n  dataProcessingOptions:\n  - {optionName: " + members + "}"
	}
	for name, tc := range map[string]struct{ document, want string }{
		"no mapping":                 {"agent: " + canary, "agent (line 1): a text: want a mapping of the Kinesis Agent's options"},
		"a list":                     {"agent: [{optionName: SINGLELINE}]", "agent (line 1): a list: want a mapping"},
		"empty":                      {"agent: {}", "agent (line 1): is empty: want dataProcessingOptions"},
		"name in other letters":      {"agent: {agentstrict: true}", "agent.agentstrict (line 1): this name is unknown; did you mean agentStrict?"},
		"options as a text":          {"agent: {dataProcessingOptions: '[]'}", "agent.dataProcessingOptions (line 1): a text: want the list of options as it stands in the agent's configuration"},
		"unknown option":             {option("CSV"), `agent.dataProcessingOptions[0].optionName (line 3): "CSV": want one of SINGLELINE`},
		"member in other letters":    {option("SINGLELINE, parseoptions: []"), "agent.dataProcessingOptions[0].parseoptions (line 3): is not known"},
		"line of a member":           {"agent:\n  dataProcessingOptions:\n  - optionName: CSVTOJSON\n    customFieldNames: [a]\n    jsonFormat: x", `agent.dataProcessingOptions[0].jsonFormat (line 5): "x": want one of COMPACT`},
		"member twice":               {option("SINGLELINE, optionName: SINGLELINE"), "agent.dataProcessingOptions[0].optionName (line 3): is there already"},
		"name that is no text":       {option("SINGLELINE, ? [a] : b"), "agent.dataProcessingOptions (line 2): line 3: want a text as a name"},
		"tag of YAML":                {option("SINGLELINE, parseOptions: !!binary YQ=="), "agent.dataProcessingOptions (line 2): line 3: has a tag of YAML that JSON does not have"},
		"number that is none":        {option("ADDMETADATA, metadata: .inf"), "agent.dataProcessingOptions (line 2): line 3: JSON has no such value"},
		"tag that lies":              {option("ADDMETADATA, metadata: !!int " + canary), "agent.dataProcessingOptions (line 2): line 3: JSON has no such value"},
		"contains itself":            {option("ADDMETADATA, metadata: &a [*a, *a]"), "agent.dataProcessingOptions (line 2): is nested deeper than 50 levels, or contains itself"},
		"large by aliases":           {bomb(), "agent.dataProcessingOptions (line 2): has more than 65536 bytes"},
		"delimiter":                  {option("CSVTOJSON, customFieldNames: [a], delimiter: '(?=" + canary + ")'"), "agent.dataProcessingOptions[0].delimiter (line 3): look-around such as (?=…) is not understood"},
		"matchPattern of RE2":        {option("LOGTOJSON, logFormat: SYSLOG, customFieldNames: [a], matchPattern: '(" + canary + "'"), "agent.dataProcessingOptions[0].matchPattern (line 3): is no regular expression of RE2"},
		"long matchPattern":          {option("LOGTOJSON, logFormat: SYSLOG, customFieldNames: [a], matchPattern: '" + strings.Repeat(canary, 10) + "'"), "agent.dataProcessingOptions[0].matchPattern (line 3): has 0 groups: want one for each of the 1 customFieldNames"},
		"matchPattern without names": {option("LOGTOJSON, logFormat: SYSLOG, matchPattern: '(" + canary + ")'"), "agent.dataProcessingOptions[0].matchPattern (line 3): want customFieldNames beside it"},
		"start":                      {"agent:\n  multiLineStartPattern: '" + canary + `(a)\1'`, "agent.multiLineStartPattern (line 2): back-references are not understood"},
		"start of RE2":               {"agent: {multiLineStartPattern: '" + canary + ")'}", "agent.multiLineStartPattern (line 1): is no regular expression of RE2"},
		"start that is empty":        {"agent: {multiLineStartPattern: ''}", "agent.multiLineStartPattern (line 1): is empty: want a Java regular expression"},
		"start that is a list":       {"agent: {multiLineStartPattern: [a]}", "agent.multiLineStartPattern (line 1): a list: want a Java regular expression"},
		"header":                     {"agent: {skipHeaderLines: -1}", `agent.skipHeaderLines (line 1): "-1": want a number from 0 to 1000000`},
		"terminator":                 {"agent: {truncatedRecordTerminator: ''}", "agent.truncatedRecordTerminator (line 1): is empty: want a text, such as a line feed"},
		"terminator that is long":    {"agent: {truncatedRecordTerminator: " + strings.Repeat("a", 1_024_000) + "}", "agent.truncatedRecordTerminator (line 1): 1024000 bytes: want fewer than the 1024000 of the largest record"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, with("SLUICE_CONFIG="+tc.document))
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), canary)
			assert.NotContains(t, err.Error(), "\n", "one problem")

			_, err = load(t, with("SLUICE_CONFIG=routes:\n- key: a\n  "+strings.ReplaceAll(tc.document, "\n", "\n  ")))
			place, _, _ := strings.Cut(tc.want, " ")
			require.ErrorContains(t, err, "routes[0]."+place)
		})
	}
}

func TestAgentProblemsHaveAnEnd(t *testing.T) {
	_, err := load(t, with("SLUICE_CONFIG=agent: {dataProcessingOptions: ["+strings.Repeat("{}, ", 1000)+"]}"))
	require.ErrorContains(t, err, "agent.dataProcessingOptions[99].optionName (line 1): is missing")
	assert.Len(t, strings.Split(err.Error(), "\n"), maxProblems+1)
}

// bomb is a short document of a value that is 2^25 texts long.
func bomb() string {
	document := "agent:\n  dataProcessingOptions: [{optionName: ADDMETADATA, metadata: [&a0 [x, x]"
	for i := range 24 {
		name, before := string(rune('a'+i+1)), string(rune('a'+i))
		if i == 0 {
			before = "a0"
		}
		document += ", &" + name + " [*" + before + ", *" + before + "]"
	}
	return document + "]}]"
}

// FuzzAgentOptions holds that a JSON document is read as the agent's parser reads it.
func FuzzAgentOptions(f *testing.F) {
	f.Add(`[{"optionName":"ADDMETADATA","metadata":{"a":[1,2.50,"x",null]}}]`)
	f.Add(`[{"optionName":"CSVTOJSON","customFieldNames":["a"],"delimiter":"|"}]`)
	f.Add(`[{"optionName":"SINGLELINE","optionName":"SINGLELINE"}]`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := load(t, with("SLUICE_CONFIG=agent: {dataProcessingOptions: "+text+"}"))
		if err != nil {
			return
		}
		assertValid(t, c)
		options, err := agent.Parse([]byte(text))
		if err != nil || strings.Contains(text, "#") {
			return // YAML allows more than JSON
		}
		require.Len(t, c.Agent.Options, len(options))
		for i := range options {
			options[i].Metadata = nil
			got := c.Agent.Options[i]
			assert.True(t, got.Metadata == nil || json.Valid(got.Metadata))
			got.Metadata = nil
			assert.Equal(t, options[i], got)
		}
	})
}
