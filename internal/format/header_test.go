package format

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/service"
)

// A header of megabytes does not become a name of megabytes in every line.
func TestHugeHeader(t *testing.T) {
	line := []byte("2026-02-01\t09:30:00\tMXP63-P1")
	for name, tc := range map[string]struct {
		header string
		want   string
	}{
		"a long name": {"#Fields: date time " + strings.Repeat("x", maxNameBytes+1), `"column_3":"MXP63-P1"`},
		"the longest": {"#Fields: date time " + strings.Repeat("x", maxNameBytes), `"` + strings.Repeat("x", maxNameBytes) + `":"MXP63-P1"`},
		"too much":    {"#Fields: date time x" + strings.Repeat(" ", maxHeaderBytes), ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := NewClock(service.CloudFront)
			require.True(t, c.IsHeader([]byte(tc.header)))
			assert.LessOrEqual(t, len(c.Columns()), maxHeaderBytes)
			assert.NotZero(t, c.Millis(line), "the time is known all the same")
			out, ok := NewAttributes(AWS).Append(nil, service.CloudFront, []byte(tc.header), line)
			assert.Equal(t, tc.want != "", ok)
			assert.Contains(t, string(out), tc.want)
		})
	}
}
