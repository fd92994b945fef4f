package rig

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/stack/bucket"
)

// What Lambda gave up, and replay cannot forward either, comes to rest as input for a person: it is known there.
func TestFailuresThatAreExhausted(t *testing.T) {
	r := newRig(t, Options{})
	refuse := func(folders ...string) {
		r.S3.SetScript(func(a bucket.Arrival) bucket.Step {
			for _, folder := range folders {
				if a.Method == http.MethodPut && a.Bucket == r.ParkBucket && len(a.Key) > len(parkRoot+folder) &&
					a.Key[:len(parkRoot+folder)] == parkRoot+folder {
					return bucket.AccessDenied()
				}
			}
			return bucket.Step{}
		})
	}
	r.Outage()
	refuse("pending/", "dead-raw/")
	require.NoError(t, r.Feed(t.Context(), CloudWatch, 100))
	require.NoError(t, r.Drain(t.Context()))
	for range 5 {
		_, err := r.InvokeReplay(t.Context(), FailuresEvent)
		require.NoError(t, err)
	}
	require.NoError(t, r.ExpireLeases(t.Context()))
	refuse()
	for range 2 {
		_, err := r.InvokeReplay(t.Context(), FailuresEvent)
		require.NoError(t, err)
	}

	result, err := r.Audit(t.Context())

	require.NoError(t, err)
	t.Log(result, result.Stored)
	require.NoError(t, result.Verdict())
	assert.Equal(t, 1, result.OnFailure)
	assert.LessOrEqual(t, result.LinesOfOutput, 3.0)
	assert.Equal(t, result.In, result.DeadRaw+result.Pending)
}
