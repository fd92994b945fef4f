package deliver_test

import (
	"context"
	"errors"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/deliver"
	"sluice/internal/destination"
)

// One batch of ten items, and what is answered to each attempt.
func TestRetry(t *testing.T) {
	const ms, s = time.Millisecond, time.Second
	hanging := answer{after: time.Hour}
	reset := answer{err: syscall.ECONNRESET, taken: true}
	refused := answer{err: syscall.ECONNREFUSED, unwritten: true}
	for name, tc := range map[string]struct {
		answers    []answer
		jitter     func() float64 // nil: every wait is as long as it can be
		limit      time.Duration  // of the flight; 0 for a minute
		sentAt     []time.Duration
		reason     string // "" when everything is delivered
		elapsed    time.Duration
		duplicates int
	}{
		"accepted": {
			answers: []answer{{}}, sentAt: []time.Duration{0},
		},
		"three failures, with the longest waits": {
			answers: []answer{status(503), status(500), status(408), {}},
			sentAt:  []time.Duration{0, 250 * ms, 750 * ms, 1750 * ms}, elapsed: 1750 * ms,
		},
		"three failures, with half of the longest waits": {
			answers: []answer{status(503), status(503), status(503), {}}, jitter: func() float64 { return 0.5 },
			sentAt: []time.Duration{0, 125 * ms, 375 * ms, 875 * ms}, elapsed: 875 * ms,
		},
		"three failures, with the shortest waits": {
			answers: []answer{status(503), status(503), status(503), {}}, jitter: never,
			sentAt: []time.Duration{0, 0, 0, 0},
		},
		"there is no fifth attempt": {
			answers: []answer{status(503)}, sentAt: []time.Duration{0, 250 * ms, 750 * ms, 1750 * ms},
			reason: "http_503", elapsed: 1750 * ms,
		},
		"nor one with new credentials": {
			answers: []answer{status(503), status(503), status(503), status(401), {}}, jitter: never,
			sentAt: []time.Duration{0, 0, 0, 0}, reason: "http_401",
		},
		"another attempt would not help": {
			answers: []answer{status(404)}, sentAt: []time.Duration{0}, reason: "http_404",
		},
		"redirect is not followed": {
			answers: []answer{{status: 307, header: http.Header{"Location": {"https://other.example.com/"}}}},
			sentAt:  []time.Duration{0}, reason: "http_307",
		},
		"answer that is none": {
			answers: []answer{status(999)}, sentAt: []time.Duration{0}, reason: "none",
		},

		"Retry-After in seconds is the least wait": {
			answers: []answer{throttled("3"), {}}, sentAt: []time.Duration{0, 3 * s}, elapsed: 3 * s,
		},
		"Retry-After as a date": { // the clock of a bubble starts with the century
			answers: []answer{throttled("Sat, 01 Jan 2000 00:00:07 GMT"), {}},
			sentAt:  []time.Duration{0, 7 * s}, elapsed: 7 * s,
		},
		"Retry-After below the backoff does not shorten it": {
			answers: []answer{throttled("0"), {}}, sentAt: []time.Duration{0, 250 * ms}, elapsed: 250 * ms,
		},
		"Retry-After that nobody can read": {
			answers: []answer{throttled("soon"), {}}, sentAt: []time.Duration{0, 250 * ms}, elapsed: 250 * ms,
		},
		"Retry-After with a 503": {
			answers: []answer{{status: 503, header: http.Header{"Retry-After": {"2"}}}, {}},
			sentAt:  []time.Duration{0, 2 * s}, elapsed: 2 * s,
		},
		"Retry-After just within the budget": {
			answers: []answer{throttled("19"), {}}, sentAt: []time.Duration{0, 19 * s}, elapsed: 19 * s,
		},
		"Retry-After beyond the budget: no sleep": {
			answers: []answer{throttled("20"), {}}, sentAt: []time.Duration{0}, reason: "http_429",
		},
		"Retry-After beyond the deadline: no sleep": {
			answers: []answer{throttled("6"), {}}, limit: 6 * s, sentAt: []time.Duration{0}, reason: "http_429",
		},
		"Retry-After of a day": {
			answers: []answer{throttled("86400"), {}}, sentAt: []time.Duration{0}, reason: "http_429",
		},

		"hanging: the last attempt ends with the budget": {
			answers: []answer{hanging}, jitter: never, sentAt: []time.Duration{0, 9 * s, 18 * s},
			reason: "timeout", elapsed: 20 * s, duplicates: 30,
		},
		"slow failures: no attempt after the budget": {
			answers: []answer{{status: 503, after: 7 * s}}, jitter: never, sentAt: []time.Duration{0, 7 * s, 14 * s},
			reason: "timeout", elapsed: 20 * s, duplicates: 10,
		},
		"deadline in the middle of an attempt": {
			answers: []answer{{after: 8 * s}}, limit: 5 * s, sentAt: []time.Duration{0},
			reason: "deadline", elapsed: 5 * s, duplicates: 10,
		},
		"deadline in the middle of a wait": {
			answers: []answer{status(503)}, limit: 900 * ms, sentAt: []time.Duration{0, 250 * ms},
			reason: "http_503", elapsed: 250 * ms,
		},
		"too little time for an attempt": {
			answers: []answer{{}}, limit: 199 * ms, reason: "deadline",
		},
		"just enough time for an attempt": {
			answers: []answer{{}}, limit: 200 * ms, sentAt: []time.Duration{0},
		},

		"reset after the body was sent: perhaps taken": {
			answers: []answer{reset, {}}, jitter: never, sentAt: []time.Duration{0, 0}, duplicates: 10,
		},
		"reset each time": {
			answers: []answer{reset}, jitter: never, sentAt: []time.Duration{0, 0, 0, 0}, reason: "reset", duplicates: 40,
		},
		"connection refused: certainly not taken": {
			answers: []answer{refused, refused, {}}, jitter: never, sentAt: []time.Duration{0, 0, 0},
		},
		"unparsable success, as a destination may find it": {
			answers: []answer{status(299), {}}, jitter: never, sentAt: []time.Duration{0, 0}, duplicates: 10,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &intake{outcome: func(resp *http.Response, _ []byte) destination.Outcome {
					switch resp.StatusCode {
					case 299:
						return destination.Outcome{Verdict: destination.Ambiguous, Reason: "unparsable"}
					case 999:
						return destination.Outcome{Reason: "none"}
					}
					return (&intake{}).Outcome(resp, nil)
				}}
				w := &wire{answer: script(tc.answers...)}
				o := deliver.Options{Jitter: always, AttemptTimeout: 9 * s}
				if tc.jitter != nil {
					o.Jitter = tc.jitter
				}
				limit := time.Minute
				if tc.limit != 0 {
					limit = tc.limit
				}
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				got := send(ctx, t, deliver.NewSender(d, w.client(), o), deliver.FlightOptions{},
					load{items: 10, each: 10}.batches(d)...)

				assert.Equal(t, tc.sentAt, w.times())
				assert.Equal(t, len(tc.sentAt), got.Requests)
				assert.Equal(t, max(len(tc.sentAt)-1, 0), got.Retries)
				assert.Equal(t, tc.duplicates, got.PossibleDuplicates)
				assert.Equal(t, tc.elapsed, got.elapsed)
				if tc.reason == "" {
					require.NoError(t, got.Err)
					assert.Equal(t, 10, got.Delivered)
					return
				}
				assert.Equal(t, map[string]int{tc.reason: 10}, got.Returned)
				require.ErrorContains(t, got.Err, "destination intake: 10 lines returned, first for "+tc.reason)
			})
		})
	}
}

// A flight whose time is over sends nothing, and none of it is a mark against the destination.
func TestFlightThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := &intake{}, &wire{}
		s := deliver.NewSender(d, w.client(), deliver.Options{})
		over, cancel := context.WithCancel(t.Context())
		cancel()
		got := send(over, t, s, deliver.FlightOptions{}, load{items: 20, each: 1}.batches(d)...)
		assert.Equal(t, map[string]int{"deadline": 20}, got.Returned)
		assert.Zero(t, got.Requests)
		assert.Empty(t, w.requests())

		got = send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 20, each: 1}.batches(d)...)
		assert.Equal(t, 20, got.Delivered)
	})
}

// Credentials that cannot be read because time is up are no reason to close the destination.
func TestNoTimeForCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over, cancel := context.WithCancel(t.Context())
		d, w := &intake{}, &wire{}
		d.request = func() error {
			cancel()
			return context.Canceled
		}
		s := deliver.NewSender(d, w.client(), deliver.Options{})
		got := send(over, t, s, deliver.FlightOptions{}, load{items: 1, each: 1}.batches(d)...)
		assert.Equal(t, map[string]int{"deadline": 1}, got.Returned)

		d.request = nil
		got = send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 1, each: 1}.batches(d)...)
		assert.NoError(t, got.Err)
	})
}

func TestNoCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := &intake{request: func() error { return errors.New("secret is not there") }}, &wire{}
		s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
		got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 5, each: 1}.batches(d)...)
		assert.Equal(t, map[string]int{"no_credentials": 1, "breaker_open": 4}, got.Returned)
		assert.Zero(t, got.Requests, "nothing has left")
		assert.ErrorContains(t, got.Err, "secret is not there", "why")
	})
}

// An outage costs at most a fifth more requests, and ten. (Throttling is an outage that leaves the breaker closed.)
func TestOutageCostsFewRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const batches = 300
		d, w := &intake{}, &wire{answer: script(status(http.StatusTooManyRequests))}
		s := deliver.NewSender(d, w.client(), deliver.Options{})
		got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: batches, each: 1}.batches(d)...)
		assert.Equal(t, map[string]int{"http_429": batches}, got.Returned)
		assert.LessOrEqual(t, got.Requests, batches*12/10+10)
		assert.Greater(t, got.Requests, batches*11/10, "the tokens are there to be used")
	})
}

// A wait that does not fit is kept all the same: nobody else asks before it is over.
func TestWaitBeyondTheBudgetHoldsTheDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &intake{}
		w := &wire{answer: func(c call) answer {
			if c.number == 0 {
				return throttled("120")
			}
			return answer{}
		}}
		s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1, Jitter: never})
		got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 42, each: 1}.batches(d)...)
		assert.Equal(t, map[string]int{"http_429": 1, "breaker_open": 41}, got.Returned)
		assert.Zero(t, got.elapsed, "nobody sleeps")

		time.Sleep(119 * time.Second)
		got = send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 1, each: 1}.batches(d)...)
		assert.Equal(t, map[string]int{"breaker_open": 1}, got.Returned)
		time.Sleep(time.Second)
		got = send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 5, each: 1}.batches(d)...)
		assert.Equal(t, 5, got.Delivered)
		assert.Len(t, w.requests(), 6)
	})
}
