package main

import (
	"net/http"
	"sync"
	"time"

	"sluice/e2e/stack/intake"
)

// The outage in the middle of the demo.
const (
	outageStart  = 60 // requests that are answered before it
	outageLength = 2 * time.Second
	networkDelay = 15 * time.Millisecond // of every answer
)

// phase is where in its outage the intake is.
type phase int

const (
	before phase = iota
	failing
	patience // answered with 429, waiting for the next request
	after
)

// outage is the script of the intake: it works, answers 503 for a while, asks once for patience with a 429, and works
// again.
type outage struct {
	mu    sync.Mutex
	phase phase
	ends  time.Time
}

func (o *outage) script(a intake.Arrival) intake.Step {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.phase == before && a.Number > outageStart:
		o.phase, o.ends = failing, a.At.Add(outageLength)
	case o.phase == failing && !a.At.Before(o.ends):
		o.phase = patience
		return intake.RefuseFor(http.StatusTooManyRequests, "1")
	case o.phase == patience:
		o.phase = after
	}
	if o.phase == failing {
		return intake.Refuse(http.StatusServiceUnavailable)
	}
	return intake.Step{Delay: networkDelay}
}

// state is what a person is told.
func (o *outage) state(now time.Time) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.phase == failing && now.Before(o.ends):
		return "down, answers 503"
	case o.phase == failing:
		return "up again; the functions hold back until it had time to recover"
	case o.phase == patience:
		return "up again, asked for patience with 429"
	default:
		return "up"
	}
}
