package park

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// hint says that a destination's breaker is open somewhere, so that others need not find out for themselves.
// Format: delivery contract, 2.5.
type hint struct {
	Schema int       `json:"schema"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"`
}

func (h *hint) check() error {
	switch {
	case h.Schema != schema:
		return fmt.Errorf("schema is %d, want %d", h.Schema, schema)
	case h.Until.IsZero() || h.Until.UTC().Year() < 1970 || h.Until.UTC().Year() > 9999:
		return errors.New("until is no time after 1970")
	case len(h.Reason) > maxMessageBytes:
		return fmt.Errorf("reason has %d bytes, want at most %d", len(h.Reason), maxMessageBytes)
	}
	return checkTexts(h.Reason)
}

// PutHint tells everybody to leave a destination alone until a time. The first one wins: a hint that has not ended stays
// as it is.
func (s *Store) PutHint(ctx context.Context, dest string, until time.Time, reason string) error {
	key, err := s.hintKey(dest)
	if err != nil {
		return err
	}
	h := hint{Schema: schema, Until: stamp(until), Reason: presentable(reason)}
	if err := h.check(); err != nil {
		return fmt.Errorf("hint of a breaker: %w", err)
	}
	body, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("encode a hint of a breaker: %w", err)
	}
	w := &write{state: leased, key: key, contentType: jsonType, body: body, ifNoneMatch: true}
	_, err = s.client.PutObject(ctx, s.input(w))
	switch status := statusOf(err); {
	case err == nil, status == http.StatusConflict: // the latter: somebody else is at it
		return nil
	case status != http.StatusPreconditionFailed:
		return s.explain(marking, key, err)
	}
	return s.renewHint(ctx, w)
}

// renewHint puts a hint over one that has ended, or that cannot be read.
func (s *Store) renewHint(ctx context.Context, w *write) error {
	var before hint
	etag, err := s.mark(ctx, w.key, &before)
	switch {
	case isAbsent(err): // cleared just now: the destination is well, or whoever finds it ill again says so
		return nil
	case err != nil && !isUnsound(err):
		return err
	case err == nil && before.Until.After(s.now()):
		return nil
	}
	w.ifNoneMatch, w.ifMatch = false, etag
	_, err = s.client.PutObject(ctx, s.input(w))
	switch statusOf(err) {
	case http.StatusPreconditionFailed, http.StatusConflict, http.StatusNotFound: // somebody else was faster
		return nil
	}
	if err != nil {
		return s.explain(marking, w.key, err)
	}
	return nil
}

// Hint returns until when a destination is to be left alone, which may have passed; zero when nobody said so. A hint that
// may not be read or is no sound one is none.
func (s *Store) Hint(ctx context.Context, dest string) (until time.Time, err error) {
	key, err := s.hintKey(dest)
	if err != nil {
		return time.Time{}, err
	}
	var h hint
	_, err = s.mark(ctx, key, &h)
	switch {
	case isAbsent(err), isUnsound(err):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, err
	}
	return h.Until.UTC(), nil
}

func (s *Store) hintKey(dest string) (string, error) {
	if s.o.Bucket == "" {
		return "", errNoBucket
	}
	if !isMadeOf(dest, "-", maxIDBytes) {
		return "", fmt.Errorf("hint for the destination %.40q: want 1 to %d of a-z, 0-9 and -", dest, maxIDBytes)
	}
	return s.root + "breaker/" + dest + ".json", nil
}
