package main

import "sluice/e2e/rig"

// parking are the entries when every destination is down.
func parking() []scenario {
	again := []pass{
		{point: "before_park", times: []int{1, 3}}, {point: "after_park", times: []int{1, 3}}, {point: "before_answer"},
	}
	return []scenario{
		{
			name: "cloudwatch-outage", function: rig.CloudWatchFunction, passes: again, atMost: eventLines,
			plan: plan{outage: true, feeds: []feed{{entry: rig.CloudWatch, events: 1, lines: eventLines}}},
		},
		{
			name: "cloudwatch-one-down", function: rig.CloudWatchFunction, atMost: 2 * eventLines,
			plan:   plan{outage: true, oneDown: true, feeds: []feed{{entry: rig.CloudWatch, events: 1, lines: eventLines}}},
			passes: []pass{{point: "accepted"}, {point: "after_park"}},
		},
		{
			name: "cloudwatch-unreadable", function: rig.CloudWatchFunction, atMost: fewLines,
			plan: plan{feeds: []feed{
				{entry: rig.CloudWatch, events: 1, lines: fewLines, spoiled: true}, {entry: rig.CloudWatch, events: 1, lines: fewLines},
			}},
			passes: []pass{{point: "before_park"}, {point: "after_park"}},
		},
		{
			name: "cloudwatch-refused", function: rig.CloudWatchFunction, atMost: fewLines,
			plan:   plan{poisoned: true, feeds: []feed{{entry: rig.CloudWatch, events: 1, lines: fewLines}}},
			passes: []pass{{point: "before_park"}, {point: "after_park"}},
		},
		{
			name: "kinesis-outage", function: rig.KinesisFunction, passes: again, atMost: 3 * batchLines,
			plan: plan{outage: true, feeds: []feed{{entry: rig.Kinesis, events: 3, lines: batchLines}}},
		},
		{
			name: "kinesis-unreadable", function: rig.KinesisFunction, atMost: 2 * fewLines,
			plan: plan{feeds: []feed{
				{entry: rig.Kinesis, events: 1, lines: fewLines},
				{entry: rig.Kinesis, events: 1, lines: fewLines, spoiled: true},
				{entry: rig.Kinesis, events: 1, lines: fewLines},
			}},
			passes: []pass{{point: "before_park"}, {point: "after_park"}},
		},
		{
			name: "firehose-tee-outage", function: rig.FirehoseFunction, passes: again, atMost: 3 * batchLines,
			plan: plan{outage: true, feeds: []feed{{entry: rig.Firehose, events: 3, lines: batchLines}}},
		},
		{
			name: "s3-outage", function: rig.ObjectFunction, passes: again, atMost: eventLines,
			plan: plan{outage: true, feeds: []feed{{entry: rig.S3, events: 1, lines: eventLines}}},
		},
		{
			name: "s3-sqs-outage", function: rig.ObjectFunction, passes: again, atMost: eventLines,
			plan: plan{outage: true, feeds: []feed{{entry: rig.S3Queue, events: 1, lines: eventLines}}},
		},
	}
}
