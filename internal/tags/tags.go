// Package tags knows the tags that people have put on log groups, functions, buckets and state machines in AWS.
//
// It promises that a log never waits for a tag: [Cache.Lookup] answers from memory, and what is not known yet is asked for
// in the background of the invocation. There are two exceptions, both bounded: 500 ms once in the life of a container, so
// that its first records have tags too, and the end of an invocation that finds a call on its way ([Cache.End]). An answer
// that has grown old is given until there is a newer one. That a resource has no tags is remembered as well.
//
// What one container has learned, others read from a [Store]; together they ask AWS for each resource about once in the
// life of an answer. Calls are few: one at a time for each kind, a token bucket for all of a kind, and longer and longer
// pauses after failures.
//
// Only resources in the function's own account and region are asked for: the role cannot see others. Memory is bounded:
// 2 MiB of tags and 1,000 waiting names for each kind.
//
// It does not decide which record has which resource, nor where its tags stand among others. It logs nothing.
package tags

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"sluice/internal/awsenv"
	"sluice/internal/record"
)

// Kind is a kind of resource.
type Kind uint8

// The kinds of resources whose tags can be looked up.
const (
	LogGroup Kind = iota
	Function
	Bucket
	StateMachine
	kinds // how many there are
)

func (k Kind) String() string {
	if k >= kinds {
		return "resource"
	}
	return [...]string{"log-group", "function", "bucket", "state-machine"}[k]
}

// Status says how much the tags of a lookup are worth.
type Status uint8

// The answers to a lookup.
const (
	Off     Status = iota // this kind is not looked up
	Foreign               // no resource of the function's own account and region, or no possible name of one
	Fresh                 // known; that there are none is known as well
	Stale                 // known for longer than the TTL; a newer answer is on its way or cannot be had
	Pending               // not known yet
	Failed                // not known, and the last call to AWS about this kind failed
)

// Caller makes one signed call of the JSON protocol; *[awsenv.Environment] is one. It may try again by itself. A refusal
// by AWS has to be an *[awsenv.APIError].
type Caller interface {
	Call(ctx context.Context, s awsenv.Service, region, operation string, in, out any) error
}

// Options say what is looked up, and how.
type Options struct {
	Kinds []Kind        // that are looked up; none: everything is Off
	AWS   Caller        // required
	Store Store         // what containers share; nil: each one asks for itself
	TTL   time.Duration // of an answer, and 1 to 100 s on top (DD_TAGS_CACHE_TTL_SECONDS); 0: 300 s
	Wait  time.Duration // for the first answers of a container, at most 500 ms; 0: 500 ms; negative: not at all
}

const (
	defaultTTL = 300 * time.Second
	// The container's first records wait for so long at most: a few times of what the calls take when AWS is well.
	maxColdWait = 500 * time.Millisecond
	// What comes on top of the TTL, so that not all containers ask at once. Source: the Datadog Forwarder.
	minJitter, maxJitter = 1 * time.Second, 100 * time.Second
)

// Cache is the tags that are known. It is safe for concurrent use, within one invocation at a time.
type Cache struct {
	aws    Caller
	store  Store
	ttl    time.Duration
	wait   time.Duration
	jitter func() float64 // [0,1)

	mu      sync.Mutex
	own     Account
	inv     *invocation // nil between invocations
	keepers [kinds]*keeper
	cold    time.Time // when the wait for the first answers ends; zero before it has begun
	warm    bool      // nothing waits any more
	cutOffs int       // invocations that ended before their calls did, since one that did not
	counts  Counts
}

// New returns an empty cache. Nothing is asked for before [Cache.Begin].
func New(o Options) *Cache {
	c := &Cache{aws: o.AWS, store: o.Store, ttl: o.TTL, wait: min(o.Wait, maxColdWait), jitter: rand.Float64}
	if c.ttl <= 0 {
		c.ttl = defaultTTL
	}
	if c.wait == 0 {
		c.wait = maxColdWait
	}
	c.warm = c.wait < 0
	for _, kind := range o.Kinds {
		if kind < kinds {
			c.keepers[kind] = newKeeper(kind)
		}
	}
	return c
}

// invocation is the time in which the container runs: between two of them it is frozen, and calls would hang.
type invocation struct {
	done    <-chan struct{} // closed when calls are cut off
	cancel  context.CancelFunc
	stop    chan struct{} // closed when nothing new may be begun
	start   func(*keeper) // starts a worker
	workers sync.WaitGroup
}

// Begin lets calls be made until End, or until ctx ends. own is the function's account and region, which it learns from
// the ARN it is invoked by ([AccountOf]). An invocation that has not ended does so now.
func (c *Cache) Begin(ctx context.Context, own Account) {
	c.End()
	ctx, cancel := context.WithCancel(ctx)
	inv := &invocation{done: ctx.Done(), cancel: cancel, stop: make(chan struct{})}
	inv.start = func(k *keeper) {
		inv.workers.Go(func() {
			for c.step(ctx, inv, k) {
			}
		})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.own, c.inv = own, inv
	for _, k := range c.keepers {
		c.kick(k)
	}
}

// A call that is on its way when the invocation ends is waited for, since it would have to be made again: 100 ms, and after
// each call that was cut off twice as long, so that an AWS that is slow is heard in the end. A call that is cut off counts
// as failed, so that this happens less and less often when AWS is not well.
const (
	firstGrace = 100 * time.Millisecond
	maxGrace   = 500 * time.Millisecond
)

// End stops what goes on in the background. It is called when an invocation has done everything else, and returns at once
// when no call is on its way, and within 500 ms otherwise.
func (c *Cache) End() {
	c.mu.Lock()
	inv := c.inv
	c.inv = nil
	grace := min(firstGrace<<min(c.cutOffs, 4), maxGrace)
	c.warm = c.warm || !c.cold.IsZero() // the wait for the first answers does not go on in another invocation
	c.mu.Unlock()
	if inv == nil {
		return
	}
	defer inv.cancel()
	close(inv.stop)
	landed := make(chan struct{})
	go func() {
		inv.workers.Wait()
		close(landed)
	}()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-landed:
	case <-timer.C:
		c.cutOff()
	case <-inv.done: // it had less time than it needs, which is no reason to give it more
	}
}

// ended reports whether calls are cut off.
func (inv *invocation) ended() bool {
	select {
	case <-inv.done:
		return true
	default:
		return false
	}
}

// cutOff notes that a call did not end in time.
func (c *Cache) cutOff() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cutOffs++
}

// Lookup returns the tags of a resource, cleaned ([Clean]), sorted and each one once. They are shared: the caller must not
// change them. It returns at once, but for the container's first answers (see [Options]); it does not wait longer than ctx.
// An ARN may end in what AWS adds to it in some places: `:*` to that of a log group, a version or alias to that of a
// function.
func (c *Cache) Lookup(ctx context.Context, kind Kind, arn string) (record.Tags, Status) {
	tags, status, wait := c.look(kind, arn)
	for wait != nil {
		if !wait.changed(ctx) {
			break
		}
		tags, status, wait = c.look(kind, arn)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.add(status)
	return tags, status
}

// pause is what a lookup waits for in a container's first invocation.
type pause struct {
	answer <-chan struct{} // closed when something has become known, or a call failed
	stop   <-chan struct{}
	until  time.Time
}

// changed reports whether it is worth looking again.
func (p *pause) changed(ctx context.Context) bool {
	timer := time.NewTimer(time.Until(p.until))
	defer timer.Stop()
	select {
	case <-p.answer:
		return true
	case <-timer.C:
	case <-p.stop:
	case <-ctx.Done():
	}
	return false
}

// look is a lookup that does not wait. It returns what to wait for where that is allowed.
func (c *Cache) look(kind Kind, arn string) (record.Tags, Status, *pause) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if kind >= kinds || c.keepers[kind] == nil {
		return nil, Off, nil
	}
	k := c.keepers[kind]
	arn, ok := c.own.owned(kind, arn)
	if !ok {
		return nil, Foreign, nil
	}
	now := wall()
	e := k.known.get(arn)
	if e != nil && now.Before(e.staleAt) {
		return e.tags, Fresh, nil
	}
	queued := k.queue.add(arn)
	c.kick(k)
	switch {
	case e != nil:
		return e.tags, Stale, nil
	case k.circuit.failures > 0:
		return nil, Failed, nil
	case !queued || c.inv == nil || c.warm:
		return nil, Pending, nil
	}
	if c.cold.IsZero() {
		c.cold = time.Now().Add(c.wait)
	}
	if !time.Now().Before(c.cold) {
		c.warm = true
		return nil, Pending, nil
	}
	return nil, Pending, &pause{answer: k.changed, stop: c.inv.stop, until: c.cold}
}

// wall is the time on the wall: other clocks stand still while a container is frozen.
func wall() time.Time { return time.Now().Round(0) }
