package deliver_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/deliver"
	"sluice/internal/ledger"
)

func TestInFlight(t *testing.T) {
	for name, tc := range map[string]struct {
		sender, flight int // limits
		most           int
	}{
		"default":                         {most: 8},
		"of the sender":                   {sender: 3, most: 3},
		"of the sender, above default":    {sender: 20, most: 20},
		"one at a time":                   {sender: 1, most: 1},
		"of the flight":                   {flight: 4, most: 4},
		"the flight's below the sender's": {sender: 6, flight: 5, most: 5},
		"the sender's below the flight's": {sender: 5, flight: 6, most: 5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const batches = 400
				d, w := &intake{}, &wire{answer: script(answer{after: time.Second})}
				s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: tc.sender})
				got := send(t.Context(), t, s, deliver.FlightOptions{Window: tc.flight},
					load{items: batches, each: 1}.batches(d)...)
				require.NoError(t, got.Err)
				assert.Equal(t, tc.most, w.most)

				calls := w.requests()
				require.Len(t, calls, batches)
				at := make([]time.Duration, batches) // when each batch was started
				for _, c := range calls {
					at[c.items[0]] = c.at
				}
				assert.IsNonDecreasing(t, at, "batches start in the order of submission")
				atFirst := 0
				for _, c := range calls {
					if c.at == 0 {
						atFirst++
					}
				}
				assert.Equal(t, min(2, tc.most), atFirst, "a new sender starts carefully")
			})
		})
	}
}

// One request is throttled while eight are on their way: half as many follow, and one more after each clean round.
func TestInFlightShrinksAndGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &intake{}
		w := &wire{answer: func(c call) answer {
			if c.at >= 100*time.Second && c.at < 101*time.Second {
				return answer{status: http.StatusTooManyRequests, after: time.Second}
			}
			return answer{after: time.Second}
		}}
		s := deliver.NewSender(d, w.client(), deliver.Options{Jitter: never})
		got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 1200, each: 1}.batches(d)...)
		require.NoError(t, got.Err)

		started := map[time.Duration]int{}
		for _, c := range w.requests() {
			started[c.at]++
		}
		assert.Equal(t, 8, started[100*time.Second])
		// The eight repeat at once, as they are in flight already; what is new has to wait for the smaller window.
		assert.Equal(t, 8, started[101*time.Second])
		assert.LessOrEqual(t, started[102*time.Second], 5)
		assert.GreaterOrEqual(t, started[102*time.Second], 4, "halved once, not once for each of the eight")
		assert.Equal(t, 8, started[140*time.Second])
	})
}

// Submit holds the encoder back while 8 MiB of bodies are on their way, and goes on as soon as there is room.
func TestSubmitWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mib = 1 << 20
		d, w := &intake{}, &wire{answer: script(answer{after: time.Second})}
		s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
		account := ledger.New().Account("intake")
		flight := s.Start(t.Context(), deliver.FlightOptions{Account: account})

		var submitted atomic.Int32
		go func() {
			for _, b := range (load{items: 6, each: 1, size: 3 * mib, codec: compress.Plain{}}).batches(d) {
				flight.Submit(b)
				submitted.Add(1)
			}
		}()
		for _, want := range []int32{2, 3, 4, 5, 6, 6} { // two fit; the third is held until the first has been sent
			synctest.Wait()
			assert.Equal(t, want, submitted.Load())
			time.Sleep(time.Second)
		}
		require.NoError(t, flight.Wait().Err)
	})
}

func TestSubmitOfHugeBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := &intake{}, &wire{answer: script(answer{after: time.Second})}
		s := deliver.NewSender(d, w.client(), deliver.Options{})
		got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 3, each: 1, size: 9 << 20}.batches(d)...)
		require.NoError(t, got.Err)
		assert.Equal(t, 3*time.Second, got.elapsed, "one after the other: each is more than may be held")
	})
}

// Many encoders' worth of bodies against a destination that is down: everything ends, and in time.
func TestSubmitToAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := &intake{}, &wire{answer: script(answer{after: time.Hour})}
		s := deliver.NewSender(d, w.client(), deliver.Options{})
		got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 40, each: 1, size: 2 << 20}.batches(d)...)
		require.Error(t, got.Err)
		assert.Less(t, got.elapsed, 3*time.Minute, "after five failures nothing waits any more")
		assert.Positive(t, got.Returned["breaker_open"])
	})
}

func TestStopAtFailure(t *testing.T) {
	for name, tc := range map[string]struct {
		window   int
		returned map[string]int
		calls    int
	}{
		"what has not been sent is given up": {window: 4, returned: map[string]int{"http_400": 1, "not_sent": 6}, calls: 4},
		"what has not been sent is sent":     {returned: map[string]int{"http_400": 1}, calls: 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &intake{}
				w := &wire{answer: func(c call) answer {
					if c.items[0] == 3 {
						return answer{status: http.StatusBadRequest, after: time.Second}
					}
					return answer{after: time.Second}
				}}
				s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
				got := send(t.Context(), t, s, deliver.FlightOptions{Window: tc.window},
					load{items: 10, each: 1}.batches(d)...)
				assert.Equal(t, tc.returned, got.Returned)
				assert.Len(t, w.requests(), tc.calls)
				assert.Equal(t, 3, got.FirstUnit)
				assert.ErrorContains(t, got.Err, "http_400")
			})
		})
	}
}

// While one batch gets no answer, the others do not run away from it: what they deliver is delivered again.
func TestWindow(t *testing.T) {
	for name, tc := range map[string]struct {
		first    answer
		ofRecord bool
	}{
		"the first hangs":      {first: answer{after: time.Hour}},
		"the first fails late": {first: answer{status: http.StatusBadRequest, after: 5 * time.Second}, ofRecord: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &intake{}
				w := &wire{answer: func(c call) answer {
					if c.items[0] == 0 {
						return tc.first
					}
					return answer{after: time.Millisecond}
				}}
				s := deliver.NewSender(d, w.client(), deliver.Options{})
				got := send(t.Context(), t, s, deliver.FlightOptions{Window: 4}, load{items: 200, each: 1}.batches(d)...)
				assert.Equal(t, 3, got.Delivered, "of the four in the window")
				assert.Zero(t, got.FirstUnit)
				assert.Equal(t, tc.ofRecord, got.OfRecord)
			})
		})
	}
}

// The owner gives everything again from the lowest unit on, whichever of them failed first.
func TestFirstUnitIsTheLowest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &intake{}
		w := &wire{answer: func(c call) answer {
			switch c.items[0] {
			case 1:
				return answer{status: http.StatusBadRequest, after: 5 * time.Second} // the last to fail
			case 3, 5:
				return status(http.StatusBadRequest)
			}
			return answer{after: time.Second}
		}}
		s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 2})
		got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 6, each: 1}.batches(d)...)
		assert.Equal(t, map[string]int{"http_400": 3}, got.Returned)
		assert.Equal(t, 1, got.FirstUnit)
		assert.True(t, got.OfRecord)
		assert.Equal(t, []int{1, 3, 5}, got.Units, "in order, whichever failed first")
	})
}

// An owner that can give single units again needs all of those, and no other.
func TestUnits(t *testing.T) {
	refuse := poison
	for name, tc := range map[string]struct {
		answer func(call) answer
		units  func(int) int // of an item
		want   []int
	}{
		"all delivered":                            {refuse(), func(i int) int { return i }, nil},
		"one item of one unit":                     {refuse(5), func(i int) int { return i / 4 }, []int{1}},
		"first and last":                           {refuse(0, 11), func(i int) int { return i }, []int{0, 11}},
		"two items of one unit are one":            {refuse(4, 6), func(i int) int { return i / 4 }, []int{1}},
		"neighbours on both sides of a unit's end": {refuse(3, 4), func(i int) int { return i / 4 }, []int{0, 1}},
		"units may be far apart":                   {refuse(2, 9), func(i int) int { return i * 1000 }, []int{2000, 9000}},
		"a unit in two batches, one refused":       {refuse(7), func(int) int { return 3 }, []int{3}},
		"everything":                               {script(status(http.StatusNotFound)), func(i int) int { return i / 4 }, []int{0, 1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, w := &intake{}, &wire{answer: tc.answer}
				s := deliver.NewSender(d, w.client(), deliver.Options{})
				got := send(t.Context(), t, s, deliver.FlightOptions{}, packUnits(d, 12, 6, tc.units)...)
				assert.Equal(t, tc.want, got.Units)
			})
		})
	}
}

// What was not sent because something before it failed is to be given again, too.
func TestUnitsThatWereNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := &intake{}, &wire{answer: poison(0)}
		s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
		got := send(t.Context(), t, s, deliver.FlightOptions{Window: 1}, load{items: 5, each: 1}.batches(d)...)
		assert.Equal(t, map[string]int{"http_400": 1, "not_sent": 4}, got.Returned)
		assert.Equal(t, []int{0, 1, 2, 3, 4}, got.Units)
	})
}

func TestFlightOfNothing(t *testing.T) {
	d, w := &intake{}, &wire{}
	got := send(t.Context(), t, deliver.NewSender(d, w.client(), deliver.Options{}), deliver.FlightOptions{})
	assert.NoError(t, got.Err)
	assert.Empty(t, w.requests())
}

// An oversized record is accounted for without a request, and what stands beside it is delivered.
func TestOversizedIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := &intake{}, &wire{}
		batches := load{items: 3, each: 1, size: 10}.batches(d)
		batches[1] = load{items: 1, each: 1, size: 100}.batches(&stubborn{*d})[0]
		require.True(t, batches[1].Oversized())
		got := send(t.Context(), t, deliver.NewSender(d, w.client(), deliver.Options{}), deliver.FlightOptions{}, batches...)
		assert.Equal(t, map[string]int{"oversize": 1}, got.Returned)
		assert.Equal(t, 2, got.Delivered)
		assert.Len(t, w.requests(), 2)
	})
}
