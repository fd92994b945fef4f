package sample

import (
	"encoding/json"
	"fmt"
	"time"
)

const deliveryStream = "arn:aws:firehose:eu-west-1:" + account + ":deliverystream/shop-logs"

// transformation is what Firehose hands to the function that transforms its records.
type transformation struct {
	InvocationID string           `json:"invocationId"`
	StreamARN    string           `json:"deliveryStreamArn"`
	SourceARN    string           `json:"sourceKinesisStreamArn,omitempty"`
	Region       string           `json:"region"`
	Records      []streamedRecord `json:"records"`
}

type streamedRecord struct {
	ID      string          `json:"recordId"`
	Millis  int64           `json:"approximateArrivalTimestamp"`
	Data    []byte          `json:"data"`
	Kinesis *streamedOrigin `json:"kinesisRecordMetadata,omitempty"`
}

// streamedOrigin is what the Kinesis stream behind a delivery stream knew of a record.
type streamedOrigin struct {
	Shard        string `json:"shardId"`
	PartitionKey string `json:"partitionKey"`
	Millis       int64  `json:"approximateArrivalTimestamp"`
	Sequence     string `json:"sequenceNumber"`
	Subsequence  int    `json:"subsequenceNumber"`
}

// transformations are the events of a delivery stream, by name.
func transformations() map[string]transformation {
	torn := data(account, "/aws/lambda/orders", "2026/02/01/[$LATEST]94fa867e5374431291a7fc14e2f56ae7", 820, "order 1046 accepted\n").gzip()
	return map[string]transformation{
		"firehose-direct-put.json": transform(4000, "",
			[]byte("2026-02-01T09:30:00Z worker-1 queue drained in 381 ms\n"),
			[]byte(`{"level":"info","msg":"naïve café ✓"}{"level":"warn","msg":"retrying","attempt":2}`),
			[]byte("2 123456789012 eni-0123456789abcdef0 192.0.2.10 198.51.100.7 20641 22 6 20 4249 1769938170 1769938199 ACCEPT OK\n"),
			[]byte(`{"message":"2 123456789012 eni-0123456789abcdef0 203.0.113.66 192.0.2.10 49761 3389 6 1 40 1769938170 1769938199 REJECT OK"}`),
			[]byte(`{"Records":[`+trail("AssumeRole", "sts.amazonaws.com", "e004", `"requestParameters":{"roleSessionName":"deploy"}`)+`]}`),
			[]byte{},
		),
		"firehose-cloudwatch.json": transform(5000, "",
			data(account, "/aws/lambda/orders", "2026/02/01/[$LATEST]94fa867e5374431291a7fc14e2f56ae7", 800,
				"START RequestId: 6234bffe-149a-4642-81ff-2e8e376d8aff Version: $LATEST\n", "order 1045 \"gift\" accepted\n").gzip(),
			control("Firehose").gzip(),
			data(otherAccount, "/vpc/flow-logs", "eni-0123456789abcdef0-all", 810,
				"2 111122223333 eni-0123456789abcdef0 192.0.2.10 198.51.100.7 20641 443 6 20 4249 1769938170 1769938199 ACCEPT OK").gzip(),
			torn[:len(torn)-9],
		),
		"firehose-kinesis-source.json": transform(6000, stream.ARN,
			[]byte("order 1047 accepted\n"),
			[]byte("order 1047 shipped\n"),
			[]byte("\n"),
		),
	}
}

// transform is a batch of consecutive records. With a source, the records were one aggregate in that Kinesis stream.
func transform(first int, source string, contents ...[]byte) transformation {
	t := transformation{
		InvocationID: fmt.Sprintf("00000000-0000-4000-8000-%012d", first), StreamARN: deliveryStream, SourceARN: source, Region: stream.Region,
	}
	arrived := moment.Add(time.Minute).UnixMilli()
	for i, content := range contents {
		r := streamedRecord{ID: fmt.Sprintf("49645780%048d000000", first+i), Millis: arrived, Data: content}
		if source != "" {
			r.Kinesis = &streamedOrigin{
				Shard: shard, PartitionKey: fmt.Sprintf("%032x", first), Millis: arrived,
				Sequence: fmt.Sprintf("49590338%048d", first), Subsequence: i,
			}
		}
		t.Records = append(t.Records, r)
	}
	return t
}

// isTransformation reports whether an event is one for the function that transforms the records of a delivery stream.
func isTransformation(body []byte) bool {
	var shape struct {
		StreamARN string `json:"deliveryStreamArn"`
	}
	return json.Unmarshal(body, &shape) == nil && shape.StreamARN != ""
}
