package batch_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/compress"
	"sluice/internal/destination"
)

func codecs(t *testing.T) map[string]compress.Codec {
	t.Helper()
	gzip, err := compress.Gzip(2)
	require.NoError(t, err)
	zstd, err := compress.Zstd(1)
	require.NoError(t, err)
	return map[string]compress.Codec{"plain": compress.Plain{}, "gzip": gzip, "zstd": zstd}
}

// packed makes one batch of n items; item i is of unit units(i).
func packed(d *intake, codec compress.Codec, n int, units func(int) int) *batch.Batch {
	c := collect(d, func(o *batch.Options) { o.Codec = func() compress.Codec { return codec } })
	for i := range n {
		c.Add(line(i, strings.Repeat("é\"", i)+strconv.Itoa(i)), units(i))
	}
	c.Flush()
	return c.batches[0]
}

// Whatever a batch is split into, down to single items, conserves its items, their order and their units.
func TestSplitConserves(t *testing.T) {
	for codecName, codec := range codecs(t) {
		for frameName, frame := range map[string]destination.Frame{"array": jsonArray, "lines": jsonLines} {
			for _, n := range []int{2, 3, 7, 64, 101} {
				t.Run(codecName+" "+frameName+" "+strconv.Itoa(n), func(t *testing.T) {
					d := &intake{limits: roomy(), frame: frame}
					unit := func(i int) int { return i / 3 * 2 }
					whole := packed(d, codec, n, unit)
					want := d.read(t, whole)
					require.Len(t, want, n)
					requireParts(t, d, whole, want, 0, unit)
				})
			}
		}
	}
}

// requireParts checks a part whose first item is item number first of the whole, and all parts of it.
func requireParts(t *testing.T, d *intake, b *batch.Batch, want []item, first int, unit func(int) int) {
	t.Helper()
	require.Equal(t, want, d.read(t, b))
	require.Equal(t, unit(first), b.FirstUnit())
	var units []int
	for i := range want {
		units = append(units, unit(first+i))
	}
	require.Equal(t, slices.Compact(units), slices.Collect(b.Units()))
	if b.Count() == 1 {
		return
	}
	left, right, err := b.Split()
	require.NoError(t, err)
	require.Equal(t, b.ID+".0", left.ID)
	require.Equal(t, b.ID+".1", right.ID)
	require.Equal(t, b.Codec, left.Codec)
	require.Equal(t, b.Codec, right.Codec)
	require.InDelta(t, left.Count(), right.Count(), 1, "halves")
	requireParts(t, d, left, want[:left.Count()], first, unit)
	requireParts(t, d, right, want[left.Count():], first+left.Count(), unit)
}

func TestSplitOfOneItem(t *testing.T) {
	d := &intake{limits: roomy(), frame: jsonArray}
	b := packed(d, compress.Plain{}, 1, func(int) int { return 0 })
	_, _, err := b.Split()
	assert.ErrorContains(t, err, "batch "+b.ID+" has one item")
}

func TestRecode(t *testing.T) {
	d := &intake{limits: roomy(), frame: jsonArray}
	for from, codec := range codecs(t) {
		for to, other := range codecs(t) {
			t.Run(from+" to "+to, func(t *testing.T) {
				b := packed(d, codec, 20, func(i int) int { return i + 5 })
				want := d.read(t, b)
				before := string(b.Body)

				recoded, err := b.Recode(other)
				require.NoError(t, err)
				assert.Equal(t, want, d.read(t, recoded))
				assert.Equal(t, b.ID, recoded.ID, "the same lines are the same batch")
				assert.Equal(t, other, recoded.Codec)
				assert.Equal(t, b.FirstUnit(), recoded.FirstUnit())
				assert.Equal(t, before, string(b.Body), "the body that may still be on its way")
				requireParts(t, d, recoded, want, 0, func(i int) int { return i + 5 })
			})
		}
	}
}

func TestBodyThatCannotBeUnpacked(t *testing.T) {
	for name, codec := range codecs(t) {
		if name == "plain" {
			continue // anything is plain
		}
		t.Run(name, func(t *testing.T) {
			b := packed(&intake{limits: roomy(), frame: jsonArray}, codec, 2, func(int) int { return 0 })
			b.Body = b.Body[:len(b.Body)-5]
			_, _, err := b.Split()
			require.ErrorContains(t, err, "batch "+b.ID+": ")
			_, err = b.Recode(compress.Plain{})
			require.ErrorContains(t, err, "batch "+b.ID+": ")
		})
	}
}
