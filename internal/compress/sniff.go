package compress

import (
	"encoding/binary"
	"strings"

	"github.com/klauspost/compress/snappy"
)

// Packing is a way in which a stream is packed. The value is the word that AWS uses for it in a Content-Encoding, where
// there is one.
type Packing string

// The packings that are recognised.
const (
	PackingGzip         Packing = "gzip"
	PackingZip          Packing = "zip"
	PackingZstd         Packing = "zstd"
	PackingSnappyJava   Packing = "snappy-java"
	PackingSnappyFramed Packing = "snappy-framed"
	PackingHadoopSnappy Packing = "hadoop-snappy"
	PackingBzip2        Packing = "bzip2"
)

// magics open packed streams. A magic that is text by itself goes on until it is unlikely to be one.
var magics = []struct {
	opening string
	packing Packing
}{
	{"\x1f\x8b", PackingGzip},                      // RFC 1952, section 2.3.1
	{zipLocalHeader, PackingZip},                   // APPNOTE 6.3.10, section 4.3.7
	{zipNothing, PackingZip},                       // the same, section 4.3.16
	{"\x28\xb5\x2f\xfd", PackingZstd},              // RFC 8878, section 3.1.1
	{xerialMagic, PackingSnappyJava},               // snappy-java, SnappyCodec
	{framedMagic, PackingSnappyFramed},             // Snappy framing format, section 4.1
	{"BZh?1AY&SY", PackingBzip2},                   // a block follows; ? is a level
	{"BZh?\x17\x72\x45\x38\x50\x90", PackingBzip2}, // the end follows: nothing is packed
}

// sniffBytes hold every magic, and what a Hadoop block is recognised by first.
const sniffBytes = 24

// sniff tells how the stream that in is at the start of is packed; empty if it is not. said is that the packing without
// a magic, that of Hadoop, has been announced.
func sniff(in *input, said bool) Packing {
	head := in.ahead(sniffBytes)
	for _, m := range magics {
		if opensWith(head, m.opening) {
			return m.packing
		}
	}
	if said && mayBeHadoop(head) || isHadoop(in) {
		return PackingHadoopSnappy
	}
	return ""
}

// IsPlain reports whether an [Unpacker] without a Content-Encoding would hand out data as it is.
func IsPlain(data []byte) bool {
	if len(data) > 0 && ' ' < data[0] && data[0] < 0x7f && !mayBeMagic[data[0]] {
		return true // text; all the others are looked at
	}
	var in input
	in.setBytes(data)
	return sniff(&in, false) == ""
}

// mayBeMagic are the first bytes of packed streams.
var mayBeMagic = func() (first [256]bool) {
	for _, m := range magics {
		first[m.opening[0]] = true
	}
	return first
}()

// opensWith reports whether head starts with opening, in which a question mark is a digit from 1 to 9.
func opensWith(head []byte, opening string) bool {
	if len(head) < len(opening) {
		return false
	}
	for i := range len(opening) {
		digit := opening[i] == '?' && '1' <= head[i] && head[i] <= '9'
		if head[i] != opening[i] && !digit {
			return false
		}
	}
	return true
}

// announcesHadoop reports whether a Content-Encoding names the packing of Hadoop, alone or among others.
func announcesHadoop(contentEncoding string) bool {
	for rest, more := contentEncoding, true; more; { // strings.SplitSeq would take memory for every object
		var coding string
		coding, rest, more = strings.Cut(rest, ",")
		if strings.EqualFold(strings.TrimSpace(coding), string(PackingHadoopSnappy)) {
			return true
		}
	}
	return false
}

// hadoopPrefix is what a first Hadoop block opens with: two lengths, and the length at the start of the Snappy block.
const hadoopPrefix = 4 + 4 + binary.MaxVarintLen32

// mayBeHadoop reports whether nothing in head speaks against a Hadoop block, which may be cut short, or of nothing.
func mayBeHadoop(head []byte) bool {
	if len(head) < 4 {
		return len(head) > 0 && head[0] == 0
	}
	plain := int64(binary.BigEndian.Uint32(head))
	if len(head) < 8 || plain == 0 {
		return plain <= maxHadoopBytes
	}
	packed := int64(binary.BigEndian.Uint32(head[4:]))
	if plain > maxHadoopBytes || packed == 0 || packed > maxSnappyPacked {
		return false
	}
	length, n := binary.Uvarint(head[8:])
	return n == 0 && len(head) < hadoopPrefix || n > 0 && 0 < length && length <= uint64(min(plain, maxSnappyBytes))
}

// isHadoop reports whether in opens with a whole Hadoop block that can be unpacked. Text never does: there are
// zero bytes in the length of a block that is at most 16 MiB.
func isHadoop(in *input) bool {
	head := in.ahead(sniffBytes)
	if len(head) < hadoopPrefix-binary.MaxVarintLen32+2 || !mayBeHadoop(head) {
		return false
	}
	plain, packed := int(binary.BigEndian.Uint32(head)), int(binary.BigEndian.Uint32(head[4:]))
	if plain == 0 || packed > maxPackedLen(plain) {
		return false
	}
	block := in.ahead(8 + packed)
	if len(block) < 8+packed {
		return false
	}
	block = block[8 : 8+packed]
	if _, err := snappyLen(block, min(plain, maxSnappyBytes)); err != nil {
		return false
	}
	_, err := snappy.DecodeStrict(nil, block)
	return err == nil
}
