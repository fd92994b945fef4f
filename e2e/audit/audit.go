// Package audit joins what was generated with what arrived, what the function says it did, and what its owner kept,
// and says what became of every line.
//
// It promises that a line is counted once, as delivered, dropped, parked, dead, returned or lost, and that every surplus
// copy, and every parked line that was delivered as well, has a named cause of the delivery contract (2.9) or is
// unexplained. It reads what is parked by itself, from the published format. It is pure: it reads no clock and no network,
// and it never shows a line's text.
package audit

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// Class is the cause of a duplicate, by its id in the delivery contract 2.9.
type Class string

// The causes.
const (
	D1          Class = "D1" // killed after the intake took it, before the answer to the owner
	D2          Class = "D2" // the intake took it and its answer was lost
	D3          Class = "D3" // replay was killed, lost its lease, or was refused by the park store, after the intake took it
	D4          Class = "D4" // the owner delivered the event again
	D5          Class = "D5" // Firehose sent it, or invoked its transformation, again
	D6          Class = "D6" // Kinesis went back to the lowest failed record
	Unexplained Class = "unexplained"
)

// Cause is the sentence a person reads beside a count of duplicates.
func (c Class) Cause() string {
	switch c {
	case D1:
		return "the process was killed after the intake took them"
	case D2:
		return "the intake took them but its answer was lost"
	case D3:
		return "replay was killed, or refused by the park store, after the intake took them, before the parked object was gone"
	case D4:
		return "the owner delivered the event again after an error"
	case D5:
		return "Firehose had no answer and gave them again, to its endpoint, its transformation or its bucket"
	case D6:
		return "Kinesis started again from the lowest record that was not durable"
	default:
		return "no cause is known"
	}
}

// Evidence is everything known about one destination. It may cover several functions as long as payload ids and marks
// are unique among them.
type Evidence struct {
	Destination string // its id in the ledger lines
	Lines       []generate.Line
	Entries     []intake.Entry
	Ledgers     []stack.Ledger
	History     []owner.Delivery
	Failures    []owner.Failure
	Parked      *ParkStore // nil where it was not read: what the function says it parked is then believed
	Stream      *Stream    // nil where no line came by a delivery stream

	// What replay did. Failures are those that their keeper still has; Replayed are those that replay has taken from it.
	Replays       []Replay
	ReplayLedgers []stack.Ledger
	Replayed      []owner.Failure
	Sender        int // of replay's own requests, see intake.Entry; 0: they cannot be told from others
}

// Report counts lines. Delivered counts a line once, however often it arrived.
type Report struct {
	In, Delivered, Dropped, Parked, Returned, Lost int

	Dead    int // kept in the park store, for a person
	DeadRaw int // likewise, as input that could not be read

	Duplicates map[Class]int // surplus copies
	Corrupted  int           // entries whose bytes are not those of their line
	Unknown    int           // entries that belong to no line that should arrive
	Problems   []string      // contradictions between the function's ledger and the rest
	Examples   map[string][]string
}

const maxExamples = 5 // of each kind

// Join audits one destination.
func Join(e Evidence) *Report {
	r := &Report{In: len(e.Lines), Duplicates: map[Class]int{}, Examples: map[string][]string{}}
	arrivals, where := r.match(e), e.whereabouts()
	var missing []generate.Line
	for i, line := range e.Lines {
		copies := arrivals[i]
		r.explain(line, copies, where)
		if !r.place(line, copies, where) {
			missing = append(missing, line)
		}
	}
	r.excuse(missing, e)
	r.compare(e)
	r.compareParked(e)
	r.compareStream(e)
	return r
}

// whereabouts is the evidence, arranged by lines and payloads.
type whereabouts struct {
	evidence   *Evidence
	deliveries map[string][]delivery
	failed     map[string]bool            // payloads that their keeper still has
	given      map[string][]owner.Failure // what replay took from it, by payload
	parked     map[generate.Line]held
	loose, raw map[generate.Line]bool
	repeats    map[string]int // of the delivery stream, by payload
}

func (e *Evidence) whereabouts() *whereabouts {
	w := &whereabouts{
		evidence: e, deliveries: byPayload(e.History), failed: map[string]bool{}, given: map[string][]owner.Failure{},
		parked: e.Parked.held(), repeats: e.Stream.repeats(),
	}
	for _, failure := range e.Failures {
		for _, id := range failure.Payloads {
			w.failed[id] = true
		}
	}
	for _, failure := range e.Replayed {
		for _, id := range failure.Payloads {
			w.given[id] = append(w.given[id], failure)
		}
	}
	if e.Parked != nil {
		w.loose, w.raw = setOf(e.Parked.Loose), setOf(e.Parked.Raw)
	}
	return w
}

// explain finds a cause for every place of a line but the first.
func (r *Report) explain(line generate.Line, copies arrival, w *whereabouts) {
	in := w.parked[line]
	if !copies.any() && in == (held{}) {
		return
	}
	deliveries := w.deliveries[line.Payload]
	own := r.classifyStream(line, copies, w.repeats[line.Payload])
	ambiguous := r.classify(line, own.intake, deliveries)
	r.settleParked(line, own, in, w.evidence.causes(line, own, deliveries, w.given[line.Payload], ambiguous))
}

// place counts a line where it is, and says whether it is anywhere.
func (r *Report) place(line generate.Line, copies arrival, w *whereabouts) bool {
	in := w.parked[line]
	switch {
	case copies.any():
		r.Delivered++
	case line.Rule != "":
		r.Dropped++
	case in.pending > 0:
		r.Parked++
	case in.dead > 0 || w.loose[line]:
		r.Dead++
	case w.failed[line.Payload]:
		r.Returned++
	case w.raw[line]:
		r.DeadRaw++
	default:
		return false
	}
	return true
}

// arrival is the intact entries of one line, by where they arrived and who sent them.
type arrival struct{ intake, endpoint, replayed []intake.Entry }

func (a arrival) any() bool { return len(a.intake)+len(a.endpoint)+len(a.replayed) > 0 }

// match returns the copies of each line, by its index. The rest is counted as corrupted or unknown.
func (r *Report) match(e Evidence) []arrival {
	index := newIndex(e.Lines)
	list := make([]arrival, len(e.Lines))
	if e.Stream != nil {
		for _, entry := range e.Stream.Entries {
			if at, intact := r.find(index, entry); intact {
				list[at].endpoint = append(list[at].endpoint, entry)
			}
		}
	}
	for _, entry := range e.Entries {
		switch at, intact := r.find(index, entry); {
		case !intact:
		case e.Sender != 0 && entry.Sender == e.Sender:
			list[at].replayed = append(list[at].replayed, entry)
		default:
			list[at].intake = append(list[at].intake, entry)
		}
	}
	return list
}

// find returns the index of the line that an entry is an intact copy of. Any other entry is counted.
func (r *Report) find(index *index, entry intake.Entry) (at int, intact bool) {
	at, found, intact := index.find(entry)
	switch {
	case !found:
		r.Unknown++
		r.example("unknown", "event "+entry.ID)
		return 0, false
	case !intact || entry.Truncated:
		r.Corrupted++
		r.example("corrupted", name(index.lines[at]))
		return 0, false
	}
	return at, true
}

// excuse counts missing lines as lost. Where the park store was not read, it counts as many of them as parked as the
// function says it parked.
func (r *Report) excuse(missing []generate.Line, e Evidence) {
	excused := 0
	if e.Parked == nil {
		excused = min(len(missing), claimedParked(e))
		r.Parked += excused
	}
	r.Lost = len(missing) - excused
	for _, line := range missing[excused:] {
		r.example("lost", name(line))
	}
}

// compare holds the function's ledger lines against themselves and against the intake.
func (r *Report) compare(e Evidence) {
	claimed := 0
	for _, ledger := range e.Ledgers {
		claimed += r.counts(ledger, e.Destination).Delivered
	}
	for _, ledger := range e.ReplayLedgers {
		claimed += r.counts(ledger, e.Destination).Delivered
	}
	if n := answered(e.Entries); claimed > n {
		r.problem("%s: the function counts %d lines delivered, the intake answered for %d", e.Destination, claimed, n)
	}
	finished := 0
	for _, d := range e.History {
		if d.Outcome != owner.Ended {
			finished++
		}
	}
	if len(e.Ledgers) < finished {
		r.problem("%d invocations finished, %d printed a ledger line", finished, len(e.Ledgers))
	}
}

// counts are those of one destination in a ledger line, which have to be there and to add up.
func (r *Report) counts(ledger stack.Ledger, destination string) stack.Destination {
	d, found := ledger.Destinations[destination]
	if !found {
		r.problem("invocation %s: no counts for destination %s", ledger.RequestID, destination)
	}
	if !d.Balanced() {
		r.problem("invocation %s, destination %s: in is not delivered + dropped + parked + returned", ledger.RequestID, destination)
	}
	if ledger.Unaccounted != 0 {
		r.problem("invocation %s: %d lines unaccounted", ledger.RequestID, ledger.Unaccounted)
	}
	return d
}

// answered counts the entries that their sender knows of.
func answered(entries []intake.Entry) int {
	n := 0
	for _, entry := range entries {
		if entry.Answered {
			n++
		}
	}
	return n
}

func (r *Report) problem(format string, args ...any) {
	if len(r.Problems) < 4*maxExamples {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

func (r *Report) example(kind, id string) {
	if len(r.Examples[kind]) < maxExamples {
		r.Examples[kind] = append(r.Examples[kind], id)
	}
}

func name(line generate.Line) string {
	if line.Mark != (generate.Mark{}) {
		return line.Mark.String()
	}
	return "event " + line.EventID + " of payload " + line.Payload
}

// TotalDuplicates is the number of surplus copies of every cause.
func (r *Report) TotalDuplicates() int {
	total := 0
	for _, n := range r.Duplicates {
		total += n
	}
	return total
}

// Verdict is nil when nothing is lost, corrupted, unknown, unexplained or contradicted, else it says all that is.
func (r *Report) Verdict() error {
	var faults []error
	for _, fault := range []struct {
		kind  string
		count int
	}{
		{"lost", r.Lost}, {"corrupted", r.Corrupted}, {"unknown", r.Unknown}, {string(Unexplained), r.Duplicates[Unexplained]},
	} {
		if fault.count > 0 {
			faults = append(faults, fmt.Errorf("%d %s, such as %s", fault.count, fault.kind, strings.Join(r.Examples[fault.kind], ", ")))
		}
	}
	for _, problem := range r.Problems {
		faults = append(faults, errors.New(problem))
	}
	return errors.Join(faults...)
}

// Classes are the causes of duplicates that occurred, in order.
func (r *Report) Classes() []Class {
	return slices.Sorted(maps.Keys(r.Duplicates))
}

// String is the line a run ends with.
func (r *Report) String() string {
	return fmt.Sprintf("ledger: in=%d delivered=%d dropped=%d parked=%d dead=%d returned=%d duplicates=%d lost=%d",
		r.In, r.Delivered, r.Dropped, r.Parked, r.Dead+r.DeadRaw, r.Returned, r.TotalDuplicates(), r.Lost)
}
