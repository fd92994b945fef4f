package e2e

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/sample"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

func TestHealthyIntake(t *testing.T) {
	r := newRig(t, setup{})
	for range 12 {
		r.send(300)
	}
	r.queueUp(r.control())
	r.drain()

	report := r.audit()

	assert.Equal(t, deliverable(r.lines), report.Delivered)
	assert.Zero(t, report.TotalDuplicates())
	assert.Len(t, r.queue.History, 13, "no event was delivered twice")
	sent := 0
	for _, request := range r.intake.Requests() {
		sent += request.WireBytes
		assert.Equal(t, http.StatusAccepted, request.Status)
		assert.Equal(t, "sluice", request.Header.Get("DD-EVP-ORIGIN"))
		assert.Equal(t, request.Batch, request.Header.Get("Idempotency-Key"))
		assert.NotEmpty(t, request.Batch)
	}
	counted, requests := int64(0), 0
	for _, l := range r.function.Ledgers() {
		counted += l.BytesSent
		requests += l.Requests
	}
	assert.EqualValues(t, sent, counted, "bytes on the wire, as the function counts them")
	assert.Len(t, r.intake.Requests(), requests)
}

// The sample of every shape, through the function it is for.
func TestSamples(t *testing.T) {
	events, err := sample.Read(filepath.Join("..", "events"))
	require.NoError(t, err)
	for _, e := range events {
		t.Run(e.Name, func(t *testing.T) {
			function := "cloudwatch"
			if e.Stream {
				function = "kinesis"
			}
			r := newRig(t, setup{function: function, env: map[string]string{"SLUICE_RESHAPE": "false"}})
			r.lines = e.Lines
			if e.Stream {
				require.NoError(t, r.mapping.Drain(t.Context(), e.Records))
			} else {
				require.NoError(t, r.queue.Send(e.Name, e.Body))
				r.drain()
			}

			report := r.audit()

			assert.Equal(t, deliverable(e.Lines), report.Delivered)
			assert.Zero(t, report.TotalDuplicates())
			for _, entry := range r.intake.Entries() {
				assert.NotEmpty(t, entry.Source)
				assert.NotEmpty(t, entry.Service)
				assert.Contains(t, entry.Tags, "env:")
				assert.NotZero(t, entry.Millis)
			}
		})
	}
}

// Answers that a batch is tried again after.
func TestRetries(t *testing.T) {
	failing := intake.Refuse(http.StatusInternalServerError)
	committed := intake.Step{Fault: intake.ResetAfterBody, Commit: true}
	for name, tc := range map[string]struct {
		steps      []intake.Step
		statuses   []int
		deliveries []owner.Outcome
		duplicates audit.Class // of all lines, "" for none
	}{
		"429 with Retry-After in seconds": {
			steps:    []intake.Step{intake.RefuseFor(http.StatusTooManyRequests, "1")},
			statuses: []int{429, 202}, deliveries: []owner.Outcome{owner.Taken},
		},
		"three times 500, the fourth attempt gets through": {
			steps:    []intake.Step{failing, failing, failing},
			statuses: []int{500, 500, 500, 202}, deliveries: []owner.Outcome{owner.Taken},
		},
		"four times 500 is all a batch gets, then its owner": {
			steps:    []intake.Step{failing, failing, failing, failing},
			statuses: []int{500, 500, 500, 500, 202}, deliveries: []owner.Outcome{owner.Failed, owner.Taken},
		},
		"503 and an answer that is closed away": {
			steps:    []intake.Step{intake.Refuse(http.StatusServiceUnavailable), {Fault: intake.CloseWithoutAnswer}},
			statuses: []int{503, 0, 202}, deliveries: []owner.Outcome{owner.Taken},
		},
		"reset before the body was read": {
			steps:    []intake.Step{{Fault: intake.ResetBeforeBody}},
			statuses: []int{0, 202}, deliveries: []owner.Outcome{owner.Taken},
		},
		"reset after the body, nothing taken": {
			steps:    []intake.Step{{Fault: intake.ResetAfterBody}},
			statuses: []int{0, 202}, deliveries: []owner.Outcome{owner.Taken},
		},
		"reset after the records were taken": {
			steps:    []intake.Step{committed},
			statuses: []int{0, 202}, deliveries: []owner.Outcome{owner.Taken}, duplicates: audit.D2,
		},
		"an error body of 10 MB": {
			steps:    []intake.Step{intake.LargeError(http.StatusBadGateway, 10_000_000, false)},
			statuses: []int{502, 202}, deliveries: []owner.Outcome{owner.Taken},
		},
		"an error body of 10 MB, compressed": {
			steps:    []intake.Step{intake.LargeError(http.StatusBadGateway, 10_000_000, true)},
			statuses: []int{502, 202}, deliveries: []owner.Outcome{owner.Taken},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, setup{})
			r.intake.SetScript(intake.Sequence(tc.steps...))
			r.send(200)
			r.drain()

			report := r.audit()

			assert.Equal(t, tc.statuses, statuses(r.intake))
			assert.LessOrEqual(t, len(tc.steps), maxAttempts)
			var outcomes []owner.Outcome
			for _, d := range r.queue.History {
				outcomes = append(outcomes, d.Outcome)
			}
			assert.Equal(t, tc.deliveries, outcomes)
			assert.Equal(t, deliverable(r.lines), report.Delivered)
			want := map[audit.Class]int{}
			if tc.duplicates != "" {
				want[tc.duplicates] = report.Delivered
			}
			assert.Equal(t, want, report.Duplicates)
			batches := map[string]bool{}
			for _, request := range r.intake.Requests() {
				batches[request.Batch] = true
			}
			assert.Len(t, batches, 1, "every attempt carries the same batch id")
		})
	}
}

func TestRetryAfterIsWaitedFor(t *testing.T) {
	for name, value := range map[string]func() string{
		"seconds":      func() string { return "1" },
		"an HTTP date": func() string { return time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, setup{})
			var until time.Time
			r.intake.SetScript(func(a intake.Arrival) intake.Step {
				if a.Number > 1 {
					return intake.Step{}
				}
				text := value()
				until = a.At.Add(time.Second)
				if date, err := http.ParseTime(text); err == nil {
					until = date
				}
				return intake.RefuseFor(http.StatusTooManyRequests, text)
			})
			r.send(50)
			r.drain()

			r.audit()

			requests := r.intake.Requests()
			require.Len(t, requests, 2)
			assert.False(t, requests[1].At.Before(until), "the second attempt came %s early", until.Sub(requests[1].At))
		})
	}
}

// A wait beyond the budget is not slept through: the event goes back to its owner at once.
func TestRetryAfterBeyondTheDeadline(t *testing.T) {
	r := newRig(t, setup{})
	r.intake.SetScript(intake.Sequence(intake.RefuseFor(http.StatusTooManyRequests, "3600")))
	r.send(50)

	first := r.step()

	assert.Equal(t, owner.Failed, first.Outcome)
	assert.Equal(t, []int{429}, statuses(r.intake))
	r.drain()
	assert.Zero(t, r.audit().TotalDuplicates())
}

// The function answers before its deadline whatever the intake does, and the event is not lost.
func TestHangPastTheDeadline(t *testing.T) {
	r := newRig(t, setup{timeout: 4 * time.Second})
	r.intake.SetScript(intake.Sequence(intake.Step{Fault: intake.Hang}))
	r.send(50)

	first := r.step()

	assert.Equal(t, owner.Failed, first.Outcome, "an error of its own, not a timeout: %s", first.Error)
	assert.Positive(t, r.ledger(first).RemainingMs)
	r.drain()
	report := r.audit()
	assert.Equal(t, deliverable(r.lines), report.Delivered)
	assert.Zero(t, report.TotalDuplicates())
}

// A process that is killed after the intake took a batch cannot know it; its owner repeats the event.
func TestKillAfterTheRecordsWereTaken(t *testing.T) {
	r := newRig(t, setup{})
	r.intake.SetScript(intake.Sequence(intake.Step{Fault: intake.Hang, Commit: true}))
	r.send(50)
	stepped := make(chan error, 1)
	go func() {
		_, err := r.queue.Step(t.Context())
		stepped <- err
	}()
	require.Eventually(t, func() bool { return r.intake.Taken() > 0 }, settleTime, time.Millisecond)
	require.NoError(t, r.function.Kill())
	require.NoError(t, <-stepped)
	r.drain()

	report := r.audit()

	assert.Equal(t, []owner.Outcome{owner.Ended, owner.Taken}, []owner.Outcome{r.queue.History[0].Outcome, r.queue.History[1].Outcome})
	assert.Equal(t, map[audit.Class]int{audit.D1: report.Delivered}, report.Duplicates)
	requests := r.intake.Requests()
	require.Len(t, requests, 2)
	assert.Equal(t, requests[0].Batch, requests[1].Batch, "the same lines make the same batch in another process")
}

// A frozen process wakes up with connections that died in the meantime.
func TestStaleConnectionsBetweenInvocations(t *testing.T) {
	r := newRig(t, setup{})
	for range 3 {
		r.send(50)
		r.step()
		require.NoError(t, r.function.Freeze())
		require.Eventually(t, func() bool { return r.intake.DropIdle() > 0 }, settleTime, time.Millisecond)
		require.NoError(t, r.function.Thaw())
	}
	r.drain()

	report := r.audit()

	assert.Len(t, r.queue.History, 3, "no event needed its owner")
	assert.Equal(t, deliverable(r.lines), report.Delivered)
	assert.Zero(t, report.TotalDuplicates())
}
