package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/rig"
)

// cloudWatchCase is a case of one exit; 100 lines may come twice.
func cloudWatchCase() testCase {
	return testCase{
		plan: plan{
			feeds:      []feed{{entry: rig.CloudWatch, events: 1, lines: 100}},
			injections: []injection{{rig.CloudWatchFunction, 1, "accepted", exit, 2}},
		},
		point: "accepted", action: exit, atMost: 100,
	}
}

// fine is what has to become of it.
func fine() outcome {
	return outcome{
		result: &rig.Result{
			Destinations: map[string]*audit.Report{"main": {In: 100, Delivered: 100, Duplicates: map[audit.Class]int{audit.D1: 100}}},
			Duplicates:   map[audit.Class]int{audit.D1: 100}, In: 100, Delivered: 100,
		},
		fired: []string{"cloudwatch accepted:exit:2"},
		told:  []failure{{request: "r-1", ended: true}},
	}
}

// duplicates has n copies too many of a class.
func duplicates(o *outcome, class audit.Class, n int) {
	o.result.Duplicates = map[audit.Class]int{class: n}
	o.result.Destinations["main"].Duplicates = map[audit.Class]int{class: n}
}

func TestVerdict(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(c *testCase, o *outcome)
		want   string // empty: nothing is wrong
	}{
		"as it has to be": {},
		"a line is lost": {
			func(_ *testCase, o *outcome) { o.result.Destinations["main"].Lost = 1 }, "1 lost",
		},
		"a line has changed": {
			func(_ *testCase, o *outcome) { o.result.Destinations["main"].Corrupted = 1 }, "1 corrupted",
		},
		"a canary was found": {
			func(_ *testCase, o *outcome) { o.result.CanaryHits = []string{"the output holds a key"} }, "canary",
		},
		"something is still pending": {
			func(_ *testCase, o *outcome) { o.left = []string{"sluice/v1/pending/main/x"} }, "1 objects are still pending",
		},
		"an owner gave lines up": {func(_ *testCase, o *outcome) { o.result.Returned = 5 }, "5 lines are with an owner"},
		"good lines are dead":    {func(_ *testCase, o *outcome) { o.result.Dead = 5 }, "5 lines are dead"},
		"good lines are kept as unreadable": {
			func(_ *testCase, o *outcome) { o.result.DeadRaw = 5 }, "5 lines are kept as input that cannot be read, want 0",
		},
		"unreadable lines are not kept": {
			func(c *testCase, _ *outcome) { c.feeds[0].spoiled = true }, "0 lines are kept as input that cannot be read, want 100",
		},
		"a refused line is gone": {
			func(c *testCase, _ *outcome) { c.poisoned = true }, "dead 0 times in 0 objects",
		},
		"a refused line is dead twice": {
			func(c *testCase, o *outcome) {
				c.poisoned, o.result.Dead, o.result.Stored = true, 1, map[string]int{"dead": 2}
			}, "dead 1 times in 2 objects",
		},
		"the broken object is gone": {func(c *testCase, _ *outcome) { c.broken = true }, "put aside 0 times"},
		"a duplicate without a cause": {
			func(_ *testCase, o *outcome) { duplicates(o, audit.Unexplained, 1) }, "1 unexplained",
		},
		"a cause that an exit is none of": {
			func(_ *testCase, o *outcome) { duplicates(o, audit.D6, 1) }, "1 duplicates of class D6",
		},
		"more duplicates than one invocation has": {
			func(_ *testCase, o *outcome) { duplicates(o, audit.D1, 101) }, "101 duplicates, want at most 100",
		},
		"the point was not reached": {
			func(_ *testCase, o *outcome) { o.fired = nil }, "the points that acted are []",
		},
		"another point was reached": {
			func(_ *testCase, o *outcome) { o.fired = []string{"cloudwatch decoded:exit:1"} }, "decoded:exit:1 has acted",
		},
		"nobody was told": {
			func(_ *testCase, o *outcome) { o.told = nil }, "0 invocations ended without an answer, want 1",
		},
		"an exit that looks like an error": {
			func(_ *testCase, o *outcome) { o.told[0].ended = false }, "0 invocations ended without an answer, want 1",
		},
		"a schedule need not meet its faults": {
			func(c *testCase, o *outcome) { c.random, o.fired, o.told = true, nil, nil }, "",
		},
		"a schedule meets no others": {
			func(c *testCase, o *outcome) { c.random, o.fired = true, []string{"s3 decoded:exit:1"} }, "s3 decoded:exit:1 has acted",
		},
		"an invocation whose sum is open": {
			func(_ *testCase, o *outcome) {
				o.result.Destinations["main"].Problems = []string{"invocation r-1: 5 lines unaccounted"}
			},
			"5 lines unaccounted",
		},
		"an invocation whose sum a panic has left open": {
			func(c *testCase, o *outcome) {
				c.injections[0].action, o.fired = panics, []string{"cloudwatch accepted:panic:2"}
				o.result.Destinations["main"].Problems = []string{"invocation r-1: 5 lines unaccounted"}
			}, "",
		},
		"an invocation that had no panic": {
			func(c *testCase, o *outcome) {
				c.injections[0].action, o.fired = panics, []string{"cloudwatch accepted:panic:2"}
				o.result.Destinations["main"].Problems = []string{"invocation r-2: 5 lines unaccounted"}
			}, "5 lines unaccounted",
		},
		"an object that replay left behind": {
			func(c *testCase, o *outcome) {
				c.injections[0].function, o.fired = rig.ReplayFunction, []string{"replay accepted:exit:2"}
				duplicates(o, audit.Unexplained, 100)
			}, "",
		},
		"more than one object": {
			func(c *testCase, o *outcome) {
				c.injections[0].function, o.fired = rig.ReplayFunction, []string{"replay accepted:exit:2"}
				duplicates(o, audit.Unexplained, 101)
			}, "101 duplicates, want at most 100",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, o := cloudWatchCase(), fine()
			if tc.change != nil {
				tc.change(&c, &o)
			}
			err := c.judge(&o)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestTally(t *testing.T) {
	var total tally
	o := fine()
	total.add(&o, nil)
	duplicates(&o, audit.Unexplained, 3)
	o.result.Lost = 2
	total.add(&o, assert.AnError)
	total.add(&outcome{}, assert.AnError)
	assert.Equal(t, tally{cases: 3, failed: 2, lost: 2, unexplained: 3}, total)
	assert.Equal(t, "crash: cases=3 lost=2 unexplained_duplicates=3", total.String())
}
