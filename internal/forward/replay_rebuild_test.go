package forward

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/park"
)

// A bug that is met while a parked object is cut into batches costs no line and no account: what is on its way is waited
// for, the rest is put off, which is an attempt, and all others get theirs.
func TestReplayPanicBetweenBatches(t *testing.T) {
	for at := 1; at <= 4; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				x, y := stock{dest: "a", id: "X", due: -time.Minute, messages: few("x", 200)}, stock{dest: "a", id: "Y", messages: few("y", 1)}
				z := stock{dest: "b", id: "Z", messages: few("z", 3)}
				keys := r.shelve(t, x, y, z)
				codec, n := r.lanes[0].options.Codec, 0
				r.lanes[0].options.Codec = func() compress.Codec {
					if n++; n == at {
						panic("boom " + canary)
					}
					return codec()
				}
				got, ledger, err := r.replays(t, `{"replay":{}}`)
				require.NoError(t, err)
				a := ledger.Destinations["a"]
				left := 201 - a.Delivered
				assert.Equal(t, replayCount{Found: 2, Lines: 201, Done: 1, Again: 1}, values(got.Destinations)["a"], "what is behind it is done")
				assert.Equal(t, 201, a.In)
				assert.Equal(t, tally{"panic": left}, a.Parked)
				assert.Len(t, r.intake.taken(t, "a.example.com"), a.Delivered)
				assert.NotContains(t, r.s3.keysBelow("sluice/v1/pending/"), keys[0])
				again := r.shelved(t, park.Pending, "a")
				require.Len(t, again, 1)
				assert.Len(t, again[0].Items, left, "of it, what was not sent")
				assert.Equal(t, 2, again[0].Header.Attempt)
				assert.Equal(t, "panic", again[0].Header.Reason.Code)
				assert.Len(t, r.intake.taken(t, "b.example.com"), 3)
				r.drainItems(t)
				r.everyMessageOnce(t, []stock{x, y, z})
			})
		})
	}
}

// poisoned is a coding with a bug that some text meets.
type poisoned struct{ compress.Codec }

func (p poisoned) Append(dst, src []byte) []byte {
	if bytes.Contains(src, []byte("poison")) {
		panic("boom")
	}
	return p.Codec.Append(dst, src)
}

// Items with which we meet a bug at every attempt do not keep those behind them waiting, and end as dead.
func TestReplayOfPoisonedItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		codec := r.lanes[0].options.Codec
		r.lanes[0].options.Codec = func() compress.Codec { return poisoned{codec()} }
		r.shelve(t, stock{dest: "a", id: "X", due: -time.Hour, messages: few("poison", 2)}, stock{dest: "a", id: "Y", messages: few("y", 1)})
		_, ledger, err := r.replays(t, "{}")
		require.NoError(t, err)
		assert.Zero(t, ledger.Unaccounted)
		assert.Equal(t, few("y", 1), r.intake.taken(t, "a.example.com"))
		for attempt := 2; attempt <= maxAttempts; attempt++ {
			left := r.shelved(t, park.Pending, "a")
			require.Len(t, left, 1)
			assert.Equal(t, attempt, left[0].Header.Attempt)
			assert.Greater(t, left[0].Header.NotBefore, time.Now().Unix(), "it is left alone for a while")
			time.Sleep(8 * time.Hour)
			_, _, err := r.replays(t, "{}")
			require.NoError(t, err)
		}
		assert.Empty(t, r.shelved(t, park.Pending, "a"))
		dead := r.shelved(t, park.Dead, "a")
		require.Len(t, dead, 1)
		assert.Len(t, dead[0].Items, 2)
		assert.Equal(t, reasonExhausted, dead[0].Header.Reason.Code)
		assert.Len(t, r.intake.taken(t, "a.example.com"), 1)
	})
}

// leaseLost has other runs take what is parked for a destination, and end without giving it back.
func (r *rig) leaseLost(t *testing.T, times int) {
	t.Helper()
	other := park.NewShelf(r.s3, park.Options{Bucket: parkBucket, Prefix: "sluice"})
	for range times {
		for e, err := range other.Entries(t.Context(), park.Pending, "a", "", time.Time{}) {
			require.NoError(t, err)
			_, ours, err := other.Take(t.Context(), e.ID, time.Now(), 15*time.Minute)
			require.NoError(t, err)
			require.True(t, ours)
		}
		time.Sleep(16 * time.Minute)
	}
}

// What two runs in a row have ended over, whatever ended them, is put off before anything is done with it. Once is no reason.
func TestReplayOfWhatRunsHaveEndedOver(t *testing.T) {
	for _, times := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				x, y := stock{dest: "a", id: "X", due: -time.Hour, messages: few("x", 2)}, stock{dest: "a", id: "Y", due: time.Hour, messages: few("y", 1)}
				r.shelve(t, x)
				r.shelvePointer(t, r.s3.lines("o.log", "one", "two"), 0, nil)
				r.leaseLost(t, times)
				r.shelve(t, y)
				time.Sleep(2 * time.Hour)
				got, ledger, err := r.replays(t, "{}")
				require.NoError(t, err)
				assert.Zero(t, ledger.Unaccounted)
				if times < maxLost {
					assert.Equal(t, 3, got.Destinations["a"].Done)
					return
				}
				assert.Equal(t, replayCount{Found: 3, Lines: 3, Done: 1, Again: 2}, values(got.Destinations)["a"])
				assert.Equal(t, tally{reasonLost: 3}, ledger.Destinations["a"].Parked)
				assert.Equal(t, few("y", 1), r.intake.taken(t, "a.example.com"))
				for _, o := range r.shelved(t, park.Pending, "a") {
					assert.Equal(t, []any{2, reasonLost}, []any{o.Header.Attempt, o.Header.Reason.Code})
					assert.Greater(t, o.Header.NotBefore, time.Now().Unix())
				}
				assert.Empty(t, r.s3.keysBelow("sluice/v1/lease/"))
				r.drain(t)
				assert.ElementsMatch(t, append(few("x", 2), "y 000 "+canary, "one", "two"), r.intake.taken(t, "a.example.com"))
			})
		})
	}
}

// An object that cannot even be read without ending the run goes to where a person looks.
func TestReplayOfWhatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		keys := r.shelve(t, stock{dest: "a", id: "X", due: -time.Hour, messages: few("x", 2)}, stock{dest: "a", id: "Y", messages: few("y", 1)})
		asked := 0
		r.s3.before = func(operation, key string) error {
			if operation == "GET" && key == keys[0] {
				if asked++; asked%2 == 1 { // burying it reads it too
					panic("boom")
				}
			}
			return nil
		}
		for range 2 {
			got, _, err := r.replays(t, "{}")
			require.NoError(t, err)
			assert.Contains(t, got.Destinations["a"].Stopped, "panic")
			asked = 0
			time.Sleep(16 * time.Minute)
		}
		got, ledger, err := r.replays(t, "{}")
		require.NoError(t, err)
		assert.Equal(t, replayCount{Found: 2, Lines: 1, Done: 1, Dead: 1}, values(got.Destinations)["a"])
		assert.Equal(t, tally{reasonLost: 1}, ledger.Destinations["a"].Parked)
		assert.Len(t, r.s3.keysBelow("sluice/v1/dead/a/run_ended/"), 1)
	})
}

// A panic keeps the lease: the runs meanwhile leave the object alone and see to those behind it.
func TestReplayLeavesAPanicAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		r.shelve(t, stock{dest: "a", id: "X", due: -time.Hour, messages: few("x", 2)}, stock{dest: "a", id: "Y", messages: few("y", 1)})
		r.s3.before = func(operation, key string) error {
			if operation == "GET" && strings.Contains(key, "pending/a/") {
				panic("boom")
			}
			return nil
		}
		_, _, err := r.replays(t, "{}")
		require.NoError(t, err)
		assert.Empty(t, r.intake.taken(t, "a.example.com"))
		r.s3.before = nil
		got, _, err := r.replays(t, "{}")
		require.NoError(t, err)
		assert.Equal(t, replayCount{Found: 2, Lines: 1, Done: 1, Busy: 1}, values(got.Destinations)["a"])
	})
}

// A destination that uses up the time of a run is not the first one of every run.
func TestReplayBeginsWithAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		for i := range 6 {
			id := fmt.Sprintf("X%d", i)
			r.shelve(t, stock{dest: "a", id: id, due: -time.Hour, messages: few(id, 1)}, stock{dest: "b", id: id, due: -time.Hour, messages: few(id, 1)})
		}
		r.intake.answer = func(received) int {
			time.Sleep(20 * time.Second)
			return http.StatusAccepted
		}
		_, _, _, err := r.replaysWithin(t, 25*time.Second, "{}")
		require.NoError(t, err)
		assert.NotEmpty(t, r.intake.taken(t, "a.example.com"))
		assert.Empty(t, r.intake.taken(t, "b.example.com"))
		time.Sleep(time.Hour + time.Microsecond)
		_, _, _, err = r.replaysWithin(t, 25*time.Second, "{}")
		require.NoError(t, err)
		assert.NotEmpty(t, r.intake.taken(t, "b.example.com"))
	})
}

func TestRotated(t *testing.T) {
	assert.Empty(t, rotated(nil, start))
	for n, want := range []string{"abc", "bca", "cab", "abc"} {
		at := start.Add(time.Duration(n) * time.Microsecond).Add(-time.Duration(start.UnixMicro()%3) * time.Microsecond)
		assert.Equal(t, want, strings.Join(rotated([]string{"a", "b", "c"}, at), ""))
	}
}
