package main

import (
	"fmt"

	"sluice/e2e/audit"
	"sluice/e2e/stack"
	"sluice/e2e/stack/owner"
)

// streamDestination is what the ledger lines of a transformation call the delivery stream its lines go to.
const streamDestination = "firehose"

// claims holds the functions' ledger lines against themselves, against what arrived and against the deliveries there were.
// Everything is of one destination.
type claims struct {
	destination string
	ledgers     []stack.Ledger
	history     []owner.Delivery
	replays     []audit.Replay
	arrivals    []arrival
	all         bool // a line that was claimed has arrived; else it may have come back to its owner with the whole answer
}

// check returns what contradicts.
func (c *claims) check() []string {
	var problems []string
	printed := map[string]bool{}
	claimed := 0
	for _, l := range c.ledgers {
		printed[l.RequestID] = true
		d, found := l.Destinations[c.destination]
		switch {
		case !found:
			problems = append(problems, fmt.Sprintf("invocation %s: no counts for destination %s", l.RequestID, c.destination))
		case !d.Balanced():
			problems = append(problems, fmt.Sprintf("invocation %s: in is not delivered + dropped + parked + returned", l.RequestID))
		case l.Unaccounted != 0:
			problems = append(problems, fmt.Sprintf("invocation %s: %d lines unaccounted", l.RequestID, l.Unaccounted))
		}
		claimed += d.Delivered
	}
	answered := 0
	for i := range c.arrivals {
		if c.arrivals[i].answered {
			answered += c.arrivals[i].lines
		}
	}
	if c.all && claimed > answered {
		problems = append(problems, fmt.Sprintf("%s: the functions count %d lines delivered, %d were answered for",
			c.destination, claimed, answered))
	}
	return append(problems, c.silent(printed)...)
}

// silent are the invocations that finished and printed no ledger line.
func (c *claims) silent(printed map[string]bool) []string {
	var problems []string
	look := func(d *owner.Delivery) {
		if d.Outcome != owner.Ended && !printed[d.RequestID] {
			problems = append(problems, fmt.Sprintf("invocation %s finished and printed no ledger line", d.RequestID))
		}
	}
	for i := range c.history {
		look(&c.history[i])
	}
	for i := range c.replays {
		look(&c.replays[i].Delivery)
	}
	return problems
}
