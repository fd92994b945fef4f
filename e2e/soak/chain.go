package main

import "math/rand/v2"

// state is one fault, or none.
type state string

// The states of the surroundings.
const (
	healthy      state = "healthy"
	errorsBurst  state = "500"          // many requests are answered with 500, 502 or 503
	throttled    state = "429"          // with Retry-After
	resets       state = "resets"       // connections are reset, before or after the intake has taken what came
	slow         state = "slow"         // answers take long
	refused      state = "refused"      // nobody listens
	tooLarge     state = "413"          // the intake takes small bodies only
	slowDown     state = "slow-down"    // S3 does not give logs
	parkDown     state = "park-down"    // S3 does not take what is parked, and the intake is in trouble too
	rotated      state = "rotated"      // there is a new API key, and the old one is worth nothing
	reconfigured state = "reconfigured" // every function starts anew with other settings
)

// faults are all states but healthy, with their weights.
var faults = []struct {
	state  state
	weight int
}{
	{errorsBurst, 4},
	{throttled, 3},
	{resets, 4},
	{slow, 3},
	{refused, 3},
	{tooLarge, 3},
	{slowDown, 3},
	{parkDown, 3},
	{rotated, 1},
	{reconfigured, 1},
}

// Chances of the chain.
const (
	staysHealthy = 0.3 // after healthy
	recovers     = 0.5 // after a fault
)

// chain is the Markov chain of faults. The same seed gives the same states.
type chain struct {
	random  *rand.Rand
	current state
}

func newChain(seed uint64) *chain {
	return &chain{random: rand.New(rand.NewPCG(seed, chainSalt)), current: healthy}
}

// Salts keep the random numbers of the parts of a run apart.
const (
	chainSalt = iota + 1
	killSalt
	scriptSalt
	feedSalt
)

// next is the state that follows. A fault may be followed by another one, but not by itself.
func (c *chain) next() state {
	chance := staysHealthy
	if c.current != healthy {
		chance = recovers
	}
	if c.random.Float64() < chance {
		c.current = healthy
		return c.current
	}
	total := 0
	for _, f := range faults {
		if f.state != c.current {
			total += f.weight
		}
	}
	pick := c.random.IntN(total)
	for _, f := range faults {
		if f.state == c.current {
			continue
		}
		if pick -= f.weight; pick < 0 {
			c.current = f.state
			break
		}
	}
	return c.current
}
