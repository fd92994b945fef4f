package tags

import (
	"container/list"
	"slices"
	"time"

	"sluice/internal/record"
)

// entry is what is known of one resource.
type entry struct {
	arn     string
	tags    record.Tags // none: it has none, or there is no such resource
	at      time.Time   // when AWS said so
	staleAt time.Time
}

const entryBytes = 200 // of an entry without its texts: its place in the map and in the list

func (e *entry) size() int {
	n := entryBytes + len(e.arn)
	for _, tag := range e.tags {
		n += 2*16 + len(tag.Key) + len(tag.Value) // two strings
	}
	return n
}

const maxMemoryBytes = 2 << 20 // for one kind: about 4,000 resources with ten tags each

// memory holds entries until it is full, and then those that were looked up last.
type memory struct {
	places map[string]*list.Element
	order  *list.List // of *entry; last looked up in front
	bytes  int
}

func newMemory() memory { return memory{places: map[string]*list.Element{}, order: list.New()} }

// get returns what is known of a resource; nil when nothing is.
func (m *memory) get(arn string) *entry {
	place := m.places[arn]
	if place == nil {
		return nil
	}
	m.order.MoveToFront(place)
	return entryOf(place)
}

// peek is get for those who do not mean to use it.
func (m *memory) peek(arn string) *entry {
	if place := m.places[arn]; place != nil {
		return entryOf(place)
	}
	return nil
}

// put keeps an entry that was asked for. Others may have to go.
func (m *memory) put(e *entry) {
	m.remove(e.arn)
	m.places[e.arn] = m.order.PushFront(e)
	m.bytes += e.size()
	m.trim()
}

func (m *memory) trim() {
	for m.bytes > maxMemoryBytes && m.order.Len() > 1 {
		m.remove(entryOf(m.order.Back()).arn)
	}
}

// offer keeps an entry that others have asked for, if it is newer than what is known, and if there is room.
func (m *memory) offer(e *entry) {
	if place := m.places[e.arn]; place != nil {
		if there := entryOf(place); e.at.After(there.at) {
			m.bytes += e.size() - there.size()
			place.Value = e
			m.trim()
		}
		return
	}
	if m.bytes+e.size() > maxMemoryBytes {
		return
	}
	m.places[e.arn] = m.order.PushBack(e)
	m.bytes += e.size()
}

func (m *memory) remove(arn string) {
	if place := m.places[arn]; place != nil {
		m.bytes -= entryOf(place).size()
		m.order.Remove(place)
		delete(m.places, arn)
	}
}

// all are the entries that are held, which do not change.
func (m *memory) all() []*entry {
	entries := make([]*entry, 0, m.order.Len())
	for place := m.order.Front(); place != nil; place = place.Next() {
		entries = append(entries, entryOf(place))
	}
	return entries
}

func entryOf(place *list.Element) *entry {
	e, _ := place.Value.(*entry) // nothing else is put in
	return e
}

// queue is the resources that are to be asked for, each one once, in the order in which they were missed.
type queue struct {
	order []string
	in    map[string]struct{}
}

const maxQueued = 1000 // for one kind; what does not fit comes again with its next lookup

// add reports whether a resource is in the queue now.
func (q *queue) add(arn string) bool {
	if _, there := q.in[arn]; there {
		return true
	}
	if len(q.order) >= maxQueued {
		return false
	}
	if q.in == nil {
		q.in = map[string]struct{}{}
	}
	q.in[arn] = struct{}{}
	q.order = append(q.order, arn)
	return true
}

// first are the n resources that have waited longest. They stay in the queue.
func (q *queue) first(n int) []string { return slices.Clone(q.order[:min(n, len(q.order))]) }

// drop takes those out of the queue that a function says are done.
func (q *queue) drop(done func(arn string) bool) {
	q.order = slices.DeleteFunc(q.order, func(arn string) bool {
		if !done(arn) {
			return false
		}
		delete(q.in, arn)
		return true
	})
}
