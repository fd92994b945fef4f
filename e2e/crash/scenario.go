package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"sluice/e2e/rig"
)

// scenario is a plan without the fault that is looked at, and the points that its function passes.
type scenario struct {
	name     string
	function rig.Function // that meets the fault, in its first process
	plan     plan         // its injections are what leads there
	passes   []pass
	atMost   int // lines that one repetition may bring again (delivery contract 2.9)
}

// pass is a point that a scenario reaches.
type pass struct {
	point  string
	times  []int // that it is reached, of those that differ; nil is once
	atMost int   // instead of the scenario's; 0 is the scenario's, never is none
}

const never = -1

// testCase is a plan and what may become of it.
type testCase struct {
	plan
	point  string // that it is about; empty for a schedule
	action string
	atMost int  // duplicates
	random bool // a schedule: some of its faults may not be met
}

// cases are the cells of a scenario: none of the faults, which repeats nothing; every action where a point is reached first; an
// exit where it is reached again.
func (s *scenario) cases() []testCase {
	list := []testCase{{plan: s.plan}}
	list[0].name = s.name + "/none"
	for _, p := range s.passes {
		times := p.times
		if times == nil {
			times = []int{1}
		}
		for at, nth := range times {
			for _, action := range actions() {
				if at == 0 || action == exit {
					list = append(list, s.with(p, injection{s.function, 1, p.point, action, nth}))
				}
			}
		}
	}
	return list
}

func (s *scenario) with(p pass, at injection) testCase {
	c := testCase{plan: s.plan, point: at.point, action: at.action, atMost: max(0, cmp.Or(p.atMost, s.atMost))}
	c.name = fmt.Sprintf("%s/%s", s.name, at.variable())
	c.injections = append(slices.Clone(s.plan.injections), at)
	return c
}

// matrix are all cases.
func matrix() []testCase {
	var list []testCase
	for _, s := range scenarios() {
		list = append(list, s.cases()...)
	}
	return list
}

// matching are the cases whose name matches.
func matching(all []testCase, pattern *regexp.Regexp) []testCase {
	return slices.DeleteFunc(slices.Clone(all), func(c testCase) bool { return !pattern.MatchString(c.name) })
}

// shortened are as many of the cases as pass each point once, with actions in turn.
func shortened(all []testCase) []testCase {
	var list []testCase
	seen := map[string]bool{}
	for _, c := range all {
		if !seen[c.point] && c.action == actions()[len(seen)%len(actions())] {
			seen[c.point] = true
			list = append(list, c)
		}
	}
	return list
}

// slowFirst has what waits for a deadline begin before the others.
func slowFirst(list []testCase) {
	waits := func(c testCase) int {
		if c.action == hang || c.random {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b testCase) int { return cmp.Compare(waits(a), waits(b)) })
}
