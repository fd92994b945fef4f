package park

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stocked is a store with two items pending.
func stocked(t *testing.T) (*bucket, *Shelf, Entry) {
	t.Helper()
	fake := newBucket()
	key, err := New(fake, testOptions).PutItems(t.Context(), Pending, lost(`{"n":1}`, `{"n":2}`), dueAt)
	require.NoError(t, err)
	e := fake.entry(t, Pending, key)
	fake.asked = nil
	return fake, NewShelf(fake, testOptions), e
}

func TestGet(t *testing.T) {
	fake, shelf, e := stocked(t)
	o, err := shelf.Get(t.Context(), e)
	require.NoError(t, err)
	assert.Equal(t, []string{`{"n":1}`, `{"n":2}`}, textsOf(o.Items))
	assert.Equal(t, "MZXW6YTBOI2DKNRXHA4TAMJSGM.0", o.Header.SendID())
	assert.Equal(t, []string{"GET " + e.Key}, fake.asked)
	raw, err := shelf.Raw(t.Context(), e)
	require.NoError(t, err)
	assert.Equal(t, fake.objects[e.Key].body, raw)

	pointer, err := shelf.store.PutPending(t.Context(), tail(), dueAt)
	require.NoError(t, err)
	o, err = shelf.Get(t.Context(), fake.entry(t, Pending, pointer))
	require.NoError(t, err)
	assert.Equal(t, KindPointer, o.Header.Kind)
	assert.Nil(t, o.Items)
}

func TestGetSaysWhatIsWrong(t *testing.T) {
	reset := errors.New("connection reset")
	for name, tc := range map[string]struct {
		change  func(*bucket, *Entry)
		gone    bool
		corrupt bool
		err     string
	}{
		"deleted":  {change: func(b *bucket, e *Entry) { delete(b.objects, e.Key) }, gone: true},
		"replaced": {change: func(b *bucket, e *Entry) { b.lay(e.Key, b.objects[e.Key].body) }, gone: true},
		"no bucket": {
			change: func(b *bucket, _ *Entry) { b.fail = on("GET", 1, refusal(404, "NoSuchBucket")) }, err: "create the bucket",
		},
		"denied": {
			change: func(b *bucket, _ *Entry) { b.fail = on("GET", 1, refusal(403, "AccessDenied")) }, err: "grant s3:GetObject on example-park/sluice/v1/*",
		},
		"key disabled": {
			change: func(b *bucket, _ *Entry) { b.fail = on("GET", 1, refusal(400, "KMS.DisabledException")) }, err: "kms:Decrypt",
		},
		"throttled": {
			change: func(b *bucket, _ *Entry) { b.fail = on("GET", 1, refusal(503, "SlowDown")) }, err: "try again later",
		},
		"cut on its way": {
			change: func(b *bucket, _ *Entry) {
				b.body = func(r io.Reader) io.Reader { return io.MultiReader(io.LimitReader(r, 100), iotest.ErrReader(reset)) }
			}, err: "connection reset: nothing has changed",
		},
		"cut behind its end": {
			change: func(b *bucket, _ *Entry) {
				b.body = func(r io.Reader) io.Reader { return io.MultiReader(r, iotest.ErrReader(io.ErrUnexpectedEOF)) }
			}, err: "unexpected EOF: nothing has changed",
		},
		"cut where it lies": {
			change:  func(b *bucket, e *Entry) { o := b.objects[e.Key]; o.body = o.body[:len(o.body)-1] },
			corrupt: true, err: "unexpected EOF",
		},
		"a byte is another": {
			change:  func(b *bucket, e *Entry) { o := b.objects[e.Key]; o.body[len(o.body)-6] ^= 1 },
			corrupt: true, err: "checksum",
		},
		"no gzip": {
			change: func(b *bucket, e *Entry) { b.objects[e.Key].body = []byte("{}") }, corrupt: true, err: "parked object: ",
		},
		"for another destination": {
			change: func(b *bucket, e *Entry) {
				from := e.Key
				e.Key = strings.Replace(from, "dd-main", "loki", 1)
				e.Dest = "loki"
				b.objects[e.Key] = b.objects[from]
			}, corrupt: true, err: `its header says that it is for "dd-main"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			fake, shelf, e := stocked(t)
			tc.change(fake, &e)
			o, err := shelf.Get(t.Context(), e)
			require.ErrorContains(t, err, tc.err)
			assert.Nil(t, o)
			_, isCorrupt := errors.AsType[*CorruptError](err)
			assert.Equal(t, tc.corrupt, isCorrupt)
			assert.Equal(t, tc.gone, errors.Is(err, ErrGone))
			if tc.corrupt {
				_, err = shelf.Raw(t.Context(), e)
				assert.NoError(t, err, "its bytes are there")
				return
			}
			_, err = shelf.Raw(t.Context(), e)
			assert.Equal(t, tc.gone, errors.Is(err, ErrGone))
		})
	}
}

func TestRawIsBounded(t *testing.T) {
	fake, shelf, e := stocked(t)
	fake.body = func(io.Reader) io.Reader { return io.LimitReader(endless{}, 64<<20+1) }
	_, err := shelf.Raw(t.Context(), e)
	require.ErrorContains(t, err, "it has more than 67108864 bytes")
	_, err = shelf.Bury(t.Context(), e, "store_corrupt", failedAt)
	require.ErrorContains(t, err, "it has more than 67108864 bytes")
	assert.Len(t, fake.objects, 1)
}

// endless are zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestDelete(t *testing.T) {
	fake, shelf, e := stocked(t)
	fake.lay(e.Key, []byte("another"))
	err := shelf.Delete(t.Context(), e)
	require.ErrorContains(t, err, "another object has taken its place")
	assert.Len(t, fake.objects, 1)

	e = fake.entry(t, Pending, e.Key)
	fake.fail = on("DELETE", 1, refusal(http.StatusForbidden, "AccessDenied"))
	require.ErrorContains(t, shelf.Delete(t.Context(), e), "grant s3:DeleteObject")
	fake.fail = on("DELETE", 1, refusal(http.StatusNotFound, "NoSuchBucket"))
	require.ErrorContains(t, shelf.Delete(t.Context(), e), "create the bucket")
	assert.Len(t, fake.objects, 1)
	require.NoError(t, shelf.Delete(t.Context(), e))
	assert.Empty(t, fake.objects)
	require.NoError(t, shelf.Delete(t.Context(), e), "it is gone already")

	fake, shelf, e = stocked(t)
	fake.plain = true
	require.NoError(t, shelf.Delete(t.Context(), e))
	assert.Empty(t, fake.objects)
	assert.Len(t, fake.asked, 2)
}

func TestBury(t *testing.T) {
	fake, shelf, e := stocked(t)
	body := bytes.Clone(fake.objects[e.Key].body)
	key, err := shelf.Bury(t.Context(), e, "exhausted", failedAt)
	require.NoError(t, err)
	assert.Equal(t, "sluice/v1/dead/dd-main/exhausted/2026/07/01/MZXW6YTBOI2DKNRXHA4TAMJSGM.0.a01.jsonl.gz", key)
	require.Equal(t, []string{key}, fake.keys())
	assert.Equal(t, body, fake.objects[key].body)
	in := fake.objects[key].put
	assert.Equal(t, "fwd-state=dead", *in.Tagging)
	assert.Equal(t, "*", *in.IfNoneMatch)
	assert.Equal(t, "exhausted", in.Metadata["reason"])
	assert.Equal(t, "2", in.Metadata["count"])

	// A person may replay it from there, and it can be buried again.
	dead := fake.entry(t, Dead, key)
	assert.Equal(t, []any{"exhausted", "MZXW6YTBOI2DKNRXHA4TAMJSGM.0", 1, e.ID}, []any{dead.Reason, dead.ID, dead.Attempt, dead.ID})
	o, err := shelf.Get(t.Context(), dead)
	require.NoError(t, err)
	assert.Len(t, o.Items, 2)
	key, err = shelf.Bury(t.Context(), dead, "too_old", failedAt)
	require.NoError(t, err)
	assert.Equal(t, []string{strings.Replace(dead.Key, "exhausted", "too_old", 1)}, fake.keys())
	assert.Equal(t, fake.keys()[0], key)
}

func TestBuryLosesNothing(t *testing.T) {
	const there = "sluice/v1/dead/dd-main/store_corrupt/2026/07/01/MZXW6YTBOI2DKNRXHA4TAMJSGM.0.a01.jsonl.gz"
	for name, tc := range map[string]struct {
		change func(*bucket, Entry)
		keys   int // that are left
		err    string
	}{
		"stopped before the deletion, last time": {
			change: func(b *bucket, e Entry) { b.lay(there, b.objects[e.Key].body) }, keys: 1,
		},
		"another one of that name": {change: func(b *bucket, _ Entry) { b.lay(there, []byte("another")) }, keys: 2},
		"another one that cannot be compared": {
			change: func(b *bucket, e Entry) {
				b.lay(there, b.objects[e.Key].body)
				b.fail = on("GET "+there, 1, refusal(503, "SlowDown"))
			}, keys: 2,
		},
		"no write":    {change: func(b *bucket, _ Entry) { b.fail = on("PUT", 9, refusal(503, "SlowDown")) }, keys: 1, err: "nothing is parked"},
		"no read":     {change: func(b *bucket, _ Entry) { b.fail = on("GET", 9, refusal(503, "SlowDown")) }, keys: 1, err: "read s3://"},
		"no deletion": {change: func(b *bucket, _ Entry) { b.fail = on("DELETE", 9, refusal(503, "SlowDown")) }, keys: 2, err: "delete s3://"},
	} {
		t.Run(name, func(t *testing.T) {
			fake, shelf, e := stocked(t)
			body := bytes.Clone(fake.objects[e.Key].body)
			tc.change(fake, e)
			_, err := shelf.Bury(t.Context(), e, "store_corrupt", failedAt)
			assert.Len(t, fake.objects, tc.keys)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				assert.Contains(t, fake.objects, e.Key)
				fake.fail = nil
				_, err = shelf.Bury(t.Context(), e, "store_corrupt", failedAt)
				assert.Len(t, fake.objects, 1)
			}
			require.NoError(t, err)
			assert.NotContains(t, fake.objects, e.Key)
			found := slices.ContainsFunc(fake.keys(), func(key string) bool { return bytes.Equal(fake.objects[key].body, body) })
			assert.True(t, found, "its bytes are in one of them")
		})
	}
}

func TestBuryRefuses(t *testing.T) {
	fake, shelf, e := stocked(t)
	for _, reason := range []string{"", "a/b", "Corrupt", strings.Repeat("a", 41)} {
		_, err := shelf.Bury(t.Context(), e, reason, failedAt)
		require.ErrorContains(t, err, "the reason is")
	}
	e.Dest = "../x"
	_, err := shelf.Bury(t.Context(), e, "store_corrupt", failedAt)
	require.ErrorContains(t, err, "parked for no destination")
	_, err = shelf.Bury(t.Context(), Entry{Key: "aws/lambda/async/f/x", ID: "A"}, "store_corrupt", failedAt)
	require.ErrorContains(t, err, "parked for no destination")
	assert.Empty(t, fake.asked)
}

// TestShelfOfNothing has no bucket.
func TestShelfOfNothing(t *testing.T) {
	shelf := NewShelf(newBucket(), Options{})
	_, err := shelf.Destinations(t.Context(), Pending)
	require.ErrorContains(t, err, "no bucket is set")
	for _, err := range shelf.Entries(t.Context(), Pending, "dd-main", "", time.Time{}) {
		require.ErrorContains(t, err, "no bucket is set")
	}
}
