package main

import (
	"slices"

	"sluice/e2e/rig"
)

// replaying is what the function meets that sends again what was parked. Its bound is one parked object.
func replaying() []scenario { return slices.Concat(parkedBefore(), givenUp()) }

// parkedBefore is what the functions have parked, as items and as pointers, beside an object that is no sound one.
func parkedBefore() []scenario {
	parkedEvent := plan{outage: true, feeds: []feed{{entry: rig.CloudWatch, events: 1, lines: eventLines}}}
	return []scenario{
		{
			name: "replay-items", function: rig.ReplayFunction, plan: parkedEvent, atMost: batchLines,
			passes: []pass{
				{point: "leased", times: []int{1, 3}, atMost: never},
				{point: "accepted", times: []int{1, 3}},
				{point: "before_delete", times: []int{1, 3}},
				{point: "after_delete", times: []int{1, 3}, atMost: never},
				{point: "before_answer", atMost: never},
			},
		},
		{
			name: "replay-items-again", function: rig.ReplayFunction, atMost: batchLines,
			plan: plan{outage: true, replayOutage: true, feeds: []feed{{entry: rig.CloudWatch, events: 1, lines: eventLines}}},
			passes: []pass{
				{point: "before_park", atMost: never}, {point: "after_park"}, {point: "before_delete"}, {point: "after_delete", atMost: never},
			},
		},
		{
			name: "replay-pointer", function: rig.ReplayFunction, atMost: objectLines,
			plan: plan{reading: stalled, noQueue: true, feeds: []feed{{entry: rig.S3, events: 1, lines: objectLines}}},
			passes: []pass{
				{point: "leased", atMost: never},
				{point: "decoded"},
				{point: "accepted", times: []int{1, 2}},
				{point: "before_delete"},
				{point: "after_delete", atMost: never},
				{point: "before_answer", atMost: never},
			},
		},
		{
			name: "replay-pointer-again", function: rig.ReplayFunction, atMost: objectLines,
			plan: plan{
				reading: stalled, noQueue: true, replayOutage: true, feeds: []feed{{entry: rig.S3, events: 1, lines: objectLines}},
			},
			passes: []pass{{point: "before_park"}, {point: "after_park"}, {point: "before_delete"}},
		},
		{
			name: "replay-broken", function: rig.ReplayFunction, atMost: batchLines,
			plan: plan{outage: true, broken: true, feeds: []feed{{entry: rig.CloudWatch, events: 1, lines: fewLines}}},
			passes: []pass{
				{point: "after_park", atMost: never}, {point: "before_delete", atMost: never},
			},
		},
	}
}

// givenUp is what Lambda has kept of events whose every attempt ended.
func givenUp() []scenario {
	kept := []pass{
		{point: "leased"},
		{point: "before_progress"},
		{point: "after_progress"},
		{point: "decoded"},
		{point: "accepted"},
		{point: "before_delete"},
		{point: "after_delete", atMost: never},
		{point: "before_answer", atMost: never},
	}
	return []scenario{
		{
			name: "replay-failure", function: rig.ReplayFunction, passes: kept, atMost: fewLines,
			plan: plan{
				injections: endings(rig.CloudWatchFunction, 3), feeds: []feed{{entry: rig.CloudWatch, events: 1, lines: fewLines}},
			},
		},
		{
			name: "replay-failure-kinesis", function: rig.ReplayFunction, passes: kept[4:6], atMost: fewLines,
			plan: plan{
				impatient: true, injections: endings(rig.KinesisFunction, 2),
				feeds: []feed{{entry: rig.Kinesis, events: 1, lines: fewLines}},
			},
		},
		{
			name: "replay-failure-s3", function: rig.ReplayFunction, passes: kept[4:6], atMost: fewLines,
			plan: plan{injections: endings(rig.ObjectFunction, 3), feeds: []feed{{entry: rig.S3, events: 1, lines: fewLines}}},
		},
	}
}

// endings end the first processes of a function before they have sent anything.
func endings(f rig.Function, processes int) []injection {
	list := make([]injection, processes)
	for i := range list {
		list[i] = injection{f, i + 1, "decoded", exit, 1}
	}
	return list
}
