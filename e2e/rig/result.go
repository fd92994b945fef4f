package rig

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/stack/owner"
)

// Result is what became of a run. Counts of lines are sums over the destinations, each of which wants every line.
type Result struct {
	Name         string
	Destinations map[string]*audit.Report

	In, Delivered, Dropped, Pending, Dead, DeadRaw, Returned, Lost int
	Duplicates                                                     map[audit.Class]int

	Requests      int     // to the intakes, those that never got there included
	Healthy       int     // requests that a run without faults needs for the same batches
	Amplification float64 // Requests / Healthy; 0 where nothing was sent

	Invocations       int
	LinesOfOutput     float64        // per invocation, of the function that printed most
	StorePuts         int            // of the functions, to the park bucket
	Stored            map[string]int // objects of the park store, by folder
	Corrupt           int            // of these, put aside as broken
	CanaryHits        []string       // where a secret or a line's text stands that must not stand there
	PeakRSSBytes      int64
	Wall              time.Duration
	Starts            map[Function]int // processes
	OnFailure, DLQ    int              // events that their owner gave up
	ReplayInvocations int
	Problems          []string // of the park store
}

// measure fills in the numbers.
func (r *Rig) measure(result *Result, e audit.Evidence) {
	result.Duplicates = map[audit.Class]int{}
	for _, report := range result.Destinations {
		result.In += report.In
		result.Delivered += report.Delivered
		result.Dropped += report.Dropped
		result.Pending += report.Parked
		result.Dead += report.Dead
		result.DeadRaw += report.DeadRaw
		result.Returned += report.Returned
		result.Lost += report.Lost
		for class, n := range report.Duplicates {
			result.Duplicates[class] += n
		}
	}
	result.ReplayInvocations = len(e.Replays)
	r.measureRequests(result, e)
	r.measureFunctions(result)
	for _, q := range r.S3.Requests() {
		if q.Bucket == r.ParkBucket && q.Method == http.MethodPut {
			result.StorePuts++
		}
	}
	result.Invocations = len(e.History) + len(e.Replays)
	result.DLQ = len(r.Queue.Failures)
	result.OnFailure = len(r.Async.Failures) + len(r.Mapping.Failures) + len(r.Objects.Failures)
}

// measureRequests counts requests by what the intakes saw or, where more, by what the functions say. A healthy run needs
// one for each batch: the parts of a batch that was split belong together.
func (r *Rig) measureRequests(result *Result, e audit.Evidence) {
	for id, s := range r.intakes {
		seen := s.Requests()
		batches := map[string]bool{}
		for _, q := range seen {
			root, _, _ := strings.Cut(q.Batch, ".")
			batches[root] = true
		}
		claimed := 0
		for _, ledger := range slices.Concat(e.Ledgers, e.ReplayLedgers) {
			claimed += ledger.Destinations[id].Requests
		}
		result.Requests += max(len(seen), claimed)
		result.Healthy += len(batches)
	}
	if result.Healthy > 0 {
		result.Amplification = float64(result.Requests) / float64(result.Healthy)
	}
}

func (r *Rig) measureFunctions(result *Result) {
	result.Starts = map[Function]int{}
	invocations, printed := map[Function]int{}, map[Function]int{}
	count := func(f Function, history []owner.Delivery) { invocations[f] += len(history) }
	count(CloudWatchFunction, r.Async.History)
	count(KinesisFunction, r.Mapping.History)
	count(ObjectFunction, r.Objects.History)
	count(ObjectFunction, r.Queue.History)
	count(FirehoseFunction, r.Stream.History())
	invocations[ReplayFunction] = result.ReplayInvocations
	for name, function := range r.running() {
		usage := function.Usage()
		result.Starts[name.base()] += usage.Starts
		result.PeakRSSBytes = max(result.PeakRSSBytes, usage.PeakRSSBytes)
		printed[name.base()] += function.Printed()
	}
	for name, n := range printed {
		result.LinesOfOutput = max(result.LinesOfOutput, float64(n)/float64(max(1, invocations[name])))
	}
}

// TotalDuplicates is the number of surplus copies of every cause.
func (r *Result) TotalDuplicates() int {
	total := 0
	for _, n := range r.Duplicates {
		total += n
	}
	return total
}

// Verdict is nil when no line is lost, altered or unexplained, nothing contradicts the functions' own counts, the park
// store is sound and no canary was found.
func (r *Result) Verdict() error {
	var faults []error
	for _, id := range slices.Sorted(maps.Keys(r.Destinations)) {
		if err := r.Destinations[id].Verdict(); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", id, err))
		}
	}
	for _, problem := range r.Problems {
		faults = append(faults, errors.New(problem))
	}
	for _, hit := range r.CanaryHits {
		faults = append(faults, fmt.Errorf("canary: %s", hit))
	}
	return errors.Join(faults...)
}

// String is a row of a report.
func (r *Result) String() string {
	classes := make([]string, 0, len(r.Duplicates))
	for _, class := range slices.Sorted(maps.Keys(r.Duplicates)) {
		classes = append(classes, fmt.Sprintf("%s:%d", class, r.Duplicates[class]))
	}
	verdict := "ok"
	if r.Verdict() != nil {
		verdict = "FAILED"
	}
	return fmt.Sprintf("%s: in=%d delivered=%d dup=[%s] dropped=%d pending=%d dead=%d dead_raw=%d returned=%d LOST=%d requests=%d amp=%.2f"+
		" puts=%d wall=%.1fs rss=%dMiB log_lines=%.1f canary=%d %s",
		r.Name, r.In, r.Delivered, strings.Join(classes, " "), r.Dropped, r.Pending, r.Dead, r.DeadRaw, r.Returned, r.Lost,
		r.Requests, r.Amplification, r.StorePuts, r.Wall.Seconds(), r.PeakRSSBytes>>20, r.LinesOfOutput, len(r.CanaryHits), verdict)
}
