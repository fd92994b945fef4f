package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/e2e/generate"
	"sluice/e2e/rig"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// pad makes lines of about 200 bytes: what matters here is how many there are.
var pad = generate.Random(100)

// outcome is what became of a plan.
type outcome struct {
	result *rig.Result
	fired  []string // points that acted, as the functions said
	told   []failure
	left   []string // keys that are still pending, or Lambda's
	wall   time.Duration
}

// failure is an invocation that came to no good end, as the owner of its event, or who invoked replay, was told.
type failure struct {
	request string // its id
	ended   bool   // the process ended, or was ended at its deadline
}

// run is a plan being played.
type run struct {
	*rig.Rig

	plan *plan
	told []failure // by replay
}

// play plays a plan: events come in, their owners repeat what ends, trouble ends, replay runs until nothing is left.
func play(ctx context.Context, lab *rig.Lab, p *plan) (o outcome, err error) {
	started := time.Now()
	r, err := set(ctx, lab, p)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for _, step := range []func(context.Context) error{r.ingest, r.spoilStore, r.replay, r.Drain} {
		if err := step(ctx); err != nil {
			return o, fmt.Errorf("%s: %w", p.name, err)
		}
	}
	o, err = r.outcome(ctx)
	o.wall = time.Since(started)
	return o, err
}

// set sets a plan up. Close what is returned.
func set(ctx context.Context, lab *rig.Lab, p *plan) (*run, error) {
	r, err := lab.New(ctx, p.options())
	if err != nil {
		return nil, err
	}
	return &run{Rig: r, plan: p}, nil
}

// outcome is what has become of everything. It ends the processes.
func (r *run) outcome(ctx context.Context) (o outcome, err error) {
	if o.left, err = r.left(ctx); err != nil {
		return o, err
	}
	if r.plan.plain {
		o.result, err = r.AuditStream(ctx)
	} else {
		o.result, err = r.Audit(ctx)
	}
	o.told = slices.Concat(r.told, r.failures())
	o.fired = r.fired() //nolint:contextcheck // all functions are built by now
	return o, err
}

// ingest has the owners deliver until they have nothing left, and ends the outage.
func (r *run) ingest(ctx context.Context) error {
	if r.plan.outage {
		r.refuse()
	}
	if r.plan.poisoned {
		r.Intake().SetScript(intake.Always(intake.Step{Checks: []intake.Check{intake.Poison(poison)}}))
	}
	for _, f := range r.plan.feeds {
		for range f.events {
			if err := r.feed(ctx, f); err != nil {
				return err
			}
		}
	}
	if err := r.Drain(ctx); err != nil {
		return err
	}
	return r.end(ctx)
}

func (r *run) feed(ctx context.Context, f feed) error {
	p := r.Next(f.entry, f.lines)
	for slices.ContainsFunc(p.Lines, func(line generate.Line) bool { return line.Mark == generate.Mark{} }) {
		p = r.Next(f.entry, f.lines) // copies of an empty line could not be told from those of another
	}
	if f.spoiled {
		p.Data = []byte("\x1f\x8b\x08\x00 the head of gzip, and nothing of it: " + p.ID)
	}
	if f.entry == rig.S3 || f.entry == rig.S3Queue {
		r.S3.SetScript(r.handOver(int64(len(p.Data))))
	}
	return r.Send(ctx, f.entry, p)
}

// handOver is how the bucket hands over an object of so many bytes.
func (r *run) handOver(size int64) bucket.Script {
	pause := func(nth int, step bucket.Step) bucket.Rule {
		return bucket.Rule{Method: "GET", Bucket: r.LogBucket, Nth: nth, Step: step}
	}
	switch r.plan.reading {
	case halting: // the connection breaks after each pause, and the function goes on by a range
		third := size / 3
		return bucket.Rules(
			pause(1, bucket.Step{After: third, Stall: halt, End: bucket.Reset}),
			pause(2, bucket.Step{After: third, Stall: halt, End: bucket.Reset}),
		)
	case stalled:
		return bucket.Rules(pause(1, bucket.StallAfter(size/2, bucket.UntilReleased)))
	case steady:
	}
	return bucket.Always(bucket.Step{})
}

// poison is in the one line that the destination never takes, as it stands in a request.
const poison = `{\"seq\":5,\"`

// refuse has the destinations that fail ask to be left alone, for longer than an attempt may wait: each batch is given up at
// once.
func (r *run) refuse() {
	script := intake.Always(intake.RefuseFor(503, fmt.Sprint(askedToWait.Seconds())))
	if r.plan.oneDown {
		r.Intake(failing).SetScript(script)
		return
	}
	r.Intake().SetScript(script)
}

// end ends every trouble, and lets the time pass for which destinations are left alone: processes know of it, and the hint
// that they share.
func (r *run) end(ctx context.Context) error {
	if err := r.Heal(); err != nil { //nolint:contextcheck // listening again is at once
		return err
	}
	for _, f := range rig.Functions() {
		if err := r.Kill(f); err != nil {
			return err
		}
	}
	for _, d := range []string{usual, failing} {
		if err := r.S3.Delete(ctx, r.ParkBucket, "sluice/v1/breaker/"+d+".json"); err != nil {
			return err
		}
	}
	return nil
}

// spoilStore puts an object into the park store that no store has written.
func (r *run) spoilStore(ctx context.Context) error {
	if !r.plan.broken {
		return nil
	}
	const key = "sluice/v1/pending/main/1000000000-brokenbrokenbroken.a01.jsonl.gz"
	_, err := r.S3.PutObject(ctx, r.ParkBucket, key, strings.NewReader("this is no parked object"))
	return err
}

// failures are what the owners were told.
func (r *run) failures() []failure {
	var told []failure
	for _, d := range r.History() {
		if d.Outcome != owner.Taken {
			told = append(told, failure{d.RequestID, d.Outcome == owner.Ended})
		}
	}
	return told
}

// said is what a point that acts says first.
const said = "failpoint: "

// fired are the points that have acted, in the order of the functions.
func (r *run) fired() []string {
	var list []string
	for _, name := range rig.Functions() {
		function, err := r.Function(name)
		if err != nil {
			continue // it was never built, so it did nothing
		}
		for _, line := range function.Output() {
			if point, ok := strings.CutPrefix(line, said); ok {
				list = append(list, string(name)+" "+point)
			}
		}
	}
	return list
}
