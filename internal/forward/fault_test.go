package forward

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// textLines is a text of n lines, and the lines.
func textLines(n int) (text []byte, lines []string) {
	lines = make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("line %06d %s", i, canary)
	}
	return []byte(strings.Join(lines, "\n") + "\n"), lines
}

// zstdOf is text in frames that are small, so that a cut leaves some of it.
func zstdOf(t *testing.T, text []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	var all []byte
	for len(text) > 0 {
		n := min(len(text), 10_000)
		all = w.EncodeAll(text[:n], all)
		text = text[n:]
	}
	return all
}

// What keeps an object from being read at all, and what becomes of its message: the table of "Bad input".
func TestObjectFaults(t *testing.T) {
	fourTimes := []byte("x\n")
	for range 4 {
		fourTimes = packed(t, fourTimes)
	}
	for name, tc := range map[string]struct {
		refuse func(int, string) error
		change func(r *rig, o *s3Object) *s3Object // what is announced
		want   ending
		reason string // of the note
	}{
		"gone":                           {always(errNoSuchKey), nil, ending{answer: allTaken, dropped: tally{"source_gone": 1}, gets: 1}, ""},
		"gone, as HEAD of a marker says": {always(s3Error("GetObject", 405, "MethodNotAllowed", "")), nil, ending{answer: allTaken, dropped: tally{"source_gone": 1}, gets: 1}, ""},
		"overwritten before it is read": {
			nil, func(r *rig, o *s3Object) *s3Object {
				r.s3.put(o.Bucket, o.Key, []byte("newer"))
				return o
			},
			ending{answer: allTaken, dropped: tally{"source_overwritten": 1}, gets: 1},
			"",
		},
		"overwritten while versions are suspended": {
			nil, func(r *rig, o *s3Object) *s3Object {
				r.s3.put(o.Bucket, o.Key, []byte("newer")).Version = "null"
				o.Version = "null"
				return o
			},
			ending{answer: allTaken, dropped: tally{"source_overwritten": 1}, gets: 1},
			"",
		},
		"its version is gone": {
			nil, func(_ *rig, o *s3Object) *s3Object {
				return &s3Object{Bucket: o.Bucket, Key: o.Key, ETag: o.ETag, Version: "v1", Size: 1}
			},
			ending{answer: allTaken, dropped: tally{"source_gone": 1}, gets: 1},
			"",
		},
		"forbidden":           {always(errForbidden), nil, ending{answer: failedMessages(0), err: "grant s3:GetObject", returned: tally{"s3_forbidden": 1}, gets: 1}, ""},
		"KMS denied":          {always(errKMS), nil, ending{answer: failedMessages(0), err: "grant kms:Decrypt", returned: tally{"s3_kms_denied": 1}, gets: 1}, ""},
		"key disabled":        {always(s3Error("GetObject", 400, "KMS.DisabledException", "key is disabled")), nil, ending{answer: failedMessages(0), err: "KMS.DisabledException", returned: tally{"s3_kms_denied": 1}, gets: 1}, ""},
		"no such bucket":      {always(s3Error("GetObject", 404, "NoSuchBucket", "")), nil, ending{answer: failedMessages(0), err: "NoSuchBucket", returned: tally{"s3_no_bucket": 1}, gets: 1}, ""},
		"throttled":           {always(errSlowDown), nil, ending{answer: failedMessages(0), err: "SlowDown", returned: tally{"s3_throttled": 1}, gets: 1}, ""},
		"no connection":       {always(errConnection), nil, ending{answer: failedMessages(0), err: "connection reset", returned: tally{"s3_broken": 1}, gets: 1}, ""},
		"in another region":   {always(s3Error("GetObject", 301, "PermanentRedirect", "")), nil, ending{answer: failedMessages(0), err: "PermanentRedirect", returned: tally{"s3_wrong_region": 1}, gets: 1}, ""},
		"archived":            {always(errArchived), nil, ending{answer: allTaken, parked: tally{"s3_archived": 1}, gets: 1}, "s3_archived"},
		"Parquet":             {nil, content([]byte("PAR1\x15\x04PAR1")), ending{answer: allTaken, parked: tally{"parquet": 1}, gets: 1}, "parquet"},
		"ORC":                 {nil, content([]byte("ORC\x24\x00\x00\xe3\x62\x62")), ending{answer: allTaken, parked: tally{"orc": 1}, gets: 1}, "orc"},
		"encrypted Parquet":   {nil, content([]byte("PARE\x2c\x00\x00\x00xxxx")), ending{answer: allTaken, parked: tally{"parquet": 1}, gets: 1}, "parquet"},
		"Avro":                {nil, content([]byte("Obj\x01\x04\x14avro.codec")), ending{answer: allTaken, parked: tally{"avro": 1}, gets: 1}, "avro"},
		"gzip four times":     {nil, content(fourTimes), ending{answer: allTaken, parked: tally{"undecodable": 1}, gets: 1}, "undecodable"},
		"gzip, only its head": {nil, content([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")), ending{answer: allTaken, parked: tally{"corrupt": 1}, gets: 1}, "corrupt"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, parkingBoth)
				r.s3.refuse = tc.refuse
				o := r.s3.put(logBucket, "app/a.log", []byte("x\n"))
				if tc.change != nil {
					o = tc.change(r, o)
				}
				r.comesTo(t, inQueue(native(o)), tc.want)
				for _, note := range r.s3.parked {
					h := note.Header
					assert.Equal(t, tc.reason, h.Reason.Code)
					assert.Equal(t, [2]int64{0, -1}, [2]int64(*h.Sources[0].ByteRange))
				}
			})
		})
	}
}

// content makes an object have these bytes.
func content(body []byte) func(*rig, *s3Object) *s3Object {
	return func(r *rig, o *s3Object) *s3Object { return r.s3.put(o.Bucket, o.Key, body) }
}

// Of an object that is damaged, the complete lines are delivered once, and it is noted from which byte on nothing could
// be read. Of gzip a flipped bit may show at the end alone: lines that it changed are delivered as they came out.
func TestDamagedObjects(t *testing.T) {
	text, all := textLines(4000)
	lineBytes := len(all[0]) + 1
	gz, gz0 := packed(t, text), stored(t, text)
	flipped := bytes.Clone(gz0)
	flipped[len(flipped)/2] ^= 0x10 // a byte of a line: only the checksum shows it
	mixed := append(packed(t, text[:1000*lineBytes]), "garbage "+canary...)
	zs, zipped := zstdOf(t, text), zipOf(t, text)
	for name, tc := range map[string]struct {
		body  []byte
		right int // lines that are as they were, at least; -1: all that were delivered, and not all were
	}{
		"truncated gzip":                           {gz[:len(gz)/2], -1},
		"truncated gzip, not packed":               {gz0[:len(gz0)-100], -1},
		"gzip without its trailer":                 {gz[:len(gz)-8], 4000},
		"flipped bit in gzip":                      {broken(gz, len(gz)/2), 1000},
		"wrong checksum of gzip":                   {broken(gz, -8), 4000},
		"flipped bit that only the checksum shows": {flipped, 1900},
		"garbage behind gzip":                      {mixed, -1},
		"truncated zstd":                           {zs[:len(zs)/2], -1},
		"flipped bit in zstd":                      {broken(zs, len(zs)/2), -1},
		"truncated zip":                            {zipped[:len(zipped)/2], -1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, with("park_bucket: "+parkBucket+", park_prefix: kept", httpWith("max_body_bytes: 4MB, max_records: 100000")))
			o := r.s3.put(logBucket, "app/a.log", tc.body)
			answer, ledger, err := r.invoke(t, S3, inQueue(native(o)))
			require.NoError(t, err)
			assert.JSONEq(t, allTaken, answer)
			assert.Equal(t, tally{"corrupt": 1}, ledger.Destinations["archive"].Parked)
			got := r.intake.messages(t, archiveHost)
			right := tc.right
			if right < 0 {
				require.Less(t, len(got), len(all))
				right = len(got)
			}
			require.GreaterOrEqual(t, len(got), right)
			require.Equal(t, all[:right], got[:right])
			require.Len(t, r.s3.parked, 1)
			note := r.s3.parked[0]
			assert.Equal(t, parkBucket, note.Bucket)
			assert.True(t, strings.HasPrefix(note.Key, "kept/v1/dead/archive/corrupt/2026/02/01/"), note.Key)
			source := note.Header.Sources[0]
			if tc.right < 0 || tc.right == len(all) {
				assert.Equal(t, [2]int64{int64(len(got) * lineBytes), -1}, [2]int64(*source.ByteRange), "where the lines end that were delivered")
			}
			assert.Equal(t, []string{o.Bucket, o.Key, o.ETag}, []string{source.Bucket, source.Key, source.ETag})
			assert.Equal(t, o.Size, source.SizeBytes)
			assert.NotContains(t, fmt.Sprint(note.Header), canary)

			// Announced again, it comes to the same and the note is not made twice.
			_, _, err = r.invoke(t, S3, inQueue(native(o)))
			require.NoError(t, err)
			assert.Len(t, r.s3.parked, 1)
		})
	}
}

func zipOf(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("a.log")
	require.NoError(t, err)
	_, err = f.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// Where nothing can be noted, for want of a bucket or of an answer from it, the message comes again: it is never taken
// for done.
func TestDamageThatCannotBeNoted(t *testing.T) {
	text, all := textLines(3000)
	gz := packed(t, text)
	for name, tc := range map[string]struct {
		settings string
		refuse   error
		err      string
		puts     int
	}{
		"no bucket is set":   {both, nil, "SLUICE_PARK_BUCKET", 0},
		"the bucket is gone": {parkingBoth, errNoBucket, "", 1},
		"not permitted":      {parkingBoth, s3Error("PutObject", 403, "AccessDenied", "Access Denied"), "", 1},
		"throttled":          {parkingBoth, s3Error("PutObject", 503, "SlowDown", "Please reduce your request rate."), "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tc.settings)
			r.s3.refusePut = tc.refuse
			bad, good := r.s3.put(logBucket, "a.log.gz", gz[:len(gz)/2]), r.s3.lines("b.log", "good")
			answer, ledger, err := r.invoke(t, S3, inQueue(native(bad), native(good)))
			require.NoError(t, err)
			assert.JSONEq(t, failedMessages(0), answer)
			assert.Contains(t, ledger.Error, "corrupt from byte ")
			for id, host := range map[string]string{"archive": archiveHost, "datadog": datadogHost} {
				assert.Equal(t, tally{"corrupt": 1}, ledger.Destinations[id].Returned)
				assert.Empty(t, ledger.Destinations[id].Parked)
				got := r.intake.messages(t, host)
				assert.ElementsMatch(t, append(append([]string{}, all[:len(got)-1]...), "good"), got)
			}
			assert.Equal(t, tc.puts, r.s3.puts)
		})
	}
	t.Run("every way in", func(t *testing.T) {
		r := newRig(t, both)
		bad := r.s3.put(logBucket, "a.log.gz", gz[:len(gz)/2])
		_, _, err := r.invoke(t, S3, []byte(bridged(bad)))
		require.ErrorContains(t, err, "SLUICE_PARK_BUCKET")
		answer, _, err := r.invoke(t, S3, batchJob("2.0", bad))
		require.NoError(t, err)
		assert.Contains(t, codes(t, answer)[0], "PermanentFailure: s3://example-logs: corrupt from byte")
	})
}

// A connection that breaks is replaced by one that goes on where it broke: each byte comes once.
func TestConnectionCut(t *testing.T) {
	text, all := textLines(3000)
	for name, tc := range map[string]struct {
		body []byte
		cuts []int
		gets int
	}{
		"once":                       {text, []int{50_001}, 2},
		"at the first byte":          {text, []int{0, 1}, 3},
		"three times, at odd places": {text, []int{7, 11_111, 30_003}, 4},
		"in the middle of gzip":      {packed(t, text), []int{4000, 77, 1}, 4},
		"behind the last byte":       {text, []int{len(text)}, 1},
		"just before the last byte":  {text, []int{len(text) - 1}, 2},
		"in zstd between two frames": {zstdOf(t, text), []int{1000}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, httpWith("max_records: 100000"))
				o := r.s3.put(logBucket, "a.log", tc.body)
				o.cuts = tc.cuts
				answer, ledger, err := r.invoke(t, S3, inQueue(native(o)))
				require.NoError(t, err)
				assert.JSONEq(t, allTaken, answer)
				got := r.intake.messages(t, archiveHost)
				slices.Sort(got) // batches overtake each other
				assert.Equal(t, all, got)
				assert.Equal(t, len(all), ledger.Destinations["archive"].In)
				require.Len(t, r.s3.gets, tc.gets)
				for _, get := range r.s3.gets {
					assert.Equal(t, `"`+o.ETag+`"`, get.IfMatch, "it is still the same object")
				}
				if tc.gets > 1 {
					assert.Equal(t, fmt.Sprintf("bytes=%d-", tc.cuts[0]), r.s3.gets[1].Range)
				}
			})
		})
	}
	t.Run("too often", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, httpWith("max_records: 100000"))
			o := r.s3.put(logBucket, "a.log", text)
			o.cuts = []int{1000, 1000, 1000, 1000, 1000}
			answer, ledger, err := r.invoke(t, S3, inQueue(native(o)))
			require.NoError(t, err)
			assert.JSONEq(t, failedMessages(0), answer)
			assert.Equal(t, tally{"s3_broken": 1}, ledger.Destinations["archive"].Returned)
			got := r.intake.messages(t, archiveHost)
			assert.Equal(t, all[:len(got)], got, "what came stands, and no half line")
			assert.Len(t, got, 4000/(len(all[0])+1))
		})
	})
	t.Run("and the object is another one meanwhile", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, httpWith("max_records: 100000"))
			o := r.s3.put(logBucket, "a.log", text)
			o.cuts, o.newer = []int{1000}, []byte("newer text\n")
			answer, ledger, err := r.invoke(t, S3, inQueue(native(o)))
			require.NoError(t, err)
			assert.JSONEq(t, allTaken, answer)
			assert.Equal(t, tally{"source_overwritten": 1}, ledger.Destinations["archive"].Dropped)
			got := r.intake.messages(t, archiveHost)
			assert.Equal(t, all[:len(got)], got)
		})
	})
	t.Run("and the object is gone meanwhile", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, httpWith("max_records: 100000"))
			o := r.s3.put(logBucket, "a.log", text)
			o.cuts = []int{1000}
			r.s3.refuse = func(n int, _ string) error { return map[int]error{2: errNoSuchKey}[n] }
			_, ledger, err := r.invoke(t, S3, inQueue(native(o)))
			require.NoError(t, err)
			assert.Equal(t, tally{"source_gone": 1}, ledger.Destinations["archive"].Dropped)
		})
	})
}

// A bomb is given up, noted with the byte up to which it was read, and costs no memory.
func TestBomb(t *testing.T) {
	bomb := packed(t, make([]byte, 40<<20))
	bomb = packed(t, bomb) // 40 KB of 40 MB, and that in less than a KB
	r := newRig(t, with("park_bucket: "+parkBucket+", max_object_bytes: 64MiB", httpWith("")))
	r.intake.light = true
	o := r.s3.put(logBucket, "a.log.gz", bomb)
	_, ledger, err := r.invoke(t, S3, inQueue(native(o)))
	require.NoError(t, err)
	assert.Len(t, r.s3.parked, 1)
	assert.Equal(t, tally{"bomb": 1}, ledger.Destinations["archive"].Parked)
	assert.Positive(t, (*r.s3.parked[0].Header.Sources[0].ByteRange)[0])
}

// An object over its limit is read up to it, and the rest noted.
func TestObjectTooLarge(t *testing.T) {
	text, all := textLines(100_000) // 1.9 MB
	r := newRig(t, with("park_bucket: "+parkBucket+", max_object_bytes: 1MiB", httpWith("max_body_bytes: 10MB, max_records: 100000")))
	o := r.s3.put(logBucket, "a.log.gz", packed(t, text))
	_, ledger, err := r.invoke(t, S3, inQueue(native(o)))
	require.NoError(t, err)
	got := r.intake.messages(t, archiveHost)
	slices.Sort(got) // batches overtake each other
	lineBytes := len(all[0]) + 1
	assert.Len(t, got, (1<<20)/lineBytes)
	assert.Equal(t, all[:len(got)], got)
	assert.Equal(t, tally{"too_large": 1}, ledger.Destinations["archive"].Parked)
	assert.Equal(t, int64(len(got)*lineBytes), (*r.s3.parked[0].Header.Sources[0].ByteRange)[0])
}

// A line of 300 MB comes in parts, marked, with all its bytes, and costs no more memory than any other.
func TestLineOf300MB(t *testing.T) {
	const size, mostHeap = 300_000_000, 96 << 20
	r := newRigOf(t, map[string]string{"SLUICE_CONFIG": httpWith("max_body_bytes: 2MB"), "SLUICE_COMPRESSION": "none"})
	r.intake.light = true
	var bytesSent, parts, peak atomic.Int64
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r.intake.answer = func(got received) int {
		bytesSent.Add(int64(bytes.Count(got.body, []byte("~"))))
		parts.Add(int64(bytes.Count(got.body, []byte(`"chunked"`))))
		if got.count%50 == 0 {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			peak.Store(max(peak.Load(), int64(now.HeapAlloc)-int64(before.HeapAlloc)))
		}
		return 200
	}
	o := r.s3.put(logBucket, "a.log", nil)
	o.Size, o.ETag, o.stream = size, "0123456789abcdef0123456789abcdef-38", func() io.Reader { return io.LimitReader(letters{}, size) }
	answer, ledger, err := r.invoke(t, S3, inQueue(native(o)))
	require.NoError(t, err)
	assert.JSONEq(t, allTaken, answer)
	assert.EqualValues(t, size, bytesSent.Load())
	assert.EqualValues(t, ledger.Destinations["archive"].Delivered, parts.Load(), "every part is marked")
	assert.Greater(t, parts.Load(), int64(size>>20))
	assert.Less(t, peak.Load(), int64(mostHeap))
}

// letters is one letter for ever.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '~'
	}
	return len(p), nil
}
