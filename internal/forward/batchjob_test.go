package forward

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// codes are the results of a job's answer, "code: text" each.
func codes(t *testing.T, answer string) []string {
	t.Helper()
	var response struct {
		Results []struct{ TaskID, ResultCode, ResultString string }
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &response), answer)
	list := make([]string, len(response.Results))
	for i, result := range response.Results {
		list[i] = result.ResultCode + ": " + result.ResultString
	}
	return list
}

// Each task has a result of its own: what another attempt may mend is temporary, what it will not is permanent.
func TestBatchJobResults(t *testing.T) {
	for name, tc := range map[string]struct {
		refuse error
		object *s3Object // nil for one of two lines
		code   string
		text   string
		change func(*ending)
	}{
		"read":       {nil, nil, "Succeeded", "lines: 2", func(e *ending) { e.lines = []string{"a", "b"} }},
		"gone":       {errNoSuchKey, nil, "PermanentFailure", "lines: 0, dropped: source_gone", func(e *ending) { e.err, e.dropped = "", tally{"source_gone": 1} }},
		"forbidden":  {errForbidden, nil, "PermanentFailure", "grant s3:GetObject", func(e *ending) { e.returned = tally{"s3_forbidden": 1} }},
		"KMS denied": {errKMS, nil, "PermanentFailure", "grant kms:Decrypt", func(e *ending) { e.returned = tally{"s3_kms_denied": 1} }},
		"throttled":  {errSlowDown, nil, "TemporaryFailure", "SlowDown", func(e *ending) { e.returned = tally{"s3_throttled": 1} }},
		"network":    {errConnection, nil, "TemporaryFailure", "connection reset", func(e *ending) { e.returned = tally{"s3_broken": 1} }},
		"archived": {
			errArchived, nil, "PermanentFailure", "restore the object",
			func(e *ending) { e.returned = tally{"s3_archived": 1} },
		},
		"Parquet, and nothing is parked": {
			nil, &s3Object{Key: "a.parquet", body: []byte("PAR1\x15\x04..PAR1")}, "PermanentFailure", "a Parquet file",
			func(e *ending) { e.returned = tally{"parquet": 1} },
		},
		"no bucket that can be": {
			nil, &s3Object{Bucket: "a/b", Key: "a"}, "PermanentFailure", "none that S3 allows",
			func(e *ending) { e.returned, e.gets = tally{"decode": 1}, 0 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, both)
				o := r.s3.lines("a.log", "a", "b")
				switch {
				case tc.object != nil && tc.object.body != nil:
					o = r.s3.put(logBucket, tc.object.Key, tc.object.body)
				case tc.object != nil:
					o = tc.object
				}
				if tc.refuse != nil {
					r.s3.refuse = always(tc.refuse)
				}
				want := ending{answer: anyAnswer, gets: 1}
				if tc.code != "Succeeded" {
					want.err = tc.text
				}
				tc.change(&want)
				got := codes(t, r.comesTo(t, batchJob("2.0", o), want))
				require.Len(t, got, 1)
				assert.True(t, strings.HasPrefix(got[0], tc.code+": "), got[0])
				assert.Contains(t, got[0], tc.text)
			})
		})
	}
}

// What fails of one task says nothing about another, however they fail.
func TestBatchJobTasksAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oneHTTP)
		r.intake.answer = statusFor("poison", http.StatusServiceUnavailable)
		r.s3.refuse = func(_ int, key string) error {
			if key == "forbidden.log" {
				return errForbidden
			}
			return nil
		}
		good, bad := r.s3.lines("good.log", "a", "b"), r.s3.lines("bad.log", "good", "poison")
		forbidden, gone := &s3Object{Bucket: logBucket, Key: "forbidden.log"}, &s3Object{Bucket: logBucket, Key: "gone.log"}
		answer, ledger, err := r.invoke(t, S3, batchJob("2.0", forbidden, bad, good, gone))
		require.NoError(t, err)
		got := codes(t, answer)
		require.Len(t, got, 4)
		assert.Contains(t, got[0], "PermanentFailure: ")
		assert.NotContains(t, got[0], "http_503")
		assert.Contains(t, got[1], "TemporaryFailure: ", "a destination may be mended, and the task come again")
		assert.Contains(t, got[1], "http_503")
		assert.NotContains(t, got[1], "forbidden.log")
		assert.Equal(t, []string{"Succeeded: lines: 2", "PermanentFailure: lines: 0, dropped: source_gone"}, got[2:])
		assert.Equal(t, tally{"s3_forbidden": 1, "http_503": 1}, ledger.Destinations["archive"].Returned)
	})
}

// The lines of a task are those that its destinations are to get, each of them where they get different ones.
func TestBatchJobLines(t *testing.T) {
	for name, tc := range map[string]struct{ settings, want string }{
		"the same for all":     {"", "lines: 3"},
		"another for each":     {"routes: [{key: a.log, destinations: [b]}], ", "lines: 0 for a, 3 for b"},
		"filtered by its text": {"exclude: [x], ", "lines: 2"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, twoHTTP(tc.settings))
			a, b := r.s3.lines("a.log", "x", "y", "z"), r.s3.lines("b.log", "y")
			answer, _, err := r.invoke(t, S3, batchJob("2.0", b, a, b))
			require.NoError(t, err)
			assert.Equal(t, []string{"Succeeded: lines: 1", "Succeeded: " + tc.want, "Succeeded: lines: 1"}, codes(t, answer), "each task has its own")
		})
	}
}

// A task is of an account's own bucket with the version that the manifest says, if it says one.
func TestBatchJobVersion(t *testing.T) {
	for _, schema := range []string{"1.0", "2.0"} {
		r := newRig(t, with("buckets: [example-logs]", both))
		o := r.s3.lines("a b/ü+1.log", "x")
		o.Version = "096fKKXTRTtl3on89fVO.nfljtsv6qko"
		answer, _, err := r.invoke(t, S3, batchJob(schema, o))
		require.NoError(t, err)
		assert.Equal(t, []string{"Succeeded: lines: 1"}, codes(t, answer))
		assert.Equal(t, []s3Request{{
			Bucket: logBucket, Key: "a b/ü+1.log", Version: o.Version, Owner: ownAccount, Region: "eu-west-1",
		}}, r.s3.gets)
	}
}

// A panic is one task's, and temporary.
func TestBatchJobPanic(t *testing.T) {
	r := newRig(t, both)
	a, b := r.s3.lines("a.log", "a"), r.s3.lines("b.log", "b")
	a.panics, a.Size = true, 100
	answer, _, err := r.invoke(t, S3, batchJob("2.0", a, b))
	require.NoError(t, err)
	assert.Equal(t, []string{"TemporaryFailure: panic of type string", "Succeeded: lines: 1"}, codes(t, answer))
}

// A task that there was no time for comes again.
func TestBatchJobDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, both)
		r.Forwarder.now = time.Now
		a, b := r.s3.lines("a.log", "a"), r.s3.lines("b.log", "b")
		a.hangs, a.Size = true, 1000
		ctx := within(t, 10*time.Second)
		answer, _, err := r.invokeWithin(ctx, t, S3, batchJob("2.0", a, b))
		require.NoError(t, err)
		require.NoError(t, ctx.Err(), "answered in time")
		for _, code := range codes(t, answer) {
			assert.Contains(t, code, "TemporaryFailure: ")
			assert.Contains(t, code, "out of time")
		}
	})
}

// What a destination does not take of a task's object, or what there is no time for, is parked: the task is done with.
func TestBatchJobParks(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		left   time.Duration
		slow   time.Duration
		text   string
	}{
		"a destination is down": {404, 15 * time.Minute, time.Millisecond, "a part is parked: destination_down"},
		"time ends":             {202, 12 * time.Second, time.Second, "a part is parked: deadline"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP("")).ticking()
				lines := someLines("x", 5000)
				o := r.s3.slowly("a.log", lines)
				o.slow = tc.slow
				r.intake.answer = failingFrom(3, "a.example.com", tc.status)
				answer, _, err := r.invokeWithin(within(t, tc.left), t, S3, batchJob("2.0", o))
				require.NoError(t, err)
				assert.True(t, strings.HasPrefix(codes(t, answer)[0], "Succeeded: "), answer)
				assert.Contains(t, codes(t, answer)[0], tc.text)
				o.slow = 0
				r.exactlyOnce(t, "a", map[string][]string{"a.log": lines})
				r.drain(t)
				r.exactlyOnce(t, "a", map[string][]string{"a.log": lines})
				r.exactlyOnce(t, "b", map[string][]string{"a.log": lines})
			})
		})
	}
}
