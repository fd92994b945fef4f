package park

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const leasePath = "sluice/v1/lease/A.0.json"

func TestTake(t *testing.T) {
	fake := newBucket()
	shelf := NewShelf(fake, testOptions)
	take := func(at time.Time) *Lease {
		lease, ours, err := shelf.Take(t.Context(), "A.0", at, time.Minute)
		require.NoError(t, err)
		require.Equal(t, ours, lease != nil)
		return lease
	}
	first := take(failedAt)
	require.NotNil(t, first)
	lying := fake.objects[leasePath]
	var m leaseMark
	require.NoError(t, json.Unmarshal(lying.body, &m))
	assert.Equal(t, stamp(failedAt.Add(time.Minute)), m.Until)
	assert.NotEmpty(t, m.Holder)
	assert.Equal(t, "fwd-state=lease", *lying.put.Tagging)

	assert.Nil(t, take(failedAt), "somebody has it")
	assert.Nil(t, take(failedAt.Add(59*time.Second)))
	second := take(failedAt.Add(time.Minute))
	require.NotNil(t, second, "it has ended")
	assert.Zero(t, first.Lost())
	assert.Equal(t, 1, second.Lost(), "and was not given back")
	assert.Nil(t, take(failedAt.Add(time.Minute)))

	require.NoError(t, first.Release(t.Context()), "it is another one's now")
	assert.Contains(t, fake.objects, leasePath)
	require.NoError(t, second.Release(t.Context()))
	assert.Empty(t, fake.objects)
	require.NoError(t, second.Release(t.Context()), "once more")
	for lost := range 3 {
		later := take(failedAt.Add(time.Duration(lost) * time.Minute))
		require.NotNil(t, later)
		assert.Equal(t, lost, later.Lost(), "those in a row count")
	}
}

func TestTakeGivesWay(t *testing.T) {
	ended := []byte(`{"schema":1,"holder":"another","until":"2026-07-01T20:00:00Z"}`)
	running := []byte(`{"schema":1,"holder":"another","until":"2026-07-02T20:00:00Z"}`)
	reset := errors.New("connection reset")
	for name, tc := range map[string]struct {
		lying []byte
		fail  func(string) error
		lose  func(string) error
		ours  bool
		lost  int
		err   string
	}{
		"free":                           {ours: true},
		"running":                        {lying: running},
		"ended":                          {lying: ended, ours: true, lost: 1},
		"ended, as have those before":    {lying: bytes.Replace(ended, []byte("}"), []byte(`,"lost":2}`), 1), ours: true, lost: 3},
		"ended, as have very many":       {lying: bytes.Replace(ended, []byte("}"), []byte(`,"lost":1000}`), 1), ours: true, lost: 1000},
		"ended, counted in an odd way":   {lying: bytes.Replace(ended, []byte("}"), []byte(`,"lost":-1}`), 1), ours: true},
		"broken":                         {lying: []byte("{"), ours: true},
		"another one is taking it":       {fail: on("PUT", 1, refusal(409, "ConditionalRequestConflict"))},
		"released at this moment":        {lying: running, fail: on("GET", 1, refusal(404, "NoSuchKey"))},
		"another one takes it over":      {lying: ended, fail: second(refusal(409, "ConditionalRequestConflict"))},
		"another one has taken it over":  {lying: ended, fail: second(refusal(412, "PreconditionFailed"))},
		"released before it was taken":   {lying: ended, fail: second(refusal(404, "NoSuchKey"))},
		"taken, and asked again":         {lose: on("PUT", 1, refusal(412, "PreconditionFailed")), ours: true},
		"taken over, and asked again":    {lying: ended, lose: on("PUT", 1, refusal(412, "PreconditionFailed")), ours: true, lost: 1},
		"taken, and nobody has heard it": {lose: on("PUT", 1, reset), err: "connection reset"},
		"denied":                         {fail: on("PUT", 1, refusal(403, "AccessDenied")), err: "write s3://example-park/sluice/v1/lease/A.0.json: "},
		"not to be read":                 {lying: ended, fail: on("GET", 1, refusal(403, "AccessDenied")), err: "grant s3:GetObject"},
		"no bucket":                      {fail: on("PUT", 1, refusal(404, "NoSuchBucket")), err: "create the bucket"},
		"no bucket at the second glance": {lying: ended, fail: second(refusal(404, "NoSuchBucket")), err: "create the bucket"},
		"throttled":                      {lying: ended, fail: second(refusal(503, "SlowDown")), err: "try again later"},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newBucket()
			if tc.lying != nil {
				fake.lay(leasePath, tc.lying)
			}
			fake.fail, fake.lose = tc.fail, tc.lose
			lease, ours, err := NewShelf(fake, testOptions).Take(t.Context(), "A.0", failedAt, time.Minute)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				assert.False(t, ours)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.ours, ours)
			require.Equal(t, tc.ours, lease != nil)
			assert.LessOrEqual(t, len(fake.asked), 4)
			if ours {
				assert.Equal(t, tc.lost, lease.Lost())
				require.NoError(t, lease.Release(t.Context()))
				assert.Empty(t, fake.objects)
			}
		})
	}
}

func TestTakeRefuses(t *testing.T) {
	fake := newBucket()
	for _, id := range []string{"", "../x", "a/b"} {
		_, _, err := NewShelf(fake, testOptions).Take(t.Context(), id, failedAt, time.Minute)
		require.ErrorContains(t, err, "want an id")
	}
	_, _, err := NewShelf(fake, testOptions).Take(t.Context(), "a", time.Time{}, -time.Minute)
	require.ErrorContains(t, err, "until is in the year")
	_, _, err = NewShelf(fake, Options{}).Take(t.Context(), "a", failedAt, time.Minute)
	require.ErrorContains(t, err, "no bucket is set")
	assert.Empty(t, fake.asked)
}

// TestTakeIsExclusive lets many runs take a lease at once, free and ended.
func TestTakeIsExclusive(t *testing.T) {
	fake := newBucket()
	for round := range 2 {
		var got atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, ours, err := NewShelf(fake, testOptions).Take(t.Context(), "A.0", failedAt.Add(time.Duration(round)*time.Hour), time.Minute)
				if assert.NoError(t, err) && ours {
					got.Add(1)
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, 1, got.Load())
	}
}

func TestReleaseExplains(t *testing.T) {
	fake := newBucket()
	lease, _, err := NewShelf(fake, testOptions).Take(t.Context(), "A.0", failedAt, time.Minute)
	require.NoError(t, err)
	fake.fail = on("DELETE", 1, refusal(http.StatusForbidden, "AccessDenied"))
	require.ErrorContains(t, lease.Release(t.Context()), "delete s3://example-park/sluice/v1/lease/A.0.json: ")
	fake.plain, fake.fail = true, nil
	require.NoError(t, lease.Release(t.Context()), "a server without conditional deletes")
	assert.Empty(t, fake.objects)
}
