package reingest

import (
	"context"
	"errors"
	"fmt"

	"sluice/internal/awsenv"
)

// transfer is one Put on its way.
type transfer struct {
	aws     Caller
	stream  stream
	items   []item
	reasons []error // why an item is not in the stream, by index; nil once it is
	stop    error   // why no call is made any more
}

func newTransfer(aws Caller, s stream, records []Record) *transfer {
	t := &transfer{aws: aws, stream: s, items: make([]item, len(records)), reasons: make([]error, len(records))}
	for i, r := range records {
		t.items[i] = s.api.item(r)
	}
	return t
}

// fitting returns the items that the stream can take by their size; the others have failed.
func (t *transfer) fitting() []int {
	fitting := make([]int, 0, len(t.items))
	for i, it := range t.items {
		if limit := t.stream.api.recordBytes; it.size() > limit {
			t.reasons[i] = fmt.Errorf("it has %d bytes, and %s takes records of %d at most", it.size(), t.stream.api.service.Name, limit)
			continue
		}
		fitting = append(fitting, i)
	}
	return fitting
}

// round tries every pending item once and returns those that may be tried again.
func (t *transfer) round(ctx context.Context, pending []int) (again []int) {
	for len(pending) > 0 && t.stop == nil {
		n := t.next(pending)
		again = append(again, t.call(ctx, pending[:n])...)
		pending = pending[n:]
	}
	if t.stop == nil {
		return again
	}
	t.fail(again, t.stop)
	t.fail(pending, t.stop)
	return nil
}

// next returns how many of the pending items fit into one call; one always does.
func (t *transfer) next(pending []int) int {
	size := 0
	for n, i := range pending {
		size += t.items[i].size()
		if n == t.stream.api.callRecords || n > 0 && size > t.stream.api.callBytes {
			return n
		}
	}
	return len(pending)
}

// call puts a part of the items and returns those that may be tried again, unless it stops the transfer.
func (t *transfer) call(ctx context.Context, part []int) (again []int) {
	if err := ctx.Err(); err != nil {
		t.stop = fmt.Errorf("no time left: %w", err)
		return part
	}
	items := make([]item, len(part))
	for n, i := range part {
		items[n] = t.items[i]
	}
	out, err := t.stream.api.put(ctx, t.aws, t.stream, items)
	if err == nil {
		return t.read(part, out)
	}
	if refusal, refused := errors.AsType[*awsenv.APIError](err); refused && isBusy(refusal) {
		t.fail(part, err)
		return part
	}
	t.stop = t.stream.explain(err)
	return part
}

// read learns from an answer what became of each item of its call, and returns those that may be tried again. Of an answer
// that does not add up nothing is believed, and nothing is tried again: that could put a record in four times.
func (t *transfer) read(part []int, out answer) (again []int) {
	if len(out.verdicts) != len(part) {
		t.fail(part, fmt.Errorf("aws answered for %d records of a call with %d", len(out.verdicts), len(part)))
		return nil
	}
	failed := 0
	for n, i := range part {
		v := out.verdicts[n]
		switch {
		case v.code != "":
			failed++
			refusal := v.refusal()
			t.reasons[i] = t.stream.explain(refusal)
			if t.stream.advice(refusal.Code) == "" {
				again = append(again, i)
			}
		case v.id == "":
			failed++
			t.reasons[i] = errors.New("aws answered with neither an id nor an error for it")
		default:
			t.reasons[i] = nil
		}
	}
	if out.failed > failed {
		t.fail(part, fmt.Errorf("aws answered that %d of %d records failed, and named %d", out.failed, len(part), failed))
		return nil
	}
	return again
}

func (t *transfer) fail(indices []int, reason error) {
	for _, i := range indices {
		t.reasons[i] = reason
	}
}

// annotate changes the reasons of items that have failed.
func (t *transfer) annotate(indices []int, change func(reason error) error) {
	for _, i := range indices {
		t.reasons[i] = change(t.reasons[i])
	}
}

func (t *transfer) result() (failed []int, err error) {
	for i, reason := range t.reasons {
		if reason != nil {
			failed = append(failed, i)
		}
	}
	if len(failed) == 0 {
		return nil, nil
	}
	return failed, fmt.Errorf("put %d records back: %d failed, records[%d]: %w, into %s",
		len(t.items), len(failed), failed[0], t.reasons[failed[0]], t.stream.arn)
}
