// Command demo shows the whole loop on one machine: the two functions as they are deployed, driven over the Lambda
// Runtime API by stand-ins for the services that own the events, sending to a stand-in for the intake, with an outage in
// the middle. It ends with a ledger that accounts for every line, and fails when that does not balance.
//
// It is run in the folder e2e. It uses no network but the loopback interface and no AWS account.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"sluice/e2e/audit"
)

func main() {
	if err := interruptible(run); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// interruptible runs do until it ends or somebody presses Ctrl-C.
func interruptible(do func(context.Context, io.Writer) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return do(ctx, os.Stdout)
}

// run plays the demo and returns an error unless every line is accounted for.
func run(ctx context.Context, out io.Writer) error {
	work, err := prepare(filepath.Join("..", "events"))
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "building functions/cloudwatch and functions/kinesis (a cold build takes minutes, a warm one seconds)")
	scene, err := open(ctx)
	if err != nil {
		return err
	}
	defer scene.close()

	fmt.Fprintf(out, "sending %d lines in %d events; the intake fails for %s on the way\n", len(work.lines), work.events, outageLength)
	if err := scene.play(ctx, work, newProgress(out, len(work.lines))); err != nil {
		return err
	}
	if err := scene.close(); err != nil {
		return err
	}
	entries := scene.intake.Entries()
	showRecords(out, entries, work)
	showFunctions(out, scene)
	report := audit.Join(scene.evidence(work, entries))
	showLedger(out, report)
	return report.Verdict()
}
