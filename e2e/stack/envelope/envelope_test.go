package envelope

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The official event types are the reader these shapes are written for.

func TestCloudWatchReadsAsTheOfficialType(t *testing.T) {
	body, err := CloudWatch([]byte("payload"))
	require.NoError(t, err)
	var event events.CloudwatchLogsEvent
	require.NoError(t, json.Unmarshal(body, &event))
	assert.Equal(t, "cGF5bG9hZA==", event.AWSLogs.Data)
}

func TestKinesisReadsAsTheOfficialType(t *testing.T) {
	arrived := time.UnixMilli(1_767_225_600_250).UTC()
	stream := Stream{ARN: "arn:aws:kinesis:eu-west-1:123456789012:stream/logs", Region: "eu-west-1", Role: "arn:aws:iam::123456789012:role/reader"}
	body, err := Kinesis(stream, []Record{
		{Shard: "shardId-000000000000", Sequence: "1", PartitionKey: "a", Data: []byte("one"), Arrived: arrived},
		{Shard: "shardId-000000000000", Sequence: "2", PartitionKey: "b", Data: []byte{0, 0xff}, Arrived: arrived},
	})
	require.NoError(t, err)

	var event events.KinesisEvent
	require.NoError(t, json.Unmarshal(body, &event))
	require.Len(t, event.Records, 2)
	first, second := event.Records[0], event.Records[1]
	assert.Equal(t, "shardId-000000000000:1", first.EventID)
	assert.Equal(t, "1", first.Kinesis.SequenceNumber)
	assert.Equal(t, "one", string(first.Kinesis.Data))
	assert.Equal(t, arrived, first.Kinesis.ApproximateArrivalTimestamp.UTC())
	assert.Equal(t, stream.ARN, first.EventSourceArn)
	assert.Equal(t, []byte{0, 0xff}, second.Kinesis.Data)
	assert.Equal(t, "b", second.Kinesis.PartitionKey)
}
