package deliver_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/deliver"
	"sluice/internal/ledger"
)

// board is where functions leave hints.
type board struct {
	after time.Duration // a request takes this long
	err   error
	broke bool // panics instead

	mu     sync.Mutex
	until  time.Time
	reads  []time.Time
	held   []time.Time
	reason []string
}

func (b *board) Until(ctx context.Context) (time.Time, error) {
	b.mu.Lock()
	b.reads = append(b.reads, time.Now())
	b.mu.Unlock()
	if err := b.wait(ctx); err != nil {
		return time.Now().Add(time.Hour), err // what must not count
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.until, nil
}

func (b *board) Hold(ctx context.Context, until time.Time, reason string) error {
	if err := b.wait(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held, b.reason = append(b.held, until), append(b.reason, reason)
	return nil
}

func (b *board) wait(ctx context.Context) error {
	if b.broke {
		panic("broken")
	}
	if err := pause(ctx, b.after); err != nil {
		return err
	}
	return b.err
}

// hinted is a sender with a board.
func hinted(w *wire, b *board) *deliver.Sender {
	return deliver.NewSender(&intake{}, w.client(), deliver.Options{MaxInFlight: 1, Jitter: func() float64 { return 0.5 }, Hint: b})
}

// one sends a batch of one item.
func one(t *testing.T, s *deliver.Sender, o deliver.FlightOptions) sent {
	t.Helper()
	return send(t.Context(), t, s, o, load{items: 1, each: 1}.batches(s.Destination())...)
}

// Before the first request leaves, the hint says whether it should.
func TestHintIsHeeded(t *testing.T) {
	const ms, s = time.Millisecond, time.Second
	for name, tc := range map[string]struct {
		board   *board        // nil: one that answers at once
		ends    time.Duration // of the hint, from now on; 0: none
		ignore  bool
		sent    bool
		elapsed time.Duration
	}{
		"nothing is known":             {sent: true},
		"it is over":                   {ends: -s, sent: true},
		"leave it alone":               {ends: 30 * s},
		"replay finds out":             {ends: 30 * s, ignore: true, sent: true},
		"reading takes a while":        {board: &board{after: 299 * ms}, ends: 30 * s, elapsed: 299 * ms},
		"reading takes longer":         {board: &board{after: 301 * ms}, ends: 30 * s, sent: true, elapsed: 300 * ms},
		"reading hangs":                {board: &board{after: time.Hour}, ends: 30 * s, sent: true, elapsed: 300 * ms},
		"reading fails":                {board: &board{err: errors.New("denied")}, ends: 30 * s, sent: true},
		"reading fails after a while":  {board: &board{after: 100 * ms, err: errors.New("denied")}, ends: 30 * s, sent: true, elapsed: 100 * ms},
		"reading breaks":               {board: &board{broke: true}, ends: 30 * s, sent: true},
		"replay waits for no reading":  {board: &board{after: time.Hour}, ignore: true, sent: true},
		"a hint of a clock gone wrong": {ends: 100_000 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b := &wire{}, tc.board
				if b == nil {
					b = &board{}
				}
				if tc.ends != 0 {
					b.until = time.Now().Add(tc.ends)
				}
				got := one(t, hinted(w, b), deliver.FlightOptions{Probe: tc.ignore})
				assert.Equal(t, tc.sent, got.Delivered == 1)
				assert.Equal(t, !tc.sent, got.Returned["breaker_open"] == 1)
				assert.Equal(t, tc.elapsed, got.elapsed)
				assert.Equal(t, tc.ignore, len(b.reads) == 0)
				assert.Empty(t, b.held, "what others know is not told to them")
			})
		})
	}
}

// No probe before the hint ends, and one then; five minutes are the most.
func TestHintHoldsTheBreaker(t *testing.T) {
	for name, tc := range map[string]struct{ ends, open time.Duration }{
		"shorter than a breaker opens for":   {3 * time.Second, 3 * time.Second},
		"longer than a breaker opens for":    {100 * time.Second, 100 * time.Second},
		"as long as a breaker opens at most": {5 * time.Minute, 5 * time.Minute},
		"longer than that":                   {time.Hour, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b := &wire{}, &board{until: time.Now().Add(tc.ends)}
				s := hinted(w, b)
				require.Zero(t, one(t, s, deliver.FlightOptions{}).Delivered)
				b.until = time.Time{} // and nobody knows more
				time.Sleep(tc.open - time.Nanosecond)
				require.Zero(t, one(t, s, deliver.FlightOptions{}).Delivered)
				require.Empty(t, w.requests())
				time.Sleep(time.Nanosecond)
				require.Equal(t, 1, one(t, s, deliver.FlightOptions{}).Delivered)
			})
		})
	}
}

// A reading that comes too late for the first attempt serves those after it.
func TestLateHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := &wire{}, &board{after: 1500 * time.Millisecond, until: time.Now().Add(time.Minute)}
		s := hinted(w, b)
		account := ledger.New().Account("intake")
		f := s.Start(t.Context(), deliver.FlightOptions{Account: account})
		for _, batch := range (load{items: 8, each: 1}).batches(s.Destination()) {
			f.Submit(batch)
			time.Sleep(400 * time.Millisecond)
		}
		require.Error(t, f.Wait().Err)
		assert.Equal(t, 4, account.Counts().Delivered)
		assert.Equal(t, map[string]int{"breaker_open": 4}, account.Counts().Returned)
	})
}

// What is still being read at the end of a flight is broken off: the answer does not wait for it.
func TestReadingEndsWithTheFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := &wire{}, &board{after: time.Hour, until: time.Now().Add(time.Minute)}
		s := hinted(w, b)
		f := s.Start(t.Context(), deliver.FlightOptions{Account: ledger.New().Account("intake")})
		begun := time.Now()
		require.NoError(t, f.Wait().Err)
		assert.Zero(t, time.Since(begun))
		assert.Equal(t, 1, one(t, s, deliver.FlightOptions{}).Delivered, "nothing was learned")
	})
}

// The hint is read at the first flight; then once a minute while all is well, and once in 10 s while it is not.
func TestHintIsReadSeldom(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(c call) answer
		every  time.Duration // between two flights
		ignore bool
		want   []time.Duration
	}{
		"all is well": {every: 7 * time.Second, want: seconds(0, 63, 126, 189)},
		"all is well, few flights": {
			every: 90 * time.Second, want: seconds(0, 90, 180),
		},
		"records are at fault": {
			answer: script(status(http.StatusBadRequest)), every: 7 * time.Second, want: seconds(0, 63, 126, 189),
		},
		"trouble": {
			answer: script(status(http.StatusTooManyRequests)), every: 4 * time.Second,
			want: seconds(0, 12, 24, 36, 48, 60, 72, 84, 96, 108, 120, 132, 144, 156, 168, 180, 192),
		},
		"the breaker is open": {
			answer: script(status(http.StatusNotFound)), every: 7 * time.Second,
			want: seconds(0, 14, 28, 42, 56, 70, 84, 98, 112, 126, 140, 154, 168, 182, 196),
		},
		"trouble that ends": {
			answer: func(c call) answer {
				if c.at < 20*time.Second {
					return status(http.StatusTooManyRequests)
				}
				return answer{}
			},
			every: 4 * time.Second, want: seconds(0, 12, 72, 132, 192),
		},
		"replay": {every: 7 * time.Second, ignore: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b := &wire{answer: tc.answer}, &board{}
				s := deliver.NewSender(&intake{}, w.client(), deliver.Options{Jitter: never, Hint: b})
				begun := time.Now()
				for time.Since(begun) < 200*time.Second {
					one(t, s, deliver.FlightOptions{Probe: tc.ignore})
					time.Sleep(tc.every)
				}
				var reads []time.Duration
				for _, at := range b.reads {
					reads = append(reads, at.Sub(begun))
				}
				assert.Equal(t, tc.want, reads)
			})
		})
	}
}

// An open breaker is trouble, though the flight before had nothing to send.
func TestHintIsReadWhileTheBreakerIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := &wire{answer: script(status(http.StatusNotFound))}, &board{}
		s := hinted(w, b)
		one(t, s, deliver.FlightOptions{})
		for range 3 {
			time.Sleep(6 * time.Second)
			send(t.Context(), t, s, deliver.FlightOptions{})
		}
		assert.Len(t, b.reads, 2, "at 0 s and at 12 s")
	})
}

func seconds(all ...int) (d []time.Duration) {
	for _, s := range all {
		d = append(d, time.Duration(s)*time.Second)
	}
	return d
}

// Each opening of the breaker is told once, with the reason it has and until when it lasts.
func TestOpeningIsTold(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(c call) answer
		items  int // in batches of four
		until  time.Duration
		reason string // "": nothing is told
	}{
		"delivered":       {items: 40},
		"a poisoned item": {answer: poison(2), items: 40},
		"throttled":       {answer: script(status(http.StatusTooManyRequests)), items: 40},
		"five failures":   {answer: script(status(http.StatusServiceUnavailable)), items: 40, until: 10 * time.Second, reason: "http_503"},
		"four failures": {
			answer: script(status(503), status(503), status(503), status(503), answer{}), items: 40,
		},
		"nothing is there": {answer: script(status(http.StatusNotFound)), items: 40, until: 10 * time.Second, reason: "http_404"},
		"credentials":      {answer: script(status(http.StatusForbidden)), items: 40, until: 10 * time.Second, reason: "http_403"},
		"configuration":    {answer: script(status(http.StatusBadRequest)), items: 40, until: 10 * time.Second, reason: "http_400"},
		"no coding":        {answer: script(status(http.StatusUnsupportedMediaType)), items: 40, until: 10 * time.Second, reason: "http_415"},
		"asked to wait":    {answer: script(throttled("100")), items: 40, until: 100 * time.Second, reason: "http_429"},
		"asked to wait long": {
			answer: script(throttled("10000")), items: 40, until: 5 * time.Minute, reason: "http_429",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b := &wire{answer: tc.answer}, &board{}
				s := deliver.NewSender(&intake{}, w.client(), deliver.Options{Jitter: never, Hint: b})
				begun := time.Now()
				send(t.Context(), t, s, deliver.FlightOptions{}, load{items: tc.items, each: 4}.batches(s.Destination())...)
				if tc.reason == "" {
					assert.Empty(t, b.held)
					return
				}
				require.Equal(t, []string{tc.reason}, b.reason)
				// The shortest of the spread for what the breaker chose itself.
				until := tc.until
				if until == 10*time.Second {
					until = 8 * time.Second
				}
				assert.Equal(t, until, b.held[0].Sub(begun))
			})
		})
	}
}

// A breaker that opens again after its probe is told again.
func TestEachOpeningIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := &wire{answer: script(status(http.StatusNotFound))}, &board{}
		s := hinted(w, b)
		begun := time.Now()
		for range 36 {
			one(t, s, deliver.FlightOptions{})
			time.Sleep(2 * time.Second)
		}
		var until []time.Duration
		for _, at := range b.held {
			until = append(until, at.Sub(begun))
		}
		assert.Equal(t, seconds(10, 30, 70, 150), until)
		assert.Len(t, w.requests(), 4)
	})
}

// Telling holds nothing up but the end of the flight, and not that for long.
func TestTellingIsBounded(t *testing.T) {
	for name, tc := range map[string]struct {
		board   *board
		limit   time.Duration
		elapsed time.Duration
	}{
		"takes a while": {&board{after: time.Second}, time.Minute, time.Second},
		"hangs":         {&board{after: time.Hour}, time.Minute, 2 * time.Second},
		"time is up":    {&board{after: time.Hour}, 700 * time.Millisecond, 700 * time.Millisecond},
		"fails":         {&board{err: errors.New("denied")}, time.Minute, 0},
		"breaks":        {&board{broke: true}, time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b := &wire{answer: script(status(http.StatusNotFound))}, &board{}
				s := hinted(w, b)
				one(t, s, deliver.FlightOptions{}) // reads and opens
				time.Sleep(10 * time.Second)
				b.after, b.err, b.broke = tc.board.after, tc.board.err, tc.board.broke
				ctx, cancel := context.WithTimeout(t.Context(), tc.limit)
				defer cancel()
				got := send(ctx, t, s, deliver.FlightOptions{Probe: true}, load{items: 3, each: 1}.batches(s.Destination())...)
				assert.Equal(t, map[string]int{"http_404": 1, "breaker_open": 2}, got.Returned)
				assert.Equal(t, tc.elapsed, got.elapsed)
			})
		})
	}
}

// What one container learned spares another its requests, and replay finds out when it is over.
func TestHintBetweenSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := &wire{answer: script(status(http.StatusNotFound))}, &board{}
		one(t, hinted(w, b), deliver.FlightOptions{})
		require.Len(t, b.held, 1)
		b.until = b.held[0]
		for range 50 {
			got := one(t, hinted(w, b), deliver.FlightOptions{})
			assert.Equal(t, map[string]int{"breaker_open": 1}, got.Returned)
		}
		assert.Len(t, w.requests(), 1)
		w.answer = nil
		assert.Equal(t, 1, one(t, hinted(w, b), deliver.FlightOptions{Probe: true}).Delivered)
		time.Sleep(10 * time.Second)
		assert.Equal(t, 1, one(t, hinted(w, b), deliver.FlightOptions{}).Delivered)
	})
}
