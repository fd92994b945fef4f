// Command rss measures the peak memory of the function binaries under the worst they can be given: text that hardly
// compresses, text that inflates to a multiple, lines of megabytes. That is asynchronous events just under 1 MiB for
// cloudwatch, batches of records just under 6 MiB for kinesis, and objects of 64 MB with 16 requests in flight for s3. That
// memory does not grow with an object is for the command bench to show.
//
// It prints a line "<function> peak_rss_mib=…" for each and fails above its budget. It is run in the folder e2e.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"time"

	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/loopback"
)

const (
	apiKey       = "deadbeefdeadbeefdeadbeefdeadbeef" // invented
	networkDelay = 5 * time.Millisecond
)

// subject is one function and what it has to bear.
type subject struct {
	function    string // folder in functions/
	budgetMiB   float64
	invocations int
	events      func() ([][]byte, error) // handed over in turn
	env         map[string]string        // beside the intake's
}

// subjects returns what is measured. Kinesis has a larger budget than cloudwatch because its event is six times as large as
// an asynchronous one, and Lambda's runtime holds it whole until the function has answered; s3 because it has 16 requests in
// flight.
func subjects(ctx context.Context, store *bucket.Server) []subject {
	env := maps.Clone(store.Env())
	env["SLUICE_MAX_IN_FLIGHT"] = "16"
	return []subject{
		{function: "cloudwatch", budgetMiB: 48, invocations: 200, events: largeEvents},
		{function: "kinesis", budgetMiB: 64, invocations: 25, events: largeBatches},
		{
			function: "s3", budgetMiB: 64, invocations: 2 * len(contents()), env: env,
			events: func() ([][]byte, error) { return largeObjects(ctx, store) },
		},
	}
}

func main() {
	if err := interruptible(run); err != nil {
		fmt.Fprintln(os.Stderr, "rss:", err)
		os.Exit(1)
	}
}

// interruptible runs do until it ends or somebody presses Ctrl-C.
func interruptible(do func(context.Context, io.Writer) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return do(ctx, os.Stdout)
}

// run measures every function, also after one that is over its budget.
func run(ctx context.Context, out io.Writer) (err error) {
	sink, err := loopback.Serve(http.HandlerFunc(swallow)) //nolint:contextcheck // it lives until it is closed
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sink.Close()) }()
	store, err := bucket.Start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	var wrong []error
	for _, s := range subjects(ctx, store) {
		peak, err := s.measure(ctx, sink.URL())
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", s.function, err))
			continue
		}
		fmt.Fprintf(out, "%s peak_rss_mib=%.1f\n", s.function, peak)
		if peak > s.budgetMiB {
			wrong = append(wrong, fmt.Errorf("%s: the peak of %.1f MiB is over the budget of %.0f MiB", s.function, peak, s.budgetMiB))
		}
	}
	return errors.Join(wrong...)
}

// swallow is an intake that takes everything and looks at nothing: its work would only slow the measurement down.
func swallow(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return // the function went away
	}
	time.Sleep(networkDelay)
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, "{}")
}

// measure builds the function, has it send all events to an intake and returns its peak in MiB.
func (s subject) measure(ctx context.Context, intake string) (peak float64, err error) {
	events, err := s.events()
	if err != nil {
		return 0, err
	}
	binary, err := stack.Build(ctx, "..", "./functions/"+s.function)
	if err != nil {
		return 0, err
	}
	env := map[string]string{"DD_API_KEY": apiKey, "DD_URL": intake}
	maps.Copy(env, s.env)
	function, err := stack.New(stack.Config{Binary: binary, Name: "sluice-" + s.function, MemoryMiB: 128, Env: env})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, function.Close()) }()
	for i := range s.invocations {
		if err := invoke(ctx, function, events[i%len(events)]); err != nil {
			return 0, fmt.Errorf("invocation %d: %w", i+1, err)
		}
	}
	return float64(function.Usage().PeakRSSBytes) / (1 << 20), nil
}

// invoke hands over one event. An event that comes back, whole or in part, is an error: it was less work than it seems.
func invoke(ctx context.Context, function *stack.Function, event []byte) error {
	result, err := function.Invoke(ctx, event)
	if err != nil {
		return err
	}
	if result.Error != nil {
		return result.Error
	}
	if bytes.Contains(result.Response, []byte("itemIdentifier")) {
		return fmt.Errorf("records were returned: %s", result.Response)
	}
	return nil
}
