package redact

import (
	"bytes"

	"sluice/internal/jsontoken"
)

// edit is a part of a text on its way to becoming another one: text[low:high], which is all of it unless there is something
// around that a pattern may look at.
type edit struct {
	out       []byte
	start     int // where the part begins in out
	text      []byte
	low, high int
	copied    int // bytes of the part that are in out, or replaced
	at        int // where in text the next match may start
	room      int
	guard     *guard
	hits      int

	across  bool // only matches that start before the part count
	whole   bool // and they take all of it
	covered int  // unless they reach no further into it than this
}

// concerns reports whether a match is to be replaced.
func (e *edit) concerns(start, end int) bool {
	if end <= e.low || start >= e.high || !e.guard.passes(e.text, start, end) {
		return false
	}
	return !e.across || start < e.low && end > e.low+e.covered
}

// keep appends what stands before the match text[start:end], which is to be replaced by up to n bytes. It reports false if
// there is no room for them.
func (e *edit) keep(start, end, n int) bool {
	start, end = e.guard.widen(e.text, start, end)
	start = max(start, e.low+e.copied)
	end = max(start, min(end, e.high))
	grown := len(e.out) - e.start - e.copied
	if grown+n-(end-start) > e.room {
		return false
	}
	e.out = append(e.out, e.text[e.low+e.copied:start]...)
	e.copied = end - e.low
	e.at = max(e.at, end)
	e.hits++
	return true
}

// finish appends the rest of the part, if there was a match.
func (e *edit) finish() (out []byte, hits int) {
	if e.hits == 0 {
		return e.out, 0
	}
	return append(e.out, e.text[e.low+e.copied:e.high]...), e.hits
}

// giveUp replaces the whole part.
func (e *edit) giveUp() (out []byte, hits int) {
	return append(e.out[:e.start], tooLong...), e.hits + 1
}

// without returns what a replacement puts in the place of a value, of a match that begins before it or ends behind it: if it
// repeats what stands there, such as `"password":"***"` does, that is left out. White space between tokens does not count.
func without(replacement, before, behind []byte) []byte {
	if len(before) > 0 {
		rest, ok := cutSpaced(replacement, before)
		if !ok {
			return replacement
		}
		replacement = rest
	}
	return bytes.TrimSuffix(replacement, behind)
}

// cutSpaced returns text without the prefix that it begins with but for white space in either.
func cutSpaced(text, prefix []byte) (rest []byte, ok bool) {
	i := 0
	for _, c := range prefix {
		if jsontoken.IsSpace(c) {
			continue
		}
		if i = jsontoken.PastSpace(text, i); i == len(text) || text[i] != c {
			return nil, false
		}
		i++
	}
	if n := len(prefix); n > 0 && jsontoken.IsSpace(prefix[n-1]) {
		i = jsontoken.PastSpace(text, i)
	}
	return text[i:], true
}
