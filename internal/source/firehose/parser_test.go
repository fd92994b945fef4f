package firehose_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/source/firehose"
)

// fields are those of an envelope without its record; others has a `name=value` for each further member.
type fields struct {
	attempts           int
	arrival            int64
	code, message, arn string
	others             []string
	attributesOfOthers string // in snake case, from a comma on
}

func TestParse(t *testing.T) {
	const seq = "496500000000000000000000000000000000000000000000000000"
	catalog := func(id, version string) string {
		return `{"catalogId":` + id + `,"databaseName":"weblogs","tableName":"requests","region":"eu-west-1","versionId":"` + version + `","catalogArn":null}`
	}
	want := map[string][]fields{
		"processing-failed": {
			{
				attempts: 4, arrival: 1718000001001, code: "Lambda.FunctionError", message: "The function answered with an error.", arn: functionV,
				others:             []string{"attemptEndingTimestamp=1718000099000"},
				attributesOfOthers: `,"attempt_ending_timestamp":1718000099000`,
			},
			{
				attempts: 4, arrival: 1718000001002, code: "Lambda.FunctionError", message: "The function answered with an error.", arn: functionA,
				others:             []string{"attemptEndingTimestamp=1718000099000"},
				attributesOfOthers: `,"attempt_ending_timestamp":1718000099000`,
			},
		},
		"decompression-failed": {{
			attempts: 1, arrival: 1718000002001, code: "Decompression failed.", message: "Decompression failed.",
			others:             []string{"attemptEndingTimestamp=1718000002500"},
			attributesOfOthers: `,"attempt_ending_timestamp":1718000002500`,
		}},
		"format-conversion-failed": {
			{
				attempts: 1, arrival: 1718000003001, code: "DataFormatConversion.ParseError", message: "Unexpected character ('x' (code 120))",
				others: []string{
					"attemptEndingTimestamp=1718000004000", `sequenceNumber="` + seq + `21"`, "subSequenceNumber=null", "dataCatalogTable=" + catalog("null", "LATEST"),
				},
				attributesOfOthers: `,"attempt_ending_timestamp":1718000004000,"sequence_number":"` + seq + `21","data_catalog_table":` + catalog("null", "LATEST"),
			},
			{
				attempts: 1, arrival: 1718000003002, code: "DataFormatConversion.MalformedData", message: "The row does not fit the table.",
				others: []string{
					"attemptEndingTimestamp=1718000004000", `sequenceNumber="` + seq + `22"`, "subSequenceNumber=3", "dataCatalogTable=" + catalog(`"111122223333"`, "4"),
				},
				attributesOfOthers: `,"attempt_ending_timestamp":1718000004000,"sequence_number":"` + seq + `22","sub_sequence_number":3,"data_catalog_table":` + catalog(`"111122223333"`, "4"),
			},
		},
		"elasticsearch-failed": {
			{
				attempts: 2, arrival: 1718000005001, code: "429", message: `{"type":"es_rejected_execution_exception"}`,
				others: []string{
					`attemptEndingTimestamp="1718000006000"`, `esDocumentId="` + seq + `31.0"`, `esIndexName="web-2024-06-10"`, `esTypeName=""`,
				},
				attributesOfOthers: `,"attempt_ending_timestamp":"1718000006000","es_document_id":"` + seq + `31.0","es_index_name":"web-2024-06-10","es_type_name":""`,
			},
			{
				attempts: 2, arrival: 1718000005002, code: "400", message: `{"type":"mapper_parsing_exception"}`,
				others: []string{
					"attemptEndingTimestamp=1718000006000", `esDocumentId="` + seq + `32.0"`, `esIndexName="web-2024-06-10"`, `esTypeName="line"`,
				},
				attributesOfOthers: `,"attempt_ending_timestamp":1718000006000,"es_document_id":"` + seq + `32.0","es_index_name":"web-2024-06-10","es_type_name":"line"`,
			},
		},
		"AmazonOpenSearchService-failed": {{
			attempts: 5, arrival: 1718000007001, code: "OS.DocumentFailed", message: "index is read-only",
			others:             []string{"attemptEndingTimestamp=1718000008000", `esDocumentId="` + seq + `41.0"`, `esIndexName="web"`, `esTypeName=""`},
			attributesOfOthers: `,"attempt_ending_timestamp":1718000008000,"es_document_id":"` + seq + `41.0","es_index_name":"web","es_type_name":""`,
		}},
		"AmazonOpenSearchServerlessService-failed": {{
			attempts: 5, arrival: 1718000009001, code: "400", message: "no such field",
			others:             []string{"attemptEndingTimestamp=1718000010000", `osDocumentId="1%3A0%3AAbC"`, `osIndexName="web"`},
			attributesOfOthers: `,"attempt_ending_timestamp":1718000010000,"os_document_id":"1%3A0%3AAbC","os_index_name":"web"`,
		}},
		"splunk-failed": {{
			attempts: 0, arrival: 1718000011001, code: "Splunk.AckTimeout", message: "No acknowledgement came before the HEC timeout.",
			others:             []string{"attemptEndingTimestamp=13626284715507", `EventId="` + seq + `51.0"`},
			attributesOfOthers: `,"attempt_ending_timestamp":13626284715507,"event_id":"` + seq + `51.0"`,
		}},
		"http-endpoint-failed": {
			{
				attempts: 6, arrival: 1718000012001, code: "HttpEndpoint.DestinationException",
				message:            `The endpoint answered {"requestId": "1b2c", "errorMessage": "Forbidden"}`,
				others:             []string{"attemptEndingTimestamp=1718000013000", "subsequenceNumber=0", `dataId="` + seq + `61.0"`},
				attributesOfOthers: `,"attempt_ending_timestamp":1718000013000,"subsequence_number":0,"data_id":"` + seq + `61.0"`,
			},
			{
				attempts: 6, arrival: 1718000012002, code: "HttpEndpoint.RequestTimeout", message: "The endpoint did not answer in time.",
				others:             []string{"attemptEndingTimestamp=1718000013000", "subsequenceNumber=1", `dataId="` + seq + `62.1"`},
				attributesOfOthers: `,"attempt_ending_timestamp":1718000013000,"subsequence_number":1,"data_id":"` + seq + `62.1"`,
			},
		},
		"snowflake-failed": {{
			attempts: 3, arrival: 1718000014001, code: "Snowflake.InvalidColumns", message: "A column has a default value.",
			others:             []string{"attemptEndingTimestamp=1718000015000"},
			attributesOfOthers: `,"attempt_ending_timestamp":1718000015000`,
		}},
		"iceberg-failed": {{
			attempts: 1, arrival: 1718000016001, code: "Iceberg.MissingColumnWithinRecord", message: "a column is missing",
			others: []string{
				"attemptEndingTimestamp=1718000017000", `EventId="abc"`, "SubsequenceNumber=null", "ApproximateArrivalTimestamp=1718000016001",
			},
			attributesOfOthers: `,"attempt_ending_timestamp":1718000017000,"event_id":"abc","approximate_arrival_timestamp":1718000016001`,
		}},
	}
	require.Len(t, want, len(envelopes))

	var p firehose.Parser
	var f firehose.Failed
	for folder, rows := range want {
		lines := fileLines(t, folder)
		require.Len(t, lines, len(rows))
		name, ok := firehose.ParseKey(keyOf(folder))
		require.True(t, ok)
		for i, row := range rows {
			t.Run(fmt.Sprintf("%s, line %d", folder, i+1), func(t *testing.T) {
				require.True(t, firehose.IsFailed(lines[i]))
				require.NoError(t, p.Parse(lines[i], &f))
				require.NoError(t, f.Broken)
				assert.Equal(t, row, fieldsOf(&f, row))
				message, err := quoted(row.message)
				require.NoError(t, err)
				arn := ""
				if row.arn != "" {
					arn = `,"lambda_arn":"` + row.arn + `"`
				}
				attributes := fmt.Sprintf(`{"delivery_stream":"app-logs","stream_version":"7","hour":"2024-06-10T06","error_type":"%s",`+
					`"error_code":"%s","error_message":%s,"attempts_made":%d,"arrived_at":%d%s%s}`,
					folder, row.code, message, row.attempts, row.arrival, arn, row.attributesOfOthers)
				assert.Equal(t, attributes, string(f.AppendAttributes(nil, name)))
			})
		}
	}
}

// fieldsOf gives what is in f; what a row says about attributes is taken over.
func fieldsOf(f *firehose.Failed, row fields) fields {
	row.attempts, row.arrival, row.code, row.message, row.arn = f.AttemptsMade, f.ArrivalMillis, f.ErrorCode, f.ErrorMessage, f.LambdaARN
	row.others = nil
	for _, m := range f.Other {
		row.others = append(row.others, string(m.Name)+"="+string(m.Value))
	}
	return row
}

func TestParseIsLenient(t *testing.T) {
	for name, tc := range map[string]struct {
		doc  string
		data string
		want fields
	}{
		"names in other cases": {
			`{"RAWDATA":"QUJD","AttemptsMade":1,"ARRIVALTIMESTAMP":7,"LASTERRORCODE":"c","LastErrorMessage":"m","LAMBDAARN":"l"}`,
			"ABC",
			fields{attempts: 1, arrival: 7, code: "c", message: "m", arn: "l"},
		},
		"white space":                         {" {\t\"rawData\" :\r\n \"QUJD\" } \n", "ABC", fields{attempts: -1}},
		"numbers as strings, with white room": {`{"rawData":"QUJD","attemptsMade":" 3 ","arrivalTimestamp":"1718000000001"}`, "ABC", fields{attempts: 3, arrival: 1718000000001}},
		"numbers with a point or exponent":    {`{"rawData":"QUJD","attemptsMade":3.0,"arrivalTimestamp":1.718e12}`, "ABC", fields{attempts: 3, arrival: 1718000000000}},
		"numbers that are none stay as they are": {
			`{"rawData":"QUJD","attemptsMade":-1,"arrivalTimestamp":"yesterday"}`, "ABC",
			fields{attempts: -1, others: []string{"attemptsMade=-1", `arrivalTimestamp="yesterday"`}},
		},
		"numbers out of range stay as they are": {
			`{"rawData":"QUJD","attemptsMade":4294967296,"arrivalTimestamp":1e300}`, "ABC",
			fields{attempts: -1, others: []string{"attemptsMade=4294967296", "arrivalTimestamp=1e300"}},
		},
		"error code that is a number":        {`{"rawData":"QUJD","errorCode":429}`, "ABC", fields{attempts: -1, code: "429"}},
		"error message that is an object":    {`{"rawData":"QUJD","errorMessage":{"a":1}}`, "ABC", fields{attempts: -1, others: []string{`errorMessage={"a":1}`}}},
		"older and newer error names":        {`{"rawData":"QUJD","lastErrorCode":"a","errorCode":"b"}`, "ABC", fields{attempts: -1, code: "a", others: []string{`errorCode="b"`}}},
		"older and newer name say the same":  {`{"rawData":"QUJD","lastErrorCode":"a","errorCode":"a"}`, "ABC", fields{attempts: -1, code: "a"}},
		"empty text before one":              {`{"rawData":"QUJD","lastErrorCode":"","errorCode":"a"}`, "ABC", fields{attempts: -1, code: "a"}},
		"nulls":                              {`{"rawData":"QUJD","attemptsMade":null,"arrivalTimestamp":null,"errorCode":null,"errorMessage":null,"lambdaArn":null}`, "ABC", fields{attempts: -1}},
		"record that is missing":             {`{"attemptsMade":1,"arrivalTimestamp":7,"errorCode":"c"}`, "", fields{attempts: 1, arrival: 7, code: "c"}},
		"record that is null":                {`{"attemptsMade":1,"rawData":null}`, "", fields{attempts: 1}},
		"record that is empty":               {`{"attemptsMade":1,"rawData":""}`, "", fields{attempts: 1}},
		"record behind an empty one":         {`{"rawData":"","attemptsMade":1,"rawdata":"QUJD"}`, "ABC", fields{attempts: 1}},
		"record before null":                 {`{"rawData":"QUJD","attemptsMade":1,"rawdata":null}`, "ABC", fields{attempts: 1}},
		"record alone":                       {`{"rawData":"QUJD"}`, "ABC", fields{attempts: -1}},
		"base64 with escaped slashes":        {`{"rawData":"\/\/8="}`, "\xff\xff", fields{attempts: -1}},
		"base64 without padding":             {`{"rawData":"QQ"}`, "A", fields{attempts: -1}},
		"base64 of the alphabet for URLs":    {`{"rawData":"__-_"}`, "\xff\xff\xbf", fields{attempts: -1}},
		"escapes in a name and a text":       {`{"raw\u0044ata":"QUJD","error\u0043ode":"\u00e9\ud83d\ude00"}`, "ABC", fields{attempts: -1, code: "é😀"}},
		"name that has to be escaped":        {`{"rawData":"QUJD","a\"\u000Ab":1}`, "ABC", fields{attempts: -1, others: []string{`a\"\nb=1`}}},
		"value that is no UTF-8":             {"{\"rawData\":\"QUJD\",\"a\":\"\xff\",\"errorCode\":\"\xfe\"}", "ABC", fields{attempts: -1, code: "\uFFFD", others: []string{"a=\"\uFFFD\""}}},
		"another member twice: first counts": {`{"rawData":"QUJD","a":1,"a":2,"A":3}`, "ABC", fields{attempts: -1, others: []string{"a=1", "A=3"}}},
	} {
		t.Run(name, func(t *testing.T) {
			var p firehose.Parser
			f := firehose.Failed{Data: []byte("old"), ErrorCode: "old", LambdaARN: "old", Broken: assert.AnError}
			require.NoError(t, p.Parse([]byte(tc.doc), &f))
			require.NoError(t, f.Broken)
			assert.Equal(t, tc.data, string(f.Data))
			assert.Equal(t, tc.want, fieldsOf(&f, tc.want))
		})
	}
}

func TestParseSavesFromTheBroken(t *testing.T) {
	const head = `{"attemptsMade":5,"arrivalTimestamp":1718000000001,"errorCode":"HttpEndpoint.DestinationException","errorMessage":`
	for name, tc := range map[string]struct {
		doc     string
		data    string
		arrival int64
		broken  string
	}{
		"bare quotes in the message, as the guide prints": {
			head + `"The endpoint answered. {"requestId": "1b", "timestamp": 17, "errorMessage": "Unauthorized"}","attemptEndingTimestamp":1718000000009,"rawData":"QUJD","dataId":"4.0"}`,
			"ABC", 1718000000001, "envelope that is cut or not valid: json at byte ",
		},
		"time behind the bare quotes":         {`{"errorMessage":"a "b" c","ArrivalTimestamp" : "17","RawData" : "QUJD"}`, "ABC", 17, "json at byte 20 of 71"},
		"bare newline in the message":         {head + "\"a\nb\",\"rawData\":\"QUJD\"}", "ABC", 1718000000001, "a value that is not valid JSON: member 3 of it, from 0"},
		"escape that is none in the message":  {head + `"a\qb","rawData":"QUJD"}`, "ABC", 1718000000001, "member 3 of it"},
		"number that is none":                 {`{"attemptsMade":0x5,"rawData":"QUJD"}`, "ABC", 0, "member 0 of it"},
		"cut behind the record":               {`{"rawData":"QUJD"`, "ABC", 0, "json at byte 17 of 17"},
		"cut in a later member":               {`{"rawData":"QUJD","errorMessage":"The end`, "ABC", 0, "value is missing or not closed"},
		"cut in the record between two bytes": {`{"attemptsMade":5,"rawData":"QUJDREVG`, "ABCDEF", 0, "value is missing or not closed"},
		"cut in the record inside a byte":     {`{"attemptsMade":5,"rawData":"QUJDR` + "\r\n", "ABC", 0, "value is missing or not closed"},
		"cut in the record inside an escape":  {`{"attemptsMade":5,"rawData":"QUJD\/\/\`, "ABC\xff", 0, "value is missing or not closed"},
		"bytes behind":                        {`{"rawData":"QUJD"} x`, "ABC", 0, "envelope with 1 bytes behind its end"},
		"escaped slashes behind bare quotes":  {`{"errorMessage":"a"b","rawData":"\/\/8="}`, "\xff\xff", 0, "json at byte"},
		"the name quoted in the message":      {head + `"no \"rawData\":\"QQ==\" and no "rawData", it says","rawData":"QUJD"}`, "ABC", 1718000000001, "json at byte"},
		"empty record":                        {`{"errorMessage":"a"b","rawData":""}`, "", 0, "json at byte"},
	} {
		t.Run(name, func(t *testing.T) {
			var p firehose.Parser
			var f firehose.Failed
			require.NoError(t, p.Parse([]byte(tc.doc), &f))
			require.ErrorContains(t, f.Broken, tc.broken)
			assert.Equal(t, tc.data, string(f.Data))
			assert.Equal(t, tc.arrival, f.ArrivalMillis)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		doc string
		err string
	}{
		"empty":                           {"", "firehose envelope of 0 bytes: no rawData to be saved from an envelope that is cut or not valid: json at byte 0 of 0: expected an object"},
		"text":                            {"2 123456789012 eni-1", "expected an object"},
		"list of envelopes":               {`[{"attemptsMade":1}]`, "expected an object"},
		"another object":                  {`{"level":"info"}`, "firehose envelope of 16 bytes: it has neither rawData nor three other members of an envelope"},
		"cut before the record":           {`{"attemptsMade":1,"errorMess`, "no rawData to be saved"},
		"record is a number":              {`{"attemptsMade":1,"rawData":5}`, "its rawData is not a string"},
		"record is an object":             {`{"attemptsMade":1,"rawData":{"rawData":"QUJD"}}`, "its rawData is not a string"},
		"record with a bad escape":        {`{"attemptsMade":1,"rawData":"\q"}`, "its rawData is not a string"},
		"base64 that is none":             {`{"attemptsMade":1,"rawData":"not base64"}`, "decode 10 bytes of base64: illegal base64 data at input byte 10"},
		"base64 with a byte of other use": {`{"attemptsMade":1,"rawData":"QUJD*AAA"}`, "illegal base64 data at input byte 4"},
		"base64 that is none, saved":      {`{"errorMessage":"a"b","rawData":"***"}`, "illegal base64 data at input byte 0"},
		"bad escape, saved":               {`{"errorMessage":"a"b","rawData":"\q"}`, "illegal base64 data"},
		"two records":                     {`{"attemptsMade":1,"rawData":"QUJD","RawData":"REVG"}`, "several rawData"},
		"two envelopes in a row":          {`{"attemptsMade":1,"rawData":"QUJD"}{"attemptsMade":1,"rawData":"REVG"}`, "several rawData"},
		"record in a message with bare quotes": {
			`{"attemptsMade":1,"errorMessage":"{"rawData":"QUJD"}","rawData":"REVG"}`, "several rawData",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var p firehose.Parser
			f := firehose.Failed{Data: []byte("old")}
			err := p.Parse([]byte(tc.doc), &f)
			require.ErrorContains(t, err, tc.err)
			assert.Empty(t, f.Data)
		})
	}
}

// What an error says may be logged, so it has nothing of a record or of a destination's answer.
func TestErrorsQuoteNothing(t *testing.T) {
	var p firehose.Parser
	var f firehose.Failed
	for _, doc := range []string{
		`{"attemptsMade":1,"errorMessage":"canary"canary","rawData":"canary!"}`,
		`{"canary":canary,"rawData":"QUJD"}`,
		`{"rawData":"QUJD"}canary`,
		`{"canary":"canary`,
	} {
		err := p.Parse([]byte(doc), &f)
		assert.NotContains(t, fmt.Sprint(err, f.Broken), "canary")
	}
}

func TestParseBoundsOtherMembers(t *testing.T) {
	var many strings.Builder
	for i := range 65 {
		fmt.Fprintf(&many, `"m%d":%d,`, i, i)
	}
	for name, tc := range map[string]struct {
		doc  string
		want int
	}{
		"65 members":         {`{` + many.String() + `"rawData":"QUJD"}`, 64},
		"a member of 16 KiB": {`{"a":1,"b":"` + strings.Repeat("x", 16<<10) + `","c":2,"rawData":"QUJD"}`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			var p firehose.Parser
			var f firehose.Failed
			require.NoError(t, p.Parse([]byte(tc.doc), &f))
			assert.EqualError(t, f.Broken, "envelope with more than 64 further members, or 16384 bytes of them")
			assert.Equal(t, "ABC", string(f.Data))
			assert.Len(t, f.Other, tc.want)
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for name, size := range map[string]int{"400 B": 400, "1,000 KiB": 1_024_000} {
		b.Run(name, func(b *testing.B) {
			raw := base64.StdEncoding.EncodeToString(make([]byte, size))
			line := []byte(strings.Replace(envelopes["splunk-failed"][0].line, "RAW", raw, 1))
			var p firehose.Parser
			var f firehose.Failed
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Parse(line, &f); err != nil || len(f.Data) != size {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendAttributes(b *testing.B) {
	var p firehose.Parser
	var f firehose.Failed
	if err := p.Parse(fileLines(b, "elasticsearch-failed")[0], &f); err != nil {
		b.Fatal(err)
	}
	name, _ := firehose.ParseKey(keyOf("elasticsearch-failed"))
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = f.AppendAttributes(dst[:0], name)
	}
	b.SetBytes(int64(len(dst)))
}
