package process

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/ledger"
	"sluice/internal/process/redact"
	"sluice/internal/record"
)

func patterns(list ...string) []*regexp.Regexp {
	var compiled []*regexp.Regexp
	for _, pattern := range list {
		compiled = append(compiled, regexp.MustCompile(pattern))
	}
	return compiled
}

// redacting are rules that redact addresses, e-mail addresses and a greedy pattern.
func redacting(t *testing.T) Rules {
	t.Helper()
	r := rules("")
	var err error
	r.Redact, err = redact.Compile(redact.IP("ip"), redact.Email("email"), redact.Rule{Name: "password", Pattern: `password=.*`, Replacement: `"gone"`})
	require.NoError(t, err)
	r.RedactAll = r.Redact
	return r
}

func TestFilters(t *testing.T) {
	plain, escaped := record.Plain, record.Escaped
	for name, tc := range map[string]struct {
		include, exclude []string
		message          record.Text
		dropped          bool
	}{
		"no filters":                    {nil, nil, plain([]byte("a")), false},
		"excluded":                      {nil, []string{"b+"}, plain([]byte("abbc")), true},
		"not excluded":                  {nil, []string{"^b"}, plain([]byte("abbc")), false},
		"excluded by the second":        {nil, []string{"x", "c$"}, plain([]byte("abbc")), true},
		"included":                      {[]string{"b"}, nil, plain([]byte("abc")), false},
		"included by the second":        {[]string{"x", "b"}, nil, plain([]byte("abc")), false},
		"not included":                  {[]string{"x", "y"}, nil, plain([]byte("abc")), true},
		"included and excluded":         {[]string{"a"}, []string{"c"}, plain([]byte("abc")), true},
		"nothing is not included":       {[]string{"a"}, nil, escaped(nil), true},
		"nothing is included":           {[]string{"^$"}, nil, escaped(nil), false},
		"escaped, nothing to unescape":  {nil, []string{"^abc$"}, escaped([]byte("abc")), true},
		"escaped quote":                 {nil, []string{`^{"a":"b"}$`}, escaped([]byte(`{\"a\":\"b\"}`)), true},
		"letters of an escape":          {nil, []string{`n`}, escaped([]byte(`a\nb`)), false},
		"line break":                    {[]string{"a\nb"}, nil, escaped([]byte(`a\nb`)), false},
		"character hidden by an escape": {nil, []string{"A"}, escaped([]byte(`\u0041`)), true},
		"backslashes of plain text":     {nil, []string{`\\n`}, plain([]byte(`a\nb`)), true},
		"before redaction":              {nil, []string{`192\.0\.2\.1`}, plain([]byte("from 192.0.2.1")), true},
		"not what redaction puts there": {nil, []string{"xxx"}, plain([]byte("from 192.0.2.1")), false},
	} {
		t.Run(name, func(t *testing.T) {
			r := redacting(t)
			r.Include, r.Exclude = patterns(tc.include...), patterns(tc.exclude...)
			want := ledger.Rule("")
			if tc.dropped {
				want = ledger.FilterExclude
			}
			assert.Equal(t, want, ruleOf(New(r), &record.Record{Origin: origin("shop", "s"), Message: tc.message}))
		})
	}
}

// What is no log is dropped by its own rule, and the origin is what it is without filters.
func TestFiltersComeAfterTheRest(t *testing.T) {
	r := rules("")
	r.Exclude = patterns("")
	control := origin("shop", "s")
	control.Control = true
	for want, one := range map[ledger.Rule]*record.Record{
		ledger.ControlMessage: {Origin: control, Message: record.Plain([]byte("a"))},
		ledger.EmptyLine:      {Origin: object("elb", "alb")},
		ledger.HeaderLine:     {Origin: object("elb", "alb"), Header: true, Message: record.Plain([]byte("a"))},
		ledger.FilterExclude:  {Origin: object("elb", "alb"), Message: record.Plain([]byte("a"))},
	} {
		assert.Equal(t, want, ruleOf(New(r), one))
	}

	r.Exclude = patterns("webaclId")
	p, o := New(r), origin("flows", "s")
	assert.Equal(t, ledger.FilterExclude, ruleOf(p, &record.Record{Origin: o, Message: record.Plain([]byte(`{"webaclId":"1","httpRequest":{}}`))}))
	require.Empty(t, ruleOf(p, &record.Record{Origin: o, Message: record.Plain([]byte("x"))}))
	assert.Equal(t, "waf", o.Source)
}

func TestRedaction(t *testing.T) {
	for name, tc := range map[string]struct {
		message record.Text
		want    string // as JSON
		marks   record.Marks
	}{
		"nothing to redact":         {record.Escaped([]byte(`a \"b\"`)), `a \"b\"`, 0},
		"plain":                     {record.Plain([]byte("from 192.0.2.1 to bob@example.com")), "from xxx.xxx.xxx.xxx to xxxxx@xxxxx.com", record.Redacted},
		"escaped":                   {record.Escaped([]byte(`a\n\"192.0.2.1\"`)), `a\n\"xxx.xxx.xxx.xxx\"`, record.Redacted},
		"hidden by an escape":       {record.Escaped([]byte(`\u0031.2.3.4`)), "xxx.xxx.xxx.xxx", record.Redacted},
		"greedy, text":              {record.Plain([]byte("password=a b")), `\"gone\"`, record.Redacted},
		"greedy, JSON":              {record.Plain([]byte(`{"a":"password=b","c":"d"}`)), `{\"a\":\"\\\"gone\\\"\",\"c\":\"d\"}`, record.Redacted},
		"greedy, JSON, escaped":     {record.Escaped([]byte(`{\"a\":\"password=b\",\"c\":\"d\"}`)), `{\"a\":\"\\\"gone\\\"\",\"c\":\"d\"}`, record.Redacted},
		"not across name and value": {record.Plain([]byte(`{"password":"=b"}`)), `{\"password\":\"=b\"}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := &record.Record{Origin: origin("shop", "s"), Message: tc.message}
			require.Empty(t, ruleOf(New(redacting(t)), r))
			assert.Equal(t, tc.want, string(r.Message.AppendJSON(nil)))
			assert.Equal(t, tc.marks, r.Marks)
		})
	}
}

// Members are redacted beside the message. The list of the source, which it may use again, stays as it was.
func TestRedactionOfMembers(t *testing.T) {
	p := New(redacting(t))
	deep := strings.Repeat("[", 10_001) + `"password=a"` + strings.Repeat("]", 10_001)
	for range 2 {
		for name, tc := range map[string]struct {
			message, wantMessage string
			values, want         []string
			marks                record.Marks
		}{
			"none to redact": {"a", "a", []string{`{"b":1}`, `null`}, []string{`{"b":1}`, `null`}, 0},
			"second": {
				"from 192.0.2.7", "from xxx.xxx.xxx.xxx",
				[]string{`[1]`, `{"ip":"192.0.2.1","a":"password=x"}`, `2`},
				[]string{`[1]`, `{"ip":"xxx.xxx.xxx.xxx","a":"\"gone\""}`, `2`},
				record.Redacted,
			},
			"all":                 {"a", "a", []string{`"192.0.2.1"`, `["bob@example.com"]`}, []string{`"xxx.xxx.xxx.xxx"`, `["xxxxx@xxxxx.com"]`}, record.Redacted},
			"too deep to be read": {"a", "a", []string{deep}, []string{`"` + strings.Repeat("[", 10_001) + `\"\"gone\""`}, record.Redacted},
		} {
			t.Run(name, func(t *testing.T) {
				var members, before []record.Member
				for _, value := range tc.values {
					members = append(members, record.Member{Name: []byte("m"), Value: []byte(value)})
				}
				before = append(before, members...)
				r := &record.Record{Origin: origin("shop", "s"), Message: record.Plain([]byte(tc.message)), Members: members}
				require.Empty(t, ruleOf(p, r))
				assert.Equal(t, tc.wantMessage, string(r.Message.Bytes))
				var got []string
				for _, m := range r.Members {
					got = append(got, string(m.Value))
				}
				assert.Equal(t, tc.want, got)
				assert.Equal(t, tc.marks, r.Marks)
				assert.Equal(t, before, members)
				for i := range members {
					assert.Equal(t, tc.values[i], string(members[i].Value))
				}
			})
		}
	}
}

// What a destination may give as members stays an object, or is none any more.
func TestRedactionOfStructured(t *testing.T) {
	apply := func(message string) *record.Record {
		r := &record.Record{Origin: object("cloudtrail", "cloudtrail"), Message: record.Plain([]byte(message)), Structured: true}
		require.Empty(t, ruleOf(New(redacting(t)), r))
		return r
	}
	r := apply(`{"sourceIPAddress":"192.0.2.1","a":["password=\"}"],"n":1}`)
	want := `{"sourceIPAddress":"xxx.xxx.xxx.xxx","a":["\"gone\""],"n":1}`
	assert.Equal(t, want, string(r.Message.Bytes))
	assert.True(t, r.Structured)

	nest := strings.Repeat(`{"a":`, 10_001)
	r = apply(nest + `"password=b"` + strings.Repeat("}", 10_001))
	assert.Equal(t, nest+`""gone"`, string(r.Message.Bytes))
	assert.False(t, r.Structured)
	assert.Equal(t, record.Redacted, r.Marks)
}

// What a message says about its origin is what is left of it.
func TestRedactionBeforeTags(t *testing.T) {
	r := &record.Record{Origin: origin("shop", "s"), Message: record.Plain([]byte(`{"ddtags":"client:192.0.2.1,a:b"}`))}
	require.Empty(t, ruleOf(New(redacting(t)), r))
	assert.Contains(t, joined(r.Origin.Tags), "client:xxx.xxx.xxx.xxx,a:b")

	r = &record.Record{
		Origin: object("cloudtrail", "cloudtrail"), Structured: true,
		Message: record.Plain([]byte(`{"userIdentity":{"arn":"arn:aws:sts::123456789012:assumed-role/web/i-0123456789abcdef0","x":"password="}}`)),
	}
	rule := redacting(t)
	var err error
	rule.Redact, err = redact.Compile(redact.Rule{Name: "instance", Pattern: `i-[0-9a-f]+`, Replacement: "i-x"})
	require.NoError(t, err)
	require.Empty(t, ruleOf(New(rule), r))
	assert.Empty(t, r.Origin.Host)
}

// Without rules no text is made, and with rules that find nothing none is kept.
func TestFilteringAndRedactingAllocateNothing(t *testing.T) {
	with := redacting(t)
	with.Exclude = patterns("never there")
	for name, r := range map[string]Rules{"no rules": rules(""), "rules": with} {
		t.Run(name, func(t *testing.T) {
			p, o := New(r), origin("shop", "s")
			one := record.Record{Origin: o, Message: record.Escaped([]byte(`say \"hi\"`)), Members: []record.Member{{Name: []byte("m"), Value: []byte(`{"a":1}`)}}}
			copied := one
			assert.Zero(t, testing.AllocsPerRun(100, func() {
				copied = one
				p.Apply(&copied)
			}))
		})
	}
}

func TestAppendItem(t *testing.T) {
	deep := strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001)
	for name, tc := range map[string]struct{ item, want string }{
		"nothing":         {`{"message":"a","n":1}`, ``},
		"no members":      {`{}`, ``},
		"text":            {`{ "message" : "from 192.0.2.1\n", "n":[1, null] }`, `{"message":"from xxx.xxx.xxx.xxx\n","n":[1, null]}`},
		"JSON":            {`{"message":"{\"a\":\"password=b\",\"m\":\"bob\\u0040example.com\"}","b":"c"}`, `{"message":"{\"a\":\"\\\"gone\\\"\",\"m\":\"xxxxx@xxxxx.com\"}","b":"c"}`},
		"other members":   {`{"message":"a","ddtags":"client:192.0.2.1","x":{"y":["password=b"]}}`, `{"message":"a","ddtags":"client:xxx.xxx.xxx.xxx","x":{"y":["\"gone\""]}}`},
		"object":          {`{"message":{"a":"192.0.2.1"}}`, `{"message":{"a":"xxx.xxx.xxx.xxx"}}`},
		"escaped name":    {`{"\u0022":1,"message":"192.0.2.1"}`, `{"\"":1,"message":"xxx.xxx.xxx.xxx"}`},
		"list":            {`["192.0.2.1"]`, `["xxx.xxx.xxx.xxx"]`},
		"no JSON":         {`{"a":1,"192.0.2.1`, `"{\"a\":1,\"xxx.xxx.xxx.xxx"`},
		"too deep, a hit": {`{"a":` + deep + `,"b":"192.0.2.1"}`, `{"a":` + deep + `,"b":"xxx.xxx.xxx.xxx"}`},
	} {
		t.Run(name, func(t *testing.T) {
			out, hits := New(redacting(t)).AppendItem([]byte("x"), []byte(tc.item))
			assert.Equal(t, "x"+tc.want, string(out))
			assert.Equal(t, tc.want != "", hits > 0)
			out, hits = New(rules("")).AppendItem(nil, []byte(tc.item))
			assert.Empty(t, out)
			assert.Zero(t, hits)
		})
	}
}

// Rules that ask for a name know those of members beside the message and of an item.
func TestRedactionByNames(t *testing.T) {
	rules := rules("")
	var err error
	rules.Redact, err = redact.Compile(redact.Rule{Name: "member", Member: "token", Replacement: "gone"},
		redact.Rule{Name: "path", Attribute: "extractedFields.pin", Replacement: "0"}, redact.Rule{Name: "across", Pattern: `"?password"?\W+\w+`, Replacement: "***"})
	require.NoError(t, err)
	rules.RedactAll = rules.Redact
	p := New(rules)
	names := []string{"token", "extractedFields", "password", `\u0074oken`, "kept"}
	values := []string{`{"a":1}`, `{"pin":1234,"token":[1]}`, `"hunter2 x"`, `1.0`, `"pin"`}
	want := []string{`"gone"`, `{"pin":0,"token":"gone"}`, `"*** x"`, `"gone"`, `"pin"`}
	var members []record.Member
	item := `{"message":"{\"token\":1,\"password\":\"a\"}"`
	wantItem := `{"message":"{\"token\":\"gone\",\"password\":\"***\"}"`
	for i := range names {
		members = append(members, record.Member{Name: []byte(names[i]), Value: []byte(values[i])})
		item += `,"` + names[i] + `":` + values[i]
		wantItem += `,"` + strings.Replace(names[i], `\u0074`, "t", 1) + `":` + want[i]
	}
	r := &record.Record{Origin: origin("shop", "s"), Message: record.Plain([]byte("token")), Members: members}
	require.Empty(t, ruleOf(p, r))
	for i, m := range r.Members {
		assert.Equal(t, want[i], string(m.Value), names[i])
	}
	assert.NotZero(t, r.Marks&record.Redacted)
	assert.Equal(t, values[0], string(members[0].Value), "the source keeps its own")
	out, hits := p.AppendItem(nil, []byte(item+"}"))
	assert.Equal(t, wantItem+"}", string(out))
	assert.Equal(t, 7, hits)
}

// The path of a rule begins in the elements of an array, also where they are too many to be records of their own.
func TestRedactsWhatIsNotExpanded(t *testing.T) {
	for name, elements := range map[string]int{"expanded": 2, "too many": maxElements + 1} {
		t.Run(name, func(t *testing.T) {
			r := rules("")
			r.Expand = []string{"a", "items"}
			var err error
			r.Redact, err = redact.Compile(redact.Rule{Name: "pw", Attribute: "user.pw", Replacement: "***"})
			require.NoError(t, err)
			list := strings.TrimSuffix(strings.Repeat(`{"user":{"pw":"s3cr3t"}},`, elements), ",")
			one := record.Record{Origin: origin("shop", "s"), Message: record.Plain([]byte(`{"a":{"items":[` + list + `]}}`))}
			out, rule := New(r).Apply(&one)
			require.Empty(t, rule)
			replaced := 0
			for _, each := range out {
				assert.NotContains(t, string(each.Message.Bytes), "s3cr3t")
				replaced += strings.Count(string(each.Message.Bytes), "***")
			}
			assert.Equal(t, elements, replaced)
			assert.Equal(t, name == "too many", out[0].Marks&record.NotExpanded != 0)
		})
	}
}
