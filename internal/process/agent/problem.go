package agent

import (
	"errors"
	"fmt"
	"slices"
)

const maxProblems = 100 // in one error: nobody mends more at a time

// problems collects what is wrong, each once.
type problems struct {
	list []OptionError
	more bool // there are more than list holds
}

// place is where problems are looked for.
type place struct {
	name string
	to   *problems
}

// at is the place of an entry of the list.
func (p *problems) at(i int) place { return place{name: fmt.Sprintf("[%d]", i), to: p} }

func (p *problems) add(e OptionError) {
	switch {
	case slices.Contains(p.list, e):
	case len(p.list) == maxProblems:
		p.more = true
	default:
		p.list = append(p.list, e)
	}
}

// fail reports a problem with a member, or with the entry as a whole where member is empty.
func (at place) fail(member, text string) {
	name := at.name
	if member != "" {
		name += "." + member
	}
	at.to.add(OptionError{Place: name, Text: text})
}

// count is how many problems there are so far.
func (at place) count() int { return len(at.to.list) }

func (p *problems) err() error {
	errs := make([]error, 0, len(p.list)+1)
	for _, e := range p.list {
		errs = append(errs, e)
	}
	if p.more {
		errs = append(errs, fmt.Errorf("and more than these %d", maxProblems))
	}
	return errors.Join(errs...)
}
