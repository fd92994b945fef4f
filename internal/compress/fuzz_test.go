package compress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzUnpacker: it never panics, never lets more through than the limit, and whatever the pieces in which the source
// brings the bytes and the caller takes them, the same comes out, with the same error. What the standard library reads as
// gzip comes out as it does there.
func FuzzUnpacker(f *testing.F) {
	for packing, packed := range packedText(f) {
		f.Add(packed, packing == PackingHadoopSnappy, uint16(5000), uint8(3))
		f.Add(packed[:len(packed)*2/3], true, uint16(1000), uint8(100))
		f.Add(pack[PackingGzip](packed), false, uint16(65535), uint8(0))
		f.Add(flip(packed, len(packed)/2), false, uint16(65535), uint8(1))
	}
	f.Add(textOf(f), true, uint16(100), uint8(9))
	f.Add(entries(entry{text: "hello", trailer: trailers("", true)}, entry{name: "x/", stored: true}), false, uint16(9), uint8(9))
	f.Add(join(archive([]byte("hello"), []byte("world")), archive(), archive([]byte("x"))), false, uint16(99), uint8(9))
	f.Add(archive([]byte("a"), member("b", false), []byte("\ufeffc")), false, uint16(99), uint8(2))
	f.Add(join(xerial([]byte("hello"), 2), xerial([]byte("world"), 3)), false, uint16(99), uint8(9))
	f.Add(hadoop([]byte("hello, world"), 7, 3), false, uint16(99), uint8(9))
	var whole, pieced Unpacker
	f.Fuzz(func(t *testing.T, in []byte, said bool, limit uint16, piece uint8) {
		encoding := map[bool]string{true: "hadoop-snappy"}[said]
		want, wantErr := unpackAll(&whole, bytes.NewReader(in), encoding, int64(limit))
		if limit > 0 {
			require.LessOrEqual(t, len(want), int(limit))
		}
		if _, bomb := errors.AsType[*BombError](wantErr); bomb {
			return // where exactly it is seen depends on the pieces
		}
		pieced.Reset(&pieces{r: bytes.NewReader(in), n: int(piece) + 1}, encoding, Limits{PlainBytes: int64(limit)})
		got, err := io.ReadAll(&pieces{r: &pieced, n: int(piece)/2 + 1})
		require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(err))
		require.True(t, bytes.Equal(want, got))
		require.Equal(t, fmt.Sprint(whole.Packings()), fmt.Sprint(pieced.Packings()))

		if len(whole.Packings()) == 0 && wantErr == nil {
			require.True(t, bytes.Equal(in, want), "what is not packed comes out as it is")
		}
		if fmt.Sprint(whole.Packings()) == "[gzip]" && wantErr == nil {
			standard, err := standardGunzip(in, 1<<30)
			require.NoError(t, err)
			require.True(t, bytes.Equal(standard, want))
		}
	})
}

// BenchmarkUnpacker shows plain bytes a second.
func BenchmarkUnpacker(b *testing.B) {
	plain := bytes.Repeat(plains()["lines"], 8)
	streams := map[Packing][]byte{"plain": plain, "gzip twice": pack[PackingGzip](pack[PackingGzip](plain))}
	for packing, f := range pack {
		streams[packing] = f(plain)
	}
	buf := make([]byte, 64<<10)
	for packing, packed := range streams {
		b.Run(string(packing), func(b *testing.B) {
			var u Unpacker
			src := bytes.NewReader(nil)
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			for b.Loop() {
				src.Reset(packed)
				u.Reset(src, "", Limits{})
				var err error
				for err == nil {
					_, err = u.Read(buf)
				}
				if err != io.EOF {
					b.Fatal(err)
				}
			}
		})
	}
}
