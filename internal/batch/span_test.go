package batch_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/compress"
	"sluice/internal/destination"
	"sluice/internal/record"
)

// at is a record of a time, of a log stream of its own.
func at(n int, millis int64) *record.Record {
	r := line(n, strconv.Itoa(n))
	r.TimeMillis = millis
	r.Origin.LogStream = "stream-" + strconv.Itoa(n)
	return r
}

func TestSpan(t *testing.T) {
	for name, tc := range map[string]struct {
		records []*record.Record
		want    batch.Span // without origins
	}{
		"one record": {
			[]*record.Record{at(7, 1000)},
			batch.Span{FirstEvent: "event-7", LastEvent: "event-7", OldestMillis: 1000},
		},
		"the oldest is in the middle": {
			[]*record.Record{at(1, 3000), at(2, 1000), at(3, 2000)},
			batch.Span{FirstEvent: "event-1", LastEvent: "event-3", OldestMillis: 1000},
		},
		"a record without a time is not the oldest": {
			[]*record.Record{at(1, 0), at(2, 5000), at(3, 0)},
			batch.Span{FirstEvent: "event-1", LastEvent: "event-3", OldestMillis: 5000},
		},
		"before 1970": {
			[]*record.Record{at(1, -5), at(2, 5000)},
			batch.Span{FirstEvent: "event-1", LastEvent: "event-2", OldestMillis: -5},
		},
		"no time at all": {
			[]*record.Record{at(1, 0), at(2, 0)}, batch.Span{FirstEvent: "event-1", LastEvent: "event-2"},
		},
		"event ids as they are read": {
			func() []*record.Record {
				r := at(1, 1)
				r.EventID = record.Escaped([]byte(`a\"b`))
				return []*record.Record{r}
			}(),
			batch.Span{FirstEvent: `a"b`, LastEvent: `a"b`, OldestMillis: 1},
		},
		"lines of an object": {
			objectLines(3, func(i int, r *record.Record) { r.Offset = int64(i+1) * 10 }),
			batch.Span{FirstOffset: 10, LastOffset: 30},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := collect(&intake{limits: roomy(), frame: jsonArray})
			for _, r := range tc.records {
				c.Add(r, 0)
			}
			c.Flush()
			got := *c.batches[0].Span()
			first, last := tc.records[0].Origin, tc.records[len(tc.records)-1].Origin
			assert.Equal(t, *first.With(first.Tags, first.Service), got.First)
			assert.Equal(t, *last.With(last.Tags, last.Service), got.Last)
			got.First, got.Last = record.Origin{}, record.Origin{}
			assert.Equal(t, tc.want, got)
		})
	}
}

// Each batch has the span of its own records, also where one ends because the next record does not fit.
func TestSpanOfEachBatch(t *testing.T) {
	d := &intake{limits: destination.Limits{BodyBytes: 1 << 10, Records: 2, RecordBytes: 200}, frame: jsonArray}
	c := collect(d)
	for i, millis := range []int64{50, 60, 20, 30, 40} {
		c.Add(at(i, millis), 0)
	}
	c.Flush()
	var got []batch.Span
	for _, b := range c.batches {
		s := *b.Span()
		assert.Equal(t, "stream-"+s.FirstEvent[len("event-"):], s.First.LogStream)
		assert.Equal(t, "stream-"+s.LastEvent[len("event-"):], s.Last.LogStream)
		s.First, s.Last = record.Origin{}, record.Origin{}
		got = append(got, s)
	}
	assert.Equal(t, []batch.Span{
		{FirstEvent: "event-0", LastEvent: "event-1", OldestMillis: 50},
		{FirstEvent: "event-2", LastEvent: "event-3", OldestMillis: 20},
		{FirstEvent: "event-4", LastEvent: "event-4", OldestMillis: 40},
	}, got)

	c.restart()
	c.Add(at(9, 70), 0)
	c.Flush()
	assert.EqualValues(t, 70, c.batches[0].Span().OldestMillis, "of this stream")
}

// A source gives the bytes of its records another meaning as soon as it is asked for the next one.
func TestSpanOutlivesTheRecords(t *testing.T) {
	c := collect(&intake{limits: roomy(), frame: jsonArray})
	id := []byte("event-1")
	r := at(1, 1)
	r.EventID = record.Plain(id)
	c.Add(r, 0)
	c.Flush()
	copy(id, "XXXXXXX")
	r.Origin.LogGroup = "/other"
	c.Add(at(2, 2), 0)
	c.Flush()
	span := c.batches[0].Span()
	assert.Equal(t, "event-1", span.FirstEvent)
	assert.Equal(t, "event-1", span.LastEvent)
	assert.Equal(t, "/app", span.First.LogGroup)
	copied := record.Record{Origin: &span.First, EventID: record.Plain([]byte(span.FirstEvent))}
	assert.Equal(t, string(at(1, 0).AppendID(nil)), string(copied.AppendID(nil)), "the copy has what an id is made of")
}

func TestSpanOfParts(t *testing.T) {
	gzip, err := compress.Gzip(1)
	require.NoError(t, err)
	whole := packed(&intake{limits: roomy(), frame: jsonArray}, compress.Plain{}, 5, func(int) int { return 0 })
	require.NotNil(t, whole.Span())
	first, second, err := whole.Split()
	require.NoError(t, err)
	recoded, err := second.Recode(gzip)
	require.NoError(t, err)
	for _, part := range []*batch.Batch{first, second, recoded} {
		assert.Same(t, whole.Span(), part.Span())
	}
}

// A record whose encoding panicked leaves no time behind when it was the only one.
func TestSpanAfterRollback(t *testing.T) {
	d := &fragile{intake: intake{limits: destination.Limits{BodyBytes: 1 << 10, Records: 9, RecordBytes: 200}, frame: jsonArray}, at: 5}
	c := collect(d, chunked)
	broken := at(1, 10)
	broken.Message = record.Plain(make([]byte, 900))
	require.True(t, panics(func() { c.Add(broken, 0) }), "in the midst of its pieces")
	c.Rollback()
	c.Add(at(2, 20), 0)
	c.Flush()
	assert.EqualValues(t, 20, c.batches[len(c.batches)-1].Span().OldestMillis)
}

func TestItems(t *testing.T) {
	for codecName, codec := range codecs(t) {
		for frameName, frame := range map[string]destination.Frame{"array": jsonArray, "lines": jsonLines} {
			for _, n := range []int{1, 2, 64} {
				t.Run(codecName+" "+frameName+" "+strconv.Itoa(n), func(t *testing.T) {
					d := &intake{limits: roomy(), frame: frame}
					whole := packed(d, codec, n, func(int) int { return 0 })
					requireItems(t, d, whole)
					if n == 1 {
						return
					}
					first, second, err := whole.Split()
					require.NoError(t, err)
					requireItems(t, d, first)
					requireItems(t, d, second)
				})
			}
		}
	}
}

// requireItems checks that the items are what stands in the body, byte for byte, and returns them.
func requireItems(t *testing.T, d *intake, b *batch.Batch) [][]byte {
	t.Helper()
	items, err := b.Items()
	require.NoError(t, err)
	body := []byte(d.frame.Open)
	var all [][]byte
	for item := range items {
		if len(all) > 0 {
			body = append(body, d.frame.Separator...)
		}
		body = append(body, item...)
		all = append(all, item)
	}
	plain, err := b.Codec.Unpack(nil, b.Body)
	require.NoError(t, err)
	require.Equal(t, string(plain), string(append(body, d.frame.Close...)))
	require.Len(t, all, b.Count())

	again := 0
	for item := range items { // a reader may stop, and begin anew
		require.Equal(t, string(all[0]), string(item))
		again++
		break
	}
	require.Equal(t, 1, again)
	return all
}

// Kept items stay what they are, and one that is appended to does not run into the next.
func TestItemsAreTheCallers(t *testing.T) {
	d := &intake{limits: roomy(), frame: jsonArray}
	b := packed(d, compress.Plain{}, 3, func(int) int { return 0 })
	all := requireItems(t, d, b)
	second := string(all[1])
	_ = append(all[0], "more than the room between two items"...)
	assert.Equal(t, second, string(all[1]))
	copy(all[2], "overwritten")
	requireItems(t, d, b)
}

// A body that is not what was packed is an error, and never a panic or another item.
func TestItemsOfAnotherBody(t *testing.T) {
	for name, codec := range codecs(t) {
		t.Run(name, func(t *testing.T) {
			b := packed(&intake{limits: roomy(), frame: jsonArray}, codec, 9, func(int) int { return 0 })
			for label, body := range map[string][]byte{
				"shorter": codec.Append(nil, []byte("[]")),
				"longer":  codec.Append(nil, make([]byte, 10_000)),
				"cut":     b.Body[:len(b.Body)-5],
				"empty":   nil,
			} {
				broken := *b
				broken.Body = body
				_, err := broken.Items()
				require.ErrorContains(t, err, "batch "+b.ID+": ", label)
				_, _, err = broken.Split()
				require.ErrorContains(t, err, "batch "+b.ID+": ", label)
			}
		})
	}
}
