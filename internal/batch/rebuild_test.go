package batch_test

import (
	"encoding/json"
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

// encoded is an item of a size in bytes.
func encoded(n, size int) []byte {
	item := `{"message":"` + strconv.Itoa(n) + `:`
	return []byte(item + strings.Repeat("x", size-len(item)-len(`"}`)) + `"}`)
}

// rebuilt cuts items into batches for the destination.
func rebuilt(d destination.Destination, codec compress.Codec, items [][]byte) (all []*batch.Batch) {
	o := batch.Options{Destination: d, Codec: func() compress.Codec { return codec }}
	batch.Rebuild(o, "ID", slices.Values(items), func(b *batch.Batch) { all = append(all, b) })
	return all
}

func TestRebuild(t *testing.T) {
	limits := func(change func(*destination.Limits)) destination.Limits {
		l := destination.Limits{BodyBytes: 1000, Records: 10, RecordBytes: 300}
		change(&l)
		return l
	}
	for name, tc := range map[string]struct {
		limits    destination.Limits
		sizes     []int
		want      []int // items of each batch
		several   bool
		oversized []int // batches
	}{
		"nothing": {limits: roomy()},
		"one batch keeps its id": {
			limits: roomy(), sizes: []int{50, 50, 50}, want: []int{3},
		},
		"count is the limit": {
			limits: limits(func(l *destination.Limits) { l.Records = 2 }), sizes: []int{50, 50, 50, 50, 50},
			want: []int{2, 2, 1}, several: true,
		},
		"count divides the items: no empty batch": {
			limits: limits(func(l *destination.Limits) { l.Records = 2 }), sizes: []int{50, 50},
			want: []int{2},
		},
		"bytes are the limit, brackets and commas included": {
			limits: limits(func(l *destination.Limits) { l.BodyBytes = 2*100 + 3 }), sizes: []int{100, 100, 100},
			want: []int{2, 1}, several: true,
		},
		"one byte too few": {
			limits: limits(func(l *destination.Limits) { l.BodyBytes = 2*100 + 2 }), sizes: []int{100, 100, 100},
			want: []int{1, 1, 1}, several: true,
		},
		"an item as large as can be": {
			limits: limits(func(*destination.Limits) {}), sizes: []int{300}, want: []int{1},
		},
		"one that is larger stands alone": {
			limits: limits(func(*destination.Limits) {}), sizes: []int{50, 301, 50, 50}, want: []int{1, 1, 2},
			several: true, oversized: []int{1},
		},
		"only one that is larger": {
			limits: limits(func(*destination.Limits) {}), sizes: []int{5000}, want: []int{1},
			oversized: []int{0},
		},
		"larger than a body, first and last": {
			limits: limits(func(l *destination.Limits) { l.BodyBytes = 100 }), sizes: []int{99, 98, 99},
			want: []int{1, 1, 1}, several: true, oversized: []int{0, 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := &intake{limits: tc.limits, frame: jsonArray}
			var items [][]byte
			for n, size := range tc.sizes {
				items = append(items, encoded(n, size))
			}
			var (
				counts, oversized []int
				ids               []string
				got               [][]byte
			)
			for i, b := range rebuilt(d, compress.Plain{}, items) {
				d.read(t, b)
				counts, ids = append(counts, b.Count()), append(ids, b.ID)
				if b.Oversized() {
					oversized = append(oversized, i)
				}
				assert.Equal(t, []int{0}, slices.Collect(b.Units()))
				assert.Zero(t, b.FirstUnit())
				assert.Nil(t, b.Span())
				got = append(got, requireItems(t, d, b)...)
			}
			assert.Equal(t, tc.want, counts)
			checkNames(t, ids, tc.several)
			assert.Equal(t, tc.oversized, oversized)
			assert.Equal(t, items, got)
		})
	}
}

// checkNames checks that one batch keeps its id, and that several have ids of their own, which no half of a split one has.
func checkNames(t *testing.T, ids []string, several bool) {
	t.Helper()
	if !several {
		assert.Subset(t, []string{"ID"}, ids)
		return
	}
	for _, id := range ids {
		assert.Regexp(t, `^ID\.r[0-9a-f]{8}$`, id)
	}
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(ids))), len(ids))
}

// The same items more than once are so many batches, each with an id of its own, and the same ones each time.
func TestRebuildOfTheSameItems(t *testing.T) {
	d := &intake{limits: destination.Limits{BodyBytes: 1000, Records: 1, RecordBytes: 300}, frame: jsonArray}
	idsOf := func(numbers ...int) (ids []string) {
		var items [][]byte
		for _, n := range numbers {
			items = append(items, encoded(n, 50))
		}
		for _, b := range rebuilt(d, compress.Plain{}, items) {
			ids = append(ids, b.ID)
		}
		return ids
	}
	ids := idsOf(1, 2, 1, 1, 2)
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(ids))), 5)
	assert.Equal(t, ids, idsOf(1, 2, 1, 1, 2))
	assert.Equal(t, []string{ids[0], ids[2]}, idsOf(1, 1), "the first of them has the id that it has alone, the next one what tells it from that")
}

// What was read from a batch becomes the same batch again, in another coding if that is the one in use by now.
func TestRebuildOfABatch(t *testing.T) {
	for name, codec := range codecs(t) {
		t.Run(name, func(t *testing.T) {
			d := &intake{limits: roomy(), frame: jsonLines}
			b := packed(d, compress.Plain{}, 100, func(int) int { return 0 })
			items := requireItems(t, d, b)
			again := rebuilt(d, codec, items)
			require.Len(t, again, 1)
			assert.Equal(t, d.read(t, b), d.read(t, again[0]))
			assert.Equal(t, codec, again[0].Codec)
			first, second, err := again[0].Split()
			require.NoError(t, err)
			assert.Equal(t, "ID.0", first.ID)
			assert.Equal(t, items, slices.Concat(requireItems(t, d, first), requireItems(t, d, second)))
		})
	}
}

// The reader of a stored object gives each item in a buffer that it uses again.
func TestRebuildKeepsNoItem(t *testing.T) {
	d := &intake{limits: destination.Limits{BodyBytes: 1000, Records: 2, RecordBytes: 500}, frame: jsonArray}
	var all []*batch.Batch
	buf := make([]byte, 0, 100)
	batch.Rebuild(batch.Options{Destination: d, Codec: func() compress.Codec { return compress.Plain{} }}, "ID",
		func(yield func([]byte) bool) {
			for n := range 5 {
				if !yield(append(buf, encoded(n, 60)...)) {
					return
				}
			}
		}, func(b *batch.Batch) { all = append(all, b) })
	var messages []string
	for _, b := range all {
		for _, it := range d.read(t, b) {
			number, _, _ := strings.Cut(it.Message, ":")
			messages = append(messages, number)
		}
	}
	assert.Equal(t, []string{"0", "1", "2", "3", "4"}, messages)
}

// FuzzRebuild: whatever the limits are by now, no item is lost, changed or moved, no body is too large unless it says so,
// no two batches have one id, and the same items give the same batches.
func FuzzRebuild(f *testing.F) {
	f.Add(uint16(1000), byte(3), uint16(200), []byte{20, 30, 40, 250, 20, 20, 20})
	f.Add(uint16(60), byte(1), uint16(60), []byte{60, 58, 59, 10})
	f.Add(uint16(0), byte(0), uint16(0), []byte{5, 5})
	f.Add(uint16(500), byte(200), uint16(40), []byte{})
	f.Fuzz(func(t *testing.T, bodyBytes uint16, records byte, recordBytes uint16, sizes []byte) {
		d := &intake{frame: jsonArray, limits: destination.Limits{
			BodyBytes: 2 + int(bodyBytes), Records: 1 + int(records), RecordBytes: int(recordBytes),
		}}
		var items [][]byte
		for n, size := range sizes {
			items = append(items, encoded(n, 30+int(size)))
		}
		batches := rebuilt(d, compress.Plain{}, items)
		require.Equal(t, batches, rebuilt(d, compress.Plain{}, items))
		ids := map[string]bool{}
		var got [][]byte
		for _, b := range batches {
			require.False(t, ids[b.ID], "two batches have one id")
			ids[b.ID] = true
			d.read(t, b)
			of := requireItems(t, d, b)
			require.Equal(t, b.Oversized(), len(of[0]) > min(d.limits.RecordBytes, d.limits.BodyBytes-2))
			got = append(got, of...)
		}
		require.Equal(t, items, got)
		for _, item := range got {
			require.True(t, json.Valid(item))
		}
	})
}
