package forward

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

// Pointers wait for one another, as each takes all of the invocation to be read. What is parked beside them does not wait,
// and those that there was no time for stay as they are: not to be begun is no attempt.
func TestReplayPointersWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		objects := map[string][]string{}
		var stocks []stock
		for i := range 3 { // so that four at a time are taken from then on
			stocks = append(stocks, stock{dest: "a", id: fmt.Sprintf("W%d", i), due: -time.Hour, messages: few(fmt.Sprintf("w%d", i), 1)})
		}
		stocks = append(stocks, stock{dest: "b", id: "B", due: -time.Hour, messages: few("b", 1)})
		r.shelve(t, stocks...)
		pointers := map[string]bool{}
		for i := range 3 { // due later; 40 s each
			key := fmt.Sprintf("%d.log", i)
			objects[key] = someLines(fmt.Sprintf("o%d", i), 2000)
			o := r.s3.slowly(key, objects[key])
			o.slow = 2 * time.Second
			pointers[r.shelvePointer(t, o, 0, nil)] = true
		}
		beside := stock{dest: "a", id: "Z", due: -time.Second, messages: few("z", 1)}
		r.shelve(t, beside)
		got, ledger, _, err := r.replaysWithin(t, 60*time.Second, "{}")
		require.NoError(t, err)
		assert.Empty(t, ledger.Error)
		assert.Contains(t, r.intake.taken(t, "a.example.com"), beside.messages[0], "it did not wait for the pointers")
		assert.Len(t, r.intake.taken(t, "b.example.com"), 1, "the other destination gets its own")
		assert.NotEmpty(t, got.Destinations["a"].Stopped, "time was up")
		untouched := 0
		for _, key := range r.s3.keysBelow("sluice/v1/pending/a/") {
			if pointers[key] {
				untouched++
			}
		}
		assert.Positive(t, untouched, "there was no time for all of them")
		for _, h := range r.pointersFor(t, park.Pending, "a") {
			assert.Equal(t, 1, h.Attempt, "no attempt was in vain")
		}
		assert.Empty(t, r.s3.keysBelow("sluice/v1/lease/"), "every lease is given back")
		for _, o := range r.s3.objects {
			o.slow = 0
		}
		r.drain(t)
		for _, s := range append(stocks[:3], beside) {
			objects[s.id] = s.messages
		}
		r.exactlyOnce(t, "a", objects)
	})
}

// When there is time for all of them, that one waits for another keeps nothing from being done in one run.
func TestReplayPointersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		objects := map[string][]string{}
		for i := range 9 {
			key := fmt.Sprintf("%d.log", i)
			objects[key] = someLines(fmt.Sprintf("o%d", i), 300)
			r.shelvePointer(t, r.s3.slowly(key, objects[key]), 0, nil)
		}
		got, _, err := r.replays(t, "{}")
		require.NoError(t, err)
		assert.Equal(t, replayCount{Found: 9, Done: 9}, values(got.Destinations)["a"])
		assert.Empty(t, r.idsLeft())
		r.exactlyOnce(t, "a", objects)
	})
}

// A pointer that can never be read to its end does not stop those behind it, run after run, and ends as dead.
func TestReplayOfAPoisonPointer(t *testing.T) {
	for name, spoil := range map[string]func(r *rig, o *s3Object){
		"panics before its first line": func(_ *rig, o *s3Object) { o.body, o.panics = nil, true },
		"panics behind its last line":  func(_ *rig, o *s3Object) { o.Size, o.panics = o.Size+1, true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				lines, good := someLines("x", 700), someLines("good", 700)
				bad := r.s3.lines("bad.log", lines...)
				first := r.shelvePointer(t, bad, 0, nil)
				time.Sleep(time.Minute)
				r.shelvePointer(t, r.s3.lines("good.log", good...), 0, func(p *park.Pointer) { p.FirstFailed = start.Add(-time.Minute) })
				stocks := []stock{{dest: "a", id: "Y", due: -time.Second, messages: few("y", 1)}, {dest: "b", id: "Z", due: -time.Second, messages: few("z", 1)}}
				r.shelve(t, stocks...)
				require.Equal(t, first, r.firstPointer(t, bad), "the poison is the first one")
				spoil(r, bad)
				_, ledger, err := r.replays(t, "{}")
				require.NoError(t, err)
				assert.Zero(t, ledger.Unaccounted)
				assert.Subset(t, r.intake.taken(t, "a.example.com"), append(slices.Clone(good), stocks[0].messages...), "those behind it are sent")
				assert.Len(t, r.intake.taken(t, "b.example.com"), 1)
				left := r.pointersFor(t, park.Pending, "a")
				require.Len(t, left, 1)
				assert.Equal(t, []any{"bad.log", 2}, []any{left[0].Sources[0].Key, left[0].Attempt})
				assert.Greater(t, left[0].NotBefore, time.Now().Unix(), "it is left alone for a while")

				for range maxAttempts {
					time.Sleep(8 * time.Hour)
					_, _, err := r.replays(t, "{}")
					require.NoError(t, err)
				}
				assert.Empty(t, r.s3.keysBelow("sluice/v1/pending/"))
				dead := r.pointersFor(t, park.Dead, "a")
				require.Len(t, dead, 1)
				assert.Equal(t, reasonExhausted, dead[0].Reason.Code)
				sent := r.intake.taken(t, "a.example.com")
				slices.Sort(sent)
				assert.Equal(t, slices.Compact(slices.Clone(sent)), sent, "and no line comes twice")
			})
		})
	}
}

// firstPointer is the key of the pointer to an object if that is the first of its destination.
func (r *rig) firstPointer(t *testing.T, o *s3Object) string {
	t.Helper()
	keys := r.s3.keysBelow("sluice/v1/pending/a/")
	require.NotEmpty(t, keys)
	require.Equal(t, o.Key, r.shelved(t, park.Pending, "a")[0].Header.Sources[0].Key)
	return keys[0]
}

// A panic in the midst of one parked object is caught: that object stays, every line that was
// counted is accounted for, and the other destinations get theirs.
func TestReplayPanicOfOneObject(t *testing.T) {
	for name, tc := range map[string]struct {
		at       string // operation and start of a key
		answer   func(received) int
		returned int // lines of a
		sent     int // lines of a, before
		leases   int // that are left, for as long as they are valid
	}{
		"reading it":         {at: "GET pending/a/", leases: 1},
		"deleting it":        {at: "DELETE pending/a/", sent: 2, leases: 1},
		"parking it again":   {at: "PUT pending/a/", answer: failingFrom(0, "a.example.com", http.StatusNotFound), returned: 2},
		"leasing it":         {at: "PUT lease/X"},
		"burying its corpse": {at: "PUT dead/a/", answer: statusFor("x 001", http.StatusBadRequest), returned: 1, sent: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				stocks := []stock{{dest: "a", id: "X", due: -time.Minute, messages: few("x", 2)}, {dest: "b", id: "Z", messages: few("z", 3)}}
				keys := r.shelve(t, stocks...)
				operation, prefix, _ := strings.Cut(tc.at, " ")
				r.s3.before = func(asked, key string) error {
					if asked == operation && strings.HasPrefix(key, "sluice/v1/"+prefix) {
						panic("boom " + canary)
					}
					return nil
				}
				r.intake.answer = tc.answer
				got, ledger, err := r.replays(t, `{"replay":{}}`)
				require.NoError(t, err)
				assert.Contains(t, got.Destinations["a"].Stopped, "panic")
				assert.NotContains(t, got.Destinations["a"].Stopped, canary)
				assert.Equal(t, tc.returned, sum(ledger.Destinations["a"].Returned))
				assert.Equal(t, replayCount{Found: 1, Lines: 3, Done: 1}, values(got.Destinations)["b"], "the run goes on")
				assert.Equal(t, keys[:1], r.s3.keysBelow("sluice/v1/pending/"), "it stays")
				assert.Len(t, r.s3.keysBelow("sluice/v1/lease/"), tc.leases)
				assert.Len(t, r.intake.taken(t, "a.example.com"), tc.sent)
				r.s3.before, r.intake.answer = nil, nil
				r.drainItems(t)
				assert.Subset(t, r.intake.taken(t, "a.example.com"), stocks[0].messages)
			})
		})
	}
}

// busy watches how many requests a host has at a time until it has taken one.
type busy struct {
	answer func(n int) int // to the nth request, from 1

	mu        sync.Mutex
	now, most int
	sent      int
	well      bool
}

func (b *busy) take(got received) int {
	if !strings.Contains(got.url, "a.example.com") {
		return http.StatusAccepted
	}
	b.mu.Lock()
	b.sent++
	b.now++
	if !b.well {
		b.most = max(b.most, b.now)
	}
	status := b.answer(b.sent)
	b.mu.Unlock()
	time.Sleep(time.Second)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now--
	b.well = b.well || status == http.StatusAccepted
	return status
}

// oneLineEach are objects of one line for a, in their order.
func oneLineEach(n int) []stock {
	stocks := make([]stock, n)
	for i := range stocks {
		stocks[i] = stock{dest: "a", id: fmt.Sprintf("X%02d", i), due: time.Duration(i-n) * time.Minute, messages: few(fmt.Sprintf("x%02d", i), 1)}
	}
	return stocks
}

// Until a destination has taken something there is one request on its way to it at a time, also when what was tried before
// was refused for what it is.
func TestReplayProbesOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		stocks := oneLineEach(12)
		r.shelve(t, stocks...)
		watch := &busy{answer: func(n int) int {
			if n <= 4 {
				return http.StatusBadRequest
			}
			return http.StatusAccepted
		}}
		r.intake.answer = watch.take
		got, _, err := r.replays(t, "{}")
		require.NoError(t, err)
		assert.Equal(t, 1, watch.most, "requests at a time before one was taken")
		count := values(got.Destinations)["a"]
		assert.Equal(t, 12, count.Found)
		assert.Positive(t, count.Done)
		assert.Positive(t, count.Dead)
		assert.Equal(t, 12, count.Done+count.Dead)
	})
}

// A destination that goes down in the midst of a run gets no probe from the objects that were taken together with the one
// that found it down.
func TestReplayOfADestinationThatGoesDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		stocks := oneLineEach(12)
		keys := r.shelve(t, stocks...)
		const well = 3 // one, and two more; then four at a time
		r.s3.before = func(operation, key string) error {
			if operation == "GET" && slices.Contains(keys[well+1:], key) {
				time.Sleep(5 * time.Second) // the first one of its turn knows already
			}
			return nil
		}
		r.intake.answer = failingFrom(well, "a.example.com", http.StatusNotFound)
		got, _, err := r.replays(t, "{}")
		require.NoError(t, err)
		assert.Len(t, r.intake.batches(t, "a.example.com"), well+1, "batches that were sent")
		count := values(got.Destinations)["a"]
		assert.Equal(t, well, count.Done)
		assert.Equal(t, well+maxTurn, count.Found, "those behind are not begun")
		assert.NotEmpty(t, count.Stopped)
		r.drain(t)
		r.everyMessageOnce(t, stocks)
	})
}
