package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"

	"sluice/e2e/rig"
)

// settings are what the command is told.
type settings struct {
	only    *regexp.Regexp // of the names of cells; nil means all
	short   bool
	verbose bool
	seed    uint64
	jobs    int
}

const (
	usualJobs = 4 // most of a cell's time is spent waiting
	cellTime  = 3 * time.Minute
	lastLines = 12 // of a function's output
)

// play plays the cells of a matrix and writes their rows in order.
func play(ctx context.Context, out io.Writer, rows []row, s settings) ([]outcome, error) {
	lab, err := rig.Open(ctx, rig.LabOptions{})
	if err != nil {
		return nil, err
	}
	defer lab.Close()                   // of what it says, nothing counts any more
	if err := lab.Build(); err != nil { //nolint:contextcheck // what is built is kept for the next run
		return nil, err
	}
	list := chosen(tasks(rows, s.short), s.only)
	ended := make([]chan outcome, len(list))
	free := make(chan struct{}, max(1, s.jobs))
	for i := range list {
		ended[i] = make(chan outcome, 1)
	}
	go func() {
		for i, t := range list {
			free <- struct{}{}
			go func() {
				defer func() { <-free }()
				ended[i] <- t.play(ctx, lab, s.seed)
			}()
		}
	}()
	return show(out, rows, list, ended), ctx.Err()
}

// chosen are the tasks with a name that fits.
func chosen(list []task, only *regexp.Regexp) []task {
	var fit []task
	for _, t := range list {
		if only == nil || only.MatchString(t.name()) {
			fit = append(fit, t)
		}
	}
	return fit
}

// show writes the rows as their cells end, in order.
func show(out io.Writer, rows []row, list []task, ended []chan outcome) []outcome {
	t := &table{out: out, columns: columns()}
	t.head()
	outcomes := make([]outcome, 0, len(list))
	for i := range rows {
		begun := len(outcomes)
		for len(outcomes) < len(list) && list[len(outcomes)].row == &rows[i] {
			o := <-ended[len(outcomes)]
			outcomes = append(outcomes, o)
			t.row(&o)
		}
		if len(outcomes) > begun {
			t.none(&rows[i])
		}
	}
	return outcomes
}

// play plays one cell.
func (t task) play(ctx context.Context, lab *rig.Lab, seed uint64) (o outcome) {
	ctx, cancel := context.WithTimeout(ctx, cellTime)
	defer cancel()
	started := time.Now()
	r := &run{
		ctx: ctx, path: t.path, lines: t.cell.lines, notes: map[string]int{}, random: rand.New(rand.NewPCG(seed, seedOf(t.name()))),
	}
	if r.lines == 0 {
		r.lines = usualLines
	}
	o = outcome{task: t}
	defer func() {
		if p := recover(); p != nil {
			o.err = errors.Join(o.err, fmt.Errorf("panic: %v", p))
		}
		o.err = errors.Join(o.err, r.close())
		o.wall = time.Since(started)
	}()
	o.err = r.open(lab, t, seed)
	if o.err == nil {
		o.err = r.play(t.cell)
	}
	if r.Rig != nil {
		o.read(r) //nolint:contextcheck // nothing is built any more
	}
	return o
}

// read takes what is known of a run.
func (o *outcome) read(r *run) {
	o.mid, o.end, o.dropped, o.unmet = r.mid, r.end, r.dropped(), r.unmet
	for _, f := range rig.Functions() {
		for _, ledger := range r.Ledgers(f) {
			o.claimed += ledger.Unaccounted
		}
	}
	o.output = r.printed()
}

// printed are the last lines of what the functions printed.
func (r *run) printed() []string {
	var list []string
	for _, f := range rig.Functions() {
		if len(r.Ledgers(f)) == 0 {
			continue
		}
		function, err := r.Function(f)
		if err != nil {
			continue
		}
		lines := function.Output()
		for _, line := range lines[max(0, len(lines)-lastLines):] {
			list = append(list, string(f)+": "+withoutMetrics(line))
		}
	}
	return list
}

// withoutMetrics is a ledger line without what says of it that it is metrics.
func withoutMetrics(line string) string {
	_, counts, found := strings.Cut(line, `"function_version":`)
	if found {
		return counts
	}
	return line
}

// seedOf makes cells differ from one another, and not from what they were in another run.
func seedOf(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash does not fail
	return h.Sum64()
}
