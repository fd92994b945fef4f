package main

import (
	"time"

	"sluice/e2e/generate"
	"sluice/e2e/sample"
	"sluice/e2e/stack/envelope"
)

// The generated load: about 60 000 lines, half of it through each of the two functions that get their lines in events.
const (
	seed             = 1
	payloads         = 120 // for each function
	linesPerPayload  = 250
	recordsPerBatch  = 10
	recordsPerSecond = 100 // decides the arrival times only
)

// work is everything the demo sends but the large object.
type work struct {
	direct  []directEvent
	shards  [][]envelope.Record
	objects []*object
	records []streamRecord
	lines   []generate.Line
	events  int // with the announcements of objects and the records of the delivery stream
}

// directEvent is one asynchronous event.
type directEvent struct {
	id      string
	payload []byte
}

// prepare reads the sample events and generates the load.
func prepare(eventsDir string) (work, error) {
	samples, err := sample.Read(eventsDir)
	if err != nil {
		return work{}, err
	}
	w := work{}
	for _, s := range samples {
		w.lines = append(w.lines, s.Lines...)
		if s.Stream {
			w.shards = append(w.shards, s.Records)
			w.events += len(s.Records)
			continue
		}
		w.direct = append(w.direct, directEvent{id: s.Name, payload: s.Body})
		w.events++
	}
	now := time.Now()
	g := generate.New(seed, now)
	if err := w.generate(g, now); err != nil {
		return work{}, err
	}
	if w.objects, err = objects(g, now); err != nil {
		return work{}, err
	}
	for _, o := range w.objects {
		w.lines = append(w.lines, o.lines...)
		w.events++
	}
	records, lines := streamRecords(g, now)
	w.records, w.lines, w.events = records, append(w.lines, lines...), w.events+len(records)
	return w, nil
}

func (w *work) generate(g *generate.Generator, now time.Time) error {
	var shard []envelope.Record
	for i := range payloads {
		p := g.Payload(linesPerPayload)
		event, err := p.Event()
		if err != nil {
			return err
		}
		w.direct = append(w.direct, directEvent{id: p.ID, payload: event})
		streamed := g.Payload(linesPerPayload)
		arrived := now.Add(time.Duration(i-payloads) * time.Second / recordsPerSecond)
		shard = append(shard, streamed.Record("shardId-000000000000", arrived))
		w.lines = append(append(w.lines, p.Lines...), streamed.Lines...)
		w.events += 2
	}
	w.shards = append(w.shards, shard)
	return nil
}
