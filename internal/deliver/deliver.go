// Package deliver carries batches to a destination: attempts, waits, splits, and gives up in time.
//
// There is one retry loop, one backoff, one halving and one breaker, here, for every destination. A [Sender] is what a
// container knows of a destination and keeps between invocations; a [Flight] is one invocation's batches on their way.
// Every item of a batch ends as delivered, as parked or as returned to the owner of the event, and is counted as that;
// nothing is counted twice and nothing is forgotten.
//
// What cannot be delivered is collected until its batch has come to its end, and is then handed to the flight's [Parker]:
// as pending when the destination may take it later, as dead when it never will. Without a parker, and when parking
// fails, it goes back to the owner of the event. How something is parked, and when it is tried again, is not decided here.
//
// Senders of one destination tell each other through a [Hint] when it is not well. A hint only ever spares requests:
// without it, each sender finds out by itself.
package deliver

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/compress"
	"sluice/internal/destination"
)

// Limits of one batch's delivery (delivery contract 2.5).
const (
	maxAttempts = 4
	backoffBase = 250 * time.Millisecond
	backoffCap  = 5 * time.Second
	batchBudget = 20 * time.Second
	// minAttempt is the time an attempt needs to be worth starting.
	minAttempt = 200 * time.Millisecond
)

// usualAttempt is what an attempt may take, unless the settings say otherwise (delivery contract 2.5).
const usualAttempt = 15 * time.Second

// defaultInFlight is how many requests may be in flight to one destination (delivery contract 2.5).
const defaultInFlight = 8

// Options configure a sender. The zero value of a field means its default.
type Options struct {
	MaxInFlight    int           // requests at a time; 8
	AttemptTimeout time.Duration // of one request, from dialling to the answer's end; 15 s
	Jitter         func() float64
	Hint           Hint // what other functions know about the destination; nil: none is asked and none is told
}

// Sender is what a container knows of one destination: how much it takes at a time, whether it is well, what it refused.
// It is safe for concurrent use.
type Sender struct {
	dest   destination.Destination
	client *http.Client
	o      Options

	breaker breaker
	hints   hints
	retries tokens
	window  window

	coding  coding
	largest atomic.Int64 // plain bytes of a body that may be sent after a 413; 0 when there was none
}

// NewSender returns a sender that sends through client.
func NewSender(dest destination.Destination, client *http.Client, o Options) *Sender {
	if o.MaxInFlight == 0 {
		o.MaxInFlight = defaultInFlight
	}
	if o.AttemptTimeout == 0 {
		o.AttemptTimeout = usualAttempt
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	s := &Sender{dest: dest, client: client, o: o}
	s.coding.codecs = dest.Codecs()
	s.breaker.jitter = o.Jitter
	s.hints.shared = o.Hint
	s.retries.left = retryTokensAtStart
	s.window = window{limit: min(windowAtStart, o.MaxInFlight), most: o.MaxInFlight}
	return s
}

// Destination is where the sender sends to.
func (s *Sender) Destination() destination.Destination { return s.dest }

// Codec is the content coding to compress new batches with.
func (s *Sender) Codec() compress.Codec { return s.coding.inUse() }

// CloseIdleConnections drops connections that may have died while the container was frozen.
func (s *Sender) CloseIdleConnections() { s.client.CloseIdleConnections() }

// learnTooLarge remembers that a body of this size was refused, so that later ones are halved before they are sent. What
// may be sent is three quarters of it: halves by count are seldom halves by size, and each of them deserves its try.
func (s *Sender) learnTooLarge(plainBytes int) {
	most := int64(plainBytes) * 3 / 4
	for {
		known := s.largest.Load()
		if known != 0 && known <= most || s.largest.CompareAndSwap(known, most) {
			return
		}
	}
}

// unlearnTooLarge lets larger bodies be tried again, a thirty-second at a time, once one of about the size that may be sent has
// been accepted: limits move, and a proxy's bad moment must not cost a container many small requests for ever.
func (s *Sender) unlearnTooLarge(plainBytes int) {
	known := s.largest.Load()
	if known == 0 || int64(plainBytes) < known/2 {
		return
	}
	more := known + known/32 + 1
	if more >= int64(s.dest.Limits().BodyBytes) {
		more = 0
	}
	s.largest.CompareAndSwap(known, more)
}

// tooLarge reports whether a body of this size is known to be refused.
func (s *Sender) tooLarge(plainBytes int) bool {
	known := s.largest.Load()
	return known != 0 && int64(plainBytes) > known
}

// backoff is the wait before the attempt that follows attempt n: full jitter under an exponential cap.
func (s *Sender) backoff(n int) time.Duration {
	most := min(backoffCap, backoffBase<<(n-1))
	return time.Duration(s.o.Jitter() * float64(most))
}

const (
	retryTokensAtStart = 10
	retryTokensMost    = 100
	retryTokensEarned  = 0.2 // by each first attempt
)

// tokens bounds retries to a share of first attempts, so that an outage costs at most 1.2 times the requests.
type tokens struct {
	mu   sync.Mutex
	left float64
}

func (t *tokens) earn() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.left = min(t.left+retryTokensEarned, retryTokensMost)
}

func (t *tokens) take() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left < 1 {
		return false
	}
	t.left--
	return true
}

const windowAtStart = 2

// window is how many requests may be in flight: one more after each round without trouble, half after a throttled one.
type window struct {
	mu      sync.Mutex
	limit   int
	most    int
	clean   int       // answers since the last change
	changed time.Time // when the limit was last halved
}

func (w *window) size() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.limit
}

// grow counts an accepted request; limit of them are a round.
func (w *window) grow() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clean++
	if w.clean >= w.limit && w.limit < w.most {
		w.limit++
		w.clean = 0
	}
}

// shrink halves the limit once for all requests that were in flight when the trouble began.
func (w *window) shrink(sentAt time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if sentAt.Before(w.changed) {
		return
	}
	w.limit, w.clean, w.changed = max(w.limit/2, 1), 0, time.Now()
}
