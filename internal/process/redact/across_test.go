package redact

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// A pattern for a name and its value finds them in JSON. Only the value changes.
func TestAcrossNameAndValue(t *testing.T) {
	const secret = `"?password"?\W+\w+`
	for name, tc := range map[string]struct {
		pattern, replacement, doc, want string
		hits                            int
	}{
		"string":                       {secret, "***", `{"user":"a","password":"hunter2"}`, `{"user":"a","password":"***"}`, 1},
		"nothing in its place":         {secret, "", `{"password":"hunter2","b":"c"}`, `{"password":"","b":"c"}`, 1},
		"white space":                  {secret, "***", "{ \"password\" :\r\n\t \"hunter2\" , \"b\":1}", "{ \"password\" :\r\n\t \"***\" , \"b\":1}", 1},
		"deep inside":                  {secret, "***", `[{"a":[[{"password":"hunter2"}]]}]`, `[{"a":[[{"password":"***"}]]}]`, 1},
		"the rest of the value stays":  {secret, "***", `{"password":"hunter2 and more"}`, `{"password":"*** and more"}`, 1},
		"greedy":                       {`password.*`, "***", `{"password":"a b","c":"d","password2":"e"}`, `{"password":"***","c":"d","password2":"***"}`, 2},
		"greedy, from anywhere":        {`.*password.*`, "***", `{"a":"b","password":"c"}`, `{"a":"b","password":"***"}`, 1},
		"names alone":                  {`"\w+":`, "***", `{"a":"b","c":{"d":[]}}`, `{"a":"b","c":{"d":[]}}`, 0},
		"quotes around":                {`"hunter2"`, "***", `{"a":"hunter2","b":["hunter2"]}`, `{"a":"***","b":["***"]}`, 2},
		"quote behind":                 {`\d{4}"`, "***", `{"a":"12345","b":"1234 "}`, `{"a":"1***","b":"1234 "}`, 1},
		"number":                       {`"pin":\s*\d+`, "***", `{"pin": 1234,"pin2":1}`, `{"pin": "***","pin2":1}`, 1},
		"number, becomes one":          {`"pin":\s*\d+`, `"pin":0`, `{"pin": 1234.5}`, `{"pin": 0.5}`, 1},
		"literal":                      {`"admin":\s*(true|null)`, "x", `[{"admin":true},{"admin":null},{"admin":false}]`, `[{"admin":"x"},{"admin":"x"},{"admin":false}]`, 2},
		"literals alone":               {`"?true|null`, "x", `{"a":true,"b":null}`, `{"a":true,"b":null}`, 0},
		"replacement with the name":    {`"password":"[^"]*"`, `"password":"***"`, `{"password":"a"}`, `{"password":"***"}`, 1},
		"replacement, white space":     {`"password"\s*:\s*"[^"]*"`, `"password": "***"`, `{"password"	:"a"}`, `{"password"	:"***"}`, 1},
		"replacement, groups":          {`("password"\s*:\s*")[^"]*(")`, `${1}***${2}`, `{"password" : "a"}`, `{"password" : "***"}`, 1},
		"replacement, part of a name":  {`word":"\w+`, `word":"***`, `{"password":"a"}`, `{"password":"***"}`, 1},
		"replacement, another name":    {`"password":"\w+"`, `"p":"***"`, `{"password":"a"}`, `{"password":"\"p\":\"***\""}`, 1},
		"replacement, quotes alone":    {`"password":"\w+"`, `"***"`, `{"password":"a"}`, `{"password":"\"***\""}`, 1},
		"elements of an array":         {secret, "***", `{"password":["a","b",["c"]],"d":["e"]}`, `{"password":["***","***",["***"]],"d":["e"]}`, 3},
		"array with its bracket":       {`"pins":\s*\[[^\]]*\]`, "0", `{"pins": [1,22, 333],"x":[1]}`, `{"pins": [0,0, 0],"x":[1]}`, 3},
		"behind an object in an array": {secret, "***", `{"password":[{"a":"b"},"c"]}`, `{"password":[{"a":"b"},"***"]}`, 1},
		"not over an object":           {secret, "***", `{"password":{"a":"b"}}`, `{"password":{"a":"b"}}`, 0},
		"not over a neighbour":         {`"a":"b","c":"d"`, "***", `{"a":"b","c":"d"}`, `{"a":"b","c":"d"}`, 0},
		"no name":                      {secret, "***", `["password","b"]`, `["password","b"]`, 0},
		"escapes in the value":         {`(?s)"password":"\w+."\w+`, "***", `{"password":"a\n\"b","c":"\n"}`, `{"password":"***","c":"\n"}`, 1},
		"hidden name":                  {secret, "***", `{"p\u0061ssword":"a"}`, `{"p\u0061ssword":"***"}`, 1},
		"hidden value":                 {`"password":"hunter`, "***", `{"password":"h\u0075nter2"}`, `{"password":"***2"}`, 1},
		"JSON in a string":             {secret, "***", `{"body":"{\"password\":\"hunter2\"}"}`, `{"body":"{***\"}"}`, 1},
		"text":                         {secret, "***", `INFO {"password":"hunter2"}`, `INFO {***"}`, 1},
		"alone and across":             {secret, "***", `{"password":"hunter2 password=b"}`, `{"password":"***"}`, 1},
		"alone as far as across":       {`\S*secret\S*`, "***", `{"a":"my-secret x secret","b":"x secret"}`, `{"a":"*** x ***","b":"x ***"}`, 3},
		"every word":                   {`[^ ]+`, "*", `{"a":"b c d"}`, `{"a":"* * *"}`, 3},
		"behind itself":                {`password=\S+`, "password=***", `{"a":"password=b"}`, `{"a":"password=***"}`, 1},
		"an empty value":               {`""`, "x", `{"a":""}`, `{"a":""}`, 0},
		"a long name":                  {secret, "***", `{"` + strings.Repeat("x", 1000) + `password":"a"}`, `{"` + strings.Repeat("x", 1000) + `password":"***"}`, 1},
		"a wide gap":                   {`"password":\s*"a`, "***", `{"password":` + strings.Repeat(" ", 1000) + `"a"}`, `{"password":` + strings.Repeat(" ", 1000) + `"***"}`, 1},
		"a name that ends in nothing":  {`"a\x00":\w*"b`, `"a` + "\x00", `{"a\u0000":"b"}`, `{"a\u0000":"\"a\u0000"}`, 1},
		"matches that touch":           {`\b"?\w|\w`, "x", `{"ab":"cd"}`, `{"ab":"xx"}`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := compiled(t, Rule{Name: "x", Pattern: tc.pattern, Replacement: tc.replacement})
			for range 2 { // what is kept of the first has no effect on the second
				r.Reset()
				got, hits := r.Message(record.Plain([]byte(tc.doc)))
				assert.Equal(t, tc.want, string(got.AppendPlain(nil)))
				assert.Equal(t, tc.hits, hits)
				requireCount(t, r, hits)
			}
			got, _ := r.Message(record.Escaped(record.AppendEscaped(nil, tc.doc)))
			assert.Equal(t, tc.want, string(got.AppendPlain(nil)))
		})
	}
}

// A name that many elements stand behind is not looked at with each of them, and white space is no way to make it long.
func TestBesideIsBounded(t *testing.T) {
	r := compiled(t, Rule{Name: "x", Pattern: `"?password"?\W+\w+`})
	doc := `{"password` + strings.Repeat("x", 5000) + `":` + strings.Repeat(" ", 5000) + `["a"]}`
	got, hits := r.Message(record.Plain([]byte(doc)))
	assert.Zero(t, hits)
	assert.Equal(t, doc, string(got.Bytes))
	assert.LessOrEqual(t, len(r.beside.prefix), maxBesideName+maxBesideSpace+len(`"":[`))
}

// FuzzAcross holds what becomes of the value of a member against package regexp.
func FuzzAcross(f *testing.F) {
	for _, p := range append([]string{`"?password"?\W+\w+`, `(?s)"b".*`, `"\w+"`, `\w+"`, `:\s*\d+`, `\bb"?|a`, `[^,]+`}, patterns...) {
		f.Add(p, "password", "hunter2 password", uint8(0))
		f.Add(p, "b", "a1b2=x 123", uint8(1))
		f.Add(p, "", "12", uint8(2))
	}
	f.Fuzz(func(t *testing.T, p, name, value string, shape uint8) {
		rule := Rule{Name: "x", Pattern: p, Replacement: "<>"}
		rules, err := Compile(rule)
		if err != nil || len(p) > 100 || len(value) > 500 || len(name) > maxBesideName || !utf8.ValidString(value) || !utf8.ValidString(name) ||
			strings.ContainsAny(name+value, `\`+"\"\u2028\u2029<>&\u007f") {
			return
		}
		separator, behind := []string{":", ": ", ":\t["}[shape%3], []string{"", "", "]"}[shape%3]
		before := quotedText(name) + separator
		inner, quote := quotedText(value), `"`
		if regexp.MustCompile(`^(0|[1-9]\d{0,9})$`).MatchString(value) {
			inner, quote = value, ""
		}
		doc := "{" + before + inner + behind + "}"
		require.True(t, json.Valid([]byte(doc)), doc)
		out, hits, ok := New(rules).AppendJSON(nil, []byte(doc))
		require.True(t, ok)
		require.True(t, json.Valid(out), "%q", out)
		want := wantAcross(regexp.MustCompile(p), `"`+name+`"`+separator+quote, value, quote+behind)
		got := strings.TrimSuffix(strings.TrimPrefix(string(out), "{"+before), behind+"}")
		if got[0] == '"' {
			got = text(t, []byte(got))
		}
		require.Equal(t, want, got, "%s %q", doc, p)
		require.Equal(t, hits > 0, string(out) != doc)
	})
}

func quotedText(text string) string { return fmt.Sprintf(`"%s"`, record.AppendEscaped(nil, text)) }

// wantAcross is what is to become of a value that stands between before and behind.
func wantAcross(standard *regexp.Regexp, before, value, behind string) string {
	const put = "<>"
	alone := standard.FindAllStringIndex(value, -1)
	low, high := len(before), len(before)+len(value)
	var b strings.Builder
	copied := low
	all := before + value + behind
	for _, match := range standard.FindAllStringIndex(all, -1) {
		start, end := match[0], match[1]
		switch {
		case end <= low || start >= high || low == high:
			continue
		case len(alone) > 0 && start < low && (alone[0][0] > 0 || low+alone[0][1] < end):
			return put
		}
		b.WriteString(all[copied:max(start, low)] + put)
		copied = min(end, high)
	}
	if len(alone) > 0 {
		return standard.ReplaceAllLiteralString(value, put)
	}
	return b.String() + all[copied:high]
}
