package main

import (
	"sort"
	"sync"

	"sluice/e2e/generate"
	"sluice/e2e/rig"
)

// payload is what one event, record or object brought: lines of one source whose numbers follow one another. It stands for
// hundreds of lines in the space of one.
type payload struct {
	id    string
	entry rig.Entry
	src   string // in the marks of its lines
	first int    // number of its first line
	n     int
}

// line is one line of the payload.
func (p *payload) line(seq int) generate.Line {
	return generate.Line{Payload: p.id, Mark: generate.Mark{Src: p.src, Seq: seq}}
}

// manifest is what went in, in the order of the lines' numbers. It grows with the payloads and not with their lines.
type manifest struct {
	mu    sync.Mutex
	list  []payload
	lines int
}

// add puts the next payload in. Its lines have higher numbers than all before.
func (m *manifest) add(p payload) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, p)
	m.lines += p.n
}

// count is how many lines went in.
func (m *manifest) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lines
}

// payloads are all of them. Nothing may be added any more.
func (m *manifest) payloads() []payload {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.list
}

// window is a part of the manifest that is audited at once: payloads that follow one another.
type window struct {
	payloads []payload
	lines    int
}

// windows cuts payloads into windows of about so many lines, one payload at least.
func windows(payloads []payload, lines int) []window {
	var list []window
	for i := range payloads {
		if len(list) == 0 || list[len(list)-1].lines >= lines {
			list = append(list, window{payloads: payloads[i:i]})
		}
		last := &list[len(list)-1]
		last.payloads = last.payloads[:len(last.payloads)+1]
		last.lines += payloads[i].n
	}
	return list
}

// windowOf is where a line with this number is, if it is anywhere: the last window that starts at it or before.
func windowOf(list []window, seq int) int {
	after := sort.Search(len(list), func(i int) bool { return list[i].payloads[0].first > seq })
	return max(0, after-1)
}
