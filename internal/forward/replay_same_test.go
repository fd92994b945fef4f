package forward

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

// Lines that are the same are lines all the same: of an object whose parts have the same bytes, each part is parked again
// under a key of its own, and the old object is deleted after all of them.
func TestReplayOfTheSameLines(t *testing.T) {
	pair := []string{"x", "y"}
	for name, tc := range map[string]struct {
		messages []string
		limit    string // of a batch
		answer   func(received) int
		first    string // in a request that is answered before all others; empty for none
		parked   int    // objects
	}{
		"two parts, down": {
			messages: append(pair, pair...), limit: "max_records: 2", answer: func(received) int { return http.StatusNotFound }, parked: 2,
		},
		"five parts, down": {
			messages: []string{"x", "x", "x", "x", "x"}, limit: "max_records: 1", answer: always503, parked: 5,
		},
		"three parts, the one between them is taken": {
			messages: []string{"x", "y", "x"}, limit: "max_records: 1", answer: statusFor(`"x"`, http.StatusNotFound), first: `"y"`, parked: 2,
		},
		"two lines of one batch are invalid": {
			messages: []string{"x", "y", "z", "x"}, limit: "max_records: 40", answer: statusFor(`"x"`, http.StatusBadRequest),
		},
		"a line of each of two parts is invalid": {
			messages: append(pair, pair...), limit: "max_records: 2", answer: statusFor(`"y"`, http.StatusBadRequest),
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, strings.ReplaceAll(twoHTTP(""), "max_records: 40", tc.limit)).ticking()
				one := []stock{{dest: "a", id: "X", due: -time.Minute, messages: tc.messages}}
				keys := r.shelve(t, one...)
				r.intake.answer = tc.answer
				if tc.first != "" {
					r.intake.answer = answeredFirst(tc.first, tc.answer)
				}
				_, ledger, err := r.replays(t, "{}")
				require.NoError(t, err)
				assert.Empty(t, ledger.Error)
				changes := r.changes()
				require.NotEmpty(t, changes)
				assert.Equal(t, "DELETE "+strings.TrimPrefix(keys[0], "sluice/v1/"), changes[len(changes)-1], "when all the others are there")
				for _, change := range changes[:len(changes)-1] {
					assert.True(t, strings.HasPrefix(change, "PUT "), "no key is met twice: %s", change)
				}
				if tc.parked > 0 {
					assert.Len(t, r.s3.keysBelow("sluice/v1/pending/a/"), tc.parked)
				}
				assert.Equal(t, len(tc.messages), len(r.intake.taken(t, "a.example.com"))+r.parkedItems(t, "a"), "with the destination or parked")
				ids := map[string]bool{}
				for _, o := range r.shelved(t, park.Pending, "a") {
					assert.False(t, ids[o.Header.SendID()], "two parts are sent under one id")
					ids[o.Header.SendID()] = true
				}
				r.intake.answer = nil
				r.drainItems(t)
				r.everyMessageOnce(t, one)
			})
		})
	}
}

// answeredFirst has all requests wait until one with this text has come: an answer that opens the breaker would keep it
// from being sent.
func answeredFirst(text string, answer func(received) int) func(received) int {
	came := make(chan struct{})
	var once sync.Once
	return func(r received) int {
		if bytes.Contains(r.body, []byte(text)) {
			once.Do(func() { close(came) })
		}
		<-came
		return answer(r)
	}
}

// parkedItems is how many items are parked for a destination.
func (r *rig) parkedItems(t *testing.T, id string) (n int) {
	t.Helper()
	for _, o := range append(r.shelved(t, park.Pending, id), r.shelved(t, park.Dead, id)...) {
		n += len(o.Items)
	}
	return n
}
