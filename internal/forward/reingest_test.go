package forward

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/awsenv"
	"sluice/internal/config"
	"sluice/internal/reingest"
)

// streams is AWS, of which records are put into streams.
type streams struct {
	refusal error            // of every call
	refuse  func(n int) bool // of the n-th record that comes, 0 for the first
	panics  bool

	operations []string // with the stream
	came       int
	packed     [][]byte // as it came
	keys       []string
}

func (s *streams) Call(_ context.Context, _ awsenv.Service, _, operation string, in, out any) error {
	if s.panics {
		panic(canary)
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return err
	}
	var asked struct {
		DeliveryStreamName, StreamName string
		Records                        []struct {
			Data         []byte
			PartitionKey string
		}
	}
	if err := json.Unmarshal(raw, &asked); err != nil {
		return err
	}
	s.operations = append(s.operations, operation+" "+asked.DeliveryStreamName+asked.StreamName)
	if s.refusal != nil {
		return s.refusal
	}
	type entry struct{ RecordId, SequenceNumber, ErrorCode, ErrorMessage string } //nolint:revive // AWS's own spelling
	entries, refused := make([]entry, len(asked.Records)), 0
	for i, r := range asked.Records {
		n := s.came
		s.came++
		if s.refuse != nil && s.refuse(n) {
			entries[i] = entry{ErrorCode: "AccessDeniedException", ErrorMessage: "no"} // is not tried again
			refused++
			continue
		}
		entries[i] = entry{RecordId: "id", SequenceNumber: "1"}
		s.packed = append(s.packed, r.Data)
		s.keys = append(s.keys, r.PartitionKey)
	}
	answer, err := json.Marshal(map[string]any{
		"FailedPutCount": refused, "RequestResponses": entries, "FailedRecordCount": refused, "Records": entries,
	})
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// newReingestRig puts back into streams what an answer has no room for.
func newReingestRig(tb testing.TB, form config.Output, s *streams) *rig {
	tb.Helper()
	r := newStreamRig(tb, map[string]string{"SLUICE_FIREHOSE_OUTPUT": string(form), "SLUICE_FIREHOSE_REINGEST": "true"})
	require.NotNil(tb, r.reingest)
	r.reingest = reingest.New(s)
	return r
}

// overflow is a batch of four large records, which fill an answer, some more for which it has no room, and a small one.
func overflow(more int) []put {
	texts := []string{sized(1_000_000), sized(1_000_000), sized(1_000_000), sized(1_000_000)}
	for i := range more {
		texts = append(texts, fmt.Sprint(i, " ", sized(300_000)))
	}
	batch := putTexts(append(texts, "small")...)
	for i := range batch {
		batch[i].key = fmt.Sprint("key-", i)
	}
	return batch
}

func TestReingest(t *testing.T) {
	all := func(int) bool { return true }
	denied := &awsenv.APIError{Status: 400, Code: "InvalidSourceException", Message: "not this source"}
	for name, tc := range map[string]struct {
		form      config.Output
		source    string
		aws       streams
		operation string
		want      []string // results of the records without room
		err       string   // in the line of the ledger
	}{
		"a delivery stream": {
			operation: "PutRecordBatch shop-logs", want: []string{dropped, dropped, dropped},
		},
		"the Kinesis stream behind it is preferred": {
			source: shopSource, operation: "PutRecords shop", want: []string{dropped, dropped, dropped},
		},
		"the first one is refused": {
			aws:       streams{refuse: func(n int) bool { return n == 0 }},
			operation: "PutRecordBatch shop-logs", want: []string{failed, dropped, dropped}, err: "records[0]",
		},
		"the one in the middle is refused": {
			aws:       streams{refuse: func(n int) bool { return n == 1 }},
			operation: "PutRecordBatch shop-logs", want: []string{dropped, failed, dropped}, err: "firehose:PutRecordBatch",
		},
		"the outer ones are refused": {
			source: shopSource, aws: streams{refuse: func(n int) bool { return n != 1 }},
			operation: "PutRecords shop", want: []string{failed, dropped, failed}, err: "kinesis:PutRecords",
		},
		"all are refused": {
			aws: streams{refuse: all}, operation: "PutRecordBatch shop-logs", want: []string{failed, failed, failed}, err: "AccessDenied",
		},
		"a stream that decompresses": {
			aws: streams{refusal: denied}, operation: "PutRecordBatch shop-logs", want: []string{failed, failed, failed},
			err: "SLUICE_FIREHOSE_REINGEST to false",
		},
		"an ARN that is none": {
			source: "arn:aws:kinesis:eu-west-1.example.com:123456789012:stream/shop", want: []string{failed, failed, failed}, err: "stream",
		},
		"a panic on the way": {
			aws: streams{panics: true}, want: []string{failed, failed, failed}, err: "panic",
		},
		"bytes as they came have no room for the mark": {
			form: config.OutputOriginal, want: []string{failed, failed, failed},
		},
	} {
		t.Run(name, func(t *testing.T) {
			form := tc.form
			if form == "" {
				form = config.OutputMessage
			}
			aws := tc.aws
			r := newReingestRig(t, form, &aws)
			batch := overflow(len(tc.want))
			answer, ledger, err := r.invoke(t, Firehose, transformationOf(tc.source, batch))
			require.NoError(t, err, "the batch is answered, whatever becomes of some")
			assert.LessOrEqual(t, len(answer), answerBudget)
			want := slices.Concat([]string{ok, ok, ok, ok}, tc.want, []string{ok})
			got := verdicts(t, answer)
			require.Equal(t, want, resultsOf(got))
			for i, v := range got {
				assert.Equal(t, batch[i].id, v.ID)
			}
			if tc.operation != "" {
				assert.Equal(t, []string{tc.operation}, aws.operations)
			} else {
				assert.Empty(t, aws.operations)
			}
			checkTaken(t, &aws, batch[4:4+len(tc.want)], tc.want, tc.source != "")
			lost := strings.Count(strings.Join(tc.want, " "), failed)
			returned := map[string]int{"reingested": len(tc.want) - lost, "response_budget": lost}
			for reason, n := range returned {
				assert.Equal(t, n, ledger.Destinations[streamAccount].Returned[reason], reason)
			}
			if tc.err == "" {
				assert.Empty(t, ledger.Error)
			} else {
				assert.Contains(t, ledger.Error, tc.err)
			}
		})
	}
}

// checkTaken holds what a stream has to the records that were answered as done with.
func checkTaken(t *testing.T, aws *streams, batch []put, results []string, keyed bool) {
	t.Helper()
	var data, keys []string
	for i, r := range batch {
		if results[i] == dropped {
			data, keys = append(data, string(r.data)), append(keys, r.key)
		}
	}
	var taken []string
	for _, packed := range aws.packed {
		assert.Equal(t, 1, reingest.Hops(packed))
		taken = append(taken, string(unpacked(t, packed)))
	}
	assert.Equal(t, data, taken, "what is dropped here is there, and nothing else")
	if keyed {
		assert.Equal(t, keys, aws.keys)
	}
}

// A record that no answer has room for would come back and fail in the same way.
func TestReingestLeavesTheHopeless(t *testing.T) {
	var aws streams
	got, c := newReingestRig(t, config.OutputMessage, &aws).transformAll(t, putTexts(sized(1_000_000)+"\n"+sized(100_000), "small"))
	assert.Equal(t, []string{failed, ok}, resultsOf(got))
	assert.Equal(t, map[string]int{"record_too_large": 1}, c.Returned)
	assert.Empty(t, aws.operations)
}

// Records that find no room again and again are left to Firehose in the end, and a record that comes back is what it was.
func TestReingestEnds(t *testing.T) {
	var aws streams
	r := newReingestRig(t, config.OutputDatadog, &aws)
	record := put{id: "again", data: packed(t, flowPayload(flowText))}
	batch := fill(t, r)
	for hop := range reingest.MaxHops + 1 {
		assert.Equal(t, hop, reingest.Hops(record.data))
		assert.Len(t, itemsOf(t, alone(t, r, record)), 1, "it is what it was after %d hops", hop)
		got, c := r.transformAll(t, append(slices.Clone(batch), record))
		last := got[len(got)-1]
		require.Equal(t, "again", last.ID)
		if hop == reingest.MaxHops {
			assert.Equal(t, failed, last.Result)
			assert.Equal(t, 1, c.Returned["response_budget"])
			return
		}
		require.Equal(t, dropped, last.Result)
		require.Len(t, aws.packed, hop+1)
		record.data = aws.packed[hop]
	}
}

// alone is what a record becomes by itself.
func alone(t *testing.T, r *rig, record put) string {
	t.Helper()
	got, _ := r.transformAll(t, []put{record})
	require.Equal(t, []string{ok}, resultsOf(got))
	return got[0].text()
}

// fill is a batch whose answer has hardly a byte left.
func fill(t *testing.T, r *rig) (batch []put) {
	t.Helper()
	const item = 700 // what an item has around a message of this batch, and an answer around a record
	for {
		answer, _, err := r.invoke(t, Firehose, transformationOf("", batch))
		require.NoError(t, err)
		n := min((answerBudget-len(answer))*3/4-item, 900_000)
		if n <= 0 {
			return batch
		}
		batch = append(batch, put{id: recordID(len(batch)), data: []byte(strings.Repeat("y", n))})
	}
}

// Time that has run out is no reason to lose track of what was to be put back.
func TestReingestWithoutTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		aws := streams{refusal: &awsenv.APIError{Status: 400, Code: "ServiceUnavailableException", Message: "slow down"}}
		batch := overflow(2)
		answer, ledger, err := newReingestRig(t, config.OutputMessage, &aws).invoke(t, Firehose, transformationOf("", batch))
		require.NoError(t, err)
		assert.Equal(t, []string{ok, ok, ok, ok, failed, failed, ok}, resultsOf(verdicts(t, answer)))
		assert.Contains(t, ledger.Error, "tried 4 times")
		assert.Len(t, aws.operations, 4)
	})
}

// A batch of small records all of which are put back, and all of which are refused, is still an answer within its budget.
func TestReingestOfManyRecords(t *testing.T) {
	aws := streams{refuse: func(int) bool { return true }}
	texts := []string{sized(1_000_000), sized(1_000_000), sized(1_000_000), sized(840_000)}
	for range 2_000 {
		texts = append(texts, strings.Repeat("z", 400))
	}
	for range 5 { // must not take the few bytes that a Dropped saves
		texts = append(texts, strings.Repeat("z", 2_000))
	}
	answer, ledger, err := newReingestRig(t, config.OutputMessage, &aws).invoke(t, Firehose, transformationOf("", putTexts(texts...)))
	require.NoError(t, err)
	got := verdicts(t, answer)
	require.Len(t, got, len(texts))
	assert.LessOrEqual(t, len(answer), answerBudget)
	assert.Greater(t, ledger.Destinations[streamAccount].Returned["response_budget"], 1_000)
	assert.NotContains(t, resultsOf(got), dropped)
	assert.Equal(t, texts[4]+"\n", got[4].text())
}
