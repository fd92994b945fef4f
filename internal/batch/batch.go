// Package batch cuts a stream of records into request bodies.
//
// A batch is cut by encoded bytes and count alone, in source order, so the same input gives the same batches and the same
// ids. Each record is encoded once, straight into the body; a full body is compressed and the plain bytes are used again
// for the next one. A batch on its way holds only the compressed body and where its items end; to split it, it is
// inflated again, which is rare.
//
// No record is left out, and no body is larger than its destination takes, with one exception that says so: see
// [Batch.Oversized].
package batch

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"iter"
	"slices"

	"sluice/internal/compress"
	"sluice/internal/destination"
)

// Batch is a request body and what it is made of.
type Batch struct {
	ID    string         // deterministic; a part of a split batch has its parent's id and `.0` or `.1`
	Body  []byte         // compressed
	Codec compress.Codec // what Body is compressed with

	frame     destination.Frame
	bytes     int      // of the plain body
	ends      []uint32 // where each item ends in the plain body
	units     []run
	oversized bool
	span      *Span
}

// run says that the items from first on belong to a unit, up to the next run.
type run struct {
	first int
	unit  int
}

// Count is the number of items.
func (b *Batch) Count() int { return len(b.ends) }

// PlainBytes is the size of the body before compression.
func (b *Batch) PlainBytes() int { return b.bytes }

// Oversized reports whether the batch is one record that is larger than the destination takes, whatever is cut from it.
// It is whole, and it is not to be sent: it exists so that the record is accounted for like every other.
func (b *Batch) Oversized() bool { return b.oversized }

// FirstUnit is the unit that the first item belongs to: the lowest one, as units come in order.
func (b *Batch) FirstUnit() int { return b.units[0].unit }

// Units yields the units that items belong to, in order.
func (b *Batch) Units() iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, r := range b.units {
			if !yield(r.unit) {
				return
			}
		}
	}
}

// Recode compresses the body with another codec.
func (b *Batch) Recode(codec compress.Codec) (*Batch, error) {
	plain, err := b.plain()
	if err != nil {
		return nil, err
	}
	c := *b
	c.Codec, c.Body = codec, slices.Clip(codec.Append(nil, plain))
	return &c, nil
}

// Split cuts a batch of two items or more into halves.
func (b *Batch) Split() (first, second *Batch, err error) {
	if b.Count() < 2 {
		return nil, nil, fmt.Errorf("batch %s has one item: it cannot be split", b.ID)
	}
	plain, err := b.plain()
	if err != nil {
		return nil, nil, err
	}
	half := b.Count() / 2
	return b.part(plain, 0, half, ".0"), b.part(plain, half, b.Count(), ".1"), nil
}

// Items yields the encoded items of the body, in order, as often as it is asked. It inflates the body, once. The items are
// parts of one buffer, which is the caller's: they stay valid for as long as they are kept, and keep all of it.
func (b *Batch) Items() (iter.Seq[[]byte], error) {
	plain, err := b.plain()
	if err != nil {
		return nil, err
	}
	return func(yield func([]byte) bool) {
		start := len(b.frame.Open)
		for _, end := range b.ends {
			if !yield(plain[start:end:end]) {
				return
			}
			start = int(end) + len(b.frame.Separator)
		}
	}, nil
}

func (b *Batch) plain() ([]byte, error) {
	// The room behind the last byte is where a reader looks for more; without it, the buffer would double at the end.
	plain, err := b.Codec.Unpack(make([]byte, 0, b.bytes+bytes.MinRead), b.Body)
	if err != nil {
		return nil, fmt.Errorf("batch %s: %w", b.ID, err)
	}
	if len(plain) != b.bytes {
		return nil, fmt.Errorf("batch %s: its body has %d plain bytes where %d were packed", b.ID, len(plain), b.bytes)
	}
	return plain, nil
}

// part makes a batch of the items from first up to end.
func (b *Batch) part(plain []byte, first, end int, suffix string) *Batch {
	start := len(b.frame.Open)
	if first > 0 {
		start = int(b.ends[first-1]) + len(b.frame.Separator)
	}
	items := plain[start:b.ends[end-1]]

	body := make([]byte, 0, len(b.frame.Open)+len(items)+len(b.frame.Close))
	body = append(append(append(body, b.frame.Open...), items...), b.frame.Close...)
	p := &Batch{
		ID: b.ID + suffix, Codec: b.Codec, Body: slices.Clip(b.Codec.Append(nil, body)),
		frame: b.frame, bytes: len(body), ends: make([]uint32, 0, end-first), span: b.span,
	}
	shift := start - len(b.frame.Open)
	for _, e := range b.ends[first:end] {
		p.ends = append(p.ends, e-uint32(shift))
	}
	for i, r := range b.units {
		if r.first >= end || i+1 < len(b.units) && b.units[i+1].first <= first {
			continue
		}
		p.units = append(p.units, run{first: max(r.first-first, 0), unit: r.unit})
	}
	return p
}

// idOf names a batch by what is in it: the first and the last of its records, for whom, under which settings, and its
// bytes. Coordinates alone would do where every record has an id of its own, which whoever writes them may not have given.
func idOf(epoch string, first, last *coordinates, count int, body []byte) string {
	h := sha256.New()
	h.Write(body)
	fmt.Fprintf(h, "%s\x1f%s\x1f%s\x1f%d", epoch, first.name(), last.name(), count)
	const length = 26
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil))[:length]
}
