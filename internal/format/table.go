package format

import (
	"bytes"
	"strings"
	"sync/atomic"
)

// kind says what the text of a column is, and so what becomes of it.
type kind uint8

const (
	textual   kind = iota
	numeric        // a number by definition, of few digits
	quoted         // text in quotes
	encoded        // text with some bytes as %xx
	moment         // an ISO time; a line without it is none of its log's
	address        // host:port, which become two attributes
	bracketed      // text in square brackets
	request        // method, URL and protocol of a request, in quotes, which become three attributes
	call           // a request in quotes that an HTTP status follows, which stays one
	agent          // text in quotes that the last columns of S3's follow
)

// entry is a column as it stands in a table, or several of a kind that the standards have no names for: what the compiler can put
// into the binary as it is.
type entry struct {
	names     string // in the documentation, with spaces between them
	ecs, otel string // empty where a standard has none. All names of an address are what those of host and port begin with
	kind      kind
}

// table has the columns that a log may have, in the order of its documentation. Nothing is made of it before a line comes
// that has them: a function knows many logs, and sees few.
type table struct {
	entries   []entry
	of        *table // in place of entries: another table, of which
	order     string // these columns are meant
	otherwise kind   // what a column is that a header names and the documentation does not
	least     uint8  // how many columns a line with some in quotes has

	// What has been made. Two goroutines may make the same at a time: either will do.
	made   [namings]atomic.Pointer[[]field]
	places atomic.Pointer[map[string]int]
}

// in returns the columns with their names in a naming. They are shared.
func (t *table) in(naming Naming) []field {
	if made := t.made[naming].Load(); made != nil {
		return *made
	}
	fields := t.make(naming)
	t.made[naming].Store(&fields)
	return fields
}

func (t *table) make(naming Naming) []field {
	if t.of != nil {
		var fields []field
		for name := range bytes.FieldsSeq([]byte(t.order)) {
			at, _ := t.of.place(name)
			fields = append(fields, t.of.in(naming)[at])
		}
		return fields
	}
	var fields []field
	for i := range t.entries {
		for name := range strings.FieldsSeq(t.entries[i].names) {
			fields = append(fields, t.entries[i].field(name, naming))
		}
	}
	closeQuotes(fields, int(t.least))
	return fields
}

// place returns where the column of a name stands, from 0.
func (t *table) place(name []byte) (at int, ok bool) {
	places := t.places.Load()
	if places == nil {
		places = &map[string]int{}
		for i, f := range t.in(AWS) {
			(*places)[f.name] = i
		}
		t.places.Store(places)
	}
	at, ok = (*places)[string(name)]
	return at, ok
}

// field is a column whose names are made, in one naming.
type field struct {
	name string // of the column, in the documentation
	kind kind
	keep uint8  // how much of the head stands in front of a short value; 0 for a head that is too long
	head head   // of the attribute that it becomes
	more []head // of the attributes besides, where it becomes several
	// closes reports whether a quote in front of rest ends the value, for a column in quotes that stand in values as well.
	closes func(rest []byte) bool
}

// The three attributes of a request.
var keyVerb, keyURL, keyProto = key{"request_verb", "http.request.method", "http.request.method"},
	key{"request_url", "url.original", "url.full"}, key{"request_proto"}

func (e *entry) field(name string, naming Naming) field {
	own := key{name, e.ecs, e.otel}
	f := field{name: name, kind: e.kind}
	switch e.kind {
	case address:
		host, port := key{name + "_ip", e.ecs + ".ip", e.otel + ".address"}, key{name + "_port", e.ecs + ".port", e.otel + ".port"}
		f.head, f.more = newHead(host.name(naming)), []head{newHead(port.name(naming))}
	case request:
		f.head = newHead(keyVerb.name(naming))
		f.more = []head{newHead(keyURL.name(naming)), newHead(keyProto.name(naming))}
	case call, agent:
		if f.kind, f.closes = quoted, beforeStatus; e.kind == agent {
			f.closes = beforeTail
		}
		fallthrough
	default:
		f.head = newHead(own.name(naming))
	}
	f.measure()
	return f
}

// measure finds out how much of the head stands in front of a value: a number has no quote.
func (f *field) measure() {
	f.keep = uint8(f.head.n)
	if f.kind == numeric && f.keep > 0 {
		f.keep--
	}
}

// inQuotes reports whether lines have the column in quotes.
func (f *field) inQuotes() bool { return f.kind == quoted || f.kind == request }

// attributes returns the names of what the columns become.
func (t *table) attributes() []string {
	var names []string
	for _, f := range t.in(AWS) {
		names = append(names, f.head.name())
		for i := range f.more {
			names = append(names, f.more[i].name())
		}
	}
	return names
}
