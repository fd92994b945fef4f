package audit

import (
	"sluice/e2e/generate"
	"sluice/e2e/stack/intake"
)

// index finds the line an entry is a copy of.
type index struct {
	lines  []generate.Line
	mark   map[generate.Mark]int
	text   map[string][]int // lines without a mark, by their message
	event  map[string]int
	copies map[string]int // entries seen of each text
}

func newIndex(lines []generate.Line) *index {
	x := &index{
		lines: lines, mark: map[generate.Mark]int{}, text: map[string][]int{}, event: map[string]int{}, copies: map[string]int{},
	}
	for i, line := range lines {
		switch {
		case line.Mark != (generate.Mark{}):
			x.mark[line.Mark] = i
		case line.Rule == "":
			x.text[line.Message] = append(x.text[line.Message], i)
		}
		if line.EventID != "" && line.Rule == "" {
			x.event[line.EventID] = i
		}
	}
	return x
}

// find goes by the mark, then by the event id, then by the whole text; lines with equal texts take turns.
func (x *index) find(entry intake.Entry) (at int, found, intact bool) {
	mark, marked, whole := entry.Mark, entry.Mark != (generate.Mark{}), entry.Intact
	if !marked {
		mark, marked, whole = generate.FindMark(entry.Message)
	}
	if marked {
		at, found = x.mark[mark]
		return at, found, whole
	}
	at, found = x.event[entry.ID]
	if found && x.lines[at].Mark == (generate.Mark{}) && x.lines[at].Message == entry.Message {
		return at, true, true
	}
	if same := x.text[entry.Message]; len(same) > 0 {
		turn := x.copies[entry.Message] % len(same)
		x.copies[entry.Message]++
		return same[turn], true, true
	}
	return at, found, false
}
