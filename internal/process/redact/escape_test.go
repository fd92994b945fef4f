package redact

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// What stands escaped in a text, because JSON stands in it, is found too. What nobody looks for stays as it is.
func TestEscapesInText(t *testing.T) {
	rules := []Rule{
		IPv4("ip"), Email("email"),
		{Name: "password", Pattern: `password=\S+`, Replacement: "password=***"},
		{Name: "path", Pattern: `/home/\w+`, Replacement: "~"},
		{Name: "tag", Pattern: `\\u003cb\\u003e\w+`, Replacement: "bold"},
		{Name: "word", Pattern: `señal \w+`, Replacement: "[gone]"},
	}
	for name, tc := range map[string]struct {
		text, want string
		hits       int
	}{
		"address behind the start of a line": {`INFO {"a":"\u0031\u0039\u0032\u002e0.2.1"}`, `INFO {"a":"xxx.xxx.xxx.xxx"}`, 1},
		"small and capital digits":           {`bob\u0040example.com \u003A\u003a`, `xxxxx@xxxxx.com ::`, 1},
		"in a string in a string":            {`{\"a\":\"\\u0031\\u002e2.3.4\"}`, `{\"a\":\"xxx.xxx.xxx.xxx\"}`, 1},
		"four levels down":                   {`bob\\\\\\\\\\\\\\\u0040example.com`, `xxxxx@xxxxx.com`, 1},
		"slashes":                            {`{"a":"\/home\/bob"}x`, `{"a":"~"}x`, 1},
		"beyond ASCII":                       {`se\u00f1al bob`, `[gone]`, 1},
		"JSON that is cut off":               {`{"a":"1.2.3\u002E4","b":"`, `{"a":"xxx.xxx.xxx.xxx","b":"`, 1},
		"a digit of an escape is one":        {`\u0031.2.3.4`, `xxx.xxx.xxx.xxx`, 1},
		"no hit":                             {`\u0031.2.3 \/ \\u00e9`, `\u0031.2.3 \/ \\u00e9`, 0},
		"a hit, and nothing hidden":          {`\u00e9 1.2.3.4 \/`, `\u00e9 xxx.xxx.xxx.xxx \/`, 1},
		"a hit, and one hidden":              {`1.2.3.4 bob\u0040example.com`, `xxx.xxx.xxx.xxx xxxxx@xxxxx.com`, 2},
		"a replacement that matches":         {`password=a \u00e9`, `password=*** \u00e9`, 1},
		"that, and one hidden":               {`password=a \u0070assword=b`, `password=*** password=***`, 3},
		"a pattern of an escape":             {`\u003cb\u003esecret`, `bold`, 1},
		"that, and one hidden elsewhere":     {`\u003cb\u003esecret 1.2.3\u002e4`, `bold xxx.xxx.xxx.xxx`, 2},
		"quotes and backslashes stay":        {`\u0022\u005c\u000a bob\u0040example.com`, `\u0022\u005c\u000a xxxxx@xxxxx.com`, 1},
		"half a pair stays":                  {`\ud83d bob\u0040example.com`, `\ud83d xxxxx@xxxxx.com`, 1},
		"no escapes":                         {`\u003 \x31 \n \u \`, `\u003 \x31 \n \u \`, 0},
		"at the end":                         {`1.2.3.\u0034`, `xxx.xxx.xxx.xxx`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := compiled(t, rules...)
			out, hits := r.AppendText(nil, []byte(tc.text))
			assert.Equal(t, tc.want, string(out))
			assert.Equal(t, tc.hits, hits)
			requireCount(t, r, hits)
			doc, _, ok := r.AppendJSON(nil, fmt.Appendf(nil, `{"a":%s,"b":1}`, quoted(record.Plain([]byte(tc.text)))))
			assert.True(t, ok)
			assert.JSONEq(t, fmt.Sprintf(`{"a":%s,"b":1}`, quoted(record.Plain([]byte(tc.want)))), string(doc))
		})
	}
}

// FuzzHidden writes a secret, with escapes at random, into JSON in strings of JSON: nobody who unpacks it finds the
// secret, and what is JSON stays JSON. Encoders do not write an escape with escapes in it.
func FuzzHidden(f *testing.F) {
	for i, seed := range []string{"", "\n", `"`, `\`, "é", "c4n", "{", `{"a":"`, "\u017F", "u0031", `/\/`, "4n4ry/key"} {
		f.Add(seed, "b"+seed, uint64(i))
	}
	const canary = "C4n4ry/key é"
	r := compiled(f, append([]Rule{{Name: "1", Pattern: canary, Replacement: "x"}}, IPv4("ip"), Email("email"))...)
	f.Fuzz(func(t *testing.T, before, after string, seed uint64) {
		if !utf8.ValidString(before) || !utf8.ValidString(after) || strings.Contains(before+after, "4n4ry") {
			return
		}
		random := rand.New(rand.NewPCG(3, seed))
		text := before + canary + after
		depth := 1 + random.IntN(4)
		text = fmt.Sprintf(`{"a":"%s"}`, escapedAnyhow(random, text))
		for range depth - 1 {
			text = fmt.Sprintf(`{"a":"%s"}`, record.AppendEscaped(nil, text))
		}
		for _, start := range []string{"", "INFO "} {
			out, hits := r.AppendText(nil, []byte(start+text))
			require.Positive(t, hits)
			requireUnpacked(t, out, depth)
		}
		message, _ := r.Message(record.Plain([]byte(text)))
		require.True(t, json.Valid(message.Bytes))
		requireUnpacked(t, message.Bytes, depth)
	})
}

// requireUnpacked takes away one level of escapes after the other.
func requireUnpacked(t *testing.T, text []byte, depth int) {
	t.Helper()
	for range depth {
		text = record.AppendUnescaped(nil, text)
		require.NotContains(t, string(text), "4n4ry")
	}
}
