package park

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"sluice/internal/compress"
)

// Items are encoded items of one batch that one destination did not get.
type Items struct {
	Destination Destination
	Reason      Reason
	// BatchID is the id of the batch as it was sent; a part of a batch has its parent's with a suffix ".0", ".1".
	BatchID string
	// Partial says that these are not all items of that batch. They are stored, and to be sent, under an id made of
	// BatchID and their bytes, so that different parts never are taken for one another.
	Partial     bool
	Attempt     int       // 1 to 99; 0 is 1
	FirstFailed time.Time // its day is a part of the key of what is dead
	LastFailed  time.Time // zero: FirstFailed
	MaxAge      time.Time // from then on the destination takes it no more; zero: for ever
	Sources     []Source  // at least one; of very many, only the first are stored
	Count       int       // of Lines; 0: as many as there are
	Bytes       int64     // plain, as the caller knows it; what is stored is counted anew
	// Lines yields the encoded items in order, once. A slice is read only until the next one is asked for.
	Lines     iter.Seq[[]byte]
	RequestID string
	Forwarder string // version
	ConfigSHA string
}

const (
	maxItemsBytes = 32 << 20 // of one object: delivery contract 2.7
	maxItems      = 1 << 20  // likewise; an intake takes a few thousand at once, and each costs a reader memory of its own
)

var errNoItems = errors.New("park: there are no items: nothing is to be parked")

// PutItems parks items for replay, not before a time, which is cut to whole seconds, or for a person, when the time does
// not count. It returns the key of the object that is now durable. The state is [Pending] or [Dead].
//
// An item that is a line of JSON is stored as it is. When one of them is not, all of the object are stored as base64. More
// than 32 MiB, no items, and another number of them than Count are errors: nothing is parked then.
func (s *Store) PutItems(ctx context.Context, state State, it Items, notBefore time.Time) (key string, err error) {
	switch {
	case it.Lines == nil:
		return "", errNoItems
	case it.Bytes > maxItemsBytes:
		return "", fmt.Errorf("park: %d bytes of items, want at most %d: park them in parts", it.Bytes, maxItemsBytes)
	}
	lines, err := s.pack(it.Lines)
	if err != nil {
		return "", err
	}
	h := it.header()
	lines.describe(&h)
	if it.Count != 0 && it.Count != h.Count {
		return "", fmt.Errorf("park: %d items came for the %d that were announced", h.Count, it.Count)
	}
	h.name(it.Partial, "")
	if state == Pending {
		h.NotBefore = notBefore.Unix()
	}
	return s.put(ctx, state, &h, lines.object)
}

func (it *Items) header() Header {
	h := Header{
		Schema: schema, Kind: KindItems, BatchID: it.BatchID, Attempt: cmp.Or(it.Attempt, 1), Dest: it.Destination, Reason: it.Reason,
		FirstFailedAt: stamp(it.FirstFailed), LastFailedAt: stamp(it.LastFailed), MaxAgeAt: stamp(it.MaxAge),
		Forwarder: it.Forwarder, ConfigSHA: it.ConfigSHA, RequestID: it.RequestID,
	}
	kept := it.Sources[:min(len(it.Sources), maxSources)]
	h.SourcesLeftOut = len(it.Sources) - len(kept)
	for _, source := range kept {
		h.Sources = append(h.Sources, source.cleaned(KindItems))
	}
	h.tidy()
	return h
}

// name gives a header of items the id that they are stored and sent under. A part of a batch is named by its bytes, and by
// what tells it from another part with the same bytes. Of a
// part of a part the parts before do not count, and neither do the halves of halves of an id that would be too long: ids
// must not grow with every attempt.
func (h *Header) name(partial bool, part string) {
	const mark, digits = ".p", 12
	suffix := mark + h.PayloadSHA256[:digits]
	if part != "" {
		sum := sha256.Sum256([]byte(part + "\x1f" + h.PayloadSHA256))
		suffix = mark + hex.EncodeToString(sum[:])[:digits]
	}
	if !partial && len(h.BatchID) <= maxBatchIDBytes {
		suffix = ""
	}
	if i := strings.LastIndex(h.BatchID, mark); suffix != "" && i >= 0 && len(h.BatchID)-i == len(suffix) {
		h.BatchID = h.BatchID[:i]
	}
	if len(h.BatchID)+len(suffix) > maxBatchIDBytes {
		h.BatchID, _, _ = strings.Cut(h.BatchID, ".")
	}
	h.BatchID += suffix
	h.IdempotencyKey = h.BatchID
}

// pack makes the lines of items.
func (s *Store) pack(items iter.Seq[[]byte]) (*payload, error) {
	p := newPayload(s.packed, "")
	for item := range items {
		if err := p.add(item); err != nil {
			return nil, fmt.Errorf("park: %w", err)
		}
	}
	if p.count == 0 {
		return nil, errNoItems
	}
	p.flush()
	return p, nil
}

// payload is the lines behind a header, packed in members of gzip as they come: what is held is the packed form.
type payload struct {
	packed   compress.Codec
	object   []byte // whole members
	chunk    []byte // lines that are in no member yet
	encoding string
	sum      hash.Hash // of all lines
	lines    int64     // bytes of all lines
	count    int
	bytes    int64 // of all items
}

const chunkBytes = 1 << 20 // plain bytes of a member: more pack hardly better

func newPayload(packed compress.Codec, encoding string) *payload {
	return &payload{packed: packed, encoding: encoding, sum: sha256.New()}
}

func (p *payload) add(item []byte) error {
	if p.encoding == "" && !isLine(item) {
		if err := p.restart(); err != nil {
			return err
		}
	}
	p.count++
	p.bytes += int64(len(item))
	before := len(p.chunk)
	if p.encoding == "" {
		p.chunk = append(p.chunk, item...)
	} else {
		p.chunk = append(p.chunk, '"')
		p.chunk = base64.StdEncoding.AppendEncode(p.chunk, item)
		p.chunk = append(p.chunk, '"')
	}
	p.chunk = append(p.chunk, '\n')
	p.sum.Write(p.chunk[before:])
	p.lines += int64(len(p.chunk) - before)
	if p.bytes > maxItemsBytes || p.lines > maxPlainBytes-maxHeaderBytes || p.count > maxItems {
		return fmt.Errorf("%d items have %d bytes, want at most %d and %d: park them in parts", p.count, p.bytes, maxItems, maxItemsBytes)
	}
	if len(p.chunk) >= chunkBytes {
		p.flush()
	}
	return nil
}

// flush ends a member.
func (p *payload) flush() {
	if len(p.chunk) > 0 {
		p.object = p.packed.Append(p.object, p.chunk)
		p.chunk = p.chunk[:0]
	}
}

// restart writes all lines anew, in base64. Items are handed out once, so they are taken from what is packed already.
func (p *payload) restart() error {
	var plain []byte
	if p.flush(); len(p.object) > 0 {
		var err error
		if plain, err = p.packed.Unpack(nil, p.object); err != nil {
			return fmt.Errorf("unpack what was packed just now: %w", err)
		}
	}
	*p = *newPayload(p.packed, encodingBase64)
	for line := range bytes.Lines(plain) {
		if err := p.add(line[:len(line)-1]); err != nil {
			return err
		}
	}
	return nil
}

// describe fills in what the header says of its lines.
func (p *payload) describe(h *Header) {
	h.Count, h.Bytes, h.Encoding, h.PayloadSHA256 = p.count, p.bytes, p.encoding, hex.EncodeToString(p.sum.Sum(nil))
}

// isLine reports whether an item is JSON that can stand in a line.
func isLine(item []byte) bool {
	return bytes.IndexByte(item, '\n') < 0 && utf8.Valid(item) && json.Valid(item)
}
