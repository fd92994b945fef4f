package redact

import "sluice/internal/jsontoken"

// guard decides which matches count in a text in which escapes of JSON may stand. A match that cuts an escape in two would
// hide what the escape stands for from the rules behind it, and break the JSON; one that ends beside an escape may take only
// the half of a word. Both are left to the look at the text without escapes. What is not found there is taken in the
// end, late, with all of the escapes that it cuts: `\u1234` may be no escape but a backslash before a user's name. What is
// nothing but digits of an escape stays.
//
// A nil guard lets every match pass.
type guard struct {
	late    bool // only matches count that have been refused before
	refused bool // there was one
}

// passes reports whether the match text[start:end] counts.
func (g *guard) passes(text []byte, start, end int) bool {
	if g == nil {
		return true
	}
	from, _ := escapeAround(text, start)
	_, to := escapeAround(text, end)
	meets := from < start || to > end || endsEscape(text, start) || beginsEscape(text, end)
	if !g.late {
		g.refused = g.refused || meets
		return !meets
	}
	return meets && !isDigitsOfEscape(text, start, end)
}

// widen returns a match with all of the escapes that it cuts, as far as it counts late.
func (g *guard) widen(text []byte, start, end int) (from, to int) {
	if g == nil || !g.late {
		return start, end
	}
	from, _ = escapeAround(text, start)
	_, to = escapeAround(text, end)
	return from, to
}

const unicodeEscape = len(`\u0031`)

// escapeAround returns the escape that begins before text[at] and ends behind it, without the backslashes but one;
// at twice if there is none.
func escapeAround(text []byte, at int) (start, end int) {
	for start = at - 1; start > at-unicodeEscape && start >= 0; start-- {
		if text[start] != '\\' {
			continue
		}
		if n := escapeLength(text[start:]); start+n > at {
			return start, start + n
		}
	}
	return at, at
}

// escapeLength returns how long the escape is that begins text, one of those that [reveal] replaces or any with digits; 0
// for none.
func escapeLength(text []byte) int {
	switch jsontoken.At(text, 1) {
	case '/':
		return len(`\/`)
	case 'u':
	default:
		return 0
	}
	for i := len(`\u`); i < unicodeEscape; i++ {
		if !isHex(jsontoken.At(text, i)) {
			return 0
		}
	}
	return unicodeEscape
}

// endsEscape reports whether an escape that hides a character ends before text[at].
func endsEscape(text []byte, at int) bool {
	for _, width := range []int{len(`\/`), unicodeEscape} {
		if start := at - width; start >= 0 && text[start] == '\\' {
			if _, n := escapedAt(text[start+1:]); n+1 == width {
				return true
			}
		}
	}
	return false
}

// beginsEscape reports whether an escape that hides a character begins at text[at], with all of its backslashes.
func beginsEscape(text []byte, at int) bool {
	start := at
	for jsontoken.At(text, at) == '\\' {
		at++
	}
	if at == start {
		return false
	}
	_, n := escapedAt(text[at:])
	return n > 0
}

// isDigitsOfEscape reports whether a match lies within the digits of one escape.
func isDigitsOfEscape(text []byte, start, end int) bool {
	from, to := escapeAround(text, start)
	return from+len(`\u`) <= start && from < start && end <= to
}
