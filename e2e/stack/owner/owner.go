// Package owner repeats the AWS services that own an event until a function has taken it: Lambda's queue for
// asynchronous invocations, and the event source mappings of Kinesis streams and SQS queues.
//
// It promises their documented retries, checkpoints and last resorts, and a history of every delivery, so that a
// duplicate can be traced to the repetition that made it. Waits are the caller's to choose; minutes become
// milliseconds in tests. Throttling, the age limit of asynchronous events and parallel shards are left out.
package owner

import (
	"context"
	"fmt"
	"time"

	"sluice/e2e/stack"
)

// Invoker runs one invocation.
type Invoker interface {
	Invoke(ctx context.Context, payload []byte, opts ...stack.Option) (stack.Result, error)
}

// Outcome is how a delivery ended.
type Outcome string

// The outcomes.
const (
	Taken  Outcome = "taken"  // the function took everything
	Partly Outcome = "partly" // a Kinesis batch was taken up to a sequence number, an SQS batch but for some messages
	Failed Outcome = "failed" // the function returned an error
	Ended  Outcome = "ended"  // the process was killed, exited or ran out of time
)

// Delivery is one invocation an owner made.
type Delivery struct {
	Payloads  []string // ids of the events, records or announced objects handed over, one as often as it was announced
	Stream    bool     // made by a Kinesis mapping
	Firehose  bool     // made by a delivery stream, for its transformation
	Continued []string // of Payloads, those whose message continues an object, received for the first time
	Attempt   int      // counts from 1; of an SQS batch, that of the message received most often
	RequestID string
	Started   time.Time
	Finished  time.Time
	Outcome   Outcome
	Error     string // the function's message, "" when it had none
}

// Failure is what an owner gave up on, as its on-failure destination gets it.
type Failure struct {
	Payloads []string
	Attempts int
	Error    string
	Key      string // of the object that keeps it; empty without an on-failure destination of type S3
}

// Backoff is the wait before an attempt; the first retry is attempt 2.
type Backoff func(attempt int) time.Duration

func noBackoff(int) time.Duration { return 0 }

// deliver makes one invocation and describes it.
func deliver(ctx context.Context, f Invoker, payload []byte, ids []string, attempt int) (Delivery, stack.Result, error) {
	result, err := f.Invoke(ctx, payload)
	if err != nil {
		return Delivery{}, result, fmt.Errorf("deliver %d payloads, attempt %d: %w", len(ids), attempt, err)
	}
	d := Delivery{
		Payloads:  ids,
		Attempt:   attempt,
		RequestID: result.RequestID,
		Started:   result.Started,
		Finished:  result.Started.Add(result.Duration),
		Outcome:   Taken,
	}
	if result.Error != nil {
		d.Outcome, d.Error = Failed, result.Error.Message
	}
	if result.TimedOut || result.Exited {
		d.Outcome = Ended
	}
	return d, result, nil
}

// wait sleeps, unless there is nothing to wait for or ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
