package event_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
)

func TestParseBatchJob(t *testing.T) {
	base := event.BatchJob{InvocationID: "RXhhbXBsZUludm9jYXRpb24", JobID: "2f6d0000-0000-4000-8000-000000000004"}
	first, second := base, base
	first.InvocationSchemaVersion = "1.0"
	first.Tasks = []event.BatchTask{{TaskID: "RXhhbXBsZVRhc2s", Object: event.Object{
		Bucket: "example-access-logs", Key: "my app/a+b.log", VersionID: "v.Example_1", SizeBytes: -1,
	}}}
	second.InvocationSchemaVersion = "2.0"
	second.UserArguments = map[string]string{"service": "alb", "since": "2025-03-04"}
	second.Tasks = []event.BatchTask{{TaskID: "RXhhbXBsZVRhc2s", Object: event.Object{
		Bucket: "example-access-logs", Key: "AWSLogs/part.log.gz", SizeBytes: -1,
	}}}
	for name, want := range map[string]event.BatchJob{"batch-1.0": first, "batch-2.0": second} {
		t.Run(name, func(t *testing.T) {
			payload := load(t, name)
			assert.True(t, event.IsBatchJob(payload))
			got, err := event.ParseBatchJob(payload)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestBatchTask(t *testing.T) {
	for name, tc := range map[string]struct {
		task string
		want string // bucket/key, or the error
	}{
		"bucket by name":                {`{"taskId":"t","s3Key":"k","s3Bucket":"logs"}`, "logs/k"},
		"bucket by ARN":                 {`{"taskId":"t","s3Key":"k","s3BucketArn":"arn:aws-cn:s3:::logs"}`, "logs/k"},
		"directory bucket":              {`{"taskId":"t","s3Key":"k","s3Bucket":"logs--euw1-az1--x-s3"}`, "logs--euw1-az1--x-s3/k"},
		"the name counts, not the ARN":  {`{"taskId":"t","s3Key":"k","s3Bucket":"logs","s3BucketArn":"arn:aws:s3:::other"}`, "logs/k"},
		"ARN with a region":             {`{"taskId":"t","s3Key":"k","s3BucketArn":"arn:aws:s3:eu-west-1:111122223333:logs"}`, "logs/k eu-west-1"},
		"ARN with a forged region":      {`{"taskId":"t","s3Key":"k","s3BucketArn":"arn:aws:s3:evil.example.com/-1::logs"}`, "logs/k"},
		"ARN of another service":        {`{"taskId":"t","s3Key":"k","s3BucketArn":"arn:aws:sqs:::logs"}`, "tasks[0]: the bucket has no name"},
		"ARN of an access point":        {`{"taskId":"t","s3Key":"k","s3BucketArn":"arn:aws:s3:eu-west-1:111122223333:accesspoint/logs"}`, `tasks[0]: bucket name "accesspoint/logs" of 16 bytes is none that S3 allows`},
		"no ARN but a text":             {`{"taskId":"t","s3Key":"k","s3BucketArn":"logs"}`, "tasks[0]: the bucket has no name"},
		"no bucket":                     {`{"taskId":"t","s3Key":"k"}`, "tasks[0]: the bucket has no name"},
		"no key":                        {`{"taskId":"t","s3Bucket":"logs","s3Key":null}`, "tasks[0]: the object has no key"},
		"no id":                         {`{"s3Bucket":"logs","s3Key":"k"}`, "tasks[0]: taskId is missing or empty"},
		"null":                          {`null`, "tasks[0]: json at byte 0 of 4: expected an object"},
		"task information in the key":   {`{"taskId":"t","s3Bucket":"logs","s3Key":"%7B%22k%22%3A+1%7D"}`, `logs/{"k": 1}`},
		"members that AWS may add":      {`{"new":{},"taskId":"t","s3Bucket":"logs","s3Key":"k"}`, "logs/k"},
		"numbers where texts are usual": {`{"taskId":7,"s3Bucket":"logs","s3Key":8}`, "logs/8"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.ParseBatchJob([]byte(`{"tasks":[` + tc.task + `,{"taskId":"n","s3Bucket":"logs","s3Key":"n"}]}`))
			require.NoError(t, err)
			require.Len(t, got.Tasks, 2)
			task := got.Tasks[0]
			told := strings.TrimSpace(task.Object.Bucket + "/" + task.Object.Key + " " + task.Object.Region)
			if task.Err != nil {
				told = task.Err.Error()
			}
			assert.Equal(t, tc.want, told)
			require.NoError(t, got.Tasks[1].Err, "the neighbour is not touched")
		})
	}
}

func TestParseBatchJobOfWhatIsNone(t *testing.T) {
	for name, tc := range map[string]struct{ payload, err string }{
		"an S3 event":       {`{"Records":["secret"]}`, `event has members [Records]: expected "tasks" of S3 Batch Operations`},
		"tasks is text":     {`{"tasks":"secret"}`, "read tasks of S3 Batch Operations: json at byte 0 of 8: expected an array"},
		"cut short":         {`{"tasks":[{"taskId":"t"}`, "read S3 Batch Operations event of 24 bytes"},
		"garbage in a list": {`{"tasks":[{} {}]}`, "expected ',' or the closing bracket"},
		"nothing":           {``, "read S3 Batch Operations event of 0 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := event.ParseBatchJob([]byte(tc.payload))
			require.ErrorContains(t, err, tc.err)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestBatchJobWithoutTasks(t *testing.T) {
	for _, payload := range []string{`{"tasks":null}`, `{"tasks":[],"job":null}`, `{"tasks":[],"job":{"userArguments":{}}}`} {
		got, err := event.ParseBatchJob([]byte(payload))
		require.NoError(t, err)
		assert.Empty(t, got)
	}
}

func TestIsBatchJob(t *testing.T) {
	for payload, want := range map[string]bool{
		`{"tasks":[],"invocationSchemaVersion":"1.0"}`:              true,
		`{"invocationSchemaVersion":"3.0","tasks":null}`:            true,
		`{"invocationSchemaVersion":"1.0"}`:                         false,
		`{"tasks":[]}`:                                              false,
		`{"Records":[],"invocationSchemaVersion":"1","tasks":null}`: false,
		`{"tasks":null,"invocationSchemaVersion":"1.0"}`:            true,
		`[]`: false,
		``:   false,
	} {
		assert.Equal(t, want, event.IsBatchJob([]byte(payload)), payload)
	}
}

func TestAppendBatchResponse(t *testing.T) {
	job := event.BatchJob{InvocationSchemaVersion: "2.0", InvocationID: `i"\` + "\n", Tasks: []event.BatchTask{
		{TaskID: "one"}, {TaskID: "two"}, {TaskID: ""}, {TaskID: "four"}, {TaskID: "five"},
	}}
	got := event.AppendBatchResponse([]byte("kept:"), &job, []event.BatchResult{
		{Code: event.BatchSucceeded, Text: "3 lines"},
		{Code: event.BatchPermanentFailure, Text: "gone:\r\n\x1b[1m\u202e\xff\"é\""},
		{Code: event.BatchSucceeded},
		{},
	})
	assert.Equal(t, `kept:{"invocationSchemaVersion":"2.0","treatMissingKeysAs":"PermanentFailure","invocationId":"i\"\\\u000a","results":[`+
		`{"taskId":"one","resultCode":"Succeeded","resultString":"3 lines"},`+
		`{"taskId":"two","resultCode":"PermanentFailure","resultString":"gone:   [1m  \"é\""},`+
		`{"taskId":"four","resultCode":"TemporaryFailure","resultString":""},`+
		`{"taskId":"five","resultCode":"TemporaryFailure","resultString":"not reached"}]}`, string(got))
	assert.JSONEq(t, `{"invocationSchemaVersion":"","treatMissingKeysAs":"PermanentFailure","invocationId":"","results":[]}`,
		string(event.AppendBatchResponse(nil, &event.BatchJob{}, nil)))
}

func TestResultTextIsBounded(t *testing.T) {
	job := event.BatchJob{Tasks: []event.BatchTask{{TaskID: "t"}}}
	for _, character := range []string{"x", "é", "日"} {
		got := event.AppendBatchResponse(nil, &job, []event.BatchResult{{Text: strings.Repeat(character, 2000)}})
		assert.Contains(t, string(got), `"resultString":"`+strings.Repeat(character, 1024)+`"`)
	}
}

func TestAppendBatchItemFailures(t *testing.T) {
	assert.JSONEq(t, `{"batchItemFailures":[]}`, string(event.AppendBatchItemFailures(nil, nil)))
	assert.Equal(t, `kept:{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b\"\\\u0000c"}]}`,
		string(event.AppendBatchItemFailures([]byte("kept:"), []string{"a", "b\"\\\x00c"})))
}

// FuzzParseBatchJob holds the reader to encoding/json: as many tasks, each with the same id, and an answer with one result
// for each task that has one.
func FuzzParseBatchJob(f *testing.F) {
	f.Add(load(f, "batch-1.0"))
	f.Add(load(f, "batch-2.0"))
	f.Add([]byte(`{"invocationSchemaVersion":1,"invocationId":"\u2028","tasks":[null,{"taskId":"\"","s3Key":"%"},7,{"taskId":1e3}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		job, err := event.ParseBatchJob(payload)
		answer := event.AppendBatchResponse(nil, &job, make([]event.BatchResult, len(job.Tasks)/2))
		require.True(t, json.Valid(answer))
		var want struct {
			Tasks []json.RawMessage `json:"tasks"`
		}
		var members map[string]json.RawMessage
		if !json.Valid(payload) || !utf8.Valid(payload) || json.Unmarshal(payload, &members) != nil {
			return
		}
		if members["tasks"] == nil || json.Unmarshal(members["tasks"], &want.Tasks) != nil {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.Len(t, job.Tasks, len(want.Tasks))
		var got struct {
			Results []map[string]string `json:"results"`
		}
		require.NoError(t, json.Unmarshal(answer, &got))
		var ids, answered []string
		for i, doc := range want.Tasks {
			var task map[string]json.RawMessage
			_ = json.Unmarshal(doc, &task)
			require.Equal(t, plain(task["taskId"]), job.Tasks[i].TaskID, fmt.Sprint(i))
			if id := job.Tasks[i].TaskID; id != "" {
				ids = append(ids, id)
			}
			if job.Tasks[i].Err == nil {
				assert.NotEmpty(t, job.Tasks[i].Object.Key)
			}
		}
		for _, result := range got.Results {
			answered = append(answered, result["taskId"])
		}
		assert.Equal(t, ids, answered)
	})
}
