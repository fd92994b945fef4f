package record

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestMarksNames(t *testing.T) {
	for name, tc := range map[string]struct {
		marks Marks
		want  []string
	}{
		"none": {0, nil},
		"one":  {Chunked, []string{"chunked"}},
		"all, in the order of their bits": {
			NotExpanded | AgentRaw | Redacted | BrokenEnvelope | UTF8Repaired | Truncated | Chunked,
			[]string{"truncated", "chunked", "utf8_repaired", "broken_envelope", "redacted", "agent_raw", "not_expanded"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, tc.marks.Names())
		})
	}
}

func TestRecordTime(t *testing.T) {
	for name, tc := range map[string]struct {
		millis int64
		want   time.Time
	}{
		"no time is the zero time":     {0, time.Time{}},
		"milliseconds are kept":        {1_706_745_600_220, time.Date(2024, 2, 1, 0, 0, 0, 220_000_000, time.UTC)},
		"before the epoch":             {-1, time.Date(1969, 12, 31, 23, 59, 59, 999_000_000, time.UTC)},
		"the first moment of the era":  {1, time.Date(1970, 1, 1, 0, 0, 0, 1_000_000, time.UTC)},
		"far in the future is no loop": {4_102_444_800_000, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, (&Record{TimeMillis: tc.millis}).Time())
		})
	}
}
