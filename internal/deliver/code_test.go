package deliver

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCode(t *testing.T) {
	long := strings.Repeat("a", maxCodeBytes)
	for reason, want := range map[string]string{
		"http_503":      "http_503",
		"":              "unknown",
		"Not Found":     "not_found",
		"a/../b":        "a____b",
		"tls-alert":     "tls_alert",
		"é":             "__",
		long:            long,
		long + "b":      long,
		long[1:] + "Éa": long[1:] + "_",
		"\x00\n":        "__",
		"_":             "_",
		"HTTP_503":      "http_503",
		long[:39] + "-": long[:39] + "_",
	} {
		assert.Equal(t, want, code(reason), "%q", reason)
	}
}

// FuzzCode: whatever a destination calls it, it is parked under a reason that a key can have, and one that can be is kept.
func FuzzCode(f *testing.F) {
	for _, reason := range []string{"", "http_503", "Not Found", strings.Repeat("é", 40), "../.."} {
		f.Add(reason)
	}
	valid := regexp.MustCompile(`^[a-z0-9_]{1,40}$`)
	f.Fuzz(func(t *testing.T, reason string) {
		got := code(reason)
		require.Regexp(t, valid, got)
		require.Equal(t, got, code(got))
		if valid.MatchString(reason) {
			require.Equal(t, reason, got)
		}
	})
}
