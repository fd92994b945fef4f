package deliver_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/deliver"
)

// upTo refuses bodies of more than limit plain bytes.
func upTo(limit int) func(call) answer {
	return func(c call) answer {
		if c.bytes > limit {
			return status(http.StatusRequestEntityTooLarge)
		}
		return answer{}
	}
}

// requireTaken checks that the server took each of n items once, except those that it has never taken.
func (w *wire) requireTaken(t *testing.T, n int, never ...int) {
	t.Helper()
	want := make(map[int]int, n)
	for i := range n {
		want[i] = 1
	}
	for _, i := range never {
		delete(want, i)
	}
	require.Equal(t, want, w.taken)
}

// refused counts the calls that were answered so.
func (w *wire) refused(answered func(call) answer, code int) (n int) {
	for _, c := range w.requests() {
		if answered(c).status == code {
			n++
		}
	}
	return n
}

func TestTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := &intake{}, &wire{answer: upTo(3500)}
		s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
		got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 300, each: 100, size: 97}.batches(d)...)
		require.NoError(t, got.Err)
		w.requireTaken(t, 300)
		assert.Zero(t, got.Retries, "a part is no repetition")
		// A body of 10 kB and one of its halves are refused. From then on nothing as large is sent, but for what is tried
		// now and then because limits move.
		assert.LessOrEqual(t, w.refused(upTo(3500), http.StatusRequestEntityTooLarge), 4)

		ids := map[string]bool{}
		for _, c := range w.requests() {
			require.False(t, ids[c.id], "two parts have one id")
			ids[c.id] = true
		}
	})
}

// A proxy's bad moment does not cost a container small requests for ever: once bodies are taken again, they grow.
func TestTooLargeIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, bad := &intake{}, true
		w := &wire{answer: func(c call) answer {
			if bad && len(c.items) > 1 {
				return status(http.StatusRequestEntityTooLarge)
			}
			return answer{}
		}}
		s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1, Jitter: never})
		got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 100, each: 100, size: 97}.batches(d)...)
		require.NoError(t, got.Err)
		require.Greater(t, got.Requests, 100)

		bad = false
		for range 100 {
			got = send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 100, each: 100, size: 97}.batches(d)...)
			require.NoError(t, got.Err)
		}
		assert.Equal(t, 1, got.Requests)
	})
}

// The limit changes under way, in both directions.
func TestTooLargeMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &intake{}
		w := &wire{answer: func(c call) answer {
			limits := []int{4000, 900, 350, 6000, 120}
			return upTo(limits[c.number/7%len(limits)])(c)
		}}
		s := deliver.NewSender(d, w.client(), deliver.Options{})
		got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 500, each: 100, size: 97}.batches(d)...)
		require.NoError(t, got.Err)
		w.requireTaken(t, 500)
	})
}

func TestTooLargeForOneItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		large := func(c call) answer {
			for _, n := range c.items {
				if n == 5 || n == 6 {
					return status(http.StatusRequestEntityTooLarge)
				}
			}
			return answer{}
		}
		d, w := &intake{}, &wire{answer: large}
		s := deliver.NewSender(d, w.client(), deliver.Options{})
		got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 16, each: 16}.batches(d)...)
		assert.Equal(t, map[string]int{"http_413": 2}, got.Returned)
		assert.Equal(t, 5, got.FirstUnit)
		w.requireTaken(t, 16, 5, 6)
	})
}

func TestTooLargeAlways(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 64
		d, w := &intake{}, &wire{answer: script(status(http.StatusRequestEntityTooLarge))}
		s := deliver.NewSender(d, w.client(), deliver.Options{})
		got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: n, each: n}.batches(d)...)
		assert.Equal(t, map[string]int{"http_413": n}, got.Returned)
		assert.LessOrEqual(t, got.Requests, 2*n)
		assert.Zero(t, got.FirstUnit)
	})
}

// A tree of parts must not outlive the flight: what is left when time is up is given up, and not sent any more.
func TestTooLargeUntilTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 512
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		d := &intake{}
		w := &wire{answer: func(c call) answer {
			a := upTo(500)(c)
			a.after = time.Second
			return a
		}}
		s := deliver.NewSender(d, w.client(), deliver.Options{})
		got := send(ctx, t, s, deliver.FlightOptions{}, load{items: n, each: n, size: 97}.batches(d)...)

		assert.LessOrEqual(t, got.elapsed, 40*time.Second)
		assert.Greater(t, got.elapsed, 38*time.Second, "parts that get through are sent as long as there is time")
		assert.Equal(t, n-got.Delivered, got.Returned["deadline"])
		assert.Len(t, w.taken, got.Delivered)
		assert.Equal(t, got.Delivered, got.FirstUnit, "parts are sent in order")
		for _, at := range w.times() {
			require.Less(t, at, 40*time.Second)
		}
	})
}

// The parts of a batch share the budget for repeating: a tree of failing parts does not multiply it.
func TestTooLargeSharesTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &intake{}
		w := &wire{answer: func(c call) answer {
			if len(c.items) > 2 {
				return status(http.StatusRequestEntityTooLarge)
			}
			return answer{status: http.StatusTooManyRequests, after: 4 * time.Second}
		}}
		s := deliver.NewSender(d, w.client(), deliver.Options{Jitter: never})
		got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 16, each: 16}.batches(d)...)
		assert.Equal(t, map[string]int{"http_429": 16}, got.Returned)
		retries := 0
		seen := map[string]bool{}
		for _, c := range w.requests() {
			if seen[c.id] {
				retries++
				assert.Less(t, c.at, 20*time.Second)
			}
			seen[c.id] = true
		}
		assert.Positive(t, retries)
	})
}

// oneWay is a coding that cannot read what it wrote.
type oneWay struct{ coding }

func (oneWay) Unpack(dst, _ []byte) ([]byte, error) { return dst, errors.New("checksum") }

// A body that cannot be unpacked any more cannot be split or packed anew. It is accounted for all the same.
func TestUnreadableBatch(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		reason string
	}{
		"to be halved":        {http.StatusRequestEntityTooLarge, "unreadable_batch"},
		"to be bisected":      {http.StatusBadRequest, "unreadable_batch"},
		"to be packed anew":   {http.StatusUnsupportedMediaType, "http_415"},
		"to be sent as it is": {http.StatusAccepted, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &intake{codecs: []compress.Codec{oneWay{zstd}, gzip}}
				w := &wire{answer: script(status(tc.status))}
				s := deliver.NewSender(d, w.client(), deliver.Options{})
				got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 4, each: 4}.batches(d)...)
				assert.Equal(t, 1, got.Requests)
				if tc.reason == "" {
					assert.NoError(t, got.Err)
					return
				}
				assert.Equal(t, map[string]int{tc.reason: 4}, got.Returned)
			})
		})
	}
}
