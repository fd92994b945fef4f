package main

import (
	"math"
	"strings"
	"time"
)

// sample is what one process used at a moment.
type sample struct {
	at       time.Duration // since the start of the run
	rssBytes int64
	files    int // open file descriptors
	threads  int
}

// life is one process from its start to its end, as it was sampled.
type life struct {
	name    string // "<function>/<number among its processes>"
	samples []sample
}

// function is whose process it was.
func (l *life) function() string {
	name, _, _ := strings.Cut(l.name, "/")
	return name
}

// after is the samples of a life but for those of its first moments, in which a process fills its caches and its heap.
func (l *life) after(warmUp time.Duration) []sample {
	for i, s := range l.samples {
		if s.at-l.samples[0].at >= warmUp {
			return l.samples[i:]
		}
	}
	return nil
}

// span is the time between the first and the last sample.
func span(samples []sample) time.Duration {
	if len(samples) == 0 {
		return 0
	}
	return samples[len(samples)-1].at - samples[0].at
}

// trend is how fast the resident set of a process grows, or that of all processes of a function, in MiB a minute, and how far that may be off by chance (one standard
// error).
type trend struct{ slope, within float64 }

// atLeast is what the growth is almost certainly not below.
func (t trend) atLeast() float64 { return t.slope - 2*t.within }

// breath is the time in which a heap grows and shrinks: samples within it tell the same.
const breath = 10 * time.Second

// trendOf lays least squares lines through the samples of each life, all of one slope: processes start with different heaps,
// and what one function leaks, all of its processes leak. Three moments of a life are the least that tell anything.
func trendOf(lives ...[]sample) trend {
	var cross, squareX, squareY, free, told, all float64
	for _, samples := range lives {
		const least = 3
		if len(samples) < least {
			continue
		}
		c, x, y := moments(samples)
		cross, squareX, squareY = cross+c, squareX+x, squareY+y
		n := float64(len(samples))
		free, all, told = free+n-1, all+n, told+1+float64(span(samples))/float64(breath)
	}
	if squareX == 0 {
		return trend{}
	}
	t := trend{slope: cross / squareX}
	rest := max(0, squareY-t.slope*cross) // of the samples' distances from their lines, squared
	t.within = math.Sqrt(rest / (free - 1) / squareX * max(1, all/told))
	return t
}

// moments are the sums of products of the samples' distances from their means: minutes by MiB, minutes and MiB.
func moments(samples []sample) (cross, squareX, squareY float64) {
	n := float64(len(samples))
	var meanX, meanY float64
	for _, s := range samples {
		meanX += s.at.Minutes() / n
		meanY += mib(s.rssBytes) / n
	}
	for _, s := range samples {
		dx, dy := s.at.Minutes()-meanX, mib(s.rssBytes)-meanY
		cross += dx * dy
		squareX += dx * dx
		squareY += dy * dy
	}
	return cross, squareX, squareY
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// rise is by how much the floor of a count is higher in the second half of the samples than in the first. What is used for
// a while comes and goes; what is never given back lifts the floor.
func rise(samples []sample, count func(sample) int) int {
	half := len(samples) / 2
	if half == 0 {
		return 0
	}
	floor := func(part []sample) int {
		least := count(part[0])
		for _, s := range part {
			least = min(least, count(s))
		}
		return least
	}
	return floor(samples[half:]) - floor(samples[:half])
}
