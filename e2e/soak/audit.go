package main

import (
	"slices"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// evidence is all that is known of a run, in the compact form.
type evidence struct {
	payloads   []payload
	intake     []arrival
	archived   []arrival // at the end of the delivery stream
	history    []owner.Delivery
	transforms []owner.Delivery // of the delivery stream
	failures   []owner.Failure  // that their keeper still has
	replayed   []owner.Failure  // that replay has taken from it
	replays    []audit.Replay
	parked     audit.ParkStore // what is left in it, usually nothing
	problems   []string        // of the park store
}

// windowLines is how many lines are audited at once: what bounds the memory of an audit.
const windowLines = 50_000

// counts are the sums over all windows.
type counts struct {
	In, Delivered, Parked, Dead, Returned, Lost, Corrupted, Unknown int

	Duplicates map[audit.Class]int
	Problems   []string
	Examples   map[string][]string
}

// add sums a window up.
func (c *counts) add(r *audit.Report) {
	c.In += r.In
	c.Delivered += r.Delivered
	c.Parked += r.Parked
	c.Dead += r.Dead + r.DeadRaw
	c.Returned += r.Returned
	c.Lost += r.Lost
	c.Corrupted += r.Corrupted
	c.Unknown += r.Unknown
	for class, n := range r.Duplicates {
		c.Duplicates[class] += n
	}
	for _, problem := range r.Problems {
		c.problem(problem)
	}
	for kind, list := range r.Examples {
		c.Examples[kind] = append(c.Examples[kind], list[:min(len(list), max(0, maxExamples-len(c.Examples[kind])))]...)
	}
}

const maxExamples = 10

func (c *counts) problem(text string) {
	if len(c.Problems) < maxExamples {
		c.Problems = append(c.Problems, text)
	}
}

// piece is a part of an arrival that belongs to one window.
type piece struct {
	from *arrival
	run  stretch
}

// join audits a run, window by window.
func (e *evidence) join(linesOfWindow int) *counts {
	c := &counts{Duplicates: map[audit.Class]int{}, Examples: map[string][]string{}}
	list := windows(e.payloads, linesOfWindow)
	atIntake, atArchive := pieces(list, e.intake), pieces(list, e.archived)
	history, transforms := newIndex(e.history), newIndex(e.transforms)
	for i, w := range list {
		ids := map[string]bool{}
		for _, p := range w.payloads {
			ids[p.id] = true
		}
		given := history.of(w.payloads)
		transformed := transforms.of(w.payloads)
		c.add(audit.Join(audit.Evidence{
			Destination: destination,
			Lines:       linesOf(w.payloads),
			Entries:     entriesOf(atIntake[i]),
			History:     given,
			Ledgers:     placeholders(given, destination),
			Failures:    failuresOf(e.failures, ids),
			Replayed:    failuresOf(e.replayed, ids),
			Replays:     e.replays,
			Sender:      replaySender,
			Parked:      e.leftOf(ids),
			Stream: &audit.Stream{
				Entries: entriesOf(atArchive[i]), History: transformed, Ledgers: placeholders(transformed, streamDestination),
			},
		}))
	}
	return c
}

// pieces divides arrivals among windows.
func pieces(list []window, from []arrival) [][]piece {
	parts := make([][]piece, len(list))
	if len(list) == 0 {
		return parts
	}
	for i := range from {
		for _, r := range from[i].runs {
			for r.n > 0 {
				at := windowOf(list, r.first)
				part := r
				if at+1 < len(list) {
					part.n = min(r.n, list[at+1].payloads[0].first-r.first)
				}
				parts[at] = append(parts[at], piece{&from[i], part})
				r.first, r.n = r.first+part.n, r.n-part.n
			}
		}
	}
	return parts
}

func linesOf(payloads []payload) []generate.Line {
	var lines []generate.Line
	for _, p := range payloads {
		for seq := p.first; seq < p.first+p.n; seq++ {
			lines = append(lines, p.line(seq))
		}
	}
	return lines
}

func entriesOf(parts []piece) []intake.Entry {
	var entries []intake.Entry
	for _, p := range parts {
		for seq := p.run.first; seq < p.run.first+p.run.n; seq++ {
			entries = append(entries, intake.Entry{
				Mark: generate.Mark{Src: p.run.src, Seq: seq}, Intact: true,
				Batch: p.from.batch, Request: p.from.number, At: p.from.at, Answered: p.from.answered, Sender: p.from.sender,
			})
		}
	}
	return entries
}

// placeholders are a ledger line for each delivery that finished, with nothing in it: deliveries are shared by windows, so
// the ledger lines are held against the whole run.
func placeholders(history []owner.Delivery, of string) []stack.Ledger {
	var list []stack.Ledger
	for _, d := range history {
		if d.Outcome != owner.Ended {
			list = append(list, stack.Ledger{RequestID: d.RequestID, Destinations: map[string]stack.Destination{of: {}}})
		}
	}
	return list
}

// failuresOf are those that have to do with some payloads.
func failuresOf(list []owner.Failure, ids map[string]bool) []owner.Failure {
	var some []owner.Failure
	for _, f := range list {
		if slices.ContainsFunc(f.Payloads, func(id string) bool { return ids[id] }) {
			some = append(some, f)
		}
	}
	return some
}

// leftOf is what is left of some payloads in the park store.
func (e *evidence) leftOf(ids map[string]bool) *audit.ParkStore {
	mine := func(lines []generate.Line) []generate.Line {
		return slices.DeleteFunc(slices.Clone(lines), func(l generate.Line) bool { return !ids[l.Payload] })
	}
	return &audit.ParkStore{
		Pending: mine(e.parked.Pending), Dead: mine(e.parked.Dead), Loose: mine(e.parked.Loose), Raw: mine(e.parked.Raw),
	}
}

// deliveryIndex finds the deliveries of payloads.
type deliveryIndex struct {
	list []owner.Delivery
	by   map[string][]int // payload
}

func newIndex(history []owner.Delivery) deliveryIndex {
	x := deliveryIndex{list: history, by: map[string][]int{}}
	for i, d := range history {
		for _, id := range d.Payloads {
			x.by[id] = append(x.by[id], i)
		}
	}
	return x
}

// of is the deliveries of payloads, each once, in their order.
func (x *deliveryIndex) of(payloads []payload) []owner.Delivery {
	var at []int
	for _, p := range payloads {
		at = append(at, x.by[p.id]...)
	}
	slices.Sort(at)
	at = slices.Compact(at)
	list := make([]owner.Delivery, 0, len(at))
	for _, i := range at {
		list = append(list, x.list[i])
	}
	return list
}

// missing are the payloads of which a line has come nowhere.
func missing(payloads []payload, linesOfWindow int, ends ...[]arrival) []payload {
	list := windows(payloads, linesOfWindow)
	parts := make([][][]piece, len(ends))
	for i, end := range ends {
		parts[i] = pieces(list, end)
	}
	var some []payload
	for i, w := range list {
		seen := map[int]bool{}
		for _, end := range parts {
			for _, p := range end[i] {
				for seq := p.run.first; seq < p.run.first+p.run.n; seq++ {
					seen[seq] = true
				}
			}
		}
		for _, p := range w.payloads {
			for seq := p.first; seq < p.first+p.n; seq++ {
				if !seen[seq] {
					some = append(some, p)
					break
				}
			}
		}
	}
	return some
}
