package envelope

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Queue names the queue a batch comes from.
type Queue struct {
	ARN    string
	Region string
}

// Message is one message of a queue.
type Message struct {
	ID            string
	Body          string // valid UTF-8
	Receives      int    // with this one, so at least 1
	Sent          time.Time
	FirstReceived time.Time
}

type sqsRecord struct {
	ID                string            `json:"messageId"`
	Receipt           string            `json:"receiptHandle"`
	Body              string            `json:"body"`
	Attributes        map[string]string `json:"attributes"`
	MessageAttributes struct{}          `json:"messageAttributes"`
	MD5               string            `json:"md5OfBody"`
	EventSource       string            `json:"eventSource"`
	EventSourceARN    string            `json:"eventSourceARN"`
	Region            string            `json:"awsRegion"`
}

// SQS wraps messages as one batch of an event source mapping, in the given order. Format: "Using AWS Lambda with Amazon
// SQS", standard queue.
func SQS(queue Queue, messages []Message) ([]byte, error) {
	batch := struct {
		Records []sqsRecord `json:"Records"`
	}{make([]sqsRecord, len(messages))}
	for i, m := range messages {
		sum := md5.Sum([]byte(m.Body))
		batch.Records[i] = sqsRecord{
			ID:      m.ID,
			Receipt: base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s receipt %d", m.ID, m.Receives)),
			Body:    m.Body,
			Attributes: map[string]string{
				"ApproximateReceiveCount":          strconv.Itoa(m.Receives),
				"SentTimestamp":                    millis(m.Sent),
				"SenderId":                         "AIDAEXAMPLESENDERID",
				"ApproximateFirstReceiveTimestamp": millis(m.FirstReceived),
			},
			MD5:            hex.EncodeToString(sum[:]),
			EventSource:    "aws:sqs",
			EventSourceARN: queue.ARN,
			Region:         queue.Region,
		}
	}
	body, err := json.Marshal(batch)
	if err != nil {
		return nil, fmt.Errorf("wrap %d sqs messages: %w", len(messages), err)
	}
	return body, nil
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
