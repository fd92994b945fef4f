package compress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func unpackAll(u *Unpacker, src io.Reader, contentEncoding string, limit int64) ([]byte, error) {
	u.Reset(src, contentEncoding, Limits{PlainBytes: limit})
	return io.ReadAll(u)
}

func TestUnpackerFiles(t *testing.T) {
	var u Unpacker
	text := textOf(t)
	for name, want := range map[string][]Packing{
		"lines.jsonl":          {},
		"lines.gz":             {PackingGzip},
		"lines.two-members.gz": {PackingGzip},
		"lines.gz.gz":          {PackingGzip, PackingGzip},
		"lines.zip":            {PackingZip},
		"lines.zst":            {PackingZstd},
		"lines.bz2":            {PackingBzip2},
		"lines.xerial.snappy":  {PackingSnappyJava},
		"lines.hadoop.snappy":  {PackingHadoopSnappy},
		"lines.framed.sz":      {PackingSnappyFramed},
	} {
		for how, source := range sources {
			t.Run(name+"/"+how, func(t *testing.T) {
				got, err := unpackAll(&u, source(bytes.NewReader(fileOf(t, name))), "", 0)
				require.NoError(t, err)
				assert.Equal(t, string(text), string(got))
				assert.ElementsMatch(t, want, u.Packings())
			})
		}
	}
}

func TestUnpackerLargeStreams(t *testing.T) {
	var u Unpacker
	for name, plain := range plains() {
		for packing, f := range pack {
			packed := f(plain)
			if len(packed) == 0 {
				continue // nothing becomes nothing
			}
			for how, source := range sources {
				t.Run(name+"/"+string(packing)+"/"+how, func(t *testing.T) {
					got, err := unpackAll(&u, source(bytes.NewReader(packed)), "", 0)
					require.NoError(t, err)
					require.True(t, bytes.Equal(plain, got))
					require.Equal(t, []Packing{packing}, u.Packings())
				})
			}
		}
	}
}

func TestUnpackerLayers(t *testing.T) {
	text := textOf(t)
	gz, zst := pack[PackingGzip], pack[PackingZstd]
	for name, tc := range map[string]struct {
		in              []byte
		contentEncoding string
		want            []byte
		packings        []Packing
	}{
		"nothing at all":                    {},
		"text":                              {in: text, want: text},
		"text of one byte":                  {in: []byte("P"), want: []byte("P")},
		"text though the encoding says zip": {in: text, contentEncoding: "zip", want: text},
		"text though it says Hadoop's":      {in: text, contentEncoding: "hadoop-snappy", want: text},
		"Parquet, which says Hadoop's": {
			in: []byte("PAR1\x15\x04\x15\x10\x15\x14PAR1"), contentEncoding: "hadoop-snappy", want: []byte("PAR1\x15\x04\x15\x10\x15\x14PAR1"),
		},
		"ORC":                          {in: []byte("ORC\x08\x03\x10\x00"), want: []byte("ORC\x08\x03\x10\x00")},
		"text that is almost a zip":    {in: []byte("PK is a short word"), want: []byte("PK is a short word")},
		"text that is almost a bzip2":  {in: []byte("BZh91AY is a name"), want: []byte("BZh91AY is a name")},
		"text in UTF-16":               {in: []byte("\x00a\x00 \x00l\x00i\x00n\x00e\x00\n"), want: []byte("\x00a\x00 \x00l\x00i\x00n\x00e\x00\n")},
		"gzip twice, as Firehose does": {in: gz(gz(text)), want: text, packings: []Packing{PackingGzip, PackingGzip}},
		"gzip members in gzip": {
			in: gz(join(gz(text), gz(text))), want: join(text, text), packings: []Packing{PackingGzip, PackingGzip},
		},
		"three layers":                      {in: gz(zst(gz(text))), want: text, packings: []Packing{PackingGzip, PackingZstd, PackingGzip}},
		"gzip in zip":                       {in: archive(gz(text)), want: text, packings: []Packing{PackingZip, PackingGzip}},
		"an archive in an archive":          {in: archive(text, archive(text)), want: join(text, text), packings: []Packing{PackingZip}},
		"an archive alone in an archive":    {in: archive(archive(text)), want: text, packings: []Packing{PackingZip, PackingZip}},
		"archives one after another":        {in: join(archive(text), archive(), archive(text)), want: join(text, text), packings: []Packing{PackingZip}},
		"Hadoop's, said":                    {in: hadoop(text, 1000, 100), contentEncoding: "hadoop-snappy", want: text, packings: []Packing{PackingHadoopSnappy}},
		"Hadoop's, not said":                {in: hadoop(text, 1000, 100), want: text, packings: []Packing{PackingHadoopSnappy}},
		"Hadoop's, said among others":       {in: hadoop(text, 9, 9), contentEncoding: "aws-chunked, Hadoop-Snappy", want: text, packings: []Packing{PackingHadoopSnappy}},
		"Hadoop's of an empty file":         {in: make([]byte, 4), contentEncoding: "hadoop-snappy", packings: []Packing{PackingHadoopSnappy}},
		"zeros of which nobody said":        {in: make([]byte, 40), want: make([]byte, 40)},
		"Hadoop's in gzip":                  {in: gz(hadoop(text, 1000, 100)), want: text, packings: []Packing{PackingGzip, PackingHadoopSnappy}},
		"gzip though it says Hadoop's":      {in: gz(text), contentEncoding: "hadoop-snappy", want: text, packings: []Packing{PackingGzip}},
		"gzip in Hadoop's":                  {in: hadoop(gz(text), 1000, 100), contentEncoding: "hadoop-snappy", want: text, packings: []Packing{PackingHadoopSnappy, PackingGzip}},
		"snappy-java's in gzip":             {in: gz(xerial(text, 500)), want: text, packings: []Packing{PackingGzip, PackingSnappyJava}},
		"streams of zstd one after another": {in: join(zst(text), zst(text)), want: join(text, text), packings: []Packing{PackingZstd}},
		"streams of bzip2 one after another": {
			in: join(fileOf(t, "lines.bz2"), fileOf(t, "lines.bz2")), want: join(text, text), packings: []Packing{PackingBzip2},
		},
		"bzip2 of nothing": {in: []byte("BZh9\x17\x72\x45\x38\x50\x90\x00\x00\x00\x00"), packings: []Packing{PackingBzip2}},
	} {
		t.Run(name, func(t *testing.T) {
			var u Unpacker
			for how, source := range sources {
				got, err := unpackAll(&u, source(bytes.NewReader(tc.in)), tc.contentEncoding, 0)
				require.NoError(t, err, how)
				assert.Equal(t, string(tc.want), string(got), how)
				assert.Equal(t, fmt.Sprint(tc.packings), fmt.Sprint(u.Packings()), how)
			}
			u.Reset(bytes.NewReader(tc.in), tc.contentEncoding, Limits{})
			require.NoError(t, iotest.TestReader(&u, tc.want))
		})
	}
}

func TestUnpackerOfTooManyLayers(t *testing.T) {
	text := textOf(t)
	gz := pack[PackingGzip]
	for name, tc := range map[string]struct {
		in, want []byte
		packing  Packing
	}{
		"four":                           {gz(gz(gz(gz(text)))), nil, PackingGzip},
		"zstd inside of three":           {gz(gz(gz(pack[PackingZstd](text)))), nil, PackingZstd},
		"Hadoop's inside of three":       {gz(gz(gz(hadoop(text, 1000, 100)))), nil, PackingHadoopSnappy},
		"four, the second of an archive": {archive(text, gz(gz(gz(text)))), text, PackingGzip},
	} {
		t.Run(name, func(t *testing.T) {
			var u Unpacker
			for how, source := range sources {
				got, err := unpackAll(&u, source(bytes.NewReader(tc.in)), "", 0)
				require.Equal(t, &LayersError{Packing: tc.packing}, err, how)
				require.Equal(t, string(tc.want), string(got), how)
				_, err = u.Read(make([]byte, 1))
				require.Error(t, err)
			}
		})
	}
	require.EqualError(t, &LayersError{Packing: PackingGzip}, "gzip inside of 3 other layers: no more are unpacked (unpack it, and put it again)")
}

func TestUnpackerPackingsAfterTheFirstRead(t *testing.T) {
	var u Unpacker
	u.Reset(bytes.NewReader(pack[PackingGzip](pack[PackingZstd](textOf(t)))), "", Limits{})
	assert.Empty(t, u.Packings())
	n, err := u.Read(make([]byte, 1))
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Equal(t, []Packing{PackingGzip, PackingZstd}, u.Packings())
}

// ends reports whether a stream that is cut there is a whole one, as far as its format can tell.
func ends(packing Packing, packed []byte, cut int) bool {
	switch packing {
	case PackingZip:
		return cut >= bytes.Index(packed, []byte(zipCentral))+zipSignatureBytes
	case PackingSnappyJava:
		return cut == xerialHeaderBytes
	case PackingSnappyFramed:
		return cut == len(framedMagic)
	default:
		return false
	}
}

// recognised is how many bytes it takes to see the packing.
func recognised(packing Packing, said bool) int {
	if packing == PackingHadoopSnappy && said {
		return 1
	}
	for _, m := range magics {
		if m.packing == packing {
			return len(m.opening)
		}
	}
	return 1 << 20 // of Hadoop's a whole block, when it has not been announced
}

func TestUnpackerTruncatedAtEveryByte(t *testing.T) {
	var u Unpacker
	text := textOf(t)
	for packing, packed := range packedText(t) {
		t.Run(string(packing), func(t *testing.T) {
			for cut := recognised(packing, true); cut < len(packed); cut++ {
				got, err := unpackAll(&u, bytes.NewReader(packed[:cut]), "hadoop-snappy", 0)
				require.True(t, bytes.HasPrefix(text, got), "cut at %d", cut)
				if ends(packing, packed, cut) {
					require.NoError(t, err, "cut at %d", cut)
					continue
				}
				var corrupt *CorruptError
				require.ErrorAs(t, err, &corrupt, "cut at %d of %d", cut, len(packed))
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, "cut at %d of %d", cut, len(packed))
				require.Equal(t, packing, corrupt.Packing)
				require.Equal(t, int64(len(got)), corrupt.Offset)
			}
		})
	}
}

func TestUnpackerSourceFails(t *testing.T) {
	var u Unpacker
	text := textOf(t)
	streams := packedText(t)
	streams["plain"] = text
	streams["twice"] = pack[PackingGzip](pack[PackingZstd](text))
	for packing, packed := range streams {
		for name, fault := range map[string]error{
			"an error":                   errConnection,
			"an end that came too early": io.ErrUnexpectedEOF,
			"an end inside an error":     fmt.Errorf("read tcp 192.0.2.1: %w", io.EOF),
		} {
			t.Run(string(packing)+"/"+name, func(t *testing.T) {
				for cut := range len(packed) + 1 {
					got, err := unpackAll(&u, broken(packed[:cut], fault), "hadoop-snappy", 0)
					require.Equal(t, fault, err, "at %d of %d", cut, len(packed))
					if cut >= recognised(packing, true) {
						require.True(t, bytes.HasPrefix(text, got), "at %d", cut)
					}
				}
				n, err := u.Read(make([]byte, 10))
				assert.Zero(t, n)
				assert.Equal(t, fault, err, "the error stays")
			})
		}
		_, err := unpackAll(&u, iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(packed))), "", 0)
		require.Equal(t, iotest.ErrTimeout, err)
	}
}

// TestUnpackerFlippedBits: no flipped bit behind the magic may make other bytes of a stream that has checksums.
func TestUnpackerFlippedBits(t *testing.T) {
	var u Unpacker
	text := textOf(t)
	for packing, packed := range packedText(t) {
		checked := packing != PackingSnappyJava && packing != PackingHadoopSnappy
		t.Run(string(packing), func(t *testing.T) {
			for bit := 8 * min(recognised(packing, false), 16); bit < 8*len(packed); bit++ {
				broken := bytes.Clone(packed)
				broken[bit/8] ^= 1 << (bit % 8)
				got, err := unpackAll(&u, bytes.NewReader(broken), "", 1<<20)
				if !checked || err != nil {
					continue
				}
				if packing == PackingSnappyFramed && bit == 8*len(framedMagic)+7 {
					continue // that bit makes a chunk one that is to be skipped, and no checksum is over it
				}
				require.True(t, bytes.Equal(text, got), "bit %d of byte %d", bit%8, bit/8)
			}
		})
	}
}

func TestUnpackerCorrupt(t *testing.T) {
	text := textOf(t)
	gz := pack[PackingGzip](text)
	for name, tc := range map[string]struct {
		in      []byte
		want    []byte
		packing Packing
		err     string
	}{
		"checksum of gzip": {in: flip(gz, -5), want: text, packing: PackingGzip, err: "gzip cannot be unpacked behind plain byte 3074: gunzip: gzip: invalid checksum"},
		"the outer of two": {
			in: flip(pack[PackingGzip](gz), -5), want: text, packing: PackingGzip, err: "gzip cannot be unpacked behind plain byte " + fmt.Sprint(len(gz)),
		},
		"the inner of two":        {in: pack[PackingZstd](gz[:len(gz)-8]), want: text, packing: PackingGzip, err: "gzip cannot be unpacked behind plain byte 3074"},
		"text behind gzip":        {in: join(gz, text), want: text, packing: PackingGzip, err: "invalid header"},
		"text behind zstd":        {in: join(zstandard(text), text), want: text, packing: PackingZstd, err: "magic number"},
		"text behind bzip2":       {in: join(fileOf(t, "lines.bz2"), text), want: text, packing: PackingBzip2, err: "bad magic value in continuation file"},
		"text behind zip":         {in: join(archive(text), text), want: text, packing: PackingZip, err: "neither a file nor the central directory follows"},
		"text behind framed":      {in: join(framed(text), text), want: text, packing: PackingSnappyFramed, err: "a chunk of type 0x7b: unsupported"},
		"text behind snappy-java": {in: join(xerial(text, 999), text), want: text, packing: PackingSnappyJava, err: "impossible length of a Snappy block: a chunk of 2065853986 bytes"},
		"text behind Hadoop's":    {in: join(hadoop(text, 999, 999), text), want: text, packing: PackingHadoopSnappy, err: "impossible length of a Snappy block: a block of 2065853986 plain"},
		"gzip of another method":  {in: []byte("\x1f\x8b\x07\x00\x00\x00\x00\x00\x00\x00"), packing: PackingGzip, err: "invalid header"},
	} {
		t.Run(name, func(t *testing.T) {
			var u Unpacker
			got, err := unpackAll(&u, bytes.NewReader(tc.in), "", 0)
			assert.Equal(t, string(tc.want), string(got))
			require.ErrorContains(t, err, tc.err)
			var corrupt *CorruptError
			require.ErrorAs(t, err, &corrupt)
			assert.Equal(t, tc.packing, corrupt.Packing)
			for range 2 {
				n, again := u.Read(make([]byte, 100))
				assert.Zero(t, n)
				assert.Equal(t, err, again)
			}
		})
	}
}

func TestUnpackerZstdItDoesNotRead(t *testing.T) {
	for name, tc := range map[string]struct{ in, err string }{
		"a window of 16 MiB":           {"\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00", "its window is larger than 8388608 bytes, or"},
		"one segment of 16 MiB":        {"\x28\xb5\x2f\xfd\xa0\x00\x00\x00\x01\x01\x00\x00", "its window is larger than 8388608 bytes, or"},
		"the largest window there is":  {"\x28\xb5\x2f\xfd\x00\xff\x01\x00\x00", "its window is larger than 8388608 bytes, or"},
		"a dictionary that we lack":    {"\x28\xb5\x2f\xfd\x01\x58\x07\x01\x00\x00", "unknown dictionary"},
		"the same, in a second stream": {string(zstandard(nil)) + "\x28\xb5\x2f\xfd\x01\x58\x07\x01\x00\x00", "unknown dictionary"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := unpackAll(new(Unpacker), strings.NewReader(tc.in), "", 0)
			require.ErrorIs(t, err, errors.ErrUnsupported)
			require.ErrorContains(t, err, tc.err)
			var corrupt *CorruptError
			require.ErrorAs(t, err, &corrupt)
		})
	}
	got, err := unpackAll(new(Unpacker), strings.NewReader("\x28\xb5\x2f\xfd\x00\x68\x01\x00\x00"), "", 0)
	require.NoError(t, err, "a window of 8 MiB")
	assert.Empty(t, got)
}

func TestUnpackerReuse(t *testing.T) {
	buf := make([]byte, 32<<10)
	src := bytes.NewReader(nil)
	before := runtime.NumGoroutine()
	for packing, packed := range packedText(t) {
		var u Unpacker
		allocs := testing.AllocsPerRun(20, func() {
			src.Reset(packed)
			u.Reset(src, "hadoop-snappy", Limits{})
			var err error
			for err == nil {
				_, err = u.Read(buf)
			}
			if err != io.EOF {
				t.Error(packing, err)
			}
		})
		if packing != PackingBzip2 {
			assert.Zero(t, allocs, packing)
		}
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before, "nobody works on")
}

// TestUnpackerMemory: what is held does not grow with the stream, and serves again for the next one.
func TestUnpackerMemory(t *testing.T) {
	plain := bytes.Repeat(plains()["lines"], 16) // 3.5 MB
	for packing, f := range pack {
		packed := f(plain)
		var u Unpacker
		first, second := allocated(t, &u, packed, len(plain)), allocated(t, &u, packed, len(plain))
		if packing != PackingZstd { // which holds a window of up to 8 MiB
			assert.Less(t, first, uint64(2<<20), packing)
		}
		assert.Less(t, second, uint64(100<<10), packing)
	}
}

// allocated is how much memory was taken to unpack a stream; 32 KiB of it are those of io.Copy.
func allocated(t *testing.T, u *Unpacker, packed []byte, plainBytes int) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	u.Reset(bytes.NewReader(packed), "", Limits{})
	n, err := io.Copy(io.Discard, onlyReader{u})
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Equal(t, int64(plainBytes), n)
	return after.TotalAlloc - before.TotalAlloc
}

type onlyReader struct{ io.Reader }

// TestUnpackerAfterAnything: nothing that a stream leaves behind may show in the next one.
func TestUnpackerAfterAnything(t *testing.T) {
	var u Unpacker
	text := textOf(t)
	all := packedText(t)
	for _, first := range slices.Sorted(maps.Keys(all)) {
		for _, second := range slices.Sorted(maps.Keys(all)) {
			_, err := unpackAll(&u, bytes.NewReader(all[first][:len(all[first])/2]), "hadoop-snappy", 0)
			require.Error(t, err)
			got, err := unpackAll(&u, bytes.NewReader(all[second]), "", 0)
			require.NoError(t, err, "%s after %s", second, first)
			require.Equal(t, string(text), string(got))
		}
	}
}
