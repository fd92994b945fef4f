package forward

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	// announced is the object that most events tell of.
	announced = "example-logs/AWSLogs/123456789012/vpcflowlogs/eu-west-1/2026/02/01/" +
		"123456789012_vpcflowlogs_eu-west-1_fl-0a1b2c3d_20260201T0930Z_5e6f7a8b.log.gz@EXAMPLEversion.0001"
	noneFailed = `{"batchItemFailures": []}`
)

// eventSamples are events of AWS as a function gets them. An object has the same ids, by whatever way it is announced.
var eventSamples = []sample{
	{
		file: "events/cwl-direct.json", trigger: CloudWatch,
		want: outcome{
			sent: 2, source: "lambda", service: "basket",
			first: "2026-02-01T09:30:00.288Z", last: "2026-02-01T09:30:00.289Z",
		},
	},
	{
		file: "events/cwl-direct-control.json", trigger: CloudWatch,
		want: outcome{dropped: map[string]int{"control_message": 1}},
	},
	{
		file: "events/cwl-direct-extracted-fields-policy-level.json", trigger: CloudWatch,
		want: outcome{
			sent: 1, source: "vpc", service: "vpc",
			first: "2026-02-01T09:30:30.000Z", last: "2026-02-01T09:30:30.000Z",
		},
	},
	{
		file: "events/kinesis-cwl-cross-account.json", trigger: Kinesis,
		want: outcome{
			sent: 2, dropped: map[string]int{"control_message": 1}, source: "cloudtrail", service: "cloudtrail",
			first: "2026-02-01T09:29:10.000Z", last: "2026-02-01T09:29:10.000Z", answer: noneFailed,
		},
	},
	{
		file: "events/s3-put.json", trigger: S3, holds: "vpc-flow/s3-default-v2.log",
		want: announcedBy("null"),
	},
	{
		file: "events/sns-s3.json", trigger: S3, holds: "vpc-flow/s3-default-v2.log",
		want: announcedBy("null"),
	},
	{
		file: "events/sqs-s3.json", trigger: S3, holds: "vpc-flow/s3-default-v2.log",
		want: announcedBy(noneFailed),
	},
	{
		file: "events/sqs-sns-s3.json", trigger: S3, holds: "vpc-flow/s3-default-v2.log",
		want: announcedBy(noneFailed),
	},
	{
		file: "events/sqs-sns-raw-delivery-s3.json", trigger: S3, holds: "vpc-flow/s3-default-v2.log",
		want: announcedBy(noneFailed),
	},
	{
		file: "events/s3-put-encoded-key.json", trigger: S3, holds: "sagemaker/endpoint.log", // the key is decoded, once
		want: outcome{
			sent: 3, source: "s3", service: "s3",
			read: "example-logs/a day's work/c+d/été (1).log",
		},
	},
	{
		file: "events/eventbridge-s3.json", trigger: S3, holds: "sagemaker/endpoint.log", // the key is as it is
		want: outcome{
			sent: 3, source: "s3", service: "s3",
			read: "example-logs/a day's work/c+d.log@EXAMPLEversion.0002",
		},
	},
	{
		file: "events/sqs-eventbridge-s3.json", trigger: S3, holds: "sagemaker/endpoint.log",
		want: outcome{
			sent: 3, source: "s3", service: "s3",
			read: "example-logs/a day's work/c+d.log", answer: noneFailed,
		},
	},
	{
		file: "events/s3-test-event.json", trigger: S3,
		want: outcome{dropped: map[string]int{"s3_test_event": 1}},
	},
	{
		file: "events/sqs-s3-test-event.json", trigger: S3,
		want: outcome{dropped: map[string]int{"s3_test_event": 1}, answer: noneFailed},
	},
	{
		file: "guardduty/eventbridge-event.json", trigger: S3, // the event is the log
		want: outcome{
			sent: 1, source: "guardduty", service: "guardduty",
			first: "2026-02-01T09:30:00.000Z", last: "2026-02-01T09:30:00.000Z",
		},
	},
}

// announcedBy is what comes out of the object that most events tell of, with the answer that the way asks for.
func announcedBy(answer string) outcome {
	return outcome{
		sent: 7, dropped: map[string]int{"header_line": 1}, source: "vpc", service: "vpc",
		first: "2026-02-01T09:30:30.000Z", last: "2026-02-01T09:29:59.000Z", read: announced, answer: answer,
	}
}

func TestAnnouncedObjectHasTheSameIDs(t *testing.T) {
	golden := readGolden(t)
	ids := map[string]bool{}
	for _, s := range eventSamples {
		if s.want.read == announced {
			ids[golden[s.name()]] = true
		}
	}
	assert.Len(t, ids, 1, "whatever the way")
}

// TestTransformationSamples transforms the samples of delivery streams.
func TestTransformationSamples(t *testing.T) {
	for file, want := range map[string][]string{ // the texts; what is dropped is empty
		"events/firehose-transform-direct-put.json":     {"a plain line\n", "{\"cart\":7}\n", ""},
		"events/firehose-transform-kinesis-source.json": {"first of two\n", "second of two\n"},
		"events/firehose-transform-cwl.json": {
			"REPORT RequestId: 7c8d9e0f-1a2b-4c3d-8e4f-5a6b7c8d9e0f\tDuration: 31.07 ms\tBilled Duration: 32 ms\t" +
				"Memory Size: 256 MB\tMax Memory Used: 58 MB\t\na second line\n",
			"", // a control message
		},
	} {
		t.Run(file, func(t *testing.T) {
			answer, _, err := newStreamRig(t, map[string]string{"SLUICE_FIREHOSE_OUTPUT": "message"}).invoke(t, Firehose, readSample(t, file))
			require.NoError(t, err)
			var got []string
			for _, v := range verdicts(t, answer) {
				assert.Equal(t, v.text() == "", v.Result == "Dropped")
				got = append(got, v.text())
			}
			assert.Equal(t, want, got)
		})
	}
}

// TestVendedLogsThroughTheTransformation gives logs of AWS services to the transformation of a stream that is called as the one
// that kept them in S3: all lines in one record, and a record for each. What has no time of its own has that of its arrival.
func TestVendedLogsThroughTheTransformation(t *testing.T) {
	const arrivedAt = "2026-02-01T09:30:00.000Z"
	for _, s := range deliveredSamples {
		if s.want.log == "" {
			continue
		}
		var name struct {
			Stream string `json:"delivery_stream"`
		}
		require.NoError(t, json.Unmarshal([]byte(s.want.firehose), &name))
		data := readSample(t, s.file)
		for way, records := range map[string][][]byte{
			"in one record": {data}, "in records": bytes.SplitAfter(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")),
		} {
			t.Run(s.file+" "+way, func(t *testing.T) {
				items := transformedItems(t, name.Stream, records)
				require.Len(t, items, s.want.sent)
				first, last := items[0], items[len(items)-1]
				assert.Equal(t, s.want.first, textOf(first, "time"))
				assert.Equal(t, cmp.Or(s.want.last, arrivedAt), textOf(last, "time"))
				checkAttributes(t, s.file, items)
				if way == "in records" && strings.HasPrefix(s.file, "msk") {
					items = items[:1] // lines of a record that has several tell nothing by themselves
				}
				assert.Equal(t, s.want.source, inOrder(items, "source"))
				assert.Equal(t, s.want.service, inOrder(items, "service"))
			})
		}
	}
}

// transformedItems are those of the transformation of a stream with a name.
func transformedItems(t *testing.T, stream string, records [][]byte) (items []map[string]any) {
	t.Helper()
	event := bytes.ReplaceAll(transformationOf("", puts(records...)), []byte(shopStream), []byte(strings.TrimSuffix(shopStream, "shop-logs")+stream))
	answer, _, err := newStreamRig(t, map[string]string{"SLUICE_FIREHOSE_OUTPUT": "json"}).invoke(t, Firehose, event)
	require.NoError(t, err)
	for _, v := range verdicts(t, answer) {
		require.Equal(t, ok, v.Result)
		for line := range strings.Lines(v.text()) {
			var item map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &item))
			items = append(items, item)
		}
	}
	return items
}
