package format_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/format"
	"sluice/internal/service"
)

// attributesOf is what a line says in a naming; "" when it says nothing.
func attributesOf(t *testing.T, naming format.Naming, log service.Log, line string) string {
	t.Helper()
	out, ok := format.NewAttributes(naming).Append([]byte("before"), log, nil, []byte(line))
	if !ok {
		assert.Equal(t, "before", string(out))
		return ""
	}
	rest, found := strings.CutPrefix(string(out), "before")
	require.True(t, found)
	require.True(t, json.Valid([]byte(rest)), rest)
	return rest
}

func nested(depth int) string {
	return strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)
}

func TestObjects(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	for name, tc := range map[string]struct{ line, want string }{
		"as it is":                          {`{"a":1,"b":"x"}`, `{"a":1,"b":"x"}`},
		"empty":                             {`{}`, `{}`},
		"empty, spaced out":                 {" \t{ \r\n } \n", `{}`},
		"numbers keep their digits":         {`{"a":12345678901234567890.10,"b":1E+400,"c":-0.0}`, `{"a":12345678901234567890.10,"b":1E+400,"c":-0.0}`},
		"escapes stay":                      {`{"a":"\u00e9\/\ud83d\n","\u0062":"é"}`, `{"a":"\u00e9\/\ud83d\n","\u0062":"é"}`},
		"line breaks between tokens go":     {"{\r\n  \"a\" : [ 1 ,\n 2 ],\t\"b c\":{ }\n}\r\n", `{"a":[1,2],"b c":{}}`},
		"spaces in strings stay":            {`{ "a b" : " c  d " }`, `{"a b":" c  d "}`},
		"null, true, false, empty":          {`{"a":null,"b":true,"c":false,"d":[],"e":""}`, `{"a":null,"b":true,"c":false,"d":[],"e":""}`},
		"a name twice":                      {`{"a":1,"b":2,"a":3}`, `{"b":2,"a":3}`},
		"a name three times":                {`{"a":1,"a":{"x":[]},"a":3}`, `{"a":3}`},
		"a name twice inside":               {`{"a":[{"b":1,"c":2,"b":3}],"b":4}`, `{"a":[{"c":2,"b":3}],"b":4}`},
		"a name twice in what goes":         {`{"a":{"b":1,"b":2},"a":{"b":3,"b":4}}`, `{"a":{"b":4}}`},
		"a name twice, once with an escape": {`{"ab":1,"a\u0062":2}`, `{"a\u0062":2}`},
		"an escape, no name twice":          {`{"ab":1,"a\u0063":2}`, `{"ab":1,"a\u0063":2}`},
		"empty names":                       {`{"":1,"":2}`, `{"":2}`},
		"the same name in many objects":     {`{"a":[{"n":1},{"n":2},{"n":{"n":3}}],"n":4}`, `{"a":[{"n":1},{"n":2},{"n":{"n":3}}],"n":4}`},
		"a long text":                       {`{"a":"` + long + `"}`, `{"a":"` + long + `"}`},
		"as deep as may be":                 {nested(500), nested(500)},
		"too deep":                          {nested(501), ""},
		"very deep":                         {nested(100_000), ""},
		"not an object":                     {`[1]`, ""},
		"a string":                          {`"a"`, ""},
		"nothing":                           {``, ""},
		"text":                              {`hello {"a":1}`, ""},
		"text behind":                       {`{"a":1} x`, ""},
		"another object behind":             {`{"a":1}{"b":2}`, ""},
		"quote not escaped":                 {`{"userAgent":"say "hello"","status":"200"}`, ""},
		"comma at the end":                  {`{"a":1,}`, ""},
		"comma at the end of an array":      {`{"a":[1,]}`, ""},
		"comma at the start":                {`{,"a":1}`, ""},
		"no colon":                          {`{"a" 1}`, ""},
		"no value":                          {`{"a":}`, ""},
		"wrong bracket":                     {`{"a":[1}]`, ""},
		"a control character in a string":   {"{\"a\":\"x\ty\"}", ""},
		"a line break in a string":          {"{\"a\":\"x\r\ny\"}", ""},
		"an escape that is none":            {`{"a":"\x"}`, ""},
		"an escape cut short":               {`{"a":"\u00e"}`, ""},
		"a number with a leading zero":      {`{"a":01}`, ""},
		"a number without an end":           {`{"a":1.}`, ""},
		"a sign alone":                      {`{"a":-}`, ""},
		"an exponent alone":                 {`{"a":1e+}`, ""},
		"not a number":                      {`{"a":NaN}`, ""},
		"a word cut short":                  {`{"a":tru}`, ""},
		"a single quote":                    {`{'a':1}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, attributesOf(t, format.AWS, "", tc.line))
		})
	}
}

func TestObjectsCutShortAreNone(t *testing.T) {
	const doc = ` {"a":"x\u00e9","b":[1.5e3,{"c":null}],"d":{"e":true}} `
	a := format.NewAttributes(format.AWS)
	for end := range len(doc) - 2 {
		_, ok := a.Append(nil, "", nil, []byte(doc[:end]))
		assert.False(t, ok, "%d bytes", end)
	}
	out, ok := a.Append(nil, "", nil, []byte(doc))
	assert.True(t, ok)
	assert.JSONEq(t, doc, string(out))
}

// TestObjectsOfManyNames has more names than the set of them is made for, and again fewer.
func TestObjectsOfManyNames(t *testing.T) {
	a := format.NewAttributes(format.AWS)
	for _, n := range []int{50_000, 3, 5_000, 300} {
		doc := []byte("{")
		for i := range n {
			doc = append(append(append(doc, `"n`...), []byte(strings.Repeat("y", i%3)+string(rune('0'+i%10))+strings.Repeat("z", i/10%7))...), '-')
			doc = append(append(doc, []byte(strings.TrimLeft(string(rune(0x4e00+i/100)), " "))...), `":1,`...)
		}
		doc = append(doc, `"last":1}`...)
		var want map[string]int
		require.NoError(t, json.Unmarshal(doc, &want))
		out, ok := a.Append(nil, "", nil, doc)
		require.True(t, ok)
		var got map[string]int
		require.NoError(t, json.Unmarshal(out, &got))
		assert.Equal(t, want, got)
		assert.Equal(t, len(want), bytes.Count(out, []byte(`":1`)), "no name twice")
	}
}

func TestRenamedMembers(t *testing.T) {
	const record = `{"eventName":"StartInstances", "awsRegion" : "us-east-2","userIdentity":{"eventName":"x"},"sourceIPAddress":"203.0.113.64","userAgent":"aws-cli","new":1}`
	for name, tc := range map[string]struct {
		naming format.Naming
		line   string
		want   string
	}{
		"AWS":                        {format.AWS, record, `{"eventName":"StartInstances","awsRegion":"us-east-2","userIdentity":{"eventName":"x"},"sourceIPAddress":"203.0.113.64","userAgent":"aws-cli","new":1}`},
		"ECS":                        {format.ECS, record, `{"event.action":"StartInstances","cloud.region":"us-east-2","userIdentity":{"eventName":"x"},"source.address":"203.0.113.64","user_agent.original":"aws-cli","new":1}`},
		"OTel":                       {format.OTel, record, `{"eventName":"StartInstances","cloud.region":"us-east-2","userIdentity":{"eventName":"x"},"client.address":"203.0.113.64","user_agent.original":"aws-cli","new":1}`},
		"the new name is there":      {format.ECS, `{"event.action":1,"eventName":"x"}`, `{"event.action":"x"}`},
		"the new name comes":         {format.ECS, `{"eventName":"x","event.action":1}`, `{"event.action":1}`},
		"the old name twice":         {format.ECS, `{"eventName":"x","eventName":"y"}`, `{"event.action":"y"}`},
		"a name that is cut short":   {format.ECS, `{"eventName`, ""},
		"a renamed name, no value":   {format.ECS, `{"eventName":`, ""},
		"a renamed name, no colon":   {format.ECS, `{"eventName" "x"}`, ""},
		"white space on all sides":   {format.ECS, "{\n\"eventName\"\n:\n\"x\"\n,\n\"a\"\n:\n1\n}", `{"event.action":"x","a":1}`},
		"renamed names are the last": {format.ECS, `{ "a":1 ,"eventName":"x"}`, `{"a":1,"event.action":"x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, attributesOf(t, tc.naming, service.CloudTrail, tc.line))
		})
	}
}

// FuzzObject holds the copy of an object to encoding/json: the same documents are taken, and mean the same.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1,"b":[{"c":"}\""}]}`, ` {"\u0061" : null , "a":"\\"} `, `{"a":"`, `[1]`, `{"a":1,}`,
		`{"a":{"b":1,"b":[2,{"c":3,"c":4}]},"a":{"b":5}}`, wafLine, `{"eventName":1,"event.action":2}`, `{"a":-1.5E+3}`,
	} {
		f.Add([]byte(seed), false)
	}
	a, ecs := format.NewAttributes(format.AWS), format.NewAttributes(format.ECS)
	f.Fuzz(func(t *testing.T, doc []byte, renamed bool) {
		if !utf8.Valid(doc) || bytes.Count(doc, []byte("{"))+bytes.Count(doc, []byte("[")) > 500 {
			t.Skip("not what lines are, or perhaps too deep")
		}
		if renamed {
			out, ok := ecs.Append(nil, service.CloudTrail, nil, doc)
			assert.Equal(t, ok, json.Valid(out))
			return
		}
		before := bytes.Clone(doc)
		out, ok := a.Append([]byte("x"), "", nil, doc)
		assert.Equal(t, before, doc)
		want, isObject := decoded(doc)
		require.Equal(t, isObject, ok, "%q", doc)
		if !ok {
			assert.Equal(t, "x", string(out))
			return
		}
		got, isObject := decoded(out[1:])
		require.True(t, isObject)
		assert.Equal(t, want, got)
		again, _ := a.Append(nil, "", nil, out[1:])
		assert.Equal(t, string(out[1:]), string(again), "nothing is left to do")
		assert.NotContains(t, string(out), "\n")
		assert.Equal(t, members(want), members(got))
		assert.Equal(t, members(got), colons(out[1:]), "no name twice")
	})
}

// decoded is an object as encoding/json reads it, in which the last of a name counts.
func decoded(doc []byte) (object map[string]any, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(doc))
	decoder.UseNumber()
	if !json.Valid(doc) || decoder.Decode(&object) != nil || object == nil {
		return nil, false
	}
	return object, true
}

// members counts the members of a value and of the values in it.
func members(value any) int {
	n := 0
	switch value := value.(type) {
	case map[string]any:
		for _, inner := range value {
			n += 1 + members(inner)
		}
	case []any:
		for _, inner := range value {
			n += members(inner)
		}
	}
	return n
}

// colons counts the members that stand in a document.
func colons(doc []byte) int {
	n, inString := 0, false
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case c == ':' && !inString:
			n++
		}
	}
	return n
}
