package park

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func poison() Raw {
	return Raw{
		Entry:  EntryCloudWatch,
		Reason: Reason{Code: "decode_gzip", Class: "permanent", Message: "gunzip: https://in.example.com/canary: checksum is wrong"},
		At:     failedAt, RequestID: "8476a536-e9f4-11e8-9739-2dfe598c3fcd", Payload: []byte("{\"awslogs\":\x00\xff"),
	}
}

func TestPutRaw(t *testing.T) {
	fake := newBucket()
	store := New(fake, testOptions)
	key, err := store.PutRaw(t.Context(), poison())
	require.NoError(t, err)
	assert.Equal(t, "sluice/v1/dead-raw/cwl/2026/07/01/b6c4f43a0aa32acaeb9f724559f9939de05b0d7e54ced9c372e71c943d532af7.json", key)
	lying := fake.objects[key]
	golden(t, "raw.json", lying.body)
	assert.NotContains(t, string(lying.body), "canary")
	assert.Equal(t, "fwd-state=dead-raw", *lying.put.Tagging)
	assert.Equal(t, "application/json", *lying.put.ContentType)
	assert.Equal(t, "*", *lying.put.IfNoneMatch)
	assert.Equal(t, "alias/park", *lying.put.SSEKMSKeyId)

	raw, err := DecodeRaw(bytes.NewReader(lying.body))
	require.NoError(t, err)
	want := poison()
	want.Reason = Reason{Code: "decode_gzip", Message: "gunzip: https://in.example.com/… checksum is wrong"}
	want.At = stamp(failedAt)
	assert.Equal(t, want.Payload, raw.Payload)
	assert.Equal(t, want, raw)

	again := poison()
	again.RequestID, again.At, again.Reason.Message = "other\xff", failedAt.Add(-time.Hour), strings.Repeat("x", 5000)
	same, err := store.PutRaw(t.Context(), again)
	require.NoError(t, err)
	assert.Equal(t, key, same)
	assert.Len(t, fake.objects, 1, "the same poison is stored once")

	again.Payload = []byte("other")
	other, err := store.PutRaw(t.Context(), again)
	require.NoError(t, err)
	assert.NotEqual(t, key, other)
}

func TestPutRawAtItsLimits(t *testing.T) {
	fake := newBucket()
	store := New(fake, testOptions)
	for _, size := range []int{0, 1, 2, 3, 8 << 20} {
		raw := poison()
		raw.Payload = bytes.Repeat([]byte{0xff}, size)
		key, err := store.PutRaw(t.Context(), raw)
		require.NoError(t, err)
		got, err := DecodeRaw(bytes.NewReader(fake.objects[key].body))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(raw.Payload, got.Payload), size)
	}
	fake.asked = nil
	for name, tc := range map[string]struct {
		change func(*Raw)
		err    string
	}{
		"too large":        {func(raw *Raw) { raw.Payload = make([]byte, 8<<20+1) }, "payload has 8388609 bytes, want at most 8388608"},
		"an unknown entry": {func(raw *Raw) { raw.Entry = "../x" }, `entry is "../x", want one of`},
		"no reason":        {func(raw *Raw) { raw.Reason.Code = "" }, "reason.code"},
		"no time":          {func(raw *Raw) { raw.At = time.Time{} }, "at is no time after 1970"},
		"a time past keys": {func(raw *Raw) { raw.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "at is no time"},
	} {
		raw := poison()
		tc.change(&raw)
		_, err := store.PutRaw(context.Background(), raw)
		require.ErrorContains(t, err, tc.err, name)
	}
	assert.Empty(t, fake.asked)
	_, err := New(fake, Options{}).PutRaw(t.Context(), poison())
	require.ErrorContains(t, err, "no bucket is set")
}

func TestDecodeRawRefuses(t *testing.T) {
	file, err := os.ReadFile("testdata/raw.json")
	require.NoError(t, err)
	good := string(file)
	changed := func(from, to string) string {
		require.Contains(t, good, from)
		return strings.Replace(good, from, to, 1)
	}
	for name, tc := range map[string]struct{ object, err string }{
		"nothing":             {"", "not the JSON of raw input"},
		"cut":                 {good[:len(good)-1], "not the JSON of raw input"},
		"two":                 {good + good, "something follows its JSON"},
		"another schema":      {changed(`"schema":1`, `"schema":2`), "schema is 2, want 1"},
		"an unknown member":   {changed(`"schema"`, `"sort":1,"schema"`), `unknown field "sort"`},
		"another payload":     {changed(`"payload":"e`, `"payload":"f`), "are not those that source_id and payload_sha256 are of"},
		"another source":      {changed(`"source_id":"`, `"source_id":"0`), "are not those that source_id"},
		"no base64":           {changed(`"payload":"e`, `"payload":"*`), "not the JSON of raw input"},
		"an unknown entry":    {changed(`"cwl"`, `"ftp"`), "entry is"},
		"a reason of a path":  {changed(`"decode_gzip"`, `"a/b"`), "reason.code"},
		"a message too long":  {changed(`"message":"`, `"message":"`+strings.Repeat("x", 512)), "reason.message"},
		"a request id of MiB": {changed(`"request_id":"`, `"request_id":"`+strings.Repeat("x", 1<<20)), "a text has"},
		"without end":         {strings.Repeat(" ", 13<<20), "more than 12"},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := DecodeRaw(strings.NewReader(tc.object))
			require.ErrorContains(t, err, "raw input: ")
			require.ErrorContains(t, err, tc.err)
			assert.Less(t, len(err.Error()), 400)
			assert.Equal(t, Raw{}, raw)
		})
	}
	broken := errors.New("connection reset")
	_, err = DecodeRaw(io.MultiReader(strings.NewReader(good), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
}
