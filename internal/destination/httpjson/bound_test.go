package httpjson

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// A warm function sees new origins for days.
func TestRememberedOriginsAreBounded(t *testing.T) {
	k, err := keysOf(nil)
	require.NoError(t, err)
	e := newEncoder(k)
	for range 10 * maxOrigins {
		e.append(nil, &record.Record{Origin: &record.Origin{Kind: record.CloudWatch}})
		require.LessOrEqual(t, len(e.known), maxOrigins)
	}
	assert.NotEmpty(t, e.known)
}
