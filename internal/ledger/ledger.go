// Package ledger counts what became of every line of one invocation and proves that none is missing.
//
// One Ledger lives as long as one invocation and has one Account per destination. At the end this identity must hold for
// each account on its own (delivery contract R1):
//
//	in = delivered + dropped(rule) + parked(reason) + returned(reason)
//
// Ledger.Check tells whether it does. It fails closed: where it returns an error, the caller returns the whole event to
// the AWS service that owns it, because a duplicate is better than a loss. A surplus is as much an error as a deficit.
//
// Ledger.AppendEMF writes the counts as one line of CloudWatch embedded metric format: the only log line of an invocation
// that goes well (R12).
//
// The package knows numbers, not lines. It cannot see that one line was counted twice while another was not counted at
// all. It does no I/O, reads no clock, and takes no payload: names of reasons and the error text come from our own code,
// and are bounded and escaped all the same.
//
// The line is written by hand, with no library. AWS has embedded metric format libraries for Java, Node.js, Python and
// .NET, not for Go; of the community ones for Go, the one in active development needs a newer Go than this module. They
// build lines of any members, while this is one line of fixed members: less code than an adapter to them would be.
package ledger

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Ledger holds the accounts of one invocation. It is safe for concurrent use.
type Ledger struct {
	bytesIn   atomic.Int64
	unstored  atomic.Int64 // writes to the park store that failed
	latencies latencies

	mu         sync.Mutex
	accounts   map[string]*Account // by destination id; guarded by mu
	redactions map[string]int      // by rule; guarded by mu
	tags       *Tags               // nil when none are looked up; guarded by mu
}

// New returns a ledger with an empty account for each destination id, so that a destination that got nothing is shown
// with zeros and not left out.
func New(destinations ...string) *Ledger {
	l := &Ledger{accounts: make(map[string]*Account, len(destinations))}
	for _, id := range destinations {
		l.Account(id)
	}
	return l
}

// Account returns the account of a destination, which is the same one for as long as the ledger lives. An unknown id
// opens a new account: what is counted there has to balance like the rest. Ask once per destination, not per record.
func (l *Ledger) Account(destination string) *Account {
	id := clean(destination)
	l.mu.Lock()
	defer l.mu.Unlock()
	if a, ok := l.accounts[id]; ok {
		return a
	}
	a := newAccount(&l.latencies)
	l.accounts[id] = a
	return a
}

// BytesIn adds n bytes of input: after base64, before decompression. n ≤ 0 counts nothing.
func (l *Ledger) BytesIn(n int) {
	if n > 0 {
		l.bytesIn.Add(int64(n))
	}
}

// StoreFailed counts a write to the park store that failed.
func (l *Ledger) StoreFailed() { l.unstored.Add(1) }

// Check returns nil when every account balances. Otherwise it names each destination that does not, with its five numbers
// and the difference, in the order of their ids. Call it when all work of the invocation has ended: a line still under way
// is a line not accounted for.
func (l *Ledger) Check() error {
	var errs []error
	for _, s := range l.statements() {
		c := s.counts
		if c.difference() == 0 {
			continue
		}
		errs = append(errs, fmt.Errorf(
			"ledger of destination %q does not balance: in=%d delivered=%d dropped=%d parked=%d returned=%d difference=%d: return the whole event",
			s.destination, c.In, c.Delivered, sum(c.Dropped), sum(c.Parked), sum(c.Returned), c.difference()))
	}
	return errors.Join(errs...)
}

// Unaccounted returns the number of lines by which the accounts are off: the sum of the differences without their signs,
// so that a surplus at one destination cannot hide a deficit at another. It is 0 exactly when Check returns nil.
func (l *Ledger) Unaccounted() int {
	return unaccounted(l.statements())
}

// statement is what an account said at one moment.
type statement struct {
	destination string
	counts      Counts
}

// statements returns a copy of every account, sorted by destination id.
func (l *Ledger) statements() []statement {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]statement, 0, len(l.accounts))
	for _, id := range slices.Sorted(maps.Keys(l.accounts)) {
		out = append(out, statement{id, l.accounts[id].Counts()})
	}
	return out
}

func unaccounted(statements []statement) int {
	n := 0
	for _, s := range statements {
		d := s.counts.difference()
		n += max(d, -d)
	}
	return n
}
