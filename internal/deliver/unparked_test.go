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
	"sluice/internal/ledger"
)

// What cannot be parked goes back to its owner, and the error says both why it was given up and why it was not parked.
func TestParkingFails(t *testing.T) {
	broken := errors.New("bucket is gone")
	for name, tc := range map[string]struct {
		fault    func(ctx context.Context, n int, g *deliver.GivenUp) error
		is       error
		contains string
		parked   map[string]int
		returned map[string]int
		units    []int
		ofRecord bool
	}{
		"each time": {
			fault:    func(context.Context, int, *deliver.GivenUp) error { return broken },
			is:       broken,
			contains: "destination intake: 6 lines returned, first for http_4",
			returned: map[string]int{"http_400": 2, "http_404": 4}, units: []int{1, 3, 4, 5, 6, 7},
			ofRecord: true,
		},
		"for what is dead": {
			fault: func(_ context.Context, _ int, g *deliver.GivenUp) error {
				if g.Permanent {
					return broken
				}
				return nil
			},
			is: broken, contains: "2 lines returned, first for http_400",
			parked: map[string]int{"http_404": 4}, returned: map[string]int{"http_400": 2}, units: []int{1, 3}, ofRecord: true,
		},
		"for what is due again": {
			fault: func(_ context.Context, _ int, g *deliver.GivenUp) error {
				if !g.Permanent {
					return broken
				}
				return nil
			},
			is: broken, contains: "4 lines returned, first for http_404",
			parked: map[string]int{"http_400": 2}, returned: map[string]int{"http_404": 4}, units: []int{4, 5, 6, 7},
		},
		"with a panic": {
			fault:    func(context.Context, int, *deliver.GivenUp) error { panic("line with a secret") },
			contains: "panic of type string",
			returned: map[string]int{"http_400": 2, "http_404": 4}, units: []int{1, 3, 4, 5, 6, 7},
			ofRecord: true,
		},
		"until time is up": {
			fault: func(ctx context.Context, _ int, _ *deliver.GivenUp) error { return pause(ctx, time.Hour) },
			is:    context.DeadlineExceeded, contains: "parking them failed too",
			returned: map[string]int{"http_400": 2, "http_404": 4}, units: []int{1, 3, 4, 5, 6, 7},
			ofRecord: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, shelf := &intake{}, &shelf{fault: tc.fault}
				w := &wire{answer: func(c call) answer {
					if c.items[0] >= 4 {
						return answer{status: http.StatusNotFound, after: time.Second}
					}
					return poison(1, 3)(c)
				}}
				// Two and two in a batch: both of two are never configuration.
				s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
				store, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				got := send(t.Context(), t, s, deliver.FlightOptions{Parker: shelf, Store: store}, load{items: 8, each: 2}.batches(d)...)
				// The second batch of the second half finds the breaker open.
				merged := func(tally map[string]int) map[string]int {
					if n := tally["breaker_open"]; n > 0 {
						tally["http_404"] += n
						delete(tally, "breaker_open")
					}
					if len(tally) == 0 {
						return nil
					}
					return tally
				}
				assert.Equal(t, tc.parked, merged(got.Parked))
				assert.Equal(t, tc.returned, merged(got.Returned))
				assert.Equal(t, tc.units, got.Units)
				assert.Equal(t, tc.ofRecord, got.OfRecord)
				assert.Equal(t, 2, got.Delivered)
				require.ErrorContains(t, got.Err, tc.contains)
				require.ErrorContains(t, got.Err, "; parking them failed too: ")
				if tc.is != nil {
					require.ErrorIs(t, got.Err, tc.is)
				}
				assert.NotContains(t, got.Err.Error(), "secret")
			})
		})
	}
}

// A body that nobody can read is nothing that can be parked: the parker finds that out.
func TestUnreadableBatchIsReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, shelf := &intake{codecs: []compress.Codec{oneWay{zstd}}}, &shelf{}
		w := &wire{answer: script(status(http.StatusRequestEntityTooLarge))}
		s := deliver.NewSender(d, w.client(), deliver.Options{})
		got := send(t.Context(), t, s, deliver.FlightOptions{Parker: shelf}, load{items: 4, each: 4}.batches(d)...)
		assert.Equal(t, map[string]int{"unreadable_batch": 4}, got.Returned)
		assert.Equal(t, 1, shelf.asked)
		assert.Empty(t, shelf.objects())
		assert.ErrorContains(t, got.Err, "parking them failed too: batch ")
		assert.ErrorContains(t, got.Err, "checksum")
	})
}

// A panic outside an attempt, when part of the batch has been delivered: what is left is not known, so nothing is parked
// and the account does not balance.
func TestPanicAmidABatchIsNotParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &intake{reauthorize: func(context.Context) (bool, error) { panic("broken") }}
		w := &wire{answer: func(c call) answer {
			switch {
			case len(c.items) > 4:
				return status(http.StatusRequestEntityTooLarge)
			case c.items[0] == 4:
				return status(http.StatusUnauthorized)
			}
			return answer{}
		}}
		shelf, accounts := &shelf{}, ledger.New()
		account := accounts.Account("intake")
		flight := deliver.NewSender(d, w.client(), deliver.Options{}).Start(t.Context(),
			deliver.FlightOptions{Account: account, Parker: shelf})
		account.In(8)
		flight.Submit(load{items: 8, each: 8}.batches(d)[0])
		require.ErrorContains(t, flight.Wait().Err, "panic")
		assert.Equal(t, map[string]int{"panic": 8}, account.Counts().Returned)
		assert.Empty(t, shelf.objects())
		assert.Error(t, accounts.Check())
	})
}

// When none of it was delivered, the batch is parked as a whole, and what had been given up of it before not twice.
func TestPanicAfterALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &intake{reauthorize: func(context.Context) (bool, error) { panic("broken") }}
		w := &wire{answer: func(c call) answer {
			switch {
			case len(c.items) > 1:
				return status(http.StatusRequestEntityTooLarge)
			case c.items[0] == 0:
				return status(http.StatusBadRequest)
			}
			return status(http.StatusUnauthorized)
		}}
		shelf := &shelf{}
		b := load{items: 2, each: 2}.batches(d)[0]
		got := send(t.Context(), t, deliver.NewSender(d, w.client(), deliver.Options{}), deliver.FlightOptions{Parker: shelf}, b)
		assert.NoError(t, got.Err)
		assert.Equal(t, []parked{{Batch: b.ID, Parts: []string{b.ID}, Items: []int{0, 1}, Reason: "panic"}}, shelf.objects())
	})
}

// Parking goes on when nothing may be sent any more, for as long as the answer can wait.
func TestParkingOutlivesTheFlight(t *testing.T) {
	for name, tc := range map[string]struct {
		store    time.Duration // 0: the flight's own context
		parked   map[string]int
		returned map[string]int
	}{
		"the store's time is longer": {store: 7 * time.Second, parked: map[string]int{"deadline": 10}, returned: map[string]int{}},
		"it is too short":            {store: 5500 * time.Millisecond, parked: map[string]int{}, returned: map[string]int{"deadline": 10}},
		"the store has no time of its own": {
			parked: map[string]int{}, returned: map[string]int{"deadline": 10},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, w := &intake{}, &wire{answer: script(answer{after: time.Hour})}
				shelf := &shelf{fault: func(ctx context.Context, _ int, _ *deliver.GivenUp) error { return pause(ctx, time.Second) }}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				o := deliver.FlightOptions{Parker: shelf}
				if tc.store > 0 {
					store, cancelStore := context.WithTimeout(t.Context(), tc.store)
					defer cancelStore()
					o.Store = store
				}
				got := send(ctx, t, deliver.NewSender(d, w.client(), deliver.Options{}), o, load{items: 10, each: 5}.batches(d)...)
				assert.Equal(t, tc.parked, got.Parked)
				assert.Equal(t, tc.returned, got.Returned)
				assert.Equal(t, tc.returned["deadline"] > 0, got.Err != nil)
			})
		})
	}
}
