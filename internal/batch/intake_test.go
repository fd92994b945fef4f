package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/compress"
	"sluice/internal/destination"
	"sluice/internal/record"
)

// intake is a destination with the limits that a test wants. Only what describes a body is called here.
type intake struct {
	limits destination.Limits
	frame  destination.Frame
}

var (
	jsonArray = destination.Frame{Open: "[", Separator: ",", Close: "]"}
	jsonLines = destination.Frame{Separator: "\n", Close: "\n"}
)

func (d *intake) ID() string                                { return "intake" }
func (d *intake) Limits() destination.Limits                { return d.limits }
func (d *intake) Frame() destination.Frame                  { return d.frame }
func (d *intake) Codecs() []compress.Codec                  { return []compress.Codec{compress.Plain{}} }
func (d *intake) Reauthorize(context.Context) (bool, error) { panic("not called") }

func (d *intake) Request(context.Context, destination.Body) (*http.Request, error) {
	panic("not called")
}

func (d *intake) Outcome(*http.Response, []byte) destination.Outcome { panic("not called") }

// Append writes everything that a builder may change or cut.
func (d *intake) Append(dst []byte, r *record.Record) []byte {
	dst = append(dst, `{"host":"`...)
	dst = record.AppendEscaped(dst, r.Origin.Host)
	dst = append(dst, '"')
	for _, tag := range r.Origin.Tags {
		dst = record.AppendEscaped(append(dst, `,"tag":"`...), tag.Value)
		dst = append(dst, '"')
	}
	for _, m := range r.Members {
		dst = append(append(append(dst, `,"`...), m.Name...), `":`...)
		dst = append(dst, m.Value...)
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"marks", int(r.Marks)}, {"cut", r.TruncatedBytes}, {"part", r.Part}, {"parts", r.Parts}} {
		if n.value != 0 {
			dst = append(append(append(dst, `,"`...), n.name...), `":`...)
			dst = strconv.AppendInt(dst, int64(n.value), 10)
		}
	}
	dst = append(dst, `,"message":"`...)
	return append(r.Message.AppendJSON(dst), `"}`...)
}

// item is what an intake reads.
type item struct {
	Message string
	Tag     string
	Members json.RawMessage `json:"fields"`
	Marks   record.Marks
	Cut     int
	Part    int
	Parts   int
}

// read unpacks a batch as its receiver would, and checks everything that must hold for any batch but an oversized one.
func (d *intake) read(t *testing.T, b *batch.Batch) []item {
	t.Helper()
	plain, err := b.Codec.Unpack(nil, b.Body)
	require.NoError(t, err)
	require.Len(t, plain, b.PlainBytes())
	require.True(t, utf8.Valid(plain), "%q", plain)
	require.True(t, bytes.HasPrefix(plain, []byte(d.frame.Open)) && bytes.HasSuffix(plain, []byte(d.frame.Close)), "%q", plain)

	raw := strings.Split(strings.TrimSuffix(string(plain), d.frame.Close), "\n")
	if d.frame == jsonArray {
		var elements []json.RawMessage
		require.NoError(t, json.Unmarshal(plain, &elements), "%q", plain)
		raw = raw[:0]
		for _, e := range elements {
			raw = append(raw, string(e))
		}
	}
	require.Len(t, raw, b.Count())
	items := make([]item, len(raw))
	for i, text := range raw {
		require.NoError(t, json.Unmarshal([]byte(text), &items[i]), "%q", text)
		if !b.Oversized() {
			require.LessOrEqual(t, len(text), d.limits.RecordBytes)
		}
	}
	if b.Oversized() {
		require.Equal(t, 1, b.Count())
		return items
	}
	require.LessOrEqual(t, b.PlainBytes(), d.limits.BodyBytes)
	require.LessOrEqual(t, b.Count(), d.limits.Records)
	return items
}

// collected is a builder with the batches that it has emitted.
type collected struct {
	*batch.Builder
	batches []*batch.Batch
}

// collect starts a builder for the destination. options change what is not the usual.
func collect(d destination.Destination, options ...func(*batch.Options)) *collected {
	o := batch.Options{Destination: d, Epoch: "intake/1", Codec: func() compress.Codec { return compress.Plain{} }}
	for _, option := range options {
		option(&o)
	}
	c := &collected{Builder: batch.NewBuilder(o)}
	c.restart()
	return c
}

func (c *collected) restart() {
	c.batches = nil
	c.Start(func(b *batch.Batch) { c.batches = append(c.batches, b) })
}

func chunked(o *batch.Options) { o.Oversize = batch.Chunk }

// messages reads what is in the batches, in order.
func (c *collected) messages(t *testing.T, d *intake) []string {
	t.Helper()
	var all []string
	for _, b := range c.batches {
		for _, it := range d.read(t, b) {
			all = append(all, it.Message)
		}
	}
	return all
}

// line returns a record of its own, with a coordinate that no other has.
func line(n int, message string) *record.Record {
	return &record.Record{
		Origin:  &record.Origin{Kind: record.CloudWatch, LogGroup: "/app", LogStream: "web", Host: "h"},
		EventID: record.Escaped([]byte("event-" + strconv.Itoa(n))),
		Message: record.Plain([]byte(message)),
	}
}
