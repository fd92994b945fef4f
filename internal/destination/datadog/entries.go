package datadog

import (
	"bytes"
	"cmp"
	"slices"

	"sluice/internal/jsonwalk"
)

// entry is what becomes one member of a new object.
type entry struct {
	name []byte // as it is read
	key  []byte // as it stands in the document, quotes included
	body []byte // its value, or the object that the value is made of
	drop string // the member that the object goes without, as the name tells it; empty takes the body as it is

	isFirst bool // no entry in front has the same name
	next    int  // the one behind it that has; -1 for none
}

// none is the end of a chain of entries.
const none = -1

// entries are those of an object in the making, behind those of the objects around it.
type entries struct {
	all   []entry
	order []int
}

// reset takes away the entries from base on.
func (e *entries) reset(base int) { e.all = e.all[:base] }

// addNamed adds an object that a member of its own names. It reports false, and adds nothing, when that is not one
// member with a text that is not empty.
func (e *entries) addNamed(object []byte, by string) bool {
	added := entry{body: object, drop: by}
	for s := spansOf(object); s.next(); {
		if string(s.Name()) != by {
			continue
		}
		name, ok := jsonwalk.Text(s.Value())
		if !ok || len(name) == 0 || added.key != nil {
			return false
		}
		added.name, added.key = name, s.Value()
	}
	if added.key == nil {
		return false
	}
	e.all = append(e.all, added)
	return true
}

// addPair adds an object that has a name and a value and nothing else.
func (e *entries) addPair(object []byte) bool {
	var added entry
	members := 0
	for s := spansOf(object); s.next(); members++ {
		switch string(s.Name()) {
		case "name":
			name, ok := jsonwalk.Text(s.Value())
			if !ok || len(name) == 0 {
				return false
			}
			added.name, added.key = name, s.Value()
		case "value":
			added.body = s.Value()
		}
	}
	if members != 2 || added.key == nil || added.body == nil {
		return false
	}
	e.all = append(e.all, added)
	return true
}

// link chains the entries from base on that have the same name. However many names there are, and whatever they are, it
// takes n log n steps.
func (e *entries) link(base int) {
	e.order = e.order[:0]
	for i := base; i < len(e.all); i++ {
		e.order = append(e.order, i)
	}
	slices.SortFunc(e.order, func(a, b int) int {
		return cmp.Or(bytes.Compare(e.all[a].name, e.all[b].name), a-b)
	})
	before := none
	for _, at := range e.order {
		this := &e.all[at]
		this.next, this.isFirst = none, before == none || !bytes.Equal(e.all[before].name, this.name)
		if !this.isFirst {
			e.all[before].next = at
		}
		before = at
	}
}

// last returns the entry at the end of the chain that starts at i.
func (e *entries) last(i int) *entry {
	for e.all[i].next != none {
		i = e.all[i].next
	}
	return &e.all[i]
}

// appendObject appends the entries from base on as the members of an object: where a name is used again, the last value at
// the place of the first.
func (e *entries) appendObject(dst []byte, base int) []byte {
	e.link(base)
	start := len(dst)
	for i := base; i < len(e.all); i++ {
		if !e.all[i].isFirst {
			continue
		}
		last := e.last(i)
		dst = append(append(append(dst, ','), last.key...), ':')
		dst = last.appendBody(dst)
	}
	return closeObject(dst, start)
}

func (e *entry) appendBody(dst []byte) []byte {
	if e.drop == "" {
		return append(dst, e.body...)
	}
	start := len(dst)
	for s := spansOf(e.body); s.next(); {
		if string(s.Name()) != e.drop {
			dst = append(append(dst, ','), s.member()...)
		}
	}
	return closeObject(dst, start)
}

// closeObject makes an object of the members that stand in dst from start on, each behind a comma.
func closeObject(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, "{}"...)
	}
	dst[start] = '{'
	return append(dst, '}')
}
