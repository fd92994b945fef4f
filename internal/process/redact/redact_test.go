package redact

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// several are rules that look at all of a text's characters in one way or another.
var several = []Rule{
	IPv4("ip"),
	Email("email"),
	IPv6("ip6"),
	{Name: "password", Pattern: `(?i)(password=).*`, Replacement: "${1}\"x\n"},
	{Name: "ssn", Pattern: `\b\d{3}-\d{2}-\d{4}\b`, Replacement: `[ssn\]`},
	{Name: "quotes", Pattern: `""+`, Replacement: "'"},
	{Name: "path", Pattern: `/home/\w+`, Replacement: "~"},
	{Name: "key", Pattern: `(?i)sk_[a-z0-9]{4}`},
}

func compiled(tb testing.TB, rules ...Rule) *Redactor {
	tb.Helper()
	c, err := Compile(rules...)
	require.NoError(tb, err)
	return New(c)
}

func TestMessage(t *testing.T) {
	for name, tc := range map[string]struct {
		text record.Text
		want string // the plain text
		hits int
	}{
		"text":                         {record.Plain([]byte(`from 192.0.2.1`)), `from xxx.xxx.xxx.xxx`, 1},
		"escaped text":                 {record.Escaped([]byte(`\nbob@example.com`)), "\nxxxxx@xxxxx.com", 1},
		"object":                       {record.Plain([]byte(`{"a":"password=b","c":"d"}`)), `{"a":"password=\"x\n","c":"d"}`, 1},
		"object, white space":          {record.Plain([]byte(` { "a" : "password=b" , "c":"d"} `)), ` { "a" : "password=\"x\n" , "c":"d"} `, 1},
		"escaped object":               {record.Escaped([]byte(`{\"a\":\"password=b\",\"c\":\"d\"}`)), `{"a":"password=\"x\n","c":"d"}`, 1},
		"escapes in an escaped object": {record.Escaped([]byte(`{\"a\":\"bob\\u0040example.com\",\"c\":\"\\/home\\/bob\"}`)), `{"a":"xxxxx@xxxxx.com","c":"~"}`, 2},
		"an escape of an escape":       {record.Escaped([]byte(`{\"a\":\"bob\u005cu0040example.com\"}`)), `{"a":"xxxxx@xxxxx.com"}`, 1},
		"array":                        {record.Plain([]byte(`["password=b","c"]`)), `["password=\"x\n","c"]`, 1},
		"object that is cut off":       {record.Plain([]byte(`{"a":"password=b","c":`)), "{\"a\":\"password=\"x\n", 1},
		"text behind an object":        {record.Plain([]byte(`{"a":"password=b"} c`)), "{\"a\":\"password=\"x\n", 1},
		"object in a text":             {record.Plain([]byte(`INFO {"a":"192.0.2.1"}`)), `INFO {"a":"xxx.xxx.xxx.xxx"}`, 1},
		"deep":                         {record.Plain([]byte(strings.Repeat("[", 200) + `"password=b","c"` + strings.Repeat("]", 200))), strings.Repeat("[", 200) + `"password=\"x\n","c"` + strings.Repeat("]", 200), 1},
		"rules in their order":         {record.Plain([]byte(`password=192.0.2.1`)), "password=\"x\n", 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := compiled(t, several...)
			before := slices.Clone(tc.text.Bytes)
			got, hits := r.Message(tc.text)
			assert.Equal(t, tc.want, string(got.AppendPlain(nil)))
			assert.Equal(t, tc.hits, hits)
			requireCount(t, r, hits)
			assert.Equal(t, before, tc.text.Bytes, "what came in stays")
			assert.True(t, json.Valid(quoted(got)))
		})
	}
}

// quoted is a text as a JSON string.
func quoted(text record.Text) []byte { return append(text.AppendJSON([]byte{'"'}), '"') }

func TestMessageWithoutHit(t *testing.T) {
	for name, text := range map[string]record.Text{
		"text":                     record.Plain([]byte(`192.0.2`)),
		"escaped":                  record.Escaped([]byte(`a \"b\"`)),
		"object":                   record.Plain([]byte(`{"a":1}`)),
		"object, hit in a name":    record.Plain([]byte(`{"bob@example.com":1}`)),
		"escaped, hidden":          record.Escaped([]byte(`\u0061\/`)),
		"escaped object, hidden":   record.Escaped([]byte(`{\"a\":\"\\u0061\/\"}`)),
		"nothing":                  record.Plain(nil),
		"escape at the very end":   record.Escaped([]byte(`a\\`)),
		"an escape that is cut":    record.Plain([]byte(`{"\`)),
		"object that is no object": record.Plain([]byte(`{bob@example`)),
	} {
		t.Run(name, func(t *testing.T) {
			r := compiled(t, several...)
			got, hits := r.Message(text)
			assert.Equal(t, text, got)
			assert.Zero(t, hits)
			requireCount(t, r, 0)
		})
	}
	t.Run("no rules", func(t *testing.T) {
		text := record.Escaped([]byte(`bob\u0040example.com`))
		got, hits := compiled(t).Message(text)
		assert.Equal(t, text, got)
		assert.Zero(t, hits)
	})
}

func TestCounts(t *testing.T) {
	r := compiled(t, Email("email"), IPv4("ip"), Rule{Name: "a", Pattern: "a"})
	r.AppendText(nil, []byte("b@c.d 192.0.2.1 192.0.2.2"))
	r.Message(record.Escaped([]byte(`b\u0040c.d`)))
	r.AppendJSON(nil, []byte(`{"x":"b@c.d","y":["192.0.2.1"]}`))
	_, _, ok := r.AppendJSON(nil, []byte(`{"x":"b@c.d"`))
	assert.False(t, ok, "and counts nothing")
	var got []string
	for name, n := range r.Counts {
		got = append(got, fmt.Sprint(name, " ", n))
	}
	assert.Equal(t, []string{"email 3", "ip 3", "a 0"}, got)
	for name := range r.Counts {
		assert.Equal(t, "email", name)
		break
	}
	r.Reset()
	requireCount(t, r, 0)
}

// A rule sees what the ones before have left, also where it could not have matched before.
func TestOrder(t *testing.T) {
	first, second := Rule{Name: "1", Pattern: `user=\w+`, Replacement: "token=1234"}, Rule{Name: "2", Pattern: `token=\d+`, Replacement: "x"}
	for name, tc := range map[string]struct {
		rules []Rule
		want  string
	}{
		"one":       {[]Rule{first}, `token=1234 é`},
		"in order":  {[]Rule{first, second}, `x é`},
		"other way": {[]Rule{second, first}, `token=1234 é`},
	} {
		t.Run(name, func(t *testing.T) {
			r := compiled(t, tc.rules...)
			text, _ := r.AppendText(nil, []byte(`user=bob é`))
			assert.Equal(t, tc.want, string(text))
			escaped, _ := r.Message(record.Escaped([]byte(`user=bob \u00e9`)))
			assert.Equal(t, tc.want, string(escaped.AppendPlain(nil)))
			doc, _, _ := r.AppendJSON(nil, []byte(`{"a":"user=bob é"}`))
			assert.Equal(t, `{"a":"`+tc.want+`"}`, string(doc))
		})
	}
}

// escapedAnyhow is the inside of a JSON string that stands for text, which is valid UTF-8, with escapes at random.
func escapedAnyhow(random *rand.Rand, text string) []byte {
	var out []byte
	for _, r := range text {
		switch {
		case random.IntN(8) == 0 && r < 0x10000:
			out = fmt.Appendf(out, []string{`\u%04x`, `\u%04X`}[random.IntN(2)], r)
		case random.IntN(8) == 0 && r >= 0x10000:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		case r == '/' && random.IntN(2) == 0:
			out = append(out, `\/`...)
		default:
			out = record.AppendEscaped(out, string(r))
		}
	}
	return out
}

// What stands escaped is redacted as the text it stands for; without a hit it stays as it is.
func FuzzEscaped(f *testing.F) {
	for i, seed := range []string{
		"\nbob@example.com", "\b1.2.3.4", "\f::1 \n2001:db8::1\t", `PASSWORD="x"`, "/home/bob", `"""`, "123-45-6789", "sk_ab12 \u017F\u212A_0000", "日本 \U0001F600",
	} {
		f.Add(seed, uint64(i))
	}
	r := compiled(f, several...)
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if !utf8.ValidString(text) {
			return
		}
		plain, wantHits := r.AppendText(nil, []byte(text))
		for _, escaped := range [][]byte{record.AppendEscaped(nil, text), escapedAnyhow(rand.New(rand.NewPCG(1, seed)), text)} {
			message, hits := r.Message(record.Escaped(escaped))
			if hits == 0 {
				require.Equal(t, record.Escaped(escaped), message)
			}
			if !isBracketed([]byte(text)) {
				require.Equal(t, string(plain), string(message.AppendPlain(nil)))
				require.Equal(t, wantHits, hits)
			}
			require.True(t, json.Valid(quoted(message)))
		}
	})
}

// A secret that a rule names never comes out, however it is written and whatever stands around it.
func FuzzCanary(f *testing.F) {
	for i, seed := range []string{"", "\n", `"`, `\`, "é", "c4n", "{", `{"a":"`, "\u017F"} {
		f.Add(seed, "b"+seed, uint64(i))
	}
	const canary = "C4n4ry/k\"s\n\u00e9"
	var redactors []*Redactor
	for _, pattern := range []string{canary, "(?i)" + canary, `(?i)c4n4ry\pP.".\s.`, `C4n4ry/\w"(?s:...)`} {
		redactors = append(redactors, compiled(f, append([]Rule{{Name: "1", Pattern: pattern, Replacement: "\x00"}}, several...)...))
	}
	f.Fuzz(func(t *testing.T, before, after string, seed uint64) {
		if !utf8.ValidString(before) || !utf8.ValidString(after) {
			return
		}
		random := rand.New(rand.NewPCG(2, seed))
		for _, r := range redactors {
			text := before + canary + after
			escaped := escapedAnyhow(random, text)
			plain, _ := r.AppendText(nil, []byte(text))
			require.NotContains(t, string(plain), "4n4ry")
			out, _ := r.Message(record.Escaped(escaped))
			require.NotContains(t, string(out.AppendPlain(nil)), "4n4ry")
			doc := fmt.Appendf(nil, `{"a":[{"b":1,"c":"%s"},"%s"],"d":"x"}`, escaped, escaped)
			doc, _, ok := r.AppendJSON(nil, doc)
			require.True(t, ok)
			requireNoCanary(t, doc)
			message, _ := r.Message(record.Escaped(escapedAnyhow(random, string(doc))))
			requireNoCanary(t, message.AppendPlain(nil))
		}
	})
}

func requireNoCanary(t *testing.T, doc []byte) {
	t.Helper()
	var value map[string]any
	require.NoError(t, json.Unmarshal(doc, &value))
	require.NotContains(t, fmt.Sprint(value), "4n4ry")
	require.Equal(t, "x", value["d"])
}
