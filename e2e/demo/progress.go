package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// How often a person is told how far it is.
const (
	everyOnTerminal = 200 * time.Millisecond
	everyElsewhere  = 2 * time.Second
)

// progress tells how far it is: one line that changes on a terminal, a line now and then elsewhere.
type progress struct {
	out      io.Writer
	total    int
	terminal bool
	started  time.Time
}

func newProgress(out io.Writer, total int) *progress {
	p := &progress{out: out, total: total, started: time.Now()}
	if file, ok := out.(*os.File); ok {
		info, err := file.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// show reports until ended is closed.
func (p *progress) show(ended <-chan struct{}, state func() (taken int, intake string)) {
	every := everyElsewhere
	if p.terminal {
		every = everyOnTerminal
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			p.line(state())
			if p.terminal {
				fmt.Fprintln(p.out)
			}
			return
		case <-ticker.C:
			p.line(state())
		}
	}
}

func (p *progress) line(taken int, intake string) {
	text := fmt.Sprintf("%5.1f s  %6d of %d lines taken, intake %s", time.Since(p.started).Seconds(), taken, p.total, intake)
	if p.terminal {
		fmt.Fprintf(p.out, "\r\x1b[K%s", text) // back to the start of the line, clear it
		return
	}
	fmt.Fprintln(p.out, text)
}
