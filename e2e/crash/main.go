// Command crash ends the functions at each of their fail points, by an exit, by a panic and by a hang to the deadline, and
// shows that no line is lost and that none comes twice without a cause that the delivery contract names (4.3, 2.9).
//
// Every case is the whole system on this machine: the function binaries, built with fail points, in front of stand-ins for the
// services that own their events, the bucket and the destinations. The owner repeats what ended, with a process that has no
// fail point; trouble that was needed to reach a point ends; replay runs until nothing is left; an audit accounts for every
// line. A case whose point was not reached has failed. Then come schedules at random, of several faults each.
//
// It is run in the folder e2e. It uses no network but the loopback interface and no AWS account.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"

	"sluice/e2e/rig"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := command(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

// options are those of the command line.
type options struct {
	run       *regexp.Regexp
	seed      uint64
	schedules int
	parallel  int
	short     bool
	verbose   bool
}

func parse(args []string, out io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("crash", flag.ContinueOnError)
	flags.SetOutput(out)
	pattern := flags.String("run", "", "play only the cases whose name matches this regular expression")
	flags.Uint64Var(&o.seed, "seed", 1, "of the schedules at random")
	flags.IntVar(&o.schedules, "schedules", defaultSchedules, "how many schedules at random are played")
	flags.IntVar(&o.parallel, "parallel", defaultParallel, "how many cases are played at once")
	flags.BoolVar(&o.short, "short", false, "play each point once, and a few schedules")
	flags.BoolVar(&o.verbose, "v", false, "show a line for each case")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.run, err = regexp.Compile(*pattern); err != nil {
		return o, fmt.Errorf("-run: %w", err)
	}
	if flags.NArg() > 0 || o.parallel < 1 || o.schedules < 0 {
		return o, fmt.Errorf("%q: want flags alone, -parallel from 1 and -schedules from 0", args)
	}
	if o.short {
		o.schedules = min(o.schedules, shortSchedules)
	}
	return o, nil
}

// cases are what is asked for.
func (o *options) cases() []testCase {
	list := matrix()
	if o.short {
		list = shortened(list)
	}
	list = matching(append(list, schedules(o.seed, o.schedules)...), o.run)
	slowFirst(list)
	return list
}

// Defaults that let a run end within minutes on two cores. Most of a case is waiting.
const (
	defaultParallel  = 16
	defaultSchedules = 24
	shortSchedules   = 4
)

func command(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "building the functions with fail points (a cold build takes minutes, a warm one seconds)")
	lab, err := rig.Open(ctx, rig.LabOptions{Tags: []string{"failpoint"}})
	if err != nil {
		return err
	}
	if err := lab.Build(); err != nil { //nolint:contextcheck // a build is kept for the next run, however this one ends
		return errors.Join(err, lab.Close())
	}
	return errors.Join(crash(ctx, lab, o, out), lab.Close())
}
