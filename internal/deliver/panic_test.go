package deliver_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/deliver"
	"sluice/internal/destination"
	"sluice/internal/ledger"
)

// A destination that panics takes neither the process with it nor the account of any line, and what it may have sent is
// counted as possible duplicates.
func TestPanic(t *testing.T) {
	panicAt := func(number int) func() {
		calls := 0
		return func() {
			if calls++; calls == number {
				panic("line with a secret")
			}
		}
	}
	for name, tc := range map[string]struct {
		breaks     func(d *intake)
		answer     func(call) answer
		delivered  int
		duplicates int
	}{
		"request of the first batch": {
			breaks: func(d *intake) {
				p := panicAt(1)
				d.request = func() error { p(); return nil }
			},
		},
		"request of the second batch": {
			breaks: func(d *intake) {
				p := panicAt(2)
				d.request = func() error { p(); return nil }
			},
			delivered: 8,
		},
		"answer to the first batch": {
			breaks: func(d *intake) {
				p := panicAt(1)
				d.outcome = func(resp *http.Response, body []byte) destination.Outcome {
					p()
					return (&intake{}).Outcome(resp, body)
				}
			},
			duplicates: 8,
		},
		"answer to the second half of a batch that was too large": {
			breaks: func(d *intake) {
				p := panicAt(3)
				d.outcome = func(resp *http.Response, body []byte) destination.Outcome {
					p()
					return (&intake{}).Outcome(resp, body)
				}
			},
			answer: func(c call) answer {
				if len(c.items) > 4 {
					return status(http.StatusRequestEntityTooLarge)
				}
				return answer{}
			},
			delivered: 4, duplicates: 4,
		},
		"answer to the second half of a bisected batch": {
			breaks: func(d *intake) {
				p := panicAt(3)
				d.outcome = func(resp *http.Response, body []byte) destination.Outcome {
					p()
					return (&intake{}).Outcome(resp, body)
				}
			},
			answer: poison(7), delivered: 4, duplicates: 4,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, w := &intake{}, &wire{answer: tc.answer}
				tc.breaks(d)
				s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
				got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 24, each: 8}.batches(d)...)
				assert.Equal(t, tc.delivered, got.Delivered)
				assert.Positive(t, got.Returned["panic"])
				assert.Equal(t, tc.duplicates, got.PossibleDuplicates)
				assert.NotContains(t, got.Err.Error(), "secret")

				w.answer = nil
				time.Sleep(time.Minute)
				got = send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 24, each: 8}.batches(d)...)
				assert.NoError(t, got.Err, "the breaker's probe was given back")
			})
		})
	}
}

// A panic outside an attempt, when part of the batch has been delivered: the account may show more than came in, never
// less, so that the event is given again.
func TestPanicBetweenAttempts(t *testing.T) {
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
		accounts := ledger.New()
		account := accounts.Account("intake")
		flight := deliver.NewSender(d, w.client(), deliver.Options{}).Start(t.Context(), deliver.FlightOptions{Account: account})
		account.In(8)
		flight.Submit(load{items: 8, each: 8}.batches(d)[0])
		result := flight.Wait()
		require.ErrorContains(t, result.Err, "panic")
		counts := account.Counts()
		assert.Equal(t, 4, counts.Delivered)
		assert.Equal(t, map[string]int{"panic": 8}, counts.Returned)
		assert.Error(t, accounts.Check())
	})
}
