package agent

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	t.Parallel()
	list, err := Parse([]byte(` [
		{"optionName": "SINGLELINE", "parseOptions": ["NO_TRIM", "ESCAPE_NEW_LINE"]},
		{"optionName": "CSVTOJSON", "customFieldNames": ["é", ""], "delimiter": "\\t", "jsonFormat": null},
		{"optionName": "LOGTOJSON", "logFormat": "SYSLOG", "matchPattern": "(a)", "customFieldNames": ["a"], "jsonFormat": "PRETTYPRINT"},
		{"optionName": "ADDMETADATA", "metadata": {"b": [1]}, "timestamp": "true"}, {"optionName": "ADDBRACKETS"} ] `))
	require.NoError(t, err)
	assert.Equal(t, []Option{
		{OptionName: SingleLine, ParseOptions: []string{NoTrim, EscapeNewLine}},
		{OptionName: CSVToJSON, CustomFieldNames: []string{"é", ""}, Delimiter: `\t`},
		{OptionName: LogToJSON, LogFormat: Syslog, MatchPattern: "(a)", CustomFieldNames: []string{"a"}, JSONFormat: PrettyPrint},
		{OptionName: AddMetadata, Metadata: json.RawMessage(`{"b": [1]}`), Timestamp: true},
		{OptionName: AddBrackets},
	}, list)
	list, err = Parse([]byte("[]"))
	require.NoError(t, err)
	assert.Empty(t, list)
}

func TestParseProblems(t *testing.T) {
	t.Parallel()
	const (
		log  = `"optionName":"LOGTOJSON"`
		csv  = `"optionName":"CSVTOJSON"`
		csvA = csv + `,"customFieldNames":["a"]`
	)
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"nothing":        {"", []string{"is not JSON from byte 0 on: want a list of options"}},
		"not JSON":       {`[{"optionName":"SINGLELINE"}`, []string{"is not JSON from byte 28 on: want a list of options"}},
		"a comment":      {"[] // none", []string{"is not JSON from byte 4 on: want a list of options"}},
		"no list":        {`{"optionName":"SINGLELINE"}`, []string{`want a list of options, such as [{"optionName":"SINGLELINE"}]`}},
		"null":           {`null`, []string{`want a list of options, such as [{"optionName":"SINGLELINE"}]`}},
		"no object":      {`["SINGLELINE",{}]`, []string{`[0]: want an object such as`, `[1].optionName: is missing: want one of SINGLELINE, CSVTOJSON`}},
		"no such option": {`[{"optionName":"singleline"}]`, []string{`[0].optionName: "singleline": want one of SINGLELINE`}},
		"option of the host": {`[{"optionName":"ADDEC2METADATA"},{"optionName":"USINGPLUGGIN"}]`, []string{
			"[0].optionName: ADDEC2METADATA works on the agent's host alone", "[1].optionName: USINGPLUGGIN works on",
		}},
		"unknown member":       {`[{"optionName":"SINGLELINE","delimeter":","}]`, []string{"[0].delimeter: is not known: want one of optionName, parseOptions"}},
		"unknown member first": {`[{"delimeter":",",` + csvA + `}]`, []string{"[0].delimeter: is not known: want one of optionName, parseOptions, customFieldNames"}},
		"odd name":             {`[{"optionName":"SINGLELINE","` + strings.Repeat("x", 99) + `":1,"\n":2}]`, []string{"[0].(?): is not known"}},
		"member twice":         {`[{"optionName":"SINGLELINE","optionName":"ADDBRACKETS"}]`, []string{"[0].optionName: is there already"}},
		"member without effect": {`[{"optionName":"ADDBRACKETS","jsonFormat":"COMPACT","timestamp":true},{"optionName":"SINGLELINE","metadata":1}]`, []string{
			"[0].jsonFormat: has no effect in ADDBRACKETS", "[0].timestamp: has no effect in ADDBRACKETS", "[1].metadata: has no effect in SINGLELINE",
		}},
		"wrong types": {`[{"optionName":1,"parseOptions":"NO_TRIM","customFieldNames":[1,"a",null],"delimiter":[],"timestamp":"yes"}]`, []string{
			"[0].optionName: want a text in quotation marks", "[0].parseOptions: want a list of texts", "[0].customFieldNames[0]: want a text in quotation marks",
			"[0].customFieldNames[2]: want a text", "[0].delimiter: want a text", "[0].timestamp: want true or false",
		}},
		"empty texts":                      {`[{` + csvA + `,"delimiter":""},{` + log + `,"logFormat":""}]`, []string{"[0].delimiter: is empty: want a text, or leave it out", "[1].logFormat: is empty"}},
		"parse options":                    {`[{"optionName":"SINGLELINE","parseOptions":["TRIM","NO_TRIM","x"]}]`, []string{`[0].parseOptions[0]: "TRIM": want one of NO_TRIM, ESCAPE_NEW_LINE`, `[0].parseOptions[2]: "x"`}},
		"json format":                      {`[{` + csvA + `,"jsonFormat":"pretty"}]`, []string{`[0].jsonFormat: "pretty": want one of COMPACT, PRETTYPRINT`}},
		"no names":                         {`[{` + csv + `},{` + csv + `,"customFieldNames":null},{` + csv + `,"customFieldNames":[]}]`, []string{"[0].customFieldNames: is missing", "[1].customFieldNames: is missing", "[2].customFieldNames: is empty"}},
		"very many names":                  {`[{` + csv + `,"customFieldNames":["a"` + strings.Repeat(`,"a"`, 1000) + `]}]`, []string{"[0].customFieldNames: has 1001 names: want 1000 at most"}},
		"no format":                        {`[{` + log + `},{` + log + `,"matchPattern":"(a)","customFieldNames":["a"]}]`, []string{"[0].logFormat: is missing, and is needed beside a matchPattern too: want one of COMMONAPACHELOG", "[1].logFormat: is missing"}},
		"no such format":                   {`[{` + log + `,"logFormat":"NGINX"}]`, []string{`[0].logFormat: "NGINX": want one of COMMONAPACHELOG, COMBINEDAPACHELOG, APACHEERRORLOG, SYSLOG, RFC3339SYSLOG`}},
		"names that do not fit the format": {`[{` + log + `,"logFormat":"SYSLOG","customFieldNames":["a"]}]`, []string{"[0].customFieldNames: has 1 names: SYSLOG has 5, unless a matchPattern says otherwise"}},
		"pattern without names":            {`[{` + log + `,"logFormat":"SYSLOG","matchPattern":"(a)"}]`, []string{`[0].matchPattern: "(a)": want customFieldNames beside it, a name for each of its groups`}},
		"groups that do not fit the names": {`[{` + log + `,"logFormat":"SYSLOG","matchPattern":"(a)(?:b)","customFieldNames":["a","b"]}]`, []string{`[0].matchPattern: "(a)(?:b)" has 1 groups: want one for each of the 2 customFieldNames`}},
		"bad pattern":                      {`[{` + log + `,"logFormat":"SYSLOG","matchPattern":"(a","customFieldNames":["a"]}]`, []string{`[0].matchPattern: "(a" is no regular expression of RE2: `}},
		"bad delimiter":                    {`[{` + csvA + `,"delimiter":"*"}]`, []string{`[0].delimiter: "*" is no regular expression of RE2: `}},
		"large metadata":                   {`[{"optionName":"ADDMETADATA","metadata":"` + strings.Repeat("x", 9000) + `"}]`, []string{"[0].metadata: has 9002 bytes: want 8192 at most"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := Parse([]byte(tc.text))
			require.Error(t, err)
			assert.Nil(t, list)
			lines := strings.Split(err.Error(), "\n")
			if assert.Len(t, lines, len(tc.want), err.Error()) {
				for i, want := range tc.want {
					assert.True(t, strings.HasPrefix(lines[i], want), "%s\nwant %s", lines[i], want)
				}
			}
			var one OptionError
			assert.ErrorAs(t, err, &one)
		})
	}
}

func TestNewProblems(t *testing.T) {
	t.Parallel()
	_, err := New([]Option{{OptionName: SingleLine, Delimiter: ","}, {OptionName: AddMetadata, Metadata: json.RawMessage(`{`)}, {}}, false)
	require.Error(t, err)
	assert.Equal(t, "[0].delimiter: has no effect in SINGLELINE\n[1].metadata: is not JSON\n"+
		"[2].optionName: is missing: want one of SINGLELINE, CSVTOJSON, LOGTOJSON, ADDMETADATA, ADDBRACKETS", err.Error())

	_, err = New(make([]Option, 200), false)
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	assert.Len(t, lines, 101)
	assert.Equal(t, "and more than these 100", lines[100])
}

// What Java takes and RE2 does not, or takes for something else, is refused in plain words.
func TestPatternsThatAreRefused(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		`a(?=b)`: "look-around", `a(?!b)`: "look-around", `(?<=a)b`: "look-around", `(?<!a)b`: "look-around",
		`(?>a)`: "atomic groups",
		`a*+`:   "possessive", `a++`: "possessive", `a?+`: "possessive", `a{2}+`: "possessive", `[a]{2,}+`: "possessive", `(a)*+b`: "possessive",
		`(a)\1`: "back-references", `(?<x>a)\k<x>`: "back-references", `(a)\12`: "back-references",
		`[a-c&&[^b]]`: "&& inside", `[a&&b]`: "&& inside",
		`[a[bc]]`: "joins classes", `[[:alpha:]]`: "joins classes",
		`(?m)^a`: "flags", `(?U)a`: "flags", `(?x) a`: "flags", `(?d:a)`: "flags", `(?u)a`: "flags", `(?P<x>a)`: "flags", `(?`: "flags",
		`\h`: `\h is not understood`, `\R`: `\R is`, `\v`: `\v is`, `\G`: `\G is`, `\cA`: `\c is`, `\e`: `\e is`, `[\h]`: `\h is`, `\X`: `\X is`,
		`[\b]`: "inside of [ ]", `[\Qa\E]`: "inside of [ ]",
		`\0`: "octal", `\01`: "octal",
		`\p{IsGreek}`: "categories", `\p{javaLowerCase}`: "categories", `\p{Letter}`: "categories", `\p`: "categories", `\p{L`: "categories", `\p{}`: "categories", `[\p{`: "categories",
		`[!-\s]`: "a range ends in a class", `[!-\d]`: "a range ends in a class", `[!-\p{Punct}]`: "a range ends in a class",
		`a$b`: "stands before", `a$*`: "stands before", `\Z\n`: "stands before", `(?s)*`: "behind flags", `a(?i){2}`: "behind flags",
		`\u12`: "four hex digits",
		`\`:    "a backslash stands at its end",
		`[a`:   "is not closed", `[`: "is not closed", `[]`: "is not closed", `[a\`: "is not closed", `[^`: "is not closed",
		`\u12ZZ`: "RE2", `(a`: "RE2", `a)`: "RE2", `a)|(b`: "RE2", `*`: "RE2", `a**`: "RE2", `a{1001}`: "RE2", `[b-a]`: "RE2", `\xZZ`: "RE2", `[\x{]`: "RE2",
	} {
		_, err := compileJava(pattern, `\A(?:`, `)\z`, `\z`)
		if assert.Error(t, err, pattern) {
			assert.Contains(t, err.Error(), want, pattern)
		}
	}
	for _, pattern := range []string{`^,`, `,$`, `\b`, `a|\B`, `(?:\A,)`, `,\z`, `,\Z`} {
		_, err := newDelimiter(pattern)
		assert.ErrorContains(t, err, "want a delimiter without ^, $", pattern)
	}
	_, err := compileJava(strings.Repeat("é", 99)+"(?=a)", "", "", "")
	assert.ErrorContains(t, err, `éé"…: look-around`, "long patterns are cut between characters")
}

// The patterns of the agent's documentation need no translation that changes them.
func TestPatternsThatMeanTheSame(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		`^([\d.]+) (\S+)`: `^([\d.]+) ([^[:space:]]+)`,
		`a.b`:             `a[^\n\r\x{85}\x{2028}\x{2029}]b`,
		`(?i)a$`:          `(?i)a\z`,
		`[^]\s-]`:         `[^\][:space:]-]`,
		`\Qa.b\E+`:        `a\.b+`,
		`\Qa.b`:           `a\.b`,
		`\é`:              `é`,
		`x{2,}?`:          `x{2,}?`,
		`[a-f0-9_\-\]]`:   `[a-f0-9_\-\]]`,
		`(?s:.)(?-s:.).`:  `(?s:(?s:.))(?-s:[^\n\r\x{85}\x{2028}\x{2029}])[^\n\r\x{85}\x{2028}\x{2029}]`,
	} {
		re, err := compileJava(pattern, "", "", `\z`)
		require.NoError(t, err, pattern)
		assert.Equal(t, want, re.String(), pattern)
	}
}

// The usual delimiters do without regular expressions.
func TestDelimiterKinds(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]delimiter{
		`,`: literal{}, `\t`: literal{}, `\|`: literal{}, `[|]`: literal{}, `::`: literal{}, `é`: literal{}, `\x01`: literal{},
		`\s`: &byteSet{}, `\s+`: &byteSet{}, `(?: )+`: &byteSet{}, `[,;]`: &byteSet{}, `[,;]+`: &byteSet{},
		`|`: expression{}, `[^,]`: expression{}, `(?i)x`: expression{}, `\s*,\s*`: expression{}, `,+?`: expression{}, `é+`: expression{},
	} {
		d, err := newDelimiter(pattern)
		require.NoError(t, err, pattern)
		assert.IsType(t, want, d, pattern)
	}
}
