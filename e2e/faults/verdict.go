package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/rig"
)

// outcome is what became of a task.
type outcome struct {
	task    task
	mid     *rig.Result // nil when it did not come so far
	end     *rig.Result // likewise
	dropped map[string]int
	claimed int      // lines that the functions themselves could not account for
	unmet   []string // expectations
	err     error    // of the equipment
	output  []string // the last lines that the functions printed
	wall    time.Duration
}

// lost is how many lines were lost at any time.
func (o *outcome) lost() int { return o.most(func(r *rig.Result) int { return r.Lost }) }

// unexplained is how many surplus copies have no cause.
func (o *outcome) unexplained() int {
	return o.most(func(r *rig.Result) int { return r.Duplicates[audit.Unexplained] })
}

// unaccounted is how many lines are in no state, in more than one, or not what they were.
func (o *outcome) unaccounted() int {
	return o.claimed + o.most(func(r *rig.Result) int {
		n := r.In - r.Delivered - r.Dropped - r.Pending - r.Dead - r.DeadRaw - r.Returned - r.Lost
		n = max(n, -n)
		for _, d := range r.Destinations {
			n += d.Corrupted + d.Unknown
		}
		return n
	})
}

// canaries are the places with a secret or a line's text that must not be there.
func (o *outcome) canaries() []string {
	var hits []string
	for _, r := range []*rig.Result{o.mid, o.end} {
		if r != nil {
			hits = append(hits, r.CanaryHits...)
		}
	}
	slices.Sort(hits)
	return slices.Compact(hits)
}

// most is the larger of a count in the middle and at the end.
func (o *outcome) most(count func(*rig.Result) int) int {
	n := 0
	for _, r := range []*rig.Result{o.mid, o.end} {
		if r != nil {
			n = max(n, count(r))
		}
	}
	return n
}

// problems are all that is wrong with a cell, in words.
func (o *outcome) problems() []string {
	var list []string
	if o.err != nil {
		list = append(list, "equipment: "+o.err.Error())
	}
	list = append(list, o.unmet...)
	for _, part := range []struct {
		when   string
		result *rig.Result
	}{{"before replay", o.mid}, {"at last", o.end}} {
		if part.result == nil {
			continue
		}
		if err := part.result.Verdict(); err != nil {
			list = append(list, part.when+": "+err.Error())
		}
	}
	if o.claimed > 0 {
		list = append(list, fmt.Sprintf("the functions count %d lines unaccounted", o.claimed))
	}
	if n := o.unaccounted(); n > 0 && o.claimed == 0 {
		list = append(list, fmt.Sprintf("%d lines are unaccounted", n))
	}
	if o.end == nil && o.err == nil {
		list = append(list, "it did not come to its end")
	}
	return list
}

// verdict is what stands in the last column.
func (o *outcome) verdict() string {
	if len(o.problems()) > 0 {
		return "FAILED"
	}
	return "ok"
}

// totals sum up a run.
type totals struct {
	cells, failed, lost, unaccounted, unexplained, canaries int
}

func sum(outcomes []outcome) totals {
	t := totals{cells: len(outcomes)}
	for i := range outcomes {
		o := &outcomes[i]
		t.lost += o.lost()
		t.unaccounted += o.unaccounted()
		t.unexplained += o.unexplained()
		t.canaries += len(o.canaries())
		if len(o.problems()) > 0 {
			t.failed++
		}
	}
	return t
}

// String is the line that a run ends with.
func (t totals) String() string {
	return fmt.Sprintf("faults: cells=%d lost=%d unaccounted=%d unexplained_duplicates=%d",
		t.cells, t.lost, t.unaccounted, t.unexplained)
}

// verdict is nil when a run has proved what it is for.
func (t totals) verdict() error {
	var faults []error
	for _, fault := range []struct {
		n    int
		what string
	}{
		{t.lost, "lines lost"},
		{t.unaccounted, "lines unaccounted"},
		{t.unexplained, "duplicates without a cause"},
		{t.canaries, "places with a secret or a line's text"},
		{t.failed, "cells failed"},
	} {
		if fault.n > 0 {
			faults = append(faults, fmt.Errorf("%d %s", fault.n, fault.what))
		}
	}
	if t.cells == 0 {
		faults = append(faults, errors.New("no cell was played: no name fits -run"))
	}
	return errors.Join(faults...)
}
