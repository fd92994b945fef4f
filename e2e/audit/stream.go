package audit

import (
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// transformation is what the ledger lines of a transformation call the delivery stream its lines go to.
const transformation = "firehose"

// Stream is what is known of the delivery stream in front. A line of it arrives at the endpoint of the stream or, as what
// Firehose failed with comes back as objects, at the intake.
type Stream struct {
	Ledgers  []stack.Ledger   // of the transformation
	History  []owner.Delivery // invocations of the transformation
	Entries  []intake.Entry   // what the endpoint took; their batch is the id of a request
	Reingest bool             // the transformation puts records back into the stream
}

// classifyStream finds a cause for the surplus copies that Firehose made of a line, and returns those that are left for the
// owner of the failed objects to explain. A copy whose answer was lost is sent again by Firehose, or written to a failed
// object. repeats is how many copies may have been put back by a transformation whose answer never came.
func (r *Report) classifyStream(line generate.Line, copies arrival, repeats int) arrival {
	surplus := len(copies.endpoint)
	if len(copies.intake) == 0 {
		surplus--
	}
	explained := repeats
	for _, entry := range copies.endpoint {
		if !entry.Answered {
			explained++
		}
	}
	if surplus > 0 {
		r.duplicate(line, D5, min(explained, surplus))
		r.duplicate(line, Unexplained, max(0, surplus-explained))
		explained = max(0, explained-surplus)
	}
	if again := min(repeats, explained, len(copies.intake)-1); again > 0 {
		r.duplicate(line, D5, again)
		copies.intake = copies.intake[again:]
	}
	return copies
}

// repeats counts, of each payload, the invocations of a transformation that puts records back which came to no answer.
func (s *Stream) repeats() map[string]int {
	counts := map[string]int{}
	if s == nil || !s.Reingest {
		return counts
	}
	for _, d := range s.History {
		if d.Outcome != owner.Failed && d.Outcome != owner.Ended {
			continue
		}
		for _, id := range d.Payloads {
			counts[id]++
		}
	}
	return counts
}

// compareStream holds the ledger lines of the transformation against themselves and against what arrived: a line that
// Firehose got for its stream ends at the endpoint, at the intake, or with a batch that Firehose gave up.
func (r *Report) compareStream(e Evidence) {
	if e.Stream == nil {
		return
	}
	answers := map[string]bool{}
	finished := 0
	for _, d := range e.Stream.History {
		answers[d.RequestID] = d.Outcome == owner.Taken || d.Outcome == owner.Partly
		if d.Outcome != owner.Ended {
			finished++
		}
	}
	claimed := 0
	for _, ledger := range e.Stream.Ledgers {
		d := r.counts(ledger, transformation)
		if answers[ledger.RequestID] {
			claimed += d.Delivered
		}
	}
	if len(e.Stream.Ledgers) < finished {
		r.problem("%d transformations finished, %d printed a ledger line", finished, len(e.Stream.Ledgers))
	}
	if ends := answered(e.Stream.Entries) + answered(e.Entries) + r.Returned; claimed > ends {
		r.problem("the transformation counts %d lines given to Firehose, only %d came to an end", claimed, ends)
	}
}
