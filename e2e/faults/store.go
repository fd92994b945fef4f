package main

import (
	"net/http"

	"sluice/e2e/rig"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// F15.
func storage() row {
	return row{
		id: "F15", fault: "S3 asks for less, on reading and on parking; the park bucket is gone",
		end: "reading is tried again; what cannot be parked is returned, and never acknowledged",
		cells: []cell{
			{
				on: []path{s3Direct, s3Queue, replay}, what: "GET 503 twice", lines: 250, feed: objectsOrPointers, inject: slowTwice,
				then: []expectation{deliveredAtOnce, neverDead, deliveredAll},
			},
			oneObject(forbidden("GET 503 until the end", bucket.SlowDown())),
			unparked("PUT 503", []path{replay}, bucket.Rule{Method: http.MethodPut, Step: bucket.SlowDown()}),
			unparked("park bucket gone", []path{cloudWatch, kinesis}, bucket.Rule{
				Step: bucket.Refuse(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist"),
			}),
		},
		not: []exception{{[]path{transform}, "the transformation alone parks nothing"}},
	}
}

// oneObject is a cell with one object: the SDK's waits after a 503 are seconds for each.
func oneObject(c cell) cell {
	c.lines = 250
	return c
}

// slowTwice has the first readings of each object refused.
func slowTwice(r *run) error {
	refused := map[string]int{}
	r.S3.SetScript(func(a bucket.Arrival) bucket.Step {
		if a.Method != http.MethodGet || a.Bucket != r.LogBucket || refused[a.Key] == 2 {
			return bucket.Step{}
		}
		refused[a.Key]++
		return bucket.SlowDown()
	})
	return nil
}

// unparked is a cell in which neither the destination nor the park store takes anything.
func unparked(what string, short []path, rule bucket.Rule) cell {
	return cell{
		on: senders(), short: short, what: what, lines: 250,
		options: func(_ *run, o *rig.Options) error {
			o.Mapping.MaxRetries = 1
			return nil
		},
		inject: func(r *run) error {
			rule.Bucket = r.ParkBucket
			r.S3.SetScript(bucket.Rules(rule))
			r.Intake().SetScript(intake.Always(intake.Refuse(http.StatusServiceUnavailable)))
			return nil
		},
		then: []expectation{heldByOwner, neverAcknowledged, neverDead, redelivered},
	}
}

// heldByOwner wants all lines where they were: with their owner, or parked before.
func heldByOwner(r *run) {
	if r.path == replay {
		parkedAll(r)
		return
	}
	returnedAll(r)
}

// neverAcknowledged wants that the owner was never told that something was done with.
func neverAcknowledged(r *run) {
	for _, d := range r.history() {
		r.expect(d.Finished.After(r.mended) || d.Outcome != owner.Taken, "attempt %d was acknowledged", d.Attempt)
	}
}

// redelivered wants everything delivered that replay can get at: a dead-letter queue is redriven by hand. What a delivery
// stream gave up comes by the queue too.
func redelivered(r *run) {
	if r.path == s3Queue || r.path == tee {
		r.expect(r.end.Returned == r.deliverable(), "%d lines are in the dead-letter queue at last", r.end.Returned)
		return
	}
	deliveredAll(r)
}
