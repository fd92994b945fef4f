package event

import (
	"errors"
	"fmt"
	"strings"

	"sluice/internal/jsonwalk"
)

// BatchJob is an invocation by S3 Batch Operations: objects of a manifest that are to be read, usually one.
type BatchJob struct {
	InvocationSchemaVersion string // "1.0" or "2.0"; goes back in the answer
	InvocationID            string // goes back in the answer
	JobID                   string
	UserArguments           map[string]string // schema 2.0: up to 10 pairs that the job's maker set; nil when there are none
	Tasks                   []BatchTask
}

// BatchTask is one object of the manifest.
type BatchTask struct {
	TaskID string // goes back in the answer; empty when it is missing, which is an Err too
	Object Object // Bucket, Key, VersionID and Region alone are known
	Err    error  // the task cannot be read; it says which member is missing or wrong
}

// IsBatchJob reports whether an event is an invocation by S3 Batch Operations, which ParseBatchJob reads. It ends at the
// first member that tells, so that a large event of another kind costs nothing.
func IsBatchJob(payload []byte) bool {
	var version, tasks bool
	members := jsonwalk.Object(payload)
	for members.Next() {
		switch string(members.Name()) {
		case "invocationSchemaVersion":
			version = true
		case "tasks":
			tasks = true
		case "Records":
			return false
		}
		if version && tasks {
			return true
		}
	}
	return false
}

// ParseBatchJob reads an invocation by S3 Batch Operations, of schema 1.0, which names the bucket by its ARN, or 2.0, which
// names it as it is. Keys are form-encoded in both, as manifests are.
//
// The error is about the event as a whole: not JSON, or no list of tasks. What is wrong with a task is told by its Err.
// Format: S3 user guide, "Invoke AWS Lambda function"; S3 control API reference, LambdaInvokeOperation.
func ParseBatchJob(payload []byte) (BatchJob, error) {
	var job BatchJob
	var details, tasks []byte
	members := jsonwalk.Object(payload)
	for members.Next() {
		switch string(members.Name()) {
		case "invocationSchemaVersion":
			job.InvocationSchemaVersion = scalar(members.Value())
		case "invocationId":
			job.InvocationID = scalar(members.Value())
		case "job":
			details = members.Value()
		case "tasks":
			tasks = members.Value()
		}
	}
	if err := members.Err(); err != nil {
		return BatchJob{}, fmt.Errorf("read S3 Batch Operations event of %d bytes: %w", len(payload), err)
	}
	if tasks == nil {
		return BatchJob{}, fmt.Errorf("event has members [%s]: expected \"tasks\" of S3 Batch Operations", memberNames(payload))
	}
	if err := job.readTasks(tasks); err != nil {
		return BatchJob{}, err
	}
	job.readDetails(details)
	return job, nil
}

// readDetails reads what there is of the member job: nothing depends on it.
func (j *BatchJob) readDetails(doc []byte) {
	members := jsonwalk.Object(doc)
	for members.Next() {
		switch string(members.Name()) {
		case "id":
			j.JobID = scalar(members.Value())
		case "userArguments":
			j.UserArguments = pairs(members.Value())
		}
	}
}

// pairs reads an object of texts; nil when it has none.
func pairs(doc []byte) map[string]string {
	var all map[string]string
	members := jsonwalk.Object(doc)
	for members.Next() {
		if all == nil {
			all = make(map[string]string)
		}
		all[string(members.Name())] = scalar(members.Value())
	}
	return all
}

func (j *BatchJob) readTasks(list []byte) error {
	if isNull(list) {
		return nil
	}
	elements := jsonwalk.Array(list)
	for elements.Next() {
		task := readTask(elements.Value())
		if task.Err != nil {
			task.Err = fmt.Errorf("tasks[%d]: %w", len(j.Tasks), task.Err)
		}
		j.Tasks = append(j.Tasks, task)
	}
	if err := elements.Err(); err != nil {
		return fmt.Errorf("read tasks of S3 Batch Operations: %w", err)
	}
	return nil
}

func readTask(doc []byte) BatchTask {
	task := BatchTask{Object: Object{SizeBytes: -1}}
	var arn string
	members := jsonwalk.Object(doc)
	for members.Next() {
		switch string(members.Name()) {
		case "taskId":
			task.TaskID = scalar(members.Value())
		case "s3Key":
			task.Object.Key = decodeKey(scalar(members.Value()))
		case "s3VersionId":
			task.Object.VersionID = scalar(members.Value())
		case "s3BucketArn":
			arn = scalar(members.Value())
		case "s3Bucket":
			task.Object.Bucket = scalar(members.Value())
		}
	}
	if task.Err = members.Err(); task.Err == nil {
		task.Err = task.check(arn)
	}
	return task
}

// check completes the task from the ARN of its bucket and tells what keeps its object from being asked for.
func (t *BatchTask) check(arn string) error {
	if t.TaskID == "" {
		return errors.New("taskId is missing or empty")
	}
	bucket, region := bucketOfARN(arn)
	t.Object.Region = region
	if t.Object.Bucket == "" {
		t.Object.Bucket = bucket
	}
	return t.Object.check()
}

// bucketOfARN returns the bucket and the region of arn:partition:s3:region:account:bucket. A bucket's ARN has no region
// and no account as a rule; "" is returned for what is not there, and for both when it is no such ARN.
func bucketOfARN(arn string) (bucket, region string) {
	const parts = 6
	words := strings.SplitN(arn, ":", parts)
	if len(words) != parts || words[0] != "arn" || words[2] != "s3" {
		return "", ""
	}
	return words[parts-1], knownRegion(words[3])
}
