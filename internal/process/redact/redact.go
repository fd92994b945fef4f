// Package redact replaces what must not leave the account in the text of a log: before it is sent, parked or logged.
//
// Rules are compiled once and are shared; a [Redactor] applies them, in their order, each to what the one before has left.
// It promises: the result of a pattern is that of regexp.ReplaceAll, byte for byte; a rule reaches no further than the one
// value it is looking at, so no pattern can break the JSON around it; JSON stays JSON, and its bytes outside of changed
// values stay as they are; text that no rule matches costs a scan for what the patterns demand and no allocation; hostile
// text costs no more memory than a small multiple of its size.
//
// A text in which escapes of JSON stand, because there is JSON in a string of JSON or behind the start of a line, is looked
// at twice: as it is, and with `\u0031` and `\/` as the characters that they stand for. What matches only then is replaced too,
// and the escapes are gone from that text. A match in the text as it is that cuts an escape, or touches one, waits for that
// look. If nothing is found there, it takes the escape with it, unless it is nothing but digits of one: those stay.
//
// Names of members stay. A pattern for all text also sees each value of a member of JSON with the name before it, as it stands
// there, `"name": "value"`; an element of an array as if there were no other, `"name": ["value"]`. Of what it matches across
// the two, the part in the value is replaced, or all of the value if the pattern matches in the value alone as well. It sees
// no two members together. A rule may be for members by their name, at any depth, or by their path, see [Rule].
//
// It does not take JSON inside a JSON string apart, but for rules that name a member, and those no deeper than three strings:
// the string is one text, in which quotes stay escaped. Rules for members do nothing to text that is no JSON.
package redact

import (
	"bytes"

	"sluice/internal/record"
)

// A text may become longer by what is put into it, but there is an end, for a pattern of one letter meets lines of nothing
// else. Beyond it the whole value is replaced by [tooLong].
const (
	growthFactor = 3        // of the length of what is redacted
	growthBytes  = 64 << 10 // on top of that
	tooLong      = "[redacted]"
)

// Redactor applies rules and counts. It is not safe for concurrent use. It keeps buffers as large as the largest text
// it was given, a few times.
type Redactor struct {
	compiled *Rules
	rules    []rule
	counts   []int
	active   []bool // rules that may match in the text at hand
	room     int    // bytes by which the text at hand may still grow

	position position
	beside   beside
	under    []byte // see MessageUnder
	guard    guard
	guarding *guard    // that, where the text at hand has escapes; else nil
	nested   *Redactor // for documents in strings of the document at hand
	level    int       // how deep a redactor is nested in others

	plain  []byte    // a message without its escapes
	value  []byte    // a value in it without its escapes
	turns  [2][]byte // what one rule has left for the next
	shown  []byte    // a text without the escapes of JSON that stand in it
	kept   []byte    // a text redacted as it stands
	left   []byte    // that without escapes
	before []int     // counts
	output []byte    // what Message returns
	member []byte    // a member on its own

	validator validator
}

// New returns a redactor with all counts at 0.
func New(rules *Rules) *Redactor {
	return &Redactor{
		compiled: rules,
		rules:    rules.list,
		counts:   make([]int, len(rules.list)),
		active:   make([]bool, len(rules.list)),
		position: position{entered: make([]int, len(rules.list))},
		beside:   beside{opens: make([]bool, len(rules.list))},
	}
}

// Counts yields each rule with how many matches it has replaced so far, in the order of the rules. Range over it:
//
//	for name, n := range redactor.Counts { … }
func (r *Redactor) Counts(yield func(name string, n int) bool) {
	for i := range r.rules {
		if !yield(r.rules[i].name, r.counts[i]) {
			return
		}
	}
}

// Reset sets all counts to 0.
func (r *Redactor) Reset() { clear(r.counts) }

// Message redacts the message of a record. In a JSON object or array every value is redacted, as by AppendJSON;
// any other text is one value. Without a hit it returns t itself. Otherwise the text is plain and is a view of a buffer
// that is valid until the next call.
func (r *Redactor) Message(t record.Text) (redacted record.Text, hits int) {
	if !t.Escaped && !isBracketed(t.Bytes) {
		return r.whole(t, t.Bytes)
	}
	if !r.probe(t.Bytes) {
		return t, 0
	}
	plain := t.Bytes
	if t.Escaped {
		plain = unescape(&r.plain, t.Bytes)
	}
	if isBracketed(plain) {
		r.allow(len(plain))
		out, hits, ok := r.appendValues(r.output[:0], plain)
		r.output = out
		if ok && hits == 0 {
			return t, 0
		}
		if ok {
			return record.Plain(out), hits
		}
	}
	return r.whole(t, plain)
}

// MessageUnder is Message for a record whose paths of members begin at the value of the member at path, or in each of its
// elements, as well as at the top. It is for an array whose elements were to be records.
func (r *Redactor) MessageUnder(path string, t record.Text) (redacted record.Text, hits int) {
	r.under = append(r.under[:0], path...)
	redacted, hits = r.Message(t)
	r.under = r.under[:0]
	return redacted, hits
}

// whole redacts plain, the plain form of t, as one value.
func (r *Redactor) whole(t record.Text, plain []byte) (redacted record.Text, hits int) {
	r.allow(len(plain))
	out, hits := r.replace(plain, nil)
	if hits == 0 {
		return t, 0
	}
	return record.Plain(out), hits
}

// AppendText appends plain, which is one value, redacted. The two must not overlap.
func (r *Redactor) AppendText(dst, plain []byte) (out []byte, hits int) {
	r.allow(len(plain))
	redacted, hits := r.replace(plain, nil)
	return append(dst, redacted...), hits
}

// allow sets by how much a text of n bytes may grow.
func (r *Redactor) allow(n int) { r.room = growthFactor*n + growthBytes }

// replace applies the rules to text and to what escapes in it stand for, those first that active names; nil names all. It
// returns text itself when there is no hit, otherwise a view of a buffer that is valid until the next call.
func (r *Redactor) replace(text []byte, active []bool) (redacted []byte, hits int) {
	if bytes.IndexByte(text, '\\') < 0 {
		return r.apply(text, active)
	}
	r.guard = guard{}
	r.guarding = &r.guard
	redacted, hits = r.replaceShown(text, active)
	if r.guard.refused {
		r.guard.late = true
		r.kept = append(r.kept[:0], redacted...)
		if out, n := r.apply(r.kept, nil); n > 0 {
			redacted, hits = out, hits+n
		} else if hits > 0 {
			redacted = r.kept
		}
	}
	r.guarding = nil
	return redacted, hits
}

// replaceShown is replace but for matches that are found late, see [guard].
func (r *Redactor) replaceShown(text []byte, active []bool) (redacted []byte, hits int) {
	redacted, hits = r.apply(text, active)
	shown, hidden := reveal(&r.shown, redacted)
	switch {
	case !hidden:
		return redacted, hits
	case hits > 0:
		return r.replaceHidden(text, redacted, hits)
	}
	if out, n := r.apply(shown, nil); n > 0 {
		return out, n
	}
	return text, 0
}

// replaceHidden replaces what is left in redacted, of which escapes stand in text. A replacement may match its own pattern
// and is not to be replaced once more: so nothing is left when text without the escapes comes to the same.
func (r *Redactor) replaceHidden(text, redacted []byte, hits int) (out []byte, all int) {
	r.kept = append(r.kept[:0], redacted...)
	left, _ := reveal(&r.left, r.kept)
	if shown, hidden := reveal(&r.shown, text); hidden && r.isLeftBy(shown, left) {
		return r.kept, hits
	}
	if out, n := r.apply(left, nil); n > 0 {
		return out, hits + n
	}
	return r.kept, hits
}

// isLeftBy reports whether the rules make left of text, or find nothing in it. It counts nothing.
func (r *Redactor) isLeftBy(text, left []byte) bool {
	r.before = append(r.before[:0], r.counts...)
	room := r.room
	r.room = room + growthFactor*len(text)
	out, n := r.apply(text, nil)
	copy(r.counts, r.before)
	r.room = room
	return n == 0 || bytes.Equal(out, left)
}

// apply is replace for a text as it stands.
func (r *Redactor) apply(text []byte, active []bool) (redacted []byte, hits int) {
	redacted = text
	turn := 0
	for i := range r.rules {
		if hits == 0 && active != nil && !active[i] {
			continue // once something has changed, what was found in the text before says nothing
		}
		room := r.room - (len(redacted) - len(text))
		out, n := r.replaceBy(i, r.turns[turn][:0], redacted, room)
		if n == 0 {
			continue
		}
		r.turns[turn], redacted = out, out
		turn = 1 - turn
		hits += n
		r.counts[i] += n
	}
	r.room -= len(redacted) - len(text)
	return redacted, hits
}

// replaceBy applies one rule to a text, and to it as the value that it is.
func (r *Redactor) replaceBy(i int, dst, text []byte, room int) (out []byte, hits int) {
	rule := &r.rules[i]
	k := r.beside.kind
	switch {
	case rule.scope != nil:
		if r.position.entered[i] == 0 || k == aNull {
			return dst, 0
		}
		return rule.replace(dst, text, room, r.guarding)
	case k == aText:
		return rule.replace(dst, text, room, r.guarding)
	case k != aLiteral && k != aNull:
		out, hits = rule.replace(dst, text, room, r.guarding)
	default:
		out = dst
	}
	if p := rule.across; p != nil && len(text) > 0 && r.beside.mayMatch(p, i, text) {
		if across, n := r.replaceAcross(p, out[:len(dst)], text, hits, room); n > 0 {
			return across, n
		}
	}
	return out, hits
}

// probe finds out which rules may match in what text stands for, and reports whether there is one. The text may be
// escaped, be JSON with escapes in its strings, or both.
func (r *Redactor) probe(text []byte) bool {
	if len(r.rules) == 0 {
		return false
	}
	if hidesCharacters(text) {
		for i := range r.active {
			r.active[i] = true
		}
		return true
	}
	found := false
	for i := range r.rules {
		r.active[i] = r.rules[i].mayMatchIn(text)
		found = found || r.active[i]
	}
	return found
}

// mayMatch reports whether one of the active rules may match in what escaped, the value at hand, stands for.
func (r *Redactor) mayMatch(escaped []byte) bool {
	if hidesCharacters(escaped) {
		return true
	}
	for i := range r.rules {
		rule := &r.rules[i]
		switch {
		case !r.active[i]:
		case rule.scope == nil && (r.beside.opens[i] || rule.mayMatch(escaped)),
			rule.scope != nil && (r.position.entered[i] > 0 || rule.scope.gate.mayMatch(escaped)):
			return true
		}
	}
	return false
}

// unescape returns the plain form of escaped: escaped itself when it has no escapes, otherwise in buf.
func unescape(buf *[]byte, escaped []byte) []byte {
	if bytes.IndexByte(escaped, '\\') < 0 {
		return escaped
	}
	*buf = record.AppendUnescaped((*buf)[:0], escaped)
	return *buf
}
