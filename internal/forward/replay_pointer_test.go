package forward

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

// shelvePointer parks a pointer to an object, from some record on, and returns its key.
func (r *rig) shelvePointer(t *testing.T, o *s3Object, from int64, change func(*park.Pointer)) string {
	t.Helper()
	p := park.Pointer{
		Destination: park.Destination{ID: "a", Type: "http", Host: "a.example.com"}, Reason: park.Reason{Code: "destination_down", Class: "retriable"},
		FirstFailed: start.Add(-time.Hour), RequestID: requestID, Forwarder: Version, ConfigSHA: r.park.config,
		Source: park.Source{
			Entry: park.EntryS3, Bucket: o.Bucket, Key: o.Key, VersionID: o.Version, ETag: o.ETag, SizeBytes: o.Size, Region: "eu-west-1",
			Records: &park.Range{from, park.ToEnd}, Decode: r.objects.decodeID,
		},
	}
	if change != nil {
		change(&p)
	}
	key, err := park.New(r.s3, park.Options{Bucket: parkBucket, Prefix: "sluice"}).PutPending(t.Context(), p, time.Now().Add(-time.Minute))
	require.NoError(t, err)
	r.s3.log, r.s3.parked = nil, nil
	return key
}

// What becomes of a pointer when its object is read again.
func TestReplayPointers(t *testing.T) {
	const again, gone = `PUT pending/a/\d{10}-[A-Z2-7]{26}\.a%02d\.jsonl\.gz`, `DELETE pending/a/\d{10}-[A-Z2-7]{26}\.a%02d\.jsonl\.gz`
	for name, tc := range map[string]struct {
		change  func(*park.Pointer)
		object  func(r *rig, o *s3Object)
		answer  func(received) int
		lines   int // delivered
		report  replayCount
		counts  counts // of the destination, without requests
		changes []string
		reason  string           // of what is parked
		from    int64            // from which record on
		wait    [2]time.Duration // until it is due
	}{
		"goes on": {
			lines: 1900, report: replayCount{Found: 1, Done: 1}, counts: counts{In: 1900, Delivered: 1900}, changes: []string{fmt.Sprintf(gone, 1)},
		},
		"is gone": {
			object: func(r *rig, o *s3Object) { delete(r.s3.objects, o.Bucket+"/"+o.Key) },
			report: replayCount{Found: 1, Done: 1}, counts: counts{In: 1, Dropped: tally{"source_gone": 1}}, changes: []string{fmt.Sprintf(gone, 1)},
		},
		"is another one": {
			object: func(r *rig, o *s3Object) { r.s3.put(o.Bucket, o.Key, []byte("newer\n")) },
			report: replayCount{Found: 1, Done: 1}, counts: counts{In: 1, Dropped: tally{"source_overwritten": 1}}, changes: []string{fmt.Sprintf(gone, 1)},
		},
		"may still not be read": {
			object: func(r *rig, _ *s3Object) { r.s3.refuse = always(errForbidden) },
			report: replayCount{Found: 1, Again: 1}, counts: counts{In: 1, Parked: tally{"s3_forbidden": 1}},
			changes: []string{fmt.Sprintf(again, 2), fmt.Sprintf(gone, 1)}, reason: "s3_forbidden", from: 100,
			wait: [2]time.Duration{8 * time.Minute, 12 * time.Minute},
		},
		"may not be read for the thirteenth time": {
			change: func(p *park.Pointer) { p.Attempt = 12 },
			object: func(r *rig, _ *s3Object) { r.s3.refuse = always(errForbidden) },
			report: replayCount{Found: 1, Dead: 1}, counts: counts{In: 1, Parked: tally{"s3_forbidden": 1}},
			changes: []string{`PUT dead/a/exhausted/2026/02/01/[A-Z2-7]{26}\.a13\.jsonl\.gz`, fmt.Sprintf(gone, 12)}, reason: "exhausted", from: 100,
		},
		"breaks off further on": {
			object: func(_ *rig, o *s3Object) { o.cuts = []int{70_000, 0, 0, 0, 0, 0} },
			lines:  -1, report: replayCount{Found: 1, Again: 1}, counts: counts{Parked: tally{"s3_broken": 1}},
			changes: []string{fmt.Sprintf(again, 1), fmt.Sprintf(gone, 1)}, reason: "s3_broken", from: -1,
			wait: [2]time.Duration{0, 12 * time.Minute},
		},
		"is archived": {
			object: func(r *rig, _ *s3Object) { r.s3.refuse = always(errArchived) },
			report: replayCount{Found: 1, Dead: 1}, counts: counts{In: 1, Parked: tally{"s3_archived": 1}},
			changes: []string{`PUT dead/a/s3_archived/2026/02/01/[A-Z2-7]{26}\.a\d\d\.jsonl\.gz`, fmt.Sprintf(gone, 1)}, reason: "s3_archived",
		},
		"the destination is down": {
			answer: func(received) int { return 404 },
			report: replayCount{Found: 1, Again: 1, Stopped: "the destination does not take them now"}, counts: counts{Parked: tally{"destination_down": 1}},
			reason: "destination_down", from: -1, lines: -1,
			wait: [2]time.Duration{0, 12 * time.Minute},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				lines := someLines("x", 2000)
				o := r.s3.slowly("app/a b.log", lines)
				r.shelvePointer(t, o, 100, tc.change)
				if tc.object != nil {
					tc.object(r, o)
				}
				r.intake.answer = tc.answer
				began := time.Now()
				got, ledger, err := r.replays(t, `{"replay":{}}`)
				require.NoError(t, err)
				assert.Equal(t, tc.report, values(got.Destinations)["a"])
				a := ledger.Destinations["a"]
				if tc.lines >= 0 {
					got := counts{In: a.In, Delivered: a.Delivered, Dropped: notEmpty(a.Dropped), Parked: notEmpty(a.Parked)}
					assert.Equal(t, tc.counts, got)
					sent := r.intake.taken(t, "a.example.com")
					slices.Sort(sent) // batches overtake each other
					assert.True(t, slices.Equal(lines[len(lines)-tc.lines:], sent), "%d lines", len(sent))
				} else {
					assert.Subset(t, a.Parked, tc.counts.Parked)
				}
				assert.Empty(t, r.intake.taken(t, "b.example.com"), "it is nothing to others")
				if tc.changes != nil {
					changes := r.changes()
					require.Len(t, changes, len(tc.changes), "%v", changes)
					for i, pattern := range tc.changes {
						assert.Regexp(t, "^"+pattern+"$", changes[i])
					}
				}
				var parked int
				for _, p := range r.s3.parked {
					h := p.Header
					if h.Kind != park.KindPointer {
						continue
					}
					parked++
					assert.Equal(t, tc.reason, h.Reason.Code)
					assert.Equal(t, start.Add(-time.Hour), h.FirstFailedAt)
					if tc.from > 0 {
						assert.Equal(t, park.Range{tc.from, park.ToEnd}, *h.Sources[0].Records)
					}
					if h.NotBefore != 0 {
						assert.GreaterOrEqual(t, time.Unix(h.NotBefore, 0).Sub(began), tc.wait[0]-time.Second)
						assert.LessOrEqual(t, time.Unix(h.NotBefore, 0).Sub(began), tc.wait[1]+time.Minute)
					}
				}
				if tc.reason != "" {
					assert.Equal(t, 1, parked)
				}
				if tc.lines < 0 {
					o.cuts = nil
					r.drain(t)
					r.exactlyOnce(t, "a", map[string][]string{o.Key: lines[100:]})
				}
			})
		})
	}
}

func notEmpty(some tally) tally {
	if len(some) == 0 {
		return nil
	}
	return some
}

// A pointer that could not be parked again stays where it is.
func TestReplayPointerThatCannotBeParkedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		o := r.s3.lines("a.log", someLines("x", 5)...)
		key := r.shelvePointer(t, o, 1, nil)
		r.s3.refuse = always(errForbidden)
		r.s3.refusePutTo = "pending/a"
		got, ledger, err := r.replays(t, "{}")
		require.NoError(t, err)
		assert.Contains(t, got.Destinations["a"].Stopped, "could not be kept")
		assert.Equal(t, tally{"s3_forbidden": 1}, ledger.Destinations["a"].Returned)
		assert.Equal(t, []string{key}, r.s3.keysBelow("sluice/v1/pending/"))
		assert.Empty(t, r.changes())
	})
}

// What is dead is never lost by asking for it, however often: what still cannot be had stays, as it is or written anew.
func TestReplayNeverDeletesTheOnlyNote(t *testing.T) {
	text, lines := textLines(100)
	gz := stored(t, text)
	for name, tc := range map[string]struct {
		o      func(r *rig) *s3Object
		refuse error
		report replayCount // of the second time and all that follow
		lines  int
	}{
		"archived": {
			func(r *rig) *s3Object { return r.s3.put(logBucket, "a.log", text) }, errArchived, replayCount{Found: 1, Left: 1}, 0,
		},
		"a Parquet file": {
			func(r *rig) *s3Object { return r.s3.put(logBucket, "a", []byte("PAR1\x15\x04..PAR1")) }, nil, replayCount{Found: 1, Left: 1}, 0,
		},
		"corrupt from its start": {
			func(r *rig) *s3Object { return r.s3.put(logBucket, "a.gz", gz[:12]) }, nil, replayCount{Found: 1, Left: 1}, 0,
		},
		"corrupt from some byte on": {
			func(r *rig) *s3Object { return r.s3.put(logBucket, "a.gz", gz[:len(gz)/2]) }, nil, replayCount{Found: 1, Left: 1}, -1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				o := tc.o(r)
				if tc.refuse != nil {
					r.s3.refuse = always(tc.refuse)
				}
				_, _, err := r.invoke(t, S3, inQueue(native(o)))
				require.NoError(t, err)
				require.Len(t, r.s3.keysBelow("sluice/v1/dead/a/"), 1)
				for range 3 {
					time.Sleep(time.Hour)
					got, _, err := r.replays(t, `{"replay":{"state":"dead","dry_run":false,"dest":"a"}}`)
					require.NoError(t, err)
					assert.Equal(t, tc.report, values(got.Destinations)["a"])
					require.Len(t, r.s3.keysBelow("sluice/v1/dead/a/"), 1, "the note")
				}
				assert.Less(t, len(r.intake.taken(t, "a.example.com")), len(lines))
			})
		})
	}
	t.Run("it can be had now", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			untilStart()
			r := newRig(t, twoHTTP("")).ticking()
			o := r.s3.put(logBucket, "a.log", text)
			r.s3.refuse = always(errArchived)
			_, _, err := r.invoke(t, S3, inQueue(native(o)))
			require.NoError(t, err)
			r.s3.refuse = nil
			got, _, err := r.replays(t, `{"replay":{"state":"dead","dry_run":false,"dest":"a"}}`)
			require.NoError(t, err)
			assert.Equal(t, replayCount{Found: 1, Done: 1}, values(got.Destinations)["a"])
			sent := r.intake.taken(t, "a.example.com")
			slices.Sort(sent) // batches overtake each other
			assert.Equal(t, lines, sent)
			assert.Empty(t, r.s3.keysBelow("sluice/v1/dead/a/"))
			assert.Len(t, r.s3.keysBelow("sluice/v1/dead/b/"), 1)
		})
	})
}

// The same of items: those at the end of their numbers are not lost either.
func TestReplayNeverDeletesTheOnlyItems(t *testing.T) {
	for _, attempt := range []int{1, 12, 98, 99} {
		t.Run(fmt.Sprint(attempt), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				stocks := []stock{{dest: "a", id: "X", dead: "http_400", attempt: attempt, messages: few("x", 1)}}
				r.shelve(t, stocks...)
				r.intake.answer = func(received) int { return 400 }
				for range 3 {
					_, _, err := r.replays(t, `{"replay":{"state":"dead","dry_run":false}}`)
					require.NoError(t, err)
					require.Len(t, r.idsLeft(), 1)
				}
				r.intake.answer = nil
				_, _, err := r.replays(t, `{"replay":{"state":"dead","dry_run":false}}`)
				require.NoError(t, err)
				r.everyMessageOnce(t, stocks)
				assert.Empty(t, r.idsLeft())
			})
		})
	}
}
