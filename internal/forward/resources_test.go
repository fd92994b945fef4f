package forward

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/process"
	"sluice/internal/tags"
)

// What the cache says of tags is told package process in its own words, and comes back in those of the cache.
func TestKnowledgeOf(t *testing.T) {
	for status, want := range map[tags.Status]process.Knowledge{
		tags.Off: process.Known, tags.Foreign: process.Known, tags.Fresh: process.Known, tags.Stale: process.Known,
		tags.Pending: process.Pending, tags.Failed: process.Failed,
	} {
		assert.Equal(t, want, knowledgeOf(status))
	}
	var r resources
	r.CountUntagged(process.Pending, 2)
	r.CountUntagged(process.Failed, 3)
	r.CountUntagged(process.Failed, 4)
	assert.Equal(t, map[tags.Status]int64{tags.Pending: 2, tags.Failed: 7}, r.untagged)
}
