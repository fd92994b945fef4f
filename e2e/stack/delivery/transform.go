package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sluice/e2e/stack"
	"sluice/e2e/stack/owner"
)

// Limits of a transformation. Developer guide, "Transform source data"; Lambda quotas.
const (
	defaultTransformBytes = 1 << 20 // the buffer hint; 256 KiB for Splunk
	minTransformBytes     = 200 << 10
	maxTransformBytes     = 3 << 20
	defaultRetries        = 3               // NumberOfRetries
	maxFunctionTime       = 5 * time.Minute // of the wait for an answer, whatever the function's own timeout
	maxEventBytes         = stack.MaxSyncBytes - eventHeadBytes
	eventHeadBytes        = 4 << 10 // an upper bound of what stands around the records
	recordEventBytes      = 160     // an upper bound of a record's members without data
	metadataEventBytes    = 480     // an upper bound of its Kinesis metadata, with a key of 256 characters
)

// Transform is the Lambda processor of a stream.
type Transform struct {
	Function      owner.Invoker
	ARN           string // of the function with its version or alias, for the failed objects
	BufferBytes   int    // hint of what one invocation gets, before base64: 204,800 to 3 MiB; 0 means 1 MiB
	BufferRecords int    // 0 means as many as fit
	Retries       int    // of an invocation that failed; 0 means 3, a negative number none
}

func (t *Transform) withDefaults() *Transform {
	c := *t
	if c.ARN == "" {
		c.ARN = fmt.Sprintf("arn:aws:lambda:%s:%s:function:transform:$LATEST", stack.Region, stack.Account)
	}
	if c.BufferBytes == 0 {
		c.BufferBytes = defaultTransformBytes
	}
	if c.Retries == 0 {
		c.Retries = defaultRetries
	}
	return &c
}

func (t *Transform) check() error {
	var errs []error
	if t.Function == nil {
		errs = append(errs, errors.New("Transform.Function: set it"))
	}
	if t.BufferBytes < minTransformBytes || t.BufferBytes > maxTransformBytes {
		errs = append(errs, fmt.Errorf("Transform.BufferBytes %d: set %d to %d", t.BufferBytes, minTransformBytes, maxTransformBytes))
	}
	return errors.Join(errs...)
}

// limits are those of the buffer records are put into; without a transformation it only bounds a batch.
func (t *Transform) limits() (bytes, records int) {
	if t == nil {
		return defaultTransformBytes, 0
	}
	return t.BufferBytes, t.BufferRecords
}

// Invocation is one attempt to have a batch transformed. Its Outcome is Partly when the answer was read and records of it
// failed.
type Invocation struct {
	owner.Delivery
	ID            string   // invocationId, new for every attempt
	RecordIDs     []string // in order
	EventBytes    int
	ResponseBytes int
	Code          string // error code of the whole attempt, "" when its answer was read
}

// event is what the function gets, in the order of the guide's members.
type event struct {
	InvocationID string        `json:"invocationId"`
	StreamARN    string        `json:"deliveryStreamArn"`
	SourceARN    string        `json:"sourceKinesisStreamArn,omitempty"`
	Region       string        `json:"region"`
	Records      []eventRecord `json:"records"`
}

type eventRecord struct {
	ID      string    `json:"recordId"`
	Arrival int64     `json:"approximateArrivalTimestamp"` // epoch milliseconds
	Data    []byte    `json:"data"`                        // never nil, which would be null
	Kinesis *metadata `json:"kinesisRecordMetadata,omitempty"`
}

// metadata is where a record of a Kinesis stream stood. The published examples have a number or a text for the two last
// types.
type metadata struct {
	Shard       string `json:"shardId"`
	Key         string `json:"partitionKey"`
	Arrival     any    `json:"approximateArrivalTimestamp"`
	Sequence    string `json:"sequenceNumber"`
	Subsequence any    `json:"subsequenceNumber"`
}

func newMetadata(k KinesisRecord, asText bool) *metadata {
	m := &metadata{
		Shard: k.Shard, Key: k.PartitionKey, Sequence: k.Sequence,
		Arrival: k.Arrived.UnixMilli(), Subsequence: k.Subsequence,
	}
	if asText {
		m.Arrival = k.Arrived.UTC().Format("2006-01-02T15:04:05.000Z")
		m.Subsequence = ""
	}
	return m
}

// eventBytes is an upper bound of a record's part of an event.
func eventBytes(r *record) int {
	n := (len(r.source)+2)/3*4 + recordEventBytes
	if r.kinesis != nil {
		n += metadataEventBytes
	}
	return n
}

func (s *Stream) event(id string, batch []*record) ([]byte, error) {
	e := event{
		InvocationID: id, StreamARN: s.ARN(), SourceARN: s.cfg.Source, Region: stack.Region,
		Records: make([]eventRecord, len(batch)),
	}
	for i, r := range batch {
		e.Records[i] = eventRecord{
			ID: r.id, Arrival: r.arrived.UnixMilli(), Data: append([]byte{}, r.source...), Kinesis: r.kinesis,
		}
	}
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("write the event of %d records: %w", len(batch), err)
	}
	return body, nil
}

// transform has the function transform a batch and returns what to deliver and what failed. Without a function every
// record is delivered as it came.
func (s *Stream) transform(ctx context.Context, batch []*record) ([]*record, []*failedRecord, error) {
	if s.cfg.Transform == nil {
		return batch, nil, nil
	}
	attempts := 1 + max(0, s.cfg.Transform.Retries)
	for attempt := 1; ; attempt++ {
		inv, answer, err := s.invoke(ctx, batch, attempt)
		if err != nil {
			return nil, nil, err
		}
		if inv.Code != "" {
			s.note(inv)
			if attempt < attempts {
				continue
			}
			return nil, s.failAll(batch, attempt, inv.Code, inv.Error), nil
		}
		good, bad := s.judge(batch, answer, attempt)
		if len(bad) > 0 {
			inv.Outcome = owner.Partly
		}
		s.note(inv)
		return good, bad, nil
	}
}

func (s *Stream) note(inv Invocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.invocations = append(s.invocations, inv)
}

// invoke makes one attempt. An attempt that failed has a Code.
func (s *Stream) invoke(ctx context.Context, batch []*record, attempt int) (Invocation, []answered, error) {
	inv := Invocation{ID: s.uuid(), RecordIDs: make([]string, len(batch))}
	for i, r := range batch {
		inv.RecordIDs[i] = r.id
	}
	payload, err := s.event(inv.ID, batch)
	if err != nil {
		return inv, nil, err
	}
	inv.EventBytes = len(payload)
	result, err := s.cfg.Transform.Function.Invoke(ctx, payload)
	if err != nil {
		return inv, nil, fmt.Errorf("transform %d records of stream %s, attempt %d: %w", len(batch), s.cfg.Name, attempt, err)
	}
	inv.ResponseBytes = len(result.Response)
	inv.Delivery = owner.Delivery{
		Payloads: payloadsOf(batch), Attempt: attempt, RequestID: result.RequestID,
		Started: result.Started, Finished: result.Started.Add(result.Duration), Outcome: owner.Taken,
	}
	answer, failed := readInvocation(result)
	if failed != nil {
		inv.Outcome, inv.Code, inv.Error = owner.Failed, failed.code, failed.message
		if result.TimedOut || result.Exited {
			inv.Outcome = owner.Ended
		}
	}
	return inv, answer, nil
}

// reason is an error code of the service and its text.
type reason struct{ code, message string }

// readInvocation reads the function's answer or says why the invocation failed.
func readInvocation(result stack.Result) ([]answered, *reason) {
	switch {
	case result.Error != nil && result.Error.Type == "TooManyRequestsException":
		return nil, &reason{"Lambda.InvokeLimitExceeded", "The function is invoked too often at once."}
	case result.TimedOut || result.Duration > maxFunctionTime:
		return nil, &reason{"Lambda.FunctionError", "The function did not answer in time."}
	case result.Error != nil || result.Exited:
		return nil, &reason{"Lambda.FunctionError", "The function answered with an error."}
	case len(result.Response) > stack.MaxSyncBytes:
		return nil, &reason{"Lambda.FunctionError", "The answer is over the limit of the invocation."}
	}
	answer, err := readAnswer(result.Response)
	if err != nil {
		return nil, &reason{"Lambda.JsonProcessingException", err.Error()}
	}
	return answer, nil
}

// failAll is a batch that failed as a whole, for one reason.
func (s *Stream) failAll(batch []*record, attempt int, code, message string) []*failedRecord {
	list := make([]*failedRecord, len(batch))
	for i, r := range batch {
		list[i] = s.processingFailed(r, attempt, code, message)
	}
	return list
}

func (s *Stream) processingFailed(r *record, attempt int, code, message string) *failedRecord {
	return &failedRecord{
		kind: ProcessingFailed, id: r.id, payloads: r.payloads, data: r.source, arrived: r.arrived, ended: s.Now(),
		attempts: attempt, code: code, message: message, function: s.cfg.Transform.ARN,
	}
}
