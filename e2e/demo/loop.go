package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/delivery"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
)

// What goes through the delivery stream.
const (
	loopPayloads  = 40    // of CloudWatch Logs
	wideEvery     = 3     // one of so many is wide: a batch of them becomes more than an answer holds
	wideLines     = 300   // of a wide payload
	wideLineBytes = 1_000 // which compress to almost nothing
	flowRecords   = 30    // of VPC flow logs
	flowLines     = 50    // of each
)

// How the stream is set up, and when its endpoint is down.
const (
	loopStream     = "logs-to-datadog"
	loopFunction   = "firehose"
	endpointKey    = "an-invented-access-key"
	requestRecords = 4  // of a request to the endpoint
	endpointFirst  = 3  // requests that are answered before its outage
	endpointDown   = 13 // requests that are not: all that one batch gets, and a few of the next
)

// streamRecord is one record to put into the delivery stream.
type streamRecord struct {
	id   string
	data []byte
}

// streamRecords are the records for the delivery stream and their lines: payloads of CloudWatch Logs and lines of VPC
// flow logs.
func streamRecords(g *generate.Generator, now time.Time) (records []streamRecord, lines []generate.Line) {
	for i := range loopPayloads {
		count, pad := firehoseLines, generate.Pad(generate.Mixed)
		if i%wideEvery == 0 {
			count, pad = wideLines, generate.Repetitive(wideLineBytes)
		}
		p := markedPayload(g, count, pad)
		records = append(records, streamRecord{p.ID, p.Gzip()})
		lines = append(lines, p.Lines...)
	}
	for i := range flowRecords {
		r := streamRecord{id: "flows-" + strconv.Itoa(i)}
		for j := range flowLines {
			n := i*flowLines + j
			line := fmt.Sprintf("2 123456789012 eni-0fedcba9876543210 198.51.100.%d 203.0.113.%d %d 443 6 %d %d %d %d ACCEPT OK",
				n%256, n%251, 1024+n, 1+n%40, 100+n, now.Unix()-60, now.Unix())
			r.data = append(append(r.data, line...), '\n')
			lines = append(lines, generate.Line{Payload: r.id, Message: line})
		}
		records = append(records, r)
	}
	return records, lines
}

// loop is the closed loop: a delivery stream with functions/firehose as its transformation, an endpoint that is down for
// longer than Firehose tries, and the queue that announces the failed objects to functions/s3.
type loop struct {
	stream   *delivery.Stream
	endpoint *delivery.Endpoint
	queue    *owner.Queue
	announce error // why an object could not be announced
}

// open makes the stream. Its transformation is one function, and the other one gets what it failed with.
func (l *loop) open(b *bucket.Server, transform, objects owner.Invoker) error {
	l.queue = owner.NewQueue(objects, owner.QueueConfig{
		Queue:       envelope.Queue{ARN: "arn:aws:sqs:" + stack.Region + ":" + stack.Account + ":failed-records", Region: stack.Region},
		MaxReceives: 20, Visibility: streamBackoff, // the intake's outage takes several receives
	})
	var err error
	l.stream, err = delivery.New(delivery.Config{
		Name: loopStream, Seed: seed, Transform: &delivery.Transform{Function: transform},
		HTTP: &delivery.HTTP{
			URL: l.endpoint.URL(), AccessKey: endpointKey, Gzip: true, BufferRecords: requestRecords,
			Attributes: map[string]string{"env": "demo"},
		},
		Objects: delivery.Objects{Store: b, Bucket: logBucket, Compression: delivery.Gzip},
		Written: func(w delivery.Written) {
			if _, err := l.queue.Send(notify.Native(w.Object), w.Payloads...); err != nil {
				l.announce = err
			}
		},
	})
	return err
}

// listen starts the endpoint.
func (l *loop) listen() error {
	var err error
	if l.endpoint, err = delivery.StartEndpoint(endpointKey, nil); err != nil {
		return err
	}
	l.endpoint.SetScript(func(a intake.Arrival) delivery.Step {
		if endpointFirst < a.Number && a.Number <= endpointFirst+endpointDown {
			return delivery.Outage()
		}
		return delivery.Slow(networkDelay)
	})
	return nil
}

// close ends the endpoint, if there is one.
func (l *loop) close() error {
	if l.endpoint == nil {
		return nil
	}
	return l.endpoint.Close()
}

// put gives every record to the stream.
func (l *loop) put(records []streamRecord) error {
	for _, r := range records {
		if _, err := l.stream.Put(r.id, r.data); err != nil {
			return fmt.Errorf("put record %s of %d bytes: %w", r.id, len(r.data), err)
		}
	}
	return nil
}

// drain works until every record was delivered by the endpoint or is in an object, and every object was read.
func (l *loop) drain(ctx context.Context) error {
	if err := l.stream.Drain(ctx); err != nil {
		return err
	}
	if l.announce != nil {
		return l.announce
	}
	return l.queue.Drain(ctx)
}

// taken is how many lines the endpoint has.
func (l *loop) taken() int { return len(l.endpoint.Entries()) }

// evidence is what the audit is told of the stream.
func (l *loop) evidence(ledgers []stack.Ledger) *audit.Stream {
	return &audit.Stream{Ledgers: ledgers, History: l.stream.History(), Entries: l.endpoint.Entries()}
}

// opened are entries of which those are opened that hold an item: what the transformation had made of a line, and
// Firehose could not deliver, is sent as the line that it is then.
func opened(entries []intake.Entry) []intake.Entry {
	for i, entry := range entries {
		if !strings.HasPrefix(entry.Message, "{") {
			continue
		}
		inner := delivery.Lines([]byte(entry.Message))
		if len(inner) == 1 && inner[0].ID != "" && inner[0].Source != "" {
			entries[i].Message = inner[0].Message
		}
	}
	return entries
}

// show prints the way of the records.
func (l *loop) show(out io.Writer, b *bucket.Server, records int) {
	invocations, surplus := l.stream.Invocations(), 0
	for _, w := range l.stream.Objects() {
		if w.Kind == delivery.ProcessingFailed {
			surplus += w.Records
		}
	}
	attempts, refused := l.stream.Attempts(), 0
	for _, a := range attempts {
		if a.Code != "" {
			refused++
		}
	}
	fmt.Fprintf(out, "\nthe closed loop: %d records into the delivery stream %s\n", records, loopStream)
	fmt.Fprintf(out, "  transformation  %d invocations; %d records came to more than an answer holds\n", len(invocations), surplus)
	fmt.Fprintf(out, "  endpoint        %d requests, %d of them refused in its outage; %d lines taken\n", len(attempts), refused, l.taken())
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  failed object\trecords\tMB\treads from S3 by functions/s3")
	for _, w := range l.stream.Objects() {
		fmt.Fprintf(table, "  %s\t%d\t%.2f\t%s\n", w.Kind, w.Records, float64(w.Size)/1e6, reads(b, w.Key))
	}
	table.Flush()
}
