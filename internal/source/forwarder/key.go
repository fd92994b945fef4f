package forwarder

import (
	"strconv"
	"strings"
)

// Kind is what the key of a stored object says that is in it.
type Kind string

// The kinds.
const (
	Logs    Kind = "logs"    // Records reads it
	Metrics Kind = "metrics" // custom metrics that were told by log lines: no logs
	Traces  Kind = "traces"  // traces that were told by log lines: no logs
	Lock    Kind = "lock"    // empty; its time tells when the Datadog Forwarder last tried again
	Unknown Kind = ""        // not a key of the Datadog Forwarder
)

// Key is what the key of a stored object tells.
type Key struct {
	Kind         Kind
	Function     string // SHA-1 of the function's ARN in hexadecimal, as the Datadog Forwarder names itself; opaque
	StoredMillis int64  // when it was stored, epoch milliseconds; 0 when unknown
}

// ParseKey reads the key of an object: <path>/<function>/<logs, metrics or traces>/<time>, where the path is "failed_events"
// unless the Datadog Forwarder was set up with another, and the time is in seconds of the epoch with a fraction. Beside the
// times there may be an empty object called "lock". Whatever else is called that way counts by its folder.
// Format: Datadog Forwarder 3.108 to 5, aws/logs_monitoring/retry/storage.py and retry/enums.py.
func ParseKey(key string) Key {
	words := strings.Split(key, "/")
	if len(words) < 3 {
		return Key{}
	}
	words = words[len(words)-3:]
	k := Key{Kind: Kind(words[1]), Function: words[0]}
	switch k.Kind {
	case Logs, Metrics, Traces:
	default:
		return Key{}
	}
	name := words[2]
	if name == "" { // the marker of a folder
		return Key{}
	}
	if name == string(Lock) {
		k.Kind = Lock
	}
	k.StoredMillis = epochMillis(name)
	return k
}

// epochMillis reads seconds with a fraction, rounded down to milliseconds; 0 when name is no such time.
func epochMillis(name string) int64 {
	const lastSecond = 253402300799 // the end of the year 9999
	s, err := strconv.ParseFloat(name, 64)
	if err != nil || !(0 <= s && s <= lastSecond) {
		return 0
	}
	return int64(s * 1000)
}
