// Package envelope wraps log payloads in the events Lambda hands to a function. It knows the shapes and nothing of
// what is inside. Formats: "Using AWS Lambda with CloudWatch Logs" and "with Amazon Kinesis Data Streams".
package envelope

import (
	"encoding/json"
	"fmt"
	"time"
)

// CloudWatch wraps one gzipped subscription payload as a direct CloudWatch Logs event.
func CloudWatch(gzipped []byte) ([]byte, error) {
	var event struct {
		AWSLogs struct {
			Data []byte `json:"data"` // base64 by encoding/json
		} `json:"awslogs"`
	}
	event.AWSLogs.Data = gzipped
	body, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("wrap a cloudwatch payload: %w", err)
	}
	return body, nil
}

// Record is one record of a Kinesis stream.
type Record struct {
	Shard        string // "shardId-000000000000"
	Sequence     string // decimal, 56 digits, ascending within a shard
	PartitionKey string
	Data         []byte
	Arrived      time.Time
}

// Stream names the stream a batch comes from.
type Stream struct {
	ARN    string
	Region string
	Role   string // ARN of the role the event source mapping reads with
}

type kinesisRecord struct {
	Kinesis struct {
		SchemaVersion string  `json:"kinesisSchemaVersion"`
		PartitionKey  string  `json:"partitionKey"`
		Sequence      string  `json:"sequenceNumber"`
		Data          []byte  `json:"data"`
		Arrival       float64 `json:"approximateArrivalTimestamp"` // epoch seconds
	} `json:"kinesis"`
	EventSource    string `json:"eventSource"`
	EventVersion   string `json:"eventVersion"`
	EventID        string `json:"eventID"`
	EventName      string `json:"eventName"`
	Role           string `json:"invokeIdentityArn"`
	Region         string `json:"awsRegion"`
	EventSourceARN string `json:"eventSourceARN"`
}

// Kinesis wraps records as one batch of an event source mapping, in the given order.
func Kinesis(stream Stream, records []Record) ([]byte, error) {
	batch := struct {
		Records []kinesisRecord `json:"Records"`
	}{make([]kinesisRecord, len(records))}
	for i, r := range records {
		out := &batch.Records[i]
		out.Kinesis.SchemaVersion = "1.0"
		out.Kinesis.PartitionKey = r.PartitionKey
		out.Kinesis.Sequence = r.Sequence
		out.Kinesis.Data = r.Data
		out.Kinesis.Arrival = float64(r.Arrived.UnixMilli()) / 1000
		out.EventSource = "aws:kinesis"
		out.EventVersion = "1.0"
		out.EventID = r.Shard + ":" + r.Sequence
		out.EventName = "aws:kinesis:record"
		out.Role = stream.Role
		out.Region = stream.Region
		out.EventSourceARN = stream.ARN
	}
	body, err := json.Marshal(batch)
	if err != nil {
		return nil, fmt.Errorf("wrap %d kinesis records: %w", len(records), err)
	}
	return body, nil
}
