package forward

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Messages that announce nothing are logs themselves.
func TestS3Texts(t *testing.T) {
	const finding = `{"version":"0","id":"cd2d702e-ab31-411b-9344-000000000000","detail-type":"GuardDuty Finding","source":"aws.guardduty",` +
		`"account":"123456789012","time":"2026-02-01T09:30:00Z","region":"eu-west-1","resources":[],"detail":{"severity":5,"title":"` + canary + `"}}`
	for name, tc := range map[string]struct {
		event           string
		answer, message string
		archive         map[string]any // members of its item
		datadog         map[string]any
	}{
		"a finding by EventBridge": {
			finding, "null", finding,
			map[string]any{"source": "guardduty", "time": "2026-02-01T09:30:00.000Z"},
			map[string]any{"ddsource": "guardduty", "detail-type": "GuardDuty Finding"},
		},
		"a finding in a queue": {
			string(inQueue(finding)), allTaken, finding,
			map[string]any{"source": "guardduty"},
			map[string]any{"ddsource": "guardduty", "detail": map[string]any{"severity": 5.0, "title": canary}},
		},
		"a text in SNS": {
			topic("disk is full"), "null", "disk is full",
			map[string]any{"source": "sns", "time": "2026-02-01T09:30:01.000Z"},
			map[string]any{"message": "disk is full"},
		},
		"a text in SQS": {
			string(inQueue("disk is \"full\"\u2028")), allTaken, "disk is \"full\"\u2028",
			map[string]any{"source": "sqs", "time": "2026-02-01T09:30:00.000Z"},
			map[string]any{"ddsource": "sqs"},
		},
		"JSON in SQS":         {string(inQueue(`{"level":"info"}`)), allTaken, `{"level":"info"}`, map[string]any{"source": "sqs"}, nil},
		"JSON that is a list": {string(inQueue(`[1,2]`)), allTaken, `[1,2]`, map[string]any{"source": "sqs"}, nil},
		"an event by EventBridge that is no service's": {
			strings.ReplaceAll(finding, "aws.guardduty", "shop"), "null", strings.ReplaceAll(finding, "aws.guardduty", "shop"),
			map[string]any{"source": "cloudwatch"},
			map[string]any{"ddsource": "cloudwatch"},
		},
		"an API call on S3 that CloudTrail saw": {
			strings.NewReplacer("GuardDuty Finding", "AWS API Call via CloudTrail", "aws.guardduty", "aws.s3").Replace(finding), "null",
			strings.NewReplacer("GuardDuty Finding", "AWS API Call via CloudTrail", "aws.guardduty", "aws.s3").Replace(finding),
			map[string]any{"source": "s3"},
			map[string]any{"detail-type": "AWS API Call via CloudTrail"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, both)
			r.comesTo(t, []byte(tc.event), ending{answer: tc.answer, lines: []string{tc.message}})
			assert.Subset(t, r.intake.items(t, archiveHost)[0], tc.archive)
			assert.Subset(t, r.intake.items(t, datadogHost)[0], tc.datadog)
		})
	}
	t.Run("bytes that are no UTF-8 are mended", func(t *testing.T) {
		r := newRig(t, both)
		event := bytes.ReplaceAll(inQueue("a?b"), []byte("?"), []byte("\xff"))
		r.comesTo(t, event, ending{answer: allTaken, lines: []string{"a\uFFFDb"}})
	})
}

// What is no event of this function is returned, and says what it looks like.
func TestS3OtherEvents(t *testing.T) {
	for name, tc := range map[string]struct{ event, err string }{
		"not JSON":        {canary, "S3 event"},
		"breaks off":      {`{"Records":[{"eventSource":"aws:s3","eventName":"` + canary, "S3 event"},
		"another trigger": {`{"awslogs":{"data":""}}`, "it looks like a CloudWatch Logs subscription"},
		"a Kinesis batch": {string(batchOf([]byte("x"))), "it looks like a Kinesis stream"},
		"a job, broken":   {`{"invocationSchemaVersion":"1.0","tasks":[{"taskId"`, "S3 Batch Operations"},
	} {
		t.Run(name, func(t *testing.T) {
			newRig(t, both).comesTo(t, []byte(tc.event), ending{err: tc.err, returned: tally{"decode": 1}})
		})
	}
}

// A record that cannot be read returns its message, and its neighbours are delivered.
func TestS3BrokenRecords(t *testing.T) {
	for name, tc := range map[string]struct{ body, err string }{
		"no bucket":         {`{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"object":{"key":"a"}}}]}`, "bucket"},
		"a bucket's ARN":    {native(&s3Object{Bucket: "arn:aws:s3:eu-west-1:1:accesspoint/a", Key: "a"}), "none that S3 allows"},
		"a path for bucket": {native(&s3Object{Bucket: "../example", Key: "a"}), "none that S3 allows"},
		"no key":            {native(&s3Object{Bucket: logBucket}), "no key"},
		"a key too long":    {native(&s3Object{Bucket: logBucket, Key: strings.Repeat("k", 1025), Size: 1}), "1025 bytes"},
		"no event name":     {strings.Replace(native(&s3Object{Bucket: logBucket, Key: "a", Size: 1}), `"eventName":"ObjectCreated:Put",`, "", 1), "eventName"},
		"wrapped for ever":  {notification(notification(notification(notification(notification(`{"Records":[]}`))))), "wrapped more than"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, both)
			a, b := r.s3.lines("a.log", "a"), r.s3.lines("b.log", "b")
			r.comesTo(t, inQueue(native(a), tc.body, native(b)), ending{
				answer: failedMessages(1), err: tc.err, lines: []string{"a", "b"}, returned: tally{"decode": 1}, gets: 2,
			})
		})
	}
}

// What a message says must not choose where a request goes: it goes to a region there is, or nowhere.
func TestS3ForgedMessages(t *testing.T) {
	for name, tc := range map[string]struct {
		forge  func(event string) string
		region string // that is asked; empty: nothing is
		want   ending
	}{
		"another region": {
			func(event string) string { return strings.ReplaceAll(event, "eu-west-1", "us-gov-east-1") }, "us-gov-east-1",
			ending{answer: allTaken, lines: []string{"x"}, gets: 1},
		},
		"a region that is a host": {
			func(event string) string {
				return strings.ReplaceAll(event, `"awsRegion":"eu-west-1"`, `"awsRegion":"x.example.com/#"`)
			}, "eu-west-1",
			ending{answer: allTaken, lines: []string{"x"}, gets: 1},
		},
		"an ETag with a header in it": {
			func(event string) string {
				return strings.ReplaceAll(event, `"eTag":"`, `"eTag":"a\r\nHost: example.com`)
			}, "",
			ending{answer: failedMessages(0), err: "is not an ETag", returned: tally{"s3_ref_malformed": 1}},
		},
		"a version with a header in it": {
			func(event string) string { return strings.ReplaceAll(event, `"eTag":"`, `"versionId":"a\nb","eTag":"`) }, "",
			ending{answer: failedMessages(0), err: "is not a version id", returned: tally{"s3_ref_malformed": 1}},
		},
		"a bucket with two dots": {
			func(event string) string {
				return strings.ReplaceAll(event, `"name":"example-logs"`, `"name":"example..logs"`)
			}, "",
			ending{answer: failedMessages(0), err: "is not the name of a bucket", returned: tally{"s3_ref_malformed": 1}},
		},
		"a size of nothing for an object that has some": { // the event's word counts; it costs the sender a line, and nobody else
			func(event string) string { return strings.ReplaceAll(event, `"size":2`, `"size":0`) }, "",
			ending{answer: allTaken, dropped: tally{"empty_line": 1}},
		},
		"a size that is too small": {
			func(event string) string { return strings.ReplaceAll(event, `"size":2`, `"size":1`) }, "eu-west-1",
			ending{answer: allTaken, lines: []string{"x"}, gets: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, both)
			r.comesTo(t, inQueue(tc.forge(native(r.s3.lines("a.log", "x")))), tc.want)
			for _, get := range r.s3.gets {
				assert.Equal(t, tc.region, get.Region)
			}
		})
	}
}
