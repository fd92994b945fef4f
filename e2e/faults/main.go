// Command faults plays the fault matrix of the delivery contract (section 4.2): every fault, on every path of lines that
// it concerns, against the functions as they are deployed. A cell injects its fault, lets the owner of the events and the
// functions do what they do, ends the fault, lets replay empty the park store, and then says of every line what became of
// it.
//
// It promises one row a cell, a reason for each path that a fault does not concern, and an exit status that is not 0 when
// a line was lost, unaccounted or repeated without a cause that the contract knows, when a secret or a line's text stands
// where it must not, or when a cell did not end as the contract says. Minutes of an outage are played as "until the owner
// has given up": replay is told not to wait, and no clock is moved.
//
// It is run in the folder e2e. It uses no network but the loopback interface and no AWS account.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"regexp"
	"strings"
)

func main() {
	s := settings{}
	only := flag.String("run", "", "play the cells alone whose name fits this regular expression, such as \"F1 .*s3\"")
	flag.BoolVar(&s.short, "short", false, "play one cell or so of each fault")
	flag.BoolVar(&s.verbose, "v", false, "show what the functions of a failed cell printed at last")
	flag.Uint64Var(&s.seed, "seed", 1, "of lines, and of what goes wrong when")
	flag.IntVar(&s.jobs, "jobs", usualJobs, "cells that are played at once")
	flag.Parse()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // where servers complain of handshakes that fail on purpose
	if err := interruptible(s, *only); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// interruptible runs until the end or until somebody presses Ctrl-C.
func interruptible(s settings, only string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if s.only, err = regexp.Compile(only); err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	return report(ctx, os.Stdout, s)
}

// report plays the matrix and shows it. Its error says why the run is none to be content with.
func report(ctx context.Context, out io.Writer, s settings) error {
	rows := matrix() //nolint:contextcheck // cells are given theirs when they are played
	fmt.Fprintln(out, "building the functions and the S3 server (a cold build takes minutes, a warm one seconds)")
	outcomes, err := play(ctx, out, rows, s)
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	legend(out, outcomes)
	explain(out, outcomes, s.verbose)
	t := sum(outcomes)
	fmt.Fprintln(out, t)
	return t.verdict()
}

// explain says of each cell that failed why it did.
func explain(out io.Writer, outcomes []outcome, verbose bool) {
	for i := range outcomes {
		o := &outcomes[i]
		problems := o.problems()
		if len(problems) == 0 {
			continue
		}
		fmt.Fprintf(out, "\nFAILED %s\n", o.task.name())
		for _, problem := range problems {
			fmt.Fprintf(out, "  %.*s\n", shownBytes, strings.ReplaceAll(problem, "\n", "; "))
		}
		if !verbose {
			continue
		}
		for _, line := range o.output {
			fmt.Fprintf(out, "  | %.*s\n", shownBytes, line)
		}
	}
}

const shownBytes = 1200 // of a problem, and of a line of output
