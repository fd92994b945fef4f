package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/delivery"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
)

const (
	accessKey     = "an-invented-access-key-of-the-endpoint"
	kinesisSource = "arn:aws:kinesis:eu-west-1:123456789012:stream/logs"
)

// loopRig is both functions of the closed loop: functions/firehose, which transforms, and functions/s3, which delivers
// what Firehose could not. One rig serves many streams, one after the other.
type loopRig struct {
	*s3Rig

	transformer *stack.Function
	invocations int  // of the transformer
	reingest    bool // it puts records back
	textOnly    bool // its output is the texts of lines
}

// newLoopRig builds both functions; env is the environment of functions/firehose, which needs no key.
func newLoopRig(t *testing.T, env map[string]string, s setup) *loopRig {
	t.Helper()
	r := &loopRig{s3Rig: newS3Rig(t, s)}
	r.deployTransformer(env)
	return r
}

func (r *loopRig) deployTransformer(env map[string]string) {
	r.t.Helper()
	binary, err := builds["firehose"]()
	require.NoError(r.t, err)
	r.reingest, r.textOnly = env["SLUICE_FIREHOSE_REINGEST"] == "true", env["SLUICE_FIREHOSE_OUTPUT"] == "message"
	r.transformer, err = stack.New(stack.Config{Binary: binary, Name: "sluice-firehose", Timeout: invocationBudget, Env: env})
	require.NoError(r.t, err)
	r.t.Cleanup(r.closeTransformer)
}

// closeTransformer ends the transformation and reads what it printed: no payload, few lines.
func (r *loopRig) closeTransformer() {
	require.NoError(r.t, r.transformer.Close())
	output := r.transformer.Output()
	for _, line := range output {
		for _, secret := range []string{oldKey, accessKey, `"crc":`, `crc\":`, "; crc:"} {
			assert.NotContains(r.t, line, secret, "the transformation's own output")
		}
	}
	assert.LessOrEqual(r.t, len(output), maxOwnLines*max(1, r.invocations), "lines of the transformation's own output")
	if r.t.Failed() {
		r.t.Logf("output of the transformation:\n%s", strings.Join(output[max(0, len(output)-20):], "\n"))
	}
}

// loop is one stream through the rig, and what is known of it.
type loop struct {
	*loopRig

	t        *testing.T
	stream   *delivery.Stream
	endpoint *delivery.Endpoint
	generate *generate.Generator
	random   *rand.Rand
	kinesis  bool // the source is a stream of Kinesis
	lines    []generate.Line
	broken   map[string]bool // payloads that nobody can read to their end
	flows    int

	taken, received, gaveUp int // by the intake and by functions/s3, before it
}

// newLoop starts a stream that is announced to functions/s3 as it writes objects. change has the configuration to itself;
// with an endpoint unless it takes HTTP away.
func (r *loopRig) newLoop(t *testing.T, seed uint64, change func(*delivery.Config)) *loop {
	t.Helper()
	l := &loop{
		loopRig: r, t: t, generate: generate.New(seed, time.Now()), random: rand.New(rand.NewPCG(seed, 1)), broken: map[string]bool{},
		taken: r.intake.Taken(), received: len(r.objects.History), gaveUp: len(r.objects.Failures),
	}
	var err error
	l.endpoint, err = delivery.StartEndpoint(accessKey, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.endpoint.Close()) })
	cfg := delivery.Config{
		Name: fmt.Sprintf("loop-%d", seed), Seed: seed,
		Transform: &delivery.Transform{Function: r.transformer},
		HTTP:      &delivery.HTTP{URL: l.endpoint.URL(), AccessKey: accessKey},
		Objects:   delivery.Objects{Store: r.s3, Bucket: logBucket},
		Written: func(w delivery.Written) {
			_, err := r.objects.Send(notify.Native(w.Object), w.Payloads...)
			assert.NoError(t, err)
		},
	}
	if change != nil {
		change(&cfg)
	}
	l.kinesis = cfg.Source != ""
	l.stream, err = delivery.New(cfg)
	require.NoError(t, err)
	return l
}

// put gives a record of some lines to the stream.
func (l *loop) put(id string, data []byte, lines ...generate.Line) {
	l.t.Helper()
	for _, line := range lines {
		line.Payload = id
		l.lines = append(l.lines, line)
	}
	if !l.kinesis {
		_, err := l.stream.Put(id, data)
		require.NoError(l.t, err)
		return
	}
	require.NoError(l.t, l.stream.Read(delivery.KinesisRecord{Payload: id, Record: envelope.Record{
		Shard: shard, Sequence: id, PartitionKey: "orders", Data: data, Arrived: time.Now(),
	}}))
}

// payload makes one of CloudWatch Logs whose every line has a mark: in an object the ids of empty messages are gone.
func (l *loop) payload(lines int, pad generate.Pad) generate.Payload {
	for {
		p := l.generate.Filled(lines, pad)
		if !slices.ContainsFunc(p.Lines, func(line generate.Line) bool { return line.Mark == generate.Mark{} }) {
			return p
		}
	}
}

// flowLines makes a record of VPC flow logs, as they are delivered to a stream: lines that their whole text tells apart.
func (l *loop) flowLines(n int) (id string, data []byte, lines []generate.Line) {
	for range n {
		l.flows++
		end := time.Now().Unix() - int64(l.random.IntN(60))
		text := fmt.Sprintf("2 123456789012 eni-0123456789abcdef0 192.0.2.%d 198.51.100.%d %d 443 6 %d %d %d %d ACCEPT OK",
			l.random.IntN(256), l.random.IntN(256), 1024+l.flows, 1+l.random.IntN(40), l.random.IntN(100_000), end-60, end)
		data = append(append(data, text...), '\n')
		lines = append(lines, generate.Line{Message: text})
	}
	return fmt.Sprintf("flows-%d", l.flows), data, lines
}

// settle moves everything to its end: the stream until nothing is pending, then functions/s3 and what was announced.
func (l *loop) settle() {
	l.t.Helper()
	require.NoError(l.t, l.stream.Drain(l.t.Context()))
	require.NoError(l.t, l.objects.Drain(l.t.Context()))
}

// audit settles and joins what is known of both functions and both intakes.
func (l *loop) audit() *audit.Report {
	l.t.Helper()
	l.settle()
	report := audit.Join(l.evidence())
	require.NoError(l.t, report.Verdict())
	return report
}

func (l *loop) evidence() audit.Evidence {
	l.t.Helper()
	history, transforms := l.objects.History[l.received:], l.stream.History()
	l.invocations += len(transforms)
	e := audit.Evidence{
		Destination: defaultDest, Lines: l.lines, Entries: l.read(l.intake.Entries()[l.taken:]),
		Ledgers: ledgersOf(l.t, l.function, history), History: history,
		Failures: slices.Concat(l.objects.Failures[l.gaveUp:], l.stream.Failures()),
		Stream: &audit.Stream{
			Ledgers: ledgersOf(l.t, l.transformer, transforms), History: transforms, Entries: l.read(l.endpoint.Entries()),
			Reingest: l.reingest,
		},
	}
	e.Parked = l.parked(e)
	return e
}

// ledgersOf waits for the ledger lines of some invocations. One that ended need not have printed any.
func ledgersOf(t *testing.T, f *stack.Function, history []owner.Delivery) []stack.Ledger {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), settleTime)
	defer cancel()
	ids := map[string]bool{}
	for _, d := range history {
		ids[d.RequestID] = true
		if d.Outcome != owner.Ended {
			_, err := f.Ledger(ctx, d.RequestID)
			require.NoError(t, err)
		}
	}
	return slices.DeleteFunc(f.Ledgers(), func(l stack.Ledger) bool { return !ids[l.RequestID] })
}

// parked is what the park store holds of the stream's objects. A payload that is broken has a pointer, which covers those
// of its lines that could not be read.
func (l *loop) parked(e audit.Evidence) *audit.ParkStore {
	l.t.Helper()
	objects := map[string][]string{}
	for _, w := range l.stream.Objects() {
		objects[w.Key] = w.Payloads
	}
	store := &audit.ParkStore{}
	covered := map[string]bool{}
	for _, p := range l.pointers() {
		payloads, ours := objects[p.Sources[0].Key]
		if !ours {
			continue
		}
		store.Objects++
		for _, id := range payloads {
			covered[id] = l.broken[id]
		}
	}
	arrived := map[generate.Mark]bool{}
	for _, entry := range slices.Concat(e.Entries, e.Stream.Entries) {
		mark, _, _ := generate.FindMark(entry.Message)
		arrived[mark] = true
	}
	for _, line := range l.lines {
		if covered[line.Payload] && !arrived[line.Mark] {
			store.Loose = append(store.Loose, line)
		}
	}
	return store
}

// read returns entries with the lines as they were put. An item, which the transformation had made of a line and Firehose
// could not deliver, arrives as the text of a line, and is opened. A text that is one line of many has lost the line feed
// it may have ended with.
func (r *loopRig) read(entries []intake.Entry) []intake.Entry {
	for i := range entries {
		text := &entries[i].Message
		if _, _, whole := generate.FindMark(*text); whole {
			continue
		}
		if r.textOnly {
			if _, _, whole := generate.FindMark(*text + "\n"); whole {
				*text += "\n"
			}
			continue
		}
		if inner := delivery.Lines([]byte(*text)); len(inner) == 1 {
			*text = inner[0].Message
		}
	}
	return entries
}

// kinds are the objects that the stream wrote, by kind.
func (l *loop) kinds() map[delivery.Kind]int {
	counts := map[delivery.Kind]int{}
	for _, w := range l.stream.Objects() {
		counts[w.Kind]++
	}
	return counts
}
