package park

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var dueAt = time.Unix(1_789_999_999, 5)

// lost are items that a destination did not get.
func lost(items ...string) Items {
	return Items{
		Destination: Destination{ID: "dd-main", Type: "datadog", Host: "http-intake.logs.datadoghq.eu"},
		Reason: Reason{
			Code: "http_503", Class: "retriable", HTTPStatus: 503, RetryAfterSeconds: 30,
			Message: `post "https://http-intake.logs.datadoghq.eu/canary?key=canary": 503`,
		},
		BatchID: "MZXW6YTBOI2DKNRXHA4TAMJSGM.0", FirstFailed: failedAt, LastFailed: failedAt.Add(90 * time.Second),
		MaxAge: failedAt.Add(18 * time.Hour),
		Sources: []Source{
			{
				Entry: EntryCloudWatch, Owner: "111122223333", LogGroup: "/aws/lambda/a<b>", LogStream: "2026/07/01/[$LATEST]1f2e",
				EventIDs: [2]string{"36000000000000000001", "36000000000000000812"},
			},
			{
				Entry: EntryKinesis, StreamARN: "arn:aws:kinesis:eu-west-1:123456789012:stream/logs", Shard: "shardId-000000000000",
				Sequence: [2]string{"49590338271490256608559692538361571095921575989136588898", "49590338271490256608559692538361571095921575989136588899"},
			},
		},
		Count: len(items), Lines: linesOf(items...),
		RequestID: "8476a536-e9f4-11e8-9739-2dfe598c3fcd", Forwarder: "1.2.0", ConfigSHA: "2c26b46b68ffc68f",
	}
}

// linesOf yields items once, in one buffer that is written over.
func linesOf(items ...string) iter.Seq[[]byte] {
	buf, used := []byte(nil), false
	return func(yield func([]byte) bool) {
		if used {
			return
		}
		used = true
		for _, item := range items {
			buf = append(buf[:0], item...)
			if !yield(buf) {
				return
			}
			for i := range buf {
				buf[i] = '#'
			}
		}
	}
}

func textsOf(items [][]byte) []string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = string(item)
	}
	return texts
}

const firstKey = "sluice/v1/pending/dd-main/1789999999-MZXW6YTBOI2DKNRXHA4TAMJSGM.0.a01.jsonl.gz"

func TestPutItems(t *testing.T) {
	for name, tc := range map[string]struct {
		items    []string
		encoding string
		golden   string
	}{
		"JSON lines are themselves": {
			items: []string{`{"message":"a","ddtags":"x:<y>"}`, `{"message":"ü\n"}`}, golden: "items.jsonl",
		},
		"a line end in one makes all base64": {
			items: []string{`{"message":"a"}`, "{\n\"message\":\"b\"}", `{"message":"c"}`}, encoding: "base64", golden: "base64.jsonl",
		},
		"numbers, null and gaps are JSON": {items: []string{`1`, `null`, ` [ ] `, "\"\\u0000\"\r"}},
		"binary":                          {items: []string{"\x00\xff\x1f\x8b"}, encoding: "base64"},
		"nothing is no JSON":              {items: []string{`{}`, ``, ``}, encoding: "base64"},
		"a byte of JSON that is no UTF-8": {items: []string{"\"\xff\""}, encoding: "base64"},
		"two values":                      {items: []string{`{}{}`}, encoding: "base64"},
		"a broken last one":               {items: append(slices.Repeat([]string{`{"a":1}`}, 300_000), `{"a":`), encoding: "base64"},
		"more than one member":            {items: slices.Repeat([]string{`{"message":"` + strings.Repeat("x", 1000) + `"}`}, 3000)},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newBucket()
			key, err := New(fake, testOptions).PutItems(t.Context(), Pending, lost(tc.items...), dueAt)
			require.NoError(t, err)
			require.Equal(t, firstKey, key)
			plain := gunzipped(t, fake.objects[key].body)
			if tc.golden != "" {
				golden(t, tc.golden, plain)
			}
			assert.NotContains(t, string(plain[:bytes.IndexByte(plain, '\n')]), "canary")

			o := fake.object(t, key)
			require.Equal(t, tc.items, textsOf(o.Items))
			h := &o.Header
			size := len(strings.Join(tc.items, ""))
			assert.Equal(t, []any{KindItems, len(tc.items), int64(size), tc.encoding}, []any{h.Kind, h.Count, h.Bytes, h.Encoding})
			assert.Equal(t, []any{int64(1_789_999_999), 1, h.BatchID}, []any{h.NotBefore, h.Attempt, h.SendID()})
			_, lines, _ := bytes.Cut(plain, []byte{'\n'})
			sum := sha256.Sum256(lines)
			assert.Equal(t, hex.EncodeToString(sum[:]), h.PayloadSHA256)
		})
	}
}

func TestPutItemsRequest(t *testing.T) {
	fake := newBucket()
	store := New(fake, testOptions)
	key, err := store.PutItems(t.Context(), Dead, lost(`{}`, `1`), time.Time{})
	require.NoError(t, err)
	assert.Equal(t, "sluice/v1/dead/dd-main/http_503/2026/07/01/MZXW6YTBOI2DKNRXHA4TAMJSGM.0.a01.jsonl.gz", key)
	in := fake.objects[key].put
	assert.Equal(t, "fwd-state=dead", *in.Tagging)
	assert.Equal(t, "application/gzip", *in.ContentType)
	assert.Equal(t, types.ServerSideEncryptionAwsKms, in.ServerSideEncryption)
	assert.Equal(t, map[string]string{
		"batch-id": "MZXW6YTBOI2DKNRXHA4TAMJSGM.0", "attempt": "1", "dest": "dd-main", "reason": "http_503", "count": "2",
		"first-failed-at": "2026-07-01T21:59:59Z",
	}, in.Metadata)

	// The same batch, after a crash: another request and another time, the same object.
	it := lost(`{}`, `1`)
	it.RequestID, it.LastFailed = "other", failedAt.Add(time.Hour)
	again, err := store.PutItems(t.Context(), Dead, it, dueAt)
	require.NoError(t, err)
	assert.Equal(t, key, again)
	assert.Len(t, fake.objects, 1)
	assert.Zero(t, fake.object(t, key).Header.NotBefore, "what is dead is never due")

	it = lost(`{}`)
	it.Attempt = 12
	key, err = store.PutItems(t.Context(), Pending, it, dueAt)
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(firstKey, ".a01.", ".a12.", 1), key)
	assert.Equal(t, "fwd-state=pending", *fake.objects[key].put.Tagging)
}

func TestPutItemsNamesParts(t *testing.T) {
	const root = "MZXW6YTBOI2DKNRXHA4TAMJSGM"
	put := func(id string, partial bool, items ...string) string {
		fake := newBucket()
		it := lost(items...)
		it.BatchID, it.Partial = id, partial
		key, err := New(fake, testOptions).PutItems(t.Context(), Pending, it, dueAt)
		require.NoError(t, err)
		h := fake.object(t, key).Header
		assert.Equal(t, h.BatchID, h.SendID())
		assert.Contains(t, key, "-"+h.BatchID+".a01.")
		if partial {
			assert.True(t, strings.HasSuffix(h.BatchID, ".p"+h.PayloadSHA256[:12]), h.BatchID)
		}
		return h.BatchID
	}
	assert.Equal(t, root+".0.1", put(root+".0.1", false, `1`), "a whole half is called as it was sent")
	one := put(root, true, `1`)
	assert.Equal(t, root+".p", one[:len(one)-12])
	assert.Equal(t, one, put(root, true, `1`))
	assert.NotEqual(t, one, put(root, true, `2`))
	assert.NotEqual(t, one, put(root, true, "\n"))
	assert.Equal(t, one, put(one, false, `1`), "all of a part is the part")
	assert.Equal(t, one, put(put(root, true, `2`), true, `1`), "ids do not grow with attempts")
	assert.Equal(t, one[:len(root)]+".0"+one[len(root):], put(root+".0", true, `1`))
	assert.Equal(t, one, put(root+strings.Repeat(".0", 51), true, `1`), "an id that would be too long loses its halves")
	assert.Equal(t, one, put(root+strings.Repeat(".0", 52), false, `1`))
	assert.Equal(t, root+strings.Repeat(".0", 51), put(root+strings.Repeat(".0", 51), false, `1`))
	assert.Equal(t, one, put(root+strings.Repeat(".0", 2000), true, `1`))
}

func TestPutItemsRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Items)
		err    string
	}{
		"no list":          {func(it *Items) { it.Lines = nil }, "there are no items"},
		"no items":         {func(it *Items) { it.Count, it.Lines = 0, linesOf() }, "there are no items"},
		"fewer than said":  {func(it *Items) { it.Count = 3 }, "2 items came for the 3 that were announced"},
		"more than said":   {func(it *Items) { it.Count = 1 }, "2 items came for the 1 that were announced"},
		"said to be large": {func(it *Items) { it.Bytes = 32<<20 + 1 }, "33554433 bytes of items, want at most 33554432"},
		"large":            {func(it *Items) { it.Count, it.Lines = 0, zeros(33, 1<<20) }, "park them in parts"},
		"large in base64": {func(it *Items) {
			it.Count, it.Lines = 0, func(y func([]byte) bool) { _ = y(make([]byte, 32<<20)) && y([]byte{1}) }
		}, "park them in parts"},
		"very many":         {func(it *Items) { it.Count, it.Lines = 0, zeros(1<<20+1, 1) }, "1048577 items have 1048577 bytes, want at most 1048576"},
		"no batch":          {func(it *Items) { it.BatchID = "" }, "batch_id"},
		"a batch of a path": {func(it *Items) { it.BatchID = "../x" }, "batch_id"},
		"no destination":    {func(it *Items) { it.Destination.ID = "" }, "dest.id"},
		"no source":         {func(it *Items) { it.Sources = nil }, "sources is empty"},
		"an unknown entry":  {func(it *Items) { it.Sources[1].Entry = "ftp" }, "sources.entry"},
		"no time":           {func(it *Items) { it.FirstFailed, it.LastFailed = time.Time{}, time.Time{} }, "first_failed_at"},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newBucket()
			it := lost(`1`, `2`)
			tc.change(&it)
			_, err := New(fake, testOptions).PutItems(t.Context(), Pending, it, dueAt)
			require.ErrorContains(t, err, "park: ")
			require.ErrorContains(t, err, tc.err)
			assert.Empty(t, fake.asked)
		})
	}
	_, err := New(newBucket(), testOptions).PutItems(t.Context(), DeadRaw, lost(`1`), dueAt)
	require.ErrorContains(t, err, `the state is "dead-raw", want "pending" or "dead"`)
	_, err = New(newBucket(), testOptions).PutItems(t.Context(), Pending, lost(`1`), time.Unix(0, 0))
	require.ErrorContains(t, err, "needs the time from which on it is due")
	_, err = New(newBucket(), Options{}).PutItems(t.Context(), Pending, lost(`1`), dueAt)
	require.ErrorContains(t, err, "no bucket is set")
}

// zeros yields a number of items of one size, each a line of JSON.
func zeros(count, size int) iter.Seq[[]byte] {
	item := append(bytes.Repeat([]byte{' '}, size-1), '0')
	return func(yield func([]byte) bool) {
		for range count {
			if !yield(item) {
				return
			}
		}
	}
}

// TestPutItemsAtItsLimits puts the most that is taken, and reads it back.
func TestPutItemsAtItsLimits(t *testing.T) {
	for name, lines := range map[string]iter.Seq[[]byte]{
		"bytes":           zeros(32, 1<<20),
		"items":           zeros(1<<20, 1),
		"bytes in base64": func(yield func([]byte) bool) { yield(make([]byte, 32<<20)) },
	} {
		t.Run(name, func(t *testing.T) {
			fake := newBucket()
			it := lost()
			it.Lines = lines
			key, err := New(fake, testOptions).PutItems(t.Context(), Pending, it, dueAt)
			require.NoError(t, err)
			o, n := fake.object(t, key), 0
			for item := range lines {
				require.True(t, bytes.Equal(item, o.Items[n]), n)
				n++
			}
			assert.Len(t, o.Items, n)
		})
	}
}

func TestPutItemsNeverFailsOnAName(t *testing.T) {
	long := "a" + strings.Repeat("ü", 3000)
	bad := "\xff\xfe" + strings.Repeat("\x00", 2000)
	for _, text := range []string{long, bad, "\xed\xa0\x80"} {
		fake := newBucket()
		it := lost(`1`)
		it.RequestID, it.ConfigSHA, it.Forwarder, it.Reason.Message = text, text, text, text
		it.Sources = slices.Repeat([]Source{{
			Entry: EntryCloudWatch, Owner: text, LogGroup: text, LogStream: text, EventIDs: [2]string{text, text}, StreamARN: text,
			Shard: text, Sequence: [2]string{text, text}, Region: text, Bucket: text, Key: text, VersionID: text, ETag: text, Sequencer: text,
		}}, 1000)
		key, err := New(fake, testOptions).PutItems(t.Context(), Pending, it, dueAt)
		require.NoError(t, err)
		h := fake.object(t, key).Header
		assert.Equal(t, 1000, len(h.Sources)+h.SourcesLeftOut)
		assert.NotEmpty(t, h.Sources)
		assert.NotEmpty(t, h.Sources[0].LogGroup)
		assert.LessOrEqual(t, len(h.Sources[0].LogGroup), 1024)
		assert.Equal(t, text, it.Sources[0].LogGroup, "what was handed over stays as it is")
	}
}

func TestPutPointerNeverFailsOnWhatItDoesNotNeed(t *testing.T) {
	fake := newBucket()
	p := tail()
	text := "\xff" + strings.Repeat("ü", 3000)
	p.RequestID, p.Source.Owner, p.Source.Sequencer, p.Source.LogGroup = text, text, text, text
	key, err := New(fake, testOptions).PutDead(t.Context(), p)
	require.NoError(t, err)
	source := fake.object(t, key).Header.Sources[0]
	assert.Equal(t, "\uFFFD"+strings.Repeat("ü", 510), source.Sequencer)
	assert.Equal(t, tail().Source.Key, source.Key)
}

func TestPutItemsIsDoneOrExplained(t *testing.T) {
	fake := newBucket()
	fake.fail = on("PUT", 1, refusal(http.StatusServiceUnavailable, "SlowDown"))
	_, err := New(fake, testOptions).PutItems(t.Context(), Pending, lost(`1`), dueAt)
	require.ErrorContains(t, err, "park in s3://example-park/sluice/v1/pending/")
	require.ErrorContains(t, err, "nothing is parked: return the event")
	assert.Empty(t, fake.objects)

	fake.lose = on("PUT", 1, errors.New("connection reset"))
	_, err = New(fake, testOptions).PutItems(t.Context(), Pending, lost(`1`), dueAt)
	require.Error(t, err, "it is there, but nobody has said so")
	_, err = New(fake, testOptions).PutItems(t.Context(), Pending, lost(`1`), dueAt)
	require.NoError(t, err)
	assert.Len(t, fake.objects, 1)
}

// TestItemsAreReadableByOthers reads an object of several members as tools do that know gzip and nothing of the store.
func TestItemsAreReadableByOthers(t *testing.T) {
	fake := newBucket()
	it := lost()
	it.Lines = zeros(5000, 1000)
	key, err := New(fake, testOptions).PutItems(t.Context(), Pending, it, dueAt)
	require.NoError(t, err)
	r, err := gzip.NewReader(bytes.NewReader(fake.objects[key].body))
	require.NoError(t, err)
	r.Multistream(false)
	var first bytes.Buffer
	_, err = first.ReadFrom(r)
	require.NoError(t, err)
	assert.Equal(t, 1, bytes.Count(first.Bytes(), []byte{'\n'}), "the first member is the header alone")
	assert.Equal(t, 5001, bytes.Count(gunzipped(t, fake.objects[key].body), []byte{'\n'}))
	assert.Less(t, len(fake.objects[key].body), 100_000, fmt.Sprint(len(fake.objects[key].body)))
}
