package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
)

func goodReport() *report {
	return &report{
		seed: 7, length: time.Minute, kills: 3, memory: memory{judged: 2, trend: trend{0.25, 0.1}, of: "s3", files: 1},
		counts: &counts{
			In: 600, Delivered: 590, Dead: 10, Duplicates: map[audit.Class]int{audit.D1: 4, audit.D2: 5},
			Examples: map[string][]string{"lost": {"s3/4"}},
		},
	}
}

func TestVerdict(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*report)
		want   string
	}{
		"all is well":                {change: func(*report) {}},
		"nobody lived long enough":   {change: func(r *report) { r.memory = memory{} }},
		"nothing went in":            {func(r *report) { r.counts.In = 0 }, "no line was fed"},
		"a lost line":                {func(r *report) { r.counts.Lost, r.counts.Delivered = 1, 589 }, "1 lines are lost, such as s3/4"},
		"a line that is nowhere":     {func(r *report) { r.counts.Delivered = 589 }, "600 lines went in, and 599 are accounted for"},
		"an unexplained duplicate":   {func(r *report) { r.counts.Duplicates[audit.Unexplained] = 1 }, "1 duplicates have no cause"},
		"a corrupted line":           {func(r *report) { r.counts.Corrupted = 1 }, "corrupted"},
		"a line that nobody sent":    {func(r *report) { r.counts.Unknown = 1 }, "nobody sent"},
		"a broken item":              {func(r *report) { r.broken = 1 }, "no whole lines"},
		"a pending object":           {func(r *report) { r.pending = 1 }, "1 objects are pending still"},
		"a line with its owner":      {func(r *report) { r.counts.Returned, r.counts.Delivered = 1, 589 }, "with their owner still"},
		"a contradiction":            {func(r *report) { r.problems = []string{"it does not add up"} }, "it does not add up"},
		"a contradiction of a line":  {func(r *report) { r.counts.Problems = []string{"held twice"} }, "held twice"},
		"memory that grows":          {func(r *report) { r.memory.trend.slope = 1.2 }, "the memory of s3 grows by 1.20 MiB a minute"},
		"memory that may grow":       {change: func(r *report) { r.memory.trend.slope = 1.1 }},
		"a long run judges memory":   {func(r *report) { r.length, r.memory = 3*time.Minute, memory{} }, "no process lived long enough"},
		"files that are never shut":  {func(r *report) { r.memory.files = 17 }, "17 files more"},
		"threads that never end":     {func(r *report) { r.memory.threads = 5 }, "5 threads more"},
		"every failure has the seed": {func(r *report) { r.broken = 1 }, "seed 7: "},
	} {
		t.Run(name, func(t *testing.T) {
			r := goodReport()
			tc.change(r)
			err := r.Verdict()
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

func TestLastLine(t *testing.T) {
	assert.Equal(t, "soak: lines=600 rate=10/s delivered=590 dead=10 duplicates=9 [D1:4 D2:5] unexplained=0 kills=3 own_peak_mib=0"+
		" lost=0 pending=0 rss_slope_mib_per_min=0.25±0.10 fds=+1 threads=+0 seed=7", goodReport().String())
}

func TestPassage(t *testing.T) {
	p := passage{
		states: map[string]int{"500": 2, "429": 1}, parked: map[string]int{"http_503": 9}, outcomes: map[string]int{"taken": 3},
		kept: 1, redriven: 2, rests: 3, returns: 4,
	}
	assert.Equal(t, "steps: 429 1, 500 2\nparked lines: http_503 9\nreturned lines: none\ndeliveries: taken 3\n"+
		"given up by Lambda or Kinesis: 1, dead letters redriven: 2, rests of objects: 3, objects of what Firehose failed with: 4", p.String())
}

func TestParse(t *testing.T) {
	var complaints bytes.Buffer
	opts, err := parse([]string{"-for", "20s", "-seed", "7", "-rate", "100", "-v"}, &complaints)
	require.NoError(t, err)
	assert.Equal(t, options{length: 20 * time.Second, seed: 7, rate: 100, verbose: true}, opts)

	opts, err = parse(nil, &complaints)
	require.NoError(t, err)
	assert.Equal(t, 3*time.Minute, opts.length)
	assert.NotZero(t, opts.seed)
	assert.Empty(t, complaints.String())

	for _, args := range [][]string{{"-for", "1s"}, {"-rate", "0"}, {"more"}, {"-seed", "x"}} {
		complaints.Reset()
		_, err = parse(args, &complaints)
		require.Error(t, err, args)
		assert.NotEmpty(t, complaints.String(), args)
	}
}
