package forward

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

// dice are thrown by several goroutines.
type dice struct {
	mu sync.Mutex
	*rand.Rand
}

func (d *dice) throw(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.IntN(n)
}

// Whatever destinations and the store do during any number of runs, every line is with its destination or in the store
// after each of them, and in the end with its destination: once, unless the store has refused something in between.
func TestReplayLosesNothing(t *testing.T) {
	for seed := range uint64(50) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				testReplayLosesNothing(t, &dice{Rand: rand.New(rand.NewPCG(seed, 28))})
			})
		})
	}
}

func testReplayLosesNothing(t *testing.T, d *dice) {
	t.Helper()
	limit := []string{"max_records: 40", "max_records: 2", "max_records: 7"}[d.throw(3)]
	r := newRig(t, strings.ReplaceAll(twoHTTP(""), "max_records: 40", limit)).ticking()
	want := map[string][]string{}
	for i := range 2 + d.throw(6) {
		dest := []string{"a", "b"}[d.throw(2)]
		messages := few(fmt.Sprintf("%s%d", dest, i), 1+d.throw(12))
		want[dest] = append(want[dest], messages...)
		s := stock{dest: dest, id: fmt.Sprintf("X%d", i), attempt: 1 + d.throw(12), due: time.Duration(d.throw(20)-15) * time.Minute, messages: messages}
		if d.throw(5) == 0 {
			s.dead = "http_400"
		}
		r.shelve(t, s)
	}
	storeFails := d.throw(2) * d.throw(4) // in 10 requests
	refused := false
	r.s3.before = func(operation, _ string) error {
		if storeFails > 0 && d.throw(10) < storeFails {
			d.mu.Lock()
			refused = refused || operation != "LIST" && operation != "GET"
			d.mu.Unlock()
			return errors.New("connection reset by peer")
		}
		return nil
	}
	r.intake.answer = func(received) int { return []int{202, 202, 503, 404, 403, 400, 413, 429, 0}[d.throw(9)] }
	for range 1 + d.throw(5) {
		event := []string{"{}", `{"replay":{"all":true}}`, `{"replay":{"state":"dead","dry_run":false}}`, `{"replay":{"dest":"a"}}`}[d.throw(4)]
		_, _, _, _ = r.replaysWithin(t, time.Duration(10+d.throw(300))*time.Second, event)
		r.nothingIsLost(t, want)
		time.Sleep(time.Duration(d.throw(400)) * time.Minute)
	}
	r.s3.before = nil
	r.drain(t)
	_, _, err := r.replays(t, `{"replay":{"state":"dead","dry_run":false}}`)
	require.NoError(t, err)
	assert.Empty(t, r.idsLeft())
	for id, messages := range want {
		if refused {
			assert.Subset(t, r.intake.taken(t, hostOfLane(id)), messages)
		} else {
			assert.ElementsMatch(t, messages, r.intake.taken(t, hostOfLane(id)))
		}
	}
}

// nothingIsLost checks that each message is with its destination or parked for it.
func (r *rig) nothingIsLost(t *testing.T, want map[string][]string) {
	t.Helper()
	for id, messages := range want {
		found := map[string]bool{}
		for _, message := range r.intake.taken(t, hostOfLane(id)) {
			found[message] = true
		}
		for _, state := range []park.State{park.Pending, park.Dead} {
			for _, o := range r.shelved(t, state, id) {
				for _, item := range o.Items {
					found[messageOf(t, item)] = true
				}
			}
		}
		for _, message := range messages {
			require.True(t, found[message], "%s of %s", message, id)
		}
	}
}
