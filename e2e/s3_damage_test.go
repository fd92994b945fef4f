package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
)

// What can be unpacked of a damaged object is delivered once, and a pointer says where the rest starts.
func TestS3DamagedObjects(t *testing.T) {
	const lines = 2_000
	for name, tc := range map[string]struct {
		pack   func(generate.Object) []byte
		damage func(t *testing.T, packed []byte) []byte
		all    bool // no line is damaged
	}{
		"gzip, the second half is missing": {
			generate.Object.Gzip, func(_ *testing.T, packed []byte) []byte { return packed[:len(packed)/2] }, false,
		},
		"gzip, the last byte is missing": {
			generate.Object.Gzip, func(_ *testing.T, packed []byte) []byte { return packed[:len(packed)-1] }, true,
		},
		"gzip, a bit of the checksum": {
			generate.Object.Gzip, func(_ *testing.T, packed []byte) []byte { return flipped(packed, len(packed)-8) }, true,
		},
		"gzip, a bit in the midst":        {flushed, flipLength, false},
		"gzip, the second of two members": {twoMembers, flipSecondHeader, false},
		"zstd, a block in the midst":      {zstandard, breakBlock, false},
		"snappy, a bit in the midst": {
			snappy, func(_ *testing.T, packed []byte) []byte { return flipped(packed, len(packed)/2) }, false,
		},
		"zstd, the second half is missing": {
			zstandard, func(_ *testing.T, packed []byte) []byte { return packed[:len(packed)/2] }, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newS3Rig(t, setup{})
			o := r.generate.Object(lines, generate.ALB)
			bad := r.put("bad.log", o, tc.damage(t, tc.pack(o)))
			r.announce(r.access("before.log", 20), bad, r.access("after.log", 30))

			report := r.audit()

			assert.Zero(t, report.TotalDuplicates())
			assert.Equal(t, []owner.Outcome{owner.Taken}, r.outcomes())
			pointers := r.pointers()
			require.Len(t, pointers, 1)
			assert.Equal(t, "corrupt", pointers[0].Reason.Code)
			assert.Equal(t, bad.Key, pointers[0].Sources[0].Key)
			assert.EqualValues(t, -1, pointers[0].Sources[0].ByteRange[1])
			if tc.all {
				assert.Equal(t, lines+50, report.Delivered)
				assert.EqualValues(t, len(o.Body), pointers[0].Sources[0].ByteRange[0])
				return
			}
			assert.Equal(t, lines+50-report.Delivered, report.Dead)
			assert.Greater(t, report.Delivered, 50, "the lines before the damage")
			assert.Positive(t, report.Dead, "and not those behind it")
		})
	}
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 0x10
	return b
}

// flushed packs the lines with a flush in their midst, which leaves an empty block that is not packed.
func flushed(o generate.Object) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(o.Body[:len(o.Body)/2]) // a buffer does not fail
	_ = w.Flush()
	_, _ = w.Write(o.Body[len(o.Body)/2:])
	_ = w.Close()
	return b.Bytes()
}

// flipLength changes the length of that block, so that it is not the complement of its check any more (RFC 1951, section
// 3.2.4). Most other bits change lines, which shows only in the checksum behind all of them: when those are sent.
func flipLength(t *testing.T, packed []byte) []byte {
	t.Helper()
	at := bytes.Index(packed, []byte{0, 0, 0xff, 0xff})
	require.Positive(t, at)
	return flipped(packed, at)
}

// twoMembers packs each half of the lines by itself.
func twoMembers(o generate.Object) []byte {
	half := bytes.IndexByte(o.Body[len(o.Body)/2:], '\n') + len(o.Body)/2 + 1
	first, second := generate.Object{Body: o.Body[:half]}, generate.Object{Body: o.Body[half:]}
	return append(first.Gzip(), second.Gzip()...)
}

// flipSecondHeader makes the second member say that it is packed by a method there is none of.
func flipSecondHeader(t *testing.T, packed []byte) []byte {
	t.Helper()
	at := bytes.LastIndex(packed, packed[:4])
	require.Positive(t, at)
	return flipped(packed, at+2)
}

func zstandard(o generate.Object) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err) // there are no options to be wrong
	}
	return w.EncodeAll(o.Body, nil)
}

// breakBlock gives the block in the midst of a zstd frame a type there is none of. Format: RFC 8878, sections 3.1.1.1 and
// 3.1.1.2.
func breakBlock(t *testing.T, packed []byte) []byte {
	t.Helper()
	const magicBytes, descriptor = 4, 4
	sizeBytes := []int{0, 2, 4, 8}[packed[descriptor]>>6]
	at := magicBytes + 1 + sizeBytes
	if packed[descriptor]&0x20 == 0 {
		at++ // the window's size
	} else if sizeBytes == 0 {
		at++
	}
	for at < len(packed)/2 {
		header := int(packed[at]) | int(packed[at+1])<<8 | int(packed[at+2])<<16
		require.Zero(t, header&1, "the last block begins before the midst")
		at += 3 + header>>3
	}
	broken := bytes.Clone(packed)
	broken[at] |= 0x06
	return broken
}

func snappy(o generate.Object) []byte {
	var b bytes.Buffer
	w := s2.NewWriter(&b, s2.WriterSnappyCompat(), s2.WriterConcurrency(1))
	_, _ = w.Write(o.Body) // a buffer does not fail
	_ = w.Close()
	return b.Bytes()
}

// While the park store takes nothing, a damaged object is not done with: it goes back to its queue.
func TestS3DamagedObjectAndNoParkStore(t *testing.T) {
	half := func(o generate.Object) []byte { b := o.Gzip(); return b[:len(b)/2] }
	t.Run("for a while", func(t *testing.T) {
		r := newS3Rig(t, setup{env: map[string]string{"AWS_MAX_ATTEMPTS": "1"}})
		o := r.generate.Object(500, generate.ALB)
		seen := 0
		r.s3.SetScript(func(a bucket.Arrival) bucket.Step {
			if a.Bucket != parkBucket || a.Method != http.MethodPut {
				return bucket.Step{}
			}
			if seen++; seen > 2 {
				return bucket.Step{}
			}
			return bucket.SlowDown()
		})
		r.announce(r.put("bad.log", o, half(o)), r.access("well.log", 10))

		report := r.audit()

		assert.Equal(t, []owner.Outcome{owner.Partly, owner.Partly, owner.Taken}, r.outcomes())
		assert.Positive(t, report.Dead)
		assert.Equal(t, map[audit.Class]int{audit.D4: 2 * (report.Delivered - 10)}, report.Duplicates)
		assert.Len(t, r.pointers(), 1)
	})
	t.Run("none is set", func(t *testing.T) {
		r := newS3Rig(t, setup{env: map[string]string{"SLUICE_PARK_BUCKET": ""}})
		o := r.generate.Object(500, generate.ALB)
		r.announce(r.put("bad.log", o, half(o)), r.access("well.log", 10))

		report := r.audit()

		assert.Equal(t, 510-report.Delivered, report.Returned)
		assert.Len(t, r.outcomes(), maxReceives)
		assert.Equal(t, []audit.Class{audit.D4}, report.Classes())
		assert.Empty(t, r.pointers())
	})
}

// zeros is a reader of nothing but zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A bomb costs neither memory nor time: 20 MB that would become 20 GB are given up soon, and what stands before stands.
func TestS3Bomb(t *testing.T) {
	const memberBytes, members, maxPlainBytes = 10 << 20, 1_950, 64 << 20
	r := newS3Rig(t, setup{timeout: slowMachine})
	o := r.generate.Object(2, generate.ALB)
	var member bytes.Buffer
	w, err := gzip.NewWriterLevel(&member, gzip.BestCompression)
	require.NoError(t, err)
	_, err = io.CopyN(w, zeros{}, memberBytes)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Less(t, member.Len(), memberBytes/1000)
	bomb := append(o.Gzip(), bytes.Repeat(member.Bytes(), members)...)
	require.InDelta(t, 20_000_000, len(bomb), 100_000)
	stored := r.put("bomb.gz", o, bomb)
	r.announce(stored, r.access("well.log", 10))
	r.settle()

	e := r.evidence(defaultDest, r.intake)
	e.Lines = append(slices.Clone(e.Lines), zeroParts(t, stored.id, e.Entries)...)
	report := r.judge(e)

	assert.Equal(t, []owner.Outcome{owner.Taken}, r.outcomes())
	assert.Zero(t, report.TotalDuplicates())
	pointers := r.pointers()
	require.Len(t, pointers, 1)
	assert.Equal(t, "bomb", pointers[0].Reason.Code)
	assert.Less(t, pointers[0].Sources[0].ByteRange[0], int64(maxPlainBytes))
	assert.Less(t, r.function.Usage().PeakRSSBytes, int64(maxRSSBytes))
}

// slowMachine is a deadline that does not matter.
const slowMachine = 5 * time.Minute

const maxRSSBytes = 96 << 20 // of a function, whatever it is given

// zeroParts are the lines that consist of zeros, as they arrived.
func zeroParts(t *testing.T, payload string, entries []intake.Entry) []generate.Line {
	t.Helper()
	var parts []generate.Line
	for _, e := range entries {
		if strings.HasPrefix(e.Message, "\x00") {
			assert.Empty(t, strings.Trim(e.Message, "\x00"))
			parts = append(parts, generate.Line{Payload: payload, Message: e.Message})
		}
	}
	return parts
}

// A line of 300 MB is sent in parts. Nothing of it is missing, and the memory it takes is that of any other line.
func TestS3EndlessLine(t *testing.T) {
	const counters = 300_000_000 / counterBytes
	r := newS3Rig(t, setup{timeout: slowMachine})
	body, w := io.Pipe()
	go func() { w.CloseWithError(writeCounters(w, counters)) }()
	put, err := r.s3.PutObject(t.Context(), logBucket, "endless.gz", body)
	require.NoError(t, err)
	r.message(notify.Native(put), stored{id: "endless"})
	r.settle()

	e := r.evidence(defaultDest, r.intake)
	var parts []part
	for i := range e.Entries {
		p := readPart(t, e.Entries[i].Message)
		parts = append(parts, p)
		e.Entries[i].Message = p.String()
		e.Lines = append(e.Lines, generate.Line{Payload: "endless", Message: p.String()})
	}
	slices.SortFunc(parts, func(a, b part) int { return int(a.from - b.from) })
	reached := int64(0)
	for _, p := range parts {
		require.Equal(t, reached, p.from)
		reached = p.to
	}
	assert.EqualValues(t, counters*counterBytes, reached)
	report := r.judge(e)

	assert.Zero(t, report.TotalDuplicates())
	assert.Empty(t, r.pointers())
	assert.Greater(t, len(parts), 300)
	assert.Equal(t, []owner.Outcome{owner.Taken}, r.outcomes())
	assert.Less(t, r.function.Usage().PeakRSSBytes, int64(maxRSSBytes))
	t.Logf("peak RSS %d MiB, %d parts", r.function.Usage().PeakRSSBytes>>20, len(parts))
}

const counterBytes = 16 // of a decimal number with zeros before it and a blank behind

// writeCounters writes a line of n numbers without an end, compressed.
func writeCounters(w io.Writer, n int) error {
	packed, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	buf := make([]byte, 0, counterBytes<<12)
	for i := range n {
		buf = appendCounter(buf, int64(i))
		if len(buf) == cap(buf) || i == n-1 {
			if _, err := packed.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	return packed.Close()
}

func appendCounter(dst []byte, n int64) []byte {
	dst = append(dst, "000000000000000 "...)
	for at := len(dst) - 2; n > 0; at-- {
		dst[at] = byte('0' + n%10)
		n /= 10
	}
	return dst
}

// part is a part of a line of numbers, in bytes.
type part struct{ from, to int64 }

func (p part) String() string { return fmt.Sprintf("bytes %d to %d", p.from, p.to) }

// readPart checks every byte of a part.
func readPart(t *testing.T, text string) part {
	t.Helper()
	require.GreaterOrEqual(t, len(text), 2*counterBytes)
	lead := strings.IndexByte(text, ' ') + 1 // behind what may be the rest of a number
	require.LessOrEqual(t, lead, counterBytes)
	first, err := strconv.ParseInt(text[lead:lead+counterBytes-1], 10, 64)
	require.NoError(t, err)
	from := first*counterBytes - int64(lead)
	want := make([]byte, 0, len(text)+2*counterBytes)
	for n := from / counterBytes; len(want) < len(text)+counterBytes; n++ {
		want = appendCounter(want, n)
	}
	if string(want[from%counterBytes:][:len(text)]) != text { // both are too long to be shown
		require.Fail(t, "a byte is wrong", "in the part at byte %d", from)
	}
	return part{from, from + int64(len(text))}
}
