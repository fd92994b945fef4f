package main

import "sluice/e2e/rig"

// objects are what only objects pass: markers of their progress, and what is left of them when something keeps them from being
// read on.
func objects() []scenario {
	large := func(e rig.Entry) []feed { return []feed{{entry: e, events: 1, lines: objectLines}} }
	// The first marker says that a batch is durable, so that only what is behind it may come again. The last one says that the
	// object was read to its end: whoever gives it again then gets all of it.
	marked := []pass{
		{point: "after_progress", atMost: objectLines - batchLines + 1},
		{point: "after_progress", times: []int{2}},
		{point: "before_progress", times: []int{1, 2}},
		{point: "accepted", times: []int{2, 9}},
		{point: "before_answer"},
	}
	left := []pass{{point: "before_park", times: []int{1, 3}}, {point: "after_park", times: []int{1, 3, 6}}, {point: "before_answer"}}
	handed := []pass{
		{point: "before_continue"},
		{point: "after_continue"},
		{point: "decoded", times: []int{1, 2}},
		{point: "before_answer", times: []int{1, 2}},
		{point: "accepted", times: []int{1, 9}},
	}
	return []scenario{
		{
			name: "s3-marker", function: rig.ObjectFunction, passes: marked[:1], atMost: objectLines,
			plan: plan{reading: halting, feeds: large(rig.S3)},
		},
		{
			name: "s3-sqs-marker", function: rig.ObjectFunction, passes: marked, atMost: objectLines,
			plan: plan{reading: halting, feeds: large(rig.S3Queue)},
		},
		{
			name: "s3-continue", function: rig.ObjectFunction, passes: handed[:2], atMost: objectLines,
			plan: plan{reading: stalled, feeds: large(rig.S3)},
		},
		{
			name: "s3-sqs-continue", function: rig.ObjectFunction, passes: handed, atMost: objectLines,
			plan: plan{reading: stalled, feeds: large(rig.S3Queue)},
		},
		{
			name: "s3-late", function: rig.ObjectFunction, atMost: objectLines,
			plan:   plan{reading: stalled, noQueue: true, feeds: large(rig.S3)},
			passes: []pass{{point: "before_park"}, {point: "after_park"}, {point: "before_answer"}},
		},
		{
			name: "s3-down", function: rig.ObjectFunction, passes: left, atMost: objectLines,
			plan: plan{outage: true, reading: halting, feeds: large(rig.S3)},
		},
		{
			name: "s3-sqs-down", function: rig.ObjectFunction, passes: left[1:], atMost: objectLines,
			plan: plan{outage: true, reading: halting, feeds: large(rig.S3Queue)},
		},
	}
}
