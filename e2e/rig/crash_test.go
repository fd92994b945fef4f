package rig

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// A process that ends at a fail point is followed by one that does not: the owner repeats, and what that costs has a cause.
func TestFailPoints(t *testing.T) {
	crashing, err := Open(t.Context(), LabOptions{Tags: []string{"failpoint"}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, crashing.Close()) })
	for name, tc := range map[string]struct {
		entry   Entry
		point   string
		outage  bool
		classes []audit.Class
	}{
		"an event was read":             {entry: CloudWatch, point: "decoded:exit"},
		"a batch was taken":             {entry: CloudWatch, point: "accepted:exit", classes: []audit.Class{audit.D1}},
		"all is durable":                {entry: CloudWatch, point: "before_answer:exit", classes: []audit.Class{audit.D1}},
		"a panic before the answer":     {entry: CloudWatch, point: "before_answer:panic", classes: []audit.Class{audit.D4, audit.D1}},
		"a batch was parked":            {entry: CloudWatch, point: "after_park:exit", outage: true, classes: []audit.Class{audit.D1}},
		"a batch was about to be":       {entry: CloudWatch, point: "before_park:exit", outage: true},
		"a batch of a stream was taken": {entry: Kinesis, point: "accepted:exit", classes: []audit.Class{audit.D1}},
		"a record of Firehose":          {entry: Firehose, point: "accepted:exit", classes: []audit.Class{audit.D5}},
		"replay sent a batch":           {entry: Parked, point: "accepted:exit", classes: []audit.Class{audit.D3}},
		"replay is about to delete":     {entry: Parked, point: "before_delete:exit", classes: []audit.Class{audit.D3}},
		"replay hangs with a lease":     {entry: Parked, point: "leased:hang"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := crashing.New(t.Context(), Options{
				Name: t.Name(), Timeout: 3 * time.Second, ReplayTimeout: 8 * time.Second,
				EachStart: func(f Function, number int) map[string]string {
					if number > 1 || (f == ReplayFunction) != (tc.entry == Parked) {
						return nil
					}
					return FailAt(tc.point)
				},
			})
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, r.Close()) })
			if tc.outage {
				r.Outage()
			}
			require.NoError(t, r.Feed(t.Context(), tc.entry, 500))
			require.NoError(t, r.Drain(t.Context()))
			require.NoError(t, r.Heal())
			require.NoError(t, r.Replay(t.Context()))

			result, err := r.Audit(t.Context())

			require.NoError(t, err)
			t.Log(result)
			require.NoError(t, result.Verdict())
			assert.Equal(t, 500, result.Delivered)
			var classes []audit.Class
			for class := range result.Duplicates {
				classes = append(classes, class)
			}
			assert.Subset(t, tc.classes, classes)
			ended := 0
			for _, d := range r.History() {
				if d.Outcome != owner.Taken {
					ended++
				}
			}
			for _, d := range r.replays {
				if d.Outcome != owner.Taken {
					ended++
				}
			}
			assert.Positive(t, ended, "the fail point was reached")
		})
	}
}

// The answer is lost with the process: the owner repeats what the intake has.
func TestKill(t *testing.T) {
	r := newRig(t, Options{})
	r.Intake().SetScript(intake.Sequence(intake.Step{Fault: intake.Hang, Commit: true}))
	require.NoError(t, r.Feed(t.Context(), CloudWatch, 100))
	drained := make(chan error, 1)
	go func() { drained <- r.Drain(t.Context()) }()
	require.Eventually(t, func() bool { return r.Intake().Taken() > 0 }, 20*time.Second, time.Millisecond)
	require.NoError(t, r.Kill(CloudWatchFunction))
	require.NoError(t, <-drained)

	result, err := r.Audit(t.Context())

	require.NoError(t, err)
	t.Log(result)
	require.NoError(t, result.Verdict())
	assert.Equal(t, map[audit.Class]int{audit.D1: 100}, result.Duplicates)
	assert.Equal(t, 2, result.Starts[CloudWatchFunction])
}
