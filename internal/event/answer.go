package event

import (
	"strconv"
	"unicode/utf8"
)

// BatchCode is what became of a task of S3 Batch Operations.
type BatchCode string

// The codes; S3 user guide, "Invoke AWS Lambda function", response and result codes.
const (
	BatchSucceeded        BatchCode = "Succeeded"
	BatchTemporaryFailure BatchCode = "TemporaryFailure" // S3 gives the task again before the job ends
	BatchPermanentFailure BatchCode = "PermanentFailure" // goes into the job's report
)

// BatchResult is the answer for one task.
type BatchResult struct {
	Code BatchCode // any other value, the empty one included, is answered as a temporary failure
	Text string    // for the job's report; cut at 1024 characters, what does not print becomes a space
}

// maxResultRunes bounds what an answer says of a task: what a line of the job's report is fit to hold. The bound is ours.
const maxResultRunes = 1024

// AppendBatchResponse appends the answer to S3 Batch Operations to dst and returns the extended slice. results[i] is what
// became of job.Tasks[i]. A task without a result is answered as a temporary failure: S3 gives it again. A task without
// an id cannot be answered, so treatMissingKeysAs speaks for it.
func AppendBatchResponse(dst []byte, job *BatchJob, results []BatchResult) []byte {
	dst = appendText(append(dst, `{"invocationSchemaVersion":`...), job.InvocationSchemaVersion)
	dst = append(dst, `,"treatMissingKeysAs":"PermanentFailure","invocationId":`...)
	dst = appendText(dst, job.InvocationID)
	dst = append(dst, `,"results":[`...)
	comma := ""
	for i, task := range job.Tasks {
		if task.TaskID == "" {
			continue
		}
		result := BatchResult{Code: BatchTemporaryFailure, Text: "not reached"}
		if i < len(results) {
			result = results[i]
		}
		dst = appendText(append(append(dst, comma...), `{"taskId":`...), task.TaskID)
		dst = appendText(append(dst, `,"resultCode":`...), string(result.Code.orTemporary()))
		dst = appendText(append(dst, `,"resultString":`...), printable(result.Text))
		dst = append(dst, '}')
		comma = ","
	}
	return append(dst, "]}"...)
}

func (c BatchCode) orTemporary() BatchCode {
	switch c {
	case BatchSucceeded, BatchPermanentFailure:
		return c
	default:
		return BatchTemporaryFailure
	}
}

// printable returns the first characters of text, with a space for each that does not print or is no UTF-8.
func printable(text string) string {
	var clean []byte
	left := maxResultRunes
	for _, r := range text {
		if left == 0 {
			break
		}
		left--
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			r = ' '
		}
		clean = utf8.AppendRune(clean, r)
	}
	return string(clean)
}

// AppendBatchItemFailures appends the answer to an SQS batch to dst and returns the extended slice: ids are those of the
// messages that failed, which SQS gives again. No ids is success, written as an empty list.
//
// An empty id, or one that is not in the batch, makes Lambda return the whole batch: where a message without an id failed,
// return an error instead.
// Format: Lambda developer guide, "Implementing partial batch responses".
func AppendBatchItemFailures(dst []byte, ids []string) []byte {
	dst = append(dst, `{"batchItemFailures":[`...)
	for i, id := range ids {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendText(append(dst, `{"itemIdentifier":`...), id), '}')
	}
	return append(dst, "]}"...)
}

// appendText appends s as a JSON string. What is no UTF-8 becomes U+FFFD.
func appendText(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&0xF])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
