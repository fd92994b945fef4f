package main

import (
	"encoding/base64"
	"fmt"
	"time"

	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/envelope"
)

const (
	maxEvents  = 10_000 // of a CloudWatch Logs batch
	maxRecords = 100    // of a Kinesis batch, BatchSize in template.yaml
	shard      = "shardId-000000000000"

	recordFrame = 600   // bytes of JSON around the data of a Kinesis record, at most
	lineBytes   = 1_150 // that a line of fillPad takes in an event, at most
)

// fillPad makes the lines that fill a batch up: base64 of packed noise is about as long as the noise was.
var fillPad = generate.Random(1_000)

// shape is a kind of payload. As an asynchronous event it is just under the limit, or inflates to much.
type shape struct {
	lines int
	pad   generate.Pad
}

func shapes() []shape {
	return []shape{
		{maxEvents, generate.Repetitive(2_800)}, // about 30 MB when inflated
		{120, generate.Repetitive(250_000)},     // the same in few lines, each near what one log event may hold
		{1_700, generate.Mixed},
		{950, fillPad},
		{3, generate.Random(250_000)},
	}
}

// largeEvents are one event of each shape.
func largeEvents() ([][]byte, error) {
	g := generate.New(1, time.Now())
	var events [][]byte
	for _, s := range shapes() {
		event, err := g.Filled(s.lines, s.pad).Event()
		if err != nil {
			return nil, err
		}
		if len(event) > stack.MaxAsyncBytes {
			return nil, fmt.Errorf("an event of %d lines has %d bytes: over the asynchronous limit", s.lines, len(event))
		}
		events = append(events, event)
	}
	return events, nil
}

// largeBatches are one batch for each shape: as many records of it as fit, and one that fills the batch up.
func largeBatches() ([][]byte, error) {
	stream := envelope.Stream{
		ARN:    "arn:aws:kinesis:" + stack.Region + ":" + stack.Account + ":stream/logs",
		Region: stack.Region,
		Role:   "arn:aws:iam::" + stack.Account + ":role/sluice-kinesis",
	}
	g := generate.New(1, time.Now())
	var batches [][]byte
	for _, s := range shapes() {
		batch, err := envelope.Kinesis(stream, fill(g, s))
		if err != nil {
			return nil, err
		}
		if len(batch) > stack.MaxSyncBytes {
			return nil, fmt.Errorf("a batch of payloads of %d lines has %d bytes: over the synchronous limit", s.lines, len(batch))
		}
		batches = append(batches, batch)
	}
	return batches, nil
}

// fill returns the records of a batch of nearly MaxSyncBytes.
func fill(g *generate.Generator, s shape) []envelope.Record {
	var records []envelope.Record
	room := stack.MaxSyncBytes
	for len(records) < maxRecords-1 {
		record := g.Filled(s.lines, s.pad).Record(shard, time.Now())
		size := base64.StdEncoding.EncodedLen(len(record.Data)) + recordFrame
		if size > room {
			break
		}
		room -= size
		records = append(records, record)
	}
	if lines := (room - recordFrame) / lineBytes; lines > 0 {
		records = append(records, g.Filled(lines, fillPad).Record(shard, time.Now()))
	}
	return records
}
