package batch

import (
	"fmt"

	"sluice/internal/compress"
	"sluice/internal/destination"
	"sluice/internal/record"
)

// Oversize says what becomes of a record that is larger than its destination takes.
type Oversize uint8

// The policies. Neither drops anything silently: a record is marked and counted.
const (
	Truncate Oversize = iota // keep as much of the message as fits
	Chunk                    // cut the message into numbered records
)

// Options say how a builder cuts.
type Options struct {
	Destination destination.Destination
	// Epoch goes into every batch id: the destination's id and a fingerprint of the settings.
	Epoch    string
	Oversize Oversize
	// Codec gives the coding to compress the next batch with.
	Codec func() compress.Codec
}

// Builder encodes records and cuts them into batches. It is not safe for concurrent use. Its buffers are its own and are
// kept, so that a builder that is used again allocates little more than the batches it emits.
type Builder struct {
	o      Options
	emit   func(*Batch)
	limits destination.Limits
	frame  destination.Frame

	body  []byte // Open, items and separators; Close is added at the cut
	ends  []uint32
	units []run
	item  []byte // an item that did not fit any more, and repeated attempts at an oversized one

	packed      []byte
	added       int // records of this stream
	kept        int // items in body of records that have been added as a whole
	first, last coordinates
	oldest      int64 // of the records in body: the smallest TimeMillis that is known; unknownMillis if none is
	oversized   bool  // the item in body is larger than the destination takes
}

// coordinates are a record's, kept past its life to name the batch.
type coordinates struct {
	record record.Record
	event  []byte
	number int // of the record in its stream, if nothing of its own tells it from the others; else 0
}

func (c *coordinates) keep(r *record.Record, number int) {
	c.event = append(c.event[:0], r.EventID.Bytes...)
	c.record.Origin, c.record.Offset, c.record.Index, c.record.Part = r.Origin, r.Offset, r.Index, r.Part
	c.record.EventID = record.Text{Bytes: c.event, Escaped: r.EventID.Escaped}
	c.number = 0
	if len(c.event) == 0 && r.Origin.Kind != record.S3 {
		c.number = number
	}
}

// name tells an item from every other of its stream. The record's id alone does not: the pieces of a chunked record
// share it, and so do records that have neither an event id nor an offset. Two batches with one name would have one
// Idempotency-Key, and an intake that heeds it would drop the second.
func (c *coordinates) name() string {
	return fmt.Sprintf("%s.%d.%d", c.record.AppendID(make([]byte, 0, record.IDLen)), c.record.Part, c.number)
}

// Added says what Add made of a record.
type Added struct {
	Items int          // 1, or more when the record was chunked; each stands in one batch
	Marks record.Marks // that were set because of its size
}

// NewBuilder returns a builder.
func NewBuilder(o Options) *Builder {
	return &Builder{o: o, limits: o.Destination.Limits(), frame: o.Destination.Frame()}
}

// Start prepares for a new stream of records, whose batches emit takes; what is left of the last stream is discarded.
// emit may block; nothing is encoded meanwhile.
func (b *Builder) Start(emit func(*Batch)) {
	b.emit = emit
	b.body = append(b.body[:0], b.frame.Open...)
	b.ends, b.units = b.ends[:0], b.units[:0]
	b.added, b.kept, b.oldest, b.oversized = 0, 0, unknownMillis, false
}

// Add encodes a record as an item of the current batch, or of the next one if it does not fit. unit tells the owner's
// units apart (a Kinesis record, a message); units must not decrease. The record is left as it was.
func (b *Builder) Add(r *record.Record, unit int) Added {
	b.added++
	added := b.add(r, unit)
	b.kept = len(b.ends)
	return added
}

func (b *Builder) add(r *record.Record, unit int) Added {
	start, itemStart := b.encode(r)
	if len(b.body)-itemStart > b.recordLimit() {
		b.body = b.body[:start]
		return b.addOversized(r, unit)
	}
	b.settle(start, itemStart, r, unit)
	return Added{Items: 1}
}

// encode appends a record to the body as an item at itemStart, behind a separator at start.
func (b *Builder) encode(r *record.Record) (start, itemStart int) {
	start = len(b.body)
	if len(b.ends) > 0 {
		b.body = append(b.body, b.frame.Separator...)
	}
	itemStart = len(b.body)
	b.body = b.o.Destination.Append(b.body, r)
	return start, itemStart
}

// settle accepts the item that stands at body[itemStart:], behind a separator at start. If it is too much for this
// batch, it becomes the first one of the next.
func (b *Builder) settle(start, itemStart int, r *record.Record, unit int) {
	if len(b.ends) > 0 && (len(b.ends) >= b.limits.Records || len(b.body)+len(b.frame.Close) > b.limits.BodyBytes) {
		b.item = append(b.item[:0], b.body[itemStart:]...)
		b.body = b.body[:start]
		b.Flush()
		b.body = append(b.body, b.item...)
	}
	if len(b.ends) == 0 {
		b.first.keep(r, b.added)
	}
	if n := len(b.units); n == 0 || b.units[n-1].unit != unit {
		b.units = append(b.units, run{first: len(b.ends), unit: unit})
	}
	b.ends = append(b.ends, uint32(len(b.body)))
	b.last.keep(r, b.added)
	if r.TimeMillis < b.oldest && r.TimeMillis != 0 {
		b.oldest = r.TimeMillis
	}
}

// Flush emits what has been added so far, if anything.
func (b *Builder) Flush() {
	if len(b.ends) == 0 {
		return
	}
	batch := b.pack(b.span())
	batch.ID = idOf(b.o.Epoch, &b.first, &b.last, batch.Count(), batch.Body)
	b.emit(batch)
}

// pack makes a batch of what is in the body, and empties it.
func (b *Builder) pack(span *Span) *Batch {
	b.body = append(b.body, b.frame.Close...)
	codec := b.o.Codec()
	b.packed = codec.Append(b.packed[:0], b.body)
	batch := &Batch{
		Body:      append([]byte(nil), b.packed...),
		Codec:     codec,
		frame:     b.frame,
		bytes:     len(b.body),
		ends:      append([]uint32(nil), b.ends...),
		units:     append([]run(nil), b.units...),
		oversized: b.oversized,
		span:      span,
	}
	b.body = append(b.body[:0], b.frame.Open...)
	b.ends, b.units = b.ends[:0], b.units[:0]
	b.kept, b.oldest, b.oversized = 0, unknownMillis, false
	return batch
}

// Rollback forgets what a call to Add or Flush that panicked has left behind: half an item, or the first pieces of a
// chunked record. The items of the records before that one stay; pieces in batches that have been emitted are out of reach.
// The last record of the batch's name and span, and its oldest time, may still be those of that one.
func (b *Builder) Rollback() {
	end := len(b.frame.Open)
	if b.kept > 0 {
		end = int(b.ends[b.kept-1])
	} else {
		b.oldest = unknownMillis
	}
	b.body, b.ends, b.oversized = b.body[:end], b.ends[:b.kept], false
	for n := len(b.units); n > 0 && b.units[n-1].first >= b.kept; n-- {
		b.units = b.units[:n-1]
	}
}

// Pending is the number of items that have not been emitted yet.
func (b *Builder) Pending() int { return len(b.ends) }

// recordLimit is what one item may take, alone in a body if need be.
func (b *Builder) recordLimit() int {
	return min(b.limits.RecordBytes, b.limits.BodyBytes-len(b.frame.Open)-len(b.frame.Close))
}
