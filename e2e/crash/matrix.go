package main

import (
	"slices"

	"sluice/e2e/rig"
)

// Sizes of what comes in: an event is three batches, and what is parked of it is three objects.
const (
	batchLines  = 100
	eventLines  = 240
	objectLines = 1200 // more than are read between two looks at the clock, several times over
	fewLines    = 50   // not one batch: nothing is sent before the event was read to its end
)

// scenarios is the matrix: how each durable step is come to by each entry.
func scenarios() []scenario {
	return slices.Concat(healthy(), parking(), objects(), replaying())
}

// healthy are the entries when all is well but for the fault.
func healthy() []scenario {
	twice := []pass{
		{point: "decoded", times: []int{1, 2}}, {point: "accepted", times: []int{1, 2, 3}}, {point: "before_answer", times: []int{1, 2}},
	}
	once := []pass{{point: "decoded"}, {point: "accepted", times: []int{1, 2, 3}}, {point: "before_answer"}}
	return []scenario{
		{
			name: "cloudwatch", function: rig.CloudWatchFunction, passes: twice, atMost: eventLines,
			plan: plan{feeds: []feed{{entry: rig.CloudWatch, events: 2, lines: eventLines}}},
		},
		{
			name: "kinesis", function: rig.KinesisFunction, passes: once, atMost: 3 * batchLines,
			plan: plan{feeds: []feed{{entry: rig.Kinesis, events: 3, lines: batchLines}}},
		},
		{
			name: "firehose", function: rig.FirehoseFunction,
			plan:   plan{plain: true, feeds: []feed{{entry: rig.Firehose, events: 3, lines: fewLines}}},
			passes: []pass{{point: "decoded"}, {point: "before_answer"}},
		},
		{
			name: "firehose-tee", function: rig.FirehoseFunction, passes: once, atMost: 3 * batchLines,
			plan: plan{feeds: []feed{{entry: rig.Firehose, events: 3, lines: batchLines}}},
		},
		{
			name: "s3", function: rig.ObjectFunction, passes: twice, atMost: eventLines,
			plan: plan{feeds: []feed{{entry: rig.S3, events: 2, lines: eventLines}}},
		},
		{
			name: "s3-sqs", function: rig.ObjectFunction, passes: once, atMost: 2 * eventLines,
			plan: plan{feeds: []feed{{entry: rig.S3Queue, events: 2, lines: eventLines}}},
		},
	}
}
