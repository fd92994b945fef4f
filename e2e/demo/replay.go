package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/owner"
)

const (
	replayFunction = "replay"
	replayKey      = "cafef00dcafef00dcafef00dcafef00d" // of functions/replay: the intake tells its requests by it
	replaySender   = 1                                  // the position of that key among those the intake accepts
	parkRoot       = "sluice/v1/"
	replayAgent    = "exec-env/demo-replay" // in the User-Agent of its requests to S3
	replayEvent    = `{"replay":{"state":"pending","all":true}}`
	maxReplays     = 20
	replayPause    = 500 * time.Millisecond
)

// replay sends again what the functions parked during the outage, as the scheduler would some minutes later, until nothing
// is pending.
func (s *scene) replay(ctx context.Context, out io.Writer) error {
	function := s.named(replayFunction)
	for n := range maxReplays {
		pending, err := s.bucket.List(ctx, parkBucket, parkRoot+"pending/")
		if err != nil || len(pending) == 0 {
			return err
		}
		if n == 0 {
			fmt.Fprintf(out, "replaying %d parked batches\n", len(pending))
		}
		result, err := function.Invoke(ctx, []byte(replayEvent))
		if err != nil {
			return fmt.Errorf("replay what is parked: %w", err)
		}
		done := audit.Replay{Delivery: owner.Delivery{
			Attempt: n + 1, RequestID: result.RequestID, Started: result.Started, Finished: result.Started.Add(result.Duration),
			Outcome: owner.Taken,
		}}
		if result.Error != nil {
			done.Outcome, done.Error = owner.Failed, result.Error.Message
		}
		s.replays = append(s.replays, done)
		if err := pause(ctx, replayPause); err != nil {
			return fmt.Errorf("wait for the next replay: %w", err)
		}
	}
	return fmt.Errorf("something is pending after %d replays", maxReplays)
}

// named is the function of that name.
func (s *scene) named(name string) forwarder {
	for _, f := range s.functions {
		if f.name == name {
			return f
		}
	}
	return forwarder{}
}

// store reads the park store for the audit. A pointer to an object stands for all of its lines that did not arrive:
// checkParked knows what of each it has to be.
func (s *scene) store(ctx context.Context, w work) (*audit.Store, error) {
	from := make([]audit.Source, 0, len(w.objects))
	for _, o := range w.objects {
		from = append(from, audit.Source{
			Bucket: o.put.Bucket, Key: o.put.Key, VersionID: o.put.VersionID, ETag: o.put.ETag, Lines: o.lines,
		})
	}
	store := audit.NewStore(parkRoot, w.lines, from)
	return store, eachParked(ctx, s.bucket, "", store.Add)
}

// eachParked reads every object of the park bucket below a prefix.
func eachParked(ctx context.Context, b *bucket.Server, prefix string, do func(key string, body []byte)) error {
	list, err := b.List(ctx, parkBucket, prefix)
	if err != nil {
		return err
	}
	for _, o := range list {
		body, err := b.Get(ctx, parkBucket, o.Key)
		if err != nil {
			return err
		}
		do(o.Key, body)
	}
	return nil
}
