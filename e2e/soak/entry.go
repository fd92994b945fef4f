package main

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"sluice/e2e/rig"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/notify"
)

const (
	waitingPayloads = 32 // of an entry, before its owner
	shardID         = "shardId-000000000000"
	pollInterval    = 50 * time.Millisecond // of what others may have given to the owner of an entry
)

// entry is one way in, with the owner of its events.
type entry struct {
	name     rig.Entry
	function rig.Function
	waiting  chan parcel
	send     func(context.Context, parcel) error        // gives a payload to the owner
	step     func(context.Context) (more bool, _ error) // has the owner deliver once
	working  atomic.Bool                                // the owner delivers, or waits before it does it again
}

// entries are all of them.
func (s *system) entries() []*entry {
	list := []*entry{s.cloudWatch(), s.kinesis(), s.firehose(), s.objects(), s.queue()}
	for _, e := range list {
		e.waiting = make(chan parcel, waitingPayloads)
	}
	return list
}

func (s *system) cloudWatch() *entry {
	return &entry{
		name: rig.CloudWatch, function: rig.CloudWatchFunction,
		send: func(_ context.Context, p parcel) error {
			event, err := envelope.CloudWatch(p.data)
			if err != nil {
				return err
			}
			return s.rig.Async.Send(p.id, event)
		},
		step: s.rig.Async.Step,
	}
}

func (s *system) kinesis() *entry {
	var shard []envelope.Record
	return &entry{
		name: rig.Kinesis, function: rig.KinesisFunction,
		send: func(_ context.Context, p parcel) error {
			const keyLength = 32
			shard = append(shard, envelope.Record{
				Shard: shardID, Sequence: p.id, PartitionKey: p.id[len(p.id)-keyLength:], Data: p.data, Arrived: time.Now(),
			})
			return nil
		},
		step: func(ctx context.Context) (bool, error) {
			if len(shard) == 0 {
				return false, nil
			}
			records := shard
			shard = nil
			return true, s.rig.Mapping.Drain(ctx, records)
		},
	}
}

func (s *system) firehose() *entry {
	return &entry{
		name: rig.Firehose, function: rig.FirehoseFunction,
		send: func(_ context.Context, p parcel) error {
			_, err := s.rig.Stream.Put(p.id, p.data)
			return err
		},
		step: func(ctx context.Context) (bool, error) {
			if s.rig.Stream.Pending() == 0 {
				return false, nil
			}
			return true, s.rig.Stream.Drain(ctx)
		},
	}
}

func (s *system) objects() *entry {
	return &entry{
		name: rig.S3, function: rig.ObjectFunction,
		send: func(ctx context.Context, p parcel) error {
			o, err := s.put(ctx, p)
			if err != nil {
				return err
			}
			return s.rig.Objects.Send(p.id, notify.Native(o))
		},
		step: s.rig.Objects.Step,
	}
}

func (s *system) queue() *entry {
	return &entry{
		name: rig.S3Queue, function: queueFunction,
		send: func(ctx context.Context, p parcel) error {
			o, err := s.put(ctx, p)
			if err != nil {
				return err
			}
			return s.announce(o, p.id)
		},
		step: s.rig.Queue.Step,
	}
}

func (s *system) put(ctx context.Context, p parcel) (notify.Object, error) {
	return s.rig.S3.PutObject(ctx, s.rig.LogBucket, keyOf(p.id), bytes.NewReader(p.data))
}

// run gives payloads to the owner and has it deliver, until waiting is closed and the owner has nothing left.
func (e *entry) run(ctx context.Context) error {
	for {
		open, err := e.take(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		more, err := e.deliver(ctx)
		switch {
		case err != nil:
			return err
		case more:
		case !open:
			return nil
		default:
			if err := e.await(ctx); err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
		}
	}
}

// deliver has the owner deliver once.
func (e *entry) deliver(ctx context.Context) (more bool, _ error) {
	e.working.Store(true)
	defer e.working.Store(false)
	more, err := e.step(ctx)
	if err != nil {
		return false, fmt.Errorf("%s: %w", e.name, err)
	}
	return more, nil
}

// drain has the owner deliver until it has nothing left.
func (e *entry) drain(ctx context.Context) error {
	for {
		if more, err := e.deliver(ctx); err != nil || !more {
			return err
		}
	}
}

// take gives the owner all that waits, and says whether more may come.
func (e *entry) take(ctx context.Context) (open bool, _ error) {
	for {
		select {
		case p, open := <-e.waiting:
			if !open {
				return false, nil
			}
			if err := e.send(ctx, p); err != nil {
				return false, err
			}
		default:
			return true, nil
		}
	}
}

// await returns when a payload came, which it gives to the owner, and after a while.
func (e *entry) await(ctx context.Context) error {
	timer := time.NewTimer(pollInterval)
	defer timer.Stop()
	select {
	case p, open := <-e.waiting:
		if !open {
			return nil
		}
		return e.send(ctx, p)
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
