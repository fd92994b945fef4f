package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/intake"
)

// setter puts faults on the system and takes them off.
type setter struct {
	system  *system
	random  *rand.Rand
	pace    pace
	started time.Time
	rotated time.Time // of the last rotation
}

func newSetter(s *system, seed uint64, p pace) *setter {
	return &setter{system: s, random: rand.New(rand.NewPCG(seed, scriptSalt)), pace: p, started: time.Now()}
}

// heal ends whatever is wrong.
func (t *setter) heal() error {
	t.system.sink.SetScript(intake.Always(intake.Step{}))
	t.system.rig.S3.SetScript(bucket.Always(bucket.Step{}))
	return t.system.sink.Up()
}

// set ends the last fault and begins another. It returns what it is in full.
func (t *setter) set(s state) (string, error) {
	if err := t.heal(); err != nil {
		return "", err
	}
	sink, s3 := t.system.sink, t.system.rig.S3
	switch s {
	case healthy:
	case errorsBurst:
		share := []float64{0.3, 0.9}[t.random.IntN(2)]
		sink.SetScript(t.errors(share))
		return fmt.Sprintf("%s: %.0f %% of requests", s, 100*share), nil
	case throttled:
		wait := []string{"1", "3", "20"}[t.random.IntN(3)]
		sink.SetScript(t.sometimes(0.6, intake.RefuseFor(http.StatusTooManyRequests, wait)))
		return fmt.Sprintf("%s: Retry-After %s", s, wait), nil
	case resets:
		sink.SetScript(t.resets())
	case slow:
		sink.SetScript(t.slow())
	case refused:
		return string(s), sink.Down()
	case tooLarge:
		limit := 16 << (10 + t.random.IntN(4))
		check := intake.TooLargeAbove(func() int { return limit })
		sink.SetScript(intake.Always(intake.Step{Checks: []intake.Check{check}}))
		return fmt.Sprintf("%s: above %d KiB", s, limit>>10), nil
	case slowDown:
		s3.SetScript(t.slowDown(t.system.rig.LogBucket))
	case parkDown:
		sink.SetScript(t.errors(0.9))
		s3.SetScript(t.parkDown(t.system.rig.ParkBucket))
	case rotated:
		return t.rotate(), nil
	case reconfigured:
		return t.reconfigure()
	default:
		return "", errors.New("there is no state " + string(s))
	}
	return string(s), nil
}

// rotate changes the API key, unless it was changed a moment ago.
func (t *setter) rotate() string {
	if since := time.Since(t.rotated); since < t.pace.rotation {
		return fmt.Sprintf("%s: not again after %.0fs", rotated, since.Seconds())
	}
	t.rotated = time.Now()
	t.system.Rotate()
	return string(rotated)
}

// reconfigure starts all processes anew, unless there is no time left to tell whether their memory grows.
func (t *setter) reconfigure() (string, error) {
	if time.Since(t.started) > t.pace.restarts {
		return fmt.Sprintf("%s: not after %.0fs", reconfigured, t.pace.restarts.Seconds()), nil
	}
	return string(reconfigured), t.system.Reconfigure()
}

// sometimes plays a step for a share of the requests. Scripts are called one at a time, by requests that arrive in any
// order: each has random numbers of its own.
func (t *setter) sometimes(share float64, step intake.Step) intake.Script {
	random := rand.New(rand.NewPCG(t.random.Uint64(), scriptSalt))
	return func(intake.Arrival) intake.Step {
		if random.Float64() < share {
			return step
		}
		return intake.Step{}
	}
}

func (t *setter) errors(share float64) intake.Script {
	codes := []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable}
	return t.sometimes(share, intake.Refuse(codes[t.random.IntN(len(codes))]))
}

// resets cuts a half of the connections: before the body, after it, and after the intake has taken what was in it.
func (t *setter) resets() intake.Script {
	random := rand.New(rand.NewPCG(t.random.Uint64(), scriptSalt))
	return func(intake.Arrival) intake.Step {
		switch random.IntN(8) {
		case 0:
			return intake.Step{Fault: intake.ResetBeforeBody}
		case 1, 2:
			return intake.Step{Fault: intake.ResetAfterBody}
		case 3:
			return intake.Step{Fault: intake.ResetAfterBody, Commit: true}
		default:
			return intake.Step{}
		}
	}
}

func (t *setter) slow() intake.Script {
	random := rand.New(rand.NewPCG(t.random.Uint64(), scriptSalt))
	return func(intake.Arrival) intake.Step {
		return intake.Step{Delay: 200*time.Millisecond + time.Duration(random.Int64N(int64(2*time.Second)))}
	}
}

// slowDown refuses most reads of a bucket.
func (t *setter) slowDown(name string) bucket.Script {
	const share = 0.7
	random := rand.New(rand.NewPCG(t.random.Uint64(), scriptSalt))
	return func(a bucket.Arrival) bucket.Step {
		if a.Method == http.MethodGet && a.Bucket == name && random.Float64() < share {
			return bucket.SlowDown()
		}
		return bucket.Step{}
	}
}

// parkDown refuses most writes to a bucket.
func (t *setter) parkDown(name string) bucket.Script {
	const share = 0.9
	random := rand.New(rand.NewPCG(t.random.Uint64(), scriptSalt))
	return func(a bucket.Arrival) bucket.Step {
		if a.Method != http.MethodPut || a.Bucket != name || random.Float64() >= share {
			return bucket.Step{}
		}
		if random.IntN(2) == 0 {
			return bucket.SlowDown()
		}
		return bucket.Refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
	}
}
