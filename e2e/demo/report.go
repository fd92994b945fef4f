package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"sluice/e2e/audit"
	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/intake"
)

const (
	maxShownRecords = 5
	maxShownText    = 160 // characters of a message
)

// showRecords prints some delivered sample records, one of each source.
func showRecords(out io.Writer, entries []intake.Entry, w work) {
	samples := map[string]bool{}
	for _, line := range w.lines {
		if line.Message != "" {
			samples[line.Message] = true
		}
	}
	fmt.Fprintln(out, "\nsome records as they arrived:")
	shown := map[string]bool{}
	for _, e := range entries {
		if len(shown) == maxShownRecords {
			return
		}
		if shown[e.Source] || !samples[e.Message] {
			continue
		}
		shown[e.Source] = true
		fmt.Fprintf(out, "\n  source   %s\n  service  %s\n", e.Source, e.Service)
		if e.Host != "" {
			fmt.Fprintf(out, "  host     %s\n", e.Host)
		}
		if e.Millis != 0 {
			fmt.Fprintf(out, "  time     %s\n", time.UnixMilli(e.Millis).UTC().Format(time.RFC3339Nano))
		}
		fmt.Fprintf(out, "  tags     %s\n  message  %s\n", strings.ReplaceAll(e.Tags, ",", ", "), shorten(e.Message))
	}
}

// showSources prints which services were recognised: nobody has told them.
func showSources(out io.Writer, entries []intake.Entry) {
	type name struct{ source, service string }
	lines := map[name]int{}
	for _, e := range entries {
		lines[name{e.Source, e.Service}]++
	}
	names := slices.SortedFunc(maps.Keys(lines), func(a, b name) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.service, b.service))
	})
	fmt.Fprintln(out, "\nwho wrote them, as Sluice has found out:")
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "source\tservice\tlines")
	for _, n := range names {
		fmt.Fprintf(table, "%s\t%s\t%d\n", n.source, n.service, lines[n])
	}
	table.Flush()
}

// sum is how many lines, and copies of lines, each intake has.
type sum struct {
	named  int // those that showSources counts
	large  int // of the large object
	stream int // of the delivery stream
}

// showSum leads from the lines that showSources counts to those that came in, the ledger's in=.
func showSum(out io.Writer, r *audit.Report, s sum) {
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(lines int, what string) { fmt.Fprintf(table, "%d\t  %s\n", lines, what) }
	row(s.named, "lines in this table")
	row(s.large, "of the large object, which an intake of its own counts")
	row(s.stream, "of the closed loop, which Firehose sent to its own endpoint")
	for _, other := range []struct {
		lines int
		what  string
	}{
		{-r.TotalDuplicates(), "that arrived again"},
		{-r.Corrupted - r.Unknown, "that are none of the lines sent"},
		{r.Dropped, "dropped by a rule that has a name"},
		{r.Parked, "parked"},
		{r.Dead + r.DeadRaw, "dead: kept for a person to look at"},
		{r.Returned, "still with AWS"},
		{r.Lost, "lost"},
	} {
		if other.lines != 0 {
			row(other.lines, other.what)
		}
	}
	row(r.In, "lines came in: the ledger's in=")
	table.Flush()
}

// shorten makes a message fit for a line of a terminal: no control characters, not too long.
func shorten(message string) string {
	clean := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.TrimSpace(message)))
	if len(clean) <= maxShownText {
		return string(clean)
	}
	return string(clean[:maxShownText-1]) + "…"
}

// showObjects prints how each object was read.
func showObjects(out io.Writer, s *scene, list []*object) {
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "object\tannounced by\tlines\tMB\treads from S3")
	for _, o := range list {
		fmt.Fprintf(table, "%s\t%s\t%d\t%.2f\t%s\n", o.what, o.route, len(o.lines), float64(o.put.Size)/1e6, reads(s.bucket, o.key))
	}
	fmt.Fprintf(table, "%s\t%s\t%d\t%.2f\t%s\n", "the large one, plain text", byS3, s.large.lines, float64(s.large.bytes)/1e6,
		reads(s.bucket, largeKey))
	table.Flush()
}

// reads says where each reading of an object began and how it ended.
func reads(b *bucket.Server, key string) string {
	requests := b.RequestsOf(logBucket, key)
	list := make([]string, 0, len(requests))
	for _, r := range requests {
		text := strconv.Itoa(r.Status)
		if from, found := strings.CutPrefix(r.Range, "bytes="); found {
			text += " from byte " + strings.TrimSuffix(from, "-")
		}
		if !r.Whole {
			text += fmt.Sprintf(", cut after %d bytes", r.Bytes)
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}

// showFunctions prints what each function did, by its own count.
func showFunctions(out io.Writer, functions []forwarder) {
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "function\tinvocations\tlines read\trequests\tretries\tMB in\tMB sent\tCPU s\tpeak RSS MiB\t")
	for _, f := range functions {
		var sum stack.Ledger
		ledgers := f.Ledgers()
		for _, l := range ledgers {
			sum.In += l.In
			sum.Requests += l.Requests
			sum.Retries += l.Retries
			sum.BytesIn += l.BytesIn
			sum.BytesSent += l.BytesSent
		}
		usage := f.Usage()
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%.1f\t%.1f\t%.2f\t%.1f\t\n", f.name, len(ledgers), sum.In, sum.Requests, sum.Retries,
			float64(sum.BytesIn)/1e6, float64(sum.BytesSent)/1e6, usage.CPU.Seconds(), float64(usage.PeakRSSBytes)/(1<<20))
	}
	table.Flush()
}

// audit covers all functions together.
func (s *scene) audit(w work, entries []intake.Entry, store *audit.Store) *audit.Report {
	e := audit.Evidence{
		Parked: store.Of(destination), Replays: s.replays, Sender: replaySender,
		Destination: destination,
		Lines:       w.lines,
		Entries:     entries,
		History: slices.Concat(s.queue.History, s.mapping.History,
			s.announcer.direct.History, s.announcer.queue.History, s.announcer.job.history, s.loop.queue.History),
		Failures: slices.Concat(s.queue.Failures, s.mapping.Failures,
			s.announcer.direct.Failures, s.announcer.queue.Failures, s.announcer.job.failures,
			s.loop.queue.Failures, s.loop.stream.Failures()),
	}
	var large []stack.Ledger
	for _, f := range s.functions {
		switch f.name {
		case largeFunction:
			large = f.Ledgers()
		case loopFunction:
			e.Stream = s.loop.evidence(f.Ledgers())
		case replayFunction:
			e.ReplayLedgers = f.Ledgers()
		default:
			e.Ledgers = append(e.Ledgers, f.Ledgers()...)
		}
	}
	e.Parked.Puts = s.puts()
	report := audit.Join(e)
	report.Problems = append(report.Problems, store.Problems...)
	s.large.account(report, large)
	return report
}

// puts bound how many records the functions parked, but for replay, by what the bucket was sent.
func (s *scene) puts() *audit.Puts {
	p := &audit.Puts{}
	for _, q := range s.bucket.Requests() {
		folder, _, _ := strings.Cut(strings.TrimPrefix(q.Key, parkRoot), "/")
		if q.Bucket != parkBucket || q.Method != http.MethodPut || folder != "pending" && folder != "dead" ||
			strings.Contains(q.Agent, replayAgent) {
			continue
		}
		p.Most += max(1, q.Count)
		if q.Status == http.StatusOK {
			p.Least += max(1, q.Count)
		}
	}
	return p
}

// showLedger explains the duplicates, then ends with the ledger.
func showLedger(out io.Writer, r *audit.Report) {
	fmt.Fprintln(out)
	if r.TotalDuplicates() == 0 {
		fmt.Fprintln(out, "no line arrived twice")
	}
	for _, class := range r.Classes() {
		fmt.Fprintf(out, "%d lines arrived again: %s (%s)\n", r.Duplicates[class], class.Cause(), class)
	}
	fmt.Fprintln(out, r)
}
