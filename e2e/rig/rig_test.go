package rig

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

var lab *Lab

func TestMain(m *testing.M) {
	var err error
	if lab, err = Open(context.Background(), LabOptions{}); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := lab.Close(); err != nil {
		panic(err)
	}
	os.Exit(code)
}

func newRig(t *testing.T, o Options) *Rig {
	t.Helper()
	o.Name = t.Name()
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	r, err := lab.New(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			for name, function := range r.running() {
				lines := function.Output()
				for _, line := range lines[max(0, len(lines)-10):] {
					_, line, _ = strings.Cut(line, `"FunctionName":`) // past the definitions of metrics
					t.Logf("functions/%s: %.600s", name, line)
				}
			}
		}
		assert.NoError(t, r.Close())
	})
	return r
}

func deliverable(lines []generate.Line) int {
	n := 0
	for _, line := range lines {
		if line.Rule == "" {
			n++
		}
	}
	return n
}

func TestHealthy(t *testing.T) {
	for _, e := range Entries() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Options{})
			require.NoError(t, r.Feed(t.Context(), e, 1000))
			require.NoError(t, r.Drain(t.Context()))
			require.NoError(t, r.Replay(t.Context()))

			result, err := r.Audit(t.Context())

			require.NoError(t, err)
			t.Log(result)
			require.NoError(t, result.Verdict())
			assert.Equal(t, deliverable(r.Lines()), result.Delivered)
		})
	}
}

// An outage ends in the park store, and replay empties it: nothing is lost and nothing comes twice.
func TestOutage(t *testing.T) {
	for _, e := range []Entry{CloudWatch, Kinesis, S3, S3Queue, Firehose} {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Options{})
			r.Outage()
			require.NoError(t, r.Feed(t.Context(), e, 1000))
			require.NoError(t, r.Drain(t.Context()))

			during, err := r.Audit(t.Context())
			require.NoError(t, err)
			t.Log(during)
			require.NoError(t, during.Verdict())
			assert.Zero(t, during.Delivered)
			assert.Equal(t, during.In, during.Pending)

			require.NoError(t, r.Heal())
			require.NoError(t, r.Replay(t.Context()))
			after, err := r.Audit(t.Context())
			require.NoError(t, err)
			t.Log(after)
			require.NoError(t, after.Verdict())
			assert.Equal(t, after.In, after.Delivered)
			assert.Zero(t, after.TotalDuplicates())
			assert.Zero(t, after.Stored["pending"])
		})
	}
}

func TestConnectionsRefused(t *testing.T) {
	r := newRig(t, Options{})
	require.NoError(t, r.Intake().Down())
	require.NoError(t, r.Feed(t.Context(), CloudWatch, 1000))
	require.NoError(t, r.Drain(t.Context()))
	require.NoError(t, r.Heal())
	require.NoError(t, r.Replay(t.Context()))

	result, err := r.Audit(t.Context())

	require.NoError(t, err)
	t.Log(result)
	require.NoError(t, result.Verdict())
	assert.Equal(t, result.In, result.Delivered)
	assert.Greater(t, result.Requests, result.Healthy, "what never arrived was counted by the function")
}

// One destination's outage is not the other's.
func TestTwoDestinations(t *testing.T) {
	r := newRig(t, Options{Destinations: []Destination{{ID: "main"}, {ID: "copy", HTTP: true}}})
	r.Intake("copy").SetScript(intake.Always(intake.Refuse(http.StatusServiceUnavailable)))
	require.NoError(t, r.Feed(t.Context(), CloudWatch, 1000))
	require.NoError(t, r.Drain(t.Context()))

	during, err := r.Audit(t.Context())
	require.NoError(t, err)
	require.NoError(t, during.Verdict())
	assert.Equal(t, 1000, during.Destinations["main"].Delivered)
	assert.Equal(t, 1000, during.Destinations["copy"].Parked)

	require.NoError(t, r.Heal())
	require.NoError(t, r.Replay(t.Context()))
	after, err := r.Audit(t.Context())
	require.NoError(t, err)
	t.Log(after)
	require.NoError(t, after.Verdict())
	assert.Equal(t, 2000, after.Delivered)
	assert.Zero(t, after.TotalDuplicates())
}

// A park store that takes nothing: the events stay with their owners, and come to rest where those keep what fails.
func TestStoreDown(t *testing.T) {
	for _, e := range []Entry{CloudWatch, Kinesis, S3, S3Queue} {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Options{Mapping: owner.MappingConfig{MaxRetries: 1}})
			r.Outage()
			r.S3.SetScript(func(a bucket.Arrival) bucket.Step {
				if a.Method == http.MethodPut {
					return bucket.AccessDenied()
				}
				return bucket.Step{}
			})
			require.NoError(t, r.Feed(t.Context(), e, 500))
			require.NoError(t, r.Drain(t.Context()))

			during, err := r.Audit(t.Context())
			require.NoError(t, err)
			t.Log(during)
			require.NoError(t, during.Verdict())
			assert.Equal(t, during.In, during.Returned, "nothing was acknowledged")

			require.NoError(t, r.Heal())
			require.NoError(t, r.Replay(t.Context()))
			after, err := r.Audit(t.Context())
			require.NoError(t, err)
			t.Log(after)
			require.NoError(t, after.Verdict())
			if e == S3Queue { // a dead-letter queue is redriven by hand
				assert.Equal(t, after.In, after.Returned)
				return
			}
			assert.Equal(t, after.In, after.Delivered, "replay takes what Lambda has kept")
		})
	}
}

// Input that nobody can read is kept as it came, and what is around it is not held up.
func TestUnreadable(t *testing.T) {
	for _, e := range []Entry{CloudWatch, Kinesis, Firehose} {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Options{})
			require.NoError(t, r.Feed(t.Context(), e, 500))
			p := r.Next(e, 100)
			p.Data = p.Data[:len(p.Data)/2]
			require.NoError(t, r.Send(t.Context(), e, p))
			require.NoError(t, r.Feed(t.Context(), e, 500))
			require.NoError(t, r.Drain(t.Context()))

			result, err := r.Audit(t.Context())

			require.NoError(t, err)
			t.Log(result, result.Stored)
			require.NoError(t, result.Verdict())
			assert.Positive(t, result.DeadRaw+result.Dead)
			assert.Equal(t, result.In, result.Delivered+result.DeadRaw+result.Dead)
		})
	}
}

func TestRotate(t *testing.T) {
	r := newRig(t, Options{Secrets: true})
	require.NoError(t, r.Feed(t.Context(), CloudWatch, 250))
	require.NoError(t, r.Drain(t.Context()))
	r.Rotate(true)
	require.NoError(t, r.Feed(t.Context(), CloudWatch, 250))
	require.NoError(t, r.Drain(t.Context()))

	result, err := r.Audit(t.Context())

	require.NoError(t, err)
	t.Log(result)
	require.NoError(t, result.Verdict())
	assert.Equal(t, 500, result.Delivered)
}

// A change of settings takes effect with the next process, and concerns nothing that was parked before.
func TestConfigure(t *testing.T) {
	r := newRig(t, Options{})
	require.NoError(t, r.Feed(t.Context(), Parked, 500))
	require.NoError(t, r.Configure(func(o *Options) { o.Env = map[string]string{"SLUICE_TAGS": "env:changed"} }))
	require.NoError(t, r.Feed(t.Context(), CloudWatch, 500))
	require.NoError(t, r.Drain(t.Context()))
	require.NoError(t, r.Replay(t.Context()))

	result, err := r.Audit(t.Context())

	require.NoError(t, err)
	require.NoError(t, result.Verdict())
	assert.Equal(t, 1000, result.Delivered)
	tags := map[bool]int{}
	for _, entry := range r.Intake().Entries() {
		tags[strings.Contains(entry.Tags, "env:changed")]++
	}
	assert.Equal(t, map[bool]int{true: 500, false: 500}, tags)
}

// Two rigs at once know nothing of one another.
func TestRigsAreIndependent(t *testing.T) {
	one, two := newRig(t, Options{Seed: 1, Timeout: 3 * time.Second}), newRig(t, Options{Seed: 1, Compact: true})
	one.Outage()
	require.NoError(t, one.S3.Down())
	for _, r := range []*Rig{one, two} {
		require.NoError(t, r.Feed(t.Context(), CloudWatch, 250))
		require.NoError(t, r.Drain(t.Context()))
	}

	down, err := one.Audit(t.Context())
	require.NoError(t, err)
	well, err := two.Audit(t.Context())
	require.NoError(t, err)

	assert.Equal(t, 250, down.Returned)
	assert.Equal(t, 250, well.Delivered)
	require.NoError(t, well.Verdict())
}

// An object that takes longer than the function may run goes on through the queue or the park store.
func TestContinuation(t *testing.T) {
	for _, e := range []Entry{S3, S3Queue} {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Options{
				Timeout: 6 * time.Second, LinesPerPayload: 12_000, Pad: generate.Random(2_000), Env: map[string]string{"SLUICE_MAX_IN_FLIGHT": "1"},
			})
			r.Intake().SetScript(intake.Always(intake.Step{Delay: 600 * time.Millisecond}))
			require.NoError(t, r.Feed(t.Context(), e, 12_000))
			require.NoError(t, r.Drain(t.Context()))
			require.NoError(t, r.Heal())
			require.NoError(t, r.Replay(t.Context()))

			result, err := r.Audit(t.Context())

			require.NoError(t, err)
			t.Log(result, r.SQS.Calls(), "messages", result.ReplayInvocations, "replays")
			require.NoError(t, result.Verdict())
			assert.Equal(t, 12_000, result.Delivered)
		})
	}
}
