package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
)

// Two destinations fail and count each for itself.
func TestTwoDestinationsOneFailing(t *testing.T) {
	second, err := intake.StartHTTP()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, second.Close()) })
	failing := intake.Refuse(http.StatusServiceUnavailable)
	second.SetScript(intake.Sequence(failing, failing, failing, failing))
	// The first intake's address is known once the rig has it.
	main, err := intake.StartDatadog(oldKey)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, main.Close()) })
	r := newRig(t, setup{env: map[string]string{"DD_URL": "", "SLUICE_CONFIG": fmt.Sprintf(`
destinations:
  - id: dd-main
    type: datadog
    url: %s
    api_key: "env:DD_API_KEY"
  - id: copy
    type: http
    url: %s/logs
    format: json_lines
`, main.URL(), second.URL())}})
	r.send(300)
	first := r.step()
	assert.Equal(t, owner.Failed, first.Outcome)
	counts := r.ledger(first).Destinations
	assert.Equal(t, deliverable(r.lines), counts["dd-main"].Delivered, "one destination's failure is not the other's")
	assert.Zero(t, counts["copy"].Delivered)
	r.drain()

	healthy, hurt := r.auditOf("dd-main", main), r.auditOf("copy", second)

	assert.Equal(t, deliverable(r.lines), healthy.Delivered)
	assert.Equal(t, map[audit.Class]int{audit.D4: healthy.Delivered}, healthy.Duplicates, "the owner repeated the event")
	assert.Equal(t, deliverable(r.lines), hurt.Delivered)
	assert.Zero(t, hurt.TotalDuplicates())
	assert.LessOrEqual(t, len(second.Requests()), maxAttempts+1)
	for _, request := range second.Requests() {
		assert.Equal(t, "application/x-ndjson", request.Header.Get("Content-Type"))
		assert.Equal(t, intake.KeyNone, request.Key, "the key of one destination is not for the other")
	}
}
