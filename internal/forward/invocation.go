package forward

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"sluice/internal/compress"
	"sluice/internal/deliver"
	"sluice/internal/failpoint"
	"sluice/internal/ledger"
	"sluice/internal/process"
	"sluice/internal/process/join"
	"sluice/internal/record"
	"sluice/internal/tags"
)

// invocation is one event on its way through the engine.
type invocation struct {
	f         *Forwarder
	ctx       context.Context // ends when nothing may be sent any more
	store     context.Context // ends when nothing may be kept any more: only the answer is left to give
	reading   context.Context // one of the two: ends when nothing may be read any more
	deadline  time.Time       // of the function; zero when there is none
	started   time.Time
	cold      bool // the container's first
	requestID string

	ledger    *ledger.Ledger
	processor *process.Processor
	resources *resources // whose tags the processor asks for; nil where it asks for none
	noted     asides     // taken from the processor and to be counted
	lanes     []*laneRun
	counted   *ledger.Account // that of the first lane, or of what stands in for lanes; every line is in it
	base      record.Origin   // what every origin of this invocation starts from
	entry     string          // how the event came in, for notes of what is parked
	pause     func() error    // called every checkEvery records; an error stops reading. May be nil
	chosen    []string        // destinations of the route of the last record; nil for all
	unkept    bool            // input that cannot be read is not parked: it is parked already
	written   *written        // what is parked while a pointer is replayed; nil otherwise
}

// Reading an object stops before sending does, so that what was read can still be sent.
const (
	drainLeast = 2 * time.Second
	drainShare = 10 // one part in 10 of the time for sending, but
	drainMost  = 4  // no more than one in 4
)

// readUntil returns the clock of reading an object.
func (inv *invocation) readUntil() (context.Context, context.CancelFunc) {
	deadline, ok := inv.ctx.Deadline()
	if !ok {
		return inv.ctx, func() {}
	}
	left := deadline.Sub(inv.f.now())
	return context.WithDeadline(inv.ctx, deadline.Add(-min(max(drainLeast, left/drainShare), left/drainMost)))
}

// readOn lets reading go on when nothing can be sent any more: what is then read is parked. It is for events that cannot
// be taken up again in their midst, and that are small.
func (inv *invocation) readOn() {
	if inv.f.park != nil {
		inv.reading = inv.store
	}
}

// errDeadline says that reading was stopped in time.
var errDeadline = errors.New("out of time: the rest of the event was not read")

// Time that is kept back from sending, to keep what was not sent, to account for everything and to answer (delivery
// contract 2.3).
const (
	reserveLeast  = 5 * time.Second
	reserveShare  = 20 // one part in 20 of the time there is
	answerReserve = 500 * time.Millisecond
)

// plan says how the lanes of an invocation are run.
type plan struct {
	entry  string
	window int  // of every flight, see [deliver.FlightOptions]
	later  bool // lanes are opened later, one by one
}

// begin starts an invocation. end has to be called when it is over.
//
// A forwarder works on one event at a time, as a Lambda container does: what it would gain from two at once, it would
// pay for in memory.
func (f *Forwarder) begin(ctx context.Context, p plan) (inv *invocation, end func()) {
	f.busy.Lock()
	inv = &invocation{f: f, cold: f.wake(), started: f.now(), entry: p.entry}
	inv.ctx, inv.store, end = inv.clocks(ctx)
	inv.reading = inv.ctx
	inv.base = record.Origin{Region: f.function.Region, FunctionVersion: f.function.Version}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		inv.requestID, inv.base.FunctionARN = lc.AwsRequestID, lc.InvokedFunctionArn
	}

	inv.processor = process.New(inv.rules())
	ids := make([]string, len(f.lanes))
	for i, l := range f.lanes {
		ids[i] = l.sender.Destination().ID()
	}
	inv.ledger = ledger.New(ids...)
	if !p.later {
		inv.open(p.window, f.lanes...)
	}
	return inv, end
}

// rules are those of the settings, with the tags of resources in AWS.
func (inv *invocation) rules() process.Rules {
	rules := inv.f.rules
	if inv.f.tags == nil {
		return rules
	}
	own, err := tags.AccountOf(inv.base.FunctionARN)
	if err != nil { // it was not invoked by Lambda: nobody's tags are its own
		return rules
	}
	inv.f.tags.Begin(inv.ctx, own)
	inv.resources = &resources{ctx: inv.ctx, cache: inv.f.tags, own: own}
	rules.Resources = inv.resources
	return rules
}

// clocks returns the context for sending and the one for keeping what was not sent, which ends later.
func (inv *invocation) clocks(parent context.Context) (send, store context.Context, end func()) {
	deadline, ok := parent.Deadline()
	if !ok {
		return parent, parent, inv.f.busy.Unlock
	}
	left := deadline.Sub(inv.started)
	reserve := min(max(reserveLeast, left/reserveShare), left/2)
	inv.deadline = deadline
	store, cancelStore := context.WithDeadline(parent, deadline.Add(-min(answerReserve, reserve/2)))
	send, cancelSend := context.WithDeadline(store, deadline.Add(-reserve))
	return send, store, func() {
		cancelSend()
		cancelStore()
		inv.f.busy.Unlock()
	}
}

// checkEvery is how many records are read between two looks at the clock.
const checkEvery = 256

// forward takes records through process into every destination's batches. unit is the owner's unit that they belong to.
// It stops at the first record that cannot be read; those before it stand.
func (inv *invocation) forward(records iter.Seq2[*record.Record, error], unit int) error {
	read := 0
	for r, err := range records {
		if err != nil {
			return err
		}
		if read++; read%checkEvery == 0 {
			if err := inv.check(); err != nil {
				return err
			}
		}
		out, rule := inv.processor.Apply(r)
		if rule != "" {
			inv.drop(rule)
			continue
		}
		inv.choose(inv.processor.Destinations())
		for _, r := range out {
			inv.add(r, unit)
		}
	}
	return nil
}

// joined makes one record of several where the settings say so.
func (inv *invocation) joined(records iter.Seq2[*record.Record, error]) iter.Seq2[*record.Record, error] {
	if !inv.f.objects.routes.joins() {
		return records
	}
	return join.Records(records, inv.f.objects.routes.joiner)
}

// joinedEvents is joined for what may have its lines joined already: it is about events of CloudWatch Logs alone.
func (inv *invocation) joinedEvents(records iter.Seq2[*record.Record, error]) iter.Seq2[*record.Record, error] {
	routes := inv.f.objects.routes
	if !routes.joins() {
		return records
	}
	return join.Records(records, routes.eventJoiner)
}

// check reports whether reading has to stop.
func (inv *invocation) check() error {
	if inv.reading.Err() != nil {
		return errDeadline
	}
	if inv.pause == nil {
		return nil
	}
	return inv.pause()
}

func (inv *invocation) drop(rule ledger.Rule) {
	for _, lane := range inv.lanes {
		if !lane.closed {
			lane.account.In(1)
			lane.account.Dropped(rule, 1)
		}
	}
}

// rollback forgets the record in whose midst a panic came, and counts it as returned.
func (inv *invocation) rollback() {
	for _, lane := range inv.lanes {
		lane.builder.Rollback()
		kept := lane.emitted + lane.builder.Pending()
		if lost := lane.taken - kept; lost > 0 {
			lane.account.In(lost)
			lane.account.Returned("panic", lost)
		}
		lane.taken = kept
	}
}

// taken is how many records are to be sent so far, to each destination.
func (inv *invocation) taken() []int {
	counts := make([]int, len(inv.lanes))
	for i, lane := range inv.lanes {
		counts[i] = lane.taken
	}
	return counts
}

// unreadable counts what could not be read as one line, which goes back to its owner with the event.
func (inv *invocation) unreadable(reason string) {
	for _, lane := range inv.lanes {
		lane.account.In(1)
		lane.account.Returned(reason, 1)
	}
}

// reasonOf names why something could not be read, for the ledger.
func reasonOf(err error) string {
	var (
		panicked *panicError
		bomb     *compress.TooLargeError
	)
	switch {
	case errors.As(err, &panicked):
		return "panic"
	case errors.Is(err, errDeadline):
		return "deadline"
	case errors.As(err, &bomb):
		return "decode_bomb"
	}
	return "decode"
}

// failure says from where on an owner has to give an event again. The zero value is none.
type failure struct {
	err      error
	unit     int   // the lowest one that is not accounted for
	ofRecord bool  // the fault is in what that unit holds, not in a destination or in time
	units    []int // all those of which a destination has given something up
	refusal  error // why destinations have done that; err says it too
	whole    bool  // nothing is known to be safe: the whole event has to be given again
}

// merge takes in how a flight ended: the lowest unit counts.
func (a *failure) merge(r deliver.Result) {
	switch {
	case r.Err == nil:
		return
	case a.err == nil || r.FirstUnit < a.unit:
		a.unit, a.ofRecord = r.FirstUnit, r.OfRecord
	case r.FirstUnit == a.unit:
		a.ofRecord = a.ofRecord && r.OfRecord
	}
	a.err, a.refusal = errors.Join(a.err, r.Err), errors.Join(a.refusal, r.Err)
	a.units = append(a.units, r.Units...)
}

// finish sends what is left, waits for every answer and closes the accounts. at is what has failed so far; the result has
// no error when every line is where it belongs.
func (inv *invocation) finish(at failure) failure { return inv.close(inv.settle(at)) }

// settle sends what is left in the open lanes and waits for every answer.
func (inv *invocation) settle(at failure) failure {
	failpoint.Hit(failpoint.Decoded)
	if err := guarded(inv.flush(at.err)); err != nil {
		at.err, at.unit = errors.Join(at.err, err), 0
	}
	for _, lane := range inv.lanes {
		lane.account.In(lane.taken)
		if _, panicked := errors.AsType[*panicError](at.err); panicked {
			// It may have left half an item in a builder, so nothing in there is sent: units before this one too.
			lane.account.Returned("panic", lane.taken-lane.emitted)
			at.unit, at.ofRecord, at.whole = 0, true, true
		}
	}
	for _, lane := range inv.lanes {
		at.merge(lane.flight.Wait())
	}
	return inv.whole(at)
}

// whole sees to it that nothing is deleted or marked as done, and everything comes again, when a bug of ours has left records
// in no batch. The accounts will not add up then, but what is durable is decided before they are closed.
func (inv *invocation) whole(at failure) failure {
	for _, lane := range inv.lanes {
		if _, panicked := errors.AsType[*panicError](at.err); panicked || lane.taken == lane.emitted {
			continue
		}
		at.err, at.unit, at.whole = errors.Join(at.err, fmt.Errorf("%d records are in no batch", lane.taken-lane.emitted)), 0, true
	}
	return at
}

// close closes the accounts. When they do not add up, nothing is known to be safe, and the owner keeps everything.
func (inv *invocation) close(at failure) failure {
	inv.aside()
	if check := inv.ledger.Check(); check != nil {
		at = failure{err: errors.Join(at.err, check), whole: true}
	}
	inv.f.report(inv, at.err)
	failpoint.Hit(failpoint.BeforeAnswer)
	return at
}

// flush returns what sends the last batches, unless a panic came before.
func (inv *invocation) flush(before error) func() error {
	return func() error {
		if _, panicked := errors.AsType[*panicError](before); panicked {
			return nil
		}
		for _, lane := range inv.lanes {
			lane.builder.Flush()
		}
		return nil
	}
}

// panicError is a panic that was caught. Its text is left out unless the runtime wrote it: it could quote a line.
type panicError struct{ value any }

func (e *panicError) Error() string {
	if err, ok := e.value.(runtime.Error); ok {
		return "panic: " + err.Error()
	}
	return fmt.Sprintf("panic of type %T", e.value)
}

// guarded calls f and turns a panic into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{p}
		}
	}()
	return f()
}
