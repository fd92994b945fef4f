// Command demo shows the whole loop on one machine: the functions as they are deployed, driven over the Lambda Runtime
// API by stand-ins for the services that own the events, reading objects from a local S3 server and sending to stand-ins
// for the intake, with an outage in the middle. What the intake does not take is parked, and replayed at the end. It ends
// with a ledger that accounts for every line, and fails when that does not balance.
//
// Some lines go through a Firehose delivery stream whose endpoint has an outage of its own: what Firehose could not deliver
// is read from the objects it writes.
//
// The lines of the one large object go to an intake that counts them by their marks and keeps no text, so the memory of
// the demo does not grow with it. That intake has no outage.
//
// It is run in the folder e2e. It uses no network but the loopback interface and no AWS account.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
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
	fmt.Fprintln(out, "building the functions and the S3 server (a cold build takes minutes, a warm one seconds)")
	scene, err := open(ctx)
	if err != nil {
		return err
	}
	defer scene.close()

	fmt.Fprintf(out, "putting %d objects into s3://%s, one of them of %d MiB and more\n",
		len(work.objects)+1, logBucket, largeLines*lineBytes>>20)
	if err := scene.put(ctx, work.objects); err != nil {
		return err
	}
	lines := len(work.lines) + scene.large.lines
	fmt.Fprintf(out, "sending %d lines in %d events; the intake fails for %s on the way\n", lines, work.events+1, outageLength)
	if err := scene.play(ctx, work, newProgress(out, lines)); err != nil {
		return err
	}
	if err := scene.replay(ctx, out); err != nil {
		return err
	}
	if err := scene.stop(); err != nil {
		return err
	}
	return account(ctx, out, scene, work)
}

// account shows what became of everything and returns an error unless it adds up.
func account(ctx context.Context, out io.Writer, scene *scene, work work) error {
	pointers, err := parked(ctx, scene.bucket)
	if err != nil {
		return err
	}
	entries := opened(scene.intake.Entries())
	store, err := scene.store(ctx, work)
	if err != nil {
		return err
	}
	report := scene.audit(work, entries, store)
	showSources(out, entries)
	showSum(out, report, sum{named: len(entries), large: scene.large.taken(), stream: scene.loop.taken()})
	showRecords(out, entries, work)
	showObjects(out, scene, work.objects)
	scene.loop.show(out, scene.bucket, len(work.records))
	showParked(out, pointers)
	showFunctions(out, scene.functions)
	showLedger(out, report)
	return errors.Join(report.Verdict(), checkParked(pointers, work.objects), scene.close())
}
