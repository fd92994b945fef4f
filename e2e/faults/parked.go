package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/rig"
	"sluice/e2e/stack/intake"
)

// F28.
func replays() row {
	return row{
		id: "F28", fault: "replay: two runs at once, leases that end, broken objects, more than 1,000, one destination down",
		end: "nothing twice beyond D3; broken objects are put aside; the others drain (F17 kills it; the crash matrix at each step)",
		cells: []cell{
			{
				on: []path{replay}, short: []path{replay}, what: "two runs at once", lines: 2000, options: spread, deliver: twoRuns,
				then: []expectation{deliveredAtOnce, neverDead, deliveredAll},
			},
			{
				on: []path{replay}, what: "leases end while a run stands still", lines: 2000, options: spread, inject: slowIntake,
				deliver: expiring, allow: []audit.Class{audit.D3},
				then: []expectation{neverDead, deliveredAll},
			},
			{
				on: []path{replay}, what: "broken objects among them", inject: breakObjects,
				then: []expectation{deliveredAtOnce, deliveredAll, func(r *run) {
					r.expect(r.end.Corrupt == brokenObjects, "%d objects are put aside as broken instead of %d", r.end.Corrupt, brokenObjects)
				}},
			},
			{
				on: []path{replay}, what: "more than 1,000 objects", lines: 1010, options: oneEach,
				then: []expectation{neverDead, manyParked, deliveredAll},
			},
			{
				on: []path{replay}, what: "one destination down", options: two,
				inject: func(r *run) error {
					r.Intake("copy").SetScript(intake.Always(intake.Refuse(http.StatusServiceUnavailable)))
					return nil
				},
				then: []expectation{healthyWhole, otherParked, neverDead, deliveredAll},
			},
		},
		not: []exception{{ingesting(), "they read nothing that is parked"}, {[]path{transform}, "it reads nothing that is parked"}},
	}
}

// twoRuns has two processes replay at once.
func twoRuns(r *run) error {
	faults := make(chan error, 2)
	for i := range 2 {
		go func() {
			_, err := r.InvokeReplayIn(r.ctx, rig.ReplayFunction.Environment(1+i), rig.PendingEvent)
			faults <- err
		}()
	}
	return errors.Join(<-faults, <-faults, r.Replay(r.ctx))
}

// expiring has one run stand still until its leases are over, while another one takes what it has.
func expiring(r *run) error {
	ended := make(chan struct{})
	faults := make(chan error, 1)
	go func() {
		defer close(ended)
		_, err := r.InvokeReplay(r.ctx, rig.PendingEvent)
		faults <- err
	}()
	first, err := r.Function(rig.ReplayFunction)
	if err != nil || !r.arrive(ended, r.lines/4) {
		return errors.Join(err, <-faults)
	}
	err = errors.Join(first.Freeze(), r.ExpireLeases(r.ctx))
	_, other := r.InvokeReplayIn(r.ctx, rig.ReplayFunction.Environment(2), rig.PendingEvent)
	time.Sleep(100 * time.Millisecond)
	return errors.Join(err, other, first.Thaw(), <-faults, r.Replay(r.ctx))
}

const brokenObjects = 3

// breakObjects puts broken objects beside those that are parked: no gzip, a part of one, and one whose bytes changed.
func breakObjects(r *run) error {
	keys, err := r.Pending(r.ctx)
	if err != nil || len(keys) == 0 {
		return errors.Join(err, fmt.Errorf("%d objects are pending", len(keys)))
	}
	good, err := r.S3.Get(r.ctx, r.ParkBucket, keys[0])
	if err != nil {
		return err
	}
	folder := keys[0][:strings.LastIndex(keys[0], "/")+1]
	changed := append([]byte{}, good...)
	changed[len(changed)/2] ^= 0xff
	for i, body := range [][]byte{[]byte("no object"), good[:len(good)/2], changed} {
		key := fmt.Sprintf("%s%010d-%s.a01.jsonl.gz", folder, time.Now().Unix(), strings.Repeat(string(rune('A'+i)), 26))
		if _, err := r.S3.PutObject(r.ctx, r.ParkBucket, key, strings.NewReader(string(body))); err != nil {
			return err
		}
	}
	return nil
}

// oneEach has every line parked in an object of its own.
func oneEach(_ *run, o *rig.Options) error {
	o.Destinations[0].HTTP = true
	o.Destinations[0].Settings = []string{"max_records: 1"}
	return nil
}

func manyParked(r *run) {
	gone := 0
	for _, q := range r.S3.Requests() {
		if q.Method == http.MethodDelete && hasFolder(q.Key, "pending") {
			gone++
		}
	}
	r.expect(gone > 1000, "%d objects were replayed, not more than 1,000", gone)
}

// hasFolder says whether a key of the park store is in that folder.
func hasFolder(key, folder string) bool { return strings.Contains(key, "/v1/"+folder+"/") }
