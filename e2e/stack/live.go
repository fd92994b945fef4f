package stack

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Live is what the running process of a function holds at this moment.
type Live struct {
	PID      int
	RSSBytes int64
	FDs      int // open file descriptors
	Threads  int
}

// Live reads what the process holds. It is false when none runs.
func (f *Function) Live() (Live, bool) {
	f.mu.Lock()
	env := f.env
	f.mu.Unlock()
	if env == nil || env.gone() {
		return Live{}, false
	}
	l := Live{PID: env.cmd.Process.Pid}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.PID))
	if err != nil {
		return Live{}, false
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", l.PID))
	if err != nil {
		return Live{}, false
	}
	l.FDs = len(fds)
	l.RSSBytes = statusNumber(string(status), "VmRSS:") << 10
	l.Threads = int(statusNumber(string(status), "Threads:"))
	return l, true
}

// statusNumber is the number behind a name in /proc/<pid>/status, 0 without one.
func statusNumber(status, name string) int64 {
	_, rest, _ := strings.Cut(status, name)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0
	}
	return n
}
