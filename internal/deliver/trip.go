package deliver

import (
	"time"

	"sluice/internal/batch"
	"sluice/internal/compress"
	"sluice/internal/destination"
)

// trip is one batch's way to its end, with all the batches that it is split into. They share a budget of time for
// attempts that repeat another. A first attempt is made as long as the flight lasts: a batch that has to be split far,
// and whose parts get through, is no trouble.
type trip struct {
	f            *Flight
	whole        *batch.Batch // as it was submitted
	until        time.Time    // the end of the budget
	reauthorized bool

	delivered int    // items
	losses    []loss // in the order of their items
}

// travel takes the batch to its end: every item of it is delivered, or stands in losses. A panic outside an attempt leaves
// parts in no state at all. Then the whole batch is lost when none of it was delivered; else the account shows more than
// came in, and the owner gives the event again.
func (t *trip) travel() {
	defer func() {
		if recover() == nil {
			return
		}
		t.losses = nil
		if t.delivered > 0 {
			t.f.returned(t.whole, "panic", false, nil)
			return
		}
		t.lose(t.whole, failed("panic"))
	}()
	t.deliver(t.whole)
}

// deliver takes a batch to its end: every item of it is counted as delivered, or lost.
func (t *trip) deliver(b *batch.Batch) {
	if b.Oversized() {
		t.refuse(b, failed("oversize"))
		return
	}
	t.f.heedHint()
	if b.Count() > 1 && t.f.s.tooLarge(b.PlainBytes()) {
		if end, grounded := t.grounded(); grounded {
			t.lose(b, end)
			return
		}
		t.halve(b)
		return
	}
	end, sent := t.attempts(b)
	t.settle(sent, end, true)
}

// grounded reports whether no attempt would be made now, and why. It costs less than splitting a batch first.
func (t *trip) grounded() (end *ending, grounded bool) {
	if !t.f.inTime() {
		return failed("deadline"), true
	}
	if t.f.s.breaker.refuses() {
		return t.f.s.left(), true
	}
	return nil, false
}

// settle acts on the last answer to a batch. top is true for a batch that is no half of a bisected one.
func (t *trip) settle(b *batch.Batch, end *ending, top bool) {
	switch {
	case end.Verdict == destination.Delivered:
		t.delivered += b.Count()
		t.f.delivered(b)
	case end.Verdict == destination.TooLarge && b.Count() > 1:
		t.f.s.learnTooLarge(b.PlainBytes())
		t.halve(b)
	case end.Verdict == destination.Invalid && b.Count() > 1:
		t.bisect(b, end, top)
	case end.Verdict == destination.TooLarge || end.Verdict == destination.Invalid:
		t.refuse(b, end)
	default:
		t.lose(b, end)
	}
}

// halve delivers a batch that is too large in two parts.
func (t *trip) halve(b *batch.Batch) {
	first, second, err := b.Split()
	if err != nil {
		t.lose(b, failed("unreadable_batch"))
		return
	}
	t.deliver(first)
	t.deliver(second)
}

// bisect looks for the records that make a body invalid: at most two requests for each halving, and all the others are
// delivered. When both halves of the whole are invalid it is not a record: it is the destination's configuration, and
// one more request would tell nothing.
//
// While nothing is known about the coding, the halves also try the next one, which costs no request more than the search
// itself: when both are taken, it was the coding.
func (t *trip) bisect(b *batch.Batch, invalid *ending, top bool) {
	s := t.f.s
	whole := b
	other, recoded := s.coding.next(b.Codec, invalid.Verdict)
	if recoded {
		whole, recoded = repacked(b, other)
	}
	first, second, err := whole.Split()
	if err != nil {
		t.lose(b, failed("unreadable_batch"))
		return
	}
	firstEnd, first := t.attempts(first)
	secondEnd, second := t.attempts(second)
	switch {
	case top && firstEnd.Verdict == destination.Invalid && secondEnd.Verdict == destination.Invalid && b.Count() > 2:
		s.breaker.trip()
		t.f.tellOpening(invalid.Reason)
		t.lose(b, invalid)
		return
	case recoded && firstEnd.Verdict == destination.Delivered && secondEnd.Verdict == destination.Delivered:
		s.coding.use(other)
	}
	t.settle(first, firstEnd, false)
	t.settle(second, secondEnd, false)
}

// attempts is the retry loop. It returns the answer that ended it, and the batch in the coding that was sent last.
func (t *trip) attempts(b *batch.Batch) (*ending, *batch.Batch) {
	s := t.f.s
	if s.coding.refused(b.Codec) { // since it was packed
		b, _ = repacked(b, s.Codec())
	}
	within, recoded := s.o.AttemptTimeout, false
	for n := 1; ; n++ {
		if !t.f.inTime() {
			return failed("deadline"), b
		}
		if !s.breaker.allow() {
			return s.left(), b
		}
		if n == 1 {
			s.retries.earn()
		}
		sentAt := time.Now()
		end := t.f.attempt(b, n, within)
		s.observe(end.Outcome, sentAt)
		t.f.tellOpening(end.Reason)

		if end.Verdict == destination.Delivered {
			s.coding.accepted(b.Codec)
			s.unlearnTooLarge(b.PlainBytes())
			if recoded {
				s.coding.use(b.Codec)
			}
			return end, b
		}
		if n == maxAttempts {
			return end, b
		}
		var again bool
		switch end.Verdict {
		case destination.Unsupported, destination.Invalid:
			b, again = t.recode(b, end.Verdict)
			recoded = again
		case destination.Unauthorized:
			again = t.reauthorize()
		case destination.Retry, destination.Ambiguous:
			again = t.pause(max(s.backoff(n), end.Wait))
			if !again && end.Wait > time.Until(t.until) {
				s.breaker.hold(end.Wait)
			}
			within = min(within, time.Until(t.until))
		default: // another attempt would get the same answer
		}
		if !again {
			t.f.tellOpening(end.Reason)
			return end, b
		}
	}
}

// recode packs a batch in the coding to try after an answer that may be about its own. An invalid batch of several items
// is left to bisect.
func (t *trip) recode(b *batch.Batch, answer destination.Verdict) (*batch.Batch, bool) {
	if answer == destination.Invalid && b.Count() > 1 {
		return b, false
	}
	s := t.f.s
	other, ok := s.coding.next(b.Codec, answer)
	if !ok {
		if answer == destination.Unsupported {
			s.breaker.trip() // there is no other coding to send in
		}
		return b, false
	}
	return repacked(b, other)
}

// repacked returns a batch in another coding; as it was, if it cannot be read.
func repacked(b *batch.Batch, codec compress.Codec) (packed *batch.Batch, ok bool) {
	packed, err := b.Recode(codec)
	if err != nil {
		return b, false
	}
	return packed, true
}

// reauthorize fetches the credentials anew, once a trip. The attempt that follows is made even if they are the same:
// some intakes refuse good ones for a moment. When that was in vain, the breaker opens.
func (t *trip) reauthorize() bool {
	if t.reauthorized {
		t.f.s.breaker.trip()
		return false
	}
	t.reauthorized = true
	// An error leaves the credentials as they are, and the next answer says what they are worth.
	_, _ = t.f.s.dest.Reauthorize(t.f.ctx)
	return true
}

// pause waits before an attempt that repeats another. It returns false at once when there would be no time for that
// attempt afterwards, or no token.
func (t *trip) pause(wait time.Duration) bool {
	if time.Now().Add(wait+minAttempt).After(t.until) || !t.f.s.retries.take() {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.f.ctx.Done():
		return false
	}
}

// observe learns from an answer how the destination is.
func (s *Sender) observe(out destination.Outcome, sentAt time.Time) {
	switch out.Verdict {
	case destination.Delivered:
		s.breaker.succeed()
		s.window.grow()
	case destination.TooLarge:
		s.breaker.succeed()
	case destination.Invalid, destination.Unauthorized, destination.Unsupported:
		s.breaker.abandon(sentAt) // it may be a record, old credentials, the coding: what follows tells
	case destination.Refused:
		s.breaker.trip()
	default: // Retry, Ambiguous
		s.window.shrink(sentAt)
		if out.Throttled {
			s.breaker.abandon(sentAt)
		} else {
			s.breaker.fail(sentAt)
		}
	}
}
