package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

const backupKey = "backup/2026/02/01/09/cwl-logs-3-2026-02-01-09-30-00-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"

// Subscription payloads that Firehose keeps, one gzip member behind the other, are the log events that they would have
// been by themselves: with the same ids.
func TestS3FirehoseBackup(t *testing.T) {
	direct := newRig(t, setup{})
	r := newS3Rig(t, setup{})
	var body []byte
	backup := generate.Object{ID: "backup"}
	for range 5 {
		p := direct.send(80)
		body = append(body, p.Gzip()...)
		for _, line := range p.Lines {
			line.Payload = backup.ID
			backup.Lines = append(backup.Lines, line)
		}
	}
	probe := direct.control()
	direct.queueUp(probe)
	body = append(body, probe.Gzip()...)
	backup.Lines = append(backup.Lines, generate.Line{Payload: backup.ID, Rule: generate.RuleControlMessage})
	r.announce(r.put(backupKey, backup, body))
	direct.drain()
	direct.audit()

	report := r.audit()

	assert.Equal(t, deliverable(backup.Lines), report.Delivered)
	assert.Zero(t, report.TotalDuplicates())
	assert.Equal(t, idsOfLines(direct.intake.Entries()), idsOfLines(r.intake.Entries()))
	assert.Equal(t, 1, r.drops()[generate.RuleControlMessage])
}

func idsOfLines(entries []intake.Entry) []string {
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	slices.Sort(ids)
	return ids
}

// failedRecord is what Firehose writes for a record it could not process or deliver. Format: Firehose developer guide,
// "Data delivery failure handling".
type failedRecord struct {
	Attempts int    `json:"attemptsMade"`
	Arrival  int64  `json:"arrivalTimestamp"`
	Code     string `json:"errorCode"`
	Message  string `json:"errorMessage"`
	Ending   int64  `json:"attemptEndingTimestamp"`
	Data     string `json:"rawData"`
	Lambda   string `json:"lambdaArn,omitempty"`
}

// Records that Firehose could not deliver are the lines inside, with what went wrong beside them.
func TestS3FirehoseFailed(t *testing.T) {
	const (
		arrival = 1_769_938_200_000 // 2026-02-01T09:30:00Z
		lambda  = "arn:aws:lambda:eu-west-1:123456789012:function:enrich:$LATEST"
	)
	for folder, code := range map[string]string{
		"http-endpoint-failed": "HttpEndpoint.DestinationException", "processing-failed": "Lambda.FunctionError",
	} {
		t.Run(folder, func(t *testing.T) {
			r := newS3Rig(t, setup{})
			r.intake.SetScript(intake.Always(intake.Step{Checks: []intake.Check{r.keep}}))
			text, packed := r.generate.Object(3, generate.ALB), r.generate.Object(4, generate.JSONLines(generate.Mixed))
			payload := r.generate.Payload(60)
			object := generate.Object{ID: folder}
			for _, line := range slices.Concat(text.Lines, packed.Lines, payload.Lines) {
				line.Payload = object.ID
				object.Lines = append(object.Lines, line)
			}
			var body bytes.Buffer
			for _, data := range [][]byte{text.Body, packed.Gzip(), payload.Gzip()} {
				record := failedRecord{
					Attempts: 4, Arrival: arrival, Code: code, Message: `it said "no"`, Ending: arrival + 9_000,
					Data: base64.StdEncoding.EncodeToString(data),
				}
				if folder == "processing-failed" {
					record.Lambda = lambda
				}
				require.NoError(t, json.NewEncoder(&body).Encode(record))
			}
			key := "errors/" + folder + "/2026/02/01/09/cwl-logs-3-2026-02-01-09-30-00-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
			r.announce(r.put(key, object, body.Bytes()), r.access("well.log", 10))

			report := r.audit()

			assert.Equal(t, deliverable(object.Lines)+10, report.Delivered)
			assert.Zero(t, report.TotalDuplicates())
			assert.Equal(t, []owner.Outcome{owner.Taken}, r.outcomes())
			assert.Len(t, idsOfEntries(r), report.Delivered, "every line has an id of its own")
			r.assertFirehose(deliverable(object.Lines), folder, code)
		})
	}
}

// assertFirehose says what n of the items tell of Firehose.
func (r *s3Rig) assertFirehose(n int, folder, code string) {
	r.t.Helper()
	told := 0
	for _, item := range r.items {
		if item["firehose"] == nil {
			continue
		}
		told++
		var attributes map[string]any
		require.NoError(r.t, json.Unmarshal(item["firehose"], &attributes))
		assert.Equal(r.t, "cwl-logs", attributes["delivery_stream"])
		assert.Equal(r.t, "3", attributes["stream_version"])
		assert.Equal(r.t, "2026-02-01T09", attributes["hour"])
		assert.Equal(r.t, folder, attributes["error_type"])
		assert.Equal(r.t, code, attributes["error_code"])
		assert.Equal(r.t, `it said "no"`, attributes["error_message"])
		assert.EqualValues(r.t, 4, attributes["attempts_made"])
		assert.Equal(r.t, folder == "processing-failed", attributes["lambda_arn"] != nil)
	}
	assert.Equal(r.t, n, told)
}
