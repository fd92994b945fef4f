package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/rig"
)

// play is one run.
type play struct {
	options options
	pace    pace
	system  *system
	entries []*entry
	watch   *watch
	out     *printer

	replaying atomic.Bool

	mu    sync.Mutex // guards what follows
	state string     // of the surroundings, for people
	steps map[string]int
	kills int
}

// printer writes whole lines from any goroutine.
type printer struct {
	mu      sync.Mutex
	out     io.Writer
	started time.Time
	verbose bool
}

// say prints a line with the time of the run in front.
func (p *printer) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "%5.0fs %s\n", time.Since(p.started).Seconds(), fmt.Sprintf(format, args...))
}

// detail is say for those who asked for details.
func (p *printer) detail(format string, args ...any) {
	if p.verbose {
		p.say(format, args...)
	}
}

// The events of functions/replay: what is parked, due or not; and what the scheduler does, which takes what Lambda has
// given up.
const (
	replayPending = `{"replay":{"state":"pending","all":true}}`
	replayDue     = `{"version":"0","id":"00000000-0000-4000-8000-000000000001","detail-type":"Scheduled Event",` +
		`"source":"aws.scheduler","account":"123456789012","region":"eu-west-1","resources":[],"detail":"{}"}`
)

// live runs everything until all lines were fed and each owner has given all it has.
func (p *play) live(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	fed, stop := context.WithTimeout(ctx, p.pace.faulty+p.pace.calm)
	defer stop()
	var owners, beside sync.WaitGroup
	for _, e := range p.entries {
		owners.Go(func() { cancelled(cancel, e.run(ctx)) })
	}
	beside.Go(func() { p.watch.run(fed) })
	beside.Go(func() { cancelled(cancel, p.status(fed)) })
	beside.Go(func() { cancelled(cancel, p.replays(fed)) })
	beside.Go(func() { cancelled(cancel, p.trouble(fed)) })

	feed(fed, newMaker(p.options.seed, time.Now()), p.entries, p.options.rate, p.system.manifest)
	for _, e := range p.entries {
		close(e.waiting)
	}
	beside.Wait()
	p.out.say("all lines are on their way; the owners of %d payloads go on", len(p.system.manifest.payloads()))
	owners.Wait()
	return context.Cause(ctx)
}

// cancelled ends everything for an error. The end of a context that was to end is none.
func cancelled(cancel context.CancelCauseFunc, err error) {
	if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		cancel(err)
	}
}

// trouble sets faults and kills for the first part of the run, and heals everything after it.
func (p *play) trouble(ctx context.Context) error {
	faulty, stop := context.WithTimeout(ctx, p.pace.faulty)
	defer stop()
	t := newSetter(p.system, p.options.seed, p.pace)
	faults := newChain(p.options.seed)
	var killer sync.WaitGroup
	killer.Go(func() { p.kill(faulty) })
	for every(faulty, p.pace.step) {
		next := faults.next()
		told, err := t.set(next) //nolint:contextcheck // an intake serves beyond this part of the run
		if err != nil {
			return err
		}
		p.now(next, told)
	}
	killer.Wait()
	p.now(healthy, string(healthy)+" from now on")
	return t.heal() //nolint:contextcheck // likewise
}

// every waits for the next turn, and says whether there is one.
func every(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// now notes the state of the surroundings.
func (p *play) now(next state, told string) {
	p.mu.Lock()
	p.state = told
	p.steps[string(next)]++
	p.mu.Unlock()
	p.out.detail("%s", told)
}

// kill ends a process now and then.
func (p *play) kill(ctx context.Context) {
	random := rand.New(rand.NewPCG(p.options.seed, killSalt))
	all := functions()
	for every(ctx, p.pace.killMin+time.Duration(random.Int64N(int64(p.pace.killMax-p.pace.killMin)))) {
		victim := all[random.IntN(len(all))]
		p.busy(ctx, victim)
		if err := p.system.Kill(victim); err != nil {
			p.out.say("kill %s: %s", victim, err)
			continue
		}
		p.mu.Lock()
		p.kills++
		p.mu.Unlock()
		p.out.detail("killed %s", victim)
	}
}

// busy waits until a function works, for a while: killing one that waits for an event shows little.
func (p *play) busy(ctx context.Context, f rig.Function) {
	const patience = 3 * time.Second
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	for !p.working(f) {
		if !every(ctx, time.Millisecond) {
			return
		}
	}
}

func (p *play) working(f rig.Function) bool {
	if f == rig.ReplayFunction {
		return p.replaying.Load()
	}
	return slices.ContainsFunc(p.entries, func(e *entry) bool { return e.function == f && e.working.Load() })
}

// replays invokes functions/replay now and then.
func (p *play) replays(ctx context.Context) error {
	for every(ctx, p.pace.replay) {
		if err := p.replay(ctx); err != nil {
			return err
		}
	}
	return nil
}

// replay has everything sent again that is parked, and what Lambda has given up. An invocation that is under way is not
// ended with the part of the run that it was begun in: its process would die of it.
func (p *play) replay(ctx context.Context) error {
	p.replaying.Store(true)
	defer p.replaying.Store(false)
	for _, event := range []string{replayPending, replayDue} {
		result, err := p.system.Replay(context.WithoutCancel(ctx), event)
		switch {
		case err != nil:
			return err
		case result.Error != nil:
			p.out.detail("replay, %.1fs: %s", result.Duration.Seconds(), result.Error.Message)
		default:
			p.out.detail("replay, %.1fs: %s", result.Duration.Seconds(), result.Response)
		}
	}
	return nil
}

// status prints how far it is.
func (p *play) status(ctx context.Context) error {
	const every10 = 10 * time.Second
	last := 0
	for every(ctx, every10) {
		parked, failures, err := p.system.Pending(ctx)
		if err != nil {
			return err
		}
		lines := p.system.manifest.count()
		p.mu.Lock()
		state, kills := p.state, p.kills
		p.mu.Unlock()
		p.out.say("%-24s lines=%d (%.0f/s) arrived=%d waiting=%d parked=%d failures=%d kills=%d requests=%d",
			state, lines, float64(lines-last)/every10.Seconds(), p.system.sink.arrivals.count()+p.system.archived.count(),
			p.waiting(), parked, failures, kills, p.system.sink.Requests())
		last = lines
	}
	return nil
}

// waiting is how many payloads wait for their entries.
func (p *play) waiting() int {
	n := 0
	for _, e := range p.entries {
		n += len(e.waiting)
	}
	return n
}

// maxSettle is how long it may take until nothing is left: a lease of a replay that was killed lasts for an invocation, and
// a secret is read again once a minute at most.
const maxSettle = 3 * time.Minute

// settle has everything come to its end: what the owners have left, what they gave up, and what is parked. It gives up
// after a while; what is left then is for the verdict.
func (p *play) settle(ctx context.Context) (redriven int, _ error) {
	deadline := time.Now().Add(maxSettle)
	for time.Now().Before(deadline) {
		for _, e := range p.entries {
			if err := e.drain(ctx); err != nil {
				return redriven, err
			}
		}
		var err error
		before := redriven
		if redriven, err = p.system.redrive(redriven); err != nil {
			return redriven, err
		}
		parked, failures, err := p.system.Pending(ctx)
		if err != nil {
			return redriven, err
		}
		p.out.detail("settling: %d parked, %d failures, %d redriven", parked, failures, redriven-before)
		if parked+failures+redriven-before == 0 {
			return redriven, nil
		}
		if err := p.replay(ctx); err != nil {
			return redriven, err
		}
		if !every(ctx, time.Second) {
			return redriven, context.Cause(ctx)
		}
	}
	return redriven, nil
}

// report ends the processes and accounts for everything.
func (p *play) report(ctx context.Context, redriven int) (*report, error) {
	for _, f := range functions() {
		if err := p.system.rig.Kill(f); err != nil {
			return nil, err
		}
	}
	e, err := p.system.gather(ctx)
	if err != nil {
		return nil, err
	}
	all, err := p.system.claims(e) //nolint:contextcheck // everything is built
	if err != nil {
		return nil, err
	}
	parked, failures, err := p.system.Pending(ctx)
	if err != nil {
		return nil, err
	}
	ways := e.passage(&all[0])
	ways.states, ways.redriven, ways.returns = p.steps, redriven, int(p.system.failed.Load())
	r := &report{
		seed: p.options.seed, length: p.pace.faulty + p.pace.calm, counts: e.join(windowLines), pending: parked + failures,
		memory: judge(p.watch.all(), p.pace), ownPeakBytes: ownPeak(), kills: p.kills, problems: e.problems, ways: ways,
	}
	for _, end := range []*arrivals{p.system.sink.arrivals, p.system.archived} {
		n, examples := end.bad()
		r.broken += n
		r.problems = append(r.problems, examples...)
	}
	for i := range all {
		r.problems = append(r.problems, all[i].check()...)
	}
	if marks := r.counts.Examples[string(audit.Unexplained)]; len(marks) > 0 {
		r.stories = p.system.chronicle(e, all, p.out.started).stories(marks)
	}
	return r, nil
}
