package reingest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"sync"

	"github.com/klauspost/compress/gzip"

	"sluice/internal/compress"
)

// MaxHops is how often a record may be put back. A record that fits into no answer would go round for ever otherwise; one
// that fits into the next answer needs a single hop.
const MaxHops = 3

// hopComment stands before the count, in the comment of a gzip member. Readers of gzip skip comments.
const hopComment = "sluice-hop:"

// Hops returns how often a record was put back: 0 without a mark, [MaxHops] at most. A mark that [WithHop] does not write
// counts as MaxHops, for who forges marks shall not make records go round.
func Hops(data []byte) int {
	m, marked := findMark(data)
	if !marked {
		return 0
	}
	count := string(data[m.start:m.end])
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > MaxHops || strconv.Itoa(n) != count {
		return MaxHops
	}
	return n
}

// WithHop appends the record to dst with one hop more, and returns how many it has then. What it appends is gzip and
// inflates to the record's plain bytes: those inside data when it is gzip, data itself otherwise. A gzip record gets an
// empty member with the mark in front, or the count of the mark it has is raised; nothing else of its bytes changes, so
// what is broken stays broken in the same way. Any other record is packed as a whole into a member with the mark.
//
// A record with [MaxHops] hops is an error: dst is returned as it was, with the hops the record has. dst and data must
// not overlap; data is not changed.
// Format: RFC 1952, section 2.2 (members follow one another) and 2.3.1 (comment).
func WithHop(dst, data []byte) (out []byte, hops int, err error) {
	hops = Hops(data)
	if hops >= MaxHops {
		return dst, hops, fmt.Errorf("record of %d bytes was put back %d times, which is the most: leave it to Firehose", len(data), hops)
	}
	hops++
	m, marked := findMark(data)
	switch {
	case marked && !m.checked:
		dst = append(dst, data[:m.start]...)
		dst = strconv.AppendInt(dst, int64(hops), 10)
		return append(dst, data[m.end:]...), hops, nil
	case compress.IsGzip(data):
		return append(appendEmptyMember(dst, hops), data...), hops, nil
	default:
		return appendMember(dst, data, hops), hops, nil
	}
}

// mark is where the first member's header has a count of hops.
type mark struct {
	start, end int  // of the count
	checked    bool // the header has a checksum, which a change would break
}

// Flags of a gzip header, and the bytes before what they announce (RFC 1952, section 2.3.1).
const (
	headerChecksum = 1 << 1
	headerExtra    = 1 << 2
	headerName     = 1 << 3
	headerComment  = 1 << 4
	headerReserved = 0xe0
	headerBytes    = 10
	methodDeflate  = 8
)

// findMark looks for a mark in the header of the first member. A header that is cut short or that no reader takes has none.
func findMark(data []byte) (mark, bool) {
	if len(data) < headerBytes || !compress.IsGzip(data) || data[2] != methodDeflate {
		return mark{}, false
	}
	flags, n := data[3], headerBytes
	if flags&headerReserved != 0 || flags&headerComment == 0 {
		return mark{}, false
	}
	if flags&headerExtra != 0 {
		if len(data) < n+2 {
			return mark{}, false
		}
		n += 2 + int(binary.LittleEndian.Uint16(data[n:]))
	}
	if flags&headerName != 0 {
		n = min(n, len(data))
		n += bytes.IndexByte(data[n:], 0) + 1 // a name without an end leaves no end for a comment
	}
	comment := data[min(n, len(data)):]
	end := bytes.IndexByte(comment, 0)
	if end < 0 || !bytes.HasPrefix(comment[:end], []byte(hopComment)) {
		return mark{}, false
	}
	return mark{start: n + len(hopComment), end: n + end, checked: flags&headerChecksum != 0}, true
}

// appendEmptyMember appends a member that has the mark and no byte.
func appendEmptyMember(dst []byte, hops int) []byte {
	const unknownSystem = 255
	dst = append(dst, 0x1f, 0x8b, methodDeflate, headerComment, 0, 0, 0, 0, 0, unknownSystem)
	dst = strconv.AppendInt(append(dst, hopComment...), int64(hops), 10)
	return append(dst, 0, // the comment ends
		3, 0, // a last block with fixed codes and nothing in it (RFC 1951, section 3.2.6)
		0, 0, 0, 0, 0, 0, 0, 0) // checksum and size
}

// packers are expensive to make and cheap to reuse.
var packers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is one that it knows
	return w
}}

// appendMember appends data as one member that has the mark.
func appendMember(dst, data []byte, hops int) []byte {
	w := packers.Get().(*gzip.Writer)
	defer packers.Put(w)
	out := bytes.NewBuffer(dst)
	w.Reset(out)
	w.Comment = hopComment + strconv.Itoa(hops)
	// A bytes.Buffer takes every write, so neither call can fail.
	_, _ = w.Write(data)
	_ = w.Close()
	return out.Bytes()
}
