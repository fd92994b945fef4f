package redact

import (
	"bytes"
	"encoding/binary"
)

// maxWindows bounds the alternatives that a gate looks for, and with them how short each is: all have to fit into a word.
const (
	maxWindows = 16
	wordBits   = 64
)

// gate finds out quickly that a pattern cannot match: every match holds one of a few windows, rows of characters or
// classes of them, all of one width. A nil gate lets everything pass.
//
// It looks for a rare byte that all windows have, if there is one. Then it reads a window backwards from its last byte and
// skips what cannot be the start of one, so it looks at few bytes of most texts. All windows are followed at once, a bit
// for each of their places (BNDM: Navarro and Raffinot, "Fast and flexible string matching by combining bit-parallelism
// and suffix automata", 2000).
type gate struct {
	masks  [256]uint64 // for each byte, the places where a window has it; the last place of a window is its lowest bit
	starts uint64      // the first places
	width  int
	rare   int      // the byte that all windows have; -1 for none
	folds  [][]byte // characters beyond ASCII that may stand for one in a window
}

// newGate returns a gate for what a pattern demands; nil if that is too little to be worth looking for.
func newGate(d demand) *gate {
	const enoughBits = 2 // a gate that a quarter of all bytes opens is always open
	rows := best(d.candidates()...)
	score, width := rate(rows)
	if score < enoughBits {
		return nil
	}
	windows := make([]row, len(rows))
	for i, r := range rows {
		windows[i] = r.part(width)
	}
	windows = withoutDullEnds(windows)
	g := &gate{width: len(windows[0]), rare: rarest(windows), folds: d.folds.characters()}
	for n, window := range windows {
		last := n * g.width
		first := last + g.width - 1
		g.starts |= 1 << first
		for i, p := range window {
			for b := range 256 {
				if p.has(byte(b)) {
					g.masks[b] |= 1 << (first - i)
				}
			}
		}
	}
	return g
}

// mayMatch reports false only if none of the windows is in text.
func (g *gate) mayMatch(text []byte) bool {
	if g == nil || g.isIn(text) {
		return true
	}
	for _, character := range g.folds {
		if bytes.Contains(text, character) {
			return true
		}
	}
	return false
}

func (g *gate) isIn(text []byte) bool {
	if g.rare >= 0 {
		n := bytes.IndexByte(text, byte(g.rare))
		if n < 0 {
			return false
		}
		text = text[max(0, n-g.width+1):]
	}
	for len(text) >= g.width {
		window := text[:g.width]
		places, skip := ^uint64(0), g.width
		for i := len(window) - 1; i >= 0; i-- { //nolint:modernize // slices.Backward takes a third longer
			if places &= g.masks[window[i]]; places == 0 {
				break
			}
			if places&g.starts != 0 {
				if i == 0 {
					return true
				}
				skip = i
			}
			places = places &^ g.starts << 1
		}
		text = text[skip:]
	}
	return false
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// hidesCharacters reports whether text may have an escape of JSON that stands for a character that needs none, such as
// `\u0040` or `\/`. Any other escape stands for a character that no gate looks for. It may report true for text without
// such an escape, for it takes every odd byte behind a backslash for one: of the letters of escapes, `u` and `/` are the
// odd ones.
func hidesCharacters(text []byte) bool {
	i := bytes.IndexByte(text, '\\')
	if i < 0 {
		return false
	}
	for ; i+9 <= len(text); i += 8 {
		word, next := binary.LittleEndian.Uint64(text[i:]), binary.LittleEndian.Uint64(text[i+1:])
		zeros := word ^ ones*'\\' | ^next&ones // a byte is 0 where a backslash is followed by an odd one
		if (zeros-ones)&^zeros&highs != 0 {
			return true
		}
	}
	for ; i+1 < len(text); i++ {
		if text[i] == '\\' && text[i+1]&1 != 0 {
			return true
		}
	}
	return false
}
