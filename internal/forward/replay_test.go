package forward

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

// stock is something that is parked for a destination of twoHTTP.
type stock struct {
	dest     string // "a"
	id       string // of the batch
	attempt  int    // 0: the first
	due      time.Duration
	dead     string        // the reason; empty: it is pending
	tooOld   time.Duration // from now on; 0: never
	messages []string
}

// shelve parks these in a rig's bucket, and returns their keys.
func (r *rig) shelve(t *testing.T, stocks ...stock) (keys []string) {
	t.Helper()
	store := park.New(r.s3, park.Options{Bucket: parkBucket, Prefix: "sluice"})
	for _, s := range stocks {
		items := park.Items{
			Destination: park.Destination{ID: s.dest, Type: "http", Host: hostOfLane(s.dest)}, BatchID: s.id, Attempt: s.attempt,
			Reason: park.Reason{Code: "http_503", Class: "retriable", HTTPStatus: 503}, FirstFailed: start.Add(-time.Hour),
			Sources: []park.Source{{Entry: park.EntryCloudWatch, LogGroup: "shop"}}, Count: len(s.messages),
			Lines: func(yield func([]byte) bool) {
				for _, message := range s.messages {
					if !yield(fmt.Appendf(nil, `{"message":%q, "odd" : 1.0}`, message)) {
						return
					}
				}
			},
		}
		state := park.Pending
		if s.dead != "" {
			state, items.Reason.Code = park.Dead, s.dead
		}
		if s.tooOld != 0 {
			items.MaxAge = time.Now().Add(s.tooOld)
		}
		key, err := store.PutItems(t.Context(), state, items, time.Now().Add(s.due))
		require.NoError(t, err)
		keys = append(keys, key)
	}
	r.s3.log, r.s3.parked = nil, nil
	return keys
}

// few are messages.
func few(name string, n int) []string {
	messages := make([]string, n)
	for i := range messages {
		messages[i] = fmt.Sprintf("%s %03d %s", name, i, canary)
	}
	return messages
}

// changes are what happened to what is parked: "PUT dead/a/…", without leases, hints and markers.
func (r *rig) changes() (list []string) {
	for _, change := range r.s3.log {
		operation, key, _ := strings.Cut(change, " ")
		key = strings.TrimPrefix(key, "sluice/v1/")
		if strings.HasPrefix(key, "lease/") || strings.HasPrefix(key, "breaker/") || strings.HasPrefix(key, "progress/") {
			continue
		}
		list = append(list, operation+" "+key)
	}
	return list
}

// What replay does with what is parked.
func TestReplay(t *testing.T) {
	three := []stock{
		{dest: "a", id: "SECOND", due: -time.Minute, messages: few("second", 2)},
		{dest: "a", id: "FIRST", due: -time.Hour, messages: few("first", 3)},
		{dest: "a", id: "LATER", due: time.Minute, messages: few("later", 1)},
	}
	two := []stock{{dest: "a", id: "OFA", messages: few("a", 1)}, {dest: "b", id: "OFB", messages: few("b", 1)}}
	dead := []stock{
		{dest: "a", id: "ONE", dead: "http_400", messages: few("one", 1)},
		{dest: "a", id: "TWO", dead: "oversize", messages: few("two", 1)},
		{dest: "b", id: "THREE", dead: "http_400", messages: few("three", 1)},
		{dest: "a", id: "FOUR", messages: few("four", 1)},
	}
	type report = map[string]replayCount
	for name, tc := range map[string]struct {
		stocks []stock
		event  string
		report report
		sent   []string // batches, in order
		left   []string // ids
	}{
		"nothing": {nil, `{}`, report{}, nil, nil},
		"what is due, in that order": {
			three, `{}`, report{"a": {Found: 2, Lines: 5, Done: 2}}, []string{"FIRST", "SECOND"}, []string{"LATER"},
		},
		"by hand, what is due": {
			three, `{"replay":{}}`, report{"a": {Found: 2, Lines: 5, Done: 2}}, []string{"FIRST", "SECOND"}, []string{"LATER"},
		},
		"by hand, what is not due too": {
			three, `{"replay":{"all":true}}`, report{"a": {Found: 3, Lines: 6, Done: 3}}, []string{"FIRST", "SECOND", "LATER"}, nil,
		},
		"a few": {
			three, `{"replay":{"limit":1}}`, report{"a": {Found: 1, Lines: 3, Done: 1}}, []string{"FIRST"}, []string{"SECOND", "LATER"},
		},
		"looking alone": {
			three, `{"replay":{"dry_run":true}}`, report{"a": {Found: 2, Lines: 5}}, nil, []string{"FIRST", "SECOND", "LATER"},
		},
		"both destinations":  {two, `{}`, report{"a": {Found: 1, Lines: 1, Done: 1}, "b": {Found: 1, Lines: 1, Done: 1}}, []string{"OFA", "OFB"}, nil},
		"one destination":    {two, `{"replay":{"dest":"b"}}`, report{"b": {Found: 1, Lines: 1, Done: 1}}, []string{"OFB"}, []string{"OFA"}},
		"a destination gone": {[]stock{{dest: "gone", id: "X", messages: few("x", 1)}}, `{}`, report{"gone": {Stopped: "the settings have no such destination"}}, nil, []string{"X"}},
		"the dead, looking alone as nobody says otherwise": {
			dead, `{"replay":{"state":"dead"}}`, report{"a": {Found: 2, Lines: 2}, "b": {Found: 1, Lines: 1}}, nil, []string{"ONE", "TWO", "THREE", "FOUR"},
		},
		"the dead": {
			dead, `{"replay":{"state":"dead","dry_run":false}}`,
			report{"a": {Found: 2, Lines: 2, Done: 2}, "b": {Found: 1, Lines: 1, Done: 1}},
			[]string{"ONE", "THREE", "TWO"},
			[]string{"FOUR"},
		},
		"the dead for a reason": {
			dead, `{"replay":{"state":"dead","dry_run":false,"reason":"http_400"}}`,
			report{"a": {Found: 1, Lines: 1, Done: 1}, "b": {Found: 1, Lines: 1, Done: 1}},
			[]string{"ONE", "THREE"},
			[]string{"TWO", "FOUR"},
		},
		"the dead for a reason at a destination": {
			dead, `{"replay":{"state":"dead","dry_run":false,"reason":"http_400","dest":"a"}}`, report{"a": {Found: 1, Lines: 1, Done: 1}}, []string{"ONE"}, []string{"TWO", "THREE", "FOUR"},
		},
		"the schedule leaves the dead": {dead, `{}`, report{"a": {Found: 1, Lines: 1, Done: 1}}, []string{"FOUR"}, []string{"ONE", "TWO", "THREE"}},
		"too old": {
			[]stock{{dest: "a", id: "OLD", tooOld: -time.Second, messages: few("old", 2)}, {dest: "a", id: "YOUNG", tooOld: time.Hour, messages: few("young", 1)}},
			`{}`,
			report{"a": {Found: 2, Lines: 3, Done: 1, Dead: 1}},
			[]string{"YOUNG"},
			[]string{"OLD"},
		},
		"tried too often": {
			[]stock{{dest: "a", id: "SPENT", attempt: 13, messages: few("x", 2)}, {dest: "a", id: "TWELFTH", attempt: 12, messages: few("y", 1)}},
			`{}`,
			report{"a": {Found: 2, Lines: 3, Done: 1, Dead: 1}},
			[]string{"TWELFTH"},
			[]string{"SPENT"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				r.shelve(t, tc.stocks...)
				got, ledger, err := r.replays(t, tc.event)
				require.NoError(t, err)
				assert.Equal(t, tc.report, values(got.Destinations))
				assert.Empty(t, ledger.Error)
				var sent []string
				for _, request := range r.intake.got {
					sent = append(sent, request.header.Get("Idempotency-Key"))
					assert.Equal(t, request.header.Get("Idempotency-Key"), request.header.Get("X-Forwarder-Batch"), "with the id it had")
				}
				assert.ElementsMatch(t, tc.sent, sent)
				if len(tc.sent) > 0 {
					assert.Equal(t, tc.sent[0], sent[0], "the first one goes alone, and is the one that was due first")
				}
				assert.ElementsMatch(t, tc.left, r.idsLeft())
				r.deliveredAsTheyWere(t, tc.stocks)
				if got.DryRun {
					assert.Empty(t, r.s3.log, "nothing was written, not even a lease")
				}
				assert.Empty(t, r.s3.keysBelow("sluice/v1/lease/"), "every lease is given back")
			})
		})
	}
}

func values(counts map[string]*replayCount) map[string]replayCount {
	all := map[string]replayCount{}
	for id, c := range counts {
		all[id] = *c
	}
	return all
}

// idsLeft are the ids of what is pending or dead.
func (r *rig) idsLeft() (ids []string) {
	for _, key := range append(r.s3.keysBelow("sluice/v1/pending/"), r.s3.keysBelow("sluice/v1/dead/")...) {
		name := key[strings.LastIndexByte(key, '/')+1:]
		id, _, _ := strings.Cut(name[strings.IndexByte(name, '-')+1:], ".")
		ids = append(ids, id)
	}
	return ids
}

// deliveredAsTheyWere checks that items were sent byte for byte.
func (r *rig) deliveredAsTheyWere(t *testing.T, stocks []stock) {
	t.Helper()
	for _, s := range stocks {
		for _, items := range r.intake.batches(t, hostOfLane(s.dest))[s.id] {
			assert.Contains(t, items, `, "odd" : 1.0}`)
		}
	}
}

// What a destination still does not take is parked again, before the old object is deleted.
func TestReplayToDestinationsThatFail(t *testing.T) {
	one := []stock{{dest: "a", id: "X", due: -time.Minute, messages: few("x", 4)}}
	many := append(slices.Clone(one), stock{dest: "a", id: "Y", due: -time.Second, messages: few("y", 1)}, stock{dest: "b", id: "Z", messages: few("z", 1)})
	const retried, delivered = `PUT pending/a/\d{10}-X(\.\d)?(\.p[0-9a-f]{12})?\.a02\.jsonl\.gz`, `DELETE pending/a/\d{10}-X\.a01\.jsonl\.gz`
	for name, tc := range map[string]struct {
		settings string // of both destinations
		stocks   []stock
		answer   func(received) int
		after    string
		report   map[string]replayCount
		changes  []string // patterns, in order
		parked   map[string]int
		wait     [2]time.Duration // of what is parked again
	}{
		"down": {
			stocks: one, answer: always503, changes: []string{retried, delivered}, parked: tally{"http_503": 4},
			report: map[string]replayCount{"a": {Found: 1, Lines: 4, Again: 1, Stopped: "the destination does not take them now"}},
			wait:   [2]time.Duration{8 * time.Minute, 12*time.Minute + 25*time.Second},
		},
		"down, and another one is well": {
			stocks: many, answer: failingFrom(0, "a.example.com", 404), parked: tally{"http_404": 4},
			changes: []string{retried, delivered, `DELETE pending/b/\d{10}-Z\.a01\.jsonl\.gz`},
			report: map[string]replayCount{
				"a": {Found: 1, Lines: 4, Again: 1, Stopped: "the destination does not take them now"}, "b": {Found: 1, Lines: 1, Done: 1},
			},
			wait: [2]time.Duration{8 * time.Minute, 12 * time.Minute},
		},
		"asks to be left alone": {
			stocks: one, answer: func(received) int { return 429 }, after: "7200", changes: []string{retried, delivered}, parked: tally{"http_429": 4},
			report: map[string]replayCount{"a": {Found: 1, Lines: 4, Again: 1, Stopped: "the destination does not take them now"}},
			wait:   [2]time.Duration{2 * time.Hour, 2*time.Hour + time.Minute},
		},
		"finds one line invalid": {
			stocks: one, answer: statusFor("x 002", http.StatusBadRequest), parked: tally{"http_400": 1},
			changes: []string{`PUT dead/a/http_400/2026/02/01/X\.p[0-9a-f]{12}\.a02\.jsonl\.gz`, delivered},
			report:  map[string]replayCount{"a": {Found: 1, Lines: 4, Dead: 1}},
		},
		"finds all lines invalid": {
			stocks: one, answer: func(received) int { return 400 }, changes: []string{retried, delivered}, parked: tally{"http_400": 4},
			report: map[string]replayCount{"a": {Found: 1, Lines: 4, Again: 1, Stopped: "the destination does not take them now"}},
			wait:   [2]time.Duration{8 * time.Minute, 12 * time.Minute},
		},
		"takes a part": {
			settings: "max_records: 2", stocks: one, answer: laterFor("x 002", http.StatusNotFound), parked: tally{"http_404": 2},
			changes: []string{retried, delivered},
			report:  map[string]replayCount{"a": {Found: 1, Lines: 4, Again: 1, Stopped: "the destination does not take them now"}},
			wait:    [2]time.Duration{8 * time.Minute, 12 * time.Minute},
		},
		"for the thirteenth time": {
			stocks: []stock{{dest: "a", id: "X", attempt: 12, messages: few("x", 4)}}, answer: always503, parked: tally{"http_503": 4},
			changes: []string{`PUT dead/a/exhausted/2026/02/01/X\.a13\.jsonl\.gz`, `DELETE pending/a/\d{10}-X\.a12\.jsonl\.gz`},
			report:  map[string]replayCount{"a": {Found: 1, Lines: 4, Dead: 1, Stopped: "the destination does not take them now"}},
		},
		"for the eighth time": {
			stocks: []stock{{dest: "a", id: "X", attempt: 8, messages: few("x", 4)}}, answer: always503, parked: tally{"http_503": 4},
			changes: []string{`PUT pending/a/\d{10}-X\.a09\.jsonl\.gz`, `DELETE pending/a/\d{10}-X\.a08\.jsonl\.gz`},
			report:  map[string]replayCount{"a": {Found: 1, Lines: 4, Again: 1, Stopped: "the destination does not take them now"}},
			wait:    [2]time.Duration{6 * time.Hour * 4 / 5, 6*time.Hour*6/5 + time.Minute},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				settings := twoHTTP("")
				if tc.settings != "" {
					settings = strings.ReplaceAll(settings, "max_records: 40", tc.settings)
				}
				r := newRig(t, settings).ticking()
				r.shelve(t, tc.stocks...)
				r.intake.answer, r.intake.after = tc.answer, tc.after
				began := time.Now()
				got, ledger, err := r.replays(t, "{}")
				require.NoError(t, err)
				assert.Equal(t, tc.report, values(got.Destinations))
				changes := r.changes()
				require.Len(t, changes, len(tc.changes), "%v", changes)
				for i, pattern := range tc.changes {
					assert.Regexp(t, "^"+pattern+"$", changes[i])
				}
				assert.Equal(t, tc.parked, ledger.Destinations["a"].Parked)
				for _, o := range r.s3.parked {
					h := o.Header
					assert.Equal(t, start.Add(-time.Hour), h.FirstFailedAt, "that of the first time")
					assert.False(t, h.LastFailedAt.Before(began.Truncate(time.Millisecond)))
					if h.NotBefore != 0 {
						wait := time.Unix(h.NotBefore, 0).Sub(began)
						assert.GreaterOrEqual(t, wait, tc.wait[0]-time.Second)
						assert.LessOrEqual(t, wait, tc.wait[1]+time.Second)
					}
					assert.Equal(t, "shop", h.Sources[0].LogGroup)
				}
				r.intake.answer, r.intake.after = nil, ""
				r.drainItems(t)
				r.everyMessageOnce(t, tc.stocks)
			})
		})
	}
}

// laterFor is statusFor with an answer that comes when all others have come.
func laterFor(text string, status int) func(received) int {
	return func(r received) int {
		if strings.Contains(string(r.body), text) {
			time.Sleep(time.Second)
			return status
		}
		return http.StatusAccepted
	}
}

// drainItems runs replay until nothing is pending, and sends the dead by hand.
func (r *rig) drainItems(t *testing.T) {
	t.Helper()
	r.drain(t)
	_, _, err := r.replays(t, `{"replay":{"state":"dead","dry_run":false}}`)
	require.NoError(t, err)
	assert.Empty(t, r.idsLeft())
}

// everyMessageOnce checks that each message was taken once.
func (r *rig) everyMessageOnce(t *testing.T, stocks []stock) {
	t.Helper()
	for _, id := range []string{"a", "b"} {
		var want []string
		for _, s := range stocks {
			if s.dest == id {
				want = append(want, s.messages...)
			}
		}
		got := r.intake.taken(t, hostOfLane(id))
		slices.Sort(want)
		slices.Sort(got)
		assert.Equal(t, want, got, "at %s", id)
	}
}
