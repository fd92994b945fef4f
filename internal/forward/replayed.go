package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"sluice/internal/batch"
	"sluice/internal/deliver"
	"sluice/internal/event"
	"sluice/internal/failpoint"
	"sluice/internal/park"
)

// items sends the items of a parked object, with the ids they had.
func (r *replay) items(t *turn, e park.Entry, o *park.Object) bool {
	failpoint.Hit(failpoint.Leased)
	inv := r.inv
	again := &againParker{inv: inv, shelf: r.shelf, object: o}
	account := inv.ledger.Account(t.lane.place.ID)
	flight := t.lane.sender.Start(inv.ctx, deliver.FlightOptions{
		Account: account, Parker: again, Store: inv.store, Probe: !t.isWell(),
	})
	account.In(len(o.Items))
	submitted := 0
	err := guarded(func() error {
		batch.Rebuild(t.lane.options, o.Header.SendID(), slices.Values(o.Items), func(b *batch.Batch) {
			submitted += b.Count()
			flight.Submit(b)
		})
		return nil
	})
	landed := flight.Wait().Err
	switch left := o.Items[submitted:]; { // batches are made in the order of items
	case err != nil && landed == nil && (len(left) == 0 || again.putOff(left, reasonOf(err)) == nil): // a bug in our encoding
		account.Parked(reasonOf(err), len(left))
		err = nil
	case err != nil:
		account.Returned(reasonOf(err), len(left))
	case len(left) > 0:
		err = fmt.Errorf("%d of %d items are in no batch", len(left), len(o.Items))
	}
	if err = errors.Join(err, landed); err != nil {
		return t.fail(err.Error()) // what is left of it stays where it is
	}
	return r.ended(t, e, &again.written, flight.Troubled())
}

// What was tried so often by runs that ended in its midst, however they did, is put off.
const (
	maxLost    = 2
	reasonLost = "run_ended"
)

// putOffItems parks an object anew, which counts as an attempt: it may be what ends runs, and those behind it are to come
// first.
func (r *replay) putOffItems(t *turn, e park.Entry, o *park.Object) bool {
	again := &againParker{inv: r.inv, shelf: r.shelf, object: o}
	if err := again.putOff(o.Items, reasonLost); err != nil {
		return t.fail(err.Error())
	}
	account := r.inv.ledger.Account(t.lane.place.ID)
	account.In(len(o.Items))
	account.Parked(reasonLost, len(o.Items))
	return r.ended(t, e, &again.written, false)
}

// ended deletes an object of which everything is where it belongs now: if that is where it lies, it stays.
func (r *replay) ended(t *turn, e park.Entry, w *written, troubled bool) bool {
	over := w.over(e.Key)
	if !over {
		if err := r.shelf.Delete(r.inv.store, e); err != nil {
			return t.fail(err.Error())
		}
	}
	t.note(func(c *replayCount) {
		switch {
		case over:
			c.Left++
		case w.pending:
			c.Again++
		case w.dead:
			c.Dead++
		default:
			c.Done++
		}
	})
	if troubled {
		return t.fail("the destination does not take them now")
	}
	if !over && !w.pending && !w.dead {
		r.clear(r.inv.store, t)
	}
	return true
}

// againParker parks again what was parked before.
type againParker struct {
	inv    *invocation
	shelf  *park.Shelf
	object *park.Object

	written written
}

// written is what was parked of one object that is replayed. A nil one keeps nothing.
type written struct {
	mu            sync.Mutex
	keys          []string
	pending, dead bool // something was parked so
}

func (w *written) add(state park.State, key string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys = append(w.keys, key)
	w.pending, w.dead = w.pending || state == park.Pending, w.dead || state == park.Dead
}

// over reports whether an object of this key was parked, or lay there already.
func (w *written) over(key string) bool { return slices.Contains(w.keys, key) }

// Park implements [deliver.Parker].
func (p *againParker) Park(ctx context.Context, g *deliver.GivenUp) error {
	given, err := givenUpItems(g)
	if err != nil {
		return err
	}
	now, attempt := p.inv.f.now(), p.object.Header.Attempt+1
	next := park.Next{
		State: park.Pending, NotBefore: now.Add(max(g.Wait, jittered(backoffOf(attempt)))), Reason: given.Reason, At: now,
		RequestID: p.inv.requestID,
	}
	if g.Batch.ID != p.object.Header.SendID() {
		next.Part = g.Batch.ID
	}
	for item := range given.Lines {
		next.Items = append(next.Items, bytes.Clone(item))
	}
	switch {
	case g.Permanent:
		next.State = park.Dead
	case attempt > maxAttempts:
		next.State, next.Reason.Code, next.Reason.Class = park.Dead, reasonExhausted, classOf(true)
	case g.Reason == reasonDeadline:
		next.NotBefore = now
	}
	key, err := p.shelf.Again(ctx, p.object, next)
	if err != nil {
		return fmt.Errorf("park again: %w", err)
	}
	p.written.add(next.State, key)
	return nil
}

// putOff parks items again that were not sent, for a fault of ours.
func (p *againParker) putOff(items [][]byte, code string) error {
	now, attempt := p.inv.f.now(), p.object.Header.Attempt+1
	next := park.Next{
		State: park.Pending, NotBefore: now.Add(jittered(backoffOf(attempt))), Reason: park.Reason{Code: code, Class: classOf(false)}, At: now,
		Items: items, RequestID: p.inv.requestID,
	}
	if attempt > maxAttempts {
		next.State, next.Reason = park.Dead, park.Reason{Code: reasonExhausted, Class: classOf(true)}
	}
	key, err := p.shelf.Again(p.inv.store, p.object, next)
	if err != nil {
		return fmt.Errorf("park again: %w", err)
	}
	p.written.add(next.State, key)
	return nil
}

// jittered is d, give or take a fifth.
func jittered(d time.Duration) time.Duration {
	const share = 0.2
	return time.Duration(float64(d) * (1 + share*(2*rand.Float64()-1)))
}

// pointer reads again the part of an object that a pointer names, unless it is put off.
func (r *replay) pointer(state park.State, t *turn, e park.Entry, h *park.Header, putOff bool) bool {
	failpoint.Hit(failpoint.Leased)
	source := &h.Sources[0]
	if part := source.ByteRange; part != nil && (part[0] != 0 || part[1] != park.ToEnd) {
		t.note(func(c *replayCount) { c.Left++ }) // a piece that could not be read: the pieces around it have been forwarded
		return true
	}
	select {
	case r.reading <- struct{}{}:
		defer func() { <-r.reading }()
	case <-r.inv.ctx.Done():
	}
	if !r.inTime() {
		return t.fail("there is no time left: it was not begun")
	}
	inv := r.inv
	inv.written = &written{}
	defer func() { inv.lanes, inv.written = nil, nil }()
	if putOff {
		return r.putOffPointer(t, e, h)
	}
	inv.open(0, t.lane)
	run := newObjectRun(inv)
	run.again = h
	o := event.Object{
		Bucket: source.Bucket, Key: source.Key, VersionID: source.VersionID, ETag: source.ETag, Sequencer: source.Sequencer,
		Region: source.Region, SizeBytes: source.SizeBytes, EventMillis: h.FirstFailedAt.UnixMilli(),
	}
	if o.SizeBytes == 0 {
		o.SizeBytes = -1 // not known
	}
	if source.Records != nil {
		o.Resume = &event.Resume{Records: source.Records[0], Decode: source.Decode}
	}
	run.guard(0, func() { run.object(0, &o, true) })
	at := run.settle()
	troubled := inv.lanes[0].flight.Troubled()
	if at.err != nil && !at.whole && at.refusal == nil && state == park.Pending {
		again := r.pointAgain(t, run, h, at.err)
		if again == nil {
			at.err = nil
		}
		at.err = errors.Join(at.err, again)
	}
	if at.err != nil {
		t.fail(at.err.Error())
		return state == park.Dead
	}
	return r.ended(t, e, inv.written, troubled)
}

// pointAgain parks a pointer anew whose object could not be read, for what is in it or for a fault of ours: it must not be
// the first one of every run for ever.
func (r *replay) pointAgain(t *turn, run *objectRun, h *park.Header, cause error) error {
	source := h.Sources[0]
	if done := run.reader.done; done > 0 {
		source.Records, source.Decode = &park.Range{done, park.ToEnd}, r.inv.f.objects.decodeID
	}
	return r.pointLater(t, h, source, reasonOf(cause))
}

// putOffPointer is putOffItems for a pointer.
func (r *replay) putOffPointer(t *turn, e park.Entry, h *park.Header) bool {
	if err := r.pointLater(t, h, h.Sources[0], reasonLost); err != nil {
		return t.fail(err.Error())
	}
	account := r.inv.ledger.Account(t.lane.place.ID)
	account.In(1)
	account.Parked(reasonLost, 1)
	return r.ended(t, e, r.inv.written, false)
}

// pointLater parks a pointer to a source for the next attempt, or for a person after the last.
func (r *replay) pointLater(t *turn, h *park.Header, source park.Source, code string) error {
	p := r.inv.pointer(t.lane, park.Reason{Code: code, Class: classOf(false)}, source, h.FirstFailedAt)
	p.MaxAge, p.Attempt = h.MaxAgeAt, h.Attempt+1
	if p.Attempt > maxAttempts {
		p.Reason = park.Reason{Code: reasonExhausted, Class: classOf(true)}
		return r.inv.parkDead(p)
	}
	return r.inv.parkPending(p, r.inv.f.now().Add(jittered(backoffOf(p.Attempt))))
}
