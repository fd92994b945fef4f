package rig

import (
	"bytes"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
)

func TestStartsOf(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte("a\nbb\nccc\n"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	long := strings.Repeat("x", 100_000)
	for name, tc := range map[string]struct {
		payload Payload
		lines   int
		want    []int64
	}{
		"plain":                    {payload: Payload{Data: []byte("a\nbb\nccc\n")}, lines: 3, want: []int64{0, 2, 5}},
		"gzip":                     {payload: Payload{Data: b.Bytes()}, lines: 3, want: []int64{0, 2, 5}},
		"no end of the last line":  {payload: Payload{Data: []byte("a\nbb")}, lines: 2, want: []int64{0, 2}},
		"lines that are not there": {payload: Payload{Data: []byte("a\nbb\n")}, lines: 4, want: []int64{0, 2, 5, 5}},
		"gzip that is cut":         {payload: Payload{Data: b.Bytes()[:4]}, lines: 2, want: []int64{0, 4}},
		"what it holds is told":    {payload: Payload{Data: []byte("?"), Plain: []byte("a\nb\n")}, lines: 2, want: []int64{0, 2}},
		"a long line":              {payload: Payload{Data: []byte(long + "\nb\n")}, lines: 2, want: []int64{0, 100_001}},
		"no lines":                 {payload: Payload{Data: []byte("a\n")}, want: []int64{}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.payload.Lines = make([]generate.Line, tc.lines)
			assert.Equal(t, tc.want, startsOf(tc.payload))
		})
	}
}

// Two environments of a function are one function to everybody else.
func TestEnvironment(t *testing.T) {
	second := ReplayFunction.Environment(2)
	assert.NotEqual(t, ReplayFunction, second)
	assert.Equal(t, ReplayFunction, second.base())
	assert.Equal(t, replaySender, senderOf(second))
	assert.Equal(t, "replay", agentOf("aws-sdk-go-v2/1 exec-env/"+executionEnv+"replay m/F"))
	assert.Empty(t, agentOf("curl/8"))
}

// Two replays at once take turns by their leases.
func TestTwoReplays(t *testing.T) {
	r := newRig(t, Options{})
	require.NoError(t, r.Feed(t.Context(), Parked, 2000))
	done := make(chan error, 2)
	for i := range 2 {
		go func() {
			_, err := r.InvokeReplayIn(t.Context(), ReplayFunction.Environment(i+2), PendingEvent)
			done <- err
		}()
	}
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	require.NoError(t, r.Replay(t.Context()))

	result, err := r.Audit(t.Context())

	require.NoError(t, err)
	t.Log(result)
	require.NoError(t, result.Verdict())
	assert.Equal(t, 2000, result.Delivered)
	assert.Zero(t, result.TotalDuplicates())
	assert.Equal(t, 2, result.Starts[ReplayFunction])
}

// The source hands the same over again: a duplicate that is the source's.
func TestResend(t *testing.T) {
	for _, e := range []Entry{CloudWatch, S3Queue} {
		t.Run(string(e), func(t *testing.T) {
			r := newRig(t, Options{})
			p := r.Next(e, 50)
			require.NoError(t, r.Send(t.Context(), e, p))
			require.NoError(t, r.Drain(t.Context()))
			require.NoError(t, r.Resend(t.Context(), e, p))
			require.NoError(t, r.Drain(t.Context()))

			result, err := r.Audit(t.Context())

			require.NoError(t, err)
			require.NoError(t, result.Verdict())
			assert.Equal(t, 50, result.Delivered)
			assert.Equal(t, 50, result.TotalDuplicates())
		})
	}
}

// An audit that finds nothing wrong when something is would be worth nothing.
func TestVerdictFails(t *testing.T) {
	r := newRig(t, Options{})
	require.NoError(t, r.Feed(t.Context(), CloudWatch, 100))
	require.NoError(t, r.Drain(t.Context()))
	r.Expect(Payload{ID: "p", Lines: []generate.Line{{Message: "never sent"}}})

	result, err := r.Audit(t.Context())

	require.NoError(t, err)
	assert.Equal(t, 1, result.Lost)
	require.ErrorContains(t, result.Verdict(), "1 lost")
	assert.Contains(t, result.String(), "FAILED")
}
