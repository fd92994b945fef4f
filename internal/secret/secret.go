// Package secret turns a reference to a secret (Secrets Manager, Parameter Store, KMS, an environment variable, or the
// text itself) into a Value that cannot be printed.
//
// It promises that no secret leaves through formatting, encoding, logging or an error; that a key which was rotated is
// picked up, after a time to live or when an intake refuses the old one; and that a store which does not answer is asked
// seldom while an older value is known, which stays in use. A Get that finds the value expired may wait for the store, 8 s
// at most. It does not judge what a secret is good for, and never writes one anywhere.
package secret

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// DefaultTTL is how long a value is used before it is read again (delivery contract, threat S1).
	DefaultTTL = 5 * time.Minute

	// refreshInterval is the least time between two readings that a 401 or 403 asked for (delivery contract, S1).
	refreshInterval = time.Minute

	// staleHold is how long an older value is used after its store did not answer, before the store is asked again.
	staleHold = time.Minute

	// failureHold is how long a failure is repeated from memory when there is no value at all: a burst of batches is
	// one call, and a mended permission is seen soon.
	failureHold = 5 * time.Second

	// fetchTimeout bounds one reading, attempts of the AWS client included. Lambda gives initialisation 10 s.
	fetchTimeout = 8 * time.Second
)

// Fetcher reads the present value of what a reference names. An error names the reference and never the value; a value
// without an error is not empty.
type Fetcher interface {
	Fetch(ctx context.Context, ref Ref) (Value, error)
}

// Secret is a value that is read when it is first needed, kept for a time, and read again. Its methods may be called
// concurrently; at most one reading is under way at a time.
//
// Times are those of the wall clock, because the monotonic clock may stand still while Lambda has frozen the process.
type Secret struct {
	ref     Ref
	fetcher Fetcher
	ttl     time.Duration

	mu          sync.Mutex
	value       Value
	err         error     // of the last reading
	due         time.Time // Get reads again from then on
	refreshedAt time.Time // when Refresh last started a reading
	changedAt   time.Time // when a reading last replaced one value by another
	flight      *flight   // the reading under way; nil when there is none
}

// flight is one reading, shared by everyone who waits for it. The fields are set before done is closed.
type flight struct {
	done    chan struct{}
	changed bool
	err     error
}

// New returns the secret that ref names. Nothing is read yet. A ttl of 0 means DefaultTTL.
func New(ref Ref, fetcher Fetcher, ttl time.Duration) *Secret {
	if ttl <= 0 {
		ttl = DefaultTTL
	}
	return &Secret{ref: ref, fetcher: fetcher, ttl: ttl}
}

// Ref returns what the secret was made from.
func (s *Secret) Ref() Ref { return s.ref }

// Get returns the value. After the time to live it is read again; when that fails, or ctx ends first, the older value is
// returned without an error. An error therefore means that there has never been a value.
func (s *Secret) Get(ctx context.Context) (Value, error) {
	s.mu.Lock()
	if wallClock().Before(s.due) {
		defer s.mu.Unlock()
		return s.known()
	}
	f := s.join(ctx)
	s.mu.Unlock()

	waitErr := f.wait(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if waitErr != nil && s.value.IsEmpty() {
		return Value{}, fmt.Errorf("wait for %s: %w", s.ref, waitErr)
	}
	return s.known()
}

// Refresh reads the value again because an intake refused it, and reports whether there is now another one to try. It
// reads at most once a minute; a caller within that minute gets what that reading found, so that everyone who was refused
// with the old value learns of the new one.
func (s *Secret) Refresh(ctx context.Context) (changed bool, err error) {
	s.mu.Lock()
	f := s.flight
	if f == nil {
		now := wallClock()
		if now.Sub(s.changedAt) < refreshInterval {
			s.mu.Unlock()
			return true, nil
		}
		if now.Sub(s.refreshedAt) < refreshInterval {
			defer s.mu.Unlock()
			return false, s.err
		}
		s.refreshedAt = now
		f = s.join(ctx)
	}
	s.mu.Unlock()

	if err := f.wait(ctx); err != nil {
		return false, fmt.Errorf("wait for %s: %w", s.ref, err)
	}
	return f.changed, f.err
}

// Prefetch starts to read the value, unless it is known, and returns at once. A Get that follows waits for that reading.
func (s *Secret) Prefetch(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !wallClock().Before(s.due) {
		s.join(ctx)
	}
}

// known is what the last readings left. The caller holds mu.
func (s *Secret) known() (Value, error) {
	if s.value.IsEmpty() {
		return Value{}, s.err
	}
	return s.value, nil
}

// join returns the reading under way, or starts one. The caller holds mu. The reading outlives ctx, because others may
// wait for it too; its own end is fetchTimeout.
func (s *Secret) join(ctx context.Context) *flight {
	if s.flight != nil {
		return s.flight
	}
	f := &flight{done: make(chan struct{})}
	s.flight = f
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		value, err := s.fetcher.Fetch(ctx, s.ref)
		s.land(f, value, err)
	}()
	return f
}

// land records what a reading found and wakes those who wait for it.
func (s *Secret) land(f *flight, value Value, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, had := wallClock(), !s.value.IsEmpty()
	s.err, f.err = err, err
	switch {
	case err != nil && had:
		s.due = now.Add(staleHold)
	case err != nil:
		s.due = now.Add(failureHold)
	default:
		f.changed = had && !value.Equal(s.value)
		s.value, s.due = value, now.Add(s.ttl)
	}
	if f.changed {
		s.changedAt = now
	}
	s.flight = nil
	close(f.done)
}

func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func wallClock() time.Time { return time.Now().Round(0) }
