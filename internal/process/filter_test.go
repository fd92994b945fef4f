package process

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/ledger"
	"sluice/internal/process/agent"
	"sluice/internal/record"
)

func where(attribute, pattern string) []Condition {
	return []Condition{{Attribute: attribute, Pattern: regexp.MustCompile(pattern)}}
}

func TestConditions(t *testing.T) {
	const flow = "2 123456789012 eni-0a1b2c3d 192.0.2.1 198.51.100.1 443 50000 6 10 840 1700000000 1700000060 ACCEPT OK"
	members := []record.Member{
		{Name: []byte("extractedFields"), Value: []byte(`{"team":"a","list":["x",{"y":"z"}]}`)},
		{Name: []byte(`na\"me`), Value: []byte(`"text"`)},
		{Name: []byte("broken")},
	}
	for name, tc := range map[string]struct {
		message, attribute, pattern string
		holds                       bool
	}{
		"member":                          {`{"level":"info"}`, "level", "^info$", true},
		"another text":                    {`{"level":"info"}`, "level", "^debug$", false},
		"another name":                    {`{"level":"info"}`, "lev", "", false},
		"part of a name":                  {`{"lev":"info"}`, "level", "", false},
		"empty text":                      {`{"level":""}`, "level", "^$", true},
		"text with escapes":               {`{"level":"a\"\u00e9\n"}`, "level", "^a\"é\n$", true},
		"name with an escape":             {`{"l\u0065vel":"info"}`, "level", "info", true},
		"number, as it stands":            {`{"n":1.10}`, "n", `^1\.10$`, true},
		"word":                            {`{"n":true}`, "n", `^true$`, true},
		"null is no text":                 {`{"n":null}`, "n", ``, false},
		"object is no text":               {`{"n":{"a":1}}`, "n", ``, false},
		"array of texts":                  {`{"n":["a","b"]}`, "n", `^b$`, true},
		"array in an array is no text":    {`{"n":[["b"]]}`, "n", `b`, false},
		"inner":                           {`{"a":{"b":{"c":"d"}}}`, "a.b.c", "^d$", true},
		"inner of an array's elements":    {`{"a":[{"b":1},{"b":2}]}`, "a.b", "^2$", true},
		"beside the message, no JSON":     {`x`, "broken", "", false},
		"name with a dot":                 {`{"log.level":"info"}`, "log.level", "info", true},
		"names with dots":                 {`{"a.b":{"c.d":"e"}}`, "a.b.c.d", "e", true},
		"either of two spellings":         {`{"a":{"b":"x"},"a.b":"y"}`, "a.b", "y", true},
		"path that goes too far":          {`{"a":"b"}`, "a.b", "", false},
		"path that ends too soon":         {`{"a":{"b":"c"}}`, "a", "c", false},
		"path that ends in a dot":         {`{"a":{"b":"c"}}`, "a.", "", false},
		"member without a name":           {`{"a":{"":"c"}}`, "a.", "c", true},
		"any of members of one name":      {`{"a":1,"a":2}`, "a", "2", true},
		"white space":                     {" \n{ \"a\" : \"b\" } \r\n", "a", "^b$", true},
		"no JSON":                         {`a: b`, "a", "", false},
		"JSON in a line":                  {`INFO {"a":"b"}`, "a", "", false},
		"brackets not closed":             {`{"a":"b"`, "a", "", false},
		"text behind the object":          {`{"a":"b"} x`, "a", "", false},
		"list":                            {`[{"a":"b"}]`, "a", "", false},
		"column":                          {flow, "srcaddr", `^192\.0\.2\.1$`, true},
		"column with another text":        {flow, "srcaddr", `^198`, false},
		"beside the message":              {`x`, "extractedFields.team", "^a$", true},
		"beside the message, in a list":   {`x`, "extractedFields.list", "^x$", true},
		"beside the message, further in":  {`x`, "extractedFields.list.y", "^z$", true},
		"beside the message, odd name":    {`x`, `na"me`, "^text$", true},
		"what the origin says is not one": {`x`, "owner", "", false},
		"deep":                            {strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), "a.a.a", "", false},
		"deep list":                       {`{"a":` + strings.Repeat(`[`, 50_000) + strings.Repeat("]", 50_000) + `}`, "a", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			for form, text := range map[string]record.Text{
				"plain":   record.Plain([]byte(tc.message)),
				"escaped": record.Escaped(record.AppendEscaped(nil, tc.message)),
			} {
				dropped := map[bool]ledger.Rule{true: ledger.FilterExclude}
				for include, want := range map[bool]ledger.Rule{false: dropped[tc.holds], true: dropped[!tc.holds]} {
					r := rules("")
					if include {
						r.IncludeWhere = where(tc.attribute, tc.pattern)
					} else {
						r.ExcludeWhere = where(tc.attribute, tc.pattern)
					}
					one := record.Record{Origin: origin("vpc-flow-logs", "eni-0a1b2c3d-all"), Message: text, Members: members}
					assert.Equal(t, want, ruleOf(New(r), &one), "%s, include %t", form, include)
				}
			}
		})
	}
}

// Conditions come on top of patterns, and see the text before it is redacted.
func TestConditionsAndPatterns(t *testing.T) {
	for name, tc := range map[string]struct {
		include, exclude           []string
		includeWhere, excludeWhere []Condition
		dropped                    bool
	}{
		"none":                             {nil, nil, nil, nil, false},
		"both hold":                        {[]string{"ip"}, nil, where("ip", "192"), nil, false},
		"only the pattern holds":           {[]string{"ip"}, nil, where("ip", "198"), nil, true},
		"only the condition holds":         {[]string{"xx"}, nil, where("ip", "192"), nil, true},
		"excluded by pattern":              {nil, []string{"ip"}, where("ip", "192"), nil, true},
		"excluded by condition":            {[]string{"ip"}, nil, nil, where("ip", "192"), true},
		"excluded by the second condition": {nil, nil, nil, append(where("x", ""), where("ip", "192")...), true},
		"included by the second condition": {nil, nil, append(where("x", ""), where("ip", "192")...), nil, false},
		"included and excluded":            {nil, nil, where("ip", "192"), where("ip", "192"), true},
		"not what redaction puts there":    {nil, nil, nil, where("ip", "xxx"), false},
	} {
		t.Run(name, func(t *testing.T) {
			r := redacting(t)
			r.Include, r.Exclude = patterns(tc.include...), patterns(tc.exclude...)
			r.IncludeWhere, r.ExcludeWhere = tc.includeWhere, tc.excludeWhere
			want := ledger.Rule("")
			if tc.dropped {
				want = ledger.FilterExclude
			}
			assert.Equal(t, want, ruleOf(New(r), &record.Record{Origin: origin("shop", "s"), Message: record.Plain([]byte(`{"ip":"192.0.2.1"}`))}))
		})
	}
}

func TestSampling(t *testing.T) {
	const many = 4000
	text := record.Plain([]byte("x"))
	events := func(i int) *record.Record {
		return &record.Record{Origin: origin("shop", "s"), EventID: record.Escaped(fmt.Appendf(nil, "379%053d", i)), Message: text}
	}
	lines := func(i int) *record.Record {
		return &record.Record{Origin: object("elb", "alb"), Offset: int64(100 * i), Message: text}
	}
	nameless := func(i int) *record.Record {
		return &record.Record{Origin: &record.Origin{Kind: record.Kinesis}, Message: record.Plain(fmt.Appendf(nil, "line %d", i))}
	}
	for name, made := range map[string]func(i int) *record.Record{"events": events, "lines": lines, "without coordinates": nameless} {
		for _, share := range []float64{0, 0.01, 0.25, 0.9, 1} {
			t.Run(fmt.Sprint(name, share), func(t *testing.T) {
				r := rules("")
				r.Sample = share
				if share == 0 {
					share = 1
				}
				p, again := New(r), New(r)
				kept := 0
				for i := range many {
					rule := ruleOf(p, made(i))
					if rule == "" {
						kept++
					} else {
						require.Equal(t, ledger.FilterSampled, rule)
					}
					require.Equal(t, rule, ruleOf(again, made(i)), "the same record has the same fate")
				}
				assert.InDelta(t, share*many, kept, 0.03*many)
			})
		}
	}
}

// A record that a small share keeps is kept by a larger one; another text, form or time changes nothing.
func TestSamplingIsNested(t *testing.T) {
	few, most := rules("env:prod"), redacting(t)
	few.Sample, most.Sample = 0.3, 0.6
	p, q := New(few), New(most)
	for i := range 500 {
		id := record.Escaped(fmt.Appendf(nil, "379%053d", i))
		if ruleOf(p, &record.Record{Origin: origin("shop", "s"), EventID: id, Message: record.Plain([]byte("x"))}) != "" {
			continue
		}
		other := record.Record{Origin: origin("shop", "s"), EventID: id, Message: record.Escaped([]byte(`\"y`)), TimeMillis: 1, Index: 7}
		require.Empty(t, ruleOf(q, &other))
	}
}

func converter(t *testing.T, list string, strict bool) *agent.Converter {
	t.Helper()
	options, err := agent.Parse([]byte(list))
	require.NoError(t, err)
	c, err := agent.New(options, strict)
	require.NoError(t, err)
	return c
}

func TestAgent(t *testing.T) {
	const (
		csv    = `[{"optionName":"CSVTOJSON","customFieldNames":["a","b"]}]`
		syslog = `[{"optionName":"LOGTOJSON","logFormat":"SYSLOG"}]`
		single = `[{"optionName":"SINGLELINE"}]`
		bare   = `[{"optionName":"SINGLELINE"},{"optionName":"ADDBRACKETS"}]`
	)
	for name, tc := range map[string]struct {
		options    string
		strict     bool
		message    record.Text
		structured bool

		want           string // as JSON
		marks          record.Marks
		wantStructured bool
		rule           ledger.Rule
	}{
		"converted":                 {options: csv, message: record.Plain([]byte("1,2")), want: `{\"a\":\"1\",\"b\":\"2\"}`},
		"with its line feed":        {options: csv, message: record.Escaped([]byte(`1,\"2\n`)), want: `{\"a\":\"1\",\"b\":\"\\\"2\"}`},
		"structured is one text":    {options: single, message: record.Plain([]byte("{\n\"a\":1\n}")), structured: true, want: `{\"a\":1}`},
		"without a line feed":       {options: bare, message: record.Plain([]byte("a\nb")), want: `{ab\n}`},
		"no match is kept":          {options: syslog, message: record.Escaped([]byte(`a\"b`)), want: `a\"b`, marks: record.AgentRaw},
		"no match, structured":      {options: syslog, message: record.Plain([]byte(`{}`)), structured: true, want: `{}`, marks: record.AgentRaw, wantStructured: true},
		"no match, as the agent":    {options: syslog, strict: true, message: record.Plain([]byte("a")), rule: ledger.AgentNoMatch},
		"what is made is redacted":  {options: csv, message: record.Plain([]byte("192.0.2.1,2")), want: `{\"a\":\"xxx.xxx.xxx.xxx\",\"b\":\"2\"}`, marks: record.Redacted},
		"what is made carries tags": {options: `[{"optionName":"CSVTOJSON","customFieldNames":["ddtags"]}]`, message: record.Plain([]byte("service:m")), want: `{\"ddtags\":\"service:m\"}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := redacting(t)
			r.Agent = converter(t, tc.options, tc.strict)
			one := record.Record{Origin: origin("shop", "s"), Message: tc.message, Structured: tc.structured}
			require.Equal(t, tc.rule, ruleOf(New(r), &one))
			if tc.rule != "" {
				return
			}
			assert.Equal(t, tc.want, string(one.Message.AppendJSON(nil)))
			assert.Equal(t, tc.marks, one.Marks)
			assert.Equal(t, tc.wantStructured, one.Structured)
			assert.Equal(t, strings.Contains(tc.want, "service:m"), one.Origin.Service == "m")
		})
	}
}

func TestAgentTruncates(t *testing.T) {
	for name, tc := range map[string]struct {
		options, message, want string
		bytes                  int
		marks                  record.Marks
	}{
		"fits, with its line feed":     {"", "123456789", "123456789", 0, 0},
		"is cut":                       {"", "1234567890", "1234567", 1, record.Truncated},
		"has a line feed of its own":   {"", "123456789\n", "123456789\n", 0, 0},
		"is cut, with a line feed":     {"", "1234567890\n", "1234567", 1, record.Truncated},
		"is cut inside of a character": {"", "123456é890", "123456\uFFFD", 2, record.Truncated | record.UTF8Repaired},
		"behind conversion, fits":      {`[{"optionName":"SINGLELINE"}]`, "1234\n5678\n", "12345678", 0, 0},
		"behind conversion, is cut":    {`[{"optionName":"SINGLELINE"}]`, "1234\n567890\n", "1234567", 1, record.Truncated},
		"did not match, is cut":        {`[{"optionName":"LOGTOJSON","logFormat":"SYSLOG"}]`, "1234567890", "1234567", 1, record.Truncated | record.AgentRaw},
	} {
		t.Run(name, func(t *testing.T) {
			r := rules("")
			if tc.options != "" {
				r.Agent = converter(t, tc.options, false)
			}
			var err error
			r.Truncate, err = agent.NewSplitter(agent.Splitting{TruncatedRecordTerminator: "~~\n", MaxRecordBytes: 10})
			require.NoError(t, err)
			one := record.Record{Origin: origin("shop", "s"), Message: record.Plain([]byte(tc.message))}
			require.Empty(t, ruleOf(New(r), &one))
			want := tc.want
			if tc.marks&record.Truncated != 0 {
				want += "~~"
			}
			assert.Equal(t, want, string(one.Message.Bytes))
			assert.Equal(t, tc.marks, one.Marks)
			assert.Equal(t, tc.bytes, one.TruncatedBytes)
		})
	}
}

func TestSeverity(t *testing.T) {
	for on, want := range map[bool]record.Severity{false: "", true: record.Error} {
		r := rules("")
		r.Severity = on
		one := record.Record{Origin: origin("shop", "s"), Message: record.Escaped([]byte(`ERROR \"a\"`))}
		require.Empty(t, ruleOf(New(r), &one))
		assert.Equal(t, want, one.Severity)
	}
}
