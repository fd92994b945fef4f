package batch_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/destination"
	"sluice/internal/record"
)

// small takes items of 200 bytes.
func small(frame destination.Frame) *intake {
	return &intake{limits: destination.Limits{BodyBytes: 1000, Records: 100, RecordBytes: 200}, frame: frame}
}

// texts are messages of n characters that are long in JSON, in both forms.
func texts(n int) map[string]struct {
	text  record.Text
	plain string
} {
	mixed := strings.Repeat("a\"é😀\x01", n/5)
	pairs := strings.Repeat(`\ud83d\ude00`, n)
	return map[string]struct {
		text  record.Text
		plain string
	}{
		"plain ASCII":     {record.Plain([]byte(strings.Repeat("x", n))), strings.Repeat("x", n)},
		"plain mixture":   {record.Plain([]byte(mixed)), mixed},
		"escaped ASCII":   {record.Escaped([]byte(strings.Repeat("x", n))), strings.Repeat("x", n)},
		"escaped mixture": {record.Escaped(record.AppendEscaped(nil, mixed)), mixed},
		"surrogate pairs": {record.Escaped([]byte(pairs)), strings.Repeat("😀", n)},
	}
}

func TestTruncate(t *testing.T) {
	for name, tc := range texts(500) {
		for _, frame := range []destination.Frame{jsonArray, jsonLines} {
			t.Run(name+" "+frame.Separator, func(t *testing.T) {
				d := small(frame)
				c := collect(d)
				r := line(0, "")
				r.Message, r.Marks = tc.text, record.UTF8Repaired
				before := *r
				require.Equal(t, batch.Added{Items: 1, Marks: record.Truncated}, c.Add(r, 0))
				require.Equal(t, before, *r, "the record is left as it was: other destinations get it too")
				c.Flush()

				require.Len(t, c.batches, 1)
				got := d.read(t, c.batches[0])[0]
				require.True(t, strings.HasPrefix(tc.plain, got.Message), "%q", got.Message)
				assert.Equal(t, len(tc.plain)-len(got.Message), got.Cut, "bytes of the text as it is read")
				assert.Equal(t, record.Truncated|record.UTF8Repaired, got.Marks)
				frameBytes := len(frame.Open) + len(frame.Close)
				assert.Greater(t, c.batches[0].PlainBytes(), frameBytes+d.limits.RecordBytes-15, "as much as fits")
			})
		}
	}
}

// A body can be too small for the largest item.
func TestTruncateToBody(t *testing.T) {
	d := &intake{limits: destination.Limits{BodyBytes: 150, Records: 10, RecordBytes: 150}, frame: jsonArray}
	c := collect(d)
	c.Add(line(0, "before"), 0)
	c.Add(line(1, strings.Repeat("x", 1000)), 0)
	c.Add(line(2, "after"), 0)
	c.Flush()
	require.Len(t, c.batches, 3)
	assert.Greater(t, c.batches[1].PlainBytes(), 145, "as much as fits")
	assert.Equal(t, "after", d.read(t, c.batches[2])[0].Message)
}

// What surrounds the message goes only when it is too large by itself, and then the record says that it was cut.
func TestTruncateSurroundings(t *testing.T) {
	long := strings.Repeat("y", 300)
	for name, tc := range map[string]struct {
		change  func(*record.Record)
		message string // before it is cut
		fields  string
		tag     string
		cut     bool
	}{
		"members fit beside some of the message": {
			change: func(r *record.Record) {
				r.Message = record.Plain([]byte(long))
				r.Members = []record.Member{{Name: []byte("fields"), Value: []byte(`{"a":"b"}`)}}
			},
			message: long, fields: `{"a":"b"}`, tag: "prod", cut: true,
		},
		"members are too large: the message stays whole": {
			change: func(r *record.Record) {
				r.Message = record.Plain([]byte("short"))
				r.Members = []record.Member{{Name: []byte("fields"), Value: []byte(`"` + long + `"`)}}
			},
			message: "short", tag: "prod",
		},
		"tags are too large, as a log's own text can make them": {
			change: func(r *record.Record) {
				r.Message = record.Plain([]byte("short"))
				r.Origin.Tags = record.Tags{{Key: "env", Value: long}}
			},
			message: "short",
		},
		"members, tags and message are too large": {
			change: func(r *record.Record) {
				r.Message = record.Plain([]byte(long))
				r.Origin.Tags = record.Tags{{Key: "env", Value: long}}
				r.Members = []record.Member{{Name: []byte("fields"), Value: []byte(`"` + long + `"`)}}
			},
			message: long, cut: true,
		},
	} {
		for policy, oversize := range map[string]batch.Oversize{"truncate": batch.Truncate, "chunk": batch.Chunk} {
			if policy == "chunk" && name == "members fit beside some of the message" {
				continue // that one is chunked
			}
			t.Run(name+", "+policy, func(t *testing.T) {
				d := small(jsonArray)
				c := collect(d, func(o *batch.Options) { o.Oversize = oversize })
				r := line(0, "")
				r.Origin.Tags = record.Tags{{Key: "env", Value: "prod"}}
				tc.change(r)
				before := *r
				require.Equal(t, batch.Added{Items: 1, Marks: record.Truncated}, c.Add(r, 0))
				require.Equal(t, before, *r)
				c.Flush()
				got := d.read(t, c.batches[0])[0]
				assert.True(t, strings.HasPrefix(tc.message, got.Message), got.Message)
				assert.Equal(t, len(tc.message)-len(got.Message), got.Cut)
				assert.Equal(t, tc.cut, got.Cut > 0)
				assert.NotEmpty(t, got.Message)
				assert.Equal(t, tc.fields, string(got.Members))
				assert.Equal(t, tc.tag, got.Tag)
				assert.Equal(t, record.Truncated, got.Marks)
			})
		}
	}
}

// Members are given up only when there is no room for them beside an empty message; it is they or nothing then.
func TestTruncateKeepsMembersThatFit(t *testing.T) {
	d := small(jsonArray)
	kept := 0
	for n := range 300 {
		r := line(0, "a message that does not fit, however it is cut")
		r.Members = []record.Member{{Name: []byte("fields"), Value: []byte(`"` + strings.Repeat("y", n) + `"`)}}
		bare := *r
		bare.Message, bare.Marks, bare.TruncatedBytes = record.Text{}, record.Truncated, len(r.Message.Bytes)
		fits := len(d.Append(nil, &bare)) <= d.limits.RecordBytes

		c := collect(d)
		added := c.Add(r, 0)
		c.Flush()
		if added.Marks != record.Truncated {
			continue
		}
		got := d.read(t, c.batches[0])[0]
		require.Equal(t, fits, got.Members != nil, "%d bytes", n)
		if fits {
			kept++
		}
	}
	assert.Positive(t, kept)
}

// A record whose coordinates alone are too large cannot be sent. It must not be lost either, so it is a batch that says
// so, and its neighbours are as if it were not there.
func TestOversized(t *testing.T) {
	for policy, oversize := range map[string]batch.Oversize{"truncate": batch.Truncate, "chunk": batch.Chunk} {
		t.Run(policy, func(t *testing.T) {
			d := small(jsonArray)
			c := collect(d, func(o *batch.Options) { o.Oversize = oversize })
			c.Add(line(0, "before"), 1)
			r := line(1, "whole")
			r.Origin.Host = strings.Repeat("h", 5000)
			require.Equal(t, batch.Added{Items: 1}, c.Add(r, 2))
			c.Add(line(2, "after"), 3)
			c.Flush()

			require.Len(t, c.batches, 3)
			assert.Equal(t, []string{"before", "whole", "after"}, c.messages(t, d))
			for i, b := range c.batches {
				assert.Equal(t, i == 1, b.Oversized())
				assert.Equal(t, i+1, b.FirstUnit())
			}
			recoded, err := c.batches[1].Recode(c.batches[1].Codec)
			require.NoError(t, err)
			assert.True(t, recoded.Oversized())
		})
	}
}

// As long as an empty message fits, with or without its tags, the record is sent.
func TestOversizedOnlyWhenNothingFits(t *testing.T) {
	d := small(jsonArray)
	sentBare, unsendable := 0, 0
	for n := range 300 {
		r := line(0, "0123456789")
		r.Origin.Host = strings.Repeat("h", n)
		r.Origin.Tags = record.Tags{{Key: "t", Value: "0123456789"}}
		bare := *r
		bare.Origin = bare.Origin.With(nil, "")
		bare.Message, bare.Marks, bare.TruncatedBytes = record.Text{}, record.Truncated, len(r.Message.Bytes)
		fits := len(d.Append(nil, &bare)) <= d.limits.RecordBytes

		c := collect(d)
		added := c.Add(r, 0)
		c.Flush()
		require.Equal(t, !fits, c.batches[0].Oversized(), "%d bytes", n)
		got := d.read(t, c.batches[0])[0]
		switch {
		case !fits:
			unsendable++
			require.Equal(t, "0123456789", got.Message)
		case added.Marks == record.Truncated && got.Tag == "":
			sentBare++
		}
	}
	assert.Positive(t, sentBare)
	assert.Positive(t, unsendable)
}

func TestChunk(t *testing.T) {
	for name, tc := range texts(500) {
		for _, frame := range []destination.Frame{jsonArray, jsonLines} {
			t.Run(name+" "+frame.Separator, func(t *testing.T) {
				d := small(frame)
				c := collect(d, chunked)
				r := line(0, "")
				r.Message = tc.text
				r.Members = []record.Member{{Name: []byte("fields"), Value: []byte(`{"a":"b"}`)}}
				before := *r
				c.Add(line(1, "before"), 0)
				added := c.Add(r, 0)
				require.Equal(t, before, *r)
				c.Add(line(2, "after"), 0)
				c.Flush()

				var items []item
				for _, b := range c.batches {
					items = append(items, d.read(t, b)...)
				}
				assert.Equal(t, "before", items[0].Message)
				assert.Equal(t, "after", items[len(items)-1].Message)
				parts := items[1 : len(items)-1]
				assert.Equal(t, batch.Added{Items: len(parts), Marks: record.Chunked}, added)
				var text strings.Builder
				for i, part := range parts {
					text.WriteString(part.Message)
					assert.Equal(t, i+1, part.Part)
					assert.Equal(t, len(parts), part.Parts)
					assert.Equal(t, record.Chunked, part.Marks)
					assert.Equal(t, i == 0, part.Members != nil, "members stand in the first part")
				}
				assert.Equal(t, tc.plain, text.String())
			})
		}
	}
}

// Beyond 999 pieces a message is cut instead: an item can say how many bytes are missing, not carry any number of parts.
func TestChunkTooMany(t *testing.T) {
	d := small(jsonArray)
	try := func(n int) (*collected, batch.Added) {
		c := collect(d, chunked)
		added := c.Add(line(0, strings.Repeat("x", n)), 0)
		c.Flush()
		return c, added
	}
	c, _ := try(d.limits.RecordBytes * 2)
	room := len(d.read(t, c.batches[0])[0].Message)

	_, added := try(999 * room)
	assert.Equal(t, batch.Added{Items: 999, Marks: record.Chunked}, added)
	c, added = try(999*room + 1)
	assert.Equal(t, batch.Added{Items: 1, Marks: record.Truncated}, added)
	require.Len(t, c.batches, 1)
	got := d.read(t, c.batches[0])[0]
	assert.Equal(t, 999*room+1, len(got.Message)+got.Cut)
	assert.Zero(t, got.Parts)
}

// Where there is no room for a single character a piece, pieces would never end: the message is cut.
func TestChunkWithoutRoom(t *testing.T) {
	for n := range 200 {
		d := small(jsonArray)
		c := collect(d, chunked)
		r := line(0, strings.Repeat("\x01😀", 40))
		r.Origin.Tags = record.Tags{{Key: "t", Value: strings.Repeat("t", n)}}
		added := c.Add(r, 0)
		c.Flush()
		var text strings.Builder
		var items []item
		for _, b := range c.batches {
			items = append(items, d.read(t, b)...)
		}
		for _, it := range items {
			text.WriteString(it.Message)
		}
		require.Len(t, items, added.Items)
		require.Equal(t, len(r.Message.Bytes), text.Len()+items[0].Cut, "%d bytes of tags", n)
	}
}

// structured is an intake that puts the members of a structured record in place of its message.
type structured struct{ intake }

func (d *structured) Append(dst []byte, r *record.Record) []byte {
	if !r.Structured {
		return d.intake.Append(dst, r)
	}
	dst = append(dst, `{"fields":`...)
	return append(r.Message.AppendPlain(dst), '}')
}

// What is left of an object that was cut is none any more: it is sent as text.
func TestOversizedStructured(t *testing.T) {
	object := func(n int) string { return `{"a":"` + strings.Repeat("x", n) + `"}` }
	for name, tc := range map[string]struct {
		bytes    int // of a text in the object
		oversize batch.Oversize
		added    batch.Added
	}{
		"fits: its members are sent": {100, batch.Truncate, batch.Added{Items: 1}},
		"truncated":                  {400, batch.Truncate, batch.Added{Items: 1, Marks: record.Truncated}},
		"chunked":                    {400, batch.Chunk, batch.Added{Items: 3, Marks: record.Chunked}},
	} {
		t.Run(name, func(t *testing.T) {
			d := &structured{*small(jsonArray)}
			c := collect(d, func(o *batch.Options) { o.Oversize = tc.oversize })
			r := line(0, object(tc.bytes))
			r.Structured = true
			before := *r
			require.Equal(t, tc.added, c.Add(r, 0))
			require.Equal(t, before, *r, "other destinations get the object")
			c.Flush()
			var text strings.Builder
			for _, b := range c.batches {
				for _, it := range d.read(t, b) {
					assert.Equal(t, tc.added.Marks == 0, it.Members != nil)
					text.WriteString(it.Message)
				}
			}
			switch tc.added.Marks { //nolint:exhaustive // a size sets no other mark
			case record.Chunked:
				assert.Equal(t, object(tc.bytes), text.String())
			case record.Truncated:
				assert.NotEmpty(t, text.String())
				assert.True(t, strings.HasPrefix(object(tc.bytes), text.String()))
			}
		})
	}
}
