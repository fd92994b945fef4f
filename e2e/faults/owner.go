package main

import (
	"net/http"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/rig"
	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// F17.
func kills() row {
	return row{
		id: "F17", fault: "SIGKILL at any time; SIGSTOP for a while, and to the deadline",
		end: "the owner repeats; duplicates are D1, D3, D5 or D6; a stop that ends in time does nothing",
		cells: []cell{
			{
				on: senders(), short: []path{cloudWatch, s3Queue, replay}, what: "SIGKILL twice", lines: 2000, options: spread, inject: slowIntake,
				during: killTwice, allow: killed(),
				then: []expectation{killsCame, neverDead, deliveredAll},
			},
			{
				on: []path{transform}, what: "SIGKILL", lines: 2000, during: killOnce, allow: killed(),
				then: []expectation{neverDead, deliveredAll},
			},
			{
				on: senders(), what: "SIGSTOP for 2 s", lines: 1000, options: spread, inject: slowIntake, during: stopFor(2 * time.Second),
				then: []expectation{acknowledged, deliveredAtOnce, neverDead, stopsCame, deliveredAll},
			},
			{
				on: senders(), what: "SIGSTOP to the deadline", lines: 1000, inject: slowIntake, during: stopFor(0), allow: killed(),
				options: func(r *run, o *rig.Options) error {
					o.Timeout = 4 * time.Second
					return spread(r, o)
				},
				then: []expectation{stopsCame, neverDead, deliveredAll},
			},
		},
	}
}

// killed are the duplicates that the end of a process may make.
func killed() []audit.Class { return []audit.Class{audit.D1, audit.D3, audit.D4, audit.D5, audit.D6} }

// spread has many batches, so that there is a time between them.
func spread(_ *run, o *rig.Options) error {
	o.LinesPerPayload, o.Mapping.BatchSize, o.Queue.BatchSize, o.Pad = 100, 4, 2, generate.Random(400)
	return nil
}

// slowIntake takes its time, so that something is under way at any time.
func slowIntake(r *run) error {
	r.Intake().SetScript(intake.Always(intake.Step{Delay: 40 * time.Millisecond}))
	return nil
}

// killTwice kills the function when some lines have arrived, and when some more have.
func killTwice(r *run, ended <-chan struct{}) error {
	for i := range 2 {
		if !r.arrive(ended, (1+i)*r.lines/4+r.random.IntN(r.lines/5)) {
			return nil
		}
		r.note("kills")
		if err := r.Kill(r.path.function()); err != nil {
			return err
		}
	}
	return nil
}

// killOnce kills the function soon after it was started.
func killOnce(r *run, ended <-chan struct{}) error {
	select {
	case <-ended:
	case <-time.After(time.Duration(5+r.random.IntN(40)) * time.Millisecond):
	}
	return r.Kill(r.path.function())
}

// arrive waits until the intake has so many lines, and says whether it came to that.
func (r *run) arrive(ended <-chan struct{}, lines int) bool {
	for r.Intake().Taken() < lines {
		select {
		case <-ended:
			return false
		case <-time.After(2 * time.Millisecond):
		}
	}
	return true
}

func killsCame(r *run) { r.expect(r.noted("kills") > 0, "nothing was killed: it was over too soon") }

func stopsCame(r *run) { r.expect(r.noted("stops") > 0, "nothing was stopped: it was over too soon") }

// stopFor stops the process of the function once, for some time or for good.
func stopFor(d time.Duration) func(*run, <-chan struct{}) error {
	return func(r *run, ended <-chan struct{}) error {
		if !r.arrive(ended, r.lines/4) {
			return nil
		}
		function, err := r.Function(r.path.function())
		if err != nil {
			return err
		}
		r.note("stops")
		if err := function.Freeze(); err != nil || d == 0 {
			return err
		}
		time.Sleep(d)
		return function.Thaw()
	}
}

// F18.
func deadlines() row {
	return row{
		id: "F18", fault: "the deadline in the midst of an object, of an event, of a replay",
		end: "objects go on by offset, in 12 hops at most; what an event has left is parked; nothing comes twice",
		cells: []cell{
			{
				on: ofObjects(), what: "of an object", lines: haltedLines, options: halted, inject: haltsEach(2, haltBytes),
				then: []expectation{inTime, kept, neverDead, hopped, deliveredAll},
			},
			{
				on: []path{s3Direct}, what: "of an object, without a queue", lines: haltedLines, inject: haltsEach(2, haltBytes),
				options: func(r *run, o *rig.Options) error {
					o.Env = map[string]string{"SLUICE_CONTINUE_QUEUE": ""}
					return halted(r, o)
				},
				then: []expectation{inTime, kept, someParked, neverDead, deliveredAll},
			},
			{
				on: []path{cloudWatch, kinesis, tee}, short: []path{kinesis}, what: "of an event", lines: 4000, inject: stuckAfter(2),
				options: func(r *run, o *rig.Options) error {
					o.Timeout, o.LinesPerPayload, o.Pad = 12*time.Second, 4000, generate.Random(50)
					if r.path == tee {
						o.LinesPerPayload = 200 // a stream makes one event of them
					}
					return oneAtATime(r, o)
				},
				then: []expectation{acknowledged, kept, someParked, neverDead, deliveredAll},
			},
			{
				on: []path{replay}, what: "of a replay", lines: 4000, inject: stuckAfter(3), deliver: replayBriefly,
				options: func(r *run, o *rig.Options) error {
					o.LinesPerPayload, o.Pad = 500, generate.Random(50)
					return oneAtATime(r, o)
				},
				then: []expectation{kept, neverDead, severalReplays, deliveredAll},
			},
		},
		not: []exception{{[]path{transform}, "Firehose waits for five minutes, and a transformation of one MiB takes less than a second"}},
	}
}

// stuckAfter has the intake take so many requests at once, and the next one so late that whoever sent it is gone.
func stuckAfter(n int) step {
	return scripted(func(r *run) intake.Script {
		return func(a intake.Arrival) intake.Step {
			if (a.Number-r.before)%(n+1) == 0 {
				return intake.Step{Delay: time.Minute}
			}
			return intake.Step{}
		}
	})
}

func oneAtATime(_ *run, o *rig.Options) error {
	o.Destinations[0].Settings = []string{"max_in_flight: 1"}
	return nil
}

// haltsEach has S3 stop in the midst of an object, so many bytes further on each time it is read from its start, and the
// intake be stuck after so many requests. What is then on its way is parked, and the rest goes on. The bytes come at once and
// are few, so that the five seconds that are left then are enough on a machine that has much else to do.
func haltsEach(requests int, bytes int64) step {
	return func(r *run) error {
		var readings int64
		r.S3.SetScript(func(a bucket.Arrival) bucket.Step {
			if a.Method != http.MethodGet || a.Bucket != r.LogBucket || a.Key == "" || a.Range != "" {
				return bucket.Step{}
			}
			readings++
			return bucket.StallAfter(readings*bytes, bucket.UntilReleased)
		})
		return stuckAfter(requests)(r)
	}
}

// An object of which S3 halts twice: compressed, it has more than two times as many bytes.
const (
	haltedLines = 6_000
	haltBytes   = 900_000
)

// halted has one object, and a short time for it: eight seconds for sending, so that an answer that is slow for want of a
// processor is not taken for one that does not come, and less than the ten after which a request is sent once more; five
// for the rest.
func halted(r *run, o *rig.Options) error {
	o.Timeout, o.LinesPerPayload, o.Pad = 13*time.Second, haltedLines, generate.Random(500)
	return oneAtATime(r, o)
}

// replayBriefly replays for ten seconds at a time, of which five are for sending: with less than three of these left, nothing more is begun.
func replayBriefly(r *run) error {
	const rounds = 20
	for range rounds {
		left, err := r.Pending(r.ctx)
		if err != nil || len(left) == 0 {
			return err
		}
		if _, err := r.InvokeReplay(r.ctx, rig.PendingEvent, stack.Within(10*time.Second)); err != nil {
			return err
		}
	}
	return nil
}

func someParked(r *run) {
	r.expect(r.mid.Pending > 0, "nothing was parked: the deadline was never met")
}

func severalReplays(r *run) {
	r.expect(r.mid.ReplayInvocations > 1, "one replay was enough: the deadline was never met")
}

// hopped wants the rest of the object sent through the queue, and not too often.
func hopped(r *run) {
	n := r.SQS.Calls()
	r.expect(n > 0 && n <= 12, "%d continuations were sent", n)
}

// F19.
func repeats() row {
	same := []audit.Class{audit.D4}
	return row{
		id: "F19", fault: "events given twice, shuffled, delayed", end: "duplicates are D4 and have the same ids",
		cells: []cell{
			{
				on: []path{cloudWatch, s3Direct}, short: []path{cloudWatch}, what: "twice", feed: twice, allow: same,
				then: []expectation{acknowledged, deliveredAtOnce, sameBatches, neverDead, deliveredAll},
			},
			{
				on: []path{s3Queue}, what: "twice, shuffled, delayed", lines: 2000, allow: same,
				options: func(r *run, o *rig.Options) error {
					o.LinesPerPayload = 50
					o.Queue = owner.QueueConfig{Shuffle: true, Repeat: 0.5, Seed: r.random.Uint64(), Visibility: func(int) time.Duration { return 200 * time.Millisecond }}
					return nil
				},
				then: []expectation{acknowledged, deliveredAtOnce, someTwice, neverDead, deliveredAll},
			},
		},
		not: []exception{
			{[]path{kinesis}, "a shard hands a record over again after a failure alone: F17"},
			{[]path{transform, tee}, "Firehose invokes again after a failure alone: F17"},
			{[]path{replay}, "F28 has two runs at once"},
		},
	}
}

// twice sends everything, and then once more.
func twice(r *run) error {
	list := make([]rig.Payload, r.lines/spoiledLines)
	for i := range list {
		list[i] = r.Next(r.path.entry(), spoiledLines)
	}
	for _, p := range list {
		if err := r.Send(r.ctx, r.path.entry(), p); err != nil {
			return err
		}
	}
	for _, p := range list {
		if err := r.Resend(r.ctx, r.path.entry(), p); err != nil {
			return err
		}
	}
	return nil
}

// sameBatches wants each batch twice, under one id.
func sameBatches(r *run) {
	times := map[string]int{}
	for _, q := range r.since() {
		times[q.Batch]++
	}
	for id, n := range times {
		r.expect(n == 2, "batch %s was sent %d times", id, n)
	}
	someTwice(r)
}

func someTwice(r *run) {
	r.expect(r.end.Duplicates[audit.D4] > 0, "%v: nothing came twice", r.end.Duplicates)
}
