// Package jsonwalk visits the members of a JSON object, or the elements of a JSON array, without decoding them.
//
// It serves code that needs two or three members of a large document: an event's envelope, or the member names that tell
// one kind of document from another. It promises views into the caller's bytes, one pass, no allocation unless a name
// holds an escape, and, for valid JSON, the same members in the same order as encoding/json.
//
// It does not validate. Bytes between brackets are only counted past, so some invalid documents are read as if they were
// valid. Whoever passes JSON on has to validate it first.
package jsonwalk

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Walk is a position in an object or an array. Use it as
//
//	members := jsonwalk.Object(doc)
//	for members.Next() {
//		… members.Name(), members.Value() …
//	}
//	err := members.Err()
type Walk struct {
	doc     []byte
	pos     int
	closing byte // '}' or ']'
	name    []byte
	start   int // of the current value
	value   []byte
	unread  bool // pos is at the start of a value that has not been passed yet
	entered bool // a member has been seen, so a comma comes before the next
	done    bool
	fault   string // what ended the walk at pos; empty while all is well
}

// Object starts a walk over the members of the object in doc. Bytes after the object's end are not looked at.
func Object(doc []byte) Walk { return open(doc, '{', '}', "expected an object") }

// Array starts a walk over the elements of the array in doc. Bytes after the array's end are not looked at.
func Array(doc []byte) Walk { return open(doc, '[', ']', "expected an array") }

func open(doc []byte, opening, closing byte, otherwise string) Walk {
	w := Walk{doc: doc, closing: closing}
	w.space()
	if w.pos == len(doc) || doc[w.pos] != opening {
		w.fault = otherwise
		return w
	}
	w.pos++
	return w
}

// Next moves to the next member or element and reports whether there is one. It reports false at the end and at the first
// byte that cannot be read; Err tells which.
func (w *Walk) Next() bool {
	if w.unread {
		w.Value()
	}
	if w.fault != "" || w.done {
		return false
	}
	w.space()
	if w.at(w.closing) && !w.entered {
		w.done = true
		return false
	}
	if w.entered && !w.comma() {
		return false
	}
	if w.closing == '}' && !w.readName() {
		return false
	}
	w.entered, w.unread = true, true
	w.start, w.value = w.pos, nil
	return true
}

// comma passes the separator before the next member, or marks the end of the walk and reports false.
func (w *Walk) comma() bool {
	switch {
	case w.at(w.closing):
		w.done = true
		return false
	case !w.at(','):
		w.fault = "expected ',' or the closing bracket"
		return false
	}
	w.pos++
	w.space()
	return true
}

func (w *Walk) readName() bool {
	if !w.at('"') {
		w.fault = "expected a member name"
		return false
	}
	end := stringEnd(w.doc, w.pos)
	if end < 0 {
		w.fault = "member name is not closed"
		return false
	}
	name, ok := Text(w.doc[w.pos:end])
	if !ok {
		w.fault = "member name has an escape that is not JSON"
		return false
	}
	w.name, w.pos = name, end
	w.space()
	if !w.at(':') {
		w.fault = "expected ':'"
		return false
	}
	w.pos++
	w.space()
	return true
}

// Name returns the current member's name with its escapes resolved; nil in an array.
func (w *Walk) Name() []byte { return w.name }

// First returns the first byte of the current value, which tells its type, without reading the value; 0 at the end of
// the document.
func (w *Walk) First() byte {
	if w.start >= len(w.doc) {
		return 0
	}
	return w.doc[w.start]
}

// Value returns the text of the current value as it stands in the document, without the white space around it. It is nil
// when the value does not end; Err then says where it began.
func (w *Walk) Value() []byte {
	if !w.unread {
		return w.value
	}
	w.unread = false
	end := valueEnd(w.doc, w.pos)
	if end < 0 {
		w.fault = "value is missing or not closed"
		return nil
	}
	w.value = w.doc[w.pos:end:end]
	w.pos = end
	return w.value
}

// Object starts a walk over the members of the current value, which has to be an object. Passed goes on behind it.
func (w *Walk) Object() Walk { return Object(w.doc[w.pos:]) }

// Passed tells a walk that inner, which Object has started, is at its end, so that the value need not be looked at again.
// It does nothing for an inner walk that has not found its closing bracket.
func (w *Walk) Passed(inner *Walk) {
	if !inner.done || !w.unread {
		return
	}
	end := w.pos + inner.pos + 1
	w.value, w.pos, w.unread = w.doc[w.pos:end:end], end, false
}

// Err returns what ended the walk early, with its byte offset; nil when the closing bracket was reached.
func (w *Walk) Err() error {
	if w.fault == "" {
		return nil
	}
	return fmt.Errorf("json at byte %d of %d: %s", w.pos, len(w.doc), w.fault)
}

// Rest returns what stands behind the closing bracket; nil unless Next has found it.
func (w *Walk) Rest() []byte {
	if !w.done {
		return nil
	}
	return w.doc[w.pos+1:]
}

// Text returns the text of a JSON string, and false when value is not a string or has an escape that is not JSON. It is a
// view of value unless there is an escape to resolve. Bytes that are not escapes are not checked.
func Text(value []byte) ([]byte, bool) {
	if len(value) < 2 || value[0] != '"' {
		return nil, false
	}
	inner := value[1 : len(value)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner, true
	}
	var text string
	if json.Unmarshal(value, &text) != nil {
		return nil, false
	}
	return []byte(text), true
}

func (w *Walk) at(c byte) bool { return w.pos < len(w.doc) && w.doc[w.pos] == c }

func (w *Walk) space() {
	for w.pos < len(w.doc) && isSpace(w.doc[w.pos]) {
		w.pos++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// valueEnd returns the offset after the value that starts at pos, or -1 when there is none or it does not end.
func valueEnd(doc []byte, pos int) int {
	if pos >= len(doc) {
		return -1
	}
	switch doc[pos] {
	case '"':
		return stringEnd(doc, pos)
	case '{', '[':
		return bracketEnd(doc, pos)
	}
	end := pos
	for end < len(doc) && !endsScalar(doc[end]) {
		end++
	}
	if end == pos {
		return -1
	}
	return end
}

func endsScalar(c byte) bool { return c == ',' || c == ']' || c == '}' || isSpace(c) }

// stringEnd returns the offset after the closing quote of the string that opens at pos, or -1. It leaps from quote to
// quote: an event's base64 text is passed at the speed of memory.
func stringEnd(doc []byte, pos int) int {
	open := pos
	for {
		n := bytes.IndexByte(doc[pos+1:], '"')
		if n < 0 {
			return -1
		}
		pos += 1 + n
		backslashes := 0
		for pos-1-backslashes > open && doc[pos-1-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return pos + 1
		}
	}
}

// bracketEnd returns the offset after the bracket that closes the one at pos, or -1. It counts brackets outside strings
// and keeps no stack, so nesting costs no memory.
func bracketEnd(doc []byte, pos int) int {
	depth := 0
	for pos < len(doc) {
		switch doc[pos] {
		case '"':
			end := stringEnd(doc, pos)
			if end < 0 {
				return -1
			}
			pos = end
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return pos + 1
			}
		}
		pos++
	}
	return -1
}
