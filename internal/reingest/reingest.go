// Package reingest puts records of a Firehose transformation back into the stream they came from, because the answer had
// no room for them: into the delivery stream, or into the Kinesis stream that feeds it.
//
// It promises that a record it does not report as failed is in the stream, and that a record is put back [MaxHops] times
// at most: the count travels in the record itself, see [WithHop]. Where an answer leaves doubt, a record counts as failed,
// so it may be in the stream twice, and never not at all.
//
// It does not decide which records go back, does not split one that is too large, and keeps no order: a record that is put
// back comes again later, with another arrival time. Whatever else reads a Kinesis stream sees the record a second time.
package reingest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"sluice/internal/awsenv"
)

// Record is one record to put back.
type Record struct {
	// Data is what the stream is to hold, before base64. It may be empty, and is not changed.
	Data []byte
	// PartitionKey decides the shard of a Kinesis stream; delivery streams have none. A key that Kinesis would refuse, the
	// empty one included, is replaced by one made of the data's hash.
	PartitionKey string
}

// Caller makes one signed call of the JSON 1.1 protocol; *[awsenv.Environment] is one. A refusal by AWS has to be an
// *[awsenv.APIError].
type Caller interface {
	Call(ctx context.Context, s awsenv.Service, region, operation string, in, out any) error
}

// Putter puts records into streams. It is safe for concurrent use.
type Putter struct {
	aws    Caller
	random func(n int64) int64 // at least 0, less than n
}

// New returns a Putter that calls AWS through c.
func New(c Caller) *Putter { return &Putter{aws: c, random: rand.Int64N} }

// What a throttled record is given. With a base of 100 ms and full jitter, the four tries wait 0.35 s on average: the
// transformation has five minutes, and what stays out is not lost.
const (
	maxTries = 4
	baseWait = 100 * time.Millisecond // before the second try, at most; doubled for each further one
	maxWait  = 2 * time.Second
)

// Put puts records into the stream of an ARN, which decides the API: a deliverystream of firehose takes PutRecordBatch, a
// stream of kinesis takes PutRecords, in the region that the ARN names.
//
// It returns the indices of the records that are not in the stream, in ascending order, and why the first of them is not;
// err is nil when all are in. An ARN that is not well-formed fails all of them, and a record that is too large for its
// stream fails alone; neither is sent. Records that the stream is too busy for are tried four times in all, as far as ctx
// lasts. Any other refusal of a call ends the put: records not yet taken have failed with it.
func (p *Putter) Put(ctx context.Context, streamARN string, records []Record) (failed []int, err error) {
	if len(records) == 0 {
		return nil, nil
	}
	s, err := parseStream(streamARN)
	if err != nil {
		for i := range records {
			failed = append(failed, i)
		}
		return failed, fmt.Errorf("put %d records back: %w", len(records), err)
	}
	t := newTransfer(p.aws, s, records)
	pending := t.fitting()
	for try := 1; len(pending) > 0; try++ {
		pending = t.round(ctx, pending)
		if len(pending) == 0 {
			break
		}
		if try == maxTries {
			t.annotate(pending, func(reason error) error { return fmt.Errorf("tried %d times: %w", maxTries, reason) })
			break
		}
		if err := p.wait(ctx, try); err != nil {
			t.annotate(pending, func(reason error) error { return fmt.Errorf("no time for another try: %w; before: %w", err, reason) })
			break
		}
	}
	return t.result()
}

// wait waits after a try. It does not start a wait that ctx would end: the answer of the transformation needs that time.
func (p *Putter) wait(ctx context.Context, try int) error {
	wait := time.Duration(p.random(int64(min(baseWait<<(try-1), maxWait))))
	if deadline, limited := ctx.Deadline(); limited && time.Until(deadline) <= wait {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
