package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"

	"sluice/e2e/generate"
	"sluice/e2e/rig"
	"sluice/e2e/stack"
	"sluice/e2e/stack/delivery"
)

// F21.
func tiny() row {
	return row{
		id: "F21", fault: "hundreds of tiny objects, one to three lines each", end: "none lost; one GET for each, and no PUT",
		cells: []cell{{
			on: ofObjects(), short: []path{s3Queue}, what: "400 objects", feed: feedTiny, lines: tinyObjects,
			then: []expectation{acknowledged, deliveredAtOnce, neverDead, oneGetEach, noPuts, deliveredAll},
		}},
		not: append(noObjects(), exception{[]path{replay}, "F28 has more than 1,000 parked objects"}),
	}
}

const tinyObjects = 400

func feedTiny(r *run) error {
	for range r.lines {
		if err := r.Send(r.ctx, r.path.entry(), r.Next(r.path.entry(), 1+r.random.IntN(3))); err != nil {
			return err
		}
	}
	return nil
}

// oneGetEach wants a reading of each object, and nothing else asked of the bucket.
func oneGetEach(r *run) {
	n := 0
	for _, q := range r.S3.Requests() {
		if q.Bucket == r.LogBucket {
			n++
			r.expect(q.Method == http.MethodGet, "a %s of %s", q.Method, q.Key)
		}
	}
	r.expect(n == r.lines, "%d requests for %d objects", n, r.lines)
}

func noPuts(r *run) { r.expect(r.end.StorePuts == 0, "%d objects were written", r.end.StorePuts) }

// F30.
func answers() row {
	return row{
		id: "F30", fault: "transformations that become more than an answer holds",
		end: "what has no room comes back as a failed object and is delivered from there; every record has one result" +
			" (a transformation of five minutes is played in a virtual clock by its unit tests)",
		cells: []cell{{
			on: []path{transform, tee}, short: []path{transform}, what: "8 MB of lines in one event", lines: 4000,
			options: func(_ *run, o *rig.Options) error {
				o.Pad, o.LinesPerPayload = generate.Repetitive(2000), 200
				return nil
			},
			then: []expectation{overBudget, neverDead, deliveredAll},
		}, {
			on: []path{transform, tee}, what: "a recordId twice, and none", feed: among(misnamed),
			then: []expectation{acknowledged, neverDead, deliveredAll},
		}},
		not: []exception{{without(paths(), transform, tee), "no answer of theirs holds lines"}},
	}
}

// overBudget wants records that had no room, each judged once.
func overBudget(r *run) {
	failed := 0
	for _, w := range r.Stream.Objects() {
		if w.Kind == delivery.ProcessingFailed {
			failed += w.Records
		}
	}
	r.expect(failed > 0, "every record had room: the budget was never met")
	for _, inv := range r.Stream.Invocations() {
		r.expect(inv.Code == "", "an invocation failed: %s", inv.Code)
		r.expect(inv.ResponseBytes <= 6_000_000, "an answer has %d bytes", inv.ResponseBytes)
	}
}

// misnamed invokes the transformation with records that it cannot name, and holds its answer against them: each id once.
func misnamed(r *run) error {
	data := base64.StdEncoding.EncodeToString(packed(subscription("checkout", nil)))
	event := fmt.Sprintf(`{"invocationId":"a","deliveryStreamArn":%q,"region":%q,"records":[`+
		`{"recordId":"1","data":%q},{"recordId":"1","data":%q},{"data":%q},{"recordId":"2","data":"*"}]}`,
		r.Stream.ARN(), stack.Region, data, data, data)
	function, err := r.Function(rig.FirehoseFunction)
	if err != nil {
		return err
	}
	result, err := function.Invoke(r.ctx, []byte(event))
	if err != nil {
		return err
	}
	var answer struct {
		Records []struct {
			ID string `json:"recordId"`
		} `json:"records"`
	}
	err = json.Unmarshal(result.Response, &answer)
	r.expect(err == nil && len(answer.Records) == 2 && answer.Records[0].ID == "1" && answer.Records[1].ID == "2",
		"records 1, 1, none and 2 were answered with %s", result.Response)
	return nil
}

// F31.
func memory() row {
	return row{
		id: "F31", fault: "128 MB of memory, and twice the usual load", end: "no process needs more",
		cells: []cell{{
			on: paths(), short: []path{kinesis}, what: "128 MB", lines: 8000,
			options: func(_ *run, o *rig.Options) error {
				o.MemoryMiB, o.Pad, o.LinesPerPayload = 128, generate.Random(900), 400
				return nil
			},
			then: []expectation{inTime, neverDead, under(110), deliveredAll},
		}},
	}
}
