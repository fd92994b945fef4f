package ledger

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxTextBytes limits every name and text that comes from outside (delivery contract, threat S11).
	maxTextBytes = 256

	// maxNames limits the different names in one tally, so that memory and the log line stay small whatever a caller
	// uses as a reason. The contract has 14 rules and fewer reasons than this.
	maxNames = 64

	// overflowName collects what is counted after maxNames names: the names are lost, the numbers are not.
	overflowName = "other"
)

// Account counts the lines of one invocation for one destination. It is safe for concurrent use.
//
// In is one atomic addition and takes no lock; it may be called for every record. The other methods take a lock and are
// meant for results, which come by the batch: a loop that drops most of its records sums first and reports once.
//
// A number n ≤ 0 counts nothing. So when an answer's numbers cannot be (more records refused than were sent), the account
// does not balance, and no negative number evens it out.
type Account struct {
	in        atomic.Int64
	latencies *latencies // shared by the accounts of the ledger

	mu     sync.Mutex
	counts Counts // all but In; guarded by mu
}

// Counts is what an account has counted. Numbers are lines, unless they say otherwise.
type Counts struct {
	In        int
	Delivered int
	Dropped   map[Rule]int
	Parked    map[string]int // by reason
	Returned  map[string]int // by reason

	Marked             map[string]int // by mark; such lines are counted above as well (R9)
	Requests           int            // HTTP attempts, first ones and retries
	Retries            int            // HTTP attempts that repeat an earlier one
	BytesSent          int            // bytes of request bodies as they went over the wire, retries included
	PossibleDuplicates int            // lines of attempts that may have arrived although they look failed
}

func newAccount(l *latencies) *Account {
	return &Account{latencies: l, counts: Counts{
		Dropped:  map[Rule]int{},
		Parked:   map[string]int{},
		Returned: map[string]int{},
		Marked:   map[string]int{},
	}}
}

// In counts n lines that were read and have this destination. Count a line before anything is done with it: work that
// stops half-way then shows as a difference.
func (a *Account) In(n int) {
	if n > 0 {
		a.in.Add(int64(n))
	}
}

// Delivered counts n lines which the destination confirmed to have taken.
func (a *Account) Delivered(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts.Delivered += max(n, 0)
}

// Dropped counts n lines removed on purpose by a rule.
func (a *Account) Dropped(rule Rule, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	add(a.counts.Dropped, rule, n)
}

// Parked counts n lines which the park store confirmed to hold, under the reason they were parked for.
func (a *Account) Parked(reason string, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	add(a.counts.Parked, reason, n)
}

// Returned counts n lines not acknowledged: the AWS service that owns them will give them again.
func (a *Account) Returned(reason string, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	add(a.counts.Returned, reason, n)
}

// Marked counts n lines that were altered and say so: truncated, chunked, utf8_repaired, redacted. A mark is no end of a
// line; the line is counted as delivered, parked and so on as well.
func (a *Account) Marked(mark string, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	add(a.counts.Marked, mark, n)
}

// Attempt counts one HTTP attempt, whatever came of it: the bytes of its body on the wire, the time until its answer or
// its failure, and whether it repeats an earlier attempt.
func (a *Account) Attempt(bytes int, latency time.Duration, retry bool) {
	a.latencies.add(latency)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts.Requests++
	a.counts.BytesSent += max(bytes, 0)
	if retry {
		a.counts.Retries++
	}
}

// PossibleDuplicate counts n lines sent again, parked or returned after an ambiguous answer: the first attempt may have
// been taken (delivery contract 2.9, D2).
func (a *Account) PossibleDuplicate(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts.PossibleDuplicates += max(n, 0)
}

// Counts returns a copy of the counts at this moment. The caller owns its maps.
func (a *Account) Counts() Counts {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.counts
	c.In = int(a.in.Load())
	c.Dropped = maps.Clone(c.Dropped)
	c.Parked = maps.Clone(c.Parked)
	c.Returned = maps.Clone(c.Returned)
	c.Marked = maps.Clone(c.Marked)
	return c
}

// difference returns the lines that came in and have no end; less than 0 means ends that did not come in.
func (c Counts) difference() int {
	return c.In - c.Delivered - sum(c.Dropped) - sum(c.Parked) - sum(c.Returned)
}

func add[K ~string](tally map[K]int, name K, n int) {
	if n <= 0 {
		return
	}
	name = K(clean(string(name)))
	if _, known := tally[name]; !known && len(tally) >= maxNames {
		name = overflowName
	}
	tally[name] += n
}

func sum[K ~string](tally map[K]int) int {
	total := 0
	for _, n := range tally {
		total += n
	}
	return total
}

// clean returns s as valid UTF-8 of at most maxTextBytes bytes. It runs before a name becomes a key, so that two names
// that would be written alike are one name.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxTextBytes {
		return s
	}
	return strings.ToValidUTF8(s[:maxTextBytes], "") // without the first bytes of a rune that was cut
}
