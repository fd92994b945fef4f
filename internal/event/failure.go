package event

import (
	"encoding/json"
	"errors"
	"fmt"

	"sluice/internal/jsonwalk"
)

// MaxFailureBytes bounds what ParseFailure reads. An event has 6 MiB at most and so has what a function answers, and each may
// be a JSON text inside the record, where escapes make it longer.
const MaxFailureBytes = 64 << 20

// Failure is what Lambda has kept of an invocation that failed for good.
type Failure struct {
	FunctionARN string // with its version or alias; as the record says: not a thing to call
	RequestID   string
	Condition   string // why: "RetriesExhausted", "EventAgeExceeded" and others
	Attempts    int    // approximately; 0 when unknown
	Payload     []byte // the event as JSON; a view of the record, or a copy where that has it as a text
	Kind        PayloadKind
	Stream      bool // kept by an event source mapping of a stream, and not of an asynchronous invocation
}

// PayloadKind is what the event of a Failure is, told by its content.
type PayloadKind string

// The kinds.
const (
	PayloadCloudWatch PayloadKind = "cloudwatch" // AwsLogsData reads it
	PayloadKinesis    PayloadKind = "kinesis"    // ParseKinesis reads it
	PayloadObjects    PayloadKind = "objects"    // ParseObjects reads it
	PayloadUnknown    PayloadKind = "unknown"
)

// ParseFailure reads a record that Lambda has put into the S3 bucket of an on-failure destination. It is found by keys
// aws/lambda/async/<function>/YYYY/MM/DD/<time>-<uuid> for asynchronous invocations, which have the event in requestPayload,
// and aws/lambda/<mapping's uuid>/<shard>/YYYY/MM/DD/<time>-<uuid> for streams, which have it in payload as a JSON text. Both
// are read in both forms.
//
// Of two members with one name the last counts. A record that is not JSON, has more than MaxFailureBytes, or holds no event,
// is an error. It says why, and quotes nothing but names of members.
// Format: Lambda developer guide, "Capturing records of Lambda asynchronous invocations" and "Retain discarded batch records
// for a Kinesis Data Streams event source".
func ParseFailure(raw []byte) (Failure, error) {
	if len(raw) > MaxFailureBytes {
		return Failure{}, fmt.Errorf("the record of a failed invocation has %d bytes: at most %d are read", len(raw), MaxFailureBytes)
	}
	if !json.Valid(raw) {
		return Failure{}, fmt.Errorf("the record of a failed invocation is not JSON: %d bytes, perhaps cut short", len(raw))
	}
	var f Failure
	var context, request, payload []byte
	members := jsonwalk.Object(raw)
	for members.Next() {
		switch string(members.Name()) {
		case "requestContext":
			context = members.Value()
		case "requestPayload":
			request = members.Value()
		case "payload":
			payload = members.Value()
		case "KinesisBatchInfo", "DDBStreamBatchInfo":
			f.Stream = f.Stream || isObject(members.Value())
		}
	}
	if err := members.Err(); err != nil {
		return Failure{}, fmt.Errorf("read the record of a failed invocation: %w", err)
	}
	f.readContext(context)
	first, second := request, payload
	if f.Stream {
		first, second = payload, request
	}
	if second != nil && (first == nil || isNull(first)) {
		first = second
	}
	var err error
	if f.Payload, err = eventOf(first); err != nil {
		return Failure{}, fmt.Errorf("the record of a failed invocation has members [%s]: %w", memberNames(raw), err)
	}
	f.Kind = kindOf(f.Payload)
	return f, nil
}

// readContext reads what there is of requestContext: the event can be read without.
func (f *Failure) readContext(doc []byte) {
	members := jsonwalk.Object(doc)
	for members.Next() {
		switch string(members.Name()) {
		case "requestId":
			f.RequestID = scalar(members.Value())
		case "functionArn":
			f.FunctionARN = scalar(members.Value())
		case "condition":
			f.Condition = scalar(members.Value())
		case "approximateInvokeCount":
			f.Attempts = int(max(0, count(members.Value())))
		}
	}
}

// eventOf returns the event that a value is, or that it holds as a text.
func eventOf(value []byte) ([]byte, error) {
	switch {
	case value == nil:
		return nil, errors.New(`expected "requestPayload" or "payload"; records of SQS and SNS destinations hold no event of a stream`)
	case isNull(value):
		return nil, errors.New("Lambda has kept no event: it leaves out what is too large for the destination")
	}
	doc, ok := jsonwalk.Text(value)
	if !ok {
		return value, nil
	}
	if !json.Valid(doc) {
		return nil, fmt.Errorf("the event is a text of %d bytes that is not JSON", len(doc))
	}
	return doc, nil
}

// kindOf tells what the event in payload, which is valid, is.
func kindOf(payload []byte) PayloadKind {
	e, err := readEnvelope(payload)
	if err != nil {
		return PayloadUnknown
	}
	if data, _ := AwsLogsData(payload); data != nil {
		return PayloadCloudWatch
	}
	if e.shape() == recordsShape && e.hasKinesis() {
		return PayloadKinesis
	}
	if _, err := ParseObjects(payload); err != nil {
		return PayloadUnknown
	}
	return PayloadObjects
}

// hasKinesis reports whether Records are those of a stream: the first that can be told decides.
func (e *envelope) hasKinesis() bool {
	elements := jsonwalk.Array(e.records)
	for elements.Next() {
		r := readRecord(elements.Value())
		switch {
		case r.shape != unknownRecord:
			return false
		case isObject(r.kinesis):
			return true
		}
	}
	return false
}
