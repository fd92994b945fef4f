package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/delivery"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

const (
	loopRecords    = 6       // of an invocation
	requestBytes   = 6 << 10 // of a request to the endpoint
	requestRecords = 3       // of the same: few, so that the outage is met
	outageSteps    = 13      // more than the attempts of one batch, so that one is given up
	loopOutputs    = 3       // seeds of the outputs that are not the usual one
	closedLoops    = 20      // seeds of the usual output
	transformTry   = 4       // invocations of a batch at most

	killAfter = 20 * time.Millisecond // an event takes less to reach a process
)

// What is put into a stream is delivered once, by the endpoint or, when that was down or the transformation could make
// nothing of it, by functions/s3 from the failed object.
func TestClosedLoop(t *testing.T) {
	for output, seeds := range map[string]uint64{
		"datadog": closedLoops, "json": loopOutputs, "message": loopOutputs, "original": loopOutputs,
	} {
		t.Run(output, func(t *testing.T) {
			r := newLoopRig(t, map[string]string{"SLUICE_FIREHOSE_OUTPUT": output, "DD_TAGS": "env:e2e"}, setup{})
			for seed := range seeds {
				t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { closedLoop(t, r, seed) })
			}
		})
	}
}

func closedLoop(t *testing.T, r *loopRig, seed uint64) {
	t.Helper()
	troubled := &troubled{function: r.transformer}
	l := r.newLoop(t, seed, func(cfg *delivery.Config) {
		cfg.Transform.Function, cfg.Transform.BufferRecords = troubled, loopRecords
		cfg.HTTP.Gzip, cfg.HTTP.BufferBytes, cfg.HTTP.BufferRecords = seed%2 == 0, requestBytes, requestRecords
		if seed%4 == 3 {
			cfg.Source, cfg.AsText = kinesisSource, seed%8 == 3
		}
		cfg.Objects.Compression = compressions[seed%uint64(len(compressions))]
		if seed%3 == 0 {
			cfg.Objects.ErrorPrefix = "not delivered/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/"
		}
	})
	resets := 0
	if seed%5 == 1 {
		resets = 3
	}
	if seed%10 == 9 {
		r.intake.SetScript(intake.Sequence(intake.Refuse(http.StatusServiceUnavailable)))
	}
	l.endpoint.SetScript(outageAfter(1+int(seed%2), resets))
	troubled.trouble = troubles[seed%uint64(len(troubles))]
	l.putEverything()

	report := l.audit()

	assert.Equal(t, deliverable(l.lines), report.Delivered+report.Dead, "every line that is one")
	assert.Zero(t, report.Returned)
	assert.LessOrEqual(t, report.Dead, len(linesOf(l.lines, "broken")))
	for class := range report.Duplicates {
		assert.Equal(t, audit.D5, class)
	}
	if resets == 0 {
		assert.Zero(t, report.TotalDuplicates())
	}
	kinds := l.kinds()
	assert.Positive(t, kinds[delivery.HTTPEndpointFailed], "the outage was longer than the retries")
	assert.Positive(t, kinds[delivery.ProcessingFailed], "and a record could not be read")
	assert.Len(t, kinds, 2)
	assert.NotEmpty(t, l.endpoint.Entries(), "the endpoint was up for a while")
}

// putEverything puts records of each shape in any order.
func (l *loop) putEverything() {
	var puts []func()
	for range 8 {
		puts = append(puts, func() {
			p := l.payload(5+l.random.IntN(30), generate.Mixed)
			l.put(p.ID, p.Gzip(), p.Lines...)
		}, func() {
			id, data, lines := l.flowLines(1 + l.random.IntN(20))
			l.put(id, data, lines...)
		})
	}
	puts = append(puts,
		func() { // already decompressed by the stream
			p := l.payload(20, generate.Mixed)
			l.put(p.ID, p.Document, p.Lines...)
		},
		func() { // two payloads in one record
			a, b := l.payload(10, generate.Mixed), l.payload(10, generate.Mixed)
			l.put(a.ID, append(a.Gzip(), b.Gzip()...), append(a.Lines, b.Lines...)...)
		},
		func() {
			o := l.generate.Object(10, generate.JSONLines(generate.Mixed))
			l.put(o.ID, o.Body, o.Lines...)
		},
		func() {
			p := l.generate.Control()
			l.put(p.ID, p.Gzip(), p.Lines...)
		},
		func() {
			const id = "broken"
			p := l.payload(60, generate.Mixed)
			packed := p.Gzip()
			l.broken[id] = true
			l.put(id, packed[:len(packed)/2], p.Lines...)
		},
	)
	l.random.Shuffle(len(puts), func(i, j int) { puts[i], puts[j] = puts[j], puts[i] })
	for _, put := range puts {
		put()
	}
}

// outageAfter is an endpoint that works for some requests, fails for longer than Firehose tries, and works again. resets
// is how many of its failures take the records and lose the answer.
func outageAfter(requests, resets int) delivery.Script {
	return func(a intake.Arrival) delivery.Step {
		switch n := a.Number - requests; {
		case n <= 0 || n > outageSteps:
			return delivery.Step{}
		case n <= resets:
			return delivery.Step{Reset: true, Commit: true}
		case n%4 == 0:
			return delivery.WrongJSON()
		default:
			return delivery.Outage()
		}
	}
}

// troubled is a function to which something happens in the midst of a batch.
type troubled struct {
	function *stack.Function
	trouble  trouble
	n        int // invocations so far
}

// trouble has an invocation, which counts from 1, come to a bad end, or does nothing about it and says so.
type trouble func(ctx context.Context, f *stack.Function, n int, payload []byte) (result stack.Result, done bool, err error)

// Invoke makes one invocation.
func (f *troubled) Invoke(ctx context.Context, payload []byte, opts ...stack.Option) (stack.Result, error) {
	f.n++
	if f.trouble != nil {
		if result, done, err := f.trouble(ctx, f.function, f.n, payload); done || err != nil {
			return result, err
		}
	}
	return f.function.Invoke(ctx, payload, opts...)
}

// troubles are those of the seeds.
var troubles = []trouble{
	nil,
	times(killed, 2, 2),
	times(hurried, 1, 2),               // two batches at most, so that others meet the outage
	times(timedOut, 2, 1+transformTry), // all that a batch gets
	times(killed, 2, 1+transformTry),
}

// times limits a trouble to the invocations from the first to the last.
func times(t trouble, first, last int) trouble {
	return func(ctx context.Context, f *stack.Function, n int, payload []byte) (stack.Result, bool, error) {
		if n < first || n > last {
			return stack.Result{}, false, nil
		}
		return t(ctx, f, n, payload)
	}
}

// timedOut gives the function no time.
func timedOut(ctx context.Context, f *stack.Function, _ int, payload []byte) (stack.Result, bool, error) {
	result, err := f.Invoke(ctx, payload, stack.Within(0))
	return result, true, err
}

// hurried gives the function hardly enough time for a batch: chance decides whether it answers for some records, for none,
// or not at all.
func hurried(ctx context.Context, f *stack.Function, n int, payload []byte) (stack.Result, bool, error) {
	result, err := f.Invoke(ctx, payload, stack.Within(time.Duration(n)*500*time.Microsecond))
	return result, true, err
}

// killed ends the process when it has been given the batch: it stands still until then.
func killed(ctx context.Context, f *stack.Function, _ int, payload []byte) (stack.Result, bool, error) {
	const noRecords = `{"invocationId":"warm","deliveryStreamArn":"","region":"eu-west-1","records":[]}`
	if _, err := f.Invoke(ctx, []byte(noRecords)); err != nil { // starts a process where there is none
		return stack.Result{}, true, err
	}
	if err := f.Freeze(); err != nil {
		return stack.Result{}, true, err
	}
	var killing error
	ended := make(chan struct{})
	time.AfterFunc(killAfter, func() {
		defer close(ended)
		killing = f.Kill()
	})
	result, err := f.Invoke(ctx, payload)
	<-ended
	return result, true, errors.Join(err, killing)
}

// The transformation that ends in the midst of a batch is invoked again; what it cannot have in four invocations comes by
// an object.
func TestTransformationEnds(t *testing.T) {
	r := newLoopRig(t, nil, setup{})
	for i, tc := range []struct {
		name    string
		trouble trouble
		calls   int // invocations of the batch
		failed  int // objects
	}{
		{"killed once", times(killed, 1, 1), 2, 0},
		{"three times out of time", times(timedOut, 1, 3), 4, 0},
		{"killed in every invocation", times(killed, 1, transformTry), transformTry, 1},
		{"out of time in every invocation", times(timedOut, 1, transformTry), transformTry, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := r.newLoop(t, 100+uint64(i), func(cfg *delivery.Config) {
				cfg.Transform.Function = &troubled{function: r.transformer, trouble: tc.trouble}
			})
			for range 5 {
				p := l.payload(40, generate.Mixed)
				l.put(p.ID, p.Gzip(), p.Lines...)
			}

			report := l.audit()

			assert.Equal(t, 200, report.Delivered)
			assert.Zero(t, report.TotalDuplicates())
			calls := l.stream.Invocations()
			require.Len(t, calls, tc.calls)
			for _, call := range calls[:tc.calls-1] {
				assert.Equal(t, owner.Ended, call.Outcome, call.Error)
			}
			assert.Equal(t, tc.failed, l.kinds()[delivery.ProcessingFailed])
		})
	}
}
