package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"strconv"
)

// Rebuild cuts items that were encoded earlier into batches that the destination takes now, and emits them in order. Each
// item is copied before the next is asked for. One batch keeps id; several get id with a suffix that is made of their items,
// so that the same items under the same limits get the same ids. All of them belong to unit 0 and have no [Span].
//
// An item that is larger than the destination takes becomes a batch of its own that is not to be sent (see
// [Batch.Oversized]): it was cut to what the destination took when it was encoded, and cannot be cut again. Epoch and
// Oversize of the options do not count.
func Rebuild(o Options, id string, items iter.Seq[[]byte], emit func(*Batch)) {
	r := &rebuilder{b: NewBuilder(o), id: id, emit: emit, seen: make(map[string]int)}
	r.b.Start(nil)
	for item := range items {
		r.add(item)
	}
	r.flush()
	r.finish()
}

// rebuilder is a builder whose items come encoded.
type rebuilder struct {
	b    *Builder
	id   string
	emit func(*Batch)

	held     *Batch // the first batch, whose id depends on whether another follows
	heldName string // its id if one does
	cut      int    // batches so far
	seen     map[string]int
}

func (r *rebuilder) add(item []byte) {
	b := r.b
	oversized := len(item) > b.recordLimit()
	bytes := len(b.body) + len(b.frame.Separator) + len(item) + len(b.frame.Close)
	if oversized || len(b.ends) >= b.limits.Records || bytes > b.limits.BodyBytes {
		r.flush()
	}
	if len(b.ends) > 0 {
		b.body = append(b.body, b.frame.Separator...)
	} else {
		b.units = append(b.units, run{})
	}
	b.body = append(b.body, item...)
	b.ends = append(b.ends, uint32(len(b.body)))
	if oversized {
		b.oversized = true
		r.flush()
	}
}

// flush cuts a batch of what has been added, if anything.
func (r *rebuilder) flush() {
	if len(r.b.ends) == 0 {
		return
	}
	name := r.nameOf(r.b.body)
	batch := r.b.pack(nil)
	batch.ID = r.id
	r.cut++
	if r.cut == 1 {
		r.held, r.heldName = batch, name
		return
	}
	if r.cut == 2 {
		r.held.ID = r.heldName
		r.finish()
	}
	batch.ID = name
	r.emit(batch)
}

// nameOf names one of several batches by what is in it: the halves that the batch was once split into had ids too, and
// other items.
func (r *rebuilder) nameOf(body []byte) string {
	sum := sha256.Sum256(body)
	const length = 4
	name := r.id + ".r" + hex.EncodeToString(sum[:length])
	r.seen[name]++
	if n := r.seen[name]; n > 1 { // the same items once more
		name += "." + strconv.Itoa(n)
	}
	return name
}

// finish emits the batch that was held back, if there is one.
func (r *rebuilder) finish() {
	if r.held != nil {
		r.emit(r.held)
		r.held = nil
	}
}
