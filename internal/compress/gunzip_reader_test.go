package compress

import (
	"bytes"
	stdgzip "compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errConnection = errors.New("connection reset by peer")

func gunzipReader(g *Gunzip, src io.Reader, limit int64) ([]byte, error) {
	if err := g.ResetReader(src, limit); err != nil {
		return nil, err
	}
	return io.ReadAll(g)
}

func TestGunzipReader(t *testing.T) {
	var g Gunzip
	for name, plain := range plains() {
		packed := join(member(string(plain), true), member("", false), member(string(plain), false))
		for how, source := range sources {
			t.Run(name+"/"+how, func(t *testing.T) {
				got, err := gunzipReader(&g, source(bytes.NewReader(packed)), 0)
				require.NoError(t, err)
				require.True(t, bytes.Equal(join(plain, plain), got))
			})
		}
	}
}

// TestGunzipReaderIsLikeSlice holds one against the other where something is wrong.
func TestGunzipReaderIsLikeSlice(t *testing.T) {
	whole := join(member("hello ", true), member(strings.Repeat("world ", 50), false))
	for i := range whole {
		for name, in := range map[string][]byte{"cut": whole[:i], "flipped": flip(whole, i)} {
			var slice, reader Gunzip
			var want []byte
			wantErr := slice.Reset(in, 1000)
			if wantErr == nil {
				want, wantErr = io.ReadAll(&slice)
			}
			for how, source := range sources {
				got, err := gunzipReader(&reader, source(bytes.NewReader(in)), 1000)
				require.Equal(t, string(want), string(got), "%s at %d, %s", name, i, how)
				require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(err), "%s at %d, %s", name, i, how)
			}
		}
	}
}

func TestGunzipReaderSourceFails(t *testing.T) {
	packed := join(member("hello ", true), member(strings.Repeat("world ", 50), false))
	plain := "hello " + strings.Repeat("world ", 50)
	var g Gunzip
	for name, fault := range map[string]error{
		"an error":                   errConnection,
		"an end that came too early": io.ErrUnexpectedEOF,
		"an end inside an error":     fmt.Errorf("read tcp 192.0.2.1: %w", io.EOF),
	} {
		t.Run(name, func(t *testing.T) {
			for cut := range len(packed) + 1 {
				got, err := gunzipReader(&g, broken(packed[:cut], fault), 0)
				require.True(t, strings.HasPrefix(plain, string(got)), "at %d", cut)
				require.ErrorIs(t, err, fault, "at %d", cut)
				require.ErrorContains(t, err, "gunzip: read packed bytes: ", "at %d", cut)
				if cut == len(packed) {
					require.Equal(t, plain, string(got), "what came before the error stands")
				}
			}
		})
	}
	_, err := gunzipReader(&g, iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(packed))), 0)
	require.ErrorIs(t, err, iotest.ErrTimeout)
	_, err = gunzipReader(&g, idle{}, 0)
	require.ErrorIs(t, err, io.ErrNoProgress)
	_, err = gunzipReader(&g, liar{}, 0)
	require.ErrorContains(t, err, "source says that it read")
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

type liar struct{}

func (liar) Read(p []byte) (int, error) { return len(p) + 1, nil }

func TestGunzipReaderLimit(t *testing.T) {
	packed := join(member("hello ", false), member("world", false))
	for limit, want := range map[int64]string{-1: "hello world", 0: "hello world", 11: "hello world", 10: "hello worl", 1: "h"} {
		got, err := gunzipReader(new(Gunzip), bytes.NewReader(packed), limit)
		assert.Equal(t, want, string(got))
		if len(want) == 11 {
			require.NoError(t, err)
			continue
		}
		var tooLarge *TooLargeError
		require.ErrorAs(t, err, &tooLarge)
		assert.Equal(t, limit, tooLarge.LimitBytes)
	}
}

func TestGunzipReaderLongHeaders(t *testing.T) {
	named := func(n int) []byte {
		var out bytes.Buffer
		w := stdgzip.NewWriter(&out)
		w.Name, w.Extra = strings.Repeat("n", n), bytes.Repeat([]byte("e"), 65535)
		_, _ = w.Write([]byte("text"))
		_ = w.Close()
		return out.Bytes()
	}
	var g Gunzip
	got, err := gunzipReader(&g, bytes.NewReader(join(named(500_000), named(3))), 0)
	require.NoError(t, err)
	assert.Equal(t, "texttext", string(got))

	got, err = gunzipReader(&g, bytes.NewReader(join(named(3), named(1_200_000))), 0)
	require.ErrorIs(t, err, gzip.ErrHeader)
	assert.ErrorContains(t, err, "header longer than 1048576 bytes")
	assert.Equal(t, "text", string(got))

	_, err = gunzipReader(&g, bytes.NewReader(nil), 0)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Len(t, g.own.buf, windowBytes, "a window that a header made large is not kept")
}

func TestGunzipReaderFloodOfEmptyMembers(t *testing.T) {
	empty, one := member("", false), member("x", false)
	flood := bytes.Repeat(empty, maxEmptyMembers)
	var g Gunzip
	got, err := gunzipReader(&g, bytes.NewReader(join(flood, one, flood, one)), 0)
	require.NoError(t, err, "as many as may be")
	assert.Equal(t, "xx", string(got))
	got, err = gunzipReader(&g, bytes.NewReader(join(one, flood, empty, one)), 0)
	require.EqualError(t, err, "gunzip: more than 100000 empty members in a row")
	assert.Equal(t, "x", string(got))
	require.NoError(t, g.Reset(join(flood, empty), 0))
	_, err = io.ReadAll(&g)
	require.ErrorIs(t, err, errEmptyMembers)
}

func TestGunzipReaderReuseAllocatesNothing(t *testing.T) {
	packed := join(member(strings.Repeat("line\n", 100_000), true), member(string(randomBytes(200_000)), false))
	buf := make([]byte, 4096)
	src := bytes.NewReader(packed)
	var g Gunzip
	assert.Zero(t, testing.AllocsPerRun(20, func() {
		src.Reset(packed)
		err := g.ResetReader(src, 0)
		for err == nil {
			_, err = g.Read(buf)
		}
		if err != io.EOF {
			t.Error(err)
		}
	}))
}

// FuzzGunzipReader: whatever the pieces that the source brings, it is what the standard library reads, and the slice path.
func FuzzGunzipReader(f *testing.F) {
	hello, world := member("hello ", true), member("world", false)
	f.Add(hello, uint16(1))
	f.Add(join(hello, world, hello), uint16(7))
	f.Add(join(hello, world[:12]), uint16(3))
	f.Add(flip(world, -8), uint16(1000))
	for _, plain := range plains() {
		f.Add(member(string(plain[:min(len(plain), 3000)]), false), uint16(100))
	}
	var reader, slice Gunzip
	f.Fuzz(func(t *testing.T, packed []byte, piece uint16) {
		const limit = 4 << 20
		got, err := gunzipReader(&reader, &pieces{r: bytes.NewReader(packed), n: int(piece) + 1}, limit)
		var same []byte
		sliceErr := slice.Reset(packed, limit)
		if sliceErr == nil {
			same, sliceErr = io.ReadAll(&slice)
		}
		require.Equal(t, fmt.Sprint(sliceErr), fmt.Sprint(err))
		require.True(t, bytes.Equal(same, got))

		want, wantErr := standardGunzip(packed, limit+1)
		switch {
		case wantErr != nil:
			require.Error(t, err)
			require.True(t, bytes.HasPrefix(want, got) || bytes.HasPrefix(got, want))
		case errors.Is(err, gzip.ErrHeader):
			require.True(t, reservedFlags(packed), "a header that the standard library accepts")
		default:
			require.Equal(t, len(want) <= limit, err == nil)
			require.True(t, bytes.Equal(want[:min(len(want), limit)], got))
		}
	})
}

func BenchmarkGunzipReader(b *testing.B) {
	var plain strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&plain, `{"id":"%056d","timestamp":%d,"message":"GET /orders/%d HTTP/1.1 200"},`, i, 1_706_745_600_000+i, i*7919)
	}
	packed := member(plain.String(), false)
	buf := make([]byte, 64<<10)
	src := bytes.NewReader(nil)
	var g Gunzip
	b.SetBytes(int64(plain.Len()))
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(packed)
		err := g.ResetReader(src, 0)
		for err == nil {
			_, err = g.Read(buf)
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
}
