package forward

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
)

// What a rule drops of the rest of an object counts for the destinations that take the rest, and for no other: those have
// counted it already.
func TestDropsOfTheRestOfAnObject(t *testing.T) {
	const (
		settings = `exclude: "x line 0000[12]",`
		routeToA = `routes: [{bucket: "*", destinations: [a]}],`
	)
	for name, tc := range map[string]struct {
		settings string
		dests    []string
		want     map[string]counts
	}{
		"for all": {settings, nil, map[string]counts{
			"a": {In: 100, Delivered: 80, Dropped: tally{"filter_exclude": 20}},
			"b": {In: 100, Delivered: 80, Dropped: tally{"filter_exclude": 20}},
		}},
		"for one": {settings, []string{"b"}, map[string]counts{
			"a": {}, "b": {In: 100, Delivered: 80, Dropped: tally{"filter_exclude": 20}},
		}},
		"for one, which a route leaves out": {routeToA, []string{"b"}, map[string]counts{
			"a": {}, "b": {In: 100, Dropped: tally{"route_elsewhere": 100}},
		}},
		"for one, to which a route leads": {routeToA, []string{"a"}, map[string]counts{
			"a": {In: 100, Delivered: 100}, "b": {},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, twoHTTP(tc.settings)).ticking()
				o := r.s3.lines("a.log", someLines("x", 100)...)
				resume := event.Resume{Dests: tc.dests, Hop: 1, Decode: r.objects.decodeID}
				answer, ledger, err := r.invoke(t, S3, inQueue(continuation(o, resume)))
				require.NoError(t, err)
				assert.JSONEq(t, allTaken, answer)
				for id, want := range tc.want {
					got := ledger.Destinations[id]
					assert.Equal(t, []int{want.In, want.Delivered}, []int{got.In, got.Delivered}, id)
					assert.Equal(t, sum(want.Dropped), sum(got.Dropped), id)
					for rule, n := range want.Dropped {
						assert.Equal(t, n, got.Dropped[rule], "%s: %s", id, rule)
					}
				}
			})
		})
	}
}
