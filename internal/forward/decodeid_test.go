package forward

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/config"
)

// Whatever decides how many records an object decodes to is in the id of the decoding.
func TestDecodeID(t *testing.T) {
	ids := map[string]string{}
	for name, cfg := range map[string]config.Config{
		"usual":           {},
		"multiline":       {Multiline: config.Multiline{Start: "x"}},
		"of so many":      {Multiline: config.Multiline{Start: "x", MaxLines: 3}},
		"events":          {Multiline: config.Multiline{Start: "x"}, MultilineEvents: true},
		"bytes":           {MaxObjectBytes: 5},
		"the agent's":     {Processing: config.Processing{Agent: config.Agent{Start: "x"}}},
		"headers":         {Processing: config.Processing{Agent: config.Agent{SkipHeader: 1}}},
		"redaction":       {Processing: config.Processing{Redact: []config.RedactRule{{Name: "a"}}}},
		"a route":         {Routes: []config.Route{{Key: "a"}}},
		"a route's lines": {Routes: []config.Route{{Key: "a", Multiline: config.Multiline{Start: "x"}}}},
	} {
		id := decodeID(&cfg)
		assert.Empty(t, ids[id], "%s is as good as another", name)
		ids[id] = name
	}
	assert.Equal(t, decodeID(&config.Config{}), decodeID(&config.Config{Source: "x"}))
}
