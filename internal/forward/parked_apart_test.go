package forward

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

// withoutIDs is a document of a stream whose events have no ids, at a time in milliseconds.
func withoutIDs(millis int64, messages ...string) []byte {
	events := make([]string, len(messages))
	for i, message := range messages {
		events[i] = fmt.Sprintf(`{"id":"","timestamp":%d,"message":%q}`, millis, message)
	}
	return []byte(`{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"shop","logStream":"main","subscriptionFilters":["f"],` +
		`"logEvents":[` + strings.Join(events, ",") + `]}`)
}

// Two events of one stream that nothing but their text tells apart are parked apart: with one key for both, the second one
// would be taken for the first.
func TestEventsWithoutIDsAreParkedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		r.intake.answer = func(received) int { return http.StatusNotFound }
		messages := []string{"one", "two"}
		for _, message := range messages {
			_, ledger, err := r.invoke(t, CloudWatch, direct(packed(t, withoutIDs(start.UnixMilli(), message))))
			require.NoError(t, err)
			require.Equal(t, 1, sum(ledger.Destinations["a"].Parked))
		}
		assert.Len(t, r.s3.keysBelow("sluice/v1/pending/a/"), 2)
		r.drain(t)
		r.everyMessageOnce(t, []stock{{dest: "a", messages: messages}, {dest: "b", messages: messages}})
	})
}

// farMillis are times that no clock has shown yet, in milliseconds, the last two behind what four digits of a year can say.
func farMillis() map[string]int64 {
	at := func(year int) int64 { return time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC).UnixMilli() }
	return map[string]int64{"tomorrow": start.UnixMilli() + 86_400_000, "2400": at(2400), "9999": at(9999), "10000": at(10000), "the last one": 1<<63 - 1}
}

// Lines that say they are of the future are parked and replayed as others are: their time may not end in a key or a
// header that cannot be written, nor make them wait until then.
func TestLinesOfTheFuture(t *testing.T) {
	const settings = `{park_bucket: example-parked, destinations: [{id: datadog, type: datadog, api_key: "plain:` + apiKey + `", url: "https://a.example.com/"}]}`
	for name, millis := range farMillis() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, settings).ticking()
				r.intake.answer = func(received) int { return http.StatusNotFound }
				_, ledger, err := r.invoke(t, CloudWatch, direct(packed(t, withoutIDs(millis, "one", "two"))))
				require.NoError(t, err)
				require.Equal(t, 2, sum(ledger.Destinations["datadog"].Parked))
				parked := r.shelved(t, park.Pending, "datadog")
				require.Len(t, parked, 1)
				h := parked[0].Header
				assert.False(t, h.MaxAgeAt.Before(start), "%s", h.MaxAgeAt)
				assert.False(t, h.MaxAgeAt.After(start.AddDate(0, 0, 2)), "it grows old from now on: %s", h.MaxAgeAt)
				assert.LessOrEqual(t, h.NotBefore, start.Add(time.Hour).Unix())
				time.Sleep(time.Hour)
				r.intake.answer = nil
				_, _, err = r.replays(t, "{}")
				require.NoError(t, err)
				assert.Equal(t, []string{"one", "two"}, r.intake.taken(t, "a.example.com"))
				assert.Empty(t, r.idsLeft())
			})
		})
	}
}

// An object that says it was announced in the future: the same of its pointer.
func TestObjectsOfTheFuture(t *testing.T) {
	for _, year := range []string{"2400", "9999"} {
		t.Run(year, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				lines := someLines("x", 5)
				o := r.s3.lines("a.log", lines...)
				r.s3.refuse = always(errForbidden)
				body := strings.Replace(native(o), "2026-02-01T09:30:00.123Z", year+"-02-01T09:30:00.123Z", 1)
				answer, _, err := r.invoke(t, S3, receivedFor(4, body))
				require.NoError(t, err)
				require.JSONEq(t, allTaken, answer)
				for _, id := range []string{"a", "b"} {
					pointers := r.pointersFor(t, park.Pending, id)
					require.Len(t, pointers, 1)
					assert.False(t, pointers[0].FirstFailedAt.After(time.Now()), "%s", pointers[0].FirstFailedAt)
				}
				r.drain(t)
				r.exactlyOnce(t, "a", map[string][]string{"a.log": lines})
				r.exactlyOnce(t, "b", map[string][]string{"a.log": lines})
			})
		})
	}
}
