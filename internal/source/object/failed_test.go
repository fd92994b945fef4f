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

// A record that failed, was kept, read by another stream and failed again is unwrapped twice, and once more; what is packed
// deeper is kept as it is, marked.
func TestFailedRecordsInFailedRecords(t *testing.T) {
	envelopes := []string{"log"}
	for range 5 {
		envelopes = append(envelopes, envelopeOf(envelopes[len(envelopes)-1]))
	}
	for depth, want := range map[int]string{
		0: "log", 1: "log", 2: "log", 3: "log", 4: envelopes[1], 5: envelopes[2],
	} {
		var d Decoder
		_, err := d.Enter(Input{Body: strings.NewReader(envelopes[depth]), Origin: &record.Origin{Kind: record.S3, Key: "a"}})
		require.NoError(t, err)
		n := 0
		for r, err := range d.Records() {
			require.NoError(t, err)
			assert.Equal(t, want, string(r.Message.AppendPlain(nil)), "%d deep", depth)
			assert.Equal(t, depth > maxDepth, r.Marks&record.BrokenEnvelope != 0, "%d deep", depth)
			n++
		}
		assert.Equal(t, 1, n)
	}
}

// What could be saved of an envelope that breaks off is forwarded: marked, with the time and the reason that are in it.
func TestARecordSavedFromABrokenEnvelope(t *testing.T) {
	text := `{"attemptsMade":4,"arrivalTimestamp":1769938200123,"errorCode":"Splunk.AckTimeout","errorMessage":"it said "no"","rawData":"` +
		base64.StdEncoding.EncodeToString([]byte("one\ntwo\n")) + `"}`
	var d Decoder
	_, err := d.Enter(Input{Body: strings.NewReader(text + "\n" + envelopeOf("three")), Origin: &record.Origin{Kind: record.S3, Key: failedKey}})
	require.NoError(t, err)
	var got []string
	for r, err := range d.Records() {
		require.NoError(t, err)
		got = append(got, string(r.Message.AppendPlain(nil)))
		assert.Equal(t, len(got) < 3, r.Marks == record.BrokenEnvelope, "the record behind it is whole")
		assert.Equal(t, int64(1769938200123), r.TimeMillis)
		require.Len(t, r.Members, 1)
		if len(got) < 3 {
			assert.Contains(t, string(r.Members[0].Value), `"error_code":"Splunk.AckTimeout"`)
		}
	}
	assert.Equal(t, []string{"one", "two", "three"}, got)
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
