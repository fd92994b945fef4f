package park

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProgress(t *testing.T) {
	fake := newBucket()
	store := New(fake, testOptions)
	p, found, err := store.Progress(t.Context(), "ab12")
	require.NoError(t, err)
	assert.False(t, found)
	assert.Equal(t, Progress{}, p)

	first := Progress{Records: 4096, Offset: 64 << 20, Hop: 2, At: failedAt, Event: "059f36b4-87a3-44ab-83d2-661975830a7d"}
	require.NoError(t, store.PutProgress(t.Context(), "ab12", first))
	first.At = stamp(failedAt)
	p, found, err = store.Progress(t.Context(), "ab12")
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, first, p)

	lying := fake.objects["sluice/v1/progress/ab12.json"]
	require.NotNil(t, lying)
	assert.JSONEq(t, `{"schema":1,"line":4096,"offset":67108864,"hop":2,"ts":"2026-07-01T21:59:59.123Z",
		"event":"059f36b4-87a3-44ab-83d2-661975830a7d"}`, string(lying.body))
	assert.Equal(t, "fwd-state=progress", *lying.put.Tagging)
	assert.Equal(t, "alias/park", *lying.put.SSEKMSKeyId)
	assert.Nil(t, lying.put.IfNoneMatch)
	assert.Nil(t, lying.put.IfMatch)

	require.NoError(t, store.PutProgress(t.Context(), "ab12", Progress{Done: true}), "it takes the place of what was there")
	p, found, err = store.Progress(t.Context(), "ab12")
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, Progress{Done: true}, p)
}

func TestProgressRefuses(t *testing.T) {
	fake := newBucket()
	store := New(fake, testOptions)
	for _, id := range []string{"", "a/b", "..", "a-b", strings.Repeat("a", 129)} {
		require.ErrorContains(t, store.PutProgress(t.Context(), id, Progress{}), "want an id")
		_, _, err := store.Progress(t.Context(), id)
		require.ErrorContains(t, err, "want an id")
	}
	for _, p := range []Progress{
		{Records: -1}, {Offset: -1}, {Hop: -1}, {At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		require.ErrorContains(t, store.PutProgress(t.Context(), "a", p), "marker of progress: ")
	}
	assert.Empty(t, fake.asked)
	require.ErrorContains(t, New(fake, Options{}).PutProgress(t.Context(), "a", Progress{}), "no bucket is set")
	_, _, err := New(fake, Options{}).Progress(t.Context(), "a")
	require.ErrorContains(t, err, "no bucket is set")
}

// TestMarksThatDoNotCount lays what is no sound mark, or fails the reading of it.
func TestMarksThatDoNotCount(t *testing.T) {
	reset := errors.New("connection reset")
	for name, tc := range map[string]struct {
		content string
		fail    error
		body    func(io.Reader) io.Reader
		err     string
	}{
		"nothing":                    {content: ""},
		"no JSON":                    {content: "later"},
		"null":                       {content: "null"},
		"another schema":             {content: `{"schema":2}`},
		"an unknown member":          {content: `{"schema":1,"sort":1}`},
		"below 0":                    {content: `{"schema":1,"line":-1}`},
		"something behind it":        {content: `{"schema":1,"until":"2026-07-01T21:59:59Z"}1`},
		"a time without its mark":    {content: `{"schema":1,"until":"0001-01-01T00:00:00Z"}`},
		"too long":                   {content: strings.Repeat(" ", 1<<16) + `{"schema":1,"until":"2026-07-01T21:59:59Z"}`},
		"denied, as it may be there": {fail: refusal(http.StatusForbidden, "AccessDenied")},
		"gone":                       {fail: refusal(http.StatusNotFound, "NoSuchKey")},
		"throttled":                  {fail: refusal(http.StatusServiceUnavailable, "SlowDown"), err: "try again later"},
		"no network":                 {fail: reset, err: "connection reset"},
		"cut on its way":             {content: `{"schema`, body: func(r io.Reader) io.Reader { return io.MultiReader(r, iotest.ErrReader(reset)) }, err: "connection reset"},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newBucket()
			store := New(fake, testOptions)
			fake.lay("sluice/v1/progress/a.json", []byte(tc.content))
			fake.lay("sluice/v1/breaker/a.json", []byte(tc.content))
			fake.fail, fake.body = on("GET", 2, tc.fail), tc.body
			p, found, err := store.Progress(t.Context(), "a")
			assert.False(t, found)
			assert.Equal(t, Progress{}, p)
			until, hintErr := store.Hint(t.Context(), "a")
			assert.Zero(t, until)
			if tc.err == "" {
				require.NoError(t, errors.Join(err, hintErr))
				return
			}
			require.ErrorContains(t, err, "read s3://example-park/sluice/v1/progress/a.json: ")
			require.ErrorContains(t, err, tc.err)
			require.ErrorContains(t, hintErr, tc.err)
		})
	}
}

func TestPutProgressExplains(t *testing.T) {
	fake := newBucket()
	fake.fail = on("PUT", 1, refusal(http.StatusForbidden, "AccessDenied"))
	err := New(fake, testOptions).PutProgress(t.Context(), "a", Progress{})
	require.ErrorContains(t, err, "write s3://example-park/sluice/v1/progress/a.json: ")
	require.ErrorContains(t, err, "grant s3:PutObject and s3:PutObjectTagging on example-park/sluice/v1/*")
}

const hintPath = "sluice/v1/breaker/dd-main.json"

func TestHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newBucket()
		store := New(fake, testOptions)
		shelf := NewShelf(fake, testOptions)
		hint := func() time.Time {
			until, err := store.Hint(t.Context(), "dd-main")
			require.NoError(t, err)
			return until
		}
		assert.Zero(t, hint())
		first := time.Now().Add(time.Minute).UTC()
		require.NoError(t, store.PutHint(t.Context(), "dd-main", first, "post https://in.example.com/canary: 503"))
		assert.Equal(t, first, hint())
		lying := fake.objects[hintPath]
		assert.Equal(t, "fwd-state=lease", *lying.put.Tagging)
		assert.NotContains(t, string(lying.body), "canary")

		require.NoError(t, store.PutHint(t.Context(), "dd-main", first.Add(time.Hour), "later"))
		assert.Equal(t, first, hint(), "the first one wins")
		time.Sleep(time.Minute)
		assert.Equal(t, first, hint(), "it has ended, and the caller sees that")
		require.NoError(t, store.PutHint(t.Context(), "dd-main", first.Add(2*time.Minute), "again"))
		assert.Equal(t, first.Add(2*time.Minute), hint())

		require.NoError(t, shelf.ClearHint(t.Context(), "dd-main"))
		require.NoError(t, shelf.ClearHint(t.Context(), "dd-main"), "there is none")
		assert.Zero(t, hint())

		fake.lay(hintPath, []byte("broken"))
		require.NoError(t, store.PutHint(t.Context(), "dd-main", first, ""))
		assert.Equal(t, first, hint(), "one that cannot be read has no say")
	})
}

func TestPutHintGivesWay(t *testing.T) {
	ended := []byte(`{"schema":1,"until":"2026-07-01T21:59:59Z"}`)
	for name, tc := range map[string]struct {
		lying    []byte
		fail     func(string) error
		requests int
		err      string
	}{
		"another one is writing":       {fail: on("PUT", 1, refusal(409, "ConditionalRequestConflict")), requests: 1},
		"denied":                       {fail: on("PUT", 1, refusal(403, "AccessDenied")), requests: 1, err: "grant s3:PutObject"},
		"no bucket":                    {fail: on("PUT", 1, refusal(404, "NoSuchBucket")), requests: 1, err: "create the bucket"},
		"cleared at this moment":       {lying: ended, fail: on("GET", 1, refusal(404, "NoSuchKey")), requests: 2},
		"may not be read":              {lying: ended, fail: on("GET", 1, refusal(403, "AccessDenied")), requests: 2},
		"cannot be read now":           {lying: ended, fail: on("GET", 1, refusal(503, "SlowDown")), requests: 2, err: "read s3://"},
		"another one was faster":       {lying: ended, fail: second(refusal(412, "PreconditionFailed")), requests: 3},
		"another one is being written": {lying: ended, fail: second(refusal(409, "ConditionalRequestConflict")), requests: 3},
		"cleared in between":           {lying: ended, fail: second(refusal(404, "NoSuchKey")), requests: 3},
		"throttled":                    {lying: ended, fail: second(refusal(503, "SlowDown")), requests: 3, err: "write s3://"},
		"done":                         {lying: ended, requests: 3},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newBucket()
			if tc.lying != nil {
				fake.lay(hintPath, tc.lying)
			}
			fake.fail = tc.fail
			store := New(fake, testOptions)
			store.now = func() time.Time { return failedAt.Add(time.Hour) }
			err := store.PutHint(t.Context(), "dd-main", failedAt.Add(2*time.Hour), "http_503")
			assert.Len(t, fake.asked, tc.requests)
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
}

// second fails the second write.
func second(err error) func(string) error {
	n := 0
	return func(request string) error {
		if strings.HasPrefix(request, "PUT") {
			if n++; n == 2 {
				return err
			}
		}
		return nil
	}
}

func TestHintRefuses(t *testing.T) {
	fake := newBucket()
	store, shelf := New(fake, testOptions), NewShelf(fake, testOptions)
	for _, dest := range []string{"", "../x", "DD", strings.Repeat("a", 33)} {
		require.ErrorContains(t, store.PutHint(t.Context(), dest, failedAt, ""), "hint for the destination")
		_, err := store.Hint(t.Context(), dest)
		require.ErrorContains(t, err, "hint for the destination")
		require.ErrorContains(t, shelf.ClearHint(t.Context(), dest), "hint for the destination")
	}
	require.ErrorContains(t, store.PutHint(t.Context(), "dd-main", time.Time{}, ""), "until is no time")
	assert.Empty(t, fake.asked)
	require.ErrorContains(t, New(fake, Options{}).PutHint(t.Context(), "dd-main", failedAt, ""), "no bucket is set")
	fake.fail = on("DELETE", 1, refusal(http.StatusForbidden, "AccessDenied"))
	require.ErrorContains(t, shelf.ClearHint(t.Context(), "dd-main"), "grant s3:DeleteObject")
}
