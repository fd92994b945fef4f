package forward

import (
	"cmp"
	"context"
	"encoding/base64"
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
	reserved int // bytes that the records without an answer need at least
	result   result
	again    reingestion
	problem  error // why records could not be put back into the stream, or read for the destinations
	unteed   bool  // a record could not be read for the destinations

	name    string // of the stream
	region  string
	origins map[originKey]*record.Origin
	last    originKey      // that of origin
	origin  *record.Origin // of the last record
	scratch record.Origin  // what the decoder writes into

	take    func(*record.Record, error) bool // place, bound once
	current *event.TransformRecord           // that is being read
	id      []byte                           // of it
	index   int                              // of its next line
	fault   error                            // why it is not read to its end

	bytes, delivered int // not yet in the ledger
}

// result is what becomes of one record.
type result struct {
	text    []byte // in the record's place
	kept    int    // lines in it
	dropped map[ledger.Rule]int
	marked  map[string]int
	keys    []event.PartitionKey
}

func (r *result) reset() {
	r.text, r.kept, r.keys = r.text[:0], 0, r.keys[:0]
	if len(r.dropped)+len(r.marked) > 0 {
		clear(r.dropped)
		clear(r.marked)
	}
}

// originKey is what tells the origins of one batch's records apart.
type originKey struct{ source, service, log, owner, region string }

func (t *transformation) batch(payload []byte) ([]byte, error) {
	err := guarded(func() (err error) {
		t.event, err = event.ParseTransform(payload)
		return err
	})
	if err != nil {
		t.fail(reasonOf(err))
		return nil, t.inv.finish(failure{err: err}).err
	}
	t.result = result{text: t.inv.f.transformed, dropped: make(map[ledger.Rule]int), marked: make(map[string]int)}
	t.name, t.region = streamName(t.event.StreamARN), cmp.Or(t.event.Region, t.inv.base.Region)
	t.scratch = t.inv.base
	t.scratch.Kind, t.scratch.StreamARN = record.Firehose, t.event.StreamARN
	// Not kept: whoever takes the answer may still be sending it when the next event comes.
	t.answer = event.NewTransformAnswer(make([]byte, 0, min(answerGrowth*len(payload), answerBudget)))
	for i := range t.event.Records {
		if r := &t.event.Records[i]; r.Answerable() {
			t.reserved += t.answer.SizeOfProcessingFailed(r.ID)
		}
	}
	for i := range t.event.Records {
		t.record(&t.event.Records[i])
	}
	t.again.send(t)
	t.account.In(t.delivered)
	t.account.Delivered(t.delivered)
	t.inv.ledger.BytesIn(t.bytes)
	t.inv.f.transformed = t.result.text
	at := t.inv.finish(failure{err: t.problem})
	if at.whole || at.refusal != nil || t.unteed {
		return nil, at.err // Firehose gives the batch again: nobody else has what a destination did not get
	}
	return t.answer.Bytes(), nil
}

// record gives one record its result.
func (t *transformation) record(r *event.TransformRecord) {
	switch {
	case r.ID == "":
		t.fail("no_record_id") // no answer can name it, so Firehose counts it as failed
		return
	case r.Duplicate:
		t.fail("duplicate_record_id") // likewise: the answer is that of the first
		return
	}
	t.reserved -= t.answer.SizeOfProcessingFailed(r.ID)
	t.result.reset()
	err := guarded(func() error { return t.transform(r) })
	switch {
	case errors.Is(err, errBudget) && t.again.take(t, r):
	case err != nil:
		t.answer.ProcessingFailed(r.ID)
		t.fail(transformReason(err))
	case t.result.kept == 0:
		t.answer.Dropped(r.ID)
		t.count()
	default:
		t.answer.Ok(r.ID, t.result.text, t.result.keys)
		t.count()
		t.tee(r)
	}
}

// tee delivers the lines of a record that has its answer to the destinations too. They are read once more, because only
// now it is known that the record does not come back: what comes back is delivered then. A destination that is down
// changes nothing in the answer, as the lines are parked; nor does a record that some destination cannot be given, as it is
// kept as it came. When that fails too, Firehose has to give the batch again.
func (t *transformation) tee(r *event.TransformRecord) {
	if len(t.inv.lanes) == 0 {
		return
	}
	err := guarded(func() error {
		if err := t.enter(t.inv.f.packed); err != nil {
			return err
		}
		t.start(r)
		return t.inv.forward(t.kept, 0)
	})
	if err == nil {
		return
	}
	t.inv.rollback()
	if !t.inv.keepRaw(t.inv.f.packed, err) {
		t.inv.unreadable(reasonOf(err))
		t.unteed = true
	}
	t.problem = errors.Join(t.problem, fmt.Errorf("tee: record %.40q: %s", r.ID, err.Error()))
}

// kept yields the lines of the current record.
func (t *transformation) kept(yield func(*record.Record, error) bool) {
	t.inv.f.objects.decoder.Each(func(rec *record.Record, err error) bool {
		if err == nil {
			t.locate(rec)
		}
		return yield(rec, err)
	})
}

// Why a record has no room.
var (
	errBudget   = errors.New("the answer has no room for what this record becomes")
	errTooLarge = errors.New("no answer has room for what this record becomes")
)

func transformReason(err error) string {
	switch {
	case errors.Is(err, errBudget):
		return "response_budget"
	case errors.Is(err, errTooLarge):
		return "record_too_large"
	}
	if damage, ok := errors.AsType[*object.Damage](err); ok {
		return damage.Reason
	}
	return reasonOf(err)
}

// fail counts a record that Firehose keeps.
func (t *transformation) fail(reason string) {
	t.account.In(1)
	t.account.Returned(reason, 1)
}

// count counts the lines of a record that was read as a whole.
func (t *transformation) count() {
	t.delivered += t.result.kept
	if t.result.kept > 0 && len(t.result.dropped)+len(t.result.marked) == 0 {
		return
	}
	lines := 0
	for rule, n := range t.result.dropped {
		t.account.In(n)
		t.account.Dropped(rule, n)
		lines += n
	}
	if t.result.kept+lines == 0 { // an empty record
		t.account.In(1)
		t.account.Dropped(ledger.EmptyLine, 1)
	}
	for mark, n := range t.result.marked {
		t.account.Marked(mark, n)
	}
}

// transform reads a record and makes of it what the settings ask for.
func (t *transformation) transform(r *event.TransformRecord) error {
	f := t.inv.f
	if t.inv.ctx.Err() != nil {
		return errDeadline
	}
	data, err := r.Payload(f.packed[:0])
	if err != nil {
		return fmt.Errorf("firehose %w", err)
	}
	f.packed = data
	t.bytes += len(data)
	if err := t.enter(data); err != nil {
		return err
	}
	t.start(r)
	f.objects.decoder.Each(t.take)
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

// line takes one line of a record.
func (t *transformation) line(rec *record.Record) error {
	out, rule := t.inv.processor.Apply(rec)
	if rule != "" {
		t.result.dropped[rule]++
		return nil
	}
	for _, rec := range out {
		if err := t.put(rec); err != nil {
			return err
		}
	}
	return nil
}

// put appends what becomes of a line.
func (t *transformation) put(rec *record.Record) error {
	tr := t.inv.f.transformer
	if t.result.kept == 0 {
		t.result.keys = tr.keysOf(t.result.keys, rec)
	}
	t.result.kept++
	if rec.Marks != 0 {
		for _, name := range rec.Marks.Names() {
			t.result.marked[name]++
		}
	}
	if tr.whole {
		return nil
	}
	t.result.text = append(tr.append(t.result.text, rec), '\n')
	// What will not fit need not be made to its end; the exact size is looked at then.
	switch n := len(t.result.text); {
	case n > maxTransformedBytes:
		return errTooLarge
	case base64.StdEncoding.EncodedLen(n) > t.room():
		return errBudget
	}
	return nil
}

// room is how many bytes of the answer one more record may take.
func (t *transformation) room() int { return answerBudget - t.answer.Size() - t.reserved }

// fits reports whether a record of so many bytes has room.
func (t *transformation) fits(size int, id string) error {
	switch {
	case size > maxTransformedBytes:
		return errTooLarge
	case t.answer.SizeOfOk(id, size, t.result.keys) > t.room():
		return errBudget
	}
	return nil
}
