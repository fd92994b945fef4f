package failpoint

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for name, tc := range map[string]struct {
		point, bytes string
		want         string
		err          string
	}{
		"a point":                {point: "decoded:exit", want: "decoded:exit:1"},
		"its third time":         {point: "before_park:hang:3", want: "before_park:hang:3"},
		"a panic":                {point: "after_delete:panic:1", want: "after_delete:panic:1"},
		"nothing":                {want: "::1"},
		"a bound alone":          {bytes: "65536", want: "::1"},
		"no such point":          {point: "decode:exit", err: `there is no point "decode"`},
		"no action":              {point: "decoded", err: `decoded: there is no action ""`},
		"no such action":         {point: "decoded:die", err: `there is no action "die"`},
		"the 0th time":           {point: "decoded:exit:0", err: `time "0": want a number`},
		"no number":              {point: "decoded:exit:", err: `time "": want a number`},
		"more than a number":     {point: "decoded:exit:1:2", err: `time "1:2": want a number`},
		"a bound of nothing":     {bytes: "0", err: `bytes "0": want a number`},
		"a bound that is a size": {bytes: "64K", err: `bytes "64K": want a number`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parse(tc.point, tc.bytes)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.want, got.String())
		})
	}
}

func TestDueOnce(t *testing.T) {
	trigger, err := parse("accepted:exit:2", "")
	require.NoError(t, err)
	var due []bool
	for _, at := range []Point{Accepted, Decoded, Accepted, Accepted, Decoded} {
		due = append(due, trigger.due(at))
	}
	assert.Equal(t, []bool{false, false, true, false, false}, due)
}

func TestNothingIsDueUnasked(t *testing.T) {
	trigger, err := parse("", "")
	require.NoError(t, err)
	for _, at := range All() {
		assert.False(t, trigger.due(at))
	}
}

func TestAtMost(t *testing.T) {
	for name, tc := range map[string]struct {
		bytes       string
		bound, want int64
	}{
		"not asked for":    {"", 64 << 20, 64 << 20},
		"lowered":          {"1000", 64 << 20, 1000},
		"raised it is not": {"1000", 10, 10},
	} {
		t.Run(name, func(t *testing.T) {
			trigger, err := parse("", tc.bytes)
			require.NoError(t, err)
			assert.Equal(t, tc.want, trigger.atMost(tc.bound))
		})
	}
}
