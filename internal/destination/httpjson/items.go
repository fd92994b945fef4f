package httpjson

import "sluice/internal/record"

// Items writes records as the items of a destination with the usual names, for whoever sends them otherwise. It is not
// safe for concurrent use.
type Items struct{ encoder encoder }

// NewItems returns a writer of items. What their lines say comes from attributes, as that of [Options] does; nil writes
// none. An item that would have more than maxBytes bytes with it goes without.
func NewItems(attributes func(dst []byte, r *record.Record) (out []byte, ok bool), maxBytes int) *Items {
	usual, _ := keysOf(nil) // nothing is renamed, so nothing can be wrong
	items := &Items{encoder: newEncoder(usual)}
	items.encoder.attributes, items.encoder.maxBytes = attributes, maxBytes
	return items
}

// Append appends the record as a JSON object on one line.
func (i *Items) Append(dst []byte, r *record.Record) []byte { return i.encoder.append(dst, r) }
