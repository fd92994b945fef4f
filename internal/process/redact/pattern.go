package redact

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxAtOnce bounds the matches that are held at once, where they cannot be found one by one.
const maxAtOnce = 4096

// pattern is a rule of the user's. No match of it is empty.
type pattern struct {
	re          *regexp.Regexp
	replacement []byte // a template of Regexp.Expand if it names groups, otherwise the text itself
	references  int    // how often the replacement names a group
	once        bool   // matches at the start of the text only
	looksBehind bool   // see there

	matchesQuote bool // a match may have a quote, as stands between a name and a string
	mayCross     bool // or what stands between a name and anything else

	plain, escaped *gate
}

func (p *pattern) mayMatch(text []byte) bool { return p.escaped.mayMatch(text) }

// replace does what re.ReplaceAll does, without its allocations: none, or one for each match of a rule whose replacement
// names groups.
func (p *pattern) replace(dst, text []byte, room int, g *guard) (out []byte, hits int) {
	if !p.plain.mayMatch(text) {
		return dst, 0
	}
	return p.edit(&edit{out: dst, start: len(dst), text: text, high: len(text), room: room, guard: g})
}

// edit replaces matches one by one, where the gate is open. Package regexp has no way to go on behind a match with what stands before it in view. So
// it is given the text from one character before, which is enough for every assertion, unless it takes that character for
// the start of a match.
func (p *pattern) edit(e *edit) (out []byte, hits int) {
	begun := *e
	for e.at < e.high && (e.at == 0 || p.plain.mayMatch(e.text[e.at:])) {
		from := e.at
		if from > 0 && p.looksBehind {
			_, width := utf8.DecodeLastRune(e.text[:from])
			from -= width
		}
		start, end, groups := p.find(e.text, from)
		if start < 0 {
			break
		}
		if start < e.at {
			return p.editAtOnce(&begun)
		}
		if !p.put(e, start, end, from, groups) {
			return e.giveUp()
		}
		if p.once {
			break
		}
	}
	return e.finish()
}

// find returns the leftmost match in text[from:], as offsets in text; -1 when there is none. The groups are there if the
// replacement names some, as offsets in text[from:].
func (p *pattern) find(text []byte, from int) (start, end int, groups []int) {
	if p.references > 0 {
		groups = p.re.FindSubmatchIndex(text[from:])
		if groups == nil {
			return -1, -1, nil
		}
		return from + groups[0], from + groups[1], groups
	}
	match := p.re.Find(text[from:]) // the one way to search that does not allocate
	if len(match) == 0 {
		return -1, -1, nil
	}
	start = from
	for &text[start] != &match[0] {
		start++
	}
	return start, start + len(match), nil
}

// put replaces a match, whose groups are offsets in text[from:], as far as it is in the part that may change. It reports
// false if there is no room.
func (p *pattern) put(e *edit, start, end, from int, groups []int) bool {
	e.at = end
	if !e.concerns(start, end) {
		return true
	}
	before, behind := e.text[start:max(start, e.low)], e.text[min(end, e.high):end]
	if e.whole {
		end = e.high
	}
	if !e.keep(max(start, e.low), min(end, e.high), len(p.replacement)+p.references*(e.at-start)) {
		return false
	}
	put := len(e.out)
	if p.references == 0 {
		e.out = append(e.out, p.replacement...)
	} else {
		e.out = p.re.Expand(e.out, p.replacement, e.text[from:], groups)
	}
	e.out = append(e.out[:put], without(e.out[put:], before, behind)...)
	return true
}

// editAtOnce is edit for a text in which matches touch and depend on what stands before them.
func (p *pattern) editAtOnce(e *edit) (out []byte, hits int) {
	matches := p.re.FindAllSubmatchIndex(e.text, maxAtOnce+1)
	if len(matches) > maxAtOnce {
		return e.giveUp()
	}
	for _, groups := range matches {
		if !p.put(e, groups[0], groups[1], 0, groups) {
			return e.giveUp()
		}
	}
	return e.finish()
}

// setReplacement sets what takes the place of a match. A group that the pattern does not have is refused: regexp would take
// it for an empty one, as in `$1st`.
func (p *pattern) setReplacement(template string) (problem string) {
	switch {
	case len(template) > MaxReplacementBytes:
		return fmt.Sprintf("has %d bytes: want %d at most", len(template), MaxReplacementBytes)
	case !utf8.ValidString(template):
		return "is no UTF-8"
	case p.re == nil:
		return "" // what is wrong with the pattern has been said
	}
	for _, name := range groupNames(template) {
		number, err := strconv.Atoi(name)
		if err == nil && number <= p.re.NumSubexp() && name == strconv.Itoa(number) || slices.Contains(p.re.SubexpNames(), name) {
			continue
		}
		return "names a group that the pattern does not have: write ${1} or ${name}, with braces, and $$ for a dollar sign"
	}
	p.references = len(groupNames(template))
	p.replacement = []byte(template)
	if p.references == 0 {
		p.replacement = p.re.Expand(nil, p.replacement, nil, nil)
	}
	return ""
}

// groupNames returns the names and numbers that template refers to, read as Regexp.Expand reads it.
func groupNames(template string) (names []string) {
	for {
		_, rest, found := strings.Cut(template, "$")
		if !found {
			return names
		}
		if template = rest; strings.HasPrefix(rest, "$") {
			template = rest[1:]
			continue
		}
		name, braced := strings.CutPrefix(rest, "{")
		n := strings.IndexFunc(name, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if n < 0 {
			n = len(name)
		}
		if n == 0 || braced && !strings.HasPrefix(name[n:], "}") {
			continue // a dollar sign that stands for itself
		}
		names = append(names, name[:n])
		template = name[n:]
	}
}
