package redact

import (
	"bytes"

	"sluice/internal/jsontoken"
	"sluice/internal/record"
)

// AppendJSON appends doc, one JSON value of any type, with the strings and numbers in it redacted, each on its own or with
// the name before it. The names of members stay, and so do true, false and null, unless a rule asks for them by a name. What
// is no string becomes one, unless what takes its place is a number. All other bytes stay as they are.
//
// ok is false for what is not JSON: nothing is appended then, and it has to be redacted as text. Where no rule can match,
// doc is appended unread and ok is true. The two must not overlap.
func (r *Redactor) AppendJSON(dst, doc []byte) (out []byte, hits int, ok bool) {
	if !r.probe(doc) {
		return append(dst, doc...), 0, true
	}
	r.allow(len(doc))
	return r.appendValues(dst, doc)
}

// AppendMember is AppendJSON for the value of a member, whose name stands as it does in JSON, without its quotes.
func (r *Redactor) AppendMember(dst, name, value []byte) (out []byte, hits int, ok bool) {
	member := append(append(append(r.member[:0], `{"`...), name...), `":`...)
	before := len(member)
	member = append(append(member, value...), '}')
	r.member = member
	start := len(dst)
	if out, hits, ok = r.AppendJSON(dst, member); !ok {
		return dst, 0, false
	}
	n := copy(out[start:], out[start+before:len(out)-len("}")])
	return out[:start+n], hits, true
}

// appendValues is AppendJSON for the active rules.
func (r *Redactor) appendValues(dst, doc []byte) (out []byte, hits int, ok bool) {
	if !r.validator.isValid(doc) {
		return dst, 0, false
	}
	r.position.begin(doc)
	r.beside.begin()
	d := document{out: dst, doc: doc}
	if r.compiled.askWhere {
		r.walk(&d)
	} else {
		r.walkValues(&d)
	}
	r.beside.kind = aText
	return append(d.out, doc[d.copied:]...), d.hits, true
}

// document is one that is on its way to becoming another.
type document struct {
	out, doc []byte
	copied   int // bytes of doc that are in out, or replaced
	hits     int
}

// upTo appends what stands before the part doc[start:end], in whose place something is to be appended.
func (d *document) upTo(start, end, hits int) {
	d.out = append(d.out, d.doc[d.copied:start]...)
	d.copied = end
	d.hits += hits
}

// walkValues redacts strings and numbers, wherever they stand.
func (r *Redactor) walkValues(d *document) {
	for i := 0; i < len(d.doc); {
		switch c := d.doc[i]; {
		case c == '"':
			end := stringEnd(d.doc, i+1) + 1
			if !isName(d.doc, end) {
				r.redactString(d, i, end)
			}
			i = end
		case c == '-' || isDigit(c):
			end := scalarEnd(d.doc, i)
			r.redactScalar(d, i, end)
			i = end
		default:
			i++
		}
	}
}

// walk is walkValues for rules that ask where a value stands.
func (r *Redactor) walk(d *document) {
	for i := 0; i < len(d.doc); {
		switch c := d.doc[i]; c {
		case '{', '[':
			if rule, all := r.ruleForAll(); rule >= 0 {
				end := bracketEnd(d.doc, i)
				r.replaceAll(d, rule, all, i, end)
				i = end
				r.position.passValue()
				continue
			}
			r.position.push(c == '[')
			i++
		case '}', ']':
			r.position.pop()
			i++
		case ',', ':', ' ', '\n', '\r', '\t':
			i++
		case '"':
			end := stringEnd(d.doc, i+1) + 1
			if isName(d.doc, end) {
				r.enter(name{i + 1, end - 1})
			} else {
				r.position.call(i+1, end-1)
				r.lookBeside(aString)
				r.redactString(d, i, end)
				r.position.passValue()
			}
			i = end
		default:
			end := scalarEnd(d.doc, i)
			r.lookBeside(kindOf(c))
			r.redactScalar(d, i, end)
			r.position.passValue()
			i = end
		}
	}
}

// redactString redacts the string doc[start:end].
func (r *Redactor) redactString(d *document, start, end int) {
	if value, n := r.replaceString(d.doc[start+1 : end-1]); n > 0 {
		d.upTo(start+1, end-1, n)
		d.out = record.AppendEscaped(d.out, value)
	}
}

// redactScalar redacts what is no string in doc[start:end].
func (r *Redactor) redactScalar(d *document, start, end int) {
	if value, n := r.replace(d.doc[start:end], r.active); n > 0 {
		d.upTo(start, end, n)
		d.out = appendScalar(d.out, value)
	}
}

// replaceString applies the active rules to the text that escaped stands for.
func (r *Redactor) replaceString(escaped []byte) (value []byte, hits int) {
	if bytes.IndexByte(escaped, '\\') >= 0 && !r.mayMatch(escaped) {
		return nil, 0
	}
	text := unescape(&r.value, escaped)
	inner, n := r.replaceNested(text)
	if n == 0 {
		return r.replace(text, r.active)
	}
	value, hits = r.replace(inner, nil)
	return value, n + hits
}

// appendScalar appends text as a number if it is one, otherwise as a string.
func appendScalar(dst, text []byte) []byte {
	if jsontoken.PastNumber(text, 0) == len(text) {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	dst = record.AppendEscaped(dst, text)
	return append(dst, '"')
}

// stringEnd returns the offset of the quote that closes the string of valid JSON whose first byte is at i.
func stringEnd(doc []byte, i int) int {
	for {
		i += record.PlainRun(doc[i:])
		switch doc[i] {
		case '"':
			return i
		case '\\':
			i += 2
		default:
			i++
		}
	}
}

// scalarEnd returns the offset behind the number or the word of valid JSON that begins at i.
func scalarEnd(doc []byte, i int) int {
	for i < len(doc) && (isNumber(doc[i]) || 'a' <= doc[i] && doc[i] <= 'z') {
		i++
	}
	return i
}

// isName reports whether the string that ends before i is the name of a member.
func isName(doc []byte, i int) bool {
	return jsontoken.At(doc, jsontoken.PastSpace(doc, i)) == ':'
}

func isNumber(c byte) bool {
	return isDigit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// isBracketed reports whether text begins as an object or an array of JSON does.
func isBracketed(text []byte) bool {
	c := jsontoken.At(text, jsontoken.PastSpace(text, 0))
	return c == '{' || c == '['
}
