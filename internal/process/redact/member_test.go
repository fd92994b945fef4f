package redact

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

func TestMembers(t *testing.T) {
	member := Rule{Name: "x", Member: "Password", Replacement: "***"}
	path := Rule{Name: "x", Attribute: "user.pass.word", Replacement: "***"}
	digits := Rule{Name: "x", Member: "card", Pattern: `\d{4}`, Replacement: "0000"}
	for name, tc := range map[string]struct {
		rule      Rule
		doc, want string
		hits      int
	}{
		"string":               {member, `{"password":"a","b":"c"}`, `{"password":"***","b":"c"}`, 1},
		"number":               {member, `{"password": 1.5e3 ,"b":1}`, `{"password": "***" ,"b":1}`, 1},
		"literals, but null":   {member, `[{"password":true},{"password":false},{"password":null}]`, `[{"password":"***"},{"password":"***"},{"password":null}]`, 2},
		"object":               {member, `{"password":{"a":["]}",{}]},"b":"c"}`, `{"password":"***","b":"c"}`, 1},
		"array":                {member, `{"password":["a",1,["b"]],"b":"c"}`, `{"password":"***","b":"c"}`, 1},
		"empty text":           {member, `{"password":""}`, `{"password":"***"}`, 1},
		"in any letters":       {member, `{"PASSWORD":"a","pa\u017Fsword":"b","pass\u0057ord":"c"}`, `{"PASSWORD":"***","pa\u017Fsword":"***","pass\u0057ord":"***"}`, 3},
		"at any depth":         {member, `[{"a":[{"b":{"password":"c"}}]},"d"]`, `[{"a":[{"b":{"password":"***"}}]},"d"]`, 1},
		"the whole name":       {member, `{"password2":"a","my password":"b","":"password"}`, `{"password2":"a","my password":"b","":"password"}`, 0},
		"twice":                {member, `{"password":"a","password":"b"}`, `{"password":"***","password":"***"}`, 2},
		"what is there":        {member, `{"password":"***"}`, `{"password":"***"}`, 0},
		"not behind it":        {member, `{"password":"a","b":{"c":"d"},"e":["f"]}`, `{"password":"***","b":{"c":"d"},"e":["f"]}`, 1},
		"not behind an object": {member, `{"a":{"password":{"x":1},"b":"c"},"d":"e"}`, `{"a":{"password":"***","b":"c"},"d":"e"}`, 1},
		"empty replacement":    {Rule{Name: "x", Member: "p"}, `{"p":1,"q":{"p":{}}}`, `{"p":"","q":{"p":""}}`, 2},
		"becomes a number":     {Rule{Name: "x", Member: "pin", Replacement: "0"}, `{"pin":1234,"b":[{"pin":"1"},{"pin":[1]}]}`, `{"pin":0,"b":[{"pin":"0"},{"pin":"0"}]}`, 3},
		"dollar sign":          {Rule{Name: "x", Member: "pin", Replacement: `$$"`}, `{"pin":[]}`, `{"pin":"$\""}`, 1},
		"like the replacement": {Rule{Name: "x", Member: "pin", Replacement: `[]`}, `{"pin":[]}`, `{"pin":"[]"}`, 1},
		"JSON in a string":     {member, `{"body":"{\"a\":1.0, \"password\":\"b\"}","c":1}`, `{"body":"{\"a\":1.0, \"password\":\"***\"}","c":1}`, 1},
		"in a string in one":   {member, `{"body":"[\"{\\\"password\\\":{}}\"]"}`, `{"body":"[\"{\\\"password\\\":\\\"***\\\"}\"]"}`, 1},
		"hidden in a string":   {member, `{"body":"{\"pass\\u0077ord\":1}"}`, `{"body":"{\"pass\\u0077ord\":\"***\"}"}`, 1},
		"a string no JSON":     {member, `{"body":"{\"password\":\"b\""}`, `{"body":"{\"password\":\"b\""}`, 0},
		"text":                 {member, `INFO {"password":"a"}`, `INFO {"password":"a"}`, 0},
		"JSON that is cut off": {member, `{"password":"a"`, `{"password":"a"`, 0},

		"path":                    {path, `{"user":{"pass":{"word":"a"}}}`, `{"user":{"pass":{"word":"***"}}}`, 1},
		"path, names with dots":   {path, `{"user.pass":{"word":"a"},"user":{"pass.word":[]},"user.pass.word":1}`, `{"user.pass":{"word":"***"},"user":{"pass.word":"***"},"user.pass.word":"***"}`, 3},
		"path through arrays":     {path, `{"user":[{"pass":[[{"word":"a"}],{"word":"b"}]}]}`, `{"user":[{"pass":[[{"word":"***"}],{"word":"***"}]}]}`, 2},
		"path, other letters":     {path, `{"User":{"pass":{"word":"a"}}}`, `{"User":{"pass":{"word":"a"}}}`, 0},
		"path, deeper":            {path, `{"a":{"user":{"pass":{"word":"a"}}}}`, `{"a":{"user":{"pass":{"word":"a"}}}}`, 0},
		"path, too short":         {path, `{"pass":{"word":"a"},"word":"b","user":{"word":"c"}}`, `{"pass":{"word":"a"},"word":"b","user":{"word":"c"}}`, 0},
		"path, another start":     {path, `{"xuser":{"pass":{"word":"a"}},"ser":{"pass.word":1}}`, `{"xuser":{"pass":{"word":"a"}},"ser":{"pass.word":1}}`, 0},
		"path, through a sibling": {path, `{"user":{"x":{"word":"a"},"pass":1}}`, `{"user":{"x":{"word":"a"},"pass":1}}`, 0},
		"path, not in a string":   {path, `{"user":"{\"pass\":{\"word\":1}}","a":"{\"user.pass.word\":1}"}`, `{"user":"{\"pass\":{\"word\":1}}","a":"{\"user.pass.word\":1}"}`, 0},
		"path, the object":        {Rule{Name: "x", Attribute: "user", Replacement: "***"}, `{"user":{"a":1},"b":{"user":2}}`, `{"user":"***","b":{"user":2}}`, 1},

		"header":                  {member, `{"h":[{"name":"Password","value":"a"},{"name":"b","value":"c"}]}`, `{"h":[{"name":"Password","value":"***"},{"name":"b","value":"c"}]}`, 1},
		"header, more members":    {member, `[{"a":1,"name":"pass\u0077ord","x":{},"value":["a"]}]`, `[{"a":1,"name":"pass\u0077ord","x":{},"value":"***"}]`, 1},
		"header, escaped name":    {member, `[{"n\u0061me":"password","v\u0061lue":1,"value2":1}]`, `[{"n\u0061me":"password","v\u0061lue":"***","value2":1}]`, 1},
		"header, of another":      {member, `{"name":"password","a":{"value":1},"b":[{"name":["password"],"value":2}]}`, `{"name":"password","a":{"value":1},"b":[{"name":["password"],"value":2}]}`, 0},
		"header, behind an inner": {member, `{"name":"password","a":{"name":"b"},"value":1,"c":{"value":2}}`, `{"name":"password","a":{"name":"b"},"value":"***","c":{"value":2}}`, 1},
		"header, name behind":     {member, `[{ "value" : "a" , "name" : "Password" },{"value":"b","name":1},{"value":"c"}]`, `[{ "value" : "***" , "name" : "Password" },{"value":"b","name":1},{"value":"c"}]`, 1},
		"header, far behind":      {member, `[{"value":"a","b":"name","name":"password"},{"value":["a"],"name":"password"}]`, `[{"value":"a","b":"name","name":"password"},{"value":["a"],"name":"password"}]`, 0},
		"header, not for a path":  {Rule{Name: "x", Attribute: "password", Replacement: "***"}, `[{"name":"password","value":"a"}]`, `[{"name":"password","value":"a"}]`, 0},

		"pattern":                 {digits, `{"card":"1234 5678","other":"1234"}`, `{"card":"0000 0000","other":"1234"}`, 2},
		"pattern, name again":     {digits, `{"card":{"card":"1234","b":"1234"},"c":"1234"}`, `{"card":{"card":"0000","b":"0000"},"c":"1234"}`, 2},
		"pattern, number":         {digits, `{"card":12345678}`, `{"card":"00000000"}`, 2},
		"pattern, in all of it":   {digits, `{"card":{"a":["1234",{"b":"1234"}],"c":1234},"d":"1234"}`, `{"card":{"a":["0000",{"b":"0000"}],"c":"0000"},"d":"1234"}`, 3},
		"pattern, word":           {Rule{Name: "x", Member: "a", Pattern: `true|null`, Replacement: "no"}, `{"a":true,"b":true,"c":{"a":null}}`, `{"a":"no","b":true,"c":{"a":null}}`, 1},
		"pattern, not the name":   {Rule{Name: "x", Member: "card", Pattern: `card|"`, Replacement: "no"}, `{"card":"a","b":{"card":"card"}}`, `{"card":"a","b":{"card":"no"}}`, 1},
		"pattern, JSON in a text": {digits, `{"a":"{\"card\":\"1234\",\"b\":\"1234\"}"}`, `{"a":"{\"card\":\"0000\",\"b\":\"1234\"}"}`, 1},
		"pattern, escapes":        {digits, `{"card":"\u00312\n34 12\u00334"}`, `{"card":"12\n34 0000"}`, 1},
		"pattern, text":           {digits, `card 1234`, `card 1234`, 0},
		"pattern, no member":      {digits, `["1234",{"a":"1234 card"}]`, `["1234",{"a":"1234 card"}]`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := compiled(t, tc.rule)
			for range 2 {
				r.Reset()
				got, hits := r.Message(record.Plain([]byte(tc.doc)))
				assert.Equal(t, tc.want, string(got.AppendPlain(nil)))
				assert.Equal(t, tc.hits, hits)
				requireCount(t, r, hits)
			}
			got, _ := r.Message(record.Escaped(record.AppendEscaped(nil, tc.doc)))
			assert.Equal(t, tc.want, string(got.AppendPlain(nil)))
			out, hits := r.AppendText(nil, []byte(tc.doc))
			assert.Equal(t, tc.doc, string(out), "one text has no members")
			assert.Zero(t, hits)
		})
	}
}

// Rules for members and for all text do their work one behind the other.
func TestMembersAmongOtherRules(t *testing.T) {
	r := compiled(t, IPv4("ip"), Rule{Name: "token", Member: "token", Pattern: `^\w+`, Replacement: "t0ken"},
		Rule{Name: "path", Attribute: "a.b", Replacement: "gone 1.2.3.4"}, Rule{Name: "all", Pattern: `t0ken|gone`, Replacement: "x"})
	doc := `{"token":"abc 192.0.2.1","a":{"b":"192.0.2.1","c":"t0ken"},"log":"{\"token\":\"abc\",\"ip\":\"192.0.2.1\"}"}`
	got, hits := r.Message(record.Plain([]byte(doc)))
	want := `{"token":"x xxx.xxx.xxx.xxx","a":{"b":"x 1.2.3.4","c":"x"},"log":"{\"token\":\"x\",\"ip\":\"xxx.xxx.xxx.xxx\"}"}`
	assert.Equal(t, want, string(got.Bytes))
	assert.Equal(t, 10, hits)
	requireCount(t, r, hits)
}

// What a rule is to find may be what the one before has put there.
func TestMembersBehindOtherRules(t *testing.T) {
	r := compiled(t, Rule{Name: "a", Pattern: "abc", Replacement: "1234"}, Rule{Name: "b", Member: "pin", Pattern: `\d{4}`, Replacement: "x"},
		Rule{Name: "c", Pattern: `"other":"12`, Replacement: "y"})
	got, hits := r.Message(record.Plain([]byte(`{"pin":"abc","c":"abc","other":"abc"}`)))
	want := `{"pin":"x","c":"1234","other":"y34"}`
	assert.Equal(t, want, string(got.Bytes))
	assert.Equal(t, 5, hits)
}

// Paths that were to begin in the elements of an array begin there too where the array has stayed.
func TestMessageUnder(t *testing.T) {
	r := compiled(t, Rule{Name: "x", Attribute: "user.pw", Replacement: "***"})
	for name, tc := range map[string]struct{ under, doc, want string }{
		"elements":      {"a.items", `{"a":{"items":[{"user":{"pw":1}},{"user.pw":2}]}}`, `{"a":{"items":[{"user":{"pw":"***"}},{"user.pw":"***"}]}}`},
		"at the top":    {"a.items", `{"user":{"pw":1}}`, `{"user":{"pw":"***"}}`},
		"elsewhere":     {"a.items", `{"items":{"user":{"pw":1}},"a":{"user.pw":1},"b":{"a":{"items":{"user":{"pw":1}}}}}`, ""},
		"below deeper":  {"a", `{"a":[{"b":{"user":{"pw":1}}}]}`, ""},
		"half a name":   {"a", `{"a":[{"xuser":{"pw":1}}],"xa":{"user":{"pw":1}}}`, ""},
		"under nothing": {"", `{"a":{"user":{"pw":1}}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, hits := r.MessageUnder(tc.under, record.Plain([]byte(tc.doc)))
			if tc.want == "" {
				tc.want = tc.doc
			}
			assert.Equal(t, tc.want, string(got.Bytes))
			assert.Equal(t, tc.want != tc.doc, hits > 0)
			again, _ := r.Message(record.Plain([]byte(`{"a":{"items":{"user":{"pw":1}}}}`)))
			assert.JSONEq(t, `{"a":{"items":{"user":{"pw":1}}}}`, string(again.Bytes), "for one message")
		})
	}
}

func TestAppendMember(t *testing.T) {
	r := compiled(t, Rule{Name: "pin", Member: "pin", Replacement: "***"}, Rule{Name: "path", Attribute: "user.name", Replacement: "someone"},
		Rule{Name: "across", Pattern: `"?key"?\W+\w+`, Replacement: "x"})
	for name, tc := range map[string]struct{ name, value, want string }{
		"whole value":      {"pin", `{"a":1}`, `"***"`},
		"inside":           {"a", ` {"pin":1}`, ` {"pin":"***"}`},
		"path":             {"user", `{"name":"bob","pin":null}`, `{"name":"someone","pin":null}`},
		"name with a dot":  {"user.name", `"bob"`, `"someone"`},
		"escapes":          {`\u0070in`, `12`, `"***"`},
		"across":           {"key", `"abc d"`, `"x d"`},
		"nothing":          {"b", `["abc",1.0]`, `["abc",1.0]`},
		"across, elements": {"key", `["abc"]`, `["x"]`},
	} {
		t.Run(name, func(t *testing.T) {
			out, hits, ok := r.AppendMember([]byte("x"), []byte(tc.name), []byte(tc.value))
			assert.True(t, ok)
			assert.Equal(t, "x"+tc.want, string(out))
			assert.Equal(t, tc.want != tc.value, hits > 0)
		})
	}
	out, hits, ok := r.AppendMember([]byte("x"), []byte("pin"), []byte(`{"a":`))
	assert.False(t, ok)
	assert.Zero(t, hits)
	assert.Equal(t, "x", string(out))
}

// What a member is replaced by does not fill the memory, and what is deep is not looked into without an end.
func TestMembersAreBounded(t *testing.T) {
	long := strings.Repeat("y", MaxReplacementBytes)
	r := compiled(t, Rule{Name: "x", Member: "p", Replacement: long})
	for _, value := range []string{`1`, `{}`, `""`} {
		doc := "[" + strings.Repeat(`{"p":`+value+`},`, 5000) + "1]"
		out, hits := r.Message(record.Plain([]byte(doc)))
		assert.Equal(t, 5000, hits)
		assert.Less(t, len(out.Bytes), 10*len(doc)+growthBytes)
		assert.True(t, json.Valid(out.Bytes))
		assert.Contains(t, string(out.Bytes), `{"p":"`+tooLong+`"},1]`)
	}
	doc, want := `{"p":"s3cret"}`, `{"p":"`+long+`"}`
	for level := range maxNested + 3 {
		got, _ := r.Message(record.Plain([]byte(doc)))
		if level <= maxNested {
			assert.Equal(t, want, string(got.Bytes))
		} else {
			assert.Equal(t, doc, string(got.Bytes), "deeper than anybody looks")
		}
		doc, want = `{"a":`+quotedText(doc)+`}`, `{"a":`+quotedText(want)+`}`
	}
	deep := strings.Repeat(`{"p":[`, maxDepth/2) + strings.Repeat(`]}`, maxDepth/2)
	got, hits := compiled(t, Rule{Name: "x", Member: "p", Pattern: "z"}, Rule{Name: "y", Attribute: "p.p.p.q", Replacement: "z"}).Message(record.Plain([]byte(deep)))
	assert.Zero(t, hits)
	assert.Equal(t, deep, string(got.Bytes))
}

func TestMembersAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		rule Rule
		want string
	}{
		"both":                  {Rule{Member: "a", Attribute: "b"}, "has both a member and an attribute: want one of them"},
		"empty name in a path":  {Rule{Attribute: "a..b"}, "attribute: has an empty name between its dots"},
		"long name":             {Rule{Member: strings.Repeat("a", 201)}, "member: want at most 200 bytes of UTF-8"},
		"no UTF-8":              {Rule{Attribute: "a.\xff"}, "attribute: want at most 200 bytes of UTF-8"},
		"group, but no pattern": {Rule{Member: "a", Replacement: "${0}"}, "replacement: names a group, but there is no pattern"},
		"replacement":           {Rule{Member: "a", Replacement: strings.Repeat("a", 1025)}, "replacement: has 1025 bytes"},
		"pattern":               {Rule{Member: "a", Pattern: "("}, "pattern: is no regular expression"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.rule.Name = "x"
			_, err := Compile(tc.rule)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "\n", "one problem")
		})
	}
	rules, err := Compile(Rule{Name: "named", Member: "password", Pattern: `\w+`}, Rule{Name: "short", Member: "é", Pattern: `\w+`}, Rule{Name: "all", Member: "a"})
	require.NoError(t, err)
	assert.Equal(t, []string{"short"}, rules.Unfiltered())
}

// FuzzMembers holds what rules for members do against encoding/json.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{
		`{"password":"a","b":["c",{"PASSWORD":[1,{}]}],"a":{"b":{"c":1}},"a.b":{"c":null,"d":true}}`, `{"a":[[{"b.c":"x"}],{"b":[{"c":{}}]}]}`,
		`{"pass\u0077ord":0,"x":"{\"password\":1}"}`, `[{"password":"\ud800"}]`, `{"a.b.c":1}`, `{"":{"a.b.c":1},"b":{"c":2}}`,
	} {
		f.Add([]byte(seed))
	}
	r := compiled(f, Rule{Name: "member", Member: "password", Replacement: "***"}, Rule{Name: "path", Attribute: "a.b.c", Replacement: "###"})
	f.Fuzz(func(t *testing.T, doc []byte) {
		if !json.Valid(doc) || !utf8.Valid(doc) {
			return
		}
		out, hits, ok := r.AppendJSON(nil, doc)
		require.True(t, ok)
		require.True(t, json.Valid(out), "%q", out)
		require.Equal(t, hits > 0, !bytes.Equal(out, doc))
		var was, is any
		require.NoError(t, json.Unmarshal(doc, &was))
		require.NoError(t, json.Unmarshal(out, &is))
		require.Equal(t, replacedMembers(was, []string{}, 0), openStrings(is, 0), "%s", doc)
	})
}

// replacedMembers is what FuzzMembers wants of a value: of JSON in strings what it holds. Without names it looks for no path.
func replacedMembers(value any, names []string, level int) any {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			path := names
			if path != nil {
				path = append(slices.Clone(names), name)
			}
			switch {
			case inner != nil && strings.EqualFold(name, "password"):
				v[name] = "***"
			case inner != nil && strings.Join(path, ".") == "a.b.c":
				v[name] = "###"
			default:
				v[name] = replacedMembers(inner, path, level)
			}
		}
	case []any:
		for i := range v {
			v[i] = replacedMembers(v[i], names, level)
		}
	case string:
		var inner any
		if level < maxNested && isBracketed([]byte(v)) && json.Unmarshal([]byte(v), &inner) == nil {
			return replacedMembers(inner, nil, level+1)
		}
	}
	return value
}

// openStrings is a value with JSON in the place of strings that hold it.
func openStrings(value any, level int) any {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			v[name] = openStrings(inner, level)
		}
	case []any:
		for i := range v {
			v[i] = openStrings(v[i], level)
		}
	case string:
		var inner any
		if level < maxNested && isBracketed([]byte(v)) && json.Unmarshal([]byte(v), &inner) == nil {
			return openStrings(inner, level+1)
		}
	}
	return value
}
