package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/e2e/audit"
)

// Gates of a run (delivery contract 4.5).
const (
	maxSlope   = 1.0 // MiB a minute, of the resident set of a process
	maxFiles   = 16  // by which the floor of open files may rise: connections are kept, as many as there were at once
	maxThreads = 4   // likewise
)

// report is what a run ends with.
type report struct {
	seed     uint64
	length   time.Duration // in which lines were fed
	counts   *counts
	pending  int // objects below pending/ and events that Lambda has given up, that are there still
	broken   int // items that were no whole line
	problems []string
	memory   memory
	kills    int
	ways     passage
	stories  []string // of duplicates without a cause; a few

	ownPeakBytes int64 // of the soak itself
}

// memory is what the processes used, by the worst of them.
type memory struct {
	judged  int    // processes that lived long enough
	trend   trend  // of the function whose processes grow most surely
	of      string // this function
	files   int    // the highest rise
	threads int
	rows    []string // one for each process that was judged
}

// judge finds the worst of the processes, and the function whose processes grow: of one process that lives for a minute or
// two, a slope tells little, and the steepest of fifty tells less.
func judge(lives []*life, p pace) memory {
	var m memory
	steady := map[string][][]sample{}
	for _, l := range lives {
		samples := l.after(p.warmUp)
		if span(samples) < p.steady {
			continue
		}
		m.judged++
		steady[l.function()] = append(steady[l.function()], samples)
		files := rise(samples, func(s sample) int { return s.files })
		threads := rise(samples, func(s sample) int { return s.threads })
		m.files, m.threads = max(m.files, files), max(m.threads, threads)
		rate, last := trendOf(samples), samples[len(samples)-1]
		m.rows = append(m.rows, fmt.Sprintf("%-14s %4.0fs  %5.1f MiB  %+6.2f±%.2f MiB/min  %3d files (%+d)  %2d threads (%+d)", l.name,
			span(samples).Seconds(), mib(last.rssBytes), rate.slope, rate.within, last.files, files, last.threads, threads))
	}
	for _, function := range slices.Sorted(maps.Keys(steady)) {
		rate := trendOf(steady[function]...)
		if m.of == "" || rate.atLeast() > m.trend.atLeast() {
			m.trend, m.of = rate, function
		}
		m.rows = append(m.rows, fmt.Sprintf("%-14s all %d  %+6.2f±%.2f MiB/min", function, len(steady[function]), rate.slope, rate.within))
	}
	return m
}

// Verdict is nil when every gate holds.
func (r *report) Verdict() error {
	var faults []error
	fail := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	c := r.counts
	examples := func(kind string) string { return strings.Join(c.Examples[kind], ", ") }
	fail(c.In == 0, "no line was fed")
	fail(c.Lost > 0, "%d lines are lost, such as %s", c.Lost, examples("lost"))
	fail(c.Duplicates[audit.Unexplained] > 0, "%d duplicates have no cause, such as %s", c.Duplicates[audit.Unexplained],
		examples(string(audit.Unexplained)))
	fail(c.Corrupted > 0, "%d lines arrived corrupted, such as %s", c.Corrupted, examples("corrupted"))
	fail(c.Unknown > 0, "%d lines arrived that nobody sent, such as %s", c.Unknown, examples("unknown"))
	fail(r.broken > 0, "%d items arrived that are no whole lines", r.broken)
	fail(r.pending > 0 || c.Parked > 0, "%d objects are pending still, with %d lines that came nowhere", r.pending, c.Parked)
	fail(c.Returned > 0, "%d lines are with their owner still", c.Returned)
	fail(c.Delivered+c.Dead+c.Parked+c.Returned+c.Lost != c.In, "%d lines went in, and %d are accounted for", c.In,
		c.Delivered+c.Dead+c.Parked+c.Returned+c.Lost)
	for _, problem := range slices.Concat(c.Problems, r.problems) {
		faults = append(faults, errors.New(problem))
	}
	m := r.memory
	fail(m.trend.atLeast() >= maxSlope, "the memory of %s grows by %.2f MiB a minute, give or take %.2f; the limit is %.0f", m.of,
		m.trend.slope, m.trend.within, maxSlope)
	fail(m.judged == 0 && r.length >= longRun, "no process lived long enough to tell whether its memory grows")
	fail(m.files > maxFiles, "a process keeps %d files more open in its second half than in its first", m.files)
	fail(m.threads > maxThreads, "a process has %d threads more in its second half than in its first", m.threads)
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("seed %d: %w", r.seed, err)
	}
	return nil
}

// slopeText is the steepest slope, or a word when no process lived long enough to tell.
func (m *memory) slopeText() string {
	if m.judged == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%.2f±%.2f", m.trend.slope, m.trend.within)
}

// String is the last line of a run.
func (r *report) String() string {
	c := r.counts
	classes := make([]string, 0, len(c.Duplicates))
	duplicates := 0
	for _, class := range slices.Sorted(maps.Keys(c.Duplicates)) {
		classes = append(classes, fmt.Sprintf("%s:%d", class, c.Duplicates[class]))
		duplicates += c.Duplicates[class]
	}
	return fmt.Sprintf("soak: lines=%d rate=%.0f/s delivered=%d dead=%d duplicates=%d [%s] unexplained=%d kills=%d"+
		" own_peak_mib=%.0f lost=%d pending=%d rss_slope_mib_per_min=%s fds=%+d threads=%+d seed=%d",
		c.In, float64(c.In)/r.length.Seconds(), c.Delivered, c.Dead, duplicates, strings.Join(classes, " "),
		c.Duplicates[audit.Unexplained], r.kills, mib(r.ownPeakBytes), c.Lost, r.pending, r.memory.slopeText(), r.memory.files,
		r.memory.threads, r.seed)
}
