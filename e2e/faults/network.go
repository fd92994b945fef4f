package main

import (
	"bytes"
	"net/http"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/rig"
	"sluice/e2e/stack/intake"
)

// F1.
func refused() row {
	return row{
		id: "F1", fault: "connections refused, then well",
		end: "everything parked, the breaker open, at most 1.2 requests a batch; replay delivers",
		cells: []cell{
			{
				on: without(senders(), tee), short: []path{cloudWatch, s3Queue}, what: "nobody listens", options: many,
				inject: func(r *run) error { return r.Intake().Down() },
				then:   []expectation{parkedAll, breakerOpened, inTime, frugal, deliveredAll},
			},
			{
				on: []path{tee}, what: "nobody listens", lines: 4000,
				inject: func(r *run) error { return r.Intake().Down() },
				then:   []expectation{parkedAll, breakerOpened, inTime, frugal, deliveredAll},
			},
		},
		not: []exception{{[]path{transform}, sendsNothing}},
	}
}

// many has many payloads of few lines, and a batch for each, so that a share of them can be told from a constant.
func many(_ *run, o *rig.Options) error {
	o.LinesPerPayload, o.Mapping.BatchSize, o.Queue.BatchSize = linesOfMany, 1, 1
	return nil
}

const linesOfMany = 20 // of a payload, when there are many

// F2.
func resets() row {
	return row{
		id: "F2", fault: "RST behind the headers, in the request, behind it, in the answer",
		end: "delivered; D2 of at most one batch for each answer that was lost",
		cells: []cell{
			{
				on: senders(), short: []path{kinesis}, what: "behind headers and body, taken or not",
				inject: scripted(func(*run) intake.Script {
					return intake.Sequence(
						intake.Step{Fault: intake.ResetBeforeBody}, intake.Step{Fault: intake.ResetAfterBody},
						intake.Step{Fault: intake.ResetAfterBody, Commit: true}, intake.Step{},
						intake.Step{Fault: intake.CloseWithoutAnswer, Commit: true},
					)
				}),
				allow: []audit.Class{audit.D2},
				then:  []expectation{met, kept, inTime, onePerLostAnswer, deliveredAll},
			},
			{
				on: senders(), what: "in the midst of the request", options: linked,
				inject: linkDamage(damage{resetUp: 20_000, times: 2}),
				then:   []expectation{met, kept, inTime, deliveredAll},
			},
			{
				on: senders(), what: "in the midst of the answer", options: linked,
				inject: func(r *run) error {
					r.link.set(damage{resetDown: 5_000, times: 2})
					r.Intake().SetScript(intake.Always(accepted(bytes.Repeat([]byte("."), 20_000))))
					return nil
				},
				then: []expectation{kept, inTime, deliveredAtOnce, answersBroken},
			},
		},
		not: []exception{{[]path{transform}, sendsNothing}},
	}
}

// scripted sets the script of the first intake.
func scripted(script func(*run) intake.Script) step {
	return func(r *run) error {
		r.Intake().SetScript(script(r))
		return nil
	}
}

// always has the first intake do the same to every request.
func always(s intake.Step) step {
	return scripted(func(*run) intake.Script { return intake.Always(s) })
}

// accepted takes a request and says so at some length.
func accepted(body []byte) intake.Step {
	return intake.Step{Answer: &intake.Answer{Status: http.StatusAccepted, Body: body, Reason: "scripted"}}
}

// linked has the first destination at the other end of a link.
func linked(r *run, o *rig.Options) error {
	var err error
	if r.link, err = newLink(r.ctx); err != nil {
		return err
	}
	o.Destinations[0].URL = r.link.url
	return nil
}

// linkDamage damages the link.
func linkDamage(d damage) step {
	return func(r *run) error {
		r.link.set(d)
		return nil
	}
}

// onePerLostAnswer wants no more copies than the batches hold whose answer was lost.
func onePerLostAnswer(r *run) {
	most := 0
	for _, q := range r.Intake().Requests() {
		if !q.Answered {
			most += q.Items
		}
	}
	r.expect(r.end.Duplicates[audit.D2] <= most, "%d duplicates, and %d lines were in requests without an answer",
		r.end.Duplicates[audit.D2], most)
}

// answersBroken wants that the link has cut answers.
func answersBroken(r *run) { r.expect(r.link.cuts() > 0, "no answer was cut") }

// F3.
func silence() row {
	return row{
		id: "F3", fault: "accepts and never answers",
		end: "each attempt ends in time; parked; no deadline is missed",
		cells: []cell{
			{
				on: senders(), short: []path{s3Direct}, what: "attempts of 1 s", lines: 500, options: briefly,
				inject: always(intake.Step{Fault: intake.Hang}),
				then:   []expectation{met, parkedAll, inTime, frugal, deliveredAll},
			},
			{
				on: []path{cloudWatch}, what: "attempts as they are", lines: 250,
				inject: always(intake.Step{Fault: intake.Hang}),
				then:   []expectation{met, parkedAll, inTime, deliveredAll, overWithin(21 * time.Second)},
			},
		},
		not: []exception{{[]path{transform}, sendsNothing}},
	}
}

// briefly has attempts end soon.
func briefly(_ *run, o *rig.Options) error {
	o.Destinations[0].Settings = []string{"attempt_timeout: 1s"}
	return nil
}

// overWithin wants no invocation to take longer.
func overWithin(most time.Duration) expectation {
	return func(r *run) {
		for _, d := range r.history() {
			took := d.Finished.Sub(d.Started)
			r.expect(took <= most, "an invocation took %s", took)
		}
	}
}

// F8.
func slowness() row {
	return row{
		id: "F8", fault: "slow-loris: a request is taken byte by byte, an answer given so",
		end: "cut by the time an attempt has, which is what bounds the rate; parked",
		cells: []cell{
			{
				on: senders(), short: []path{kinesis}, what: "200 bytes a second in", lines: 500, options: slowly,
				inject: linkDamage(damage{slowUp: 5 * time.Millisecond}),
				then:   []expectation{parkedAll, inTime, frugal, deliveredAll},
			},
			{
				on: senders(), what: "20 bytes a second out", lines: 500, options: slowly,
				inject: func(r *run) error {
					r.link.set(damage{slowDown: 50 * time.Millisecond})
					r.Intake().SetScript(intake.Always(intake.Refuse(http.StatusServiceUnavailable)))
					return nil
				},
				then: []expectation{met, parkedAll, inTime, frugal, deliveredAll},
			},
		},
		not: []exception{{[]path{transform}, sendsNothing}},
	}
}

func slowly(r *run, o *rig.Options) error {
	if err := linked(r, o); err != nil {
		return err
	}
	return briefly(r, o)
}
