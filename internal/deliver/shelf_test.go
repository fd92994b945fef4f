package deliver_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"sluice/internal/deliver"
)

// shelf is a parker that keeps everything, unless a test makes it do otherwise.
type shelf struct {
	// fault comes before each parking; n counts them from 0. An error or a panic leaves nothing on the shelf.
	fault func(ctx context.Context, n int, g *deliver.GivenUp) error

	mu       sync.Mutex
	asked    int
	parked   []parked
	inFlight int
	most     int // parkings at a time, at most
}

// parked is what lies on the shelf.
type parked struct {
	Batch     string
	Parts     []string
	Items     []int
	Reason    string
	Status    int
	Permanent bool
	Wait      time.Duration
	Cause     string
}

func (s *shelf) Park(ctx context.Context, g *deliver.GivenUp) error {
	n := s.begin()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.inFlight--
	}()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.fault != nil {
		if err := s.fault(ctx, n, g); err != nil {
			return err
		}
	}
	p := parked{Batch: g.Batch.ID, Reason: g.Reason, Status: g.Status, Permanent: g.Permanent, Wait: g.Wait}
	if g.Cause != nil {
		p.Cause = g.Cause.Error()
	}
	for _, part := range g.Parts {
		p.Parts = append(p.Parts, part.ID)
		items, err := part.Items()
		if err != nil {
			return err
		}
		for item := range items {
			of, err := numbers(slices.Concat([]byte("["), item, []byte("]")))
			if err != nil {
				return err
			}
			p.Items = append(p.Items, of...)
		}
	}
	if g.Count() != len(p.Items) {
		return fmt.Errorf("%d items, and a count of %d", len(p.Items), g.Count())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parked = append(s.parked, p)
	return nil
}

func (s *shelf) begin() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight++
	s.most = max(s.most, s.inFlight)
	s.asked++
	return s.asked - 1
}

// objects are what has been parked so far, in the order of their batches' items.
func (s *shelf) objects() []parked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedStableFunc(slices.Values(s.parked), func(a, b parked) int { return slices.Compare(a.Items, b.Items) })
}

// items are those of all objects, in order.
func (s *shelf) items() []int {
	var all []int
	for _, p := range s.objects() {
		all = append(all, p.Items...)
	}
	slices.Sort(all)
	return all
}

// pause waits as long as it may.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
