package firehose_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
	"sluice/internal/source/firehose"
)

func quoted(text string) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(text)
	return strings.TrimSuffix(b.String(), "\n"), err
}

func TestIsFailed(t *testing.T) {
	for name, tc := range map[string]struct {
		head string
		want bool
	}{
		"record first":                            {`{"rawData":"QQ==","attemptsMade":1,"errorCode":"x"}`, true},
		"record last":                             {`{"errorCode":"x","arrivalTimestamp":1,"other":{"a":[1]},"rawData":"QQ=="}`, true},
		"record and newer error name":             {`{"ErrorCode":"x","attemptsMade":1,"RAWDATA":"QQ=="}`, true},
		"record and older error name":             {`{"lastErrorCode":"x","attemptsMade":1,"rawData":"QQ=="}`, true},
		"record and end of attempts":              {`{"attemptEndingTimestamp":1,"rawData":"QQ==","attemptsMade":1}`, true},
		"record and one more member":              {`{"errorCode":"E42","rawData":"deadbeef","message":"x"}`, false},
		"record and one member twice":             {`{"errorCode":"E42","rawData":"deadbeef","lastErrorCode":"x"}`, false},
		"record that is null":                     {`{"attemptsMade":1,"arrivalTimestamp":17,"rawData":null}`, false},
		"white space":                             {"\n { \"rawData\" : \"QQ==\" , \"attemptsMade\" : 1, \"errorCode\": \"x\" } \n", true},
		"cut in the record":                       {`{"attemptsMade":1,"arrivalTimestamp":17,"rawData":"QQ`, true},
		"cut before the record's text":            {`{"attemptsMade":1,"arrivalTimestamp":17,"rawData":`, true},
		"cut before the record":                   {`{"attemptsMade":1,"arrivalTimestamp":17,"errorMessage":"The en`, true},
		"bare quotes before the record":           {`{"attemptsMade":1,"arrivalTimestamp":17,"errorMessage":"a "b" c","rawData":"QQ=="}`, true},
		"whole without a record":                  {`{"attemptsMade":1,"arrivalTimestamp":17,"errorCode":"x"}`, false},
		"two envelopes that touch":                {`{"attemptsMade":1,"errorCode":"","rawData":"QQ=="}{"attemptsMade":1,"rawData":"QQ=="}`, true},
		"whole with two members of a job's log":   {`{"attemptsMade":1,"arrivalTimestamp":17,"job":"x"}`, false},
		"record alone":                            {`{"rawData":"QQ=="}`, false},
		"record and members that say nothing":     {`{"rawData":"QQ==","errorMessage":"x","dataId":"1"}`, false},
		"record that is an object":                {`{"rawData":{"a":1},"errorCode":"x","attemptsMade":1}`, false},
		"record that is a number":                 {`{"rawData":17,"errorCode":"x","attemptsMade":1}`, false},
		"attempts alone":                          {`{"attemptsMade":1,"errorCode":"x`, false},
		"members one level deeper":                {`{"a":{"rawData":"QQ==","attemptsMade":1}}`, false},
		"members in a string":                     {`{"a":"{\"rawData\":\"QQ==\",\"attemptsMade\":1}"}`, false},
		"list":                                    {`[{"rawData":"QQ==","attemptsMade":1}]`, false},
		"CloudWatch payload":                      {payload, false},
		"text":                                    {"rawData attemptsMade", false},
		"empty":                                   {"", false},
		"letter that only folds to one of a name": {`{"rawData":"QQ==","attempt` + "\u017f" + `Made":1}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, firehose.IsFailed([]byte(tc.head)))
		})
	}
}

// Every beginning of an envelope that has the members before rawData is known, whatever byte it is cut at.
func TestIsFailedKnowsEveryBeginning(t *testing.T) {
	for folder := range envelopes {
		for _, line := range fileLines(t, folder) {
			for cut := bytes.Index(line, []byte(`rrorCode"`)); cut <= len(line); cut++ {
				require.True(t, firehose.IsFailed(line[:cut]), "%s", line[:cut])
			}
		}
	}
}

func TestHasOnlyUsual(t *testing.T) {
	for name, tc := range map[string]struct {
		doc  string
		want bool
	}{
		"the members of every envelope":    {`{"attemptsMade":1,"arrivalTimestamp":17,"errorCode":"x","errorMessage":"y","attemptEndingTimestamp":18,"lambdaArn":"z"}`, true},
		"those of a destination":           {`{"attemptsMade":1,"arrivalTimestamp":17,"errorCode":"x","rawData":null,"EventId":"1.2","esIndexName":"i","subsequenceNumber":0}`, true},
		"a member that no envelope has":    {`{"attemptsMade":1,"arrivalTimestamp":17,"errorCode":"x","message":"m"}`, false},
		"a member of another type":         {`{"attemptsMade":1,"arrivalTimestamp":17,"errorCode":{"a":1}}`, false},
		"a second text for one thing":      {`{"attemptsMade":1,"arrivalTimestamp":17,"errorCode":"x","lastErrorCode":"y"}`, false},
		"a text behind the envelope's end": {`{"rawData":"","attemptsMade":1} x`, false},
	} {
		t.Run(name, func(t *testing.T) {
			var p firehose.Parser
			var f firehose.Failed
			require.NoError(t, p.Parse([]byte(tc.doc), &f))
			assert.Equal(t, tc.want, f.HasOnlyUsual())
		})
	}
}

func TestFailedAttributes(t *testing.T) {
	member := func(name, value string) record.Member {
		return record.Member{Name: []byte(name), Value: []byte(value)}
	}
	for name, tc := range map[string]struct {
		failed firehose.Failed
		want   string
	}{
		"nothing known":          {firehose.Failed{AttemptsMade: -1}, `{}`},
		"no attempts is a count": {firehose.Failed{}, `{"attempts_made":0}`},
		"message of 1,024 bytes": {
			firehose.Failed{AttemptsMade: -1, ErrorMessage: strings.Repeat("x", 1024)}, `{"error_message":"` + strings.Repeat("x", 1024) + `"}`,
		},
		"longer message is cut": {
			firehose.Failed{AttemptsMade: -1, ErrorMessage: strings.Repeat("x", 1025)}, `{"error_message":"` + strings.Repeat("x", 1024) + `"}`,
		},
		"longer message is cut between characters": {
			firehose.Failed{AttemptsMade: -1, ErrorMessage: strings.Repeat("x", 1023) + "éé"}, `{"error_message":"` + strings.Repeat("x", 1023) + `"}`,
		},
		"texts are escaped": {firehose.Failed{AttemptsMade: -1, ErrorCode: "\"\x01<\xff", LambdaARN: `\`}, `{"error_code":"\"\u0001<` + "\uFFFD" + `","lambda_arn":"\\"}`},
		"names in snake case": {
			firehose.Failed{AttemptsMade: -1, Other: []record.Member{
				member("EventId", "1"), member("lambdaARN", "2"), member("ARNOfIt", "3"), member("esV2Name", "4"), member("a_b-c.D", "5"), member("", "6"),
			}},
			`{"event_id":1,"lambda_arn":2,"arn_of_it":3,"es_v2_name":4,"a_b-c.d":5,"":6}`,
		},
		"names that cannot be": {
			firehose.Failed{AttemptsMade: -1, Other: []record.Member{member(`a\u00ABc`, "1"), member("éA", "2")}}, `{"a\u00ABc":1,"éA":2}`,
		},
		"names that meet": {
			firehose.Failed{AttemptsMade: 1, ErrorCode: "a", Other: []record.Member{
				member("errorCode", `"b"`), member("EventId", "1"), member("eventId", "2"), member("event_id_2", "3"), member("event_id", "4"),
			}},
			`{"error_code":"a","attempts_made":1,"error_code_2":"b","event_id":1,"event_id_2":2,"event_id_2_2":3,"event_id_3":4}`,
		},
		"null is left out": {firehose.Failed{AttemptsMade: -1, Other: []record.Member{member("a", "null"), member("b", `"null"`)}}, `{"b":"null"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := string(tc.failed.AppendAttributes([]byte("{"), firehose.Name{}))
			assert.Equal(t, "{"+tc.want, got)
			assert.True(t, json.Valid([]byte(got[1:])))
		})
	}
}

// FuzzParse reads any bytes: never a panic, an error or what a slow reader finds in valid JSON too, and attributes that are
// JSON. Then it makes an envelope of them and gets the record back.
func FuzzParse(f *testing.F) {
	for folder := range envelopes {
		for _, line := range fileLines(f, folder) {
			f.Add(line, "message")
		}
	}
	f.Add([]byte(`{"errorMessage":"a "b" c","arrivalTimestamp":"17","rawData":"QUJD"}`), "a \"b\" \xff")
	f.Add([]byte(`{"rawData":"QUJD`), "\\u0041")
	f.Add([]byte(`{"rawData":"QUJD"}{"rawData":"QUJD"}`), "")
	var p firehose.Parser
	var got firehose.Failed
	f.Fuzz(func(t *testing.T, doc []byte, message string) {
		err := p.Parse(doc, &got)
		checkAgainstSlow(t, doc, &got, err)
		attributes := got.AppendAttributes(nil, firehose.Name{Stream: message})
		require.True(t, json.Valid(attributes), "%s", attributes)
		require.True(t, utf8.Valid(attributes))
		require.False(t, repeats(t, attributes), "%s", attributes)

		message = strings.ToValidUTF8(message, "?")
		envelope, err := json.Marshal(map[string]any{
			"attemptsMade": 3, "arrivalTimestamp": 17, "errorMessage": message, "rawData": base64.StdEncoding.EncodeToString(doc), "x": message,
		})
		require.NoError(t, err)
		require.True(t, firehose.IsFailed(envelope))
		require.NoError(t, p.Parse(envelope, &got))
		if len(envelope) < 16<<10 {
			require.NoError(t, got.Broken)
		}
		require.Equal(t, string(doc), string(got.Data))
		require.Equal(t, message, got.ErrorMessage)
		require.Equal(t, int64(17), got.ArrivalMillis)
	})
}

// checkAgainstSlow holds what was parsed to encoding/json, for valid documents whose members do not repeat.
func checkAgainstSlow(t *testing.T, doc []byte, got *firehose.Failed, err error) {
	t.Helper()
	var members map[string]json.RawMessage
	if json.Unmarshal(doc, &members) != nil || members == nil {
		require.True(t, err != nil || got.Broken != nil || !json.Valid(doc))
		return
	}
	folded := map[string]json.RawMessage{}
	for name, value := range members {
		folded[asciiLower(name)] = value
	}
	if len(folded) != len(members) || strings.Count(string(doc), ":") > 30 || repeats(t, doc) {
		return
	}
	var raw *string
	if value, ok := folded["rawdata"]; ok && json.Unmarshal(value, &raw) != nil {
		require.ErrorContains(t, err, "rawData is not a string")
		return
	}
	if err != nil {
		if raw != nil && *raw != "" {
			_, decodeErr := base64.StdEncoding.DecodeString(*raw)
			require.Error(t, decodeErr)
		}
		return
	}
	if len(doc) < 16<<10 {
		require.NoError(t, got.Broken)
	}
	if raw == nil {
		require.Empty(t, got.Data)
	} else if data, decodeErr := base64.StdEncoding.DecodeString(*raw); decodeErr == nil {
		require.Equal(t, string(data), string(got.Data))
	}
	var text string
	if value, ok := folded["lambdaarn"]; ok && value[0] == '"' && json.Unmarshal(value, &text) == nil {
		require.Equal(t, text, got.LambdaARN)
	}
	var count int64
	if value, ok := folded["arrivaltimestamp"]; ok && json.Unmarshal(value, &count) == nil && count >= 0 {
		require.Equal(t, count, got.ArrivalMillis)
	}
}

func asciiLower(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, text)
}

// repeats reports whether an object has a name twice.
func repeats(t *testing.T, doc []byte) bool {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(doc)))
	_, err := dec.Token()
	require.NoError(t, err)
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		require.NoError(t, err)
		name, isString := token.(string)
		require.True(t, isString)
		if seen[name] {
			return true
		}
		seen[name] = true
		var value json.RawMessage
		require.NoError(t, dec.Decode(&value))
	}
	return false
}
