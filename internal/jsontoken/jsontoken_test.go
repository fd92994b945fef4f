package jsontoken

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPast(t *testing.T) {
	for _, c := range []struct {
		doc  string
		want int // where the token at 0 ends
	}{
		{`""`, 2},
		{`"a" `, 3},
		{`"a\"b",`, 6},
		{`"\\"`, 4},
		{`"\/\b\f\n\r\t\u00e9"x`, 20},
		{`"žluťoučký"`, 15},
		{`"long enough to be passed eight bytes at a time"`, 48},
		{`"`, -1},
		{`"a`, -1},
		{`"a\`, -1},
		{`"\x"`, -1},
		{`"\u12g4"`, -1},
		{`"\u12`, -1},
		{"\"a\nb\"", -1},
		{"\"\x00\"", -1},
		{`true`, 4},
		{`false,`, 5},
		{`null}`, 4},
		{`nul`, -1},
		{`True`, -1},
		{`0`, 1},
		{`-0`, 2},
		{`01`, 1},
		{`-`, -1},
		{`+1`, -1},
		{`12.50]`, 5},
		{`1.`, -1},
		{`.5`, -1},
		{`1e5`, 3},
		{`1E-05,`, 5},
		{`1e`, -1},
		{`1e+`, -1},
		{`12345678901234567890`, 20},
		{``, -1},
		{`{`, -1},
	} {
		assert.Equal(t, c.want, past([]byte(c.doc)), "%s", c.doc)
	}
}

func past(doc []byte) int {
	if At(doc, 0) == '"' {
		return PastString(doc, 0)
	}
	return PastScalar(doc, 0)
}

func TestPastSpace(t *testing.T) {
	assert.Equal(t, 4, PastSpace([]byte(" \t\r\nx "), 0))
	assert.Equal(t, 0, PastSpace([]byte("x "), 0))
	assert.Equal(t, 9, PastSpace([]byte("x"), 9), "behind the end")
	assert.Zero(t, At([]byte("x"), 1))
}

// FuzzPast holds one token against encoding/json: what ends where the text does is valid, and the other way round.
func FuzzPast(f *testing.F) {
	for _, seed := range []string{`"a\u00e9"`, `-1.5e+10`, `true`, `"\`, "\"\x7f\"", `00`, "\"\xff\"", `1e400`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		c := At(doc, 0)
		if len(doc) == 0 || c == '{' || c == '[' || IsSpace(c) || IsSpace(doc[len(doc)-1]) {
			return
		}
		end := past(doc)
		assert.LessOrEqual(t, end, len(doc))
		assert.Equal(t, json.Valid(doc), end == len(doc))
		if end > 0 {
			assert.True(t, json.Valid(doc[:end]))
		}
	})
}
