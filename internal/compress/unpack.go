package compress

import (
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"
)

// Limits of what is unpacked, against bombs.
const (
	// maxLayers are peeled off. Two occur: gzip records of CloudWatch Logs in a stream that packs by gzip.
	maxLayers = 3
	// maxRatio of plain to packed bytes is what a layer may have, in each stretch of minBombBytes that come out of it.
	// Deflate makes at most 1032:1, and only of one byte for ever.
	maxRatio     = 1000
	minBombBytes = 16 << 20
	// maxZstdWindow is what RFC 8878, section 3.1.1.1.2, asks of every decoder, and as much as is held here.
	maxZstdWindow = 8 << 20
	// turnBytes are unpacked at most between two looks at the ratio.
	turnBytes = 1 << 20
)

// Limits say how much an [Unpacker] lets through.
type Limits struct {
	PlainBytes int64 // of what comes out in the end; 0: no limit
}

// Unpacker reads a stream as plain bytes, however it is packed: it looks at the bytes, never at a name, and peels layer
// after layer, at most three, until nothing that it knows is left. What is packed in more is an error. Parquet, ORC and all
// it does not know come out as they are.
//
// Of an archive it reads every file, one after another, and peels each of them for itself, because they need not be packed
// alike. Their texts come out as one: where one does not end in a line feed and another follows, a line feed is put between
// them, and a byte order mark at the start of any but the first is left out.
//
// It holds what has to be held to unpack, whatever the length of the stream: a few hundred kilobytes for each layer, for
// zstd and bzip2 up to 20 MiB, for Snappy twice a block, of at most 2 MiB. The zero value is ready, and is made to be
// reused: Reset starts anew, and all but the memory of bzip2 serves again.
type Unpacker struct {
	layers   [maxLayers + 1]layer
	top      int // of layers, the one that is not packed
	packings []Packing
	src      io.Reader
	said     bool // Hadoop's packing is announced
	peeled   bool
	started  bool // something has been handed out
	opening  bool // nothing of this file has been handed out
	last     byte // of what has been handed out
	limit    int64
	left     int64 // plain bytes still allowed
	err      error // what the stream ended with
}

// Reset makes u read src. contentEncoding is that of the object, and may be empty; it decides nothing but whether bytes
// that may be Hadoop's Snappy blocks, which have no magic, are such.
func (u *Unpacker) Reset(src io.Reader, contentEncoding string, limits Limits) {
	u.src, u.said, u.peeled, u.err = src, announcesHadoop(contentEncoding), false, nil
	u.started, u.opening = false, false
	u.packings = u.packings[:0]
	for i := range u.layers {
		u.layers[i].release()
	}
	u.limit, u.left = limits.PlainBytes, limits.PlainBytes
	if u.limit <= 0 {
		u.left = math.MaxInt64
	}
}

// Packings are what was peeled off, the outermost first; none for a stream of plain bytes; of an archive, off its first file
// that holds something. They are complete once Read has returned for the first time, and stay valid until Reset.
func (u *Unpacker) Packings() []Packing { return u.packings }

// Read reads plain bytes. It ends with io.EOF where everything was whole, and else with a [CorruptError], a [BombError], a
// [TooLargeError], a [LayersError], or an error of the source as it is. Whatever was unpacked in front of an error comes
// before it.
func (u *Unpacker) Read(p []byte) (int, error) {
	if u.err != nil || len(p) == 0 {
		return 0, u.err
	}
	if !u.peeled {
		u.peeled = true
		u.err = u.peel(0, u.src)
		u.packings = u.packings[:0]
		for i := range u.top {
			u.packings = append(u.packings, u.layers[i].packing)
		}
		if u.err != nil {
			return 0, u.err
		}
	}
	for {
		n, err := u.read(p)
		if n > 0 {
			u.started, u.opening, u.last = true, false, p[n-1] //nolint:gosec // n is at most the length of p
			u.left -= int64(n)
		}
		if err == io.EOF && n == 0 {
			if err = u.nextFile(); err == nil {
				continue
			}
		}
		u.err = err
		return n, err
	}
}

// read reads plain bytes of this file, or what is to be put in front of them.
func (u *Unpacker) read(p []byte) (int, error) {
	plain := &u.layers[u.top].in
	if u.opening && u.started {
		if bytes.HasPrefix(plain.ahead(len(byteOrderMark)), []byte(byteOrderMark)) {
			plain.pos += len(byteOrderMark)
		}
		u.opening = false
		if u.last != '\n' && len(plain.ahead(1)) > 0 && u.left > 0 {
			p[0] = '\n'
			return 1, nil
		}
	}
	if u.left > 0 {
		return plain.Read(p[:min(int64(len(p)), u.left)])
	}
	if len(plain.ahead(1)) == 0 {
		return 0, plain.err
	}
	return 0, &TooLargeError{LimitBytes: u.limit, Setting: settingObject}
}

// byteOrderMark is that of UTF-8, which some programs open a file with.
const byteOrderMark = "\xef\xbb\xbf"

// nextFile goes to the next file of the innermost archive that has one. It returns io.EOF if there is none.
func (u *Unpacker) nextFile() error {
	for i := u.top - 1; i >= 0; i-- {
		l := &u.layers[i]
		if l.packing != PackingZip {
			continue
		}
		err := l.nextFile()
		if err == nil {
			return u.peel(i+1, l)
		}
		if err != io.EOF {
			return err
		}
	}
	return io.EOF
}

// peel finds out how src is packed, which is what comes out of the layers in front of the given one. It returns a
// [LayersError] for what is packed in too many.
func (u *Unpacker) peel(from int, src io.Reader) error {
	u.opening = true
	for u.top = from; ; u.top++ {
		l := &u.layers[u.top]
		l.start(src)
		packing := sniff(&l.in, u.said && u.top == 0)
		if packing == "" {
			return nil
		}
		if u.top == maxLayers {
			return &LayersError{Packing: packing}
		}
		l.open(packing)
		src = l
	}
}

// layer unpacks one packing. What it has made for a packing it keeps.
type layer struct {
	in      input
	packing Packing // empty: it is not packed
	decoder io.Reader
	made    int64 // plain bytes, of all files if it is inside an archive
	err     error // what it ended with

	// Where the stretch began whose ratio is looked at: what comes in front of a bomb must not hide it. It goes on from file
	// to file of an archive, because many small bombs are a large one.
	stretchMade, stretchTaken int64

	gunzip *Gunzip
	zip    *zipReader
	snappy snappyReader
	zstd   zstdReader
}

// start makes l read src, which may be another file of an archive. What was taken of packed files before counts on.
func (l *layer) start(src io.Reader) {
	if l.packing != "" {
		l.stretchTaken -= l.in.taken()
	}
	l.packing = ""
	l.in.setReader(src)
}

// open starts to unpack in. A fault of its first bytes is what Read returns.
func (l *layer) open(packing Packing) {
	l.packing, l.err = packing, nil
	switch packing {
	case PackingGzip:
		if l.gunzip == nil {
			l.gunzip = new(Gunzip)
		}
		l.decoder = l.gunzip
		_ = l.gunzip.reset(&l.in, math.MaxInt64) // Read returns it
	case PackingZip:
		if l.zip == nil {
			l.zip = new(zipReader)
		}
		l.decoder = l.zip
		l.zip.reset(&l.in)
		_ = l.nextFile() // Read returns it
	case PackingZstd:
		l.decoder = &l.zstd
		l.zstd.reset(&l.in)
	case PackingSnappyJava:
		l.decoder = &l.snappy
		l.snappy.reset(&l.in, nextXerial)
	case PackingSnappyFramed:
		l.decoder = &l.snappy
		l.snappy.reset(&l.in, nextFramed)
	case PackingHadoopSnappy:
		l.decoder = &l.snappy
		l.snappy.reset(&l.in, nextHadoop)
	case PackingBzip2:
		l.decoder = &bzip2Reader{in: &l.in, r: bzip2.NewReader(&l.in)}
	}
}

// release forgets the stream, and keeps no more memory for the next one than any stream needs.
func (l *layer) release() {
	l.in.release()
	l.snappy.release()
	l.packing, l.made, l.stretchMade, l.stretchTaken = "", 0, 0, 0
}

// nextFile goes to the next file of the archive that is packed in this layer. It returns io.EOF behind the last.
func (l *layer) nextFile() error {
	if l.err == nil || l.err == io.EOF { //nolint:errorlint // inside another error it is no end
		l.err = nil
		if err := l.zip.nextFile(); err != nil {
			l.err = l.fault(err)
		}
	}
	return l.err
}

// Read reads what has been packed in this layer.
func (l *layer) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.decoder.Read(p[:min(len(p), turnBytes)])
	l.made += int64(n)
	if err != nil {
		l.err = l.fault(err)
		return n, l.err
	}
	l.err = l.bomb()
	return n, l.err
}

// bomb looks at the ratio of the last stretch, if it has come to its end.
func (l *layer) bomb() error {
	made, packed := l.made-l.stretchMade, l.in.taken()-l.stretchTaken
	if made < minBombBytes {
		return nil
	}
	if made > packed*maxRatio {
		return &BombError{Packing: l.packing, PackedBytes: packed, PlainBytes: made}
	}
	l.stretchMade, l.stretchTaken = l.made, l.in.taken()
	return nil
}

// fault tells what an error of the decoder is: the end, an error of the source, or a fault of what is packed.
func (l *layer) fault(err error) error {
	if err == io.EOF { //nolint:errorlint // inside another error it is no end
		return io.EOF
	}
	if source := (*sourceError)(nil); errors.As(err, &source) {
		return source.err
	}
	return &CorruptError{Packing: l.packing, Offset: l.made, Err: err}
}

// bzip2Reader is the decoder of the standard library, which cannot be reused.
type bzip2Reader struct {
	in *input
	r  io.Reader
}

func (b *bzip2Reader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil {
		err = b.in.verdict(err)
	}
	return n, err
}

// zstdReader is the decoder of the zstd package, and starts no goroutine.
type zstdReader struct {
	in      *input
	decoder *zstd.Decoder
	err     error
}

func (z *zstdReader) reset(in *input) {
	z.in, z.err = in, nil
	if z.decoder == nil {
		z.decoder, z.err = zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxZstdWindow))
	}
	if z.err == nil {
		z.err = z.decoder.Reset(in)
	}
}

func (z *zstdReader) Read(p []byte) (int, error) {
	if z.err != nil {
		return 0, fmt.Errorf("zstd decoder: %w", z.err)
	}
	n, err := z.decoder.Read(p)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		err = fmt.Errorf("its window is larger than %d bytes, or a block than its window: %w", maxZstdWindow, errors.ErrUnsupported)
	case errors.Is(err, zstd.ErrUnknownDictionary):
		err = fmt.Errorf("%w: %w", err, errors.ErrUnsupported)
	}
	return n, z.in.verdict(err)
}
