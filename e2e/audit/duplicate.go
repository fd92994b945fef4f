package audit

import (
	"slices"
	"sort"
	"strings"

	"sluice/e2e/generate"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// delivery is one that handed over a certain payload.
type delivery struct {
	owner.Delivery
	times int  // the payload was named in it: a batch may announce an object more than once
	fresh bool // it hands over another part of the payload: nothing is repeated by it
}

// byPayload lists the deliveries of each payload in the order they were made.
func byPayload(history []owner.Delivery) map[string][]delivery {
	deliveries := map[string][]delivery{}
	for _, d := range history {
		times := map[string]int{}
		for _, id := range d.Payloads {
			times[id]++
		}
		for id, n := range times {
			deliveries[id] = append(deliveries[id], delivery{d, n, n == 1 && slices.Contains(d.Continued, id)})
		}
	}
	for _, list := range deliveries {
		slices.SortStableFunc(list, func(a, b delivery) int { return a.Started.Compare(b.Started) })
	}
	return deliveries
}

// classify finds a cause for every copy of a line but the first. Within one delivery a payload that was announced again
// (D4) and a lost answer (D2) explain one more copy each; a later delivery explains one copy more (D1, D4, D6). It returns
// how many copies it took for lost answers.
func (r *Report) classify(line generate.Line, copies []intake.Entry, deliveries []delivery) (lost int) {
	if len(copies) < 2 {
		return 0
	}
	earlier := -1 // the last delivery before this one that brought a copy
	for i, part := range perDelivery(copies, deliveries) {
		if len(part) == 0 {
			continue
		}
		if earlier >= 0 {
			r.duplicate(line, repeated(deliveries, earlier, i), 1)
		}
		surplus := len(part) - 1
		if i < len(deliveries) {
			named := min(surplus, deliveries[i].times-1)
			r.duplicate(line, D4, named)
			surplus -= named
		}
		ambiguous := min(surplus, lostAnswers(part))
		r.duplicate(line, D2, ambiguous)
		r.duplicate(line, Unexplained, surplus-ambiguous)
		lost += ambiguous
		earlier = i
	}
	return lost
}

// repeated is why a delivery repeated the lines of an earlier one. One that goes on with an object repeats nothing, unless
// something went wrong before.
func repeated(deliveries []delivery, earlier, now int) Class {
	if deliveries[now].fresh && !failedBefore(deliveries[:now]) {
		return Unexplained
	}
	return again(deliveries[earlier].Delivery)
}

func failedBefore(deliveries []delivery) bool {
	return slices.ContainsFunc(deliveries, func(d delivery) bool { return d.Outcome != owner.Taken })
}

func (r *Report) duplicate(line generate.Line, class Class, n int) {
	if n == 0 {
		return
	}
	r.Duplicates[class] += n
	r.example(string(class), name(line))
}

// perDelivery assigns each copy to the last delivery that had started when it arrived. Without any delivery all copies
// count as one.
func perDelivery(copies []intake.Entry, deliveries []delivery) [][]intake.Entry {
	parts := make([][]intake.Entry, max(1, len(deliveries)))
	for _, entry := range copies {
		after := sort.Search(len(deliveries), func(i int) bool { return deliveries[i].Started.After(entry.At) })
		at := max(0, after-1)
		parts[at] = append(parts[at], entry)
	}
	return parts
}

// again is why a delivery that followed d repeated its lines.
func again(d owner.Delivery) Class {
	switch {
	case d.Firehose:
		return D5
	case d.Outcome == owner.Ended:
		return D1
	case d.Stream && d.Outcome != owner.Taken:
		return D6
	default:
		return D4
	}
}

// lostAnswers counts the copies whose answer never left and that a copy of the same batch, or of a part of it, followed.
func lostAnswers(copies []intake.Entry) int {
	n := 0
	for i, entry := range copies {
		for _, later := range copies[i+1:] {
			if !entry.Answered && root(entry.Batch) == root(later.Batch) {
				n++
				break
			}
		}
	}
	return n
}

// root is the id of the batch a part was split from: a split gives "<id>.0" and "<id>.1".
func root(batch string) string {
	id, _, _ := strings.Cut(batch, ".")
	return id
}
