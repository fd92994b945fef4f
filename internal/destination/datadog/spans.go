package datadog

import (
	"bytes"

	"sluice/internal/jsonwalk"
)

// spans visits the members of a JSON object as jsonwalk does, and says where in the document they stand, so that what is
// around them can be kept byte for byte. The document has to be valid.
type spans struct {
	jsonwalk.Walk
	doc   []byte
	name  int // where the current name starts, at its quote
	value int // where the current value starts
	end   int // where it ends
}

// spansOf starts a walk over the members of the object in doc. What is no object has none.
func spansOf(doc []byte) spans { return spans{Walk: jsonwalk.Object(doc), doc: doc} }

func (s *spans) next() bool {
	if !s.Next() {
		return false
	}
	s.name = s.end + bytes.IndexByte(s.doc[s.end:], '"')
	colon := stringEnd(s.doc, s.name)
	colon += bytes.IndexByte(s.doc[colon:], ':')
	value := s.Value()
	s.value = colon + bytes.IndexByte(s.doc[colon:], value[0]) // only white space is in between
	s.end = s.value + len(value)
	return true
}

// key returns the current name as it stands in the document, quotes included.
func (s *spans) key() []byte { return s.doc[s.name:stringEnd(s.doc, s.name)] }

// member returns the current member as it stands in the document: name, colon and value.
func (s *spans) member() []byte { return s.doc[s.name:s.end] }

// place is where a member of an object stands.
type place struct{ name, value, end int }

// placeOf returns where the one member called name is. It reports false when there is none, or more than one.
func placeOf(object []byte, name string) (at place, ok bool) {
	for s := spansOf(object); s.next(); {
		if string(s.Name()) != name {
			continue
		}
		if ok {
			return place{}, false
		}
		at, ok = place{name: s.name, value: s.value, end: s.end}, true
	}
	return at, ok
}

// hasMember reports whether an object has a member called name.
func hasMember(object []byte, name string) bool {
	for s := jsonwalk.Object(object); s.Next(); {
		if string(s.Name()) == name {
			return true
		}
	}
	return false
}

// stringEnd returns the offset behind the string that opens at pos.
func stringEnd(doc []byte, pos int) int {
	for pos++; doc[pos] != '"'; pos++ {
		if doc[pos] == '\\' {
			pos++
		}
	}
	return pos + 1
}
