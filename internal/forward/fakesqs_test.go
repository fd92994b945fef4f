package forward

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"sluice/internal/awsenv"
)

const continueQueue = "https://sqs.eu-west-1.amazonaws.com/123456789012/sluice-continue"

// fakeQueue is SQS: it takes messages. It is safe for concurrent use.
type fakeQueue struct {
	refuse error // of every message

	mu   sync.Mutex
	sent []string // bodies
}

func (q *fakeQueue) Call(ctx context.Context, s awsenv.Service, _, operation string, in, out any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return err
	}
	var asked struct{ QueueUrl, MessageBody string } //nolint:revive // AWS's own spelling
	if err := json.Unmarshal(raw, &asked); err != nil {
		return err
	}
	switch {
	case s.Name != "sqs" || operation != "SendMessage" || asked.QueueUrl != continueQueue:
		return fmt.Errorf("%s %s to %s was not expected", s.Name, operation, asked.QueueUrl)
	case q.refuse != nil:
		return q.refuse
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sent = append(q.sent, asked.MessageBody)
	return json.Unmarshal([]byte(`{"MessageId":"1"}`), out)
}

// take empties the queue.
func (q *fakeQueue) take() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	sent := q.sent
	q.sent = nil
	return sent
}

// receivedFor is an event of SQS with messages that are received for the n-th time.
func receivedFor(n int, bodies ...string) []byte {
	return []byte(strings.ReplaceAll(string(inQueue(bodies...)), `"ApproximateReceiveCount":"1"`, fmt.Sprintf(`"ApproximateReceiveCount":"%d"`, n)))
}
