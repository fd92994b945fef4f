package forward

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/record"
)

// handlers are the ways in, with an event of three lines for each.
func handlers(t *testing.T) map[string]struct {
	handler func(*Forwarder) Handler
	event   []byte
	taken   string
} {
	t.Helper()
	return map[string]struct {
		handler func(*Forwarder) Handler
		event   []byte
		taken   string
	}{
		"cloudwatch": {CloudWatch, direct(packed(t, document(t, numbered(3)...))), "null"},
		"kinesis":    {Kinesis, batchOf([]byte("line 0 "+canary), []byte("line 1 "+canary), []byte("line 2 "+canary)), allTaken},
	}
}

// A destination that fails returns the event, and costs the other ones nothing.
func TestOneDestinationFails(t *testing.T) {
	for entry, h := range handlers(t) {
		for name, status := range map[string]int{"refuses": 404, "is down": 503, "wants another key": 403, "finds a line invalid": 400} {
			t.Run(entry+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, both)
					r.intake.answer = func(r received) int {
						if strings.Contains(r.url, archiveHost) {
							return status
						}
						return http.StatusAccepted
					}
					answer, ledger, err := r.invoke(t, h.handler, h.event)
					if entry == "kinesis" {
						require.NoError(t, err)
						assert.Equal(t, from(0), answer)
					} else {
						require.Error(t, err)
					}
					assert.Contains(t, ledger.Error, "lines returned, first for http_")
					assert.Equal(t, numbered(3), r.intake.messages(t, datadogHost), "each line once")
					assert.Equal(t, 3, ledger.Destinations["datadog"].Delivered)
					assert.Equal(t, 3, sum(ledger.Destinations["archive"].Returned))
				})
			})
		}
	}
}

// A container that was frozen drops its connections: they may have died, and its first request would find out.
func TestFrozenContainer(t *testing.T) {
	r := newRig(t, both)
	event := handlers(t)["cloudwatch"].event
	for _, step := range []struct {
		after  time.Duration
		closed int
	}{{0, 0}, {time.Second, 0}, {frozenAfter, 0}, {frozenAfter + time.Second, 2}, {time.Second, 2}, {time.Hour, 4}} {
		r.now = r.now.Add(step.after)
		_, ledger, err := r.invoke(t, CloudWatch, event)
		require.NoError(t, err)
		assert.Equal(t, step.closed, r.intake.closed, "both destinations', %s after the last event", step.after)
		assert.Equal(t, step.after == 0, ledger.ColdStart)
		assert.Equal(t, requestID, ledger.RequestID)
	}
}

// The time of an invocation is not one in which a container was frozen.
func TestLongInvocation(t *testing.T) {
	r := newRig(t, oneHTTP)
	r.intake.answer = func(received) int {
		r.now = r.now.Add(2 * frozenAfter)
		return http.StatusOK
	}
	for range 2 {
		_, _, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, "x"))))
		require.NoError(t, err)
		assert.Zero(t, r.intake.closed)
	}
}

// A batch's id is its own: another destination or another setting gives another one.
func TestBatchIDs(t *testing.T) {
	seen := map[string]bool{}
	event := direct(packed(t, document(t, numbered(3)...)))
	for _, settings := range []string{both, with("source: x", both), oneHTTP, oneDatadog} {
		r := newRig(t, settings)
		_, _, err := r.invoke(t, CloudWatch, event)
		require.NoError(t, err)
		for _, request := range r.intake.got {
			id := request.header.Get("X-Forwarder-Batch")
			assert.False(t, seen[id], id)
			seen[id] = true
			assert.Equal(t, id, request.header.Get("Idempotency-Key"))
		}
	}
	assert.Len(t, seen, 2+2+3+1)
}

// If lines cannot be accounted for, nothing is known to be safe: the owner keeps the whole event.
func TestLedgerThatDoesNotBalance(t *testing.T) {
	for name, wrong := range map[string]func(*invocation){
		"a line without an end": func(inv *invocation) { inv.lanes[1].account.In(1) },
		"an end without a line": func(inv *invocation) { inv.lanes[1].account.Delivered(1) },
		"a line that the builder lost": func(inv *invocation) {
			inv.lanes[0].add(&record.Record{Origin: &record.Origin{}}, 5)
			inv.lanes[0].builder.Start(func(*batch.Batch) {})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, both)
			inv, end := r.begin(lambdaContext(t), plan{})
			defer end()
			require.NoError(t, inv.subscription(handlers(t)["cloudwatch"].event))
			inv.lanes[0].builder.Flush()
			wrong(inv)
			at := inv.finish(failure{unit: 7})
			require.ErrorContains(t, at.err, "does not balance")
			assert.Zero(t, at.unit, "the first record, whatever failed")
			var ledger statement
			require.NoError(t, json.Unmarshal(r.out.Bytes(), &ledger))
			assert.Equal(t, 1, ledger.Unaccounted)
			assert.Contains(t, ledger.Error, "does not balance")
		})
	}
}

// Two events at once take their turns.
func TestForwarderIsSafeForConcurrentUse(t *testing.T) {
	r := newRig(t, oneHTTP)
	r.Forwarder.out = &bytes.Buffer{}
	event := direct(packed(t, document(t, numbered(20)...)))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			_, err := CloudWatch(r.Forwarder).Invoke(lambdaContext(t), event)
			assert.NoError(t, err)
		})
	}
	group.Wait()
	assert.Len(t, r.intake.messages(t, archiveHost), 8*20)
}

// Lines that were altered are counted.
func TestMarksAreCounted(t *testing.T) {
	r := newRig(t, `{destinations: [
		{id: cut, type: http, url: "https://a.example.com/", max_record_bytes: 1kB},
		{id: split, type: http, url: "https://b.example.com/", max_record_bytes: 1kB, oversize: split}]}`)
	_, ledger, err := r.invoke(t, Kinesis, batchOf([]byte("a\xff"), []byte(strings.Repeat("x", 2000)), []byte("b")))
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"utf8_repaired": 1, "truncated": 1}, ledger.Destinations["cut"].Marked)
	assert.Equal(t, 3, ledger.Destinations["cut"].In)
	split := ledger.Destinations["split"]
	assert.Equal(t, map[string]int{"utf8_repaired": 1, "chunked": 1}, split.Marked)
	assert.Equal(t, len(r.intake.items(t, "b.example.com")), split.In, "every part is a line of its own")
	assert.Greater(t, split.In, 4)
}

// A function that is subscribed to its own log must not feed itself: nothing is sent, and only the first such event gets
// a line, which is one more event and the last.
func TestOwnLogGroup(t *testing.T) {
	r := newRig(t, oneHTTP)
	own := direct(packed(t, documentOf(t, "DATA_MESSAGE", ownLogGroup, "a line of ours", "another")))
	answer, ledger, err := r.invoke(t, CloudWatch, own)
	require.NoError(t, err)
	assert.Equal(t, "null", answer)
	assert.Equal(t, map[string]int{"own_log_group": 2}, ledger.Destinations["archive"].Dropped)

	r.out.Reset()
	_, err = CloudWatch(r.Forwarder).Invoke(lambdaContext(t), own)
	require.NoError(t, err)
	assert.Empty(t, r.out.String())
	assert.Empty(t, r.intake.messages(t, archiveHost))

	_, ledger, err = r.invoke(t, CloudWatch, direct(packed(t, document(t, "of another group"))))
	require.NoError(t, err)
	assert.Equal(t, 1, ledger.Destinations["archive"].Delivered)
}
