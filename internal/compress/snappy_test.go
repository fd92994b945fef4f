package compress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// words are numbers of four bytes, the highest first.
func words(numbers ...uint32) []byte {
	var out []byte
	for _, n := range numbers {
		out = binary.BigEndian.AppendUint32(out, n)
	}
	return out
}

func TestSnappy(t *testing.T) {
	text := []byte(strings.Repeat("a line of a log\n", 20_000))
	hello := snappy.Encode(nil, []byte("hello"))
	for name, tc := range map[string]struct {
		in      []byte
		want    []byte
		packing Packing
	}{
		"snappy-java, chunks as by default":      {xerial(text, 32<<10), text, PackingSnappyJava},
		"snappy-java, a chunk of everything":     {xerial(text, len(text)), text, PackingSnappyJava},
		"snappy-java, many small chunks":         {xerial(text[:5000], 3), text[:5000], PackingSnappyJava},
		"snappy-java, streams after streams":     {join(xerial(text, 999), xerial(nil, 1), xerial(text, 32<<10)), join(text, text), PackingSnappyJava},
		"snappy-java, a stream of nothing":       {xerial(nil, 1), nil, PackingSnappyJava},
		"snappy-java, chunks of nothing":         {join(xerial(nil, 1), words(1), []byte{0}, words(1), []byte{0}), nil, PackingSnappyJava},
		"snappy-java, a newer version wrote it":  {join([]byte(xerialMagic), words(2, 1), xerial([]byte("x"), 1)[16:]), []byte("x"), PackingSnappyJava},
		"Hadoop, blocks and parts as by default": {hadoop(text, 256<<10, 64<<10), text, PackingHadoopSnappy},
		"Hadoop, one block of one part":          {hadoop(text, len(text), len(text)), text, PackingHadoopSnappy},
		"Hadoop, parts that do not fit evenly":   {hadoop(text, 1000, 300), text, PackingHadoopSnappy},
		"Hadoop, a block of nothing in between":  {join(hadoop(text, 1000, 300), words(0), hadoop(text, 1000, 300), words(0)), join(text, text), PackingHadoopSnappy},
		"framed":                                 {framed(text), text, PackingSnappyFramed},
		"framed, streams after streams":          {join(framed(text), framed(text)), join(text, text), PackingSnappyFramed},
		"framed, bytes that do not compress":     {framed(randomBytes(200_000)), randomBytes(200_000), PackingSnappyFramed},
		"framed, padding and chunks to skip": {
			join([]byte(framedMagic+"\xfe\x05\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00\x01"), make([]byte, 1<<16), framed(text)[len(framedMagic):]),
			text, PackingSnappyFramed,
		},
		"framed, a chunk of no plain bytes": {[]byte(framedMagic + "\x01\x04\x00\x00\xd8\xea\x82\xa2"), nil, PackingSnappyFramed},
		"Hadoop, the least":                 {join(words(5, uint32(len(hello))), hello), []byte("hello"), PackingHadoopSnappy},
	} {
		t.Run(name, func(t *testing.T) {
			var u Unpacker
			for how, source := range sources {
				got, err := unpackAll(&u, source(bytes.NewReader(tc.in)), "", 0)
				require.NoError(t, err, how)
				require.True(t, bytes.Equal(tc.want, got), how)
				require.Equal(t, []Packing{tc.packing}, u.Packings())
			}
		})
	}
}

func TestSnappyRefuses(t *testing.T) {
	hello := snappy.Encode(nil, []byte("hello"))
	size := uint32(len(hello))
	java := []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01")
	for name, tc := range map[string]struct {
		in   []byte
		want string
		err  string
		is   error
	}{
		"snappy-java for a newer reader":          {in: join([]byte(xerialMagic), words(2, 2)), err: "version 2 of snappy-java's format", is: errors.ErrUnsupported},
		"snappy-java, a magic cut short":          {in: join(java, words(size), hello, java[:6]), want: "hello", is: io.ErrUnexpectedEOF},
		"snappy-java, a chunk of no bytes":        {in: join(java, words(size), hello, words(0)), want: "hello", err: "a chunk of 0 bytes", is: errSnappyLen},
		"snappy-java, the largest chunk, cut":     {in: join(java, words(maxSnappyPacked), hello), is: io.ErrUnexpectedEOF},
		"snappy-java, a larger chunk":             {in: join(java, words(maxSnappyPacked+1), hello), err: "a chunk of 2446710 bytes", is: errSnappyLen},
		"snappy-java, a block that says too much": {in: join(java, words(8), []byte("\xff\xff\xff\x07\x00a\x00a")), is: errSnappyLen},
		"snappy-java, a block of more than 2 MiB": {
			in: join(java, words(1<<20), []byte("\x81\x80\x80\x01"), make([]byte, 1<<20)), is: errSnappyLen,
		},
		"Hadoop, a larger part": {
			in: join(words(5, size), hello, words(4<<20, maxSnappyPacked+1)), want: "hello", err: "a part of 2446710 bytes", is: errSnappyLen,
		},
		"Hadoop, a part of more than 2 MiB": {
			in:   join(words(5, size), hello, words(4<<20, 1<<20), []byte("\x81\x80\x80\x01"), make([]byte, 1<<20)),
			want: "hello", is: errSnappyLen,
		},
		"snappy-java, a block without a length":    {in: join(java, words(3), []byte("\xff\xff\xff")), is: errSnappyLen},
		"snappy-java, a broken block":              {in: join(java, words(size), hello, words(3), []byte("\x05\x01\x09")), want: "hello", err: "broken Snappy block of 3 bytes", is: errSnappyBlock},
		"Hadoop, more than the block says":         {in: join(words(5, size), hello, words(4, size), hello), want: "hello", is: errSnappyLen},
		"Hadoop, less than the block says":         {in: join(words(6, size), hello), want: "hello", is: io.ErrUnexpectedEOF},
		"Hadoop, a part of no bytes":               {in: join(words(6, size), hello, words(0)), want: "hello", err: "a part of 0 bytes", is: errSnappyLen},
		"Hadoop, a block of more than 16 MiB":      {in: join(words(5, size), hello, words(16<<20+1)), want: "hello", err: "a block of 16777217 plain bytes", is: errSnappyLen},
		"framed, a checksum that is wrong":         {in: []byte(framedMagic + "\x01\x05\x00\x00\x00\x00\x00\x00x"), err: "wrong checksum of a chunk"},
		"framed, another identifier":               {in: []byte(framedMagic + "\xff\x06\x00\x00S2sTwO"), err: "wrong stream identifier"},
		"framed, a chunk that must not be skipped": {in: []byte(framedMagic + "\x02\x00\x00\x00"), err: "a chunk of type 0x02", is: errors.ErrUnsupported},
		"framed, no room for a checksum":           {in: []byte(framedMagic + "\x00\x03\x00\x00\x00\x00\x00"), is: errSnappyLen},
		"framed, a chunk that is too long":         {in: []byte(framedMagic + "\x00\xff\xff\xff"), is: errSnappyLen},
		"framed, more than 64 KiB plain":           {in: join([]byte(framedMagic+"\x01\x05\x00\x01"), make([]byte, 1<<16+5)), is: errSnappyLen},
		"framed, more than 64 KiB packed":          {in: []byte(framedMagic + "\x00\x0a\x00\x00\x00\x00\x00\x00\x81\x80\x04\x00aa"), is: errSnappyLen},
		"framed, the end inside what is skipped":   {in: []byte(framedMagic + "\x80\x09\x00\x00abc"), is: io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			var u Unpacker
			for how, source := range sources {
				got, err := unpackAll(&u, source(bytes.NewReader(tc.in)), "", 0)
				assert.Equal(t, tc.want, string(got), how)
				var corrupt *CorruptError
				require.ErrorAs(t, err, &corrupt, how)
				assert.Equal(t, int64(len(got)), corrupt.Offset)
				require.ErrorContains(t, err, tc.err)
				if tc.is != nil {
					require.ErrorIs(t, err, tc.is, how)
				}
			}
		})
	}
}

// TestSnappyLargestBlocks: as large as they may be, and of bytes that do not compress. A Hadoop block of many parts may be
// larger than what is held.
func TestSnappyLargestBlocks(t *testing.T) {
	var u Unpacker
	large := randomBytes(4 << 20)
	for name, in := range map[string][]byte{
		"snappy-java":             xerial(large, maxSnappyBytes),
		"Hadoop":                  hadoop(large, maxSnappyBytes, maxSnappyBytes),
		"Hadoop, two parts":       hadoop(large, len(large), maxSnappyBytes),
		"Hadoop, parts of 64 KiB": hadoop(large, len(large), 64<<10),
	} {
		got, err := unpackAll(&u, bytes.NewReader(in), "", 0)
		require.NoError(t, err, name)
		require.True(t, bytes.Equal(large, got), name)
		assert.LessOrEqual(t, len(u.layers[0].snappy.buf), maxSnappyBytes)
		assert.LessOrEqual(t, len(u.layers[0].in.buf), maxSnappyPacked+rewindBytes+8)
	}
}

// TestSnappyLargeBuffersAreNotKept: not even in a layer that the next stream does not have.
func TestSnappyLargeBuffersAreNotKept(t *testing.T) {
	var u Unpacker
	large := randomBytes(maxSnappyBytes)
	nested := xerial(hadoop(large, len(large), len(large)), maxSnappyBytes)
	got, err := unpackAll(&u, bytes.NewReader(nested), "", 0)
	require.NoError(t, err)
	require.True(t, bytes.Equal(large, got))
	assert.Greater(t, len(u.layers[1].snappy.buf), keptSnappyBytes)

	u.Reset(strings.NewReader("a text"), "", Limits{})
	for i := range u.layers {
		assert.LessOrEqual(t, cap(u.layers[i].in.buf), keptWindowBytes)
		assert.LessOrEqual(t, cap(u.layers[i].snappy.buf), keptSnappyBytes)
		assert.Empty(t, u.layers[i].in.in)
	}
}
