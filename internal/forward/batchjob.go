package forward

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sluice/internal/event"
	"sluice/internal/ledger"
	"sluice/internal/source/object"
)

// batchJob answers S3 Batch Operations: each task has its own result, so the invocation fails only when nothing at all is
// known.
func (r *objectRun) batchJob(payload []byte) ([]byte, error) {
	var job event.BatchJob
	err := guarded(func() (err error) {
		job, err = event.ParseBatchJob(payload)
		return err
	})
	if err != nil {
		r.inv.unreadable(reasonOf(err))
		return nil, r.inv.finish(failure{err: err}).err
	}
	lines := make([]string, len(job.Tasks))
	for unit := range job.Tasks {
		before := r.inv.taken()
		r.guard(unit, func() { r.task(unit, &job.Tasks[unit]) })
		lines[unit] = r.linesSince(before)
	}
	if at := r.finish(); at.whole {
		return nil, at.err
	}
	results := make([]event.BatchResult, len(job.Tasks))
	for unit := range job.Tasks {
		results[unit] = r.resultOf(unit, lines[unit])
	}
	return event.AppendBatchResponse(nil, &job, results), nil
}

// linesSince says how many lines each destination is to get of what was read since there were so many for it: one number
// where that is the same for all.
func (r *objectRun) linesSince(before []int) string {
	each := make([]string, len(before))
	first, same := 0, true
	for i, taken := range r.inv.taken() {
		n := taken - before[i]
		if i == 0 {
			first = n
		}
		each[i], same = fmt.Sprintf("%d for %s", n, r.inv.lanes[i].lane.place.ID), same && n == first
	}
	if same {
		return strconv.Itoa(first)
	}
	return strings.Join(each, ", ")
}

func (r *objectRun) task(unit int, t *event.BatchTask) {
	if t.Err != nil {
		r.fail(unit, "decode", &unreadableTaskError{t.Err})
		return
	}
	r.object(unit, &t.Object, true)
}

// unreadableTaskError is a task that is no better at the next attempt.
type unreadableTaskError struct{ error }

func (e *unreadableTaskError) Unwrap() error { return e.error }

// resultOf says what became of a task. What another attempt may mend is a temporary failure. An object that should have
// been read and was not is a permanent one, so that the job's report names it.
func (r *objectRun) resultOf(unit int, lines string) event.BatchResult {
	err, rule := r.failed[unit], r.dropped[unit]
	text := "lines: " + lines
	if rule != "" {
		text += ", dropped: " + string(rule)
	}
	if reason := r.parked[unit]; reason != "" {
		text += ", a part is parked: " + reason
	}
	switch {
	case err != nil && isFinal(err):
		return event.BatchResult{Code: event.BatchPermanentFailure, Text: err.Error()}
	case err != nil:
		return event.BatchResult{Code: event.BatchTemporaryFailure, Text: err.Error()}
	case rule != "" && rule != ledger.EmptyLine && rule != ledger.NotALog:
		return event.BatchResult{Code: event.BatchPermanentFailure, Text: text}
	}
	return event.BatchResult{Code: event.BatchSucceeded, Text: text}
}

// isFinal reports whether an object will not be read at another attempt either.
func isFinal(err error) bool {
	if _, unreadable := errors.AsType[*unreadableTaskError](err); unreadable {
		return true
	}
	if _, damaged := errors.AsType[*object.Damage](err); damaged {
		return true
	}
	fault, ok := errors.AsType[*object.Fault](err)
	if !ok {
		return false
	}
	switch fault.Kind {
	case object.Throttled, object.Broken, object.Cancelled:
		return false
	default:
		return true
	}
}
