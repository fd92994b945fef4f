package compress

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// codecs are all codings, at the levels that are used and at the ends of the scale.
func codecs(tb testing.TB) map[string]Codec {
	tb.Helper()
	all := map[string]Codec{"plain": Plain{}}
	for _, level := range []int{1, 2, 6, 9} {
		c, err := Gzip(level)
		require.NoError(tb, err)
		all[fmt.Sprintf("gzip %d", level)] = c
	}
	for _, level := range []int{1, 3, 22} {
		c, err := Zstd(level)
		require.NoError(tb, err)
		all[fmt.Sprintf("zstd %d", level)] = c
	}
	return all
}

func TestCodecRoundTrip(t *testing.T) {
	bodies := map[string][]byte{
		"empty":         {},
		"one byte":      []byte("["),
		"a few records": []byte(`[{"message":"a"},{"message":"b"}]`),
		"5 MB":          bytes.Repeat([]byte("a log line that repeats, as log lines do\n"), 5_000_000/41),
		"random bytes":  randomBytes(100_000),
	}
	for coding, c := range codecs(t) {
		for name, body := range bodies {
			t.Run(coding+"/"+name, func(t *testing.T) {
				packed := c.Append([]byte("kept:"), body)
				require.Equal(t, "kept:", string(packed[:5]), "Append appends")
				plain, err := c.Unpack([]byte("kept:"), packed[5:])
				require.NoError(t, err)
				require.True(t, bytes.Equal(append([]byte("kept:"), body...), plain))
				require.True(t, bytes.Equal(packed[5:], c.Append(nil, body)), "the same body packs to the same bytes")
			})
		}
	}
}

// randomBytes do not compress; the generator is a linear congruence, so that they are the same on every run.
func randomBytes(n int) []byte {
	b, state := make([]byte, n), uint32(1)
	for i := range b {
		state = state*1664525 + 1013904223
		b[i] = byte(state >> 24)
	}
	return b
}

func TestCodecEncoding(t *testing.T) {
	for name, c := range codecs(t) {
		want, _, _ := strings.Cut(name, " ")
		assert.Equal(t, strings.TrimPrefix(want, "plain"), c.Encoding())
	}
}

func TestCodecMatchesStandardGunzip(t *testing.T) {
	body := bytes.Repeat([]byte("one line\n"), 1000)
	c, err := Gzip(2)
	require.NoError(t, err)
	plain, err := standardGunzip(c.Append(nil, body), 1<<20)
	require.NoError(t, err)
	assert.Equal(t, body, plain)
}

func TestCodecUnpackRefuses(t *testing.T) {
	for coding, c := range codecs(t) {
		if c.Encoding() == "" {
			continue
		}
		packed := c.Append(nil, bytes.Repeat([]byte("one line\n"), 1000))
		for name, broken := range map[string][]byte{
			"a flipped checksum":  flip(packed, -1),
			"a broken magic":      flip(packed, 0),
			"the last byte gone":  packed[:len(packed)-1],
			"the second half":     packed[len(packed)/2:],
			"text behind the end": join(packed, []byte("more, and not packed at all")),
		} {
			t.Run(coding+"/"+name, func(t *testing.T) {
				kept, err := c.Unpack([]byte("kept:"), broken)
				require.Error(t, err)
				assert.Equal(t, "kept:", string(kept), "what was there stays alone")

				plain, err := c.Unpack(nil, packed)
				require.NoError(t, err, "and the decoder is as good as new")
				assert.Len(t, plain, 9000)
			})
		}
	}
}

func TestCodecLevels(t *testing.T) {
	for _, level := range []int{-3, -2, -1, 0, 10, 100} {
		_, err := Gzip(level)
		assert.EqualError(t, err, fmt.Sprintf("gzip level %d: want 1 to 9", level))
	}
	for _, level := range []int{-1, 0, 23} {
		_, err := Zstd(level)
		assert.EqualError(t, err, fmt.Sprintf("zstd level %d: want 1 to 22", level))
	}
}

func TestCodecByManyAtOnce(t *testing.T) {
	for name, c := range codecs(t) {
		t.Run(name, func(t *testing.T) {
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					body := bytes.Repeat(fmt.Appendf(nil, "line of %d\n", i), 2000)
					for range 5 {
						plain, err := c.Unpack(nil, c.Append(nil, body))
						assert.NoError(t, err)
						assert.True(t, bytes.Equal(body, plain))
					}
				})
			}
			wg.Wait()
		})
	}
}

func BenchmarkCodecAppend(b *testing.B) {
	var body bytes.Buffer
	for i := 0; body.Len() < 1<<20; i++ {
		fmt.Fprintf(&body, `{"message":"order %d shipped to customer %d","ddsource":"lambda","service":"shop"},`, i, i*7919%1000)
	}
	for name, c := range codecs(b) {
		b.Run(name, func(b *testing.B) {
			dst := c.Append(nil, body.Bytes())
			b.SetBytes(int64(body.Len()))
			b.ReportAllocs()
			for b.Loop() {
				dst = c.Append(dst[:0], body.Bytes())
			}
		})
	}
}
