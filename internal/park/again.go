package park

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Next is what becomes of parked items that were tried again.
type Next struct {
	State     State     // Pending or Dead
	NotBefore time.Time // of what is Pending; cut to whole seconds
	Reason    Reason    // of this failure
	At        time.Time // of this failure
	Items     [][]byte  // those that it is about; nil: all of them
	Part      string    // tells these items from others of the object with the same bytes; may be empty
	RequestID string    // empty: as before
}

// Again parks the items of an object that was read, or some of them, for another attempt or for a person. It returns the key of the
// object that is now durable. The old one stays where it is: the caller deletes it, once all parts of it are durable.
func (s *Shelf) Again(ctx context.Context, o *Object, n Next) (key string, err error) {
	if o.Header.Kind != KindItems {
		return "", fmt.Errorf("park again: it is of the kind %.40q, want %q", o.Header.Kind, KindItems)
	}
	h := o.Header
	h.Attempt++
	h.Reason, h.LastFailedAt, h.NotBefore = n.Reason, stamp(n.At), 0
	switch n.State {
	case Pending:
		h.NotBefore = n.NotBefore.Unix()
	default:
		h.Attempt = min(h.Attempt, maxAttempt) // the end of it, whatever the number is
	}
	if n.RequestID != "" {
		h.RequestID = n.RequestID
	}
	h.tidy()
	items := o.Items
	if n.Items != nil {
		items = n.Items
	}
	lines, err := s.store.pack(slices.Values(items))
	if err != nil {
		return "", err
	}
	lines.describe(&h)
	if h.PayloadSHA256 != o.Header.PayloadSHA256 {
		h.name(true, n.Part)
	}
	return s.store.put(ctx, n.State, &h, lines.object)
}
