package forward

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pagedS3 is a fake whose pages are as long as those of S3, a thousand keys. It lists without folders quickly.
type pagedS3 struct{ *fakeS3 }

func (p pagedS3) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, opts ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	if in.Delimiter != nil {
		return p.fakeS3.ListObjectsV2(ctx, in, opts...)
	}
	const page = 1000
	after := max(aws.ToString(in.ContinuationToken), aws.ToString(in.StartAfter))
	keys := slices.DeleteFunc(p.keysBelow(aws.ToString(in.Prefix)), func(key string) bool { return key <= after })
	out := &s3.ListObjectsV2Output{IsTruncated: aws.Bool(len(keys) > page)}
	if len(keys) > page {
		keys = keys[:page]
		out.NextContinuationToken = &keys[page-1]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range keys {
		if o := p.objects[parkBucket+"/"+key]; o != nil { // it may have been deleted meanwhile
			out.Contents = append(out.Contents, types.Object{Key: &key, ETag: aws.String(`"` + o.ETag + `"`), Size: aws.Int64(o.Size), LastModified: aws.Time(start)})
		}
	}
	return out, nil
}

// runsAtOnce has several functions replay what is in one bucket, by the schedule's event, and returns their reports.
func runsAtOnce(t *testing.T, rigs ...*rig) []replayReport {
	t.Helper()
	reports, faults := make([]replayReport, len(rigs)), make([]error, len(rigs))
	var group sync.WaitGroup
	for i, r := range rigs {
		r.out.Reset()
		ctx := within(t, 15*time.Minute)
		group.Go(func() {
			answer, err := Replay(r.Forwarder).Invoke(ctx, []byte("{}"))
			if err == nil {
				err = json.Unmarshal(answer, &reports[i])
			}
			faults[i] = err
		})
	}
	group.Wait()
	for i, r := range rigs {
		require.NoError(t, faults[i])
		line, _, _ := strings.Cut(r.out.String(), "\n")
		statementOf(t, line)
	}
	return reports
}

// manyRigs are functions with one bucket, and an answer for their requests.
func manyRigs(t *testing.T, n int, answer func(received) int) (rigs []*rig) {
	t.Helper()
	store := &fakeS3{}
	for range n {
		r := newRig(t, twoHTTP("")).ticking()
		r.s3, r.intake.answer = store, answer
		r.park.client = func() (s3Client, error) { return pagedS3{store}, nil }
		rigs = append(rigs, r)
	}
	return rigs
}

// timesTaken counts the messages that a destination has taken from any of these.
func timesTaken(t *testing.T, id string, rigs ...*rig) map[string]int {
	t.Helper()
	times := map[string]int{}
	for _, r := range rigs {
		for _, message := range r.intake.taken(t, hostOfLane(id)) {
			times[message]++
		}
	}
	return times
}

// twice are the messages that came more than once.
func twice(times map[string]int) (list []string) {
	for _, message := range slices.Sorted(maps.Keys(times)) {
		if times[message] > 1 {
			list = append(list, message)
		}
	}
	return list
}

// Two runs at once over 1 500 parked objects, of which the first is corrupt and a third is for a destination that is dead:
// what can be sent is sent in these runs, once; the dead destination costs each run a few requests; nothing is lost. When
// one run cannot delete what was taken, that one object is sent twice (D3), by the next run.
func TestReplayOfManyObjects(t *testing.T) {
	for name, undeleted := range map[string]bool{"both run to their end": false, "one cannot delete an object": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				testReplayOfManyObjects(t, undeleted)
			})
		})
	}
}

func testReplayOfManyObjects(t *testing.T, undeleted bool) {
	t.Helper()
	const ofA, ofB, repeated = 1000, 500, 500
	var down atomic.Bool
	down.Store(true)
	rigs := manyRigs(t, 2, func(got received) int {
		time.Sleep(10 * time.Millisecond) // so that the runs meet
		if down.Load() && strings.Contains(got.url, "b.example.com") {
			return http.StatusServiceUnavailable
		}
		return http.StatusAccepted
	})
	store := rigs[0].s3
	var stocks []stock
	for i := range ofA + ofB {
		id := "a"
		if i >= ofA {
			id = "b"
		}
		stocks = append(stocks, stock{dest: id, id: fmt.Sprintf("X%04d", i), due: time.Duration(i-2000) * time.Second, messages: few(fmt.Sprintf("%s%04d", id, i), 1)})
	}
	keys := rigs[0].shelve(t, stocks...)
	corrupt := store.objects[parkBucket+"/"+keys[0]]
	corrupt.body = broken(corrupt.body, -9)
	var kept atomic.Bool
	store.before = func(operation, key string) error {
		if undeleted && operation == "DELETE" && key == keys[repeated] && kept.CompareAndSwap(false, true) {
			return errors.New("connection reset by peer")
		}
		return nil
	}

	var sum replayCount
	for _, report := range runsAtOnce(t, rigs...) {
		assert.False(t, report.OutOfTime)
		sum.Done += report.Destinations["a"].Done
		sum.Dead += report.Destinations["a"].Dead
		assert.Zero(t, report.Destinations["b"].Done)
		assert.NotEmpty(t, report.Destinations["b"].Stopped)
		assert.LessOrEqual(t, report.Destinations["b"].Found, maxTurn, "the dead destination is left alone soon")
	}
	var left, repeats []string
	if undeleted {
		left, repeats = keys[repeated:repeated+1], stocks[repeated].messages
	}
	assert.Equal(t, replayCount{Done: ofA - 1 - len(left), Dead: 1}, sum)
	assert.Equal(t, left, store.keysBelow("sluice/v1/pending/a/"), "nothing stands in the way of what can be sent")
	assert.Len(t, store.keysBelow("sluice/v1/dead/a/store_corrupt/"), 1)
	assert.Len(t, store.keysBelow("sluice/v1/pending/b/"), ofB)
	assert.Empty(t, store.keysBelow("sluice/v1/lease/"))
	for i, r := range rigs {
		assert.NotEmpty(t, r.intake.taken(t, "a.example.com"), "run %d had its share", i)
	}
	times := timesTaken(t, "a", rigs...)
	assert.Empty(t, twice(times))
	assert.Len(t, times, ofA-1, "lines that have arrived")

	down.Store(false)
	for range 3 {
		time.Sleep(7 * time.Hour)
		runsAtOnce(t, rigs...)
	}
	assert.Empty(t, store.keysBelow("sluice/v1/pending/"))
	assert.Equal(t, repeats, twice(timesTaken(t, "a", rigs...)))
	times = timesTaken(t, "b", rigs...)
	assert.Empty(t, twice(times))
	assert.Len(t, times, ofB)
}
