package secret

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errDown = errors.New("store down")

// store is a Fetcher that answers after a second of the test's clock.
type store struct {
	mu    sync.Mutex
	text  string // an error when empty
	calls int
}

func (s *store) Fetch(ctx context.Context, _ Ref) (Value, error) {
	s.mu.Lock()
	s.calls++
	text := s.text
	s.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return Value{}, ctx.Err()
	}
	if text == "" {
		return Value{}, errDown
	}
	return NewValue(text), nil
}

func (s *store) set(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = text
}

func (s *store) called() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// stored returns a secret whose store holds "old".
func stored() (*store, *Secret) {
	from := &store{text: "old"}
	return from, New(Ref{kind: SecretsManager, locator: "k"}, from, 0)
}

func get(t *testing.T, s *Secret) string {
	t.Helper()
	value, err := s.Get(t.Context())
	require.NoError(t, err)
	return value.Reveal()
}

func TestGetReadsAgainAfterTheTimeToLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, s := stored()
		assert.Zero(t, from.called(), "nothing is read before it is needed")
		assert.Equal(t, "old", get(t, s))
		from.set("new")
		time.Sleep(DefaultTTL - time.Second)
		assert.Equal(t, "old", get(t, s))
		assert.Equal(t, 1, from.called())
		time.Sleep(time.Second)
		assert.Equal(t, "new", get(t, s))
		assert.Equal(t, 2, from.called())
	})
}

func TestGetKeepsTheOldValueWhileTheStoreIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, s := stored()
		get(t, s)
		from.set("")
		time.Sleep(DefaultTTL)
		assert.Equal(t, "old", get(t, s))
		assert.Equal(t, "old", get(t, s))
		assert.Equal(t, 2, from.called(), "a store that is down is left alone for a while")
		from.set("new")
		time.Sleep(staleHold)
		assert.Equal(t, "new", get(t, s))
	})
}

func TestGetRepeatsAFailureFromMemoryForSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, s := stored()
		from.set("")
		for range 3 {
			_, err := s.Get(t.Context())
			require.ErrorIs(t, err, errDown)
		}
		assert.Equal(t, 1, from.called())
		from.set("new")
		time.Sleep(failureHold)
		assert.Equal(t, "new", get(t, s))
	})
}

func TestGetIsOneReadingForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, s := stored()
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() { assert.Equal(t, "old", get(t, s)) })
		}
		group.Wait()
		assert.Equal(t, 1, from.called())
	})
}

func TestGetOfAnImpatientCallerDoesNotEndTheReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, s := stored()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := s.Get(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "secretsmanager:k")
		assert.Equal(t, "old", get(t, s))
		assert.Equal(t, 1, from.called())

		time.Sleep(DefaultTTL)
		value, err := s.Get(ctx)
		require.NoError(t, err, "an older value is as good as it was")
		assert.Equal(t, "old", value.Reveal())
		synctest.Wait()
		time.Sleep(time.Second)
	})
}

func TestReadingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Ref{kind: SecretsManager, locator: "k"}, hanging{}, 0)
		start := time.Now()
		_, err := s.Get(t.Context())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, fetchTimeout, time.Since(start))
	})
}

type hanging struct{}

func (hanging) Fetch(ctx context.Context, _ Ref) (Value, error) {
	<-ctx.Done()
	return Value{}, ctx.Err()
}

func TestPrefetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, s := stored()
		start := time.Now()
		s.Prefetch(t.Context())
		s.Prefetch(t.Context())
		assert.Zero(t, time.Since(start), "it does not wait")
		assert.Equal(t, "old", get(t, s))
		s.Prefetch(t.Context())
		synctest.Wait()
		assert.Equal(t, 1, from.called(), "what is known is not read")
	})
}

func TestRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, s := stored()
		get(t, s)
		changed, err := s.Refresh(t.Context())
		require.NoError(t, err)
		assert.False(t, changed, "the first value is no change")

		from.set("new")
		changed, err = s.Refresh(t.Context())
		require.NoError(t, err)
		assert.False(t, changed, "not again within a minute")
		assert.Equal(t, 2, from.called())

		time.Sleep(refreshInterval)
		changed, err = s.Refresh(t.Context())
		require.NoError(t, err)
		assert.True(t, changed)
		assert.Equal(t, "new", get(t, s))

		changed, err = s.Refresh(t.Context())
		require.NoError(t, err)
		assert.True(t, changed, "who was refused with the old value a little later learns of the new one")
		assert.Equal(t, 3, from.called())
	})
}

func TestRefreshKnowsThatTheTimeToLiveBroughtANewValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, s := stored()
		get(t, s)
		from.set("new")
		time.Sleep(DefaultTTL)
		assert.Equal(t, "new", get(t, s))
		changed, err := s.Refresh(t.Context())
		require.NoError(t, err)
		assert.True(t, changed)
		assert.Equal(t, 2, from.called())
	})
}

func TestRefreshIsOneReadingForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, s := stored()
		get(t, s)
		from.set("new")
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() {
				changed, err := s.Refresh(t.Context())
				assert.NoError(t, err)
				assert.True(t, changed)
			})
		}
		group.Wait()
		assert.Equal(t, 2, from.called())
	})
}

func TestRefreshThatFailsKeepsTheValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, s := stored()
		get(t, s)
		from.set("")
		for range 2 {
			changed, err := s.Refresh(t.Context())
			require.ErrorIs(t, err, errDown)
			assert.False(t, changed)
		}
		assert.Equal(t, 2, from.called())
		assert.Equal(t, "old", get(t, s))
	})
}

func TestRefreshOfAnImpatientCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := stored()
		get(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := s.Refresh(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		synctest.Wait()
		time.Sleep(time.Second)
	})
}
