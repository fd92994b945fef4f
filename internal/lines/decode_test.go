package lines

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDecode(t *testing.T) {
	for name, tc := range map[string]struct {
		text     string
		want     string
		encoding string
	}{
		"nothing":                           {"", "", ""},
		"text":                              {"text", "text", ""},
		"text of one byte":                  {"x", "x", ""},
		"UTF-8 without a mark":              {"é€😀", "é€😀", ""},
		"bytes that are no UTF-8":           {"\xff\xff\xfe", "\xff\xff\xfe", ""},
		"half a mark":                       {"\xef\xbb", "\xef\xbb", ""},
		"half a mark and text":              {"\xef\xbbtext", "\xef\xbbtext", ""},
		"half a mark of UTF-16":             {"\xff", "\xff", ""},
		"UTF-8 with a mark":                 {"\xef\xbb\xbftext", "text", UTF8BOM},
		"a mark alone":                      {"\xef\xbb\xbf", "", UTF8BOM},
		"two marks":                         {"\uFEFF\uFEFFx", "\uFEFFx", UTF8BOM},
		"UTF-16, little end first":          {"\xff\xfet\x00\xac\x20\x3d\xd8\x00\xde\n\x00", "t€😀\n", UTF16LE},
		"UTF-16, big end first":             {"\xfe\xff\x00t\x20\xac\xd8\x3d\xde\x00\x00\n", "t€😀\n", UTF16BE},
		"UTF-16 without text":               {"\xff\xfe", "", UTF16LE},
		"UTF-16 with half a unit":           {"\xff\xfet\x00x", "t\uFFFD", UTF16LE},
		"UTF-16 with a low surrogate":       {"\xfe\xff\xde\x00\x00x", "\uFFFDx", UTF16BE},
		"UTF-16 with a high surrogate":      {"\xfe\xff\xd8\x3d\x00x", "\uFFFDx", UTF16BE},
		"UTF-16 with two high surrogates":   {"\xfe\xff\xd8\x3d\xd8\x3d\xde\x00", "\uFFFD😀", UTF16BE},
		"UTF-16 that ends in a pair":        {"\xfe\xff\xd8\x3d", "\uFFFD", UTF16BE},
		"UTF-16 of a script beyond Latin":   {"\xff\xfe\xe5\x65\x2c\x67\x9e\x8a", "日本語", UTF16LE},
		"text that begins like a mark":      {"\xff\xfeimportant one\n", "\xff\xfeimportant one\n", ""},
		"Latin-1 that begins like a mark":   {"\xfe\xffn\xe9e a l'\xe9cole", "\xfe\xffn\xe9e a l'\xe9cole", ""},
		"UTF-8 that begins like a mark":     {"\xfe\xff" + strings.Repeat("xé€", 100), "\xfe\xff" + strings.Repeat("xé€", 100), ""},
		"UTF-16 that ends deeper in a pair": {"\xfe\xff\xd8\x3d\xde", "\uFFFD\uFFFD", UTF16BE},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, iotest.TestReader(Decode(strings.NewReader(tc.text)), []byte(tc.want)))
			for how, sizes := range cuts() {
				for _, asked := range []bool{false, true} {
					d := Decode(&source{data: []byte(tc.text), sizes: sizes, end: io.EOF})
					if asked {
						assert.Equal(t, tc.encoding, d.Encoding(), how)
					}
					got, err := io.ReadAll(d)
					assert.NoError(t, err, how)
					assert.Equal(t, tc.want, string(got), how)
					assert.Equal(t, tc.encoding, d.Encoding(), how)
				}
			}
		})
	}
}

func TestDecodeBeforeAFault(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"text":                          "text",
		"\xef\xbb":                      "\xef\xbb",
		"\xff\xfet\x00x":                "t",
		"\xfe\xff\x00t\xd8\x3d\xde":     "t",
		"\xfe\xff\x00t\xd8\x3d\xde\x00": "t😀",
	} {
		for how, sizes := range cuts() {
			d := Decode(&source{data: []byte(text), sizes: sizes, end: errSource})
			got, err := io.ReadAll(d)
			assert.Equal(t, errSource, err, how)
			assert.Equal(t, want, string(got), how)
			_, err = d.Read(make([]byte, 8))
			assert.Equal(t, errSource, err, how)
		}
	}
	_, err := io.ReadAll(Decode(&source{data: []byte("text"), sizes: []byte{0}, end: io.EOF}))
	assert.Equal(t, io.ErrNoProgress, err)
}

func TestDecodeInConstantMemory(t *testing.T) {
	const size = 50 << 20
	d := Decode(io.MultiReader(strings.NewReader("\xff\xfe"+strings.Repeat("x\x00", evidenceBytes/2)), &endless{n: size}))
	n, err := io.Copy(io.Discard, d)
	require.NoError(t, err)
	assert.Equal(t, int64(evidenceBytes/2+size/2*3), n, "each unit is one of three bytes")
	assert.LessOrEqual(t, cap(d.out), 3*rawBytes)
}

// FuzzDecodeUTF16 holds the transcoder against package utf16.
func FuzzDecodeUTF16(f *testing.F) {
	f.Add([]byte("t\x00\xac\x20\x3d\xd8\x00\xde\x3d\xd8"), []byte{1, 0, 3}, true)
	f.Add([]byte("\x00t\x20\xac\xd8\x3d\xde\x00\x00"), []byte{5}, false)
	f.Fuzz(func(t *testing.T, b, sizes []byte, little bool) {
		if !reading(sizes) {
			return
		}
		mark, order := "\xfe\xff", binary.ByteOrder(binary.BigEndian)
		if little {
			mark, order = "\xff\xfe", binary.LittleEndian
		}
		var units []uint16
		for i := 0; i+1 < len(b); i += 2 {
			units = append(units, order.Uint16(b[i:]))
		}
		want := string(utf16.Decode(units))
		if len(b)%2 == 1 {
			want += "\uFFFD"
		}
		if !isUTF16(b[:min(len(b), evidenceBytes)], order) {
			want = mark + string(b)
		}
		got, err := io.ReadAll(Decode(&source{data: append([]byte(mark), b...), sizes: sizes, end: io.EOF}))
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	})
}

func BenchmarkDecode(b *testing.B) {
	var data []byte
	for _, unit := range utf16.Encode([]rune("\uFEFF" + strings.Repeat("a line of text\r\n", 10_000))) {
		data = binary.LittleEndian.AppendUint16(data, unit)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		_, err := io.Copy(io.Discard, Decode(bytes.NewReader(data)))
		require.NoError(b, err)
	}
}
