package forward

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
)

// comments stand in front of the lines of an object that may have a marker, and make it large. They are dropped.
const comments = 5

// large keeps an object that may have a marker. Its lines are slow.
func (f *fakeS3) large(lines []string, slow time.Duration) *s3Object {
	comment := "#Fields: " + strings.Repeat("x", markedBytes/comments) + "\n"
	o := f.put(logBucket, frontKey, []byte(strings.Repeat(comment, comments)+strings.Join(lines, "\n")+"\n"))
	o.quick, o.slow = comments*len(comment), slow
	return o
}

// kill is what was there when a function was killed: right after the n-th marker was written.
type kill struct {
	objects map[string]*s3Object
	taken   map[string][]string // by destination
}

// killAt lets the invocation go on, and remembers what another one finds after this one was killed.
func killAt(t *testing.T, r *rig, marker int) *kill {
	t.Helper()
	k, written := &kill{}, 0
	r.s3.written = func(key string) {
		if !strings.Contains(key, "/progress/") {
			return
		}
		if written++; written == marker {
			k.taken = map[string][]string{"a": r.intake.taken(t, "a.example.com"), "b": r.intake.taken(t, "b.example.com")}
			k.objects = maps.Clone(r.s3.objects)
		}
	}
	return k
}

// progress are the markers.
func (r *rig) progress(t *testing.T) (marks []struct{ Line, Hop int }) {
	t.Helper()
	for _, key := range r.s3.keysBelow("sluice/v1/progress/") {
		var m struct{ Line, Hop int }
		require.NoError(t, json.Unmarshal(r.s3.objects[parkBucket+"/"+key].body, &m))
		marks = append(marks, m)
	}
	return marks
}

// A large object that takes long has a marker that is written twice a minute. It names no line that is not durable. When
// the message comes again after a crash, the rest is sent, and of the lines before no more than half a minute's a second
// time. When it comes again after all went well, nothing is left to do; another message wants all of it.
func TestMarkers(t *testing.T) {
	lines := someLines("x", 4000) // 160 KB, in 40 reads
	for name, tc := range map[string]struct {
		resume *event.Resume
		slow   time.Duration // a destination's answer
		status int           // of some answers of a
		marker int           // at which it is killed
	}{
		"both well":                  {nil, time.Millisecond, 0, 4},
		"a slow destination":         {nil, 9 * time.Second, 0, 3},
		"one that refuses lines":     {nil, time.Millisecond, 400, 4},
		"of a continuation":          {&event.Resume{Records: 500, Hop: 3}, time.Millisecond, 0, 3},
		"killed at the first marker": {nil, time.Millisecond, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				o := r.s3.large(lines, 6*time.Second)
				r.intake.answer = func(got received) int {
					time.Sleep(tc.slow)
					if tc.status != 0 && strings.Contains(got.url, "a.example.com") && strings.Contains(string(got.body), "77 xxx") {
						return tc.status
					}
					return 202
				}
				body, first := native(o), 0
				if tc.resume != nil {
					tc.resume.Decode, first = r.objects.decodeID, int(tc.resume.Records)-comments
					body = continuation(o, *tc.resume)
				}
				k := killAt(t, r, tc.marker)
				answer, _, err := r.invoke(t, S3, inQueue(body))
				require.NoError(t, err)
				require.JSONEq(t, allTaken, answer)
				require.NotNil(t, k.objects, "it had as many markers")

				again := newRig(t, twoHTTP("")).ticking()
				again.s3.objects = k.objects
				marks := again.progress(t)
				require.Len(t, marks, 1)
				from := marks[0].Line - comments
				require.Greater(t, from, first)
				o.slow, again.intake.answer = 0, nil
				parked := again.whereaboutsParked(t)
				answer, _, err = again.invoke(t, S3, receivedFor(2, body))
				require.NoError(t, err)
				require.JSONEq(t, allTaken, answer)
				for _, id := range []string{"a", "b"} {
					got := again.intake.taken(t, hostOfLane(id))
					if tc.status == 0 {
						slices.Sort(got) // batches overtake each other
						require.True(t, slices.Equal(lines[from:], got), "the rest, at %s, and nothing else", id)
					}
					before := map[string]bool{}
					for _, line := range append(k.taken[id], parked[id]...) {
						before[line] = true
					}
					for _, line := range lines[first:from] {
						require.True(t, before[line], "durable at %s before it was marked: %.20s", id, line)
					}
				}

				again.intake.got = nil
				answer, _, err = again.invoke(t, S3, receivedFor(3, body))
				require.NoError(t, err)
				require.JSONEq(t, allTaken, answer)
				assert.Empty(t, again.intake.got, "it was done, and the answer was lost")
				_, _, err = again.invoke(t, S3, []byte(strings.Replace(string(inQueue(body)), messageID(0), messageID(7), 1)))
				require.NoError(t, err)
				assert.Len(t, again.intake.taken(t, "b.example.com"), len(lines)-first, "another message wants all of it")
			})
		})
	}
}

// whereaboutsParked are the messages of the items that lie in the bucket, by destination.
func (r *rig) whereaboutsParked(t *testing.T) map[string][]string {
	t.Helper()
	parked := map[string][]string{}
	for _, id := range []string{"a", "b"} {
		for _, o := range append(r.shelved(t, "pending", id), r.shelved(t, "dead", id)...) {
			for _, item := range o.Items {
				parked[id] = append(parked[id], messageOf(t, item))
			}
		}
	}
	return parked
}

// An object is done with when its message is: one whose last lines went nowhere goes on from its marker.
func TestMarkerOfAMessageThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		lines := someLines("x", 4000)
		r := newRig(t, twoHTTP("")).ticking()
		o := r.s3.large(lines, 6*time.Second)
		r.intake.answer, r.s3.refusePutTo = statusFor("line 003999", 404), "a"
		answer, _, err := r.invoke(t, S3, inQueue(native(o)))
		require.NoError(t, err)
		require.JSONEq(t, failedMessages(0), answer)
		marks := r.progress(t)
		require.Len(t, marks, 1)
		for _, key := range r.s3.keysBelow("sluice/v1/progress/") {
			assert.NotContains(t, string(r.s3.objects[parkBucket+"/"+key].body), `"done":true`)
		}
		// In another container, as here a's breaker lets one batch through at first, and what comes meanwhile is parked.
		again := newRig(t, twoHTTP("")).ticking()
		again.s3, r.s3.refusePutTo, o.slow = r.s3, "", 0
		time.Sleep(time.Hour)
		answer, _, err = again.invoke(t, S3, receivedFor(2, native(o)))
		require.NoError(t, err)
		require.JSONEq(t, allTaken, answer)
		sent := again.intake.taken(t, "a.example.com")
		slices.Sort(sent)
		assert.True(t, slices.Equal(lines[marks[0].Line-comments:], sent), "%d lines from %d on", len(sent), marks[0].Line)
	})
}

// A marker is written when there is much to lose, and not otherwise: all else would cost a request for each object.
func TestNoMarkers(t *testing.T) {
	for name, tc := range map[string]struct {
		lines  int
		slow   time.Duration
		down   bool
		broken bool // markers cannot be written
	}{
		"small and slow":                        {4000, 6 * time.Second, false, false},
		"large and fast":                        {4000, time.Millisecond, false, false},
		"large and slow, a destination is down": {4000, 6 * time.Second, true, false},
		"they cannot be written":                {4000, 6 * time.Second, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				lines := someLines("x", tc.lines)
				o, first := r.s3.large(lines, tc.slow), comments
				if name == "small and slow" {
					o, first = r.s3.slowly("a.log", lines), 0
					o.slow = tc.slow
				}
				if tc.down {
					r.intake.answer = failingFrom(0, "a.example.com", 404)
				}
				r.s3.before = func(operation, key string) error {
					if tc.broken && operation == "PUT" && strings.Contains(key, "/progress/") {
						return errNoBucket
					}
					return nil
				}
				answer, ledger, err := r.invoke(t, S3, inQueue(native(o)))
				require.NoError(t, err)
				assert.JSONEq(t, allTaken, answer)
				assert.Equal(t, tc.lines, ledger.Destinations["b"].Delivered)
				assert.Empty(t, r.s3.keysBelow("sluice/v1/progress/"))
				r.exactlyOnce(t, "a", map[string][]string{o.Key: append(make([]string, first), lines...)})
			})
		})
	}
}

// When the clock stands still, bytes count.
func TestMarkerByBytes(t *testing.T) {
	const size = 300 << 10
	r := newRigOf(t, map[string]string{"SLUICE_CONFIG": with("park_bucket: example-parked", httpWith("max_body_bytes: 1MB")), "SLUICE_COMPRESSION": "none"})
	r.intake.light = true
	line := append(bytes.Repeat([]byte("x"), size), '\n')
	o := r.s3.put(logBucket, "a.log", bytes.Repeat(line, 2*checkEvery+1)) // of which one look is behind 64 MiB, and one behind 128
	var marked []string
	r.s3.before = func(operation, key string) error {
		if operation == "PUT" && strings.Contains(key, "/progress/") {
			marked = append(marked, key)
		}
		return nil
	}
	_, ledger, err := r.invoke(t, S3, inQueue(native(o)))
	require.NoError(t, err)
	assert.Equal(t, 2*checkEvery+1, ledger.Destinations["archive"].Delivered)
	assert.Len(t, marked, 3, "two on the way and the last one")
	assert.Contains(t, string(r.s3.objects[parkBucket+"/"+marked[0]].body), `"done":true`)
}
