package e2e

import (
	"math/bits"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/stack"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
	"sluice/e2e/stack/secretstore"
)

// Bodies over a limit are halved until they fit, and what the limit is gets remembered.
func TestMovingSizeLimit(t *testing.T) {
	r := newRig(t, setup{})
	var limit atomic.Int64
	limit.Store(200_000)
	r.intake.SetScript(intake.Always(intake.Step{
		Checks: []intake.Check{intake.TooLargeAbove(func() int { return int(limit.Load()) })},
	}))
	refused := func(from int) (n int) {
		for _, request := range r.intake.Requests()[from:] {
			if request.Status == http.StatusRequestEntityTooLarge {
				n++
			}
		}
		return n
	}

	r.send(900)
	r.step()
	assert.Positive(t, refused(0), "the first body was too large")
	known := len(r.intake.Requests())
	r.send(900)
	r.step()
	assert.LessOrEqual(t, refused(known), 1, "the limit is known from then on, but for a try whether it has moved")
	limit.Store(30_000)
	known = len(r.intake.Requests())
	r.send(900)
	r.step()
	assert.Positive(t, refused(known), "the limit moved")
	r.drain()

	report := r.audit()

	assert.Len(t, r.queue.History, 3, "no event needed its owner")
	assert.Equal(t, deliverable(r.lines), report.Delivered)
	assert.Zero(t, report.TotalDuplicates())
}

// One record the intake never takes is found by halving, and all others get through.
func TestPoisonedRecord(t *testing.T) {
	r := newRig(t, setup{})
	r.send(10)
	r.step() // the intake is known to take this content coding
	p := r.send(1000)
	poisoned := marked(p.Lines, 617)
	r.intake.SetScript(intake.Always(intake.Step{Checks: []intake.Check{intake.Poison(needle(poisoned))}}))
	before := len(r.intake.Requests())

	first := r.step()

	n := deliverable(p.Lines)
	requests := len(r.intake.Requests()) - before
	assert.LessOrEqual(t, requests, 2*bits.Len(uint(n))+1, "requests to find 1 record in %d", n)
	d := r.ledger(first).Destinations[defaultDest]
	assert.Equal(t, n-1, d.Delivered)
	assert.Equal(t, 1, stack.Sum(d.Parked)+stack.Sum(d.Returned))
	r.drain()
	report := r.audit()
	assert.Equal(t, 1, report.Returned+report.Parked, "the poisoned line and no other")
	assert.Equal(t, deliverable(r.lines)-1, report.Delivered)
	assert.Equal(t, report.TotalDuplicates(), report.Duplicates[audit.D4], "only the owner's repetitions")
}

// Everything refused is a wrong set-up, not a bad record: the search stops.
func TestEveryRecordRefused(t *testing.T) {
	r := newRig(t, setup{})
	r.send(10)
	r.step()
	r.intake.SetScript(intake.Always(intake.Refuse(http.StatusBadRequest)))
	before := len(r.intake.Requests())
	r.send(900)

	first := r.step()

	assert.Equal(t, owner.Failed, first.Outcome)
	assert.LessOrEqual(t, len(r.intake.Requests())-before, 3)
	r.drain()
	report := r.audit()
	assert.Equal(t, deliverable(linesOf(r.lines, first.Payloads[0])), report.Returned)
	assert.Zero(t, report.TotalDuplicates())
}

func TestRotatedKey(t *testing.T) {
	for name, tc := range map[string]struct {
		setting string
		name    string
		op      secretstore.Operation
		rotated bool
	}{
		"Secrets Manager has the new key": {
			setting: "DD_API_KEY_SECRET_ARN", name: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:datadog-AbCdEf",
			op: secretstore.GetSecretValue, rotated: true,
		},
		"a parameter has the new key": {
			setting: "DD_API_KEY_SSM_NAME", name: "/datadog/key", op: secretstore.GetParameter, rotated: true,
		},
		"the store still has the old key": {
			setting: "DD_API_KEY_SECRET_ARN", name: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:datadog-AbCdEf",
			op: secretstore.GetSecretValue,
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := secretstore.Start()
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, store.Close()) })
			store.Put(tc.name, oldKey+"\n") // as stores often have it
			r := newRig(t, setup{env: map[string]string{
				"DD_API_KEY": "", tc.setting: tc.name,
				"AWS_ENDPOINT_URL_SECRETS_MANAGER": store.URL(), "AWS_ENDPOINT_URL_SSM": store.URL(),
			}})
			r.send(50)
			r.step()
			require.Equal(t, []int{202}, statuses(r.intake))
			require.Equal(t, 1, store.Calls(tc.op))

			r.intake.SetKeys(newKey)
			if tc.rotated {
				store.Put(tc.name, newKey)
			}
			r.send(50)
			second := r.step()

			assert.Equal(t, 2, store.Calls(tc.op), "one refresh")
			if tc.rotated {
				assert.Equal(t, owner.Taken, second.Outcome)
				assert.Equal(t, []int{202, 403, 202}, statuses(r.intake))
			} else {
				assert.Equal(t, owner.Failed, second.Outcome)
				assert.Equal(t, []int{202, 403, 403}, statuses(r.intake), "one retry")
			}
			r.drain()
			assert.Equal(t, 2, store.Calls(tc.op), "no more than one refresh a minute")
			assert.LessOrEqual(t, len(r.intake.Requests()), 3, "no storm of requests with a key known to be bad")
			assert.Zero(t, r.audit().TotalDuplicates())
		})
	}
}

func TestRefusedCoding(t *testing.T) {
	for name, status := range map[string]int{"with 415": http.StatusUnsupportedMediaType, "with 400": http.StatusBadRequest} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, setup{env: map[string]string{"SLUICE_COMPRESSION": "zstd"}})
			r.intake.SetScript(intake.Always(intake.Step{Checks: []intake.Check{intake.RefuseEncoding("zstd", status)}}))
			for range 3 {
				r.send(50)
				r.step()
			}

			report := r.audit()

			var encodings []string
			for _, request := range r.intake.Requests() {
				encodings = append(encodings, request.Encoding)
			}
			require.NotEmpty(t, encodings)
			assert.Equal(t, "zstd", encodings[0])
			assert.NotContains(t, encodings[1:], "zstd", "refused once and remembered")
			assert.LessOrEqual(t, len(encodings), 5, "the three bodies and the search for what was wrong with the first")
			assert.Equal(t, deliverable(r.lines), report.Delivered)
			assert.Zero(t, report.TotalDuplicates())
		})
	}
}

// A redirect is not followed: the key would go to another host.
func TestRedirect(t *testing.T) {
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			elsewhere, err := intake.StartDatadog(oldKey)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, elsewhere.Close()) })
			r := newRig(t, setup{})
			r.intake.SetScript(intake.Always(intake.Redirect(status, elsewhere.URL()+"/api/v2/logs")))
			r.send(50)

			first := r.step()

			assert.Equal(t, owner.Failed, first.Outcome)
			assert.Equal(t, []int{status}, statuses(r.intake), "no retry")
			r.drain()
			assert.Empty(t, elsewhere.Requests())
			assert.Equal(t, deliverable(r.lines), r.audit().Returned)
		})
	}
}
