package forward

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

const (
	topicARN = "arn:aws:sns:eu-west-1:123456789012:log-objects"
	queueARN = "arn:aws:sqs:eu-west-1:123456789012:log-objects"
)

// native is S3's own event for objects that were put.
func native(objects ...*s3Object) string { return nativeNamed("ObjectCreated:Put", objects...) }

func nativeNamed(name string, objects ...*s3Object) string {
	records := make([]string, len(objects))
	for i, o := range objects {
		version := ""
		if o.Version != "" {
			version = `,"versionId":` + quoted(o.Version)
		}
		records[i] = fmt.Sprintf(`{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1","eventTime":"2026-02-01T09:30:00.123Z",`+
			`"eventName":%q,"s3":{"s3SchemaVersion":"1.0","configurationId":"to-sluice","bucket":{"name":%s,"arn":%s},`+
			`"object":{"key":%s,"size":%d,"eTag":%s,"sequencer":"0065BA2F0F9A3C1B27"%s}}}`,
			name, quoted(o.Bucket), quoted("arn:aws:s3:::"+o.Bucket), quoted(formKey(o.Key)), o.Size, quoted(o.ETag), version)
	}
	return `{"Records":[` + strings.Join(records, ",") + `]}`
}

// formKey is a key as S3 spells it in its own events and in manifests of jobs.
func formKey(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") }

func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always encodes
	}
	return string(b)
}

// bridged is EventBridge's event for an object that was put; its key is as it is.
func bridged(o *s3Object) string { return bridgedBy(ownAccount, o) }

func bridgedBy(account string, o *s3Object) string {
	version := ""
	if o.Version != "" {
		version = `,"version-id":` + quoted(o.Version)
	}
	return fmt.Sprintf(`{"version":"0","id":"17793124-05d4-b198-2fde-000000000000","detail-type":"Object Created","source":"aws.s3",`+
		`"account":%q,"time":"2026-02-01T09:30:00Z","region":"eu-west-1","resources":[%s],"detail":{"version":"0",`+
		`"bucket":{"name":%s},"object":{"key":%s,"size":%d,"etag":%s,"sequencer":"0065BA2F0F9A3C1B27"%s},"reason":"PutObject"}}`,
		account, quoted("arn:aws:s3:::"+o.Bucket), quoted(o.Bucket), quoted(o.Key), o.Size, quoted(o.ETag), version)
}

// topic is the event by which SNS invokes a function.
func topic(messages ...string) string {
	records := make([]string, len(messages))
	for i, message := range messages {
		records[i] = `{"EventSource":"aws:sns","EventVersion":"1.0","EventSubscriptionArn":"` + topicARN + `:1","Sns":` + notification(message) + `}`
	}
	return `{"Records":[` + strings.Join(records, ",") + `]}`
}

// notification is an SNS message, as it stands in a queue without raw delivery.
func notification(message string) string {
	return fmt.Sprintf(`{"Type":"Notification","MessageId":"95df01b4-ee98-5cb9-9903-000000000000","TopicArn":%q,`+
		`"Subject":"Amazon S3 Notification","Message":%s,"Timestamp":"2026-02-01T09:30:01.000Z"}`, topicARN, quoted(message))
}

// queue is a batch of messages with these bodies; messageID gives their ids.
func inQueue(bodies ...string) []byte { return queueOf(queueARN, bodies...) }

func queueOf(arn string, bodies ...string) []byte {
	records := make([]string, len(bodies))
	for i, body := range bodies {
		records[i] = sqsRecord(arn, messageID(i), body)
	}
	return []byte(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

func sqsRecord(arn, id, body string) string {
	return fmt.Sprintf(`{"messageId":%q,"receiptHandle":"AQEB","body":%s,"attributes":{"ApproximateReceiveCount":"1","SentTimestamp":"%d"},`+
		`"messageAttributes":{},"eventSource":"aws:sqs","eventSourceARN":%q,"awsRegion":"eu-west-1"}`, id, quoted(body), at.UnixMilli(), arn)
}

func messageID(i int) string { return fmt.Sprintf("059f36b4-87a3-44ab-83d2-%012d", i) }

// failedMessages is the answer that gives these messages of a queue again.
func failedMessages(numbers ...int) string {
	list := make([]string, len(numbers))
	for i, n := range numbers {
		list[i] = `{"itemIdentifier":"` + messageID(n) + `"}`
	}
	return `{"batchItemFailures":[` + strings.Join(list, ",") + `]}`
}

// batchJob is a request of S3 Batch Operations, of schema "1.0" or "2.0", for these objects as task-0, task-1 and so on.
func batchJob(schema string, objects ...*s3Object) []byte {
	tasks := make([]string, len(objects))
	for i, o := range objects {
		version, bucket := "null", `"s3BucketArn":`+quoted("arn:aws:s3:::"+o.Bucket)
		if schema == "2.0" {
			bucket = `"s3Bucket":` + quoted(o.Bucket)
		}
		if o.Version != "" {
			version = quoted(o.Version)
		}
		tasks[i] = `{"taskId":"task-` + strconv.Itoa(i) + `","s3Key":` + quoted(formKey(o.Key)) + `,"s3VersionId":` + version + `,` + bucket + `}`
	}
	return []byte(`{"invocationSchemaVersion":"` + schema + `","invocationId":"invocation-1","job":{"id":"f3cc4f60-61f6-4a2b-8a21-000000000000"},` +
		`"tasks":[` + strings.Join(tasks, ",") + `]}`)
}
