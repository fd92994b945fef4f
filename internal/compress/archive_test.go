package compress

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestArchiveOfPackedFiles: each file is peeled for itself.
func TestArchiveOfPackedFiles(t *testing.T) {
	text := func(s string) []byte { return []byte(s) }
	gz := func(s string) []byte { return member(s, true) }
	none := func() []byte { return gz("") }
	packed := packedText(t)
	lines := textOf(t)
	for name, tc := range map[string]struct {
		in       []byte
		want     string
		packings []Packing
	}{
		"gzip files whose last lines do not end": {archive(gz("one"), gz("two"), gz("three")), "one\ntwo\nthree", []Packing{PackingZip, PackingGzip}},
		"gzip files whose lines end":             {archive(gz("one\n"), gz("two\n")), "one\ntwo\n", []Packing{PackingZip, PackingGzip}},
		"gzip files of several members":          {archive(join(gz("o"), gz("ne")), gz("two")), "one\ntwo", []Packing{PackingZip, PackingGzip}},
		"a text, then gzip":                      {archive(text("one"), gz("two"), text("three")), "one\ntwo\nthree", []Packing{PackingZip}},
		"gzip, then a text":                      {archive(gz("one"), text("two"), gz("three")), "one\ntwo\nthree", []Packing{PackingZip, PackingGzip}},
		"gzip of nothing in between":             {archive(gz("one"), none(), none(), text("two"), none()), "one\ntwo", []Packing{PackingZip, PackingGzip}},
		"gzip of nothing first":                  {archive(none(), text("two")), "two", []Packing{PackingZip, PackingGzip}},
		"a file of nothing first":                {archive(nil, gz("two")), "two", []Packing{PackingZip, PackingGzip}},
		"gzip twice beside gzip once":            {archive(gz("one"), member(string(gz("two")), false), gz("three")), "one\ntwo\nthree", []Packing{PackingZip, PackingGzip}},
		"archives in an archive":                 {archive(archive(gz("one"), text("two")), gz("three"), archive(), archive(text("four"))), "one\ntwo\nthree\nfour", []Packing{PackingZip, PackingZip, PackingGzip}},
		"archives one after another":             {join(archive(gz("one"), text("two")), archive(), archive(gz("three"))), "one\ntwo\nthree", []Packing{PackingZip, PackingGzip}},
		"an archive in gzip":                     {member(string(archive(gz("one"), text("two"))), false), "one\ntwo", []Packing{PackingGzip, PackingZip, PackingGzip}},
		"every packing": {
			archive(packed[PackingZstd], packed[PackingBzip2], packed[PackingSnappyJava], packed[PackingSnappyFramed], packed[PackingHadoopSnappy], packed[PackingGzip]),
			string(bytes.Repeat(lines, 6)),
			[]Packing{PackingZip, PackingZstd},
		},
		"a byte order mark opens every text":      {archive(text("\ufeffone"), text("\ufefftwo"), gz("\ufeffthree\n"), text("\ufefffour")), "\ufeffone\ntwo\nthree\nfour", []Packing{PackingZip}},
		"a byte order mark behind a file":         {archive(nil, text("\ufeffone\n")), "\ufeffone\n", []Packing{PackingZip}},
		"a text of a byte order mark and no more": {archive(text("one"), text("\ufeff"), text("two")), "one\ntwo", []Packing{PackingZip}},
		"two byte order marks":                    {archive(text("one"), text("\ufeff\ufefftwo")), "one\n\ufefftwo", []Packing{PackingZip}},
		"half a byte order mark":                  {archive(text("one"), text("\xef\xbb")), "one\n\xef\xbb", []Packing{PackingZip}},
	} {
		t.Run(name, func(t *testing.T) {
			var u Unpacker
			for how, source := range sources {
				got, err := unpackAll(&u, source(bytes.NewReader(tc.in)), "", 0)
				require.NoError(t, err, how)
				require.Equal(t, tc.want, string(got), how)
				require.Equal(t, tc.packings, u.Packings(), how)
			}
			for limit := int64(1); limit < min(int64(len(tc.want)), 100); limit++ {
				got, err := unpackAll(&u, bytes.NewReader(tc.in), "", limit)
				require.Equal(t, tc.want[:limit], string(got))
				require.Equal(t, &TooLargeError{LimitBytes: limit, Setting: settingObject}, err)
			}
			got, err := unpackAll(&u, bytes.NewReader(tc.in), "", int64(len(tc.want)))
			require.NoError(t, err, "what it holds is what it may hold")
			require.Equal(t, tc.want, string(got))
		})
	}
}

func TestArchiveFaultOfAPackedFile(t *testing.T) {
	good := member("hello", false)
	var u Unpacker
	got, err := unpackAll(&u, bytes.NewReader(archive(good, flip(good, -5), good)), "", 0)
	assert.Equal(t, "hello\nhello", string(got), "what comes in front of it stands")
	var corrupt *CorruptError
	require.ErrorAs(t, err, &corrupt)
	assert.Equal(t, PackingGzip, corrupt.Packing)
	assert.Equal(t, int64(10), corrupt.Offset, "the plain bytes of both")

	in := archive(good, good)
	for cut := range in {
		got, err := unpackAll(&u, broken(in[:cut], errConnection), "", 0)
		require.Equal(t, errConnection, err, "at %d", cut)
		if cut >= len(zipLocalHeader) {
			got = bytes.TrimSuffix(got, []byte("\x1f")) // half a magic is none
			require.Equal(t, "hello\nhello"[:len(got)], string(got), "at %d", cut)
		}
	}
}

// TestArchiveOfBombs: none of the files is large enough to be one, and a text between them does not hide them.
func TestArchiveOfBombs(t *testing.T) {
	small := zstandard(make([]byte, minBombBytes/2))
	noise := randomBytes(1 << 20)
	for name, in := range map[string][]byte{
		"bombs alone":                {},
		"behind a text of noise":     noise,
		"behind noise that is gzip":  nil,
		"behind noise, zstd as well": zstandard(noise[:100]),
	} {
		files := [][]byte{in, small, small, small, small, small, small}
		if in == nil {
			files[0] = member(string(noise[:1000]), false)
		}
		var u Unpacker
		u.Reset(bytes.NewReader(archive(files...)), "", Limits{})
		n, err := io.Copy(io.Discard, &u)
		var bomb *BombError
		require.ErrorAs(t, err, &bomb, name)
		assert.Equal(t, PackingZstd, bomb.Packing, name)
		assert.Less(t, n, int64(3*minBombBytes), name)
	}
}

// FuzzArchive: an archive holds what its files hold one by one.
func FuzzArchive(f *testing.F) {
	f.Add([]byte("one"), member("two", false), []byte("\ufeffthree"))
	f.Add(archive([]byte("one"), member("two", true)), []byte{}, zstandard([]byte("three\n")))
	f.Add(hadoop([]byte("one"), 9, 9), xerial([]byte("two"), 9), framed([]byte("three")))
	f.Add(member("", false), []byte("\ufeff"), member("x", false)[:15])
	var whole, alone Unpacker
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		var want []byte
		var wantErr error
		for _, file := range [][]byte{a, b, c} {
			plain, err := unpackAll(&alone, bytes.NewReader(file), "", 1<<20)
			if alone.top >= maxLayers || err != nil && len(plain) >= 1<<20 {
				return // as deep, or as large, as it is read: another layer around it makes a difference
			}
			if len(want) > 0 {
				plain = bytes.TrimPrefix(plain, []byte(byteOrderMark))
			}
			if len(want) > 0 && len(plain) > 0 && want[len(want)-1] != '\n' {
				want = append(want, '\n')
			}
			want = append(want, plain...)
			if wantErr = err; err != nil {
				break
			}
		}
		got, err := unpackAll(&whole, bytes.NewReader(archive(a, b, c)), "", 0)
		require.Equal(t, wantErr == nil, err == nil, fmt.Sprint(wantErr, err))
		require.True(t, bytes.Equal(want, got))
	})
}
