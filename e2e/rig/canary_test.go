package rig

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const word = "canary/0123456789abcdef%+payload"

func percented(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, "%%%02x", c)
	}
	return b.String()
}

func TestFormsAreFound(t *testing.T) {
	forms := formsOf(word)
	for name, text := range map[string]string{
		"as it is":                  "x" + word + "y",
		"hex":                       "x" + hex.EncodeToString([]byte("a"+word+"b")),
		"hex in capitals":           strings.ToUpper(hex.EncodeToString([]byte("a" + word + "b"))),
		"a query":                   "q=" + url.QueryEscape("a"+word+"b"),
		"a path":                    "/" + url.PathEscape("a"+word+"b"),
		"every byte escaped":        percented(word),
		"escaped in capitals":       strings.ToUpper(percented(word)),
		"base64":                    base64.StdEncoding.EncodeToString([]byte(word)),
		"base64 behind a byte":      base64.StdEncoding.EncodeToString([]byte("a" + word + "b")),
		"base64 behind two":         base64.StdEncoding.EncodeToString([]byte("ab" + word + "b")),
		"base64 behind three":       base64.StdEncoding.EncodeToString([]byte("abc" + word + "bc")),
		"base64 of URLs, behind it": base64.URLEncoding.EncodeToString([]byte("a\xff" + word + "\xff")),
	} {
		assert.True(t, containsAny([]byte(text), forms), name)
	}
	for _, text := range []string{"", "canary", strings.ToUpper(word), base64.StdEncoding.EncodeToString([]byte("payload and more of it"))} {
		assert.False(t, containsAny([]byte(text), forms), text)
	}
}

func packed(t *testing.T, head, items string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(head + "\n" + items))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// Lines' text belongs into items and raw input; keys belong nowhere.
func TestSearchOfTheStore(t *testing.T) {
	const secret = "deadbeefdeadbeefdeadbeefdeadbeef"
	name := parkRoot + "pending/dd/1-x"
	for what, tc := range map[string]struct {
		key      string
		body     []byte
		metadata map[string]string
		hit      string
	}{
		"a line in an item":                {key: name, body: packed(t, "{}", word)},
		"a line in the header":             {key: name, body: packed(t, word, "{}"), hit: "the header of " + name + " holds a line's text"},
		"a line in the metadata":           {key: name, body: packed(t, "{}", ""), metadata: map[string]string{"reason": word}, hit: "the metadata of " + name},
		"a line in the key":                {key: name + word, body: packed(t, "{}", ""), hit: "the key"},
		"a key in an item":                 {key: name, body: packed(t, "{}", secret), hit: "an item of " + name + " holds an API key"},
		"a key in the header, as base64":   {key: name, body: packed(t, base64.StdEncoding.EncodeToString([]byte(secret)), ""), hit: "the header of " + name},
		"a line in raw input":              {key: parkRoot + "dead-raw/x", body: []byte(`{"payload":"` + word + `"}`)},
		"a line in the reason of it":       {key: parkRoot + "dead-raw/x", body: []byte(`{"reason":"` + word + `","payload":""}`), hit: "the header of"},
		"a key in raw input":               {key: parkRoot + "dead-raw/x", body: []byte(`{"payload":"` + secret + `"}`), hit: "holds an API key"},
		"a line in a marker":               {key: parkRoot + "breaker/dd.json", body: []byte(word), hit: "breaker/dd.json holds a line's text"},
		"a line in what Lambda keeps":      {key: "aws/lambda/async/f/x", body: []byte(word)},
		"a key in what Lambda keeps":       {key: "aws/lambda/async/f/x", body: []byte(secret), hit: "holds an API key"},
		"an object that cannot be opened":  {key: name, body: []byte(word), hit: "the header of"},
		"raw input that cannot be decoded": {key: parkRoot + "dead-raw/x", body: []byte(word), hit: "the header of"},
	} {
		t.Run(what, func(t *testing.T) {
			s := &search{secrets: formsOf(secret), payloads: formsOf(word)}

			s.stored(tc.key, tc.body, tc.metadata)

			if tc.hit == "" {
				assert.Empty(t, s.hits)
				return
			}
			require.NotEmpty(t, s.hits)
			assert.Contains(t, s.hits[0], tc.hit)
		})
	}
}
