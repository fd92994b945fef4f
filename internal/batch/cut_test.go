package batch

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

func TestCut(t *testing.T) {
	for name, tc := range map[string]struct {
		text record.Text
		room int
		want string
	}{
		"shorter than the room":                    {record.Plain([]byte("abc")), 4, "abc"},
		"as long as the room":                      {record.Plain([]byte("abc")), 3, "abc"},
		"longer than the room":                     {record.Plain([]byte("abcd")), 3, "abc"},
		"no room":                                  {record.Plain([]byte("abc")), 0, ""},
		"empty text":                               {record.Plain(nil), 0, ""},
		"plain quote takes two bytes":              {record.Plain([]byte(`a"b`)), 3, `a"`},
		"plain quote at the edge":                  {record.Plain([]byte(`a"b`)), 2, "a"},
		"plain control character takes six bytes":  {record.Plain([]byte("a\x01b")), 7, "a\x01"},
		"plain control character at the edge":      {record.Plain([]byte("a\x01b")), 6, "a"},
		"plain character of four bytes":            {record.Plain([]byte("a😀b")), 5, "a😀"},
		"plain character at the edge":              {record.Plain([]byte("a😀b")), 4, "a"},
		"escaped, shorter than the room":           {record.Escaped([]byte(`a\n`)), 3, `a\n`},
		"escaped, no room":                         {record.Escaped([]byte(`\n`)), 0, ""},
		"escape of two bytes":                      {record.Escaped([]byte(`a\nb`)), 3, `a\n`},
		"escape of two bytes at the edge":          {record.Escaped([]byte(`a\nb`)), 2, "a"},
		"escaped backslash before a letter":        {record.Escaped([]byte(`\\nb`)), 2, `\\`},
		"two escaped backslashes":                  {record.Escaped([]byte(`\\\\b`)), 3, `\\`},
		"escape of six bytes":                      {record.Escaped([]byte(`a\u00e9b`)), 7, `a\u00e9`},
		"escape of six bytes at the edge":          {record.Escaped([]byte(`a\u00e9b`)), 6, "a"},
		"surrogate pair":                           {record.Escaped([]byte(`a\ud83d\ude00b`)), 13, `a\ud83d\ude00`},
		"surrogate pair is not parted":             {record.Escaped([]byte(`a\ud83d\ude00b`)), 12, "a"},
		"surrogate pair is not parted at its half": {record.Escaped([]byte(`a\ud83d\ude00b`)), 7, "a"},
		"raw character inside escaped text":        {record.Escaped([]byte(`a\té😀b`)), 6, `a\té`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, string(tc.text.Bytes[:cut(tc.text, tc.room)]))
		})
	}
}

// FuzzCut holds both forms of a text against the slow way: every end of a character, measured by encoding what is before
// it.
func FuzzCut(f *testing.F) {
	f.Add("plain", 3)
	f.Add("a\"\\\n\x01é😀", 9)
	f.Add(strings.Repeat("long ", 20)+"\u2028", 77)
	f.Add("", 0)
	f.Fuzz(func(t *testing.T, text string, room int) {
		text = strings.ToValidUTF8(text, "?")
		room = max(room, 0) % (6*len(text) + 10)
		want := 0
		for i := range text + "." { // the last one is the end of text
			if len(record.AppendEscaped(nil, text[:i])) <= room {
				want = i
			}
		}
		require.Equal(t, want, cut(record.Plain([]byte(text)), room))

		for _, escaped := range []string{string(record.AppendEscaped(nil, text)), allEscaped(text)} {
			n := cut(record.Escaped([]byte(escaped)), room)
			require.LessOrEqual(t, n, room)
			var kept string
			require.NoError(t, json.Unmarshal([]byte(`"`+escaped[:n]+`"`), &kept))
			require.True(t, strings.HasPrefix(text, kept), "%q of %q", kept, text)
			if n < len(escaped) {
				next, _ := utf8.DecodeRuneInString(text[len(kept):])
				longer := max(len(record.AppendEscaped(nil, string(next))), len(allEscaped(string(next))))
				require.Greater(t, n+longer, room, "one more character had fit")
			}
		}
	})
}

// allEscaped escapes every character by its number, those beyond the first plane as surrogate pairs.
func allEscaped(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	unit := func(u rune) {
		b.WriteString(`\u`)
		for shift := 12; shift >= 0; shift -= 4 {
			b.WriteByte(hex[u>>shift&0xF])
		}
	}
	for _, r := range text {
		if r < 0x10000 {
			unit(r)
			continue
		}
		unit(0xD800 + (r-0x10000)>>10)
		unit(0xDC00 + (r-0x10000)&0x3FF)
	}
	return b.String()
}
