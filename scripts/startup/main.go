// Command startup measures the processor time that a function takes from its start until it asks for its first event.
//
//	startup dist/amd64/cloudwatch/bootstrap
//
// It starts the binary with a Runtime API that nobody serves, so the binary ends where it would begin to wait, and prints the
// median of many starts.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

const starts = 40

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "startup:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("want the path of a bootstrap")
	}
	took := make([]time.Duration, starts)
	for i := range took {
		var err error
		if took[i], err = start(args[0]); err != nil {
			return err
		}
	}
	slices.Sort(took)
	fmt.Fprintf(out, "startup_cpu_ms=%.1f (median of %d)\n", took[starts/2].Seconds()*1000, starts)
	return nil
}

// start runs the binary once and returns the processor time it used. It ends with a status of its own choice.
func start(binary string) (time.Duration, error) {
	cmd := exec.Command(binary) //nolint:noctx // it ends by itself
	cmd.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=127.0.0.1:1", "AWS_LAMBDA_FUNCTION_NAME=startup", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_REGION=eu-west-1", "DD_API_KEY=0123456789abcdef0123456789abcdef", "DD_SITE=datadoghq.eu",
	}
	if err := cmd.Run(); cmd.ProcessState == nil {
		return 0, err
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}
