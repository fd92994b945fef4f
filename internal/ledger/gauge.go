package ledger

import (
	"cmp"
	"strings"
	"time"
)

// Gauges are what stands in the park store at some time.
type Gauges struct {
	PendingObjects int           // that replay will try again
	PendingOldest  time.Duration // since the oldest of them was put
	DeadObjects    int           // that wait for a person
}

// AppendEMF appends one line of CloudWatch embedded metric format, line feed included, and returns the longer slice.
func (g Gauges) AppendEMF(dst []byte, functionName string, at time.Time) []byte {
	metrics := []metric{
		{"PendingObjects", unitCount, float64(g.PendingObjects)},
		{"PendingOldestSeconds", unitSeconds, g.PendingOldest.Seconds()},
		{"DeadObjects", unitCount, float64(g.DeadObjects)},
	}
	dst = append(dst, '{')
	dst = appendDirective(dst, at, metrics, false)
	dst = appendText(appendKey(dst, dimension), cmp.Or(strings.TrimSpace(functionName), unknownFunction))
	for _, m := range metrics {
		dst = appendFloat(appendKey(dst, m.name), m.value)
	}
	return append(dst, '}', '\n')
}
