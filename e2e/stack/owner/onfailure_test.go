package owner

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/stack"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/notify"
)

// shelf keeps what is put, by its key.
type shelf struct {
	kept map[string]string
	err  error
}

func (s *shelf) PutObject(
	_ context.Context, bucket, key string, body io.Reader, _ ...func(*s3.PutObjectInput),
) (notify.Object, error) {
	if s.err != nil {
		return notify.Object{}, s.err
	}
	text, err := io.ReadAll(body)
	if s.kept == nil {
		s.kept = map[string]string{}
	}
	s.kept[bucket+"/"+key] = string(text)
	return notify.Object{Bucket: bucket, Key: key}, err
}

const uuidPattern = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

func TestOnFailureOfAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a bubble begins at midnight UTC 2000-01-01
		s := &shelf{}
		q := NewAsync(&scripted{results: []stack.Result{fails, fails, timeout}}, nil)
		q.OnFailure = &OnFailure{Store: s, Bucket: "park", Function: "sluice-cloudwatch"}
		require.NoError(t, q.Send("event-1", []byte(`{"awslogs":{"data":"a<&>b"}}`)))

		require.NoError(t, q.Drain(t.Context()))

		require.Len(t, q.Failures, 1)
		key := q.Failures[0].Key
		assert.Regexp(t, `^aws/lambda/async/sluice-cloudwatch/2000/01/01/2000-01-01T00\.00\.00-`+uuidPattern+`$`, key)
		assert.JSONEq(t, `{"version":"1.0","timestamp":"2000-01-01T00:00:00.000Z",
			"requestContext":{"requestId":"","functionArn":"arn:aws:lambda:eu-west-1:123456789012:function:sluice-cloudwatch",
				"condition":"RetriesExhausted","approximateInvokeCount":3},
			"requestPayload":{"awslogs":{"data":"a<&>b"}},
			"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},
			"responsePayload":{"errorMessage":""}}`, s.kept["park/"+key])
		assert.Contains(t, s.kept["park/"+key], `"requestPayload":{"awslogs":{"data":"a<&>b"}}`, "byte for byte")
	})
}

func TestOnFailureThatCannotBeKept(t *testing.T) {
	gone := errors.New("the bucket is gone")
	for name, tc := range map[string]struct {
		payload string
		err     error
		says    string
	}{
		"the bucket takes nothing": {payload: `{}`, err: gone, says: "the bucket is gone"},
		"an event that is no JSON": {payload: `{`, says: "no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			q := NewAsync(&scripted{results: []stack.Result{fails, fails, fails}}, nil)
			q.OnFailure = &OnFailure{Store: &shelf{err: tc.err}, Bucket: "park"}
			require.NoError(t, q.Send("event-1", []byte(tc.payload)))

			require.ErrorContains(t, q.Drain(t.Context()), tc.says)
			require.Len(t, q.Failures, 1)
			assert.Empty(t, q.Failures[0].Key)
		})
	}
}

func TestOnFailureOfABatch(t *testing.T) {
	s := &shelf{}
	f := &scripted{results: []stack.Result{fails, fails, fails}} // the two, the first alone, and again
	m := NewMapping(f, MappingConfig{
		Stream: envelope.Stream{ARN: "arn:aws:kinesis:eu-west-1:123456789012:stream/logs", Region: stack.Region}, Bisect: true, MaxRetries: 1,
		OnFailure: &OnFailure{Store: s, Bucket: "park", Function: "sluice-kinesis", Mapping: "the-mapping"},
	})
	list := records("12")
	list[0].Arrived = time.UnixMilli(1_770_000_000_250)

	require.NoError(t, m.Drain(t.Context(), list))

	require.Len(t, m.Failures, 1)
	assert.Equal(t, []string{"1"}, m.Failures[0].Payloads)
	key := m.Failures[0].Key
	assert.Regexp(t, `^aws/lambda/the-mapping/shardId-000000000000/\d{4}/\d\d/\d\d/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-`+uuidPattern+`$`, key)
	var kept struct {
		Payload string `json:"payload"`
		Context struct {
			Condition string `json:"condition"`
			Attempts  int    `json:"approximateInvokeCount"`
		} `json:"requestContext"`
		Batch map[string]any `json:"KinesisBatchInfo"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.kept["park/"+key]), &kept))
	assert.Equal(t, "RetryAttemptsExhausted", kept.Context.Condition)
	assert.Equal(t, 2, kept.Context.Attempts)
	assert.Equal(t, map[string]any{
		"shardId": "shardId-000000000000", "startSequenceNumber": "1", "endSequenceNumber": "1", "batchSize": 1.0,
		"approximateArrivalOfFirstRecord": "2026-02-02T02:40:00.250Z", "approximateArrivalOfLastRecord": "2026-02-02T02:40:00.250Z",
		"streamArn": "arn:aws:kinesis:eu-west-1:123456789012:stream/logs",
	}, kept.Batch)
	assert.Equal(t, f.payloads[1], kept.Payload, "the whole event")
}

func TestRecordsPastTheirAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &scripted{results: []stack.Result{fails, fails, fails}}
		s := &shelf{}
		m := NewMapping(f, MappingConfig{
			MaxAge: 5 * time.Minute, MaxRetries: 100, Backoff: func(int) time.Duration { return time.Minute },
			OnFailure: &OnFailure{Store: s, Bucket: "park", Mapping: "m"},
		})
		list := records("12")
		list[0].Arrived, list[1].Arrived = time.Now().Add(-4*time.Minute), time.Now()

		require.NoError(t, m.Drain(t.Context(), list))

		assert.Equal(t, []string{"12", "12", "12", "2"}, batches(t, f), "the first is given up after six minutes, the second goes on")
		require.Len(t, m.Failures, 1)
		assert.Equal(t, []string{"1"}, m.Failures[0].Payloads)
		assert.Contains(t, s.kept["park/"+m.Failures[0].Key], `"condition":"MaximumRecordAgeExceeded"`)
	})
}

// proceeding sends a message in answer to every one it gets, as often as it is told.
type proceeding struct {
	scripted
	queue *Queue
	hops  int
}

func (p *proceeding) Invoke(ctx context.Context, payload []byte, opts ...stack.Option) (stack.Result, error) {
	if p.hops > 0 {
		p.hops--
		if _, err := p.queue.Continue([]byte("on"), "object"); err != nil {
			return stack.Result{}, err
		}
	}
	return p.scripted.Invoke(ctx, payload, opts...)
}

func TestContinuations(t *testing.T) {
	for name, tc := range map[string]struct {
		hops, invocations, failures int
	}{
		"none":                           {invocations: 1},
		"three":                          {hops: 3, invocations: 4},
		"as many as Lambda lets through": {hops: 15, invocations: 16},
		"one more is stopped":            {hops: 16, invocations: 16, failures: 1},
		"an endless chain is stopped":    {hops: 1_000, invocations: 16, failures: 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := &proceeding{hops: tc.hops}
			q := NewQueue(f, QueueConfig{})
			f.queue = q
			_, err := q.Send([]byte("first"), "object")
			require.NoError(t, err)

			require.NoError(t, q.Drain(t.Context()))

			assert.Len(t, q.History, tc.invocations)
			require.Len(t, q.Failures, tc.failures)
			for _, failure := range q.Failures {
				assert.Equal(t, []string{"object"}, failure.Payloads)
				assert.Contains(t, failure.Error, "recursive loop")
			}
			for i, d := range q.History {
				assert.Equal(t, i > 0, len(d.Continued) > 0, "delivery %d", i)
			}
		})
	}
}

// A message that comes again repeats what it brought, though it went on with something when it came first.
func TestContinuationReceivedAgain(t *testing.T) {
	f := &proceeding{hops: 1, scripted: scripted{results: []stack.Result{{}, fails}}}
	q := NewQueue(f, QueueConfig{})
	f.queue = q
	_, err := q.Send([]byte("first"), "object")
	require.NoError(t, err)

	require.NoError(t, q.Drain(t.Context()))

	require.Len(t, q.History, 3)
	assert.Equal(t, []string{"object"}, q.History[1].Continued)
	assert.Empty(t, q.History[2].Continued)
	assert.Equal(t, "on1 on2", strings.Join(received(t, &f.scripted)[1:], " "))
}
