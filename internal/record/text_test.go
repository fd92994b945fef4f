package record

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAppendEscaped(t *testing.T) {
	for name, tc := range map[string]struct {
		text, want string
	}{
		"nothing":                            {"", ""},
		"plain words":                        {"plain words", "plain words"},
		"quote and backslash":                {`"a\b"`, `\"a\\b\"`},
		"the five short escapes":             {"\n\r\t\b\f", `\n\r\t\b\f`},
		"other control characters":           {"\x00\x01\x0b\x1f", `\u0000\u0001\u000b\u001f`},
		"DEL is no control character here":   {"\x7f", "\x7f"},
		"HTML is left alone":                 {"<a href='x'>&</a>", "<a href='x'>&</a>"},
		"line and paragraph separator stay":  {"\u2028\u2029", "\u2028\u2029"},
		"beyond ASCII stays, also beside it": {"é\"世\n😀", `é\"世\n😀`},
		"U+FFFD stays":                       {"\uFFFD", "\uFFFD"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, ">"+tc.want, string(AppendEscaped([]byte(">"), tc.text)))
			assert.Equal(t, ">"+tc.want, string(AppendEscaped([]byte(">"), []byte(tc.text))))
			assert.Equal(t, ">"+tc.text, string(AppendUnescaped([]byte(">"), []byte(tc.want))), "and back")
		})
	}
}

func TestAppendEscapedEveryByte(t *testing.T) {
	for c := range byte(utf8.RuneSelf) {
		// At every place of a word of eight bytes.
		for before := range 9 {
			text := strings.Repeat("x", before) + string(rune(c)) + "rest"
			escaped := AppendEscaped(nil, text)
			var back string
			require.NoError(t, json.Unmarshal([]byte(`"`+string(escaped)+`"`), &back), "byte %#x", c)
			require.Equal(t, text, back)
			require.Equal(t, text, string(AppendUnescaped(nil, escaped)))
		}
	}
}

func TestAppendUnescaped(t *testing.T) {
	for name, tc := range map[string]struct {
		escaped, want string
	}{
		"nothing":                               {"", ""},
		"a slash may be escaped":                {`\/a/`, "/a/"},
		"hex digits of either case":             {`\u00e9\u00E9`, "éé"},
		"a control character":                   {`\u0000\u001F`, "\x00\x1f"},
		"quote and backslash as code points":    {`\u0022\u005c\u005Cn`, `"\\n`},
		"an escaped backslash shields":          {`\\n\\\\u0041`, `\n\\u0041`},
		"a surrogate pair":                      {`a\ud83d\ude00b`, "a😀b"},
		"a surrogate pair in capitals":          {`\uD83D\uDE00`, "😀"},
		"U+FFFD written so":                     {`\ufffd`, "\uFFFD"},
		"U+FFFF is a character to JSON":         {`\uffff`, "\uFFFF"},
		"the last pair":                         {`\udbff\udfff`, "\U0010FFFF"},
		"beyond ASCII":                          {`é世\n😀`, "é世\n😀"},
		"half a pair, alone":                    {`a\ud83db`, "a\uFFFDb"},
		"half a pair before another escape":     {`\ud83d\n`, "\uFFFD\n"},
		"a high half before a pair":             {`\ud83d\ud83d\ude00`, "\uFFFD😀"},
		"two low halves":                        {`\ude00\ude00`, "\uFFFD\uFFFD"},
		"a pair in the wrong order":             {`\ude00\ud83d`, "\uFFFD\uFFFD"},
		"unvalidated: backslash at the end":     {`a\`, `a\`},
		"unvalidated: unknown letter":           {`\q`, `q`},
		"unvalidated: too few digits is no end": {`\u12`, "\uFFFDu12"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, ">"+tc.want, string(AppendUnescaped([]byte(">"), []byte(tc.escaped))))
		})
	}
}

func TestDecodeUnicodeEscape(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		r    rune
		n    int
	}{
		"nothing":               {"", utf8.RuneError, 0},
		"no backslash":          {"u0041x", utf8.RuneError, 0},
		"another escape":        {`\n0041`, utf8.RuneError, 0},
		"three digits":          {`\u004`, utf8.RuneError, 0},
		"no digit":              {`\u004g`, utf8.RuneError, 0},
		"signs are no digits":   {`\u+041`, utf8.RuneError, 0},
		"one character":         {`\u0041BCDEFGH`, 'A', 6},
		"the bounds of letters": {`\uaFfA`, 0xAFFA, 6},
		"a pair":                {`\ud83d\ude00`, '😀', 12},
		"high and nothing":      {`\ud83d`, utf8.RuneError, 6},
		"high and a character":  {`\ud83d\u0041`, utf8.RuneError, 6},
		"high and half a low":   {`\ud83d\ude0`, utf8.RuneError, 6},
		"low alone":             {`\ude00\ud83d`, utf8.RuneError, 6},
	} {
		t.Run(name, func(t *testing.T) {
			r, n := DecodeUnicodeEscape([]byte(tc.text))
			assert.Equal(t, tc.r, r)
			assert.Equal(t, tc.n, n)
		})
	}
}

func TestAppendRepaired(t *testing.T) {
	for name, tc := range map[string]struct {
		text, want string
		repaired   bool
	}{
		"nothing":                               {"", "", false},
		"valid text is escaped and no more":     {"é\n\"世😀", `é\n\"世😀`, false},
		"U+FFFD itself is valid":                {"\uFFFD", "\uFFFD", false},
		"a byte that starts nothing":            {"a\xffb", "a\uFFFDb", true},
		"a continuation alone":                  {"\x80", "\uFFFD", true},
		"an overlong slash, byte by byte":       {"\xc0\xaf", "\uFFFD\uFFFD", true},
		"half a pair in UTF-8, byte by byte":    {"\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD", true},
		"beyond U+10FFFF":                       {"\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD", true},
		"a character cut at the end":            {"é\xe4\xb8", "é\uFFFD\uFFFD", true},
		"a character cut by a quote":            {"\xe4\xb8\"", "\uFFFD\uFFFD\\\"", true},
		"neighbours keep their bytes":           {"12345678\xff12345678\n", "12345678\uFFFD12345678\\n", true},
		"Latin-1 text":                          {"caf\xe9 ol\xe9", "caf\uFFFD ol\uFFFD", true},
		"valid beside invalid in the same word": {"1234é\xc3\xc3\xa9", "1234é\uFFFDé", true},
	} {
		t.Run(name, func(t *testing.T) {
			got, repaired := AppendRepaired([]byte(">"), []byte(tc.text))
			assert.Equal(t, ">"+tc.want, string(got))
			assert.Equal(t, tc.repaired, repaired)
		})
	}
}

func TestTextForms(t *testing.T) {
	plain, escaped := "say \"hi\"\n", `say \"hi\"\n`
	for name, text := range map[string]Text{
		"plain":   Plain([]byte(plain)),
		"escaped": Escaped([]byte(escaped)),
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, ">"+plain, string(text.AppendPlain([]byte(">"))))
			assert.Equal(t, ">"+escaped, string(text.AppendJSON([]byte(">"))))
		})
	}
}

func TestTextAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 1024)
	long := strings.Repeat("a string longer than what the stack takes, with a \"", 8)
	assert.Zero(t, testing.AllocsPerRun(100, func() { dst = AppendEscaped(dst[:0], long) }), "a string is not copied first")
	for _, text := range []Text{Plain([]byte("a\n\"é世😀\x00")), Escaped([]byte(`a\n\"é\ud83d\ude00`))} {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			dst = text.AppendPlain(text.AppendJSON(dst[:0]))
		}))
	}
}

// naiveRun is PlainRun a byte at a time.
func naiveRun(b []byte) int {
	for i, c := range b {
		if c < 0x20 || c > 0x7f || c == '"' || c == '\\' {
			return i
		}
	}
	return len(b)
}

func TestPlainRunEveryPairOfBytes(t *testing.T) {
	// Two bytes in one word: a borrow out of the lower one must not hide or make up the upper one.
	for a := range 256 {
		for b := range 256 {
			word := []byte{byte(a), byte(b), 'x', 'x', 'x', 'x', 'x', 'x', 'x'}
			require.Equal(t, naiveRun(word), PlainRun(word), "%q", word)
		}
	}
}

// naiveEscape is AppendEscaped a byte at a time.
func naiveEscape(text []byte) []byte {
	var out []byte
	for _, c := range text {
		if c < 0x20 || c == '"' || c == '\\' {
			out = appendEscape(out, c)
		} else {
			out = append(out, c)
		}
	}
	return out
}

func TestAppendEscapedEveryPairOfBytes(t *testing.T) {
	// As above, and bytes beyond ASCII are copied: they must not hide what stands beside them, in a word or behind it.
	for a := range 256 {
		for b := range 256 {
			word := []byte{byte(a), byte(b), 'x', 'x', 'x', 'x', 'x', byte(b), byte(a)}
			require.Equal(t, naiveEscape(word), AppendEscaped(nil, word), "%q", word)
			long := slices.Concat([]byte("12345678"), word, word)
			require.Equal(t, naiveEscape(long), AppendEscaped(nil, long), "%q", long)
		}
	}
}

// What stands in the buffer behind the result stays: a caller may be filling a hole.
func TestAppendEscapedWritesNoFurther(t *testing.T) {
	for _, text := range []string{"", "a", "\"", "12345678", "1\"345678", "12345678\"", "1234567890123456789012345", `"""""""""`, "\x01\x02345678"} {
		want := naiveEscape([]byte(text))
		buffer := bytes.Repeat([]byte{'.'}, 128)
		got := AppendEscaped(buffer[:3], text)
		require.Equal(t, "..."+string(want), string(got))
		require.Equal(t, strings.Repeat(".", 128-len(got)), string(buffer[len(got):]), "%q", text)

		exact := make([]byte, 0, len(want))
		assert.Zero(t, testing.AllocsPerRun(10, func() { exact = AppendEscaped(exact[:0], text) }), "%q needs no more room than it takes", text)
	}
}

func FuzzAppendEscaped(f *testing.F) {
	for _, line := range escapeLines() {
		f.Add([]byte(line))
	}
	f.Add([]byte("\xff\"\x80\\\x1f\x7f\x20!#[]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for i := range min(len(b), 8) + 1 {
			require.Equal(t, string(naiveEscape(b[i:])), string(AppendEscaped(nil, b[i:])), "%q", b[i:])
		}
	})
}

func FuzzPlainRun(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte("12345678"))
	f.Add([]byte("1234567890 !#[]~\x7f\""))
	f.Add([]byte("1234567\x80"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for i := range min(len(b), 8) + 1 {
			require.Equal(t, naiveRun(b[i:]), PlainRun(b[i:]), "%q", b[i:])
		}
	})
}

// FuzzText holds both conversions against encoding/json.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "plain", "\x00\n\"\\\x7f", "é世😀", "\xff\xc0\xaf\xed\xa0\x80", `\ud83d\ude00\ud83d`, "\u2028<&>"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		// What json makes of invalid UTF-8 is what repair has to make of it.
		want := string([]rune(string(b)))
		escaped, repaired := AppendRepaired(nil, b)
		require.Equal(t, !utf8.Valid(b), repaired)
		require.True(t, utf8.Valid(escaped))
		var got string
		require.NoError(t, json.Unmarshal([]byte(`"`+string(escaped)+`"`), &got))
		require.Equal(t, want, got)
		require.Equal(t, want, string(AppendUnescaped(nil, escaped)))

		// What json accepts as the inside of a string is unescaped as json does it.
		if !utf8.Valid(b) || json.Unmarshal([]byte(`"`+string(b)+`"`), &got) != nil {
			return
		}
		require.Equal(t, got, string(AppendUnescaped(nil, b)))
		require.Equal(t, got, string(AppendUnescaped(nil, Plain([]byte(got)).AppendJSON(nil))))
	})
}

// jsonLine is about 400 bytes of a JSON log line in plain form.
func jsonLine() []byte {
	random := rand.New(rand.NewPCG(1, 2))
	words := []string{"order", "shipped", "to", "customer", "with", "status", "pending", "after", "retry"}
	line := []byte(`{"level":"info","time":"2024-02-01T00:00:00Z","logger":"shop.orders","msg":"`)
	for len(line) < 390 {
		line = append(append(line, words[random.IntN(len(words))]...), `","k":"`...)
	}
	return append(line, `"}`...)
}

// escapeLines are lines as S3 objects hold them, and what is hard on a scan that leaps: quotes close together, and text
// beyond ASCII.
func escapeLines() map[string]string {
	return map[string]string{
		"ALB": `https 2024-02-01T00:00:05.812345Z app/shop/0f1e2d3c4b5a6978 203.0.113.9:36584 192.0.2.185:9002 0.000 0.023 0.000 ` +
			`200 200 588 429 "POST https://shop.example.com:443/v2/orders?page=1 HTTP/2.0" "okhttp/4.11.0" TLS_AES_128_GCM_SHA256 ` +
			`TLSv1.3 arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/orders/83e2d6bc24d8a067 ` +
			`"Root=1-65badf05-1a1b2c3d4e5f60718293a4b5" "shop.example.com" ` +
			`"arn:aws:acm:eu-west-1:123456789012:certificate/02345678-1234-1234-1234-123456789012" 2 ` +
			`2024-02-01T00:00:05.788000Z "waf,forward" "-" "-" "192.0.2.185:9002" "200" "-" "-" TID_0f8f4b1a2c3d4e5f "-" "-" "-"`,
		"VPC":    `2 123456789012 eni-0a1b2c3d4e5f60718 192.0.2.2 198.51.100.15 443 50000 6 10 840 1700000000 1700000060 ACCEPT OK`,
		"JSON":   string(jsonLine()),
		"quotes": strings.Repeat(`"a","bc",`, 44),
		"emoji":  strings.Repeat("commandé 世界 😀 ", 16),
		"word":   "orders",
	}
}

// BenchmarkAppendEscaped escapes a byte slice, and for comparison the longest of the lines as a string.
func BenchmarkAppendEscaped(b *testing.B) {
	dst := make([]byte, 0, 4096)
	for name, line := range escapeLines() {
		b.Run(name, func(b *testing.B) {
			text := []byte(line)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				dst = AppendEscaped(dst[:0], text)
			}
		})
	}
	b.Run("ALB as a string", func(b *testing.B) {
		text := escapeLines()["ALB"]
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			dst = AppendEscaped(dst[:0], text)
		}
	})
}

func BenchmarkText(b *testing.B) {
	line := jsonLine()
	escaped := AppendEscaped(nil, line)
	dst := make([]byte, 0, 4096)
	for name, run := range map[string]func(){
		"escape":   func() { dst = AppendEscaped(dst[:0], line) },
		"unescape": func() { dst = AppendUnescaped(dst[:0], escaped) },
		"repair":   func() { dst, _ = AppendRepaired(dst[:0], line) },
		"copy":     func() { dst = Escaped(escaped).AppendJSON(dst[:0]) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				run()
			}
		})
	}
}
