// Command ratio reads the output of go test -bench and prints how the pipeline compares with its bounds.
//
//	go test -bench . -count 6 ./internal/forward/ | ratio
//
// It looks at benchmarks named Benchmark<Entry>/<corpus>/<variant>, where the variant is pipeline, ours or redact (the code
// that ships), limit (gunzip, copy and compress only), or naive, baseline or regexp (what the standard library offers). Each figure is the median of the runs, and a
// second is one of CPU time where the benchmark reports cpu-ns/op: that of the clock suffers from the neighbours.
// Everything else in the input is passed over: benchstat is there for spread and significance.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Units of the figures that count, as go test prints them.
const (
	unitSpeed  = "MB/s"         // from b.SetBytes
	unitTime   = "ns/op"        // of the clock
	unitCPU    = "cpu-ns/op"    // of the process, from b.ReportMetric
	unitAllocs = "allocs/event" // from b.ReportMetric

	unitLineAllocs = "allocs/op" // where an operation is a line
)

// result is the name of a line of results: entry and corpus, variant, and the number of processors unless it is 1.
var result = regexp.MustCompile(`^Benchmark(\w+(?:/[^/]+)*)/(pipeline|limit|naive|ours|baseline|redact|regexp)(?:-\d+)?$`)

// variants are those of a part of the path, by what they stand for.
var variants = map[string]string{"ours": "pipeline", "redact": "pipeline", "baseline": "naive", "regexp": "naive"}

// runs holds the figures of every run: by row ("CloudWatch/vpc"), by variant, by unit.
type runs map[string]map[string]map[string][]float64

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ratio:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	all, err := read(in)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return errors.New("no result of a benchmark named Benchmark<Entry>/<corpus>/<pipeline|limit|naive>")
	}
	return all.print(out)
}

// read gathers the figures of every line that is a result.
func read(in io.Reader) (runs, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	all := runs{}
	for line := range strings.Lines(string(text)) {
		all.add(strings.Fields(line))
	}
	return all, nil
}

// add takes in one line: a name, the number of iterations, and then pairs of a figure and its unit.
func (r runs) add(fields []string) {
	if len(fields) < 2 {
		return
	}
	name := result.FindStringSubmatch(fields[0])
	if name == nil {
		return
	}
	row, variant := name[1], cmp.Or(variants[name[2]], name[2])
	if r[row] == nil {
		r[row] = map[string]map[string][]float64{}
	}
	if r[row][variant] == nil {
		r[row][variant] = map[string][]float64{}
	}
	values := figures(fields[2:])
	if allocs, ok := values[unitLineAllocs]; ok && variants[name[2]] != "" {
		values[unitAllocs] = allocs
	}
	for unit, value := range values {
		r[row][variant][unit] = append(r[row][variant][unit], value)
	}
}

// figures reads the pairs of a line, and turns the speed by the clock into the speed by CPU time.
func figures(pairs []string) map[string]float64 {
	byUnit := map[string]float64{}
	for pair := range slices.Chunk(pairs, 2) {
		if value, err := strconv.ParseFloat(pair[0], 64); err == nil && len(pair) == 2 {
			byUnit[pair[1]] = value
		}
	}
	speed, hasSpeed := byUnit[unitSpeed]
	if cpu := byUnit[unitCPU]; hasSpeed && cpu > 0 {
		byUnit[unitSpeed] = speed * byUnit[unitTime] / cpu
	}
	return byUnit
}

// print writes one line a corpus; a figure that the input does not have is a dash.
func (r runs) print(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "corpus\tpipeline MB/s\tlimit MB/s\tnaive MB/s\t: limit\t: naive\tallocs/event\t")
	for _, row := range slices.Sorted(maps.Keys(r)) {
		pipeline := median(r[row]["pipeline"][unitSpeed])
		limit := median(r[row]["limit"][unitSpeed])
		naive := median(r[row]["naive"][unitSpeed])
		allocs := median(r[row]["pipeline"][unitAllocs])
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", row,
			pipeline.format(1), limit.format(1), naive.format(1),
			pipeline.over(limit).format(2), pipeline.over(naive).format(2), allocs.format(3))
	}
	return table.Flush()
}

// figure is a measured value, or nothing.
type figure struct {
	value float64
	known bool
}

// median returns the middle of the values, and nothing when there are none.
func median(values []float64) figure {
	if len(values) == 0 {
		return figure{}
	}
	sorted := slices.Sorted(slices.Values(values))
	low, high := sorted[(len(sorted)-1)/2], sorted[len(sorted)/2]
	return figure{value: (low + high) / 2, known: true}
}

func (f figure) over(other figure) figure {
	if !f.known || !other.known || other.value == 0 {
		return figure{}
	}
	return figure{value: f.value / other.value, known: true}
}

func (f figure) format(decimals int) string {
	if !f.known {
		return "-"
	}
	return strconv.FormatFloat(f.value, 'f', decimals, 64)
}
