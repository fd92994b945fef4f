// Command rss measures the peak memory of both function binaries under events as large as they can be, of text that hardly
// compresses and of payloads that inflate to about 30 MB: asynchronous events just under 1 MiB for cloudwatch, batches of
// records just under 6 MiB for kinesis.
//
// It prints a line "<function> peak_rss_mib=…" for each and fails above its budget. It is run in the folder e2e.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"time"

	"sluice/e2e/stack"
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
}

// subjects returns what is measured. Kinesis has the larger budget because its event is six times as large as an
// asynchronous one, and Lambda's runtime holds it whole until the function has answered.
func subjects() []subject {
	return []subject{
		{function: "cloudwatch", budgetMiB: 48, invocations: 200, events: largeEvents},
		{function: "kinesis", budgetMiB: 64, invocations: 25, events: largeBatches},
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
	var wrong []error
	for _, s := range subjects() {
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
	function, err := stack.New(stack.Config{
		Binary: binary, Name: "sluice-" + s.function, MemoryMiB: 128,
		Env: map[string]string{"DD_API_KEY": apiKey, "DD_URL": intake},
	})
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
