package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"sluice/e2e/rig"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/loopback"
)

// run is one cell on one path, while it is played.
type run struct {
	*rig.Rig

	ctx     context.Context
	path    path
	ids     []string // of the destinations
	lines   int
	keys    []string   // of objects behind pointers
	rounds  int        // of a loop that was begun
	spoiled int        // lines of payloads that were damaged
	random  *rand.Rand // of steps; a script has one of its own
	link    *link      // between the functions and the first destination; nil without one
	trust   *identity  // of the first destination, where that speaks TLS

	other  *intake.Server   // that a redirect points to; nil without one
	portal *loopback.Server // in the place of the intake; nil without one
	asked  int              // calls to the secret store before a rotation

	began   time.Time   // when the fault did
	before  int         // requests before that
	mid     *rig.Result // when the owner, or replay, had done what it could
	pending []string    // what was parked then, by its keys
	mended  time.Time   // when the fault was ended
	end     *rig.Result // when the fault was over and nothing was left to be replayed

	mu    sync.Mutex // guards what follows
	unmet []string
	notes map[string]int
}

func (r *run) close() error {
	var faults []error
	if r.Rig != nil {
		faults = append(faults, r.Close())
	}
	if r.link != nil {
		faults = append(faults, r.link.close())
	}
	if r.portal != nil {
		faults = append(faults, r.portal.Close())
	}
	if r.other != nil {
		faults = append(faults, r.other.Close())
	}
	if r.trust != nil {
		faults = append(faults, r.trust.close())
	}
	return errors.Join(faults...)
}

// open makes the rig of a task. Close it, also after an error.
func (r *run) open(lab *rig.Lab, t task, seed uint64) error {
	o := rig.Options{
		Name: t.name(), Seed: seed, Destinations: []rig.Destination{{ID: "main"}}, FunctionEnv: map[rig.Function]map[string]string{},
	}
	o.Mapping.MaxRetries = streamRetries
	if t.path == transform {
		o.FunctionEnv[rig.FirehoseFunction] = map[string]string{"SLUICE_FIREHOSE_TEE": ""}
	}
	if t.cell.options != nil {
		if err := t.cell.options(r, &o); err != nil {
			return err
		}
	}
	for _, d := range o.Destinations {
		r.ids = append(r.ids, d.ID)
	}
	var err error
	if r.Rig, err = lab.New(r.ctx, o); err != nil {
		return err
	}
	if r.link != nil {
		r.link.to(r.Intake().URL())
	}
	return nil
}

const streamRetries = 3 // of a batch: enough to see that it is given again

// play does what the cell says, and returns when nothing is left to be done.
func (r *run) play(c *cell) error {
	for _, do := range []step{c.feed.or(feed), begin, c.inject.or(nothing), c.delivering, middle, c.heal.or(heal), drain, replayAll, end} {
		if err := do(r); err != nil {
			return err
		}
	}
	for _, check := range append([]expectation{emptied, func(r *run) { allowed(r, c.allow) }}, c.then...) {
		check(r)
	}
	return nil
}

// or is the step, or what is usual where there is none.
func (s step) or(usual step) step {
	if s == nil {
		return usual
	}
	return s
}

// The usual steps.

func nothing(*run) error { return nil }

func feed(r *run) error {
	if r.path == replay {
		return r.parking(func(r *run) error { return r.Feed(r.ctx, rig.CloudWatch, r.lines) })
	}
	return r.Feed(r.ctx, r.path.entry(), r.lines)
}

// begin marks where the fault begins.
func begin(r *run) error {
	r.before, r.began = r.requests(), time.Now()
	return nil
}

func drain(r *run) error     { return r.Drain(r.ctx) }
func replayAll(r *run) error { return r.Replay(r.ctx) }

func heal(r *run) error {
	if r.link != nil {
		r.link.to(r.Intake().URL())
		r.link.set(damage{})
	}
	return r.Heal()
}

// delivering has the owner deliver what was fed, or replay send what is parked.
func (c *cell) delivering(r *run) error {
	usual := drain
	if r.path == replay {
		usual = replayAll
	}
	if c.during == nil {
		return c.deliver.or(usual)(r)
	}
	ended := make(chan struct{})
	var meanwhile error
	var running sync.WaitGroup
	running.Go(func() { meanwhile = c.during(r, ended) })
	err := c.deliver.or(usual)(r)
	close(ended)
	running.Wait()
	return errors.Join(err, meanwhile)
}

// middle and end say what became of every line so far. They end the functions' processes.

func middle(r *run) error {
	var err error
	if r.pending, err = r.Pending(r.ctx); err != nil {
		return err
	}
	r.mid, err = r.audit()
	r.mended = time.Now()
	return err
}

func end(r *run) error {
	var err error
	r.end, err = r.audit()
	return err
}

func (r *run) audit() (*rig.Result, error) {
	if r.path == transform {
		return r.AuditStream(r.ctx)
	}
	return r.Audit(r.ctx)
}

// expect notes what is not as it has to be.
func (r *run) expect(met bool, format string, args ...any) {
	if met {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unmet = append(r.unmet, fmt.Sprintf(format, args...))
}

// note counts something by its name.
func (r *run) note(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes[name]++
}

// noted is how often something was counted.
func (r *run) noted(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.notes[name]
}
