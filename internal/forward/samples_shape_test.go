package forward

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/event"
)

// shapedFiles are the samples that are no log and no event of a function that we have: answers, which are held against
// ours, and what is for entries to come, whose shape is read strictly.
func shapedFiles() []string {
	return slices.Sorted(maps.Keys(sampleShapes))
}

// sampleShapes has what is checked of each.
var sampleShapes = map[string]func(t *testing.T, data []byte){
	"events/cwl-direct.decoded.json":                checkDecoded,
	"events/kinesis-batch-response.json":            checkKinesisAnswer,
	"events/sqs-batch-response.json":                checkSQSAnswer,
	"events/firehose-transform-direct-put.json":     transformed("a plain line\n", `{"cart":7}`, ""),
	"events/firehose-transform-cwl.json":            transformed("DATA_MESSAGE", "CONTROL_MESSAGE"),
	"events/firehose-transform-kinesis-source.json": transformed("first of two\n", "second of two\n"),
	"events/firehose-transform-response.json":       checkTransformAnswer,
	"events/firehose-http-request.json":             checkHTTPRequest,
	"events/firehose-http-response-ok.json":         httpAnswer(200, ""),
	"events/firehose-http-response-error.json":      httpAnswer(500, "The intake has no room."),
	"kinesis-agent/vectors.json":                    checkGuideVectors,
	"kinesis-agent/agent-vectors.json":              checkAgentVectors,
	"kinesis-agent/pretty_printed.in.txt":           checkPrettyInput,
	"kinesis-agent/pretty_printed.out.txt":          checkPrettyOutput,
}

func TestSampleShapes(t *testing.T) {
	for _, file := range shapedFiles() {
		t.Run(file, func(t *testing.T) { sampleShapes[file](t, readSample(t, file)) })
	}
}

// strictly reads JSON that may have no other members than v has.
func strictly(t *testing.T, data []byte, v any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(v))
	assert.False(t, decoder.More())
}

// unpackedText is a payload without its base64 and gzip.
func unpackedText(t *testing.T, text string) string {
	t.Helper()
	data, err := event.DecodeBase64(nil, []byte(text))
	require.NoError(t, err)
	if !compress.IsGzip(data) {
		return string(data)
	}
	plain, err := unpack("gzip", data)
	require.NoError(t, err)
	return string(plain)
}

// checkDecoded holds the readable form against the event that it is of.
func checkDecoded(t *testing.T, data []byte) {
	t.Helper()
	text, err := event.AwsLogsData(readSample(t, "events/cwl-direct.json"))
	require.NoError(t, err)
	assert.JSONEq(t, unpackedText(t, string(text)), string(data))
}

// checkKinesisAnswer fails the second record of a batch, as that answer says.
func checkKinesisAnswer(t *testing.T, data []byte) {
	t.Helper()
	batch, err := event.ParseKinesis(readSample(t, "events/kinesis-cwl-cross-account.json"))
	require.NoError(t, err)
	ours, err := answer(batch.Records, failure{err: errors.New("refused"), unit: 1})
	require.NoError(t, err)
	assert.JSONEq(t, string(data), string(ours))
}

// checkSQSAnswer fails the only message of a batch.
func checkSQSAnswer(t *testing.T, data []byte) {
	t.Helper()
	batch, err := event.ParseObjects(readSample(t, "events/sqs-s3.json"))
	require.NoError(t, err)
	assert.True(t, batch.Partial)
	assert.JSONEq(t, string(data), string(event.AppendBatchItemFailures(nil, []string{batch.Messages[0].ID})))
}

// transformEvent is the request of a Firehose transformation.
type transformEvent struct {
	InvocationID           string            `json:"invocationId"`
	DeliveryStreamARN      string            `json:"deliveryStreamArn"`
	SourceKinesisStreamARN string            `json:"sourceKinesisStreamArn"`
	Region                 string            `json:"region"`
	Records                []transformRecord `json:"records"`
}

type transformRecord struct {
	RecordID                    string `json:"recordId"`
	ApproximateArrivalTimestamp int64  `json:"approximateArrivalTimestamp"`
	Data                        string `json:"data"`
	KinesisRecordMetadata       *struct {
		ShardID                     string `json:"shardId"`
		PartitionKey                string `json:"partitionKey"`
		ApproximateArrivalTimestamp int64  `json:"approximateArrivalTimestamp"`
		SequenceNumber              string `json:"sequenceNumber"`
		SubsequenceNumber           int    `json:"subsequenceNumber"`
	} `json:"kinesisRecordMetadata"`
}

// transformed checks a request whose records hold these texts, each among others. The function for objects refuses it
// and says what it is.
func transformed(texts ...string) func(t *testing.T, data []byte) {
	return func(t *testing.T, data []byte) {
		t.Helper()
		var request transformEvent
		strictly(t, data, &request)
		require.Len(t, request.Records, len(texts))
		seen := map[string]bool{}
		for i, r := range request.Records {
			assert.Contains(t, unpackedText(t, r.Data), texts[i])
			assert.Equal(t, texts[i] == "", r.Data == "")
			assert.EqualValues(t, 1769938200000, r.ApproximateArrivalTimestamp)
			assert.Equal(t, request.SourceKinesisStreamARN != "", r.KinesisRecordMetadata != nil)
			seen[r.RecordID] = true
		}
		assert.Len(t, seen, len(texts), "ids are different")
		_, err := event.ParseObjects(data)
		assert.ErrorContains(t, err, "it looks like a Firehose transformation")
	}
}

// checkTransformAnswer has each result that there is.
func checkTransformAnswer(t *testing.T, data []byte) {
	t.Helper()
	var answer struct {
		Records []struct {
			RecordID string `json:"recordId"`
			Result   string `json:"result"`
			Data     string `json:"data"`
			Metadata *struct {
				PartitionKeys map[string]string `json:"partitionKeys"`
			} `json:"metadata"`
		} `json:"records"`
	}
	strictly(t, data, &answer)
	results := map[string]string{}
	for _, r := range answer.Records {
		results[r.Result] = unpackedText(t, r.Data)
	}
	assert.Equal(t, map[string]string{
		"Ok": "{\"message\":\"a second line\"}\n", "Dropped": "", "ProcessingFailed": "no json",
	}, results)
	assert.Equal(t, map[string]string{"source": "lambda", "year": "2026"}, answer.Records[0].Metadata.PartitionKeys)
}

func checkHTTPRequest(t *testing.T, data []byte) {
	t.Helper()
	var request struct {
		Headers map[string]string `json:"headers"`
		Body    struct {
			RequestID string `json:"requestId"`
			Timestamp int64  `json:"timestamp"`
			Records   []struct {
				Data string `json:"data"`
			} `json:"records"`
		} `json:"body"`
	}
	strictly(t, data, &request)
	assert.Equal(t, request.Headers["X-Amz-Firehose-Request-Id"], request.Body.RequestID)
	assert.JSONEq(t, `{"commonAttributes": {"env": "test", "team": ""}}`, request.Headers["X-Amz-Firehose-Common-Attributes"])
	assert.EqualValues(t, 1769938201599, request.Body.Timestamp)
	require.Len(t, request.Body.Records, 3)
	assert.Equal(t, "good day", unpackedText(t, request.Body.Records[0].Data))
	assert.Contains(t, unpackedText(t, request.Body.Records[1].Data), "DATA_MESSAGE")
	assert.Empty(t, request.Body.Records[2].Data)
}

func httpAnswer(status int, message string) func(t *testing.T, data []byte) {
	return func(t *testing.T, data []byte) {
		t.Helper()
		var answer struct {
			Status  int               `json:"status"`
			Headers map[string]string `json:"headers"`
			Body    struct {
				RequestID    string `json:"requestId"`
				Timestamp    int64  `json:"timestamp"`
				ErrorMessage string `json:"errorMessage"`
			} `json:"body"`
		}
		strictly(t, data, &answer)
		assert.Equal(t, status, answer.Status)
		assert.Equal(t, map[string]string{"Content-Type": "application/json"}, answer.Headers)
		assert.Contains(t, string(readSample(t, "events/firehose-http-request.json")), answer.Body.RequestID)
		assert.EqualValues(t, 1769938203599, answer.Body.Timestamp)
		assert.Equal(t, message, answer.Body.ErrorMessage)
	}
}

// agentOption is an element of dataProcessingOptions of the Kinesis Agent.
type agentOption struct {
	OptionName       string   `json:"optionName"`
	LogFormat        string   `json:"logFormat"`
	MatchPattern     string   `json:"matchPattern"`
	CustomFieldNames []string `json:"customFieldNames"`
	Delimiter        string   `json:"delimiter"`
	ParseOptions     []string `json:"parseOptions"`
}

func checkOptions(t *testing.T, options []agentOption) {
	t.Helper()
	require.NotEmpty(t, options)
	for _, o := range options {
		assert.Contains(t, []string{"SINGLELINE", "CSVTOJSON", "LOGTOJSON"}, o.OptionName)
		assert.Equal(t, o.OptionName == "LOGTOJSON", o.LogFormat != "")
		assert.True(t, o.OptionName != "CSVTOJSON" && o.MatchPattern == "" || len(o.CustomFieldNames) > 0)
	}
}

func checkGuideVectors(t *testing.T, data []byte) {
	t.Helper()
	var vectors []struct {
		Name    string        `json:"name"`
		Options []agentOption `json:"options"`
		Input   string        `json:"input"`
		Output  string        `json:"output"`
	}
	strictly(t, data, &vectors)
	require.Len(t, vectors, 6)
	for _, v := range vectors {
		checkOptions(t, v.Options)
		assert.True(t, json.Valid([]byte(v.Output)), v.Name)
		assert.Equal(t, len(v.Output)-1, strings.IndexByte(v.Output, '\n'), "%s: one line", v.Name)
	}
}

// agentVector is an input of the agent's with what has to come of it: of a record one record or none, or of a text the
// records that it is cut into.
type agentVector struct {
	ID     string `json:"id"`
	What   string `json:"what"`
	Must   bool   `json:"must"`
	Origin string `json:"origin"`
	Group  string `json:"group"`
	Input  struct {
		DataProcessingOptions     []agentOption `json:"dataProcessingOptions"`
		Record                    string        `json:"record"`
		MultiLineStartPattern     string        `json:"multiLineStartPattern"`
		SkipHeaderLines           int           `json:"skipHeaderLines"`
		Text                      string        `json:"text"`
		TextFile                  string        `json:"text_file"`
		TruncatedRecordTerminator string        `json:"truncatedRecordTerminator"`
		MaxRecordBytes            int           `json:"max_record_bytes"`
		Generate                  *struct {
			Char   string `json:"char"`
			Count  int    `json:"count"`
			Suffix string `json:"suffix"`
		} `json:"generate"`
	} `json:"input"`
	Expected struct {
		Record      *string  `json:"record"`
		Dropped     bool     `json:"dropped"`
		Records     []string `json:"records"`
		RecordsFile string   `json:"records_file"`
		Note        string   `json:"note"`
		Bytes       int      `json:"bytes"`
		EndsWith    string   `json:"ends_with"`
	} `json:"expected"`
}

func checkAgentVectors(t *testing.T, data []byte) {
	t.Helper()
	var vectors []agentVector
	strictly(t, data, &vectors)
	groups, ids := map[string]int{}, map[string]bool{}
	for _, v := range vectors {
		groups[v.Group]++
		ids[v.ID] = true
		if v.Group == "processing" {
			checkOptions(t, v.Input.DataProcessingOptions)
			assert.Equal(t, v.Expected.Dropped, v.Expected.Record == nil, v.ID)
		}
	}
	assert.Equal(t, map[string]int{"processing": 32, "splitting": 3}, groups)
	assert.Len(t, ids, 35, "ids are different")
}

const prettyRecords = 12

// checkPrettyInput counts the records of a text by the lines that begin one.
func checkPrettyInput(t *testing.T, data []byte) {
	t.Helper()
	assert.Equal(t, prettyRecords, strings.Count(string(data), "\n    {"))
	assert.True(t, strings.HasPrefix(string(data), "{  \n  \"Records\":[  \n"), "two lines to be skipped")
	assert.True(t, json.Valid(data))
}

// checkPrettyOutput holds that the lines are the input, but for its first two lines and the white space between tokens.
func checkPrettyOutput(t *testing.T, data []byte) {
	t.Helper()
	assert.Equal(t, prettyRecords, strings.Count(string(data), "\n"))
	var got, want bytes.Buffer
	require.NoError(t, json.Compact(&got, append([]byte(`{"Records":[`), data...)))
	require.NoError(t, json.Compact(&want, readSample(t, "kinesis-agent/pretty_printed.in.txt")))
	assert.Equal(t, want.String(), got.String())
}
