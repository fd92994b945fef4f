package forward

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"sluice/internal/config"
	"sluice/internal/event"
	"sluice/internal/failpoint"
	"sluice/internal/ledger"
	"sluice/internal/park"
)

// Why the rest of an object is kept, beside what kept it from being read.
const (
	reasonDestination = "destination_down"
	reasonNoProgress  = "no_progress"
	reasonHopLimit    = "hop_limit"
	reasonExhausted   = "exhausted"
)

const (
	// maxHops is how often an object may be handed on through the queue. Lambda takes a 16th hop for a loop (delivery
	// contract 2.3).
	maxHops = 12
	// maxAttempts is how often what is parked is tried again (delivery contract 2.8).
	maxAttempts = 12
	// maxBackoff is how long replay leaves something alone at most.
	maxBackoff   = 6 * time.Hour
	firstBackoff = 5 * time.Minute
)

// rest is what an object decodes to from some record on, for some destinations.
type rest struct {
	unit    int
	object  event.Object
	records int64 // that were forwarded before
	begun   int64 // of these, before this invocation
	offset  int64 // about where that is in the plain bytes, for people
	hop     int
	lanes   []*laneRun
	reason  string
}

// leave notes what is left of the object that is being read.
func (r *objectRun) leave(lanes []*laneRun, reason string) {
	at := &r.reader
	r.rests = append(r.rests, rest{
		unit: at.unit, object: *at.object, records: at.done, begun: at.skip, offset: at.offset, hop: at.hop,
		lanes: slices.Clone(lanes), reason: reason,
	})
	r.parked[at.unit] = reason
}

// keepRests keeps what is left of objects, when all before it is durable: what is left of a unit that has failed comes
// again with it.
func (r *objectRun) keepRests() error {
	var problems error
	for i := range r.rests {
		left := &r.rests[i]
		if r.failed[left.unit] != nil {
			continue
		}
		if err := r.keep(left); err != nil {
			err = fmt.Errorf("s3://%s: the rest of it, from record %d on, could not be kept: %w", left.object.Bucket, left.records, err)
			problems = errors.Join(problems, err)
			r.fail(left.unit, left.reason, err)
		}
	}
	return problems
}

func (r *objectRun) keep(left *rest) error {
	switch {
	case left.reason != reasonDeadline || r.again != nil:
	case left.hop > 0 && left.records == left.begun:
		left.reason = reasonNoProgress
	case left.hop >= maxHops:
		left.reason = reasonHopLimit
	case r.handOn(left) == nil:
		for _, lane := range left.lanes {
			lane.account.In(1)
			lane.account.Returned(ledger.Continued, 1)
		}
		return nil
	}
	for _, lane := range left.lanes {
		err := r.parkRest(left, lane)
		if err != nil { // once more: what is noted for other destinations would come again with the message
			err = r.parkRest(left, lane)
		}
		if err != nil {
			return err
		}
		lane.account.In(1)
		lane.account.Parked(left.reason, 1)
	}
	return nil
}

var errNoQueue = errors.New("no queue is set to continue by: SLUICE_CONTINUE_QUEUE")

// handOn sends the rest through the queue that the function is invoked by.
func (r *objectRun) handOn(left *rest) error {
	f := r.inv.f
	if f.queue == nil {
		return errNoQueue
	}
	resume := event.Resume{
		Records: left.records, Offset: left.offset, Hop: left.hop + 1, Decode: f.objects.decodeID,
		FirstSeenMillis: firstKnown(left.object.EventMillis, r.inv.started).UnixMilli(),
	}
	for _, lane := range left.lanes {
		resume.Dests = append(resume.Dests, lane.lane.place.ID)
	}
	failpoint.Hit(failpoint.BeforeContinue)
	if err := f.queue.Send(r.inv.store, event.AppendContinuation(nil, &left.object, &resume)); err != nil {
		return fmt.Errorf("continue: %w", err)
	}
	failpoint.Hit(failpoint.AfterContinue)
	return nil
}

func (r *objectRun) parkRest(left *rest, lane *laneRun) error {
	inv, o := r.inv, &left.object
	if inv.f.park == nil {
		return errNoPark
	}
	source := r.sourceOf(o)
	source.Records = &park.Range{left.records, park.ToEnd}
	source.Decode = inv.f.objects.decodeID
	reason := park.Reason{Code: left.reason, Class: classOf(false)}
	p := inv.pointer(lane.lane, reason, source, firstKnown(o.EventMillis, inv.started))
	now := inv.f.now()
	wait := firstWait
	if left.reason == reasonDeadline || left.reason == reasonNoProgress || left.reason == reasonHopLimit {
		wait = 0
	}
	if r.again != nil {
		p.FirstFailed, p.MaxAge, p.Attempt = r.again.FirstFailedAt, r.again.MaxAgeAt, r.again.Attempt
		if left.records == left.begun {
			p.Attempt++
			wait = jittered(backoffOf(p.Attempt))
		}
		if p.Attempt > maxAttempts {
			reason.Code, reason.Class = reasonExhausted, classOf(true)
			p.Reason = reason
			return inv.parkDead(p)
		}
	}
	return inv.parkPending(p, now.Add(wait))
}

// backoffOf is how long replay leaves alone what has been tried so often.
func backoffOf(attempt int) time.Duration {
	return min(maxBackoff, firstBackoff<<min(attempt-1, 10))
}

// sourceOf names an object for a note.
func (r *objectRun) sourceOf(o *event.Object) park.Source {
	owner, _ := r.inv.f.buckets.owner(o, accountOf(r.inv.base.FunctionARN))
	return park.Source{
		Entry: park.EntryS3, Owner: owner, Region: o.Region,
		Bucket: o.Bucket, Key: o.Key, VersionID: o.VersionID, ETag: o.ETag, Sequencer: o.Sequencer,
		SizeBytes: max(o.SizeBytes, 0),
	}
}

// decodeID changes when the settings do that decide how many records an object decodes to: then a count of records tells
// nothing any more.
func decodeID(cfg *config.Config) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x1f%d\x1f%+v\x1f%t\x1f%t\x1f%q\x1f%d",
		Version, cfg.MaxObjectBytes, cfg.Multiline, cfg.MultilineEvents, cfg.Redacts(), cfg.Agent.Start, cfg.Agent.SkipHeader)
	for i := range cfg.Routes {
		r := cfg.Routes[i]
		lines := fmt.Sprintf("%+v\x1f%q\x1f%d", r.Multiline, r.Processing.Agent.Start, r.Processing.Agent.SkipHeader)
		fmt.Fprintf(h, "\x1f%q%s", []string{r.LogGroup, r.LogStream, r.Bucket, r.Key, r.Stream, r.Owner, r.FromSource}, lines)
	}
	const length = 8
	return hex.EncodeToString(h.Sum(nil)[:length])
}

// reader is how far the object that is being read has come.
type reader struct {
	unit     int
	received int // how often SQS has given the message, 0 for other routes
	hop      int
	object   *event.Object
	skip     int64 // records that were forwarded before this invocation
	at       int64 // records that the object decoded to so far, with the one that is being forwarded
	done     int64 // those of them that have been taken: by batches, by a rule, or as damage
	offset   int64 // of the last one in the plain bytes
	rests    int   // how many there were before the object was begun

	id       string // of its progress marker
	event    string // that asked for the object: the id of the message, or of the invocation where there is none
	bytes    int    // of messages since the last marker
	marked   int64  // records below the last marker
	markedAt time.Time
	marks    bool // there is a marker
}

// begin prepares to read an object, from the record on that an earlier invocation has come to.
func (r *objectRun) begin(unit int, o *event.Object) {
	resume := o.Resume
	r.reader = reader{unit: unit, received: r.reader.received, event: r.reader.event, object: o, markedAt: r.inv.f.now(), rests: len(r.rests)}
	if resume != nil {
		r.reader.hop = resume.Hop
		if resume.Decode == r.inv.f.objects.decodeID {
			r.reader.skip, r.reader.done = resume.Records, resume.Records
		}
	}
	for _, lane := range r.inv.lanes {
		lane.closed = resume != nil && len(resume.Dests) > 0 && !slices.Contains(resume.Dests, lane.lane.place.ID)
		lane.at, lane.cuts, lane.base = 0, lane.cuts[:0], lane.flight.Submitted()
	}
}

// opened are the lanes that take records.
func (r *objectRun) opened() []*laneRun {
	var list []*laneRun
	for _, lane := range r.inv.lanes {
		if !lane.closed {
			list = append(list, lane)
		}
	}
	return list
}

// pause looks, every few hundred records, at the destinations: what is left of the object is kept for one in trouble, as
// sending it more is in vain. It also writes the progress marker when it is time.
func (r *objectRun) pause() error {
	for _, lane := range r.inv.lanes {
		if lane.closed || !lane.flight.Troubled() || r.inv.f.park == nil {
			continue
		}
		lane.builder.Flush()
		lane.closed, lane.down = true, true
		r.leave([]*laneRun{lane}, reasonDestination)
	}
	if len(r.opened()) == 0 && len(r.inv.lanes) > 0 {
		return errClosed
	}
	r.mark()
	return nil
}

// errClosed says that no destination takes any more of an object.
var errClosed = errors.New("every destination is in trouble: the rest is kept")

// When a progress marker is written (delivery contract 2.3). An object from markedBytes on may have one.
const (
	markEveryBytes = 64 << 20
	markEvery      = 30 * time.Second
	markedBytes    = 4 << 20 // as stored
)

// mark notes how far the object is durable, so that a message that comes again goes on from there.
func (r *objectRun) mark() {
	at := &r.reader
	if r.failed[at.unit] != nil {
		return // it comes again, and with it what could not be kept of it
	}
	if at.id == "" || at.bytes < int(failpoint.AtMost(markEveryBytes)) && r.inv.f.now().Sub(at.markedAt) < markEvery {
		return
	}
	at.bytes, at.markedAt = 0, r.inv.f.now()
	records := r.durable()
	if records <= at.marked {
		return
	}
	store, err := r.inv.f.park.opened(accountOf(r.inv.base.FunctionARN))
	if err != nil {
		return
	}
	// One that fails costs repeats after a crash, and nothing else.
	if store.PutProgress(r.inv.store, at.id, park.Progress{Records: records, Hop: at.hop, At: at.markedAt, Event: r.asker()}) == nil {
		at.marked, at.marks = records, true
	}
}

// durable is how many records of the object, from the first one on, are where they belong.
func (r *objectRun) durable() int64 {
	records := r.reader.done
	for _, lane := range r.inv.lanes {
		if lane.down || lane.flight.Failed() {
			return 0
		}
		if lane.closed {
			continue
		}
		settled := lane.flight.Settled() - lane.base
		if settled <= 0 || len(lane.cuts) < settled {
			return 0
		}
		records = min(records, lane.cuts[settled-1])
	}
	return records
}

// catchUp goes on where an earlier invocation has left a marker. It is looked for where there can be one.
func (r *objectRun) catchUp() {
	at, o := &r.reader, r.reader.object
	if r.inv.f.park == nil || o.SizeBytes < failpoint.AtMost(markedBytes) {
		return
	}
	at.id = r.markerID()
	store, err := r.inv.f.park.opened(accountOf(r.inv.base.FunctionARN))
	if err != nil {
		return
	}
	p, found, err := store.Progress(r.inv.ctx, at.id)
	if err != nil || !found || p.Done && p.Event != r.asker() || p.Records <= at.skip {
		return // whoever announces again an object that was read to its end wants all of it
	}
	at.skip, at.done, at.marked, at.marks = p.Records, p.Records, p.Records, true
}

// markerID names the progress of an object for the destinations that take it.
func (r *objectRun) markerID() string {
	o, h := r.reader.object, sha256.New()
	fmt.Fprintf(h, "%s\x1f%s\x1f%s\x1f%s\x1f%d\x1f%s\x1f", o.Bucket, o.Key, o.VersionID, o.ETag, o.SizeBytes,
		r.inv.f.objects.decodeID)
	for _, lane := range r.opened() {
		fmt.Fprintf(h, "%s\x1f", lane.lane.place.ID)
	}
	const length = 16
	return hex.EncodeToString(h.Sum(nil)[:length])
}

// asker is what asked for the object that is being read: it is the same when its owner gives it again.
func (r *objectRun) asker() string { return cmp.Or(r.reader.event, r.inv.requestID) }

// readToEnd is an object with a marker that was read to its end.
type readToEnd struct {
	unit int
	id   string
	last park.Progress
}

// finished notes that an object was read to its end.
func (r *objectRun) finished() {
	at := &r.reader
	if at.marks {
		r.endings = append(r.endings, readToEnd{unit: at.unit, id: at.id, last: park.Progress{
			Records: at.done, Hop: at.hop, At: r.inv.f.now(), Done: true, Event: r.asker(),
		}})
	}
}

// markEndings writes the last markers, when all is durable: who comes again for the same event finds nothing left to do.
func (r *objectRun) markEndings() {
	for _, e := range r.endings {
		if r.failed[e.unit] != nil {
			continue
		}
		if store, err := r.inv.f.park.opened(accountOf(r.inv.base.FunctionARN)); err == nil {
			_ = store.PutProgress(r.inv.store, e.id, e.last) // one that fails costs repeats after a crash, and nothing else
		}
	}
}
