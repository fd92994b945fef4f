package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/e2e/stack/owner"
)

// passage is which ways were taken in a run: what a soak has not passed through, it says nothing about.
type passage struct {
	states   map[string]int // steps in each state of the surroundings
	parked   map[string]int // lines by reason; a pointer is one
	returned map[string]int // lines by reason
	outcomes map[string]int // deliveries
	kept     int            // events that Lambda or Kinesis gave up, kept in the park bucket
	redriven int            // messages that came back from the dead-letter queue
	rests    int            // messages that went on with an object
	returns  int            // objects of what Firehose failed with
}

// passage counts the ways of a run.
func (e *evidence) passage(sent *claims) passage {
	p := passage{parked: map[string]int{}, returned: map[string]int{}, outcomes: map[string]int{}}
	for i := range sent.ledgers {
		d := sent.ledgers[i].Destinations[sent.destination]
		add(p.parked, d.Parked)
		add(p.returned, d.Returned)
	}
	for _, list := range [][]owner.Delivery{e.history, e.transforms} {
		for i := range list {
			p.outcomes[string(list[i].Outcome)]++
			p.rests += len(list[i].Continued)
		}
	}
	for _, list := range [][]owner.Failure{e.failures, e.replayed} {
		for i := range list {
			if list[i].Key != "" {
				p.kept++
			}
		}
	}
	return p
}

func add(to, from map[string]int) {
	for name, n := range from {
		to[name] += n
	}
}

// String is a few lines for people.
func (p *passage) String() string {
	return fmt.Sprintf("steps: %s\nparked lines: %s\nreturned lines: %s\ndeliveries: %s\n"+
		"given up by Lambda or Kinesis: %d, dead letters redriven: %d, rests of objects: %d, objects of what Firehose failed with: %d",
		list(p.states), list(p.parked), list(p.returned), list(p.outcomes), p.kept, p.redriven, p.rests, p.returns)
}

// list is counts by name, in the order of the names.
func list(counts map[string]int) string {
	words := make([]string, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, fmt.Sprintf("%s %d", name, counts[name]))
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
