package main

import (
	"context"
	"slices"
	"strings"

	"sluice/e2e/rig"
	"sluice/e2e/stack/owner"
)

const maxReplays = 12 // rounds: what is left behind them does not become less

// replay has what is parked, and what Lambda gave up, sent again until nothing is left.
func (r *run) replay(ctx context.Context) error {
	down := r.plan.replayOutage
	if down {
		r.refuse()
	}
	for range maxReplays {
		left, err := r.left(ctx)
		if err != nil || len(left) == 0 {
			return err
		}
		if err := r.round(ctx, left); err != nil {
			return err
		}
		if down {
			down = false
			if err := r.end(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// left are the keys of what is pending, and of what Lambda gave up.
func (r *run) left(ctx context.Context) ([]string, error) {
	keys, err := r.Pending(ctx)
	if err != nil {
		return nil, err
	}
	objects, err := r.S3.List(ctx, r.ParkBucket, owner.LambdaRoot)
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		keys = append(keys, o.Key)
	}
	return keys, nil
}

// round asks replay for what there is. The leases of a run that comes to no good end are over with it: the next schedule is
// minutes away.
func (r *run) round(ctx context.Context, left []string) error {
	lambdas := func(key string) bool { return strings.HasPrefix(key, owner.LambdaRoot) }
	var events []string
	if slices.ContainsFunc(left, lambdas) {
		events = append(events, rig.FailuresEvent)
	}
	if slices.ContainsFunc(left, func(key string) bool { return !lambdas(key) }) {
		events = append(events, rig.PendingEvent)
	}
	for _, event := range events {
		result, err := r.InvokeReplay(ctx, event)
		if err != nil {
			return err
		}
		if result.Error != nil {
			r.told = append(r.told, failure{result.RequestID, result.Exited || result.TimedOut})
		}
		if result.Error == nil && !rig.LeavesLeases(&result) {
			continue
		}
		if err := r.ExpireLeases(ctx); err != nil {
			return err
		}
	}
	return nil
}
