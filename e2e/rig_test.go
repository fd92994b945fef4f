package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

const (
	oldKey = "deadbeefdeadbeefdeadbeefdeadbeef"
	newKey = "cafef00dcafef00dcafef00dcafef00d"

	maxAttempts      = 4 // of one batch, delivery contract 2.5
	kinesisWindow    = 4 // batches that a restart may repeat, delivery contract 2.2
	maxOwnLines      = 3 // log lines of an invocation, delivery contract 2.10
	shard            = "shardId-000000000000"
	defaultDest      = "datadog" // id of the destination the environment describes
	settleTime       = 30 * time.Second
	invocationBudget = 25 * time.Second
)

var builds = map[string]func() (string, error){
	"cloudwatch": sync.OnceValues(func() (string, error) { return buildFunction("cloudwatch") }),
	"kinesis":    sync.OnceValues(func() (string, error) { return buildFunction("kinesis") }),
	"s3":         sync.OnceValues(func() (string, error) { return buildFunction("s3") }),
	"firehose":   sync.OnceValues(func() (string, error) { return buildFunction("firehose") }),
}

func buildFunction(name string) (string, error) {
	return stack.Build(context.Background(), "..", "./functions/"+name)
}

// rig is one function between its owner and an intake.
type rig struct {
	t        *testing.T
	intake   *intake.Server
	function *stack.Function
	queue    *owner.Async
	mapping  *owner.Mapping
	objects  *owner.Queue     // of messages that announce objects
	jobs     []owner.Delivery // tasks of S3 Batch Operations
	generate *generate.Generator
	lines    []generate.Line
}

// setup is what a test changes of a rig.
type setup struct {
	function string            // "cloudwatch" when empty
	env      map[string]string // over the usual settings; an empty value removes one
	timeout  time.Duration
	batch    int  // records of a Kinesis batch
	retries  int  // of a Kinesis batch
	bisect   bool // of a Kinesis batch

	versioned bool // the bucket that objects are in keeps what is overwritten
}

func newRig(t *testing.T, s setup) *rig {
	t.Helper()
	if s.function == "" {
		s.function = "cloudwatch"
	}
	if s.timeout == 0 {
		s.timeout = invocationBudget
	}
	binary, err := builds[s.function]()
	require.NoError(t, err)
	r := &rig{t: t, generate: generate.New(1, time.Now())}
	r.intake, err = intake.StartDatadog(oldKey)
	require.NoError(t, err)
	env := map[string]string{"DD_API_KEY": oldKey, "DD_URL": r.intake.URL(), "DD_TAGS": "env:e2e"}
	for name, value := range s.env {
		if _, usual := env[name]; usual && value == "" {
			delete(env, name)
			continue
		}
		env[name] = value
	}
	r.function, err = stack.New(stack.Config{Binary: binary, Name: "sluice-" + s.function, Timeout: s.timeout, Env: env})
	require.NoError(t, err)
	t.Cleanup(r.close)
	r.queue = owner.NewAsync(r.function, nil)
	r.mapping = owner.NewMapping(r.function, owner.MappingConfig{
		Stream:    envelope.Stream{ARN: "arn:aws:kinesis:eu-west-1:123456789012:stream/logs", Region: stack.Region},
		BatchSize: s.batch, MaxRetries: s.retries, Bisect: s.bisect,
	})
	r.objects = owner.NewQueue(r.function, owner.QueueConfig{
		Queue: envelope.Queue{ARN: "arn:aws:sqs:eu-west-1:123456789012:log-objects", Region: stack.Region},
	})
	return r
}

// close ends the rig and reads what the function printed: no key, no payload, few lines.
func (r *rig) close() {
	require.NoError(r.t, r.function.Close())
	require.NoError(r.t, r.intake.Close())
	output := r.function.Output()
	for _, line := range output {
		for _, secret := range []string{oldKey, newKey, `"crc":`, `crc\":`, "; crc:"} {
			assert.NotContains(r.t, line, secret, "the function's own output")
		}
	}
	invocations := len(r.history())
	assert.LessOrEqual(r.t, len(output), maxOwnLines*max(1, invocations), "lines of the function's own output")
	if r.t.Failed() {
		r.t.Logf("output of the function:\n%s", strings.Join(output[max(0, len(output)-20):], "\n"))
		for _, req := range r.intake.Requests() {
			r.t.Logf("request %d: status %d, %d items, batch %s, %s", req.Number, req.Status, req.Items, req.Batch, req.Reason)
		}
	}
}

// payload makes one more payload and puts its lines into the manifest.
func (r *rig) payload(lines int) generate.Payload {
	p := r.generate.Payload(lines)
	r.lines = append(r.lines, p.Lines...)
	return p
}

// control makes the probe of a new subscription and puts it into the manifest.
func (r *rig) control() generate.Payload {
	p := r.generate.Control()
	r.lines = append(r.lines, p.Lines...)
	return p
}

// send queues one payload of a CloudWatch Logs subscription.
func (r *rig) send(lines int) generate.Payload {
	r.t.Helper()
	p := r.payload(lines)
	r.queueUp(p)
	return p
}

func (r *rig) queueUp(p generate.Payload) {
	r.t.Helper()
	event, err := p.Event()
	require.NoError(r.t, err)
	require.NoError(r.t, r.queue.Send(p.ID, event))
}

// step delivers the next event once and returns what the owner saw.
func (r *rig) step() owner.Delivery {
	r.t.Helper()
	more, err := r.queue.Step(r.t.Context())
	require.NoError(r.t, err)
	require.True(r.t, more, "the queue is empty")
	return r.queue.History[len(r.queue.History)-1]
}

func (r *rig) drain() {
	r.t.Helper()
	require.NoError(r.t, r.queue.Drain(r.t.Context()))
}

// ledger waits for the function's own count of a delivery.
func (r *rig) ledger(d owner.Delivery) stack.Ledger {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), settleTime)
	defer cancel()
	l, err := r.function.Ledger(ctx, d.RequestID)
	require.NoError(r.t, err)
	return l
}

// shard makes n records of a stream, each a payload of some lines.
func (r *rig) shard(n, lines int) []envelope.Record {
	var records []envelope.Record
	for range n {
		records = append(records, r.payload(lines).Record(shard, time.Now()))
	}
	return records
}

// audit ends the function and joins everything, for the destination of the usual settings.
func (r *rig) audit() *audit.Report {
	r.t.Helper()
	return r.auditOf(defaultDest, r.intake)
}

func (r *rig) auditOf(destination string, at *intake.Server) *audit.Report {
	r.t.Helper()
	report := audit.Join(r.evidence(destination, at))
	require.NoError(r.t, report.Verdict())
	return report
}

// evidence ends the function and collects what is known, but for the park store.
func (r *rig) evidence(destination string, at *intake.Server) audit.Evidence {
	r.t.Helper()
	require.NoError(r.t, r.function.Close())
	return audit.Evidence{
		Destination: destination,
		Lines:       r.lines,
		Entries:     at.Entries(),
		Ledgers:     r.function.Ledgers(),
		History:     r.history(),
		Failures:    slices.Concat(r.queue.Failures, r.mapping.Failures, r.objects.Failures),
	}
}

// history is every delivery, whoever made it.
func (r *rig) history() []owner.Delivery {
	return slices.Concat(r.queue.History, r.mapping.History, r.objects.History, r.jobs)
}

// deliverable is how many lines of a manifest have to arrive.
func deliverable(lines []generate.Line) int {
	n := 0
	for _, line := range lines {
		if line.Rule == "" {
			n++
		}
	}
	return n
}

// linesOf are the lines of one payload.
func linesOf(lines []generate.Line, payload string) []generate.Line {
	return slices.DeleteFunc(slices.Clone(lines), func(l generate.Line) bool { return l.Payload != payload })
}

// needle is the text by which a body holds one marked line; its quotes are escaped there.
func needle(line generate.Line) string {
	return fmt.Sprintf(`{\"seq\":%d,`, line.Mark.Seq)
}

// textNeedle is the same for a mark inside a text.
func textNeedle(line generate.Line) string {
	return fmt.Sprintf("(seq:%d;", line.Mark.Seq)
}

// marked is the first line at or after i that carries a mark.
func marked(lines []generate.Line, i int) generate.Line {
	for lines[i].Mark == (generate.Mark{}) {
		i++
	}
	return lines[i]
}

// statuses are the answers the intake gave, 0 where it gave none.
func statuses(s *intake.Server) []int {
	var list []int
	for _, request := range s.Requests() {
		list = append(list, request.Status)
	}
	return list
}
