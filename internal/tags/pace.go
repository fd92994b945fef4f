package tags

import "time"

// The calls of one container about one kind. AWS allows an account some calls a second of either API, which all containers
// and all other tools share.
const (
	callsPerSecond = 5
	callsAtOnce    = 10
)

// tokens is a token bucket on the wall clock, full at first.
type tokens struct {
	spent float64 // tokens that have not come back
	at    time.Time
}

func (b *tokens) refill(now time.Time) {
	if since := now.Sub(b.at).Seconds(); since > 0 {
		b.spent = max(b.spent-since*callsPerSecond, 0)
	}
	b.at = now
}

// delay is how long to wait for a token.
func (b *tokens) delay(now time.Time) time.Duration {
	b.refill(now)
	if lack := b.spent + 1 - callsAtOnce; lack > 0 {
		return max(time.Duration(lack/callsPerSecond*float64(time.Second)), time.Millisecond)
	}
	return 0
}

func (b *tokens) take(now time.Time) {
	b.refill(now)
	b.spent++
}

// After a failure there are no calls for a time, which doubles with each further one.
const (
	firstPause = time.Second
	maxPause   = 5 * time.Minute
)

// circuit keeps calls from an API that does not answer well. It runs on the wall clock.
type circuit struct {
	failures int // in a row
	until    time.Time
}

// delay is for how long no call may be made.
func (c *circuit) delay(now time.Time) time.Duration {
	// Who sets the clock back does not wait longer for it.
	return min(max(c.until.Sub(now), 0), maxPause)
}

func (c *circuit) succeed() { *c = circuit{} }

// fail opens the circuit, for the longest time when waiting alone will not help. jitter is from [0,1): half of the pause is
// random, so that containers that were throttled together do not come back together.
func (c *circuit) fail(now time.Time, forLong bool, jitter float64) {
	pause := maxPause
	if shift := min(c.failures, 9); !forLong {
		pause = min(firstPause<<shift, maxPause)
	}
	c.failures++
	c.until = now.Add(time.Duration(float64(pause) * (1 + jitter) / 2))
}
