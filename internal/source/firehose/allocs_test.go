//go:build !race

// The race detector makes sync.Pool forget things, and encoding/json keeps its scanners there.

package firehose_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/source/firehose"
)

func TestParseAllocatesNothingForEnvelopesAlike(t *testing.T) {
	lines := fileLines(t, "http-endpoint-failed")
	var p firehose.Parser
	var f firehose.Failed
	require.NoError(t, p.Parse(lines[1], &f))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if err := p.Parse(lines[1], &f); err != nil || !firehose.IsFailed(lines[1]) {
			t.Fatal(err)
		}
	}))
	name, _ := firehose.ParseKey(keyOf("http-endpoint-failed"))
	dst := make([]byte, 0, 4096)
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { dst = f.AppendAttributes(dst[:0], name) }), 1.0)
}
