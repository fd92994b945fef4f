package main

import (
	"strings"
	"time"

	"sluice/e2e/rig"
)

// F32.
func clocks() row {
	return row{
		id: "F32", fault: "clocks a day off, events of 19 and 30 hours ago",
		end: "delivered; what Datadog does not index at its date is sent without it and tagged late:true; what grows too old" +
			" while it is parked is dead(too_old)",
		cells: []cell{
			aged("a day ahead", 24*time.Hour, notLate), aged("a day behind", -24*time.Hour, late),
			aged("19 hours old", -19*time.Hour, late), aged("30 hours old", -30*time.Hour, late),
			{
				on: []path{replay}, what: "too old while parked", lines: 250, inject: grow,
				options: func(_ *run, o *rig.Options) error {
					o.EventTime = time.Now().Add(-mostAge + ageSpread + ageLeft)
					return nil
				},
				then: []expectation{deadAre(250), deadObjects(1)},
			},
		},
	}
}

const (
	mostAge   = 18 * time.Hour // Datadog's, of an event that is indexed at its date
	ageSpread = time.Minute    // of generated events
	ageLeft   = 4 * time.Second
)

// aged is a cell with events of another time.
func aged(what string, by time.Duration, how expectation) cell {
	c := cell{
		on: paths(), what: what, lines: 500,
		options: func(_ *run, o *rig.Options) error {
			o.EventTime = time.Now().Add(by)
			return nil
		},
		then: []expectation{inTime, neverDead, how, deliveredAll},
	}
	if by == -30*time.Hour {
		c.short = []path{cloudWatch}
	}
	return c
}

// late wants every event of CloudWatch Logs without its date, and tagged; plain lines of objects have no date.
func late(r *run) { r.lateness(true) }

func notLate(r *run) { r.lateness(false) }

func (r *run) lateness(want bool) {
	if r.path == transform || r.path == s3Direct || r.path == s3Queue {
		return // what is at the end of a stream is looked at by the audit alone
	}
	wrong := 0
	for _, entry := range r.Intake().Entries() {
		if strings.Contains(entry.Tags, "late:true") != want {
			wrong++
		}
	}
	r.expect(wrong == 0, "%d lines are tagged late:true wrongly, or are not", wrong)
}

// grow waits until what is parked is too old.
func grow(*run) error {
	time.Sleep(ageLeft + time.Second)
	return nil
}
