package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/notify"
	"sluice/e2e/stack/owner"
)

// The large object: 256 MiB, and the marks.
const (
	largeKey      = "app/export/large.log"
	largeSource   = "s3-large" // in the marks of its lines, which are numbered from 1
	largeLines    = 256 << 10
	lineBytes     = 1 << 10            // of a line behind its mark
	largeCut      = 150 << 20          // where the connection of its first reading ends
	writeBytes    = 256 << 10          // to the bucket at a time
	largeFunction = "s3, large object" // its environment
	largeHead     = "INFO export "     // of every line
)

// large is the object of several hundred MB: its way in, its intake, and the account of its lines. It exists only in the
// bucket.
type large struct {
	lines int
	tally *tally
	async *owner.Async
	bytes int64
}

// put writes the object as it goes and announces it.
func (l *large) put(ctx context.Context, b *bucket.Server) error {
	source, sink := io.Pipe()
	go func() { sink.CloseWithError(writeLines(sink, l.lines)) }()
	o, err := b.PutObject(ctx, logBucket, largeKey, source)
	source.CloseWithError(err) // ends the writer if it was not read to its end
	if err != nil {
		return err
	}
	l.bytes = o.Size
	return l.async.Send(largeKey, notify.Native(o))
}

// taken is how many lines, and copies of lines, its intake has.
func (l *large) taken() int {
	arrived, surplus, _ := l.tally.counts()
	return arrived + surplus
}

// writeLines holds a line at a time.
func writeLines(w io.Writer, n int) error {
	buffered := bufio.NewWriterSize(w, writeBytes)
	random := rand.New(rand.NewPCG(seed, 0))
	style := generate.Text(largeHead, lineBytes)
	for i := range n {
		line := style(random, time.Time{}, generate.Mark{Src: largeSource, Seq: i + 1})
		_, _ = buffered.WriteString(line) // its error stays, and WriteByte gives it
		if err := buffered.WriteByte('\n'); err != nil {
			return fmt.Errorf("write line %d of the large object: %w", i+1, err)
		}
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("write the last of %d lines of the large object: %w", n, err)
	}
	return nil
}

// account adds the lines of the object to a report that covers everything else. ledgers are those of the function that
// read it and nothing else.
func (l *large) account(r *audit.Report, ledgers []stack.Ledger) {
	arrived, surplus, alien := l.tally.counts()
	missing := l.lines - arrived
	r.In += l.lines
	r.Delivered += arrived
	r.Corrupted += alien
	switch {
	case len(l.async.Failures) > 0:
		r.Returned += missing
	case missing > 0:
		r.Lost += missing
		r.Examples["lost"] = append(r.Examples["lost"], fmt.Sprintf("%d of the large object", missing))
	}
	if alien > 0 {
		r.Examples["corrupted"] = append(r.Examples["corrupted"], "lines of the large object")
	}
	l.explain(r, surplus)
	claimed := 0
	for _, ledger := range ledgers {
		d := ledger.Destinations[destination]
		if !d.Balanced() || ledger.Unaccounted != 0 {
			r.Problems = append(r.Problems, "large object, invocation "+ledger.RequestID+": its ledger does not balance")
		}
		claimed += d.Delivered
	}
	if claimed > arrived+surplus {
		r.Problems = append(r.Problems,
			fmt.Sprintf("large object: the function counts %d lines delivered, the intake %d", claimed, arrived+surplus))
	}
}

// explain finds the cause of copies beyond the first: every delivery after the first may bring each line once more.
func (l *large) explain(r *audit.Report, surplus int) {
	again := min(surplus, l.lines*max(0, len(l.async.History)-1))
	if again > 0 {
		r.Duplicates[audit.D4] += again
	}
	if surplus > again {
		r.Duplicates[audit.Unexplained] += surplus - again
		r.Examples[string(audit.Unexplained)] = append(r.Examples[string(audit.Unexplained)], "lines of the large object")
	}
}
