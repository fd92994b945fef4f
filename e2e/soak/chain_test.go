package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func statesOf(seed uint64, n int) []state {
	c := newChain(seed)
	var list []state
	for range n {
		list = append(list, c.next())
	}
	return list
}

func TestChain(t *testing.T) {
	first, again := statesOf(1, 200), statesOf(1, 200)
	assert.Equal(t, first, again, "the same seed is the same trouble")
	assert.NotEqual(t, statesOf(1, 200), statesOf(2, 200))

	const steps = 5000
	visits := map[state]int{}
	last := healthy
	for _, s := range statesOf(3, steps) {
		visits[s]++
		assert.False(t, s != healthy && s == last, "%s follows itself", s)
		last = s
	}
	for _, f := range faults {
		assert.Greater(t, visits[f.state], steps/100, "%s is hardly ever chosen", f.state)
	}
	assert.Greater(t, visits[healthy], steps/4)
	assert.Less(t, visits[healthy], 3*steps/4)
}

func TestPace(t *testing.T) {
	for name, tc := range map[string]struct {
		length, calm, step, killMin, killMax, replay time.Duration
	}{
		"a night": {20 * time.Minute, 2 * time.Minute, 5 * time.Second, 20 * time.Second, 40 * time.Second, 10 * time.Second},
		"a pull request": {
			3 * time.Minute, time.Minute, 5 * time.Second, 20 * time.Second, 40 * time.Second, 10 * time.Second,
		},
		"a test": {
			15 * time.Second, 5 * time.Second, 1250 * time.Millisecond, 5 * time.Second, 10 * time.Second, 2500 * time.Millisecond,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPace(tc.length)
			assert.Equal(t, tc.length, p.faulty+p.calm)
			assert.Equal(t, tc.calm, p.calm)
			assert.Equal(t, tc.step, p.step)
			assert.Equal(t, tc.killMin, p.killMin)
			assert.Equal(t, tc.killMax, p.killMax)
			assert.Equal(t, tc.replay, p.replay)
		})
	}
}
