package owner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/e2e/stack"
)

// maxRetries is how often Lambda retries an asynchronous event that failed, by default and at most ("Asynchronous
// invocation").
const maxRetries = 2

// Async is Lambda's queue for asynchronous invocations. It is not safe for use by several goroutines.
type Async struct {
	function Invoker
	backoff  Backoff
	queue    []queued

	// OnFailure keeps what is given up; nil means that nobody does.
	OnFailure *OnFailure

	// History and Failures grow as the queue is drained.
	History  []Delivery
	Failures []Failure
}

type queued struct {
	id      string   // names the event in errors
	ids     []string // of its payloads
	payload []byte
	attempt int // the one to come, from 1
	due     time.Time
}

// NewAsync returns an empty queue that retries twice. A nil backoff retries at once.
func NewAsync(f Invoker, backoff Backoff) *Async {
	if backoff == nil {
		backoff = noBackoff
	}
	return &Async{function: f, backoff: backoff}
}

// Send queues an event. An event sent twice is delivered twice, which the real queue may do by itself.
func (a *Async) Send(id string, payload []byte) error {
	return a.SendMany(payload, id)
}

// SendMany queues an event that announces several payloads, as an S3 event with several objects does.
func (a *Async) SendMany(payload []byte, ids ...string) error {
	id := strings.Join(ids, ", ")
	if len(payload) > stack.MaxAsyncBytes {
		return fmt.Errorf("send event %s of %d bytes: over the asynchronous limit of %d", id, len(payload), stack.MaxAsyncBytes)
	}
	a.queue = append(a.queue, queued{id: id, ids: ids, payload: payload, attempt: 1})
	return nil
}

// Pending is how many events are still in the queue.
func (a *Async) Pending() int { return len(a.queue) }

// Step delivers the event that is due first, waiting for it, and says whether there was one.
func (a *Async) Step(ctx context.Context) (bool, error) {
	if len(a.queue) == 0 {
		return false, nil
	}
	first := 0
	for i, q := range a.queue {
		if q.due.Before(a.queue[first].due) {
			first = i
		}
	}
	next := a.queue[first]
	if err := wait(ctx, time.Until(next.due)); err != nil {
		return false, fmt.Errorf("wait for attempt %d of event %s: %w", next.attempt, next.id, err)
	}
	a.queue = slices.Delete(a.queue, first, first+1)
	d, _, err := deliver(ctx, a.function, next.payload, next.ids, next.attempt)
	if err != nil {
		return false, err
	}
	a.History = append(a.History, d)
	if d.Outcome != Taken {
		return true, a.again(ctx, next, d)
	}
	return true, nil
}

// again queues the next attempt or gives the event to the on-failure destination.
func (a *Async) again(ctx context.Context, q queued, d Delivery) error {
	if q.attempt > maxRetries {
		f := Failure{Payloads: d.Payloads, Attempts: q.attempt, Error: d.Error}
		var err error
		if a.OnFailure != nil {
			f.Key, err = a.OnFailure.event(ctx, q.payload, &d)
		}
		a.Failures = append(a.Failures, f)
		return err
	}
	q.attempt++
	q.due = time.Now().Add(a.backoff(q.attempt))
	a.queue = append(a.queue, q)
	return nil
}

// Drain delivers until the queue is empty.
func (a *Async) Drain(ctx context.Context) error {
	for {
		if more, err := a.Step(ctx); err != nil || !more {
			return err
		}
	}
}
