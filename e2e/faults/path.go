package main

import (
	"slices"

	"sluice/e2e/rig"
)

// path is a way of lines through the system: a column of the matrix.
type path string

// The paths.
const (
	cloudWatch path = "cloudwatch"
	kinesis    path = "kinesis"
	transform  path = "transform" // a delivery stream that takes the lines itself
	tee        path = "tee"       // one whose transformation delivers them too
	s3Direct   path = "s3"
	s3Queue    path = "s3-sqs"
	replay     path = "replay"
)

// paths are all of them, in the order of a report.
func paths() []path { return []path{cloudWatch, kinesis, transform, tee, s3Direct, s3Queue, replay} }

// senders are the paths that send to a destination.
func senders() []path { return []path{cloudWatch, kinesis, tee, s3Direct, s3Queue, replay} }

// ingesting are the senders that have an owner of AWS before them.
func ingesting() []path { return []path{cloudWatch, kinesis, tee, s3Direct, s3Queue} }

// ofObjects are the paths that read objects.
func ofObjects() []path { return []path{s3Direct, s3Queue} }

// ofPayloads are the paths whose events bring the lines.
func ofPayloads() []path { return []path{cloudWatch, kinesis, transform, tee} }

// without is a list without some of its paths.
func without(list []path, left ...path) []path {
	return slices.DeleteFunc(slices.Clone(list), func(p path) bool { return slices.Contains(left, p) })
}

// entry is where the rig takes the lines of a path from.
func (p path) entry() rig.Entry {
	switch p {
	case cloudWatch:
		return rig.CloudWatch
	case kinesis:
		return rig.Kinesis
	case transform, tee:
		return rig.Firehose
	case s3Direct:
		return rig.S3
	case s3Queue:
		return rig.S3Queue
	default:
		return rig.Parked
	}
}

// function is the one under test.
func (p path) function() rig.Function {
	switch p {
	case cloudWatch:
		return rig.CloudWatchFunction
	case kinesis:
		return rig.KinesisFunction
	case transform, tee:
		return rig.FirehoseFunction
	case s3Direct, s3Queue:
		return rig.ObjectFunction
	default:
		return rig.ReplayFunction
	}
}
