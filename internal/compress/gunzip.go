package compress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/klauspost/compress/gzip"
)

// IsGzip reports whether b starts like a gzip member (RFC 1952, section 2.3.1).
func IsGzip(b []byte) bool { return len(b) >= 2 && b[0] == 0x1f && b[1] == 0x8b }

// Gunzip reads gzip members (RFC 1952), one after another until the end of the input, as one stream of plain bytes. It
// checks every member's checksum and length, and stops with a [TooLargeError] at its cap. It is made to be reused: Reset
// and ResetReader start anew. Its memory is about 250 KiB, whatever it reads.
type Gunzip struct {
	inflater inflater
	own      input  // for Reset and ResetReader
	checksum uint32 // of the member so far
	size     uint32 // of the member so far, modulo 2^32
	empty    int    // members without a byte, in a row
	left     int64  // plain bytes still allowed
	limit    int64
	err      error // what the stream ended with
}

// maxEmptyMembers is how many members without a byte may come in a row. Rotated and concatenated logs have a few; a flood
// of them is work without progress.
const maxEmptyMembers = 100_000

// Reset makes g read packed, of which at most limit plain bytes are let through. packed must stay as it is until then.
// The error, if there is one, is also what Read returns.
func (g *Gunzip) Reset(packed []byte, limit int64) error {
	g.own.setBytes(packed)
	return g.reset(&g.own, limit)
}

// ResetReader makes g read src, of which at most limit plain bytes are let through; 0 or less is no limit. It reads ahead
// of what it hands out, up to 64 KiB; a header of a member, names and all, may take 1 MiB.
//
// An error of src is wrapped, and returned once everything in front of it has been handed out; io.EOF inside a member is
// io.ErrUnexpectedEOF. The error, if there is one, is also what Read returns.
func (g *Gunzip) ResetReader(src io.Reader, limit int64) error {
	if limit <= 0 {
		limit = math.MaxInt64
	}
	g.own.setReader(src)
	return g.reset(&g.own, limit)
}

func (g *Gunzip) reset(packed *input, limit int64) error {
	g.left, g.limit, g.empty, g.err = limit, limit, 0, nil
	g.inflater.reset(packed)
	g.openMember()
	return g.err
}

// Read reads plain bytes. It ends with io.EOF only when the last member was whole and its checksum right.
func (g *Gunzip) Read(p []byte) (n int, err error) {
	f := &g.inflater
	for g.err == nil && f.read == f.end {
		g.more()
	}
	if f.read == f.end || len(p) == 0 {
		return 0, g.err
	}
	n = copy(p, f.out[f.read:f.end])
	if int64(n) > g.left {
		n = int(g.left)
		f.read, g.err = f.end, &TooLargeError{LimitBytes: g.limit, Setting: settingInflated}
		return n, g.err
	}
	f.read += n
	g.left -= int64(n)
	if f.read == f.end {
		return n, g.err
	}
	return n, nil
}

// more inflates further, or closes this member and opens the next one.
func (g *Gunzip) more() {
	f := &g.inflater
	err := f.more()
	inflated := f.out[f.read:f.end]
	g.checksum = crc32.Update(g.checksum, crc32.IEEETable, inflated)
	g.size += uint32(len(inflated))
	if len(inflated) > 0 {
		g.empty = -1 // this one will not count
	}
	switch err {
	case nil:
	case io.EOF:
		g.closeMember()
	default:
		g.err = fmt.Errorf("gunzip: %w", err)
	}
}

// trailerBytes are a member's checksum and size (RFC 1952, section 2.3.1).
const trailerBytes = 8

func (g *Gunzip) closeMember() {
	packed := g.inflater.packed
	trailer := packed.ahead(trailerBytes)
	if len(trailer) < trailerBytes {
		g.err = fmt.Errorf("gunzip: %w", packed.short())
		return
	}
	checksum, size := binary.LittleEndian.Uint32(trailer), binary.LittleEndian.Uint32(trailer[4:])
	packed.pos += trailerBytes
	g.empty++
	switch {
	case checksum != g.checksum:
		g.err = errChecksum
	case size != g.size:
		g.err = errSize
	case g.empty > maxEmptyMembers:
		g.err = errEmptyMembers
	case len(packed.ahead(1)) > 0:
		g.openMember()
	case packed.ended():
		g.err = io.EOF
	default:
		g.err = fmt.Errorf("gunzip: %w", packed.short())
	}
}

// The faults of a member, which errors.Is finds as those of the gzip package.
var (
	errHeader       = fmt.Errorf("gunzip: %w", gzip.ErrHeader)
	errChecksum     = fmt.Errorf("gunzip: %w", gzip.ErrChecksum)
	errHeaderLen    = fmt.Errorf("gunzip: header longer than %d bytes: %w", maxHeaderBytes, gzip.ErrHeader)
	errSize         = fmt.Errorf("gunzip: wrong length: %w", gzip.ErrChecksum)
	errEmptyMembers = fmt.Errorf("gunzip: more than %d empty members in a row", maxEmptyMembers)
)

// openMember reads the header of a member and goes on with what follows it.
func (g *Gunzip) openMember() {
	n, err := g.header()
	if err != nil {
		g.err = err
		return
	}
	g.inflater.packed.pos += n
	g.checksum, g.size = 0, 0
	g.inflater.next()
}

// Sizes of a header. Most are of ten bytes and a file name.
const (
	firstHeaderBytes = 512
	// maxHeaderBytes is our own limit, because a window has to hold the header: an extra field takes at most 64 KiB, and
	// nobody gives a file a longer name and comment than what is left.
	maxHeaderBytes = 1 << 20
)

// header is the length of the gzip header that comes next.
func (g *Gunzip) header() (int, error) {
	packed := g.inflater.packed
	for want := firstHeaderBytes; ; want *= 2 {
		in := packed.ahead(want)
		n, err := headerLen(in)
		cut := errors.Is(err, io.ErrUnexpectedEOF)
		switch {
		case n > maxHeaderBytes || cut && len(in) >= maxHeaderBytes:
			return 0, errHeaderLen
		case !cut:
			return n, err
		case packed.err != nil:
			return 0, fmt.Errorf("gunzip: %w", packed.short())
		}
	}
}

// Flags of a gzip header (RFC 1952, section 2.3.1).
const (
	headerChecksum = 1 << 1
	headerExtra    = 1 << 2
	headerName     = 1 << 3
	headerComment  = 1 << 4
	headerReserved = 0xe0
)

// headerLen is the length of the gzip header at the start of in.
func headerLen(in []byte) (int, error) {
	const fixed, deflate = 10, 8
	if len(in) < fixed {
		return 0, fmt.Errorf("gunzip: %w", io.ErrUnexpectedEOF)
	}
	if !IsGzip(in) || in[2] != deflate || in[3]&headerReserved != 0 {
		return 0, errHeader
	}
	flags, n := in[3], fixed
	if flags&headerExtra != 0 {
		if n+2 > len(in) {
			return 0, fmt.Errorf("gunzip: %w", io.ErrUnexpectedEOF)
		}
		n += 2 + int(binary.LittleEndian.Uint16(in[n:]))
	}
	for _, text := range []byte{headerName, headerComment} {
		if flags&text == 0 {
			continue
		}
		end := bytes.IndexByte(in[min(n, len(in)):], 0)
		if end < 0 {
			return 0, fmt.Errorf("gunzip: %w", io.ErrUnexpectedEOF)
		}
		n += end + 1
	}
	if flags&headerChecksum != 0 {
		if n+2 > len(in) {
			return 0, fmt.Errorf("gunzip: %w", io.ErrUnexpectedEOF)
		}
		if uint32(binary.LittleEndian.Uint16(in[n:])) != crc32.ChecksumIEEE(in[:n])&0xffff {
			return 0, errHeader
		}
		n += 2
	}
	if n > len(in) {
		return 0, fmt.Errorf("gunzip: %w", io.ErrUnexpectedEOF)
	}
	return n, nil
}
