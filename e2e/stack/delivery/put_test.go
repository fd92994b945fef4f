package delivery

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func repeated(n, size int) []Entry {
	list := make([]Entry, n)
	for i := range list {
		list[i].Data = make([]byte, size)
	}
	return list
}

func TestPutLimits(t *testing.T) {
	for name, tc := range map[string]struct {
		entries []Entry
		code    string
	}{
		"none is refused":                      {nil, "ValidationException"},
		"500 are taken":                        {repeated(500, 1), ""},
		"501 are refused":                      {repeated(501, 1), "ValidationException"},
		"1,000 KiB are taken":                  {repeated(1, MaxPutRecordBytes), ""},
		"one byte more is refused":             {repeated(1, MaxPutRecordBytes+1), "ValidationException"},
		"4 MiB are taken":                      {repeated(8, MaxPutBytes/8), ""},
		"more than 4 MiB together are refused": {repeated(8, MaxPutBytes/8+1), "InvalidArgumentException"},
		"an empty record is taken":             {repeated(1, 0), ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := rig(t, nil)
			results, err := s.PutBatch(tc.entries)
			if tc.code == "" {
				require.NoError(t, err)
				assert.Len(t, results, len(tc.entries))
				assert.Equal(t, len(tc.entries), s.Pending())
				return
			}
			var refused *PutError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tc.code, refused.Code)
			assert.Zero(t, s.Pending())
		})
	}
}

func TestPutFailsSingleRecordsByScript(t *testing.T) {
	s, m := rig(t, nil)
	s.SetPutScript(PutSteps(PutStep{Fail: map[int]string{1: "ServiceUnavailableException"}}, PutStep{Refuse: "InvalidSourceException"}))
	entries := []Entry{{"a", []byte("a\n")}, {"b", []byte("b\n")}, {"c", []byte("c\n")}}

	results, err := s.PutBatch(entries)
	require.NoError(t, err)
	assert.Len(t, results[0].ID, 56)
	assert.Less(t, results[0].ID, results[2].ID)
	assert.Equal(t, PutResult{Code: "ServiceUnavailableException", Message: "refused by script"}, results[1])
	_, err = s.PutBatch(entries)
	require.ErrorContains(t, err, "InvalidSourceException")
	_, err = s.Put("b", []byte("b\n"))
	require.NoError(t, err)

	require.NoError(t, s.Flush(t.Context()))
	assert.Equal(t, "a\nc\nb\n", m.under("2024/"))
}

func call(t *testing.T, api *API, operation, body string, change func(*http.Request)) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, api.URL(), strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("X-Amz-Target", apiTarget+operation)
	r.Header.Set("Content-Type", apiContentType)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=123456789012/20240610/eu-west-1/firehose/aws4_request, …")
	if change != nil {
		change(r)
	}
	response, err := http.DefaultTransport.RoundTrip(r) //nolint:forbidigo // a loopback server of this test
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.NotEmpty(t, response.Header.Get("X-Amzn-Requestid"))
	return response.StatusCode, string(answer)
}

func TestAPI(t *testing.T) {
	unsigned := func(r *http.Request) { r.Header.Del("Authorization") }
	for name, tc := range map[string]struct {
		operation, body string
		change          func(*http.Request)
		script          PutScript
		status          int
		answer          string
		taken           int
	}{
		"a batch is put": {
			operation: "PutRecordBatch", body: `{"DeliveryStreamName":"to-here","Records":[{"Data":"YQ=="},{"Data":""}]}`, status: 200, taken: 2,
			answer: fmt.Sprintf(`{"FailedPutCount":0,"Encrypted":false,"RequestResponses":[{"RecordId":"4965%046d000000"},{"RecordId":"4965%046d000000"}]}`, 1, 2),
		},
		"a part of a batch is refused": {
			operation: "PutRecordBatch", body: `{"DeliveryStreamName":"to-here","Records":[{"Data":"YQ=="},{"Data":"Yg=="}]}`, status: 200, taken: 1,
			script: PutSteps(PutStep{Fail: map[int]string{0: "ServiceUnavailableException"}}),
			answer: fmt.Sprintf(`{"FailedPutCount":1,"Encrypted":false,"RequestResponses":[{"ErrorCode":"ServiceUnavailableException","ErrorMessage":"refused by script"},{"RecordId":"4965%046d000000"}]}`, 1),
		},
		"one record is put": {
			operation: "PutRecord", body: `{"DeliveryStreamName":"to-here","Record":{"Data":"YQ=="}}`, status: 200, taken: 1,
			answer: fmt.Sprintf(`{"RecordId":"4965%046d000000","Encrypted":false}`, 1),
		},
		"one record is refused": {
			operation: "PutRecord", body: `{"DeliveryStreamName":"to-here","Record":{"Data":"YQ=="}}`, status: 503,
			script: PutSteps(PutStep{Refuse: "ServiceUnavailableException"}),
			answer: `{"__type":"ServiceUnavailableException","message":"refused by script"}`,
		},
		"another stream is not there": {
			operation: "PutRecord", body: `{"DeliveryStreamName":"there","Record":{"Data":"YQ=="}}`, status: 400,
			answer: `{"__type":"ResourceNotFoundException","message":"there is no stream \"there\""}`,
		},
		"bad base64 is refused": {
			operation: "PutRecord", body: `{"DeliveryStreamName":"to-here","Record":{"Data":"~"}}`, status: 400,
			answer: `{"__type":"SerializationException","message":"the request is not what the operation takes"}`,
		},
		"a record without data is refused": {
			operation: "PutRecord", body: `{"DeliveryStreamName":"to-here","Record":{}}`, status: 400,
			answer: `{"__type":"ValidationException","message":"record 0 has no Data"}`,
		},
		"a request without a signature is refused": {
			operation: "PutRecord", body: `{}`, change: unsigned, status: 400,
			answer: `{"__type":"MissingAuthenticationTokenException","message":"the request is not signed for firehose"}`,
		},
		"another operation is unknown": {
			operation: "DescribeDeliveryStream", body: `{}`, status: 400,
			answer: `{"__type":"UnknownOperationException","message":"only PutRecord and PutRecordBatch are played"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := rig(t, nil)
			s.SetPutScript(tc.script)
			api, err := StartAPI(s)
			require.NoError(t, err)
			defer func() { assert.NoError(t, api.Close()) }()

			status, answer := call(t, api, tc.operation, tc.body, tc.change)

			assert.Equal(t, tc.status, status)
			assert.Equal(t, tc.answer, answer)
			assert.Equal(t, tc.taken, s.Pending())
		})
	}
}

func TestAPIRefusesWhatReadsAKinesisStream(t *testing.T) {
	s, _ := rig(t, func(c *Config) { c.Source = "arn:aws:kinesis:eu-west-1:123456789012:stream/in" })
	_, err := s.Put("a", []byte("a"))
	var refused *PutError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "InvalidArgumentException", refused.Code)

	direct, _ := rig(t, nil)
	require.ErrorContains(t, direct.Read(KinesisRecord{}), "Direct PUT")
}
