package reingest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sluice/internal/awsenv"
)

const (
	deliveryARN = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/shop-logs"
	kinesisARN  = "arn:aws-us-gov:kinesis:us-gov-west-1:111122223333:stream/shop.in_1"
)

// call is what AWS was asked.
type call struct {
	service   awsenv.Service
	region    string
	operation string
	body      map[string]any
	data      []string // of the records, decoded
	at        time.Duration
}

// entry is what AWS says of one record.
type entry struct {
	RecordId, SequenceNumber, ErrorCode, ErrorMessage string //nolint:revive // AWS's own spelling
}

// reply answers one call.
type reply func(records int) (failed int, entries []entry, err error)

// fake is AWS: it plays a reply a call, and takes everything after the last one.
type fake struct {
	t       *testing.T
	start   time.Time
	replies []reply
	calls   []call
	onCall  func()
}

func (f *fake) Call(_ context.Context, s awsenv.Service, region, operation string, in, out any) error {
	raw, err := json.Marshal(in)
	require.NoError(f.t, err)
	got := call{service: s, region: region, operation: operation, at: time.Since(f.start)}
	require.NoError(f.t, json.Unmarshal(raw, &got.body))
	for _, r := range got.body["Records"].([]any) {
		data, err := base64.StdEncoding.DecodeString(r.(map[string]any)["Data"].(string))
		require.NoError(f.t, err)
		got.data = append(got.data, string(data))
	}
	f.calls = append(f.calls, got)
	if f.onCall != nil {
		f.onCall()
	}
	next := allTaken
	if len(f.replies) > 0 {
		next, f.replies = f.replies[0], f.replies[1:]
	}
	failed, entries, err := next(len(got.data))
	if err != nil {
		return fmt.Errorf("%s %s in %s: %w", s.Name, operation, region, err)
	}
	body := map[string]any{"FailedPutCount": failed, "Encrypted": false, "RequestResponses": entries}
	if operation == "PutRecords" {
		body = map[string]any{"FailedRecordCount": failed, "EncryptionType": "NONE", "Records": entries}
	}
	answer, err := json.Marshal(body)
	require.NoError(f.t, err)
	return json.Unmarshal(answer, out)
}

func allTaken(records int) (failed int, entries []entry, err error) { return except("")(records) }

// except takes all records but those of the given indices, which are refused with a code.
func except(code string, indices ...int) reply {
	return func(records int) (int, []entry, error) {
		entries := make([]entry, records)
		for i := range entries {
			entries[i] = entry{RecordId: fmt.Sprintf("id-%d", i), SequenceNumber: fmt.Sprintf("%056d", i)}
		}
		for _, i := range indices {
			entries[i] = entry{ErrorCode: code, ErrorMessage: "slow down"}
		}
		return len(indices), entries, nil
	}
}

func refused(status int, code string) reply {
	return func(int) (int, []entry, error) {
		return 0, nil, &awsenv.APIError{Status: status, Code: code, Message: "no"}
	}
}

func says(failed int, entries ...entry) reply {
	return func(int) (int, []entry, error) { return failed, entries, nil }
}

func texts(all ...string) []Record {
	records := make([]Record, len(all))
	for i, text := range all {
		records[i] = Record{Data: []byte(text), PartitionKey: "key-" + text}
	}
	return records
}

func sent(calls []call) [][]string {
	var all [][]string
	for _, c := range calls {
		all = append(all, c.data)
	}
	return all
}

// slowest is a Putter that waits as long as it may.
func slowest(f *fake) *Putter {
	p := New(f)
	p.random = func(n int64) int64 { return n - 1 }
	return p
}
