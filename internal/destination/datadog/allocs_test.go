//go:build !race

// The race detector makes sync.Pool forget things, and encoding/json keeps its scanners there.

package datadog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/record"
)

func TestReshapeAllocatesNothing(t *testing.T) {
	var s Reshaper
	hub := hubRecord(record.Plain([]byte(`{"detail":{"findings":[{"Resources":[{"Type":"a","x":1}]},{"Id":"2"}]}}`)))
	waf := wafRecord(record.Escaped(record.AppendEscaped(nil, strings.ReplaceAll(wafLog, `\u0042`, "B"))))
	nothing := wafRecord(record.Plain([]byte(`{"httpRequest":{"clientIp":"198.51.100.1","headers":[]}}`)))
	for name, r := range map[string]*record.Record{"Security Hub": &hub, "WAF": &waf, "nothing to do": &nothing} {
		s = Reshaper{}
		s.Each(r)
		assert.Zero(t, testing.AllocsPerRun(100, func() { s.Each(r) }), name)
	}
}
