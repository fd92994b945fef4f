package reingest

import (
	"bytes"
	stdgzip "compress/gzip"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
)

// member packs text with the standard library, under a header that edit may change.
func member(tb testing.TB, text string, edit func(h *stdgzip.Header)) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := stdgzip.NewWriter(&out)
	if edit != nil {
		edit(&w.Header)
	}
	_, err := w.Write([]byte(text))
	require.NoError(tb, err)
	require.NoError(tb, w.Close())
	return out.Bytes()
}

func commented(tb testing.TB, text, comment string) []byte {
	tb.Helper()
	return member(tb, text, func(h *stdgzip.Header) { h.Comment = comment })
}

// checksummed gives the header of a member, of ten bytes and a comment, the checksum that the standard library does not
// write.
func checksummed(data []byte) []byte {
	end := 10 + bytes.IndexByte(data[10:], 0) + 1
	head := bytes.Clone(data[:end])
	head[3] |= headerChecksum
	sum := crc32.ChecksumIEEE(head)
	return slices.Concat(head, []byte{byte(sum), byte(sum >> 8)}, data[end:])
}

// standardGunzip is what the standard library reads.
func standardGunzip(data []byte) ([]byte, error) {
	r, err := stdgzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// ownGunzip is what package compress reads.
func ownGunzip(data []byte) ([]byte, error) {
	var g compress.Gunzip
	if err := g.Reset(data, 64<<20); err != nil {
		return nil, err
	}
	return io.ReadAll(&g)
}

func TestWithHop(t *testing.T) {
	extra := func(h *stdgzip.Header) { h.Extra, h.Name, h.OS = []byte("\x01\x00\x02\x00ab"), "a.log", 3 }
	for name, tc := range map[string]struct {
		data  []byte
		plain string
		had   int
	}{
		"text":                            {[]byte("one line\n"), "one line\n", 0},
		"nothing":                         {nil, "", 0},
		"one byte of a gzip magic number": {[]byte{0x1f}, "\x1f", 0},
		"gzip":                            {member(t, "one line\n", nil), "one line\n", 0},
		"gzip of two members":             {append(member(t, "one\n", nil), member(t, "two\n", nil)...), "one\ntwo\n", 0},
		"gzip with a name and more":       {member(t, "x", extra), "x", 0},
		"gzip of nothing":                 {member(t, "", nil), "", 0},
		"another comment":                 {commented(t, "x", "made by hand"), "x", 0},
		"a comment that starts alike":     {commented(t, "x", "sluice-hops"), "x", 0},
		"the mark inside a comment":       {commented(t, "x", "a sluice-hop:2"), "x", 0},
		"the mark as a name":              {member(t, "x", func(h *stdgzip.Header) { h.Name = "sluice-hop:2" }), "x", 0},
		"the mark in the second member":   {append(member(t, "x", nil), commented(t, "y", "sluice-hop:2")...), "xy", 0},
		"the mark in the text":            {[]byte("sluice-hop:2"), "sluice-hop:2", 0},
		"one hop":                         {commented(t, "x", "sluice-hop:1"), "x", 1},
		"two hops":                        {commented(t, "x", "sluice-hop:2"), "x", 2},
		"one hop behind an extra field and a name": {
			member(t, "x", func(h *stdgzip.Header) { extra(h); h.Comment = "sluice-hop:1" }), "x", 1,
		},
		"one hop in a header with a checksum": {checksummed(commented(t, "x", "sluice-hop:1")), "x", 1},
	} {
		t.Run(name, func(t *testing.T) {
			before := bytes.Clone(tc.data)
			assert.Equal(t, tc.had, Hops(tc.data))
			out, hops, err := WithHop([]byte("kept:"), tc.data)
			require.NoError(t, err)
			assert.Equal(t, tc.had+1, hops)
			assert.Equal(t, before, tc.data, "the record is not changed")
			marked, appended := bytes.CutPrefix(out, []byte("kept:"))
			require.True(t, appended)
			assert.Equal(t, hops, Hops(marked))

			for reader, gunzip := range map[string]func([]byte) ([]byte, error){"standard": standardGunzip, "own": ownGunzip} {
				plain, err := gunzip(marked)
				require.NoError(t, err, reader)
				assert.Equal(t, tc.plain, string(plain), reader)
			}
			again, _, err := WithHop(nil, tc.data)
			require.NoError(t, err)
			assert.Equal(t, marked, again, "the same record gives the same bytes")
		})
	}
}

func TestWithHopKeepsTheBytesOfGzip(t *testing.T) {
	data := member(t, "one line\n", func(h *stdgzip.Header) { h.Name, h.OS = "a.log", 3 })
	first, _, err := WithHop(nil, data)
	require.NoError(t, err)
	assert.Equal(t, "\x1f\x8b\x08\x10\x00\x00\x00\x00\x00\xffsluice-hop:1\x00\x03\x00"+strings.Repeat("\x00", 8)+string(data), string(first))

	second, _, err := WithHop(nil, first)
	require.NoError(t, err)
	assert.Equal(t, bytes.Replace(first, []byte("hop:1"), []byte("hop:2"), 1), second)

	whole := commented(t, "x", "sluice-hop:1")
	raised, _, err := WithHop(nil, whole)
	require.NoError(t, err)
	assert.Equal(t, bytes.Replace(whole, []byte("hop:1"), []byte("hop:2"), 1), raised)
}

func TestWithHopEnds(t *testing.T) {
	for name, data := range map[string][]byte{"text": []byte("one line\n"), "gzip": member(t, "one line\n", nil)} {
		t.Run(name, func(t *testing.T) {
			for want := 1; want <= MaxHops; want++ {
				out, hops, err := WithHop(nil, data)
				require.NoError(t, err)
				require.Equal(t, want, hops)
				data = out
			}
			out, hops, err := WithHop([]byte("kept"), data)
			require.ErrorContains(t, err, "was put back 3 times, which is the most")
			assert.Equal(t, MaxHops, hops)
			assert.Equal(t, "kept", string(out))
			plain, err := standardGunzip(data)
			require.NoError(t, err)
			assert.Equal(t, "one line\n", string(plain))
		})
	}
}

func TestForgedHops(t *testing.T) {
	for _, count := range []string{
		"", "0", "-1", "+1", "01", " 1", "1 ", "1.0", "0x1", "4", "99", "9223372036854775808", strings.Repeat("9", 1000), "many",
	} {
		t.Run(fmt.Sprintf("%.20q", count), func(t *testing.T) {
			data := commented(t, "x", hopComment+count)
			assert.Equal(t, MaxHops, Hops(data))
			out, hops, err := WithHop(nil, data)
			require.Error(t, err)
			assert.Equal(t, MaxHops, hops)
			assert.Empty(t, out)
		})
	}
}

func TestBrokenGzipHasNoHopsAndStaysBroken(t *testing.T) {
	marked := commented(t, "x", "sluice-hop:2")
	named := member(t, "x", func(h *stdgzip.Header) { h.Extra, h.Name, h.Comment = []byte("extra"), "a.log", "sluice-hop:2" })
	for name, data := range map[string][]byte{
		"magic number alone":     marked[:2],
		"cut in the header":      marked[:9],
		"cut in the extra field": named[:12],
		"cut in its length":      named[:11],
		"cut in the name":        named[:19],
		"cut in the mark":        marked[:15],
		"cut before its end":     marked[:22],
		"another method":         slices.Concat([]byte{0x1f, 0x8b, 7}, marked[3:]),
		"reserved flag":          slices.Concat([]byte{0x1f, 0x8b, 8, 0x90}, marked[4:]),
		"no gzip but the magic":  []byte("\x1f\x8b and text"),
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, 0, Hops(data))
			out, hops, err := WithHop(nil, data)
			require.NoError(t, err)
			assert.Equal(t, 1, hops)
			assert.True(t, bytes.HasSuffix(out, data))
			_, want := ownGunzip(data)
			_, got := ownGunzip(out)
			require.Error(t, want)
			assert.Equal(t, want.Error(), got.Error())
		})
	}
}

// FuzzHops: a hop is counted, the bytes that come out of gunzip stay what they were, and so does the fault they end with.
func FuzzHops(f *testing.F) {
	f.Add([]byte("one line\n"))
	f.Add([]byte{})
	f.Add(member(f, "one line\n", nil))
	f.Add(commented(f, "x", "sluice-hop:1"))
	f.Add(commented(f, "x", "sluice-hop:-7"))
	f.Add(checksummed(commented(f, "x", "sluice-hop:2")))
	f.Add(member(f, "x", func(h *stdgzip.Header) { h.Extra, h.Name, h.Comment = []byte("extra"), "n", "sluice-hop:1" }))
	f.Add(append(commented(f, "", "sluice-hop:2"), "\x1f\x8b broken"...))
	f.Fuzz(func(t *testing.T, data []byte) {
		had := Hops(data)
		require.GreaterOrEqual(t, had, 0)
		require.LessOrEqual(t, had, MaxHops)
		out, hops, err := WithHop([]byte("kept:"), data)
		marked, appended := bytes.CutPrefix(out, []byte("kept:"))
		require.True(t, appended)
		if had == MaxHops {
			require.Error(t, err)
			require.Empty(t, marked)
			require.Equal(t, had, hops)
			return
		}
		require.NoError(t, err)
		require.Equal(t, had+1, hops)
		require.Equal(t, hops, Hops(marked))

		for _, gunzip := range []func([]byte) ([]byte, error){standardGunzip, ownGunzip} {
			want, wantErr := data, error(nil)
			if compress.IsGzip(data) {
				want, wantErr = gunzip(data)
			}
			got, err := gunzip(marked)
			require.True(t, bytes.Equal(want, got))
			require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(err))
		}
	})
}

func BenchmarkWithHop(b *testing.B) {
	text := bytes.Repeat([]byte("2 123456789012 eni-0a1b 192.0.2.10 198.51.100.7 443 49152 6 10 840 ACCEPT OK\n"), 5000)
	for name, data := range map[string][]byte{"text": text, "gzip": member(b, string(text), nil)} {
		b.Run(name, func(b *testing.B) {
			dst, _, err := WithHop(nil, data)
			require.NoError(b, err)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				dst, _, _ = WithHop(dst[:0], data)
			}
		})
	}
}
