package park

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzStoreObject puts what it can make of its input and reads it back: the same header and items, or an error for an
// object that is cut or has another byte; and it reads the input as an object, which, if it is one, is put and read alike.
func FuzzStoreObject(f *testing.F) {
	for _, name := range []string{"dead.json", "pending.json", "part.json", "rest.json", "items.jsonl", "base64.jsonl"} {
		plain, err := os.ReadFile("testdata/" + name)
		require.NoError(f, err)
		f.Add(plain, "AWSLogs/a b.gz", "gunzip: https://example.com/k", int64(7), 3)
	}
	f.Add([]byte("{}\n"), "k", "m", int64(-1), 0)
	f.Add([]byte("{}|\n|\x1f\x8b||null"), "k", "m", int64(5), 40)
	f.Fuzz(func(t *testing.T, plain []byte, key, message string, from int64, at int) {
		if o, err := Read(bytes.NewReader(gzipped(t, string(plain)))); err == nil {
			requireSame(t, o)
		}
		_, _ = Decode(bytes.NewReader(plain))

		var fake putter
		p := tail()
		p.Source.Key, p.Reason.Message, p.Source.ByteRange, p.Attempt = key, message, &Range{from, ToEnd}, at
		p.Source.Records, p.RequestID = &Range{from, ToEnd}, message
		store := New(&fake, Options{Bucket: "example-park"})
		stored, err := store.PutPending(context.Background(), p, dueAt)
		if err == nil {
			require.Regexp(t, `^v1/pending/dd-main/1789999999-[A-Z2-7]{26}\.a\d\d\.jsonl\.gz$`, stored)
			requireObject(t, fake.body, from, at, func(o *Object) { require.Equal(t, key, o.Header.Sources[0].Key) })
		} else {
			require.Empty(t, fake.asked)
		}

		// What came from outside is no reason to refuse items.
		items := bytes.Split(plain, []byte("|"))
		it := lost()
		it.Lines, it.Count, it.Partial = slices.Values(items), len(items), from&1 == 1
		it.Sources[0].LogGroup, it.RequestID, it.Reason.Message = key, message, message
		stored, err = store.PutItems(context.Background(), Pending, it, dueAt)
		require.NoError(t, err)
		require.Regexp(t, `^v1/pending/dd-main/1789999999-MZXW6YTBOI2DKNRXHA4TAMJSGM\.0(\.p[0-9a-f]{12})?\.a01\.jsonl\.gz$`, stored)
		requireObject(t, fake.body, from, at, func(o *Object) { require.Equal(t, textsOf(items), textsOf(o.Items)) })
	})
}

// requireObject reads an object, as it is, cut, and with another bit.
func requireObject(t *testing.T, body []byte, bit int64, at int, check func(*Object)) {
	t.Helper()
	o, err := Read(bytes.NewReader(body))
	require.NoError(t, err)
	check(o)
	requireSame(t, o)

	at = max(at, 0) % len(body)
	cut, err := Read(bytes.NewReader(body[:at]))
	require.Error(t, err)
	require.Nil(t, cut)
	damaged := bytes.Clone(body)
	damaged[at] ^= byte(1 << (bit & 7))
	if other, err := Read(bytes.NewReader(damaged)); err == nil {
		require.Equal(t, o, other, "byte %d", at) // a byte of a gzip header that means nothing here
	}
}

// requireSame encodes an object and reads it back.
func requireSame(t *testing.T, o *Object) {
	t.Helper()
	h := o.Header
	store := New(nil, Options{})
	object, err := appendObject([]byte("before"), store.packed, &h)
	require.NoError(t, err)
	if h.Kind == KindItems {
		lines := newPayload(store.packed, h.Encoding)
		for _, item := range o.Items {
			require.NoError(t, lines.add(item))
		}
		lines.flush()
		object = append(object, lines.object...)
	}
	again, err := Read(bytes.NewReader(bytes.TrimPrefix(object, []byte("before"))))
	require.NoError(t, err)
	require.Equal(t, o, again)
}

// FuzzRaw reads its input as an object of raw input, and stores it as such and reads it back.
func FuzzRaw(f *testing.F) {
	golden, err := os.ReadFile("testdata/raw.json")
	require.NoError(f, err)
	f.Add(golden, "decode_gzip", "checksum is wrong")
	f.Add([]byte("null"), "a", "https://example.com/canary")
	f.Add([]byte(`{"schema":1} {}`), "", "\xff")
	f.Fuzz(func(t *testing.T, data []byte, code, message string) {
		if raw, err := DecodeRaw(bytes.NewReader(data)); err == nil {
			o := raw.object()
			require.NoError(t, o.check())
		}
		var fake putter
		in := Raw{Entry: EntryKinesis, Reason: Reason{Code: code, Message: message}, At: failedAt, RequestID: message, Payload: data}
		_, err := New(&fake, Options{Bucket: "example-park"}).PutRaw(context.Background(), in)
		if err != nil {
			require.False(t, isMadeOf(code, "_", maxCodeBytes), "only the code is ours")
			return
		}
		out, err := DecodeRaw(bytes.NewReader(fake.body))
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, out.Payload))
		require.Equal(t, []any{in.Entry, in.Reason.Code, stamp(in.At)}, []any{out.Entry, out.Reason.Code, out.At})
	})
}

// FuzzMarks reads its input as each of the small documents: what is taken is within its bounds, and is written and read
// alike.
func FuzzMarks(f *testing.F) {
	f.Add([]byte(`{"schema":1,"line":7,"offset":9,"hop":1,"ts":"2026-07-01T21:59:59Z","done":true,"etag":"9b","decode":"2c"}`))
	f.Add([]byte(`{"schema":1,"holder":"A","until":"2026-07-01T21:59:59+02:00"}`))
	f.Add([]byte(`{"schema":1,"until":"2026-07-01T21:59:59Z","reason":"http_503"}`))
	f.Add([]byte(`{"schema":1,"line":-1}`))
	f.Add([]byte(`{"schema":1,"until":"9999-12-31T23:59:59-12:00"}{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, pair := range [][2]interface{ check() error }{
			{&progressMark{}, &progressMark{}}, {&leaseMark{}, &leaseMark{}}, {&hint{}, &hint{}},
		} {
			m, again := pair[0], pair[1]
			if decodeJSON(data, m, "a mark") != nil || m.check() != nil {
				continue
			}
			written, err := json.Marshal(m)
			require.NoError(t, err)
			require.NoError(t, decodeJSON(written, again, "a mark"))
			require.NoError(t, again.check())
			rewritten, err := json.Marshal(again)
			require.NoError(t, err)
			require.Equal(t, string(written), string(rewritten))
		}
		fake := newBucket()
		shelf := NewShelf(fake, testOptions)
		for _, kind := range []string{"progress", "lease", "breaker"} {
			fake.lay("sluice/v1/"+kind+"/a.json", data)
		}
		p, found, err := shelf.store.Progress(t.Context(), "a")
		require.NoError(t, err)
		require.True(t, found || p == Progress{})
		require.False(t, p.Records < 0 || p.Offset < 0 || p.Hop < 0)
		until, err := shelf.store.Hint(t.Context(), "a")
		require.NoError(t, err)
		require.True(t, until.IsZero() || until.Year() >= 1969)
		lease, ours, err := shelf.Take(t.Context(), "a", time.Unix(1_789_999_999, 0), time.Minute)
		require.NoError(t, err)
		require.Equal(t, ours, lease != nil)
	})
}

// FuzzKey reads its input as the key of an object, and buries what lies there: the new key stays within its place.
func FuzzKey(f *testing.F) {
	for _, key := range []string{
		"1789999999-MZXW6YTBOI2DKNRXHA4TAMJSGM.0.a01.jsonl.gz", "x", "0000000000-.a99.jsonl.gz", "1789999999-a.b.a100.jsonl.gz",
		"deep/er/1789999999-A.a01.jsonl.gz", "..", "/", "a\x00b", "1789999999-a/../b.a01.jsonl.gz", "ü-B.a01.jsonl.gz",
	} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, name string) {
		fake := newBucket()
		fake.lay("sluice/v1/pending/dd-main/"+name, []byte("broken"))
		shelf := NewShelf(fake, testOptions)
		for e, err := range shelf.Entries(t.Context(), Pending, "dd-main", "", time.Time{}) {
			require.NoError(t, err)
			require.True(t, isBatchID(e.ID), e.ID)
			require.Equal(t, "dd-main", e.Dest)
			key, err := shelf.Bury(t.Context(), e, "store_corrupt", failedAt)
			require.NoError(t, err)
			require.Regexp(t, `^sluice/v1/dead/dd-main/store_corrupt/2026/07/01/[A-Za-z0-9.-]+$`, key)
			require.NotContains(t, key, "..")
			require.Equal(t, []string{key}, fake.keys())
		}
	})
}
