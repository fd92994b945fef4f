package forward

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
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
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				lines := someLines("x", 5000)
				o := r.s3.slowly("a.log", lines)
				o.slow = time.Second // attempts are repeated for a while
				r.intake.answer = failingFrom(3, "a.example.com", tc.status)
				answer, ledger, err := r.invoke(t, S3, inQueue(native(o)))
				require.NoError(t, err)
				assert.JSONEq(t, allTaken, answer)
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

// A message of which nothing could be taken waits in its queue for as long as that gives it again, and is then parked. One
// that came by another way goes back.
func TestUntouched(t *testing.T) {
	type fault struct {
		refuse error
		reason string
	}
	for name, tc := range map[string]fault{
		"forbidden":     {errForbidden, "s3_forbidden"},
		"KMS denied":    {errKMS, "s3_kms_denied"},
		"throttled":     {errSlowDown, "s3_throttled"},
		"no connection": {errConnection, "s3_broken"},
		"no bucket":     {s3Error("GetObject", 404, "NoSuchBucket", ""), "s3_no_bucket"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				lines := someLines("x", 5)
				o := r.s3.lines("a.log", lines...)
				r.s3.refuse = always(tc.refuse)
				_, ledger, err := r.invoke(t, S3, []byte(native(o)))
				require.Error(t, err)
				assert.Equal(t, tally{tc.reason: 1}, ledger.Destinations["a"].Returned)
				for receive := 1; receive <= 5; receive++ {
					answer, ledger, err := r.invoke(t, S3, receivedFor(receive, native(o)))
					require.NoError(t, err)
					if receive < 4 {
						assert.JSONEq(t, failedMessages(0), answer)
						assert.Empty(t, r.s3.parked)
						assert.Equal(t, tally{tc.reason: 1}, ledger.Destinations["a"].Returned)
						continue
					}
					assert.JSONEq(t, allTaken, answer)
					assert.Equal(t, tally{tc.reason: 1}, ledger.Destinations["a"].Parked)
				}
				for _, id := range []string{"a", "b"} {
					pointers := r.pointersFor(t, park.Pending, id)
					require.Len(t, pointers, 1, "the last receive parks the same as the one before it")
					assert.Equal(t, tc.reason, pointers[0].Reason.Code)
					assert.Equal(t, park.Range{0, park.ToEnd}, *pointers[0].Sources[0].Records)
				}
				r.drain(t)
				r.exactlyOnce(t, "a", map[string][]string{"a.log": lines})
			})
		})
	}
}

// Messages that come when their destinations are known to be in trouble are not begun: they go back while that is of use.
// When one destination is well, it gets them, and the other one's part is parked.
func TestUntouchedForADestination(t *testing.T) {
	for name, tc := range map[string]struct {
		down    string // part of the hosts that are
		receive int
		answer  string
		parked  map[string]int // pointers, by destination
	}{
		"all down, first receive":        {"example.com", 1, failedMessages(1, 2), map[string]int{}},
		"all down, third receive":        {"example.com", 3, failedMessages(1, 2), map[string]int{}},
		"all down, last but one receive": {"example.com", 4, allTaken, map[string]int{"a": 2, "b": 2}},
		"one down, first receive":        {"a.example.com", 1, allTaken, map[string]int{"a": 2}},
		"one down, last but one receive": {"a.example.com", 4, allTaken, map[string]int{"a": 2}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				r.intake.answer = func(got received) int {
					if strings.Contains(got.url, tc.down) {
						return http.StatusNotFound
					}
					return http.StatusAccepted
				}
				objects, bodies := map[string][]string{}, []string{}
				for i, n := range []int{5000, 10, 10} { // the first one shows the trouble
					name := string(rune('x' + i))
					objects[name+".log"] = someLines(name, n)
					bodies = append(bodies, native(r.s3.slowly(name+".log", objects[name+".log"])))
				}
				answer, _, err := r.invoke(t, S3, receivedFor(tc.receive, bodies...))
				require.NoError(t, err)
				assert.JSONEq(t, tc.answer, answer)
				if tc.answer != allTaken {
					delete(objects, "y.log")
					delete(objects, "z.log")
				}
				for _, id := range []string{"a", "b"} {
					whole := 0
					for _, h := range r.pointersFor(t, park.Pending, id) {
						if (*h.Sources[0].Records)[0] == 0 {
							whole++
						}
					}
					assert.Equal(t, tc.parked[id], whole, "objects that were not begun for %s", id)
					r.exactlyOnce(t, id, objects)
				}
				r.drain(t)
				r.exactlyOnce(t, "a", objects)
				r.exactlyOnce(t, "b", objects)
			})
		})
	}
}

// An object that breaks off in the midst, for good, is done with up to there, by whichever way it came.
func TestSourceBreaksInTheMidst(t *testing.T) {
	lines := someLines("x", 3000)
	for name, announced := range map[string]func(o *s3Object) []byte{
		"SQS": func(o *s3Object) []byte { return inQueue(native(o)) }, "S3": func(o *s3Object) []byte { return []byte(native(o)) },
	} {
		for reason, refuse := range map[string]error{"s3_broken": nil, "s3_forbidden": errForbidden, "s3_throttled": errSlowDown, "s3_kms_denied": errKMS} {
			t.Run(name+", "+reason, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					untilStart()
					r := newRig(t, twoHTTP("")).ticking()
					o := r.s3.lines("a.log", lines...)
					o.cuts = []int{50_000, 10, 10, 10, 10}
					r.s3.refuse = func(n int, _ string) error {
						if n > 1 {
							return refuse
						}
						return nil
					}
					_, ledger, err := r.invoke(t, S3, announced(o))
					require.NoError(t, err)
					o.cuts = nil
					for _, id := range []string{"a", "b"} {
						assert.Equal(t, tally{reason: 1}, ledger.Destinations[id].Parked)
						pointers := r.pointersFor(t, park.Pending, id)
						require.Len(t, pointers, 1)
						assert.EqualValues(t, ledger.Destinations[id].Delivered, (*pointers[0].Sources[0].Records)[0])
						assert.Positive(t, ledger.Destinations[id].Delivered)
						r.exactlyOnce(t, id, map[string][]string{"a.log": lines})
					}
					r.drain(t)
					r.exactlyOnce(t, "a", map[string][]string{"a.log": lines})
					r.exactlyOnce(t, "b", map[string][]string{"a.log": lines})
				})
			})
		}
	}
}

// What there is no time for goes on in the next invocation, twelve times; then it waits for replay. No line is lost or
// sent twice on the way.
func TestContinuations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP(withQueue)).ticking()
		lines := someLines("x", 12_000)
		o := r.s3.slowly("a b.log", lines)
		o.slow, o.Version = time.Second, "v1"
		objects, body, before := map[string][]string{"a b.log": lines}, native(o), int64(0)
		for hop := 1; ; hop++ {
			ctx := within(t, 12*time.Second)
			answer, ledger, err := r.invokeWithin(ctx, t, S3, inQueue(body))
			require.NoError(t, err)
			require.NoError(t, ctx.Err(), "answered in time")
			require.JSONEq(t, allTaken, answer)
			rests := r.continuations(t)
			if len(rests) == 0 {
				assert.Equal(t, 13, hop, "the first one and twelve more")
				assert.Equal(t, 1, ledger.Destinations["a"].Parked["hop_limit"])
				break
			}
			assert.Equal(t, 1, ledger.Destinations["a"].Returned["continued"])
			require.Len(t, rests, 1)
			rest := rests[0].Resume
			assert.Equal(t, hop, rest.Hop)
			assert.Greater(t, rest.Records, before)
			assert.Equal(t, []string{"a", "b"}, rest.Dests)
			assert.EqualValues(t, 1769938200123, rest.FirstSeenMillis, "when it was announced")
			assert.Equal(t, []string{logBucket, "a b.log", "v1", o.ETag}, []string{rests[0].Bucket, rests[0].Key, rests[0].VersionID, rests[0].ETag})
			before, body = rest.Records, r.sqs.take()[0]
			o.quick = int(before) * (len(lines[0]) + 1) // what was read before comes fast
		}
		for _, id := range []string{"a", "b"} {
			pointers := r.pointersFor(t, park.Pending, id)
			require.Len(t, pointers, 1)
			assert.Equal(t, "hop_limit", pointers[0].Reason.Code)
			assert.LessOrEqual(t, pointers[0].NotBefore, time.Now().Unix(), "it is due at once")
			r.exactlyOnce(t, id, objects)
		}
		o.slow = 0
		r.drain(t)
		r.exactlyOnce(t, "a", objects)
		r.exactlyOnce(t, "b", objects)
	})
}

// How the rest of an object is kept that there is no time for.
func TestNoTime(t *testing.T) {
	resume := func(r *rig, hop int) *event.Resume {
		return &event.Resume{Records: 100, Hop: hop, Decode: r.objects.decodeID(logBucket, "a.log"), Dests: []string{"a", "b"}}
	}
	for name, tc := range map[string]struct {
		settings string
		resume   int // the hop that the message continues by; 0: it is no continuation
		stuck    bool
		refuse   error  // of the queue
		reason   string // of the pointer; empty: it goes on by the queue
		hop      int
	}{
		"with a queue":                      {settings: withQueue, hop: 1},
		"without one":                       {reason: "deadline"},
		"the queue refuses":                 {settings: withQueue, refuse: errors.New("no"), reason: "deadline"},
		"again":                             {settings: withQueue, resume: 11, hop: 12},
		"too often":                         {settings: withQueue, resume: 12, reason: "hop_limit"},
		"again, and no further than before": {settings: withQueue, resume: 2, stuck: true, reason: "no_progress"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP(tc.settings)).ticking()
				r.sqs.refuse = tc.refuse
				lines := someLines("x", 5000)
				o := r.s3.slowly("a.log", lines)
				o.slow = time.Second
				objects := map[string][]string{"a.log": lines}
				body := native(o)
				if tc.resume > 0 {
					body = string(event.AppendContinuation(nil, &event.Object{Bucket: logBucket, Key: "a.log", ETag: o.ETag, SizeBytes: o.Size}, resume(r, tc.resume)))
					objects["a.log"] = lines[100:]
					o.quick = 4000
				}
				if tc.stuck {
					o.slow, o.quick = time.Hour, 1
				}
				if tc.stuck { // it waits for as long as the queue gives it again
					answer, _, err := r.invokeWithin(within(t, 20*time.Second), t, S3, receivedFor(3, body))
					require.NoError(t, err)
					assert.JSONEq(t, failedMessages(0), answer)
				}
				answer, ledger, err := r.invokeWithin(within(t, 20*time.Second), t, S3, receivedFor(4, body))
				require.NoError(t, err)
				assert.JSONEq(t, allTaken, answer)
				r.placedBehind(t, objects, lines)
				rests := r.continuations(t)
				for _, id := range []string{"a", "b"} {
					pointers := r.pointersFor(t, park.Pending, id)
					if tc.reason == "" {
						assert.Empty(t, pointers)
						require.Len(t, rests, 1)
						assert.Equal(t, tc.hop, rests[0].Resume.Hop)
						assert.Equal(t, 1, ledger.Destinations[id].Returned["continued"])
						continue
					}
					assert.Empty(t, rests)
					require.Len(t, pointers, 1)
					assert.Equal(t, tc.reason, pointers[0].Reason.Code)
					assert.Positive(t, ledger.Destinations[id].Parked[tc.reason])
					assert.LessOrEqual(t, pointers[0].NotBefore, time.Now().Unix(), "it is due at once")
				}
			})
		})
	}
}

// A record of several lines is not taken before its last line is there: a connection that breaks in its midst, or time that
// ends there, leaves all of it to the next attempt.
func TestJoinedLinesBreakOff(t *testing.T) {
	lines := someLines("x", 4000)
	for i := range lines {
		lines[i] += "\n  one" + strings.Repeat(".", 40) + "\n  two"
	}
	objects := map[string][]string{"a.log": lines}
	for cut := 200_000; cut < 200_100; cut += 41 { // as far as a record is long
		for name, broken := range map[string]bool{"the connection breaks": true, "time ends": false} {
			t.Run(fmt.Sprintf("%s at %d", name, cut), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					untilStart()
					r := newRig(t, twoHTTP(`multiline_start: "[a-z] line",`)).ticking()
					o := r.s3.lines("a.log", lines...)
					o.quick, o.slow = cut, time.Hour
					if broken {
						o.quick, o.slow, o.cuts = 0, 0, []int{cut, 0, 0, 0, 0, 0}
					}
					answer, _, err := r.invokeWithin(within(t, 30*time.Second), t, S3, inQueue(native(o)))
					require.NoError(t, err)
					require.JSONEq(t, allTaken, answer)
					r.exactlyOnce(t, "a", objects)
					o.slow, o.cuts = 0, nil
					r.drain(t)
					r.exactlyOnce(t, "a", objects)
					r.exactlyOnce(t, "b", objects)
				})
			})
		}
	}
}

// What a manifest lists reaches a destination that was in trouble when the manifest was announced.
func TestManifestInTrouble(t *testing.T) {
	for name, tc := range map[string]struct {
		down    string
		receive int
	}{
		"all down": {"example.com", 4}, "one down": {"a.example.com", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("follow_manifests: true,")).ticking()
				r.intake.answer = func(got received) int {
					if strings.Contains(got.url, tc.down) {
						return http.StatusNotFound
					}
					return http.StatusAccepted
				}
				objects := map[string][]string{"x.log": someLines("x", 5000), "y.log": someLines("y", 5), "z.log": someLines("z", 5)}
				first := r.s3.slowly("x.log", objects["x.log"])
				r.s3.lines("y.log", objects["y.log"]...)
				r.s3.lines("z.log", objects["z.log"]...)
				manifest := r.s3.lines("manifests/a", fmt.Sprintf(`{"entries":[{"url":"s3://%s/y.log","mandatory":true},{"url":"s3://%s/z.log","mandatory":true}]}`, logBucket, logBucket))
				answer, _, err := r.invoke(t, S3, receivedFor(tc.receive, native(first), native(manifest)))
				require.NoError(t, err)
				require.JSONEq(t, allTaken, answer)
				r.drain(t)
				r.exactlyOnce(t, "a", objects)
				r.exactlyOnce(t, "b", objects)
			})
		})
	}
}

// placedBehind is exactlyOnce for an object of which the lines before some were sent earlier.
func (r *rig) placedBehind(t *testing.T, objects map[string][]string, all []string) {
	t.Helper()
	for _, id := range []string{"a", "b"} {
		found := r.whereabouts(t, id, map[string][]string{"a.log": all})
		for i, line := range all {
			want := 1
			if i < len(all)-len(objects["a.log"]) {
				want = 0
			}
			require.Equal(t, want, found[line], "%s of %s", line, id)
		}
	}
}

// A queue is enough for an object that there is no time for: what was read is sent in time, and nothing need be parked.
func TestContinuationWithoutAPark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, strings.Replace(twoHTTP(withQueue), "park_bucket: example-parked, ", "", 1)).ticking()
		r.intake.answer = func(received) int {
			time.Sleep(200 * time.Millisecond)
			return http.StatusAccepted
		}
		lines := someLines("x", 5000)
		o := r.s3.slowly("a.log", lines)
		o.slow = 500 * time.Millisecond
		ctx := within(t, 20*time.Second)
		answer, ledger, err := r.invokeWithin(ctx, t, S3, inQueue(native(o)))
		require.NoError(t, err)
		require.NoError(t, ctx.Err(), "answered in time")
		require.JSONEq(t, allTaken, answer)
		assert.Equal(t, tally{"continued": 1}, ledger.Destinations["a"].Returned)
		rests := r.continuations(t)
		require.Len(t, rests, 1)
		assert.EqualValues(t, ledger.Destinations["a"].Delivered, rests[0].Resume.Records)
		r.exactlyOnce(t, "a", map[string][]string{"a.log": lines})
		r.exactlyOnce(t, "b", map[string][]string{"a.log": lines})
	})
}
