package stack

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// Bounds of what is kept of a function's output.
const (
	maxLineBytes  = 1 << 20 // the rest of a longer line is read and thrown away
	maxKeptLines  = 2_000
	lineBufferLen = 64 << 10
)

// output collects what the processes of one function print: the last lines, and every ledger line.
type output struct {
	mu      sync.Mutex
	lines   []string
	printed int
	ledgers []Ledger
	news    chan struct{} // closed and replaced whenever a ledger line arrives
}

func newOutput() *output { return &output{news: make(chan struct{})} }

// read takes lines from r until it ends. A read error is the end: the other side of the pipe is a process that died.
func (o *output) read(r io.Reader) {
	buffered := bufio.NewReaderSize(r, lineBufferLen)
	for {
		line, err := readLine(buffered)
		if len(line) > 0 {
			o.add(line)
		}
		if err != nil {
			return
		}
	}
}

// readLine returns the next line without its newline, cut at maxLineBytes.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if room := maxLineBytes - len(line); room > 0 {
			line = append(line, part[:min(room, len(part))]...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimRight(line, "\r\n"), err
		}
	}
}

func (o *output) add(line []byte) {
	ledger, isLedger := parseLedger(line)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, string(line))
	o.printed++
	if len(o.lines) >= 2*maxKeptLines {
		o.lines = slices.Delete(o.lines, 0, len(o.lines)-maxKeptLines)
	}
	if isLedger {
		o.ledgers = append(o.ledgers, ledger)
		close(o.news)
		o.news = make(chan struct{})
	}
}

func (o *output) lastLines() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.lines[max(0, len(o.lines)-maxKeptLines):])
}

func (o *output) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.printed
}

func (o *output) allLedgers() []Ledger {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.ledgers)
}

func (o *output) find(requestID string) (Ledger, bool, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, ledger := range slices.Backward(o.ledgers) {
		if ledger.RequestID == requestID {
			return ledger, true, nil
		}
	}
	return Ledger{}, false, o.news
}

func (o *output) waitLedger(ctx context.Context, requestID string) (Ledger, error) {
	for {
		ledger, found, news := o.find(requestID)
		if found {
			return ledger, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return Ledger{}, fmt.Errorf("wait for the ledger line of %s: %w", requestID, context.Cause(ctx))
		}
	}
}
