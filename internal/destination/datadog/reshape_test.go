package datadog

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// wafLog is a log of WAF with everything that is reshaped, and numbers and spaces that have to stay.
const wafLog = `{"timestamp":1576280412771,"formatVersion":1,"webaclId":"arn:aws:wafv2:us-east-1:123456789012:regional/webacl/shop/1",` +
	`"action":"BLOCK","terminatingRuleMatchDetails":[{"matchedData":["10","AND","1"]}],` +
	`"ruleGroupList":[` +
	`{"ruleGroupId":"AWS#SQLi","terminatingRule":{"ruleId":"SQLi_ARGS","action":"BLOCK"},` +
	`"nonTerminatingMatchingRules":[{"exclusionType":"REGULAR","ruleId":"first","x":1.50},{"ruleId":"second"}],` +
	`"excludedRules":[{"exclusionType":"EXCLUDED_AS_COUNT","ruleId":"RFI"}],"customerConfig":null},` +
	`{"ruleGroupId":"AWS#Other","terminatingRule":null,"nonTerminatingMatchingRules":[],"excludedRules":null}],` +
	`"rateBasedRuleList":[{"rateBasedRuleId":"r-1","rateBasedRuleName":"limit","limitKey":"IP","maxRateAllowed":100}],` +
	`"nonTerminatingMatchingRules":[ {"ruleId":"count" , "action":"COUNT", "ruleMatchDetails": [ ] } ],` +
	`"httpRequest":{"clientIp":"198.51.100.1","headers":[{"name":"Host","value":"www.example.com"},{"name":"X-A","value":"1"},` +
	`{"value":"a\u00e9\/\"","name":"X-\u0042"}],"uri":"/"},"labels":[{"name":"value"}], "big":12345678901234567890}`

const wafReshaped = `{"timestamp":1576280412771,"formatVersion":1,"webaclId":"arn:aws:wafv2:us-east-1:123456789012:regional/webacl/shop/1",` +
	`"action":"BLOCK","terminatingRuleMatchDetails":[{"matchedData":["10","AND","1"]}],` +
	`"ruleGroupList":{` +
	`"AWS#SQLi":{"terminatingRule":{"SQLi_ARGS":{"action":"BLOCK"}},` +
	`"nonTerminatingMatchingRules":{"first":{"exclusionType":"REGULAR","x":1.50},"second":{}},` +
	`"excludedRules":{"RFI":{"exclusionType":"EXCLUDED_AS_COUNT"}},"customerConfig":null},` +
	`"AWS#Other":{"terminatingRule":null,"nonTerminatingMatchingRules":{},"excludedRules":null}},` +
	`"rateBasedRuleList":{"limit":{"rateBasedRuleId":"r-1","limitKey":"IP","maxRateAllowed":100}},` +
	`"nonTerminatingMatchingRules":{"count":{"action":"COUNT","ruleMatchDetails": [ ]}},` +
	`"httpRequest":{"clientIp":"198.51.100.1","headers":{"Host":"www.example.com","X-A":"1",` +
	`"X-\u0042":"a\u00e9\/\""},"uri":"/"},"labels":[{"name":"value"}], "big":12345678901234567890}`

// texts are the messages of records, as they read.
func texts(records []*record.Record) []string {
	var list []string
	for _, r := range records {
		list = append(list, string(r.Message.AppendPlain(nil)))
	}
	return list
}

func wafRecord(message record.Text) record.Record {
	return record.Record{
		Origin:  &record.Origin{Kind: record.CloudWatch, Source: "waf", LogGroup: "aws-waf-logs-shop"},
		EventID: record.Plain([]byte("7")), TimeMillis: event, Index: 3, Message: message,
	}
}

// forms are a text as sources give it.
func forms(text string) map[string]record.Text {
	return map[string]record.Text{
		"plain":   record.Plain([]byte(text)),
		"escaped": record.Escaped(record.AppendEscaped(nil, text)),
	}
}

func TestReshapeWAF(t *testing.T) {
	group := func(members string) string { return `{"ruleGroupList":[{"ruleGroupId":"g",` + members + `}]}` }
	for name, tc := range map[string]struct{ message, want string }{
		"everything": {wafLog, wafReshaped},
		"headers of one name: the last value at the place of the first": {
			`{"httpRequest":{"headers":[{"name":"a","value":"1"},{"name":"b","value":"2"},{"name":"\u0061","value":"3"}]}}`,
			`{"httpRequest":{"headers":{"\u0061":"3","b":"2"}}}`,
		},
		"names of headers differ in case": {
			`{"httpRequest":{"headers":[{"name":"a","value":"1"},{"name":"A","value":"2"}]}}`,
			`{"httpRequest":{"headers":{"a":"1","A":"2"}}}`,
		},
		"white space around what stays": {
			" {\n \"a\" : 1 ,\n\"httpRequest\" :\t{ \"headers\" : [ { \"name\" : \"h\" , \"value\" : \"v\" } ] , \"uri\" : \"/\" } } ",
			" {\n \"a\" : 1 ,\n\"httpRequest\" :\t{ \"headers\" : {\"h\":\"v\"} , \"uri\" : \"/\" } } ",
		},
		"name of a member with escapes": {
			`{"q\"\\":"\\","http\u0052equest":{"headers":[{"n\u0061me":"h","value":"v"}]}}`,
			`{"q\"\\":"\\","http\u0052equest":{"headers":{"h":"v"}}}`,
		},
		"names that look like the end of a name": {
			`{"q\":\"\\":"\\","ruleGroupList":[{"a\":1,\"":2,"ruleGroupId":"g\":\""}]}`,
			`{"q\":\"\\":"\\","ruleGroupList":{"g\":\"":{"a\":1,\"":2}}}`,
		},
		"two groups of one id become one": {
			`{"ruleGroupList":[{"ruleGroupId":"g","terminatingRule":{"ruleId":"a","x":1},"n":1},{"ruleGroupId":"h"},` +
				`{"n":2,"terminatingRule":{"ruleId":"b"},"ruleGroupId":"g","excludedRules":null}]}`,
			`{"ruleGroupList":{"g":{"terminatingRule":{"a":{"x":1},"b":{}},"n":2,"excludedRules":null},"h":{}}}`,
		},
		"null takes no rules away": {
			`{"ruleGroupList":[{"ruleGroupId":"g","excludedRules":[{"ruleId":"a"}]},{"ruleGroupId":"g","excludedRules":null}]}`,
			`{"ruleGroupList":{"g":{"excludedRules":{"a":{}}}}}`,
		},
		"rules of one id in two groups: the last one": {
			`{"ruleGroupList":[{"ruleGroupId":"g","excludedRules":[{"ruleId":"a","x":1}]},{"ruleGroupId":"g","excludedRules":[{"ruleId":"a","x":2}]}]}`,
			`{"ruleGroupList":{"g":{"excludedRules":{"a":{"x":2}}}}}`,
		},
		"one list of another shape keeps no other from it": {
			`{"nonTerminatingMatchingRules":["a"],"rateBasedRuleList":[{"rateBasedRuleName":"n"}]}`,
			`{"nonTerminatingMatchingRules":["a"],"rateBasedRuleList":{"n":{}}}`,
		},
		"half of the list fits: it stays": {message: `{"nonTerminatingMatchingRules":[{"ruleId":"a"},{"id":"b"}]}`},
		"rule without an id":              {message: `{"nonTerminatingMatchingRules":[{"action":"COUNT"}]}`},
		"rule with an empty id":           {message: `{"nonTerminatingMatchingRules":[{"ruleId":""}]}`},
		"rule with a number for an id":    {message: `{"nonTerminatingMatchingRules":[{"ruleId":1}]}`},
		"rule with two ids":               {message: `{"nonTerminatingMatchingRules":[{"ruleId":"a","ruleId":"b"}]}`},
		"rule that is called by its rate": {message: `{"nonTerminatingMatchingRules":[{"rateBasedRuleName":"a"}]}`},
		"header that says more":           {message: `{"httpRequest":{"headers":[{"name":"a","value":"b","more":1}]}}`},
		"header without a value":          {message: `{"httpRequest":{"headers":[{"name":"a","val":"b"}]}}`},
		"header with two names":           {message: `{"httpRequest":{"headers":[{"name":"a","name":"b"}]}}`},
		"header without a name":           {message: `{"httpRequest":{"headers":[{"name":"","value":"b"}]}}`},
		"headers are an object already":   {message: `{"httpRequest":{"headers":{"a":"b"}}}`},
		"headers elsewhere":               {message: `{"headers":[{"name":"a","value":"b"}],"x":{"httpRequest":{"headers":[{"name":"a","value":"b"}]}}}`},
		"lists are empty":                 {message: `{"httpRequest":{"headers":[]},"ruleGroupList":[],"rateBasedRuleList":[],"nonTerminatingMatchingRules":[]}`},
		"lists are null":                  {message: `{"httpRequest":null,"ruleGroupList":null,"rateBasedRuleList":null,"nonTerminatingMatchingRules":null}`},
		"lists are numbers":               {message: `{"httpRequest":1,"ruleGroupList":2,"rateBasedRuleList":3,"nonTerminatingMatchingRules":4}`},
		"group without an id":             {message: `{"ruleGroupList":[{"terminatingRule":{"ruleId":"a"}}]}`},
		"group with rules of text":        {message: group(`"excludedRules":["a"]`)},
		"group with a rule without an id": {message: group(`"terminatingRule":{"action":"BLOCK"}`)},
		"group with a number for a rule":  {message: group(`"terminatingRule":1`)},
		"group with text for a rule":      {message: group(`"terminatingRule":"null"`)},
		"no JSON":                         {message: `GET "/" 200`},
		"no object":                       {message: `[{"httpRequest":{"headers":[{"name":"a","value":"b"}]}}]`},
		"cut short":                       {message: wafLog[:len(wafLog)-1]},
		"two documents":                   {message: wafLog + wafLog},
		"nothing":                         {message: ``},
	} {
		t.Run(name, func(t *testing.T) {
			var s Reshaper
			for form, text := range forms(tc.message) {
				r := wafRecord(text)
				before := r
				got := s.Each(&r)
				require.Len(t, got, 1)
				assert.Equal(t, before, r, "%s: the record is the source's", form)
				if tc.want == "" {
					assert.Same(t, &r, got[0], form)
					continue
				}
				assert.True(t, json.Valid([]byte(tc.want)))
				assert.Equal(t, []string{tc.want}, texts(got), form)
				same := *got[0]
				same.Message = before.Message
				assert.Equal(t, before, same, "%s: only the message is another", form)
			}
		})
	}
}

func TestReshapeOtherSources(t *testing.T) {
	var s Reshaper
	for _, source := range []string{"", "cloudtrail", "WAF", "s3"} {
		r := wafRecord(record.Plain([]byte(wafLog)))
		r.Origin.Source = source
		assert.Same(t, &r, s.Each(&r)[0], source)
	}
}

// hubRecord is an event of Security Hub as it comes from EventBridge.
func hubRecord(message record.Text) record.Record {
	return record.Record{
		Origin:  &record.Origin{Kind: record.EventBridge, Source: "securityhub", Service: "securityhub", FunctionARN: ownARN},
		EventID: record.Plain([]byte("6a7e")), TimeMillis: event, Structured: true, Message: message,
	}
}

func TestReshapeSecurityHub(t *testing.T) {
	const head, tail = `{"version":"0","id":"6a7e","detail-type":"Security Hub Findings - Imported","detail":{"a":1.50,`, `,"b":[1]},"region":"eu-west-1"}`
	for name, tc := range map[string]struct {
		message string
		want    []string
	}{
		"two findings": {
			head + `"findings":[{"Id":"1","n":1e3,"Resources":[{"Type":"AwsEc2Instance","Id":"i-1"},{"Id":"b","Type":"AwsS3Bucket","x":{}}],"z":0},{"Id":"2"}]` + tail,
			[]string{
				head + `"finding":{"Id":"1","n":1e3,"resources":{"AwsEc2Instance":{"Id":"i-1"},"AwsS3Bucket":{"Id":"b","x":{}}},"z":0}` + tail,
				head + `"finding":{"Id":"2"}` + tail,
			},
		},
		"one finding":          {`{"detail":{"findings":[{"Id":"1"}]}}`, []string{`{"detail":{"finding":{"Id":"1"}}}`}},
		"white space":          {` { "detail" : { "findings" : [ {"a" : 1} , {} ] } } `, []string{` { "detail" : { "finding":{"a" : 1} } } `, ` { "detail" : { "finding":{} } } `}},
		"two resources alike":  {`{"detail":{"findings":[{"Resources":[{"Type":"a","x":1},{"Type":"a","x":2}]}]}}`, []string{`{"detail":{"finding":{"resources":{"a":{"x":2}}}}}`}},
		"resource of no type":  {`{"detail":{"findings":[{"Resources":[{"Type":"a"},{"x":2}]}]}}`, []string{`{"detail":{"finding":{"Resources":[{"Type":"a"},{"x":2}]}}}`}},
		"no resources":         {`{"detail":{"findings":[{"Resources":[]}]}}`, []string{`{"detail":{"finding":{"Resources":[]}}}`}},
		"resources are text":   {`{"detail":{"findings":[{"Resources":["a"]}]}}`, []string{`{"detail":{"finding":{"Resources":["a"]}}}`}},
		"resources, both ways": {`{"detail":{"findings":[{"Resources":[{"Type":"a"}],"resources":1}]}}`, []string{`{"detail":{"finding":{"Resources":[{"Type":"a"}],"resources":1}}}`}},
		"member with no name":  {`{"":0,"detail":{"":1,"findings":[{"":2}]}}`, []string{`{"":0,"detail":{"":1,"finding":{"":2}}}`}},
		"a finding beside":     {`{"detail":{"findings":[{}],"finding":{}}}`, nil},
		"no findings":          {`{"detail":{"findings":[]}}`, nil},
		"findings of text":     {`{"detail":{"findings":[{},"a"]}}`, nil},
		"findings are null":    {`{"detail":{"findings":null}}`, nil},
		"findings twice":       {`{"detail":{"findings":[{}],"findings":[{}]}}`, nil},
		"detail is text":       {`{"detail":"findings"}`, nil},
		"no detail":            {`{"findings":[{}]}`, nil},
		"no object":            {`[{"detail":{"findings":[{}]}}]`, nil},
		"no JSON":              {`{"detail":{"findings":[{}]}`, nil},
		"as many as may be":    {`{"detail":{"findings":[{}` + strings.Repeat(",{}", maxFindings-1) + `]}}`, many(maxFindings, `{"detail":{"finding":{}}}`)},
		"too many":             {`{"detail":{"findings":[{}` + strings.Repeat(",{}", maxFindings) + `]}}`, nil},
		"too large together":   {`{"x":"` + strings.Repeat("x", maxFindingsBytes/maxFindings) + `","detail":{"findings":[{}` + strings.Repeat(",{}", maxFindings-1) + `]}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var s Reshaper
			for form, text := range forms(tc.message) {
				r := hubRecord(text)
				before := r
				got := s.Each(&r)
				assert.Equal(t, before, r, "%s: the record is the source's", form)
				if tc.want == nil {
					require.Len(t, got, 1)
					assert.Same(t, &r, got[0], form)
					continue
				}
				require.Equal(t, tc.want, texts(got), form)
				ids := make(map[string]bool)
				for i, one := range got {
					assert.Equal(t, i, one.Index, form)
					ids[idOf(*one)] = true
					same := *one
					same.Message, same.Index = before.Message, before.Index
					assert.Equal(t, before, same, "%s: only message and index are others", form)
				}
				assert.Len(t, ids, len(got))
			}
		})
	}
}

func many(n int, text string) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = text
	}
	return list
}

// Only what EventBridge delivers is an event of its own; elsewhere its findings are what the line says.
func TestReshapeSecurityHubElsewhere(t *testing.T) {
	var s Reshaper
	for name, change := range map[string]func(*record.Record){
		"a line":         func(r *record.Record) { r.Structured = false },
		"an object":      func(r *record.Record) { r.Origin.Kind = record.S3 },
		"another source": func(r *record.Record) { r.Origin.Source = "guardduty" },
	} {
		r := hubRecord(record.Plain([]byte(`{"detail":{"findings":[{},{}]}}`)))
		change(&r)
		assert.Same(t, &r, s.Each(&r)[0], name)
	}
}

// The item of the first finding has the id of the event, as a record has that is not reshaped; the others have their own.
func TestItemsOfFindings(t *testing.T) {
	var s Reshaper
	r := hubRecord(record.Plain([]byte(`{"id":"6a7e","_id":1,"detail":{"findings":[{"Id":"a"},{"Id":"b"}]}}`)))
	const head = `{"ddsourcecategory":"aws","ddsource":"securityhub","service":"securityhub","aws":{"invoked_function_arn":"` + ownARN + `"},`
	for _, e := range []encoder{{}, {eventID: NoID}} {
		got := s.Each(&r)
		require.Len(t, got, 2)
		ours := ""
		if e.eventID == FullID {
			ours = `,"id":"` + idOf(*got[1]) + `"`
		}
		for i, want := range []string{
			head + `"id":"6a7e","_id":1,"detail":{"finding":{"Id":"a"}},"timestamp":1700000000123}`,
			head + `"_id":"6a7e","__id":1,"detail":{"finding":{"Id":"b"}}` + ours + `,"timestamp":1700000000123}`,
		} {
			assert.Equal(t, want, item(t, &e, *got[i]))
		}
	}
}

// What one call returned is gone with the next, and nothing of it shows.
func TestReshapeInTurns(t *testing.T) {
	var s Reshaper
	hub := hubRecord(record.Plain([]byte(`{"detail":{"findings":[{"Id":"1"},{"Id":"2"},{"Id":"3"}]}}`)))
	waf := wafRecord(record.Escaped(record.AppendEscaped(nil, wafLog)))
	bad := wafRecord(record.Plain([]byte(`{"ruleGroupList":[{"ruleGroupId":"g","excludedRules":[1]}]}`)))
	for range 3 {
		assert.Len(t, s.Each(&hub), 3)
		assert.Equal(t, []string{wafReshaped}, texts(s.Each(&waf)))
		assert.Same(t, &bad, s.Each(&bad)[0])
		assert.Equal(t, []string{`{"detail":{"finding":{"Id":"1"}}}`, `{"detail":{"finding":{"Id":"2"}}}`, `{"detail":{"finding":{"Id":"3"}}}`}, texts(s.Each(&hub)))
		assert.Empty(t, s.entries.all)
	}
}

func BenchmarkReshape(b *testing.B) {
	crowd := make([]string, 20_000)
	for i := range crowd {
		crowd[i] = fmt.Sprintf(`{"name":"x-header-%d","value":"v"}`, i%1000)
	}
	for name, message := range map[string]string{
		"WAF":             wafLog,
		"20000 headers":   `{"httpRequest":{"headers":[` + strings.Join(crowd, ",") + `]}}`,
		"nothing to do":   `{"timestamp":1576280412771,"httpRequest":{"clientIp":"198.51.100.1","headers":[]}}`,
		"not JSON at all": `GET "/" 200`,
	} {
		b.Run(name, func(b *testing.B) {
			var s Reshaper
			r := wafRecord(record.Plain([]byte(message)))
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				s.Each(&r)
			}
		})
	}
}
