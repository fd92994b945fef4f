package generate

import (
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// Mark names a generated line. Every marked message starts with it and carries a checksum of all its bytes.
type Mark struct {
	Src string
	Seq int
}

func (m Mark) String() string { return m.Src + "/" + strconv.Itoa(m.Seq) }

const (
	noSum  = "00000000" // stands in the message while its checksum is taken
	sumLen = len(noSum)
)

// message is the marked JSON object {"seq":n,"src":"…","crc":"…",members} followed by tail. The checksum is CRC-32 over
// the whole message with zeros in its place.
func (m Mark) message(members, tail string) string {
	head := fmt.Sprintf(`{"seq":%d,"src":%q,"crc":"`, m.Seq, m.Src)
	rest := `",` + members + "}" + tail
	return head + checksum(head, rest) + rest
}

func checksum(head, rest string) string {
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(head+noSum+rest)))
}

// ReadMark finds the mark at the start of a message and says whether the message is still what it was. A message cut
// short keeps its mark and is not intact.
func ReadMark(message string) (mark Mark, found, intact bool) {
	rest, ok := strings.CutPrefix(message, `{"seq":`)
	if !ok {
		return Mark{}, false, false
	}
	number, rest, _ := strings.Cut(rest, `,"src":"`)
	src, rest, _ := strings.Cut(rest, `","crc":"`)
	seq, err := strconv.Atoi(number)
	if err != nil || src == "" {
		return Mark{}, false, false
	}
	mark = Mark{Src: src, Seq: seq}
	if len(rest) < sumLen {
		return mark, true, false
	}
	head := message[:len(message)-len(rest)]
	return mark, true, rest[:sumLen] == checksum(head, rest[sumLen:])
}
