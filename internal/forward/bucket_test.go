package forward

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/event"
)

func TestBucketOwners(t *testing.T) {
	patterns := sourceBuckets{{Name: "example-logs*", Owner: "111122223333"}, {Name: "example-*", Owner: "444455556666"}, {Name: "own"}}
	for name, tc := range map[string]struct {
		bucket, account string
		owner           string
		allowed         bool
	}{
		"the first pattern":                        {"example-logs-1", "", "111122223333", true},
		"another pattern, for another account":     {"example-logs-1", "444455556666", "444455556666", true},
		"no pattern for that account":              {"example-logs-1", "777788889999", "", false},
		"the function's own account":               {"own", "", "123456789012", true},
		"a bucket of the same name, of a stranger": {"own", "111122223333", "", false},
		"no pattern at all":                        {"other", "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			owner, allowed := patterns.owner(&event.Object{Bucket: tc.bucket, Account: tc.account}, "123456789012")
			assert.Equal(t, tc.allowed, allowed)
			assert.Equal(t, tc.owner, owner)
		})
	}
}
