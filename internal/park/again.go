package park

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Next is what becomes of a parked object that was tried again.
type Next struct {
	State     State     // Pending or Dead
	NotBefore time.Time // of what is Pending; cut to whole seconds
	Reason    Reason    // of this failure
	At        time.Time // of this failure
	Items     [][]byte  // those that it is about; nil: all of them
	Records   *Range    // what is left of a pointer; nil: all of it
	RequestID string    // empty: as before
}

// Again parks an object that was read, or a part of it, for another attempt or for a person. It returns the key of the
// object that is now durable. The old one stays where it is: the caller deletes it, once all parts of it are durable.
func (s *Shelf) Again(ctx context.Context, o *Object, n Next) (key string, err error) {
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
	if h.Kind == KindPointer {
		return s.pointAgain(ctx, &h, &n)
	}
	items := o.Items
	if n.Items != nil {
		items = n.Items
	}
	if n.Records != nil {
		return "", errors.New("park again: these are items, which have no records to point at")
	}
	lines, err := s.store.pack(slices.Values(items))
	if err != nil {
		return "", err
	}
	lines.describe(&h)
	if h.PayloadSHA256 != o.Header.PayloadSHA256 {
		h.name(true)
	}
	return s.store.put(ctx, n.State, &h, lines.object)
}

func (s *Shelf) pointAgain(ctx context.Context, h *Header, n *Next) (string, error) {
	if n.Items != nil {
		return "", errors.New("park again: this is a pointer, which has no items")
	}
	if n.Records != nil && len(h.Sources) == 1 {
		source := h.Sources[0].cleaned(KindPointer)
		source.Records = n.Records.clone()
		h.Sources = []Source{source}
		h.BatchID = (&Pointer{Destination: h.Dest, Source: source, ConfigSHA: h.ConfigSHA}).id()
		h.IdempotencyKey = h.BatchID
	} else if n.Records != nil {
		return "", fmt.Errorf("park again: the pointer names %d objects, want 1", len(h.Sources))
	}
	return s.store.put(ctx, n.State, h, nil)
}
