package forward

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// within is a Lambda context with this much time left.
func within(t *testing.T, left time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(lambdaContext(t), left)
	t.Cleanup(cancel)
	return ctx
}

// An intake that does not answer must not take the function past its deadline: the event goes back in time, and every
// line is accounted for.
func TestDeadline(t *testing.T) {
	big, many := make([]string, 20), make([]string, 2000)
	records := make([][]byte, len(big))
	for i := range big { // 18 MB of bodies, of which 8 MiB may wait
		big[i] = strings.Repeat("x", 900_000)
		records[i] = []byte(big[i])
	}
	for i := range many { // 20 MB
		many[i] = strings.Repeat("x", 10_000)
	}
	for name, tc := range map[string]struct {
		handler func(*Forwarder) Handler
		event   []byte
		answer  string
		left    bool // part of the event was not even read
	}{
		"cloudwatch, many small batches":  {CloudWatch, direct(packed(t, document(t, numbered(2000)...))), "", false},
		"cloudwatch, more than may wait":  {CloudWatch, direct(packed(t, document(t, big...))), "", false},
		"cloudwatch, more than is read":   {CloudWatch, direct(packed(t, document(t, many...))), "", true},
		"kinesis, many records":           {Kinesis, stream(600), from(0), false},
		"kinesis, more than may wait":     {Kinesis, batchOf(records...), from(0), false},
		"kinesis, a subscription payload": {Kinesis, batchOf(packed(t, document(t, numbered(2000)...))), from(0), false},
		"kinesis, more than is read":      {Kinesis, batchOf(packed(t, document(t, many...))), from(0), true},
		"kinesis, lines of one record":    {Kinesis, batchOf([]byte(strings.Join(many, "\n"))), from(0), true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRigOf(t, map[string]string{"SLUICE_CONFIG": oneHTTP, "SLUICE_COMPRESSION": "none"})
				r.Forwarder.now = time.Now
				r.intake.answer = func(received) int { return 0 }
				ctx := within(t, 3*time.Second)
				answer, ledger, err := r.invokeWithin(ctx, t, tc.handler, tc.event)
				require.NoError(t, ctx.Err(), "answered in time")
				assert.Equal(t, tc.answer, answer)
				if tc.answer == "" {
					require.Error(t, err)
				}
				assert.NotEmpty(t, ledger.Error)
				assert.Equal(t, tc.left, strings.Contains(ledger.Error, "out of time: the rest of the event was not read"))
				c := ledger.Destinations["archive"]
				assert.Zero(t, c.Delivered)
				assert.Equal(t, c.In, sum(c.Returned))
				assert.Positive(t, c.Returned["deadline"])
			})
		})
	}
}

// An event for which there is no time left is returned, and nothing is sent.
func TestDeadlineHasPassed(t *testing.T) {
	for name, h := range handlers(t) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, both)
				r.Forwarder.now = time.Now
				ctx := within(t, time.Second)
				time.Sleep(2 * time.Second)
				answer, ledger, err := r.invokeWithin(ctx, t, h.handler, h.event)
				if name == "kinesis" {
					require.NoError(t, err)
					assert.Equal(t, from(0), answer)
					assert.Contains(t, ledger.Error, "out of time")
					assert.Equal(t, 1, ledger.Destinations["archive"].In, "no record was read")
				} else {
					require.Error(t, err)
				}
				for id, c := range ledger.Destinations {
					assert.Zero(t, c.Delivered, id)
				}
				assert.Empty(t, r.intake.got)
			})
		})
	}
}

// Much time is used, but for what is needed to account for everything.
func TestReserve(t *testing.T) {
	for name, tc := range map[string]struct{ left, want time.Duration }{
		"a second":        {time.Second, 500 * time.Millisecond},
		"ten seconds":     {10 * time.Second, 5 * time.Second},
		"a minute":        {time.Minute, 5 * time.Second},
		"fifteen minutes": {15 * time.Minute, 45 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, both)
				r.Forwarder.now = time.Now
				inv, end := r.begin(within(t, tc.left), plan{})
				defer end()
				stop, ok := inv.ctx.Deadline()
				require.True(t, ok)
				assert.Equal(t, tc.want, time.Until(inv.deadline)-time.Until(stop))
			})
		})
	}
}
