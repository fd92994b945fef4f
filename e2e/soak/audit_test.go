package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/owner"
)

var start = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }

// three payloads of 100 lines, with a hole of 10 numbers between them.
func threePayloads() []payload {
	return []payload{
		{id: "a", src: "s3", first: 1, n: 100},
		{id: "b", src: "s3", first: 111, n: 100},
		{id: "c", src: "s3", first: 221, n: 100},
	}
}

// brings is an arrival that its sender knows of.
func brings(batch string, second float64, stretches ...stretch) arrival {
	a := arrival{at: at(second), batch: batch, answered: true, runs: stretches}
	for _, s := range stretches {
		a.lines += s.n
	}
	return a
}

func lines(first, n int) stretch { return stretch{src: "s3", first: first, n: n} }

// delivered is all three payloads, each in a delivery and a request of its own.
func delivered() *evidence {
	e := &evidence{payloads: threePayloads()}
	for i, p := range e.payloads {
		second := float64(10 * i)
		e.intake = append(e.intake, brings("batch-"+p.id, second+1, lines(p.first, p.n)))
		e.history = append(e.history, owner.Delivery{
			Payloads: []string{p.id}, Attempt: 1, RequestID: "r-" + p.id, Started: at(second), Finished: at(second + 2), Outcome: owner.Taken,
		})
	}
	return e
}

func TestJoin(t *testing.T) {
	for name, tc := range map[string]struct {
		change     func(*evidence)
		delivered  int
		lost       int
		returned   int
		unknown    int
		duplicates map[audit.Class]int
	}{
		"all is well": {change: func(*evidence) {}, delivered: 300},
		"lines that came nowhere are lost": {
			change: func(e *evidence) { e.intake[1].runs = []stretch{lines(111, 40), lines(152, 59)} }, delivered: 299, lost: 1,
		},
		"a payload that came nowhere is lost": {
			change: func(e *evidence) { e.intake = slices.Delete(e.intake, 2, 3) }, delivered: 200, lost: 100,
		},
		"a copy without a cause": {
			change:    func(e *evidence) { e.intake = append(e.intake, brings("batch-a", 1.5, lines(1, 7))) },
			delivered: 300, duplicates: map[audit.Class]int{audit.Unexplained: 7},
		},
		"a copy of replay without a cause": {
			change: func(e *evidence) {
				again := brings("batch-a", 50, lines(1, 7))
				again.sender = replaySender
				e.intake = append(e.intake, again)
			},
			delivered: 300, duplicates: map[audit.Class]int{audit.Unexplained: 7},
		},
		"a lost answer": {
			change: func(e *evidence) {
				e.intake[0].answered = false
				e.intake = append(e.intake, brings("batch-a", 1.5, lines(1, 100)))
			},
			delivered: 300, duplicates: map[audit.Class]int{audit.D2: 100},
		},
		"a killed process": {
			change: func(e *evidence) {
				e.history[0].Outcome = owner.Ended
				again := e.history[0]
				again.Attempt, again.Started, again.Outcome = 2, at(5), owner.Taken
				e.history = append(e.history, again)
				e.intake = append(e.intake, brings("batch-a", 6, lines(1, 100)))
			},
			delivered: 300, duplicates: map[audit.Class]int{audit.D1: 100},
		},
		"a killed replay": {
			change: func(e *evidence) {
				e.intake[0].sender = replaySender
				again := brings("batch-a", 30, lines(1, 100))
				again.sender = replaySender
				e.intake = append(e.intake, again)
				e.replays = []audit.Replay{{Delivery: owner.Delivery{Started: at(0.5), Finished: at(1.5), Outcome: owner.Ended}}}
			},
			delivered: 300, duplicates: map[audit.Class]int{audit.D3: 100},
		},
		"an event that its owner gave up": {
			change: func(e *evidence) {
				e.intake = e.intake[:2]
				e.failures = []owner.Failure{{Payloads: []string{"c"}}}
			},
			delivered: 200, returned: 100,
		},
		"a line that nobody sent": {
			change: func(e *evidence) { e.intake[0].runs[0].n = 101 }, delivered: 300, unknown: 1,
		},
		"a line of another source": {
			change: func(e *evidence) { e.intake[0].runs[0].src = "app" }, delivered: 200, lost: 100, unknown: 100,
		},
		"lines at the end of a delivery stream": {
			change: func(e *evidence) {
				e.archived = e.intake[1:2]
				e.intake = slices.Delete(slices.Clone(e.intake), 1, 2)
				e.transforms = e.history[1:2]
				e.history = slices.Delete(slices.Clone(e.history), 1, 2)
			},
			delivered: 300,
		},
		"the same lines at both ends": {
			change:    func(e *evidence) { e.archived = []arrival{brings("x", 40, lines(111, 100))} },
			delivered: 300, duplicates: map[audit.Class]int{audit.Unexplained: 100},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 150, 1000} { // a payload each, two, and all at once
				e := delivered()
				tc.change(e)
				c := e.join(size)
				assert.Equal(t, 300, c.In)
				assert.Equal(t, tc.delivered, c.Delivered, "window of %d", size)
				assert.Equal(t, tc.lost, c.Lost, "window of %d", size)
				assert.Equal(t, tc.returned, c.Returned, "window of %d", size)
				assert.Equal(t, tc.unknown, c.Unknown, "window of %d", size)
				if tc.duplicates == nil {
					tc.duplicates = map[audit.Class]int{}
				}
				assert.Equal(t, tc.duplicates, c.Duplicates, "window of %d", size)
				assert.Empty(t, c.Problems)
			}
		})
	}
}

func TestJoinOfABatchOverTwoWindows(t *testing.T) {
	e := delivered()
	e.intake = []arrival{brings("one", 1, lines(1, 100), lines(111, 100), lines(221, 100))}
	e.history = []owner.Delivery{{Payloads: []string{"a", "b", "c"}, Started: at(0), Outcome: owner.Taken}}
	c := e.join(1)
	assert.Equal(t, 300, c.Delivered)
	assert.Empty(t, c.Duplicates)
	assert.Empty(t, c.Problems)
}

func TestLeftInTheParkStore(t *testing.T) {
	e := delivered()
	e.intake = e.intake[:2]
	left := linesOf(e.payloads[2:])
	e.parked = audit.ParkStore{Dead: left[:60], Pending: left[60:90]}
	c := e.join(1)
	assert.Equal(t, 200, c.Delivered)
	assert.Equal(t, 60, c.Dead)
	assert.Equal(t, 30, c.Parked)
	assert.Equal(t, 10, c.Lost)
}

func TestMissing(t *testing.T) {
	e := delivered()
	assert.Empty(t, missing(e.payloads, 1, e.intake, nil))
	e.intake[1].runs[0].n--
	assert.Equal(t, e.payloads[1:2], missing(e.payloads, 1, e.intake, nil))
	assert.Equal(t, e.payloads[1:2], missing(e.payloads, 1000, e.intake, nil))
	assert.Empty(t, missing(e.payloads, 1, e.intake, []arrival{brings("x", 0, lines(210, 1))}))
	assert.Equal(t, e.payloads, missing(e.payloads, 1))
}

// TestPieces cuts arrivals of random stretches into windows of random sizes: no line is lost, made or moved.
func TestPieces(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 0))
		var payloads []payload
		next := 1
		for range 20 {
			next += random.IntN(3)
			p := payload{first: next, n: 1 + random.IntN(30)}
			payloads = append(payloads, p)
			next += p.n
		}
		var from []arrival
		want := map[int]int{}
		for range 30 {
			s := lines(random.IntN(next+5), 1+random.IntN(100))
			from = append(from, brings("x", 0, s))
			for seq := s.first; seq < s.first+s.n; seq++ {
				want[seq]++
			}
		}

		list := windows(payloads, 1+random.IntN(60))
		got := map[int]int{}
		for i, part := range pieces(list, from) {
			for _, p := range part {
				require.Positive(t, p.run.n)
				for seq := p.run.first; seq < p.run.first+p.run.n; seq++ {
					got[seq]++
					require.Equal(t, i, windowOf(list, seq), "seed %d", seed)
				}
			}
		}
		require.Equal(t, want, got, "seed %d", seed)
	}
}

func TestWindows(t *testing.T) {
	assert.Empty(t, windows(nil, 10))
	assert.Empty(t, pieces(nil, []arrival{brings("x", 0, lines(1, 1))}))
	list := windows(threePayloads(), 150)
	require.Len(t, list, 2)
	assert.Len(t, list[0].payloads, 2)
	assert.Equal(t, 200, list[0].lines)
	assert.Len(t, list[1].payloads, 1)
}

func TestAppendMark(t *testing.T) {
	var runs []stretch
	for _, seq := range []int{5, 6, 7, 9, 10, 8} {
		runs = appendMark(runs, generate.Mark{Src: "s3", Seq: seq})
	}
	runs = appendMark(runs, generate.Mark{Src: "app", Seq: 9})
	assert.Equal(t, []stretch{{"s3", 5, 3}, {"s3", 9, 2}, {"s3", 8, 1}, {"app", 9, 1}}, runs)
}

func TestClaims(t *testing.T) {
	ledger := func(d stack.Destination, unaccounted int) stack.Ledger {
		return stack.Ledger{RequestID: "r-a", Unaccounted: unaccounted, Destinations: map[string]stack.Destination{destination: d}}
	}
	good := stack.Destination{In: 100, Delivered: 90, Parked: map[string]int{"http_503": 10}}
	for name, tc := range map[string]struct {
		ledgers []stack.Ledger
		silent  bool
		want    string
	}{
		"all is well":            {ledgers: []stack.Ledger{ledger(good, 0)}},
		"it does not add up":     {ledgers: []stack.Ledger{ledger(stack.Destination{In: 2, Delivered: 1}, 0)}, want: "in is not delivered"},
		"unaccounted":            {ledgers: []stack.Ledger{ledger(good, 3)}, want: "3 lines unaccounted"},
		"another destination":    {ledgers: []stack.Ledger{{RequestID: "r-a"}}, want: "no counts for destination main"},
		"more than arrived":      {ledgers: []stack.Ledger{ledger(stack.Destination{In: 101, Delivered: 101}, 0)}, want: "count 101 lines delivered, 100 were answered for"},
		"no line was printed":    {want: "invocation r-a finished and printed no ledger line"},
		"none that was replay's": {ledgers: []stack.Ledger{ledger(good, 0)}, silent: true, want: "invocation r-replay finished"},
	} {
		t.Run(name, func(t *testing.T) {
			unanswered := brings("y", 2, lines(1, 50))
			unanswered.answered = false
			c := claims{
				destination: destination, ledgers: tc.ledgers, all: true, arrivals: []arrival{brings("x", 1, lines(1, 100)), unanswered},
				history: []owner.Delivery{{RequestID: "r-a", Outcome: owner.Taken}, {RequestID: "r-b", Outcome: owner.Ended}},
			}
			if tc.silent {
				c.replays = []audit.Replay{{Delivery: owner.Delivery{RequestID: "r-replay", Outcome: owner.Taken}}}
			}
			problems := c.check()
			if tc.want == "" {
				assert.Empty(t, problems)
				return
			}
			require.NotEmpty(t, problems)
			assert.Contains(t, problems[0], tc.want)
		})
	}
}

// TestLedgersAreSmall holds what a run of 20 minutes keeps against its lines: 6 million of them.
func TestLedgersAreSmall(t *testing.T) {
	const requests, each = 24_000, 250
	in, l := &manifest{}, &arrivals{}
	for i := range requests {
		first := 1 + i*each
		in.add(payload{id: fmt.Sprint(i), src: "s3", first: first, n: each})
		a := arrival{number: i}
		for seq := first; seq < first+each; seq++ {
			a.runs = appendMark(a.runs, generate.Mark{Src: "s3", Seq: seq})
		}
		a.lines = each
		l.take(a)
	}
	stretches := 0
	for _, a := range l.all() {
		stretches += len(a.runs)
	}
	assert.Equal(t, requests*each, in.count())
	assert.Equal(t, requests*each, l.count())
	assert.Equal(t, requests, stretches)
}

func TestStrange(t *testing.T) {
	assert.Empty(t, strange([]string{
		parkRoot + "lease/x.json", parkRoot + "breaker/main.json", parkRoot + "dead/main/exhausted/2026/02/01/x.a13.jsonl.gz",
	}))
	assert.Equal(t, []string{"put aside for a person: " + parkRoot + "dead/main/invalid/2026/02/01/x.a01.jsonl.gz"},
		strange([]string{parkRoot + "dead/main/invalid/2026/02/01/x.a01.jsonl.gz"}))
	assert.Len(t, strange([]string{parkRoot + "dead-raw/cwl/2026/02/01/x.json"}), 1)
}
