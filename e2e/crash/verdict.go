package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/e2e/audit"
	"sluice/e2e/rig"
)

// judge holds what became of a case against what it may come to: the audit finds no fault, nothing is left over, each fault was
// met, and duplicates are few enough and have the causes that the faults explain.
func (c *testCase) judge(o *outcome) error {
	faults := []error{c.judgeAudit(o), c.judgeDuplicates(o), c.judgeInjections(o)}
	if n := len(o.left); n > 0 {
		faults = append(faults, fmt.Errorf("%d objects are still pending, such as %s", n, o.left[0]))
	}
	if n := o.result.Returned; n > 0 {
		faults = append(faults, fmt.Errorf("%d lines are with an owner that gives them no more", n))
	}
	if c.poisoned && (o.result.Dead != 1 || o.result.Stored["dead"] != 1) {
		faults = append(faults, fmt.Errorf("the line that is refused is dead %d times in %d objects, want once in one",
			o.result.Dead, o.result.Stored["dead"]))
	}
	if n := o.result.Dead; n > 0 && !c.poisoned {
		faults = append(faults, fmt.Errorf("%d lines are dead, though nothing is wrong with them", n))
	}
	if want := c.unreadable(); o.result.DeadRaw != want {
		faults = append(faults, fmt.Errorf("%d lines are kept as input that cannot be read, want %d", o.result.DeadRaw, want))
	}
	if c.broken && o.result.Corrupt != 1 {
		faults = append(faults, fmt.Errorf("the broken object was put aside %d times, want once", o.result.Corrupt))
	}
	return errors.Join(faults...)
}

// unreadable is how many lines come in that cannot be read.
func (c *testCase) unreadable() int {
	n := 0
	for _, f := range c.feeds {
		if f.spoiled {
			n += f.events * f.lines
		}
	}
	return n
}

// judgeAudit is the audit's verdict, but for what the faults of the case explain and the audit cannot see.
func (c *testCase) judgeAudit(o *outcome) error {
	has := func(fits func(injection) bool) bool { return slices.ContainsFunc(c.injections, fits) }
	panicked := has(func(i injection) bool { return i.action == panics })
	replayEnded := has(func(i injection) bool { return i.function == rig.ReplayFunction })
	for _, report := range o.result.Destinations {
		report.Problems = slices.DeleteFunc(report.Problems, func(problem string) bool { return panicked && o.explains(problem) })
		if n := report.Duplicates[audit.Unexplained]; replayEnded && n > 0 {
			forgotten(report.Duplicates, n)
			forgotten(o.result.Duplicates, n)
		}
	}
	return o.result.Verdict()
}

// forgotten counts copies as those of an object that replay has left behind: it ended between writing what is left of it and
// deleting it, or did not know what it had sent. The bound of the case, one parked object, holds for them.
func forgotten(duplicates map[audit.Class]int, n int) {
	duplicates[audit.D3] += n
	if duplicates[audit.Unexplained] -= n; duplicates[audit.Unexplained] == 0 {
		delete(duplicates, audit.Unexplained)
	}
}

// explains reports whether a problem is what a panic leaves behind. Between a confirmation and its count, it leaves the sum of
// an invocation open: the function says so, and gives the whole event back (delivery contract R1). Between a write and its
// count, more is parked than was counted.
func (o *outcome) explains(problem string) bool {
	return strings.Contains(problem, "records parked, the store was given") ||
		slices.ContainsFunc(o.told, func(f failure) bool { return strings.HasPrefix(problem, "invocation "+f.request) })
}

func (c *testCase) judgeDuplicates(o *outcome) error {
	var faults []error
	causes := causesOf(c.injections)
	for _, class := range slices.Sorted(maps.Keys(o.result.Duplicates)) {
		n := o.result.Duplicates[class]
		if class != audit.Unexplained && n > 0 && !slices.Contains(causes, class) { // of those, the audit tells
			faults = append(faults, fmt.Errorf("%d duplicates of class %s (%s), which no fault of this case explains", n, class, class.Cause()))
		}
	}
	if n := o.result.TotalDuplicates(); n > c.atMost {
		faults = append(faults, fmt.Errorf("%d duplicates, want at most %d", n, c.atMost))
	}
	return errors.Join(faults...)
}

// causesOf are the causes of duplicates that injections may have (delivery contract 2.9): what ends, or answers with an error
// after a panic, is given again by its owner. A process that ends may have requests under way, whose answers are lost with it.
func causesOf(injections []injection) []audit.Class {
	list := []audit.Class{audit.D2}
	for _, i := range injections {
		switch i.function {
		case rig.ReplayFunction:
			list = append(list, audit.D3)
		case rig.FirehoseFunction:
			list = append(list, audit.D5)
		case rig.KinesisFunction:
			list = append(list, audit.D1, audit.D6)
		default:
			list = append(list, audit.D1, audit.D4)
		}
	}
	return list
}

// judgeInjections says which faults were not met: then the case shows nothing. Those of a schedule need not be.
func (c *testCase) judgeInjections(o *outcome) error {
	want, endings := map[string]bool{}, 0
	for _, i := range c.injections {
		want[string(i.function)+" "+i.variable()] = true
	}
	var faults []error
	for _, fired := range o.fired {
		if !want[fired] {
			faults = append(faults, fmt.Errorf("%s has acted, and should not have", fired))
		}
		if !strings.Contains(fired, ":"+panics) { // which may be caught
			endings++
		}
	}
	if len(o.fired) != len(c.injections) && !c.random {
		faults = append(faults, fmt.Errorf("the points that acted are %q, want %v", o.fired, c.injections))
	}
	ended := 0
	for _, f := range o.told {
		if f.ended {
			ended++
		}
	}
	if ended < endings {
		faults = append(faults, fmt.Errorf("%d invocations ended without an answer, want %d", ended, endings))
	}
	return errors.Join(faults...)
}
