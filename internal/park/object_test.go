package park

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func gzipped(tb testing.TB, plain string) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, plain)
	require.NoError(tb, err)
	require.NoError(tb, w.Close())
	return b.Bytes()
}

func TestDecodeRefuses(t *testing.T) {
	golden, err := os.ReadFile("testdata/dead.json")
	require.NoError(t, err)
	good := string(golden)
	beforeSources, _, found := strings.Cut(good, `"sources"`)
	require.True(t, found)
	whole := gzipped(t, good)
	wrongSum := bytes.Clone(whole)
	wrongSum[len(wrongSum)-8] ^= 1
	changed := func(from, to string) []byte {
		require.Contains(t, good, from)
		return gzipped(t, strings.Replace(good, from, to, 1))
	}
	for name, tc := range map[string]struct {
		object []byte
		err    string
	}{
		"nothing":                  {nil, "parked object: "},
		"no gzip":                  {golden, "parked object: "},
		"cut":                      {whole[:len(whole)-1], "unexpected EOF"},
		"a wrong checksum":         {wrongSum, "parked object: "},
		"text behind the gzip":     {append(bytes.Clone(whole), "x"...), "parked object: "},
		"an empty line":            {gzipped(t, "\n"), "header: it is not the JSON of a header"},
		"no line":                  {gzipped(t, ""), "header: its line has no end"},
		"no end of the line":       {gzipped(t, strings.TrimSpace(good)), "header: its line has no end"},
		"a line without end":       {gzipped(t, strings.Repeat(" ", 1<<20)+good), "header: it has more than 1048576 bytes"},
		"no object":                {gzipped(t, "null\n"), "schema is 0, want 1"},
		"two objects":              {gzipped(t, "{} {}\n"), "something follows its JSON"},
		"another schema":           {changed(`"schema":1`, `"schema":2`), "schema is 2, want 1"},
		"another kind":             {changed(`"kind":"pointer"`, `"kind":"files"`), `kind is "files", which this version does not know`},
		"a pointer with encoding":  {changed(`"count":0`, `"count":0,"encoding":"base64"`), `encoding is "base64" in a pointer`},
		"an unknown member":        {changed(`"kind"`, `"sort":1,"kind"`), `unknown field "sort"`},
		"another type":             {changed(`"attempt":1`, `"attempt":"1"`), "not the JSON of a header"},
		"a path for a destination": {changed(`"id":"dd-main"`, `"id":"../x"`), "dest.id"},
		"no source":                {gzipped(t, beforeSources+"\"sources\":[]}\n"), "sources is empty"},
		"a line behind the header": {gzipped(t, good+"{}\n"), "payload: its 3 bytes are not those that payload_sha256 is of"},
		"a message too long":       {changed(`"message":"`, `"message":"`+strings.Repeat("x", 512)), "reason.message has 551 bytes"},
		"a pointer with a payload": {
			gzipped(t, strings.Replace(good, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
				"ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356", 1)+"{}\n"), "payload: a pointer has none, this one has 3 bytes",
		},
		"a long unknown member": {changed(`"kind"`, `"`+strings.Repeat("s", 5000)+`":1,"kind"`), "unknown field"},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := Decode(bytes.NewReader(tc.object))
			require.ErrorContains(t, err, tc.err)
			assert.Less(t, len(err.Error()), 400)
			assert.Equal(t, Header{}, h, "never a part")
		})
	}
	for n := range whole {
		_, err := Decode(bytes.NewReader(whole[:n]))
		require.Error(t, err, "cut at %d", n)
	}
}

func TestDecodeWrapsErrorsOfItsReader(t *testing.T) {
	broken := errors.New("connection reset")
	object, err := os.ReadFile("testdata/dead.json")
	require.NoError(t, err)
	object = gzipped(t, string(object))
	for _, n := range []int{0, 5, 100, len(object)} {
		_, err := Decode(io.MultiReader(bytes.NewReader(object[:n]), iotest.ErrReader(broken)))
		require.ErrorIs(t, err, broken)
	}
}

func TestDecodeStopsAtItsLimit(t *testing.T) {
	object, err := os.ReadFile("testdata/dead.json")
	require.NoError(t, err)
	zeros := gzipped(t, string(make([]byte, 1<<20)))
	packed := append(gzipped(t, string(object)), bytes.Repeat(zeros, 3)...)
	_, err = decode(bytes.NewReader(packed), 2<<20)
	require.ErrorContains(t, err, "payload: ")
	assert.NotContains(t, err.Error(), "payload_sha256", "it was not read to its end")
}
