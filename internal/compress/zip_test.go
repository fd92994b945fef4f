package compress

import (
	stdzip "archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// entry is a file of an archive that is written by hand. Fields that are nil or zero are what they should be.
type entry struct {
	name     string
	text     string
	stored   bool
	flags    uint16
	method   uint16 // instead of the right one
	checksum uint32 // to be added to the right one
	plain    uint32 // to be added to the right one
	packed   uint32 // to be added to the right one
	zip64    bool   // sizes in the extra field
	extra    []byte
	trailer  func(checksum uint32, packed, plain uint64) []byte // nil: sizes in front
}

func (e *entry) append(dst []byte) []byte {
	content, method := deflateText(e.text), uint16(zipDeflated)
	if e.stored {
		content, method = []byte(e.text), zipStored
	}
	if e.method != 0 {
		method = e.method
	}
	flags := e.flags
	checksum := crc32.ChecksumIEEE([]byte(e.text)) + e.checksum
	packed, plain := uint32(len(content))+e.packed, uint32(len(e.text))+e.plain
	extra := bytes.Clone(e.extra)
	if e.zip64 {
		extra = append(extra, "\x01\x00\x10\x00"...)
		extra = binary.LittleEndian.AppendUint64(extra, uint64(plain))
		extra = binary.LittleEndian.AppendUint64(extra, uint64(packed))
		packed, plain = zip64Marker, zip64Marker
	}
	var trailer []byte
	if e.trailer != nil {
		trailer = e.trailer(checksum, uint64(packed), uint64(plain))
		flags |= zipHasTrailer
		checksum, packed, plain = 0, 0, 0
	}
	dst = append(dst, zipLocalHeader+"\x14\x00"...)
	dst = binary.LittleEndian.AppendUint16(dst, flags)
	dst = binary.LittleEndian.AppendUint16(dst, method)
	dst = append(dst, 0, 0, 0x41, 0x58)
	dst = binary.LittleEndian.AppendUint32(dst, checksum)
	dst = binary.LittleEndian.AppendUint32(dst, packed)
	dst = binary.LittleEndian.AppendUint32(dst, plain)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(e.name)))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(extra)))
	dst = append(append(dst, e.name...), extra...)
	return append(append(dst, content...), trailer...)
}

func deflateText(text string) []byte {
	z := member(text, false)
	return z[10 : len(z)-trailerBytes]
}

// entries are the files in front of a central directory of which only the start is ever looked at.
func entries(files ...entry) []byte {
	var out []byte
	for i := range files {
		out = files[i].append(out)
	}
	return append(out, zipCentral+"the rest of the directory is cut short"...)
}

// entry1 is a file alone.
func entry1() []byte { return (&entry{text: "x"}).append(nil) }

// part is a part of a central directory that is of zeros, but for the lengths at some places.
func part(signature string, size int, atLength ...byte) []byte {
	out := make([]byte, size)
	copy(out, signature)
	for i := 0; i < len(atLength); i += 2 {
		out[atLength[i]] = atLength[i+1]
	}
	return out
}

// trailers are the ways to write a data descriptor.
func trailers(signature string, wide bool) func(uint32, uint64, uint64) []byte {
	return func(checksum uint32, packed, plain uint64) []byte {
		return appendDescriptor([]byte(signature), checksum, packed, plain, wide)
	}
}

func TestZip(t *testing.T) {
	long := strings.Repeat("a line of a log\n", 20_000)
	for name, tc := range map[string]struct {
		in   []byte
		want string
	}{
		"one file":                           {entries(entry{name: "a", text: "hello\n"}), "hello\n"},
		"a stored file":                      {entries(entry{name: "a", text: long, stored: true}), long},
		"two files whose lines end":          {entries(entry{text: "hello\n"}, entry{text: "world\n"}), "hello\nworld\n"},
		"a line feed between files":          {entries(entry{text: "hello"}, entry{text: "world", stored: true}, entry{text: "!"}), "hello\nworld\n!"},
		"none for files of nothing":          {entries(entry{text: ""}, entry{text: "hello"}, entry{text: ""}, entry{stored: true}), "hello"},
		"one across files of nothing":        {entries(entry{text: "hello"}, entry{text: ""}, entry{text: "world"}), "hello\nworld"},
		"folders are no files":               {entries(entry{name: "a/", stored: true}, entry{name: "a/b", text: "hello"}), "hello"},
		"a folder with a trailer":            {entries(entry{name: "a/", stored: true, trailer: trailers(zipDescriptor, false)}, entry{text: "x"}), "x"},
		"a folder that is deflated":          {entries(entry{name: "a/", trailer: trailers(zipDescriptor, false)}, entry{text: "x"}), "x"},
		"trailer":                            {entries(entry{text: long, trailer: trailers(zipDescriptor, false)}, entry{text: "x"}), long + "x"},
		"trailer without a signature":        {entries(entry{text: long, trailer: trailers("", false)}, entry{text: "x"}), long + "x"},
		"trailer of eight bytes":             {entries(entry{text: long, trailer: trailers(zipDescriptor, true)}, entry{text: "x"}), long + "x"},
		"the same without a signature":       {entries(entry{text: long, trailer: trailers("", true)}, entry{text: "x"}), long + "x"},
		"trailer of nothing, of eight bytes": {entries(entry{trailer: trailers(zipDescriptor, true)}, entry{text: "x"}), "x"},
		"sizes in the extra field":           {entries(entry{text: long, zip64: true, extra: []byte("\x55\x54\x01\x00\x00")}, entry{text: "x", zip64: true, stored: true}), long + "x"},
		"an extra field that is too long":    {entries(entry{text: "x", extra: []byte("\x55\x54\xff\xff\x00")}), "x"},
		"an archive of nothing":              {[]byte(zipEnd + strings.Repeat("\x00", 18)), ""},
		"a text that looks like an archive":  {entries(entry{text: "PK\x05\x06", stored: true}), "PK\x05\x06"},
		"every part of a directory": {
			join(entry1(),
				[]byte("PK\x06\x08\x03\x00\x00\x00abc"), part(zipCentral, 46, 28, 1, 30, 2, 32, 3), []byte("abbccc"),
				[]byte("PK\x05\x05\x02\x00ab"), []byte("PK\x06\x06\x04\x00\x00\x00\x00\x00\x00\x00abcd"),
				part(zipLocator64, 20), part(zipEnd, 22, 20, 3), []byte("abc"), entries(entry{text: "y"}),
			), "x\ny",
		},
		"the standard library's": {archive([]byte("hello"), []byte(long), nil, []byte("x")), "hello\n" + long + "x"},
	} {
		t.Run(name, func(t *testing.T) {
			var u Unpacker
			for how, source := range sources {
				got, err := unpackAll(&u, source(bytes.NewReader(tc.in)), "", 0)
				require.NoError(t, err, how)
				require.Equal(t, tc.want, string(got), how)
				require.Equal(t, []Packing{PackingZip}, u.Packings())
			}
		})
	}
}

func TestZipRefuses(t *testing.T) {
	good := entry{text: "hello\n"}
	for name, tc := range map[string]struct {
		in          []byte
		want        string
		err         string
		unsupported bool
	}{
		"an encrypted file": {in: entries(good, entry{text: "x", flags: 1}), want: "hello\n", err: "file 2 of the archive: it is encrypted", unsupported: true},
		"strong encryption": {in: entries(entry{text: "x", flags: 1 << 6}), err: "file 1 of the archive: it is encrypted", unsupported: true},
		"method 12, bzip2":  {in: entries(good, entry{text: "x", method: 12}), want: "hello\n", err: "file 2 of the archive: it is packed by method 12", unsupported: true},
		"a patch":           {in: entries(entry{text: "x", flags: 1 << 5}), err: "packed by method 8", unsupported: true},
		"a stored file whose length comes behind": {
			in: entries(entry{text: "x", stored: true, trailer: trailers(zipDescriptor, false)}), err: "its length is not in front of it", unsupported: true,
		},
		"a wrong checksum":                 {in: entries(good, entry{text: "world", checksum: 1}, good), want: "hello\nworld", err: "file 2 of the archive: wrong checksum"},
		"a wrong checksum, stored":         {in: entries(entry{text: "world", stored: true, checksum: 1}), want: "world", err: "wrong checksum"},
		"a wrong checksum behind":          {in: entries(entry{text: "world", checksum: 1, trailer: trailers(zipDescriptor, false)}), want: "world", err: "wrong checksum"},
		"more than is said":                {in: entries(entry{text: "world", plain: 1}), want: "world", err: "wrong length of a file"},
		"packed in more than is said":      {in: entries(entry{text: "world", packed: 1}), want: "world", err: "wrong length of a file"},
		"stored in two lengths":            {in: entries(entry{text: "world", stored: true, packed: 1}), err: "wrong length of a file"},
		"something between two files":      {in: join(good.append(nil), []byte("something"), entries(good)), want: "hello\n", err: "neither a file nor the central directory follows"},
		"broken deflate data":              {in: entries(entry{text: "\x07", stored: true, method: zipDeflated}), err: "file 1 of the archive: corrupt deflate data"},
		"no directory behind the files":    {in: good.append(nil), want: "hello\n", err: "unexpected EOF"},
		"an unknown part of the directory": {in: join(entry1(), part(zipCentral, 46), []byte("PK\x09\x09"), make([]byte, 60)), want: "x", err: "neither a file"},
		"a trailer that is not one":        {in: entries(entry{text: "x", trailer: func(uint32, uint64, uint64) []byte { return nil }}), want: "x", err: "wrong checksum"},
		"a file of no method, encrypted":   {in: entries(entry{text: "x", method: 99, flags: 1}), err: "it is encrypted", unsupported: true},
	} {
		t.Run(name, func(t *testing.T) {
			var u Unpacker
			for how, source := range sources {
				got, err := unpackAll(&u, source(bytes.NewReader(tc.in)), "", 0)
				require.Equal(t, tc.want, string(got), how)
				require.ErrorContains(t, err, tc.err, how)
				assert.Equal(t, tc.unsupported, errors.Is(err, errors.ErrUnsupported))
				var corrupt *CorruptError
				require.ErrorAs(t, err, &corrupt)
				assert.Equal(t, int64(len(got)), corrupt.Offset)
			}
		})
	}
}

// FuzzZip: what the standard library reads from an archive whose files come one after another comes out here as well.
func FuzzZip(f *testing.F) {
	f.Add([]byte("hello"), []byte("world\n"), uint8(0))
	f.Add([]byte{}, []byte("PK\x07\x08"), uint8(3))
	f.Add(bytes.Repeat([]byte("line\n"), 10_000), []byte("PK\x01\x02"), uint8(255))
	f.Fuzz(func(t *testing.T, first, second []byte, how uint8) {
		files := []entry{{name: "a", text: string(first)}, {name: "b/", stored: true}, {name: "b/c", text: string(second)}}
		for i := range files {
			files[i].stored = files[i].stored || how&1 != 0
			files[i].zip64 = how&2 != 0
			if how&4 != 0 && !files[i].stored {
				signature := map[bool]string{false: zipDescriptor}[how&8 != 0]
				files[i].zip64, files[i].trailer = false, trailers(signature, how&16 != 0)
			}
			how = how>>5 | how<<3
		}
		var z zipReader
		var in input
		in.setReader(bytes.NewReader(entries(files...)))
		z.reset(&in)
		for _, want := range [][]byte{first, second} {
			if len(want) == 0 {
				continue
			}
			require.NoError(t, z.nextFile())
			got, err := io.ReadAll(&z)
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got))
		}
		require.Equal(t, io.EOF, z.nextFile())
	})
}

// TestZipWritersOfOthers reads what the standard library writes in its other ways.
func TestZipWritersOfOthers(t *testing.T) {
	var out bytes.Buffer
	w := stdzip.NewWriter(&out)
	_, err := w.Create("logs/")
	require.NoError(t, err)
	text := []byte("hello")
	raw, err := w.CreateRaw(&stdzip.FileHeader{
		Name: "logs/a", Method: stdzip.Store, CRC32: crc32.ChecksumIEEE(text), CompressedSize64: 5, UncompressedSize64: 5,
	})
	require.NoError(t, err)
	_, err = raw.Write(text)
	require.NoError(t, err)
	deflated, err := w.Create("logs/b")
	require.NoError(t, err)
	_, err = deflated.Write([]byte("world"))
	require.NoError(t, err)
	require.NoError(t, w.SetComment("made for a test"))
	require.NoError(t, w.Close())
	got, err := unpackAll(new(Unpacker), &out, "", 0)
	require.NoError(t, err)
	assert.Equal(t, "hello\nworld", string(got))
}
