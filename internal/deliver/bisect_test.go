package deliver_test

import (
	"math/bits"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/deliver"
)

// poison refuses bodies with one of these items.
func poison(items ...int) func(call) answer {
	return func(c call) answer {
		for _, n := range c.items {
			if slices.Contains(items, n) {
				return status(http.StatusBadRequest)
			}
		}
		return answer{}
	}
}

// log2 is the number of halvings down to one item.
func log2(n int) int { return bits.Len(uint(n - 1)) }

func TestBisectFindsThePoison(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 7, 8, 100, 1000} {
		for _, at := range []int{0, n / 3, n / 2, n - 1} {
			t.Run(strconv.Itoa(at)+" of "+strconv.Itoa(n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d, w := &intake{}, &wire{answer: poison(at)}
					s := deliver.NewSender(d, w.client(), deliver.Options{})
					got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: n, each: n}.batches(d)...)

					assert.Equal(t, map[string]int{"http_400": 1}, got.Returned)
					assert.Equal(t, at, got.FirstUnit)
					w.requireTaken(t, n, at)
					assert.LessOrEqual(t, got.Requests, 2*log2(n)+1)
					assert.Zero(t, got.Retries)
				})
			})
		}
	}
}

func TestBisect(t *testing.T) {
	unprocessable := func(c call) answer {
		if a := poison(3)(c); a.status != 0 {
			return status(http.StatusUnprocessableEntity)
		}
		return answer{}
	}
	for name, tc := range map[string]struct {
		items    int
		answer   func(call) answer
		lost     []int // items that are returned
		returned map[string]int
		most     int // requests
		open     bool
	}{
		"two in one half, side by side": {
			items: 64, answer: poison(40, 41), lost: []int{40, 41}, returned: map[string]int{"http_400": 2}, most: 15,
		},
		"two in one half, apart": {
			items: 64, answer: poison(32, 63), lost: []int{32, 63}, returned: map[string]int{"http_400": 2}, most: 23,
		},
		"a whole quarter": {
			items: 16, answer: poison(4, 5, 6, 7), lost: []int{4, 5, 6, 7}, returned: map[string]int{"http_400": 4}, most: 11,
		},
		"one in each half looks like configuration": {
			items: 64, answer: poison(1, 63), lost: upToN(64), returned: map[string]int{"http_400": 64}, most: 3, open: true,
		},
		"all": {
			items: 64, answer: script(status(http.StatusBadRequest)), lost: upToN(64),
			returned: map[string]int{"http_400": 64}, most: 3, open: true,
		},
		"both of two are records, not configuration": {
			items: 2, answer: poison(0, 1), lost: []int{0, 1}, returned: map[string]int{"http_400": 2}, most: 3,
		},
		"the only one": {
			items: 1, answer: poison(0), lost: []int{0}, returned: map[string]int{"http_400": 1}, most: 1,
		},
		"422 means the same": {
			items: 8, answer: unprocessable, lost: []int{3}, returned: map[string]int{"http_422": 1}, most: 7,
		},
		"the destination goes away during the search": {
			items: 8, answer: func(c call) answer {
				if c.number == 0 {
					return status(http.StatusBadRequest)
				}
				return status(http.StatusServiceUnavailable)
			},
			lost: upToN(8), returned: map[string]int{"http_503": 4, "breaker_open": 4}, most: 6, open: true,
		},
		"too large and poisoned": {
			items: 16, answer: func(c call) answer {
				if len(c.items) > 4 {
					return status(http.StatusRequestEntityTooLarge)
				}
				return poison(9)(c)
			},
			lost: []int{9}, returned: map[string]int{"http_400": 1}, most: 13,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, w := &intake{}, &wire{answer: tc.answer}
				s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
				got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: tc.items, each: tc.items}.batches(d)...)
				assert.Equal(t, tc.returned, got.Returned)
				assert.Equal(t, tc.lost[0], got.FirstUnit)
				assert.LessOrEqual(t, got.Requests, tc.most)
				if len(tc.lost) < tc.items {
					w.requireTaken(t, tc.items, tc.lost...)
				} else {
					assert.Empty(t, w.taken)
				}

				before := len(w.requests())
				w.answer = nil
				next := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 1, each: 1}.batches(d)...)
				assert.Equal(t, tc.open, next.Err != nil)
				assert.Equal(t, tc.open, len(w.requests()) == before)
			})
		})
	}
}

// upToN are the items of a load of n.
func upToN(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// A probe that says neither yes nor no is followed by the next, in the same batch if it has more to try.
func TestProbeWithoutResult(t *testing.T) {
	for _, code := range []int{400, 401, 413, 415, 429} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, w := &intake{codecs: zstdAndGzip()}, &wire{answer: script(status(http.StatusNotFound))}
				s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
				batches := load{items: 8, each: 4}.batches(d)
				require.Error(t, send(t.Context(), t, s, deliver.FlightOptions{}, batches...).Err)
				require.Len(t, w.requests(), 1, "the breaker is open")

				time.Sleep(time.Minute)
				w.forget()
				w.answer = script(status(code), answer{})
				got := send(t.Context(), t, s, deliver.FlightOptions{}, batches...)
				require.NoError(t, got.Err)
				w.requireTaken(t, 8)
			})
		})
	}
}

// Wrong configuration stays wrong: its probes come less and less often, though the destination answers every one.
func TestConfigurationProbes(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		codecs []compress.Codec
		each   int // requests of a probe
	}{
		"every body is invalid":           {http.StatusBadRequest, nil, 3},
		"every body is, in either coding": {http.StatusBadRequest, zstdAndGzip(), 3},
		"every coding is refused":         {http.StatusUnsupportedMediaType, zstdAndGzip(), 2},
		"credentials are refused":         {http.StatusForbidden, nil, 2},
		"nothing is there":                {http.StatusNotFound, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, w := &intake{codecs: tc.codecs}, &wire{answer: script(status(tc.status))}
				s := deliver.NewSender(d, w.client(), deliver.Options{Jitter: func() float64 { return 0.5 }})
				batches := load{items: 64, each: 64}.batches(d)
				for range 200 {
					got := send(t.Context(), t, s, deliver.FlightOptions{}, batches...)
					require.Error(t, got.Err)
					time.Sleep(time.Second)
				}
				var want []time.Duration
				for _, seconds := range []int{0, 10, 30, 70, 150} {
					want = append(want, slices.Repeat([]time.Duration{time.Duration(seconds) * time.Second}, tc.each)...)
				}
				assert.Equal(t, want, w.times())

				w.answer = nil
				time.Sleep(5 * time.Minute)
				assert.NoError(t, send(t.Context(), t, s, deliver.FlightOptions{}, batches...).Err)
			})
		})
	}
}
