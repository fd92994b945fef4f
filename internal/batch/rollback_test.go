package batch_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/compress"
	"sluice/internal/destination"
	"sluice/internal/record"
)

// fragile is an intake that panics in the midst of the item whose number in the order of encoding is at.
type fragile struct {
	intake
	at, encoded int
}

func (d *fragile) Append(dst []byte, r *record.Record) []byte {
	d.encoded++
	dst = d.intake.Append(dst, r)
	if d.encoded == d.at {
		panic("in the midst of an item")
	}
	return dst
}

// panics reports whether f does.
func panics(f func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	f()
	return false
}

func TestRollback(t *testing.T) {
	long := strings.Repeat("x", 500) // four pieces of at most 200 bytes
	for name, tc := range map[string]struct {
		limits   destination.Limits
		messages []string
		at       int // the encoding that panics
		oversize batch.Oversize
		want     []string
	}{
		"nothing before":    {roomy(), []string{"a", "b"}, 1, batch.Truncate, []string{"b"}},
		"items before stay": {roomy(), []string{"a", "b", "c", "d"}, 3, batch.Truncate, []string{"a", "b", "d"}},
		"nothing after":     {roomy(), []string{"a", "b"}, 2, batch.Truncate, []string{"a"}},
		"alone":             {roomy(), []string{"a"}, 1, batch.Truncate, nil},
		"first of a next batch": {
			destination.Limits{BodyBytes: 1 << 10, Records: 2, RecordBytes: 200},
			[]string{"a", "b", "c", "d"},
			3, batch.Truncate,
			[]string{"a", "b", "d"},
		},
		"while the room is measured": {
			destination.Limits{BodyBytes: 1 << 10, Records: 9, RecordBytes: 200}, []string{"a", long, "b"}, 3, batch.Truncate, []string{"a", "b"},
		},
		"while the cut record is written": {
			destination.Limits{BodyBytes: 1 << 10, Records: 9, RecordBytes: 200}, []string{"a", long, "b"}, 4, batch.Truncate, []string{"a", "b"},
		},
		"third piece: the first two go with it": {
			destination.Limits{BodyBytes: 1 << 10, Records: 9, RecordBytes: 200}, []string{"a", long, "b"}, 6, batch.Chunk, []string{"a", "b"},
		},
		"third piece, nothing before": {
			destination.Limits{BodyBytes: 1 << 10, Records: 9, RecordBytes: 200}, []string{long, "b"}, 5, batch.Chunk, []string{"b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := &fragile{intake: intake{limits: tc.limits, frame: jsonArray}, at: tc.at}
			c := collect(d, func(o *batch.Options) { o.Oversize = tc.oversize })
			failed := 0
			for i, message := range tc.messages {
				r := line(i, message)
				before := *r
				if panics(func() { c.Add(r, i) }) {
					failed++
					c.Rollback()
				}
				require.Equal(t, before, *r, "the record is left as it was")
			}
			require.Equal(t, 1, failed)
			items, emitted := c.Pending(), 0
			for _, b := range c.batches {
				emitted += b.Count()
			}
			assert.Equal(t, len(tc.want), items+emitted)
			c.Flush()
			assert.Zero(t, c.Pending())
			assert.Equal(t, tc.want, c.messages(t, &d.intake))
			for _, b := range c.batches {
				for unit := range b.Units() {
					assert.Contains(t, tc.want, tc.messages[unit], "no unit of what was rolled back")
				}
			}
		})
	}
}

// Pieces that have been emitted are on their way; those in the current body are not.
func TestRollbackOfPiecesThatSpanBatches(t *testing.T) {
	d := &fragile{intake: intake{limits: destination.Limits{BodyBytes: 1 << 10, Records: 2, RecordBytes: 200}, frame: jsonArray}, at: 7}
	c := collect(d, chunked)
	c.Add(line(0, "a"), 0)
	require.True(t, panics(func() { c.Add(line(1, strings.Repeat("x", 900)), 1) })) // at the fourth piece
	c.Rollback()
	assert.Zero(t, c.Pending(), "pieces two and three are forgotten")
	c.Add(line(2, "b"), 2)
	c.Flush()
	var counts []int
	for _, b := range c.batches {
		counts = append(counts, b.Count())
	}
	assert.Equal(t, []int{2, 1}, counts, "a and the first piece; b")
}

// A rollback without a panic in the builder itself (a decoder's, say) takes nothing.
func TestRollbackTakesNoWholeItem(t *testing.T) {
	d := small(jsonArray)
	c := collect(d, chunked)
	c.Rollback()
	c.Add(line(0, "a"), 0)
	c.Rollback()
	c.Add(line(1, strings.Repeat("x", 300)), 1)
	pending := c.Pending()
	c.Rollback()
	c.Rollback()
	assert.Equal(t, pending, c.Pending())
	c.Flush()
	c.Rollback()
	c.Add(line(2, "b"), 2)
	c.Flush()
	all := c.messages(t, d)
	assert.Equal(t, "a", all[0])
	assert.Equal(t, strings.Repeat("x", 300), strings.Join(all[1:len(all)-1], ""))
	assert.Equal(t, "b", all[len(all)-1])
}

// brittle is a codec that panics once.
type brittle struct {
	compress.Plain
	at, packed int
}

func (c *brittle) Append(dst, src []byte) []byte {
	if c.packed++; c.packed == c.at {
		panic("in the midst of a body")
	}
	return c.Plain.Append(dst, src)
}

func TestRollbackAfterFlush(t *testing.T) {
	for name, tc := range map[string]struct {
		add  func(*collected)
		want []string
	}{
		"a body at its end: its items stay, and are packed again": {func(*collected) {}, []string{"a", "b", "c"}},
		"a body that is full: the record that did not fit goes": {
			func(c *collected) { c.Add(line(9, "full"), 9) }, []string{"a", "b", "c"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := &intake{limits: destination.Limits{BodyBytes: 1 << 10, Records: 2, RecordBytes: 200}, frame: jsonArray}
			codec := &brittle{at: 1}
			c := collect(d, func(o *batch.Options) { o.Codec = func() compress.Codec { return codec } })
			c.Add(line(0, "a"), 0)
			c.Add(line(1, "b"), 1)
			require.True(t, panics(func() { tc.add(c); c.Flush() }))
			c.Rollback()
			require.Equal(t, 2, c.Pending())
			c.Add(line(2, "c"), 2)
			c.Flush()
			assert.Equal(t, tc.want, c.messages(t, d))
		})
	}
}

// What is too large for any body must not make its successors look so.
func TestRollbackOfAnOversizedRecord(t *testing.T) {
	d := small(jsonArray)
	codec := &brittle{at: 2}
	c := collect(d, func(o *batch.Options) { o.Codec = func() compress.Codec { return codec } })
	c.Add(line(0, "before"), 0)
	huge := line(1, "huge")
	huge.Origin.Host = strings.Repeat("h", 5000)
	require.True(t, panics(func() { c.Add(huge, 1) }))
	c.Rollback()
	assert.Zero(t, c.Pending())
	c.Add(line(2, "after"), 2)
	c.Flush()
	assert.Equal(t, []string{"before", "after"}, c.messages(t, d))
	for _, b := range c.batches {
		assert.False(t, b.Oversized())
	}
}

func TestPending(t *testing.T) {
	d := &intake{limits: destination.Limits{BodyBytes: 1 << 10, Records: 3, RecordBytes: 200}, frame: jsonArray}
	c := collect(d)
	var pending []int
	for i := range 7 {
		pending = append(pending, c.Pending())
		c.Add(line(i, strconv.Itoa(i)), 0)
	}
	assert.Equal(t, []int{0, 1, 2, 3, 1, 2, 3}, pending, "a full body goes when the next item comes")
	c.Flush()
	assert.Zero(t, c.Pending())
	c.Add(line(8, "left over"), 0)
	c.restart()
	assert.Zero(t, c.Pending())
}
