package compress

import (
	"bytes"
	stdflate "compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inflate inflates one stream with an inflater that may have been used before. It returns what came out, even with an
// error, and what stands behind the stream.
func inflate(f *inflater, in []byte) (out, rest []byte, err error) {
	var packed input
	packed.setBytes(in)
	f.reset(&packed)
	f.next()
	for {
		if err := f.more(); err == io.EOF {
			return out, packed.ahead(0), nil
		} else if err != nil {
			return append(out, f.out[f.read:f.end]...), nil, err
		}
		out = append(out, f.out[f.read:f.end]...)
		f.read = f.end
	}
}

// standard inflates one stream with the standard library.
func standard(in []byte) (out, rest []byte, err error) {
	src := bytes.NewReader(in)
	out, err = io.ReadAll(stdflate.NewReader(src))
	return out, in[len(in)-src.Len():], err
}

func deflate(tb testing.TB, level int, plain []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := stdflate.NewWriter(&b, level)
	require.NoError(tb, err)
	_, err = w.Write(plain)
	require.NoError(tb, err)
	require.NoError(tb, w.Close())
	return b.Bytes()
}

// plains are texts that make encoders use every kind of block, code and match.
func plains() map[string][]byte {
	r := rand.New(rand.NewPCG(3, 4))
	random := make([]byte, 200<<10)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	skewed := make([]byte, 300<<10) // codes of all lengths up to 15 bits
	for i := range skewed {
		skewed[i] = byte(min(r.ExpFloat64()*8, 255))
	}
	var far bytes.Buffer // matches as far back as they can be
	for range 6 {
		far.Write(random[:32<<10])
	}
	var lines strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&lines, "2 123456789012 eni-%08x 192.0.2.%d %d ACCEPT OK\n", r.Uint32(), i%256, r.IntN(65536))
	}
	return map[string][]byte{
		"nothing": nil, "one byte": {'x'}, "random": random, "skewed": skewed, "far": far.Bytes(), "lines": []byte(lines.String()),
		"one byte for ever": bytes.Repeat([]byte{'a'}, 1<<20),
		"short periods":     []byte(strings.Repeat("ab", 999) + strings.Repeat("abc", 999) + strings.Repeat("abcdefg", 999) + strings.Repeat("abcdefgh", 999)),
		"all bytes":         bytes.Repeat([]byte("\x00\x01\x7f\x80\xfe\xff0123456789"), 100),
	}
}

func TestInflate(t *testing.T) {
	var f inflater // one for all: nothing of a stream may be left for the next
	for name, plain := range plains() {
		for level := stdflate.HuffmanOnly; level <= stdflate.BestCompression; level++ {
			t.Run(fmt.Sprintf("%s, level %d", name, level), func(t *testing.T) {
				packed := deflate(t, level, plain)
				out, rest, err := inflate(&f, append(packed, "behind it"...))
				require.NoError(t, err)
				require.True(t, bytes.Equal(plain, out))
				assert.Equal(t, "behind it", string(rest))
			})
		}
	}
}

func TestInflateBlocks(t *testing.T) {
	var b bytes.Buffer
	w, err := stdflate.NewWriter(&b, 6)
	require.NoError(t, err)
	var plain []byte
	for i := range 200 {
		piece := bytes.Repeat([]byte{byte(i)}, i*i%777)
		plain = append(plain, piece...)
		_, err = w.Write(piece)
		require.NoError(t, err)
		require.NoError(t, w.Flush()) // an empty stored block
	}
	require.NoError(t, w.Close())
	out, _, err := inflate(new(inflater), b.Bytes())
	require.NoError(t, err)
	require.Equal(t, plain, out)
}

// TestInflateCutShort cuts streams everywhere: what comes out is a part of the text, and the end is never taken for one.
func TestInflateCutShort(t *testing.T) {
	var f inflater
	for name, plain := range plains() {
		plain = plain[:min(len(plain), 3000)]
		packed := deflate(t, 6, plain)
		for n := range packed {
			out, _, err := inflate(&f, packed[:n])
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%s, cut to %d of %d bytes", name, n, len(packed))
			require.True(t, bytes.HasPrefix(plain, out), "%s, cut to %d of %d bytes", name, n, len(packed))
		}
	}
}

func TestInflateCorrupt(t *testing.T) {
	for name, in := range map[string]string{
		"reserved block type":                   "\x07",
		"stored length and its complement":      "\x01\x01\x00\x00\x00x",
		"match before the start":                "\x03\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"match before the start, at the end":    "\x03\x02",
		"more symbols than there are":           "\xfd\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"codes of lengths are over-subscribed":  "\x05\xe0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"codes of lengths are not all there is": "\x05\xe0\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			_, _, standardErr := standard([]byte(in))
			require.Error(t, standardErr, "the standard library takes it")
			_, _, err := inflate(new(inflater), []byte(in))
			require.Error(t, err)
			require.True(t, errors.Is(err, errDeflate) || errors.Is(err, io.ErrUnexpectedEOF), err)
		})
	}
}

// A match must not reach into the member before, though its bytes are still in the buffer.
func TestInflateDoesNotReachIntoTheStreamBefore(t *testing.T) {
	var f inflater
	var packed input
	packed.setBytes(append(deflate(t, 6, []byte("some text before")), "\x03\x02"...))
	f.reset(&packed)
	f.next()
	for f.more() == nil {
		f.read = f.end
	}
	require.Equal(t, streamEnd, f.block)
	_ = f.more()
	f.next() // a match of three bytes, one byte back
	require.Error(t, f.more())
}

func FuzzInflate(f *testing.F) {
	for _, plain := range plains() {
		plain = plain[:min(len(plain), 2000)]
		for _, level := range []int{stdflate.HuffmanOnly, 0, 1, 6, 9} {
			f.Add(deflate(f, level, plain))
		}
	}
	used := new(inflater)
	f.Fuzz(func(t *testing.T, in []byte) {
		want, wantRest, wantErr := standard(in)
		out, rest, err := inflate(used, in)
		if wantErr != nil {
			require.Error(t, err)
			require.True(t, bytes.HasPrefix(want, out) || bytes.HasPrefix(out, want))
			return
		}
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, out))
		require.Equal(t, wantRest, rest)
	})
}

// TestInflateFixedCodesServeAgain: other codes in between take the place of the fixed ones, even if they are broken.
func TestInflateFixedCodesServeAgain(t *testing.T) {
	fixed, dynamic := deflate(t, 9, []byte("a short line")), deflate(t, 9, plains()["lines"])
	var f inflater
	for i, in := range [][]byte{fixed, fixed, dynamic, fixed, dynamic[:20], fixed, flip(dynamic, 3), fixed, fixed} {
		got, _, err := inflate(&f, in)
		want, _, wantErr := standard(in)
		require.Equal(t, wantErr == nil, err == nil, "stream %d", i)
		if err == nil {
			require.True(t, bytes.Equal(want, got), "stream %d", i)
		}
		require.Equal(t, len(in) == len(fixed), f.fixed, "stream %d", i)
	}
}

// BenchmarkInflate stands next to the library that it takes the place of.
func BenchmarkInflate(b *testing.B) {
	for _, name := range []string{"lines", "skewed"} {
		plain := plains()[name]
		packed := deflate(b, 6, plain)
		b.Run(name+"/own", func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			var f inflater
			var p input
			for b.Loop() {
				p.setBytes(packed)
				f.reset(&p)
				f.next()
				for f.more() == nil {
					f.read = f.end
				}
			}
		})
		b.Run(name+"/klauspost", func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			src := bytes.NewReader(packed)
			r := flate.NewReader(src)
			buf := make([]byte, 32<<10)
			for b.Loop() {
				src.Reset(packed)
				require.NoError(b, r.(flate.Resetter).Reset(src, nil))
				for {
					if _, err := r.Read(buf); err != nil {
						break
					}
				}
			}
		})
	}
}
