package deliver

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"sluice/internal/batch"
	"sluice/internal/failpoint"
	"sluice/internal/ledger"
)

// maxHeldBytes bounds the compressed bodies that wait for their turn; beyond it, encoding waits for sending.
const maxHeldBytes = 8 << 20

// FlightOptions say how one invocation's batches are sent.
type FlightOptions struct {
	Account *ledger.Account
	// Window bounds how far a batch may be ahead of the oldest one that has not come to its end: after a failure, no more
	// than that are sent twice. With it, what has not been sent when an item goes back to its owner goes back too: the owner
	// gives it all again. 0 is for an owner that gives everything again or nothing.
	Window int
	// Parker keeps what cannot be delivered; nil: it goes back to its owner.
	Parker Parker
	// Store is for parking and ends when the answer is due: later than the flight's own context, so that what is given up
	// when that ends can still be parked. nil: the flight's own.
	Store context.Context
	// Probe sends one batch although the destination is to be left alone, as far as is known here or others say: replay
	// finds out whether it is well.
	Probe bool
}

// Flight is one invocation's batches on their way to one destination. They are started in the order in which they were
// submitted.
type Flight struct {
	ctx context.Context // ends when nothing may be sent any more
	s   *Sender
	o   FlightOptions

	hint       *reading // nil: the hint is not read
	background sync.WaitGroup

	mu       sync.Mutex
	changed  sync.Cond // of what stands below
	queue    []*batch.Batch
	inFlight map[int]struct{} // by number, in the order of submission
	started  int              // batches that have left the queue so far
	held     int              // bytes of queued and sent bodies

	troubled  bool
	failed    bool
	reason    string // of the first batch that was returned
	lines     int    // that were returned
	firstUnit int
	units     map[int]struct{} // with an item that was returned
	cause     error            // what a person has to know beyond the failure's reason, if anything
	unparked  error            // why something was returned that should have been parked; the first such error
	ofRecord  bool             // the failure at firstUnit is one record's own
}

// Result is how a flight ended.
type Result struct {
	// Err says why items went back to their owner, in the first such case; nil when everything was delivered or parked.
	Err error
	// FirstUnit is the lowest unit with an item that went back; meaningful when Err is not nil.
	FirstUnit int
	// OfRecord is true when that item went back for what it is: the destination will never take it.
	OfRecord bool
	// Units are all units with an item that went back, in order.
	Units []int
}

// Start begins a flight. Nothing is sent after ctx ends, and what is then on its way is given up.
func (s *Sender) Start(ctx context.Context, o FlightOptions) *Flight {
	f := &Flight{ctx: ctx, s: s, o: o, inFlight: make(map[int]struct{}), units: make(map[int]struct{})}
	f.changed.L = &f.mu
	switch {
	case o.Probe:
		s.breaker.expire()
	case s.hints.due(s.breaker.closed()):
		f.readHint(ctx)
	}
	return f
}

// Submit queues a batch. It blocks while too many bytes are held.
func (f *Flight) Submit(b *batch.Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue = append(f.queue, b)
	f.held += len(b.Body)
	f.startQueued()
	for f.held > maxHeldBytes {
		f.changed.Wait()
	}
}

// Failed reports whether items have gone back to their owner.
func (f *Flight) Failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// Troubled reports whether items have been given up, parked or not, for another reason than what they are: the
// destination does not take them now, or time is up. To send more is in vain.
func (f *Flight) Troubled() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.troubled
}

// Submitted is how many batches have been submitted.
func (f *Flight) Submitted() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.started + len(f.queue)
}

// Settled is how many batches, from the first submitted on and without a gap, have come to their end: delivered, parked
// or returned. Unless the flight has failed, nothing of them is needed again.
func (f *Flight) Settled() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := f.started
	for number := range f.inFlight {
		first = min(first, number)
	}
	return first
}

// Wait returns when every batch has been delivered or given up, and what was given up has been parked or returned.
func (f *Flight) Wait() Result {
	f.mu.Lock()
	for len(f.inFlight) > 0 || len(f.queue) > 0 {
		f.changed.Wait()
	}
	f.mu.Unlock()
	f.endBackground()

	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.failed {
		return Result{}
	}
	return Result{Err: f.err(), FirstUnit: f.firstUnit, OfRecord: f.ofRecord, Units: slices.Sorted(maps.Keys(f.units))}
}

// err says what was returned and why. The lock is held.
func (f *Flight) err() error {
	err := fmt.Errorf("destination %s: %d lines returned, first for %s%s", f.s.dest.ID(), f.lines, f.reason, advice(f.reason))
	if f.cause != nil {
		err = fmt.Errorf("%w: %w", err, f.cause)
	}
	if f.unparked != nil {
		err = fmt.Errorf("%w; parking them failed too: %w", err, f.unparked)
	}
	return err
}

// advice says what a person can do about a reason that a person has to do something about.
func advice(reason string) string {
	switch reason {
	case "http_401", "http_403":
		return " (the key is refused: check it, and that it is one of this site)"
	case "http_301", "http_302", "http_303", "http_307", "http_308":
		return " (redirects are not followed: set the URL that it leads to)"
	case "http_404", "http_405", "html_answer":
		return " (this is no intake: check the URL)"
	case "http_400", "http_413", "http_422", "oversize":
		return " (the intake does not take these lines as they are)"
	case "address_not_allowed":
		return " (the name leads to a private or local address: set SLUICE_ALLOW_PRIVATE if that is meant)"
	case "dns", "connect", "tls", "timeout":
		return " (the intake cannot be reached: check URL, network and certificates)"
	case "breaker_open":
		return " (the destination failed before and is left alone for a while)"
	}
	return ""
}

// startQueued starts as many batches as may be in flight. The lock is held.
func (f *Flight) startQueued() {
	for f.o.Window > 0 && f.failed && len(f.queue) > 0 {
		// Their owner gives them all again. What is in flight already goes on: it was started before these.
		f.held -= len(f.queue[0].Body)
		f.note(f.queue[0], "not_sent", false)
		f.queue[0] = nil // the array outlives the queue's start
		f.queue = f.queue[1:]
		f.started++
	}
	most := f.s.window.size()
	for len(f.inFlight) < most && len(f.queue) > 0 && f.inWindow() {
		b := f.queue[0]
		f.queue[0] = nil
		f.queue = f.queue[1:]
		f.inFlight[f.started] = struct{}{}
		go f.carry(b, f.started)
		f.started++
	}
}

// inWindow reports whether the next batch may be started as far as the oldest one in flight is concerned. The lock is
// held.
func (f *Flight) inWindow() bool {
	if f.o.Window == 0 {
		return true
	}
	for number := range f.inFlight {
		if f.started-number >= f.o.Window {
			return false
		}
	}
	return true
}

// carry takes one batch to its end; number is its place in the order of submission. The batch is in flight until what was
// given up of it is parked.
func (f *Flight) carry(b *batch.Batch, number int) {
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.inFlight, number)
		f.held -= len(b.Body)
		f.startQueued()
		f.changed.Broadcast()
	}()
	// Whatever goes wrong in here, the batch is accounted for: a panic must not leave its items in no state at all.
	defer func() {
		if recover() != nil {
			f.returned(b, "panic", false, nil)
		}
	}()
	t := &trip{f: f, whole: b, until: f.deadline()}
	t.travel()
	t.conclude()
}

// deadline is when the batch's budget ends.
func (f *Flight) deadline() time.Time {
	until := time.Now().Add(batchBudget)
	if d, ok := f.ctx.Deadline(); ok && d.Before(until) {
		return d
	}
	return until
}

// inTime reports whether an attempt may still begin.
func (f *Flight) inTime() bool {
	deadline, ok := f.ctx.Deadline()
	return f.ctx.Err() == nil && (!ok || time.Until(deadline) >= minAttempt)
}

// delivered counts a batch that the destination confirmed.
func (f *Flight) delivered(b *batch.Batch) {
	f.o.Account.Delivered(b.Count())
	failpoint.Hit(failpoint.Accepted)
}

// trouble notes that something is given up that is not at fault itself.
func (f *Flight) trouble() {
	f.s.hints.troubled.Store(true)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.troubled = true
}

// returned ends a batch whose items go back to the owner of the event.
func (f *Flight) returned(b *batch.Batch, reason string, ofRecord bool, cause error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cause == nil {
		f.cause = cause
	}
	f.note(b, reason, ofRecord)
}

// note counts a batch that goes back to its owner. The lock is held.
func (f *Flight) note(b *batch.Batch, reason string, ofRecord bool) {
	f.o.Account.Returned(reason, b.Count())
	f.lines += b.Count()
	for unit := range b.Units() {
		f.units[unit] = struct{}{}
	}
	switch unit := b.FirstUnit(); {
	case !f.failed || unit < f.firstUnit:
		f.firstUnit, f.ofRecord = unit, ofRecord
	case unit == f.firstUnit:
		f.ofRecord = f.ofRecord && ofRecord
	}
	if !f.failed {
		f.failed, f.reason = true, reason
	}
}
