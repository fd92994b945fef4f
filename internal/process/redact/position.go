package redact

import "sluice/internal/jsontoken"

// kind says what the text is that rules look at.
type kind uint8

const (
	aText    kind = iota // of no member, or in a document of which nothing else matters
	aString              // the value of a member, or of an element of an array that is one
	aNumber              //
	aLiteral             // true or false
	aNull
)

// name is where the name of a member stands in a document, without its quotes.
type name struct{ start, end int }

// bracket is an object or an array that is open.
type bracket struct {
	isArray  bool
	isMember bool // it is the value of a member
	called   name // what its member `name` holds, if that is a string and came already
}

// position is where in a document a redactor is. The zero value is outside of any.
type position struct {
	doc      []byte
	open     []bracket
	names    []name // of the members that it is in, from the outside in
	isFresh  bool   // the last of them has no value yet
	entered  []int  // for each rule, as how many names as there were when its scope began; 0 outside of it
	unquoted []byte // a name without escapes
}

// begin goes to the start of a document.
func (p *position) begin(doc []byte) {
	clear(p.entered)
	p.doc, p.open, p.names, p.isFresh = doc, p.open[:0], p.names[:0], false
}

// plain returns a name without escapes; it is valid until the next call.
func (p *position) plain(n name) []byte { return unescape(&p.unquoted, p.doc[n.start:n.end]) }

// push goes into the object or array that begins.
func (p *position) push(isArray bool) {
	p.open = append(p.open, bracket{isArray: isArray, isMember: p.isFresh})
	p.isFresh = false
}

// pop goes out of the innermost one.
func (p *position) pop() {
	last := p.open[len(p.open)-1]
	p.open = p.open[:len(p.open)-1]
	if last.isMember {
		p.leave()
	}
}

// call notes the string of the innermost object that begins behind start and ends before end, if it is its member `name`.
func (p *position) call(start, end int) {
	if !p.isFresh || string(p.plain(p.names[len(p.names)-1])) != "name" {
		return
	}
	p.open[len(p.open)-1].called = name{start, end}
}

// alias returns the name of the member that is entered as a list of headers has it, `{"name":"x","value":…}`.
func (p *position) alias() (n name, ok bool) {
	last := p.names[len(p.names)-1]
	if string(p.plain(last)) != "value" {
		return name{}, false
	}
	if n = p.open[len(p.open)-1].called; n.start == 0 {
		n = p.callBehind(last.end + 1)
	}
	return n, n.start > 0
}

// callBehind returns what the member `name` holds that stands right behind the value of another, whose colon is at or behind
// i; zero if there is none, or the value is no string: long ones inside of each other would be read again and again.
func (p *position) callBehind(i int) name {
	i = jsontoken.PastSpace(p.doc, jsontoken.PastSpace(p.doc, i)+1)
	if p.doc[i] != '"' {
		return name{}
	}
	i = jsontoken.PastSpace(p.doc, stringEnd(p.doc, i+1)+1)
	if p.doc[i] != ',' {
		return name{}
	}
	start := jsontoken.PastSpace(p.doc, i+1) + 1
	end := stringEnd(p.doc, start)
	if string(p.plain(name{start, end})) != "name" {
		return name{}
	}
	i = jsontoken.PastSpace(p.doc, jsontoken.PastSpace(p.doc, end+1)+1)
	if p.doc[i] != '"' {
		return name{}
	}
	return name{i + 1, stringEnd(p.doc, i+1)}
}

// passValue goes behind a value that is not gone into.
func (p *position) passValue() {
	if p.isFresh {
		p.leave()
	}
}

// leave goes behind the member whose value ends.
func (p *position) leave() {
	for i, n := range p.entered {
		if n == len(p.names) {
			p.entered[i] = 0
		}
	}
	p.names = p.names[:len(p.names)-1]
	p.isFresh = false
}

// kindOf returns the kind of the value that begins with c.
func kindOf(c byte) kind {
	switch c {
	case '"':
		return aString
	case 't', 'f':
		return aLiteral
	case 'n':
		return aNull
	}
	return aNumber
}

// bracketEnd returns the offset behind the object or array of valid JSON that begins at i.
func bracketEnd(doc []byte, i int) int {
	for depth := 0; ; {
		switch doc[i] {
		case '"':
			i = stringEnd(doc, i+1)
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if i++; depth == 0 {
			return i
		}
	}
}

// separator returns what stands between the name n and its value, with the bracket if the value is an array.
func (p *position) separator(n name) []byte {
	i := jsontoken.PastSpace(p.doc, n.end+1)
	i = jsontoken.PastSpace(p.doc, i+1)
	if p.doc[i] == '[' {
		i++
	}
	return p.doc[n.end+1 : i]
}
