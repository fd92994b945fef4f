package deliver_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/deliver"
)

func TestUnauthorized(t *testing.T) {
	for name, tc := range map[string]struct {
		status  int
		rotated bool  // the new credentials are good ones
		err     error // of reading them
		calls   int
		open    bool
	}{
		"403 and a rotated key":                    {status: 403, rotated: true, calls: 2},
		"401 and a rotated key":                    {status: 401, rotated: true, calls: 2},
		"key is still refused":                     {status: 403, calls: 2, open: true},
		"key cannot be read, and is still refused": {status: 401, err: errors.New("no access"), calls: 2, open: true},
		"key cannot be read, and is good again":    {status: 403, rotated: true, err: errors.New("no access"), calls: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				good, reads := false, 0
				d := &intake{reauthorize: func(context.Context) (bool, error) {
					reads++
					good = tc.rotated
					return good, tc.err
				}}
				w := &wire{answer: func(call) answer {
					if good {
						return answer{}
					}
					return status(tc.status)
				}}
				s := deliver.NewSender(d, w.client(), deliver.Options{MaxInFlight: 1})
				got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 30, each: 10}.batches(d)...)
				assert.Equal(t, 1, reads, "for the batch that was refused")
				if tc.open {
					assert.Len(t, w.requests(), 2, "once with the old, once with the new ones, and no storm")
					assert.Equal(t, 20, got.Returned["breaker_open"])
					assert.Equal(t, 30, got.Returned["breaker_open"]+got.Returned["http_401"]+got.Returned["http_403"])
					return
				}
				require.NoError(t, got.Err)
				w.requireTaken(t, 30)
				assert.Len(t, w.requests(), tc.calls+2)
			})
		})
	}
}

// The parts of a split batch share its one reading of the credentials.
func TestUnauthorizedPartsReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		d := &intake{reauthorize: func(context.Context) (bool, error) {
			reads++
			return true, nil
		}}
		w := &wire{answer: func(c call) answer {
			switch {
			case len(c.items) > 4:
				return status(http.StatusRequestEntityTooLarge)
			case reads == 0:
				return status(http.StatusUnauthorized)
			}
			return answer{}
		}}
		s := deliver.NewSender(d, w.client(), deliver.Options{})
		got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 16, each: 16}.batches(d)...)
		require.NoError(t, got.Err)
		assert.Equal(t, 1, reads)
		w.requireTaken(t, 16)
	})
}
