package forward

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sluice/internal/event"
	"sluice/internal/ledger"
	"sluice/internal/park"
	"sluice/internal/record"
	"sluice/internal/source/object"
)

// Limits of an answer to Firehose.
const (
	// answerBudget is what an answer may have: the limit of a synchronous response, 6,291,456 bytes, with room to spare
	// for how it may be counted (delivery contract 2.2).
	answerBudget = 5_500_000
	// maxTransformedBytes is the most that one record may have on its way to an HTTP endpoint (Firehose developer guide,
	// "HTTP endpoint delivery request and response specifications": 1,365,336 characters of base64).
	maxTransformedBytes = 1_024_000
	// transformTime is how long Firehose waits for an answer, five minutes, less the time to give it.
	transformTime = 290 * time.Second
	// answerGrowth is how many times the size of an event its answer is expected to have; it may grow beyond.
	answerGrowth = 3
)

// streamAccount is the account of a transformation: Firehose itself is where its lines go.
const streamAccount = "firehose"

// Firehose answers the transformation of a delivery stream: every record of a batch has its one result, in the batch's
// order, whatever is in the others. Ok takes its place in the stream, Dropped held nothing that is a log, and
// ProcessingFailed could not be read, or has no room in the answer: Firehose keeps its original below processing-failed/,
// from where functions/s3 sends it.
func Firehose(f *Forwarder) Handler {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		f := f.ready()
		if f.refusal != nil {
			return nil, f.refusal
		}
		ctx, cancel := context.WithTimeout(ctx, transformTime)
		defer cancel()
		inv, end := f.begin(ctx, plan{entry: park.EntryFirehose, later: !f.tee})
		defer end()
		inv.readOn()
		inv.counted = inv.ledger.Account(streamAccount)
		t := &transformation{inv: inv, account: inv.counted, origins: make(map[originKey]*record.Origin)}
		t.take = t.place
		return t.batch(payload)
	}
}

// transformation is one batch on its way.
type transformation struct {
	inv      *invocation
	account  *ledger.Account
	event    event.Transform
	answer   *event.TransformAnswer
	reserved int  // bytes that the records without an answer need at least
	adorned  int  // lines of the answer with attributes
	crowded  bool // there is no room for a record, and there are attributes
	result   result
	counts   balance
	again    reingestion
	staying  []int // records whose lines go to the destinations too
	problem  error // why records could not be put back into the stream, or read for the destinations
	unteed   bool  // a record could not be read for the destinations

	name    string // of the stream
	region  string
	origins map[originKey]*record.Origin
	last    originKey      // that of origin
	origin  *record.Origin // of the last record
	scratch record.Origin  // what the decoder writes into

	take    func(*record.Record, error) bool // place, bound once
	own     streamErrors
	teeing  bool                   // what is read is for the destinations
	current *event.TransformRecord // that is being read
	id      []byte                 // of it
	index   int                    // of its next line
	fault   error                  // why it is not read to its end
}

// originKey is what tells the origins of one batch's records apart.
type originKey struct{ source, service, log, owner, region string }

func (t *transformation) batch(payload []byte) ([]byte, error) {
	err := guarded(func() (err error) {
		t.event, err = event.ParseTransform(payload)
		return err
	})
	if err != nil {
		t.counts.fail(reasonOf(err))
		t.counts.enter(t.account)
		return nil, t.inv.finish(failure{err: err}).err
	}
	t.result = result{text: t.inv.f.transformed, dropped: make(map[ledger.Rule]int), marked: make(map[string]int)}
	t.name, t.region = streamName(t.event.StreamARN), cmp.Or(t.event.Region, t.inv.base.Region)
	t.own, t.scratch = streamErrorsOf(t.event.StreamARN), t.inv.base
	t.scratch.Kind, t.scratch.StreamARN = record.Firehose, t.event.StreamARN
	t.read(len(payload))
	t.tee()
	t.again.send(t)
	t.counts.enter(t.account)
	t.inv.ledger.BytesIn(t.counts.bytes)
	t.inv.noted.add(t.counts.asides)
	t.inv.f.transformed = t.result.text
	at := t.inv.finish(failure{err: t.problem})
	if at.whole || at.refusal != nil || t.unteed {
		return nil, at.err // Firehose gives the batch again: nobody else has what a destination did not get
	}
	return t.answer.Bytes(), nil
}

// read gives every record of the batch its result. Attributes cost no record its place: when there is no room for all,
// the batch is read again and goes without any.
func (t *transformation) read(size int) {
	tr := t.inv.f.transformer
	// Not kept: whoever takes the answer may still be sending it when the next event comes.
	room := make([]byte, 0, min(answerGrowth*size, answerBudget))
	for _, tr.bare = range [...]bool{false, true} {
		t.answer = event.NewTransformAnswer(room)
		t.counts, t.again, t.staying = balance{}, reingestion{}, t.staying[:0]
		t.reserved, t.adorned, t.crowded = 0, 0, false
		for i := range t.event.Records {
			if r := &t.event.Records[i]; r.Answerable() {
				t.reserved += t.answer.SizeOfProcessingFailed(r.ID)
			}
		}
		for i := 0; i < len(t.event.Records) && !t.crowded; i++ {
			t.record(i)
		}
		if !t.crowded {
			return
		}
		room = t.answer.Bytes()[:0]
	}
}

// record gives one record its result.
func (t *transformation) record(i int) {
	r := &t.event.Records[i]
	switch {
	case r.ID == "":
		t.counts.fail("no_record_id") // no answer can name it, so Firehose counts it as failed
		return
	case r.Duplicate:
		t.counts.fail("duplicate_record_id") // likewise: the answer is that of the first
		return
	}
	t.reserved -= t.answer.SizeOfProcessingFailed(r.ID)
	err := t.attempt(r)
	t.counts.bytes += t.result.size
	switch {
	case errors.Is(err, errBudget) && t.adorned+t.result.adorned > 0:
		t.crowded = true
	case errors.Is(err, errBudget) && t.again.take(t, r):
	case err != nil:
		t.answer.ProcessingFailed(r.ID)
		t.counts.fail(transformReason(err))
	case t.result.kept == 0:
		t.answer.Dropped(r.ID)
		t.counts.add(&t.result)
	default:
		t.answer.Ok(r.ID, t.result.text, t.result.keys)
		t.counts.add(&t.result)
		t.adorned += t.result.adorned
		if len(t.inv.lanes) > 0 {
			t.staying = append(t.staying, i)
		}
	}
}

// attempt makes the result of a record. One that its attributes make too large goes without.
func (t *transformation) attempt(r *event.TransformRecord) error {
	tr := t.inv.f.transformer
	transform := func() error { return t.transform(r) }
	err := guarded(transform)
	if errors.Is(err, errTooLarge) && t.result.adorned > 0 {
		t.inv.takeAsides() // they are counted when it is read again
		tr.bare = true
		err = guarded(transform)
		tr.bare = false
	}
	if taken := t.inv.takeAsides(); err == nil { // what Firehose keeps, or gives again, is counted when it comes back
		t.counts.asides.add(taken)
	}
	return err
}

// transform reads a record and makes of it what the settings ask for.
func (t *transformation) transform(r *event.TransformRecord) error {
	f := t.inv.f
	t.result.reset()
	if t.inv.ctx.Err() != nil {
		return errDeadline
	}
	data, err := r.Payload(f.packed[:0])
	if err != nil {
		return fmt.Errorf("firehose %w", err)
	}
	f.packed, t.result.size = data, len(data)
	if err := t.enter(data); err != nil {
		return err
	}
	t.start(r)
	t.lines(t.take)
	if t.fault != nil {
		return t.fault
	}
	if f.transformer.whole && t.result.kept > 0 {
		t.result.text = append(t.result.text, data...)
	}
	return t.fits(len(t.result.text), r.ID)
}

func (t *transformation) start(r *event.TransformRecord) {
	t.current, t.id, t.index, t.fault = r, append(t.id[:0], r.ID...), 0, nil
	t.own.begin()
}

// lines hands the lines of the current record to take: events of CloudWatch Logs joined where the settings say so. The
// decoder joins all others. take leaves out what isOwn finds; what is joined is without it already.
func (t *transformation) lines(take func(*record.Record, error) bool) {
	decoder := &t.inv.f.objects.decoder
	if !t.inv.f.objects.routes.joins() {
		decoder.Each(take)
		return
	}
	t.inv.joinedEvents(func(yield func(*record.Record, error) bool) {
		decoder.Each(func(rec *record.Record, err error) bool { return err == nil && t.isOwn(rec) || yield(rec, err) })
	})(take)
}

// isOwn reports whether a line is what the stream says about itself, and counts it as dropped if it is.
func (t *transformation) isOwn(rec *record.Record) bool {
	switch {
	case !t.own.has(rec) || rec.Origin.Control:
		return false
	case t.teeing:
		t.inv.drop(ledger.OwnLogGroup)
	default:
		t.result.dropped[ledger.OwnLogGroup]++
	}
	return true
}

// enter starts to read the bytes of a record. Records of one kind share their origin.
func (t *transformation) enter(data []byte) error {
	decoder := &t.inv.f.objects.decoder
	t.scratch.Owner, t.scratch.Region = "", t.region // what the last record said
	_, err := decoder.Enter(object.Input{
		Data: data, Origin: &t.scratch, Name: t.name, Lines: t.inv.f.objects.routes.lines, Strict: t.inv.f.objects.strict,
		MaxPlainBytes: t.inv.f.maxInflated,
	})
	if err != nil {
		return err
	}
	if t.scratch.Source == unknownObject {
		t.scratch.Source = ""
	}
	key := originKey{t.scratch.Source, t.scratch.Service, t.scratch.Log, t.scratch.Owner, t.scratch.Region}
	if t.origin == nil || key != t.last {
		t.last, t.origin = key, t.origins[key]
	}
	if t.origin == nil {
		copied := t.scratch
		t.origin, t.origins[key] = &copied, &copied
	}
	decoder.Adopt(t.origin)
	return nil
}

// unknownObject is the source of what the service table does not know when it lies in S3, which a record does not.
const unknownObject = "s3"

// streamName is the name in the ARN of a delivery stream, which tells the service where it is a rule for streams.
func streamName(arn string) string {
	_, name, _ := strings.Cut(arn, "/")
	return name
}

// place takes what was read of the current record, and reports whether more is wanted.
func (t *transformation) place(rec *record.Record, err error) bool {
	if err != nil {
		t.fault = err
		return false
	}
	if t.isOwn(rec) {
		return true
	}
	t.locate(rec)
	t.fault = t.line(rec)
	return t.fault == nil
}

// locate gives a line what it has from its record alone.
func (t *transformation) locate(rec *record.Record) {
	if rec.Origin.Kind == record.Firehose {
		rec.EventID, rec.Offset, rec.Index = record.Plain(t.id), 0, t.index
		t.index++
	}
	if rec.TimeMillis == 0 {
		rec.TimeMillis = t.current.ArrivalMillis
	}
}
