package tags

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/awsenv"
)

var (
	throttled = &awsenv.APIError{Status: http.StatusBadRequest, Code: "ThrottledException", Message: "Rate exceeded"}
	denied    = &awsenv.APIError{Status: http.StatusBadRequest, Code: "AccessDeniedException", Message: "not authorized"}
	invalid   = &awsenv.APIError{Status: http.StatusBadRequest, Code: "InvalidParameterException", Message: "no resource"}
	broken    = &awsenv.APIError{Status: http.StatusInternalServerError, Code: "InternalServiceException"}
)

func always(err error) func(string, []string) error {
	return func(string, []string) error { return err }
}

func TestLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		group, function := own.ARN(LogGroup, "/aws/lambda/F"), own.ARN(Function, "F")
		bucket, machine := own.ARN(Bucket, "example"), own.ARN(StateMachine, "m")
		aws := &fakeAWS{latency: 50 * time.Millisecond, tags: map[string]map[string]string{
			group:    {"Team": "A B", "empty": ""},
			function: {"aws:cloudformation:stack-name": "s", "env": "prod", "1": "x"},
			bucket:   {"owner": "o"},
		}}
		c := newCache(Options{AWS: aws})
		c.Begin(t.Context(), own)
		for name, tc := range map[string]struct {
			kind Kind
			arn  string
			want string
		}{
			"log group":                    {LogGroup, group + ":*", "empty,team:a_b"},
			"function":                     {Function, function + ":$LATEST", "aws_cloudformation_stack-name:s,env:prod"},
			"bucket":                       {Bucket, bucket, "owner:o"},
			"state machine without tags":   {StateMachine, machine, ""},
			"function that does not exist": {Function, own.ARN(Function, "gone"), ""},
		} {
			tags, s, took := hear(t, c, tc.kind, tc.arn)
			assert.Equal(t, Fresh, s, name)
			assert.Equal(t, tc.want, tags, name)
			assert.Equal(t, aws.latency, took, name)
			tags, s = look(t, c, tc.kind, tc.arn)
			assert.Equal(t, Fresh, s, name)
			assert.Equal(t, tc.want, tags, name)
		}
		for _, call := range aws.made() {
			assert.Equal(t, "eu-west-1", call.region)
		}
		c.End()
		assert.Len(t, aws.made(), 5)
		assert.Equal(t, Counts{Lookups: [6]int{Fresh: 10}, Calls: 5}, c.TakeCounts())
		assert.Zero(t, c.TakeCounts())
	})
}

func TestLookupOfWhatCannotBeAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		aws := &fakeAWS{}
		c := newCache(Options{AWS: aws, Kinds: []Kind{LogGroup, 200}})
		look := func(kind Kind, arn string) Status {
			tags, s := look(t, c, kind, arn)
			assert.Empty(t, tags)
			return s
		}
		group := own.ARN(LogGroup, "g")
		assert.Equal(t, Foreign, look(LogGroup, group), "the account is not known yet")
		c.Begin(t.Context(), own)
		assert.Equal(t, Off, look(Function, own.ARN(Function, "f")))
		assert.Equal(t, Off, look(200, "x"))
		assert.Equal(t, Foreign, look(LogGroup, strings.Replace(group, "123456789012", "111122223333", 1)))
		assert.Equal(t, Foreign, look(LogGroup, "g"))
		assert.Equal(t, Foreign, look(LogGroup, own.ARN(Function, "f")))
		settle(time.Minute)
		c.End()
		assert.Empty(t, aws.made())

		c.Begin(t.Context(), Account{ID: "x"})
		assert.Equal(t, Foreign, look(LogGroup, group))
		c.End()
		assert.Equal(t, Off, func() Status { _, s := New(Options{}).Lookup(t.Context(), Bucket, ""); return s }())
	})
}

func TestColdWait(t *testing.T) {
	for name, tc := range map[string]struct {
		wait, latency, ctx time.Duration
		refuse             error
		took               time.Duration
		want               Status
	}{
		"AWS is well":                  {latency: 80 * time.Millisecond, took: 80 * time.Millisecond, want: Fresh},
		"AWS is slow":                  {latency: 2 * time.Second, took: 500 * time.Millisecond, want: Pending},
		"AWS never answers":            {latency: time.Hour, took: 500 * time.Millisecond, want: Pending},
		"a shorter wait":               {wait: 100 * time.Millisecond, latency: 2 * time.Second, took: 100 * time.Millisecond, want: Pending},
		"no longer one":                {wait: time.Minute, latency: 2 * time.Second, took: 500 * time.Millisecond, want: Pending},
		"none":                         {wait: -1, latency: time.Millisecond, want: Pending},
		"AWS is throttled":             {latency: 80 * time.Millisecond, refuse: throttled, took: 80 * time.Millisecond, want: Failed},
		"the caller has no time":       {latency: 2 * time.Second, ctx: 50 * time.Millisecond, took: 50 * time.Millisecond, want: Pending},
		"the caller has none any more": {latency: 2 * time.Second, ctx: -1, want: Pending},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				arns, aws := fleet(Function, 3)
				aws.latency, aws.refuse = tc.latency, always(tc.refuse)
				c := newCache(Options{AWS: aws, Wait: tc.wait})
				c.Begin(t.Context(), own)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				if tc.ctx != 0 {
					ctx, cancel = context.WithTimeout(t.Context(), tc.ctx)
				}
				defer cancel()
				start := time.Now()
				_, s := c.Lookup(ctx, Function, arns[0])
				assert.Equal(t, tc.want, s)
				assert.Equal(t, tc.took, time.Since(start))

				settle(500 * time.Millisecond)
				_, s = look(t, c, Function, arns[1])
				assert.NotEqual(t, Fresh, s, "another one does not wait any more")
				c.End()
			})
		})
	}
}

// TestColdWaitIsOne: many lookups at a time wait for as long as one.
func TestColdWaitIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(LogGroup, 30)
		aws.latency = 200 * time.Millisecond
		c := newCache(Options{AWS: aws})
		c.Begin(t.Context(), own)
		took := stopwatch(func() {
			for _, arn := range arns {
				c.Lookup(t.Context(), LogGroup, arn)
			}
		})
		assert.Equal(t, 500*time.Millisecond, took)
		c.End()

		c = newCache(Options{AWS: aws})
		c.Begin(t.Context(), own)
		var all sync.WaitGroup
		took = stopwatch(func() {
			for _, arn := range arns {
				all.Go(func() { c.Lookup(t.Context(), LogGroup, arn) })
			}
			all.Wait()
		})
		assert.Equal(t, 500*time.Millisecond, took)
		c.End()
	})
}

// TestColdWaitEnds: it does not go on in the next invocation, nor without one.
func TestColdWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 3)
		aws.latency = time.Second
		c := newCache(Options{AWS: aws})
		c.own = own
		_, s := look(t, c, Function, arns[0])
		assert.Equal(t, Pending, s, "there is no invocation")

		c.Begin(t.Context(), own)
		time.AfterFunc(100*time.Millisecond, c.End)
		_, s, took := hear(t, c, Function, arns[0])
		assert.Equal(t, Pending, s)
		assert.Equal(t, 100*time.Millisecond, took)
		settle(time.Millisecond)
		c.keepers[Function].circuit.succeed()
		c.Begin(t.Context(), own)
		_, s = look(t, c, Function, arns[1])
		assert.Equal(t, Pending, s)
		c.End()
	})
}

func TestOneCallForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 250)
		c := newCache(Options{AWS: aws, Wait: -1})
		c.Begin(t.Context(), own)
		for _, arn := range arns {
			_, s := look(t, c, Function, arn)
			assert.Equal(t, Pending, s)
		}
		settle(time.Second)
		for i, arn := range arns {
			tags, s := look(t, c, Function, arn)
			assert.Equal(t, Fresh, s)
			assert.Equal(t, textOf(cleaned([]string{Clean("Number", aws.tags[arn]["Number"]), "env:prod"})), tags, i)
		}
		c.End()
		assert.LessOrEqual(t, len(aws.made()), 4, "the first one may have been made before there were many")
		assert.Equal(t, 1, aws.most, "calls of a kind at a time")
	})
}

func TestTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Bucket, 1)
		c := newCache(Options{AWS: aws, TTL: time.Minute})
		c.jitter = func() float64 { return 0.5 }
		known(t, c, Bucket, arns)
		at := aws.made()[0].at.Add(aws.latency).Truncate(time.Second)

		aws.set(func() { aws.tags[arns[0]] = map[string]string{"new": ""} })
		c.Begin(t.Context(), own)
		settle(time.Until(at.Add(time.Minute + 50500*time.Millisecond - 1)))
		_, s := look(t, c, Bucket, arns[0])
		assert.Equal(t, Fresh, s)
		assert.Len(t, aws.made(), 1)
		settle(1)
		tags, s := look(t, c, Bucket, arns[0])
		assert.Equal(t, Stale, s)
		assert.Equal(t, "env:prod,number:0", tags)
		settle(aws.latency + 1)
		tags, s = look(t, c, Bucket, arns[0])
		assert.Equal(t, Fresh, s)
		assert.Equal(t, "new", tags)
		c.End()
	})
}

func TestJitter(t *testing.T) {
	c := New(Options{TTL: time.Minute})
	least, most := time.Duration(math.MaxInt64), time.Duration(0)
	now := time.Now()
	for range 10_000 {
		d := c.staleAt(now).Sub(now) - time.Minute
		least, most = min(least, d), max(most, d)
	}
	assert.GreaterOrEqual(t, least, time.Second)
	assert.LessOrEqual(t, most, 100*time.Second)
	assert.Greater(t, most-least, 90*time.Second)
}

func TestStaleWhileAWSFails(t *testing.T) {
	for name, err := range map[string]error{"throttled": throttled, "denied": denied, "broken": broken, "no network": errors.New("refused")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				arns, aws := fleet(LogGroup, 2)
				c := newCache(Options{AWS: aws})
				known(t, c, LogGroup, arns[:1])
				aws.set(func() { aws.refuse = always(err) })
				c.TakeCounts()

				start, n := time.Now(), len(aws.made())
				for time.Since(start) < 6*time.Hour {
					settle(time.Minute) // frozen
					c.Begin(t.Context(), own)
					tags, _ := look(t, c, LogGroup, arns[0])
					assert.Equal(t, "env:prod,number:0", tags)
					look(t, c, LogGroup, arns[1])
					settle(time.Second)
					assert.Zero(t, stopwatch(c.End), "an invocation does not wait for what fails")
				}
				calls := len(aws.made()) - n
				assert.Greater(t, calls, 6*60/6)
				assert.Less(t, calls, 6*60/2)
				counts := c.TakeCounts()
				assert.Equal(t, counts.Calls, counts.Failures)
				assert.Positive(t, counts.Lookups[Failed])
				assert.Positive(t, counts.Lookups[Stale])
				require.ErrorContains(t, c.Trouble(), "tags of log-groups")

				aws.set(func() { aws.refuse = nil })
				c.Begin(t.Context(), own)
				settle(5 * time.Minute)
				tags, s := look(t, c, LogGroup, arns[1])
				assert.Equal(t, Fresh, s)
				assert.Equal(t, "env:prod,number:1", tags)
				c.End()
				require.NoError(t, c.Trouble())
			})
		})
	}
}

func TestTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arns, aws := fleet(Function, 1)
		aws.refuse = always(denied)
		c := newCache(Options{AWS: aws, Store: &shelf{get: errors.New("no bucket")}})
		c.Begin(t.Context(), own)
		hear(t, c, Function, arns[0])
		settle(2 * time.Minute)
		c.End()
		require.ErrorContains(t, c.Trouble(), "tags of functions: GetResources: aws answered 400 AccessDeniedException: not authorized; "+
			"grant the function tag:GetResources on all resources, or do not look these tags up")
		require.ErrorContains(t, c.Trouble(), "shared tags of functions: no bucket")
		assert.Len(t, aws.made(), 1, "asking again does not help soon")
	})
}

func TestCountUntagged(t *testing.T) {
	c := New(Options{})
	for s := Off; s <= Failed; s++ {
		c.CountUntagged(s, 1<<(8*int64(s)))
	}
	assert.Equal(t, int64(1)<<32|int64(1)<<40, c.TakeCounts().Untagged)
	assert.Zero(t, c.TakeCounts().Untagged)
}
