package deliver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Hint is what the functions tell each other about a destination (delivery contract 2.5). It is used concurrently, and
// gives up when ctx ends. Its errors change nothing: a hint spares requests, and no more.
type Hint interface {
	// Until is until when the destination is to be left alone; zero when nothing is known.
	Until(ctx context.Context) (time.Time, error)
	// Hold tells the others to leave the destination alone until then.
	Hold(ctx context.Context, until time.Time, reason string) error
}

// hints is a sender's use of its hint: when it was last read.
type hints struct {
	shared   Hint        // nil: none
	troubled atomic.Bool // the last flight gave something up for the destination's sake

	mu   sync.Mutex
	read time.Time // on the wall; zero: never
}

// How often a hint is read: at a sender's first flight, then once a minute while all is well. After a flight with trouble,
// and while the breaker is not closed, once in 10 s (delivery contract 2.5).
const (
	hintEvery        = time.Minute
	hintEveryTrouble = 10 * time.Second
)

// Attempts wait for the reading until hintWait after the start of their flight: what that finds later serves those that
// follow. No request of a hint takes longer than hintMost, nor longer than its flight.
const (
	hintWait = 300 * time.Millisecond
	hintMost = 2 * time.Second
)

// due reports whether a flight that begins now is to read the hint, and notes that it does.
func (h *hints) due(closed bool) bool {
	if h.shared == nil {
		return false
	}
	every := hintEvery
	if h.troubled.Swap(false) || !closed {
		every = hintEveryTrouble
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now().Round(0)
	if since := now.Sub(h.read); !h.read.IsZero() && since >= 0 && since < every {
		return false
	}
	h.read = now
	return true
}

// reading is a hint being read.
type reading struct {
	cancel context.CancelFunc
	done   chan struct{}
	waited time.Time // until when attempts wait for it
}

// readHint reads the hint in the background and opens the breaker if it says so.
func (f *Flight) readHint(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, hintMost)
	f.hint = &reading{cancel: cancel, done: make(chan struct{}), waited: time.Now().Add(hintWait)}
	go func() {
		defer close(f.hint.done)
		defer func() { _ = recover() }() // nothing is known then
		if until, err := f.s.hints.shared.Until(ctx); err == nil {
			f.s.breaker.heed(until)
		}
	}()
}

// heedHint waits until the hint has been read, or has taken too long.
func (f *Flight) heedHint() {
	if f.hint == nil {
		return
	}
	select {
	case <-f.hint.done:
		return
	default:
	}
	timer := time.NewTimer(time.Until(f.hint.waited))
	defer timer.Stop()
	select {
	case <-f.hint.done:
	case <-timer.C:
	case <-f.ctx.Done():
	}
}

// tellOpening tells the others that the breaker has opened, once for each time it does, in the background.
func (f *Flight) tellOpening(reason string) {
	shared := f.s.hints.shared
	if shared == nil {
		return
	}
	until, opened := f.s.breaker.opening()
	if !opened {
		return
	}
	f.background.Go(func() {
		defer func() { _ = recover() }()
		ctx, cancel := context.WithTimeout(f.ctx, hintMost)
		defer cancel()
		_ = shared.Hold(ctx, until, code(reason)) // without it, others find out by themselves
	})
}

// endBackground waits for what is told, and breaks off what is still being read: there is nothing left that it could serve.
func (f *Flight) endBackground() {
	f.background.Wait()
	if f.hint != nil {
		f.hint.cancel()
		<-f.hint.done
	}
}

// left is the ending of a batch that is not sent because the destination is left alone.
func (s *Sender) left() *ending {
	end := failed("breaker_open")
	end.Wait = s.breaker.wait()
	return end
}
