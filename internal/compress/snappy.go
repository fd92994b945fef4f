package compress

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/klauspost/compress/snappy"
)

// Limits of Snappy blocks.
const (
	// maxSnappyBytes is the most plain bytes of a block that is unpacked at once: our own limit, because such a block is
	// held whole, packed and plain, in every layer. Firehose and snappy-java write blocks of 32 KiB, and Hadoop of
	// 256 KiB, unless told otherwise.
	maxSnappyBytes = 2 << 20
	// maxSnappyPacked is the most that such a block takes. Source: Snappy, MaxCompressedLength.
	maxSnappyPacked = 32 + maxSnappyBytes + maxSnappyBytes/6
	// maxHadoopBytes is how many plain bytes the parts of a Hadoop block may have together. It is larger, because Hadoop
	// makes one block of what is written at once, of any length, and only a part is ever held.
	maxHadoopBytes = 16 << 20
	// keptSnappyBytes is the largest buffer that is kept for the next stream.
	keptSnappyBytes = 1 << 20
	// A copy of three bytes makes at most 64 (Snappy format description, section 2.2.2), and nothing makes more.
	maxSnappyCopy, snappyCopyBytes = 64, 3
)

var (
	errSnappyBlock = errors.New("broken Snappy block")
	errSnappyLen   = errors.New("impossible length of a Snappy block")
)

// snappyLen is the plain length of a block, which is at most limit. It is checked before memory is taken for it.
func snappyLen(block []byte, limit int) (int, error) {
	n, header := binary.Uvarint(block)
	if header <= 0 || n > uint64(limit) || n > uint64(len(block)-header)*maxSnappyCopy/snappyCopyBytes {
		return 0, errSnappyLen
	}
	return int(n), nil
}

// maxPackedLen is the most that a block of n plain bytes takes. Source: Snappy, MaxCompressedLength.
func maxPackedLen(n int) int { return 32 + n + n/6 }

// snappyReader reads one of the three ways to put Snappy blocks after one another.
type snappyReader struct {
	in    *input
	next  func(*snappyReader) error // reads what comes next into plain; io.EOF behind the last
	buf   []byte                    // memory of plain
	plain []byte                    // to be handed out
	left  int                       // of a Hadoop block, plain bytes to come
}

func (r *snappyReader) reset(in *input, next func(*snappyReader) error) {
	r.release()
	*r = snappyReader{in: in, next: next, buf: r.buf}
}

// release lets a buffer go that is too large to be kept, and with it what is in it.
func (r *snappyReader) release() {
	if len(r.buf) > keptSnappyBytes {
		r.buf, r.plain = nil, nil
	}
}

func (r *snappyReader) Read(p []byte) (int, error) {
	for len(r.plain) == 0 {
		if err := r.next(r); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

// room returns n bytes of the buffer.
func (r *snappyReader) room(n int) []byte {
	if len(r.buf) < n {
		r.buf = make([]byte, max(n, 2*min(len(r.buf), keptSnappyBytes)))
	}
	return r.buf[:n]
}

// block unpacks the next size bytes of the input, which are a raw block of at most limit plain bytes.
func (r *snappyReader) block(size, limit int) error {
	block := r.in.ahead(size)
	if len(block) < size {
		return r.in.short()
	}
	plain, err := unpackSnappy(r, block[:size], limit)
	if err != nil {
		return err
	}
	r.in.pos += size
	r.plain = plain
	return nil
}

func unpackSnappy(r *snappyReader, block []byte, limit int) ([]byte, error) {
	n, err := snappyLen(block, limit)
	if err != nil {
		return nil, err
	}
	plain, err := snappy.Decode(r.room(n), block)
	if err != nil {
		return nil, fmt.Errorf("%w of %d bytes: %w", errSnappyBlock, len(block), err)
	}
	return plain, nil
}

// word takes a number of four bytes, the highest first. It returns io.EOF where the input ends in front of it.
func (r *snappyReader) word() (int64, error) {
	b := r.in.ahead(4)
	switch {
	case len(b) == 0:
		return 0, r.in.end()
	case len(b) < 4:
		return 0, r.in.short()
	}
	r.in.pos += 4
	return int64(binary.BigEndian.Uint32(b)), nil
}

// inside is the error of something that must be there.
func inside(err error) error {
	if err == io.EOF { //nolint:errorlint // it is that of word
		return io.ErrUnexpectedEOF
	}
	return err
}

// xerialMagic opens a stream of snappy-java; the version that wrote it and the oldest that can read it follow, four bytes
// each. Source: snappy-java, SnappyCodec and SnappyInputStream.
const (
	xerialMagic       = "\x82SNAPPY\x00"
	xerialHeaderBytes = len(xerialMagic) + 4 + 4
	xerialVersion     = 1
)

// nextXerial reads a chunk: its packed length and a raw block. Where a length is expected, another stream may start.
func nextXerial(r *snappyReader) error {
	head := r.in.ahead(xerialHeaderBytes)
	if magic := head[:min(len(head), len(xerialMagic))]; len(magic) > 0 && strings.HasPrefix(xerialMagic, string(magic)) {
		return r.xerialHeader(head)
	}
	size, err := r.word()
	if err != nil {
		return err
	}
	if size == 0 || size > maxSnappyPacked {
		return fmt.Errorf("%w: a chunk of %d bytes", errSnappyLen, size)
	}
	return r.block(int(size), maxSnappyBytes)
}

func (r *snappyReader) xerialHeader(head []byte) error {
	if len(head) < xerialHeaderBytes {
		return r.in.short()
	}
	if oldest := binary.BigEndian.Uint32(head[xerialHeaderBytes-4:]); oldest != xerialVersion {
		return fmt.Errorf("stream for version %d of snappy-java's format: %w", oldest, errors.ErrUnsupported)
	}
	r.in.pos += xerialHeaderBytes
	return nil
}

// nextHadoop reads the next part of a block: plain length, and until it is reached, packed lengths with raw blocks. A
// block of nothing is how an empty file is written.
// Source: Hadoop, BlockCompressorStream and BlockDecompressorStream.
func nextHadoop(r *snappyReader) error {
	if r.left == 0 {
		size, err := r.word()
		if err != nil {
			return err
		}
		if size > maxHadoopBytes {
			return fmt.Errorf("%w: a block of %d plain bytes", errSnappyLen, size)
		}
		r.left = int(size)
		return nil
	}
	size, err := r.word()
	if err != nil {
		return inside(err)
	}
	if size == 0 || size > maxSnappyPacked {
		return fmt.Errorf("%w: a part of %d bytes", errSnappyLen, size)
	}
	if err := r.block(int(size), min(r.left, maxSnappyBytes)); err != nil {
		return err
	}
	r.left -= len(r.plain)
	return nil
}

// The chunks of the official framing, whose header is a type and a length of three bytes, the lowest first.
// Source: Snappy framing format description, sections 2 to 4.
const (
	framedMagic       = "\xff\x06\x00\x00sNaPpY"
	framedHeaderBytes = 4
	framedPacked      = 0x00
	framedPlain       = 0x01
	framedSkippable   = 0x80 // and above, but for
	framedStart       = 0xff
	framedCheckBytes  = 4
	framedMaxPlain    = 64 << 10
)

var framedTable = crc32.MakeTable(crc32.Castagnoli)

// nextFramed reads a chunk.
func nextFramed(r *snappyReader) error {
	head := r.in.ahead(framedHeaderBytes)
	switch {
	case len(head) == 0:
		return r.in.end()
	case len(head) < framedHeaderBytes:
		return r.in.short()
	}
	kind, size := head[0], int(head[1])|int(head[2])<<8|int(head[3])<<16
	switch {
	case kind == framedStart:
		return r.framedStart()
	case kind >= framedSkippable:
		if !r.in.skip(int64(framedHeaderBytes + size)) {
			return r.in.short()
		}
		return nil
	case kind > framedPlain:
		return fmt.Errorf("a chunk of type %#02x: %w", kind, errors.ErrUnsupported)
	case size < framedCheckBytes || size-framedCheckBytes > maxPackedLen(framedMaxPlain):
		return fmt.Errorf("%w: a chunk of %d bytes", errSnappyLen, size)
	}
	r.in.pos += framedHeaderBytes
	return r.framedData(size, kind == framedPlain)
}

// framedStart takes the identifier of a stream, which may appear again.
func (r *snappyReader) framedStart() error {
	head := r.in.ahead(len(framedMagic))
	if len(head) < len(framedMagic) {
		return r.in.short()
	}
	if string(head[:len(framedMagic)]) != framedMagic {
		return errors.New("wrong stream identifier")
	}
	r.in.pos += len(framedMagic)
	return nil
}

// framedData reads a chunk of size bytes: a checksum, and plain bytes or a raw block.
func (r *snappyReader) framedData(size int, stored bool) error {
	chunk := r.in.ahead(size)
	if len(chunk) < size {
		return r.in.short()
	}
	want, data := binary.LittleEndian.Uint32(chunk), chunk[framedCheckBytes:size]
	var plain []byte
	var err error
	switch {
	case !stored:
		plain, err = unpackSnappy(r, data, framedMaxPlain)
	case len(data) > framedMaxPlain:
		err = errSnappyLen
	default:
		plain = r.room(len(data))
		copy(plain, data)
	}
	if err != nil {
		return err
	}
	sum := crc32.Checksum(plain, framedTable)
	if sum = (sum>>15 | sum<<17) + 0xa282ead8; sum != want { // masked: section 3
		return errors.New("wrong checksum of a chunk")
	}
	r.in.pos += size
	r.plain = plain
	return nil
}
