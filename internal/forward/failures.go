package forward

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"sluice/internal/batch"
	"sluice/internal/deliver"
	"sluice/internal/event"
	"sluice/internal/failpoint"
	"sluice/internal/park"
	"sluice/internal/record"
	"sluice/internal/source/forwarder"
	"sluice/internal/source/kinesis"
)

// lambdaPrefix is where Lambda keeps events of failed invocations, in the park bucket; it fixes the prefix.
const lambdaPrefix = "aws/lambda/"

// maxFailureAttempts is how often an event that Lambda has kept is tried: each may have ended the process.
const maxFailureAttempts = 3

// failures forwards what Lambda has kept of failed invocations.
func (r *replay) failures() error {
	count := &replayCount{}
	r.report.Failures = count
	for e, err := range r.shelf.Foreign(r.inv.ctx, lambdaPrefix) {
		if err != nil {
			return err
		}
		if !r.more() {
			return nil
		}
		r.foreign(count, e, func(raw []byte) error { return r.failure(e, raw) })
	}
	return nil
}

// deadRaw forwards what could not be read, for a person who has changed what kept it from being read.
func (r *replay) deadRaw() error {
	count := &replayCount{}
	r.report.DeadRaw = count
	r.inv.unkept = true // what still cannot be read stays where it is
	for e, err := range r.shelf.Entries(r.inv.ctx, park.DeadRaw, r.wish.Dest, "", r.inv.f.now()) {
		if err != nil {
			return err
		}
		if !r.more() {
			return nil
		}
		r.foreign(count, e, r.rawInput)
	}
	return nil
}

// foreign takes an object that holds an event and no items. One that cannot be forwarded stays where it is.
func (r *replay) foreign(count *replayCount, e park.Entry, forward func(raw []byte) error) {
	count.Found++
	if r.left > 0 {
		r.left--
	}
	if r.wish.DryRun {
		return
	}
	lease, ours, err := r.shelf.Take(r.inv.store, e.ID, r.inv.f.now(), r.leaseFor())
	switch {
	case err != nil:
		count.Stopped = err.Error()
		return
	case !ours:
		count.Busy++
		return
	}
	failpoint.Hit(failpoint.Leased)
	raw, err := r.shelf.Raw(r.inv.ctx, e)
	if err == nil {
		err = forward(raw)
	}
	if err == nil {
		err = r.shelf.Delete(r.inv.store, e)
	}
	switch {
	case errors.Is(err, park.ErrGone):
	case errors.Is(err, errNotMeant):
		count.Left++
	case err != nil:
		count.Left++
		count.Stopped = err.Error()
	default:
		count.Done++
	}
	_ = lease.Release(r.inv.store) // one that cannot be released expires
}

// errNotMeant says that an object was kept for another reason than the one that was asked for.
var errNotMeant = errors.New("it was kept for another reason")

// failure forwards the event that Lambda has kept. After a few attempts that ended the process, or panicked, it goes to
// what a person looks at: it may be the cause.
func (r *replay) failure(e park.Entry, raw []byte) error {
	inv := r.inv
	store, err := inv.f.park.opened(accountOf(inv.base.FunctionARN))
	if err != nil {
		return err
	}
	progress, _, err := store.Progress(inv.ctx, e.ID)
	if err != nil {
		return err
	}
	if progress.Hop >= maxFailureAttempts {
		_, err := store.PutRaw(inv.store, park.Raw{
			Entry: park.EntryAsyncFailure, At: inv.started, RequestID: inv.requestID, Payload: raw,
			Reason: park.Reason{Code: reasonExhausted, Class: classOf(true), Message: "it was tried " + fmt.Sprint(progress.Hop) + " times"},
		})
		return err
	}
	if err := store.PutProgress(inv.store, e.ID, park.Progress{Hop: progress.Hop + 1, At: inv.f.now()}); err != nil {
		return err
	}
	err = r.failedEventOf(raw)
	if _, panicked := errors.AsType[*panicError](err); err != nil && !panicked {
		// This was no attempt: what is in trouble is around the event.
		err = errors.Join(err, store.PutProgress(inv.store, e.ID, park.Progress{Hop: progress.Hop, At: inv.f.now()}))
	}
	return err
}

func (r *replay) failedEventOf(raw []byte) error {
	failed, err := event.ParseFailure(raw)
	if err != nil {
		return r.kept(raw, err)
	}
	if own := r.inv.base.FunctionARN; own != "" && unqualified(failed.FunctionARN) == unqualified(own) {
		return nil // a run of replay that failed: this is another one
	}
	return r.event(failed.Kind, failed.Payload)
}

// unqualified is the ARN of a function without its version or alias.
func unqualified(arn string) string {
	const parts = 7 // arn:partition:lambda:region:account:function:name
	words := strings.SplitN(arn, ":", parts+1)
	return strings.Join(words[:min(len(words), parts)], ":")
}

// rawInput forwards what was kept of input that could not be read.
func (r *replay) rawInput(object []byte) error {
	raw, err := park.DecodeRaw(bytes.NewReader(object))
	if err != nil {
		return err
	}
	if r.wish.Reason != "" && r.wish.Reason != raw.Reason.Code {
		return errNotMeant
	}
	kind := event.PayloadUnknown
	switch raw.Entry {
	case park.EntryCloudWatch:
		kind = event.PayloadCloudWatch
	case park.EntryKinesis:
		if _, err := event.ParseKinesis(raw.Payload); err != nil {
			return r.streamRecord(&raw)
		}
		kind = event.PayloadKinesis
	case park.EntryS3:
		kind = event.PayloadObjects
	case park.EntryAsyncFailure:
		failed, err := event.ParseFailure(raw.Payload)
		if err != nil {
			return err
		}
		return r.event(failed.Kind, failed.Payload)
	}
	return r.event(kind, raw.Payload)
}

// event forwards an event of another function to all destinations.
func (r *replay) event(kind event.PayloadKind, payload []byte) error {
	inv := r.inv
	defer inv.forget(*inv)
	inv.open(0, inv.f.lanes...)
	switch kind {
	case event.PayloadCloudWatch:
		inv.entry = park.EntryCloudWatch
		return inv.settle(inv.takeSubscription(payload)).err
	case event.PayloadKinesis:
		inv.entry = park.EntryKinesis
		_, at := inv.takeStream(payload)
		return inv.settle(at).err
	case event.PayloadObjects:
		inv.entry = park.EntryS3
		return r.objects(payload)
	case event.PayloadUnknown:
	}
	return r.kept(payload, errors.New("an event of a shape that no function here takes"))
}

// forget puts back what an event has said of itself: nothing of it is in the next one.
func (inv *invocation) forget(before invocation) {
	inv.base, inv.entry, inv.reading, inv.lanes = before.base, before.entry, before.reading, nil
}

// streamRecord forwards the payload of one record of a stream. Its number is not known any more: its content tells it from
// others.
func (r *replay) streamRecord(raw *park.Raw) error {
	inv := r.inv
	defer inv.forget(*inv)
	inv.open(0, inv.f.lanes...)
	inv.readOn()
	inv.entry = park.EntryKinesis
	sum := sha256.Sum256(raw.Payload)
	text := kinesis.UserRecord{EventID: hex.EncodeToString(sum[:]), TimeMillis: raw.At.UnixMilli()}
	err := guarded(func() error { return inv.streamPayload(raw.Payload, text, 0, inv.origins()) })
	if err != nil {
		inv.unreadable(reasonOf(err))
	}
	return inv.settle(failure{err: err}).err
}

func (r *replay) objects(payload []byte) error {
	run := newObjectRun(r.inv)
	run.insist = true
	objects, err := event.ParseObjects(payload)
	if err != nil {
		r.inv.pause = nil
		return r.kept(payload, err)
	}
	for unit := range objects.Messages {
		run.message(unit, objects.Messages)
	}
	return run.settle().err
}

// kept keeps what cannot be read where a person looks.
func (r *replay) kept(raw []byte, cause error) error {
	if len(r.inv.lanes) == 0 {
		r.inv.open(0, r.inv.f.lanes...)
		defer func() { r.inv.lanes = nil }()
	}
	if r.inv.parkRaw(raw, cause) {
		return r.inv.settle(failure{}).err
	}
	return errors.Join(cause, r.inv.settle(failure{}).err)
}

// failedEvents sends what a Datadog Forwarder has stored. Nothing of it is deleted: it is noted what was sent.
func (r *replay) failedEvents() error {
	count := &replayCount{}
	r.report.FailedEvents = count
	lane, err := r.datadogLane()
	if err != nil {
		return err
	}
	shelf, err := r.inv.f.park.shelfOf(r.wish.From.Bucket)
	if err != nil {
		return err
	}
	store, err := r.inv.f.park.opened(accountOf(r.inv.base.FunctionARN))
	if err != nil {
		return err
	}
	for e, err := range shelf.Foreign(r.inv.ctx, r.wish.From.Prefix) {
		if err != nil {
			return err
		}
		if !r.more() {
			return nil
		}
		if forwarder.ParseKey(e.Key).Kind != forwarder.Logs {
			continue
		}
		count.Found++
		if r.wish.DryRun {
			continue
		}
		r.failedEvent(lane, shelf, store, e, count)
	}
	return nil
}

// failedEvent sends the logs of one object, unless that was done before.
func (r *replay) failedEvent(lane *lane, shelf *park.Shelf, store *park.Store, e park.Entry, count *replayCount) {
	sum := sha256.Sum256([]byte(e.Key + "\x1f" + e.ETag))
	id := hex.EncodeToString(sum[:16])
	progress, _, err := store.Progress(r.inv.ctx, id)
	if err == nil && progress.Done {
		count.Left++
		return
	}
	var raw []byte
	if err == nil {
		raw, err = shelf.Raw(r.inv.ctx, e)
	}
	var items [][]byte
	var redacted int
	if err == nil {
		items, redacted, err = r.failedItems(bytes.NewReader(raw))
	}
	if err == nil {
		err = r.sendItems(lane, id, items, redacted)
	}
	if err == nil {
		err = store.PutProgress(r.inv.store, id, park.Progress{Records: int64(len(items)), At: r.inv.f.now(), Done: true})
	}
	if err != nil {
		count.Left++
		count.Stopped = err.Error()
		return
	}
	count.Lines += len(items)
	count.Done++
}

// failedItems returns the items of an object, and in how many of them something had to be redacted: the Forwarder may have
// stored them as they came.
func (r *replay) failedItems(from io.Reader) (items [][]byte, redacted int, err error) {
	for item, err := range forwarder.Records(from) {
		if err != nil {
			return nil, 0, err
		}
		text, hits := r.inv.processor.AppendItem(nil, item.JSON)
		if hits > 0 {
			redacted++
		} else {
			text = bytes.Clone(item.JSON)
		}
		items = append(items, text)
	}
	return items, redacted, nil
}

// sendItems sends items that were encoded elsewhere, some of which were redacted. What is not delivered is parked.
func (r *replay) sendItems(lane *lane, id string, items [][]byte, redacted int) error {
	inv := r.inv
	inv.open(0, lane)
	defer func() { inv.lanes = nil }()
	run := inv.lanes[0]
	run.account.In(len(items))
	if redacted > 0 {
		run.account.Marked(record.Redacted.Names()[0], redacted)
	}
	batch.Rebuild(lane.options, id, func(yield func([]byte) bool) {
		for _, item := range items {
			if !yield(item) {
				return
			}
		}
	}, run.flight.Submit)
	return run.flight.Wait().Err
}

// datadogLane is the destination for items of Datadog.
func (r *replay) datadogLane() (*lane, error) {
	for _, l := range r.inv.f.lanes {
		if l.place.Type == "datadog" && (r.wish.Dest == "" || r.wish.Dest == l.place.ID) {
			return l, nil
		}
	}
	return nil, errors.New("failed events of a Datadog Forwarder are items of Datadog: the settings have no such destination, " +
		"or another one was named")
}

var _ deliver.Parker = (*laneParker)(nil)
