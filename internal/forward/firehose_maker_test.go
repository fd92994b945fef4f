package forward

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// maker makes records. The same seed makes the same.
type maker struct {
	*rand.Rand
	gz   *gzip.Writer
	bomb []byte
	big  []made
	id   int
}

func newMaker(seed uint64) *maker {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, seed)), gz: gzip.NewWriter(nil)}
	m.bomb = m.packed(make([]byte, 2*inflatedLimit))
	for _, size := range []int{200_000, 400_000, 700_000, 1_100_000} {
		var lines []string
		for n := 0; n < size; n += len(lines[0]) {
			lines = append(lines, strings.Repeat(string(rune('a'+m.IntN(26))), 2_000))
		}
		data := flowPayload(lines...)
		m.big = append(m.big, made{put: put{data: data}, lines: lines}, made{put: put{data: m.packed(data)}, lines: lines})
	}
	return m
}

func (m *maker) packed(plain []byte) []byte {
	var b bytes.Buffer
	m.gz.Reset(&b)
	_, _ = m.gz.Write(plain) // into memory
	_ = m.gz.Close()
	return b.Bytes()
}

// batch is a small one.
func (m *maker) batch() []made {
	list := make([]made, m.IntN(6))
	for i := range list {
		list[i] = m.record()
	}
	return m.named(list)
}

// bigBatch is one whose answer would be too large.
func (m *maker) bigBatch() []made {
	list := make([]made, 15+m.IntN(10))
	for i := range list {
		list[i] = m.big[m.IntN(len(m.big))]
		if m.IntN(4) == 0 {
			list[i] = m.record()
		}
	}
	return m.named(list)
}

// named gives the records ids: mostly ascending ones, some in disorder, twice, missing, or of odd characters.
func (m *maker) named(list []made) []made {
	odd := []string{`a "quoted" id`, "é\u2028", `back\slash`, "tab\there"}
	for i := range list {
		m.id++
		list[i].id = recordID(m.id)
		switch m.IntN(30) {
		case 0:
			list[i].id = ""
		case 1:
			list[i].id = list[m.IntN(i+1)].id
		case 2:
			list[i].id = odd[m.IntN(len(odd))]
		case 3:
			other := m.IntN(i + 1)
			list[i].id, list[other].id = list[other].id, list[i].id
		}
	}
	return list
}

// record is one of any kind.
func (m *maker) record() made {
	kinds := []func() made{
		m.payload, m.payload, m.payloads, m.control, m.own, m.text, m.text, m.values, m.trail, m.flow, m.empty,
		m.torn, m.wrongSum, m.notBase64, m.inflating, m.mended, m.twicePacked,
	}
	return kinds[m.IntN(len(kinds))]()
}

// maybePacked is data, or gzip of it.
func (m *maker) maybePacked(data []byte) put {
	if m.IntN(2) == 0 {
		return put{data: data}
	}
	return put{data: m.packed(data)}
}

func (m *maker) line() string {
	words := []string{"order", "paid", "<tag>", `"quoted"`, "naïve", "\U0001F980", "tab\tbed", `\d+`, "a=1", "\u2028", "\x00", "{", "}"}
	var b strings.Builder
	b.WriteString("line") // neither empty nor something that is recognised
	for range m.IntN(12) {
		b.WriteString(" " + words[m.IntN(len(words))])
	}
	return b.String()
}

func (m *maker) some(atLeast int, one func() string) []string {
	list := make([]string, atLeast+m.IntN(4))
	for i := range list {
		list[i] = one()
	}
	return list
}

func (m *maker) payload() made {
	lines := m.some(1, func() string { return m.line() + []string{"", "\n"}[m.IntN(2)] })
	return made{put: m.maybePacked(flowPayload(lines...)), lines: lines}
}

// payloads are documents and members back to back, with control messages between them.
func (m *maker) payloads() made {
	one, other := m.some(1, m.line), m.some(0, m.line)
	data := slices.Concat(m.packed(flowPayload(one...)), m.packed(slices.Concat([]byte(controlPayload), flowPayload(other...))))
	return made{put: put{data: data}, lines: slices.Concat(one, other)}
}

func (m *maker) control() made { return made{put: m.maybePacked([]byte(controlPayload))} }

// own is a payload of our own log group.
func (m *maker) own() made {
	data := bytes.ReplaceAll(flowPayload("ours"), []byte("/vpc/flow-logs"), []byte(ownLogGroup))
	return made{put: m.maybePacked(bytes.ReplaceAll(data, []byte("111122223333"), []byte("123456789012")))}
}

func (m *maker) text() made {
	lines := m.some(1, m.line)
	text := strings.Join(lines, []string{"\n", "\r\n", "\n\n"}[m.IntN(3)]) + []string{"", "\n", "\n\n"}[m.IntN(3)]
	return made{put: m.maybePacked([]byte(text)), lines: lines}
}

// values are JSON, one behind the other or one a line.
func (m *maker) values() made {
	lines := m.some(1, func() string { return fmt.Sprintf(`{"n": %d, "text": %s}`, m.IntN(100), jsonText(m.line())) })
	return made{put: m.maybePacked([]byte(strings.Join(lines, []string{"", "\n", " "}[m.IntN(3)]))), lines: lines}
}

func (m *maker) trail() made {
	ids := m.some(1, func() string { return fmt.Sprintf("%08x", m.Uint32()) })
	var lines []string
	for _, id := range ids {
		lines = append(lines, fmt.Sprintf(trailText, id))
	}
	return made{put: m.maybePacked(trail(ids...)), lines: lines}
}

func (m *maker) flow() made {
	line := vpcLine(m.Rand, m.IntN(1000))
	if m.IntN(2) == 0 {
		return made{put: put{data: []byte(`{"message":"` + line + `"}`)}, lines: []string{line}}
	}
	header := []string{"", "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"}
	return made{put: put{data: []byte(header[m.IntN(2)] + line + "\n")}, lines: []string{line}}
}

func (m *maker) empty() made {
	return []made{{put: put{raw: `""`}}, {put: put{raw: "null"}}, {put: put{data: []byte("\n\r\n")}}, {put: put{data: m.packed(nil)}}}[m.IntN(4)]
}

func (m *maker) torn() made {
	data := m.packed(flowPayload(m.some(1, m.line)...))
	return made{put: put{data: data[:3+m.IntN(len(data)-3)]}, broken: true}
}

func (m *maker) wrongSum() made {
	data := m.packed(flowPayload(m.some(1, m.line)...))
	data[len(data)-8+m.IntN(8)] ^= 1 // of the checksum or of the size
	return made{put: put{data: data}, broken: true}
}

func (m *maker) notBase64() made {
	raws := []string{`"*"`, `"A"`, `42`, `{"a":[]}`, `"H4sI\u0041 =x"`, `["QUJD"]`, `true`, `"` + base64.StdEncoding.EncodeToString([]byte("line")) + `="`}
	i := m.IntN(len(raws))
	if i == len(raws)-1 { // padding more than enough is taken
		return made{put: put{raw: raws[i], data: []byte("line")}, lines: []string{"line"}}
	}
	return made{put: put{raw: raws[i]}, broken: true}
}

// inflating is a record that inflates to more than may be.
func (m *maker) inflating() made {
	if m.IntN(10) > 0 {
		return m.text()
	}
	return made{put: put{data: m.bomb}, broken: true}
}

func (m *maker) mended() made {
	return made{put: put{data: []byte("caf\xe9 \xff\xfe\n")}, lines: []string{"caf\uFFFD \uFFFD\uFFFD"}}
}

func (m *maker) twicePacked() made {
	lines := m.some(1, m.line)
	return made{put: put{data: m.packed(m.packed([]byte(strings.Join(lines, "\n"))))}, lines: lines}
}
