package batch_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/compress"
	"sluice/internal/destination"
	"sluice/internal/record"
)

// copying is a destination that encodes as cheaply as can be, so that what is measured is the builder.
type copying struct{ intake }

func (d *copying) Append(dst []byte, r *record.Record) []byte {
	dst = append(dst, `{"message":"`...)
	return append(append(dst, r.Message.Bytes...), `"}`...)
}

// flowLines are as many records as a CloudWatch Logs payload of flow logs has.
func flowLines() (records []*record.Record, bytes int) {
	const count = 10_000
	records = make([]*record.Record, count)
	for i := range records {
		records[i] = line(i, strings.Repeat("0123456789", 11))
		records[i].Message.Escaped = true
		records[i].Origin = records[0].Origin
		bytes += len(records[i].Message.Bytes)
	}
	return records, bytes
}

// BenchmarkAdd measures what the builder adds to encoding: "encode" is the encoding alone, "add" goes through a builder
// that cuts bodies of 1000 items and does not compress them. MB/s count the bytes of the messages.
func BenchmarkAdd(b *testing.B) {
	d := &copying{intake{
		limits: destination.Limits{BodyBytes: 4_750_000, Records: 1000, RecordBytes: 1_000_000}, frame: jsonArray,
	}}
	records, bytes := flowLines()
	b.Run("encode", func(b *testing.B) {
		b.SetBytes(int64(bytes))
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			dst = dst[:0]
			for _, r := range records {
				dst = d.Append(dst, r)
			}
		}
	})
	b.Run("add", func(b *testing.B) {
		b.SetBytes(int64(bytes))
		b.ReportAllocs()
		builder := batch.NewBuilder(batch.Options{Destination: d, Codec: func() compress.Codec { return compress.Plain{} }})
		sent := 0
		for b.Loop() {
			builder.Start(func(b *batch.Batch) { sent += b.Count() })
			for _, r := range records {
				builder.Add(r, 0)
			}
			builder.Flush()
		}
		require.Zero(b, sent%len(records))
	})
}

// BenchmarkSplit measures what a refused body costs: it is inflated, parted and compressed again.
func BenchmarkSplit(b *testing.B) {
	zstd, err := compress.Zstd(1)
	require.NoError(b, err)
	d := &copying{intake{limits: roomy(), frame: jsonArray}}
	c := collect(d, func(o *batch.Options) { o.Codec = func() compress.Codec { return zstd } })
	records, _ := flowLines()
	for _, r := range records[:1000] {
		c.Add(r, 0)
	}
	c.Flush()
	b.SetBytes(int64(c.batches[0].PlainBytes()))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.batches[0].Split(); err != nil {
			b.Fatal(err)
		}
	}
}
