package event_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
)

const functionARN = "arn:aws:lambda:eu-west-1:123456789012:function:sluice-cloudwatch:$LATEST"

// asyncFailure is what Lambda keeps of an asynchronous invocation with this event.
func asyncFailure(payload string) string {
	return `{"version":"1.0","timestamp":"2026-01-02T03:04:05.678Z","requestContext":{"requestId":"e4b46cbf-b738-xmpl-8880-a18cdf61200e",` +
		`"functionArn":"` + functionARN + `","condition":"RetriesExhausted","approximateInvokeCount":3},"requestPayload":` + payload +
		`,"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},` +
		`"responsePayload":{"errorMessage":"{\"requestPayload\":1}","payload":"x"}}`
}

// streamFailure is what an event source mapping keeps; payload is a value of JSON.
func streamFailure(payload string) string {
	return `{"requestContext":{"requestId":"c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5","functionArn":"` + functionARN + `",` +
		`"condition":"RetryAttemptsExhausted","approximateInvokeCount":11},"responseContext":{"statusCode":200},` +
		`"version":"1.0","timestamp":"2026-01-02T03:04:05.678Z","KinesisBatchInfo":{"shardId":"shardId-000000000001",` +
		`"startSequenceNumber":"1","endSequenceNumber":"2","batchSize":2,"streamArn":"arn:aws:kinesis:eu-west-1:123456789012:stream/s"},` +
		`"payload":` + payload + `}`
}

const kinesisEvent = `{"Records":[{"eventSource":"aws:kinesis","eventID":"shardId-000000000001:1","kinesis":{"sequenceNumber":"1","data":"aGk="}}]}`

func TestParseFailure(t *testing.T) {
	async := event.Failure{
		FunctionARN: functionARN, RequestID: "e4b46cbf-b738-xmpl-8880-a18cdf61200e", Condition: "RetriesExhausted", Attempts: 3,
	}
	stream := event.Failure{
		FunctionARN: functionARN, RequestID: "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5", Condition: "RetryAttemptsExhausted", Attempts: 11, Stream: true,
	}
	for name, tc := range map[string]struct {
		raw     string
		base    event.Failure
		kind    event.PayloadKind
		payload string
	}{
		"CloudWatch Logs":                  {asyncFailure(`{"awslogs":{"data":"H4sI"}}`), async, event.PayloadCloudWatch, `{"awslogs":{"data":"H4sI"}}`},
		"CloudWatch Logs as a text":        {asyncFailure(quote(`{"awslogs":{"data":"H4sI"}}`)), async, event.PayloadCloudWatch, `{"awslogs":{"data":"H4sI"}}`},
		"awslogs without data":             {asyncFailure(`{"awslogs":{}}`), async, event.PayloadUnknown, `{"awslogs":{}}`},
		"awslogs in another spelling":      {asyncFailure(`{"AwsLogs":{"data":"H4sI"}}`), async, event.PayloadUnknown, `{"AwsLogs":{"data":"H4sI"}}`},
		"awslogs with data that is a list": {asyncFailure(`{"awslogs":{"data":[]}}`), async, event.PayloadUnknown, `{"awslogs":{"data":[]}}`},
		"S3":                               {asyncFailure(direct("k")), async, event.PayloadObjects, direct("k")},
		"SNS":                              {asyncFailure(`{"Records":[{"Sns":{"Message":"m"}}]}`), async, event.PayloadObjects, `{"Records":[{"Sns":{"Message":"m"}}]}`},
		"EventBridge":                      {asyncFailure(bridge("k")), async, event.PayloadObjects, bridge("k")},
		"no records":                       {asyncFailure(`{"Records":[]}`), async, event.PayloadObjects, `{"Records":[]}`},
		"Kinesis":                          {streamFailure(quote(kinesisEvent)), stream, event.PayloadKinesis, kinesisEvent},
		"Kinesis as an object":             {streamFailure(kinesisEvent), stream, event.PayloadKinesis, kinesisEvent},
		"Kinesis behind what is none":      {streamFailure(`{"Records":[null,{"kinesis":{}}]}`), stream, event.PayloadKinesis, `{"Records":[null,{"kinesis":{}}]}`},
		"S3 with something of Kinesis":     {asyncFailure(`{"Records":[` + s3In("logs") + `,{"kinesis":{}}]}`), async, event.PayloadObjects, `{"Records":[` + s3In("logs") + `,{"kinesis":{}}]}`},
		"a replay":                         {asyncFailure(`{"replay":{"state":"dead"}}`), async, event.PayloadUnknown, `{"replay":{"state":"dead"}}`},
		"a list":                           {asyncFailure(`[1]`), async, event.PayloadUnknown, `[1]`},
		"a text in a text":                 {asyncFailure(quote(quote("{}"))), async, event.PayloadUnknown, quote("{}")},
		"members may be unknown":           {`{"new":{"payload":{}},"requestPayload":{"a":1}}`, event.Failure{}, event.PayloadUnknown, `{"a":1}`},
		"the last of two":                  {`{"requestPayload":{"a":1},"requestContext":{"condition":"x"},"requestPayload":{"a":2},"requestContext":{"condition":"y"}}`, event.Failure{Condition: "y"}, event.PayloadUnknown, `{"a":2}`},
		"numbers as texts":                 {`{"requestPayload":{},"requestContext":{"approximateInvokeCount":"2"}}`, event.Failure{Attempts: 2}, event.PayloadUnknown, `{}`},
		"attempts below zero":              {`{"requestPayload":{},"requestContext":{"approximateInvokeCount":-2}}`, event.Failure{}, event.PayloadUnknown, `{}`},
		"a context that is none":           {`{"requestPayload":{},"requestContext":"x"}`, event.Failure{}, event.PayloadUnknown, `{}`},
		"another spelling of members":      {`{"RequestContext":{"condition":"x"},"requestPayload":{"a":1},"RequestPayload":{"a":2},"kinesisBatchInfo":{}}`, event.Failure{}, event.PayloadUnknown, `{"a":1}`},
		"both payloads, asynchronous":      {`{"payload":"[2]","requestPayload":[1]}`, event.Failure{}, event.PayloadUnknown, `[1]`},
		"both payloads, a stream":          {`{"payload":"[2]","requestPayload":[1],"KinesisBatchInfo":{}}`, event.Failure{Stream: true}, event.PayloadUnknown, `[2]`},
		"payload of the other form":        {`{"payload":"[2]","requestPayload":null}`, event.Failure{}, event.PayloadUnknown, `[2]`},
		"DynamoDB":                         {`{"payload":"{\"Records\":[{\"dynamodb\":{}}]}","DDBStreamBatchInfo":{}}`, event.Failure{Stream: true}, event.PayloadUnknown, `{"Records":[{"dynamodb":{}}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.ParseFailure([]byte(tc.raw))
			require.NoError(t, err)
			assert.Equal(t, tc.payload, string(got.Payload))
			want := tc.base
			want.Kind, want.Payload = tc.kind, got.Payload
			assert.Equal(t, want, got)
		})
	}
}

func TestFailureThatCannotBeRead(t *testing.T) {
	for name, tc := range map[string]struct{ raw, err string }{
		"nothing":               {``, "not JSON: 0 bytes"},
		"cut short":             {asyncFailure(`{"a":"secret"}`)[:300], "not JSON: 300 bytes, perhaps cut short"},
		"something behind":      {asyncFailure(`{}`) + "x", "not JSON"},
		"a list":                {`["secret"]`, "expected an object"},
		"no payload":            {`{"requestContext":{"x":"secret"}}`, `has members [requestContext]: expected "requestPayload" or "payload"`},
		"payload of null":       {asyncFailure(`null`), "Lambda has kept no event"},
		"text that is no JSON":  {streamFailure(`"secret"`), "the event is a text of 6 bytes that is not JSON"},
		"text that is cut":      {streamFailure(quote(kinesisEvent[:50])), "the event is a text of 50 bytes that is not JSON"},
		"text that is empty":    {streamFailure(`""`), "the event is a text of 0 bytes"},
		"a stream's to a queue": {`{"KinesisBatchInfo":{}}`, "hold no event of a stream"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.ParseFailure([]byte(tc.raw))
			require.ErrorContains(t, err, tc.err)
			assert.NotContains(t, err.Error(), "secret")
			assert.Empty(t, got)
		})
	}
	_, err := event.ParseFailure(bytes.Repeat([]byte(" "), event.MaxFailureBytes+1))
	require.ErrorContains(t, err, "67108865 bytes: at most 67108864 are read")
}

// FuzzParseFailure holds the reader to encoding/json, and each kind to the reader that it names.
func FuzzParseFailure(f *testing.F) {
	for _, payload := range []string{`{"awslogs":{"data":"H4sI"}}`, kinesisEvent, direct("k"), bridge("k"), `{"Records":[]}`, `null`, `"`} {
		f.Add([]byte(asyncFailure(payload)))
		f.Add([]byte(streamFailure(quote(payload))))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := event.ParseFailure(raw)
		if err != nil {
			assert.Empty(t, got)
			return
		}
		require.True(t, json.Valid(raw))
		require.True(t, json.Valid(got.Payload))
		assert.GreaterOrEqual(t, got.Attempts, 0)

		var slowly map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(raw, &slowly))
		values := [][]byte{slowly["requestPayload"], slowly["payload"]}
		for _, value := range values {
			var text string
			if json.Unmarshal(value, &text) == nil {
				values = append(values, []byte(text))
			}
		}
		payload := strings.ToValidUTF8(string(got.Payload), "\uFFFD")
		found := false
		for _, value := range values {
			found = found || strings.ToValidUTF8(string(bytes.TrimSpace(value)), "\uFFFD") == strings.TrimSpace(payload)
		}
		assert.True(t, found, "the event is one of the values")
		checkKind(t, got)
	})
}

func checkKind(t *testing.T, f event.Failure) {
	t.Helper()
	var err error
	switch f.Kind {
	case event.PayloadCloudWatch:
		_, err = event.AwsLogsData(f.Payload)
	case event.PayloadKinesis:
		_, err = event.ParseKinesis(f.Payload)
	case event.PayloadObjects:
		_, err = event.ParseObjects(f.Payload)
	case event.PayloadUnknown:
		_, wrong := event.ParseObjects(f.Payload)
		require.Error(t, wrong)
		_, wrong = event.AwsLogsData(f.Payload)
		require.Error(t, wrong)
	default:
		t.Fatal("no kind")
	}
	require.NoError(t, err)
}
