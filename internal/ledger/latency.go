package ledger

import (
	"slices"
	"sync"
	"time"
)

// maxValues is how many values one metric of a line may have. EMF specification, "Target members".
const maxValues = 100

// latencies keeps up to maxValues latencies, spread evenly over all that were added, in constant memory and without
// chance. When it is full it forgets every second one and from then on keeps only every second of those to come. The
// slowest is always among what it gives back, for it is the one people look for. Its zero value is ready for use.
type latencies struct {
	mu      sync.Mutex
	kept    []time.Duration
	seen    int
	shift   int // one in 1<<shift is kept
	slowest time.Duration
}

func (s *latencies) add(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slowest = max(s.slowest, d)
	turn := s.seen
	s.seen++
	if turn&(1<<s.shift-1) != 0 {
		return
	}
	if len(s.kept) == maxValues {
		s.thin() // this one stays in turn: maxValues is even
	}
	s.kept = append(s.kept, d)
}

// thin forgets every second latency.
func (s *latencies) thin() {
	for i := range maxValues / 2 {
		s.kept[i] = s.kept[2*i]
	}
	s.kept = s.kept[:maxValues/2]
	s.shift++
}

// sorted returns a copy of the latencies kept, shortest first.
func (s *latencies) sorted() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.kept)
	slices.Sort(out)
	if len(out) > 0 {
		out[len(out)-1] = s.slowest // no kept one is slower
	}
	return out
}
