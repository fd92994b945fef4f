package envelope

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSQS(t *testing.T) {
	sent := time.UnixMilli(1_770_000_000_123)
	queue := Queue{ARN: "arn:aws:sqs:eu-west-1:123456789012:log-objects", Region: "eu-west-1"}

	body, err := SQS(queue, []Message{
		{ID: "m-1", Body: `{"a":"ü"}`, Receives: 1, Sent: sent, FirstReceived: sent.Add(10 * time.Millisecond)},
		{ID: "m-2", Body: "", Receives: 3, Sent: sent, FirstReceived: sent},
	})

	require.NoError(t, err)
	assert.JSONEq(t, `{"Records":[
		{"messageId":"m-1","receiptHandle":"bS0xIHJlY2VpcHQgMQ==","body":"{\"a\":\"ü\"}","attributes":{
			"ApproximateReceiveCount":"1","SentTimestamp":"1770000000123","SenderId":"AIDAEXAMPLESENDERID",
			"ApproximateFirstReceiveTimestamp":"1770000000133"},"messageAttributes":{},
		 "md5OfBody":"f38091feea732597cbc589916142c339","eventSource":"aws:sqs",
		 "eventSourceARN":"arn:aws:sqs:eu-west-1:123456789012:log-objects","awsRegion":"eu-west-1"},
		{"messageId":"m-2","receiptHandle":"bS0yIHJlY2VpcHQgMw==","body":"","attributes":{
			"ApproximateReceiveCount":"3","SentTimestamp":"1770000000123","SenderId":"AIDAEXAMPLESENDERID",
			"ApproximateFirstReceiveTimestamp":"1770000000123"},"messageAttributes":{},
		 "md5OfBody":"d41d8cd98f00b204e9800998ecf8427e","eventSource":"aws:sqs",
		 "eventSourceARN":"arn:aws:sqs:eu-west-1:123456789012:log-objects","awsRegion":"eu-west-1"}]}`, string(body))

	body, err = SQS(queue, nil)
	require.NoError(t, err)
	assert.JSONEq(t, `{"Records":[]}`, string(body))
}
