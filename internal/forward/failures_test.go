package forward

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

const logsFunctionARN = "arn:aws:lambda:eu-west-1:123456789012:function:sluice-cloudwatch:$LATEST"

// asyncFailure is what Lambda keeps of an asynchronous invocation with this event, by the function with an ARN.
func asyncFailure(arn string, event []byte) []byte {
	return fmt.Appendf(nil, `{"version":"1.0","timestamp":"2026-02-01T09:30:00.678Z","requestContext":{"requestId":"e4b46cbf-b738-4a2b-8880-a18cdf61200e",`+
		`"functionArn":%q,"condition":"RetriesExhausted","approximateInvokeCount":3},"requestPayload":%s,`+
		`"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"no"}}`, arn, event)
}

// streamFailure is what an event source mapping of a stream keeps.
func streamFailure(event []byte) []byte {
	return fmt.Appendf(nil, `{"requestContext":{"requestId":"c9b8fa9f-5a7f-4a2b-af9c-0c604cde93a5","functionArn":%q,`+
		`"condition":"RetryAttemptsExhausted","approximateInvokeCount":11},"responseContext":{"statusCode":200},`+
		`"version":"1.0","timestamp":"2026-02-01T09:30:00.678Z","KinesisBatchInfo":{"shardId":"shardId-000000000000","batchSize":2,"streamArn":%q},`+
		`"payload":%s}`, logsFunctionARN, streamARN, quoted(string(event)))
}

// failed keeps a failure, as Lambda does; they are replayed in the order of their numbers.
func (r *rig) failed(number int, record []byte) (key string) {
	key = fmt.Sprintf("aws/lambda/async/sluice-cloudwatch/2026/02/01/2026-02-01T09.30.%02d-e4b46cbf", number)
	r.s3.put(parkBucket, key, record)
	return key
}

// rawBelow are the inputs that are kept unread, by entry.
func (r *rig) rawBelow(t *testing.T, entry string) (list []park.Raw) {
	t.Helper()
	for _, key := range r.s3.keysBelow("sluice/v1/dead-raw/" + entry) {
		raw, err := park.DecodeRaw(bytes.NewReader(r.s3.objects[parkBucket+"/"+key].body))
		require.NoError(t, err)
		list = append(list, raw)
	}
	return list
}

// Events that Lambda has kept of failed invocations are forwarded, and then deleted.
func TestReplayOfFailures(t *testing.T) {
	good := direct(packed(t, document(t, "one", "two")))
	type wanted struct {
		lines  []string
		count  replayCount
		parked tally
		raw    string // the entry that something is kept unread by
		reason string
	}
	done := replayCount{Found: 1, Done: 1}
	for name, tc := range map[string]struct {
		record []byte
		refuse error
		want   wanted
	}{
		"CloudWatch Logs":            {asyncFailure(logsFunctionARN, good), nil, wanted{lines: []string{"one", "two"}, count: done}},
		"CloudWatch Logs, as a text": {asyncFailure(logsFunctionARN, []byte(quoted(string(good)))), nil, wanted{lines: []string{"one", "two"}, count: done}},
		"Kinesis":                    {streamFailure(batchOf([]byte("one"), []byte("two"))), nil, wanted{lines: []string{"one", "two"}, count: done}},
		"Kinesis, a record of it cannot be read": {
			streamFailure(batchOf([]byte("one"), []byte("\x1f\x8b!"), []byte("two"))), nil,
			wanted{lines: []string{"one", "two"}, count: done, parked: tally{"decode": 1}, raw: "kinesis", reason: "decode"},
		},
		"CloudWatch Logs, cannot be read": {
			asyncFailure(logsFunctionARN, direct([]byte("****"))), nil, wanted{count: done, parked: tally{"decode": 1}, raw: "cwl", reason: "decode"},
		},
		"S3":        {asyncFailure(logsFunctionARN, []byte("S3")), nil, wanted{lines: []string{"one", "two"}, count: done}},
		"S3 by SNS": {asyncFailure(logsFunctionARN, []byte("SNS")), nil, wanted{lines: []string{"one", "two"}, count: done}},
		"S3, may not be read": {
			asyncFailure(logsFunctionARN, []byte("S3")), errForbidden, wanted{count: done, parked: tally{"s3_forbidden": 1}},
		},
		"an event of another kind": {
			asyncFailure(logsFunctionARN, []byte(`{"hello":"`+canary+`"}`)), nil, wanted{count: done, parked: tally{"decode": 1}, raw: "async_failure", reason: "decode"},
		},
		"no event":         {[]byte(`{"requestContext":{}}`), nil, wanted{count: done, parked: tally{"decode": 1}, raw: "async_failure", reason: "decode"}},
		"not JSON":         {[]byte("hello"), nil, wanted{count: done, parked: tally{"decode": 1}, raw: "async_failure", reason: "decode"}},
		"nothing":          {nil, nil, wanted{count: replayCount{Found: 1, Left: 1, Stopped: "the record of a failed invocation is not JSON: 0 bytes, perhaps cut short"}}},
		"a run of replay":  {asyncFailure(functionARN, []byte(`{}`)), nil, wanted{count: done}},
		"one, by an alias": {asyncFailure(functionARN+":live", []byte(`{}`)), nil, wanted{count: done}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, parkingBoth).ticking()
				o := r.s3.lines("a.log", "one", "two")
				record := bytes.Replace(tc.record, []byte(`"requestPayload":S3,`), []byte(`"requestPayload":`+native(o)+","), 1)
				record = bytes.Replace(record, []byte(`"requestPayload":SNS,`), []byte(`"requestPayload":`+topic(native(o))+","), 1)
				key := r.failed(1, record)
				if tc.refuse != nil {
					r.s3.refuse = func(_ int, asked string) error {
						if asked == "a.log" {
							return tc.refuse
						}
						return nil
					}
				}
				r.s3.log = nil
				got, ledger, err := r.replays(t, "{}")
				require.NoError(t, err)
				require.NotNil(t, got.Failures)
				assert.Equal(t, tc.want.count, *got.Failures)
				assert.Equal(t, append([]string{}, tc.want.lines...), r.intake.messages(t, archiveHost))
				assert.Len(t, r.intake.items(t, datadogHost), len(tc.want.lines))
				assert.Equal(t, tc.want.parked, notEmpty(ledger.Destinations["archive"].Parked))
				if tc.want.count.Done == 1 {
					assert.Empty(t, r.s3.keysBelow("aws/lambda/"))
					changes := r.changes()
					assert.Equal(t, "DELETE "+key, changes[len(changes)-1], "when all of it is where it belongs")
				} else {
					assert.Equal(t, []string{key}, r.s3.keysBelow("aws/lambda/"))
				}
				kept := r.rawBelow(t, "")
				assert.Equal(t, tc.want.raw != "", len(kept) == 1)
				if tc.want.raw != "" {
					assert.Equal(t, []string{tc.want.raw, tc.want.reason}, []string{kept[0].Entry, kept[0].Reason.Code})
				}
			})
		})
	}
}

// A destination that is down parks what is in such events, and the events are done with.
func TestReplayOfFailuresParks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		r.intake.answer = failingFrom(0, "a.example.com", 404)
		r.failed(1, asyncFailure(logsFunctionARN, direct(packed(t, document(t, "of logs")))))
		r.failed(2, streamFailure(batchOf([]byte("of a stream"))))
		r.failed(3, asyncFailure(logsFunctionARN, []byte(native(r.s3.lines("a.log", "of an object")))))
		got, _, err := r.replays(t, "{}")
		require.NoError(t, err)
		assert.Equal(t, replayCount{Found: 3, Done: 3}, *got.Failures)
		assert.Equal(t, []string{"of logs", "of a stream", "of an object"}, r.intake.taken(t, "b.example.com"))
		entries := map[string]bool{}
		for _, o := range r.shelved(t, park.Pending, "a") {
			entries[o.Header.Sources[0].Entry] = true
		}
		assert.Equal(t, map[string]bool{park.EntryCloudWatch: true, park.EntryKinesis: true, park.EntryS3: true}, entries)
		r.drain(t)
		assert.ElementsMatch(t, []string{"of logs", "of a stream", "of an object"}, r.intake.taken(t, "a.example.com"))
	})
}

// Nothing of one event is in the next: neither where it is from, nor how it came in.
func TestFailuresAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		testFailuresAreApart(t)
	})
}

func testFailuresAreApart(t *testing.T) {
	t.Helper()
	alone := func(record []byte) map[string]any {
		r := newRig(t, parkingBoth).ticking()
		r.failed(1, record)
		_, _, err := r.replays(t, "{}")
		require.NoError(t, err)
		return r.intake.items(t, archiveHost)[0]
	}
	elsewhere := bytes.ReplaceAll(batchOf([]byte("of a stream")), []byte(`"awsRegion":"eu-west-1"`), []byte(`"awsRegion":"us-east-2"`))
	logs := asyncFailure(logsFunctionARN, direct(packed(t, document(t, "of logs"))))
	r := newRig(t, parkingBoth).ticking()
	r.failed(1, streamFailure(elsewhere))
	r.failed(2, logs)
	r.failed(3, asyncFailure(logsFunctionARN, []byte(`{"hello":1}`)))
	object := asyncFailure(logsFunctionARN, []byte(bridged(r.s3.lines("a.log", "of an object"))))
	r.failed(4, object)
	_, _, err := r.replays(t, "{}")
	require.NoError(t, err)
	items := r.intake.items(t, archiveHost)
	require.Len(t, items, 3)
	assert.Equal(t, alone(logs), items[1])
	require.Len(t, r.rawBelow(t, ""), 1)
	assert.Equal(t, park.EntryAsyncFailure, r.rawBelow(t, "")[0].Entry)
}

// An event that panics again and again, or ends the process, goes to where a person looks.
func TestReplayOfFailuresEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		usual := r.lanes[0]
		breakLane(r, panicking{at: "x", value: "boom " + canary})
		r.lanes[0].place = usual.place
		record := asyncFailure(logsFunctionARN, direct(packed(t, document(t, "x"))))
		key := r.failed(1, record)
		for attempt := range maxFailureAttempts {
			got, ledger, err := r.replays(t, `{"replay":{"state":"failures"}}`)
			require.NoError(t, err)
			assert.Equal(t, 1, got.Failures.Left, attempt)
			assert.Contains(t, got.Failures.Stopped, "panic")
			assert.Equal(t, tally{"panic": 1}, ledger.Destinations["b"].Returned)
			assert.Equal(t, []string{key}, r.s3.keysBelow("aws/lambda/"))
			time.Sleep(10 * time.Minute)
		}
		r.s3.log = nil
		got, _, err := r.replays(t, "{}")
		require.NoError(t, err)
		assert.Equal(t, replayCount{Found: 1, Done: 1}, *got.Failures)
		assert.Empty(t, r.intake.got, "it was not tried again")
		require.Len(t, r.rawBelow(t, "async_failure"), 1)
		raw := r.rawBelow(t, "async_failure")[0]
		assert.Equal(t, "exhausted", raw.Reason.Code)
		assert.Equal(t, string(record), string(raw.Payload))
		assert.Equal(t, []string{"PUT dead-raw", "DELETE aws"}, starts(r.changes()))

		r.lanes[0] = usual
		report, _, err := r.replays(t, `{"replay":{"state":"dead-raw","dry_run":false}}`)
		require.NoError(t, err)
		assert.Equal(t, replayCount{Found: 1, Done: 1}, *report.DeadRaw)
		assert.Equal(t, []string{"x"}, r.intake.taken(t, "a.example.com"))
		assert.Equal(t, []string{"x"}, r.intake.taken(t, "b.example.com"))
		assert.Empty(t, r.rawBelow(t, ""))
	})
}

// What is in trouble around an event says nothing of the event: it stays, for as long as it takes.
func TestReplayOfFailuresGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilStart()
		r := newRig(t, twoHTTP("")).ticking()
		key := r.failed(1, asyncFailure(logsFunctionARN, direct(packed(t, document(t, "x")))))
		r.intake.answer, r.s3.refusePutTo = failingFrom(0, "a.example.com", 404), "a"
		for attempt := range 3 * maxFailureAttempts {
			got, ledger, err := r.replays(t, `{"replay":{"state":"failures"}}`)
			require.NoError(t, err)
			assert.Equal(t, 1, got.Failures.Left, attempt)
			assert.Contains(t, got.Failures.Stopped, "parking them failed too")
			assert.Equal(t, 1, sum(ledger.Destinations["a"].Returned))
			assert.Equal(t, []string{key}, r.s3.keysBelow("aws/lambda/"))
			time.Sleep(10 * time.Minute)
		}
		r.intake.answer, r.s3.refusePutTo = nil, ""
		_, _, err := r.replays(t, "{}")
		require.NoError(t, err)
		assert.Equal(t, []string{"x"}, r.intake.taken(t, "a.example.com"))
		assert.Empty(t, r.s3.keysBelow("aws/lambda/"))
		assert.Empty(t, r.rawBelow(t, ""))
	})
}

// starts are changes up to the first slash.
func starts(changes []string) (list []string) {
	for _, change := range changes {
		start, _, _ := strings.Cut(change, "/")
		list = append(list, start)
	}
	return list
}

// What the store does to what Lambda has kept.
func TestReplayOfFailuresWithAStoreThatFails(t *testing.T) {
	lost := errors.New("connection reset by peer")
	for name, tc := range map[string]struct {
		settings string
		fails    string
		err      error
		record   []byte
		count    replayCount // without its text
		stopped  string
		runErr   string
		sent     int
	}{
		"cannot be listed":       {"", "LIST aws/lambda/", lost, nil, replayCount{}, "", "connection reset", 0},
		"cannot be read":         {"", "GET aws/lambda/", lost, nil, replayCount{Found: 1, Left: 1}, "connection reset", "", 0},
		"is gone":                {"", "GET aws/lambda/", s3Error("GetObject", 404, "NoSuchKey", ""), nil, replayCount{Found: 1}, "", "", 0},
		"cannot be deleted":      {"", "DELETE aws/lambda/", lost, nil, replayCount{Found: 1, Left: 1}, "connection reset", "", 1},
		"its attempt not noted":  {"", "PUT sluice/v1/progress/", lost, nil, replayCount{Found: 1, Left: 1}, "connection reset", "", 0},
		"its attempts not known": {"", "GET sluice/v1/progress/", lost, nil, replayCount{Found: 1, Left: 1}, "connection reset", "", 0},
		"its lease not taken":    {"", "PUT sluice/v1/lease/", lost, nil, replayCount{Found: 1}, "connection reset", "", 0},
		"another run has it":     {"", "PUT sluice/v1/lease/", s3Error("PutObject", 409, "ConditionalRequestConflict", ""), nil, replayCount{Found: 1, Busy: 1}, "", "", 0},
		"cannot be kept unread":  {"", "PUT sluice/v1/dead-raw/", lost, []byte("hello"), replayCount{Found: 1, Left: 1}, "not JSON", "", 0},
		"is not to be kept":      {"dead_raw: false,", "", nil, []byte("hello"), replayCount{Found: 1, Left: 1}, "not JSON", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP(tc.settings)).ticking()
				record := tc.record
				if record == nil {
					record = asyncFailure(logsFunctionARN, direct(packed(t, document(t, "x"))))
				}
				r.failed(1, record)
				operation, prefix, _ := strings.Cut(tc.fails, " ")
				r.s3.before = func(asked, key string) error {
					if tc.err != nil && asked == operation && strings.HasPrefix(key, prefix) {
						return tc.err
					}
					return nil
				}
				got, _, err := r.replays(t, `{"replay":{"state":"failures"}}`)
				if tc.runErr != "" {
					require.ErrorContains(t, err, tc.runErr)
				} else {
					require.NoError(t, err)
					assert.Contains(t, got.Failures.Stopped, tc.stopped)
					got.Failures.Stopped = ""
					assert.Equal(t, tc.count, *got.Failures)
				}
				assert.Len(t, r.intake.taken(t, "a.example.com"), tc.sent)
				assert.Len(t, r.s3.keysBelow("aws/lambda/"), 1, "it stays")
				assert.Empty(t, r.s3.keysBelow("sluice/v1/lease/"))
			})
		})
	}
	t.Run("looking alone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			untilStart()
			r := newRig(t, parkingBoth).ticking()
			r.failed(1, []byte("hello"))
			r.s3.log = nil
			got, _, err := r.replays(t, `{"replay":{"state":"failures","dry_run":true}}`)
			require.NoError(t, err)
			assert.Equal(t, replayCount{Found: 1}, *got.Failures)
			assert.Empty(t, r.s3.log)
		})
	})
}

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
