// Command check reads a settings file as the functions do, and says everything that is wrong with it.
//
//	check [-transform] settings.yaml
//
// The file takes the place of SLUICE_CONFIG; all other variables of the environment count as they do in a function. With
// -transform it is read as functions/firehose reads it, which needs no destination.
//
// It promises to open no connection: secrets stay references, so it does not know whether there is one behind each. It
// prints no secret. The status is 1 if something is wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"sluice/internal/config"
)

func main() {
	if err := run(context.Background(), os.Args[1:], config.Environ(os.Environ()), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// offline is a Fetcher for a check of one file: what the file refers to is elsewhere.
type offline struct{}

func (offline) Fetch(context.Context, string) ([]byte, error) {
	return nil, errors.New("the file says where the settings are, and nothing is fetched: give the settings themselves")
}

// run checks the file that args name with env, and prints the result. The error has a line for each problem.
func run(ctx context.Context, args []string, env map[string]string, out io.Writer) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says it
	transform := flags.Bool("transform", false, "as functions/firehose reads it")
	if err := flags.Parse(args); err != nil || flags.Arg(0) == "" || flags.NArg() > 1 {
		return errors.New("check: want the path of a settings file, with -transform in front for functions/firehose")
	}
	text, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return fmt.Errorf("check: %s is empty", flags.Arg(0))
	}
	env["SLUICE_CONFIG"] = string(text)
	load := config.Load
	if *transform {
		load = config.LoadTransform
	}
	c, err := load(ctx, env, offline{})
	if err != nil {
		return fmt.Errorf("settings are wrong:\n%w", err)
	}
	for _, warning := range c.Warnings {
		fmt.Fprintln(out, "warning:", warning)
	}
	fmt.Fprintln(out, "settings are right:", destinations(c.Destinations))
	return nil
}

// destinations names them by their ids, which are no secrets.
func destinations(list []config.Destination) string {
	if len(list) == 0 {
		return "no destinations"
	}
	names := make([]string, len(list))
	for i, d := range list {
		names[i] = fmt.Sprintf("%s (%s)", d.ID, d.Type)
	}
	return "destinations " + strings.Join(names, ", ")
}
