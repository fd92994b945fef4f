package redact

import (
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// demand is what every match of an expression is known to hold. The zero value knows nothing.
//
// It errs on one side only: an expression may match less than its demand says, never anything else. Assertions such as
// `\b` count as met.
type demand struct {
	exact  []row // a match is one of these; nil if that is not known
	prefix []row // a match begins with one of these
	suffix []row // a match ends with one of these
	inner  []row // a match holds one of these; nil if that is not known
	chars  class // all bytes that a match may have, if closed
	closed bool
	min    int   // characters of the shortest match
	folds  folds // what a match may have for a letter of ASCII in a row
}

// folds are the characters beyond ASCII that are taken for a letter of ASCII when case is ignored. There are two of them
// (Unicode, CaseFolding.txt).
type folds uint8

const (
	longS  folds = 1 << iota // ſ, for s
	kelvin                   // K, for k
)

// foldOf returns the bit for a character; 0 for any other one.
func foldOf(r rune) folds {
	switch r {
	case '\u017F':
		return longS
	case '\u212A':
		return kelvin
	}
	return 0
}

func (f folds) characters() (list [][]byte) {
	if f&longS != 0 {
		list = append(list, []byte("\u017F"))
	}
	if f&kelvin != 0 {
		list = append(list, []byte("\u212A"))
	}
	return list
}

// analysis finds out demands.
type analysis struct {
	escaped bool // of the text as it stands inside a JSON string: what has to be escaped there is not looked for
}

// nothing is the demand of an expression that takes any text of at least so many characters.
func nothing(characters int) demand {
	return demand{prefix: []row{{}}, suffix: []row{{}}, min: characters}
}

// exactly is the demand of an expression that takes one of rows.
func exactly(characters int, rows ...row) demand {
	d := demand{exact: rows, prefix: rows, suffix: rows, min: characters, closed: true}
	for _, r := range rows {
		for _, p := range r {
			d.chars = d.chars.or(p.class)
		}
	}
	return d
}

// demandOf returns the demand of a simplified expression. The depth of a tree is bounded by package syntax.
func (a analysis) demandOf(tree *syntax.Regexp) demand {
	switch tree.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return exactly(0, row{})
	case syntax.OpLiteral:
		d := exactly(0, row{})
		for _, r := range tree.Rune {
			d = d.then(a.literal(r, tree.Flags&syntax.FoldCase != 0))
		}
		return d
	case syntax.OpCharClass:
		return a.oneOf(tree.Rune)
	case syntax.OpCapture:
		return a.demandOf(tree.Sub[0])
	case syntax.OpStar:
		return a.demandOf(tree.Sub[0]).repeated(0)
	case syntax.OpPlus:
		d := a.demandOf(tree.Sub[0])
		return d.repeated(d.min)
	case syntax.OpQuest:
		return a.demandOf(tree.Sub[0]).or(exactly(0, row{}))
	case syntax.OpConcat:
		d := exactly(0, row{})
		for _, sub := range tree.Sub {
			d = d.then(a.demandOf(sub))
		}
		return d
	case syntax.OpAlternate:
		d := a.demandOf(tree.Sub[0])
		for _, sub := range tree.Sub[1:] {
			d = d.or(a.demandOf(sub))
		}
		return d
	default:
		return nothing(1) // any character, and what matches nothing at all
	}
}

// literal is the demand of one character.
func (a analysis) literal(r rune, fold bool) demand {
	same := []rune{r, r} // pairs, as in a class
	for other := unicode.SimpleFold(r); fold && other != r; other = unicode.SimpleFold(other) {
		same = append(same, other, other)
	}
	switch {
	case slices.Min(same) < utf8.RuneSelf:
		return a.oneOf(same)
	case len(same) > 2 || r == utf8.RuneError: // package regexp takes bytes that are no UTF-8 for U+FFFD
		return nothing(1)
	}
	var bytes row
	for _, b := range utf8.AppendRune(nil, r) {
		bytes = append(bytes, newPlace(class{}.with(b)))
	}
	return exactly(1, bytes)
}

// oneOf is the demand of a class of characters, given as pairs of its first and last ones. It knows nothing of those
// beyond ASCII, but for the two that come with letters of ASCII.
func (a analysis) oneOf(ranges []rune) demand {
	var c class
	var f folds
	for i := 0; i+1 < len(ranges); i += 2 {
		low, high := ranges[i], ranges[i+1]
		for ; low <= high && low < utf8.RuneSelf; low++ {
			c = c.with(byte(low))
		}
		if low > high {
			continue
		}
		if low < high || foldOf(low) == 0 {
			return nothing(1)
		}
		f |= foldOf(low)
	}
	if c.count() == 0 {
		return nothing(1)
	}
	return a.one(c, f)
}

// one is the demand of one character of ASCII.
func (a analysis) one(c class, f folds) demand {
	if a.escaped {
		for b := range utf8.RuneSelf {
			if c.has(byte(b)) && (b < ' ' || b == '"' || b == '\\') {
				return nothing(1)
			}
		}
	}
	d := exactly(1, row{newPlace(c)})
	d.folds = f
	return d
}

// repeated is the demand of the expression any number of times, one or more if there have to be some characters.
func (d demand) repeated(characters int) demand {
	r := nothing(characters)
	r.chars, r.closed, r.folds = d.chars, d.closed, d.folds
	if characters > 0 {
		r.prefix, r.suffix, r.inner = d.prefix, d.suffix, best(d.candidates()...)
	}
	return r
}

// then is the demand of one expression behind the other.
func (d demand) then(next demand) demand {
	r := demand{
		prefix: d.prefix, suffix: next.suffix,
		chars: d.chars.or(next.chars), closed: d.closed && next.closed,
		min: d.min + next.min, folds: d.folds | next.folds,
	}
	if d.exact != nil {
		if rows := product(d.exact, next.prefix); rows != nil {
			r.prefix = rows
		}
	}
	if next.exact != nil {
		if rows := product(d.suffix, next.exact); rows != nil {
			r.suffix = rows
		}
	}
	if d.exact != nil && next.exact != nil {
		if rows := product(d.exact, next.exact); fit(rows) {
			r.exact = rows
			return r
		}
	}
	r.inner = best(append(append(d.candidates(), next.candidates()...), product(d.suffix, next.prefix))...)
	r.prefix, r.suffix = trim(r.prefix, false), trim(r.suffix, true)
	return r
}

// or is the demand of two expressions of which either may match.
func (d demand) or(other demand) demand {
	r := demand{
		prefix: merge(d.prefix, other.prefix, false), suffix: merge(d.suffix, other.suffix, true),
		chars: d.chars.or(other.chars), closed: d.closed && other.closed,
		min: min(d.min, other.min), folds: d.folds | other.folds,
	}
	if d.exact != nil && other.exact != nil && len(d.exact)+len(other.exact) <= maxWindows {
		r.exact = merge(d.exact, other.exact, false)
		return r
	}
	if mine, others := best(d.candidates()...), best(other.candidates()...); mine != nil && others != nil {
		r.inner = merge(mine, others, false)
	}
	return r
}

// candidates are the sets of rows of which a match holds one each.
func (d demand) candidates() [][]row {
	var run []row
	if d.closed && d.min > 1 {
		run = []row{slices.Repeat(row{newPlace(d.chars)}, min(d.min, wordBits))}
	}
	return [][]row{d.exact, d.inner, d.prefix, d.suffix, run}
}
