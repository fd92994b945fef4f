//go:build failpoint

package failpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

// variable holds "<point>:<action>" or "<point>:<action>:<n>": what happens when the point is reached for the n-th time
// in this process, or for the first. The actions are exit, panic and hang.
const variable = "SLUICE_FAILPOINT"

var reached atomic.Int64

// Hit ends the process, panics or hangs for ever, when the environment asks for that at this point.
func Hit(at Point) {
	point, rest, _ := strings.Cut(os.Getenv(variable), ":")
	if point != string(at) {
		return
	}
	action, number, _ := strings.Cut(rest, ":")
	wanted, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		wanted = 1
	}
	if reached.Add(1) != wanted {
		return
	}
	switch action {
	case "exit":
		os.Exit(86)
	case "panic":
		panic("failpoint " + point)
	case "hang":
		select {}
	}
}
