// Package stack runs a compiled Lambda function on this machine the way the service runs it: a process started with
// the documented environment, driven over the Lambda Runtime API, one event at a time, under a deadline that is
// enforced by SIGKILL.
//
// It promises the service's observable behaviour: request and response limits, the invocation headers, the error
// types of an exit and of a timeout, and a fresh process at the next event after either. It adds what tests need:
// kill, freeze, a shorter deadline for one event, the function's own ledger lines, peak memory and CPU time.
//
// It does not enforce the memory size, share out CPU, or retry: who retries is in package owner.
package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"syscall"
	"time"
)

// Limits of the Lambda service.
const (
	MaxSyncBytes     = 6_291_456 // request and response of a synchronous invocation; Lambda quotas
	MaxAsyncBytes    = 1_048_576 // event of an asynchronous invocation; Lambda quotas since 2026-01
	maxInit          = 10 * time.Second
	defaultTimeout   = 60 * time.Second
	defaultMemoryMiB = 256
)

// Names every function of the local stack shares. They are documentation values.
const (
	Region  = "eu-west-1"
	Account = "123456789012"
)

// Config describes one function.
type Config struct {
	Binary    string            // path of the executable, see Build
	Name      string            // function name
	MemoryMiB int               // told to the function, not enforced; 0 means 256
	Timeout   time.Duration     // of every invocation unless Within says less; 0 means 60 s
	Env       map[string]string // added to the environment Lambda sets, and winning over it

	// EachStart is what one process gets beside Env, and winning over it, by its number, which counts from 1; nil means
	// nothing. It is how the first process gets a fail point and the next one does not.
	EachStart func(number int) map[string]string
}

// Function is one function with at most one execution environment. Its methods may be called from any goroutine;
// invocations queue up.
type Function struct {
	cfg  Config
	turn sync.Mutex // held for the length of an invocation: events are handed over one at a time
	out  *output

	mu     sync.Mutex // guards what follows
	env    *environment
	usage  Usage
	closed bool
}

// New returns a function that starts its process at the first event. Close it.
func New(cfg Config) (*Function, error) {
	if cfg.Binary == "" || cfg.Name == "" {
		return nil, errors.New("stack.Config: Binary and Name must be set")
	}
	if cfg.MemoryMiB == 0 {
		cfg.MemoryMiB = defaultMemoryMiB
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	return &Function{cfg: cfg, out: newOutput()}, nil
}

// ARN is the function's invoked ARN.
func (f *Function) ARN() string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", Region, Account, f.cfg.Name)
}

// Option changes one invocation.
type Option func(*invocation)

// Within shortens the deadline of one invocation.
func Within(timeout time.Duration) Option {
	return func(i *invocation) { i.timeout = timeout }
}

// Result is what the caller of the function sees.
type Result struct {
	RequestID string
	Response  []byte         // nil when Error is set
	Error     *FunctionError // the function's own error, an exit, or a timeout
	TimedOut  bool           // the deadline passed and the process was killed
	Exited    bool           // the process ended before it answered
	Started   time.Time
	Duration  time.Duration
}

// FunctionError is the error document of a failed invocation.
type FunctionError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// Invoke hands payload to the function and waits for its answer, its exit or its deadline. The error is set only when
// the stack itself could not do it; what the function did wrong is in Result.Error.
func (f *Function) Invoke(ctx context.Context, payload []byte, opts ...Option) (Result, error) {
	if len(payload) > MaxSyncBytes {
		return Result{}, fmt.Errorf("invoke %s with %d bytes: over the limit of %d", f.cfg.Name, len(payload), MaxSyncBytes)
	}
	f.turn.Lock()
	defer f.turn.Unlock()

	env, err := f.running() //nolint:contextcheck // the process outlives the invocation that starts it
	if err != nil {
		return Result{}, err
	}
	inv := newInvocation(payload, f.cfg.Timeout)
	for _, opt := range opts {
		opt(inv)
	}
	result, err := env.run(ctx, inv)
	f.measure(env)
	return result, err
}

// running returns the live environment, starting one when there is none.
func (f *Function) running() (*environment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, fmt.Errorf("function %s is closed", f.cfg.Name)
	}
	if f.env != nil && !f.env.gone() {
		return f.env, nil
	}
	f.retire()
	cfg := f.cfg
	if cfg.EachStart != nil {
		cfg.Env = maps.Clone(cfg.Env)
		if cfg.Env == nil {
			cfg.Env = map[string]string{}
		}
		maps.Copy(cfg.Env, cfg.EachStart(f.usage.Starts+1))
	}
	env, err := startEnvironment(cfg, f.ARN(), f.out)
	if err != nil {
		return nil, err
	}
	f.env = env
	f.usage.Starts++
	return env, nil
}

// retire adds what an ended environment used and forgets it. The caller holds mu.
func (f *Function) retire() {
	if f.env == nil {
		return
	}
	f.usage.CPU += f.env.cpu()
	f.usage.Exits = append(f.usage.Exits, f.env.state())
	f.env = nil
}

func (f *Function) measure(env *environment) {
	peak := env.peakRSS()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.usage.PeakRSSBytes = max(f.usage.PeakRSSBytes, peak)
}

// Configure changes what Env is for every process that starts from now on. The one that runs keeps what it has: Kill it.
func (f *Function) Configure(env map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cfg.Env = env
}

// Kill ends the process at once, as a crash of the machine would, and waits until it is gone. The next event starts a
// new one.
func (f *Function) Kill() error { return f.withEnvironment((*environment).kill) }

// Freeze stops the process where it stands, as Lambda does between invocations.
func (f *Function) Freeze() error {
	return f.withEnvironment(func(e *environment) error { return e.signal(syscall.SIGSTOP) })
}

// Thaw lets a frozen process go on.
func (f *Function) Thaw() error {
	return f.withEnvironment(func(e *environment) error { return e.signal(syscall.SIGCONT) })
}

func (f *Function) withEnvironment(do func(*environment) error) error {
	f.mu.Lock()
	env := f.env
	f.mu.Unlock()
	if env == nil {
		return fmt.Errorf("function %s has no process: invoke it first", f.cfg.Name)
	}
	f.measure(env)
	return do(env)
}

// Close kills the process and waits until its output has been read. Ledgers and Usage are complete afterwards.
func (f *Function) Close() error {
	f.mu.Lock()
	env := f.env
	f.closed = true
	f.mu.Unlock()
	if env == nil {
		return nil
	}
	f.measure(env)
	err := env.kill()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.retire()
	return err
}

// Usage is what all processes of the function used so far. CPU time of a process is known once it ended.
func (f *Function) Usage() Usage {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.usage
}

// Ledgers are the ledger lines the function printed, in order.
func (f *Function) Ledgers() []Ledger { return f.out.allLedgers() }

// Ledger waits for the ledger line of one invocation. The line is written before the answer but read beside it.
func (f *Function) Ledger(ctx context.Context, requestID string) (Ledger, error) {
	return f.out.waitLedger(ctx, requestID)
}

// Output is the last lines the function printed, oldest first, at most 2 000.
func (f *Function) Output() []string { return f.out.lastLines() }

// Printed is how many lines the function printed so far, those that Output has forgotten among them.
func (f *Function) Printed() int { return f.out.count() }
