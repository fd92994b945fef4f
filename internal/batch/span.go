package batch

import (
	"math"

	"sluice/internal/record"
)

// Span says what a batch is made of, for a note about it. It is a copy: it stays valid when the records are gone.
type Span struct {
	First, Last             record.Origin // of the first and the last record
	FirstEvent, LastEvent   string        // their event ids, plain; "" where the source has none
	FirstOffset, LastOffset int64         // their offsets (see record.Record)
	// OldestMillis is the smallest time of a record that has one, in ms since the Unix epoch; 0 when none has.
	OldestMillis int64
}

// Span says which records the batch was cut from. It is nil for a batch of items from elsewhere (see [Rebuild]). The parts
// of a split batch share that of the whole: it must not be changed.
func (b *Batch) Span() *Span { return b.span }

// unknownMillis stands for no time at all while the smallest one is looked for.
const unknownMillis = math.MaxInt64

// span is that of what is in the body.
func (b *Builder) span() *Span {
	first, last := &b.first.record, &b.last.record
	s := &Span{
		First:       copied(first.Origin),
		Last:        copied(last.Origin),
		FirstEvent:  string(first.EventID.AppendPlain(nil)),
		LastEvent:   string(last.EventID.AppendPlain(nil)),
		FirstOffset: first.Offset,
		LastOffset:  last.Offset,
	}
	if b.oldest != unknownMillis {
		s.OldestMillis = b.oldest
	}
	return s
}

// copied is an origin without the digest that its records' ids come from: two owners must not share that.
func copied(o *record.Origin) record.Origin { return *o.With(o.Tags, o.Service) }
