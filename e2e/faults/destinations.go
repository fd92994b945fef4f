package main

import (
	"net/http"

	"sluice/e2e/rig"
	"sluice/e2e/stack/intake"
)

// F29.
func neighbours() row {
	return row{
		id: "F29", fault: "two destinations, one of them down", end: "the healthy one gets each line once; the other's are parked",
		cells: []cell{{
			on: senders(), short: []path{s3Queue}, what: "the second is down", options: two,
			inject: func(r *run) error {
				r.Intake("copy").SetScript(intake.Always(intake.Refuse(http.StatusServiceUnavailable)))
				return nil
			},
			then: []expectation{inTime, healthyWhole, otherParked, neverDead, deliveredAll},
		}},
		not: []exception{{[]path{transform}, sendsNothing}},
	}
}

func two(_ *run, o *rig.Options) error {
	o.Destinations = append(o.Destinations, rig.Destination{ID: "copy", HTTP: true})
	return nil
}

// healthyWhole wants every line at the healthy destination before the other one is well, and none twice.
func healthyWhole(r *run) {
	main, want := r.mid.Destinations["main"], r.deliverable()/len(r.ids)
	r.expect(main.Delivered == want && main.TotalDuplicates() == 0, "%d of %d lines are at the healthy destination, %d twice",
		main.Delivered, want, main.TotalDuplicates())
	r.expect(r.end.Destinations["main"].TotalDuplicates() == 0, "replay has sent lines to the healthy destination again")
}

// otherParked wants every line parked for the destination that is down.
func otherParked(r *run) {
	other, want := r.mid.Destinations["copy"], r.deliverable()/len(r.ids)
	r.expect(other.Parked == want && other.Delivered == 0, "%d of %d lines are parked for the other destination", other.Parked, want)
}
