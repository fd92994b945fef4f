package compress

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/gzip"
)

// IsGzip reports whether b starts like a gzip member (RFC 1952, section 2.3.1).
func IsGzip(b []byte) bool { return len(b) >= 2 && b[0] == 0x1f && b[1] == 0x8b }

// TooLargeError says that a stream holds more plain bytes than it may.
type TooLargeError struct {
	LimitBytes int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("inflates to more than %d bytes (raise SLUICE_MAX_INFLATED_BYTES if this is no bomb)", e.LimitBytes)
}

// Gunzip reads gzip members (RFC 1952), one after another until the end of the input, as one stream of plain bytes. It
// checks every member's checksum and length, and stops with a [TooLargeError] at its cap. It is made to be reused: Reset
// starts anew.
type Gunzip struct {
	inflater inflater
	checksum uint32 // of the member so far
	size     uint32 // of the member so far, modulo 2^32
	left     int64  // plain bytes still allowed
	limit    int64
	err      error // what the stream ended with
}

// Reset makes g read packed, of which at most limit plain bytes are let through. packed must stay as it is until then.
// The error, if there is one, is also what Read returns.
func (g *Gunzip) Reset(packed []byte, limit int64) error {
	g.left, g.limit, g.err = limit, limit, nil
	g.inflater.reset()
	g.openMember(packed)
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
		f.read, g.err = f.end, &TooLargeError{LimitBytes: g.limit}
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
	rest := g.inflater.rest()
	if len(rest) < trailerBytes {
		g.err = fmt.Errorf("gunzip: %w", io.ErrUnexpectedEOF)
		return
	}
	checksum, size := binary.LittleEndian.Uint32(rest), binary.LittleEndian.Uint32(rest[4:])
	switch {
	case checksum != g.checksum:
		g.err = errChecksum
	case size != g.size:
		g.err = errSize
	case len(rest) == trailerBytes:
		g.err = io.EOF
	default:
		g.openMember(rest[trailerBytes:])
	}
}

// The faults of a member, which errors.Is finds as those of the gzip package.
var (
	errHeader   = fmt.Errorf("gunzip: %w", gzip.ErrHeader)
	errChecksum = fmt.Errorf("gunzip: %w", gzip.ErrChecksum)
	errSize     = fmt.Errorf("gunzip: wrong length: %w", gzip.ErrChecksum)
)

// openMember reads the header at the start of in and goes on with what follows it.
func (g *Gunzip) openMember(in []byte) {
	n, err := headerLen(in)
	if err != nil {
		g.err = err
		return
	}
	g.checksum, g.size = 0, 0
	g.inflater.next(in[n:])
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
