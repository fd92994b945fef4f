package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/e2e/generate"
	"sluice/e2e/rig"
	"sluice/e2e/stack/intake"
)

// F4.
func bursts() row {
	return row{
		id: "F4", fault: "bursts of 500, 502 and 503", end: "delivered or parked, each line once",
		cells: []cell{burst(30, nil), burst(90, []path{kinesis})},
		not:   []exception{{[]path{transform}, sendsNothing}},
	}
}

// burst is a cell in which so many of a hundred requests fail.
func burst(percent int, short []path) cell {
	return cell{
		on: senders(), short: short, what: fmt.Sprintf("%d %% of the requests", percent), options: many,
		inject: scripted(func(r *run) intake.Script {
			random := rand.New(rand.NewPCG(r.random.Uint64(), 0))
			statuses := []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable}
			return func(a intake.Arrival) intake.Step {
				if a.Number > r.before+1 && random.IntN(100) >= percent { // the first one always fails
					return intake.Step{}
				}
				return intake.Refuse(statuses[random.IntN(len(statuses))])
			}
		}),
		then: []expectation{met, kept, inTime, deliveredAll},
	}
}

// F5.
func throttles() row {
	return row{
		id: "F5", fault: "429 with Retry-After: 1 s, 120 s, a date, garbage",
		end: "1 s and a near date are waited for; 120 s are written into not_before; garbage is the usual backoff",
		cells: []cell{
			throttled("Retry-After: 1", nil, func() string { return "1" }, deliveredAtOnce, waited(time.Second)),
			{
				on: senders(), short: []path{s3Queue}, what: "Retry-After: 120",
				inject: always(intake.RefuseFor(http.StatusTooManyRequests, "120")),
				then:   []expectation{met, parkedAll, inTime, frugal, notBefore(120 * time.Second), deliveredAll},
			},
			throttled("Retry-After: a date in 3 s", nil, func() string {
				return time.Now().Add(3 * time.Second).UTC().Format(http.TimeFormat)
			}, deliveredAtOnce, waited(1900*time.Millisecond)), // a date has whole seconds
			throttled("Retry-After: garbage", nil, func() string { return "in a while" }, deliveredAtOnce),
		},
		not: []exception{{[]path{transform}, sendsNothing}},
	}
}

// throttled is a cell with one 429.
func throttled(what string, short []path, after func() string, then ...expectation) cell {
	return cell{
		on: senders(), short: short, what: what,
		inject: scripted(func(r *run) intake.Script {
			return func(a intake.Arrival) intake.Step {
				if a.Number > r.before+1 {
					return intake.Step{}
				}
				return intake.RefuseFor(http.StatusTooManyRequests, after())
			}
		}),
		then: append([]expectation{met, inTime, deliveredAll}, then...),
	}
}

// waited wants that the first batch that was refused came again no sooner.
func waited(least time.Duration) expectation {
	return func(r *run) {
		list := r.since()
		at := slices.IndexFunc(list, func(q intake.Request) bool { return q.Status == http.StatusTooManyRequests })
		if at < 0 {
			return // met says so
		}
		for _, later := range list[at+1:] {
			if later.Batch == list[at].Batch {
				gap := later.At.Sub(list[at].At)
				r.expect(gap >= least, "the batch came again after %s", gap)
				return
			}
		}
		r.expect(false, "the batch that was refused never came again")
	}
}

// notBefore wants what is parked to be left alone for so long, where the destination was asked for it.
func notBefore(wait time.Duration) expectation {
	return func(r *run) {
		// What was parked without asking may be due before; of one request at least there was an answer.
		earliest, most := r.began.Add(wait).Unix(), int64(0)
		for _, key := range r.pending {
			at, err := dueOf(key)
			r.expect(err == nil, "%s: %v", key, err)
			most = max(most, at)
		}
		r.expect(most >= earliest, "what was parked is due %d s after the fault began", most-r.began.Unix())
	}
}

// dueOf is the time that the key of a parked object starts with, in seconds of the epoch.
func dueOf(key string) (int64, error) {
	file := key[strings.LastIndex(key, "/")+1:]
	text, _, _ := strings.Cut(file, "-")
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the key has no time: %w", err)
	}
	return at, nil
}

// F6.
func limits() row {
	return row{
		id: "F6", fault: "413 above a limit that moves",
		end: "split until it fits, and the limit learned; a line that is too large alone is dead",
		cells: []cell{
			{
				on: senders(), short: []path{cloudWatch}, what: "limit 150 kB, then 60 kB", lines: 2000,
				inject: scripted(func(r *run) intake.Script {
					return func(a intake.Arrival) intake.Step {
						limit := 150_000
						if a.Number-r.before > movedAfter {
							limit = 60_000
						}
						return intake.Step{Checks: []intake.Check{intake.TooLargeAbove(func() int { return limit })}}
					}
				}),
				then: []expectation{met, deliveredAtOnce, inTime, learned, deliveredAll},
			},
			{
				on: senders(), what: "a line over the limit alone", lines: 500, feed: feedBroad,
				inject: always(intake.Step{Checks: []intake.Check{intake.TooLargeAbove(func() int { return 60_000 })}}),
				then:   []expectation{met, inTime, deadAre(1), deadObjects(1)},
			},
		},
		not: []exception{{[]path{transform}, sendsNothing}},
	}
}

const movedAfter = 8 // requests

// learned wants less than half of the requests to be refused.
func learned(r *run) {
	refused, list := 0, r.since()
	for _, q := range list {
		if q.Status == http.StatusRequestEntityTooLarge {
			refused++
		}
	}
	r.expect(2*refused < len(list), "%d of %d requests were too large: the limit was not learned", refused, len(list))
}

// feedBroad feeds lines, and among them one of 80 kB.
func feedBroad(r *run) error {
	return among(sent(func(r *run) rig.Payload { return r.payload(1, generate.Random(80_000)) }))(r)
}

// F7.
func rotation() row {
	return row{
		id: "F7", fault: "403, as the key was rotated, in the secret store or nowhere",
		end: "one refresh, then delivered; where nobody was told the new key: parked, never dead",
		cells: []cell{
			{
				on: senders(), short: []path{tee}, what: "the secret store knows", options: secret, lines: 500,
				deliver: rotated(true), then: []expectation{met, deliveredAtOnce, inTime, oneRefresh, deliveredAll},
			},
			{
				on: senders(), what: "nobody knows", options: secret, lines: 500,
				deliver: rotated(false), then: []expectation{met, kept, neverDead, inTime, deliveredAll},
			},
		},
		not: []exception{{[]path{transform}, sendsNothing}},
	}
}

func secret(_ *run, o *rig.Options) error {
	o.Secrets, o.LinesPerPayload = true, 50
	return nil
}

// rotated is deliver with a rotation on the way: after some of what was fed, or of what is parked.
func rotated(told bool) step {
	return func(r *run) error {
		if r.path == replay {
			if _, err := r.InvokeReplay(r.ctx, `{"replay":{"state":"pending","all":true,"limit":2}}`); err != nil {
				return err
			}
			r.asked = r.secretCalls()
			r.Rotate(told)
			return r.Replay(r.ctx)
		}
		if err := r.Drain(r.ctx); err != nil {
			return err
		}
		r.asked = r.secretCalls()
		r.Rotate(told)
		if err := r.Feed(r.ctx, r.path.entry(), r.lines); err != nil {
			return err
		}
		return r.Drain(r.ctx)
	}
}

// oneRefresh wants the secret store asked once after the rotation.
func oneRefresh(r *run) {
	n := r.secretCalls() - r.asked
	r.expect(n == 1, "the secret store was asked %d times after the rotation", n)
}

// neverDead wants nothing put aside for good.
func neverDead(r *run) {
	r.expect(r.mid.Stored["dead"]+r.mid.Stored["dead-raw"]+r.end.Stored["dead"]+r.end.Stored["dead-raw"] == 0,
		"there are dead objects: %v, %v", r.mid.Stored, r.end.Stored)
}
