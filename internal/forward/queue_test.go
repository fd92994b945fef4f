package forward

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const fifoARN = queueARN + ".fifo"

// Exactly the messages that failed come again.
func TestQueueNamesFailedMessages(t *testing.T) {
	ok := func(r *rig, i int) string {
		return native(r.s3.lines(fmt.Sprintf("%d.log", i), fmt.Sprintf("line %d", i)))
	}
	forbidden := func(_ *rig, i int) string {
		return native(&s3Object{Bucket: logBucket, Key: fmt.Sprintf("forbidden-%d", i), Size: 1})
	}
	bad := func(*rig, int) string { return `{"Records":[{"eventSource":"aws:s3"}]}` }
	type message = func(*rig, int) string
	for name, tc := range map[string]struct {
		messages []message
		arn      string
		answer   string
		err      string
		lines    []string
		returned tally
		gets     int
	}{
		"none": {
			[]message{ok, ok, ok}, queueARN, allTaken, "", []string{"line 0", "line 1", "line 2"}, nil, 3,
		},
		"the first": {
			[]message{forbidden, ok, ok}, queueARN, failedMessages(0), "AccessDenied", []string{"line 1", "line 2"}, tally{"s3_forbidden": 1}, 3,
		},
		"two, for different reasons": {
			[]message{ok, forbidden, ok, bad, ok},
			queueARN, failedMessages(1, 3), "AccessDenied",
			[]string{"line 0", "line 2", "line 4"},
			tally{"s3_forbidden": 1, "decode": 1},
			4,
		},
		"all": {
			[]message{forbidden, bad}, queueARN, failedMessages(0, 1), "AccessDenied", nil, tally{"s3_forbidden": 1, "decode": 1}, 1,
		},
		"an ordered queue: all behind the first that failed": {
			[]message{ok, forbidden, ok, ok},
			fifoARN, failedMessages(1, 2, 3), "AccessDenied",
			[]string{"line 0"},
			tally{"s3_forbidden": 1, "not_read": 2},
			2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, both)
			r.s3.refuse = func(_ int, key string) error {
				if strings.HasPrefix(key, "forbidden") {
					return errForbidden
				}
				return nil
			}
			bodies := make([]string, len(tc.messages))
			for i, message := range tc.messages {
				bodies[i] = message(r, i)
			}
			r.comesTo(t, queueOf(tc.arn, bodies...), ending{
				answer: tc.answer, err: tc.err, lines: tc.lines, returned: tc.returned, gets: tc.gets,
			})
		})
	}
}

// One object of a message that cannot be read returns the message; the message's other objects are delivered.
func TestQueueMessageOfSeveralObjects(t *testing.T) {
	r := newRig(t, both)
	a, c := r.s3.lines("a.log", "a"), r.s3.lines("c.log", "c")
	r.s3.refuse = func(n int, _ string) error {
		if n == 2 {
			return errForbidden
		}
		return nil
	}
	b := &s3Object{Bucket: logBucket, Key: "b.log", Size: 1}
	r.comesTo(t, inQueue(native(a, b), native(c)), ending{
		answer: failedMessages(0), err: `"s3://example-logs/b.log"`, lines: []string{"a", "c"}, returned: tally{"s3_forbidden": 1}, gets: 3,
	})
}

// A message without an id cannot be named: if it fails, the whole batch comes again.
func TestQueueMessageWithoutID(t *testing.T) {
	r := newRig(t, both)
	good, gone := r.s3.lines("a.log", "a"), &s3Object{Bucket: logBucket, Key: "b.log", Size: 1}
	nameless := func(body string) []byte {
		return []byte(`{"Records":[` + sqsRecord(queueARN, messageID(0), native(good)) + "," + sqsRecord(queueARN, "", body) + `]}`)
	}
	r.comesTo(t, nameless(native(good)), ending{answer: allTaken, lines: []string{"a", "a"}, gets: 2})

	r = newRig(t, both)
	good = r.s3.lines("a.log", "a")
	r.s3.refuse = func(n int, _ string) error { return map[int]error{2: errForbidden}[n] }
	r.comesTo(t, nameless(native(gone)), ending{err: "AccessDenied", lines: []string{"a"}, returned: tally{"s3_forbidden": 1}, gets: 2})
}

// Records of SQS and of S3 itself in one event: what did not come by the queue has no message to name.
func TestQueueMixedWithOthers(t *testing.T) {
	r := newRig(t, both)
	a, b := r.s3.lines("a.log", "a"), &s3Object{Bucket: logBucket, Key: "b.log", Size: 1}
	r.s3.refuse = func(n int, _ string) error { return map[int]error{2: errForbidden}[n] }
	event := strings.TrimSuffix(string(inQueue(native(a))), "]}") + "," + strings.TrimPrefix(native(b), `{"Records":[`)
	r.comesTo(t, []byte(event), ending{err: "AccessDenied", lines: []string{"a"}, returned: tally{"s3_forbidden": 1}, gets: 2})
}

// What a destination does with lines comes back to the messages that they are from.
func TestQueueDestinationFails(t *testing.T) {
	three := func(r *rig) []byte {
		var bodies []string
		for i := range 3 {
			lines := make([]string, 4)
			for n := range lines {
				lines[n] = fmt.Sprintf("m%d l%d", i, n)
			}
			bodies = append(bodies, native(r.s3.lines(fmt.Sprintf("%d.log", i), lines...)))
		}
		return inQueue(bodies...)
	}
	for name, tc := range map[string]struct {
		settings  string
		intake    func(received) int
		answer    string
		returned  tally
		delivered int
	}{
		"a line that is refused, in a batch of all messages": {
			httpWith(""), statusFor("m1 l2", http.StatusBadRequest), failedMessages(1), tally{"http_400": 1}, 11,
		},
		"lines of two messages that are refused": {
			httpWith(""), func(r received) int {
				if strings.Contains(string(r.body), "m0 l1") || strings.Contains(string(r.body), "m1 l0") {
					return http.StatusBadRequest
				}
				return http.StatusOK
			}, failedMessages(0, 1), tally{"http_400": 2}, 10,
		},
		"a batch that is not taken, of lines of two messages": { // three lines a batch, four a message
			httpWith("max_records: 3"), statusFor("m1 l1", http.StatusServiceUnavailable), failedMessages(0, 1), tally{"http_503": 3}, 9,
		},
		"a line in a batch of its own": {
			httpWith("max_records: 1"), statusFor("m1 l1", http.StatusServiceUnavailable), failedMessages(1), tally{"http_503": 1}, 11,
		},
		"down": {
			httpWith(""), func(received) int { return http.StatusServiceUnavailable }, failedMessages(0, 1, 2), nil, 0,
		},
		"everything is refused": {
			httpWith(""), func(received) int { return http.StatusBadRequest }, failedMessages(0, 1, 2), tally{"http_400": 12}, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, tc.settings)
				r.intake.answer = tc.intake
				answer, ledger, err := r.invoke(t, S3, three(r))
				require.NoError(t, err)
				assert.JSONEq(t, tc.answer, answer)
				c := ledger.Destinations["archive"]
				assert.Equal(t, 12, c.In)
				assert.Equal(t, 12, c.Delivered+sum(c.Returned))
				if tc.returned != nil {
					assert.Equal(t, tc.returned, c.Returned)
				}
				if tc.delivered >= 0 {
					assert.Equal(t, tc.delivered, c.Delivered)
				}
				assert.Contains(t, ledger.Error, "lines returned, first for http_")
			})
		})
	}
}

// A destination that is down returns the messages, and the other one gets each line once.
func TestQueueOneDestinationFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, both)
		r.intake.answer = func(r received) int {
			if strings.Contains(r.url, archiveHost) {
				return http.StatusServiceUnavailable
			}
			return http.StatusAccepted
		}
		a, b := r.s3.lines("a.log", "a"), r.s3.lines("b.log", "b")
		answer, ledger, err := r.invoke(t, S3, inQueue(native(a), native(b)))
		require.NoError(t, err)
		assert.JSONEq(t, failedMessages(0, 1), answer)
		assert.Equal(t, []string{"a", "b"}, r.intake.messages(t, datadogHost))
		assert.Equal(t, 2, ledger.Destinations["datadog"].Delivered)
		assert.Equal(t, 2, sum(ledger.Destinations["archive"].Returned))
	})
}

// In an ordered queue, a message that fails at a destination takes those behind it along, and none before it.
func TestOrderedQueueDestinationFails(t *testing.T) {
	r := newRig(t, oneHTTP)
	r.intake.answer = statusFor("m1", http.StatusBadRequest)
	var bodies []string
	for i := range 4 {
		bodies = append(bodies, native(r.s3.lines(fmt.Sprintf("%d.log", i), fmt.Sprintf("m%d", i))))
	}
	answer, _, err := r.invoke(t, S3, queueOf(fifoARN, bodies...))
	require.NoError(t, err)
	assert.JSONEq(t, failedMessages(1, 2, 3), answer)
}

// Without messages the owner gives the event again as a whole, whatever failed of it.
func TestWithoutAQueueTheEventComesAgain(t *testing.T) {
	for name, event := range map[string]func(a, b *s3Object) string{
		"S3":          func(a, b *s3Object) string { return native(a, b) },
		"SNS":         func(a, b *s3Object) string { return topic(native(a, b)) },
		"EventBridge": func(_, b *s3Object) string { return bridged(b) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, oneHTTP)
			r.intake.answer = statusFor("bad", http.StatusBadRequest)
			a, b := r.s3.lines("a.log", "good"), r.s3.lines("b.log", "bad")
			answer, ledger, err := r.invoke(t, S3, []byte(event(a, b)))
			require.ErrorContains(t, err, "http_400")
			assert.Empty(t, answer)
			assert.Equal(t, tally{"http_400": 1}, ledger.Destinations["archive"].Returned)
		})
	}
}
