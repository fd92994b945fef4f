package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
)

var noon = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

func objectsAtNoon(t *testing.T) []*object {
	t.Helper()
	list, err := objects(generate.New(seed, noon), noon)
	require.NoError(t, err)
	return list
}

// plain unpacks a body as far as it goes.
func plain(t *testing.T, body []byte) (text []byte, whole bool) {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	switch {
	case bytes.HasPrefix(body, []byte("\x1f\x8b")):
		unpacked, err := gzip.NewReader(r)
		require.NoError(t, err)
		r = unpacked
	case bytes.HasPrefix(body, []byte("\x28\xb5\x2f\xfd")):
		unpacked, err := zstd.NewReader(r)
		require.NoError(t, err)
		defer unpacked.Close()
		r = unpacked
	}
	text, err := io.ReadAll(r)
	if err != nil {
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	}
	return text, err == nil
}

func TestObjects(t *testing.T) {
	routes, keys := map[route]bool{}, map[string]bool{}
	for _, o := range objectsAtNoon(t) {
		routes[o.route], keys[o.key] = true, true
		body, complete := plain(t, o.body)
		assert.NotEmpty(t, body, o.what)
		assert.Equal(t, o.readable == whole, complete, o.what)
		checkLines(t, o, string(body))
		if o.cutAfter > 0 {
			assert.Less(t, 2*o.cutAfter, int64(len(o.body)), "the cut is in the middle")
		}
	}
	assert.Len(t, routes, 7, "every route has an object")
	assert.Len(t, keys, len(objectsAtNoon(t)), "the audit tells objects apart by their keys")
}

// checkLines sees that the audit can tell every line of an object, and that those it tells by their text are there.
func checkLines(t *testing.T, o *object, body string) {
	t.Helper()
	for i, line := range o.lines {
		require.Equal(t, o.key, line.Payload, o.what)
		known := line.Message != "" || line.Rule != "" || line.Mark != generate.Mark{}
		require.True(t, known, "%s: line %d cannot be found again", o.what, i)
		if line.Message == "" || o.readable != whole {
			continue
		}
		_, rest, found := strings.Cut(body, line.Message) // they are in order
		require.True(t, found, "%s: line %d is not in the object", o.what, i)
		body = rest
	}
}

func TestTruncate(t *testing.T) {
	c := text(generate.New(seed, noon), generate.ALB)
	all := c.body

	short, err := truncate(gzipped(c))

	require.NoError(t, err)
	complete := len(short.lines) - 1
	assert.Positive(t, complete)
	assert.Less(t, complete, objectLines)
	assert.Equal(t, complete, bytes.Count(all[:short.readable], []byte("\n")))
	assert.Equal(t, byte('\n'), all[short.readable-1])
	assert.Equal(t, generate.Mark{}, short.lines[complete].Mark, "the rest is one line more")
}

func TestFailedDelivery(t *testing.T) {
	c, err := failedDelivery(generate.New(seed, noon), noon)
	require.NoError(t, err)
	var found, packed int
	for line := range bytes.Lines(c.body) {
		var r failedRecord
		require.NoError(t, json.Unmarshal(line, &r))
		if bytes.HasPrefix(r.Data, []byte("\x1f\x8b")) {
			packed++
			text, _ := plain(t, r.Data)
			found += bytes.Count(text, []byte(`"timestamp":`))
			continue
		}
		found += bytes.Count(r.Data, []byte("\n"))
	}
	assert.Equal(t, firehosePayloads/2, packed)
	assert.Len(t, c.lines, found)
	for _, line := range c.lines {
		assert.NotEqual(t, generate.Mark{}, line.Mark)
	}
}

func TestWriteLines(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, writeLines(&b, 3))
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	require.Len(t, lines, 3)
	for i, line := range lines {
		assert.GreaterOrEqual(t, len(line), lineBytes)
		mark, found, intact := generate.FindMark(line)
		assert.True(t, found && intact)
		assert.Equal(t, generate.Mark{Src: largeSource, Seq: i + 1}, mark)
	}
}

func TestWriteLinesEndsWithItsReader(t *testing.T) {
	r, w := io.Pipe()
	gone := errors.New("gone")
	r.CloseWithError(gone)
	assert.ErrorIs(t, writeLines(w, 1_000), gone)
}
