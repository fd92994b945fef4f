package deliver

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func half() float64 { return 0.5 } // in the middle of the spread

// openBreaker returns one that has just opened for 10 s.
func openBreaker() *breaker {
	b := &breaker{jitter: half}
	b.trip()
	return b
}

// failing makes n requests one after the other that fail after a second each.
func failing(b *breaker, n int) {
	for range n {
		sentAt := time.Now()
		time.Sleep(time.Second)
		b.fail(sentAt)
	}
}

func TestBreakerOpensAfterFiveInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &breaker{jitter: half}
		failing(b, 4)
		require.True(t, b.allow())
		b.succeed()
		failing(b, 4)
		require.True(t, b.allow(), "what succeeded in between starts the row anew")
		failing(b, 1)
		require.False(t, b.allow())
	})
}

// Eight requests that were on their way together met one fault.
func TestBreakerCountsWaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &breaker{jitter: half}
		for wave := 1; wave <= 5; wave++ {
			require.True(t, b.allow(), "wave %d", wave)
			sentAt := time.Now()
			for range 8 {
				time.Sleep(time.Millisecond)
				b.fail(sentAt)
			}
		}
		require.False(t, b.allow())
	})
}

func TestBreakerIsOpenTwiceAsLongEachTime(t *testing.T) {
	for name, tc := range map[string]struct {
		jitter float64
		want   []int // seconds
	}{
		"in the middle": {0.5, []int{10, 20, 40, 80, 160, 300, 300}},
		"shortest":      {0, []int{8, 16, 32, 64, 128, 240, 240}},
		"longest":       {1, []int{12, 24, 48, 96, 192, 360, 360}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &breaker{jitter: func() float64 { return tc.jitter }}
				failing(b, 5)
				for _, seconds := range tc.want {
					time.Sleep(time.Duration(seconds)*time.Second - time.Nanosecond)
					require.False(t, b.allow(), "before %d s are over", seconds)
					time.Sleep(time.Nanosecond)
					require.True(t, b.allow(), "after %d s", seconds)
					b.fail(time.Now())
				}
				time.Sleep(time.Hour)
				require.True(t, b.allow())
				b.succeed()
				failing(b, 5)
				time.Sleep(time.Duration(tc.want[0]) * time.Second)
				require.True(t, b.allow(), "a success starts from 10 s again")
			})
		})
	}
}

func TestBreakerLetsOneProbeThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := openBreaker()
		time.Sleep(time.Minute)
		require.True(t, b.allow())
		for range 3 {
			require.False(t, b.allow())
		}
		b.succeed()
		require.True(t, b.allow())
		require.True(t, b.allow())
	})
}

// A probe that says neither yes nor no must not keep the next one away for ever.
func TestBreakerProbeWithoutResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := openBreaker()
		time.Sleep(time.Minute)
		require.True(t, b.allow())
		b.abandon(time.Now())
		require.True(t, b.allow())
		require.False(t, b.allow())
	})
}

func TestBreakerTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := openBreaker()
		time.Sleep(5 * time.Second)
		b.trip() // by a request that was on its way
		time.Sleep(5 * time.Second)
		require.True(t, b.allow(), "tripping an open breaker does not keep it open longer")

		b.abandon(time.Now())
		b.trip() // the credentials were read anew, and refused again
		time.Sleep(20*time.Second - time.Nanosecond)
		require.False(t, b.allow())
		time.Sleep(time.Nanosecond)
		require.True(t, b.allow())
	})
}

// A hint keeps a breaker open, and what is known already is not forgotten for it.
func TestBreakerHeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &breaker{jitter: half}
		b.heed(time.Now())
		require.True(t, b.closed(), "a hint that is over")
		b.heed(time.Now().Add(time.Minute))
		require.False(t, b.closed())
		require.True(t, b.refuses())
		_, told := b.opening()
		require.False(t, told, "others know already")
		b.heed(time.Now().Add(30 * time.Second))
		time.Sleep(time.Minute - time.Nanosecond)
		require.False(t, b.allow(), "a shorter one does not open it earlier")
		time.Sleep(time.Nanosecond)
		require.False(t, b.refuses())
		require.True(t, b.allow())
		require.True(t, b.refuses(), "one probe")
		b.fail(time.Now())
		until, told := b.opening()
		require.True(t, told)
		require.Equal(t, 20*time.Second, time.Until(until), "the probe failed: longer than at first")

		b.heed(time.Now().Add(time.Minute))
		b.succeed()
		require.True(t, b.allow(), "a request on its way was well")
	})
}

func TestBreakerReportsAnOpeningOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := func(b *breaker) bool {
			_, opened := b.opening()
			return opened
		}
		b := &breaker{jitter: half}
		require.False(t, opened(b))
		failing(b, 4)
		require.False(t, opened(b))
		failing(b, 1)
		require.True(t, opened(b))
		require.False(t, opened(b))
		b.trip()
		b.hold(20 * time.Second)
		require.False(t, opened(b), "it was open")
		time.Sleep(20 * time.Second)
		b.hold(time.Minute)
		require.True(t, opened(b))
		require.Equal(t, time.Minute, b.wait())
		time.Sleep(time.Minute)
		require.Zero(t, b.wait())
		b.trip()
		b.succeed()
		require.False(t, opened(b), "it is closed again")
	})
}

// What comes back of requests that were sent before the breaker opened says nothing about the probe.
func TestBreakerLateAnswers(t *testing.T) {
	for name, late := range map[string]func(b *breaker, sentAt time.Time){
		"failure":   (*breaker).fail,
		"no result": (*breaker).abandon,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sentAt := time.Now()
				time.Sleep(time.Second)
				b := openBreaker()
				time.Sleep(11 * time.Second)
				require.True(t, b.allow())
				late(b, sentAt)
				require.False(t, b.allow(), "there is a probe already")

				b.fail(time.Now()) // the probe
				time.Sleep(20*time.Second - time.Nanosecond)
				require.False(t, b.allow())
				time.Sleep(time.Nanosecond)
				require.True(t, b.allow(), "doubled once")
			})
		})
	}
}

func TestBackoff(t *testing.T) {
	for _, tc := range []struct {
		attempt int
		most    time.Duration
	}{
		{1, 250 * time.Millisecond},
		{2, 500 * time.Millisecond},
		{3, time.Second},
		{4, 2 * time.Second},
		{5, 4 * time.Second},
		{6, 5 * time.Second},
		{20, 5 * time.Second},
	} {
		for _, jitter := range []float64{0, 0.25, 1} {
			s := &Sender{o: Options{Jitter: func() float64 { return jitter }}}
			assert.Equal(t, time.Duration(jitter*float64(tc.most)), s.backoff(tc.attempt), "after attempt %d", tc.attempt)
		}
	}
}

func TestTokens(t *testing.T) {
	taken := func(tokens *tokens) (n int) {
		for tokens.take() {
			n++
		}
		return n
	}
	tokens := &tokens{left: retryTokensAtStart}
	assert.Equal(t, 10, taken(tokens))
	for range 50 {
		tokens.earn()
	}
	assert.InDelta(t, 10, taken(tokens), 1, "one for five first attempts")
	for range 10_000 {
		tokens.earn()
	}
	assert.Equal(t, 100, taken(tokens), "a long quiet time saves no more")
}

func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &window{limit: windowAtStart, most: 8}
		rounds := 0
		for ; w.size() < 8; rounds++ {
			for range w.size() {
				w.grow()
			}
		}
		assert.Equal(t, 6, rounds, "one more after each round")
		for range 100 {
			w.grow()
		}
		require.Equal(t, 8, w.size())

		sentAt := time.Now()
		for range 8 {
			time.Sleep(time.Millisecond)
			w.shrink(sentAt)
		}
		require.Equal(t, 4, w.size(), "once for all that were on their way")
		for range 3 {
			w.grow()
		}
		for _, want := range []int{2, 1, 1} {
			w.shrink(time.Now())
			time.Sleep(time.Millisecond)
			require.Equal(t, want, w.size())
		}
		w.grow()
		require.Equal(t, 2, w.size())
	})
}
