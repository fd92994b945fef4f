package redact

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// A match that cuts an escape hides nothing from the other rules, and does not break the JSON that the escape stands in.
func TestMatchesMeetEscapes(t *testing.T) {
	token, digits := Rule{Name: "token", Pattern: `token=\w+`, Replacement: "token=***"}, Rule{Name: "digits", Pattern: `\d{3,}`, Replacement: "#"}
	hex := Rule{Name: "hex", Pattern: `[0-9a-f]{8,}`, Replacement: "H"}
	user, marks := Rule{Name: "user", Pattern: `u\d{7}`, Replacement: "U"}, Rule{Name: "marks", Pattern: `[^\w"{}:=]+`, Replacement: "!"}
	for name, tc := range map[string]struct {
		rules     []Rule
		doc, want string
	}{
		"behind the start of a line": {[]Rule{token, digits}, `12:00 {"q":"token\u003dabcdef"}`, `12:00 {"q":"token=***"}`},
		"the other way":              {[]Rule{digits, token}, `12:00 {"q":"token\u003dabcdef"}`, `12:00 {"q":"token=***"}`},
		"in a string":                {[]Rule{digits, token}, `{"log":"{\"q\":\"token\\u003dabcdef\"}"}`, `{"log":"{\"q\":\"token=***\"}"}`},
		"nothing in it":              {[]Rule{digits, token}, `{"log":"{\"q\":\"a\\u003db, id 12345\"}"}`, `{"log":"{\"q\":\"a\\u003db, id #\"}"}`},
		"more than its digits":       {[]Rule{token, hex}, `x {"q":"token\u003dabcdef12zz"}`, `x {"q":"token=***"}`},
		"its backslash":              {[]Rule{marks, token}, `{"q":"token\\u003dabc"}`, `{"q":"token=***"}`},
		"an escape in the value":     {[]Rule{token}, `x {"q":"token=abc\u0064ef"}`, `x {"q":"token=***"}`},
		"one of a quote":             {[]Rule{digits}, `x {"q":"\u0022 123\u000a"}`, `x {"q":"\u0022 #\u000a"}`},
		"an address":                 {[]Rule{token, Email("email")}, `x {"q":"to\u003dbob@example.com"}`, `x {"q":"to=xxxxx@xxxxx.com"}`},
		"no escape":                  {[]Rule{user}, `{"user":"CORP\\u1234567"}`, `{"user":"CORPU"}`},
		"no escape, and another hit": {[]Rule{user, token}, `CORP\u1234567 token=a`, `CORPU token=***`},
		"digits beyond it":           {[]Rule{{Name: "card", Pattern: `\d{16}`, Replacement: "#"}}, `a\u4111111111111111`, `a#`},
	} {
		t.Run(name, func(t *testing.T) {
			r := compiled(t, tc.rules...)
			for range 2 {
				r.Reset()
				got, hits := r.Message(record.Plain([]byte(tc.doc)))
				assert.Equal(t, tc.want, string(got.Bytes))
				requireCount(t, r, hits)
			}
		})
	}
}

// FuzzGuard writes a secret behind an escape: rules that take digits, words and marks on the way do not give it away.
func FuzzGuard(f *testing.F) {
	for _, seed := range []string{"", "1", "12 ", `\`, `\u`, "00", `"`, "a ", "é"} {
		f.Add(seed, seed)
	}
	token := Rule{Name: "token", Pattern: `token=[a-z]+`, Replacement: "token=***"}
	digits, ip := Rule{Name: "digits", Pattern: `\d{3,}`, Replacement: "#"}, IP("ip")
	sets := []*Redactor{compiled(f, token, digits, ip), compiled(f, digits, ip, token)}
	f.Fuzz(func(t *testing.T, before, after string) {
		secret := `token\u003dqwx\u0079z`
		inner, err := json.Marshal(map[string]string{"a": before, "b": after})
		require.NoError(t, err)
		doc := append(append(append(inner[:len(inner)-1:len(inner)-1], `,"c":"`...), secret...), ` "}`...)
		for _, r := range sets {
			out, hits := r.AppendText(nil, doc)
			require.Positive(t, hits)
			require.NotContains(t, string(out), "qwx")
			require.NotContains(t, string(out), "u0079")
			require.True(t, json.Valid(out), "%s", out)
		}
	})
}
