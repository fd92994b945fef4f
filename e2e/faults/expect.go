package main

import (
	"slices"

	"sluice/e2e/audit"
	"sluice/e2e/rig"
	"sluice/e2e/stack"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// deliverable is how many lines no rule drops, counted once for each destination.
func (r *run) deliverable() int {
	n := 0
	for _, line := range r.Lines() {
		if line.Rule == "" {
			n++
		}
	}
	return n * len(r.ids)
}

// history is every delivery that the owner of the path made.
func (r *run) history() []owner.Delivery {
	switch r.path {
	case cloudWatch:
		return r.Async.History
	case kinesis:
		return r.Mapping.History
	case transform, tee:
		return r.Stream.History()
	case s3Direct:
		return r.Objects.History
	case s3Queue:
		return r.Queue.History
	default:
		return nil
	}
}

// requests are those that all intakes have seen.
func (r *run) requests() int {
	n := 0
	for _, id := range r.ids {
		n += len(r.Intake(id).Requests())
	}
	return n
}

// since are the requests that the first intake has seen since the fault began.
func (r *run) since() []intake.Request { return r.Intake().Requests()[r.before:] }

// ledgers are those of the function under test.
func (r *run) ledgers() []stack.Ledger { return r.Ledgers(r.path.function()) }

// dropped counts the lines that the functions dropped, by rule.
func (r *run) dropped() map[string]int {
	return r.counts(func(d stack.Destination) map[string]int { return d.Dropped })
}

// marked counts the lines that the functions altered, by what was done.
func (r *run) marked() map[string]int {
	return r.counts(func(d stack.Destination) map[string]int { return d.Marked })
}

func (r *run) counts(of func(stack.Destination) map[string]int) map[string]int {
	sum := map[string]int{}
	for _, f := range rig.Functions() {
		for _, ledger := range r.Ledgers(f) {
			for _, d := range ledger.Destinations {
				for name, n := range of(d) {
					sum[name] += n
				}
			}
		}
	}
	return sum
}

// What may be expected of most cells.

// parkedAll wants every line in pending/ while the fault lasts, and nothing else done with it.
func parkedAll(r *run) {
	want := r.deliverable()
	r.expect(r.mid.Pending == want && r.mid.Delivered == 0, "%d of %d lines parked, %d delivered while the fault lasted",
		r.mid.Pending, want, r.mid.Delivered)
}

// kept wants every line delivered or in pending/ while the fault lasts: none dead, none with its owner.
func kept(r *run) {
	got, want := r.mid.Delivered+r.mid.Pending, r.deliverable()
	r.expect(got == want, "%d of %d lines delivered or parked while the fault lasted", got, want)
}

// returnedAll wants every line with its owner while the fault lasts.
func returnedAll(r *run) {
	want := r.deliverable()
	r.expect(r.mid.Returned == want && r.mid.Delivered == 0, "%d of %d lines returned, %d delivered while the fault lasted",
		r.mid.Returned, want, r.mid.Delivered)
}

// deliveredAll wants every line that no rule drops delivered at last.
func deliveredAll(r *run) {
	want := r.deliverable()
	r.expect(r.end.Delivered == want, "%d of %d lines delivered at last", r.end.Delivered, want)
}

// deliveredAtOnce wants that before replay had anything to do.
func deliveredAtOnce(r *run) {
	want := r.deliverable()
	r.expect(r.mid.Delivered == want, "%d of %d lines delivered before replay", r.mid.Delivered, want)
}

// breakerOpened wants the others told to leave the destination alone.
func breakerOpened(r *run) {
	r.expect(r.mid.Stored["breaker"] > 0, "the breaker has not opened: there is no breaker/ object")
}

// inTime wants that no invocation was ended from outside.
func inTime(r *run) {
	for _, d := range r.history() {
		r.expect(d.Outcome != owner.Ended, "attempt %d missed its deadline", d.Attempt)
	}
}

// acknowledged wants that the owner never had to give anything again.
func acknowledged(r *run) {
	for _, d := range r.history() {
		r.expect(d.Outcome == owner.Taken, "attempt %d was %s: %s", d.Attempt, d.Outcome, d.Error)
	}
}

// The contract lets retries be a fifth of first attempts, and ten more (section 2.5).
const (
	retryShare   = 1.2
	retriesExtra = 10
	manyBatches  = 45 // so many that the ten count for less than the share
)

// frugal wants few requests in vain: those of the fault and of replay together are a fifth more than a healthy run needs,
// and, of few batches, ten.
func frugal(r *run) {
	made, healthy := r.end.Requests-r.before, r.end.Healthy
	most := retryShare * float64(healthy)
	if healthy < manyBatches {
		most += retriesExtra
	}
	r.expect(float64(made) <= most, "%d requests for %d batches: more than %.1f", made, healthy, most)
}

// deadAre wants so many lines dead at last, each once, and the others delivered.
func deadAre(n int) expectation {
	return func(r *run) {
		r.expect(r.end.Dead == n, "%d lines dead instead of %d", r.end.Dead, n)
		want := r.deliverable() - n
		r.expect(r.end.Delivered == want, "%d lines delivered instead of %d", r.end.Delivered, want)
	}
}

// deadObjects wants so many objects in dead/.
func deadObjects(n int) expectation {
	return func(r *run) {
		r.expect(r.end.Stored["dead"] == n, "%d objects in dead/ instead of %d", r.end.Stored["dead"], n)
	}
}

// rawObjects wants so many objects in dead-raw/.
func rawObjects(n int) expectation {
	return func(r *run) {
		r.expect(r.end.Stored["dead-raw"] == n, "%d objects in dead-raw/ instead of %d", r.end.Stored["dead-raw"], n)
	}
}

// droppedBy wants so many lines dropped by a rule, and none by another.
func droppedBy(rule string, n int) expectation {
	return func(r *run) {
		got := r.dropped()
		r.expect(got[rule] == n && stack.Sum(got) == n, "dropped %s instead of %s:%d", shown(got), rule, n)
	}
}

// met wants that a request was refused or cut, so that the fault was met at all.
func met(r *run) {
	for _, q := range r.since() {
		if q.Status == 0 || q.Status >= 300 {
			return
		}
	}
	r.expect(false, "the fault was never met")
}

// allowed wants no duplicates but those of some classes.
func allowed(r *run, classes []audit.Class) {
	for class, n := range r.end.Duplicates {
		r.expect(n == 0 || slices.Contains(classes, class), "%d duplicates of %s", n, class)
	}
}

// emptied wants nothing left for replay.
func emptied(r *run) {
	r.expect(r.end.Pending == 0 && r.end.Stored["pending"] == 0, "%d lines in %d objects are pending still",
		r.end.Pending, r.end.Stored["pending"])
}
