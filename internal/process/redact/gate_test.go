package redact

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Which texts pass says what the gate looks for.
func TestGate(t *testing.T) {
	for name, tc := range map[string]struct {
		pattern      string
		pass, refuse []string
	}{
		"literal":                {`password=\S+`, []string{"xpassword=y", "\u212Apassword=a"}, []string{"Password=y", "password", ""}},
		"letter case":            {`(?i)secret`, []string{"SeCrEt", "ſ", "\u017Fecret"}, []string{"ecret", "secre", "é"}},
		"no letters that fold":   {`(?i)token:`, []string{"TOKEN:", "to\u212Aen:"}, []string{"token", "\u017F"}},
		"words":                  {`(?:passwd|pwd)=`, []string{"passwd=", "pwd="}, []string{"pass=", "pwd", "pw d="}},
		"parts of words":         {`x?abc(?:d|e)`, []string{"abcd", "xabce"}, []string{"abcf", "xab"}},
		"classes":                {`\d{3}-\d{2}`, []string{"123-45"}, []string{"12-345", "123 45", "abc-de"}},
		"in the middle":          {`[a-z]+@[a-z]+`, []string{"a@b"}, []string{"1@b", "a@1", "@"}},
		"run":                    {`(?:\d-*){13}`, []string{"1234567890123", "1-2-3-4-5-6-7-8"}, []string{"123 456 789 0123"}},
		"one character":          {`@`, []string{"@"}, []string{"a"}},
		"many words":             {`ab1|bc2|cd3|de4|ef5|fg6|gh7|hi8|ij9|jk0|kl1|lm2|mn3|no4|op5|pq6|qr7`, []string{"qr7", "ab1"}, []string{"zzz", "123"}},
		"optional":               {`a?`, nil, nil},
		"beyond ASCII":           {`naïve`, []string{"naïve"}, []string{"naive", "na"}},
		"beyond ASCII, any case": {`(?i)naïf`, []string{"NAÏF", "naÏf"}, []string{"ABC"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := new(pattern)
			if p.compile(tc.pattern) != "" {
				assert.Empty(t, tc.pass)
				return
			}
			for _, text := range tc.pass {
				assert.True(t, p.plain.mayMatch([]byte(text)), "%q", text)
			}
			for _, text := range tc.refuse {
				assert.False(t, p.plain.mayMatch([]byte(text)), "%q", text)
			}
		})
	}
}

// The benchmarks stand for what users write: if their gates were open, each line would go through package regexp.
func TestGatesKeepOutOtherLines(t *testing.T) {
	for _, bench := range benchmarked {
		p := new(pattern)
		require.Empty(t, p.compile(bench.pattern))
		for corpus, lines := range corpora() {
			open := 0
			for _, line := range lines {
				if p.plain.mayMatch(line) {
					open++
				}
			}
			assert.LessOrEqual(t, open, len(lines)/20, "%s in %s", bench.name, corpus)
		}
	}
}

// isIn finds what a search at every place finds.
func TestGateAgainstSearch(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	letters := func(n int) []byte {
		text := make([]byte, n)
		for i := range text {
			text[i] = "abc="[random.IntN(4)]
		}
		return text
	}
	found := 0
	for range 20_000 {
		var rows []row
		var words [][]byte
		width := 1 + random.IntN(8)
		for range 1 + random.IntN(4) {
			word := letters(width)
			words = append(words, word)
			var r row
			for _, b := range word {
				r = append(r, newPlace(class{}.with(b)))
			}
			rows = append(rows, r)
		}
		g := newGate(demand{exact: rows})
		text := letters(random.IntN(60))
		if g == nil {
			continue
		}
		want := false
		for _, word := range words {
			want = want || bytes.Contains(text, word)
		}
		if want {
			found++
		}
		require.Equal(t, want, g.isIn(text), "%q in %q", words, text)
	}
	assert.Greater(t, found, 1000)
}

func TestHidesCharacters(t *testing.T) {
	for text, want := range map[string]bool{
		`\u0040`: true, `\/`: true, `aaaaaaa\u0040`: true, `aaaaaaaa\u0040`: true, `\n\n\n\n\n\n\n\n\u0040`: true, `\\u0040`: true, `\\\/`: true,
		`01234567890123456789\/`: true,
		``:                       false, `\`: false, `u`: false, `\"\\\b\f\n\r\t`: false, `\"a\":\"b\"`: false, `\\\"`: false, `uuuuuuu/\nu`: false, `1234567\`: false, `12345678\`: false,
	} {
		assert.Equal(t, want, hidesCharacters([]byte(text)), text)
	}
}

func FuzzHidesCharacters(f *testing.F) {
	f.Add([]byte(`aaaaaaa\u0040\/`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, text := range [][]byte{text, only(`\\nu/"`, text)} {
			want := false
			for i := range len(text) - min(len(text), 1) {
				want = want || text[i] == '\\' && text[i+1]%2 == 1
			}
			require.Equal(t, want, hidesCharacters(text), "%q", text)
		}
	})
}

// No letter of an escape is odd but those that hide a character.
func TestOddEscapes(t *testing.T) {
	for _, letter := range []byte(`"\bfnrt`) {
		assert.Zero(t, letter&1, string(letter))
	}
	for _, letter := range []byte(`u/`) {
		assert.NotZero(t, letter&1, string(letter))
	}
}
