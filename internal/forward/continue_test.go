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
		return &event.Resume{Records: 100, Hop: hop, Decode: r.objects.decodeID, Dests: []string{"a", "b"}}
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
	text, payload := []byte(strings.Join(lines, "\n")+"\n"), document(t, separately(lines)...)
	for _, tc := range []struct {
		of, settings string
		body         []byte
		length       int // of a record in it
	}{
		{"lines", `multiline_start: "[a-z] line",`, text, 100},
		{"events", `routes: [{log_group: "*", multiline_start: "[a-z] line"}],`, payload, 500},
	} {
		for part := range 3 {
			cut := 200_000 + part*tc.length/3
			t.Run(fmt.Sprintf("%s, the connection breaks at %d", tc.of, cut), func(t *testing.T) {
				breakOff(t, tc.settings, tc.body, lines, func(o *s3Object) { o.cuts = []int{cut, 0, 0, 0, 0, 0} })
			})
			t.Run(fmt.Sprintf("%s, time ends at %d", tc.of, cut), func(t *testing.T) {
				breakOff(t, tc.settings, tc.body, lines, func(o *s3Object) { o.quick, o.slow = cut, time.Hour })
			})
		}
	}
}

// What an envelope has beside its records comes after them, so it is not told before the last one was read: the next attempt
// would pass over one record too many.
func TestEnvelopeBreaksOff(t *testing.T) {
	lines := someLines("x", 4000)
	items := make([]string, 0, len(lines)+1)
	for _, line := range lines {
		items = append(items, `{"resource":"`+line+strings.Repeat(".", 60)+`"}`)
	}
	body := []byte(`{"fileVersion":"1.0","configurationItems":[` + strings.Join(items, ",") + `],"behind":1}`)
	items = append(items, `{"fileVersion":"1.0","behind":1}`)
	for name, cut := range map[string]int{"in the records": 200_010, "behind them": len(body) - 3} {
		t.Run(name+", the connection breaks", func(t *testing.T) {
			breakOff(t, "", body, items, func(o *s3Object) { o.cuts = []int{cut, 0, 0, 0, 0, 0} })
		})
		t.Run(name+", time ends", func(t *testing.T) {
			breakOff(t, "", body, items, func(o *s3Object) { o.quick, o.slow = cut, time.Hour })
		})
	}
}

// Lines that are joined to a header are not dropped with it.
func TestHeadersAreNotJoined(t *testing.T) {
	const data = "2 123456789012 eni-1 192.0.2.1 192.0.2.2 1 2 6 1 40 1706745600 1706745660 ACCEPT OK"
	flows := "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n" + data + "\n"
	r := newRig(t, twoHTTP(`multiline_start: "[a-z]", multiline_events: true,`))
	_, ledger, err := r.invoke(t, Kinesis, batchOf([]byte(flows)))
	require.NoError(t, err)
	assert.Equal(t, tally{"header_line": 1}, ledger.Destinations["a"].Dropped)
	assert.Equal(t, []string{data}, r.intake.taken(t, hostOfLane("a")))

	r = newRig(t, twoHTTP(`multiline_start: "^[a-z#]",`))
	const seen = "2024-02-01\t20:00:00\tFRA2\t10\t192.0.2.1"
	o := r.s3.put(logBucket, "E2EXAMPLE.2024-02-01-20.a1b2c3d4", []byte("#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip\n"+seen+"\n"))
	_, ledger, err = r.invoke(t, S3, inQueue(native(o)))
	require.NoError(t, err)
	assert.Equal(t, tally{"header_line": 1}, ledger.Destinations["a"].Dropped)
	taken := r.intake.taken(t, hostOfLane("a"))
	require.Len(t, taken, 1)
	assert.Contains(t, taken[0], seen)
}

// breakOff reads an object of records that are joined, which is spoiled when it is first read.
func breakOff(t *testing.T, settings string, body []byte, records []string, spoil func(o *s3Object)) {
	t.Helper()
	objects := map[string][]string{"a.log": records}
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP(settings)).ticking()
		o := r.s3.put(logBucket, "a.log", body)
		spoil(o)
		answer, _, err := r.invokeWithin(within(t, 30*time.Second), t, S3, inQueue(native(o)))
		require.NoError(t, err)
		require.JSONEq(t, allTaken, answer)
		require.NotEmpty(t, r.intake.taken(t, hostOfLane("a")), "some were taken")
		r.exactlyOnce(t, "a", objects)
		o.slow, o.cuts = 0, nil
		r.drain(t)
		r.exactlyOnce(t, "a", objects)
		r.exactlyOnce(t, "b", objects)
	})
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
