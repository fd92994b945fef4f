package ledger

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSideCounts(t *testing.T) {
	l := New("a")
	plain := string(l.AppendEMF(nil, Invocation{}))
	assert.NotContains(t, plain, "redactions", "what nobody has asked for is not shown")
	assert.NotContains(t, plain, "Untagged")

	l.Redacted("ip", 2)
	l.Redacted("ip", 1)
	l.Redacted("card\n", 1)
	l.Redacted("none", 0)
	l.Tagged(Tags{Untagged: 5, Calls: 3, Throttled: 2, Failures: 2, Trouble: "tags of functions: refused"})
	line := string(l.AppendEMF(nil, Invocation{}))
	assert.Contains(t, line, `"redactions":{"card\u000a":1,"ip":3}`)
	assert.Contains(t, line, `"LinesUntagged":5`)
	assert.Contains(t, line, `{"Name":"LinesUntagged","Unit":"Count"}`)
	assert.Contains(t, line, `"TagCallFailures":2`)
	assert.Contains(t, line, `"tag_lookups":{"calls":3,"throttled":2,"trouble":"tags of functions: refused"}`)
	assert.NoError(t, l.Check(), "they are no lines")
}
