package reingest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/awsenv"
)

func TestPutAsksWhatTheAPITakes(t *testing.T) {
	records := []Record{{Data: []byte("a"), PartitionKey: "k"}, {}}
	t.Run("delivery stream", func(t *testing.T) {
		f := &fake{t: t}
		failed, err := New(f).Put(t.Context(), deliveryARN, records)
		require.NoError(t, err)
		assert.Empty(t, failed)
		require.Len(t, f.calls, 1)
		assert.Equal(t, awsenv.Service{Name: "firehose", SDKID: "Firehose", Target: "Firehose_20150804"}, f.calls[0].service)
		assert.Equal(t, "PutRecordBatch", f.calls[0].operation)
		assert.Equal(t, "eu-west-1", f.calls[0].region)
		assert.Equal(t, map[string]any{
			"DeliveryStreamName": "shop-logs",
			"Records":            []any{map[string]any{"Data": "YQ=="}, map[string]any{"Data": ""}},
		}, f.calls[0].body)
	})
	t.Run("Kinesis stream", func(t *testing.T) {
		f := &fake{t: t}
		failed, err := New(f).Put(t.Context(), kinesisARN, records)
		require.NoError(t, err)
		assert.Empty(t, failed)
		require.Len(t, f.calls, 1)
		assert.Equal(t, awsenv.Service{Name: "kinesis", SDKID: "Kinesis", Target: "Kinesis_20131202"}, f.calls[0].service)
		assert.Equal(t, "PutRecords", f.calls[0].operation)
		assert.Equal(t, "us-gov-west-1", f.calls[0].region)
		assert.Equal(t, map[string]any{
			"StreamName": "shop.in_1", "StreamARN": kinesisARN,
			"Records": []any{
				map[string]any{"Data": "YQ==", "PartitionKey": "k"},
				map[string]any{"Data": "", "PartitionKey": "e3b0c44298fc1c149afbf4c8996fb924"}, // SHA-256 of nothing
			},
		}, f.calls[0].body)
	})
	t.Run("nothing to put: nothing is asked", func(t *testing.T) {
		f := &fake{t: t}
		failed, err := New(f).Put(t.Context(), "", nil)
		require.NoError(t, err)
		assert.Empty(t, failed)
		assert.Empty(t, f.calls)
	})
}

func TestPartitionKey(t *testing.T) {
	const hashed = "ca978112ca1bbdcafac231b39a23dc4d" // SHA-256 of "a"
	for name, tc := range map[string]struct{ key, want string }{
		"kept":                          {"key", "key"},
		"of 256 characters is kept":     {strings.Repeat("é", 256), strings.Repeat("é", 256)},
		"of 257 characters is replaced": {strings.Repeat("k", 257), hashed},
		"empty is replaced":             {"", hashed},
		"no UTF-8 is replaced":          {"k\xff", hashed},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, partitionKey(Record{Data: []byte("a"), PartitionKey: tc.key}))
		})
	}
}

func TestPutTriesAgain(t *testing.T) {
	const busy = "ServiceUnavailableException"
	ms := time.Millisecond
	transport := errors.New("connection reset")
	for name, tc := range map[string]struct {
		arn     string
		replies []reply
		failed  []int
		err     []string
		sent    [][]string
		at      []time.Duration
	}{
		"only what failed, until it is in": {
			replies: []reply{except(busy, 0, 2), except(busy, 1)},
			sent:    [][]string{{"a", "b", "c"}, {"a", "c"}, {"c"}}, at: []time.Duration{0, 100 * ms, 300 * ms},
		},
		"only what failed, in a Kinesis stream": {
			arn: kinesisARN, replies: []reply{except("ProvisionedThroughputExceededException", 1)},
			sent: [][]string{{"a", "b", "c"}, {"b"}}, at: []time.Duration{0, 100 * ms},
		},
		"four times in all": {
			replies: []reply{except(busy, 1), except(busy, 0), except(busy, 0), except(busy, 0)}, failed: []int{1},
			err: []string{
				"put 3 records back: 1 failed, records[1]: tried 4 times: ", busy, "slow down",
			},
			sent: [][]string{{"a", "b", "c"}, {"b"}, {"b"}, {"b"}}, at: []time.Duration{0, 100 * ms, 300 * ms, 700 * ms},
		},
		"a record with an unknown code": {
			replies: []reply{except("NewException", 2)}, sent: [][]string{{"a", "b", "c"}, {"c"}}, at: []time.Duration{0, 100 * ms},
		},
		"a call that was throttled": {
			replies: []reply{refused(400, "ThrottlingException"), refused(429, "Other"), refused(503, busy)},
			sent:    [][]string{{"a", "b", "c"}, {"a", "b", "c"}, {"a", "b", "c"}, {"a", "b", "c"}},
			at:      []time.Duration{0, 100 * ms, 300 * ms, 700 * ms},
		},
		"a call over the throughput of a Kinesis stream": {
			arn: kinesisARN, replies: []reply{refused(400, "ProvisionedThroughputExceededException")},
			sent: [][]string{{"a", "b", "c"}, {"a", "b", "c"}}, at: []time.Duration{0, 100 * ms},
		},
		"not where the stream decompresses": {
			replies: []reply{refused(400, "InvalidSourceException")}, failed: []int{0, 1, 2},
			err:  []string{"InvalidSourceException", "the stream decompresses its records", "set SLUICE_FIREHOSE_REINGEST to false"},
			sent: [][]string{{"a", "b", "c"}}, at: []time.Duration{0},
		},
		"not a record that a stream with decompression refuses": {
			replies: []reply{except("InvalidSourceException", 1)}, failed: []int{1},
			err: []string{"decompresses"}, sent: [][]string{{"a", "b", "c"}}, at: []time.Duration{0},
		},
		"not where the stream takes no puts": {
			replies: []reply{refused(400, "InvalidArgumentException")}, failed: []int{0, 1, 2},
			err:  []string{"does not take these records", "SLUICE_FIREHOSE_REINGEST"},
			sent: [][]string{{"a", "b", "c"}}, at: []time.Duration{0},
		},
		"not without the permission": {
			replies: []reply{refused(400, "AccessDeniedException")}, failed: []int{0, 1, 2},
			err:  []string{"allow the role firehose:PutRecordBatch on " + deliveryARN},
			sent: [][]string{{"a", "b", "c"}}, at: []time.Duration{0},
		},
		"not without the permission for a Kinesis stream": {
			arn: kinesisARN, replies: []reply{refused(400, "AccessDeniedException")}, failed: []int{0, 1, 2},
			err:  []string{"allow the role kinesis:PutRecords on " + kinesisARN},
			sent: [][]string{{"a", "b", "c"}}, at: []time.Duration{0},
		},
		"not where the key is switched off": {
			arn: kinesisARN, replies: []reply{refused(400, "KMSDisabledException")}, failed: []int{0, 1, 2},
			err: []string{"check the key"}, sent: [][]string{{"a", "b", "c"}}, at: []time.Duration{0},
		},
		"not where there is no stream": {
			replies: []reply{refused(400, "ResourceNotFoundException")}, failed: []int{0, 1, 2},
			err: []string{"region and the account"}, sent: [][]string{{"a", "b", "c"}}, at: []time.Duration{0},
		},
		"not for a refusal that nobody knows": {
			replies: []reply{refused(400, "NewException")}, failed: []int{0, 1, 2},
			err: []string{"aws answered 400 NewException: no"}, sent: [][]string{{"a", "b", "c"}}, at: []time.Duration{0},
		},
		"not where the network broke, which the caller has tried": {
			replies: []reply{func(int) (int, []entry, error) { return 0, nil, transport }}, failed: []int{0, 1, 2},
			err: []string{"connection reset"}, sent: [][]string{{"a", "b", "c"}}, at: []time.Duration{0},
		},
		"not after an answer for fewer records": {
			replies: []reply{says(0, entry{RecordId: "1"}, entry{RecordId: "2"})}, failed: []int{0, 1, 2},
			err: []string{"aws answered for 2 records of a call with 3"}, sent: [][]string{{"a", "b", "c"}}, at: []time.Duration{0},
		},
		"not after an answer for more records": {
			replies: []reply{says(0, make([]entry, 4)...)}, failed: []int{0, 1, 2},
			err: []string{"aws answered for 4 records of a call with 3"}, sent: [][]string{{"a", "b", "c"}}, at: []time.Duration{0},
		},
		"not after an answer without records": {
			replies: []reply{says(0)}, failed: []int{0, 1, 2},
			err: []string{"aws answered for 0 records of a call with 3"}, sent: [][]string{{"a", "b", "c"}}, at: []time.Duration{0},
		},
		"not after an answer that hides which records failed": {
			replies: []reply{says(2, entry{RecordId: "1"}, entry{ErrorCode: busy}, entry{RecordId: "3"})}, failed: []int{0, 1, 2},
			err:  []string{"aws answered that 2 of 3 records failed, and named 1"},
			sent: [][]string{{"a", "b", "c"}}, at: []time.Duration{0},
		},
		"not a record with neither an id nor an error": {
			replies: []reply{says(0, entry{RecordId: "1"}, entry{}, entry{RecordId: "3"})}, failed: []int{1},
			err: []string{"neither an id nor an error"}, sent: [][]string{{"a", "b", "c"}}, at: []time.Duration{0},
		},
		"a record that failed though the count is 0": {
			replies: []reply{says(0, entry{RecordId: "1"}, entry{ErrorCode: busy}, entry{RecordId: "3"})},
			sent:    [][]string{{"a", "b", "c"}, {"b"}}, at: []time.Duration{0, 100 * ms},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{t: t, start: time.Now(), replies: tc.replies}
				arn := deliveryARN
				if tc.arn != "" {
					arn = tc.arn
				}
				failed, err := slowest(f).Put(t.Context(), arn, texts("a", "b", "c"))
				assert.Equal(t, tc.failed, failed)
				assert.Equal(t, len(tc.err) > 0, err != nil)
				for _, want := range tc.err {
					assert.ErrorContains(t, err, want)
				}
				assert.Equal(t, tc.sent, sent(f.calls))
				var at []time.Duration
				for _, c := range f.calls {
					at = append(at, c.at.Round(ms))
				}
				assert.Equal(t, tc.at, at)
			})
		})
	}
}

func TestPutWaitsAtRandom(t *testing.T) {
	var asked []int64
	f := &fake{t: t, replies: []reply{refused(503, ""), refused(503, ""), refused(503, ""), refused(503, "")}}
	p := New(f)
	p.random = func(n int64) int64 {
		asked = append(asked, n)
		return 0
	}
	failed, err := p.Put(t.Context(), deliveryARN, texts("a"))
	assert.Equal(t, []int{0}, failed)
	require.ErrorContains(t, err, "tried 4 times")
	assert.Equal(t, []int64{1e8, 2e8, 4e8}, asked)
}

func TestPutEndsWithItsContext(t *testing.T) {
	busy := []reply{except("ServiceUnavailableException", 0, 2), except("ServiceUnavailableException", 0)}
	t.Run("over before it begins: nothing is asked", func(t *testing.T) {
		f := &fake{t: t}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		failed, err := New(f).Put(ctx, deliveryARN, texts("a", "b"))
		assert.Equal(t, []int{0, 1}, failed)
		require.ErrorIs(t, err, context.Canceled)
		assert.Empty(t, f.calls)
	})
	t.Run("a wait that would last longer is not begun", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{t: t, start: time.Now(), replies: busy}
			ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
			defer cancel()
			failed, err := slowest(f).Put(ctx, deliveryARN, texts("a", "b", "c"))
			assert.Equal(t, []int{0}, failed)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorContains(t, err, "no time for another try")
			require.ErrorContains(t, err, "ServiceUnavailableException")
			assert.Len(t, f.calls, 2)
			assert.Equal(t, 100*time.Millisecond, time.Since(f.start).Round(time.Millisecond))
		})
	})
	t.Run("cancelled while it waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			f := &fake{t: t, start: time.Now(), replies: busy}
			f.onCall = func() { time.AfterFunc(30*time.Millisecond, cancel) }
			failed, err := slowest(f).Put(ctx, deliveryARN, texts("a", "b", "c"))
			assert.Equal(t, []int{0, 2}, failed)
			require.ErrorIs(t, err, context.Canceled)
			assert.Len(t, f.calls, 1)
			assert.Equal(t, 30*time.Millisecond, time.Since(f.start))
		})
	})
	t.Run("cancelled between two calls: what is in stays in", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := &fake{t: t, onCall: cancel}
		failed, err := New(f).Put(ctx, deliveryARN, texts(make([]string, 502)...))
		assert.Equal(t, []int{500, 501}, failed)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "records[500]: no time left")
		assert.Len(t, f.calls, 1)
	})
}

// sized are records of so many bytes each, the partition keys of one byte included.
func sized(sizes ...int) []Record {
	records := make([]Record, len(sizes))
	for i, n := range sizes {
		records[i] = Record{Data: bytes.Repeat([]byte{byte(i)}, n-1), PartitionKey: "k"}
	}
	return records
}

func TestPutCutsCalls(t *testing.T) {
	ones := func(n int) []Record { return texts(make([]string, n)...) }
	for name, tc := range map[string]struct {
		arn     string
		records []Record
		calls   []int // records of each
		failed  []int
		err     string
	}{
		"delivery stream: 500 records":                   {deliveryARN, ones(500), []int{500}, nil, ""},
		"delivery stream: 501 records":                   {deliveryARN, ones(501), []int{500, 1}, nil, ""},
		"delivery stream: 1001 records":                  {deliveryARN, ones(1001), []int{500, 500, 1}, nil, ""},
		"delivery stream: 4 MiB of data":                 {deliveryARN, sized(1<<19+1, 1<<19+1, 1<<19+1, 1<<19+1, 1<<19+1, 1<<19+1, 1<<19+1, 1<<19+1), []int{8}, nil, ""},
		"delivery stream: 4 MiB and one byte":            {deliveryARN, sized(1<<19+1, 1<<19+1, 1<<19+1, 1<<19+1, 1<<19+1, 1<<19+1, 1<<19+1, 1<<19+2), []int{7, 1}, nil, ""},
		"delivery stream: the largest record":            {deliveryARN, sized(1_024_001), []int{1}, nil, ""},
		"delivery stream: one byte more stays out alone": {deliveryARN, sized(5, 1_024_002, 5), []int{2}, []int{1}, "records[1]: it has 1024001 bytes, and firehose takes records of 1024000 at most"},
		"delivery stream: all too large":                 {deliveryARN, sized(1<<21, 1<<21), nil, []int{0, 1}, "records[0]"},
		"Kinesis stream: 501 records":                    {kinesisARN, ones(501), []int{500, 1}, nil, ""},
		"Kinesis stream: 5 MiB with keys":                {kinesisARN, sized(1<<20, 1<<20, 1<<20, 1<<20, 1<<20), []int{5}, nil, ""},
		"Kinesis stream: one byte more":                  {kinesisARN, sized(1<<20, 1<<20, 1<<20, 1<<20, 1<<20, 1), []int{5, 1}, nil, ""},
		"Kinesis stream: a key makes a record too large": {kinesisARN, sized(1<<20+1, 9), []int{1}, []int{0}, "kinesis takes records of 1048576 at most"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{t: t}
			failed, err := New(f).Put(t.Context(), tc.arn, tc.records)
			assert.Equal(t, tc.failed, failed)
			if tc.err == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, tc.err)
			}
			var calls []int
			for _, c := range f.calls {
				calls = append(calls, len(c.data))
			}
			assert.Equal(t, tc.calls, calls)
		})
	}
}

func TestPutStopsAtARefusalAndKeepsWhatIsIn(t *testing.T) {
	f := &fake{t: t, replies: []reply{except("ServiceUnavailableException", 7), refused(400, "AccessDeniedException")}}
	failed, err := New(f).Put(t.Context(), deliveryARN, texts(make([]string, 1200)...))
	require.ErrorContains(t, err, "1200 records")
	require.ErrorContains(t, err, "701 failed, records[7]: ")
	require.ErrorContains(t, err, "AccessDeniedException")
	require.Len(t, failed, 701)
	assert.Equal(t, []int{7, 500, 501}, failed[:3])
	assert.Equal(t, 1199, failed[700])
	assert.Len(t, f.calls, 2)
}

func TestPutErrorsTellNothingOfTheData(t *testing.T) {
	const canary = "canary-7f3a"
	f := &fake{t: t, replies: []reply{refused(400, "InvalidSourceException")}}
	_, err := New(f).Put(t.Context(), deliveryARN, texts(canary))
	require.Error(t, err)
	assert.NotContains(t, err.Error(), canary)
	assert.NotContains(t, err.Error(), base64.StdEncoding.EncodeToString([]byte(canary)))
}

func TestPutCallsNothingForABadARN(t *testing.T) {
	f := &fake{t: t}
	failed, err := New(f).Put(t.Context(), "arn:aws:firehose:evil.example.com:123456789012:deliverystream/x", texts("a", "b"))
	assert.Equal(t, []int{0, 1}, failed)
	require.ErrorContains(t, err, "put 2 records back: stream ")
	assert.Empty(t, f.calls)
}
