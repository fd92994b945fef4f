package park

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Lease is the right to see to a parked object, until a time. It is advice: a holder that is stopped for longer than its
// lease may find that another one has gone on, and what both send is delivered twice (delivery contract, 2.9, D3).
type Lease struct {
	shelf *Shelf
	key   string
	etag  string
	lost  int
}

// Lost is how many holders, one after the other, had the lease before and did not give it back: what it is about may have
// ended them.
func (l *Lease) Lost() int { return l.lost }

// leaseMark is a lease as it is stored.
type leaseMark struct {
	Schema int       `json:"schema"`
	Holder string    `json:"holder"` // another one for each lease
	Until  time.Time `json:"until"`
	Lost   int       `json:"lost,omitempty"` // holders before, one after the other, that did not give it back
}

// maxLost is as far as is counted.
const maxLost = 1000

func (m *leaseMark) check() error {
	switch {
	case m.Schema != schema:
		return fmt.Errorf("schema is %d, want %d", m.Schema, schema)
	case m.Holder == "" || m.Until.IsZero():
		return errors.New("holder and until are both needed")
	case m.Until.UTC().Year() < 1970 || m.Until.UTC().Year() > 9999:
		return fmt.Errorf("until is in the year %d", m.Until.UTC().Year())
	case m.Lost < 0 || m.Lost > maxLost:
		return fmt.Errorf("lost is %d, want 0 to %d", m.Lost, maxLost)
	}
	return checkTexts(m.Holder)
}

// Take takes the lease on an id, from now on for some time. It reports false when somebody else has it. One that has ended,
// or that cannot be read, is taken over.
func (s *Shelf) Take(ctx context.Context, id string, now time.Time, hold time.Duration) (*Lease, bool, error) {
	key, err := s.store.markKey("lease", id)
	if err != nil {
		return nil, false, err
	}
	mine := leaseMark{Schema: schema, Holder: rand.Text(), Until: stamp(now.Add(hold))}
	if err := mine.check(); err != nil {
		return nil, false, fmt.Errorf("lease on %s: %w", id, err)
	}
	w := &write{state: leased, key: key, contentType: jsonType, ifNoneMatch: true}
	for range 2 { // anew, and over one that has ended
		if w.body, err = json.Marshal(mine); err != nil {
			return nil, false, fmt.Errorf("encode a lease: %w", err)
		}
		out, err := s.client.PutObject(ctx, s.store.input(w))
		switch status := statusOf(err); {
		case err == nil:
			return &Lease{shelf: s, key: key, etag: aws.ToString(out.ETag), lost: mine.Lost}, true, nil
		case status == http.StatusConflict, w.ifMatch != "" && isGone(err):
			return nil, false, nil // somebody is taking or releasing it at this moment
		case status != http.StatusPreconditionFailed:
			return nil, false, s.store.explain(marking, key, err)
		}
		etag, ours, taken, err := s.holder(ctx, key, &mine, now)
		switch {
		case err != nil || taken:
			return nil, false, err
		case ours:
			return &Lease{shelf: s, key: key, etag: etag, lost: mine.Lost}, true, nil
		}
		w.ifNoneMatch, w.ifMatch = false, etag
	}
	return nil, false, nil
}

// holder finds out whose lease lies there. It is ours when S3 has stored it and its answer was lost, so that the client has
// asked again. One that has ended is counted in mine.
func (s *Shelf) holder(ctx context.Context, key string, mine *leaseMark, now time.Time) (etag string, ours, taken bool, err error) {
	var there leaseMark
	etag, err = s.store.mark(ctx, key, &there)
	switch {
	case isGone(err):
		return "", false, true, nil // released just now: its object may be gone
	case isUnsound(err):
		return etag, false, false, nil
	case err != nil:
		return "", false, false, err
	}
	ours = there.Holder == mine.Holder
	taken = !ours && there.Until.After(now)
	if !ours && !taken {
		mine.Lost = min(there.Lost+1, maxLost)
	}
	return etag, ours, taken, nil
}

// Release gives a lease back. One that has been taken over is left to its holder.
func (l *Lease) Release(ctx context.Context) error {
	err := l.shelf.remove(ctx, l.key, l.etag)
	if err != nil && statusOf(err) != http.StatusPreconditionFailed {
		return l.shelf.store.explain(deleting, l.key, err)
	}
	return nil
}
