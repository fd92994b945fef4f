package compress

import (
	stdzip "archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// textOf reads the log that all files in testdata hold. Those of gzip, zip, zstd and bzip2 were made by the programs of
// that name.
func textOf(tb testing.TB) []byte {
	tb.Helper()
	return fileOf(tb, "lines.jsonl")
}

func fileOf(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile("testdata/" + name)
	require.NoError(tb, err)
	return b
}

// pack packs plain in every way but bzip2, for which there is no encoder here.
var pack = map[Packing]func(plain []byte) []byte{
	PackingGzip:         func(plain []byte) []byte { return member(string(plain), true) },
	PackingZip:          func(plain []byte) []byte { return archive(plain) },
	PackingZstd:         zstandard,
	PackingSnappyJava:   func(plain []byte) []byte { return xerial(plain, 32<<10) },
	PackingSnappyFramed: framed,
	PackingHadoopSnappy: func(plain []byte) []byte { return hadoop(plain, 256<<10, 64<<10) },
}

// packedText is the text of testdata in every packing.
func packedText(tb testing.TB) map[Packing][]byte {
	tb.Helper()
	all := map[Packing][]byte{PackingBzip2: fileOf(tb, "lines.bz2")}
	for packing, f := range pack {
		all[packing] = f(textOf(tb))
	}
	return all
}

// archive puts every text into a file of its own, as the standard library writes them: sizes behind the content.
func archive(plain ...[]byte) []byte {
	var out bytes.Buffer
	w := stdzip.NewWriter(&out)
	for i, text := range plain {
		f, _ := w.Create("logs/" + string(rune('a'+i)) + ".log")
		_, _ = f.Write(text)
	}
	_ = w.Close()
	return out.Bytes()
}

func zstandard(plain []byte) []byte {
	w, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	return w.EncodeAll(plain, nil)
}

// xerial writes a stream of snappy-java, in chunks of so many plain bytes.
func xerial(plain []byte, chunk int) []byte {
	out := []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01")
	for len(plain) > 0 {
		n := min(chunk, len(plain))
		block := snappy.Encode(nil, plain[:n])
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(block))), block...)
		plain = plain[n:]
	}
	return out
}

// hadoop writes blocks of so many plain bytes, in parts of so many.
func hadoop(plain []byte, block, part int) []byte {
	var out []byte
	for len(plain) > 0 {
		n := min(block, len(plain))
		out = binary.BigEndian.AppendUint32(out, uint32(n))
		for left := plain[:n]; len(left) > 0; {
			m := min(part, len(left))
			packed := snappy.Encode(nil, left[:m])
			out = append(binary.BigEndian.AppendUint32(out, uint32(len(packed))), packed...)
			left = left[m:]
		}
		plain = plain[n:]
	}
	return out
}

func framed(plain []byte) []byte {
	var out bytes.Buffer
	w := snappy.NewBufferedWriter(&out)
	_, _ = w.Write(plain)
	_ = w.Close()
	return out.Bytes()
}

// sources are ways in which the same bytes can come.
var sources = map[string]func(io.Reader) io.Reader{
	"as asked":             func(r io.Reader) io.Reader { return r },
	"a byte a time":        iotest.OneByteReader,
	"half of what asked":   iotest.HalfReader,
	"the end with the end": iotest.DataErrReader,
	"a byte, then the end": func(r io.Reader) io.Reader { return iotest.DataErrReader(iotest.OneByteReader(r)) },
	"nothing in between":   func(r io.Reader) io.Reader { return &hesitant{r: r} },
	"pieces of 100":        func(r io.Reader) io.Reader { return &pieces{r: r, n: 100} },
}

// hesitant brings nothing every other time.
type hesitant struct {
	r    io.Reader
	turn bool
}

func (h *hesitant) Read(p []byte) (int, error) {
	if h.turn = !h.turn; h.turn {
		return 0, nil
	}
	return h.r.Read(p)
}

// pieces brings n bytes at most.
type pieces struct {
	r io.Reader
	n int
}

func (s *pieces) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), s.n)]) }

// broken brings in, and then err.
func broken(in []byte, err error) io.Reader {
	return io.MultiReader(bytes.NewReader(in), iotest.ErrReader(err))
}
