package format

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// desk is where a line is read and its members are put together. Both places are arrays, so that the compiler knows how long
// they are, and the program does not have to look with each piece that it copies. It copies more than it needs, too, as that
// costs less than to find out how much it is.
//
// Whatever is done here could be left out: what follows run does the same with any column, in two or three times the time.
type desk struct {
	line  [deskBytes + 2*shortBytes]byte // one that is not too long, and a space
	size  int                            // of the line; 0 for one that is
	limit int                            // of size, in bytes
	out   [deskBytes + headMask + 2*shortBytes]byte
}

const (
	deskBytes = 4096         // of each place are in use, a power of two: more than most lines have
	longBytes = 2048         // a column that becomes several attributes has at most
	roomBytes = 4 * keyBytes // are as much as the names take up that one column becomes
)

// take copies a line onto the desk.
func (a *Attributes) take(line []byte) *desk {
	if a.desk == nil {
		a.desk = &desk{limit: deskBytes - 1}
	}
	d := a.desk
	if d.size = 0; len(line) <= d.limit {
		d.size = copy(d.line[:], line)
		d.line[d.size] = ' '
	}
	return d
}

// run writes columns of the line, which spaces separate, from the nth on, which begins at at, as long as they are like most
// columns of most lines: texts that stand for themselves, in quotes where the log has them, and whole numbers. It returns
// where it has come to: a column that wants more care, a second space, or the end of the line. This is where the time goes.
func (d *desk) run(w *writer, fields []field, at, n int) (nowAt, now int) {
	used := 0
columns:
	for ; n < len(fields) && at < d.size; n++ {
		f, from := &fields[n], at&(deskBytes-1)
		var size, wraps int
		word := binary.LittleEndian.Uint64(d.line[from : from+wordBytes])
		if size = sizeOfAbsent(f.kind, word); size > 0 {
			at += size
			continue
		}
		switch {
		case f.kind == quoted:
			size = d.sizeOfQuoted(f, from)
			from, wraps = (at+len(`"`))&(deskBytes-1), len(`"`)
		case f.kind > quoted:
			if from, used = d.parts(f, from, used); from == 0 {
				break columns
			}
			at = from
			continue
		case f.kind == numeric:
			if size = bits.TrailingZeros64(othersThanDigits(word)) / 8; d.line[from+size] != ' ' || byte(word) == '0' {
				size = d.sizeOfNumber(from)
			}
		default:
			if size = bits.TrailingZeros64(marks(word, 0, upToQuote)&topBits) / 8; d.line[from+size] != ' ' {
				size = d.sizeOfText(from, ' ')
			}
		}
		if size == 0 || d.line[from+size+wraps] != ' ' || used+size+roomBytes > deskBytes || f.keep == 0 {
			break
		}
		at += size + 2*wraps + len(" ")
		i := used & (deskBytes - 1)
		*(*[keyBytes]byte)(d.out[i:]) = f.head.bytes
		i += int(f.keep & headMask)
		*(*[shortBytes]byte)(d.out[i:]) = *(*[shortBytes]byte)(d.line[from&(deskBytes-1):])
		if size > shortBytes {
			copy(d.out[i+shortBytes:], d.line[from+shortBytes:from+size])
		}
		if used = i + size; f.kind != numeric {
			d.out[used] = '"'
			used++
		}
	}
	w.dst = append(w.dst, d.out[:used]...)
	return at, n
}

// sizeOfAbsent returns the size of a column that is a hyphen, with what is around it, if it begins as word does; 0 for any other.
func sizeOfAbsent(k kind, word uint64) int {
	switch {
	case k <= numeric && word<<48 == '-'<<48|' '<<56:
		return len("- ")
	case k == quoted && word<<32 == '"'<<32|'-'<<40|'"'<<48|' '<<56: // as most columns in quotes are
		return len(`"-" `)
	}
	return 0
}

// parts is run for a column that becomes several attributes, or has to look like something: it returns what is behind it, and how
// much is in use then; 0 for one that wants more care.
func (d *desk) parts(f *field, from, used int) (behind, usedNow int) {
	if used > deskBytes-longBytes-roomBytes || f.keep == 0 {
		return 0, used
	}
	switch f.kind {
	case moment:
		size := d.sizeOfText(from, ' ')
		if size > longBytes || !isMoment(d.line[from:from+size]) {
			return 0, used
		}
		return from + size + len(" "), d.put(&f.head, from, size, used)
	case bracketed:
		return d.brackets(f, from, used)
	case address:
		return d.hostAndPort(f, from, used)
	case request:
		return d.methodAndURL(f, from, used)
	default:
		return 0, used
	}
}

// put writes a text and returns how much is in use then.
func (d *desk) put(h *head, from, size, used int) int {
	i := used & (deskBytes - 1)
	*(*[keyBytes]byte)(d.out[i:]) = h.bytes
	i += h.n & headMask
	used = i + copy(d.out[i:], d.line[from:from+size])
	d.out[used] = '"'
	return used + len(`"`)
}

// brackets writes a text in brackets.
func (d *desk) brackets(f *field, from, used int) (behind, usedNow int) {
	size := bytes.IndexByte(d.line[from:d.size], ']') - len("[")
	if size <= len("-") || size > longBytes || d.line[from] != '[' || d.line[from+size+len("[]")] != ' ' {
		return 0, used
	}
	if from++; !isPlain(d.line[from : from+size]) {
		return 0, used
	}
	return from + size + len("] "), d.put(&f.head, from, size, used)
}

// hostAndPort writes an address like most: no absent host, no brackets around it, a number as the port.
func (d *desk) hostAndPort(f *field, from, used int) (behind, usedNow int) {
	size := d.sizeOfText(from, ' ')
	colon := bytes.LastIndexByte(d.line[from:from+size], ':')
	if colon < len("::") || d.line[from] == '[' || size > longBytes || !isNumber(d.line[from+colon+1:from+size]) {
		return 0, used
	}
	used = d.put(&f.head, from, colon, used)
	i := used & (deskBytes - 1)
	i += copy(d.out[i:], f.more[0].text[:len(f.more[0].text)-len(`"`)])
	return from + size + len(" "), i + copy(d.out[i:], d.line[from+colon+1:from+size])
}

// methodAndURL writes a request that has a method, a URL and a protocol.
func (d *desk) methodAndURL(f *field, from, used int) (behind, usedNow int) {
	size := d.sizeOfQuoted(f, from)
	behind = from + size + len(`"" `)
	from++
	value := d.line[from : from+size]
	first, last := bytes.IndexByte(value, ' '), bytes.LastIndexByte(value, ' ')
	if first < len("--") || last < first+len(" --") || last > size-len(" --") || size > longBytes {
		return 0, used
	}
	used = d.put(&f.head, from, first, used)
	used = d.put(&f.more[0], from+first+1, last-first-1, used)
	return behind, d.put(&f.more[1], from+last+1, size-last-1, used)
}

// sizeOfNumber returns the size of the number at a place in the line; 0 for text.
func (d *desk) sizeOfNumber(from int) int {
	if othersThanDigits(binary.LittleEndian.Uint64(d.line[from:])) == 0 && d.line[from] != '0' {
		rest := othersThanDigits(binary.LittleEndian.Uint64(d.line[from+wordBytes:]))
		if size := wordBytes + bits.TrailingZeros64(rest)/8; size <= maxNumberBytes && d.line[from+size] == ' ' {
			return size
		}
	}
	size := bytes.IndexByte(d.line[from:from+maxNumberBytes+len("- ")], ' ')
	if size < 0 || !isNumber(d.line[from:from+size]) {
		return 0
	}
	return size
}

// sizeOfText returns the size of the text from a place on, up to a space or a quote; 0 where it does not stand for itself in
// JSON, or may not: an exclamation mark in front of a space is as good as a quote here.
func (d *desk) sizeOfText(from int, stop byte) int {
	flip, limit := uint64(0), uint64(upToQuote)
	if stop == '"' {
		flip, limit = quoteForSpace, upToSpace
	}
	for i := from & (deskBytes - 1); i < deskBytes; i += 2 * wordBytes {
		first, second := binary.LittleEndian.Uint64(d.line[i:i+wordBytes]), binary.LittleEndian.Uint64(d.line[i+wordBytes:i+2*wordBytes])
		inFirst, inSecond := marks(first, flip, limit), marks(second, flip, limit)
		if (inFirst|inSecond)&topBits == 0 {
			continue
		}
		at := bits.TrailingZeros64(inFirst&topBits) / 8
		if at == wordBytes {
			at += bits.TrailingZeros64(inSecond&topBits) / 8
		}
		if d.line[i+at] != stop {
			return 0
		}
		return i + at - from
	}
	return 0
}

// What marks are made with.
const (
	quoteForSpace = ('"' ^ ' ') * eachByte // turns each into the other, and leaves control characters what they are
	upToSpace     = (' ' + 1) * eachByte
	upToQuote     = ('"' + 1) * eachByte
)

// marks has the top bit set of each byte of a word that is a backslash or, with the bits of flip turned over, below limit; those
// beyond ASCII are not. Bytes above one may be flagged wrongly; the other bits mean nothing.
func marks(word, flip, limit uint64) uint64 {
	return ((word ^ flip - limit) | (word ^ ('\\' * eachByte) - eachByte)) &^ word
}

// sizeOfQuoted returns the size of the value in quotes that begins at from, if it stands for itself in JSON and its quote
// closes it for sure; 0 for any other.
func (d *desk) sizeOfQuoted(f *field, from int) int {
	if d.line[from] != '"' {
		return 0
	}
	size := d.sizeOfText(from+len(`"`), '"')
	behind := from + size + len(`""`)
	if size == 0 || behind > d.size || d.line[behind] != ' ' || f.closes != nil && !f.closes(d.line[behind:d.size]) {
		return 0
	}
	return size
}

// spacesBehind passes the spaces at a place in a line, or behind its end, where it has one on the desk.
func spacesBehind(line []byte, at int) int {
	for at < len(line) && line[at] == ' ' {
		at++
	}
	return min(at, len(line))
}
