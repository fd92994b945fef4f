package tags

import (
	"context"
	"errors"
	"time"

	"sluice/internal/awsenv"
)

const (
	callTimeout = 3 * time.Second // of a call with the caller's own retries, and of a request to the store

	// How often one container reads what others have shared, and shares what it has learned, for each kind, while there is
	// something to do.
	readEvery  = 30 * time.Second
	shareEvery = 10 * time.Second

	batchStep = 10 // a call that was answered is followed by one about so many resources more
)

// keeper is what a cache has of one kind.
type keeper struct {
	kind Kind
	api  api

	known   memory
	queue   queue
	batch   int           // how many resources the next call is about
	changed chan struct{} // closed, and another one made, when something became known or a call failed

	tokens  tokens
	circuit circuit
	err     error // why the last call failed

	busy bool // a worker is at it

	storeCircuit circuit
	storeErr     error     // why the store could not be read or written the last time
	readAt       time.Time // when it may be read again
	haveRead     bool      // since the last call, or since there was nothing to ask for
	shareAt      time.Time // when it may be written again
	unshared     bool      // something is known that others may not know
}

func newKeeper(kind Kind) *keeper {
	a := apiOf(kind)
	return &keeper{kind: kind, api: a, batch: a.most, known: newMemory(), changed: make(chan struct{})}
}

// announce wakes the lookups that wait.
func (k *keeper) announce() {
	close(k.changed)
	k.changed = make(chan struct{})
}

// kick starts a worker, if there is something to do and an invocation to do it in. The lock is held.
func (c *Cache) kick(k *keeper) {
	if k == nil || k.busy || c.inv == nil {
		return
	}
	if len(k.queue.order) == 0 && !c.mayShare(k, wall()) {
		return
	}
	k.busy = true
	c.inv.start(k)
}

func (c *Cache) mayShare(k *keeper, now time.Time) bool {
	return c.store != nil && k.unshared && c.own.valid() && max(k.shareAt.Sub(now), k.storeCircuit.delay(now)) <= 0
}

// readDelay is how long to wait before the store is read again.
func (k *keeper) readDelay(now time.Time) time.Duration {
	return max(k.readAt.Sub(now), k.storeCircuit.delay(now), 0)
}

// step does one thing for a kind. It reports false when the worker is done.
func (c *Cache) step(ctx context.Context, inv *invocation, k *keeper) bool {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	do, delay := c.next(inv, k)
	switch {
	case do != nil:
		do(ctx)
	case delay > 0:
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-inv.stop:
		}
	default:
		return false
	}
	return true
}

// next is what is to be done now, or how long there is nothing to do; neither when the worker is done.
//
// The store is read before a call is made, for others may know by now, and but once: invocations may be so short that one
// thing is all that is done in each. While no call may be made, it is read on.
func (c *Cache) next(inv *invocation, k *keeper) (do func(context.Context), delay time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inv != inv || inv.ended() {
		k.busy = false
		c.kick(k) // in the invocation that has begun since
		return nil, 0
	}
	now := wall()
	k.queue.drop(func(arn string) bool {
		e := k.known.peek(arn)
		return e != nil && now.Before(e.staleAt)
	})
	asking := len(k.queue.order) > 0
	k.haveRead = k.haveRead && asking
	delay = max(k.circuit.delay(now), k.tokens.delay(now))
	switch {
	case asking && c.store != nil && k.readDelay(now) == 0 && (delay > 0 || !k.haveRead):
		k.readAt, k.haveRead = now.Add(readEvery), true
		return func(ctx context.Context) { _, _, _ = c.read(ctx, k) }, 0
	case asking && delay == 0:
		k.tokens.take(now)
		k.haveRead = false
		arns := k.queue.first(k.batch)
		return func(ctx context.Context) { c.ask(ctx, inv, k, arns) }, 0
	case c.mayShare(k, now):
		k.shareAt = now.Add(shareEvery)
		return func(ctx context.Context) { c.share(ctx, k) }, 0
	case !asking:
		k.busy = false
		return nil, 0
	}
	if c.store != nil {
		delay = min(delay, max(k.readDelay(now), time.Millisecond))
	}
	return nil, delay
}

// ask makes one call and keeps what it says.
func (c *Cache) ask(ctx context.Context, inv *invocation, k *keeper, arns []string) {
	c.mu.Lock()
	region := c.own.Region
	c.mu.Unlock()
	a, err := k.api.ask(ctx, c.aws, region, arns)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Calls++
	defer k.announce()
	now := wall()
	switch {
	case err == nil:
		k.batch = min(k.batch+batchStep, k.api.most)
		c.succeed(k)
		c.learn(k, arns, a, now)
	case isInvalid(err) && len(arns) == 1:
		// It is no resource for this API. That is an answer, too.
		c.counts.Failures++
		c.succeed(k)
		c.learn(k, arns, answer{whole: true}, now)
	case isInvalid(err):
		// It may be one of them. The others are not left alone for its sake.
		c.counts.Failures++
		k.batch = max(len(arns)/2, 1)
	default:
		c.fail(inv, k, len(arns), err, now)
	}
}

func (c *Cache) succeed(k *keeper) {
	k.circuit.succeed()
	k.err = nil
	c.cutOffs = 0
}

// learn keeps the answer about some resources. The lock is held.
func (c *Cache) learn(k *keeper, arns []string, a answer, now time.Time) {
	at := now.Truncate(time.Second) // as it is shared
	for _, arn := range arns {
		if tags, named := a.tags[arn]; named || a.whole {
			k.known.put(&entry{arn: arn, tags: tags, at: at, staleAt: c.staleAt(at)})
			k.unshared = true
		}
	}
}

// staleAt is when an answer is to be asked for again.
func (c *Cache) staleAt(at time.Time) time.Time {
	return at.Add(c.ttl + minJitter + time.Duration(c.jitter()*float64(maxJitter-minJitter)))
}

var errCutOff = errors.New("the invocation ended before AWS answered")

// fail keeps calls away for some time. The lock is held.
func (c *Cache) fail(inv *invocation, k *keeper, asked int, err error, now time.Time) {
	c.counts.Failures++
	if isThrottled(err) {
		c.counts.Throttled++
	}
	if _, refused := errors.AsType[*awsenv.APIError](err); !refused {
		k.batch = max(asked/2, 1) // the answer may have been too large, or have taken too long
	}
	if inv.ended() {
		err = errCutOff
	}
	k.err = k.api.explain(err)
	k.circuit.fail(now, isDenied(err), c.jitter())
	// Before the next call it is seen whether another container was luckier.
	if k.readAt.After(k.circuit.until) {
		k.readAt = k.circuit.until
	}
}
