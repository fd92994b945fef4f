package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"sluice/e2e/generate"
)

// tally is what became of the lines of an object.
type tally struct {
	arrived int // lines, each counted once
	twice   int // arrivals beyond the first
	damaged int // items that are no line of the object, or not as it was
}

// census counts lines by their marks. It may be used by several goroutines.
type census struct {
	lines                   int
	seen                    []atomic.Uint64 // a bit for each line
	arrived, twice, damaged atomic.Int64
}

const wordBits = 64

func newCensus(lines int) *census {
	return &census{lines: lines, seen: make([]atomic.Uint64, lines/wordBits+1)}
}

// count takes the message of an item.
func (c *census) count(message string) {
	mark, found, intact := generate.FindMark(message)
	if !found || !intact || mark.Src != lineSource || mark.Seq < 1 || mark.Seq > c.lines {
		c.damaged.Add(1)
		return
	}
	bit := uint64(1) << (mark.Seq % wordBits)
	if c.seen[mark.Seq/wordBits].Or(bit)&bit != 0 {
		c.twice.Add(1)
		return
	}
	c.arrived.Add(1)
}

func (c *census) tally() tally {
	return tally{arrived: int(c.arrived.Load()), twice: int(c.twice.Load()), damaged: int(c.damaged.Load())}
}

// verify reads every body again, on all processors: every item of it, and the checksum of every line.
func verify(s *sink, bodies []body, lines int) (tally, error) {
	c := newCensus(lines)
	var (
		next    atomic.Int64
		readers sync.WaitGroup
	)
	wrong := make([]error, runtime.GOMAXPROCS(0))
	for i := range wrong {
		readers.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(bodies)) && wrong[i] == nil; n = next.Add(1) - 1 {
				if err := c.body(s.open(bodies[n]), bodies[n].encoding); err != nil {
					wrong[i] = fmt.Errorf("body %d of %d: %w", n+1, len(bodies), err)
				}
			}
		})
	}
	readers.Wait()
	return c.tally(), errors.Join(wrong...)
}

// item is what is looked at of an item: Datadog Logs API v2, "Send logs".
type item struct {
	Message string `json:"message"`
}

// body counts the items of one body, which is a JSON array.
func (c *census) body(packed io.Reader, encoding string) error {
	plain, done, err := unpack(packed, encoding)
	if err != nil {
		return err
	}
	defer done()
	decoder := json.NewDecoder(plain)
	if token, err := decoder.Token(); err != nil || token != json.Delim('[') {
		return fmt.Errorf("it starts with %v, not with an array: %w", token, err)
	}
	for decoder.More() {
		var i item
		if err := decoder.Decode(&i); err != nil {
			return fmt.Errorf("read the item that ends at byte %d: %w", decoder.InputOffset(), err)
		}
		c.count(i.Message)
	}
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("read the end of the array at byte %d: %w", decoder.InputOffset(), err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) { // also checks the checksum
		return fmt.Errorf("something follows the array at byte %d: %w", decoder.InputOffset(), err)
	}
	return nil
}

// unpack undoes a Content-Encoding. Call done when the reader is no longer needed.
func unpack(packed io.Reader, encoding string) (plain io.Reader, done func(), err error) {
	switch encoding {
	case "":
		return packed, func() {}, nil
	case "gzip":
		r, err := gzip.NewReader(packed)
		if err != nil {
			return nil, nil, fmt.Errorf("gunzip: %w", err)
		}
		return r, func() {}, nil
	case "zstd":
		r, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, nil, fmt.Errorf("unpack zstd: %w", err)
		}
		return r, r.Close, nil
	default:
		return nil, nil, fmt.Errorf("Content-Encoding is %q: want gzip, zstd or none", encoding)
	}
}
