// Package forward is the engine: it wires event → source → process → batch → deliver together, owns the deadline and the
// ledger, and gives AWS its answer.
//
// An event is acknowledged only when every line of it is accounted for, at every destination: delivered, or dropped by a
// named rule. Whatever else happened, a destination that is down, input that cannot be read, a wrong setting, a panic,
// the owner of the event keeps it and gives it again.
package forward

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"sluice/internal/batch"
	"sluice/internal/compress"
	"sluice/internal/deliver"
	"sluice/internal/ledger"
	"sluice/internal/park"
	"sluice/internal/process"
	"sluice/internal/queue"
	"sluice/internal/record"
	"sluice/internal/reingest"
	"sluice/internal/source/cloudwatch"
	"sluice/internal/tags"
)

// Version is the forwarder's own, as it stands in User-Agent, tags and metrics.
const Version = "0.1.0"

// Forwarder is what a container keeps between invocations. It is safe for concurrent use, but
// works on one event at a time.
type Forwarder struct {
	refusal error                      // why nothing is forwarded; nil for a forwarder that works
	reload  func() (*Forwarder, error) // makes another one, of settings that are kept elsewhere; nil if they are not
	loaded  *Forwarder                 // by reload, once that worked
	tried   time.Time                  // when reload was last called

	lanes       []*lane
	rules       process.Rules
	maxInflated int64 // plain bytes of one payload
	objects     *objectSource
	buckets     sourceBuckets
	park        *parking // nil when nothing can be parked
	transformer *transformer
	reingest    *reingest.Putter // nil when nothing is put back into a delivery stream
	queue       *queue.Queue     // takes what is left of objects; nil when there is none
	maxReceives int              // of a message that announces objects
	tags        *tags.Cache      // of resources in AWS; nil when none are looked up
	tee         bool             // records of a delivery stream go to the destinations too
	function    Function
	gcPercent   int // for the collector once there are events; 0 leaves it as it is

	out io.Writer // one line per invocation
	now func() time.Time

	busy        sync.Mutex // held during an invocation, and guards what stands below
	decoder     cloudwatch.Decoder
	gunzip      compress.Gunzip
	packed      []byte // a payload after base64
	transformed []byte // what a record of a delivery stream became
	warm        bool
	lastUsed    time.Time
	saidOwn     bool // that our own log has been sent to us
}

// Function is who we are, from the variables that Lambda sets.
type Function struct {
	Name, Version, Region string
	LogGroup              string // where our own output goes
}

// lane is a destination with everything that leads to it.
type lane struct {
	sender  *deliver.Sender
	options batch.Options
	builder *batch.Builder
	reshape func(r *record.Record) []*record.Record // what the destination is given in place of a record; nil for the record itself
	place   park.Destination                        // for notes of what it did not get
	ages    time.Duration                           // how old a line may be that it takes; 0 for any age
}

func newLane(sender *deliver.Sender, epoch string, oversize batch.Oversize) *lane {
	o := batch.Options{Destination: sender.Destination(), Epoch: epoch, Oversize: oversize, Codec: sender.Codec}
	return &lane{sender: sender, options: o, builder: batch.NewBuilder(o)}
}

// Refusing returns a forwarder that returns every event to its owner with this error: a wrong setting must not eat
// events.
func Refusing(err error) *Forwarder {
	return &Forwarder{refusal: fmt.Errorf("not configured, event returned: %w", err), out: os.Stdout, now: time.Now}
}

// reloadEvery is how long a forwarder whose settings could not be read waits before it reads them again.
const reloadEvery = 5 * time.Second

// ready returns the forwarder to use now: one that refuses, because its settings could not be fetched, reads them again.
func (f *Forwarder) ready() *Forwarder {
	if f.refusal == nil || f.reload == nil {
		return f
	}
	f.busy.Lock()
	defer f.busy.Unlock()
	if now := f.now(); f.loaded == nil && now.Sub(f.tried) >= reloadEvery {
		f.tried = now
		if again, err := f.reload(); err == nil {
			f.loaded = again
		}
	}
	if f.loaded != nil {
		return f.loaded
	}
	return f
}

// frozenAfter is how long a container may have been idle before its connections are taken for dead.
const frozenAfter = 30 * time.Second

// wake prepares for an invocation and reports whether it is the container's first. The clock on the wall is asked,
// because others stand still while a container is frozen.
func (f *Forwarder) wake() (cold bool) {
	now := f.now().Round(0)
	if f.warm && now.Sub(f.lastUsed) > frozenAfter {
		for _, l := range f.lanes {
			l.sender.CloseIdleConnections()
		}
	}
	cold, f.warm, f.lastUsed = !f.warm, true, now
	if cold && f.gcPercent != 0 {
		debug.SetGCPercent(f.gcPercent)
	}
	return cold
}

// report writes the invocation's one line.
func (f *Forwarder) report(inv *invocation, err error) {
	now := f.now()
	line := ledger.Invocation{
		FunctionName: f.function.Name, FunctionVersion: f.function.Version, RequestID: inv.requestID,
		At: now, Elapsed: now.Sub(inv.started), ColdStart: inv.cold,
	}
	if !inv.deadline.IsZero() {
		line.Remaining = inv.deadline.Sub(now)
	}
	if err != nil {
		line.Error = err.Error()
	}
	f.lastUsed = now.Round(0)
	if inv.ownLogOnly() {
		if f.saidOwn {
			return // a line about this would be the next event, and so on for ever
		}
		f.saidOwn = true
	}
	// Nothing can be done about an output that takes no line, and no log line is at stake.
	_, _ = f.out.Write(inv.ledger.AppendEMF(nil, line))
}

// ownLogOnly reports whether the event held nothing but lines of our own log.
func (inv *invocation) ownLogOnly() bool {
	if inv.counted == nil {
		return false
	}
	counts := inv.counted.Counts()
	return counts.In > 0 && counts.Dropped[ledger.OwnLogGroup] == counts.In
}

// Handler answers the events of one kind. It is a lambda.Handler: the event is taken as bytes, so it is not parsed twice.
type Handler func(ctx context.Context, event []byte) ([]byte, error)

// Invoke answers one event.
func (h Handler) Invoke(ctx context.Context, event []byte) ([]byte, error) { return h(ctx, event) }
