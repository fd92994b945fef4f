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

// scripted plays one result per invocation, then succeeds, and keeps what it was given.
type scripted struct {
	results  []stack.Result
	payloads []string
}

func (s *scripted) Invoke(_ context.Context, payload []byte, _ ...stack.Option) (stack.Result, error) {
	s.payloads = append(s.payloads, string(payload))
	result := stack.Result{}
	if len(s.results) > 0 {
		result, s.results = s.results[0], s.results[1:]
	}
	result.Started = time.Now()
	return result, nil
}

var (
	fails   = stack.Result{Error: &stack.FunctionError{Type: "errorString", Message: "no"}}
	timeout = stack.Result{Error: &stack.FunctionError{Type: "Sandbox.Timedout"}, TimedOut: true}
)

func TestAsync(t *testing.T) {
	for name, tc := range map[string]struct {
		results  []stack.Result
		outcomes []Outcome
		failures int
	}{
		"taken at once":               {outcomes: []Outcome{Taken}},
		"taken at the last retry":     {results: []stack.Result{fails, timeout}, outcomes: []Outcome{Failed, Ended, Taken}},
		"given up after two retries":  {results: []stack.Result{fails, fails, fails}, outcomes: []Outcome{Failed, Failed, Failed}, failures: 1},
		"an exit is retried likewise": {results: []stack.Result{{Exited: true, Error: fails.Error}}, outcomes: []Outcome{Ended, Taken}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &scripted{results: tc.results}
			q := NewAsync(f, nil)
			require.NoError(t, q.Send("event-1", []byte("payload")))

			require.NoError(t, q.Drain(t.Context()))

			var outcomes []Outcome
			for i, d := range q.History {
				outcomes = append(outcomes, d.Outcome)
				assert.Equal(t, i+1, d.Attempt)
				assert.Equal(t, []string{"event-1"}, d.Payloads)
			}
			assert.Equal(t, tc.outcomes, outcomes)
			assert.Len(t, q.Failures, tc.failures)
			assert.Zero(t, q.Pending())
		})
	}
}

func TestAsyncGoesOnWithOthersWhileOneWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &scripted{results: []stack.Result{fails}}
		q := NewAsync(f, func(attempt int) time.Duration { return time.Duration(attempt-1) * time.Minute })
		start := time.Now()
		require.NoError(t, q.Send("1", []byte("first")))
		require.NoError(t, q.Send("2", []byte("second")))

		require.NoError(t, q.Drain(t.Context()))

		assert.Equal(t, []string{"first", "second", "first"}, f.payloads)
		assert.Equal(t, time.Minute, time.Since(start))
	})
}

func TestAsyncRefusesAnEventOverOneMebibyte(t *testing.T) {
	q := NewAsync(&scripted{}, nil)
	assert.NoError(t, q.Send("1", make([]byte, stack.MaxAsyncBytes)))
	assert.ErrorContains(t, q.Send("2", make([]byte, stack.MaxAsyncBytes+1)), "asynchronous limit")
}

func records(sequences string) []envelope.Record {
	var list []envelope.Record
	for s := range strings.SplitSeq(sequences, "") {
		list = append(list, envelope.Record{Shard: "shardId-000000000000", Sequence: s, Data: []byte(s)})
	}
	return list
}

// batches are the sequence numbers of each invocation.
func batches(t *testing.T, f *scripted) []string {
	t.Helper()
	var got []string
	for _, payload := range f.payloads {
		var event struct {
			Records []struct {
				Kinesis struct{ SequenceNumber string }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(payload), &event))
		batch := ""
		for _, r := range event.Records {
			batch += r.Kinesis.SequenceNumber
		}
		got = append(got, batch)
	}
	return got
}

func reports(ids ...string) stack.Result {
	list := []map[string]string{}
	for _, id := range ids {
		list = append(list, map[string]string{"itemIdentifier": id})
	}
	body, _ := json.Marshal(map[string]any{"batchItemFailures": list})
	return stack.Result{Response: body}
}

func TestMapping(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg      MappingConfig
		results  []stack.Result
		batches  []string
		failures []string // sequence numbers of each
	}{
		"batches in shard order": {cfg: MappingConfig{BatchSize: 2}, batches: []string{"12", "34", "5"}},
		"the lowest reported number is where it goes on": {
			cfg: MappingConfig{BatchSize: 5}, results: []stack.Result{reports("4", "3", "5")}, batches: []string{"12345", "345"},
		},
		"progress starts a new count of attempts": {
			cfg:     MappingConfig{BatchSize: 5, MaxRetries: 1},
			results: []stack.Result{reports("2"), reports("2"), reports("3"), reports("3")},
			batches: []string{"12345", "2345", "2345", "345", "345"},
		},
		"no progress within the retries is given up": {
			cfg:     MappingConfig{BatchSize: 2, MaxRetries: 1},
			results: []stack.Result{fails, reports("1")}, batches: []string{"12", "12", "34", "5"}, failures: []string{"12"},
		},
		"an unknown identifier fails the whole batch": {
			cfg: MappingConfig{BatchSize: 5, MaxRetries: 1}, results: []stack.Result{reports("9")}, batches: []string{"12345", "12345"},
		},
		"an empty identifier fails the whole batch": {
			cfg: MappingConfig{BatchSize: 5, MaxRetries: 1}, results: []stack.Result{reports("3", "")}, batches: []string{"12345", "12345"},
		},
		"a null response is success": {
			cfg: MappingConfig{BatchSize: 5}, results: []stack.Result{{Response: []byte("null")}}, batches: []string{"12345"},
		},
		"a response that is no JSON fails the whole batch": {
			cfg: MappingConfig{BatchSize: 5, MaxRetries: 1}, results: []stack.Result{{Response: []byte("{")}}, batches: []string{"12345", "12345"},
		},
		"a killer record is isolated": {
			cfg:      MappingConfig{BatchSize: 4, Bisect: true},
			results:  []stack.Result{timeout, {}, timeout, timeout},
			batches:  []string{"1234", "12", "34", "3", "4", "5"},
			failures: []string{"3"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &scripted{results: tc.results}
			m := NewMapping(f, tc.cfg)

			require.NoError(t, m.Drain(t.Context(), records("12345")))

			assert.Equal(t, tc.batches, batches(t, f))
			var failures []string
			for _, failure := range m.Failures {
				failures = append(failures, strings.Join(failure.Payloads, ""))
			}
			assert.Equal(t, tc.failures, failures)
			assert.Len(t, m.History, len(tc.batches))
		})
	}
}

func TestMappingCutsBatchesAtSixMegabytes(t *testing.T) {
	f := &scripted{}
	m := NewMapping(f, MappingConfig{})
	shard := records("12345")
	for i := range shard {
		shard[i].Data = make([]byte, 1<<20)
	}

	require.NoError(t, m.Drain(t.Context(), shard))

	assert.Equal(t, []string{"1234", "5"}, batches(t, f))
	for _, payload := range f.payloads {
		assert.LessOrEqual(t, len(payload), maxBatchBytes)
	}
}

func TestDrainEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := NewMapping(&scripted{results: []stack.Result{fails}}, MappingConfig{MaxRetries: 3})
	assert.ErrorIs(t, m.Drain(ctx, records("1")), context.Canceled)

	q := NewAsync(&scripted{results: []stack.Result{fails}}, func(int) time.Duration { return time.Hour })
	require.NoError(t, q.Send("1", nil))
	assert.ErrorIs(t, q.Drain(ctx), context.Canceled)
}
