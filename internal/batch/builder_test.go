package batch_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/destination"
	"sluice/internal/record"
)

// roomy limits no batch of these tests.
func roomy() destination.Limits {
	return destination.Limits{BodyBytes: 1 << 20, Records: 1000, RecordBytes: 1 << 19}
}

func TestCut(t *testing.T) {
	const count = 7
	itemBytes := len((&intake{}).Append(nil, line(0, "0"))) // all items are as long
	for name, tc := range map[string]struct {
		frame  destination.Frame
		limits func(*destination.Limits)
		want   []int // items of each batch
	}{
		"all fit": {
			frame: jsonArray, limits: func(*destination.Limits) {}, want: []int{7},
		},
		"count is the limit": {
			frame: jsonArray, limits: func(l *destination.Limits) { l.Records = 3 }, want: []int{3, 3, 1},
		},
		"count divides the stream: no empty batch": {
			frame: jsonLines, limits: func(l *destination.Limits) { l.Records = 7 }, want: []int{7},
		},
		"bytes are the limit, brackets and commas included": {
			frame: jsonArray, limits: func(l *destination.Limits) { l.BodyBytes = 3*itemBytes + 4 }, want: []int{3, 3, 1},
		},
		"one byte too few for the third": {
			frame: jsonArray, limits: func(l *destination.Limits) { l.BodyBytes = 3*itemBytes + 3 }, want: []int{2, 2, 2, 1},
		},
		"bytes are the limit, line ends included": {
			frame: jsonLines, limits: func(l *destination.Limits) { l.BodyBytes = 3*itemBytes + 3 }, want: []int{3, 3, 1},
		},
		"one byte too few for the last line end": {
			frame: jsonLines, limits: func(l *destination.Limits) { l.BodyBytes = 3*itemBytes + 2 }, want: []int{2, 2, 2, 1},
		},
		"one item fills a body": {
			frame: jsonArray, limits: func(l *destination.Limits) { l.BodyBytes = itemBytes + 2 }, want: []int{1, 1, 1, 1, 1, 1, 1},
		},
		"whichever comes first": {
			frame:  jsonArray,
			limits: func(l *destination.Limits) { l.BodyBytes, l.Records = 3*itemBytes+4, 2 },
			want:   []int{2, 2, 2, 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := &intake{limits: roomy(), frame: tc.frame}
			tc.limits(&d.limits)
			c := collect(d)
			var want []string
			for i := range count {
				require.Equal(t, batch.Added{Items: 1}, c.Add(line(i, strconv.Itoa(i)), 0))
				want = append(want, strconv.Itoa(i))
			}
			c.Flush()

			var counts []int
			for _, b := range c.batches {
				counts = append(counts, b.Count())
				assert.False(t, b.Oversized())
			}
			assert.Equal(t, tc.want, counts)
			assert.Equal(t, want, c.messages(t, d))
		})
	}
}

func TestFlushOfNothing(t *testing.T) {
	c := collect(&intake{limits: roomy(), frame: jsonArray})
	c.Flush()
	c.Add(line(0, "m"), 0)
	c.Flush()
	c.Flush()
	assert.Len(t, c.batches, 1)
}

// stream adds the same records each time it is called.
func stream(c *collected) {
	for i := range 50 {
		c.Add(line(i, strings.Repeat("x", i)), i/7)
	}
	c.Flush()
}

func TestSameInputSameBatches(t *testing.T) {
	d := &intake{limits: destination.Limits{BodyBytes: 400, Records: 4, RecordBytes: 200}, frame: jsonArray}
	first, again := collect(d), collect(d)
	stream(first)
	stream(again)
	require.Greater(t, len(first.batches), 5)
	assert.Equal(t, first.batches, again.batches)

	again.restart()
	again.Add(line(99, "left over"), 0)
	again.restart()
	stream(again)
	assert.Equal(t, first.batches, again.batches, "a builder that is used again, with something left in it")
}

func TestIDs(t *testing.T) {
	d := &intake{limits: destination.Limits{BodyBytes: 400, Records: 4, RecordBytes: 200}, frame: jsonArray}
	seen := map[string]string{}
	for _, epoch := range []string{"intake/1", "intake/2", "other/1"} {
		c := collect(d, func(o *batch.Options) { o.Epoch = epoch })
		stream(c)
		for i, b := range c.batches {
			require.Len(t, b.ID, 26)
			require.Empty(t, strings.Trim(b.ID, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), "not base32")
			at := epoch + " " + strconv.Itoa(i)
			require.Empty(t, seen[b.ID], "%s has the same id", at)
			seen[b.ID] = at
		}
	}
}

// A batch is named by its first and last record, their number and its bytes, and by nothing that was there before.
func TestIDsTellRecordsApart(t *testing.T) {
	without, other := line(0, "m"), line(0, "another text")
	without.EventID, other.EventID = record.Text{}, record.Text{}
	d := &intake{limits: roomy(), frame: jsonArray}
	c := collect(d)
	idOf := func(records ...*record.Record) string {
		c.restart()
		for _, r := range records {
			c.Add(r, 0)
		}
		c.Flush()
		return c.batches[0].ID
	}
	seen := map[string]int{}
	for i, records := range [][]*record.Record{
		{line(1, "m")},
		{line(2, "m")},
		{line(1, "m"), line(2, "m")},
		{line(1, "m"), line(3, "m")},
		{line(2, "m"), line(1, "m")},
		{line(1, "m"), line(0, "m"), line(2, "m")},
		{without},
		{without, without},
		{without, line(1, "m")},
		{other}, // of which only the bytes tell
		{without, other, without},
		{without, without, without},
	} {
		id := idOf(records...)
		require.NotContains(t, seen, id, "stream %d", i)
		seen[id] = i
		require.Equal(t, id, idOf(records...))
	}
	assert.NotEqual(t, idOf(line(1, "m")), idOf(line(1, "another text")), "what writes an id may write it twice")
}

// An intake that heeds Idempotency-Key drops the second of two batches with one id.
func TestBatchesOfOneStreamHaveDifferentIDs(t *testing.T) {
	for name, tc := range map[string]struct {
		limits  destination.Limits
		records []*record.Record
	}{
		"pieces of one record": {
			limits:  destination.Limits{BodyBytes: 170, Records: 1, RecordBytes: 140},
			records: []*record.Record{line(1, strings.Repeat("x", 1000))},
		},
		"records without an event id": {
			limits: destination.Limits{BodyBytes: 300, Records: 2, RecordBytes: 200},
			records: func() []*record.Record {
				var all []*record.Record
				for i := range 8 {
					r := line(0, strconv.Itoa(i))
					r.EventID = record.Text{}
					all = append(all, r)
				}
				return all
			}(),
		},
		"lines of one Kinesis record": {
			limits: destination.Limits{BodyBytes: 300, Records: 2, RecordBytes: 200},
			records: func() []*record.Record {
				var all []*record.Record
				for i := range 8 {
					r := line(0, strconv.Itoa(i))
					r.Origin.Kind, r.Index = record.Kinesis, i
					all = append(all, r)
				}
				return all
			}(),
		},
		"lines of one object": {
			limits:  destination.Limits{BodyBytes: 300, Records: 2, RecordBytes: 200},
			records: objectLines(8, func(i int, r *record.Record) { r.Offset = int64(i) * 10 }),
		},
		"elements of one document of an object": {
			limits:  destination.Limits{BodyBytes: 300, Records: 2, RecordBytes: 200},
			records: objectLines(8, func(i int, r *record.Record) { r.Offset, r.Index = 7, i }),
		},
		"pieces of one line of an object": {
			limits: destination.Limits{BodyBytes: 300, Records: 2, RecordBytes: 200},
			records: objectLines(8, func(i int, r *record.Record) {
				r.Offset, r.Part, r.Marks = 7, i+1, record.Chunked
			}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := &intake{limits: tc.limits, frame: jsonArray}
			c := collect(d, chunked)
			for _, r := range tc.records {
				c.Add(r, 0)
			}
			c.Flush()
			require.Greater(t, len(c.batches), 3)
			ids := map[string]bool{}
			for _, b := range c.batches {
				ids[b.ID] = true
			}
			assert.Len(t, ids, len(c.batches))
		})
	}
}

// objectLines are n lines of one S3 object, each in its place.
func objectLines(n int, place func(int, *record.Record)) []*record.Record {
	origin := &record.Origin{Kind: record.S3, Bucket: "logs", Key: "AWSLogs/1.gz", ETag: "e"}
	all := make([]*record.Record, n)
	for i := range all {
		all[i] = &record.Record{Origin: origin, Message: record.Plain([]byte(strconv.Itoa(i)))}
		place(i, all[i])
	}
	return all
}

// A line of an object is known by its offset: where the reading began, and what was read before, changes no id. An object
// that is read again from its middle gives batches that an intake has seen.
func TestIDsOfObjectLinesAreTheirPlaces(t *testing.T) {
	all := objectLines(8, func(i int, r *record.Record) { r.Offset = int64(i) * 10 })
	d := &intake{limits: roomy(), frame: jsonArray}
	d.limits.Records = 2
	idsOf := func(records []*record.Record) []string {
		c := collect(d)
		for _, r := range records {
			c.Add(r, 0)
		}
		c.Flush()
		var ids []string
		for _, b := range c.batches {
			ids = append(ids, b.ID)
		}
		return ids
	}
	whole := idsOf(all)
	require.Len(t, whole, 4)
	assert.Equal(t, whole[2:], idsOf(all[4:]))

	other := objectLines(8, func(i int, r *record.Record) { r.Offset = int64(i) * 10 })
	for _, r := range other {
		r.Origin = &record.Origin{Kind: record.S3, Bucket: "logs", Key: "AWSLogs/2.gz", ETag: "e"}
	}
	for i, id := range idsOf(other) {
		assert.NotEqual(t, whole[i], id, "another object")
	}
}

// Units yields each unit that a batch has something of, once.
func TestUnits(t *testing.T) {
	d := &intake{limits: roomy(), frame: jsonArray}
	d.limits.Records = 3
	c := collect(d)
	for i, unit := range []int{4, 4, 4, 4, 5, 9, 9, 10} {
		c.Add(line(i, ""), unit)
	}
	c.Flush()
	var units [][]int
	for _, b := range c.batches {
		units = append(units, slices.Collect(b.Units()))
	}
	assert.Equal(t, [][]int{{4}, {4, 5, 9}, {9, 10}}, units)

	left, right, err := c.batches[1].Split()
	require.NoError(t, err)
	assert.Equal(t, []int{4}, slices.Collect(left.Units()))
	assert.Equal(t, []int{5, 9}, slices.Collect(right.Units()))
	for unit := range c.batches[1].Units() {
		assert.Equal(t, 4, unit)
		break // a reader may stop
	}
}

// Units come in order and may span batches; a batch knows the first one it has something of.
func TestFirstUnit(t *testing.T) {
	d := &intake{limits: roomy(), frame: jsonArray}
	d.limits.Records = 3
	c := collect(d)
	for i, unit := range []int{4, 4, 4, 4, 5, 9, 9, 10} {
		c.Add(line(i, ""), unit)
	}
	c.Flush()
	var first []int
	for _, b := range c.batches {
		first = append(first, b.FirstUnit())
	}
	assert.Equal(t, []int{4, 4, 9}, first)
}

func TestAddAllocatesNothing(t *testing.T) {
	d := &intake{limits: destination.Limits{BodyBytes: 1 << 20, Records: 1 << 20, RecordBytes: 1 << 10}, frame: jsonArray}
	c := collect(d)
	records := make([]*record.Record, 64)
	for i := range records {
		records[i] = line(i, strings.Repeat("message ", 16))
	}
	c.Add(records[0], 0) // the buffers of the coordinates
	for range 4000 {
		c.Add(records[1], 0)
	}
	c.restart() // the body's buffer is as large as it gets, and is kept
	assert.Zero(t, testing.AllocsPerRun(30, func() {
		for _, r := range records {
			c.Add(r, 0)
		}
	}))
}
