package lines

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestResetText reads texts in memory and streams in turn with one window: each as if it were alone, and no text is written to.
func TestResetText(t *testing.T) {
	all := func(w *Window) (got []string) {
		for {
			p, err := w.Line()
			if err == io.EOF {
				return got
			}
			require.NoError(t, err)
			got = append(got, string(p.Text))
		}
	}
	long := strings.Repeat("x", MaxLineBytes+10)
	var w Window
	for _, text := range []string{"", "\n", "one", "one\ntwo\r\n", "\n\nthree", long, "last\n" + long + "\nend"} {
		var plain Window
		plain.Reset(strings.NewReader(text))
		want := all(&plain)

		memory := []byte(text)
		w.ResetText(memory)
		assert.Equal(t, text[:min(len(text), 5)], string(w.Peek(5)))
		assert.Equal(t, want, all(&w))
		require.NoError(t, w.Err())
		assert.Equal(t, int64(len(text)), w.Offset())

		w.Reset(strings.NewReader(text))
		assert.Equal(t, want, all(&w))
		assert.Equal(t, text, string(memory), "nothing was read into it")
	}
}

func TestDecoderIsReused(t *testing.T) {
	var d Decoder
	for _, tc := range []struct{ in, want, encoding string }{
		{"plain", "plain", ""},
		{"\xEF\xBB\xBFmarked", "marked", UTF8BOM},
		{"\xFF\xFEa\x00b\x00", "ab", UTF16LE},
		{"", "", ""},
		{"\xEF\xBBno mark", "\xEF\xBBno mark", ""},
	} {
		d.Reset(strings.NewReader(tc.in))
		got, err := io.ReadAll(&d)
		require.NoError(t, err)
		assert.Equal(t, tc.want, string(got))
		assert.Equal(t, tc.encoding, d.Encoding())
		assert.True(t, MayHaveMark([]byte(tc.in)) || tc.encoding == "")
	}
}
