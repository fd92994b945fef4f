package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
)

const maxTaskAttempts = 20 // ours: enough for the outage

// job is S3 Batch Operations: it invokes a function for each object, and again for a task that failed for the time being.
// Format: Amazon S3 user guide, "Invoke AWS Lambda function", schema 2.0.
type job struct {
	function owner.Invoker
	backoff  owner.Backoff
	objects  []*object

	history  []owner.Delivery
	failures []owner.Failure
}

// drain runs every task until it succeeded or failed for good.
func (j *job) drain(ctx context.Context) error {
	for _, o := range j.objects {
		if err := j.task(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) task(ctx context.Context, o *object) error {
	for attempt := 1; ; attempt++ {
		result, err := j.function.Invoke(ctx, notify.BatchOperations2(fmt.Sprintf("invocation-%d", attempt), nil, o.put))
		if err != nil {
			return fmt.Errorf("task for %s, attempt %d: %w", o.key, attempt, err)
		}
		d := owner.Delivery{
			Payloads: []string{o.key}, Attempt: attempt, RequestID: result.RequestID,
			Started: result.Started, Finished: result.Started.Add(result.Duration), Outcome: owner.Taken,
		}
		code, text := taskResult(result.Response)
		switch {
		case result.TimedOut || result.Exited:
			d.Outcome, d.Error = owner.Ended, result.Error.Error()
		case result.Error != nil:
			d.Outcome, d.Error = owner.Failed, result.Error.Message
		case code != "Succeeded":
			d.Outcome, d.Error = owner.Failed, code+": "+text
		}
		j.history = append(j.history, d)
		switch {
		case d.Outcome == owner.Taken:
			return nil
		case code == "PermanentFailure" || attempt == maxTaskAttempts:
			j.failures = append(j.failures, owner.Failure{Payloads: d.Payloads, Attempts: attempt, Error: d.Error})
			return nil
		}
		if err := pause(ctx, j.backoff(attempt+1)); err != nil {
			return fmt.Errorf("wait for attempt %d of the task for %s: %w", attempt+1, o.key, err)
		}
	}
}

// taskResult is the result of the only task of a request, empty when the response has another shape.
func taskResult(response []byte) (code, text string) {
	var answer struct {
		Results []struct {
			Code string `json:"resultCode"`
			Text string `json:"resultString"`
		} `json:"results"`
	}
	if json.Unmarshal(response, &answer) != nil || len(answer.Results) != 1 {
		return "", "the response does not hold one result"
	}
	return answer.Results[0].Code, answer.Results[0].Text
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
