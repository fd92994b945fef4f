package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
)

var (
	now    = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)
	client = &http.Client{Timeout: time.Minute}
)

func TestWriteCorpus(t *testing.T) {
	const sizeBytes = 100_000
	var packed, again bytes.Buffer
	c, err := writeCorpus(&packed, sizeBytes, now)
	require.NoError(t, err)
	_, err = writeCorpus(&again, sizeBytes, now)
	require.NoError(t, err)
	assert.Equal(t, packed.Bytes(), again.Bytes(), "equal sizes and times give equal bytes")

	r, err := gzip.NewReader(&packed)
	require.NoError(t, err)
	var plain strings.Builder
	n, err := r.WriteTo(&plain)
	require.NoError(t, err)
	assert.Equal(t, c.plainBytes, n)
	assert.GreaterOrEqual(t, n, int64(sizeBytes))
	assert.Less(t, n, int64(sizeBytes+2_000))
	seq := 0
	for line := range strings.Lines(plain.String()) {
		seq++
		mark, found, intact := generate.FindMark(strings.TrimSuffix(line, "\n"))
		assert.True(t, found && intact)
		assert.Equal(t, generate.Mark{Src: lineSource, Seq: seq}, mark)
	}
	assert.Equal(t, c.lines, seq)
}

func TestWriteCorpusEndsWithItsWriter(t *testing.T) {
	s, err := newSink(0)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = writeCorpus(s.file, 1<<20, now)
	assert.ErrorContains(t, err, "closed")
}

func lineOf(seq int) string {
	return generate.ALB(rand.New(rand.NewPCG(1, uint64(seq))), now, generate.Mark{Src: lineSource, Seq: seq})
}

// bodyOf is the array of items with these messages.
func bodyOf(t *testing.T, messages ...string) string {
	t.Helper()
	items := []map[string]any{}
	for _, m := range messages {
		items = append(items, map[string]any{"ddsource": "elb", "message": m})
	}
	b, err := json.Marshal(items)
	require.NoError(t, err)
	return string(b)
}

// pack applies a Content-Encoding.
func pack(t *testing.T, encoding, plain string) string {
	t.Helper()
	var b bytes.Buffer
	switch encoding {
	case "gzip":
		w := gzip.NewWriter(&b)
		_, err := w.Write([]byte(plain))
		require.NoError(t, err)
		require.NoError(t, w.Close())
	case "zstd":
		w, err := zstd.NewWriter(&b)
		require.NoError(t, err)
		_, err = w.Write([]byte(plain))
		require.NoError(t, err)
		require.NoError(t, w.Close())
	default:
		b.WriteString(plain)
	}
	return b.String()
}

// post sends bodies to a sink of its own, one after the other.
func post(t *testing.T, encoding string, bodies ...string) *sink {
	t.Helper()
	s, err := newSink(time.Millisecond)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	for _, body := range bodies {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL(), strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Encoding", encoding)
		resp, err := client.Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusAccepted, resp.StatusCode)
	}
	return s
}

func TestVerifyCountsWhatArrived(t *testing.T) {
	const lines = 3
	one, two, three := lineOf(1), lineOf(2), lineOf(3)
	for name, tc := range map[string]struct {
		bodies [][]string // messages of each
		want   tally
	}{
		"every line once, in any order": {[][]string{{three, one}, {two}}, tally{arrived: 3}},
		"a line is lost":                {[][]string{{one}, {three}}, tally{arrived: 2}},
		"a line came twice":             {[][]string{{one, two}, {two, three}}, tally{arrived: 3, twice: 1}},
		"a byte is another": {
			[][]string{{one, strings.Replace(two, "orders", "0rders", 1), three}}, tally{arrived: 2, damaged: 1},
		},
		"a line is cut":              {[][]string{{one, two[:len(two)-1]}}, tally{arrived: 1, damaged: 1}},
		"a line of something else":   {[][]string{{"hello"}}, tally{damaged: 1}},
		"a line of a larger object":  {[][]string{{lineOf(4)}}, tally{damaged: 1}},
		"an empty array":             {[][]string{{}}, tally{}},
		"nothing was sent":           {nil, tally{}},
		"the last line of a word":    {[][]string{{lineOf(lines)}}, tally{arrived: 1}},
		"a line that nobody numbers": {[][]string{{lineOf(0)}}, tally{damaged: 1}},
	} {
		for _, encoding := range []string{"", "gzip", "zstd"} {
			t.Run(name+" "+encoding, func(t *testing.T) {
				var bodies []string
				for _, messages := range tc.bodies {
					bodies = append(bodies, pack(t, encoding, bodyOf(t, messages...)))
				}
				s := post(t, encoding, bodies...)
				kept, err := s.taken()
				require.NoError(t, err)
				got, err := verify(s, kept, lines)
				require.NoError(t, err)
				assert.Equal(t, tc.want, got)
			})
		}
	}
}

func TestVerifyRefusesWhatIsNoBody(t *testing.T) {
	whole := bodyOf(t, lineOf(1))
	packed := pack(t, "gzip", whole)
	for name, tc := range map[string]struct{ body, encoding, says string }{
		"an object":                    {"{}", "", "not with an array"},
		"nothing":                      {"", "", "not with an array"},
		"it ends in an item":           {whole[:50], "", "read the item"},
		"the array does not end":       {strings.TrimSuffix(whole, "]"), "", "read"},
		"two arrays":                   {whole + whole, "", "follows the array"},
		"gzip without its end":         {packed[:len(packed)-4], "gzip", "follows the array"},
		"plain text that is no gzip":   {whole, "gzip", "gunzip"},
		"plain text that is no zstd":   {whole, "zstd", "not with an array"},
		"a coding that nobody asks of": {whole, "br", `Content-Encoding is "br"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := post(t, tc.encoding, tc.body)
			kept, err := s.taken()
			require.NoError(t, err)
			_, err = verify(s, kept, 1)
			assert.ErrorContains(t, err, "body 1 of 1")
			assert.ErrorContains(t, err, tc.says)
		})
	}
}

func TestSinkRefusesABodyOverTheLimit(t *testing.T) {
	s, err := newSink(0)
	require.NoError(t, err)
	defer s.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL(), bytes.NewReader(make([]byte, maxBodyBytes+1)))
	require.NoError(t, err)
	if resp, err := client.Do(r); err == nil { // it may be cut off while it sends
		assert.Equal(t, http.StatusInternalServerError, resp.StatusCode)
		resp.Body.Close()
	}
	_, err = s.taken()
	assert.ErrorContains(t, err, "read a body")
}
