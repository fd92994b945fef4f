package redact

import (
	"bytes"

	"sluice/internal/record"
)

// AppendJSON appends doc, one JSON value of any type, with the strings and numbers in it redacted, each on its own. The
// names of members stay, and so do true, false and null. A number that is redacted becomes a string, unless what takes its
// place is a number. All other bytes stay as they are.
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

// appendValues is AppendJSON for the active rules.
func (r *Redactor) appendValues(dst, doc []byte) (out []byte, hits int, ok bool) {
	if !r.validator.isValid(doc) {
		return dst, 0, false
	}
	copied := 0
	for i := 0; i < len(doc); {
		switch c := doc[i]; {
		case c == '"':
			start := i + 1
			end := stringEnd(doc, start)
			if i = end + 1; isName(doc, i) {
				continue
			}
			if value, n := r.replaceString(doc[start:end]); n > 0 {
				dst = append(dst, doc[copied:start]...)
				dst = record.AppendEscaped(dst, value)
				copied, hits = end, hits+n
			}
		case c == '-' || isDigit(c):
			start := i
			for i < len(doc) && isNumber(doc[i]) {
				i++
			}
			if value, n := r.replace(doc[start:i], r.active); n > 0 {
				dst = append(dst, doc[copied:start]...)
				dst = appendScalar(dst, value)
				copied, hits = i, hits+n
			}
		default:
			i++
		}
	}
	return append(dst, doc[copied:]...), hits, true
}

// replaceString applies the active rules to the text that escaped stands for.
func (r *Redactor) replaceString(escaped []byte) (value []byte, hits int) {
	if bytes.IndexByte(escaped, '\\') >= 0 && !r.mayMatch(escaped) {
		return nil, 0
	}
	return r.replace(unescape(&r.value, escaped), r.active)
}

// appendScalar appends text as a number if it is one, otherwise as a string.
func appendScalar(dst, text []byte) []byte {
	if numberBehind(text, 0) == len(text) {
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

// isName reports whether the string that ends before i is the name of a member.
func isName(doc []byte, i int) bool {
	return at(doc, skipSpace(doc, i)) == ':'
}

func isNumber(c byte) bool {
	return isDigit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// isBracketed reports whether text begins as an object or an array of JSON does.
func isBracketed(text []byte) bool {
	c := at(text, skipSpace(text, 0))
	return c == '{' || c == '['
}
