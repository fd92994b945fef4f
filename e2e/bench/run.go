package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"sluice/e2e/stack"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/sqs"
)

const (
	parkName  = "example-park"
	queueName = "sluice-objects"
	maxRuns   = 100 // of one object: a chain that does not end is a fault
)

// chain is the queue by which the function hands on what it has no time for.
type chain struct {
	server *sqs.Server
	url    string

	mu       sync.Mutex
	messages []string // waiting
	sent     int
}

func newChain() (*chain, error) {
	server, err := sqs.Start()
	if err != nil {
		return nil, fmt.Errorf("start the queue: %w", err)
	}
	c := &chain{server: server}
	c.url = server.Queue(queueName, func(body []byte) (string, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sent++
		c.messages = append(c.messages, string(body))
		return c.id(), nil
	})
	return c, nil
}

// id names the message that was sent last. The lock is held.
func (c *chain) id() string { return fmt.Sprintf("059f36b4-87a3-44ab-83d2-%012d", c.sent) }

func (c *chain) env() map[string]string {
	env := c.server.Env()
	env["SLUICE_CONTINUE_QUEUE"], env["SLUICE_PARK_BUCKET"] = c.url, parkName
	return env
}

// next is the event of the message that waits; nil when none does.
func (c *chain) next() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.messages) == 0 {
		return nil, nil
	}
	now := time.Now()
	m := envelope.Message{ID: c.id(), Body: c.messages[0], Receives: 1, Sent: now, FirstReceived: now}
	c.messages = slices.Delete(c.messages, 0, 1)
	arn := "arn:aws:sqs:" + stack.Region + ":" + stack.Account + ":" + queueName
	return envelope.SQS(envelope.Queue{ARN: arn, Region: stack.Region}, []envelope.Message{m})
}

// invoke announces the object to a process of its own and measures it, over as many invocations as it takes.
func (b *bench) invoke(ctx context.Context, put notify.Object, intake string, inFlight int) (f figures, err error) {
	queue, err := newChain()
	if err != nil {
		return figures{}, err
	}
	defer func() { err = errors.Join(err, queue.server.Close()) }()
	env := b.env(intake, inFlight)
	maps.Copy(env, queue.env())
	function, err := stack.New(stack.Config{
		Binary: b.binary, Name: "sluice-s3", MemoryMiB: b.opts.memoryMiB, Timeout: b.opts.timeout, Env: env,
	})
	if err != nil {
		return figures{}, fmt.Errorf("set the function up: %w", err)
	}
	before, start := readMachine(), time.Now()
	f.ledger, f.runs, err = b.invokeAll(ctx, function, notify.Native(put), queue)
	f.wall, f.machine = time.Since(start), readMachine().since(before)
	// The processor time of a process is known once it has ended.
	if err := errors.Join(err, function.Close()); err != nil {
		return figures{}, err
	}
	usage := function.Usage()
	f.cpu, f.peakBytes = usage.CPU, usage.PeakRSSBytes
	return f, nil
}

// invokeAll invokes the function with an event, and with what it hands on, and adds its accounts up.
func (b *bench) invokeAll(ctx context.Context, function *stack.Function, event []byte, queue *chain) (sum stack.Destination, runs int, err error) {
	for event != nil {
		if runs++; runs > maxRuns {
			return sum, runs, fmt.Errorf("the object is not done with after %d invocations", maxRuns)
		}
		result, err := function.Invoke(ctx, event)
		if err != nil {
			return sum, runs, fmt.Errorf("invocation %d: %w", runs, err)
		}
		ledger, err := b.ledger(ctx, function, result)
		if err != nil {
			return sum, runs, err
		}
		of := ledger.Destinations[destination]
		if !of.Balanced() {
			return sum, runs, fmt.Errorf("invocation %d: the ledger does not balance: %+v", runs, of)
		}
		sum.In += of.In - of.Returned["continued"] // which is no line
		sum.Delivered += of.Delivered
		if event, err = queue.next(); err != nil {
			return sum, runs, fmt.Errorf("queue: %w", err)
		}
	}
	return sum, runs, nil
}
