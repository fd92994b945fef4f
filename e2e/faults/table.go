package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sluice/e2e/audit"
)

// column is one of the table.
type column struct {
	name  string
	width int // negative: to the left
	text  func(*outcome) string
}

// number is a column of a count at the end.
func number(name string, width int, of func(*outcome) int) column {
	return column{name, width, func(o *outcome) string {
		if o.end == nil {
			return "?"
		}
		return strconv.Itoa(of(o))
	}}
}

func columns() []column {
	return []column{
		{"fault", -5, func(o *outcome) string { return o.task.row.id }},
		{"entry", -10, func(o *outcome) string { return string(o.task.path) }},
		{"injected", -38, func(o *outcome) string { return o.task.cell.what }},
		number("in", 6, func(o *outcome) int { return o.end.In }),
		number("delivered", 9, func(o *outcome) int { return o.end.Delivered }),
		{"duplicates", -12, duplicates},
		{"dropped", -26, func(o *outcome) string { return shown(o.dropped) }},
		{"pending", 7, func(o *outcome) string {
			if o.mid == nil {
				return "?"
			}
			return strconv.Itoa(o.mid.Pending)
		}},
		number("dead", 5, func(o *outcome) int { return o.end.Dead }),
		number("raw", 5, func(o *outcome) int { return o.end.DeadRaw }),
		number("returned", 8, func(o *outcome) int { return o.end.Returned }),
		{"LOST", 4, func(o *outcome) string { return strconv.Itoa(o.lost()) }},
		number("requests", 8, func(o *outcome) int { return o.end.Requests }),
		number("amp", 5, nil).with(func(o *outcome) string { return fmt.Sprintf("%.2f", o.end.Amplification) }),
		number("puts", 5, func(o *outcome) int { return o.end.StorePuts }),
		{"wall", 6, func(o *outcome) string { return fmt.Sprintf("%.1fs", o.wall.Seconds()) }},
		number("rss", 5, func(o *outcome) int { return int(o.end.PeakRSSBytes >> 20) }),
		number("lines/inv", 9, nil).with(func(o *outcome) string { return fmt.Sprintf("%.1f", o.end.LinesOfOutput) }),
		{"canary", 6, func(o *outcome) string { return strconv.Itoa(len(o.canaries())) }},
		{"verdict", -7, (*outcome).verdict},
	}
}

// with is a column with another text.
func (c column) with(text func(*outcome) string) column {
	c.text = func(o *outcome) string {
		if o.end == nil {
			return "?"
		}
		return text(o)
	}
	return c
}

func duplicates(o *outcome) string {
	if o.end == nil {
		return "?"
	}
	counts := map[string]int{}
	for class, n := range o.end.Duplicates {
		if class == audit.Unexplained {
			class = "unexplained"
		}
		counts[string(class)] += n
	}
	return shown(counts)
}

// table writes rows as they come.
type table struct {
	out     io.Writer
	columns []column
}

func (t *table) head() {
	t.line(func(c column) string { return c.name })
}

func (t *table) row(o *outcome) {
	t.line(func(c column) string { return c.text(o) })
}

func (t *table) line(text func(column) string) {
	var b strings.Builder
	for _, c := range t.columns {
		fmt.Fprintf(&b, "%*s ", c.width, text(c))
	}
	fmt.Fprintln(t.out, strings.TrimRight(b.String(), " "))
}

// none writes the paths that a fault does not concern.
func (t *table) none(r *row) {
	for _, e := range r.not {
		for _, p := range e.on {
			fmt.Fprintf(t.out, "%-5s %-10s -\n", r.id, p)
		}
	}
}

// legend says what the faults are that were played, what is expected, and why some paths are left out.
func legend(out io.Writer, outcomes []outcome) {
	var last *row
	for i := range outcomes {
		r := outcomes[i].task.row
		if r == last {
			continue
		}
		last = r
		fmt.Fprintf(out, "%-4s %s: %s\n", r.id, r.fault, r.end)
		for _, e := range r.not {
			fmt.Fprintf(out, "       - %s: %s\n", joined(e.on), e.reason)
		}
	}
}

func joined(list []path) string {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = string(p)
	}
	return strings.Join(names, ", ")
}

// shown is counts as they stand in a report.
func shown(counts map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if counts[name] != 0 {
			parts = append(parts, name+":"+strconv.Itoa(counts[name]))
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, " ")
}
