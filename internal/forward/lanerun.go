package forward

import (
	"context"
	"slices"

	"sluice/internal/batch"
	"sluice/internal/deliver"
	"sluice/internal/ledger"
	"sluice/internal/record"
)

// laneRun is the way of this invocation's records to one destination.
type laneRun struct {
	reshape   func(r *record.Record) []*record.Record // nil for a destination that takes records as they are
	lane      *lane
	account   *ledger.Account
	builder   *batch.Builder
	flight    *deliver.Flight
	taken     int     // items that are to be sent, counted before anything is done with them
	emitted   int     // of these, those in batches
	elsewhere bool    // the route of the record that is forwarded has other destinations
	closed    bool    // takes nothing of the object that is being read, or no more
	down      bool    // its destination is in trouble: sending it more is in vain
	base      int     // batches that were submitted before the object was begun
	at        int64   // records of the object that is being read, up to and with the one that is being added
	cuts      []int64 // of each batch since the object was begun: the records of the object that are in it or in one before
}

// open starts a flight to each destination, in place of those that there were.
func (inv *invocation) open(window int, lanes ...*lane) {
	inv.lanes, inv.chosen = inv.lanes[:0], nil
	for _, l := range lanes {
		o := deliver.FlightOptions{Account: inv.ledger.Account(l.sender.Destination().ID()), Window: window, Store: inv.store}
		if inv.f.park != nil {
			o.Parker = &laneParker{inv: inv, lane: l}
		}
		inv.lanes = append(inv.lanes, l.run(inv.ctx, o))
	}
	if len(inv.lanes) > 0 {
		inv.counted = inv.lanes[0].account
	}
}

// run opens a lane for one invocation.
func (l *lane) run(ctx context.Context, options deliver.FlightOptions) *laneRun {
	r := &laneRun{lane: l, reshape: l.reshape, account: options.Account, builder: l.builder, flight: l.sender.Start(ctx, options)}
	l.builder.Start(func(b *batch.Batch) { //nolint:contextcheck // the flight has the context it was started with
		r.emitted += b.Count()
		r.cuts = append(r.cuts, r.at-1) // the record that is being added may be in the next one
		r.flight.Submit(b)
	})
	return r
}

// choose sends the records to come to these destinations; nil stands for all.
func (inv *invocation) choose(destinations []string) {
	if len(destinations) == len(inv.chosen) && (len(destinations) == 0 || &destinations[0] == &inv.chosen[0]) {
		return
	}
	inv.chosen = destinations
	for _, lane := range inv.lanes {
		lane.elsewhere = len(destinations) > 0 && !slices.Contains(destinations, lane.lane.place.ID)
	}
}

// add gives a record to the destinations that are chosen.
func (inv *invocation) add(r *record.Record, unit int) {
	for _, lane := range inv.lanes {
		switch {
		case lane.closed:
		case lane.elsewhere:
			lane.account.In(1)
			lane.account.Dropped(ledger.RouteElsewhere, 1)
		default:
			lane.add(r, unit)
		}
	}
}

// add gives a record to the destination, in the shape that it wants.
func (l *laneRun) add(r *record.Record, unit int) {
	if l.reshape == nil {
		l.take(r, unit)
		return
	}
	for _, r := range l.reshape(r) {
		l.take(r, unit)
	}
}

func (l *laneRun) take(r *record.Record, unit int) {
	l.taken++
	added := l.builder.Add(r, unit)
	l.taken += max(added.Items-1, 0)
	if marks := added.Marks | r.Marks; marks != 0 {
		for _, name := range marks.Names() {
			l.account.Marked(name, 1)
		}
	}
}
