package main

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"sluice/e2e/rig"
)

// maxFaults is how many faults a schedule has at most. More in a row than its owner has patience for leave an event with those
// who give up: that is a case of the matrix.
const maxFaults = 4

// passed are the points that a function may pass when a plan is played; none when it has nothing to do.
func (p *plan) passed(f rig.Function) []string {
	parks := p.outage || p.reading == stalled && p.noQueue
	points := []string{"accepted", "before_answer"}
	switch {
	case f == rig.ReplayFunction && !parks:
		return nil
	case f == rig.ReplayFunction:
		points = append(points, "leased", "before_delete", "after_delete")
		parks = p.replayOutage
	case f == rig.ObjectFunction && p.reading == halting:
		points = append(points, "decoded", "before_progress", "after_progress")
	case f == rig.ObjectFunction && p.reading == stalled && !p.noQueue:
		points = append(points, "decoded", "before_continue", "after_continue")
	default:
		points = append(points, "decoded")
	}
	if parks {
		points = append(points, "before_park", "after_park")
	}
	return points
}

// functionOf is what takes the events of an entry.
func functionOf(e rig.Entry) rig.Function {
	return map[rig.Entry]rig.Function{
		rig.CloudWatch: rig.CloudWatchFunction, rig.Kinesis: rig.KinesisFunction, rig.Firehose: rig.FirehoseFunction,
		rig.S3: rig.ObjectFunction, rig.S3Queue: rig.ObjectFunction,
	}[e]
}

// schedules are n cases at random. Each depends on the seed and its number alone.
func schedules(seed uint64, n int) []testCase {
	list := make([]testCase, n)
	for i := range list {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		p := atRandom(random)
		p.name, p.seed = fmt.Sprintf("schedule/%d/%d", seed, i), random.Uint64()|1
		list[i] = testCase{plan: p, random: true, atMost: p.repeatable()}
	}
	return list
}

// repeatable is how many lines the faults of a plan may bring again, if each has everything repeated: after a fault behind the
// handing on of a rest, that is the object and its rest.
func (p *plan) repeatable() int {
	return (1<<len(p.injections) - 1) * p.lines() * len(p.destinations())
}

// atRandom chooses what comes in, what trouble there is, and which processes end where.
func atRandom(random *rand.Rand) plan {
	often := func(percent int) bool { return random.IntN(100) < percent }
	p := plan{
		outage: often(60), replayOutage: often(25), noQueue: often(20), oneDown: often(15),
		reading: []reading{steady, steady, halting, stalled}[random.IntN(4)],
	}
	entries := []rig.Entry{rig.CloudWatch, rig.Kinesis, rig.Firehose, rig.S3, rig.S3Queue}
	random.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	for _, e := range entries[:1+random.IntN(2)] {
		p.feeds = append(p.feeds, feed{entry: e, events: 1 + random.IntN(3), lines: 1 + random.IntN(eventLines)})
	}
	if p.reading != steady { // which shows with large objects alone
		p.feeds = append(p.feeds, feed{entry: rig.S3Queue, events: 1, lines: objectLines})
	}
	for range 1 + random.IntN(maxFaults) {
		p.addFault(random)
	}
	return p
}

// addFault ends one more process of a function: the one behind those that end already.
func (p *plan) addFault(random *rand.Rand) {
	f := rig.ReplayFunction
	if n := random.IntN(len(p.feeds) + 1); n < len(p.feeds) {
		f = functionOf(p.feeds[n].entry)
	}
	points := p.passed(f)
	if len(points) == 0 {
		return
	}
	process := 1
	for _, i := range p.injections {
		if i.function == f {
			process++
		}
	}
	p.injections = append(p.injections, injection{
		function: f, process: process, point: points[random.IntN(len(points))],
		action: []string{exit, exit, exit, panics, panics, hang}[random.IntN(6)], nth: []int{1, 1, 1, 2, 3}[random.IntN(5)],
	})
}

// shrink makes a plan that fails as small as it can, with at most so many tries: first with fewer faults, then with less that
// goes wrong beside them, then with less that comes in.
func shrink(p plan, tries int, fails func(plan) bool) plan {
	for smaller := true; smaller; {
		smaller = false
		for _, candidate := range p.smaller() {
			if tries--; tries < 0 {
				return p
			}
			if fails(candidate) {
				p, smaller = candidate, true
				break
			}
		}
	}
	return p
}

// smaller are the plans that have one thing less.
func (p *plan) smaller() []plan {
	var list []plan
	but := func(change func(*plan)) {
		c := *p
		c.injections, c.feeds = slices.Clone(p.injections), slices.Clone(p.feeds)
		change(&c)
		list = append(list, c)
	}
	for i := range p.injections {
		but(func(c *plan) { c.injections = slices.Delete(c.injections, i, i+1) })
	}
	for _, flag := range []func(*plan) *bool{
		func(c *plan) *bool { return &c.replayOutage }, func(c *plan) *bool { return &c.oneDown },
		func(c *plan) *bool { return &c.noQueue }, func(c *plan) *bool { return &c.outage },
	} {
		if *flag(p) {
			but(func(c *plan) { *flag(c) = false })
		}
	}
	if p.reading != steady {
		but(func(c *plan) { c.reading = steady })
	}
	for i, f := range p.feeds {
		if len(p.feeds) > 1 {
			but(func(c *plan) { c.feeds = slices.Delete(c.feeds, i, i+1) })
		}
		if f.events > 1 {
			but(func(c *plan) { c.feeds[i].events = 1 })
		}
	}
	return list
}
