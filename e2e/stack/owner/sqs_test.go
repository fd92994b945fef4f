package owner

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/stack"
	"sluice/e2e/stack/envelope"
)

// messageID is the id the queue gives to the n-th message.
func messageID(n string) string { return "059f36b4-87a3-44ab-83d2-00000000000" + n }

// failsMessages reports the n-th messages.
func failsMessages(ns ...string) stack.Result {
	var ids []string
	for _, n := range ns {
		ids = append(ids, messageID(n))
	}
	return reports(ids...)
}

type sqsEvent struct {
	Records []struct {
		MessageID  string `json:"messageId"`
		Body       string
		Attributes struct {
			Receives string `json:"ApproximateReceiveCount"`
		}
	}
}

// received is the body and receive count of every message of each invocation.
func received(t *testing.T, f *scripted) []string {
	t.Helper()
	var got []string
	for _, payload := range f.payloads {
		var event sqsEvent
		require.NoError(t, json.Unmarshal([]byte(payload), &event))
		var batch []string
		for _, r := range event.Records {
			batch = append(batch, r.Body+r.Attributes.Receives)
		}
		got = append(got, strings.Join(batch, " "))
	}
	return got
}

// queueOf holds a message for each letter, which announces the payload of that name.
func queueOf(t *testing.T, f Invoker, cfg QueueConfig, letters string) *Queue {
	t.Helper()
	q := NewQueue(f, cfg)
	for letter := range strings.SplitSeq(letters, "") {
		_, err := q.Send([]byte(letter), "object-"+letter)
		require.NoError(t, err)
	}
	return q
}

func TestQueue(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg      QueueConfig
		results  []stack.Result
		batches  []string
		outcomes []Outcome
		dead     []string
	}{
		"batches in the order they were sent": {
			cfg: QueueConfig{BatchSize: 2}, batches: []string{"a1 b1", "c1"}, outcomes: []Outcome{Taken, Taken},
		},
		"only reported messages come again": {
			results: []stack.Result{failsMessages("2")}, batches: []string{"a1 b1 c1", "b2"}, outcomes: []Outcome{Partly, Taken},
		},
		"a message reported twice in a response comes again once": {
			results: []stack.Result{failsMessages("2", "2")}, batches: []string{"a1 b1 c1", "b2"}, outcomes: []Outcome{Partly, Taken},
		},
		"an error returns the whole batch": {
			results: []stack.Result{fails}, batches: []string{"a1 b1 c1", "a2 b2 c2"}, outcomes: []Outcome{Failed, Taken},
		},
		"a timeout returns the whole batch": {
			results: []stack.Result{timeout}, batches: []string{"a1 b1 c1", "a2 b2 c2"}, outcomes: []Outcome{Ended, Taken},
		},
		"a batch may mix receive counts": {
			cfg: QueueConfig{BatchSize: 2}, results: []stack.Result{failsMessages("1")},
			batches: []string{"a1 b1", "c1 a2"}, outcomes: []Outcome{Partly, Taken},
		},
		"after the last receive a message is dead": {
			cfg:     QueueConfig{MaxReceives: 2},
			results: []stack.Result{failsMessages("1", "3"), failsMessages("3")},
			batches: []string{"a1 b1 c1", "a2 c2"}, outcomes: []Outcome{Partly, Partly}, dead: []string{"object-c"},
		},
		"an unknown identifier fails the whole batch": {
			results: []stack.Result{failsMessages("1", "9")}, batches: []string{"a1 b1 c1", "a2 b2 c2"}, outcomes: []Outcome{Failed, Taken},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &scripted{results: tc.results}
			q := queueOf(t, f, tc.cfg, "abc")

			require.NoError(t, q.Drain(t.Context()))

			assert.Equal(t, tc.batches, received(t, f))
			var outcomes []Outcome
			for _, d := range q.History {
				outcomes = append(outcomes, d.Outcome)
				assert.False(t, d.Stream)
			}
			assert.Equal(t, tc.outcomes, outcomes)
			var dead []string
			for _, failure := range q.Failures {
				dead = append(dead, failure.Payloads...)
				assert.NotEmpty(t, failure.Error)
			}
			assert.Equal(t, tc.dead, dead)
			assert.Zero(t, q.Pending())
		})
	}
}

func TestReportedItems(t *testing.T) {
	batch := []message{{Message: envelope.Message{ID: "m-1"}}, {Message: envelope.Message{ID: "m-2"}}}
	for name, tc := range map[string]struct {
		response string
		want     []string
		refused  bool
	}{
		"an empty list is success":            {response: `{"batchItemFailures":[]}`},
		"a null list is success":              {response: `{"batchItemFailures":null}`},
		"an empty object is success":          {response: `{}`},
		"a null response is success":          {response: `null`},
		"no response is success":              {response: ""},
		"another object is success":           {response: `{"statusCode":200}`},
		"a name in another case is no list":   {response: `{"BatchItemFailures":[{"itemIdentifier":"m-1"}]}`},
		"one of two":                          {response: `{"batchItemFailures":[{"itemIdentifier":"m-2"}]}`, want: []string{"m-2"}},
		"an unknown id":                       {response: `{"batchItemFailures":[{"itemIdentifier":"m-3"}]}`, refused: true},
		"an unknown id beside a known one":    {response: `{"batchItemFailures":[{"itemIdentifier":"m-1"},{"itemIdentifier":"m-3"}]}`, refused: true},
		"an empty id":                         {response: `{"batchItemFailures":[{"itemIdentifier":""}]}`, refused: true},
		"a null id":                           {response: `{"batchItemFailures":[{"itemIdentifier":null}]}`, refused: true},
		"a number for an id":                  {response: `{"batchItemFailures":[{"itemIdentifier":1}]}`, refused: true},
		"an item of another name":             {response: `{"batchItemFailures":[{"itemIdentifer":"m-1"}]}`, refused: true},
		"an item with a name in another case": {response: `{"batchItemFailures":[{"ItemIdentifier":"m-1"}]}`, refused: true},
		"a null item":                         {response: `{"batchItemFailures":[null]}`, refused: true},
		"a list of texts":                     {response: `{"batchItemFailures":["m-1"]}`, refused: true},
		"an object for the list":              {response: `{"batchItemFailures":{"itemIdentifier":"m-1"}}`, refused: true},
		"a text":                              {response: `"done"`, refused: true},
		"a list":                              {response: `[]`, refused: true},
		"no JSON":                             {response: `{`, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			reported, ok := reportedItems([]byte(tc.response), batch)
			assert.Equal(t, !tc.refused, ok)
			var got []string
			for id := range reported {
				got = append(got, id)
			}
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestHiddenMessagesWaitAndOthersDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &scripted{results: []stack.Result{failsMessages("1")}}
		visibility := func(receive int) time.Duration { return time.Duration(receive) * time.Minute }
		q := queueOf(t, f, QueueConfig{BatchSize: 1, Visibility: visibility}, "ab")
		start := time.Now()

		require.NoError(t, q.Drain(t.Context()))

		assert.Equal(t, []string{"a1", "b1", "a2"}, received(t, f))
		assert.Equal(t, 2*time.Minute, time.Since(start))
	})
}

func TestAStandardQueueMayRepeatAndShuffle(t *testing.T) {
	run := func(seed uint64) ([]string, *Queue) {
		f := &scripted{}
		q := queueOf(t, f, QueueConfig{BatchSize: 3, Shuffle: true, Repeat: 0.5, Seed: seed}, "abcdefgh")
		require.NoError(t, q.Drain(t.Context()))
		return received(t, f), q
	}
	first, q := run(1)
	same, _ := run(1)
	other, _ := run(2)
	assert.Equal(t, first, same)
	assert.NotEqual(t, first, other)

	times := map[string]int{}
	for _, d := range q.History {
		assert.Equal(t, Taken, d.Outcome)
		for _, id := range d.Payloads {
			times[id]++
		}
	}
	assert.Len(t, times, 8, "none is lost")
	repeated := 0
	for id, n := range times {
		assert.LessOrEqual(t, n, 2, "%s comes once more at most", id)
		repeated += n - 1
	}
	assert.Positive(t, repeated)
	assert.Less(t, repeated, 8)
	assert.Empty(t, q.Failures)
}

func TestQueueCutsBatchesAtSixMegabytes(t *testing.T) {
	f := &scripted{}
	q := NewQueue(f, QueueConfig{})
	for range 5 {
		_, err := q.Send([]byte(strings.Repeat(`"`, maxMessageBytes)))
		require.NoError(t, err)
	}

	require.NoError(t, q.Drain(t.Context()))

	assert.Len(t, f.payloads, 3)
	for _, payload := range f.payloads {
		assert.LessOrEqual(t, len(payload), maxBatchBytes)
	}
}

func TestQueueRefusesWhatSQSDoes(t *testing.T) {
	q := NewQueue(&scripted{}, QueueConfig{})
	_, err := q.Send(make([]byte, maxMessageBytes+1))
	assert.ErrorContains(t, err, "over the limit")
	_, err = q.Send([]byte("\xff"))
	assert.ErrorContains(t, err, "UTF-8")
	assert.Zero(t, q.Pending())
}

func TestQueueHandsOverEveryPayloadOfAMessage(t *testing.T) {
	q := NewQueue(&scripted{results: []stack.Result{fails, fails}}, QueueConfig{MaxReceives: 1})
	_, err := q.Send([]byte("two objects"), "object-1", "object-2")
	require.NoError(t, err)
	_, err = q.Send([]byte("one of them again"), "object-1")
	require.NoError(t, err)
	_, err = q.Send([]byte("a test event"))
	require.NoError(t, err)

	require.NoError(t, q.Drain(t.Context()))

	require.Len(t, q.History, 1)
	assert.Equal(t, []string{"object-1", "object-2", "object-1"}, q.History[0].Payloads)
	require.Len(t, q.Failures, 3)
	assert.Equal(t, Failure{Payloads: []string{"object-1", "object-2"}, Attempts: 1, Error: "no"}, q.Failures[0])
}

func TestQueueEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	q := queueOf(t, &scripted{results: []stack.Result{fails}}, QueueConfig{
		Visibility: func(int) time.Duration { cancel(); return time.Hour },
	}, "a")
	assert.ErrorIs(t, q.Drain(ctx), context.Canceled)
	assert.Equal(t, 1, q.Pending())
}

func TestAsyncEventOfSeveralObjects(t *testing.T) {
	q := NewAsync(&scripted{results: []stack.Result{fails, fails, fails}}, nil)
	require.NoError(t, q.SendMany([]byte("payload"), "object-1", "object-2"))
	require.NoError(t, q.Drain(t.Context()))
	for _, d := range q.History {
		assert.Equal(t, []string{"object-1", "object-2"}, d.Payloads)
	}
	require.Len(t, q.Failures, 1)
	assert.Equal(t, []string{"object-1", "object-2"}, q.Failures[0].Payloads)
}
