package forward

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/event"
	"sluice/internal/park"
)

// Replay sends again what was parked: on a schedule, all that is due and what Lambda has kept of failed invocations; by
// hand, what the event asks for (delivery contract 2.8). Destinations take turns, so that a dead one never stops the
// others, and a broken object never stops a run.
func Replay(f *Forwarder) Handler {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		f := f.ready()
		if f.refusal != nil {
			return nil, f.refusal
		}
		wish, err := event.ParseReplay(payload)
		if err != nil {
			return nil, fmt.Errorf("replay: %w", err)
		}
		inv, end := f.begin(ctx, plan{entry: park.EntryAsyncFailure, later: true})
		defer end()
		shelf, err := f.park.shelf(accountOf(inv.base.FunctionARN))
		if err != nil {
			return nil, fmt.Errorf("replay: %w", err)
		}
		r := &replay{inv: inv, shelf: shelf, wish: wish, report: replayReport{DryRun: wish.DryRun}, reading: make(chan struct{}, 1)}
		err = r.run() //nolint:contextcheck // flights have the context that they were started with
		if at := inv.close(failure{err: err}); at.err != nil {
			return nil, at.err
		}
		return json.Marshal(&r.report)
	}
}

// replay is one run.
type replay struct {
	inv    *invocation
	shelf  *park.Shelf
	wish   event.Replay
	report replayReport
	left   int // objects that the wish still allows; negative for any number

	reading chan struct{} // holds one while an object is read again: that takes the invocation's lanes
}

// replayReport is the answer of a run.
type replayReport struct {
	DryRun       bool                    `json:"dry_run"`
	OutOfTime    bool                    `json:"out_of_time"` // the next run goes on
	Destinations map[string]*replayCount `json:"destinations,omitempty"`
	DeadRaw      *replayCount            `json:"dead_raw,omitempty"`      // input that could not be read
	Failures     *replayCount            `json:"failures,omitempty"`      // what Lambda has kept
	FailedEvents *replayCount            `json:"failed_events,omitempty"` // of a Datadog Forwarder
}

// replayCount counts parked objects by what became of them.
type replayCount struct {
	Found   int    `json:"found"`
	Lines   int    `json:"lines"` // in those that were found, as far as they are known
	Done    int    `json:"done"`  // delivered, and deleted
	Again   int    `json:"again"` // parked again, in whole or in part
	Dead    int    `json:"dead"`  // given up: too old, tried too often, or broken
	Busy    int    `json:"busy"`  // in the hands of another run
	Left    int    `json:"left"`  // not touched, as what is needed for them is missing
	Stopped string `json:"stopped,omitempty"`
}

func (r *replay) run() error {
	r.left = r.wish.Limit
	if r.left == 0 {
		r.left = -1
	}
	switch r.wish.State {
	case event.StateScheduled:
		return errors.Join(r.destinations(park.Pending), r.failures(), guarded(r.measure))
	case event.StatePending:
		return r.destinations(park.Pending)
	case event.StateDead:
		return r.destinations(park.Dead)
	case event.StateDeadRaw:
		return r.deadRaw()
	case event.StateFailures:
		return r.failures()
	case event.StateFailedEvents:
		return r.failedEvents()
	}
	return fmt.Errorf("replay: state %q is not known", r.wish.State)
}

// more reports whether another object may be begun: there is time for it, and it is wanted.
func (r *replay) more() bool {
	if !r.inTime() {
		r.report.OutOfTime = true
		return false
	}
	return r.left != 0
}

// inTime reports whether there is time for an object.
func (r *replay) inTime() bool {
	const least = 3 * time.Second
	deadline, ok := r.inv.ctx.Deadline()
	return r.inv.ctx.Err() == nil && (!ok || deadline.Sub(r.inv.f.now()) >= least)
}

// turn is a destination whose parked objects are being replayed.
type turn struct {
	lane *lane
	next func() (park.Entry, error, bool)
	stop func()
	most int // objects to take at a time

	mu    sync.Mutex
	count *replayCount
	sent  bool // something has been delivered, so that its breaker is closed
}

// note changes the count.
func (t *turn) note(change func(c *replayCount)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(t.count)
}

// isWell reports whether the destination has taken something in this run.
func (t *turn) isWell() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sent
}

// fail notes why the destination is left alone for the rest of the run.
func (t *turn) fail(why string) bool {
	t.note(func(c *replayCount) { c.Stopped = why })
	return false
}

// maxTurn is how many objects of a destination are replayed at a time. The first one is alone: it shows whether the
// destination takes lines again.
const maxTurn = 4

// destinations replays what is parked for each destination. They take turns, a few objects each.
func (r *replay) destinations(state park.State) error {
	turns, err := r.turns(state)
	defer func() {
		for _, t := range turns {
			t.stop()
		}
	}()
	for waiting := turns; len(waiting) > 0 && r.more(); {
		waiting = slices.DeleteFunc(slices.Clone(waiting), func(t *turn) bool {
			goOn, turnErr := r.turn(state, t)
			err = errors.Join(err, turnErr)
			return !goOn
		})
	}
	return err
}

// turn replays the next objects of a destination, and reports whether it may have more in this run.
func (r *replay) turn(state park.State, t *turn) (goOn bool, err error) {
	var group sync.WaitGroup
	var stopped atomic.Bool
	for range t.most {
		if !r.more() {
			stopped.Store(true)
			break
		}
		e, listErr, ok := t.next()
		if !ok || listErr != nil {
			stopped.Store(true)
			err = listErr
			break
		}
		if r.left > 0 {
			r.left--
		}
		group.Go(func() {
			if !r.takeGuarded(state, t, e) {
				stopped.Store(true)
			}
		})
	}
	group.Wait()
	if t.isWell() {
		t.most = min(2*t.most, maxTurn)
	}
	return !stopped.Load(), err
}

// takeGuarded is take, of which a panic costs no more than the rest of its destination's run.
func (r *replay) takeGuarded(state park.State, t *turn, e park.Entry) (goOn bool) {
	err := guarded(func() error {
		goOn = r.take(state, t, e)
		return nil
	})
	if err != nil {
		return t.fail(err.Error())
	}
	return goOn
}

// turns lists the destinations that have something parked. What is for one that the settings do not have is left.
func (r *replay) turns(state park.State) ([]*turn, error) {
	ids, err := r.shelf.Destinations(r.inv.ctx, state)
	if err != nil {
		return nil, err
	}
	var due time.Time
	if !r.wish.All {
		due = r.inv.f.now()
	}
	r.report.Destinations = make(map[string]*replayCount)
	var turns []*turn
	for _, id := range rotated(ids, r.inv.f.now()) {
		if r.wish.Dest != "" && r.wish.Dest != id {
			continue
		}
		t := &turn{count: &replayCount{}, most: 1}
		r.report.Destinations[id] = t.count
		if t.lane = r.inv.f.laneOf(id); t.lane == nil {
			t.count.Stopped = "the settings have no such destination"
			continue
		}
		t.next, t.stop = iter.Pull2(r.shelf.Entries(r.inv.ctx, state, id, r.wish.Reason, due))
		turns = append(turns, t)
	}
	return turns, nil
}

// rotated begins with another one of the ids at another time: the first of a run may use up its time, and a schedule must not
// make that the same one for ever. Invocations begin at any microsecond.
func rotated(ids []string, now time.Time) []string {
	if len(ids) == 0 {
		return nil
	}
	first := int(now.UnixMicro() % int64(len(ids)))
	return slices.Concat(ids[first:], ids[:first])
}

// laneOf is the lane of a destination; nil when the settings do not have it.
func (f *Forwarder) laneOf(id string) *lane {
	for _, l := range f.lanes {
		if l.place.ID == id {
			return l
		}
	}
	return nil
}

// take replays one parked object, and reports whether its destination may have another one in this run.
func (r *replay) take(state park.State, t *turn, e park.Entry) bool {
	t.note(func(c *replayCount) { c.Found++ })
	if r.wish.DryRun {
		return r.look(t, e)
	}
	lease, ours, err := r.shelf.Take(r.inv.store, e.ID, r.inv.f.now(), r.leaseFor())
	switch {
	case err != nil:
		return t.fail(err.Error())
	case !ours:
		t.note(func(c *replayCount) { c.Busy++ })
		return true
	}
	over := false
	defer func() {
		if over { // not in a panic: an object that ends who holds it is left alone meanwhile, and that is counted
			_ = lease.Release(r.inv.store) // one that cannot be released expires
		}
	}()
	goOn := r.leased(state, t, e, lease.Lost() >= maxLost)
	over = true
	return goOn
}

// leaseFor is how long an object is ours: as long as this run may last.
func (r *replay) leaseFor() time.Duration {
	const usual = 15 * time.Minute
	if r.inv.deadline.IsZero() {
		return usual
	}
	return r.inv.deadline.Sub(r.inv.f.now())
}

// look counts what is in an object.
func (r *replay) look(t *turn, e park.Entry) bool {
	o, err := r.shelf.Get(r.inv.ctx, e)
	if err == nil {
		t.note(func(c *replayCount) { c.Lines += o.Header.Count })
	}
	return true
}

// leased replays an object that is ours now. One that may have ended runs before is put off.
func (r *replay) leased(state park.State, t *turn, e park.Entry, putOff bool) bool {
	putOff = putOff && state == park.Pending
	o, err := r.get(e, putOff)
	if _, panicked := errors.AsType[*panicError](err); panicked {
		return r.bury(t, e, reasonLost, 1, err)
	}
	corrupt, isCorrupt := errors.AsType[*park.CorruptError](err)
	switch {
	case errors.Is(err, park.ErrGone):
		return true // another run has seen to it
	case isCorrupt && state == park.Dead:
		t.note(func(c *replayCount) { c.Left++ })
		return true
	case isCorrupt:
		return r.bury(t, e, "store_corrupt", 1, corrupt)
	case err != nil:
		return t.fail(err.Error())
	}
	t.note(func(c *replayCount) { c.Lines += o.Header.Count })
	if state == park.Pending {
		if reason := spent(&o.Header, r.inv.f.now()); reason != "" {
			return r.bury(t, e, reason, max(o.Header.Count, 1), nil)
		}
	}
	switch {
	case o.Header.Kind == park.KindPointer:
		return r.pointer(state, t, e, &o.Header, putOff)
	case putOff:
		return r.putOffItems(t, e, o)
	}
	return r.items(t, e, o)
}

// get reads an object. Where that has ended runs before, a panic is an error.
func (r *replay) get(e park.Entry, guard bool) (o *park.Object, err error) {
	get := func() error {
		o, err = r.shelf.Get(r.inv.ctx, e)
		return err
	}
	if guard {
		return o, guarded(get)
	}
	return o, get()
}

// spent names why something is not tried again; empty when it is.
func spent(h *park.Header, now time.Time) string {
	switch {
	case h.Attempt > maxAttempts:
		return reasonExhausted
	case !h.MaxAgeAt.IsZero() && now.After(h.MaxAgeAt):
		return "too_old"
	}
	return ""
}

// bury moves an object of so many lines to where a person looks.
func (r *replay) bury(t *turn, e park.Entry, reason string, lines int, cause error) bool {
	if _, err := r.shelf.Bury(r.inv.store, e, reason, r.inv.f.now()); err != nil {
		return t.fail(errors.Join(err, cause).Error())
	}
	t.note(func(c *replayCount) { c.Dead++ })
	account := r.inv.ledger.Account(t.lane.place.ID)
	account.In(lines)
	account.Parked(reason, lines)
	return true
}

// shelf opens the store for reading.
func (p *parking) shelf(own string) (*park.Shelf, error) {
	if p == nil {
		return nil, errNoPark
	}
	client, err := p.client()
	if err != nil {
		return nil, err
	}
	o := p.options
	o.Owner = cmp.Or(o.Owner, own)
	return park.NewShelf(client, o), nil
}

// shelfOf opens another bucket for reading.
func (p *parking) shelfOf(bucket string) (*park.Shelf, error) {
	client, err := p.client()
	if err != nil {
		return nil, err
	}
	return park.NewShelf(client, park.Options{Bucket: bucket}), nil
}

// clear forgets the shared hint about a destination that takes lines again.
func (r *replay) clear(ctx context.Context, t *turn) {
	t.mu.Lock()
	known := t.sent
	t.sent = true
	t.mu.Unlock()
	if known {
		return
	}
	_ = r.shelf.ClearHint(ctx, t.lane.place.ID) // it ends by itself
}
