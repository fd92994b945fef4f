package main

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	defaults, err := parse(nil, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, options{
		sizesMiB: numbers{64, 256, 1024}, inFlight: numbers{4, 16}, latency: 30 * time.Millisecond, memoryMiB: 256, compression: "zstd", timeout: longest,
	}, defaults)

	changed, err := parse([]string{"-sizes", "1,2", "-in-flight=8", "-latency", "5ms", "-strict"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, options{
		sizesMiB: numbers{1, 2}, inFlight: numbers{8}, latency: 5 * time.Millisecond, memoryMiB: 256, compression: "zstd", timeout: longest, strict: true,
	}, changed)
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		says string
	}{
		"a size is no number":    {[]string{"-sizes", "64,large"}, `"large" is no number above 0`},
		"nothing is in flight":   {[]string{"-in-flight", "0"}, `"0" is no number above 0`},
		"a flag is not known":    {[]string{"-quick"}, "-quick"},
		"a latency has no unit":  {[]string{"-latency", "30"}, "-latency"},
		"the list of sizes ends": {[]string{"-sizes", "64,"}, `"" is no number above 0`},
	} {
		t.Run(name, func(t *testing.T) {
			var complaints bytes.Buffer
			_, err := parse(tc.args, &complaints)
			require.Error(t, err)
			assert.Contains(t, complaints.String(), tc.says)
		})
	}
}

func TestParseMachine(t *testing.T) {
	for name, tc := range map[string]struct {
		stat string
		want machine
	}{
		"guest time is part of user time": {
			"cpu  100 10 20 300 4 5 6 7 80 9\ncpu0 1 1 1 1\n",
			machine{busy: 1480 * time.Millisecond, idle: 3040 * time.Millisecond},
		},
		"an old kernel tells less": {
			"cpu 1 0 2 3\n", machine{busy: 30 * time.Millisecond, idle: 30 * time.Millisecond},
		},
		"nothing":             {"", machine{}},
		"another first line":  {"intr 1 2 3 4\n", machine{}},
		"a word for a number": {"cpu 1 2 many 4\n", machine{}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tc.want, parseMachine(tc.stat)) })
	}
}

// The whole path, once, with an object that is too small to measure anything.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the function")
	}
	var out bytes.Buffer
	t.Chdir("..") // the command is run in e2e
	opts := options{
		sizesMiB: numbers{1}, inFlight: numbers{4}, latency: time.Millisecond, memoryMiB: 256, compression: "gzip", timeout: longest,
	}
	require.NoError(t, run(t.Context(), opts, &out), out.String())
	assert.Contains(t, out.String(), "wall:cpu")
}

// An object that takes longer than an invocation arrives all the same, each line once.
func TestRunOfSeveralInvocations(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the function")
	}
	var out bytes.Buffer
	t.Chdir("..")
	opts := options{
		sizesMiB: numbers{64}, inFlight: numbers{4}, latency: time.Millisecond, memoryMiB: 256, compression: "gzip",
		timeout: 2 * time.Second,
	}
	require.NoError(t, run(t.Context(), opts, &out), out.String())
	t.Log(out.String())
}
