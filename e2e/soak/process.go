package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// watch samples the processes of the functions while they live. Linux alone: it reads /proc.
type watch struct {
	start time.Time

	mu    sync.Mutex // guards what follows
	lives map[string]*life
	order []*life
}

func newWatch() *watch { return &watch{start: time.Now(), lives: map[string]*life{}} }

const sampleEvery = time.Second

// run samples until ctx ends.
func (w *watch) run(ctx context.Context) {
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.sample()
		}
	}
}

// sample looks at every process once. One that ends meanwhile is left out.
func (w *watch) sample() {
	for pid, name := range children(os.Getpid()) {
		s, ok := sampleOf(pid)
		if !ok {
			continue
		}
		s.at = time.Since(w.start)
		w.add(name, s)
	}
}

func (w *watch) add(name string, s sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.lives[name]
	if l == nil {
		l = &life{name: name}
		w.lives[name] = l
		w.order = append(w.order, l)
	}
	l.samples = append(l.samples, s)
}

// all are the processes there were, in the order of their starts. Nothing may be sampled any more.
func (w *watch) all() []*life {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.order
}

// children are the processes of functions below a process: what they call themselves, by their number.
func children(parent int) map[int]string {
	list := map[int]string{}
	folders, _ := filepath.Glob("/proc/[0-9]*") // the pattern is a good one
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil || parentOf(folder) != parent {
			continue
		}
		if name := variable(folder, lifeName); name != "" {
			list[pid] = name
		}
	}
	return list
}

// parentOf is the process that started another one; 0 when it is gone. Format: proc_pid_stat(5), fields 2 to 4; the second
// one may hold anything and ends with the last parenthesis.
func parentOf(folder string) int {
	text, err := os.ReadFile(filepath.Join(folder, "stat"))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1]) // 0 is nobody
	return parent
}

// variable is one of the environment that a process was started with.
func variable(folder, name string) string {
	text, err := os.ReadFile(filepath.Join(folder, "environ"))
	if err != nil {
		return ""
	}
	for word := range strings.SplitSeq(string(text), "\x00") {
		if value, found := strings.CutPrefix(word, name+"="); found {
			return value
		}
	}
	return ""
}

// sampleOf is what a process uses now. Format: proc_pid_status(5).
func sampleOf(pid int) (sample, bool) {
	folder := "/proc/" + strconv.Itoa(pid)
	text, err := os.ReadFile(filepath.Join(folder, "status"))
	if err != nil {
		return sample{}, false
	}
	files, err := os.ReadDir(filepath.Join(folder, "fd"))
	if err != nil {
		return sample{}, false
	}
	s := sample{files: len(files), threads: int(number(text, "Threads:")), rssBytes: number(text, "VmRSS:") << 10}
	return s, s.rssBytes > 0 // a process on its way out has none
}

// number is the first number behind a label.
func number(text []byte, label string) int64 {
	_, rest, _ := strings.Cut(string(text), label)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(fields[0], 10, 64) // 0 is not known
	return n
}

// ownPeak is the high water mark of this process' resident set.
func ownPeak() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	return number(text, "VmHWM:") << 10
}
