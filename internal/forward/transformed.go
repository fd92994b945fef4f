package forward

import (
	"encoding/base64"
	"errors"

	"sluice/internal/event"
	"sluice/internal/ledger"
	"sluice/internal/record"
	"sluice/internal/source/object"
)

// result is what becomes of one record.
type result struct {
	size    int    // bytes of the record
	text    []byte // in the record's place
	kept    int    // lines in it
	adorned int    // of these, those with attributes
	dropped map[ledger.Rule]int
	marked  map[string]int
	keys    []event.PartitionKey
}

func (r *result) reset() {
	r.size, r.text, r.kept, r.adorned, r.keys = 0, r.text[:0], 0, 0, r.keys[:0]
	if len(r.dropped)+len(r.marked) > 0 {
		clear(r.dropped)
		clear(r.marked)
	}
}

// Why a record has no room.
var (
	errBudget   = errors.New("the answer has no room for what this record becomes")
	errTooLarge = errors.New("no answer has room for what this record becomes")
)

func transformReason(err error) string {
	switch {
	case errors.Is(err, errBudget):
		return "response_budget"
	case errors.Is(err, errTooLarge):
		return "record_too_large"
	}
	if damage, ok := errors.AsType[*object.Damage](err); ok {
		return damage.Reason
	}
	return reasonOf(err)
}

// balance is what a batch has come to so far. It is in no account before it is known that the batch is not read again.
// The zero value is ready.
type balance struct {
	bytes     int // of records
	delivered int // lines
	dropped   map[ledger.Rule]int
	marked    map[string]int
	returned  map[string]int
	asides    asides
}

// fail counts a record that Firehose keeps.
func (b *balance) fail(reason string) {
	if b.returned == nil {
		b.returned = make(map[string]int)
	}
	b.returned[reason]++
}

// add counts the lines of a record that was read as a whole.
func (b *balance) add(r *result) {
	b.delivered += r.kept
	if r.kept > 0 && len(r.dropped)+len(r.marked) == 0 {
		return
	}
	b.marked = added(b.marked, r.marked)
	b.dropped = added(b.dropped, r.dropped)
	if r.kept+len(r.dropped) == 0 { // an empty record
		b.dropped = added(b.dropped, map[ledger.Rule]int{ledger.EmptyLine: 1})
	}
}

// enter counts it all in an account.
func (b *balance) enter(a *ledger.Account) {
	a.In(b.delivered)
	a.Delivered(b.delivered)
	for rule, n := range b.dropped {
		a.In(n)
		a.Dropped(rule, n)
	}
	for reason, n := range b.returned {
		a.In(n)
		a.Returned(reason, n)
	}
	for mark, n := range b.marked {
		a.Marked(mark, n)
	}
}

// line takes one line of a record.
func (t *transformation) line(rec *record.Record) error {
	out, rule := t.inv.processor.Apply(rec)
	if rule != "" {
		t.result.dropped[rule]++
		return nil
	}
	for _, rec := range out {
		if err := t.shape(rec); err != nil {
			return err
		}
	}
	return nil
}

// shape takes what becomes of a line, and puts it in the shape that the output wants.
func (t *transformation) shape(rec *record.Record) error {
	reshape := t.inv.f.transformer.reshape
	if reshape == nil {
		return t.put(rec)
	}
	for _, rec := range reshape(rec) {
		if err := t.put(rec); err != nil {
			return err
		}
	}
	return nil
}

// put appends the output of a record.
func (t *transformation) put(rec *record.Record) error {
	tr := t.inv.f.transformer
	if t.result.kept == 0 {
		t.result.keys = tr.keysOf(t.result.keys, rec)
	}
	t.result.kept++
	if rec.Marks != 0 {
		for _, name := range rec.Marks.Names() {
			t.result.marked[name]++
		}
	}
	if tr.whole {
		return nil
	}
	before := tr.adorned
	t.result.text = append(tr.append(t.result.text, rec), '\n')
	t.result.adorned += tr.adorned - before
	// What will not fit need not be made to its end; the exact size is looked at then.
	switch n := len(t.result.text); {
	case n > maxTransformedBytes:
		return errTooLarge
	case base64.StdEncoding.EncodedLen(n) > t.room():
		return errBudget
	}
	return nil
}

// room is how many bytes of the answer one more record may take.
func (t *transformation) room() int { return answerBudget - t.answer.Size() - t.reserved }

// fits reports whether a record of so many bytes has room.
func (t *transformation) fits(size int, id string) error {
	switch {
	case size > maxTransformedBytes:
		return errTooLarge
	case t.answer.SizeOfOk(id, size, t.result.keys) > t.room():
		return errBudget
	}
	return nil
}
