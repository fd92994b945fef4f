package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sluice/e2e/stack"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
)

// route is how an object is announced.
type route string

const (
	byS3          route = "S3"
	bySNS         route = "SNS"
	bySQS         route = "SQS"
	bySNSToSQS    route = "SNS to SQS"
	byEventBridge route = "EventBridge"
	byBridgeToSQS route = "EventBridge to SQS"
	byJob         route = "Batch Operations"
)

// announcer is all that tells functions/s3 of objects.
type announcer struct {
	direct *owner.Async // for S3, SNS and EventBridge
	queue  *owner.Queue
	job    *job
}

func newAnnouncer(f owner.Invoker) *announcer {
	return &announcer{
		direct: owner.NewAsync(f, asyncBackoff),
		queue: owner.NewQueue(f, owner.QueueConfig{
			Queue:       envelope.Queue{ARN: "arn:aws:sqs:" + stack.Region + ":" + stack.Account + ":log-objects", Region: stack.Region},
			MaxReceives: 20, Visibility: streamBackoff, // the outage takes several receives
		}),
		job: &job{function: f, backoff: streamBackoff},
	}
}

func (a *announcer) announce(o *object) error {
	switch native := notify.Native(o.put); o.route {
	case byS3:
		return a.direct.Send(o.key, native)
	case bySNS:
		return a.direct.Send(o.key, notify.SNS(time.Now(), native))
	case byEventBridge:
		return a.direct.Send(o.key, notify.EventBridge(o.put))
	case bySQS:
		_, err := a.queue.Send(native, o.key)
		return err
	case byBridgeToSQS:
		_, err := a.queue.Send(notify.EventBridge(o.put), o.key)
		return err
	case bySNSToSQS:
		_, err := a.queue.Send(notify.SNSBody(time.Now(), native), o.key)
		return err
	case byJob:
		a.job.objects = append(a.job.objects, o)
		return nil
	default:
		return fmt.Errorf("announce %s: unknown route %q", o.key, o.route)
	}
}

// drain works until every announcement was taken or given up, all ways at once.
func (a *announcer) drain(ctx context.Context) error {
	var faults [3]error
	var running sync.WaitGroup
	for i, drain := range []func(context.Context) error{a.direct.Drain, a.queue.Drain, a.job.drain} {
		running.Go(func() { faults[i] = drain(ctx) })
	}
	running.Wait()
	return errors.Join(faults[:]...)
}
