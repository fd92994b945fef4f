package forward

import (
	"errors"
	"fmt"

	"sluice/internal/event"
	"sluice/internal/record"
)

// tee delivers the lines that take their place in the stream to the destinations too. They are read once more, because
// only now it is known that their records do not come back: what comes back is delivered then. What was done to them was
// counted when they were read first.
func (t *transformation) tee() {
	if len(t.inv.lanes) == 0 {
		return
	}
	t.teeing = true
	for _, i := range t.staying {
		t.teeRecord(&t.event.Records[i])
	}
	t.inv.takeAsides()
}

// teeRecord delivers the lines of a record. A destination that is down changes nothing in the answer, as the lines are
// parked; nor does a record that some destination cannot be given, as it is kept as it came. When that fails too, Firehose
// has to give the batch again.
func (t *transformation) teeRecord(r *event.TransformRecord) {
	f := t.inv.f
	err := guarded(func() (err error) {
		if f.packed, err = r.Payload(f.packed[:0]); err != nil {
			return err
		}
		if err := t.enter(f.packed); err != nil {
			return err
		}
		t.start(r)
		return t.inv.forward(t.kept, 0)
	})
	if err == nil {
		return
	}
	t.inv.rollback()
	if !t.inv.keepRaw(f.packed, err) {
		t.inv.unreadable(reasonOf(err))
		t.unteed = true
	}
	t.problem = errors.Join(t.problem, fmt.Errorf("tee: record %.40q: %s", r.ID, err.Error()))
}

// kept yields the lines of the current record.
func (t *transformation) kept(yield func(*record.Record, error) bool) {
	t.lines(func(rec *record.Record, err error) bool {
		if err == nil {
			if t.isOwn(rec) {
				return true
			}
			t.locate(rec)
		}
		return yield(rec, err)
	})
}
