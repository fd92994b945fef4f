package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"sluice/e2e/stack"
)

// Budgets of the function.
const (
	maxGrowth      = 1.25 // of the peak, from the smallest object to any other
	noiseMiB       = 8    // peaks of equal runs lie up to 5 MiB apart: by when the collector runs, and how answers bunch
	maxWallRatio   = 1.3  // of wall time to processor time
	strictInFlight = 16   // from so many requests in flight on, waiting for the intake must not show
)

// budgetMiB is what the peak may be, and whether there is a budget at all.
func budgetMiB(inFlight int) (float64, bool) {
	switch {
	case inFlight <= 4:
		return 48, true
	case inFlight <= 16:
		return 64, true
	default:
		return 0, false
	}
}

// figures are what one run gave.
type figures struct {
	sizeMiB, inFlight int
	wall, cpu         time.Duration // cpu is that of the function's process, from its start to its end
	peakBytes         int64         // of resident memory
	runs              int           // invocations
	requests          int           // answered with 202
	wireBytes         int64         // of their bodies
	lines             int           // of the object
	tally             tally
	ledger            stack.Destination // the function's own account
	machine           machine           // all processors meanwhile
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

func (f figures) lost() int          { return f.lines - f.tally.arrived }
func (f figures) wallRatio() float64 { return f.wall.Seconds() / f.cpu.Seconds() }

// others is what everything but the function took, as far as the clock of /proc/stat is exact.
func (f figures) others() time.Duration { return max(0, f.machine.busy-f.cpu) }

// String is one run in a line.
func (f figures) String() string {
	return fmt.Sprintf("wall %.2fs cpu %.2fs peak %.1f MiB, %d of %d lines", f.wall.Seconds(), f.cpu.Seconds(),
		mib(f.peakBytes), f.tally.arrived, f.lines)
}

// table shows all runs.
func table(all []figures) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "MiB\tin flight\twall s\tcpu s\twall:cpu\tpeak MiB\truns\trequests\twire MiB\tlines/s\tlines\tlost\ttwice\tothers s\tidle s\t")
	for _, f := range all {
		fmt.Fprintf(w, "%d\t%d\t%.2f\t%.2f\t%.2f\t%.1f\t%d\t%d\t%.1f\t%.0f\t%d\t%d\t%d\t%.2f\t%.2f\t\n",
			f.sizeMiB, f.inFlight, f.wall.Seconds(), f.cpu.Seconds(), f.wallRatio(), mib(f.peakBytes), f.runs, f.requests,
			mib(f.wireBytes), float64(f.lines)/f.wall.Seconds(), f.lines, f.lost(), f.tally.twice,
			f.others().Seconds(), f.machine.idle.Seconds())
	}
	w.Flush()
	return b.String()
}

// judge says what is wrong with the runs, all of it.
func judge(all []figures, strict bool) error {
	var wrong []error
	smallest := map[int]figures{} // by requests in flight
	for _, f := range all {
		at := fmt.Sprintf("%d MiB with %d in flight", f.sizeMiB, f.inFlight)
		if first, ok := smallest[f.inFlight]; !ok || f.sizeMiB < first.sizeMiB {
			smallest[f.inFlight] = f
		}
		wrong = append(wrong, f.unaccounted(at))
		if budget, ok := budgetMiB(f.inFlight); ok && mib(f.peakBytes) > budget {
			wrong = append(wrong, fmt.Errorf("%s: the peak of %.1f MiB is over the budget of %.0f MiB", at, mib(f.peakBytes), budget))
		}
		if strict && f.inFlight >= strictInFlight && f.wallRatio() > maxWallRatio {
			wrong = append(wrong, fmt.Errorf("%s: wall time is %.2f times the processor time, over %.1f; see idle and others for"+
				" whether it waited or the machine was busy", at, f.wallRatio(), maxWallRatio))
		}
	}
	for _, f := range all {
		wrong = append(wrong, f.grown(smallest[f.inFlight]))
	}
	return errors.Join(wrong...)
}

// grown says by how much the peak is above that of the smallest object, if that is more than chance.
func (f figures) grown(smallest figures) error {
	small, large := mib(smallest.peakBytes), mib(f.peakBytes)
	if large <= small*maxGrowth || large <= small+noiseMiB {
		return nil
	}
	return fmt.Errorf("%d in flight: the peak grows with the object: %.1f MiB for %d MiB, %.1f MiB for %d MiB",
		f.inFlight, small, smallest.sizeMiB, large, f.sizeMiB)
}

// unaccounted says what happened to the lines if it was not that each arrived as it was and the ledger says so. A line that
// arrived twice is none of that: the contract allows it after a request without an answer, and the table shows it.
func (f figures) unaccounted(at string) error {
	if f.runs > 1 && f.tally.twice != 0 {
		return fmt.Errorf("%s: %d lines arrived twice in %d invocations, each of which goes on where the last one ended", at, f.tally.twice, f.runs)
	}
	if f.lost() != 0 || f.tally.damaged != 0 {
		return fmt.Errorf("%s: of %d lines %d are lost; %d items are damaged", at, f.lines, f.lost(), f.tally.damaged)
	}
	if f.ledger.In != f.lines || f.ledger.Delivered != f.lines || !f.ledger.Balanced() {
		return fmt.Errorf("%s: all %d lines arrived, but the ledger says %+v", at, f.lines, f.ledger)
	}
	return nil
}
