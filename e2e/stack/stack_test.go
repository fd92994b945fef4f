package stack

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var buildFunction = sync.OnceValues(func() (string, error) {
	return Build(context.Background(), ".", "./testdata/function")
})

func newFunction(t *testing.T, env map[string]string) *Function {
	t.Helper()
	binary, err := buildFunction()
	require.NoError(t, err)
	f, err := New(Config{Binary: binary, Name: "sample", MemoryMiB: 192, Timeout: 20 * time.Second, Env: env})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, f.Close()) })
	return f
}

func invoke(t *testing.T, f *Function, payload string, opts ...Option) Result {
	t.Helper()
	result, err := f.Invoke(t.Context(), []byte(payload), opts...)
	require.NoError(t, err)
	return result
}

type said struct {
	PID       int    `json:"pid"`
	ARN       string `json:"arn"`
	Remaining int    `json:"remaining"`
	Memory    int    `json:"memory"`
	Settings  string `json:"settings"`
	Traced    bool   `json:"traced"`
}

func decode(t *testing.T, r Result) said {
	t.Helper()
	require.Nil(t, r.Error)
	var s said
	require.NoError(t, json.Unmarshal(r.Response, &s))
	return s
}

func TestInvokeHandsOverTheServiceContract(t *testing.T) {
	f := newFunction(t, map[string]string{"SETTING": "blue"})

	got := decode(t, invoke(t, f, `{}`))

	assert.Equal(t, "arn:aws:lambda:eu-west-1:123456789012:function:sample", got.ARN)
	assert.Equal(t, 192, got.Memory)
	assert.Equal(t, "blue", got.Settings)
	assert.True(t, got.Traced)
	assert.Greater(t, got.Remaining, 10_000)
	assert.LessOrEqual(t, got.Remaining, 20_000)
	assert.Less(t, decode(t, invoke(t, f, `{}`, Within(5*time.Second))).Remaining, 5_001)
	assert.Equal(t, got.PID, decode(t, invoke(t, f, `{}`)).PID, "a healthy process is kept")
}

func TestInvokeFailures(t *testing.T) {
	for name, tc := range map[string]struct {
		payload  string
		within   time.Duration
		kind     string
		message  string
		exited   bool
		timedOut bool
	}{
		"a returned error keeps its type and message":   {payload: `{"do":"fail"}`, kind: "errorString", message: "asked to fail"},
		"a panic is reported although the process ends": {payload: `{"do":"panic"}`, kind: "string", message: "asked to panic"},
		"an exit without an answer":                     {payload: `{"do":"exit"}`, kind: "Runtime.ExitError", message: "exit status 1", exited: true},
		"past the deadline the process is killed": {
			payload: `{"do":"hang"}`, within: 300 * time.Millisecond,
			kind: "Sandbox.Timedout", message: "Task timed out after 0.30 seconds", timedOut: true,
		},
		"a response over 6 MB": {payload: `{"do":"large","bytes":6291456}`, kind: "Function.ResponseSizeTooLarge", message: "6291456"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFunction(t, nil)
			before := decode(t, invoke(t, f, `{}`)).PID
			within := tc.within
			if within == 0 {
				within = 20 * time.Second
			}

			result := invoke(t, f, tc.payload, Within(within))

			require.NotNil(t, result.Error)
			assert.Equal(t, tc.kind, result.Error.Type)
			assert.Contains(t, result.Error.Message, tc.message)
			assert.Equal(t, tc.exited, result.Exited)
			assert.Equal(t, tc.timedOut, result.TimedOut)
			after := invoke(t, f, `{}`)
			if after.Exited { // the process was on its way out when the event came
				after = invoke(t, f, `{}`)
			}
			if tc.exited || tc.timedOut {
				assert.NotEqual(t, before, decode(t, after).PID, "the next event starts a process")
			} else {
				decode(t, after)
			}
		})
	}
}

func TestInvokeRefusesAnOversizeEvent(t *testing.T) {
	_, err := newFunction(t, nil).Invoke(t.Context(), make([]byte, MaxSyncBytes+1))
	assert.ErrorContains(t, err, "over the limit of 6291456")
}

func TestFailedInit(t *testing.T) {
	result := invoke(t, newFunction(t, map[string]string{"FAIL_INIT": "1"}), `{}`)
	require.NotNil(t, result.Error)
	assert.Equal(t, "Runtime.ExitError", result.Error.Type)
	assert.Contains(t, result.Error.Message, "exit status 3")
}

func TestKillDuringAnInvocation(t *testing.T) {
	f := newFunction(t, nil)
	results := make(chan Result, 1)
	go func() {
		result, _ := f.Invoke(t.Context(), []byte(`{"do":"hang"}`))
		results <- result
	}()
	waitForLedgers(t, f, 1)

	require.NoError(t, f.Kill())

	result := <-results
	require.NotNil(t, result.Error)
	assert.Contains(t, result.Error.Message, "signal: killed")
	assert.Equal(t, 1, f.Usage().Starts)
	decode(t, invoke(t, f, `{}`))
	assert.Equal(t, 2, f.Usage().Starts)
	assert.Equal(t, []string{"signal: killed"}, f.Usage().Exits)
}

// waitForLedgers returns once the function has printed n ledger lines, which its events make it do first.
func waitForLedgers(t *testing.T, f *Function, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return len(f.Ledgers()) >= n }, 20*time.Second, 5*time.Millisecond)
}

func TestFreeze(t *testing.T) {
	f := newFunction(t, nil)
	before := decode(t, invoke(t, f, `{}`)).PID

	require.NoError(t, f.Freeze())
	require.NoError(t, f.Thaw())
	assert.Equal(t, before, decode(t, invoke(t, f, `{}`)).PID, "a thawed process goes on")

	require.NoError(t, f.Freeze())
	time.Sleep(200 * time.Millisecond) // the signal is a request: a thread on another processor may still answer before it stops
	assert.True(t, invoke(t, f, `{}`, Within(200*time.Millisecond)).TimedOut, "a frozen one misses its deadline")
}

func TestUsage(t *testing.T) {
	f := newFunction(t, nil)
	invoke(t, f, `{}`)
	small := f.Usage().PeakRSSBytes
	require.Positive(t, small)

	invoke(t, f, `{"do":"grow","bytes":67108864}`)

	assert.Greater(t, f.Usage().PeakRSSBytes, small+60<<20)
	require.NoError(t, f.Close())
	assert.Positive(t, f.Usage().CPU)
	_, err := f.Invoke(t.Context(), []byte(`{}`))
	assert.ErrorContains(t, err, "closed")
}

func TestLedgerOfAnInvocation(t *testing.T) {
	f := newFunction(t, nil)
	result := invoke(t, f, `{}`)

	ledger, err := f.Ledger(t.Context(), result.RequestID)

	require.NoError(t, err)
	assert.Equal(t, 1, ledger.In)
	assert.Equal(t, "sample", ledger.FunctionName)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.Ledger(gone, "no-such-invocation")
	assert.ErrorIs(t, err, context.Canceled)
}

func TestOutput(t *testing.T) {
	o := newOutput()
	o.read(strings.NewReader(strings.Repeat("x", maxLineBytes+100) + "\nlast line without newline"))
	lines := o.lastLines()
	require.Len(t, lines, 2)
	assert.Len(t, lines[0], maxLineBytes)
	assert.Equal(t, "last line without newline", lines[1])
}

func TestOutputIsBounded(t *testing.T) {
	o := newOutput()
	o.read(strings.NewReader(strings.Repeat("line\n", 3*maxKeptLines)))
	assert.Len(t, o.lastLines(), maxKeptLines)
	assert.Less(t, len(o.lines), 2*maxKeptLines)
}

func TestParseLedger(t *testing.T) {
	for name, tc := range map[string]struct {
		line string
		want bool
	}{
		"a ledger line":           {`{"_aws":{},"FunctionName":"f","request_id":"r","LinesIn":3,"destinations":{"d":{"in":3,"delivered":3}}}`, true},
		"another JSON line":       {`{"level":"warn","msg":"a plain key"}`, false},
		"text":                    {`LinesIn: 3`, false},
		"a ledger cut off midway": {`{"request_id":"r","LinesIn":3`, false},
		"no request id":           {`{"LinesIn":3}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, ok := parseLedger([]byte(tc.line))
			assert.Equal(t, tc.want, ok)
		})
	}
}

func TestDestinationBalanced(t *testing.T) {
	d := Destination{In: 10, Delivered: 4, Dropped: map[string]int{"a": 1, "b": 1}, Parked: map[string]int{"c": 2}, Returned: map[string]int{"d": 2}}
	assert.True(t, d.Balanced())
	d.In = 11
	assert.False(t, d.Balanced())
}

// A process gets what is configured when it starts, and what the first one gets alone.
func TestConfigureAndEachStart(t *testing.T) {
	binary, err := buildFunction()
	require.NoError(t, err)
	f, err := New(Config{
		Binary: binary, Name: "sample", Timeout: 20 * time.Second, Env: map[string]string{"SETTING": "usual"},
		EachStart: func(number int) map[string]string {
			if number == 1 {
				return map[string]string{"SETTING": "first"}
			}
			return nil
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, f.Close()) })

	assert.Equal(t, "first", decode(t, invoke(t, f, `{}`)).Settings)
	require.NoError(t, f.Kill())
	assert.Equal(t, "usual", decode(t, invoke(t, f, `{}`)).Settings)
	f.Configure(map[string]string{"SETTING": "changed"})
	assert.Equal(t, "usual", decode(t, invoke(t, f, `{}`)).Settings, "the process that runs keeps what it has")
	require.NoError(t, f.Kill())
	assert.Equal(t, "changed", decode(t, invoke(t, f, `{}`)).Settings)
	require.NoError(t, f.Kill())
	assert.Equal(t, 4, f.Printed(), "a line for each event")
}

func TestLive(t *testing.T) {
	f := newFunction(t, nil)
	_, running := f.Live()
	assert.False(t, running)
	pid := decode(t, invoke(t, f, `{}`)).PID

	live, running := f.Live()

	require.True(t, running)
	assert.Equal(t, pid, live.PID)
	assert.Positive(t, live.RSSBytes)
	assert.Positive(t, live.FDs)
	assert.Positive(t, live.Threads)
	require.NoError(t, f.Kill())
	_, running = f.Live()
	assert.False(t, running)
}
