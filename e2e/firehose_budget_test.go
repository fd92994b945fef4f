package e2e

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/delivery"
	"sluice/e2e/stack/owner"
)

const (
	answerBudget = 5_500_000 // bytes of an answer, delivery contract 2.2
	maxHops      = 3         // of a record that is put back
	wideRecords  = 12        // of a batch whose answer is over the budget
	manyRecords  = 34        // so many that putting them back as often as is allowed is not enough
	wideLines    = 300       // of each; what it becomes has half a MB
	hugeLines    = 900       // of a record that no answer has room for
	wideBytes    = 1_000     // of a line
)

// putWide puts a batch whose answer would be several times the budget, and ends with a record that has no room in any.
func (l *loop) putWide(records int) (huge string) {
	l.t.Helper()
	for range records {
		p := l.payload(wideLines, generate.Repetitive(wideBytes))
		l.put(p.ID, p.Gzip(), p.Lines...)
	}
	p := l.payload(hugeLines, generate.Repetitive(wideBytes))
	l.put(p.ID, p.Gzip(), p.Lines...)
	return p.ID
}

// returned are the records that the transformation says it gave back, by reason.
func (l *loop) returned() map[string]int {
	sum := map[string]int{}
	for _, ledger := range l.transformer.Ledgers() {
		for reason, n := range ledger.Destinations["firehose"].Returned {
			sum[reason] += n
		}
	}
	return sum
}

// assertAnswers says that no answer was over the budget, and each was read.
func (l *loop) assertAnswers() {
	l.t.Helper()
	for _, call := range l.stream.Invocations() {
		assert.LessOrEqual(l.t, call.ResponseBytes, answerBudget)
		assert.Contains(l.t, []owner.Outcome{owner.Taken, owner.Partly}, call.Outcome)
	}
}

// The records that an answer has no room for come back by an object.
func TestBudget(t *testing.T) {
	r := newLoopRig(t, nil, setup{})
	l := r.newLoop(t, 1, nil)
	huge := l.putWide(wideRecords)

	report := l.audit()

	assert.Equal(t, wideRecords*wideLines+hugeLines, report.Delivered)
	assert.Zero(t, report.TotalDuplicates())
	l.assertAnswers()
	calls := l.stream.Invocations()
	require.Len(t, calls, 1)
	assert.Greater(t, calls[0].ResponseBytes, answerBudget*8/10, "the room is used")
	var back []string
	records := 0
	for _, w := range l.stream.Objects() {
		assert.Equal(t, delivery.ProcessingFailed, w.Kind)
		back = append(back, w.Payloads...)
		records += w.Records
	}
	assert.Contains(t, back, huge)
	returned := l.returned()
	assert.Equal(t, records, stack.Sum(returned))
	assert.Positive(t, returned["response_budget"])
	assert.Greater(t, records, wideRecords/3)
	assert.Less(t, records, wideRecords)
}

// reingestLoop is a stream into which the transformation may put records again.
func reingestLoop(t *testing.T) *loop {
	t.Helper()
	r := &loopRig{s3Rig: newS3Rig(t, setup{})}
	function := &troubled{}
	l := r.newLoop(t, 1, func(cfg *delivery.Config) { cfg.Transform.Function = function })
	api, err := delivery.StartAPI(l.stream)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, api.Close()) })
	env := api.Env()
	maps.Copy(env, map[string]string{"SLUICE_FIREHOSE_REINGEST": "true"})
	r.deployTransformer(env)
	function.function = r.transformer
	return l
}

// With reingest they go through the stream again, a few times at most: what had no room in any of those answers comes back
// by an object, and so does the record that has no room in any answer.
func TestReingest(t *testing.T) {
	for name, tc := range map[string]struct {
		records int
		puts    []delivery.PutStep
		rest    bool // of the records that have room in an answer, some are in none
	}{
		"into a stream that takes them": {records: wideRecords},
		"into a stream that refuses some at first": {
			records: wideRecords, puts: []delivery.PutStep{{Fail: map[int]string{0: "ServiceUnavailableException", 3: "InternalFailure"}}},
		},
		"into a stream that refuses the call at first": {
			records: wideRecords, puts: []delivery.PutStep{{Refuse: "ServiceUnavailableException"}},
		},
		"more than a record may be put back": {records: manyRecords, rest: true},
	} {
		t.Run(name, func(t *testing.T) {
			l := reingestLoop(t)
			huge := l.putWide(tc.records)
			l.stream.SetPutScript(delivery.PutSteps(tc.puts...))

			report := l.audit()

			assert.Equal(t, tc.records*wideLines+hugeLines, report.Delivered)
			assert.Zero(t, report.TotalDuplicates())
			l.assertAnswers()
			hops, again := l.hops()
			assert.LessOrEqual(t, hops, maxHops)
			assert.Positive(t, hops)
			returned := l.returned()
			assert.Equal(t, again, returned["reingested"])
			objects := l.stream.Objects()
			require.Len(t, objects, 1)
			assert.Equal(t, objects[0].Records, stack.Sum(returned)-again)
			assert.Equal(t, tc.rest, objects[0].Records > 1)
			assert.Contains(t, objects[0].Payloads, huge)
		})
	}
}

// hops are how many batches followed the first, and how many records were in them.
func (l *loop) hops() (batches, records int) {
	calls := l.stream.Invocations()
	for _, call := range calls[1:] {
		records += len(call.RecordIDs)
	}
	return len(calls) - 1, records
}

// A stream that takes nothing back gets failed records after all.
func TestReingestIsRefused(t *testing.T) {
	l := reingestLoop(t)
	l.putWide(wideRecords)
	l.stream.SetPutScript(func(delivery.PutArrival) delivery.PutStep { // a stream that decompresses says so
		return delivery.PutStep{Refuse: "InvalidArgumentException"}
	})

	report := l.audit()

	assert.Equal(t, wideRecords*wideLines+hugeLines, report.Delivered)
	assert.Zero(t, report.TotalDuplicates())
	l.assertAnswers()
	require.Len(t, l.stream.Invocations(), 1)
	assert.Positive(t, l.returned()["response_budget"])
	assert.NotContains(t, l.returned(), "reingested")
	assert.Positive(t, l.kinds()[delivery.ProcessingFailed])
}

// A transformation that is killed behind its puts does not know of them: the next one puts the records back once more.
func TestKillBehindReingest(t *testing.T) {
	l := reingestLoop(t)
	l.putWide(wideRecords)
	first := true
	l.stream.SetPutScript(func(delivery.PutArrival) delivery.PutStep {
		if first {
			first = false
			assert.NoError(t, l.transformer.Kill())
		}
		return delivery.PutStep{}
	})

	report := l.audit()

	assert.Equal(t, wideRecords*wideLines+hugeLines, report.Delivered)
	assert.Equal(t, []audit.Class{audit.D5}, report.Classes())
	assert.Equal(t, owner.Ended, l.stream.Invocations()[0].Outcome)
	assert.LessOrEqual(t, report.TotalDuplicates(), report.Delivered, "each line twice at most")
	assert.Equal(t, 1, countOf(l.stream.Invocations(), owner.Ended))
}

func countOf(calls []delivery.Invocation, outcome owner.Outcome) int {
	n := 0
	for _, call := range calls {
		if call.Outcome == outcome {
			n++
		}
	}
	return n
}

// A request that the endpoint finds too large is in no object: Firehose gives it up, and only that.
func TestEndpointRefusesForGood(t *testing.T) {
	r := newLoopRig(t, nil, setup{})
	l := r.newLoop(t, 2, func(cfg *delivery.Config) { cfg.HTTP.BufferRecords = 2 })
	l.endpoint.SetScript(delivery.Sequence(delivery.Step{}, delivery.TooLarge()))
	for range 6 {
		p := l.payload(10, generate.Mixed)
		l.put(p.ID, p.Gzip(), p.Lines...)
	}

	report := l.audit()

	assert.Equal(t, 40, report.Delivered)
	assert.Equal(t, 20, report.Returned)
	assert.Empty(t, l.stream.Objects())
	assert.Equal(t, 60, stack.Sum(deliveredBy(l.transformer)))
}

// deliveredBy are the lines that a transformation gave to Firehose, by invocation.
func deliveredBy(f *stack.Function) map[string]int {
	counts := map[string]int{}
	for _, ledger := range f.Ledgers() {
		counts[ledger.RequestID] = ledger.Destinations["firehose"].Delivered
	}
	return counts
}
