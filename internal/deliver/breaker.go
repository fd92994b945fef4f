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

// succeed closes the breaker.
func (b *breaker) succeed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures, b.openFor, b.probing = 0, 0, false
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
	now := time.Now()
	b.openFor, b.probing, b.lastBad = max(b.openFor, openAtFirst), false, now
	if until := now.Round(0).Add(min(d, openAtMost)); until.After(b.until) {
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
	b.probing, b.lastBad = false, now
	share := 1 + openJitterShare*(2*b.jitter()-1)
	b.until = now.Round(0).Add(time.Duration(float64(b.openFor) * share))
}
