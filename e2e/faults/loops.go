package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"sluice/e2e/generate"
	"sluice/e2e/rig"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/notify"
)

// F27.
func loops() row {
	return row{
		id: "F27", fault: "the function's own log or that of its stream comes back to it; the park bucket is announced; a record fails every time",
		end: "the number of events comes to an end",
		cells: []cell{
			{
				on: ofPayloads(), short: []path{cloudWatch}, what: "its own log", feed: feedBefore, deliver: ownLog,
				then: []expectation{silentOnce, converged, neverDead, ownDropped, deliveredAll},
			},
			{
				on: ofObjects(), short: []path{s3Queue}, what: "the park bucket", inject: always(intake.Refuse(http.StatusServiceUnavailable)),
				options: func(_ *run, o *rig.Options) error {
					o.FunctionEnv[rig.ObjectFunction] = map[string]string{"SLUICE_BUCKETS": ""} // every bucket may be read
					return nil
				},
				deliver: parkAnnounced, then: []expectation{converged, parkedAll, storeNotRead, deliveredAll},
			},
			{
				on: []path{transform, tee}, what: "a record that fails every time", feed: among(spoiled(cutShort)),
				then: []expectation{othersDelivered, func(r *run) {
					n := len(r.Stream.Invocations())
					r.expect(n <= 2, "the transformation was invoked %d times", n)
				}},
			},
			{
				on: []path{transform, tee}, short: []path{transform}, what: "the error log of the stream", feed: among(sent(streamErrors)),
				then: []expectation{acknowledged, deliveredAtOnce, deliveredAll, neverDead, droppedBy(ruleOwnLog, spoiledLines)},
			},
		},
		not: []exception{{[]path{replay}, "what fails is tried 12 times at most, then dead: attempts are in the key of what is parked"}},
	}
}

const (
	mostRounds    = 8 // of a loop that has to end by itself
	printedLatest = 100 * time.Millisecond
	ruleOwnLog    = "own_log_group"
)

// feedBefore feeds what makes the function print something.
func feedBefore(r *run) error { return r.Feed(r.ctx, r.path.entry(), 250) }

// ownLog subscribes the function to its own log: what it prints is the next event.
func ownLog(r *run) error {
	printed := 0
	for r.rounds = 1; r.rounds <= mostRounds; r.rounds++ {
		if err := r.Drain(r.ctx); err != nil {
			return err
		}
		function, err := r.Function(r.path.function())
		if err != nil {
			return err
		}
		time.Sleep(printedLatest) // what it printed is read beside its answer
		fresh := function.Output()[printed:]
		printed += len(fresh)
		if len(fresh) == 0 {
			return nil
		}
		p := rig.Payload{ID: fmt.Sprintf("own-log-%d", r.rounds)}
		var messages [][]byte
		for i, line := range fresh {
			messages = append(messages, []byte(line))
			p.Lines = append(p.Lines, generate.Line{EventID: eventID(i), Rule: ruleOwnLog})
		}
		p.Data = packed(subscription("/aws/lambda/sluice-"+string(r.path.function()), messages))
		if err := r.Send(r.ctx, r.path.entry(), p); err != nil {
			return err
		}
	}
	return nil
}

// streamErrors is a payload of the log group in which Firehose says what goes wrong with the stream.
func streamErrors(r *run) rig.Payload {
	_, name, _ := strings.Cut(r.Stream.ARN(), "/")
	p := rig.Payload{ID: "stream-errors"}
	messages := make([][]byte, 0, spoiledLines)
	for i := range spoiledLines {
		messages = append(messages, fmt.Appendf(nil, `{"message":"It did not answer in time.","n":%d}`, i))
		p.Lines = append(p.Lines, generate.Line{EventID: eventID(i), Rule: ruleOwnLog})
	}
	p.Data = packed(subscription("/aws/kinesisfirehose/"+name, messages))
	return p
}

// converged wants a loop to have ended by itself.
func converged(r *run) {
	r.expect(r.rounds > 1 && r.rounds <= mostRounds, "the loop went on for %d rounds", r.rounds)
}

// silentOnce takes the one invocation out of the audit's problems that prints nothing by design: a ledger line about nothing
// but the function's own lines would be the next event.
func silentOnce(r *run) {
	want := fmt.Sprintf("%d printed a ledger line", len(r.ledgers()))
	for _, result := range []*rig.Result{r.mid, r.end} {
		for id, report := range result.Destinations {
			problems := slices.DeleteFunc(report.Problems, func(p string) bool { return strings.HasSuffix(p, want) })
			r.expect(len(problems) == len(report.Problems)-1 || len(report.Problems) == 0, "%s: %q", id, report.Problems)
			report.Problems = problems
		}
	}
	r.expect(len(r.history()) == len(r.ledgers())+1, "%d invocations printed %d ledger lines", len(r.history()), len(r.ledgers()))
}

func ownDropped(r *run) {
	r.expect(r.dropped()[ruleOwnLog] > 0, "nothing was dropped as %s: %s", ruleOwnLog, shown(r.dropped()))
}

// parkAnnounced announces every object of the park bucket until there are no new ones.
func parkAnnounced(r *run) error {
	seen := map[string]bool{}
	for r.rounds = 1; r.rounds <= mostRounds; r.rounds++ {
		if err := r.Drain(r.ctx); err != nil {
			return err
		}
		list, err := r.S3.List(r.ctx, r.ParkBucket, "")
		if err != nil {
			return err
		}
		fresh := 0
		for _, o := range list {
			if seen[o.Key] {
				continue
			}
			seen[o.Key] = true
			fresh++
			if err := r.Announce(r.path.entry(), notify.Native(o)); err != nil {
				return err
			}
		}
		if fresh == 0 {
			return nil
		}
	}
	return nil
}

// storeNotRead wants the announced objects dropped without a GET. Hints are read all the same.
func storeNotRead(r *run) {
	n := r.dropped()["own_store_object"]
	r.expect(n > 0, "nothing was dropped as own_store_object: %s", shown(r.dropped()))
	for _, q := range r.S3.Requests() {
		if q.Method == http.MethodGet && q.Bucket == r.ParkBucket && q.At.Before(r.mended) {
			r.expect(hasFolder(q.Key, "breaker"), "%s of the park bucket was read", q.Key)
		}
	}
}
