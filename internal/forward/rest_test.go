package forward

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
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
