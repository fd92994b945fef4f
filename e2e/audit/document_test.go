package audit

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
)

// messages are the texts of a payload's lines, as a reader of the document gets them.
func messages(t *testing.T, p generate.Payload) []string {
	t.Helper()
	var doc struct {
		LogEvents []struct {
			Message string `json:"message"`
		} `json:"logEvents"`
	}
	require.NoError(t, json.Unmarshal(p.Document, &doc))
	texts := make([]string, len(doc.LogEvents))
	for i, e := range doc.LogEvents {
		texts[i] = e.Message
	}
	return texts
}
