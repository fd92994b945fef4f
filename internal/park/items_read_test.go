package park

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadRefusesItems changes what a header says of its items, and the items under a header that says the same of their
// bytes: each is an error, never a part.
func TestReadRefusesItems(t *testing.T) {
	const base64 = "\"YQ==\"\n"
	for name, tc := range map[string]struct {
		change func(*Header)
		lines  string
		err    string
	}{
		"as it was put":              {lines: "{\"message\":\"a\",\"ddtags\":\"x:<y>\"}\n{\"message\":\"ü\\n\"}\n"},
		"a line less":                {lines: "{}\n", err: "it has 1 whole lines, count is 2"},
		"a line more":                {lines: "1\n2\n3\n", err: "it has 3 whole lines, count is 2"},
		"no line":                    {lines: "", err: "it has 0 whole lines, count is 2"},
		"no end of the last one":     {lines: "1\n2\n3", err: "count is 2"},
		"an empty one":               {lines: "1\n\n", err: "line 2: it is no JSON"},
		"no JSON":                    {lines: "{}\n{]\n", err: "line 2: it is no JSON"},
		"no UTF-8":                   {lines: "{}\n\"\xff\"\n", err: "line 2: it is no JSON"},
		"fewer bytes":                {lines: "1\n2\n", err: "its items have 2 bytes, bytes is 50"},
		"base64 as said":             {lines: base64 + base64, change: func(h *Header) { h.Encoding, h.Bytes = "base64", 2 }},
		"no string":                  {lines: base64 + "1\n", change: func(h *Header) { h.Encoding = "base64" }, err: "line 2: it is no string of JSON"},
		"half a string":              {lines: "\"\n" + base64, change: func(h *Header) { h.Encoding = "base64" }, err: "line 1: it is no string of JSON"},
		"no base64":                  {lines: base64 + "\"YR==\"\n", change: func(h *Header) { h.Encoding = "base64" }, err: "line 2: its string is no base64"},
		"another encoding":           {lines: "1\n2\n", change: func(h *Header) { h.Encoding = "hex" }, err: `encoding is "hex", want none or "base64"`},
		"a count of none":            {change: func(h *Header) { h.Count = 0 }, err: "count is 0, want the number of items"},
		"a count of very many":       {change: func(h *Header) { h.Count = 1<<20 + 1 }, err: "count is 1048577"},
		"a size that is not there":   {lines: "1\n2\n", change: func(h *Header) { h.Bytes = 1<<63 - 1 }, err: "its items have 2 bytes, bytes is 9223372036854775807"},
		"no id to send with":         {lines: "1\n2\n", change: func(h *Header) { h.IdempotencyKey = "" }, err: "idempotency_key is"},
		"an id that is no header":    {lines: "1\n2\n", change: func(h *Header) { h.IdempotencyKey = "a\r\nb" }, err: "idempotency_key is"},
		"sources that are less than": {lines: "1\n2\n", change: func(h *Header) { h.SourcesLeftOut = -1 }, err: "sources_left_out is -1"},
		"a pointer with items":       {lines: "1\n2\n", change: func(h *Header) { h.Kind = KindPointer }, err: "sources has no bucket and key"},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := os.ReadFile("testdata/items.jsonl")
			require.NoError(t, err)
			line, _, _ := bytes.Cut(file, []byte{'\n'})
			var h Header
			require.NoError(t, json.Unmarshal(line, &h))
			if tc.change != nil {
				tc.change(&h)
			}
			sum := sha256.Sum256([]byte(tc.lines))
			h.PayloadSHA256 = hex.EncodeToString(sum[:])
			line, err = json.Marshal(h)
			require.NoError(t, err)
			o, err := Read(bytes.NewReader(gzipped(t, string(line)+"\n"+tc.lines)))
			if tc.err == "" {
				require.NoError(t, err)
				assert.Len(t, o.Items, 2)
				return
			}
			require.ErrorContains(t, err, tc.err)
			assert.Nil(t, o)
			assert.Less(t, len(err.Error()), 400)
		})
	}
}

// TestReadRefusesDamage cuts an object of several members at many places, and turns many of its bits.
func TestReadRefusesDamage(t *testing.T) {
	fake := newBucket()
	it := lost(strings.Split(strings.Repeat(`{"message":"one line of many"}|`, 200)+"1", "|")...)
	key, err := New(fake, testOptions).PutItems(t.Context(), Dead, it, dueAt)
	require.NoError(t, err)
	body, whole := fake.objects[key].body, fake.object(t, key)
	for n := range body {
		o, err := Read(bytes.NewReader(body[:n]))
		require.Error(t, err, "cut at %d", n)
		require.Nil(t, o)
		damaged := bytes.Clone(body)
		damaged[n] ^= 1 << (n % 8)
		if o, err = Read(bytes.NewReader(damaged)); err == nil {
			require.Equal(t, whole, o, "byte %d", n)
		}
	}
	// Members that were swapped, doubled or left out are whole in themselves.
	second := bytes.LastIndex(body, body[:3])
	require.Positive(t, second)
	for _, parts := range [][][]byte{{body[second:], body[:second]}, {body, body[second:]}, {body[:second]}, {body, body}} {
		_, err := Read(bytes.NewReader(bytes.Join(parts, nil)))
		require.Error(t, err)
	}
}
