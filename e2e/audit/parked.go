package audit

import (
	"slices"

	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// ParkStore is what the park store holds for the destination.
type ParkStore struct {
	Objects int             // items and pointers, pending or dead, and raw input
	Pending []generate.Line // a line as often as there are objects that hold it
	Dead    []generate.Line // likewise

	// Loose and Raw are the lines of payloads of which a part is kept, as a pointer to bytes that no line could be told
	// of, and as raw input. They account for a line that is nowhere else.
	Loose []generate.Line
	Raw   []generate.Line

	// Puts bound how many records were written over time; nil where nobody watched: Objects is held against the function's
	// counts then.
	Puts *Puts
}

// Puts are the writes to pending/ and dead/ for one destination, in records, of which a pointer counts as one.
type Puts struct {
	Least int // written for the first time, and known to have been
	Most  int // with those that were there already or got no answer
}

// Replay is one invocation of the function that sends parked objects again.
type Replay struct {
	owner.Delivery
	Expired bool // it stood still for longer than its leases lasted

	// Kept are the payloads of which it had to write something to the park store, or to delete, and was refused. What was
	// parked of them stayed as it was, with what the intake had taken of it.
	Kept []string
	// Doubled are the payloads of which it parked again what was left of an object, and did not come to delete the object.
	Doubled []string
}

// held counts how often the store holds a line.
type held struct{ pending, dead int }

func (p *ParkStore) held() map[generate.Line]held {
	count := map[generate.Line]held{}
	if p == nil {
		return count
	}
	for _, line := range p.Pending {
		h := count[line]
		h.pending++
		count[line] = h
	}
	for _, line := range p.Dead {
		h := count[line]
		h.dead++
		count[line] = h
	}
	return count
}

func setOf(lines []generate.Line) map[generate.Line]bool {
	set := make(map[generate.Line]bool, len(lines))
	for _, line := range lines {
		set[line] = true
	}
	return set
}

// cause is a reason for which a line may be somewhere once more, and how often.
type cause struct {
	class Class
	n     int
}

// settleParked finds a cause for every place of a line that replay or the park store adds to where the function itself put
// it. A copy without a cause is an unexplained duplicate; a parked one is a contradiction.
func (r *Report) settleParked(line generate.Line, a arrival, in held, causes []cause) {
	copies, parked := len(a.replayed), in.pending+in.dead
	if len(a.intake)+len(a.endpoint) == 0 { // one of them is where the line has come to
		if copies > 0 {
			copies--
		} else {
			parked--
		}
	}
	for _, c := range causes {
		n := min(c.n, max(0, copies))
		r.duplicate(line, c.class, n)
		copies, c.n = copies-n, c.n-n
		parked -= min(c.n, max(0, parked))
	}
	r.duplicate(line, Unexplained, max(0, copies))
	switch {
	case parked <= 0:
	case a.any():
		r.problem("%s was delivered, and the park store holds it without a cause", name(line))
	default:
		r.problem("%s is parked %d times, and nothing repeated it", name(line), in.pending+in.dead)
	}
}

// causes are the reasons for which replay or the park store may have a line once more, strongest first. ambiguous is how
// many copies classify took for lost answers.
func (e *Evidence) causes(line generate.Line, a arrival, deliveries []delivery, given []owner.Failure, ambiguous int) []cause {
	lost := -ambiguous
	for _, entry := range slices.Concat(a.intake, a.replayed) {
		if !entry.Answered {
			lost++
		}
	}
	list := []cause{{D2, max(0, lost)}, {D3, e.replayedAndForgotten(line, a.replayed) + e.doubled(line)}}

	repeats, brought := 0, max(0, len(a.intake)-ambiguous)
	class := D4
	for i, d := range deliveries {
		if !d.fresh || failedBefore(deliveries[:i]) {
			repeats += d.times
		}
		if class == D4 && (d.Outcome != owner.Taken || d.Firehose) {
			class = again(d.Delivery)
		}
	}
	list = append(list, cause{class, max(0, repeats-max(1, brought))})
	if len(given) > 0 && len(deliveries) > 0 {
		list = append(list, cause{again(deliveries[len(deliveries)-1].Delivery), len(given)})
	}
	return list
}

// replayedAndForgotten counts the copies of a line that a replay sent and could not note: it ended, or lost its leases, or
// the park store refused it.
func (e *Evidence) replayedAndForgotten(line generate.Line, copies []intake.Entry) int {
	n := 0
	for _, entry := range copies {
		for _, replay := range e.Replays {
			forgotten := replay.Expired || replay.Outcome == owner.Ended || slices.Contains(replay.Kept, line.Payload)
			if forgotten && !entry.At.Before(replay.Started) && !entry.At.After(replay.Finished) {
				n++
				break
			}
		}
	}
	return n
}

// doubled counts the replays that left a line parked once more than they found it.
func (e *Evidence) doubled(line generate.Line) int {
	n := 0
	for _, replay := range e.Replays {
		if slices.Contains(replay.Doubled, line.Payload) {
			n++
		}
	}
	return n
}

// claimedParked is what the function says it parked. A pointer counts as one line, as often as it was written.
func claimedParked(e Evidence) int {
	claimed := 0
	for _, ledger := range e.Ledgers {
		claimed += stack.Sum(ledger.Destinations[e.Destination].Parked)
	}
	return claimed
}

// compareParked holds the park store against the ledger lines. A process that ends may have written something without
// having said so.
func (r *Report) compareParked(e Evidence) {
	if e.Parked == nil {
		return
	}
	ended := slices.ContainsFunc(e.History, func(d owner.Delivery) bool { return d.Outcome == owner.Ended })
	claimed := claimedParked(e)
	if puts := e.Parked.Puts; puts != nil {
		if claimed > puts.Most || claimed < puts.Least && !ended {
			r.problem("%s: the function counts %d records parked, the store was given %d to %d", e.Destination, claimed, puts.Least, puts.Most)
		}
		return
	}
	if claimed < e.Parked.Objects && !ended || claimed > 0 && e.Parked.Objects == 0 {
		r.problem("%s: the function counts %d pointers parked, the store holds %d", e.Destination, claimed, e.Parked.Objects)
	}
}
