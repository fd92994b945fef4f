package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLatencies(t *testing.T) {
	upTo := func(n, step int) []time.Duration {
		var out []time.Duration
		for i := 0; i < n; i += step {
			out = append(out, time.Duration(i))
		}
		return out
	}
	for name, tc := range map[string]struct {
		added, want []time.Duration
	}{
		"none":                            {added: nil, want: nil},
		"one":                             {added: upTo(2, 1)[1:], want: []time.Duration{1}},
		"sorted":                          {added: []time.Duration{3, 1, 2}, want: []time.Duration{1, 2, 3}},
		"a hundred are all kept":          {added: upTo(100, 1), want: upTo(100, 1)},
		"one more: every second, slowest": {added: upTo(102, 1), want: append(upTo(100, 2), 101)},
		"thinned twice":                   {added: upTo(400, 1), want: append(upTo(396, 4), 399)},
		"the slowest survives thinning":   {added: append([]time.Duration{0, 9999}, upTo(200, 1)[2:]...), want: append(upTo(198, 2), 9999)},
	} {
		t.Run(name, func(t *testing.T) {
			var s latencies
			for _, d := range tc.added {
				s.add(d)
			}
			assert.Equal(t, tc.want, s.sorted())
		})
	}
}
