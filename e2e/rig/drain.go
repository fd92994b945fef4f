package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/stack"
	"sluice/e2e/stack/owner"
)

const maxRounds = 50 // of Drain and Replay: more of them is a circle

// Drain delivers until no owner has anything left.
func (r *Rig) Drain(ctx context.Context) error {
	for range maxRounds {
		for _, e := range []Entry{CloudWatch, Kinesis, S3, Firehose, S3Queue} {
			if err := r.DrainEntry(ctx, e); err != nil {
				return err
			}
		}
		if r.Queue.Pending() == 0 && r.Stream.Pending() == 0 {
			return r.trouble()
		}
	}
	return fmt.Errorf("drain %s: something is left after %d rounds", r.options.Name, maxRounds)
}

// DrainEntry delivers until the owner of one entry has nothing left. The rests of objects go through S3Queue.
func (r *Rig) DrainEntry(ctx context.Context, e Entry) error {
	r.turns[e].Lock()
	defer r.turns[e].Unlock()
	var err error
	switch e {
	case CloudWatch:
		err = r.Async.Drain(ctx)
	case Kinesis:
		r.mu.Lock()
		shard := r.shard
		r.shard = nil
		r.mu.Unlock()
		err = r.Mapping.Drain(ctx, shard)
	case S3:
		err = r.Objects.Drain(ctx)
	case S3Queue:
		err = r.Queue.Drain(ctx)
	case Firehose:
		err = r.Stream.Drain(ctx)
	case Parked:
		return fmt.Errorf("drain %s: Replay does", e)
	}
	if err != nil {
		return fmt.Errorf("drain %s: %w", e, err)
	}
	return r.trouble()
}

// trouble is what went wrong meanwhile, of the rig and not of the functions.
func (r *Rig) trouble() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.faults...)
}

// Events of functions/replay: all that is pending, due or not; what Lambda gave up; and what the scheduler sends.
const (
	PendingEvent   = `{"replay":{"state":"pending","all":true}}`
	FailuresEvent  = `{"replay":{"state":"failures"}}`
	ScheduledEvent = `{"version":"0","id":"00000000-0000-4000-8000-000000000001","detail-type":"Scheduled Event",` +
		`"source":"aws.scheduler","account":"` + stack.Account + `","region":"` + stack.Region + `","resources":[],"detail":"{}"}`
)

// Replay sends again what is parked, due or not, and what Lambda gave up, until neither is left. Leases of a run that ended
// badly are made to end first, as if their time had passed. It returns without an error when something is left that does not
// become less: a run with nothing to wait for and nothing wrong leaves nothing.
func (r *Rig) Replay(ctx context.Context) error {
	before := -1
	for range maxRounds {
		left, err := r.left(ctx)
		if err != nil {
			return err
		}
		expired, err := r.expireForgotten(ctx)
		if err != nil {
			return err
		}
		if len(left) == 0 || len(left) == before && !expired {
			return nil
		}
		before = len(left)
		if slices.ContainsFunc(left, func(key string) bool { return strings.HasPrefix(key, owner.LambdaRoot) }) {
			if _, err := r.InvokeReplay(ctx, FailuresEvent); err != nil {
				return err
			}
		}
		if _, err := r.InvokeReplay(ctx, PendingEvent); err != nil {
			return err
		}
	}
	return nil
}

// left are the keys of what replay has to do.
func (r *Rig) left(ctx context.Context) ([]string, error) {
	pending, err := r.Pending(ctx)
	if err != nil {
		return nil, err
	}
	failures, err := r.keysBelow(ctx, owner.LambdaRoot)
	if err != nil {
		return nil, err
	}
	return append(pending, failures...), nil
}

// expireForgotten ends the leases of replays that ended before they could release them, unless one is at work. It says
// whether there were any.
func (r *Rig) expireForgotten(ctx context.Context) (bool, error) {
	r.mu.Lock()
	forgotten := r.replaying == 0 && r.endedReplays > 0
	if forgotten {
		r.endedReplays = 0
	}
	r.mu.Unlock()
	if !forgotten {
		return false, nil
	}
	return true, r.ExpireLeases(ctx)
}

// ExpireLeases makes every lease in the park store end in the past. A replay that is at work has then stood still for longer
// than its leases lasted.
func (r *Rig) ExpireLeases(ctx context.Context) error {
	r.mu.Lock()
	if r.replaying > 0 {
		r.expired++
	}
	r.mu.Unlock()
	keys, err := r.keysBelow(ctx, parkRoot+"lease/")
	if err != nil {
		return err
	}
	for _, key := range keys {
		body, err := r.S3.Get(ctx, r.ParkBucket, key)
		if err != nil {
			return err
		}
		var lease map[string]any
		if err := json.Unmarshal(body, &lease); err != nil {
			return fmt.Errorf("read %s: %w", key, err)
		}
		lease["until"] = time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
		if body, err = json.Marshal(lease); err != nil {
			return fmt.Errorf("write %s: %w", key, err)
		}
		if _, err := r.S3.PutObject(ctx, r.ParkBucket, key, bytes.NewReader(body)); err != nil {
			return err
		}
	}
	return nil
}

// ReplayDue is what the scheduler does: it sends again what is due.
func (r *Rig) ReplayDue(ctx context.Context) (stack.Result, error) {
	return r.InvokeReplay(ctx, ScheduledEvent)
}

// InvokeReplay hands an event to functions/replay once. What it answers is in the result.
func (r *Rig) InvokeReplay(ctx context.Context, event string, opts ...stack.Option) (stack.Result, error) {
	return r.InvokeReplayIn(ctx, ReplayFunction, event, opts...)
}

// InvokeReplayIn is InvokeReplay in an environment of its own, such as ReplayFunction.Environment(2): two may be at work at
// once.
func (r *Rig) InvokeReplayIn(ctx context.Context, f Function, event string, opts ...stack.Option) (stack.Result, error) {
	r.mu.Lock()
	r.replaying++
	expired := r.expired
	r.mu.Unlock()
	result, err := (invoker{r, f}).Invoke(ctx, []byte(event), opts...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.replaying--
	if err != nil {
		return result, fmt.Errorf("replay: %w", err)
	}
	done := audit.Replay{Expired: r.expired != expired, Delivery: owner.Delivery{
		Attempt: 1, RequestID: result.RequestID, Started: result.Started, Finished: result.Started.Add(result.Duration), Outcome: owner.Taken,
	}}
	if result.Error != nil {
		done.Outcome, done.Error = owner.Failed, result.Error.Message
	}
	if result.TimedOut || result.Exited {
		done.Outcome = owner.Ended
	}
	if LeavesLeases(&result) {
		r.endedReplays++
	}
	r.replays = append(r.replays, done)
	return result, nil
}

// LeavesLeases reports whether a replay may not have given back its leases: it ended before it could, or it says that an object
// ended in a panic, which keeps its lease.
func LeavesLeases(result *stack.Result) bool {
	return result.TimedOut || result.Exited || bytes.Contains(result.Response, []byte("panic"))
}

// Pending are the keys below pending/, for all destinations.
func (r *Rig) Pending(ctx context.Context) ([]string, error) {
	return r.keysBelow(ctx, parkRoot+"pending/")
}

func (r *Rig) keysBelow(ctx context.Context, prefix string) ([]string, error) {
	list, err := r.S3.List(ctx, r.ParkBucket, prefix)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(list))
	for i, o := range list {
		keys[i] = o.Key
	}
	return keys, nil
}

// puts are what the ingesting functions wrote below pending/ and dead/ of one destination, and below dead-raw/ of all.
func (r *Rig) puts(destination string) *audit.Puts {
	p := &audit.Puts{}
	for _, q := range r.S3.Requests() {
		rest, ours := strings.CutPrefix(q.Key, parkRoot)
		state, rest, _ := strings.Cut(rest, "/")
		id, _, _ := strings.Cut(rest, "/")
		kept := state == "dead-raw" || (state == "pending" || state == "dead") && id == destination
		if !ours || !kept || q.Method != http.MethodPut || q.Bucket != r.ParkBucket || agentOf(q.Agent) == string(ReplayFunction) {
			continue
		}
		count := max(1, q.Count)
		switch q.Status {
		case http.StatusOK:
			p.Least += count
			p.Most += count
		case http.StatusPreconditionFailed, 0:
			p.Most += count
		}
	}
	return p
}

// agentOf is the function that sends a request: the SDK says what environment it runs in.
func agentOf(userAgent string) string {
	for word := range strings.FieldsSeq(userAgent) {
		if env, found := strings.CutPrefix(word, "exec-env/"); found {
			return strings.TrimPrefix(env, executionEnv)
		}
	}
	return ""
}

// wall is how long the rig has been there.
func (r *Rig) wall() time.Duration { return time.Since(r.started) }
