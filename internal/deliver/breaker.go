package deliver

import (
	"sync"
	"time"
)

// The breaker of one destination (delivery contract 2.5).
const (
	failuresToOpen  = 5
	openAtFirst     = 10 * time.Second
	openAtMost      = 5 * time.Minute
	openJitterShare = 0.2
)

// breaker keeps requests away from a destination that does not answer well: after five failures in a row it opens for
// 10 s, and for twice as long each time its one probe fails.
type breaker struct {
	mu       sync.Mutex
	jitter   func() float64
	failures int
	lastBad  time.Time     // when it last counted a failure or opened; older requests tell nothing new
	openFor  time.Duration // 0 while closed
	until    time.Time     // on the wall: other clocks stand still while a container is frozen
	probing  bool
	asked    time.Time // until when the destination itself has asked to be left alone; on the wall
	untold   bool      // it has opened, and opening has not reported that yet
}

// allow reports whether a request may be sent now. While the breaker is open and its time has passed, one may.
func (b *breaker) allow() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.openFor == 0 {
		return true
	}
	if b.probing || time.Now().Before(b.until) {
		return false
	}
	b.probing = true
	return true
}

// expire lets a probe through now.
func (b *breaker) expire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until = time.Time{}
}

// closed reports whether requests may be sent as far as they go.
func (b *breaker) closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.openFor == 0
}

// refuses reports whether allow would say no, and changes nothing.
func (b *breaker) refuses() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.openFor > 0 && (b.probing || time.Now().Before(b.until))
}

// wait is for how long from now on the destination has asked to be left alone.
func (b *breaker) wait() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(time.Until(b.asked), 0)
}

// opening reports each opening once, and until when it lasts; not those that a hint was the cause of.
func (b *breaker) opening() (until time.Time, opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	opened, b.untold = b.untold, false
	return b.until, opened
}

// succeed closes the breaker.
func (b *breaker) succeed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures, b.openFor, b.probing, b.untold = 0, 0, false, false
	b.asked = time.Time{}
}

// abandon gives a probe back that had no result, so that the next request is one.
func (b *breaker) abandon(sentAt time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !sentAt.Before(b.lastBad) {
		b.probing = false
	}
}

// fail counts a failed request. Requests that were in flight together count as one failure: they met one fault.
func (b *breaker) fail(sentAt time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if sentAt.Before(b.lastBad) {
		return
	}
	b.failures++
	b.lastBad = time.Now()
	if b.probing || b.failures >= failuresToOpen {
		b.open()
	}
}

// hold keeps the breaker open for as long as the destination has asked to be left alone.
func (b *breaker) hold(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now().Round(0)
	if asked := now.Add(d); asked.After(b.asked) {
		b.asked = asked
	}
	b.untold = b.untold || b.openFor == 0 || !now.Before(b.until)
	b.openUntil(now.Add(min(d, openAtMost)))
}

// heed keeps the breaker open until a time that others have found, for 5 min at most. A time that is over says nothing. A
// request on its way that succeeds closes the breaker all the same: it knows better.
func (b *breaker) heed(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now().Round(0)
	if d := until.Sub(now); d > 0 {
		b.openUntil(now.Add(min(d, openAtMost)))
	}
}

// openUntil keeps the breaker open until a time, or as long as it is open already. The lock is held.
func (b *breaker) openUntil(until time.Time) {
	b.openFor, b.probing, b.lastBad = max(b.openFor, openAtFirst), false, time.Now()
	if until.After(b.until) {
		b.until = until
	}
}

// trip opens the breaker at once: the destination has said that nothing will get through.
func (b *breaker) trip() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open()
}

// open opens a closed breaker, and one whose time has passed for twice as long. The lock is held.
func (b *breaker) open() {
	now := time.Now()
	if b.openFor > 0 && now.Before(b.until) {
		return // what arrives now was sent before
	}
	if b.openFor == 0 {
		b.openFor = openAtFirst
	} else {
		b.openFor = min(2*b.openFor, openAtMost)
	}
	b.probing, b.untold, b.lastBad = false, true, now
	share := 1 + openJitterShare*(2*b.jitter()-1)
	b.until = now.Round(0).Add(time.Duration(float64(b.openFor) * share))
}
