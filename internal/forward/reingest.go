package forward

import (
	"errors"
	"slices"

	"sluice/internal/event"
	"sluice/internal/ledger"
	"sluice/internal/reingest"
)

// reingestion collects the records that go back into the stream.
type reingestion struct {
	records []reingest.Record
	entries []reentry
}

// reentry is a record's place in the answer.
type reentry struct {
	end int // size of the answer behind it
}

// take takes a record for which the answer has no room, and answers that it is done with. It reports false for one that
// has to be left to Firehose: nothing is put back here, or it was too often. (A record that no answer has room for is not
// asked about: it would come back and fail in the same way.)
func (g *reingestion) take(t *transformation, r *event.TransformRecord) bool {
	if t.inv.f.reingest == nil || t.inv.f.transformer.whole {
		return false // what comes back carries a mark, and is not the bytes as they came
	}
	var data []byte
	err := guarded(func() (err error) {
		data, _, err = reingest.WithHop(nil, t.inv.f.packed)
		return err
	})
	if err != nil {
		return false
	}
	before := t.answer.Size()
	t.answer.Dropped(r.ID)
	t.reserved += t.answer.SizeOfProcessingFailed(r.ID) - (t.answer.Size() - before) // it may still fail
	g.records = append(g.records, reingest.Record{Data: data, PartitionKey: r.PartitionKey})
	g.entries = append(g.entries, reentry{end: t.answer.Size()})
	return true
}

// send puts the records back. Those that did not get into the stream are answered as failed after all: Firehose keeps
// them.
func (g *reingestion) send(t *transformation) {
	if len(g.records) == 0 {
		return
	}
	stream := t.event.SourceStreamARN
	if stream == "" {
		stream = t.event.StreamARN
	}
	var failed []int
	err := guarded(func() (err error) {
		failed, err = t.inv.f.reingest.Put(t.inv.ctx, stream, g.records)
		return err
	})
	if _, panicked := errors.AsType[*panicError](err); panicked { // nothing is known of any
		failed = failed[:0]
		for i := range g.records {
			failed = append(failed, i)
		}
	}
	for _, i := range slices.Backward(failed) { // from the end, so that the places before stay right
		t.answer.Undrop(g.entries[i].end)
		t.counts.fail("response_budget")
	}
	if err != nil {
		t.problem = err
	}
	for range len(g.records) - len(failed) {
		t.counts.fail(ledger.Reingested)
	}
}
