package forward

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parkingBoth are two destinations, and a bucket where it is noted what cannot be read.
var parkingBoth = with("park_bucket: "+parkBucket, both)

type tally = map[string]int

// ending is what an invocation comes to, at both destinations alike.
type ending struct {
	answer                    string // empty: an error; anyAnswer: one that the test looks at
	err                       string // part of the error, or of what the ledger says beside an answer
	lines                     []string
	dropped, parked, returned tally
	gets                      int // requests for objects
}

const anyAnswer = "any"

// comesTo invokes the function and checks what came of it. It returns the answer.
func (r *rig) comesTo(t *testing.T, event []byte, want ending) string {
	t.Helper()
	return r.comesToWithin(lambdaContext(t), t, event, want)
}

func (r *rig) comesToWithin(ctx context.Context, t *testing.T, event []byte, want ending) string {
	t.Helper()
	answer, ledger, err := r.invokeWithin(ctx, t, S3, event)
	switch want.answer {
	case "":
		require.Error(t, err)
	case anyAnswer:
		require.NoError(t, err)
	default:
		require.NoError(t, err)
		assert.JSONEq(t, want.answer, answer)
	}
	if want.err == "" {
		assert.Empty(t, ledger.Error)
	} else {
		assert.Contains(t, ledger.Error, want.err)
	}
	arrived := r.intake.messages(t, archiveHost)
	assert.Equal(t, append([]string{}, want.lines...), arrived)
	assert.Len(t, r.intake.items(t, datadogHost), len(arrived))
	for id, c := range ledger.Destinations {
		assert.Equal(t, len(want.lines), c.Delivered, id)
		for name, pair := range map[string][2]tally{
			"dropped": {want.dropped, c.Dropped}, "parked": {want.parked, c.Parked}, "returned": {want.returned, c.Returned},
		} {
			if len(pair[0])+len(pair[1]) > 0 {
				assert.Equal(t, pair[0], pair[1], "%s of %s", name, id)
			}
		}
	}
	assert.Len(t, r.s3.gets, want.gets)
	assert.Len(t, r.s3.parked, 2*sum(want.parked), "a note for each destination")
	return answer
}

// Every way in which an object can be announced leads to it, and to all others that are announced beside it.
func TestS3Routes(t *testing.T) {
	var (
		a, b  = []string{"a0 " + canary, "a1"}, []string{"b0"}
		both2 = []string{"a0 " + canary, "a1", "b0"}
	)
	for name, tc := range map[string]struct {
		event  func(a, b *s3Object) []byte
		answer string
		want   []string
	}{
		"S3":                      {func(a, _ *s3Object) []byte { return []byte(native(a)) }, "null", a},
		"S3, two records":         {func(a, b *s3Object) []byte { return []byte(native(a, b)) }, "null", both2},
		"SNS":                     {func(_, b *s3Object) []byte { return []byte(topic(native(b))) }, "null", b},
		"SNS, two records of two": {func(a, b *s3Object) []byte { return []byte(topic(native(a), native(b))) }, "null", both2},
		"SNS of EventBridge":      {func(a, _ *s3Object) []byte { return []byte(topic(bridged(a))) }, "null", a},
		"EventBridge":             {func(a, _ *s3Object) []byte { return []byte(bridged(a)) }, "null", a},
		"SQS":                     {func(a, b *s3Object) []byte { return inQueue(native(a, b)) }, allTaken, both2},
		"SQS, raw from SNS":       {func(a, b *s3Object) []byte { return inQueue(native(a), native(b)) }, allTaken, both2},
		"SQS of SNS":              {func(a, b *s3Object) []byte { return inQueue(notification(native(a, b))) }, allTaken, both2},
		"SQS of EventBridge":      {func(a, b *s3Object) []byte { return inQueue(bridged(a), bridged(b)) }, allTaken, both2},
		"SQS of SNS of EventBridge": {
			func(a, _ *s3Object) []byte { return inQueue(notification(bridged(a))) }, allTaken, a,
		},
		"SQS of a queue's event": {func(a, b *s3Object) []byte { return inQueue(string(inQueue(native(a), bridged(b)))) }, allTaken, both2},
		"SQS, every kind in one batch": {
			func(a, b *s3Object) []byte {
				return inQueue(native(a), notification(native(b)), bridged(a), notification(bridged(b)))
			}, allTaken, append(append([]string{}, both2...), both2...),
		},
		"job 1.0": {
			func(a, _ *s3Object) []byte { return batchJob("1.0", a) },
			`{"invocationSchemaVersion":"1.0","treatMissingKeysAs":"PermanentFailure","invocationId":"invocation-1",` +
				`"results":[{"taskId":"task-0","resultCode":"Succeeded","resultString":"lines: 2"}]}`, a,
		},
		"job 2.0": {
			func(a, b *s3Object) []byte { return batchJob("2.0", a, b) },
			`{"invocationSchemaVersion":"2.0","treatMissingKeysAs":"PermanentFailure","invocationId":"invocation-1",` +
				`"results":[{"taskId":"task-0","resultCode":"Succeeded","resultString":"lines: 2"},` +
				`{"taskId":"task-1","resultCode":"Succeeded","resultString":"lines: 1"}]}`, both2,
		},
		"S3 and SNS in one event": {
			func(a, b *s3Object) []byte {
				return []byte(strings.TrimSuffix(native(a), "]}") + "," + strings.TrimPrefix(topic(native(b)), `{"Records":[`))
			}, "null", both2,
		},
		"SQS and S3 in one event": {
			func(a, b *s3Object) []byte {
				return []byte(strings.TrimSuffix(string(inQueue(native(a))), "]}") + "," + strings.TrimPrefix(native(b), `{"Records":[`))
			}, allTaken, both2,
		},
		"no records in a message": {func(_, _ *s3Object) []byte { return inQueue(`{"Records":[]}`, `{"Records":null}`) }, allTaken, nil},
		"no records":              {func(_, _ *s3Object) []byte { return []byte(`{"Records":[]}`) }, "null", nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, both)
			gets := 0
			for _, line := range tc.want {
				if line != "a1" {
					gets++
				}
			}
			event := tc.event(r.s3.lines("app/a 1+1.log", a...), r.s3.lines("app/b.log", b...))
			r.comesTo(t, event, ending{answer: tc.answer, lines: tc.want, gets: gets})
		})
	}
}

// What announces no object that is to be read costs no request, and is dropped by a rule that has a name.
func TestS3Rules(t *testing.T) {
	folder := &s3Object{Bucket: logBucket, Key: "app/", ETag: "d41d8cd98f00b204e9800998ecf8427e"}
	some := &s3Object{Bucket: logBucket, Key: "app/a.log", Size: 2}
	testEvent := `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-02-01T09:30:00.000Z","Bucket":"example-logs"}`
	gone := strings.ReplaceAll(bridged(some), "Object Created", "Object Deleted")
	for name, tc := range map[string]struct {
		event  string
		answer string
		rule   string
	}{
		"test event":            {testEvent, "null", "s3_test_event"},
		"test event in SNS":     {topic(testEvent), "null", "s3_test_event"},
		"test event in SQS":     {string(inQueue(testEvent)), allTaken, "s3_test_event"},
		"delete":                {nativeNamed("ObjectRemoved:Delete", some), "null", "not_object_created"},
		"delete marker, queue":  {string(inQueue(nativeNamed("ObjectRemoved:DeleteMarkerCreated", some))), allTaken, "not_object_created"},
		"restore":               {nativeNamed("ObjectRestore:Completed", some), "null", "not_object_created"},
		"delete by EventBridge": {gone, "null", "not_object_created"},
		"folder marker":         {native(folder), "null", "empty_line"},
		"empty object":          {bridged(&s3Object{Bucket: logBucket, Key: "a.log"}), "null", "empty_line"},
		"empty message":         {string(inQueue("")), allTaken, "empty_line"},
		"what was parked":       {native(&s3Object{Bucket: parkBucket, Key: "sluice/v1/dead/archive/corrupt/x.gz", Size: 2}), "null", "own_store_object"},
		"what Lambda kept":      {native(&s3Object{Bucket: parkBucket, Key: "aws/lambda/async/sluice/2026/02/01/x", Size: 2}), "null", "own_store_object"},
	} {
		t.Run(name, func(t *testing.T) {
			newRig(t, parkingBoth).comesTo(t, []byte(tc.event), ending{answer: tc.answer, dropped: tally{tc.rule: 1}})
		})
	}
	r := newRig(t, parkingBoth)
	r.comesTo(t, []byte(native(r.s3.put(parkBucket, "other/a.log", []byte("x")))), ending{answer: "null", lines: []string{"x"}, gets: 1})
}

// Objects that are empty though no message says so are seen to be when they are asked for.
func TestS3EmptyObjects(t *testing.T) {
	for name, body := range map[string][]byte{"no bytes": {}, "gzip of nothing": packed(t, nil), "byte order mark alone": []byte("\uFEFF")} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, both)
			o := r.s3.put(logBucket, "a.log", body)
			r.comesTo(t, batchJob("2.0", o), ending{
				answer: results("Succeeded: lines: 0, dropped: empty_line"), dropped: tally{"empty_line": 1}, gets: 1,
			})
		})
	}
}

// A forged message must not have us read what we may read and it may not: no request is made.
func TestS3Buckets(t *testing.T) {
	const settings = `buckets: [example-logs, "aws-waf-logs-*", central=111122223333]`
	own, foreign := ending{answer: "null", lines: []string{"x"}, gets: 1}, ending{answer: "null", dropped: tally{"not_allowed_source": 1}}
	for name, tc := range map[string]struct {
		bucket, announcedBy string // empty: natively, without an account
		owner               string // that the request asks for
		account             string // that has the bucket
		want                ending
	}{
		"named":                           {logBucket, "", ownAccount, ownAccount, own},
		"by a pattern":                    {"aws-waf-logs-eu", "", ownAccount, ownAccount, own},
		"of another account":              {"central", "", otherAccount, otherAccount, own},
		"EventBridge, own account":        {logBucket, ownAccount, ownAccount, ownAccount, own},
		"EventBridge, account that is it": {"central", otherAccount, otherAccount, otherAccount, own},
		"not named":                       {"example-logs-2", "", "", ownAccount, foreign},
		"a part of a pattern":             {"aws-waf-log", "", "", ownAccount, foreign},
		"EventBridge, foreign account":    {logBucket, otherAccount, "", otherAccount, foreign},
		"EventBridge, own, but not its":   {"central", ownAccount, "", ownAccount, foreign},
		"a bucket that changed hands": {
			logBucket, "", ownAccount, otherAccount,
			ending{err: "AccessDenied", returned: tally{"s3_forbidden": 1}, gets: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, with(settings, both))
			r.s3.account = tc.account
			o := r.s3.put(tc.bucket, "a.log", []byte("x\n"))
			event := native(o)
			if tc.announcedBy != "" {
				event = bridgedBy(tc.announcedBy, o)
			}
			r.comesTo(t, []byte(event), tc.want)
			for _, get := range r.s3.gets {
				assert.Equal(t, tc.owner, get.Owner)
			}
		})
	}
	t.Run("none named: every bucket, of any account", func(t *testing.T) {
		r := newRig(t, both)
		r.s3.account = otherAccount
		r.comesTo(t, []byte(bridgedBy(otherAccount, r.s3.lines("a.log", "x"))), own)
		assert.Empty(t, r.s3.gets[0].Owner)
	})
	t.Run("a job may not either", func(t *testing.T) {
		r := newRig(t, with(settings, both))
		o := r.s3.put("example-logs-2", "a.log", []byte("x\n"))
		r.comesTo(t, batchJob("2.0", o), ending{answer: results("PermanentFailure: lines: 0, dropped: not_allowed_source"), dropped: tally{"not_allowed_source": 1}})
	})
}

// Without time for it an object is not begun, and one that is being read is left: their messages come again.
func TestS3Deadline(t *testing.T) {
	t.Run("S3 falls silent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, both)
			r.Forwarder.now = time.Now
			a, b, c := r.s3.lines("a.log", "a"), r.s3.lines("b.log", "b0", "b1"), r.s3.lines("c.log", "c")
			b.hangs, b.Size = true, 1000
			ctx := within(t, 10*time.Second)
			r.comesToWithin(ctx, t, inQueue(native(a), native(b), native(c)), ending{
				answer: failedMessages(0, 1, 2), err: "out of time", returned: tally{"deadline": 3 + 2}, gets: 2,
			})
			assert.NoError(t, ctx.Err(), "answered in time")
		})
	})
	t.Run("the intake falls silent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRigOf(t, map[string]string{"SLUICE_CONFIG": oneHTTP, "SLUICE_COMPRESSION": "none"})
			r.Forwarder.now = time.Now
			r.intake.answer = func(received) int { return 0 }
			many := make([]string, 2000)
			for i := range many {
				many[i] = strings.Repeat("x", 10_000)
			}
			a, b := r.s3.lines("a.log", many...), r.s3.lines("b.log", "b")
			ctx := within(t, 10*time.Second)
			answer, ledger, err := r.invokeWithin(ctx, t, S3, inQueue(native(a), native(b)))
			require.NoError(t, ctx.Err(), "answered in time")
			require.NoError(t, err)
			assert.JSONEq(t, failedMessages(0, 1), answer)
			assert.Less(t, ledger.Destinations["archive"].In, len(many), "the rest is not read")
			assert.Len(t, r.s3.gets, 1)
		})
	})
	t.Run("no time at all", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, both)
			r.Forwarder.now = time.Now
			ctx := within(t, time.Second)
			time.Sleep(2 * time.Second)
			r.comesToWithin(ctx, t, inQueue(native(r.s3.lines("a.log", "a"))), ending{
				answer: failedMessages(0), err: "s3 object not begun", returned: tally{"deadline": 1},
			})
		})
	})
}

// A bug that some line or object meets costs its message a second delivery, and its neighbours nothing.
func TestS3Panic(t *testing.T) {
	t.Run("in a destination", func(t *testing.T) {
		r := newRig(t, oneHTTP)
		breakLane(r, panicking{at: "bad", value: "boom " + canary})
		a, b, c := r.s3.lines("a.log", "a0", "a1"), r.s3.lines("b.log", "b0", "bad", "b2"), r.s3.lines("c.log", "c")
		answer, ledger, err := r.invoke(t, S3, inQueue(native(a), native(b), native(c)))
		require.NoError(t, err)
		assert.JSONEq(t, failedMessages(1), answer)
		assert.ElementsMatch(t, []string{"a0", "a1", "b0", "c"}, r.intake.messages(t, archiveHost))
		assert.Equal(t, 4, ledger.Destinations["archive"].Delivered)
		assert.Positive(t, ledger.Destinations["archive"].Returned["panic"])
	})
	t.Run("in one of two destinations", func(t *testing.T) {
		r := newRig(t, both)
		breakLane(r, panicking{at: "bad"})
		a, b, c := r.s3.lines("a.log", "a"), r.s3.lines("b.log", "b0", "bad"), r.s3.lines("c.log", "c")
		answer, _, err := r.invoke(t, S3, inQueue(native(a), native(b), native(c)))
		require.NoError(t, err)
		assert.JSONEq(t, failedMessages(1), answer)
		for _, host := range []string{archiveHost, datadogHost} {
			assert.Equal(t, []string{"a", "b0", "c"}, r.intake.messages(t, host))
		}
	})
	t.Run("in what reads", func(t *testing.T) {
		r := newRig(t, both)
		a, b, c := r.s3.lines("a.log", "a"), r.s3.lines("b.log", "b"), r.s3.lines("c.log", "c")
		b.panics, b.Size = true, 100
		r.comesTo(t, inQueue(native(a), native(b), native(c)), ending{
			answer: failedMessages(1), err: "panic of type string", lines: []string{"a", "c"}, returned: tally{"panic": 1}, gets: 3,
		})
	})
	t.Run("without messages the event comes again", func(t *testing.T) {
		r := newRig(t, both)
		a, b := r.s3.lines("a.log", "a"), r.s3.lines("b.log", "b")
		a.panics, a.Size = true, 100
		r.comesTo(t, []byte(native(a, b)), ending{err: "panic", lines: []string{"b"}, returned: tally{"panic": 1}, gets: 2})
	})
}

// statusFor answers requests that hold a text with a status, and accepts the others.
func statusFor(text string, status int) func(received) int {
	return func(r received) int {
		if bytes.Contains(r.body, []byte(text)) {
			return status
		}
		return http.StatusAccepted
	}
}

// results is the answer to a job of schema 2.0 and as many tasks as there are texts, "code: text" each.
func results(texts ...string) string {
	list := make([]string, len(texts))
	for i, text := range texts {
		code, text, _ := strings.Cut(text, ": ")
		list[i] = fmt.Sprintf(`{"taskId":"task-%d","resultCode":%q,"resultString":%s}`, i, code, quoted(text))
	}
	return `{"invocationSchemaVersion":"2.0","treatMissingKeysAs":"PermanentFailure","invocationId":"invocation-1","results":[` +
		strings.Join(list, ",") + `]}`
}

// FuzzS3 gives the function any event: it answers or fails, accounts for all that it took, and makes no request for what
// the settings do not name.
func FuzzS3(f *testing.F) {
	o := &s3Object{Bucket: logBucket, Key: "app/a.log", ETag: "0123", Size: 4}
	for _, event := range []string{
		native(o), topic(native(o)), bridged(o), string(inQueue(native(o), notification(native(o)), bridged(o), "text", "")),
		string(batchJob("1.0", o, o)), string(batchJob("2.0", o)), nativeNamed("ObjectRemoved:Delete", o),
		string(queueOf(fifoARN, "x", `{"Records":[{"s3":{}}]}`, "y")), `{"Records":null}`, `{}`, ``,
	} {
		f.Add([]byte(event))
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		if bytes.Contains(event, []byte(canary)) || bytes.Contains(event, []byte(apiKey)) {
			return // which the rig looks for in what we say
		}
		r := newRig(t, with("buckets: [example-logs]", oneHTTP))
		r.s3.put(logBucket, "app/a.log", []byte("a\nb\n")).ETag = "0123"
		answer, ledger, err := r.invoke(t, S3, event)
		for _, get := range r.s3.gets {
			assert.Equal(t, logBucket, get.Bucket)
			assert.Equal(t, ownAccount, get.Owner)
		}
		c := ledger.Destinations["archive"]
		assert.Len(t, r.intake.messages(t, archiveHost), c.Delivered)
		if err != nil {
			return
		}
		assert.True(t, json.Valid([]byte(answer)), answer)
		if sum(c.Returned) > 0 {
			assert.NotContains(t, []string{"null", allTaken}, answer, "what is returned is named")
		}
	})
}
