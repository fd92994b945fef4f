package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
)

const batchItems = 1_000 // the most lines of a batch, Datadog Logs API v2

// Without a park store, messages go back to their queue while the intake is away; when it is back, every line arrives once.
func TestS3Outage(t *testing.T) {
	failing := intake.Refuse(http.StatusInternalServerError)
	for name, announce := range map[string]func(*s3Rig, ...stored){
		"by a queue": (*s3Rig).announce,
		"by S3 itself": func(r *s3Rig, objects ...stored) {
			var list []notify.Object
			for _, o := range objects {
				list = append(list, o.Object)
			}
			r.event(notify.Native(list...), objects...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newS3Rig(t, setup{env: map[string]string{"SLUICE_PARK_BUCKET": ""}})
			r.intake.SetScript(intake.Sequence(failing, failing, failing, failing))
			announce(r, r.access("a.log", 50), r.access("b.log", 60), r.access("c.log", 70))

			report := r.audit()

			assert.Equal(t, 180, report.Delivered)
			assert.Zero(t, report.TotalDuplicates())
			assert.Len(t, r.history(), 2)
			assert.Equal(t, owner.Taken, r.history()[1].Outcome)
			assert.Equal(t, []int{500, 500, 500, 500, 202}, statuses(r.intake))
		})
	}
}

// Without a park store, a batch that the intake never takes costs the messages whose lines are in it a second delivery, and
// no other.
func TestS3OutageInTheMidst(t *testing.T) {
	r := newS3Rig(t, setup{env: map[string]string{"SLUICE_PARK_BUCKET": ""}})
	first, second := r.access("first.log", batchItems), r.access("second.log", batchItems+batchItems/2)
	third := r.access("third.log", batchItems/2)
	hurt := second.lines[len(second.lines)-1] // in the batch with the third object
	r.intake.SetScript(intake.Always(intake.Step{Checks: []intake.Check{failFirst(maxAttempts, textNeedle(hurt))}}))
	r.announce(first, second, third)

	report := r.audit()

	assert.Equal(t, 3*batchItems, report.Delivered)
	assert.Equal(t, []owner.Outcome{owner.Partly, owner.Taken}, r.outcomes())
	assert.Equal(t, []string{second.id, third.id}, r.objects.History[1].Payloads)
	assert.Equal(t, map[audit.Class]int{audit.D4: batchItems}, report.Duplicates, "what was taken of the second object")
	assertSameIDs(t, r.intake.Entries())
}

// A process that is killed while it reads takes the knowledge of what got through with it.
func TestS3KillWhileReading(t *testing.T) {
	r := newS3Rig(t, setup{})
	o := r.generate.Object(5*batchItems, generate.ALB)
	half := r.put("half.log", o, o.Body)
	r.s3.SetScript(bucket.Rules(bucket.Rule{
		Key: half.Key, Nth: 1, Step: bucket.StallAfter(half.Size/2, bucket.UntilReleased),
	}))
	r.announce(half, r.access("next.log", 10))
	stepped := make(chan error, 1)
	go func() {
		_, err := r.objects.Step(t.Context())
		stepped <- err
	}()
	require.Eventually(t, func() bool { return r.intake.Taken() >= batchItems }, settleTime, time.Millisecond)
	require.NoError(t, r.function.Kill())
	require.NoError(t, <-stepped)

	report := r.audit()

	assert.Equal(t, []owner.Outcome{owner.Ended, owner.Taken}, r.outcomes())
	assert.Equal(t, 5*batchItems+10, report.Delivered)
	assert.Equal(t, []audit.Class{audit.D1}, report.Classes())
	assert.LessOrEqual(t, report.TotalDuplicates(), 5*batchItems/2)
	assertSameIDs(t, r.intake.Entries())
}

// S3 and SQS may announce an object more than once: it is delivered again, with the same ids, so that it can be told.
func TestS3AnnouncedAgain(t *testing.T) {
	for name, announce := range map[string]func(*s3Rig, stored){
		"in one batch": func(r *s3Rig, o stored) { r.announce(o, o) },
		"by two routes": func(r *s3Rig, o stored) {
			r.announce(o)
			r.event(notify.EventBridge(o.Object), o)
		},
		"by S3 and a job": func(r *s3Rig, o stored) {
			r.event(notify.Native(o.Object), o)
			r.drain()
			r.succeed(r.job(notify.BatchOperations1(jobInvocation, o.Object), "1.0", o), o)
		},
	} {
		for _, versioned := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", with versions"}[versioned], func(t *testing.T) {
				r := newS3Rig(t, setup{versioned: versioned})
				announce(r, r.access("twice.log", 100))

				report := r.audit()

				assert.Equal(t, 100, report.Delivered)
				assert.Equal(t, map[audit.Class]int{audit.D4: 100}, report.Duplicates)
				assertSameIDs(t, r.intake.Entries())
			})
		}
	}
}

// A standard queue hands messages over in any order, and some of them again after they were taken.
func TestS3QueueRepeatsAndShuffles(t *testing.T) {
	r := newS3Rig(t, setup{})
	r.objects = owner.NewQueue(r.function, owner.QueueConfig{
		Queue:     envelope.Queue{ARN: "arn:aws:sqs:eu-west-1:123456789012:log-objects", Region: stack.Region},
		BatchSize: 3, Shuffle: true, Repeat: 0.5, Seed: 7,
	})
	for i := range 20 {
		r.announce(r.access(fmt.Sprintf("%02d.log", i), 20))
	}

	report := r.audit()

	assert.Equal(t, 20*20, report.Delivered)
	assert.Equal(t, []audit.Class{audit.D4}, report.Classes())
	assert.Equal(t, 20*(len(r.gets())-20), report.TotalDuplicates())
	assertSameIDs(t, r.intake.Entries())
}

// assertSameIDs says that a line has one id however often it arrived, and no other line has it.
func assertSameIDs(t *testing.T, entries []intake.Entry) {
	t.Helper()
	seen := map[string]generate.Mark{}
	for mark, ids := range idsByMark(t, entries) {
		require.Len(t, slices.Compact(ids), 1, "line %s", mark)
		other, taken := seen[ids[0]]
		require.False(t, taken, "lines %s and %s", mark, other)
		seen[ids[0]] = mark
	}
}
