package owner

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"sluice/e2e/stack/envelope"
)

// Limits and defaults of a queue and its event source mapping.
const (
	maxMessageBytes     = 1_048_576 // Amazon SQS quotas since 2025-08
	defaultBatchSize    = 10        // "Using Lambda with Amazon SQS", parameters
	defaultMaxReceives  = 5         // the least AWS advises for a source of Lambda
	messageOverhead     = 1_000     // envelope of one message, an upper bound
	escapedBytesPerByte = 2         // JSON in JSON, an upper bound for text without control characters
)

// QueueConfig is a standard queue and its event source mapping. ReportBatchItemFailures is always on.
type QueueConfig struct {
	Queue       envelope.Queue
	BatchSize   int     // messages of a batch; 0 means 10
	MaxReceives int     // maxReceiveCount of the redrive policy; 0 means 5
	Visibility  Backoff // how long a message that was not taken stays hidden, by its next receive count; nil means not at all

	// What a standard queue may do by itself.
	Shuffle bool    // hand messages over in any order
	Repeat  float64 // share of the messages taken, 0 to 1, that come once more
	Seed    uint64  // chooses the order and the messages
}

// maxHops is how many messages a function may send in answer to one another before Lambda stops it ("Use Lambda recursive
// loop detection").
const maxHops = 16

// Queue is a standard queue with the event source mapping that empties it. Step and Drain are for one goroutine at a time;
// messages may be sent from any, as the function does while it works on a batch.
type Queue struct {
	function Invoker
	cfg      QueueConfig

	mu       sync.Mutex // guards what follows; never held while the function works
	random   *rand.Rand
	messages []message // waiting, in the order they were sent or hidden
	sent     int
	hops     int // of the batch the function works on

	// History and Failures grow as the queue is drained, and are for who drains it. Failures is the dead-letter queue, a
	// message each.
	History  []Delivery
	Failures []Failure
}

// message is one message with the payloads it announces.
type message struct {
	envelope.Message
	payloads  []string
	due       time.Time
	repeated  bool // it was taken once and is here again by the queue's own doing
	hops      int  // messages before it in a chain that the function itself has made
	continued bool // it was sent by the function
}

// NewQueue returns an empty queue.
func NewQueue(f Invoker, cfg QueueConfig) *Queue {
	if cfg.BatchSize == 0 {
		cfg.BatchSize = defaultBatchSize
	}
	if cfg.MaxReceives == 0 {
		cfg.MaxReceives = defaultMaxReceives
	}
	if cfg.Visibility == nil {
		cfg.Visibility = noBackoff
	}
	return &Queue{function: f, cfg: cfg, random: rand.New(rand.NewPCG(cfg.Seed, 0))}
}

// Send queues a message that announces the payloads, and returns its id. Payloads may be none, for a message that
// brings nothing.
func (q *Queue) Send(body []byte, payloads ...string) (string, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.add(message{payloads: payloads}, body)
}

// Continue queues a message that the function sends itself, for the rest of the payloads. It is one hop further than what
// the function is working on; Lambda does not deliver the sixteenth.
func (q *Queue) Continue(body []byte, payloads ...string) (string, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.add(message{payloads: payloads, continued: true, hops: q.hops + 1}, body)
}

// add puts a message in the queue. The caller holds mu.
func (q *Queue) add(m message, body []byte) (string, error) {
	if len(body) > maxMessageBytes {
		return "", fmt.Errorf("send a message of %d bytes: over the limit of %d", len(body), maxMessageBytes)
	}
	if !utf8.Valid(body) {
		return "", fmt.Errorf("send a message of %d bytes: SQS takes valid UTF-8 only", len(body))
	}
	q.sent++
	id := fmt.Sprintf("059f36b4-87a3-44ab-83d2-%012d", q.sent)
	m.Message = envelope.Message{ID: id, Body: string(body), Sent: time.Now()}
	q.messages = append(q.messages, m)
	return id, nil
}

// Pending is how many messages are still in the queue.
func (q *Queue) Pending() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.messages)
}

// Drain delivers until the queue is empty.
func (q *Queue) Drain(ctx context.Context) error {
	for {
		if more, err := q.Step(ctx); err != nil || !more {
			return err
		}
	}
}

// Step delivers one batch of the messages that are visible, waiting for the first of them, and says whether there was
// one.
func (q *Queue) Step(ctx context.Context) (bool, error) {
	due, some := q.firstDue()
	if !some {
		return false, nil
	}
	if err := wait(ctx, time.Until(due)); err != nil {
		return false, fmt.Errorf("wait for a message: %w", err)
	}
	batch := q.receive(time.Now())
	if len(batch) == 0 {
		return true, nil // all were stopped
	}
	list := make([]envelope.Message, len(batch))
	var payloads, continued []string
	attempt := 0
	for i, m := range batch {
		list[i] = m.Message
		payloads = append(payloads, m.payloads...)
		attempt = max(attempt, m.Receives)
		if m.continued && m.Receives == 1 {
			continued = append(continued, m.payloads...)
		}
	}
	event, err := envelope.SQS(q.cfg.Queue, list)
	if err != nil {
		return false, err
	}
	d, result, err := deliver(ctx, q.function, event, payloads, attempt)
	if err != nil {
		return false, err
	}
	d.Continued = continued
	q.settle(batch, d, result.Response)
	return true, nil
}

// firstDue is when the first message is visible, if there is one.
func (q *Queue) firstDue() (time.Time, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.messages) == 0 {
		return time.Time{}, false
	}
	return slices.MinFunc(q.messages, func(a, b message) int { return a.due.Compare(b.due) }).due, true
}

// receive takes visible messages out of the queue: at most BatchSize and 6 MB, at least one unless all were stopped as a
// loop.
func (q *Queue) receive(now time.Time) []message {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.cfg.Shuffle {
		q.random.Shuffle(len(q.messages), func(i, j int) { q.messages[i], q.messages[j] = q.messages[j], q.messages[i] })
	}
	var batch, rest []message
	total := 0
	q.hops = 0
	for _, m := range q.messages {
		size := len(m.Body)*escapedBytesPerByte + messageOverhead
		if m.due.After(now) || len(batch) == q.cfg.BatchSize || len(batch) > 0 && total+size > maxBatchBytes {
			rest = append(rest, m)
			continue
		}
		if m.hops >= maxHops {
			q.Failures = append(q.Failures, Failure{Payloads: m.payloads, Attempts: m.Receives, Error: "stopped: a recursive loop"})
			continue
		}
		total += size
		q.hops = max(q.hops, m.hops)
		m.Receives++
		if m.FirstReceived.IsZero() {
			m.FirstReceived = now
		}
		batch = append(batch, m)
	}
	q.messages = rest
	return batch
}

// settle removes the messages the function took and hides the others.
func (q *Queue) settle(batch []message, d Delivery, response []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hops = 0
	failed := func(string) bool { return true }
	if d.Outcome == Taken {
		reported, ok := reportedItems(response, batch)
		switch {
		case !ok:
			d.Outcome, d.Error = Failed, "the response has a wrong shape or names an unknown or empty item"
		default:
			failed = func(id string) bool { return reported[id] }
			if len(reported) > 0 {
				d.Outcome = Partly
			}
		}
	}
	q.History = append(q.History, d)
	for _, m := range batch {
		switch {
		case failed(m.ID):
			q.again(m, d.Error)
		case !m.repeated && m.Receives < q.cfg.MaxReceives && q.random.Float64() < q.cfg.Repeat:
			m.repeated = true
			q.hide(m)
		}
	}
}

// again hides a message until its next receive, or gives it to the dead-letter queue when it had its last.
func (q *Queue) again(m message, reason string) {
	if m.Receives < q.cfg.MaxReceives {
		q.hide(m)
		return
	}
	if reason == "" {
		reason = "reported as failed at receive " + strconv.Itoa(m.Receives)
	}
	q.Failures = append(q.Failures, Failure{Payloads: m.payloads, Attempts: m.Receives, Error: reason})
}

func (q *Queue) hide(m message) {
	m.due = time.Now().Add(q.cfg.Visibility(m.Receives + 1))
	q.messages = append(q.messages, m)
}
