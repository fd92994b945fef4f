package rig

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"sluice/e2e/audit"
	"sluice/e2e/stack/delivery"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// AuditStream is Audit where the delivery stream is what takes the lines: its transformation has SLUICE_FIREHOSE_TEE unset.
// What the stream delivered, as objects of Datadog's items, counts as arrived, beside what the intake took of the records
// that came back as failed objects.
func (r *Rig) AuditStream(ctx context.Context) (*Result, error) {
	whole, err := r.Audit(ctx)
	if err != nil {
		return nil, err
	}
	parked, err := r.S3.List(ctx, r.ParkBucket, "")
	if err != nil {
		return nil, err
	}
	store, err := r.readStore(ctx, parked, &Result{})
	if err != nil {
		return nil, err
	}
	base := r.evidence(parked)
	base.Stream = &audit.Stream{Ledgers: r.Ledgers(FirehoseFunction), History: r.Stream.History()}
	base.History = slices.DeleteFunc(base.History, func(d owner.Delivery) bool { return d.Firehose }) // it delivers nothing itself
	base.Ledgers = nil
	for name := range r.running() {
		if name.base() != FirehoseFunction && name.base() != ReplayFunction {
			base.Ledgers = append(base.Ledgers, r.Ledgers(name)...)
		}
	}
	if base.Stream.Entries, err = r.streamed(ctx); err != nil {
		return nil, err
	}
	result := &Result{
		Name: whole.Name, Destinations: map[string]*audit.Report{}, Stored: whole.Stored, Corrupt: whole.Corrupt,
		CanaryHits: whole.CanaryHits, Problems: whole.Problems,
	}
	for _, d := range r.options.Destinations {
		e := base
		e.Destination, e.Entries, e.Parked = d.ID, r.intakes[d.ID].Entries(), store.Of(d.ID)
		e.Parked.Puts = r.puts(d.ID)
		result.Destinations[d.ID] = audit.Join(e)
	}
	r.measure(result, base)
	result.Wall = r.wall()
	return result, nil
}

// streamed are the items in the objects that the stream delivered.
func (r *Rig) streamed(ctx context.Context) ([]intake.Entry, error) {
	var entries []intake.Entry
	for _, w := range r.Stream.Objects() {
		if w.Kind != delivery.Delivered {
			continue
		}
		body, err := r.S3.Get(ctx, w.Bucket, w.Key)
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(body) {
			entry, err := intake.Item("datadog", line)
			if err != nil {
				return nil, fmt.Errorf("s3://%s/%s: %w", w.Bucket, w.Key, err)
			}
			entry.At, entry.Batch, entry.Answered = w.Time, w.Key, true
			entries = append(entries, entry)
		}
	}
	return entries, nil
}
