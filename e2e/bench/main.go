// Command bench measures functions/s3 as it is deployed: the real binary over the Lambda Runtime API, objects of load
// balancer lines in a real S3 server, and an intake that answers after 30 ms as one far away does.
//
// For every size of object and number of requests in flight it prints wall time, processor time of the function alone,
// peak memory, requests, bytes on the wire, lines per second, and what was lost. Each run is a fresh process. Objects are
// made before a run and what arrived is checked after it, so neither takes processor time from it; the S3 server, the proxy
// in front of it and the intake do, on the same machine.
//
// It fails when lines are lost, when the peak is over its budget, or when it grows with the object. It is run in the folder
// e2e.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"time"

	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
)

func main() {
	opts, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2) // package flag has said why
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err = run(ctx, opts, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// longest is the longest timeout that Lambda has (Lambda quotas).
const longest = 15 * time.Minute

// options say what is measured.
type options struct {
	sizesMiB    numbers       // of the objects, before compression
	inFlight    numbers       // SLUICE_MAX_IN_FLIGHT
	latency     time.Duration // of the intake
	memoryMiB   int           // of the function, as it is told
	compression string        // SLUICE_COMPRESSION
	binary      string        // what to measure; empty: what functions/s3 builds to
	strict      bool          // wall time counts too
	timeout     time.Duration // of the function: what it has no time for goes on in another invocation
}

// parse reads the command line. What is wrong with it is printed to complaints.
func parse(args []string, complaints io.Writer) (options, error) {
	opts := options{sizesMiB: numbers{64, 256, 1024}, inFlight: numbers{4, 16}}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(complaints)
	flags.Var(&opts.sizesMiB, "sizes", "sizes of objects before compression, in MiB, the smallest first")
	flags.Var(&opts.inFlight, "in-flight", "numbers of requests in flight")
	flags.DurationVar(&opts.latency, "latency", 30*time.Millisecond, "how long the intake takes to answer")
	flags.IntVar(&opts.memoryMiB, "memory", 256, "memory size of the function in MiB: it is told, not enforced")
	flags.StringVar(&opts.compression, "compression", "zstd", "coding of bodies: zstd is what Datadog sites are sent")
	flags.StringVar(&opts.binary, "binary", "", "a build of functions/s3 to measure, such as an older one (default: build it)")
	flags.DurationVar(&opts.timeout, "timeout", longest, "of the function; an object that takes longer takes several invocations")
	flags.BoolVar(&opts.strict, "strict", false,
		fmt.Sprintf("fail when wall time is over %.1f times the processor time at %d in flight", maxWallRatio, strictInFlight))
	if err := flags.Parse(args); err != nil {
		return options{}, err // printed with the usage
	}
	return opts, nil
}

// numbers is a flag: positive numbers between commas.
type numbers []int

func (n *numbers) String() string {
	texts := make([]string, len(*n))
	for i, v := range *n {
		texts[i] = strconv.Itoa(v)
	}
	return strings.Join(texts, ",")
}

// Set replaces the list.
func (n *numbers) Set(text string) error {
	var list numbers
	for part := range strings.SplitSeq(text, ",") {
		v, err := strconv.Atoi(part)
		if err != nil || v < 1 {
			return fmt.Errorf("%q is no number above 0", part)
		}
		list = append(list, v)
	}
	*n = list
	return nil
}

// run measures everything, also after a run that is over its budget.
func run(ctx context.Context, opts options, out io.Writer) (err error) {
	fmt.Fprintln(out, "building functions/s3 and the S3 server (a cold build takes minutes, a warm one seconds)")
	binary := opts.binary
	if binary == "" {
		if binary, err = stack.Build(ctx, "..", "./functions/s3"); err != nil {
			return fmt.Errorf("build the function: %w", err)
		}
	}
	store, err := bucket.Start(ctx)
	if err != nil {
		return fmt.Errorf("start the S3 server: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	for _, name := range []string{bucketName, parkName} {
		if err := store.CreateBucket(ctx, name, false); err != nil {
			return fmt.Errorf("make the bucket: %w", err)
		}
	}
	b := &bench{opts: opts, binary: binary, store: store, out: out}
	fmt.Fprintf(out, "%d processors; the intake answers after %s; bodies are %s; cpu and peak are the function's alone,\n"+
		"others and idle the machine's: S3 server, proxy and intake are among the others, and so is whatever else runs here\n",
		runtime.NumCPU(), opts.latency, opts.compression)
	var all []figures
	for _, size := range opts.sizesMiB {
		of, err := b.size(ctx, size)
		if err != nil {
			return fmt.Errorf("object of %d MiB: %w", size, err)
		}
		all = append(all, of...)
	}
	fmt.Fprintf(out, "\n%s\n", table(all))
	return judge(all, opts.strict)
}
