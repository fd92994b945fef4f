package datadog

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/record"
)

const (
	bucket = "logs-111122223333-eu-west-1"
	key    = "AWSLogs/111122223333/CloudTrail/eu-west-1/2023/11/14/a b+c.json.gz"
)

func objectOrigin() *record.Origin {
	return &record.Origin{
		Kind: record.S3, Bucket: bucket, Key: key, VersionID: "v7", ETag: "0f343b0931126a20f133d67c2b018a3b",
		Source: "cloudtrail", Service: "cloudtrail", FunctionARN: ownARN, FunctionVersion: "$LATEST",
	}
}

func messageOrigin(kind record.Kind, arn string) *record.Origin {
	return &record.Origin{Kind: kind, StreamARN: arn, Source: string(kind), Service: string(kind), FunctionARN: ownARN, FunctionVersion: "3"}
}

// The shapes are those of the Datadog Forwarder (datadog-compat 2.1), and `aws.sqs`, which it does not have.
func TestHeads(t *testing.T) {
	const (
		queue = "arn:aws:sqs:eu-west-1:123456789012:logs"
		topic = "arn:aws:sns:eu-west-1:123456789012:logs"
		own   = `"invoked_function_arn":"` + ownARN + `"`
	)
	inObject := func(o *record.Origin) *record.Origin {
		o.Bucket, o.Key, o.VersionID, o.ETag = bucket, key, "v7", "e"
		return o
	}
	throughStream := objectOrigin()
	throughStream.StreamARN = streamARN
	for name, tc := range map[string]struct {
		origin *record.Origin
		want   string
	}{
		"object: its bucket and key, no version, no ETag": {
			objectOrigin(),
			`"ddsource":"cloudtrail","service":"cloudtrail","aws":{"s3":{"bucket":"` + bucket + `","key":"` + key + `"},` + own + `},`,
		},
		"object, nothing else is known": {
			&record.Origin{Kind: record.S3, Bucket: "b", Key: "k"},
			`"aws":{"s3":{"bucket":"b","key":"k"}},`,
		},
		"object without a key has no place": {
			&record.Origin{Kind: record.S3},
			`"aws":{},`,
		},
		"object's key is escaped, and mended where it is no UTF-8": {
			&record.Origin{Kind: record.S3, Bucket: "b", Key: "a\"b\\c\n\xffé"},
			`"aws":{"s3":{"bucket":"b","key":"a\"b\\c\n` + "\uFFFD" + `é"}},`,
		},
		"object that told of its stream: the stream is none of Kinesis": {
			throughStream,
			`"ddsource":"cloudtrail","service":"cloudtrail","aws":{"s3":{"bucket":"` + bucket + `","key":"` + key + `"},` + own + `},`,
		},
		"log group that Firehose kept in an object": {
			inObject(groupOrigin()),
			`"ddsource":"postgresql","ddtags":"service:db","service":"db","host":"/aws/rds/instance/shop/postgresql",` +
				`"aws":{"awslogs":{"logGroup":"/aws/rds/instance/shop/postgresql","logStream":"shop.0","owner":"111122223333"},` +
				`"s3":{"bucket":"` + bucket + `","key":"` + key + `"},"invoked_function_arn":"` + ownARN + `:live","function_version":"7"},`,
		},
		"function that Firehose kept in an object": {
			inObject(lambdaOrigin()),
			`"ddsource":"lambda","ddtags":"env:prod,functionname:orders","service":"orders",` +
				`"host":"arn:aws:lambda:eu-west-1:123456789012:function:orders",` +
				`"aws":{"awslogs":{"logGroup":"/aws/lambda/orders","logStream":"2023/11/14/[$LATEST]abc","owner":"123456789012"},` +
				`"s3":{"bucket":"` + bucket + `","key":"` + key + `"},` + own + `},` +
				`"lambda":{"arn":"arn:aws:lambda:eu-west-1:123456789012:function:orders"},`,
		},
		"message of a queue": {
			messageOrigin(record.SQS, queue),
			`"ddsource":"sqs","service":"sqs","aws":{"sqs":{"queueArn":"` + queue + `"},` + own + `,"function_version":"3"},`,
		},
		"message of a topic": {
			messageOrigin(record.SNS, topic),
			`"ddsource":"sns","service":"sns","aws":{"sns":{"topicArn":"` + topic + `"},` + own + `,"function_version":"3"},`,
		},
		"message of a queue that is not known": {
			&record.Origin{Kind: record.SQS},
			`"aws":{"sqs":{}},`,
		},
		"event of EventBridge": {
			messageOrigin(record.EventBridge, ""),
			`"ddsource":"eventbridge","service":"eventbridge","aws":{` + own + `,"function_version":"3"},`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, `{"ddsourcecategory":"aws",`+tc.want, string(appendHead(nil, tc.origin, tc.origin.Tags)))
		})
	}
}

func TestItemsOfObjectsAndMessages(t *testing.T) {
	const head = `{"ddsourcecategory":"aws",`
	object := &record.Origin{Kind: record.S3, Bucket: "my-bucket", Key: "AWSLogs/a b+c.gz", VersionID: "v1abc"}
	const objectHead = head + `"aws":{"s3":{"bucket":"my-bucket","key":"AWSLogs/a b+c.gz"}},`
	line := record.Record{Origin: object, Message: record.Plain([]byte(`GET "/"`)), EventID: record.Plain([]byte("no part of a line's id"))}
	later := line
	later.Offset, later.Index = 8, 1
	queued := record.Record{Origin: &record.Origin{Kind: record.SQS}, EventID: record.Plain([]byte("m-1")), Message: record.Plain([]byte("x"))}
	for name, tc := range map[string]struct {
		encoder encoder
		record  record.Record
		want    string
	}{
		"line, no time is no timestamp": {encoder{}, line, objectHead + `"id":"e1ac0bdc8e50bb60dddb7fdfdf0119ec","message":"GET \"/\""}`},
		"line, short id":                {encoder{eventID: ShortID}, line, objectHead + `"id":"e1ac0bdc8e50bb60","message":"GET \"/\""}`},
		"another line has another id":   {encoder{}, later, objectHead + `"id":"` + idOf(later) + `","message":"GET \"/\""}`},
		"message: the deterministic id, not that of the message": {
			encoder{},
			queued,
			head + `"aws":{"sqs":{}},"id":"` + idOf(queued) + `","message":"x"}`,
		},
		"piece of a line out of a damaged envelope": {
			encoder{eventID: NoID},
			record.Record{Origin: object, Marks: record.Chunked | record.BrokenEnvelope, Part: 3},
			objectHead + `"sluice":{"marks":["chunked","broken_envelope"],"part":3},"message":""}`,
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, item(t, &tc.encoder, tc.record)) })
	}
	assert.NotEqual(t, idOf(line), idOf(later))
}
