package forward

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a Datadog Forwarder has stored is delivered once, and stays where it is.
func TestReplayOfFailedEvents(t *testing.T) {
	const settings = `{park_bucket: example-parked, destinations: [
		{id: archive, type: http, url: "https://logs.example.com/ingest"}, {id: datadog, type: datadog, api_key: "plain:` + apiKey + `"}]}`
	const bucket, event = "example-forwarder", `{"replay":{"state":"failed-events","from":"s3://example-forwarder/failed_events/"}}`
	log := func(n int) string {
		return fmt.Sprintf(`{"message": "log %d", "ddtags": "env:x",  "timestamp": 1769938200%03d}`, n, n)
	}
	stored := func(items ...string) []byte {
		list, err := json.Marshal(items)
		require.NoError(t, err)
		return list
	}
	setUp := func(t *testing.T) *rig {
		t.Helper()
		r := newRig(t, settings).ticking()
		r.s3.put(bucket, "failed_events/0123/logs/1769938200.5", stored(log(1), log(2)))
		r.s3.put(bucket, "failed_events/0123/logs/1769938201.5", stored(log(3)))
		r.s3.put(bucket, "failed_events/0123/logs/lock", nil)
		r.s3.put(bucket, "failed_events/0123/metrics/1769938201.5", stored("{}"))
		r.s3.put(bucket, "failed_events/0123/traces/1769938201.5", stored("{}"))
		r.s3.put(bucket, "other/0123/logs/1769938201.5", stored(log(9)))
		return r
	}
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := setUp(t)
		got, _, err := r.replays(t, strings.Replace(event, `"}}`, `","dry_run":true}}`, 1))
		require.NoError(t, err)
		assert.Equal(t, replayCount{Found: 2}, *got.FailedEvents)
		assert.Empty(t, r.s3.log)

		got, ledger, err := r.replays(t, event)
		require.NoError(t, err)
		assert.Equal(t, replayCount{Found: 2, Lines: 3, Done: 2}, *got.FailedEvents)
		assert.Equal(t, 3, ledger.Destinations["datadog"].Delivered)
		var sent []string
		for _, request := range r.intake.got {
			assert.Contains(t, request.url, datadogHost)
			sent = append(sent, itemTexts(t, request.body)...)
		}
		assert.Equal(t, []string{log(1), log(2), log(3)}, sent, "byte for byte")

		got, _, err = r.replays(t, event)
		require.NoError(t, err)
		assert.Equal(t, replayCount{Found: 2, Left: 2}, *got.FailedEvents)
		assert.Len(t, r.intake.got, len(sent)-1, "nothing was sent again")
		for _, change := range r.s3.log {
			assert.NotContains(t, change, "failed_events", "nothing is deleted there")
		}
	})
	t.Run("the destination is down", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			untilStart()
			r := setUp(t)
			r.intake.answer = func(received) int { return 404 }
			got, ledger, err := r.replays(t, event)
			require.NoError(t, err)
			assert.Equal(t, replayCount{Found: 2, Lines: 3, Done: 2}, *got.FailedEvents)
			assert.Equal(t, 3, sum(ledger.Destinations["datadog"].Parked))
			r.drain(t)
			assert.ElementsMatch(t, []string{"log 1", "log 2", "log 3"}, r.intake.taken(t, datadogHost))
		})
	})
	t.Run("nothing can be parked either", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			untilStart()
			r := setUp(t)
			r.intake.answer = func(received) int { return 404 }
			r.s3.refusePutTo = "datadog"
			got, ledger, err := r.replays(t, event)
			require.NoError(t, err)
			assert.Equal(t, 2, got.FailedEvents.Left)
			assert.Contains(t, got.FailedEvents.Stopped, "parking them failed too")
			assert.Equal(t, 3, sum(ledger.Destinations["datadog"].Returned))

			r.intake.answer, r.s3.refusePutTo = nil, ""
			time.Sleep(time.Hour)
			got, _, err = r.replays(t, event)
			require.NoError(t, err)
			assert.Equal(t, 2, got.FailedEvents.Done)
			assert.ElementsMatch(t, []string{"log 1", "log 2", "log 3"}, r.intake.taken(t, datadogHost))
		})
	})
	t.Run("one is broken", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			untilStart()
			r := setUp(t)
			r.s3.put(bucket, "failed_events/0123/logs/1769938200.7", []byte(`["{}", `))
			got, _, err := r.replays(t, event)
			require.NoError(t, err)
			assert.Equal(t, []int{3, 2, 1}, []int{got.FailedEvents.Found, got.FailedEvents.Done, got.FailedEvents.Left})
			assert.Contains(t, got.FailedEvents.Stopped, "at byte")
			assert.ElementsMatch(t, []string{"log 1", "log 2", "log 3"}, r.intake.taken(t, datadogHost))
		})
	})
	t.Run("as they are stored", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			untilStart()
			r := newRig(t, settings).ticking()
			text, err := os.ReadFile(filepath.Join("..", "source", "forwarder", "testdata", "logs.json"))
			require.NoError(t, err)
			r.s3.put(bucket, "failed_events/0123/logs/1769938200.5", text)
			got, _, err := r.replays(t, event)
			require.NoError(t, err)
			assert.Equal(t, 1, got.FailedEvents.Done)
			assert.Len(t, r.intake.taken(t, datadogHost), got.FailedEvents.Lines)
			assert.Positive(t, got.FailedEvents.Lines)
		})
	})
	t.Run("there is no destination of Datadog", func(t *testing.T) {
		r := newRig(t, twoHTTP(""))
		_, _, err := r.replays(t, event)
		require.ErrorContains(t, err, "the settings have no such destination")
	})
}
