package rig

import (
	"context"
	"maps"
	"slices"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
)

// Audit ends the processes, so that their counts are complete, reads the park store and joins everything. The rig may go on
// afterwards: the next event of a function starts a process. What owners still have counts as lost: Drain before.
func (r *Rig) Audit(ctx context.Context) (*Result, error) {
	if err := r.killAll(); err != nil {
		return nil, err
	}
	parked, err := r.S3.List(ctx, r.ParkBucket, "")
	if err != nil {
		return nil, err
	}
	result := &Result{Name: r.options.Name, Destinations: map[string]*audit.Report{}}
	store, err := r.readStore(ctx, parked, result)
	if err != nil {
		return nil, err
	}
	base := r.evidence(parked)
	for _, d := range r.options.Destinations {
		e := base
		e.Destination, e.Entries, e.Parked = d.ID, r.intakes[d.ID].Entries(), store.Of(d.ID)
		e.Parked.Puts = r.puts(d.ID)
		result.Destinations[d.ID] = audit.Join(e)
	}
	result.Problems = append(result.Problems, store.Problems...)
	result.Stored = maps.Clone(store.Objects)
	result.Corrupt = store.Corrupt
	r.measure(result, base)
	result.Wall = r.wall()
	return result, nil
}

// readStore reads every object of the park bucket, and looks for the canaries in it.
func (r *Rig) readStore(ctx context.Context, parked []notify.Object, result *Result) (*audit.Store, error) {
	r.mu.Lock()
	lines := slices.Clone(r.lines)
	raw, messages, given := maps.Clone(r.raw), slices.Clone(r.told), maps.Clone(r.given)
	r.mu.Unlock()
	store := audit.NewStore(parkRoot, lines, r.sources())
	for sum, payloads := range raw {
		store.Knows(sum, payloads...)
	}
	for _, f := range r.failures() {
		store.Knows(given[f.Key], f.Payloads...)
	}
	for _, m := range messages {
		store.Announced(m.body, m.payloads...)
	}
	search := r.search()
	for _, o := range parked {
		body, err := r.S3.Get(ctx, r.ParkBucket, o.Key)
		if err != nil {
			return nil, err
		}
		named, err := r.S3.Metadata(ctx, r.ParkBucket, o.Key)
		if err != nil {
			return nil, err
		}
		store.Add(o.Key, body)
		search.stored(o.Key, body, named)
	}
	r.searchRest(search)
	result.CanaryHits = search.hits
	return store, nil
}

// evidence is what is known but for a destination. parked are the objects of the park bucket.
func (r *Rig) evidence(parked []notify.Object) audit.Evidence {
	there := map[string]bool{}
	for _, o := range parked {
		there[o.Key] = true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := audit.Evidence{
		Lines: slices.Clone(r.lines), Sender: replaySender, Replays: slices.Clone(r.replays), History: r.History(),
	}
	for name, function := range r.functions {
		if name.base() == ReplayFunction {
			e.ReplayLedgers = append(e.ReplayLedgers, function.Ledgers()...)
			continue
		}
		e.Ledgers = append(e.Ledgers, function.Ledgers()...)
	}
	for _, f := range r.failures() {
		if f.Key == "" || there[f.Key] {
			e.Failures = append(e.Failures, f)
		} else {
			e.Replayed = append(e.Replayed, f)
		}
	}
	return e
}

// failures are what owners gave up.
func (r *Rig) failures() []owner.Failure {
	return slices.Concat(r.Async.Failures, r.Mapping.Failures, r.Objects.Failures, r.Queue.Failures, r.Stream.Failures())
}

// History is every delivery that an owner made. Ask while nothing is drained.
func (r *Rig) History() []owner.Delivery {
	transforms := r.Stream.History()
	for i := range transforms {
		transforms[i].Firehose = true
	}
	return slices.Concat(r.Async.History, r.Mapping.History, r.Objects.History, r.Queue.History, transforms)
}

// Lines is the manifest: every line that was sent so far.
func (r *Rig) Lines() []generate.Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lines)
}

// Replays are the invocations of functions/replay so far.
func (r *Rig) Replays() []audit.Replay {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.replays)
}

// Ledgers are the ledger lines of a function, none when it had no event.
func (r *Rig) Ledgers(f Function) []stack.Ledger {
	if function := r.running()[f]; function != nil {
		return function.Ledgers()
	}
	return nil
}
