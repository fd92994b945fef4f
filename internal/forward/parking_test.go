package forward

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/jsonwalk"
	"sluice/internal/park"
)

// A record that is larger than its destination takes, whatever is cut from it, is dead, whole. Its neighbours are
// delivered.
func TestOversizedItem(t *testing.T) {
	r := newRig(t, with("park_bucket: example-parked", httpWith("max_record_bytes: 1kB")))
	long := packed(t, documentOf(t, "DATA_MESSAGE", strings.Repeat("g", 1000), "too much"))
	event := batchOf([]byte("a"), long, []byte("b"))
	answer, ledger, err := r.invoke(t, Kinesis, event)
	require.NoError(t, err)
	assert.JSONEq(t, allTaken, answer)
	assert.ElementsMatch(t, []string{"a", "b"}, r.intake.messages(t, archiveHost))
	assert.Equal(t, tally{"oversize": 1}, ledger.Destinations["archive"].Parked)
	require.Len(t, r.s3.parked, 1)
	o := r.s3.parked[0]
	assert.True(t, strings.HasPrefix(o.Key, "sluice/v1/dead/archive/oversize/"), o.Key)
	assert.Equal(t, park.Reason{Code: "oversize", Class: "permanent"}, o.Header.Reason)
	require.Len(t, o.Items, 1)

	large := newRig(t, with("park_bucket: example-parked", httpWith("")))
	_, _, err = large.invoke(t, Kinesis, event)
	require.NoError(t, err)
	assert.Contains(t, large.intake.batches(t, archiveHost)[large.intake.got[0].header.Get("X-Forwarder-Batch")], string(o.Items[0]))
}

// When some batches could be parked and others could not, the shard is given again from the first record that is nowhere.
func TestItemsOfWhichSomeAreParked(t *testing.T) {
	const records = 12
	for kept := range records {
		synctest.Test(t, func(t *testing.T) {
			untilStart()
			r := newRig(t, with("park_bucket: example-parked", oneHTTP))
			r.intake.answer = func(received) int { return http.StatusNotFound }
			var puts atomic.Int64
			r.s3.before = func(operation, key string) error {
				if operation == "PUT" && strings.Contains(key, "/pending/") && puts.Add(1) > int64(kept) {
					return errNoBucket
				}
				return nil
			}
			answer, ledger, err := r.invoke(t, Kinesis, stream(records))
			require.NoError(t, err)
			nowhere := map[int]bool{}
			for i := range records {
				nowhere[i] = true
			}
			for _, o := range r.s3.parked {
				var number int
				_, err := fmt.Sscanf(messageOf(t, o.Items[0]), "line %d.", &number)
				require.NoError(t, err)
				delete(nowhere, number)
			}
			assert.Len(t, r.s3.parked, kept)
			assert.Equal(t, from(slices.Min(slices.Collect(maps.Keys(nowhere)))), answer)
			assert.Equal(t, kept, sum(ledger.Destinations["archive"].Parked))
		})
	}
}

func messageOf(t *testing.T, item []byte) string {
	t.Helper()
	members := jsonwalk.Object(item)
	for members.Next() {
		if string(members.Name()) == "message" {
			text, isText := jsonwalk.Text(members.Value())
			require.True(t, isText, "%s", item)
			return string(text)
		}
	}
	require.NoError(t, members.Err())
	return ""
}

// A panic of what parks is a failure like another: the lines go back.
func TestParkingThatPanics(t *testing.T) {
	r := newRig(t, with("park_bucket: example-parked", oneHTTP))
	r.intake.answer = func(received) int { return http.StatusNotFound }
	r.s3.before = func(operation, key string) error {
		if operation == "PUT" && strings.Contains(key, "/pending/") {
			panic("boom " + canary)
		}
		return nil
	}
	_, ledger, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, numbered(3)...))))
	require.ErrorContains(t, err, "panic of type string")
	assert.Equal(t, 3, sum(ledger.Destinations["archive"].Returned))
	assert.Empty(t, r.s3.keysBelow("sluice/v1/pending"))
}

// The same event that comes twice is parked once: it is known by its batches.
func TestItemsAreParkedOnce(t *testing.T) {
	for entry, w := range ways() {
		t.Run(entry, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, keeping)
				r.intake.answer = statusFor("line 3 ", http.StatusBadRequest)
				for range 2 {
					answer, _, err := r.invoke(t, w.handler, w.event(t, r, numbered(5)))
					require.NoError(t, err)
					assert.Equal(t, w.taken, answer)
				}
				assert.Len(t, r.s3.parked, 2, "one for each destination")
			})
		})
	}
}

// What one function has found out about a destination spares the others their requests, until replay finds it well.
func TestHintIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		first := newRig(t, twoHTTP("")).ticking()
		first.intake.answer = failingFrom(0, "a.example.com", http.StatusNotFound)
		_, _, err := first.invoke(t, CloudWatch, direct(packed(t, document(t, "one"))))
		require.NoError(t, err)
		require.Equal(t, []string{"sluice/v1/breaker/a.json"}, first.s3.keysBelow("sluice/v1/breaker/"))

		another := newRig(t, twoHTTP("")).ticking()
		another.s3 = first.s3
		_, ledger, err := another.invoke(t, CloudWatch, direct(packed(t, document(t, "two", "three")))) // ids of its own
		require.NoError(t, err)
		assert.Empty(t, another.intake.batches(t, "a.example.com"), "no request")
		assert.Equal(t, tally{"breaker_open": 2}, ledger.Destinations["a"].Parked)
		assert.Equal(t, []string{"two", "three"}, another.intake.taken(t, "b.example.com"))

		time.Sleep(2 * time.Minute)
		replay := newRig(t, twoHTTP("")).ticking()
		replay.s3 = first.s3
		_, _, err = replay.replays(t, "{}")
		require.NoError(t, err)
		assert.ElementsMatch(t, []string{"one", "two", "three"}, replay.intake.taken(t, "a.example.com"))
		assert.Empty(t, first.s3.keysBelow("sluice/v1/breaker/"))
	})
}

// Without a client of S3, or without leave to look, there is no hint, and events go their way.
func TestNoHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		r.s3.before = func(string, string) error { return errForbidden }
		_, ledger, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, "one"))))
		require.NoError(t, err)
		assert.Equal(t, 1, ledger.Destinations["a"].Delivered)
	})
}
