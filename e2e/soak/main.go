// Command soak runs all functions at once for a while, as they are deployed: lines over every entry, a fault chosen every
// few seconds, processes killed, the key rotated and the settings changed, what was parked sent again. Its last part is
// without faults, and then everything has to come to its end.
//
// It promises an account of every line (delivery contract 4.5): it fails when one is lost, when a copy has none of the causes
// that the contract allows, when something stays parked, and when a process uses more and more memory, files or threads. Its
// own ledgers grow with the payloads and requests and not with the lines, so a run may last for hours.
//
// The seed chooses faults, kills and lines. What happens between them depends on the machine, so the same seed is the same
// trouble and not the same run. Goroutines are not counted: of one that stays, the memory tells. It is run in the folder
// e2e, on Linux.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
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
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// options say how a run goes.
type options struct {
	length  time.Duration // in which lines are fed
	seed    uint64
	rate    int // lines a second, over all entries
	verbose bool
}

const leastLength = 10 * time.Second

// parse reads the command line. What is wrong with it is printed to complaints.
func parse(args []string, complaints io.Writer) (options, error) {
	var opts options
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(complaints)
	flags.DurationVar(&opts.length, "for", 3*time.Minute, "how long lines are fed; everything comes to its end after that")
	flags.Uint64Var(&opts.seed, "seed", 0, "chooses faults, kills and lines (default: by the clock)")
	flags.IntVar(&opts.rate, "rate", 5000, "lines a second over all entries; fewer when the machine cannot")
	flags.BoolVar(&opts.verbose, "v", false, "print every fault, kill and replay")
	if err := flags.Parse(args); err != nil {
		return options{}, err // printed with the usage
	}
	if opts.length < leastLength || opts.rate < 1 || flags.NArg() > 0 {
		err := fmt.Errorf("want -for %s or more, -rate 1 or more and nothing else", leastLength)
		fmt.Fprintln(complaints, err)
		return options{}, err
	}
	if opts.seed == 0 {
		opts.seed = uint64(time.Now().UnixNano())
	}
	return opts, nil
}

// run plays a soak and returns an error unless every gate holds.
func run(ctx context.Context, opts options, out io.Writer) (err error) {
	fmt.Fprintf(out, "seed %d: %s at %d lines/s; building the functions and the S3 server\n", opts.seed, opts.length, opts.rate)
	s, err := open(ctx, opts.seed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	started := time.Now()
	p := &play{
		options: opts, pace: newPace(opts.length), system: s, entries: s.entries(), watch: newWatch(),
		out: &printer{out: out, started: started, verbose: opts.verbose}, state: string(healthy), steps: map[string]int{},
	}
	if err := p.live(ctx); err != nil {
		return fmt.Errorf("seed %d: %w", opts.seed, err)
	}
	redriven, err := p.settle(ctx)
	if err != nil {
		return fmt.Errorf("seed %d: %w", opts.seed, err)
	}
	p.out.say("nothing is left, or nothing becomes less; auditing")
	r, err := p.report(ctx, redriven)
	if err != nil {
		return fmt.Errorf("seed %d: %w", opts.seed, err)
	}
	for _, row := range r.memory.rows {
		fmt.Fprintln(out, row)
	}
	for _, story := range r.stories {
		fmt.Fprintln(out, story)
	}
	fmt.Fprintln(out, &r.ways)
	fmt.Fprintln(out, r)
	return r.Verdict()
}
