package forward

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

// What could not be read is read again by hand, when what kept it from being read has changed. What still cannot be read
// stays where it is.
func TestReplayOfRawInput(t *testing.T) {
	bomb := strings.Repeat("x", 1<<21)
	records := batchOf([]byte("good"), packed(t, []byte("a "+bomb)), packed(t, []byte("b "+bomb)))
	for name, tc := range map[string]struct {
		handler func(*Forwarder) Handler
		event   []byte
		event2  string // by hand
		count   replayCount
		lines   int // delivered by hand
		left    int
	}{
		"CloudWatch Logs": {CloudWatch, direct(packed(t, document(t, strings.Repeat("x", 1<<21)))), "", replayCount{Found: 1, Done: 1}, 1, 0},
		"Kinesis, two records of a batch": {
			Kinesis, records, "", replayCount{Found: 2, Done: 2}, 2, 0,
		},
		"still as broken": {CloudWatch, direct([]byte("****")), "", replayCount{Found: 1, Left: 1}, 0, 1},
		"for the one reason": {
			Kinesis, records, `,"reason":"decode_bomb","limit":1`, replayCount{Found: 1, Done: 1}, 1, 1,
		},
		"for another reason": {Kinesis, records, `,"reason":"decode"`, replayCount{Found: 2, Left: 2}, 0, 2},
		"of another entry":   {Kinesis, records, `,"dest":"cwl"`, replayCount{}, 0, 2},
		"looking alone":      {Kinesis, records, `,"dry_run":true`, replayCount{Found: 2}, 0, 2},
		"a message of SQS":   {S3, inQueue(`{"Records":[{"eventSource":"aws:s3"}]}`), "", replayCount{Found: 1, Left: 1}, 0, 1},
		"an event of S3":     {S3, []byte(`{"Records":[`), "", replayCount{Found: 1, Left: 1}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				const settings = `{park_bucket: example-parked, destinations: [{id: archive, type: http, url: "https://logs.example.com/ingest", fields: {id: id, message: message}}]}`
				first := newRigOf(t, map[string]string{"SLUICE_CONFIG": settings, "SLUICE_MAX_INFLATED_BYTES": "1MiB"})
				answer, _, err := first.invoke(t, tc.handler, tc.event)
				require.NoError(t, err)
				assert.Contains(t, []string{"null", allTaken}, answer)

				r := newRig(t, settings).ticking()
				r.s3, r.intake.light = first.s3, true
				event2 := strings.Replace(`{"replay":{"state":"dead-raw","dry_run":false}}`, `,"dry_run":false`, `,"dry_run":false`+tc.event2, 1)
				if strings.Contains(tc.event2, "dry_run") {
					event2 = `{"replay":{"state":"dead-raw"` + tc.event2 + `}}`
				}
				got, ledger, err := r.replays(t, event2)
				require.NoError(t, err)
				got.DeadRaw.Stopped = ""
				assert.Equal(t, tc.count, *got.DeadRaw)
				assert.Equal(t, tc.lines, ledger.Destinations["archive"].Delivered)
				assert.Len(t, r.rawBelow(t, ""), tc.left)
			})
		})
	}
}

// Records of a stream that were kept unread are as far apart as they were in the stream.
func TestRawRecordsAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		const settings = `{park_bucket: example-parked, destinations: [{id: a, type: http, url: "https://a.example.com/"}]}`
		first := newRigOf(t, map[string]string{"SLUICE_CONFIG": settings, "SLUICE_MAX_INFLATED_BYTES": "1MiB"})
		long := strings.Repeat("x", 1<<21)
		_, _, err := first.invoke(t, Kinesis, batchOf(packed(t, []byte("one "+long)), packed(t, []byte("two "+long))))
		require.NoError(t, err)
		require.Len(t, first.rawBelow(t, "kinesis"), 2)

		r := newRig(t, settings).ticking()
		r.s3 = first.s3
		r.intake.answer = func(received) int { return 404 }
		_, _, err = r.replays(t, `{"replay":{"state":"dead-raw","dry_run":false}}`)
		require.NoError(t, err)
		assert.Empty(t, r.rawBelow(t, ""))
		r.drain(t)
		var got []string
		ids := map[any]bool{}
		for _, message := range r.intake.taken(t, "a.example.com") {
			got = append(got, message[:3])
		}
		for _, item := range r.intake.items(t, "a.example.com") {
			ids[item["id"]] = true
		}
		assert.ElementsMatch(t, []string{"one", "two"}, got, "both, although they are alike")
		assert.Len(t, ids, 2)
	})
}

// The clock of one event's objects does not end that of the next.
func TestRawInputAfterAnObject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		store := park.New(r.s3, park.Options{Bucket: parkBucket, Prefix: "sluice"})
		object := asyncFailure(logsFunctionARN, []byte(native(r.s3.lines("a.log", "of an object"))))
		for entry, payload := range map[string][]byte{park.EntryAsyncFailure: object, park.EntryKinesis: []byte(strings.Join(someLines("x", 2000), "\n"))} {
			_, err := store.PutRaw(t.Context(), park.Raw{Entry: entry, Reason: park.Reason{Code: "exhausted"}, At: start, Payload: payload})
			require.NoError(t, err)
		}
		got, ledger, err := r.replays(t, `{"replay":{"state":"dead-raw","dry_run":false}}`)
		require.NoError(t, err)
		assert.Equal(t, replayCount{Found: 2, Done: 2}, *got.DeadRaw)
		assert.Equal(t, 2001, ledger.Destinations["a"].Delivered)
	})
}
