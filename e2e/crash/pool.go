package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/rig"
)

// tally counts over all cases.
type tally struct {
	cases, failed, lost, unexplained int
}

func (t *tally) String() string {
	return fmt.Sprintf("crash: cases=%d lost=%d unexplained_duplicates=%d", t.cases, t.lost, t.unexplained)
}

func (t *tally) add(o *outcome, err error) {
	t.cases++
	if err != nil {
		t.failed++
	}
	if o.result != nil {
		t.lost += o.result.Lost
		t.unexplained += o.result.Duplicates[audit.Unexplained]
	}
}

// crash plays the cases that are asked for, and says what became of them. The error is not nil unless all is well.
func crash(ctx context.Context, lab *rig.Lab, o options, out io.Writer) error {
	started := time.Now()
	cases := o.cases()
	fmt.Fprintf(out, "playing %d cases, %d at once; schedules at random have seed %d\n", len(cases), o.parallel, o.seed)
	total := &tally{}
	var failed []testCase
	playAll(ctx, lab, o.parallel, cases, func(c *testCase, played *outcome, err error) {
		total.add(played, err)
		show(out, o.verbose, c, played, err)
		if err != nil && c.random {
			failed = append(failed, *c)
		}
	})
	for i := range failed {
		showShrunk(ctx, lab, out, &failed[i])
	}
	fmt.Fprintf(out, "%d cases failed; %.0f s\n%s\n", total.failed, time.Since(started).Seconds(), total)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case total.cases == 0:
		return errors.New("no case was chosen")
	case total.failed > 0:
		return fmt.Errorf("%d of %d cases failed", total.failed, total.cases)
	}
	return nil
}

// playAll plays cases, some at once, and tells of each, one at a time.
func playAll(ctx context.Context, lab *rig.Lab, parallel int, cases []testCase, tell func(*testCase, *outcome, error)) {
	var wait sync.WaitGroup
	var telling sync.Mutex
	room := make(chan struct{}, parallel)
	for i := range cases {
		room <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wait.Go(func() {
			defer func() { <-room }()
			c := &cases[i]
			o, err := c.playAndJudge(ctx, lab)
			telling.Lock()
			defer telling.Unlock()
			tell(c, &o, err)
		})
	}
	wait.Wait()
}

// playAndJudge plays a case. The error says what is wrong with what became of it, or that it could not be played.
func (c *testCase) playAndJudge(ctx context.Context, lab *rig.Lab) (outcome, error) {
	o, err := play(ctx, lab, &c.plan)
	if err != nil {
		return o, err
	}
	err = c.judge(&o)
	return o, err
}

// show tells of one case, when it failed or all are to be shown.
func show(out io.Writer, verbose bool, c *testCase, o *outcome, err error) {
	switch {
	case err != nil:
		fmt.Fprintf(out, "FAIL %s (%s)\n     %s\n", c.name, &c.plan, strings.ReplaceAll(err.Error(), "\n", "\n     "))
		if o.result != nil {
			fmt.Fprintf(out, "     %s\n", o.result)
		}
	case verbose:
		fmt.Fprintf(out, "ok   %5.1fs %s\n", o.wall.Seconds(), o.result)
		if c.random {
			fmt.Fprintf(out, "            %s; met: %q\n", &c.plan, o.fired)
		}
	}
}

const maxTries = 30 // of a smaller schedule

// showShrunk looks for the fewest faults with which a schedule still fails, and shows them.
func showShrunk(ctx context.Context, lab *rig.Lab, out io.Writer, c *testCase) {
	var last error
	small := shrink(c.plan, maxTries, func(p plan) bool {
		candidate := *c
		candidate.plan, candidate.atMost = p, p.repeatable()
		_, err := candidate.playAndJudge(ctx, lab)
		if err != nil {
			last = err
		}
		return err != nil && ctx.Err() == nil
	})
	fmt.Fprintf(out, "%s, shrunk: %s\n     %v\n", c.name, &small, last)
}
