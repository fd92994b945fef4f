package notify

import "strconv"

// task is one object in a request of S3 Batch Operations.
type task struct {
	ID        string  `json:"taskId"`
	Key       string  `json:"s3Key"` // form-encoded, as in the manifest
	VersionID *string `json:"s3VersionId"`
	BucketARN string  `json:"s3BucketArn,omitempty"` // schema 1.0
	Bucket    string  `json:"s3Bucket,omitempty"`    // schema 2.0
}

type batchRequest struct {
	Schema       string `json:"invocationSchemaVersion"`
	InvocationID string `json:"invocationId"`
	Job          struct {
		ID        string            `json:"id"`
		Arguments map[string]string `json:"userArguments,omitempty"`
	} `json:"job"`
	Tasks []task `json:"tasks"`
}

// BatchOperations1 is a request of S3 Batch Operations, schema 1.0: buckets are ARNs. The objects are the tasks "task-1",
// "task-2" and so on. AWS puts one task into a request.
func BatchOperations1(invocationID string, objects ...Object) []byte {
	request := batchRequest{Schema: "1.0", InvocationID: invocationID, Tasks: tasks(objects)}
	for i, o := range objects {
		request.Tasks[i].BucketARN = bucketARN(o.Bucket)
	}
	request.Job.ID = batchJobID
	return encode(request)
}

// BatchOperations2 is a request of S3 Batch Operations, schema 2.0: buckets are names and the job may have arguments.
func BatchOperations2(invocationID string, arguments map[string]string, objects ...Object) []byte {
	request := batchRequest{Schema: "2.0", InvocationID: invocationID, Tasks: tasks(objects)}
	for i, o := range objects {
		request.Tasks[i].Bucket = o.Bucket
	}
	request.Job.ID, request.Job.Arguments = batchJobID, arguments
	return encode(request)
}

const batchJobID = "f3cc4f60-61f6-4a2b-8a21-000000000000"

// tasks leaves the buckets to the schema.
func tasks(objects []Object) []task {
	list := make([]task, len(objects))
	for i, o := range objects {
		list[i] = task{ID: "task-" + strconv.Itoa(i+1), Key: FormKey(o.Key)}
		if o.VersionID != "" {
			list[i].VersionID = &o.VersionID
		}
	}
	return list
}
