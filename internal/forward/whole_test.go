package forward

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/record"
)

// A note whose lines cannot be accounted for when they are read again stays: nobody else has them.
func TestReplayKeepsANoteThatDoesNotBalance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).loses().ticking()
		key := r.shelvePointer(t, r.s3.lines("a.log", "a", "b"), 0, nil)
		_, err := Replay(r.Forwarder).Invoke(lambdaContext(t), []byte(`{"replay":{}}`))
		require.ErrorContains(t, err, "does not balance")
		assert.Equal(t, []string{key}, r.s3.keysBelow("sluice/v1/pending/"))
	})
}

// A large object whose lines cannot be accounted for has no marker of its end: its message comes again, and wants them.
func TestNoLastMarkerOfWhatDoesNotBalance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		lines := someLines("x", 4000)
		o := r.s3.large(lines, 6*time.Second)
		l, n := r.lanes[0], 0
		l.reshape = func(rec *record.Record) []*record.Record {
			if n++; n == len(lines)-10 {
				l.builder.Start(func(*batch.Batch) {})
			}
			return []*record.Record{rec}
		}
		_, err := S3(r.Forwarder).Invoke(lambdaContext(t), inQueue(native(o)))
		require.ErrorContains(t, err, "does not balance")
		l.reshape = nil
		answer, _, err := r.invoke(t, S3, inQueue(native(o)))
		require.NoError(t, err)
		assert.JSONEq(t, allTaken, answer)
		taken := map[string]bool{}
		for _, text := range r.intake.taken(t, hostOfLane("a")) {
			taken[text] = true
		}
		assert.Len(t, taken, len(lines), "every line in the end")
	})
}
