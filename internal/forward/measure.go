package forward

import (
	"time"

	"sluice/internal/ledger"
	"sluice/internal/park"
)

// measure reports how much is parked, for the alarms.
func (r *replay) measure() error {
	var g ledger.Gauges
	ids, err := r.shelf.Destinations(r.inv.store, park.Pending)
	if err != nil {
		return err
	}
	for _, id := range ids {
		oldest := r.inv.f.now()
		tried := 0
		for e, err := range r.shelf.Entries(r.inv.store, park.Pending, id, "", time.Time{}) {
			if err != nil {
				return err
			}
			g.PendingObjects++
			since := e.LastModified
			if e.Attempt > 1 && tried < maxLooks { // it was written anew
				tried++
				since = r.firstFailure(e)
			}
			if since.Before(oldest) {
				oldest = since
			}
		}
		g.PendingOldest = max(g.PendingOldest, r.inv.f.now().Sub(oldest))
	}
	for _, state := range []park.State{park.Dead, park.DeadRaw} {
		for _, err := range r.shelf.Entries(r.inv.store, state, "", "", time.Time{}) {
			if err != nil {
				return err
			}
			g.DeadObjects++
		}
	}
	_, _ = r.inv.f.out.Write(g.AppendEMF(nil, r.inv.f.function.Name, r.inv.f.now()))
	return nil
}

// maxLooks is how many objects of a destination are read to tell their age. A run writes anew one object of a destination
// that is in trouble and leaves the others, so there are few.
const maxLooks = 10

// firstFailure is when what is in an object first failed, or when the object was written.
func (r *replay) firstFailure(e park.Entry) time.Time {
	o, err := r.shelf.Get(r.inv.store, e)
	if err != nil {
		return e.LastModified
	}
	return o.Header.FirstFailedAt
}
