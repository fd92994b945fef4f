package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"sluice/e2e/generate"
)

const (
	firehosePayloads = 40
	firehoseLines    = 100 // of each payload
)

// backup is an object of Firehose that holds the payloads of a log group as they came: gzip members that touch.
func backup(g *generate.Generator) content {
	c := content{readable: whole}
	for range firehosePayloads {
		p := markedPayload(g, firehoseLines, generate.Mixed)
		c.body = append(c.body, p.Gzip()...)
		c.lines = append(c.lines, p.Lines...)
	}
	return c
}

// failedRecord is one line of an object below http-endpoint-failed/. Format: Amazon Data Firehose developer guide, "Handle
// data delivery failures", HTTP endpoint destinations.
type failedRecord struct {
	Attempts int    `json:"attemptsMade"`
	Arrived  int64  `json:"arrivalTimestamp"`
	Code     string `json:"errorCode"`
	Message  string `json:"errorMessage"`
	Ended    int64  `json:"attemptEndingTimestamp"`
	Data     []byte `json:"rawData"` // base64 by encoding/json
}

// failedDelivery is what Firehose could not hand to its endpoint: payloads of CloudWatch Logs and plain lines, in turns.
func failedDelivery(g *generate.Generator, now time.Time) (content, error) {
	c := content{readable: whole}
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	for i := range firehosePayloads {
		r := failedRecord{
			Attempts: 6, Arrived: now.Add(-time.Minute).UnixMilli(), Ended: now.UnixMilli(),
			Code: "HttpEndpoint.RequestTimeout", Message: "The endpoint did not answer in time.",
		}
		if i%2 == 0 {
			p := markedPayload(g, firehoseLines, generate.Mixed)
			r.Data, c.lines = p.Gzip(), append(c.lines, p.Lines...)
		} else {
			o := g.Object(firehoseLines, generate.Text("INFO order accepted ", 40))
			r.Data, c.lines = o.Body, append(c.lines, o.Lines...)
		}
		if err := lines.Encode(r); err != nil {
			return content{}, fmt.Errorf("encode a failed record: %w", err)
		}
	}
	c.body = b.Bytes()
	return c, nil
}

// markedPayload is a payload without empty messages. In an object they have nothing to be told apart by: the id that
// CloudWatch Logs gave them does not reach the intake.
func markedPayload(g *generate.Generator, lines int, pad generate.Pad) generate.Payload {
	for {
		p := g.Filled(lines, pad)
		if !slices.ContainsFunc(p.Lines, func(l generate.Line) bool { return l.Mark == generate.Mark{} }) {
			return p
		}
	}
}
