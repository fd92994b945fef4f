package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/stack"
)

// sound is a run that nothing is wrong with.
func sound(sizeMiB, inFlight int, peakMiB float64) figures {
	return figures{
		sizeMiB: sizeMiB, inFlight: inFlight, wall: 2 * time.Second, cpu: 2 * time.Second, peakBytes: int64(peakMiB * (1 << 20)),
		runs: 1, requests: 2, wireBytes: 3 << 20, lines: 1000, tally: tally{arrived: 1000},
		ledger:  stack.Destination{In: 1000, Delivered: 1000},
		machine: machine{busy: 3 * time.Second, idle: time.Second},
	}
}

func TestJudge(t *testing.T) {
	changed := func(change func(*figures)) figures {
		f := sound(64, 16, 20)
		change(&f)
		return f
	}
	slow := func(f *figures) { f.wall = 2700 * time.Millisecond }
	for name, tc := range map[string]struct {
		all    []figures
		strict bool
		says   string // empty: nothing is wrong
	}{
		"all is well":                    {all: []figures{sound(64, 4, 20), sound(64, 16, 22), sound(1024, 4, 24)}, strict: true},
		"4 in flight at their budget":    {all: []figures{sound(64, 4, 48)}},
		"4 in flight over their budget":  {all: []figures{sound(64, 4, 48.1)}, says: "over the budget of 48 MiB"},
		"16 in flight at their budget":   {all: []figures{sound(64, 16, 64)}},
		"16 in flight over their budget": {all: []figures{sound(64, 16, 64.1)}, says: "over the budget of 64 MiB"},
		"64 in flight have no budget":    {all: []figures{sound(64, 64, 100)}},
		"a peak that grows":              {all: []figures{sound(64, 4, 30), sound(1024, 4, 40)}, says: "30.0 MiB for 64 MiB, 40.0 MiB for 1024 MiB"},
		"a peak that grows a little":     {all: []figures{sound(64, 4, 36), sound(1024, 4, 45)}},
		"a peak that grows by chance":    {all: []figures{sound(64, 4, 16), sound(1024, 4, 23)}},
		"the largest object comes first": {all: []figures{sound(1024, 4, 40), sound(64, 4, 30)}, says: "the peak grows"},
		"more in flight is not growth":   {all: []figures{sound(64, 4, 20), sound(1024, 16, 40)}},
		"a lost line":                    {all: []figures{changed(func(f *figures) { f.tally.arrived-- })}, says: "of 1000 lines 1 are lost"},
		"a damaged line":                 {all: []figures{changed(func(f *figures) { f.tally.damaged = 2 })}, says: "2 items are damaged"},
		"a line that came twice":         {all: []figures{changed(func(f *figures) { f.tally.twice = 1 })}},
		"twice, in two invocations": {
			all: []figures{changed(func(f *figures) { f.runs, f.tally.twice = 2, 1 })}, says: "arrived twice in 2 invocations",
		},
		"a ledger that knows fewer":       {all: []figures{changed(func(f *figures) { f.ledger.Delivered-- })}, says: "but the ledger says"},
		"a ledger that drops beside them": {all: []figures{changed(func(f *figures) { f.ledger.Dropped = map[string]int{"empty_line": 1} })}, says: "but the ledger says"},
		"slow":                            {all: []figures{changed(slow)}},
		"slow, strictly":                  {all: []figures{changed(slow)}, strict: true, says: "1.35 times the processor time"},
		"slow with few in flight, strictly": {
			all: []figures{changed(func(f *figures) { slow(f); f.inFlight = 4 })}, strict: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := judge(tc.all, tc.strict)
			if tc.says == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tc.says)
		})
	}
}

func TestTable(t *testing.T) {
	rows := strings.Split(table([]figures{sound(64, 4, 20)}), "\n")
	assert.Equal(t, []string{
		"MiB", "in", "flight", "wall", "s", "cpu", "s", "wall:cpu", "peak", "MiB", "runs", "requests", "wire", "MiB", "lines/s", "lines", "lost",
		"twice", "others", "s", "idle", "s",
	}, strings.Fields(rows[0]))
	assert.Equal(t, []string{
		"64", "4", "2.00", "2.00", "1.00", "20.0", "1", "2", "3.0", "500", "1000", "0", "0", "1.00", "1.00",
	}, strings.Fields(rows[1]))
}
