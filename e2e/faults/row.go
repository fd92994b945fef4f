package main

import (
	"slices"

	"sluice/e2e/audit"
	"sluice/e2e/rig"
)

// row is a fault of the delivery contract, section 4.2.
type row struct {
	id    string // "F1"
	fault string
	end   string // the state that is expected at the end, in words
	cells []cell
	not   []exception
}

// exception says why a fault does not concern some paths.
type exception struct {
	on     []path
	reason string
}

// cell is one way to inject a fault, on each of some paths.
type cell struct {
	on    []path
	short []path // of these, those of the short form
	what  string // is injected, in a few words
	lines int    // that are fed; 0 means usualLines

	options func(r *run, o *rig.Options) error // r has no rig yet

	// What is done, in this order; nil means what is usual. Feed puts lines where the path takes them from, inject does what
	// goes wrong, deliver has their owner deliver them (or replay, what is parked), heal ends the fault. What is left with
	// an owner is delivered then, and what is pending is replayed.
	feed, inject, deliver, heal step
	// during runs beside deliver, until that ends.
	during func(r *run, ended <-chan struct{}) error

	allow []audit.Class // duplicates that the fault may make; others are a failure
	then  []expectation // what has to be so, beside that nothing is pending
}

// step is a part of a cell. Its error is that of the equipment.
type step func(r *run) error

// expectation notes in r what is not as it has to be.
type expectation func(r *run)

const usualLines = 1000

// task is one cell on one path.
type task struct {
	row  *row
	cell *cell
	path path
}

func (t task) name() string {
	name := t.row.id + " " + string(t.path)
	if t.cell.what != "" {
		name += " " + t.cell.what
	}
	return name
}

// tasks are the cells of a matrix, path by path.
func tasks(matrix []row, short bool) []task {
	var list []task
	for i := range matrix {
		r := &matrix[i]
		for _, p := range paths() {
			for j := range r.cells {
				c := &r.cells[j]
				on := c.on
				if short {
					on = c.short
				}
				if slices.Contains(on, p) {
					list = append(list, task{row: r, cell: c, path: p})
				}
			}
		}
	}
	return list
}
