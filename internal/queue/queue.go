// Package queue sends messages to a queue of SQS.
//
// It promises that a message whose Send returned nil is in the queue. One whose Send failed may be in it as well: a call
// whose answer was lost is made again.
//
// It does not receive, knows nothing of what is in a message, and does not send to FIFO queues.
package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"sluice/internal/awsenv"
)

// MaxMessageBytes is the largest message that SQS takes (SQS developer guide, "Amazon SQS message quotas"; 256 KiB until
// August 2025). A queue may be set to take less.
const MaxMessageBytes = 1 << 20

// Caller makes one signed call of the JSON protocol; *[awsenv.Environment] is one. A refusal by AWS has to be an
// *[awsenv.APIError].
type Caller interface {
	Call(ctx context.Context, s awsenv.Service, region, operation string, in, out any) error
}

// service is SQS. Format: SQS API reference, "Making Query API requests using AWS JSON protocol".
var service = awsenv.Service{Name: "sqs", SDKID: "SQS", Target: "AmazonSQS", Protocol: "1.0"}

// Queue is one queue. It is safe for concurrent use.
type Queue struct {
	aws    Caller
	url    string
	region string // empty for the function's own
	err    error  // what is wrong with the URL
}

// New returns the queue that a URL names. What is wrong with the URL is told by each Send, and by CheckURL beforehand.
func New(caller Caller, url string) *Queue {
	q := &Queue{aws: caller, url: url}
	q.region, q.err = regionOf(url)
	return q
}

// CheckURL reports what keeps url from being that of a standard queue; see regionOf for the forms that are known.
func CheckURL(url string) error {
	_, err := regionOf(url)
	return err
}

// sendMessage and sent are the members of the operation SendMessage that are used.
type sendMessage struct {
	QueueURL    string `json:"QueueUrl"`
	MessageBody string
}

type sent struct {
	MessageID string `json:"MessageId"`
}

// Send puts one message into the queue: 1 byte to MaxMessageBytes of UTF-8 without the characters that SQS refuses. It
// lasts as long as ctx and the tries of the caller allow. The body is neither kept nor quoted in an error.
func (q *Queue) Send(ctx context.Context, body []byte) error {
	if q.err != nil {
		return fmt.Errorf("send a message of %d bytes: %w", len(body), q.err)
	}
	if err := checkBody(body); err != nil {
		return fmt.Errorf("send a message to %s: %w", q.url, err)
	}
	var answer sent
	in := sendMessage{QueueURL: q.url, MessageBody: string(body)}
	if err := q.aws.Call(ctx, service, q.region, "SendMessage", in, &answer); err != nil {
		return fmt.Errorf("send a message of %d bytes to %s: %w%s", len(body), q.url, err, advice(err))
	}
	if answer.MessageID == "" {
		return fmt.Errorf("send a message to %s: the answer names no message, so it did not come from SQS; "+
			"check AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL and proxies", q.url)
	}
	return nil
}

// checkBody tells what SQS would refuse, or replace by U+FFFD without a word.
// Source: SQS API reference, SendMessage, MessageBody.
func checkBody(body []byte) error {
	switch {
	case len(body) == 0:
		return errors.New("the message is empty: SQS takes 1 byte or more")
	case len(body) > MaxMessageBytes:
		return fmt.Errorf("the message has %d bytes: SQS takes %d", len(body), MaxMessageBytes)
	case !utf8.Valid(body):
		return errors.New("the message is not UTF-8: SQS takes text alone")
	}
	for i, r := range string(body) {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == '\uFFFE' || r == '\uFFFF' {
			return fmt.Errorf("the message has the character %U at byte %d, which SQS does not take", r, i)
		}
	}
	return nil
}

// advice says what to do about a refusal, after "; "; "" when AWS's own words have to do.
func advice(err error) string {
	api, ok := errors.AsType[*awsenv.APIError](err)
	if !ok {
		return ""
	}
	switch code := strings.ToLower(api.Code); {
	case strings.Contains(code, "kms") && strings.Contains(code, "accessdenied"):
		return "; grant the function kms:GenerateDataKey and kms:Decrypt on the key of the queue"
	case strings.Contains(code, "accessdenied"):
		return "; grant the function sqs:SendMessage on the queue, in its role and, in another account, in the queue's policy"
	case strings.Contains(code, "queuedoesnotexist"), strings.Contains(code, "nonexistentqueue"), strings.Contains(code, "invalidaddress"):
		return "; check the URL of the queue: its region, account and name"
	case strings.Contains(code, "invalidparametervalue"):
		return "; the queue may be set to smaller messages: raise its MaximumMessageSize to 1048576"
	default:
		return ""
	}
}
