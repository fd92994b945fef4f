//go:build failpoint

package failpoint

import (
	"fmt"
	"io"
	"os"
	"time"
)

const (
	pointVariable = "SLUICE_FAILPOINT"
	bytesVariable = "SLUICE_FAILPOINT_BYTES"

	statusOfExit     = 86
	statusOfMisspelt = 87
)

// armed is what this process was started with.
var armed = arm(os.LookupEnv, os.Unsetenv)

// arm takes the variables out of the environment.
func arm(lookup func(string) (string, bool), unset func(string) error) *trigger {
	point, _ := lookup(pointVariable)
	bytes, _ := lookup(bytesVariable)
	t, err := parse(point, bytes)
	if err != nil {
		say(os.Stderr, err.Error())
		os.Exit(statusOfMisspelt) //nolint:revive // before main, there is nobody to return it to
	}
	_, _ = unset(pointVariable), unset(bytesVariable)
	return t
}

func say(to io.Writer, text string) { fmt.Fprintf(to, "failpoint: %s\n", text) }

// Hit ends the process, panics or never returns, when the environment asks for that at this point.
func Hit(at Point) {
	if !armed.due(at) {
		return
	}
	say(os.Stderr, armed.String())
	switch armed.action {
	case exit:
		os.Exit(statusOfExit) //nolint:revive // this is what it is for
	case panics:
		panic("failpoint " + string(at))
	case hang:
		for {
			time.Sleep(time.Hour)
		}
	}
}

// AtMost lowers a bound of bytes to what the environment says, so that small input reaches what large input does. It never
// raises one.
func AtMost(bound int64) int64 { return armed.atMost(bound) }
