package owner

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/e2e/stack"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/notify"
)

// Putter stores an object. bucket.Server is one.
type Putter interface {
	PutObject(
		ctx context.Context, bucket, key string, body io.Reader, changes ...func(*s3.PutObjectInput),
	) (notify.Object, error)
}

// OnFailure is an on-failure destination of type S3. Lambda fixes what the keys in the bucket start with.
//
// Format: Lambda developer guide, "Capturing records of Lambda asynchronous invocations" and "Retain discarded batch
// records for a Kinesis Data Streams event source".
type OnFailure struct {
	Store    Putter
	Bucket   string
	Function string // name of the function that failed

	// Mapping is the UUID of the event source mapping; empty for asynchronous invocations.
	Mapping string
}

// Conditions under which an event is given up.
const (
	retriesExhausted       = "RetriesExhausted" // asynchronous
	retryAttemptsExhausted = "RetryAttemptsExhausted"
	recordAgeExceeded      = "MaximumRecordAgeExceeded"
)

// LambdaRoot is what the keys of all on-failure objects start with.
const LambdaRoot = "aws/lambda/"

// account is an on-failure object.
type account struct {
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	RequestContext  requestContext   `json:"requestContext"`
	RequestPayload  json.RawMessage  `json:"requestPayload,omitempty"`
	ResponseContext *responseContext `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage  `json:"responsePayload,omitempty"`
	Batch           *batchInfo       `json:"KinesisBatchInfo,omitempty"`
	Payload         string           `json:"payload,omitempty"` // of a mapping: the whole event
}

type requestContext struct {
	RequestID   string `json:"requestId"`
	FunctionARN string `json:"functionArn"`
	Condition   string `json:"condition"`
	Attempts    int    `json:"approximateInvokeCount"`
}

type responseContext struct {
	Status  int    `json:"statusCode"`
	Version string `json:"executedVersion"`
	Error   string `json:"functionError,omitempty"`
}

type batchInfo struct {
	Shard        string `json:"shardId"`
	Start        string `json:"startSequenceNumber"`
	End          string `json:"endSequenceNumber"`
	FirstArrival string `json:"approximateArrivalOfFirstRecord"`
	LastArrival  string `json:"approximateArrivalOfLastRecord"`
	Size         int    `json:"batchSize"`
	StreamARN    string `json:"streamArn"`
}

const accountTime = "2006-01-02T15:04:05.000Z"

// newAccount describes the last delivery of an event.
func (o *OnFailure) newAccount(d *Delivery, condition string) account {
	a := account{
		Version: "1.0", Timestamp: d.Finished.UTC().Format(accountTime),
		RequestContext: requestContext{
			RequestID:   d.RequestID,
			FunctionARN: fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", stack.Region, stack.Account, o.Function),
			Condition:   condition, Attempts: d.Attempt,
		},
		ResponseContext: &responseContext{Status: 200, Version: "$LATEST"},
	}
	if d.Outcome == Failed || d.Outcome == Ended {
		a.ResponseContext.Error = "Unhandled"
	}
	return a
}

// event keeps an asynchronous event that was given up and returns the key it lies at.
func (o *OnFailure) event(ctx context.Context, payload []byte, d *Delivery) (string, error) {
	if !json.Valid(payload) {
		return "", errors.New("keep a failed event: it is no JSON, and Lambda would not have taken it")
	}
	a := o.newAccount(d, retriesExhausted)
	a.RequestPayload = payload
	told, err := marshal(map[string]string{"errorMessage": d.Error})
	if err != nil {
		return "", err
	}
	a.ResponsePayload = told
	return o.put(ctx, "async/"+o.Function, d.Finished, &a)
}

// batch keeps the records of a stream that were given up.
func (o *OnFailure) batch(
	ctx context.Context, stream envelope.Stream, records []envelope.Record, d *Delivery, condition string,
) (string, error) {
	payload, err := envelope.Kinesis(stream, records)
	if err != nil {
		return "", err
	}
	first, last := records[0], records[len(records)-1]
	a := o.newAccount(d, condition)
	a.Payload = string(payload)
	a.Batch = &batchInfo{
		Shard: first.Shard, Start: first.Sequence, End: last.Sequence, Size: len(records), StreamARN: stream.ARN,
		FirstArrival: first.Arrived.UTC().Format(accountTime), LastArrival: last.Arrived.UTC().Format(accountTime),
	}
	return o.put(ctx, o.Mapping+"/"+first.Shard, d.Finished, &a)
}

// put writes the object below a folder, at a key of its own.
func (o *OnFailure) put(ctx context.Context, folder string, at time.Time, a *account) (string, error) {
	body, err := marshal(a)
	if err != nil {
		return "", err
	}
	at = at.UTC()
	key := fmt.Sprintf("%s%s/%s/%s-%s", LambdaRoot, folder, at.Format("2006/01/02"), at.Format("2006-01-02T15.04.05"), uuid())
	if _, err := o.Store.PutObject(ctx, o.Bucket, key, bytes.NewReader(body)); err != nil {
		return "", fmt.Errorf("keep what was given up: %w", err)
	}
	return key, nil
}

// marshal writes JSON without the escapes for HTML, which would change a payload.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write an on-failure object: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// uuid is a random one, version 4 (RFC 9562, section 5.4).
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
