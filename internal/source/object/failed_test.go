package object

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/lines"
	"sluice/internal/record"
)

func envelopeOf(data string) string {
	return `{"attemptsMade":1,"arrivalTimestamp":1769938200123,"errorCode":"x","rawData":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `"}`
}

func TestFailedRecords(t *testing.T) {
	other := strings.Replace(payloadOf("lost"), "DATA_MESSAGE", "OTHER", 1)
	damaged := envelopeOf(payloadOf("a") + other + payloadOf("b") + other + payloadOf("c"))
	noData := `{"attemptsMade":1,"arrivalTimestamp":1769938200123,"errorCode":"x","rawData":null,"EventId":"1.2"}`
	job := `{"attemptsMade":3,"arrivalTimestamp":1769938200123,"errorCode":"E42","message":"IMPORTANT"}`
	for name, tc := range map[string]struct {
		key, text string
		want      []string
	}{
		"what it holds": {"a", envelopeOf("one\ntwo\n"), []string{"one", "two"}},
		"behind a text": {"a", "x\n" + envelopeOf("one"), []string{"x", "one"}},
		"damage inside is one, and the rest goes on": {"a", damaged, []string{"a", "b", "c", fmt.Sprintf("!undecodable 0-%d", len(damaged))}},
		"without data, in an error folder":           {failedKey, noData, []string{""}},
		"without data, elsewhere":                    {"a", noData, []string{noData}},
		"a log in an error folder":                   {failedKey, job, []string{job}},
		"a log that looks like one":                  {"a", job, []string{job}},
		"a log with rawData and an error code":       {"a", `{"rawData":"deadbeef","errorCode":"E42"}`, []string{`{"rawData":"deadbeef","errorCode":"E42"}`}},
		"a log whose rawData is null":                {"a", `{"rawData":null,"errorCode":"500","attemptsMade":1}`, []string{`{"rawData":null,"errorCode":"500","attemptsMade":1}`}},
		"a log in an error folder that is no JSON":   {failedKey, "{text\nmore", []string{"{text", "more"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, got := decoded(t, Input{Body: strings.NewReader(tc.text)}, tc.key)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestEveryPartOfABrokenEnvelopeIsMarked(t *testing.T) {
	text := `{"attemptsMade":1,"arrivalTimestamp":17,"errorMessage":"a "b"` + strings.Repeat("x", 2*lines.MaxLineBytes)
	var d Decoder
	_, err := d.Enter(Input{Body: strings.NewReader(text), Origin: &record.Origin{Kind: record.S3, Key: failedKey}})
	require.NoError(t, err)
	size := 0
	for r, err := range d.Records() {
		require.NoError(t, err)
		assert.Equal(t, record.BrokenEnvelope|record.Chunked, r.Marks)
		size += len(r.Message.Bytes)
	}
	assert.Equal(t, len(text), size)
}
