package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
	"sluice/e2e/stack"
)

func TestLargeEventsAreNearTheLimit(t *testing.T) {
	events, err := largeEvents()
	require.NoError(t, err)
	largest := 0
	for _, e := range events {
		assert.LessOrEqual(t, len(e), stack.MaxAsyncBytes)
		largest = max(largest, len(e))
	}
	assert.Greater(t, largest, stack.MaxAsyncBytes*9/10)
}

func TestLargeBatchesAreNearTheLimit(t *testing.T) {
	batches, err := largeBatches()
	require.NoError(t, err)
	for i, b := range batches {
		assert.LessOrEqual(t, len(b), stack.MaxSyncBytes, "batch %d", i)
		assert.Greater(t, len(b), stack.MaxSyncBytes*9/10, "batch %d", i)
	}
}

func TestContentsAreAboutAsLargeAsTheySay(t *testing.T) {
	for _, c := range contents() {
		if c.key == "mixed" {
			continue // its lines are of any length
		}
		t.Run(c.key, func(t *testing.T) {
			line := c.style(rand.New(rand.NewPCG(1, 1)), time.Now(), generate.Mark{Src: "s3", Seq: 1})
			assert.InDelta(t, c.lineBytes, len(line), 100)
		})
	}
}
