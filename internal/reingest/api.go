package reingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"unicode/utf8"

	"sluice/internal/awsenv"
)

// Limits of PutRecordBatch (Firehose API reference, "PutRecordBatch") and of the names of delivery streams (the same,
// "CreateDeliveryStream").
const (
	firehoseCallRecords = 500
	firehoseCallBytes   = 4 << 20   // of all data of a call, before base64
	firehoseRecordBytes = 1_024_000 // of the data of a record, before base64
	firehoseNameChars   = 64
)

// Limits of PutRecords (Kinesis API reference, "PutRecords", "PutRecordsRequestEntry") and of the names of streams (the
// same, "CreateStream"). Newer pages allow a call 10 MiB, and so much a record where the stream is set up for it; these are
// what every stream takes.
const (
	kinesisCallRecords = 500
	kinesisCallBytes   = 5 << 20 // of all data and partition keys of a call, before base64
	kinesisRecordBytes = 1 << 20 // of the data and the partition key of a record, before base64
	kinesisKeyChars    = 256
	kinesisNameChars   = 128
)

// api is how one kind of stream takes records.
type api struct {
	service     awsenv.Service
	resource    string // what comes before the name in an ARN
	nameChars   int
	permission  string
	keyed       bool // records have partition keys
	callRecords int
	callBytes   int
	recordBytes int
	put         func(ctx context.Context, aws Caller, s stream, items []item) (answer, error)
}

var firehose = api{
	service:     awsenv.Service{Name: "firehose", SDKID: "Firehose", Target: "Firehose_20150804"},
	resource:    "deliverystream/",
	nameChars:   firehoseNameChars,
	permission:  "firehose:PutRecordBatch",
	callRecords: firehoseCallRecords,
	callBytes:   firehoseCallBytes,
	recordBytes: firehoseRecordBytes,
	put:         putRecordBatch,
}

var kinesis = api{
	service:     awsenv.Service{Name: "kinesis", SDKID: "Kinesis", Target: "Kinesis_20131202"},
	resource:    "stream/",
	nameChars:   kinesisNameChars,
	permission:  "kinesis:PutRecords",
	keyed:       true,
	callRecords: kinesisCallRecords,
	callBytes:   kinesisCallBytes,
	recordBytes: kinesisRecordBytes,
	put:         putRecords,
}

// item is a record as both APIs take it.
type item struct {
	Data         []byte // base64 in JSON; never nil, which would be null there
	PartitionKey string `json:"PartitionKey,omitempty"`
}

func (it item) size() int { return len(it.Data) + len(it.PartitionKey) }

func (a *api) item(r Record) item {
	it := item{Data: r.Data}
	if it.Data == nil {
		it.Data = []byte{}
	}
	if a.keyed {
		it.PartitionKey = partitionKey(r)
	}
	return it
}

// partitionKey is a key that Kinesis takes: 1 to 256 characters.
func partitionKey(r Record) string {
	key := r.PartitionKey
	if key != "" && utf8.ValidString(key) && utf8.RuneCountInString(key) <= kinesisKeyChars {
		return key
	}
	sum := sha256.Sum256(r.Data)
	return hex.EncodeToString(sum[:16]) // as many bits as a shard is chosen by
}

// answer is what an API says of the records of a call.
type answer struct {
	failed   int       // how many are not in the stream
	verdicts []verdict // parallel to the request
}

// verdict is what became of one record: it has an id or an error.
type verdict struct {
	id, code, message string
}

// refusal is the error of a record that is not in the stream.
func (v verdict) refusal() *awsenv.APIError {
	const ok = 200 // the call itself was taken
	return &awsenv.APIError{Status: ok, Code: v.code, Message: v.message}
}

// putRecordBatch puts into a delivery stream. Firehose API reference, "PutRecordBatch".
func putRecordBatch(ctx context.Context, aws Caller, s stream, items []item) (answer, error) {
	in := struct {
		DeliveryStreamName string
		Records            []item
	}{s.name, items}
	var out struct {
		FailedPutCount   int
		RequestResponses []struct {
			RecordId                string //nolint:revive // AWS's own spelling
			ErrorCode, ErrorMessage string
		}
	}
	if err := aws.Call(ctx, s.api.service, s.region, "PutRecordBatch", in, &out); err != nil {
		return answer{}, err
	}
	a := answer{failed: out.FailedPutCount}
	for _, r := range out.RequestResponses {
		a.verdicts = append(a.verdicts, verdict{r.RecordId, r.ErrorCode, r.ErrorMessage})
	}
	return a, nil
}

// putRecords puts into a Kinesis stream. Kinesis API reference, "PutRecords". The ARN goes along with the name, because a
// name alone is looked up in the account of the caller, which may have another stream of that name.
func putRecords(ctx context.Context, aws Caller, s stream, items []item) (answer, error) {
	in := struct {
		StreamName string
		StreamARN  string
		Records    []item
	}{s.name, s.arn, items}
	var out struct {
		FailedRecordCount int
		Records           []struct {
			SequenceNumber, ErrorCode, ErrorMessage string
		}
	}
	if err := aws.Call(ctx, s.api.service, s.region, "PutRecords", in, &out); err != nil {
		return answer{}, err
	}
	a := answer{failed: out.FailedRecordCount}
	for _, r := range out.Records {
		a.verdicts = append(a.verdicts, verdict{r.SequenceNumber, r.ErrorCode, r.ErrorMessage})
	}
	return a, nil
}
