package redact

import (
	"regexp/syntax"
	"slices"
)

// What of a name, and of the white space behind it, a pattern is shown together with a value.
const (
	maxBesideName  = 128
	maxBesideSpace = 64
)

// beside is the name of a member as it stands before its value, for patterns that want both.
type beside struct {
	kind    kind
	of      int    // where the name stands; -1 for none
	prefix  []byte // the name in its quotes and what stands behind it; of an array that is the value, the bracket too
	inArray bool
	opens   []bool // for each rule, whether its gate is opened by the prefix
	text    []byte // the prefix, a value, and what closes it
}

func (b *beside) begin() {
	b.kind, b.of = aText, -1
	clear(b.opens)
}

// mayMatch reports whether the prefix and a value may hold a match of a rule across them. No gate for what stands escaped
// looks for the quote between the two, so each is looked at on its own. Other values are too short for that.
func (b *beside) mayMatch(p *pattern, rule int, value []byte) bool {
	switch b.kind {
	case aText:
		return false
	case aString:
		return p.matchesQuote && (b.opens[rule] || p.escaped.mayMatch(value))
	default:
		return true
	}
}

// join returns the prefix with a value behind it, and where in it the value is.
func (b *beside) join(value []byte) (text []byte, low, high int) {
	b.text = append(b.text[:0], b.prefix...)
	if b.kind == aString {
		b.text = append(b.text, '"')
	}
	low = len(b.text)
	b.text = append(b.text, value...)
	high = len(b.text)
	if b.kind == aString {
		b.text = append(b.text, '"')
	}
	if b.inArray {
		b.text = append(b.text, ']')
	}
	return b.text, low, high
}

// lookBeside prepares r.beside for a value of this kind at r.position. An element of an array stands behind the name of the
// array, as if there were no other.
func (r *Redactor) lookBeside(k kind) {
	b := &r.beside
	b.kind = aText
	if len(r.position.names) == 0 {
		return
	}
	b.kind = k
	last := r.position.names[len(r.position.names)-1]
	if b.of == last.start {
		return
	}
	b.of = last.start
	name := r.position.plain(last)
	separator := r.position.separator(last)
	if len(separator) > maxBesideSpace {
		separator = compact(separator)
	}
	b.inArray = separator[len(separator)-1] == '['
	b.prefix = append(b.prefix[:0], '"')
	b.prefix = append(b.prefix, name[max(0, len(name)-maxBesideName):]...)
	b.prefix = append(b.prefix, '"')
	b.prefix = append(b.prefix, separator...)
	for i := range r.rules {
		p := r.rules[i].across
		b.opens[i] = p != nil && r.active[i] && p.escaped.mayMatch(b.prefix)
	}
}

// compact is a separator without white space.
func compact(separator []byte) []byte {
	if separator[len(separator)-1] == '[' {
		return []byte(":[")
	}
	return []byte(":")
}

// replaceAcross replaces what a pattern matches of a value together with what stands beside it, alone being how often it
// matches without. Where both is the case, the value goes as a whole, unless the one reaches as far as the other.
func (r *Redactor) replaceAcross(p *pattern, dst, value []byte, alone, room int) (out []byte, hits int) {
	e := edit{out: dst, start: len(dst), room: room, guard: r.guarding}
	e.text, e.low, e.high = r.beside.join(value)
	if !p.plain.mayMatch(e.text) {
		return dst, 0
	}
	e.across = alone > 0 || r.beside.kind == aLiteral || r.beside.kind == aNull
	if alone > 0 {
		e.whole = true
		if start, end, _ := p.find(value, 0); start == 0 {
			e.covered = end
		}
	}
	return p.edit(&e)
}

// hasOneOf reports whether a match may have one of chars.
func hasOneOf(tree *syntax.Regexp, chars string) bool {
	switch tree.Op {
	case syntax.OpLiteral:
		return slices.ContainsFunc(tree.Rune, func(r rune) bool { return slices.Contains([]rune(chars), r) })
	case syntax.OpCharClass:
		for i := 0; i+1 < len(tree.Rune); i += 2 {
			if slices.ContainsFunc([]rune(chars), func(r rune) bool { return tree.Rune[i] <= r && r <= tree.Rune[i+1] }) {
				return true
			}
		}
		return false
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return true
	default:
		return slices.ContainsFunc(tree.Sub, func(sub *syntax.Regexp) bool { return hasOneOf(sub, chars) })
	}
}
