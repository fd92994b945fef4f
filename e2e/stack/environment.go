package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// environment is one execution environment: a process and the Runtime API only it talks to. It is never reused after
// the process ended.
type environment struct {
	name   string
	cmd    *exec.Cmd
	api    *runtimeAPI
	exited chan struct{} // closed once the process ended and its output was read
}

func startEnvironment(cfg Config, arn string, out *output) (*environment, error) {
	api, err := startRuntimeAPI(arn)
	if err != nil {
		return nil, err
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("pipe for the output of %s: %w", cfg.Name, err), api.server.Close())
	}
	cmd := exec.CommandContext(context.Background(), cfg.Binary) // it outlives the invocation that starts it
	cmd.Env = environ(cfg, api.server.Address())
	cmd.Stdout, cmd.Stderr = writer, writer
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", cfg.Binary, err), reader.Close(), writer.Close(), api.server.Close())
	}
	writer.Close() // the process holds its own copy; ours would keep the pipe open after it ended
	env := &environment{name: cfg.Name, cmd: cmd, api: api, exited: make(chan struct{})}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		defer reader.Close()
		out.read(reader)
	}()
	go func() {
		defer close(env.exited)
		_ = cmd.Wait() // how it ended is in ProcessState
		<-drained
		_ = api.server.Close() // nobody is left to talk to
	}()
	return env, nil
}

// environ is the environment of a function process: what Lambda documents ("Defined runtime environment variables"),
// with invented credentials, then the function's own settings.
func environ(cfg Config, runtimeAPI string) []string {
	vars := map[string]string{
		"AWS_ACCESS_KEY_ID":               "ASIAEXAMPLEEXAMPLE00",
		"AWS_DEFAULT_REGION":              Region,
		"AWS_EXECUTION_ENV":               "AWS_Lambda_provided.al2023",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(cfg.MemoryMiB),
		"AWS_LAMBDA_FUNCTION_NAME":        cfg.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + cfg.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      "2026/02/01/[$LATEST]0123456789abcdef0123456789abcdef",
		"AWS_LAMBDA_RUNTIME_API":          runtimeAPI,
		"AWS_REGION":                      Region,
		"AWS_SECRET_ACCESS_KEY":           "invented",
		"AWS_SESSION_TOKEN":               "invented",
		"LAMBDA_TASK_ROOT":                "/var/task",
		"LANG":                            "en_US.UTF-8",
		"PATH":                            "/usr/local/bin:/usr/bin/:/bin",
		"TZ":                              ":UTC",
		"_HANDLER":                        "bootstrap",
	}
	maps.Copy(vars, cfg.Env)
	list := make([]string, 0, len(vars))
	for name, value := range vars {
		list = append(list, name+"="+value)
	}
	return list
}

// run hands one invocation to the process and waits for what becomes of it.
func (e *environment) run(ctx context.Context, inv *invocation) (result Result, err error) {
	result = Result{RequestID: inv.id, Started: time.Now()}
	defer func() { result.Duration = time.Since(result.Started) }()

	deadline, err := e.handOver(ctx, inv, &result)
	if err != nil || result.Error != nil {
		return result, err
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case answer := <-inv.answers:
		answer.into(&result)
	case <-e.exited:
		e.afterExit(inv, &result)
	case <-timer.C:
		result.TimedOut = true
		result.Error = &FunctionError{Type: "Sandbox.Timedout", Message: fmt.Sprintf(
			"RequestId: %s Error: Task timed out after %.2f seconds", inv.id, inv.timeout.Seconds())}
		return result, e.kill()
	case <-ctx.Done():
		return result, errors.Join(fmt.Errorf("invoke %s: %w", e.name, context.Cause(ctx)), e.kill())
	}
	return result, nil
}

// handOver waits until the process takes the invocation and returns its deadline. A process that does not come to ask
// within the init limit, or ends first, is an init failure and is told in result.
func (e *environment) handOver(ctx context.Context, inv *invocation, result *Result) (time.Time, error) {
	timer := time.NewTimer(maxInit)
	defer timer.Stop()
	select {
	case e.api.events <- inv:
		return <-inv.taken, nil
	case <-e.exited:
		result.Exited = true
		result.Error = e.initError(inv)
		return time.Time{}, nil
	case <-timer.C:
		result.TimedOut = true
		result.Error = &FunctionError{Type: "Sandbox.Timedout", Message: fmt.Sprintf(
			"RequestId: %s Error: the process did not ask for an event within %s", inv.id, maxInit)}
		return time.Time{}, e.kill()
	case <-ctx.Done():
		return time.Time{}, fmt.Errorf("invoke %s: %w", e.name, context.Cause(ctx))
	}
}

func (e *environment) initError(inv *invocation) *FunctionError {
	select {
	case told := <-e.api.initErrors:
		return &told
	default:
		return e.exitError(inv)
	}
}

// afterExit prefers an answer that arrived before the exit: a runtime that reports a panic ends right after it.
func (e *environment) afterExit(inv *invocation, result *Result) {
	result.Exited = true
	select {
	case answer := <-inv.answers:
		answer.into(result)
	default:
		result.Error = e.exitError(inv)
	}
}

func (e *environment) exitError(inv *invocation) *FunctionError {
	return &FunctionError{Type: "Runtime.ExitError", Message: fmt.Sprintf(
		"RequestId: %s Error: Runtime exited: %s", inv.id, e.state())}
}

func (e *environment) gone() bool {
	select {
	case <-e.exited:
		return true
	default:
		return false
	}
}

func (e *environment) signal(sig syscall.Signal) error {
	if err := e.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("send %s to %s: %w", sig, e.name, err)
	}
	return nil
}

func (e *environment) kill() error {
	err := e.signal(syscall.SIGKILL)
	<-e.exited
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// state says how the process ended. It may be called after exited was closed only.
func (e *environment) state() string { return e.cmd.ProcessState.String() }

// cpu is the user and system time of the ended process.
func (e *environment) cpu() time.Duration {
	return e.cmd.ProcessState.UserTime() + e.cmd.ProcessState.SystemTime()
}

// peakRSS is the high water mark of the resident set in bytes, 0 when the process is gone. The kernel's rusage is no
// substitute: its maximum starts at the size of the process that forked.
func (e *environment) peakRSS() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	return statusNumber(string(status), "VmHWM:") << 10
}
