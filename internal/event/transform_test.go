package event_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
)

// transformEvent is an event of a delivery stream that a Kinesis stream feeds. The records say the same in both of the
// spellings that are published.
const transformEvent = `{
  "invocationId": "0c9d2f6e-31a4-4b0e-8f5b-5a1e7c3d9b02",
  "deliveryStreamArn": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/app-logs",
  "region": "eu-west-1",
  "records": [
    {
      "recordId": "49650000000000000000000000000000000000000000000000000011000000",
      "approximateArrivalTimestamp": 1718000000123,
      "data": "aGVsbG8K",
      "kinesisRecordMetadata": {
        "shardId": "shardId-000000000003",
        "partitionKey": "checkout",
        "approximateArrivalTimestamp": "2024-06-10T06:13:20.123Z",
        "sequenceNumber": "49650000000000000000000000000000000000000000000000000007",
        "subsequenceNumber": ""
      }
    },
    {
      "recordId": "49650000000000000000000000000000000000000000000000000012000000",
      "approximateArrivalTimestamp": "1718000000456",
      "data": "d29ybGQK",
      "kinesisRecordMetadata": {
        "shardId": "shardId-000000000003",
        "partitionKey": "checkout",
        "approximateArrivalTimestamp": 1718000000456,
        "sequenceNumber": 49650000000000000000000000000000000000000000000000000007,
        "subsequenceNumber": 1
      }
    }
  ],
  "sourceKinesisStreamArn": "arn:aws:kinesis:eu-west-1:123456789012:stream/app-logs"
}`

func TestParseTransform(t *testing.T) {
	got, err := event.ParseTransform([]byte(transformEvent))
	require.NoError(t, err)
	assert.Equal(t, "0c9d2f6e-31a4-4b0e-8f5b-5a1e7c3d9b02", got.InvocationID)
	assert.Equal(t, "arn:aws:firehose:eu-west-1:123456789012:deliverystream/app-logs", got.StreamARN)
	assert.Equal(t, "arn:aws:kinesis:eu-west-1:123456789012:stream/app-logs", got.SourceStreamARN)
	assert.Equal(t, "eu-west-1", got.Region)
	assert.Zero(t, got.WithoutID)
	assert.Zero(t, got.Duplicates)

	require.Len(t, got.Records, 2)
	for i, want := range []struct {
		id, subsequence, payload string
		millis                   int64
	}{
		{"49650000000000000000000000000000000000000000000000000011000000", "", "hello\n", 1718000000123},
		{"49650000000000000000000000000000000000000000000000000012000000", "1", "world\n", 1718000000456},
	} {
		r := got.Records[i]
		assert.Equal(t, want.id, r.ID)
		assert.True(t, r.Answerable())
		assert.Equal(t, want.millis, r.ArrivalMillis)
		assert.Equal(t, "shardId-000000000003", r.ShardID)
		assert.Equal(t, "checkout", r.PartitionKey)
		assert.Equal(t, "49650000000000000000000000000000000000000000000000000007", r.SequenceNumber)
		assert.Equal(t, want.subsequence, r.SubsequenceNumber)
		payload, err := r.Payload(nil)
		require.NoError(t, err)
		assert.Equal(t, want.payload, string(payload))
	}
}

func TestParseTransformRecord(t *testing.T) {
	for name, tc := range map[string]struct {
		record      string
		id          string
		millis      int64
		subsequence string
		payload     string
		err         string
	}{
		"record of another source":                     {record: `{"recordId":"a","data":"YQ==","mskRecordMetadata":{"offset":"0"}}`, id: "a", payload: "a"},
		"empty data":                                   {record: `{"recordId":"a","data":""}`, id: "a"},
		"data null":                                    {record: `{"recordId":"a","data":null}`, id: "a"},
		"data missing":                                 {record: `{"recordId":"a"}`, id: "a"},
		"base64 with escapes and no padding":           {record: `{"recordId":"a","data":"Pz8\/\nPg"}`, id: "a", payload: "???>"},
		"id with escapes":                              {record: `{"recordId":"a\"\u00e9\n"}`, id: "a\"é\n"},
		"id that is no UTF-8":                          {record: "{\"recordId\":\"a\xff\xfe\"}", id: "a\uFFFD\uFFFD"},
		"id that is a number":                          {record: `{"recordId":4965,"data":"YQ=="}`, id: "4965", payload: "a"},
		"id missing":                                   {record: `{"data":"YQ=="}`, payload: "a"},
		"id null":                                      {record: `{"recordId":null,"data":"YQ=="}`, payload: "a"},
		"id that is a list":                            {record: `{"recordId":["a"],"data":"YQ=="}`, payload: "a"},
		"arrival as text":                              {record: `{"recordId":"a","approximateArrivalTimestamp":"1718000000123"}`, id: "a", millis: 1718000000123},
		"arrival with an exponent":                     {record: `{"recordId":"a","approximateArrivalTimestamp":1.718000000123E12}`, id: "a", millis: 1718000000123},
		"arrival as an ISO time":                       {record: `{"recordId":"a","approximateArrivalTimestamp":"2024-06-10T08:13:20.123+02:00"}`, id: "a", millis: 1718000000123},
		"arrival that is no time":                      {record: `{"recordId":"a","approximateArrivalTimestamp":"soon"}`, id: "a"},
		"arrival that is not finite":                   {record: `{"recordId":"a","approximateArrivalTimestamp":"NaN"}`, id: "a"},
		"arrival out of range":                         {record: `{"recordId":"a","approximateArrivalTimestamp":1e300}`, id: "a"},
		"arrival before 1970":                          {record: `{"recordId":"a","approximateArrivalTimestamp":-1}`, id: "a"},
		"arrival only in the metadata":                 {record: `{"recordId":"a","kinesisRecordMetadata":{"approximateArrivalTimestamp":1718000000123}}`, id: "a", millis: 1718000000123},
		"subsequence number as text":                   {record: `{"recordId":"a","kinesisRecordMetadata":{"subsequenceNumber":"3"}}`, id: "a", subsequence: "3"},
		"subsequence number 0":                         {record: `{"recordId":"a","kinesisRecordMetadata":{"subsequenceNumber":0}}`, id: "a", subsequence: "0"},
		"subsequence number null":                      {record: `{"recordId":"a","kinesisRecordMetadata":{"subsequenceNumber":null}}`, id: "a"},
		"metadata null":                                {record: `{"recordId":"a","data":"YQ==","kinesisRecordMetadata":null}`, id: "a", payload: "a"},
		"metadata of another type fails nothing":       {record: `{"recordId":"a","data":"YQ==","kinesisRecordMetadata":[1]}`, id: "a", payload: "a"},
		"record null":                                  {record: `null`, err: `records[0] "": json at byte 0 of 4: expected an object`},
		"record is text":                               {record: `"x"`, err: `expected an object`},
		"record is broken: its id stands":              {record: `{"recordId":"a","data" "x"}`, id: "a", err: `records[0] "a": json at byte 23`},
		"data is a number":                             {record: `{"recordId":"a","data":7}`, id: "a", err: `records[0] "a": data is not a string`},
		"data is not base64":                           {record: `{"recordId":"a","data":"YWJj*"}`, id: "a", err: `record "a": data: decode 5 bytes of base64: illegal base64 data at input byte 4`},
		"of two data members the last counts":          {record: `{"recordId":"a","data":7,"data":"YQ=="}`, id: "a", payload: "a"},
		"data with an escape that is not JSON":         {record: `{"recordId":"a","data":"\x"}`, id: "a", err: `data is not a string`},
		"unknown members around it":                    {record: `{"x":{"data":"eA=="},"recordId":"a","y":[1],"data":"YQ=="}`, id: "a", payload: "a"},
		"id that is the neighbour's with another case": {record: `{"recordId":"NEIGHBOUR"}`, id: "NEIGHBOUR"},
	} {
		t.Run(name, func(t *testing.T) {
			payload := fmt.Sprintf(`{"records":[%s,{"recordId":"neighbour","data":"bmVpZ2hib3Vy"}]}`, tc.record)
			got, err := event.ParseTransform([]byte(payload))
			require.NoError(t, err)
			require.Len(t, got.Records, 2)

			r := got.Records[0]
			assert.Equal(t, tc.id, r.ID)
			assert.Equal(t, tc.id != "", r.Answerable())
			assert.Equal(t, tc.id == "", got.WithoutID == 1)
			assert.Equal(t, tc.millis, r.ArrivalMillis)
			assert.Equal(t, tc.subsequence, r.SubsequenceNumber)
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
			assert.True(t, got.Records[1].Answerable())
		})
	}
}

func TestParseTransformIDs(t *testing.T) {
	for name, tc := range map[string]struct {
		ids        []string // as they stand in the event, quotes and all
		duplicate  []bool
		withoutID  int
		duplicates int
	}{
		"ids that ascend":                      {ids: []string{`"1"`, `"2"`, `"3"`}, duplicate: []bool{false, false, false}},
		"ids in no order":                      {ids: []string{`"2"`, `"1"`, `"3"`}, duplicate: []bool{false, false, false}},
		"later ones are the duplicates":        {ids: []string{`"1"`, `"2"`, `"1"`, `"1"`}, duplicate: []bool{false, false, true, true}, duplicates: 2},
		"neighbours with one id":               {ids: []string{`"1"`, `"1"`}, duplicate: []bool{false, true}, duplicates: 1},
		"records without an id are no copies":  {ids: []string{`null`, `""`, `"1"`}, duplicate: []bool{false, false, false}, withoutID: 2},
		"ids that differ in case":              {ids: []string{`"a"`, `"A"`}, duplicate: []bool{false, false}},
		"a text and a number that are written": {ids: []string{`"7"`, `7`}, duplicate: []bool{false, true}, duplicates: 1},
		"ids that become one by their repair":  {ids: []string{"\"\xff\"", "\"\xfe\""}, duplicate: []bool{false, true}, duplicates: 1},
		"ids that differ in an escape only":    {ids: []string{`"\u0061"`, `"a"`}, duplicate: []bool{false, true}, duplicates: 1},
	} {
		t.Run(name, func(t *testing.T) {
			var records []string
			for _, id := range tc.ids {
				records = append(records, `{"recordId":`+id+`}`)
			}
			got, err := event.ParseTransform([]byte(`{"records":[` + strings.Join(records, ",") + `]}`))
			require.NoError(t, err)
			var duplicate []bool
			for i := range got.Records {
				duplicate = append(duplicate, got.Records[i].Duplicate)
			}
			assert.Equal(t, tc.duplicate, duplicate)
			assert.Equal(t, tc.withoutID, got.WithoutID)
			assert.Equal(t, tc.duplicates, got.Duplicates)
		})
	}
}

func TestParseTransformEnvelope(t *testing.T) {
	for name, tc := range map[string]struct {
		payload string
		err     string
	}{
		"no records yet":           {payload: `{"invocationId":"i","records":[]}`},
		"records null":             {payload: `{"records":null}`},
		"members null":             {payload: `{"invocationId":null,"region":null,"deliveryStreamArn":7,"records":[]}`},
		"CloudWatch Logs":          {payload: `{"awslogs":{"data":""}}`, err: `event has members [awslogs], it looks like a CloudWatch Logs subscription: expected "records"`},
		"Kinesis":                  {payload: `{"Records":[{"eventSource":"aws:kinesis","kinesis":{}}]}`, err: `it looks like a Kinesis event`},
		"S3":                       {payload: `{"Records":[{"eventSource":"aws:s3"}]}`, err: `it looks like an S3 notification`},
		"SQS":                      {payload: `{"Records":[{"eventSource":"aws:sqs"}]}`, err: `it looks like an SQS event`},
		"SNS":                      {payload: `{"Records":[{"EventSource":"aws:sns"}]}`, err: `it looks like an SNS event`},
		"other records":            {payload: `{"Records":[7]}`, err: `event has members [Records]: expected`},
		"EventBridge":              {payload: `{"detail":{},"detail-type":"x","source":"aws.s3"}`, err: `it looks like an EventBridge event`},
		"S3 Batch Operations":      {payload: `{"tasks":[]}`, err: `it looks like an S3 Batch Operations job`},
		"nothing known":            {payload: `{"key1":"value1"}`, err: `event has members [key1]: expected "records" of a Firehose transformation; check the function's trigger`},
		"records that are topics":  {payload: `{"eventSource":"aws:kafka","records":{"t-0":[]}}`, err: `members [eventSource, records]: json at byte 0 of 10: expected an array`},
		"records that are a text":  {payload: `{"records":"x"}`, err: `expected an array`},
		"not an object":            {payload: `[]`, err: `read Firehose transformation of 2 bytes: json at byte 0 of 2: expected an object`},
		"nothing":                  {payload: ``, err: `read Firehose transformation of 0 bytes`},
		"cut in the list":          {payload: `{"records":[{"recordId":"a"}`, err: `value is missing or not closed`},
		"garbage between elements": {payload: `{"records":[{} {}]}`, err: `expected ',' or the closing bracket`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.ParseTransform([]byte(tc.payload))
			assert.Empty(t, got.Records)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

// Thousands of short records must not cost an allocation each.
func TestParseTransformAllocations(t *testing.T) {
	payload := transformOf(2000, "YWJj")
	var buf []byte
	perBatch := testing.AllocsPerRun(20, func() {
		got, err := event.ParseTransform(payload)
		if err != nil || len(got.Records) != 2000 || got.Duplicates != 0 {
			t.Fatal(len(got.Records), err)
		}
		for i := range got.Records {
			if buf, err = got.Records[i].Payload(buf[:0]); err != nil {
				t.Fatal(err)
			}
		}
	})
	assert.Less(t, perBatch, 200.0)
}

// transformOf is an event of n records as a Kinesis source gives them, each with these data.
func transformOf(n int, data string) []byte {
	var b strings.Builder
	b.WriteString(`{"invocationId":"i","deliveryStreamArn":"arn:aws:firehose:eu-west-1:123456789012:deliverystream/app-logs","records":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"recordId":"4965000000000000000000000000000000000000000000000000%010d","approximateArrivalTimestamp":1718000000123,"data":"%s",`+
			`"kinesisRecordMetadata":{"shardId":"shardId-000000000003","partitionKey":"%016x","approximateArrivalTimestamp":1718000000123,`+
			`"sequenceNumber":"4965000000000000000000000000000000000000000000%010d","subsequenceNumber":0}}`, i, data, i, i)
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

// FuzzParseTransform holds the reader to encoding/json: a valid event has as many records, each with the same id and the
// same bytes, whatever is wrong with the others.
func FuzzParseTransform(f *testing.F) {
	for _, seed := range []string{
		transformEvent, `{"records":[null,1,{"recordId":"a","data":"YQ"},{"recordId":"a"}]}`, `{"records":{}}`,
		`{"records":[{"recordId":"b","data":1},{"recordId":"a","kinesisRecordMetadata":{"sequenceNumber":1e3}}]}`,
		`{"records":[{"recordId":"\ud800","data":"YQ==","data":null}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := event.ParseTransform(payload)
		for i := range got.Records {
			_, _ = got.Records[i].Payload(nil) // must not panic
		}
		if !json.Valid(payload) {
			return
		}
		var outer map[string]json.RawMessage
		var list []json.RawMessage
		if json.Unmarshal(payload, &outer) != nil || outer["records"] == nil || json.Unmarshal(outer["records"], &list) != nil {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.Len(t, got.Records, len(list))
		seen := map[string]bool{}
		for i := range list {
			r := &got.Records[i]
			checkTransformRecord(t, list[i], r)
			require.True(t, utf8.ValidString(r.ID))
			require.Equal(t, r.ID != "" && !seen[r.ID], r.Answerable())
			require.Equal(t, seen[r.ID], r.Duplicate)
			seen[r.ID] = r.ID != ""
		}
	})
}

func checkTransformRecord(t *testing.T, doc json.RawMessage, r *event.TransformRecord) {
	t.Helper()
	out, err := r.Payload(nil)
	var members map[string]json.RawMessage
	if json.Unmarshal(doc, &members) != nil || members == nil {
		require.Error(t, err)
		return
	}
	var id string
	if members["recordId"] != nil && json.Unmarshal(members["recordId"], &id) == nil {
		require.Equal(t, id, r.ID)
	}
	var text *string
	if members["data"] != nil && json.Unmarshal(members["data"], &text) != nil {
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

func BenchmarkParseTransform(b *testing.B) {
	for name, payload := range map[string][]byte{
		"100 records of 24 KiB": transformOf(100, strings.Repeat("QUJD", 8<<10)),
		"5000 records of 120 B": transformOf(5000, strings.Repeat("QUJD", 40)),
	} {
		b.Run(name, func(b *testing.B) {
			var buf []byte
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				got, err := event.ParseTransform(payload)
				if err != nil {
					b.Fatal(err)
				}
				for i := range got.Records {
					if buf, err = got.Records[i].Payload(buf[:0]); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
