package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/rig"
)

// The short form, with the functions as they are deployed.
func TestShortForm(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the functions and takes half a minute")
	}
	var out bytes.Buffer

	err := report(t.Context(), &out, settings{short: true, verbose: true, seed: 1, jobs: usualJobs})

	require.NoError(t, err, "%s", out.String())
	assert.Regexp(t, `\nfaults: cells=\d+ lost=0 unaccounted=0 unexplained_duplicates=0\n$`, out.String())
}

func TestMatrix(t *testing.T) {
	rows := matrix()
	for i, r := range rows {
		assert.Equal(t, fmt.Sprintf("F%d", i+1), r.id)
		assert.NotEmpty(t, r.fault)
		assert.NotEmpty(t, r.end)
		shorts := 0
		concerned := map[path]bool{}
		for _, c := range r.cells {
			shorts += len(c.short)
			for _, p := range c.on {
				concerned[p] = true
			}
			for _, p := range c.short {
				assert.Contains(t, c.on, p, "%s %s: the short form has a path that the full form has not", r.id, c.what)
			}
			assert.NotEmpty(t, c.then, "%s %s expects nothing", r.id, c.what)
		}
		assert.Positive(t, shorts, "%s is not in the short form", r.id)
		excepted := map[path]bool{}
		for _, e := range r.not {
			assert.NotEmpty(t, e.reason)
			for _, p := range e.on {
				assert.False(t, excepted[p], "%s: two reasons for %s", r.id, p)
				excepted[p] = true
			}
		}
		for _, p := range paths() {
			assert.NotEqual(t, concerned[p], excepted[p], "%s: %s has to have a cell or a reason to have none", r.id, p)
		}
	}
	assert.Len(t, rows, 32)
}

func TestTasksHaveNamesOfTheirOwn(t *testing.T) {
	rows := matrix()
	names := map[string]bool{}
	for _, task := range tasks(rows, false) {
		assert.False(t, names[task.name()], "%s stands twice", task.name())
		names[task.name()] = true
	}
	for _, task := range tasks(rows, true) {
		assert.True(t, names[task.name()])
	}
}

// sound is a cell in which everything went well.
func sound() outcome {
	result := func() *rig.Result {
		return &rig.Result{
			In: 10, Delivered: 7, Dropped: 1, Dead: 1, DeadRaw: 1, Duplicates: map[audit.Class]int{audit.D2: 3},
			Destinations: map[string]*audit.Report{"main": {Duplicates: map[audit.Class]int{audit.D2: 3}}},
		}
	}
	rows := []row{{id: "F1", cells: []cell{{what: "something"}}}}
	return outcome{task: task{&rows[0], &rows[0].cells[0], cloudWatch}, mid: result(), end: result()}
}

func TestVerdict(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(*outcome)
		last  string // the line that the run ends with, behind the number of cells
		err   string
	}{
		"all is well": {func(*outcome) {}, "lost=0 unaccounted=0 unexplained_duplicates=0", ""},
		"a line is lost at last": {
			func(o *outcome) { o.end.Delivered, o.end.Lost, o.end.Destinations["main"].Lost = 6, 1, 1 },
			"lost=1 unaccounted=0 unexplained_duplicates=0", "1 lines lost",
		},
		"a line was lost for a while": {
			func(o *outcome) { o.mid.Delivered, o.mid.Lost, o.mid.Destinations["main"].Lost = 6, 1, 1 },
			"lost=1 unaccounted=0 unexplained_duplicates=0", "1 lines lost",
		},
		"a line is in no state": {
			func(o *outcome) { o.end.Delivered-- }, "lost=0 unaccounted=1 unexplained_duplicates=0", "1 lines unaccounted",
		},
		"a line is in two states": {
			func(o *outcome) { o.end.Pending++ }, "lost=0 unaccounted=1 unexplained_duplicates=0", "1 lines unaccounted",
		},
		"a function could not account for lines": {
			func(o *outcome) { o.claimed = 4 }, "lost=0 unaccounted=4 unexplained_duplicates=0", "4 lines unaccounted",
		},
		"an entry is not what its line was": {
			func(o *outcome) { o.end.Destinations["main"].Corrupted = 1 },
			"lost=0 unaccounted=1 unexplained_duplicates=0", "1 lines unaccounted",
		},
		"an entry belongs to no line": {
			func(o *outcome) { o.end.Destinations["main"].Unknown = 2 },
			"lost=0 unaccounted=2 unexplained_duplicates=0", "2 lines unaccounted",
		},
		"a duplicate has no cause": {
			func(o *outcome) {
				o.end.Duplicates[audit.Unexplained] = 1
				o.end.Destinations["main"].Duplicates[audit.Unexplained] = 1
			},
			"lost=0 unaccounted=0 unexplained_duplicates=1", "1 duplicates without a cause",
		},
		"a secret is where it must not be": {
			func(o *outcome) { o.mid.CanaryHits = []string{"line 1 holds an API key"} },
			"lost=0 unaccounted=0 unexplained_duplicates=0", "1 places with a secret",
		},
		"an expectation is not met": {
			func(o *outcome) { o.unmet = []string{"the breaker has not opened"} },
			"lost=0 unaccounted=0 unexplained_duplicates=0", "1 cells failed",
		},
		"the ledger contradicts the store": {
			func(o *outcome) { o.end.Problems = []string{"it has no source"} },
			"lost=0 unaccounted=0 unexplained_duplicates=0", "1 cells failed",
		},
		"the equipment failed": {
			func(o *outcome) { o.mid, o.end, o.err = nil, nil, errors.New("no bucket") },
			"lost=0 unaccounted=0 unexplained_duplicates=0", "1 cells failed",
		},
		"it did not come to its end": {
			func(o *outcome) { o.end = nil }, "lost=0 unaccounted=0 unexplained_duplicates=0", "1 cells failed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := sound()
			tc.spoil(&o)

			totals := sum([]outcome{sound(), o})

			assert.Equal(t, "faults: cells=2 "+tc.last, totals.String())
			if tc.err == "" {
				require.NoError(t, totals.verdict())
				assert.Equal(t, "ok", o.verdict())
				return
			}
			require.ErrorContains(t, totals.verdict(), tc.err)
			assert.Equal(t, "FAILED", o.verdict())
			var told bytes.Buffer
			explain(&told, []outcome{sound(), o}, false)
			assert.Equal(t, 1, strings.Count(told.String(), "FAILED F1 cloudwatch something"))
		})
	}
}

func TestARunOfNothingProvesNothing(t *testing.T) {
	assert.ErrorContains(t, sum(nil).verdict(), "no cell was played")
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	list := &table{out: &b, columns: columns()}
	o := sound()
	o.dropped = map[string]int{"empty_line": 1, "source_gone": 0}
	failed := sound()
	failed.mid, failed.end = nil, nil

	list.head()
	list.row(&o)
	list.row(&failed)
	list.none(&row{id: "F1", not: []exception{{[]path{transform, replay}, "so it is"}}})

	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	require.Len(t, lines, 5)
	assert.Equal(t, []string{
		"fault", "entry", "injected", "in", "delivered", "duplicates", "dropped", "pending", "dead", "raw", "returned", "LOST",
		"requests", "amp", "puts", "wall", "rss", "lines/inv", "canary", "verdict",
	}, strings.Fields(lines[0]))
	assert.Equal(t, []string{
		"F1", "cloudwatch", "something", "10", "7", "D2:3", "empty_line:1", "0", "1", "1", "0", "0",
		"0", "0.00", "0", "0.0s", "0", "0.0", "0", "ok",
	}, strings.Fields(lines[1]))
	assert.Equal(t, 13, slices.Index(strings.Fields(lines[2]), "?")+10, "what is not known is no number: %s", lines[2])
	assert.Equal(t, "F1    transform  -", lines[3])
	assert.Equal(t, "F1    replay     -", lines[4])

	b.Reset()
	legend(&b, []outcome{o, o})
	assert.Equal(t, 1, strings.Count(b.String(), "F1 "))
}

// What a cell expects can be unmet.
func TestExpectations(t *testing.T) {
	r := &run{notes: map[string]int{}, mid: &rig.Result{Stored: map[string]int{}}, end: &rig.Result{
		Pending: 1, Stored: map[string]int{"dead": 2, "dead-raw": 1}, Duplicates: map[audit.Class]int{audit.D1: 1, audit.D2: 1},
		PeakRSSBytes: 130 << 20, StorePuts: 1,
	}}
	for name, check := range map[string]expectation{
		"emptied": emptied, "breakerOpened": breakerOpened, "neverDead": neverDead, "deadObjects": deadObjects(1),
		"rawObjects": rawObjects(2), "under": under(128), "noPuts": noPuts, "killsCame": killsCame, "converged": converged,
		"allowed": func(r *run) { allowed(r, []audit.Class{audit.D2}) },
	} {
		before := len(r.unmet)
		check(r)
		assert.Len(t, r.unmet, before+1, name)
	}
	before := len(r.unmet)
	for _, check := range []expectation{deadObjects(2), rawObjects(1), under(131)} {
		check(r)
	}
	assert.Len(t, r.unmet, before)
}
