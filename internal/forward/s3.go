package forward

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"sluice/internal/event"
	"sluice/internal/ledger"
	"sluice/internal/park"
	"sluice/internal/record"
)

// S3 answers what announces S3 objects: S3 itself, SNS and EventBridge with nil or an error, an SQS batch with the ids of
// the messages that failed, S3 Batch Operations with a result for each task. What failed is given again by its owner, and
// nothing else is.
func S3(f *Forwarder) Handler {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		f := f.ready()
		if f.refusal != nil {
			return nil, f.refusal
		}
		inv, end := f.begin(ctx, plan{entry: park.EntryS3})
		defer end()
		inv.ledger.BytesIn(len(payload))
		run := newObjectRun(inv)
		if event.IsBatchJob(payload) {
			return run.batchJob(payload)
		}
		return run.notifications(payload)
	}
}

// objectRun is an invocation that reads S3 objects. Its units are what the owner gives again one by one: the messages of a
// queue, the tasks of a job.
type objectRun struct {
	inv    *invocation
	failed map[int]error // units that have to be given again, with the first reason
	// Units with an object that was not read, with the rule, and units of which a part was parked, with the reason.
	dropped map[int]ledger.Rule
	parked  map[int]string
	text    []byte // of a message that had to be mended

	touched  map[int]bool // units of which something has been taken, so that giving them again would repeat it
	patience map[int]bool // units whose owner gives them again often enough: what cannot be read may wait there
	rests    []rest       // what is left of objects, to be kept when all before it is durable
	endings  []readToEnd  // of objects with a marker
	reader   reader
	stop     func()       // releases the clock of reading
	again    *park.Header // of the parked pointer that is being replayed; nil otherwise
	insist   bool         // the owner gives it no more: a note is kept of what cannot be read
}

func newObjectRun(inv *invocation) *objectRun {
	r := &objectRun{
		inv: inv, failed: make(map[int]error), dropped: make(map[int]ledger.Rule), parked: make(map[int]string),
		touched: make(map[int]bool), patience: make(map[int]bool),
	}
	inv.pause = r.pause
	inv.reading, r.stop = inv.readUntil()
	return r
}

func (r *objectRun) notifications(payload []byte) ([]byte, error) {
	var objects event.Objects
	err := guarded(func() (err error) {
		objects, err = event.ParseObjects(payload)
		return err
	})
	switch {
	case err == nil:
		return r.messages(objects)
	case r.inv.parkRaw(payload, err):
		err = nil
	default:
		r.inv.unreadable(reasonOf(err))
	}
	if at := r.inv.finish(failure{err: err}); at.err != nil {
		return nil, at.err
	}
	return []byte("null"), nil
}

func (r *objectRun) messages(objects event.Objects) ([]byte, error) {
	for unit := range objects.Messages {
		r.message(unit, objects.Messages)
	}
	at := r.finish()
	switch {
	case at.err == nil && objects.Partial:
		return event.AppendBatchItemFailures(nil, nil), nil
	case at.err == nil:
		return []byte("null"), nil
	case at.whole || !objects.Partial:
		return nil, at.err
	}
	ids := r.failedIDs(objects.Messages)
	if len(ids) == 0 || slices.Contains(ids, "") {
		return nil, at.err // there is no message to name: the whole batch comes again
	}
	return event.AppendBatchItemFailures(nil, ids), nil
}

// message takes all that a message tells. Of a queue that keeps its order nothing is taken behind a failure.
func (r *objectRun) message(unit int, messages []event.Message) {
	m := &messages[unit]
	if m.FIFO && r.failedBefore(unit, messages) {
		r.fail(unit, "not_read", fmt.Errorf("message %s: one before it in its queue has failed", m.ID))
		return
	}
	if m.Err != nil {
		if err := fmt.Errorf("message %s: %w", m.ID, m.Err); !r.inv.parkRaw(m.Raw, err) {
			r.fail(unit, "decode", err)
		}
		return
	}
	r.patience[unit] = m.ReceiveCount > 0 && m.ReceiveCount < r.inv.f.maxReceives-1
	r.reader.received, r.reader.event = m.ReceiveCount, m.ID
	for i := range m.Notices {
		r.guard(unit, func() { r.notice(unit, &m.Notices[i]) })
	}
}

func (r *objectRun) failedBefore(unit int, messages []event.Message) bool {
	for i, m := range messages[:unit] {
		if r.failed[i] != nil && m.QueueARN == messages[unit].QueueARN {
			return true
		}
	}
	return false
}

// failedIDs are those of the messages that failed, and of those behind one in a queue that keeps its order.
func (r *objectRun) failedIDs(messages []event.Message) []string {
	var ids []string
	for unit, m := range messages {
		if r.failed[unit] != nil || m.FIFO && r.failedBefore(unit, messages) {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

func (r *objectRun) notice(unit int, n *event.Notice) {
	switch {
	case n.Err != nil:
		if !r.inv.parkRaw(n.Raw, n.Err) {
			r.fail(unit, "decode", n.Err)
		}
	case n.Rule != "":
		r.inv.drop(n.Rule)
	case n.Text != nil:
		r.log(unit, n)
	default:
		r.object(unit, &n.Object, true)
	}
}

// log forwards a message that is a log itself.
func (r *objectRun) log(unit int, n *event.Notice) {
	o := r.inv.base
	o.Kind, o.StreamARN, o.Source = record.Kind(n.Source.Kind), n.Source.ARN, string(n.Source.Kind)
	if n.Source.Kind == event.SourceEventBridge {
		_, service, _ := strings.Cut(n.Source.EventSource, ".")
		o.Source = cmp.Or(service, "cloudwatch") // as the Datadog Forwarder names what has no service
	}
	rec := record.Record{
		Origin: &o, EventID: record.Plain(bytes.ToValidUTF8([]byte(n.Source.ID), []byte("\uFFFD"))),
		TimeMillis: n.Source.Millis, Message: record.Plain(n.Text),
	}
	switch {
	case !utf8.Valid(n.Text):
		r.text, _ = record.AppendRepaired(r.text[:0], n.Text)
		rec.Message, rec.Marks = record.Escaped(r.text), record.UTF8Repaired
	case n.Source.Kind == event.SourceEventBridge:
		rec.Structured = json.Valid(n.Text)
	}
	r.touched[unit] = true
	one := func(yield func(*record.Record, error) bool) { yield(&rec, nil) }
	if err := r.inv.forward(one, unit); err != nil {
		r.fail(unit, reasonOf(err), err)
	}
}

// fail says that a unit has to be given again, and counts what could not be read of it as one line.
func (r *objectRun) fail(unit int, reason string, err error) {
	r.inv.unreadable(reason)
	r.blame(unit, err)
}

func (r *objectRun) blame(unit int, err error) {
	if r.failed[unit] == nil {
		r.failed[unit] = err
	}
}

// guard takes one object or message. A panic fails its unit and leaves the others alone.
func (r *objectRun) guard(unit int, take func()) {
	err := guarded(func() error {
		take()
		return nil
	})
	if err == nil {
		return
	}
	r.inv.rollback()
	// The text and not the error: the batches are sound again, so the invocation goes on.
	r.fail(unit, "panic", errors.New(err.Error()))
}

// finish settles and closes the accounts.
func (r *objectRun) finish() failure { return r.inv.close(r.settle()) }

// settle sends what is left and waits, and keeps what is left of objects. The units in which anything failed are then in
// r.failed.
func (r *objectRun) settle() failure {
	at := r.inv.settle(r.failure())
	r.stop()
	r.inv.pause = nil
	for _, unit := range at.units {
		r.blame(unit, at.refusal) // and not for what failed of other units, which may be final
	}
	if !at.whole {
		at.err = errors.Join(at.err, r.keepRests())
		r.markEndings()
	}
	return at
}

// failure is the first unit that has to be given again.
func (r *objectRun) failure() failure {
	var at failure
	for _, unit := range slices.Sorted(maps.Keys(r.failed)) {
		if at.err == nil {
			at.unit = unit
		}
		at.err = errors.Join(at.err, r.failed[unit])
	}
	return at
}
