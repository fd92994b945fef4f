package tags

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInvocationEndsBeforeTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 1)
		aws.latency = 300 * time.Millisecond
		c := newCache(Options{AWS: aws, Wait: -1})
		invoke := func() (took time.Duration, s Status) {
			c.Begin(t.Context(), own)
			_, s = look(t, c, Function, arns[0])
			settle(time.Millisecond)
			took = stopwatch(c.End)
			settle(10 * time.Second) // frozen
			return took, s
		}
		took, s := invoke()
		assert.Equal(t, Pending, s)
		assert.Equal(t, 100*time.Millisecond, took)
		assert.Equal(t, 1, c.TakeCounts().Failures, "it is asked less often")
		require.ErrorIs(t, c.Trouble(), errCutOff)
		took, s = invoke()
		assert.Equal(t, Failed, s)
		assert.Equal(t, 200*time.Millisecond, took)
		took, _ = invoke()
		assert.Equal(t, 299*time.Millisecond, took, "it is waited for longer in the end")
		took, s = invoke()
		assert.Equal(t, Fresh, s)
		assert.Zero(t, took)

		aws.set(func() { aws.latency = time.Hour })
		var graces []time.Duration
		var waited time.Duration
		for range 360 { // an hour
			if took, _ = invoke(); took > 0 {
				graces = append(graces, took)
				waited += took
			}
		}
		require.Greater(t, len(graces), 4)
		assert.Equal(t, []time.Duration{100e6, 200e6, 400e6, 500e6, 500e6}, graces[:5], "in ns")
		assert.Less(t, waited, 20*time.Second)
	})
}

// TestNothingIsAskedBetweenInvocations: the container is frozen then.
func TestNothingIsAskedBetweenInvocations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(LogGroup, 100)
		c := newCache(Options{AWS: aws, Wait: -1})
		c.Begin(t.Context(), own)
		for _, arn := range arns {
			look(t, c, LogGroup, arn)
		}
		settle(aws.latency * 3 / 2)
		took := stopwatch(c.End)
		assert.Equal(t, aws.latency/2, took, "the call on its way is waited for")
		settle(time.Minute)
		assert.Len(t, aws.made(), 2)
		c.End()

		c.Begin(t.Context(), own)
		settle(time.Minute)
		c.End()
		assert.Len(t, aws.made(), 100, "what was missed is asked for in the next one, without being looked up again")

		look(t, c, LogGroup, own.ARN(LogGroup, "between"))
		settle(time.Minute)
		assert.Len(t, aws.made(), 100)
	})
}

// TestInvocationHasNoTimeLeft: its context ends what goes on.
func TestInvocationHasNoTimeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 2)
		aws.latency = time.Hour
		c := newCache(Options{AWS: aws})
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		c.Begin(ctx, own)
		took := stopwatch(func() { c.Lookup(t.Context(), Function, arns[0]) })
		assert.Equal(t, 200*time.Millisecond, took)
		look(t, c, Function, arns[1])
		assert.Zero(t, stopwatch(c.End))
		assert.Len(t, aws.made(), 1)
	})
}

// TestInvocationAfterADeafOne: a call that does not end with its invocation does not disturb the next one.
func TestInvocationAfterADeafOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 2)
		aws.latency, aws.deaf = 10*time.Second, true
		c := newCache(Options{AWS: aws, Wait: -1})
		c.Begin(t.Context(), own)
		look(t, c, Function, arns[0])
		settle(time.Second)
		assert.Equal(t, 100*time.Millisecond, stopwatch(c.End))
		c.Begin(t.Context(), own)
		look(t, c, Function, arns[1])
		settle(30 * time.Second)
		for _, arn := range arns {
			_, s := look(t, c, Function, arn)
			assert.Equal(t, Fresh, s)
		}
		c.End()
		assert.Equal(t, 1, aws.most)
	})
}

// TestManyAtATime is for the race detector.
func TestManyAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 300)
		c := newCache(Options{AWS: aws, Store: &shelf{}, TTL: time.Second})
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for n := range 400 {
					tags, s := c.Lookup(t.Context(), Function, arns[(i*37+n*7)%len(arns)])
					c.CountUntagged(s, 1)
					_ = append(tags, tags...)
					_, _ = c.Trouble(), c.TakeCounts()
					settle(25 * time.Millisecond)
				}
			})
		}
		for range 30 {
			c.Begin(t.Context(), own)
			settle(300 * time.Millisecond)
			c.End()
		}
		all.Wait()
		assert.Equal(t, 1, aws.most)
	})
}
