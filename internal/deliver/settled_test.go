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

// A batch is in flight until it is parked: the window covers parking, and bounds how many are parked at a time.
func TestWindowCoversParking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := &intake{}, &wire{answer: func(c call) answer {
			if c.items[0] == 0 {
				return status(http.StatusBadRequest)
			}
			return answer{}
		}}
		release := make(chan struct{})
		shelf := &shelf{fault: func(context.Context, int, *deliver.GivenUp) error { <-release; return nil }}
		account := ledger.New().Account("intake")
		f := deliver.NewSender(d, w.client(), deliver.Options{}).Start(t.Context(),
			deliver.FlightOptions{Account: account, Window: 4, Parker: shelf})
		for _, b := range (load{items: 20, each: 1}).batches(d) {
			f.Submit(b)
		}
		synctest.Wait()
		assert.Equal(t, 20, f.Submitted())
		assert.Zero(t, f.Settled(), "the first is being parked")
		assert.Len(t, w.requests(), 4)
		assert.False(t, f.Failed())
		assert.False(t, f.Troubled(), "a record's own fault")
		close(release)
		require.NoError(t, f.Wait().Err)
		assert.Equal(t, 20, f.Settled())
		assert.Equal(t, 19, account.Counts().Delivered)
	})
}

func TestParkingConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := &intake{}, &wire{answer: script(status(http.StatusNotFound))}
		shelf := &shelf{fault: func(context.Context, int, *deliver.GivenUp) error { time.Sleep(time.Second); return nil }}
		s := deliver.NewSender(d, w.client(), deliver.Options{})
		got := send(t.Context(), t, s, deliver.FlightOptions{Parker: shelf}, load{items: 10, each: 1}.batches(d)...)
		assert.NoError(t, got.Err)
		assert.Equal(t, 2, shelf.most, "as many as requests")
		assert.Equal(t, 5*time.Second, got.elapsed)
	})
}

// A parker may ask the flight, and another batch may be submitted meanwhile: no lock is held.
func TestParkingHoldsNoLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := &intake{}, &wire{answer: func(c call) answer {
			if c.items[0] == 0 {
				return status(http.StatusNotFound)
			}
			return answer{}
		}}
		var f *deliver.Flight
		batches := load{items: 2, each: 1}.batches(d)
		shelf := &shelf{}
		shelf.fault = func(_ context.Context, n int, _ *deliver.GivenUp) error {
			if n == 0 {
				f.Submit(batches[1]) //nolint:contextcheck // the flight has its own
			}
			assert.False(t, f.Failed())
			assert.True(t, f.Troubled())
			return nil
		}
		account := ledger.New().Account("intake")
		f = deliver.NewSender(d, w.client(), deliver.Options{}).Start(t.Context(),
			deliver.FlightOptions{Account: account, Parker: shelf})
		f.Submit(batches[0])
		assert.NoError(t, f.Wait().Err)
		assert.Equal(t, map[string]int{"http_404": 1, "breaker_open": 1}, account.Counts().Parked)
	})
}

// While parking works, the owner of a window gives nothing again: everything is tried or parked.
func TestWindowGoesOnAfterParking(t *testing.T) {
	for name, tc := range map[string]struct {
		fault    func(context.Context, int, *deliver.GivenUp) error
		parked   map[string]int
		returned map[string]int
		units    []int
	}{
		"parked":     {nil, map[string]int{"http_400": 1}, map[string]int{}, nil},
		"not parked": {func(context.Context, int, *deliver.GivenUp) error { return errors.New("no") }, map[string]int{}, map[string]int{"http_400": 1, "not_sent": 6}, []int{3, 4, 5, 6, 7, 8, 9}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, w, shelf := &intake{}, &wire{answer: poison(3)}, &shelf{fault: tc.fault}
				s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
				got := send(t.Context(), t, s, deliver.FlightOptions{Window: 4, Parker: shelf}, load{items: 10, each: 1}.batches(d)...)
				assert.Equal(t, tc.parked, got.Parked)
				assert.Equal(t, tc.returned, got.Returned)
				assert.Equal(t, tc.units, got.Units)
			})
		})
	}
}

// A flight knows when sending more is in vain: not when single records are at fault.
func TestTroubled(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(call) answer
		over   bool
		want   bool
	}{
		"delivered":           {},
		"delivered in time":   {answer: script(status(503), answer{})},
		"one poisoned record": {answer: poison(5)},
		"a record too large":  {answer: func(c call) answer { return map[bool]answer{true: status(413)}[c.items[len(c.items)-1] == 7] }},
		"unavailable":         {answer: script(status(503)), want: true},
		"throttled":           {answer: script(throttled("1000")), want: true},
		"configuration":       {answer: script(status(400)), want: true},
		"credentials":         {answer: script(status(403)), want: true},
		"out of time":         {over: true, want: true},
	} {
		for parkerName, parker := range map[string]deliver.Parker{
			"returned":   nil,
			"parked":     &shelf{},
			"not parked": &shelf{fault: func(context.Context, int, *deliver.GivenUp) error { return errors.New("no") }},
		} {
			t.Run(name+", "+parkerName, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d, w := &intake{}, &wire{answer: tc.answer}
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					if tc.over {
						cancel()
					}
					f := deliver.NewSender(d, w.client(), deliver.Options{}).Start(ctx, deliver.FlightOptions{
						Account: ledger.New().Account("intake"), Parker: parker, Store: t.Context(),
					})
					assert.False(t, f.Troubled())
					for _, b := range (load{items: 16, each: 8}).batches(d) {
						f.Submit(b)
					}
					f.Wait()
					assert.Equal(t, tc.want, f.Troubled())
				})
			})
		}
	}
}

// Batches settle in the order in which they were submitted, whichever of them ends first.
func TestSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, shelf := &intake{}, &shelf{}
		w := &wire{answer: func(c call) answer {
			switch n := c.items[0]; n {
			case 1:
				return answer{after: 5 * time.Second}
			case 2:
				return status(http.StatusBadRequest)
			default:
				return answer{after: time.Duration(n) * 100 * time.Millisecond}
			}
		}}
		f := deliver.NewSender(d, w.client(), deliver.Options{}).Start(t.Context(),
			deliver.FlightOptions{Account: ledger.New().Account("intake"), Parker: shelf})
		assert.Zero(t, f.Settled())
		assert.Zero(t, f.Submitted())
		for i, b := range (load{items: 6, each: 1}).batches(d) {
			f.Submit(b)
			assert.Equal(t, i+1, f.Submitted())
		}
		synctest.Wait()
		assert.Equal(t, 1, f.Settled(), "the first needs no time, the second does")
		time.Sleep(4 * time.Second)
		assert.Equal(t, 1, f.Settled())
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, 6, f.Settled())
		assert.NoError(t, f.Wait().Err)
	})
}

// What an owner gives again because something before it failed has come to its end as well.
func TestSettledOfWhatWasNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := &intake{}, &wire{answer: poison(0)}
		f := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1}).Start(t.Context(),
			deliver.FlightOptions{Account: ledger.New().Account("intake"), Window: 1})
		for _, b := range (load{items: 5, each: 1}).batches(d) {
			f.Submit(b)
		}
		require.Error(t, f.Wait().Err)
		assert.Equal(t, 5, f.Submitted())
		assert.Equal(t, 5, f.Settled())
	})
}

// A batch that is not going to be sent is not split first, whatever is known about sizes.
func TestGroundedBatchesAreNotSplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, shelf := &intake{}, &shelf{}
		w := &wire{answer: func(c call) answer {
			if len(c.items) > 1 {
				return status(http.StatusRequestEntityTooLarge)
			}
			return status(http.StatusNotFound)
		}}
		s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
		send(t.Context(), t, s, deliver.FlightOptions{Parker: shelf}, load{items: 8, each: 8}.batches(d)...)
		b := load{items: 8, each: 8, size: 100}.batches(d)[0]
		unpacked := 0
		b.Codec = counting{b.Codec, &unpacked}
		got := send(t.Context(), t, s, deliver.FlightOptions{}, b)
		assert.Equal(t, map[string]int{"breaker_open": 8}, got.Returned)
		assert.Zero(t, unpacked)
	})
}

// counting counts how often a body is unpacked.
type counting struct {
	compress.Codec
	unpacked *int
}

func (c counting) Unpack(dst, src []byte) ([]byte, error) {
	*c.unpacked++
	return c.Codec.Unpack(dst, src)
}
