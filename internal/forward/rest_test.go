package forward

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

// A destination in trouble in the midst of an object costs the other one nothing. What was on its way is parked as items,
// and the rest by one pointer, from the next record on.
func TestTroubleInTheMidst(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		reason string
	}{"down": {503, "breaker_open"}, "no intake": {404, "http_404"}, "refuses the key": {403, "http_403"}, "finds all lines invalid": {400, "http_400"}} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				r := newRig(t, twoHTTP("")).ticking()
				lines := someLines("x", 5000)
				o := r.s3.slowly("a.log", lines)
				o.slow = time.Second // attempts are repeated for a while
				r.intake.answer = failingFrom(3, "a.example.com", tc.status)
				answer, ledger, err := r.invoke(t, S3, inQueue(native(o)))
				require.NoError(t, err)
				assert.Equal(t, allTaken, answer)
				assert.Empty(t, ledger.Error)

				a := ledger.Destinations["a"]
				assert.Equal(t, 120, a.Delivered)
				assert.Equal(t, 1, a.Parked["destination_down"], "the rest counts as one")
				assert.Positive(t, a.Parked[tc.reason])
				assert.Equal(t, counts{In: 5000, Delivered: 5000, Requests: 125}, plainCounts(ledger.Destinations["b"]))
				assert.Empty(t, r.s3.keysBelow("sluice/v1/pending/b/"))

				pointers := r.pointersFor(t, park.Pending, "a")
				require.Len(t, pointers, 1)
				h := pointers[0]
				assert.Equal(t, park.Reason{Code: "destination_down", Class: "retriable"}, h.Reason)
				assert.Equal(t, 1, h.Attempt)
				assert.Equal(t, h.LastFailedAt.Add(time.Minute).Truncate(time.Minute), time.Unix(h.NotBefore, 0).UTC().Truncate(time.Minute))
				require.Len(t, h.Sources, 1)
				s := h.Sources[0]
				assert.Equal(t, []string{park.EntryS3, logBucket, "a.log", o.ETag, "eu-west-1", "0065BA2F0F9A3C1B27"},
					[]string{s.Entry, s.Bucket, s.Key, s.ETag, s.Region, s.Sequencer})
				assert.Equal(t, o.Size, s.SizeBytes)
				require.NotNil(t, s.Records)
				assert.EqualValues(t, park.ToEnd, s.Records[1])
				assert.Less(t, int(s.Records[0]), 4000, "it was left when it was found to be in trouble")
				objects := map[string][]string{"a.log": lines}
				r.exactlyOnce(t, "a", objects)
				r.exactlyOnce(t, "b", objects)
				r.drain(t)
				r.exactlyOnce(t, "a", objects)
				assert.Len(t, r.intake.taken(t, "b.example.com"), 5000)
			})
		})
	}
}

// plainCounts are the counts of an account in which nothing was out of the ordinary.
func plainCounts(c counts) counts {
	return counts{In: c.In, Delivered: c.Delivered, Requests: c.Requests}
}
