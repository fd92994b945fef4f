package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/owner"
)

// told is a chronicle in which replay has sent a half of payload a twice.
func told() *chronicle {
	e := delivered()
	half, all := brings("MZXW.0", 21, lines(1, 50)), brings("MZXW", 41, lines(1, 100))
	half.number, half.sender, all.number, all.sender = 1, replaySender, 3, replaySender
	e.intake = append(e.intake[1:], half, all)
	e.replays = []audit.Replay{
		{Delivery: owner.Delivery{RequestID: "r-20", Started: at(20), Finished: at(30), Outcome: owner.Taken}},
		{Delivery: owner.Delivery{RequestID: "r-32", Started: at(32), Finished: at(33), Outcome: owner.Taken}},
		{Delivery: owner.Delivery{RequestID: "r-40", Started: at(40), Finished: at(50), Outcome: owner.Taken}},
	}
	return &chronicle{
		evidence: e, started: start,
		requests: []request{
			{at: at(21), batch: "MZXW.0", sender: replaySender, ended: at(21.5), end: "answered 202, taken"},
			{at: at(22), batch: "MZXW.1", sender: replaySender, ended: at(22.1), end: "answered 503, not taken"},
			{at: at(41), batch: "MZXW", sender: replaySender, ended: at(41), end: "answered 202, taken"},
			{at: at(42), batch: "NBSW", sender: ingestSender, ended: at(42), end: "answered 500, not taken"},
		},
		store: []bucket.Request{
			asks(23, "PUT", "pending/main/1769947200-MZXW.p0123456789ab.a02.jsonl.gz", 503),
			asks(24, "PUT", "pending/main/1769947200-NBSW.a02.jsonl.gz", 200),
		},
		ledgers: map[string]stack.Ledger{"r-20": {Destinations: map[string]stack.Destination{
			destination: {In: 100, Delivered: 50, Returned: map[string]int{"http_503": 50}},
		}}},
		answers: map[string]string{"r-20": `{"dry_run":false}`},
		lives:   []moment{{at(25), "process of s3 is killed"}, {at(60), "process of kinesis is killed"}},
	}
}

func TestStory(t *testing.T) {
	assert.Equal(t, []string{strings.Join([]string{
		`s3/7: one of the 100 lines of payload a, `,
		`   0.000s delivery of it begins: r-a, attempt 1, 1 payloads`,
		`   2.000s delivery of it ends: r-a, taken; it has printed no counts`,
		`  20.000s replay begins: r-20, attempt 0, 0 payloads`,
		`  21.000s COPY at the intake: request 1, batch MZXW.0 of 50 lines, from replay, answered true`,
		`  21.000s request 1, batch MZXW.0, from replay: answered 202, taken after 0.500s`,
		`  22.000s request 2, batch MZXW.1, from replay: answered 503, not taken after 0.100s`,
		`  23.000s park store: PUT sluice/v1/pending/main/1769947200-MZXW.p0123456789ab.a02.jsonl.gz, status 503`,
		`  25.000s process of s3 is killed`,
		`  30.000s replay ends: r-20, taken; in 100, delivered 50, parked none, returned http_503 50; it answered {"dry_run":false}`,
		`  40.000s replay begins: r-40, attempt 0, 0 payloads`,
		`  41.000s COPY at the intake: request 3, batch MZXW of 100 lines, from replay, answered true`,
		`  41.000s request 3, batch MZXW, from replay: answered 202, taken after 0.000s`,
		`  50.000s replay ends: r-40, taken; it has printed no counts`,
	}, "\n  ")}, told().stories([]string{"s3/7"}))
}

func TestStoriesAreFewAndShort(t *testing.T) {
	c := told()
	assert.Empty(t, c.stories(nil))
	assert.Empty(t, c.stories([]string{"s3/105", "s3/x", "app/7", "event 1"}), "no line that was sent")
	assert.Len(t, c.stories([]string{"s3/7", "s3/8", "s3/100"}), 1, "one of each payload")

	for i := range 10 {
		c.evidence.payloads = append(c.evidence.payloads, payload{id: "more", src: "s3", first: 400 + i, n: 1})
		c.evidence.payloads[len(c.evidence.payloads)-1].id += strings.Repeat("x", i)
	}
	var marks []string
	for _, seq := range []string{"400", "401", "402", "403"} {
		marks = append(marks, "s3/"+seq)
	}
	assert.Len(t, c.stories(marks), maxStories)

	for range 100 {
		c.requests = append(c.requests, request{at: at(30), batch: "MZXW", ended: at(30)})
	}
	list := c.stories([]string{"s3/7"})
	require.Len(t, list, 1)
	assert.Equal(t, maxMoments+1, strings.Count(list[0], "\n"))
	assert.Contains(t, list[0], "\n  and 53 more")
}
