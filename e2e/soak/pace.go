package main

import "time"

// pace is how long the parts of a run take (delivery contract 4.5).
type pace struct {
	faulty   time.Duration // first part: faults and kills
	calm     time.Duration // last part: lines, and nothing else
	step     time.Duration // between two choices of a fault
	killMin  time.Duration // between two kills
	killMax  time.Duration
	replay   time.Duration // between two replays
	rotation time.Duration // at least, between two rotations of the key: a container reads a secret again once a minute at most
	restarts time.Duration // from the start: when all processes are started anew, for the last time
	warmUp   time.Duration // of a process, before its memory counts
	steady   time.Duration // that a process must have lived beyond that for its memory to be judged
}

const (
	shortRun = time.Minute     // below it, everything happens faster
	longRun  = 3 * time.Minute // from it on, processes live long enough to be judged
	maxCalm  = 2 * time.Minute
)

// newPace divides a run.
func newPace(length time.Duration) pace {
	calm := min(maxCalm, length/3)
	p := pace{
		faulty: length - calm, calm: calm,
		step: 5 * time.Second, killMin: 20 * time.Second, killMax: 40 * time.Second, replay: 10 * time.Second,
		rotation: time.Minute, warmUp: 30 * time.Second, steady: time.Minute,
	}
	p.restarts = p.faulty
	if length >= longRun {
		p.restarts = min(p.faulty, length-p.warmUp-p.steady)
	}
	if length < shortRun {
		share := length.Seconds() / shortRun.Seconds()
		faster := func(d time.Duration) time.Duration { return time.Duration(share * float64(d)) }
		p.step, p.killMin, p.killMax, p.replay = faster(p.step), faster(p.killMin), faster(p.killMax), faster(p.replay)
	}
	return p
}
