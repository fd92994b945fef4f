package main

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/delivery"
	"sluice/e2e/stack/intake"
)

func TestStreamRecords(t *testing.T) {
	records, lines := streamRecords(generate.New(seed, noon), noon)
	ids, texts := map[string]bool{}, map[string]bool{}
	found := 0
	for _, r := range records {
		ids[r.id] = true
		assert.LessOrEqual(t, len(r.data), delivery.MaxPutRecordBytes)
		found += len(delivery.Lines(r.data))
	}
	assert.Len(t, ids, loopPayloads+flowRecords)
	assert.Len(t, lines, found)
	for _, line := range lines {
		require.True(t, ids[line.Payload])
		if line.Mark == (generate.Mark{}) {
			require.NotEmpty(t, line.Message)
			texts[line.Message] = true
		}
	}
	assert.Len(t, texts, flowRecords*flowLines, "the audit tells lines without a mark by their text")
}

func TestOpened(t *testing.T) {
	item := `{"message":"a {b}","id":"1","ddsource":"vpc","ddtags":"x:y"}`
	for name, tc := range map[string]struct{ message, want string }{
		"a text":                         {"a", "a"},
		"an item":                        {item, "a {b}"},
		"two items are none of ours":     {item + item, item + item},
		"JSON of an application":         {`{"message":"a","id":"1"}`, `{"message":"a","id":"1"}`},
		"JSON of an application, broken": {`{"message":"a`, `{"message":"a`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, opened([]intake.Entry{{Message: tc.message}})[0].Message)
		})
	}
}

// passing is a transformation that leaves every record as it is.
type passing struct{}

func (passing) Invoke(_ context.Context, payload []byte, _ ...stack.Option) (stack.Result, error) {
	var event struct {
		Records []struct {
			ID     string `json:"recordId"`
			Result string `json:"result"`
			Data   []byte `json:"data"`
		} `json:"records"`
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return stack.Result{}, err
	}
	for i := range event.Records {
		event.Records[i].Result = "Ok"
	}
	response, err := json.Marshal(event)
	return stack.Result{Response: response}, err
}

// The outage of the endpoint makes a failed object, which is announced, and all other records are delivered.
func TestLoop(t *testing.T) {
	b, err := bucket.Start(t.Context())
	require.NoError(t, err)
	defer func() { assert.NoError(t, b.Close()) }()
	require.NoError(t, b.CreateBucket(t.Context(), logBucket, false))
	l := &loop{}
	require.NoError(t, l.listen())
	defer func() { assert.NoError(t, l.close()) }()
	objects := &scripted{results: []stack.Result{{}}}
	require.NoError(t, l.open(b, passing{}, objects))
	records, lines := streamRecords(generate.New(seed, noon), noon)
	require.NoError(t, l.put(records))

	require.NoError(t, l.drain(t.Context()))

	written := l.stream.Objects()
	require.Len(t, written, 1)
	assert.Equal(t, delivery.HTTPEndpointFailed, written[0].Kind)
	require.Len(t, objects.payloads, 1)
	assert.Contains(t, string(objects.payloads[0]), written[0].Key)
	assert.Less(t, l.taken(), len(lines))
	report := audit.Join(audit.Evidence{Lines: lines, Stream: l.evidence(nil)})
	assert.Equal(t, l.taken(), report.Delivered)
	assert.Zero(t, report.TotalDuplicates())

	var out bytes.Buffer
	l.show(&out, b, len(records))
	assert.Contains(t, out.String(), "13 of them refused")
	assert.Contains(t, out.String(), "http-endpoint-failed")
	assert.NotContains(t, out.String(), "processing-failed")
}
