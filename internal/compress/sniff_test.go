package compress

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/klauspost/compress/snappy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func sniffed(in []byte, said bool) Packing {
	var window input
	window.setReader(&pieces{r: bytes.NewReader(in), n: 7})
	return sniff(&window, said)
}

func TestSniff(t *testing.T) {
	block := snappy.Encode(nil, []byte("a text that is packed"))
	size := uint32(len(block))
	for name, tc := range map[string]struct {
		in   []byte
		said bool
		want Packing
	}{
		"nothing":                            {said: true},
		"gzip":                               {in: []byte("\x1f\x8b\x08"), want: PackingGzip},
		"half a gzip magic":                  {in: []byte("\x1f")},
		"a file of a zip":                    {in: []byte("PK\x03\x04"), want: PackingZip},
		"a zip of nothing":                   {in: append([]byte("PK\x05\x06"), make([]byte, 18)...), want: PackingZip},
		"what would end a zip of something":  {in: append([]byte("PK\x05\x06\x00\x00\x00\x00\x01"), make([]byte, 13)...)},
		"zstd":                               {in: []byte("\x28\xb5\x2f\xfd"), want: PackingZstd},
		"lz4 is not read":                    {in: []byte("\x04\x22\x4d\x18")},
		"snappy-java":                        {in: []byte("\x82SNAPPY\x00"), want: PackingSnappyJava},
		"framed":                             {in: []byte("\xff\x06\x00\x00sNaPpY"), want: PackingSnappyFramed},
		"S2 is not read":                     {in: []byte("\xff\x06\x00\x00S2sTwO")},
		"bzip2":                              {in: []byte("BZh11AY&SY"), want: PackingBzip2},
		"bzip2 of level 0":                   {in: []byte("BZh01AY&SY")},
		"bzip2 of nothing":                   {in: []byte("BZh9\x17rE8P\x90"), want: PackingBzip2},
		"a text about bzip2":                 {in: []byte("BZh9 is a level")},
		"JSON":                               {in: []byte(`{"Records":[]}`), said: true},
		"Hadoop":                             {in: join(words(21, size), block), want: PackingHadoopSnappy},
		"Hadoop, cut in its block":           {in: join(words(21, size), block)[:20]},
		"Hadoop, cut in its block, said":     {in: join(words(21, size), block)[:20], said: true, want: PackingHadoopSnappy},
		"Hadoop, cut in its lengths, said":   {in: words(21, size)[:6], said: true, want: PackingHadoopSnappy},
		"Hadoop, cut in its last one, said":  {in: join(words(300, 200), []byte{0x80}), said: true, want: PackingHadoopSnappy},
		"Hadoop, one byte, said":             {in: []byte{0}, said: true, want: PackingHadoopSnappy},
		"one other byte, said":               {in: []byte{1}, said: true},
		"more packed than can be":            {in: join(words(1, 4000), block), want: ""},
		"a block larger than it may be":      {in: join(words(20, size), block), said: true},
		"a block that is broken":             {in: join(words(300, 20), []byte("\xac\x02"), make([]byte, 18))},
		"a block that is broken, said":       {in: join(words(300, 20), []byte("\xac\x02"), make([]byte, 18)), said: true, want: PackingHadoopSnappy},
		"a block with the extension of S2":   {in: join(words(8, 6), []byte("\x08\x00a\x15\x00\x00"))},
		"a first part of 2 MiB and 1 byte":   {in: join(words(4<<20, size), []byte("\x81\x80\x80\x01"), make([]byte, 99)), said: true},
		"a first part of 2 MiB, said":        {in: join(words(4<<20, size), []byte("\x80\x80\x80\x01"), make([]byte, 99)), said: true, want: PackingHadoopSnappy},
		"a first block of 16 MiB and 1 byte": {in: join(words(16<<20+1, size), block), said: true},
		"a part of no bytes":                 {in: join(words(21, 0), block), said: true},
		"zeros":                              {in: make([]byte, 100)},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, sniffed(tc.in, tc.said))
		})
	}
}

// FuzzSniff: text is never taken for something packed, nothing is taken off the input, and who takes something for
// Hadoop's can unpack it.
func FuzzSniff(f *testing.F) {
	f.Add([]byte("a line of a log\n"), false)
	f.Add([]byte("BZh91AY&SY"), false)
	f.Add(hadoop([]byte("a text"), 10, 10), true)
	f.Add(words(1<<20, 1<<20), true)
	for _, m := range magics {
		f.Add([]byte(m.opening), false)
	}
	f.Fuzz(func(t *testing.T, in []byte, said bool) {
		var window input
		window.setReader(bytes.NewReader(in))
		packing := sniff(&window, said)
		require.Equal(t, packing, sniffed(in, said), "whatever the pieces")
		require.Zero(t, window.taken())
		require.True(t, bytes.HasPrefix(in, window.ahead(1)))
		text := utf8.Valid(in) && !bytes.ContainsAny(in, "\x00\x03\x05")
		if text && !strings.HasPrefix(string(in), "BZh") {
			require.Empty(t, packing)
		}
		if packing != PackingHadoopSnappy {
			return
		}
		require.True(t, in[0] == 0 || bytes.HasPrefix(in, words(16<<20)))
		if !said {
			size := binary.BigEndian.Uint32(in[4:])
			plain, err := snappy.DecodeStrict(nil, in[8:8+size])
			require.NoError(t, err)
			require.LessOrEqual(t, len(plain), int(binary.BigEndian.Uint32(in)))
		}
	})
}
