package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestUnknown(t *testing.T) {
	const none = "this name is unknown"
	meant := func(name string) string { return none + "; did you mean " + name + "?" }
	for _, tc := range []struct {
		name  string
		known []string
		want  string
	}{
		{"match", []string{"attribute", "matches"}, meant("matches")},
		{"Match", []string{"attribute", "matches"}, meant("matches")},
		{"matches_", []string{"attribute", "matches"}, meant("matches")},
		{"members", []string{"name", "pattern", "replacement", "member", "attribute"}, meant("member")},
		{"tag", []string{"tags"}, meant("tags")},
		{"ur", []string{"urls", "method"}, none},
		{"redac", []string{"redacted", "redact"}, meant("redact")},
		{"bucke", []string{"bucketed", "buckets", "bucket"}, meant("buckets")},
		{"SLUICE_", []string{"SLUICE_CONFIG", "SLUICE_URL"}, none},
		{"colour", []string{"tags", ""}, none},
	} {
		assert.Equal(t, tc.want, unknown(tc.name, tc.known), "%s of %v", tc.name, tc.known)
	}
}

// A member of a condition or of a rule that is nearly right is asked after.
func TestNearNames(t *testing.T) {
	for document, want := range map[string]string{
		"exclude_where: [{attribute: a, match: b}]": "exclude_where[0].match (line 1): this name is unknown; did you mean matches?",
		"redact: [{name: a, members: b}]":           "redact[0].members (line 1): this name is unknown; did you mean member?",
	} {
		_, err := load(t, with("SLUICE_CONFIG="+document))
		assert.ErrorContains(t, err, want)
	}
}
