package forward

import (
	"bytes"
	"errors"
	"fmt"
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
