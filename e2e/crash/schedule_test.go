package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/e2e/rig"
)

func TestSchedulesDependOnSeedAndNumber(t *testing.T) {
	ten, two := schedules(3, 10), schedules(3, 2)
	assert.Equal(t, two, ten[:2])
	assert.Equal(t, ten, schedules(3, 10))
	assert.NotEqual(t, ten[0].String(), schedules(4, 1)[0].String())
}

func TestSchedulesAreBounded(t *testing.T) {
	faults := 0
	for _, c := range schedules(1, 300) {
		faults += len(c.injections)
		assert.LessOrEqual(t, len(c.injections), maxFaults)
		assert.NotEmpty(t, c.feeds)
		type process struct {
			function rig.Function
			number   int
		}
		var ends []process
		for _, i := range c.injections {
			assert.Contains(t, c.passed(i.function), i.point)
			at := process{i.function, i.process}
			assert.NotContains(t, ends, at, c.name)
			ends = append(ends, at)
		}
	}
	assert.Greater(t, faults, 300)
}

// A schedule shrinks to what it fails by: the one fault of several, with what that needs.
func TestShrink(t *testing.T) {
	culprit := injection{"s3", 2, "after_park", exit, 1}
	big := plan{
		outage: true, replayOutage: true, oneDown: true, noQueue: true, reading: stalled,
		feeds: []feed{{entry: rig.CloudWatch, events: 3, lines: 10}, {entry: rig.S3, events: 2, lines: 10}},
		injections: []injection{
			{"s3", 1, "decoded", exit, 1}, culprit, {"replay", 1, "leased", hang, 2}, {"cloudwatch", 1, "accepted", panics, 1},
		},
	}
	tries := 0
	fails := func(p plan) bool {
		tries++
		return p.outage && slices.Contains(p.injections, culprit) &&
			slices.ContainsFunc(p.feeds, func(f feed) bool { return f.entry == rig.S3 })
	}

	small := shrink(big, 100, fails)

	want := plan{outage: true, feeds: []feed{{entry: rig.S3, events: 1, lines: 10}}, injections: []injection{culprit}}
	assert.Equal(t, want, small)
	assert.Less(t, tries, 100)
	assert.Len(t, big.injections, 4, "what was shrunk is as it was")
	assert.Equal(t, "s3: 1 x 10 lines; outage; faults: [s3#2 after_park:exit:1]", small.String())
}

func TestShrinkEndsByItsTries(t *testing.T) {
	tries := 0
	shrink(schedules(1, 1)[0].plan, 3, func(plan) bool {
		tries++
		return false
	})
	assert.LessOrEqual(t, tries, 3)
}
