package redact

import (
	"math"
	"math/bits"
	"slices"
	"strings"
)

// class is a set of bytes.
type class [4]uint64

func (c class) with(b byte) class {
	c[b>>6] |= 1 << (b & 63)
	return c
}

func (c class) has(b byte) bool { return c[b>>6]>>(b&63)&1 != 0 }

// first is the lowest byte of a class that has one.
func (c class) first() byte {
	i := 0
	for i < len(c)-1 && c[i] == 0 {
		i++
	}
	return byte(i*64 + bits.TrailingZeros64(c[i]))
}

func (c class) or(other class) class {
	for i := range c {
		c[i] |= other[i]
	}
	return c
}

func (c class) count() (n int) {
	for _, word := range c {
		n += bits.OnesCount64(word)
	}
	return n
}

// place is a class somewhere in a row, with how much it says, in bits, that a byte of a log is in it.
type place struct {
	class
	bits float64
}

func newPlace(c class) place {
	share := 0.0
	for rest := c; rest != (class{}); {
		b := rest.first()
		share += frequency(b)
		rest[b>>6] &^= 1 << (b & 63)
	}
	return place{c, -math.Log2(min(share, 1))}
}

// frequency is about how often a byte stands in logs, from lines of access logs, flow logs and applications. It only
// decides which of several pieces of a pattern is looked for.
func frequency(b byte) float64 {
	switch {
	case b >= '0' && b <= '9':
		return 0.025
	case strings.IndexByte("etaoinsrhldcu", b) >= 0:
		return 0.025
	case strings.IndexByte("jkqxz", b) >= 0:
		return 0.004
	case b >= 'a' && b <= 'z':
		return 0.012
	case b == ' ' || b == '"':
		return 0.05
	case b == '.' || b == ':' || b == ',' || b == '-' || b == '/':
		return 0.02
	case strings.IndexByte("ACDEGHLNOPRST", b) >= 0:
		return 0.006
	case b >= 'A' && b <= 'Z' || b == '_' || b == '=':
		return 0.004
	case b > ' ' && b <= '~':
		return 0.002
	}
	return 0.0005
}

// row is a place for each byte of a piece of text.
type row []place

// information is how much it says, in bits, that a text has such a row. A byte of a class is no surprise behind another
// one of that class.
func (r row) information() (sum float64) {
	for i := range r {
		more := r[i].bits
		if i > 0 && r[i].class == r[i-1].class && r[i].count() > 1 {
			more /= 2
		}
		sum += more
	}
	return sum
}

// part returns the piece of a row that says most, of the given width.
func (r row) part(width int) row {
	found, most := r[:width], -1.0
	for i := 0; i+width <= len(r); i++ {
		if sum := r[i : i+width].information(); sum > most {
			found, most = r[i:i+width], sum
		}
	}
	return found
}

// rate says how much it tells, in bits, that one of rows is in a text, when each is cut to the width that all have in
// common and that fits a gate.
func rate(rows []row) (score float64, width int) {
	if len(rows) == 0 || len(rows) > maxWindows {
		return 0, 0
	}
	width = wordBits / len(rows)
	for _, r := range rows {
		width = min(width, len(r))
	}
	if width == 0 {
		return 0, 0
	}
	score = math.Inf(1)
	for _, r := range rows {
		score = min(score, r.part(width).information())
	}
	return score - math.Log2(float64(len(rows))), width
}

// withoutDullEnds takes the last places off windows as long as nearly every byte of a log fits there: they are read first.
func withoutDullEnds(windows []row) []row {
	const dull, fewest = 1.5, 3 // bits, places
	for width := len(windows[0]); width > fewest; width-- {
		for _, w := range windows {
			if w[width-1].bits >= dull {
				return windows
			}
		}
		for i, w := range windows {
			windows[i] = w[:width-1]
		}
	}
	return windows
}

// rarest returns the rarest of the bytes that every window has for certain, if it is rare enough to be missing from many
// lines; otherwise -1.
func rarest(windows []row) int {
	found, least := -1, 0.02
	for _, p := range windows[0] {
		if p.count() != 1 {
			continue
		}
		everywhere := true
		for _, w := range windows[1:] {
			everywhere = everywhere && slices.Contains(w, p)
		}
		if b := p.first(); everywhere && frequency(b) <= least {
			found, least = int(b), frequency(b)
		}
	}
	return found
}

// best returns the set of rows that says most; nil when none says anything.
func best(sets ...[]row) (found []row) {
	most := 0.0
	for _, rows := range sets {
		if score, _ := rate(rows); score > most {
			found, most = rows, score
		}
	}
	return found
}

// product returns each row of the one set with each of the other behind it; nil when there are too many.
func product(heads, tails []row) []row {
	if len(heads)*len(tails) > maxWindows {
		return nil
	}
	rows := make([]row, 0, len(heads)*len(tails))
	for _, head := range heads {
		for _, tail := range tails {
			rows = append(rows, append(slices.Clip(head), tail...))
		}
	}
	return rows
}

// fit reports whether rows are short enough to be kept whole.
func fit(rows []row) bool {
	for _, r := range rows {
		if len(r) > wordBits {
			return false
		}
	}
	return rows != nil
}

// trim cuts rows to what fits a gate: their ends or their beginnings.
func trim(rows []row, ends bool) []row {
	trimmed := make([]row, len(rows))
	for i, r := range rows {
		trimmed[i] = cut(r, wordBits, ends)
	}
	return trimmed
}

func cut(r row, width int, end bool) row {
	if len(r) <= width {
		return r
	}
	if end {
		return r[len(r)-width:]
	}
	return r[:width:width]
}

// merge returns the rows of both sets. Where there would be too many, two become one that takes what either takes, as long
// as the shorter one: their ends, or their beginnings.
func merge(some, others []row, ends bool) []row {
	rows := slices.Concat(some, others)
	if len(rows) <= maxWindows {
		return rows
	}
	merged := make([]row, 0, maxWindows)
	for i, r := range rows {
		if i < maxWindows {
			merged = append(merged, r)
			continue
		}
		into := merged[i%maxWindows]
		width := min(len(r), len(into))
		r, into = cut(r, width, ends), cut(into, width, ends)
		both := make(row, width)
		for i := range both {
			both[i] = newPlace(r[i].or(into[i].class))
		}
		merged[i%maxWindows] = both
	}
	return merged
}
