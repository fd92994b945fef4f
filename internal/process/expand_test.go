package process

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

func TestExpansion(t *testing.T) {
	array := func(n int) string { return `{"Records":[` + strings.TrimSuffix(strings.Repeat("1,", n), ",") + `]}` }
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	for name, tc := range map[string]struct {
		path, message string
		want          []string // nil when the message stays
		marks         record.Marks
	}{
		"objects, bytes as they stand": {
			"Records", `{"Records":[ {"n":1.10, "e":1e400,"é":"\u00e9\/"} ,{ }]}`, []string{`{"n":1.10, "e":1e400,"é":"\u00e9\/"}`, `{ }`}, 0,
		},
		"any values":                    {"a", `{"a":[1.0,"x",null,[2,3],-0,12345678901234567890]}`, []string{"1.0", `"x"`, "null", "[2,3]", "-0", "12345678901234567890"}, 0},
		"one element":                   {"a", `{"a":[{"b":1}]}`, []string{`{"b":1}`}, 0},
		"further in":                    {"detail.findings", `{"x":1,"detail":{"y":[],"findings":[{"id":1},{"id":2}]}}`, []string{`{"id":1}`, `{"id":2}`}, 0},
		"white space around":            {"a", " \r\n{\"a\":\n[1,\n2]}\n", []string{"1", "2"}, 0},
		"no elements":                   {"a", `{"a":[]}`, nil, 0},
		"no such member":                {"a", `{"b":[1]}`, nil, 0},
		"no array":                      {"a", `{"a":{"b":[1]}}`, nil, 0},
		"text of an array":              {"a", `{"a":"[1,2]"}`, nil, 0},
		"no object on the way":          {"a.b", `{"a":[{"b":[1]}]}`, nil, 0},
		"no object":                     {"a", `[{"a":[1]}]`, nil, 0},
		"no JSON":                       {"a", `a=[1,2]`, nil, 0},
		"a list that is no JSON":        {"a", `{"a":[1,x]}`, nil, 0},
		"not closed":                    {"a", `{"a":[1,2]`, nil, 0},
		"array not closed":              {"a", `{"a":[1,2`, nil, 0},
		"text behind":                   {"a", `{"a":[1,2]} x`, nil, 0},
		"two objects":                   {"a", `{"a":[1,2]}{"a":[3]}`, nil, 0},
		"deeper than is read":           {"a", `{"a":[` + deep + `]}`, nil, 0},
		"as many as there may be":       {"Records", array(maxElements), strings.Split(strings.TrimSuffix(strings.Repeat("1,", maxElements), ","), ","), 0},
		"more than there may be":        {"Records", array(maxElements + 1), nil, record.NotExpanded},
		"empty":                         {"a", ``, nil, 0},
		"member whose name has a quote": {`a"b`, `{"a\"b":[1,2]}`, []string{"1", "2"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for form, text := range map[string]record.Text{
				"plain":   record.Plain([]byte(tc.message)),
				"escaped": record.Escaped(record.AppendEscaped(nil, tc.message)),
			} {
				r := rules("")
				r.Expand = strings.Split(tc.path, ".")
				one := record.Record{Origin: origin("shop", "s"), EventID: record.Plain([]byte("1")), TimeMillis: 7, Message: text}
				p := New(r)
				for range 2 {
					copied := one
					out, rule := p.Apply(&copied)
					require.Empty(t, rule)
					if tc.want == nil {
						require.Len(t, out, 1, form)
						assert.Same(t, &copied, out[0])
						assert.Equal(t, text, out[0].Message)
						assert.Equal(t, tc.marks, out[0].Marks)
						continue
					}
					var got []string
					for _, element := range out {
						got = append(got, string(element.Message.AppendPlain(nil)))
						assert.Equal(t, int64(7), element.TimeMillis)
						assert.False(t, element.Structured)
					}
					assert.Equal(t, tc.want, got, form)
				}
			}
		})
	}
}

// Every element is sent with all members beside the message, so few bytes could become many.
func TestExpansionIsBoundedByMembers(t *testing.T) {
	const some = 1 << 20
	for name, tc := range map[string]struct {
		elements, members, bytes int
		stays                    bool
	}{
		"no members":                   {maxElements, 0, 0, false},
		"few bytes beside many":        {maxElements, 1, maxCopiedBytes / maxElements, false},
		"as many copies as may be":     {1 + maxCopiedBytes/some, 1, some, false},
		"one copy more":                {2 + maxCopiedBytes/some, 1, some, true},
		"all members count":            {2 + maxCopiedBytes/some, 4, some / 4, true},
		"one element is no copy":       {1, 1, 2 * maxCopiedBytes, false},
		"two, of much":                 {2, 1, maxCopiedBytes + 1, true},
		"many, of half a megabyte":     {maxElements, 1, 500_000, true},
		"an empty array beside a text": {0, 1, 2 * maxCopiedBytes, false},
	} {
		t.Run(name, func(t *testing.T) {
			var members []record.Member
			for i := range tc.members {
				value := `"` + strings.Repeat("x", tc.bytes-len(`""`)-1) + `"`
				members = append(members, record.Member{Name: []byte{'a' + byte(i)}, Value: []byte(value)})
			}
			r := rules("")
			r.Expand = []string{"a"}
			one := record.Record{
				Origin: origin("shop", "s"), Members: members,
				Message: record.Plain([]byte(`{"a":[` + strings.TrimSuffix(strings.Repeat("1,", tc.elements), ",") + `]}`)),
			}
			out, rule := New(r).Apply(&one)
			require.Empty(t, rule)
			if tc.stays {
				require.Len(t, out, 1)
				assert.Same(t, &one, out[0])
				assert.Equal(t, record.NotExpanded, one.Marks)
				return
			}
			require.Len(t, out, max(1, tc.elements))
			assert.Empty(t, out[0].Marks)
			assert.Len(t, out[len(out)-1].Members, tc.members)
		})
	}
}

// Each element is a record with an id of its own, the same whenever it comes, and the first one's is that of the whole.
func TestExpandedRecordsHaveIDs(t *testing.T) {
	stream := &record.Origin{Kind: record.Kinesis, StreamARN: "arn:aws:kinesis:eu-west-1:123456789012:stream/s"}
	topic := &record.Origin{Kind: record.SNS, StreamARN: "arn:aws:sns:eu-west-1:123456789012:t"}
	for name, origins := range map[string]func() *record.Origin{
		"events":  func() *record.Origin { return origin("shop", "s") },
		"lines":   func() *record.Origin { return stream },
		"objects": func() *record.Origin { return object("cloudtrail", "") },
		"topics":  func() *record.Origin { return topic },
	} {
		t.Run(name, func(t *testing.T) {
			r := rules("")
			r.Expand = []string{"a"}
			seen := make(map[string]bool)
			for index := range 3 { // lines beside each other
				one := record.Record{Origin: origins(), EventID: record.Plain([]byte("1")), Offset: 9, Index: index, Message: record.Plain([]byte(`{"a":[1,2,3,4]}`))}
				if one.Origin.Kind == record.CloudWatch {
					one.EventID = record.Plain([]byte{'1' + byte(index)})
				}
				whole := one
				whole.Index *= min(1, len(one.Origin.StreamARN)+len(one.Origin.Bucket)) // an event's place says nothing
				before := string(whole.AppendID(nil))
				out, _ := New(r).Apply(&one)
				require.Len(t, out, 4)
				assert.Equal(t, before, string(out[0].AppendID(nil)))
				for _, element := range out {
					id := string(element.AppendID(nil))
					assert.False(t, seen[id], "twice the same id")
					seen[id] = true
				}
				if one.Origin.Kind == record.CloudWatch {
					assert.Equal(t, 3, out[3].Index)
				}
			}
		})
	}
}

// What holds for a record holds for its elements; each is redacted and tagged by itself.
func TestExpandedRecordsGoOn(t *testing.T) {
	r := redacting(t)
	r.Expand = []string{"a"}
	r.Agent = converter(t, `[{"optionName":"SINGLELINE"}]`, false)
	r.Exclude = patterns("never")
	r.Severity = true
	p := New(r)
	for range 2 {
		one := record.Record{
			Origin:  origin("shop", "s"),
			Message: record.Escaped([]byte(`{\"never\\u0020\":1,\n\"a\":[{\"ip\":\"192.0.2.1\",\"ddtags\":\"service:one\"},\n{\"ip\":\"192.0.2.2\"},{\"n\":1.10,\"ddtags\":\"service:two\"}]}`)),
			Members: []record.Member{{Name: []byte("from"), Value: []byte(`"192.0.2.3"`)}},
		}
		one.Message.Bytes = []byte(strings.Replace(string(one.Message.Bytes), `never\\u0020`, "x", 1))
		out, rule := p.Apply(&one)
		require.Empty(t, rule)
		require.Len(t, out, 3)
		for i, want := range []struct {
			message, service string
		}{
			{`{"ip":"xxx.xxx.xxx.xxx","ddtags":"service:one"}`, "one"},
			{`{"ip":"xxx.xxx.xxx.xxx"}`, "cloudwatch"},
			{`{"n":1.10,"ddtags":"service:two"}`, "two"},
		} {
			assert.Equal(t, want.message, string(out[i].Message.Bytes))
			assert.Equal(t, want.service, out[i].Origin.Service)
			assert.Equal(t, record.Redacted, out[i].Marks, "a member is")
			assert.Equal(t, `"xxx.xxx.xxx.xxx"`, string(out[i].Members[0].Value))
		}
		assert.Equal(t, map[string]int{"ip": 3}, p.TakeRedactions(), "the member once")
	}
	assert.Nil(t, p.TakeRedactions())
}

// A structured record's elements are structured where they are objects.
func TestExpansionOfStructured(t *testing.T) {
	r := rules("")
	r.Expand = []string{"a"}
	one := record.Record{Origin: object("config", ""), Structured: true, Message: record.Plain([]byte(`{"a":[{"b":1},2]}`))}
	out, rule := New(r).Apply(&one)
	require.Empty(t, rule)
	require.Len(t, out, 2)
	assert.True(t, out[0].Structured)
	assert.False(t, out[1].Structured)
}

func TestTakeRedactions(t *testing.T) {
	r := redacting(t)
	r.Routes = []Route{{Match: inGroup("routed"), Steps: Steps{Redact: redacting(t).Redact}}, {Match: inGroup("shared"), Steps: Steps{Redact: r.Redact}}}
	p := New(r)
	assert.Nil(t, p.TakeRedactions())
	for _, group := range []string{"shop", "routed", "shared"} {
		one := record.Record{Origin: origin(group, "s"), Message: record.Plain([]byte("192.0.2.1 192.0.2.2 bob@example.com"))}
		require.Empty(t, ruleOf(p, &one))
	}
	_, _ = p.AppendItem(nil, []byte(`{"message":"192.0.2.1"}`))
	assert.Equal(t, map[string]int{"ip": 7, "email": 3}, p.TakeRedactions())
	assert.Nil(t, p.TakeRedactions())
}

// FuzzApply: a record is kept or dropped by a rule, never both and never neither. What is kept is valid, what is made of a
// message's array is its elements, and the same record has the same fate again.
func FuzzApply(f *testing.F) {
	for _, seed := range []string{
		"", "plain", "192.0.2.1,b", `{"a":[{"b":"192.0.2.1"},1.10,"x"]}`, `{"a":[]}`, `{"a":[1,2`, `{"a":{"b":"password=x"},"ddtags":["t:1"]}`,
		"{\n\"a\": [1,\n2]\n}\n", `{"execution_arn":"arn:aws:states:eu-west-1:123456789012:execution:M:1"}`, "\x00é\u2028", `{"a":[[[]]]}`,
	} {
		for steps := range uint8(64) {
			f.Add([]byte(seed), steps, steps%2 == 0)
		}
	}
	f.Fuzz(func(t *testing.T, message []byte, steps uint8, escaped bool) {
		text := strings.ToValidUTF8(string(message), "\uFFFD")
		r := redacting(t)
		known := &fakeResources{tags: map[string]string{"state-machine M": "m:1"}}
		r.Resources = known
		for bit, set := range []func(){
			func() { r.Redact = nil },
			func() { r.Sample = 0.5 },
			func() { r.Expand = []string{"a"} },
			func() { r.Agent = converter(t, `[{"optionName":"CSVTOJSON","customFieldNames":["a","b"]}]`, false) },
			func() { r.Agent = converter(t, `[{"optionName":"LOGTOJSON","logFormat":"SYSLOG"}]`, steps&1 == 0) },
			func() { r.ExcludeWhere, r.Include = where("a.b", "x"), patterns("[^x]|^$") },
		} {
			if steps&(1<<bit) != 0 {
				set()
			}
		}
		p := New(r)
		apply := func() (all []string) {
			one := record.Record{Origin: origin("/aws/vendedlogs/states/x", "s"), EventID: record.Plain([]byte("1")), Message: record.Plain([]byte(text))}
			if escaped {
				one.Message = record.Escaped(record.AppendEscaped(nil, text))
			}
			out, rule := p.Apply(&one)
			require.Equal(t, rule == "", len(out) > 0)
			for _, r := range out {
				quoted := append(r.Message.AppendJSON([]byte{'"'}), '"')
				require.True(t, json.Valid(quoted), "%q", quoted)
				all = append(all, string(r.Message.AppendPlain(nil))+string(r.AppendID(nil)))
			}
			if len(out) > 1 && r.Redact == nil && r.Agent == nil {
				requireElements(t, text, out)
			}
			return all
		}
		first := apply()
		require.Equal(t, first, apply(), "the same again")
	})
}

// requireElements holds records against what encoding/json makes of the message.
func requireElements(t *testing.T, message string, out []*record.Record) {
	t.Helper()
	var doc struct {
		A []json.RawMessage `json:"a"`
	}
	if strings.Count(message, `"a"`)+strings.Count(message, `"A"`)+strings.Count(message, `\u`) > 1 {
		return // encoding/json takes the last of several members, in any spelling
	}
	require.NoError(t, json.Unmarshal([]byte(message), &doc))
	require.Len(t, out, len(doc.A))
	for i := range out {
		require.Equal(t, string(doc.A[i]), string(out[i].Message.Bytes))
	}
}

func BenchmarkApplySteps(b *testing.B) {
	message := `{"level":"info","time":"2024-02-01T00:00:00Z","logger":"shop.orders","msg":"order shipped","a":[{"b":1},{"b":2}]}`
	for name, steps := range map[string]Steps{
		"attribute": {ExcludeWhere: where("level", "^debug$")},
		"sample":    {Sample: 0.9999999},
		"expand":    {Expand: []string{"a"}},
		"severity":  {Severity: true},
	} {
		b.Run(name, func(b *testing.B) {
			r := rules("env:prod")
			r.Steps = steps
			p, o := New(r), origin("shop", "s")
			one := record.Record{EventID: record.Plain([]byte("1")), Message: record.Escaped(record.AppendEscaped(nil, message))}
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				one.Origin = o
				p.Apply(&one)
			}
		})
	}
}
