package main

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/stack"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
)

// scripted plays one result per invocation, then repeats the last, and keeps what it was given.
type scripted struct {
	results  []stack.Result
	payloads [][]byte
}

func (s *scripted) Invoke(_ context.Context, payload []byte, _ ...stack.Option) (stack.Result, error) {
	s.payloads = append(s.payloads, payload)
	return s.results[min(len(s.payloads), len(s.results))-1], nil
}

func taskAnswer(code, text string) stack.Result {
	body, _ := json.Marshal(map[string]any{"results": []map[string]string{{"resultCode": code, "resultString": text}}})
	return stack.Result{Response: body}
}

func TestJob(t *testing.T) {
	var (
		succeeds = taskAnswer("Succeeded", "3 lines")
		later    = taskAnswer("TemporaryFailure", "the breaker is open")
		never    = taskAnswer("PermanentFailure", "the task names no object")
		fails    = stack.Result{Error: &stack.FunctionError{Type: "errorString", Message: "no"}}
		exits    = stack.Result{Error: fails.Error, Exited: true}
	)
	for name, tc := range map[string]struct {
		results  []stack.Result
		outcomes []owner.Outcome
		failure  string
	}{
		"a task that succeeds": {
			results: []stack.Result{succeeds}, outcomes: []owner.Outcome{owner.Taken},
		},
		"a temporary failure comes again": {
			results: []stack.Result{later, succeeds}, outcomes: []owner.Outcome{owner.Failed, owner.Taken},
		},
		"an error comes again": {
			results: []stack.Result{fails, succeeds}, outcomes: []owner.Outcome{owner.Failed, owner.Taken},
		},
		"an exit comes again": {
			results: []stack.Result{exits, succeeds}, outcomes: []owner.Outcome{owner.Ended, owner.Taken},
		},
		"an answer of another shape is a failure": {
			results: []stack.Result{{Response: []byte("null")}, succeeds}, outcomes: []owner.Outcome{owner.Failed, owner.Taken},
		},
		"a permanent failure is given up": {
			results: []stack.Result{never}, outcomes: []owner.Outcome{owner.Failed}, failure: "PermanentFailure: the task names no object",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &scripted{results: tc.results}
				j := &job{function: f, backoff: streamBackoff, objects: []*object{{key: "a", put: notify.Object{Bucket: "b", Key: "a"}}}}
				started := time.Now()

				require.NoError(t, j.drain(t.Context()))

				var outcomes []owner.Outcome
				for i, d := range j.history {
					outcomes = append(outcomes, d.Outcome)
					assert.Equal(t, []string{"a"}, d.Payloads)
					assert.Equal(t, i+1, d.Attempt)
				}
				assert.Equal(t, tc.outcomes, outcomes)
				assert.Equal(t, time.Duration(len(outcomes)-1)*streamBackoff(2), time.Since(started))
				if tc.failure == "" {
					assert.Empty(t, j.failures)
					return
				}
				require.Len(t, j.failures, 1)
				assert.Equal(t, tc.failure, j.failures[0].Error)
			})
		})
	}
}

func TestJobGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &scripted{results: []stack.Result{taskAnswer("TemporaryFailure", "")}}
		j := &job{function: f, backoff: streamBackoff, objects: []*object{{key: "a"}}}
		require.NoError(t, j.drain(t.Context()))
		assert.Len(t, j.history, maxTaskAttempts)
		assert.Len(t, j.failures, 1)
	})
}

func TestAnnounce(t *testing.T) {
	a := newAnnouncer(nil)
	for _, o := range objectsAtNoon(t) {
		require.NoError(t, a.announce(o))
	}
	assert.Equal(t, 3, a.direct.Pending())
	assert.Equal(t, 5, a.queue.Pending())
	assert.Len(t, a.job.objects, 1)
	assert.ErrorContains(t, a.announce(&object{key: "k", route: "by pigeon"}), "by pigeon")
}
