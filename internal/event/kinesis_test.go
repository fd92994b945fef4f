package event_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
)

// crossAccountEvent is an event as Lambda's Kinesis mapping sends it, read by an account that does not own the logs.
const crossAccountEvent = `{
  "Records": [
    {
      "kinesis": {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": "c4ca4238a0b923820dcc509a6f75849b",
        "sequenceNumber": "49645780000000000000000000000000000000000000000000000001",
        "data": "aGVsbG8=",
        "approximateArrivalTimestamp": 1706745600.123
      },
      "eventSource": "aws:kinesis",
      "eventVersion": "1.0",
      "eventID": "shardId-000000000000:49645780000000000000000000000000000000000000000000000001",
      "eventName": "aws:kinesis:record",
      "invokeIdentityArn": "arn:aws:iam::999999999999:role/forwarder-role",
      "awsRegion": "us-east-1",
      "eventSourceARN": "arn:aws:kinesis:us-east-1:999999999999:stream/RecipientStream"
    },
    {
      "kinesis": {
        "partitionKey": "k2",
        "sequenceNumber": "49645780000000000000000000000000000000000000000000000002",
        "data": "d29ybGQ=",
        "approximateArrivalTimestamp": 1706745601.5
      },
      "eventID": "shardId-000000000000:49645780000000000000000000000000000000000000000000000002",
      "awsRegion": "us-east-1",
      "eventSourceARN": "arn:aws:kinesis:us-east-1:999999999999:stream/RecipientStream"
    }
  ]
}`

func TestParseKinesis(t *testing.T) {
	got, err := event.ParseKinesis([]byte(crossAccountEvent))
	require.NoError(t, err)
	require.Len(t, got.Records, 2)

	first := got.Records[0]
	assert.Equal(t, "shardId-000000000000:49645780000000000000000000000000000000000000000000000001", first.EventID)
	assert.Equal(t, "49645780000000000000000000000000000000000000000000000001", first.SequenceNumber)
	assert.Equal(t, "c4ca4238a0b923820dcc509a6f75849b", first.PartitionKey)
	assert.Equal(t, "arn:aws:kinesis:us-east-1:999999999999:stream/RecipientStream", first.EventSourceARN)
	assert.Equal(t, "us-east-1", first.Region)
	assert.EqualValues(t, 1706745600123, first.ArrivalMillis)
	assert.EqualValues(t, 1706745601500, got.Records[1].ArrivalMillis)

	var all []byte
	for i := range got.Records {
		all, err = got.Records[i].Payload(all)
		require.NoError(t, err)
	}
	assert.Equal(t, "helloworld", string(all))
}

func TestParseKinesisRecord(t *testing.T) {
	for name, tc := range map[string]struct {
		record   string
		sequence string
		millis   int64
		payload  string
		err      string
	}{
		"base64 with escapes, newlines and no padding": {record: `{"kinesis":{"sequenceNumber":"7","data":"Pz8\/\nPg"}}`, sequence: "7", payload: "???>"},
		"arrival as text":                             {record: `{"kinesis":{"approximateArrivalTimestamp":"1706745600.123","data":""}}`, millis: 1706745600123},
		"arrival with an exponent":                    {record: `{"kinesis":{"approximateArrivalTimestamp":1.706745600123E9,"data":""}}`, millis: 1706745600123},
		"arrival without a fraction":                  {record: `{"kinesis":{"approximateArrivalTimestamp":1706745600,"data":""}}`, millis: 1706745600000},
		"arrival that is no number":                   {record: `{"kinesis":{"approximateArrivalTimestamp":"soon","data":""}}`},
		"arrival that is not finite":                  {record: `{"kinesis":{"approximateArrivalTimestamp":"NaN","data":""}}`},
		"arrival out of range":                        {record: `{"kinesis":{"approximateArrivalTimestamp":1e300,"data":""}}`},
		"arrival null":                                {record: `{"kinesis":{"approximateArrivalTimestamp":null,"data":""}}`},
		"empty data":                                  {record: `{"kinesis":{"data":""}}`},
		"null members":                                {record: `{"eventID":null,"awsRegion":null,"kinesis":{"data":null,"sequenceNumber":null,"partitionKey":null}}`},
		"sequence number as a number":                 {record: `{"kinesis":{"sequenceNumber":12345678901234567890123,"data":"YQ=="}}`, sequence: "12345678901234567890123", payload: "a"},
		"no sequence number: taken from the event id": {record: `{"eventID":"shardId-000000000001:42","kinesis":{"data":"YQ=="}}`, sequence: "42", payload: "a"},
		"no kinesis member":                           {record: `{"eventID":"shardId-000000000001:42","body":"x"}`, sequence: "42", err: `Records[0] "shardId-000000000001:42": no member "kinesis"`},
		"kinesis null":                                {record: `{"kinesis":null}`, err: `no member "kinesis"`},
		"kinesis is a list":                           {record: `{"kinesis":[]}`, err: `expected an object`},
		"kinesis is broken":                           {record: `{"kinesis":{"data" "x"}}`, err: `kinesis: json at byte 8`},
		"record null":                                 {record: `null`, err: `expected an object`},
		"record is text":                              {record: `"x"`, err: `expected an object`},
		"data is an object":                           {record: `{"kinesis":{"sequenceNumber":"9","data":{}}}`, sequence: "9", err: `kinesis.data is not a string`},
		"data is not base64":                          {record: `{"eventID":"s:9","kinesis":{"sequenceNumber":"9","data":"YWJj*"}}`, sequence: "9", err: `record "s:9": kinesis.data: decode 5 bytes of base64: illegal base64 data at input byte 4`},
	} {
		t.Run(name, func(t *testing.T) {
			payload := fmt.Sprintf(`{"Records":[%s,{"kinesis":{"sequenceNumber":"last","data":"bmVpZ2hib3Vy"}}]}`, tc.record)
			got, err := event.ParseKinesis([]byte(payload))
			require.NoError(t, err)
			require.Len(t, got.Records, 2)

			r := got.Records[0]
			assert.Equal(t, tc.sequence, r.SequenceNumber)
			assert.Equal(t, tc.millis, r.ArrivalMillis)
			out, err := r.Payload([]byte("kept:"))
			assert.Equal(t, "kept:"+tc.payload, string(out))
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
			} else {
				require.NoError(t, err)
			}

			out, err = got.Records[1].Payload(nil)
			require.NoError(t, err, "the neighbour is not touched")
			assert.Equal(t, "neighbour", string(out))
		})
	}
}

func TestParseKinesisEnvelope(t *testing.T) {
	for name, tc := range map[string]struct {
		payload string
		err     string
	}{
		"no Records":        {payload: `{"awslogs":{"data":""}}`, err: `event has members [awslogs]: expected "Records"`},
		"Records null":      {payload: `{"Records":null}`},
		"Records empty":     {payload: `{"Records":[],"other":1}`},
		"Records is text":   {payload: `{"Records":"x"}`, err: `read Records of a Kinesis event: json at byte 0 of 3: expected an array`},
		"not an object":     {payload: `[]`, err: `read Kinesis event of 2 bytes: json at byte 0 of 2: expected an object`},
		"nothing":           {payload: ``, err: `read Kinesis event of 0 bytes`},
		"cut in the list":   {payload: `{"Records":[{"kinesis":{}}`, err: `value is missing or not closed`},
		"garbage in a list": {payload: `{"Records":[{} {}]}`, err: `expected ',' or the closing bracket`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.ParseKinesis([]byte(tc.payload))
			assert.Empty(t, got.Records)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

// FuzzParseKinesis holds the reader to encoding/json: a valid event has as many records, each with the same bytes and the
// same sequence number, whatever is wrong with the others.
func FuzzParseKinesis(f *testing.F) {
	for _, seed := range []string{
		crossAccountEvent, `{"Records":[null,1,{"kinesis":{"data":"YQ"}}]}`, `{"Records":{}}`, `{"Records":[{"kinesis":{"data":1}}]}`,
		`{"Records":[{"eventID":"a:b","kinesis":{"data":"YQ==","data":null}}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := event.ParseKinesis(payload)
		if !json.Valid(payload) {
			for i := range got.Records {
				_, _ = got.Records[i].Payload(nil) // must not panic
			}
			return
		}
		var outer map[string]json.RawMessage
		var list []json.RawMessage
		if json.Unmarshal(payload, &outer) != nil || outer["Records"] == nil || json.Unmarshal(outer["Records"], &list) != nil {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.Len(t, got.Records, len(list))
		for i := range list {
			checkAgainstJSON(t, list[i], &got.Records[i])
		}
	})
}

func checkAgainstJSON(t *testing.T, doc json.RawMessage, r *event.KinesisRecord) {
	t.Helper()
	out, err := r.Payload(nil)
	var members, kinesis map[string]json.RawMessage
	if json.Unmarshal(doc, &members) != nil || json.Unmarshal(members["kinesis"], &kinesis) != nil || kinesis == nil {
		require.Error(t, err)
		return
	}
	var text *string
	if kinesis["data"] != nil && json.Unmarshal(kinesis["data"], &text) != nil {
		require.Error(t, err)
		return
	}
	if text == nil {
		require.NoError(t, err)
		require.Empty(t, out)
		return
	}
	if want, decodeErr := base64.StdEncoding.DecodeString(*text); decodeErr == nil {
		require.NoError(t, err)
		require.Equal(t, string(want), string(out))
	}
}

func BenchmarkParseKinesis(b *testing.B) {
	record := fmt.Sprintf(`{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"c4ca4238a0b923820dcc509a6f75849b","sequenceNumber":"49645780000000000000000000000000000000000000000000000001","data":"%s","approximateArrivalTimestamp":1706745600.123},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"shardId-000000000000:49645780000000000000000000000000000000000000000000000001","eventName":"aws:kinesis:record","invokeIdentityArn":"arn:aws:iam::999999999999:role/forwarder-role","awsRegion":"us-east-1","eventSourceARN":"arn:aws:kinesis:us-east-1:999999999999:stream/RecipientStream"}`,
		strings.Repeat("QUJD", 8<<10))
	payload := []byte(`{"Records":[` + strings.Repeat(record+",", 99) + record + `]}`)
	var buf []byte
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		got, err := event.ParseKinesis(payload)
		if err != nil || len(got.Records) != 100 {
			b.Fatal(len(got.Records), err)
		}
		for i := range got.Records {
			if buf, err = got.Records[i].Payload(buf[:0]); err != nil {
				b.Fatal(err)
			}
		}
	}
}
