package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/rig"
	"sluice/e2e/stack"
	"sluice/e2e/stack/notify"
)

const parkRoot = "sluice/v1/" // of the rig

// gather collects what is known of the run, after all processes have ended.
func (s *system) gather(ctx context.Context) (*evidence, error) {
	kept, err := s.rig.S3.List(ctx, s.rig.ParkBucket, "")
	if err != nil {
		return nil, err
	}
	r := s.rig
	e := &evidence{
		payloads: s.manifest.payloads(), intake: s.sink.arrivals.all(), archived: s.archived.all(),
		history:    slices.Concat(r.Async.History, r.Mapping.History, r.Objects.History, r.Queue.History),
		transforms: r.Stream.History(), replays: s.Replays(),
	}
	k := keeping{
		requests: r.S3.Requests(), park: r.ParkBucket, log: r.LogBucket, intake: e.intake, payloads: e.payloads, announced: s.messages(),
	}
	k.note(e.replays)
	for _, f := range slices.Concat(r.Async.Failures, r.Mapping.Failures, r.Objects.Failures, r.Queue.Failures, r.Stream.Failures()) {
		gone := f.Key != "" && !slices.ContainsFunc(kept, func(o notify.Object) bool { return o.Key == f.Key })
		if gone {
			e.replayed = append(e.replayed, f)
		} else {
			e.failures = append(e.failures, f)
		}
	}
	store, err := s.leftovers(ctx, e, kept)
	if err != nil {
		return nil, err
	}
	e.parked, e.problems = *store.Of(destination), store.Problems
	return e, nil
}

// leftovers reads what is left in the park store, which is usually nothing. What it holds must be lines that have come
// nowhere.
func (s *system) leftovers(ctx context.Context, e *evidence, kept []notify.Object) (*audit.Store, error) {
	some := missing(e.payloads, windowLines, e.intake, e.archived)
	sources := make([]audit.Source, len(some))
	for i, p := range some {
		sources[i] = audit.Source{Bucket: s.rig.LogBucket, Key: keyOf(p.id), Lines: linesOf([]payload{p})}
	}
	keys := make([]string, 0, len(kept))
	store := audit.NewStore(parkRoot, linesOf(some), sources)
	for _, o := range kept {
		body, err := s.rig.S3.Get(ctx, s.rig.ParkBucket, o.Key)
		if err != nil {
			return nil, fmt.Errorf("read what is left in the park store: %w", err)
		}
		store.Add(o.Key, body)
		keys = append(keys, o.Key)
	}
	store.Problems = append(store.Problems, strange(keys)...)
	return store, nil
}

// strange says what is left in the park store that no fault of a soak leads to. Input is always good and a destination in
// trouble refuses no line for good, so nothing may be put aside but what was tried too often.
func strange(keys []string) []string {
	var problems []string
	for _, key := range keys {
		folder, name, _ := strings.Cut(strings.TrimPrefix(key, parkRoot), "/")
		spent := strings.Contains(name, "/exhausted/")
		if folder == "dead-raw" || folder == "dead" && !spent {
			problems = append(problems, "put aside for a person: "+key)
		}
	}
	return problems
}

// claims are what the functions say, of the destination and of the delivery stream.
func (s *system) claims(e *evidence) ([]claims, error) {
	of := func(list ...rig.Function) ([]stack.Ledger, error) {
		var ledgers []stack.Ledger
		for _, name := range list {
			f, err := s.rig.Function(name)
			if err != nil {
				return nil, err
			}
			ledgers = append(ledgers, f.Ledgers()...)
		}
		return ledgers, nil
	}
	sent, err := of(rig.CloudWatchFunction, rig.KinesisFunction, rig.ObjectFunction, queueFunction, rig.ReplayFunction)
	if err != nil {
		return nil, err
	}
	transformed, err := of(rig.FirehoseFunction)
	if err != nil {
		return nil, err
	}
	return []claims{
		{destination: destination, ledgers: sent, history: e.history, replays: e.replays, arrivals: e.intake, all: true},
		{destination: streamDestination, ledgers: transformed, history: e.transforms, arrivals: e.archived},
	}, nil
}

// chronicle is what is known of the run beside the evidence, to tell of single lines.
func (s *system) chronicle(e *evidence, said []claims, started time.Time) *chronicle {
	c := &chronicle{evidence: e, requests: s.sink.Log(), ledgers: map[string]stack.Ledger{}, started: started}
	for _, r := range s.rig.S3.Requests() {
		if r.Bucket == s.rig.ParkBucket {
			c.store = append(c.store, r)
		}
	}
	for i := range said {
		for _, l := range said[i].ledgers {
			c.ledgers[l.RequestID] = l
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.answers, c.lives = maps.Clone(s.answers), slices.Clone(s.lives)
	return c
}
