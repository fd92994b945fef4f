package event

import (
	"errors"
	"fmt"

	"sluice/internal/jsonwalk"
)

// AwsLogsData returns the base64 text of a CloudWatch Logs subscription event, {"awslogs":{"data":"…"}}.
//
// The text is a view of payload, never a copy, unless it holds a JSON escape such as \/ or \u002b. Members may come in any
// order, between others; of two with one name the last counts. The error for another kind of event names the members it
// has instead, so that a function with the wrong trigger can be told from its log.
// Format: CloudWatch Logs user guide, "Using subscription filters", Lambda example.
func AwsLogsData(payload []byte) ([]byte, error) {
	envelope, err := member(payload, "awslogs")
	if err != nil {
		return nil, fmt.Errorf("read CloudWatch Logs event of %d bytes: %w", len(payload), err)
	}
	if envelope == nil {
		return nil, fmt.Errorf("event has members [%s]: expected \"awslogs\"%s", memberNames(payload), otherFunction(payload))
	}
	data, err := member(envelope, "data")
	if err != nil {
		return nil, fmt.Errorf("read awslogs: %w", err)
	}
	if data == nil {
		return nil, fmt.Errorf("awslogs has members [%s]: expected \"data\"", memberNames(envelope))
	}
	text, ok := jsonwalk.Text(data)
	if !ok {
		return nil, errors.New("awslogs.data is not a JSON string: expected base64")
	}
	return text, nil
}

// otherFunction returns the end of an error about an event that another function takes, or nothing.
func otherFunction(payload []byte) string {
	detail, err := member(payload, "detail-type")
	if err != nil || detail == nil {
		return ""
	}
	return "; give events of EventBridge to functions/s3"
}

// member returns the value of the last member called name of the object in doc, nil when there is none.
func member(doc []byte, name string) ([]byte, error) {
	var value []byte
	members := jsonwalk.Object(doc)
	for members.Next() {
		if string(members.Name()) == name {
			value = members.Value()
		}
	}
	if err := members.Err(); err != nil {
		return nil, err
	}
	return value, nil
}
