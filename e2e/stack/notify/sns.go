package notify

import (
	"crypto/sha256"
	"fmt"
	"time"

	"sluice/e2e/stack"
)

const (
	topicARN        = "arn:aws:sns:" + stack.Region + ":" + stack.Account + ":log-objects"
	subscriptionARN = topicARN + ":21be56ed-a058-49f5-8c98-000000000000"
	snsHost         = "https://sns." + stack.Region + ".amazonaws.com/"
	signingCert     = snsHost + "SimpleNotificationService-example.pem"
	unsubscribe     = snsHost + "?Action=Unsubscribe&SubscriptionArn=" + subscriptionARN
)

// notification is what both SNS shapes have in common.
type notification struct {
	Type      string
	MessageID string `json:"MessageId"`
	TopicARN  string `json:"TopicArn"`
	Subject   string
	Message   string
	Timestamp string

	SignatureVersion string
	Signature        string
}

func notice(message []byte, at time.Time) notification {
	return notification{
		Type: "Notification", MessageID: uuid(string(message)), TopicARN: topicARN, Subject: "Amazon S3 Notification",
		Message: string(message), Timestamp: at.UTC().Format(millisLayout),
		SignatureVersion: "1", Signature: "EXAMPLEpH+example",
	}
}

// SNS is the event by which SNS invokes a function. SNS puts one message into an event.
func SNS(at time.Time, messages ...[]byte) []byte {
	type delivered struct {
		notification
		SigningCert string         `json:"SigningCertUrl"` // the body of an SQS message spells them otherwise
		Unsubscribe string         `json:"UnsubscribeUrl"`
		Attributes  map[string]any `json:"MessageAttributes"`
	}
	type snsRecord struct {
		EventSource, EventVersion string
		SubscriptionARN           string    `json:"EventSubscriptionArn"`
		SNS                       delivered `json:"Sns"`
	}
	out := struct {
		Records []snsRecord
	}{make([]snsRecord, len(messages))}
	for i, message := range messages {
		out.Records[i] = snsRecord{
			EventSource: "aws:sns", EventVersion: "1.0", SubscriptionARN: subscriptionARN,
			SNS: delivered{notice(message, at), signingCert, unsubscribe, map[string]any{}},
		}
	}
	return encode(out)
}

// SNSBody is the body of the SQS message by which SNS hands on a message, without raw delivery.
func SNSBody(at time.Time, message []byte) []byte {
	return encode(struct {
		notification
		SigningCertURL string
		UnsubscribeURL string
	}{notice(message, at), signingCert, unsubscribe})
}

// uuid has the shape of a UUID and is the same for the same text.
func uuid(text string) string {
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
