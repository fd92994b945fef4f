package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

const (
	apiKey      = "deadbeefdeadbeefdeadbeefdeadbeef" // the stand-in intakes take no other
	destination = "datadog"
	moduleRoot  = ".."
	logBucket   = "example-logs"
	parkBucket  = "example-sluice"
)

// scene is the local stack: the functions, the owners of their events, a bucket, an intake, and one that counts.
type scene struct {
	outage    *outage
	intake    *intake.Server
	bucket    *bucket.Server
	functions []forwarder // in the order they were started
	replays   []audit.Replay
	queue     *owner.Async
	mapping   *owner.Mapping
	announcer *announcer
	large     *large
	loop      *loop
	closing   sync.Once
	closed    error
}

// forwarder is a function, or one more execution environment of it.
type forwarder struct {
	name string
	*stack.Function
}

// open builds the functions and starts everything they need.
func open(ctx context.Context) (*scene, error) {
	s := &scene{outage: &outage{}, large: &large{lines: largeLines}, loop: &loop{}}
	err := s.serve(ctx)
	if err == nil {
		err = s.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// serve starts the intakes and the bucket.
func (s *scene) serve(ctx context.Context) error {
	var err error
	if s.intake, err = intake.StartDatadog(apiKey, replayKey); err != nil {
		return err
	}
	s.intake.SetScript(s.outage.script)
	s.large.tally, err = startTally(s.large.lines) //nolint:contextcheck // it lives until it is closed
	if err != nil {
		return err
	}
	if err := s.loop.listen(); err != nil { //nolint:contextcheck // likewise
		return err
	}
	if s.bucket, err = bucket.Start(ctx); err != nil {
		return err
	}
	return errors.Join(s.bucket.CreateBucket(ctx, logBucket, false), s.bucket.CreateBucket(ctx, parkBucket, false))
}

// start builds the functions and puts their owners in front of them. The large object has an environment of functions/s3
// to itself, whose destination is the intake that counts.
func (s *scene) start(ctx context.Context) error {
	objects := s.bucket.Env()
	objects["SLUICE_PARK_BUCKET"] = parkBucket
	objects["SLUICE_RESHAPE"] = "false" // WAF's logs as they came, which the audit goes by
	events, replay := maps.Clone(objects), maps.Clone(objects)
	replay["DD_API_KEY"], replay["AWS_EXECUTION_ENV"] = replayKey, strings.TrimPrefix(replayAgent, "exec-env/")
	maps.Copy(objects, map[string]string{
		"SLUICE_BUCKETS":    logBucket,
		"SLUICE_STRUCTURED": "message", // CloudTrail's records as their text, which the audit goes by
	})
	large := maps.Clone(objects)
	large["DD_URL"] = s.large.tally.server.URL()

	for _, d := range []deployment{
		{name: "cloudwatch", main: "cloudwatch", timeout: time.Minute, env: events},
		{name: "kinesis", main: "kinesis", timeout: time.Minute, env: events},
		{name: "s3", main: "s3", timeout: time.Minute, env: objects},
		{name: largeFunction, main: "s3", timeout: 5 * time.Minute, env: large}, // a busy machine takes more than one
		{name: loopFunction, main: "firehose", timeout: time.Minute},
		{name: replayFunction, main: "replay", timeout: time.Minute, env: replay},
	} {
		if err := s.deploy(ctx, d); err != nil {
			return err
		}
	}
	cloudwatch, kinesis, several, one := s.functions[0], s.functions[1], s.functions[2], s.functions[3]
	s.queue = owner.NewAsync(cloudwatch, asyncBackoff)
	s.mapping = owner.NewMapping(kinesis, owner.MappingConfig{
		Stream: envelope.Stream{
			ARN:    "arn:aws:kinesis:" + stack.Region + ":" + stack.Account + ":stream/logs",
			Region: stack.Region,
			Role:   "arn:aws:iam::" + stack.Account + ":role/sluice-kinesis",
		},
		BatchSize: recordsPerBatch, MaxRetries: 10, Bisect: true, Backoff: streamBackoff,
	})
	s.announcer = newAnnouncer(several)
	s.large.async = owner.NewAsync(one, asyncBackoff)
	return s.loop.open(s.bucket, s.functions[4], several)
}

// deployment is what a function is started with. Its name is for people.
type deployment struct {
	name, main string
	timeout    time.Duration
	env        map[string]string // beside what all have
}

// deploy builds a function.
func (s *scene) deploy(ctx context.Context, d deployment) error {
	binary, err := stack.Build(ctx, moduleRoot, "./functions/"+d.main)
	if err != nil {
		return err
	}
	env := map[string]string{"DD_API_KEY": apiKey, "DD_URL": s.intake.URL(), "DD_TAGS": "env:demo,team:platform"}
	maps.Copy(env, d.env)
	f, err := stack.New(stack.Config{
		Binary: binary, Name: "sluice-" + d.main, MemoryMiB: 256, Timeout: d.timeout, Env: env,
	})
	if err != nil {
		return err
	}
	s.functions = append(s.functions, forwarder{d.name, f})
	return nil
}

// asyncBackoff is Lambda's wait of one minute, then two, at one twelfth.
func asyncBackoff(attempt int) time.Duration {
	return time.Duration(attempt-1) * 5 * time.Second
}

// streamBackoff doubles from half a second to four.
func streamBackoff(attempt int) time.Duration {
	return min(4*time.Second, 250*time.Millisecond<<(attempt-1))
}

// put stores every object and announces it. What has to go wrong with it is arranged here.
func (s *scene) put(ctx context.Context, list []*object) error {
	var rules []bucket.Rule
	cut := func(key string, after int64) {
		rules = append(rules, bucket.Rule{Method: http.MethodGet, Bucket: logBucket, Key: key, Nth: 1, Step: bucket.CutAfter(after)})
	}
	for _, o := range list {
		var err error
		if o.put, err = s.bucket.PutObject(ctx, logBucket, o.key, bytes.NewReader(o.body)); err != nil {
			return err
		}
		if o.goneBefore {
			if err := s.bucket.Delete(ctx, logBucket, o.key); err != nil {
				return err
			}
		}
		if o.cutAfter > 0 {
			cut(o.key, o.cutAfter)
		}
		if err := s.announcer.announce(o); err != nil {
			return err
		}
	}
	cut(largeKey, largeCut)
	s.bucket.SetScript(bucket.Rules(rules...))
	return s.large.put(ctx, s.bucket)
}

// play sends all work through all functions at once and returns when their owners have nothing left.
func (s *scene) play(ctx context.Context, w work, p *progress) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, e := range w.direct {
		if err := s.queue.Send(e.id, e.payload); err != nil {
			return err
		}
	}
	if err := s.loop.put(w.records); err != nil {
		return err
	}
	drains := []func(context.Context) error{
		s.queue.Drain,
		func(ctx context.Context) error { return s.drainShards(ctx, w.shards) },
		s.announcer.drain,
		s.large.async.Drain,
		s.loop.drain,
	}
	faults := make([]error, len(drains))
	var running sync.WaitGroup
	for i, drain := range drains {
		running.Go(func() { faults[i] = stopAll(cancel, drain(ctx)) })
	}
	ended := make(chan struct{})
	go func() {
		running.Wait()
		close(ended)
	}()
	p.show(ended, func() (int, string) { return s.taken(), s.outage.state(time.Now()) })
	return errors.Join(faults...)
}

// taken is how many lines, and copies of lines, the intakes have.
func (s *scene) taken() int {
	return s.intake.Taken() + s.large.taken() + s.loop.taken()
}

// stopAll ends the other owners too when one cannot go on.
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

// stop ends the functions, after which their counts are complete.
func (s *scene) stop() error {
	faults := make([]error, len(s.functions))
	for i, f := range s.functions {
		faults[i] = f.Close()
	}
	return errors.Join(faults...)
}

// close ends the functions, then what they used. Its result is the same at every call.
func (s *scene) close() error {
	s.closing.Do(func() {
		faults := []error{s.stop(), s.loop.close()}
		if s.bucket != nil {
			faults = append(faults, s.bucket.Close())
		}
		if s.large.tally != nil {
			faults = append(faults, s.large.tally.close())
		}
		if s.intake != nil {
			faults = append(faults, s.intake.Close())
		}
		if err := errors.Join(faults...); err != nil {
			s.closed = fmt.Errorf("close the stack: %w", err)
		}
	})
	return s.closed
}
