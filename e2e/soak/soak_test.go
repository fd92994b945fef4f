package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/rig"
)

func entryNamed(name string) rig.Entry { return rig.Entry(name) }

func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs every function for 20 s")
	}
	var out bytes.Buffer
	err := run(t.Context(), options{length: 20 * time.Second, seed: 1, rate: 1500, verbose: true}, &out)
	t.Log(out.String())
	require.NoError(t, err)
	assert.Contains(t, out.String(), "\nsoak: lines=")
	assert.Contains(t, out.String(), " lost=0 pending=0 ")
}
