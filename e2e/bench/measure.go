package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"time"

	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/notify"
)

const (
	apiKey      = "deadbeefdeadbeefdeadbeefdeadbeef" // invented
	bucketName  = "example-logs"
	destination = "datadog"        // the one that the environment describes
	ledgerTime  = 10 * time.Second // for a line that was written before the answer
)

// bench measures one binary on one S3 server.
type bench struct {
	opts   options
	binary string
	store  *bucket.Server
	out    io.Writer
}

// size measures one object with every number of requests in flight. The object is gone afterwards.
func (b *bench) size(ctx context.Context, sizeMiB int) ([]figures, error) {
	put, c, err := b.prepare(ctx, sizeMiB)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(b.out, "object of %d MiB: %d lines, %.1f MiB packed\n", sizeMiB, c.lines, mib(put.Size))
	var all []figures
	for _, inFlight := range b.opts.inFlight {
		f, err := b.once(ctx, put, c, inFlight)
		if err != nil {
			return nil, fmt.Errorf("%d in flight: %w", inFlight, err)
		}
		f.sizeMiB = sizeMiB
		fmt.Fprintf(b.out, "  %d in flight: %s\n", inFlight, f)
		all = append(all, f)
	}
	if err := b.store.Delete(ctx, put.Bucket, put.Key); err != nil {
		return nil, fmt.Errorf("make room for the next object: %w", err)
	}
	return all, nil
}

// prepare puts an object of sizeMiB plain bytes into the bucket.
func (b *bench) prepare(ctx context.Context, sizeMiB int) (notify.Object, corpus, error) {
	const key = "AWSLogs/123456789012/elasticloadbalancing/eu-west-1/2026/02/01/123456789012_elasticloadbalancing_" +
		"eu-west-1_app.shop.50dc6c495c0c9188_20260201T0000Z_192.0.2.1_%dmib.log.gz"
	reader, writer := io.Pipe()
	var c corpus
	go func() {
		var err error
		c, err = writeCorpus(writer, int64(sizeMiB)<<20, time.Now())
		writer.CloseWithError(err)
	}()
	put, err := b.store.PutObject(ctx, bucketName, fmt.Sprintf(key, sizeMiB), reader)
	reader.Close() // ends the other side if the object was refused
	if err != nil {
		return notify.Object{}, corpus{}, fmt.Errorf("prepare it: %w", err)
	}
	return put, c, nil // the other side has ended: the reader came to its end
}

// once runs a fresh process over one object, and checks what arrived.
func (b *bench) once(ctx context.Context, put notify.Object, c corpus, inFlight int) (f figures, err error) {
	intake, err := newSink(b.opts.latency) //nolint:contextcheck // it lives until it is closed
	if err != nil {
		return figures{}, err
	}
	defer func() { err = errors.Join(err, intake.Close()) }()
	f, err = b.invoke(ctx, put, intake.URL(), inFlight)
	if err != nil {
		return figures{}, err
	}
	bodies, err := intake.taken()
	if err != nil {
		return figures{}, fmt.Errorf("the intake is at fault: %w", err)
	}
	f.inFlight, f.lines, f.requests = inFlight, c.lines, len(bodies)
	for _, body := range bodies {
		f.wireBytes += body.length
	}
	if f.tally, err = verify(intake, bodies, c.lines); err != nil {
		return figures{}, fmt.Errorf("check what arrived: %w", err)
	}
	return f, nil
}

func (b *bench) env(intake string, inFlight int) map[string]string {
	env := maps.Clone(b.store.Env())
	maps.Copy(env, map[string]string{
		"DD_API_KEY":           apiKey,
		"DD_URL":               intake,
		"SLUICE_COMPRESSION":   b.opts.compression,
		"SLUICE_MAX_IN_FLIGHT": strconv.Itoa(inFlight),
	})
	return env
}

// ledger is the function's own account of the invocation. One that failed is an error: it was less work than it seems.
func (b *bench) ledger(ctx context.Context, function *stack.Function, result stack.Result) (stack.Ledger, error) {
	if result.Error != nil {
		return stack.Ledger{}, fmt.Errorf("the function failed: %w; it printed %q", result.Error, function.Output())
	}
	ctx, cancel := context.WithTimeout(ctx, ledgerTime)
	defer cancel()
	ledger, err := function.Ledger(ctx, result.RequestID)
	if err != nil {
		return stack.Ledger{}, fmt.Errorf("no ledger came; the function printed %q: %w", function.Output(), err)
	}
	return ledger, nil
}
