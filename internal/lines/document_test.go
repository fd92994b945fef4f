package lines

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDocument(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want string
		rest string // behind it
		err  error
	}{
		"an object":                      {`{"a":1}`, `{"a":1}`, "", nil},
		"an object that touches another": {" \n" + `{"a":{"b":[]}}{"c":2}`, `{"a":{"b":[]}}`, `{"c":2}`, nil},
		"an array":                       {`[[1],[2]] text`, `[[1],[2]]`, " text", nil},
		"brackets and quotes in strings": {`{"a":"}]\"}","\\":"\\"}x`, `{"a":"}]\"}","\\":"\\"}`, "x", nil},
		"what is no JSON is not judged":  {"{ ] x", "{ ]", " x", nil},
		"brackets never closed":          {`{"a":[1,2}`, `{"a":[1,2}`, "", io.ErrUnexpectedEOF},
		"a string never closed":          {`{"a":"}}}`, `{"a":"}}}`, "", io.ErrUnexpectedEOF},
		"no bracket":                     {` x{}`, "", " x{}", ErrNotJSON},
		"nothing":                        {" \n", "", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			for how, sizes := range cuts() {
				w := over(tc.text, io.EOF, sizes...)
				got, err := io.ReadAll(w.Document())
				assert.Equal(t, tc.want, string(got), how)
				assert.ErrorIs(t, err, tc.err, how)
				assert.Equal(t, tc.rest, string(w.Peek(100)), how)
			}
		})
	}
}

func TestDocumentLeftUnread(t *testing.T) {
	for how, sizes := range cuts() {
		w := over(`{"a":"}","b":[1,2,3]}{"c":1} `, io.EOF, sizes...)
		w.Document()
		p, err := w.Value()
		require.NoError(t, err, how)
		assert.Equal(t, whole(`{"c":1}`, 21), keep(p), how)

		w = over(`{"a":{"b":1}`, io.EOF, sizes...)
		w.Document()
		_, err = w.Line()
		assert.Equal(t, io.EOF, err, how)
		assert.Equal(t, int64(12), w.Offset(), how)
	}
	var w Window
	w.Reset(strings.NewReader(`{"a":1}`))
	d := w.Document()
	w.Reset(strings.NewReader(`{"a":1}`))
	_, err := d.Read(make([]byte, 1))
	assert.Equal(t, errPassedOver, err)
	assert.Zero(t, w.Offset())
}

func TestDocumentBeforeAFault(t *testing.T) {
	w := over(`{"a":[1,`, errSource)
	got, err := io.ReadAll(w.Document())
	assert.Equal(t, errSource, err)
	assert.Len(t, got, 8)
	assert.Equal(t, int64(8), w.Offset())
	_, err = io.ReadAll(w.Document())
	assert.Equal(t, errSource, err)
}

func TestDocumentOf100MBInConstantMemory(t *testing.T) {
	const size = 100 << 20
	var w Window
	w.Reset(io.MultiReader(strings.NewReader(`{"a":[{"b":"`), &endless{n: size}, strings.NewReader(`"}]}tail`)))
	n, err := io.Copy(io.Discard, w.Document())
	require.NoError(t, err)
	assert.Equal(t, int64(size+16), n)
	assert.Equal(t, "tail", string(w.Peek(8)))
	assert.Len(t, w.buf, firstBufferBytes)
}

// FuzzDocument holds the reader against encoding/json where the text is JSON, and against the text where it is not.
func FuzzDocument(f *testing.F) {
	for _, text := range []string{`{"a":[1,"}\"",{}]}{"b":2}`, ` [["\\"]]x`, `{"a`, `{]`, `text`} {
		f.Add([]byte(text), []byte{1, 0, 3}, uint8(2))
	}
	f.Fuzz(func(t *testing.T, text, sizes []byte, size uint8) {
		if !reading(sizes) {
			return
		}
		w := over(string(text), io.EOF, sizes...)
		d := w.Document()
		start := w.Offset()
		var got bytes.Buffer
		_, err := io.CopyBuffer(struct{ io.Writer }{&got}, d, make([]byte, int(size)+1))
		require.True(t, bytes.HasPrefix(text[start:], got.Bytes()))
		require.Equal(t, start+int64(got.Len()), w.Offset())

		trimmed := bytes.TrimLeft(text, " \t\r\n")
		bracketed := len(trimmed) > 0 && isBracket(trimmed[0])
		if want, wantErr := firstValue(text); bracketed && wantErr == nil {
			require.NoError(t, err)
			require.Equal(t, string(want), got.String())
		}
		if bracketed && err == nil {
			require.True(t, strings.HasSuffix(got.String(), "}") || strings.HasSuffix(got.String(), "]"))
		}
		if bracketed && err != nil {
			require.Equal(t, io.ErrUnexpectedEOF, err)
			require.Equal(t, string(trimmed), got.String())
			require.False(t, json.Valid(trimmed))
		}
		require.Equal(t, !bracketed && len(trimmed) > 0, errors.Is(err, ErrNotJSON))
	})
}
