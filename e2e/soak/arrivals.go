package main

import (
	"strings"
	"sync"
	"time"

	"sluice/e2e/generate"
)

// stretch is lines that came one after the other as they were numbered.
type stretch struct {
	src   string
	first int
	n     int
}

// appendMark adds a line to runs.
func appendMark(runs []stretch, m generate.Mark) []stretch {
	if len(runs) > 0 {
		last := &runs[len(runs)-1]
		if last.src == m.Src && last.first+last.n == m.Seq {
			last.n++
			return runs
		}
	}
	return append(runs, stretch{src: strings.Clone(m.Src), first: m.Seq, n: 1}) // the mark's text is a part of the whole line
}

// arrival is what one request brought. A batch of hundreds of lines is a run or two.
type arrival struct {
	number   int // counts from 1
	at       time.Time
	batch    string
	sender   int
	answered bool // the 2xx for it was sent in full
	lines    int
	runs     []stretch
}

// arrivals is the ledger of an end of the way: every line that came there. It grows with the requests and not with their
// lines.
type arrivals struct {
	mu     sync.Mutex
	list   []arrival
	lines  int
	broken []string // what came and was no whole line with a mark; the first few
	faults int      // how many of those
}

const maxBroken = 10

// take writes a request into the ledger and returns its place there.
func (l *arrivals) take(a arrival) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines += a.lines
	l.list = append(l.list, a)
	return len(l.list) - 1
}

// next is the number of the request that comes next, where requests come one at a time.
func (l *arrivals) next() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.list) + 1
}

// answer notes whether the sender has its answer.
func (l *arrivals) answer(at int, sent bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list[at].answered = sent
}

// fault notes a line that is no whole one.
func (l *arrivals) fault(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults++
	if len(l.broken) < maxBroken {
		l.broken = append(l.broken, what)
	}
}

// count is how many lines came so far, duplicates among them.
func (l *arrivals) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines
}

// all is everything that came. Nothing may come any more.
func (l *arrivals) all() []arrival {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.list
}

// bad says how many lines were not whole, and of some which.
func (l *arrivals) bad() (count int, examples []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.faults, l.broken
}
