package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/stack"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

const (
	apiKey      = "deadbeefdeadbeefdeadbeefdeadbeef" // the stand-in intake takes no other
	destination = "datadog"
	moduleRoot  = ".."
)

// scene is the local stack: two functions, their owners, one intake.
type scene struct {
	intake     *intake.Server
	outage     *outage
	cloudwatch *stack.Function
	kinesis    *stack.Function
	queue      *owner.Async
	mapping    *owner.Mapping
	closing    sync.Once
	closed     error
}

// open builds the functions and starts the intake.
func open(ctx context.Context) (*scene, error) {
	s := &scene{outage: &outage{}}
	var err error
	if s.intake, err = intake.StartDatadog(apiKey); err != nil {
		return nil, err
	}
	s.intake.SetScript(s.outage.script)
	for _, f := range []struct {
		at   **stack.Function
		name string
	}{{&s.cloudwatch, "cloudwatch"}, {&s.kinesis, "kinesis"}} {
		if *f.at, err = s.function(ctx, f.name); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	s.queue = owner.NewAsync(s.cloudwatch, asyncBackoff)
	s.mapping = owner.NewMapping(s.kinesis, owner.MappingConfig{
		Stream: envelope.Stream{
			ARN:    "arn:aws:kinesis:" + stack.Region + ":" + stack.Account + ":stream/logs",
			Region: stack.Region,
			Role:   "arn:aws:iam::" + stack.Account + ":role/sluice-kinesis",
		},
		BatchSize: recordsPerBatch, MaxRetries: 10, Bisect: true, Backoff: streamBackoff,
	})
	return s, nil
}

func (s *scene) function(ctx context.Context, name string) (*stack.Function, error) {
	binary, err := stack.Build(ctx, moduleRoot, "./functions/"+name)
	if err != nil {
		return nil, err
	}
	return stack.New(stack.Config{
		Binary: binary, Name: "sluice-" + name, MemoryMiB: 256, Timeout: time.Minute,
		Env: map[string]string{"DD_API_KEY": apiKey, "DD_URL": s.intake.URL(), "DD_TAGS": "env:demo,team:platform"},
	})
}

// asyncBackoff is Lambda's wait of one minute, then two, at one twelfth.
func asyncBackoff(attempt int) time.Duration {
	return time.Duration(attempt-1) * 5 * time.Second
}

// streamBackoff doubles from half a second to four.
func streamBackoff(attempt int) time.Duration {
	return min(4*time.Second, 250*time.Millisecond<<(attempt-1))
}

// play sends all work through both functions at once and returns when their owners have nothing left.
func (s *scene) play(ctx context.Context, w work, p *progress) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, e := range w.direct {
		if err := s.queue.Send(e.id, e.payload); err != nil {
			return err
		}
	}
	var running sync.WaitGroup
	var direct, streamed error
	running.Go(func() { direct = stopAll(cancel, s.queue.Drain(ctx)) })
	running.Go(func() { streamed = stopAll(cancel, s.drainShards(ctx, w.shards)) })
	ended := make(chan struct{})
	go func() {
		running.Wait()
		close(ended)
	}()
	p.show(ended, func() (int, string) { return s.intake.Taken(), s.outage.state(time.Now()) })
	return errors.Join(direct, streamed)
}

// stopAll ends the other owner too when one cannot go on.
func stopAll(cancel context.CancelCauseFunc, err error) error {
	if err != nil {
		cancel(err)
	}
	return err
}

func (s *scene) drainShards(ctx context.Context, shards [][]envelope.Record) error {
	for _, shard := range shards {
		if err := s.mapping.Drain(ctx, shard); err != nil {
			return err
		}
	}
	return nil
}

// close ends the functions, then the intake. Its result is the same at every call.
func (s *scene) close() error {
	s.closing.Do(func() {
		var faults []error
		for _, f := range []*stack.Function{s.cloudwatch, s.kinesis} {
			if f != nil {
				faults = append(faults, f.Close())
			}
		}
		faults = append(faults, s.intake.Close())
		if err := errors.Join(faults...); err != nil {
			s.closed = fmt.Errorf("close the stack: %w", err)
		}
	})
	return s.closed
}

// evidence is what the audit needs, of both functions together.
func (s *scene) evidence(w work, entries []intake.Entry) audit.Evidence {
	return audit.Evidence{
		Destination: destination,
		Lines:       w.lines,
		Entries:     entries,
		Ledgers:     append(s.cloudwatch.Ledgers(), s.kinesis.Ledgers()...),
		History:     append(s.queue.History, s.mapping.History...),
		Failures:    append(s.queue.Failures, s.mapping.Failures...),
	}
}
