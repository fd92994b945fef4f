package httpjson

import "sluice/internal/record"

// Items writes records as the items of a destination with the usual names, for whoever sends them otherwise. It is not
// safe for concurrent use.
type Items struct{ encoder encoder }

// NewItems returns a writer of items.
func NewItems() *Items {
	usual, _ := keysOf(nil) // nothing is renamed, so nothing can be wrong
	return &Items{encoder: newEncoder(usual)}
}

// Append appends the record as a JSON object on one line.
func (i *Items) Append(dst []byte, r *record.Record) []byte { return i.encoder.append(dst, r) }
