package redact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/jsonwalk"
	"sluice/internal/record"
)

func TestAppendJSON(t *testing.T) {
	for name, tc := range map[string]struct {
		doc, want string
		hits      int
	}{
		"greedy rule":                  {`{"a":"x password=b","c":"d"}`, `{"a":"x password=\"x\n","c":"d"}`, 1},
		"white space stays":            {"{ \"a\" :\t\"192.0.2.1\" ,\r\n \"b\":[ ]} ", "{ \"a\" :\t\"xxx.xxx.xxx.xxx\" ,\r\n \"b\":[ ]} ", 1},
		"other escapes stay":           {`{"a":"\u00e9\/","b":"192.0.2.1"}`, `{"a":"\u00e9\/","b":"xxx.xxx.xxx.xxx"}`, 1},
		"escapes of a changed string":  {`{"a":"\u00e9\/ 192.0.2.1"}`, `{"a":"é/ xxx.xxx.xxx.xxx"}`, 1},
		"hidden by escapes":            {`["bob\u0040example.com","\u0031.2.3.4","\/home\/bob"]`, `["xxxxx@xxxxx.com","xxx.xxx.xxx.xxx","~"]`, 3},
		"letter of an escape":          {`["\nbob@example.com"]`, `["\nxxxxx@xxxxx.com"]`, 1},
		"backslash before a letter":    {`["\\nbob@example.com"]`, `["\\xxxxx@xxxxx.com"]`, 1},
		"names stay":                   {`{"bob@example.com":"bob@example.com","192.0.2.1" : {"::1":2}}`, `{"bob@example.com":"xxxxx@xxxxx.com","192.0.2.1" : {"::1":2}}`, 1},
		"not across values":            {`["123-45","-6789"]`, `["123-45","-6789"]`, 0},
		"not across names":             {`{"password":"=x"}`, `{"password":"=x"}`, 0},
		"quotes and backslashes":       {`{"a":"a\"\"\"b\\"}`, `{"a":"a'b\\"}`, 1},
		"number":                       {`{"a":123456789,"b":-1.5e+3}`, `{"a":123456789,"b":-1.5e+3}`, 0},
		"words":                        {`[true,false,null]`, `[true,false,null]`, 0},
		"numbers that repeat":          {`{"a":1,"a":"::1","a":"::1"}`, `{"a":1,"a":"xxxx::xxxx","a":"xxxx::xxxx"}`, 2},
		"string":                       {`"password=a"`, `"password=\"x\n"`, 1},
		"JSON in a string is one text": {`{"a":"{\"b\":\"password=c\",\"d\":1}"}`, `{"a":"{\"b\":\"password=\"x\n"}`, 1},
		"half a pair":                  {`["\ud800 192.0.2.1"]`, "[\"\uFFFD xxx.xxx.xxx.xxx\"]", 1},
		"bytes that are no UTF-8":      {"[\"\xff 192.0.2.1\xe2\"]", "[\"\xff xxx.xxx.xxx.xxx\xe2\"]", 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := compiled(t, several...)
			out, hits, ok := r.AppendJSON([]byte("x"), []byte(tc.doc))
			assert.True(t, ok)
			assert.Equal(t, "x"+tc.want, string(out))
			assert.Equal(t, tc.hits, hits)
			assert.Equal(t, json.Valid([]byte(tc.doc)), json.Valid(out[1:]))
			requireCount(t, r, hits)
		})
	}
}

func TestAppendJSONNumbers(t *testing.T) {
	for name, tc := range map[string]struct{ replacement, doc, want string }{
		"becomes a string":      {"x", `{"card":4111111111111111}`, `{"card":"x"}`},
		"stays a number":        {"0", `[4111111111111111,1]`, `[0,1]`},
		"a part of it":          {"0", `[-4111111111111111.5e+1]`, `[-0.5e+1]`},
		"no number any more":    {"", `[-4111111111111111e1]`, `["-e1"]`},
		"nothing is left":       {"", `[4111111111111111]`, `[""]`},
		"two numbers":           {"1,2", `[4111111111111111]`, `["1,2"]`},
		"leading zero":          {"0", `[14111111111111111]`, `["01"]`},
		"quotes":                {`"`, `[4111111111111111]`, `["\""]`},
		"number in a string":    {"x", `["4111111111111111"]`, `["x"]`},
		"number alone":          {"x", `4111111111111111`, `"x"`},
		"line break behind":     {"1\n", `[4111111111111111]`, `["1\n"]`},
		"in a name":             {"x", `{"4111111111111111":1}`, `{"4111111111111111":1}`},
		"close to a string":     {"x", `["4111",111111111111]`, `["4111",111111111111]`},
		"literal true":          {"x", `[true, 4111111111111111 ]`, `[true, "x" ]`},
		"looks like a constant": {"null", `[4111111111111111]`, `["null"]`},
	} {
		t.Run(name, func(t *testing.T) {
			r := compiled(t, Rule{Name: "card", Pattern: `\d{16}`, Replacement: tc.replacement})
			out, _, ok := r.AppendJSON(nil, []byte(tc.doc))
			assert.True(t, ok)
			assert.Equal(t, tc.want, string(out))
			assert.True(t, json.Valid(out))
		})
	}
}

func TestAppendJSONRefuses(t *testing.T) {
	for _, doc := range []string{
		``, `{`, `{"a":"1.2.3.4"`, `{"a":"1.2.3.4"}}`, `{"a":"1.2.3.4"} x`, `{"a":"1.2.3.4`, `{"a":"1.2.3.4\`, `{"a" "1.2.3.4"}`, `["1.2.3.4",]`,
		"[\"1.2.3.4\n\"]", `["1.2.3.4\x"]`, `1.2.3.4`, `{1.2.3.4}`, "\u00a0[\"1.2.3.4\"]", "[\"1.2.3.4\"]\u00a0", `["1.2.3.4"]["a"]`, "\ufeff[\"1.2.3.4\"]",
	} {
		t.Run(doc, func(t *testing.T) {
			r := compiled(t, IPv4("ip"), Rule{Name: "all", Pattern: `\pL`})
			r.active = []bool{true, true}
			out, hits, ok := r.appendValues([]byte("x"), []byte(doc))
			assert.False(t, ok)
			assert.Zero(t, hits)
			assert.Equal(t, "x", string(out))
			requireCount(t, r, 0)
		})
	}
}

func TestAppendJSONLeavesUnread(t *testing.T) {
	out, hits, ok := compiled(t, IPv4("ip")).AppendJSON(nil, []byte(`{"a":`))
	assert.True(t, ok)
	assert.Zero(t, hits)
	assert.Equal(t, `{"a":`, string(out))
}

func TestIsValid(t *testing.T) {
	var v validator
	deep := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	assert.True(t, v.isValid(deep(maxDepth)))
	assert.False(t, v.isValid(deep(maxDepth+1)))
	assert.True(t, v.isValid([]byte(` {"a":[{},[],"",-0.5E+07,true,false,null]} `)))
}

// FuzzIsValid holds isValid against encoding/json.
func FuzzIsValid(f *testing.F) {
	for _, seed := range []string{
		`{"a":[{},[ ],"",-0.5E+07,true,false,null]} `, `"\u00e9\/\b"`, `01`, `-`, `1.`, `1e`, `1e+`, `{"a"}`, `{,}`, `[,]`, `[1,]`, `{"a":1,}`, `[}`, `[1 2]`, `tru`,
		"\"\n\"", `"\u00e"`, `"\`, `"`, ``, `{} {}`, "\"\xff\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var v validator
		require.Equal(t, json.Valid(doc), v.isValid(doc), "%q", doc)
		doc = only(`{}[]{}[]:,"",:""\u09afn-+.eE0truefalsenull`+" \n", doc)
		require.Equal(t, json.Valid(doc), v.isValid(doc), "%q", doc)
	})
}

// FuzzJSON holds AppendJSON against encoding/json: what is JSON stays JSON of the same shape, and each value is what
// AppendText makes of it. What is not JSON is refused, unless nothing could be found in it.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a":"x password=b","c":["1.2.3.4",null,{"\/home\/bob":"\/home\/bob"}]}`, `["bob\u0040example.com","\u0031.2.3.4"]`, ` "::1" `,
		`[123456789,-0.5e-7,12345678901234567890]`, `{"a":"\ud83d\ude00 \"\"","a":"\\\\\"\"\"\\"}`, `{"a":`, `[[[[["123-45-6789"]]]]]`, "[\"\xff1.2.3.4\"]",
		strings.Repeat("[", 100) + `"1.2.3.4"` + strings.Repeat("]", 100),
	} {
		f.Add([]byte(seed))
	}
	rules := append([]Rule{{Name: "number", Pattern: `\d{8}`, Replacement: "0"}}, several...)
	r := compiled(f, rules...)
	f.Fuzz(func(t *testing.T, doc []byte) {
		r.Reset()
		out, hits, ok := r.AppendJSON(nil, doc)
		requireCount(t, r, hits)
		if !json.Valid(doc) {
			require.Zero(t, hits)
			if text, hits := r.AppendText(nil, doc); ok {
				require.Zero(t, hits, "something was there to be found")
				require.Equal(t, string(doc), string(text))
			}
			return
		}
		require.True(t, ok)
		require.True(t, json.Valid(out), "%q", out)
		if hits == 0 {
			require.Equal(t, string(doc), string(out))
		}
		requireSameShape(t, r, nil, doc, out)
	})
}

// requireSameShape walks through two JSON values side by side. What a value is in is a member on its own: `{"name":value}`.
func requireSameShape(t *testing.T, r *Redactor, around, was, is []byte) {
	t.Helper()
	was, is = bytes.TrimSpace(was), bytes.TrimSpace(is)
	switch was[0] {
	case '{', '[':
		before, after := jsonwalk.Array(was), jsonwalk.Array(is)
		if was[0] == '{' {
			before, after = jsonwalk.Object(was), jsonwalk.Object(is)
		}
		for before.Next() {
			require.True(t, after.Next())
			require.Equal(t, before.Name(), after.Name())
			inner := around
			if was[0] == '{' {
				inner = fmt.Appendf(nil, `{"%s":`, record.AppendEscaped(nil, before.Name()))
			}
			requireSameShape(t, r, inner, before.Value(), after.Value())
		}
		require.False(t, after.Next())
		require.NoError(t, before.Err())
		require.NoError(t, after.Err())
	default:
		require.Equal(t, wantValue(t, r, around, was), textOf(t, is))
	}
}

// wantValue is what becomes of a value on its own, in the member that it is in.
func wantValue(t *testing.T, r *Redactor, around, value []byte) string {
	t.Helper()
	if around == nil {
		plain := []byte(textOf(t, value))
		if value[0] >= 'a' { // a word
			return string(plain)
		}
		out, _ := r.AppendText(nil, plain)
		return string(out)
	}
	doc := append(append(bytes.Clone(around), value...), '}')
	out, _, ok := r.AppendJSON(nil, doc)
	require.True(t, ok)
	return textOf(t, out[len(around):len(out)-1])
}

// textOf is the text of a string, and what stands there for any other value.
func textOf(t *testing.T, value []byte) string {
	t.Helper()
	if value[0] != '"' {
		return string(value)
	}
	return text(t, value)
}

func text(t *testing.T, value []byte) (text string) {
	t.Helper()
	require.NoError(t, json.Unmarshal(value, &text))
	return text
}
