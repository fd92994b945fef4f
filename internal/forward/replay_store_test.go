package forward

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

// What the store does to a run.
func TestReplayWithAStoreThatFails(t *testing.T) {
	lost := errors.New("connection reset by peer")
	stocks := []stock{{dest: "a", id: "X", due: -time.Minute, messages: few("x", 2)}, {dest: "a", id: "Y", messages: few("y", 1)}, {dest: "b", id: "Z", messages: few("z", 1)}}
	for name, tc := range map[string]struct {
		fails     string // operation and start of the keys
		err       error
		answer    func(received) int
		runErr    string
		stopped   string // of a
		returned  int    // lines of a
		left      []string
		delivered int // batches of a
	}{
		"cannot be listed":                   {"LIST pending/a/", lost, nil, "connection reset", "", 0, []string{"X", "Y"}, 0},
		"cannot be listed at all":            {"LIST pending/", lost, nil, "connection reset", "", 0, []string{"X", "Y", "Z"}, 0},
		"a lease cannot be taken":            {"PUT lease/X", lost, nil, "", "connection reset", 0, []string{"X", "Y"}, 0},
		"a lease cannot be given back":       {"DELETE lease/X", lost, nil, "", "", 0, nil, 2},
		"an object cannot be read":           {"GET pending/a/", lost, nil, "", "connection reset", 0, []string{"X", "Y"}, 0},
		"an object is gone":                  {"GET pending/a/", s3Error("GetObject", 404, "NoSuchKey", ""), nil, "", "", 0, []string{"X", "Y"}, 0},
		"cannot be parked again":             {"PUT pending/a/", lost, failingFrom(0, "a.", 404), "", "parking them failed too", 2, []string{"X", "Y"}, 0},
		"what is dead cannot be parked":      {"PUT dead/a/", lost, statusFor("x 001", 400), "", "parking them failed too", 1, []string{"X", "Y"}, 0},
		"an object cannot be deleted":        {"DELETE pending/a/", lost, nil, "", "connection reset", 0, []string{"X", "Y"}, 1},
		"an object was replaced since":       {"DELETE pending/a/", s3Error("DeleteObject", 412, "PreconditionFailed", ""), nil, "", "another object has taken its place", 0, []string{"X", "Y"}, 1},
		"a hint that cannot be taken away":   {"DELETE breaker/", lost, nil, "", "", 0, nil, 2},
		"a lease that somebody is taking":    {"PUT lease/X", s3Error("PutObject", 409, "ConditionalRequestConflict", ""), nil, "", "", 0, []string{"X"}, 1},
		"a lease that cannot be looked into": {"GET lease/X", lost, nil, "", "connection reset", 0, []string{"X", "Y"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				r.shelve(t, stocks...)
				r.intake.answer = tc.answer
				if strings.HasPrefix(tc.fails, "GET lease") {
					other := park.NewShelf(r.s3, park.Options{Bucket: parkBucket, Prefix: "sluice"})
					_, ours, err := other.Take(t.Context(), "X", time.Now(), time.Hour)
					require.NoError(t, err)
					require.True(t, ours)
				}
				operation, prefix, _ := strings.Cut(tc.fails, " ")
				r.s3.before = func(asked, key string) error {
					if asked == operation && strings.HasPrefix(key, "sluice/v1/"+prefix) {
						return tc.err
					}
					return nil
				}
				got, ledger, err := r.replays(t, `{"replay":{}}`)
				if tc.runErr != "" {
					require.ErrorContains(t, err, tc.runErr)
				} else {
					require.NoError(t, err)
					assert.Contains(t, got.Destinations["a"].Stopped, tc.stopped)
					assert.Equal(t, tc.stopped == "", got.Destinations["a"].Stopped == "")
				}
				assert.Equal(t, tc.returned, sum(ledger.Destinations["a"].Returned))
				if prefix == "pending/" {
					assert.Empty(t, r.intake.got)
				} else {
					assert.Len(t, r.intake.taken(t, "b.example.com"), 1, "the other destination gets its own")
				}
				assert.ElementsMatch(t, tc.left, r.idsLeft())
				if tc.answer == nil {
					assert.Len(t, r.intake.batches(t, "a.example.com"), tc.delivered)
				}
			})
		})
	}
}

// An object in the hands of another run is left to it, until that run must have ended.
func TestReplayLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		r.shelve(t, stock{dest: "a", id: "X", due: -time.Minute, messages: few("x", 1)}, stock{dest: "a", id: "Y", messages: few("y", 1)})
		other := park.NewShelf(r.s3, park.Options{Bucket: parkBucket, Prefix: "sluice"})
		_, ours, err := other.Take(t.Context(), "X", time.Now(), 15*time.Minute)
		require.NoError(t, err)
		require.True(t, ours)

		got, _, err := r.replays(t, "{}")
		require.NoError(t, err)
		assert.Equal(t, map[string]replayCount{"a": {Found: 2, Lines: 1, Done: 1, Busy: 1}}, values(got.Destinations))
		assert.Equal(t, []string{"X"}, r.idsLeft())
		assert.Len(t, r.s3.keysBelow("sluice/v1/lease/"), 1, "the other one's stays")

		time.Sleep(15*time.Minute + time.Second)
		got, _, err = r.replays(t, "{}")
		require.NoError(t, err)
		assert.Equal(t, 1, got.Destinations["a"].Done)
		assert.Empty(t, r.idsLeft())
	})
}

// A broken object never stops a run: it goes to where a person looks, as it is.
func TestReplayOfABrokenObject(t *testing.T) {
	for name, change := range map[string]func(body []byte) []byte{
		"cut":               func(body []byte) []byte { return body[:len(body)/2] },
		"a flipped byte":    func(body []byte) []byte { return broken(body, -9) },
		"no object of ours": func([]byte) []byte { return []byte("hello") },
		"nothing":           func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				keys := r.shelve(t, stock{dest: "a", id: "X", due: -time.Minute, messages: few("x", 3)}, stock{dest: "a", id: "Y", messages: few("y", 1)})
				body := change(r.s3.objects[parkBucket+"/"+keys[0]].body)
				r.s3.put(parkBucket, keys[0], body)
				r.s3.refusePutTo = ""
				got, _, err := r.replays(t, "{}")
				require.NoError(t, err)
				assert.Equal(t, map[string]replayCount{"a": {Found: 2, Lines: 1, Done: 1, Dead: 1}}, values(got.Destinations))
				left := r.s3.keysBelow("sluice/v1/dead/a/store_corrupt/2026/02/01/")
				require.Len(t, left, 1)
				assert.Equal(t, string(body), string(r.s3.objects[parkBucket+"/"+left[0]].body))
				assert.Empty(t, r.s3.keysBelow("sluice/v1/pending/"))
				changes := r.changes()
				assert.Equal(t, []string{"PUT " + strings.TrimPrefix(left[0], "sluice/v1/"), "DELETE " + strings.TrimPrefix(keys[0], "sluice/v1/")}, changes[:2])

				got, _, err = r.replays(t, `{"replay":{"state":"dead","dry_run":false}}`)
				require.NoError(t, err)
				assert.Equal(t, map[string]replayCount{"a": {Found: 1, Left: 1}}, values(got.Destinations), "it is no better by being asked for")
				assert.Len(t, r.s3.keysBelow("sluice/v1/dead/a/store_corrupt/"), 1)
			})
		})
	}
}

// A run ends in time, and says that there is more.
func TestReplayOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		var stocks []stock
		for i := range 60 {
			stocks = append(stocks, stock{dest: "a", id: fmt.Sprintf("X%d", i), due: time.Duration(i-90) * time.Second, messages: few(fmt.Sprint(i), 2)})
		}
		r.shelve(t, stocks...)
		r.intake.answer = func(received) int {
			time.Sleep(2 * time.Second)
			return 202
		}
		got, _, _, err := r.replaysWithin(t, 20*time.Second, "{}")
		require.NoError(t, err)
		assert.True(t, got.OutOfTime)
		assert.Positive(t, got.Destinations["a"].Done)
		assert.Equal(t, got.Destinations["a"].Found, got.Destinations["a"].Done, "what was begun has come to its end")
		assert.Less(t, got.Destinations["a"].Done, 60)
		r.drain(t)
		r.everyMessageOnce(t, stocks)
	})
}

// The scheduled run tells how much is parked.
func TestReplayGauges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		_, _, g, err := r.replaysWithin(t, time.Minute, "{}")
		require.NoError(t, err)
		assert.Equal(t, gauges{}, g)
		r.shelve(t, stock{dest: "a", id: "X", due: time.Hour, messages: few("x", 1)}, stock{dest: "b", id: "Y", due: time.Hour, messages: few("y", 1)},
			stock{dest: "b", id: "Z", messages: few("y", 1)}, stock{dest: "b", id: "D", dead: "http_400", messages: few("d", 1)})
		time.Sleep(90 * time.Second) // objects of the fake were put when the tests began
		_, _, g, err = r.replaysWithin(t, time.Minute, "{}")
		require.NoError(t, err)
		assert.Equal(t, gauges{PendingObjects: 2, DeadObjects: 1, PendingOldestSeconds: 90}, g)
		for _, event := range []string{`{"replay":{}}`, `{"replay":{"state":"dead"}}`} {
			_, _, g, err := r.replaysWithin(t, time.Minute, event)
			require.NoError(t, err)
			assert.Equal(t, gauges{}, g, "not by hand")
		}
	})
}

// What is asked for wrongly does nothing.
func TestReplayRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ settings, event, err string }{
		"unknown member":                    {twoHTTP(""), `{"replay":{"dryrun":true}}`, "unknown member"},
		"unknown state":                     {twoHTTP(""), `{"replay":{"state":"all"}}`, "replay.state"},
		"a reason of what is pending":       {twoHTTP(""), `{"replay":{"reason":"http_503"}}`, "only what is dead"},
		"a path for a destination":          {twoHTTP(""), `{"replay":{"dest":"../a"}}`, "replay.dest"},
		"nothing is parked here":            {both, `{}`, "SLUICE_PARK_BUCKET"},
		"failed events without their place": {twoHTTP(""), `{"replay":{"state":"failed-events"}}`, "replay.from"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, tc.settings).ticking()
				r.shelve(t, stock{dest: "a", id: "X", messages: few("x", 1)})
				_, err := Replay(r.Forwarder).Invoke(within(t, time.Minute), []byte(tc.event))
				require.ErrorContains(t, err, tc.err)
				assert.Empty(t, r.intake.got)
				assert.Empty(t, r.s3.log)
			})
		})
	}
}
