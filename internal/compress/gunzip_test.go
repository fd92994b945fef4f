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
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// member packs text as one gzip member, with a file name and a comment in its header when named.
func member(text string, named bool) []byte {
	var out bytes.Buffer
	w, _ := stdgzip.NewWriterLevel(&out, stdgzip.BestCompression)
	if named {
		w.Name, w.Comment, w.Extra, w.ModTime = "a.log", "made for a test", []byte("extra"), time.Unix(1_706_745_600, 0)
	}
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return out.Bytes()
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// flip returns a copy whose byte at i, counted from the end when negative, is another one.
func flip(b []byte, i int) []byte {
	b = bytes.Clone(b)
	if i < 0 {
		i += len(b)
	}
	b[i] ^= 0x40
	return b
}

func TestGunzip(t *testing.T) {
	const limit = 1 << 20
	hello, world, empty := member("hello ", false), member("world", true), member("", false)
	for name, tc := range map[string]struct {
		packed []byte
		want   string // plain bytes before the end or the error
		err    string
	}{
		"one member":                                     {packed: hello, want: "hello "},
		"two members are one text":                       {packed: join(hello, world), want: "hello world"},
		"an empty member":                                {packed: empty},
		"empty members between others":                   {packed: join(empty, hello, empty, empty, world, empty), want: "hello world"},
		"more empty members than a reader is patient":    {packed: join(bytes.Repeat(empty, 500), hello), want: "hello "},
		"nothing at all is no gzip":                      {packed: nil, err: "unexpected EOF"},
		"plain text is no gzip":                          {packed: []byte(`{"messageType":"DATA_MESSAGE"}`), err: "invalid header"},
		"zlib is no gzip":                                {packed: []byte("\x78\x9c\x03\x00\x00\x00\x00\x01"), err: "unexpected EOF"},
		"checksum wrong":                                 {packed: flip(hello, -8), want: "hello ", err: "invalid checksum"},
		"length wrong":                                   {packed: flip(hello, -1), want: "hello ", err: "invalid checksum"},
		"checksum of the first of two wrong":             {packed: join(flip(hello, -8), world), want: "hello ", err: "invalid checksum"},
		"checksum of the second of two wrong":            {packed: join(hello, flip(world, -8)), want: "hello world", err: "invalid checksum"},
		"second header broken":                           {packed: join(hello, flip(world, 0)), want: "hello ", err: "invalid header"},
		"garbage behind the last member":                 {packed: join(hello, []byte("garbage, more than a header")), want: "hello ", err: "invalid header"},
		"one byte of garbage behind the last member":     {packed: join(hello, []byte("g")), want: "hello ", err: "unexpected EOF"},
		"padding with zeros is garbage":                  {packed: join(hello, make([]byte, 512)), want: "hello ", err: "invalid header"},
		"a deflate block of the reserved type":           {packed: join(hello[:10], []byte{0xff}), err: "corrupt"},
		"a header that ends inside the second file name": {packed: join(hello, world[:19]), want: "hello ", err: "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			for how, wrap := range map[string]func(io.Reader) io.Reader{
				"at once":        func(r io.Reader) io.Reader { return r },
				"a byte a time":  iotest.OneByteReader,
				"half the reads": iotest.HalfReader,
				"never idle":     func(r io.Reader) io.Reader { return busy{t, r} },
			} {
				var g Gunzip
				var got []byte
				err := g.Reset(tc.packed, limit)
				if err == nil {
					got, err = io.ReadAll(wrap(&g))
				}
				assert.Equal(t, tc.want, string(got), how)
				if tc.err == "" {
					assert.NoError(t, err, how)
				} else {
					assert.ErrorContains(t, err, tc.err, how)
				}
			}
		})
	}
}

// busy insists that every read brings bytes or an error.
type busy struct {
	t *testing.T
	r io.Reader
}

func (b busy) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	assert.True(b.t, n > 0 || err != nil, "a read that brings nothing")
	return n, err
}

func TestGunzipTruncatedAtEveryByte(t *testing.T) {
	first, second := member("hello ", true), member("world", true)
	packed := join(first, second)
	plain := []byte("hello world")
	for cut := range packed {
		var g Gunzip
		err := g.Reset(packed[:cut], 100)
		var got []byte
		if err == nil {
			got, err = io.ReadAll(&g)
		}
		require.True(t, bytes.HasPrefix(plain, got), "cut at %d: %q", cut, got)
		if cut == len(first) {
			require.NoError(t, err, "the first member is whole")
			require.Equal(t, "hello ", string(got))
			continue
		}
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, "cut at %d of %d", cut, len(packed))
	}
}

func TestGunzipCap(t *testing.T) {
	long := strings.Repeat("a line of a log\n", 10_000)
	size := int64(len(long))
	for name, tc := range map[string]struct {
		packed []byte
		limit  int64
		want   int64
		over   bool
	}{
		"exactly the cap":                 {member(long, false), size, size, false},
		"over by one":                     {member(long, false), size - 1, size - 1, true},
		"far over":                        {member(long, false), 10, 10, true},
		"nothing is allowed":              {member(long, false), 0, 0, true},
		"nothing is allowed and there":    {member("", false), 0, 0, false},
		"the cap holds across members":    {join(member(long, false), member("x", false)), size, size, true},
		"the cap is met across members":   {join(member(long, false), member("x", false)), size + 1, size + 1, false},
		"empty members behind a full cap": {join(member(long, false), member("", false)), size, size, false},
	} {
		t.Run(name, func(t *testing.T) {
			var g Gunzip
			require.NoError(t, g.Reset(tc.packed, tc.limit))
			got, err := io.ReadAll(&g)
			assert.Equal(t, long[:min(tc.want, size)], string(got[:min(tc.want, size)]))
			assert.Len(t, got, int(tc.want))
			if !tc.over {
				require.NoError(t, err)
				return
			}
			var tooLarge *TooLargeError
			require.ErrorAs(t, err, &tooLarge)
			assert.Equal(t, tc.limit, tooLarge.LimitBytes)
			assert.ErrorContains(t, err, fmt.Sprintf("more than %d bytes (raise SLUICE_MAX_INFLATED_BYTES", tc.limit))
		})
	}
}

func TestGunzipErrorStays(t *testing.T) {
	whole := member("hello", false)
	for name, tc := range map[string]struct {
		packed []byte
		limit  int64
		want   error
	}{
		"nothing at all":             {nil, 100, io.ErrUnexpectedEOF},
		"no gzip":                    {[]byte("no gzip at all"), 100, gzip.ErrHeader},
		"checksum wrong":             {flip(whole, -8), 100, gzip.ErrChecksum},
		"truncated":                  {whole[:len(whole)-9], 100, io.ErrUnexpectedEOF},
		"over the cap by one":        {whole, 4, &TooLargeError{LimitBytes: 4, Setting: settingInflated}},
		"a whole stream has its end": {whole, 100, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			var g Gunzip
			if err := g.Reset(tc.packed, tc.limit); err == nil {
				_, _ = io.ReadAll(&g)
			}
			for range 3 {
				n, err := g.Read(make([]byte, 10))
				assert.Zero(t, n)
				if tooLarge := (*TooLargeError)(nil); errors.As(tc.want, &tooLarge) {
					assert.Equal(t, tc.want, err)
				} else {
					assert.ErrorIs(t, err, tc.want)
				}
			}
			require.NoError(t, g.Reset(member("next", true), 100), "and the reader is as good as new")
			got, err := io.ReadAll(&g)
			require.NoError(t, err)
			assert.Equal(t, "next", string(got))
		})
	}
}

func TestGunzipReadOfNothing(t *testing.T) {
	var g Gunzip
	require.NoError(t, g.Reset(member("hello", false), 100))
	n, err := g.Read(nil)
	assert.Zero(t, n)
	require.NoError(t, err)
	require.NoError(t, iotest.TestReader(&g, []byte("hello")))
}

func TestGunzipReuseAllocatesNothing(t *testing.T) {
	packed := join(member(strings.Repeat("line\n", 1000), false), member("more", false))
	buf := make([]byte, 4096)
	var g Gunzip
	assert.Zero(t, testing.AllocsPerRun(20, func() {
		err := g.Reset(packed, 1<<20)
		for err == nil {
			_, err = g.Read(buf)
		}
		if err != io.EOF {
			t.Error(err)
		}
	}))
}

func TestIsGzip(t *testing.T) {
	for name, tc := range map[string]struct {
		b    []byte
		want bool
	}{
		"a member":        {member("x", false), true},
		"the magic alone": {[]byte{0x1f, 0x8b}, true},
		"half the magic":  {[]byte{0x1f}, false},
		"nothing":         {nil, false},
		"JSON":            {[]byte(`{}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, IsGzip(tc.b))
		})
	}
}

// FuzzGunzipCapped: never more than the cap, and what the standard library accepts comes out the same.
func FuzzGunzipCapped(f *testing.F) {
	hello, world := member("hello ", true), member("world", false)
	f.Add([]byte{}, uint16(0))
	f.Add(hello, uint16(6))
	f.Add(hello, uint16(5))
	f.Add(join(hello, world), uint16(100))
	f.Add(join(hello, world[:12]), uint16(100))
	f.Add(flip(world, -8), uint16(100))
	f.Add(member(strings.Repeat("bomb", 5000), false), uint16(1000))
	f.Fuzz(func(t *testing.T, packed []byte, limit uint16) {
		var g Gunzip
		var got []byte
		err := g.Reset(packed, int64(limit))
		if err == nil {
			got, err = io.ReadAll(&g)
		}
		require.LessOrEqual(t, len(got), int(limit))

		want, wantErr := standardGunzip(packed, 16<<20)
		var tooLarge *TooLargeError
		switch {
		case wantErr != nil:
			require.Error(t, err)
			require.True(t, bytes.HasPrefix(want, got) || bytes.HasPrefix(got, want), "%q and %q", got, want)
		case errors.Is(err, gzip.ErrHeader):
			require.True(t, reservedFlags(packed), "a header that the standard library accepts")
		case len(want) > int(limit):
			require.ErrorAs(t, err, &tooLarge)
			require.Equal(t, want[:limit], got)
		default:
			require.NoError(t, err)
			require.Equal(t, string(want), string(got))
		}
	})
}

// standardGunzip unpacks with the standard library, up to limit bytes.
func standardGunzip(packed []byte, limit int64) ([]byte, error) {
	r, err := stdgzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, limit))
}

// reservedFlags reports whether something in packed looks like a header with reserved flags, which RFC 1952, section
// 2.3.1.2, tells readers to refuse and the standard library lets pass.
func reservedFlags(packed []byte) bool {
	for i := 0; i+3 < len(packed); i++ {
		if IsGzip(packed[i:]) && packed[i+2] == 8 && packed[i+3]>>5 != 0 {
			return true
		}
	}
	return false
}

func BenchmarkGunzip(b *testing.B) {
	var plain strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&plain, `{"id":"%056d","timestamp":%d,"message":"GET /orders/%d HTTP/1.1 200"},`, i, 1_706_745_600_000+i, i*7919)
	}
	packed := member(plain.String(), false)
	buf := make([]byte, 64<<10)
	var g Gunzip
	b.SetBytes(int64(plain.Len()))
	b.ReportAllocs()
	for b.Loop() {
		err := g.Reset(packed, 64<<20)
		for err == nil {
			_, err = g.Read(buf)
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
}

// BenchmarkGunzipTinyMembers reads many members of one short line each, which are of blocks with fixed codes: what
// it costs to start a member is what counts.
func BenchmarkGunzipTinyMembers(b *testing.B) {
	const line = "a short line\n"
	packed := bytes.Repeat(member(line, false), 1000)
	buf := make([]byte, 64<<10)
	var g Gunzip
	b.SetBytes(int64(1000 * len(line)))
	b.ReportAllocs()
	for b.Loop() {
		err := g.Reset(packed, 1<<20)
		for err == nil {
			_, err = g.Read(buf)
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
}
