package e2e

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

func TestKinesisHealthy(t *testing.T) {
	r := newRig(t, setup{function: "kinesis", batch: 10})
	records := r.shard(30, 100)
	records = append(records, r.control().Record(shard, records[0].Arrived))

	require.NoError(t, r.mapping.Drain(t.Context(), records))

	report := r.audit()
	assert.Equal(t, deliverable(r.lines), report.Delivered)
	assert.Zero(t, report.TotalDuplicates())
	assert.Len(t, r.mapping.History, 4)
}

// failFirst answers 503 to the first n bodies that hold the text.
func failFirst(n int64, text string) intake.Check {
	var seen atomic.Int64
	return func(c intake.Content) *intake.Answer {
		if !strings.Contains(string(c.Plain), text) || seen.Add(1) > n {
			return nil
		}
		return intake.Refuse(http.StatusServiceUnavailable).Answer
	}
}

// A batch goes on from the lowest record that was not durable, and what is sent twice stays within the window.
func TestKinesisPartialBatch(t *testing.T) {
	const batch, linesEach, bad = 12, 400, 5
	r := newRig(t, setup{function: "kinesis", batch: batch, retries: 10})
	records := r.shard(batch, linesEach)
	hurt := needle(marked(r.lines, bad*linesEach))
	r.intake.SetScript(intake.Always(intake.Step{Checks: []intake.Check{failFirst(maxAttempts, hurt)}}))

	require.NoError(t, r.mapping.Drain(t.Context(), records))

	require.Len(t, r.mapping.History, 2)
	first, second := r.mapping.History[0], r.mapping.History[1]
	assert.Equal(t, owner.Partly, first.Outcome)
	assert.Equal(t, records[bad].Sequence, second.Payloads[0])
	report := r.audit()
	assert.Equal(t, deliverable(r.lines), report.Delivered)
	assert.Equal(t, report.TotalDuplicates(), report.Duplicates[audit.D6])
	repeated := map[int]bool{} // requests of the first delivery with lines that the second repeats
	for _, e := range r.intake.Entries() {
		mark, found, _ := generate.ReadMark(e.Message)
		if found && mark.Seq > bad*linesEach && e.At.Before(second.Started) {
			repeated[e.Request] = true
		}
	}
	assert.LessOrEqual(t, len(repeated), kinesisWindow)
}

// An outage blocks the shard and nothing else happens to it: every record arrives in the end.
func TestKinesisOutage(t *testing.T) {
	r := newRig(t, setup{function: "kinesis", batch: 4, retries: 10})
	records := r.shard(8, 100)
	failing := intake.Refuse(http.StatusServiceUnavailable)
	r.intake.SetScript(intake.Sequence(failing, failing, failing, failing))

	require.NoError(t, r.mapping.Drain(t.Context(), records))

	report := r.audit()
	assert.Empty(t, r.mapping.Failures)
	assert.Equal(t, deliverable(r.lines), report.Delivered)
	assert.Equal(t, report.TotalDuplicates(), report.Duplicates[audit.D6])
}

// A batch that takes longer than the function may run is taken up to where it came, and goes on from there.
func TestKinesisDeadlineInTheMiddle(t *testing.T) {
	r := newRig(t, setup{function: "kinesis", batch: 6, retries: 10, timeout: 6 * time.Second})
	records := r.shard(6, 900)
	r.intake.SetScript(func(a intake.Arrival) intake.Step {
		if a.Number > 2 && len(r.function.Ledgers()) == 0 {
			return intake.Step{Fault: intake.Hang} // until the first invocation is over
		}
		return intake.Step{}
	})

	require.NoError(t, r.mapping.Drain(t.Context(), records))

	assert.Equal(t, owner.Partly, r.mapping.History[0].Outcome, "the function answers in time, with what it has done")
	assert.Less(t, len(r.mapping.History[1].Payloads), len(records))
	report := r.audit()
	assert.Empty(t, r.mapping.Failures)
	assert.Equal(t, deliverable(r.lines), report.Delivered)
	assert.Equal(t, report.TotalDuplicates(), report.Duplicates[audit.D6])
}

// A process that dies takes the knowledge of what got through with it; the owner repeats the batch.
func TestKinesisKill(t *testing.T) {
	r := newRig(t, setup{function: "kinesis", batch: 6, retries: 2})
	records := r.shard(6, 500)
	r.intake.SetScript(intake.Sequence(intake.Step{}, intake.Step{Fault: intake.Hang, Commit: true}))
	drained := make(chan error, 1)
	go func() { drained <- r.mapping.Drain(t.Context(), records) }()
	require.Eventually(t, func() bool { return answersLost(r.intake) > 0 }, settleTime, time.Millisecond)
	require.NoError(t, r.function.Kill())
	require.NoError(t, <-drained)

	report := r.audit()

	assert.Equal(t, owner.Ended, r.mapping.History[0].Outcome)
	assert.Equal(t, deliverable(r.lines), report.Delivered)
	assert.Equal(t, []audit.Class{audit.D1}, report.Classes())
}

// answersLost is how many records were taken without an answer.
func answersLost(s *intake.Server) int {
	n := 0
	for _, e := range s.Entries() {
		if !e.Answered {
			n++
		}
	}
	return n
}

// A record nobody can read is named to its owner, and what stands before it is done. Once it is the first of its batch, an
// error makes the owner bisect until it is alone: only that one is given up.
func TestKinesisUnreadableRecord(t *testing.T) {
	const batch, bad = 5, 2
	r := newRig(t, setup{function: "kinesis", batch: batch, retries: 1, bisect: true})
	records := r.shard(2*batch, 50)
	records[bad].Data = records[bad].Data[:len(records[bad].Data)-4] // a part of the checksum and length is gone

	require.NoError(t, r.mapping.Drain(t.Context(), records))

	assert.Equal(t, owner.Partly, r.mapping.History[0].Outcome, "what stands before it is checkpointed")
	require.Len(t, r.mapping.Failures, 1, "it is given up alone: behind it, nothing is lost")
	assert.Equal(t, []string{records[bad].Sequence}, r.mapping.Failures[0].Payloads)
	report := r.audit()
	assert.Equal(t, deliverable(r.lines), report.Delivered, "its lines stand too: only the checksum behind them is missing")
	for _, e := range r.intake.Entries() {
		_, found, intact := generate.ReadMark(e.Message)
		assert.True(t, found && intact, "nothing of a broken record arrives in pieces")
	}
}
