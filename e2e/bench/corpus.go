package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/klauspost/compress/gzip"

	"sluice/e2e/generate"
)

const (
	lineSource  = "s3" // in the marks of lines
	lineSeed    = 1
	gzipLevel   = 6 // what gzip does unless it is told otherwise, and about what AWS does
	bufferBytes = 256 << 10
)

// corpus is what an object holds.
type corpus struct {
	lines      int
	plainBytes int64
}

// writeCorpus writes a packed object of access log lines to w: sizeBytes before compression, or up to a line more. The
// lines are numbered from 1. It holds a line at a time. Equal sizes and times give equal bytes.
func writeCorpus(w io.Writer, sizeBytes int64, now time.Time) (corpus, error) {
	packer, err := gzip.NewWriterLevel(w, gzipLevel)
	if err != nil {
		return corpus{}, fmt.Errorf("gzip: %w", err)
	}
	plain := bufio.NewWriterSize(packer, bufferBytes)
	random := rand.New(rand.NewPCG(lineSeed, 0)) // the lines are the same in every run
	var c corpus
	for c.plainBytes < sizeBytes {
		at := now.Add(-time.Duration(random.IntN(60_000)) * time.Millisecond)
		line := generate.ALB(random, at, generate.Mark{Src: lineSource, Seq: c.lines + 1})
		_, _ = plain.WriteString(line) // its error stays, and Flush gives it
		if err := plain.WriteByte('\n'); err != nil {
			return corpus{}, fmt.Errorf("write line %d: %w", c.lines+1, err)
		}
		c.lines++
		c.plainBytes += int64(len(line) + 1)
	}
	if err := plain.Flush(); err != nil {
		return corpus{}, fmt.Errorf("write the last of %d lines: %w", c.lines, err)
	}
	if err := packer.Close(); err != nil {
		return corpus{}, fmt.Errorf("end the gzip stream behind %d lines: %w", c.lines, err)
	}
	return c, nil
}
