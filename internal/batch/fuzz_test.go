package batch_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/compress"
	"sluice/internal/destination"
	"sluice/internal/record"
)

// script is a stream of records that a fuzzer's bytes describe, and the limits for it.
type script struct {
	intake   *intake
	oversize batch.Oversize
	records  []*record.Record
	units    []int
	plain    []string
}

// scriptOf reads five bytes of limits and then records of four bytes each: flags, unit, length and a character.
func scriptOf(data []byte) *script {
	head := make([]byte, 5)
	data = data[copy(head, data):]
	s := &script{
		intake: &intake{frame: jsonArray, limits: destination.Limits{
			BodyBytes:   60 + int(binary.LittleEndian.Uint16(head)%2000),
			Records:     1 + int(head[2]%20),
			RecordBytes: 40 + int(head[3])*4,
		}},
		oversize: batch.Oversize(head[4] & 1),
	}
	if head[4]&2 != 0 {
		s.intake.frame = jsonLines
	}
	unit := 0
	for n := 0; len(data) >= 4 && n < 200; n++ {
		flags, length := data[0], int(data[2])*(1+int(data[0]>>4))
		characters := []string{"x", "\"", "é", "😀", "\x01", "ab\\c\n"}
		text := strings.Repeat(characters[int(data[3])%len(characters)], length)
		unit += int(data[1] % 3)
		data = data[4:]

		r := line(n, text)
		if flags&1 != 0 {
			r.Message = record.Escaped(record.AppendEscaped(nil, text))
		}
		if flags&2 != 0 {
			r.Members = []record.Member{{Name: []byte("fields"), Value: []byte(`"` + strings.Repeat("m", length/2) + `"`)}}
		}
		if flags&4 != 0 {
			r.Origin.Tags = record.Tags{{Key: "t", Value: strings.Repeat("t", length/3)}}
		}
		if flags&8 != 0 {
			r.Origin.Host = strings.Repeat("h", length)
		}
		s.records, s.units, s.plain = append(s.records, r), append(s.units, unit), append(s.plain, text)
	}
	return s
}

func (s *script) run() (c *collected, added []batch.Added) {
	c = collect(s.intake, func(o *batch.Options) { o.Oversize = s.oversize })
	for i, r := range s.records {
		added = append(added, c.Add(r, s.units[i]))
	}
	c.Flush()
	return c, added
}

// seedScripts gives each fuzzer some streams to start from.
func seedScripts(f *testing.F) {
	f.Helper()
	f.Add([]byte{0, 1, 3, 50, 0, 0, 0, 5, 0, 1, 1, 5, 1, 0, 1, 5, 2, 0, 0, 5, 3})
	f.Add([]byte{200, 3, 9, 20, 1, 0x10, 0, 200, 1, 0x11, 1, 200, 3, 2, 0, 200, 0, 4, 2, 250, 5, 8, 0, 255, 0, 0, 1, 1, 0})
	f.Add([]byte{0, 0, 0, 0, 3, 0xF1, 0, 255, 4, 0, 0, 0, 0})
	f.Add([]byte{90, 0, 19, 40, 2, 0, 0, 9, 0, 0, 0, 9, 0, 0, 1, 9, 0, 0, 0, 9, 5, 7, 0, 90, 2})
}

// FuzzBatcher: no line is lost, repeated or moved, no body or item is too large unless it says so, and the same input
// gives the same batches.
func FuzzBatcher(f *testing.F) {
	seedScripts(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := scriptOf(data)
		c, added := s.run()
		again, _ := s.run()
		require.Equal(t, c.batches, again.batches)

		type placed struct {
			item
			unit int
		}
		var items []placed
		ids := map[string]bool{}
		for _, b := range c.batches {
			require.False(t, ids[b.ID], "two batches have one id")
			ids[b.ID] = true
			requireItems(t, s.intake, b)
			for i, it := range s.intake.read(t, b) {
				unit := -1 // known of the first item only
				if i == 0 {
					unit = b.FirstUnit()
				}
				items = append(items, placed{it, unit})
			}
		}
		for i, a := range added {
			require.GreaterOrEqual(t, len(items), a.Items)
			mine := items[:a.Items]
			items = items[a.Items:]
			var text strings.Builder
			for n, it := range mine {
				text.WriteString(it.Message)
				if it.unit >= 0 {
					require.Equal(t, s.units[i], it.unit)
				}
				require.Equal(t, a.Marks, it.Marks)
				if a.Items > 1 {
					require.Equal(t, [2]int{n + 1, a.Items}, [2]int{it.Part, it.Parts})
				}
			}
			require.True(t, strings.HasPrefix(s.plain[i], text.String()))
			require.Equal(t, len(s.plain[i])-text.Len(), mine[0].Cut)
			if mine[0].Cut > 0 {
				require.Equal(t, record.Truncated, a.Marks)
			}
			r := s.records[i]
			if r.Members != nil && mine[0].Members == nil || r.Origin.Tags != nil && mine[0].Tag != r.Origin.Tags[0].Value {
				require.Equal(t, record.Truncated, a.Marks, "something is missing and nothing says so")
			}
		}
		require.Empty(t, items)
	})
}

// FuzzSplit: halving ends at single items and conserves every byte of every item, its order and its unit.
func FuzzSplit(f *testing.F) {
	seedScripts(f)
	gzip, err := compress.Gzip(1)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := scriptOf(data)
		c, added := s.run()
		var units, want []int
		for i, a := range added {
			want = append(want, slices.Repeat([]int{s.units[i]}, a.Items)...)
		}
		for _, b := range c.batches {
			whole, err := b.Recode(gzip)
			require.NoError(t, err)
			items, unitOf := leaves(t, s.intake, whole)
			require.Equal(t, s.intake.read(t, b), items)
			units = append(units, unitOf...)
		}
		require.Equal(t, want, units)
	})
}

// leaves splits a batch all the way and returns its items with the unit of each.
func leaves(t *testing.T, d *intake, b *batch.Batch) (items []item, units []int) {
	t.Helper()
	if b.Count() == 1 {
		return d.read(t, b), []int{b.FirstUnit()}
	}
	first, second, err := b.Split()
	require.NoError(t, err)
	items, units = leaves(t, d, first)
	more, moreUnits := leaves(t, d, second)
	items, units = append(items, more...), append(units, moreUnits...)
	require.Len(t, items, b.Count())
	require.Equal(t, b.FirstUnit(), units[0])
	return items, units
}
