package firehose_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/source/firehose"
)

var update = flag.Bool("update", false, "rewrite testdata")

const (
	payload = `{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/app/checkout","logStream":"web-1",` +
		`"subscriptionFilters":["all"],"logEvents":[` +
		`{"id":"38312345678901234567890123456789012345678901234567890001","timestamp":1718000000111,"message":"GET /cart 203.0.113.9 200"},` +
		`{"id":"38312345678901234567890123456789012345678901234567890002","timestamp":1718000000222,"message":"line one\nline two"}]}`
	flowLines = "2 123456789012 eni-0a1b2c3d 192.0.2.14 198.51.100.7 49152 443 6 12 4000 1718000000 1718000060 ACCEPT OK\n" +
		"2 123456789012 eni-0a1b2c3d 203.0.113.5 192.0.2.14 40000 22 6 1 40 1718000000 1718000060 REJECT OK\n"
	brokenGzip = "\x1f\x8b\x08\x00cut short"
	functionV  = "arn:aws:lambda:eu-west-1:123456789012:function:enrich:$LATEST"
	functionA  = "arn:aws:lambda:eu-west-1:123456789012:function:enrich:live"
)

// keyOf is the key of the object that a file of testdata stands for.
func keyOf(folder string) string {
	return "backup/" + folder + "/2024/06/10/06/app-logs-7-2024-06-10-06-13-20-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
}

// envelopes are the files of testdata: a folder of failed records each, with RAW for the base64 of the record.
var envelopes = map[string][]struct{ line, data string }{
	"processing-failed": {
		{`{"attemptsMade":4,"arrivalTimestamp":1718000001001,"errorCode":"Lambda.FunctionError","errorMessage":"The function answered with an error.","attemptEndingTimestamp":1718000099000,"rawData":"RAW","lambdaArn":"` + functionV + `"}`, gzipped(payload)},
		{`{"attemptsMade":4,"arrivalTimestamp":1718000001002,"errorCode":"Lambda.FunctionError","errorMessage":"The function answered with an error.","attemptEndingTimestamp":1718000099000,"rawData":"RAW","lambdaARN":"` + functionA + `"}`, gzipped(payload)},
	},
	"decompression-failed": {
		{`{"attemptsMade":1,"arrivalTimestamp":1718000002001,"errorCode":"Decompression failed.","errorMessage":"Decompression failed.","attemptEndingTimestamp":1718000002500,"rawData":"RAW"}`, brokenGzip},
	},
	"format-conversion-failed": {
		{`{"attemptsMade":1,"arrivalTimestamp":1718000003001,"lastErrorCode":"DataFormatConversion.ParseError","lastErrorMessage":"Unexpected character ('x' (code 120))","attemptEndingTimestamp":1718000004000,"rawData":"RAW","sequenceNumber":"49650000000000000000000000000000000000000000000000000021","subSequenceNumber":null,"dataCatalogTable":{"catalogId":null,"databaseName":"weblogs","tableName":"requests","region":"eu-west-1","versionId":"LATEST","catalogArn":null}}`, "xml?"},
		{`{"attemptsMade":1,"arrivalTimestamp":1718000003002,"ErrorCode":"DataFormatConversion.MalformedData","ErrorMessage":"The row does not fit the table.","attemptEndingTimestamp":1718000004000,"rawData":"RAW","sequenceNumber":"49650000000000000000000000000000000000000000000000000022","subSequenceNumber":3,"dataCatalogTable":{"catalogId":"111122223333","databaseName":"weblogs","tableName":"requests","region":"eu-west-1","versionId":"4","catalogArn":null}}`, `{"status":"many"}`},
	},
	"elasticsearch-failed": {
		{`{"attemptsMade":"2","arrivalTimestamp":"1718000005001","errorCode":"429","errorMessage":"{\"type\":\"es_rejected_execution_exception\"}","attemptEndingTimestamp":"1718000006000","esDocumentId":"49650000000000000000000000000000000000000000000000000031.0","esIndexName":"web-2024-06-10","esTypeName":"","rawData":"RAW"}`, `{"level":"warn","msg":"slow"}` + "\n"},
		{`{"attemptsMade":2,"arrivalTimestamp":1718000005002,"errorCode":"400","errorMessage":"{\"type\":\"mapper_parsing_exception\"}","attemptEndingTimestamp":1718000006000,"esDocumentId":"49650000000000000000000000000000000000000000000000000032.0","esIndexName":"web-2024-06-10","esTypeName":"line","rawData":"RAW"}`, `{"level":7}`},
	},
	"AmazonOpenSearchService-failed": {
		{`{"attemptsMade":5,"arrivalTimestamp":1718000007001,"errorCode":"OS.DocumentFailed","errorMessage":"index is read-only","attemptEndingTimestamp":1718000008000,"esDocumentId":"49650000000000000000000000000000000000000000000000000041.0","esIndexName":"web","esTypeName":"","rawData":"RAW"}`, "plain text without a newline"},
	},
	"AmazonOpenSearchServerlessService-failed": {
		{`{"attemptsMade":5,"arrivalTimestamp":1718000009001,"errorCode":"400","errorMessage":"no such field","attemptEndingTimestamp":1718000010000,"rawData":"RAW","osDocumentId":"1%3A0%3AAbC","osIndexName":"web"}`, "plain text\n"},
	},
	"splunk-failed": {
		{`{"attemptsMade":0,"arrivalTimestamp":1718000011001,"errorCode":"Splunk.AckTimeout","errorMessage":"No acknowledgement came before the HEC timeout.","attemptEndingTimestamp":13626284715507,"rawData":"RAW","EventId":"49650000000000000000000000000000000000000000000000000051.0"}`, flowLines},
	},
	"http-endpoint-failed": {
		{`{"attemptsMade":6,"arrivalTimestamp":1718000012001,"errorCode":"HttpEndpoint.DestinationException","errorMessage":"The endpoint answered {\"requestId\": \"1b2c\", \"errorMessage\": \"Forbidden\"}","attemptEndingTimestamp":1718000013000,"rawData":"RAW","subsequenceNumber":0,"dataId":"49650000000000000000000000000000000000000000000000000061.0"}`, "an \u00e9l\u00e9ment\r\n"},
		{`{"attemptsMade":6,"arrivalTimestamp":1718000012002,"errorCode":"HttpEndpoint.RequestTimeout","errorMessage":"The endpoint did not answer in time.","attemptEndingTimestamp":1718000013000,"rawData":"RAW","subsequenceNumber":1,"dataId":"49650000000000000000000000000000000000000000000000000062.1"}`, gzipped(payload)},
	},
	"snowflake-failed": {
		{`{"attemptsMade":3,"arrivalTimestamp":1718000014001,"errorCode":"Snowflake.InvalidColumns","errorMessage":"A column has a default value.","attemptEndingTimestamp":1718000015000,"rawData":"RAW"}`, `{"a":1}{"a":2}`},
	},
	"iceberg-failed": {
		{`{"attemptsMade":1,"arrivalTimestamp":1718000016001,"errorCode":"Iceberg.MissingColumnWithinRecord","errorMessage":"a column is missing","attemptEndingTimestamp":1718000017000,"rawData":"RAW","EventId":"abc","SubsequenceNumber":null,"ApproximateArrivalTimestamp":1718000016001}`, `{"id":9}`},
	},
}

// TestTestdata rewrites testdata when asked to, and holds its records to the table above: the rest is in TestParse.
func TestTestdata(t *testing.T) {
	if *update {
		for folder, list := range envelopes {
			var b strings.Builder
			for _, e := range list {
				raw := base64.StdEncoding.EncodeToString([]byte(e.data))
				fmt.Fprintln(&b, strings.Replace(e.line, "RAW", raw, 1))
			}
			require.NoError(t, os.WriteFile(filepath.Join("testdata", folder+".jsonl"), []byte(b.String()), 0o644))
		}
	}
	var p firehose.Parser
	var f firehose.Failed
	for folder, list := range envelopes {
		lines := fileLines(t, folder)
		require.Len(t, lines, len(list), folder)
		for i, line := range lines {
			require.NoError(t, p.Parse(line, &f))
			assert.Equal(t, gunzipped(t, []byte(list[i].data)), gunzipped(t, f.Data), "%s, line %d", folder, i+1)
			assert.Equal(t, folder, firehose.ErrorType(keyOf(folder)))
		}
	}
}

func fileLines(tb testing.TB, folder string) [][]byte {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", folder+".jsonl"))
	require.NoError(tb, err)
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

// gunzipped inflates what is a whole gzip stream; gzip's bytes differ between Go's versions.
func gunzipped(t *testing.T, data []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return string(data)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return string(data)
	}
	return string(plain)
}
