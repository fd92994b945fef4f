package event_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
)

// inSQS wraps text in an SQS event.
func inSQS(text string) string {
	return fmt.Sprintf(`{"Records":[{"eventSource":"aws:sqs","messageId":"m","body":%s}]}`, quote(text))
}

// inSNS wraps text in what SNS writes into a queue.
func inSNS(text string) string {
	return fmt.Sprintf(`{"Type":"Notification","MessageId":"n","Message":%s}`, quote(text))
}

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}

func TestTextInAMessage(t *testing.T) {
	notification := `{"Records":[` + s3In("logs") + `]}`
	for name, tc := range map[string]struct {
		body string
		want []string // what tell says of the notices
	}{
		"a notification":                             {notification, []string{"s3://logs/k"}},
		"a notification in white space":              {" \n" + notification + "\n", []string{"s3://logs/k"}},
		"a notification cut short":                   {notification[:len(notification)-2], []string{"sqs text " + notification[:len(notification)-2]}},
		"a notification in a JSON text":              {quote(notification), []string{"sqs text " + quote(notification)}},
		"two notifications in a row":                 {notification + notification, []string{"sqs text " + notification + notification}},
		"nothing":                                    {"", []string{"empty_line"}},
		"white space":                                {" ", []string{"sqs text  "}},
		"a list":                                     {`[{"s3":{}}]`, []string{`sqs text [{"s3":{}}]`}},
		"null":                                       {`null`, []string{`sqs text null`}},
		"a CloudTrail file":                          {`{"Records":[{"eventSource":"s3.amazonaws.com","eventName":"GetObject"}]}`, []string{`sqs text {"Records":[{"eventSource":"s3.amazonaws.com","eventName":"GetObject"}]}`}},
		"Records of one known kind":                  {`{"Records":[{"a":1},` + s3In("logs") + `]}`, []string{`Records[0]: Records[0]: a record has members [a]: expected "s3", "Sns", or "body" of SQS; check the function's trigger`, "s3://logs/k"}},
		"Records that is a number":                   {`{"Records":7}`, []string{`sqs text {"Records":7}`}},
		"no records":                                 {`{"Records":[]}`, nil},
		"null records":                               {`{"Records":null}`, nil},
		"no records beside a log":                    {`{"Records":[],"msg":"x"}`, []string{`sqs text {"Records":[],"msg":"x"}`}},
		"a Kinesis event":                            {`{"Records":[{"kinesis":{}}]}`, []string{`sqs text {"Records":[{"kinesis":{}}]}`}},
		"a CloudWatch event":                         {`{"awslogs":{"data":"x"}}`, []string{`sqs text {"awslogs":{"data":"x"}}`}},
		"a test event":                               {`{"Service":"Amazon S3","Event":"s3:TestEvent"}`, []string{"s3_test_event"}},
		"SNS around a text":                          {inSNS("hello"), []string{"sns text hello"}},
		"SNS around nothing":                         {inSNS(""), []string{"empty_line"}},
		"SNS around a notification":                  {inSNS(notification), []string{"s3://logs/k"}},
		"SNS around SNS":                             {inSNS(inSNS(notification)), []string{"s3://logs/k"}},
		"SNS whose Message is no text":               {`{"Type":"Notification","Message":{}}`, []string{"Records[0]: the SNS message has no text in Message"}},
		"an SNS confirmation":                        {`{"Type":"SubscriptionConfirmation","Message":"m"}`, []string{`sqs text {"Type":"SubscriptionConfirmation","Message":"m"}`}},
		"SQS in SQS":                                 {inSQS(notification), []string{"s3://logs/k"}},
		"SQS in SQS without a body":                  {`{"Records":[{"eventSource":"aws:sqs"}]}`, []string{"Records[0]: Records[0]: the SQS message has no text in body"}},
		"a text four deep":                           {inSQS(inSQS(inSNS("deep"))), []string{"sns text deep"}},
		"a notification four deep":                   {inSQS(inSQS(inSNS(notification))), []string{"s3://logs/k"}},
		"a notification five deep":                   {inSQS(inSQS(inSQS(inSNS(notification)))), []string{"Records[0]: Records[0]: Records[0]: Records[0]: a notification is wrapped more than 4 times"}},
		"a text five deep":                           {inSQS(inSQS(inSQS(inSNS("deep")))), []string{"sns text deep"}},
		"an API call on S3 that CloudTrail has seen": {`{"source":"aws.s3","detail-type":"AWS API Call via CloudTrail","detail":{}}`, []string{`eventbridge text {"source":"aws.s3","detail-type":"AWS API Call via CloudTrail","detail":{}}`}},
		"EventBridge of an application":              {`{"source":"app","detail-type":"Object Created","detail":{}}`, []string{`eventbridge text {"source":"app","detail-type":"Object Created","detail":{}}`}},
		"EventBridge without an object":              {`{"source":"aws.s3","detail-type":"Object Created","detail":{"bucket":{"name":"logs"}}}`, []string{`Records[0]: detail: members are [bucket]: expected "bucket" and "object"`}},
		"EventBridge with a bucket that is none":     {`{"source":"aws.s3","detail-type":"Object Created","detail":{"bucket":{"name":"a b"},"object":{"key":"k"}}}`, []string{`Records[0]: bucket name "a b" of 3 bytes is none that S3 allows`}},
		"EventBridge of a restored object":           {`{"source":"aws.s3","detail-type":"Object Restore Completed","detail":null}`, []string{"not_object_created"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.ParseObjects([]byte(inSQS(tc.body)))
			require.NoError(t, err)
			assert.True(t, got.Partial)
			require.Len(t, got.Messages, 1)
			assert.Equal(t, "m", got.Messages[0].ID)
			require.NoError(t, got.Messages[0].Err)
			var told []string
			for i := range got.Messages[0].Notices {
				told = append(told, tell(&got.Messages[0].Notices[i]))
			}
			assert.Equal(t, tc.want, told)
		})
	}
}

func TestMessageWithoutABody(t *testing.T) {
	for name, record := range map[string]string{
		"missing":                 `{"eventSource":"aws:sqs","messageId":"m"}`,
		"null":                    `{"eventSource":"aws:sqs","messageId":"m","body":null}`,
		"an object":               `{"messageId":"m","body":{"Records":[]}}`,
		"with a broken escape":    `{"messageId":"m","body":"\q"}`,
		"and attributes are none": `{"eventSource":"aws:sqs","messageId":"m","attributes":"x"}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.ParseObjects([]byte(`{"Records":[` + record + `,{"messageId":"n","body":"text"}]}`))
			require.NoError(t, err)
			require.Len(t, got.Messages, 2)
			assert.Equal(t, "m", got.Messages[0].ID)
			require.EqualError(t, got.Messages[0].Err, "Records[0]: the SQS message has no text in body")
			assert.Equal(t, record, string(got.Messages[0].Raw))
			assert.Empty(t, got.Messages[0].Notices)
			assert.Equal(t, "sqs text text", tell(&got.Messages[1].Notices[0]))
		})
	}
}

func TestRecordsOfSeveralRoutesInOneEvent(t *testing.T) {
	payload := `{"Records":[` + s3In("one") + `,{"messageId":"m","body":"text"},{"EventSource":"aws:sns","Sns":null},` +
		`{"Sns":{"Message":"hello"}},null,{"kinesis":{}}]}`
	got, err := event.ParseObjects([]byte(payload))
	require.NoError(t, err)
	assert.True(t, got.Partial)
	require.Len(t, got.Messages, 2)
	assert.Equal(t, "sqs text text", tell(&got.Messages[0].Notices[0]))

	others := got.Messages[1]
	assert.Empty(t, others.ID, "only the event as a whole can be returned")
	require.Len(t, others.Notices, 5)
	assert.Equal(t, "s3://one/k", tell(&others.Notices[0]))
	require.EqualError(t, others.Notices[1].Err, "Records[2]: read Sns: json at byte 0 of 4: expected an object")
	assert.Equal(t, "sns text hello", tell(&others.Notices[2]))
	require.EqualError(t, others.Notices[3].Err, "Records[4]: read a record: json at byte 0 of 4: expected an object")
	require.ErrorContains(t, others.Notices[4].Err, "Records[5]: a record has members [kinesis], it looks like a Kinesis stream")
}

func TestEventsThatBelongElsewhere(t *testing.T) {
	for name, tc := range map[string]struct{ payload, err string }{
		"CloudWatch Logs":     {`{"awslogs":{"data":"secret"}}`, "event has members [awslogs], it looks like a CloudWatch Logs subscription: expected \"Records\""},
		"Firehose":            {`{"invocationId":"i","deliveryStreamArn":"secret","records":[]}`, "it looks like a Firehose transformation"},
		"S3 Batch Operations": {`{"invocationSchemaVersion":"1.0","tasks":[]}`, "it looks like an S3 Batch Operations job"},
		"Kinesis":             {`{"Records":[{"eventSource":"aws:kinesis","kinesis":{"data":"secret"}}]}`, "Records[0]: a record has members [eventSource, kinesis], it looks like a Kinesis stream"},
		"DynamoDB":            {`{"Records":[{"eventSource":"aws:dynamodb","dynamodb":{"x":"secret"}}]}`, `Records[0]: a record of "aws:dynamodb" has members [eventSource, dynamodb]: expected "s3"`},
		"anything":            {`{"a":"secret","b":2}`, "event has members [a, b]: expected"},
		"no member":           {`{}`, "event has members []: expected"},
		"Records is text":     {`{"Records":"secret"}`, "event has members [Records]: expected"},
		"records of null":     {`{"Records":[null]}`, "Records[0]: read a record: json at byte 0 of 4: expected an object"},
		"garbage in the list": {`{"Records":[{"s3":{}} "secret"]}`, "read Records of an S3 event: json at byte"},
		"a list":              {`[]`, "read S3 event of 2 bytes: json at byte 0 of 2: expected an object"},
		"nothing":             {``, "read S3 event of 0 bytes"},
		"cut short":           {`{"Records":[{"s3":{`, "read S3 event of 19 bytes: json at byte 11 of 19"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.ParseObjects([]byte(tc.payload))
			require.ErrorContains(t, err, tc.err)
			assert.NotContains(t, err.Error(), "secret")
			assert.Empty(t, got)
		})
	}
}

func TestNoRecordsAreNothingToDo(t *testing.T) {
	for _, payload := range []string{`{"Records":[]}`, `{"Records":null}`, `{"Records": [ ],"x":1}`} {
		got, err := event.ParseObjects([]byte(payload))
		require.NoError(t, err)
		assert.Empty(t, got)
	}
}

func TestAppendingToATextLeavesTheEventAlone(t *testing.T) {
	payload := []byte(`{"Records":[{"messageId":"m","body":"text"}]}`)
	before := string(payload)
	got, err := event.ParseObjects(payload)
	require.NoError(t, err)
	_ = append(got.Messages[0].Notices[0].Text, "more"...)
	assert.Equal(t, before, string(payload))
}
