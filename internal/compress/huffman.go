package compress

import (
	"io"
	"math/bits"
)

// An entry of a decoding table says what the next bits mean.
//
//	bits  0–4   length of the code
//	bits  5–8   how many extra bits follow; for a link, how many bits its table is looked up with
//	bits  9–15  what it is
//	bits 16–31  a literal byte, the base of a length or an offset, or the place of a linked table
const (
	codeBits   = 1<<5 - 1
	extraShift = 5
	extraMask  = 1<<4 - 1
	valueShift = 16

	isLiteral = 1 << 9
	isLink    = 1 << 10
	isSpecial = 1 << 11 // neither literal nor length nor offset: the end of a block, or no code at all
	isEnd     = 1 << 12
)

const (
	maxCodeBits = 15 // RFC 1951, section 3.2.7
	primaryBits = 10 // that a table is looked up with first; longer codes are linked to tables of their own
	maxSymbols  = 288 + 32
	endOfBlock  = 256
	firstLength = 257
	// tableSize is enough for any code: the primary entries, and for each link at most as many as all longer codes
	// could need.
	tableSize = 1<<primaryBits + 1<<(maxCodeBits-primaryBits)*maxSymbols/2
)

// huffman is the decoding table of one alphabet.
type huffman struct {
	table [tableSize]uint32
}

// Bases and extra bits of lengths and offsets (RFC 1951, section 3.2.5).
var (
	lengthBase  = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthExtra = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	offsetBase  = [30]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	offsetExtra = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

// symbolEntry is the entry of a literal or length, without the length of its code.
func symbolEntry(symbol int) uint32 {
	switch {
	case symbol < endOfBlock:
		return uint32(symbol)<<valueShift | isLiteral
	case symbol == endOfBlock:
		return isSpecial | isEnd
	case symbol-firstLength < len(lengthBase):
		i := symbol - firstLength
		return uint32(lengthBase[i])<<valueShift | uint32(lengthExtra[i])<<extraShift
	}
	return isSpecial
}

// offsetEntry is the entry of an offset, without the length of its code.
func offsetEntry(symbol int) uint32 {
	if symbol >= len(offsetBase) {
		return isSpecial
	}
	return uint32(offsetBase[symbol])<<valueShift | uint32(offsetExtra[symbol])<<extraShift
}

// plainEntry is the entry of a symbol that stands for itself.
func plainEntry(symbol int) uint32 { return uint32(symbol)<<valueShift | isLiteral }

// build makes the table of the canonical code with these lengths (RFC 1951, section 3.2.2). It refuses codes that are
// over-subscribed, or incomplete, but for the two that encoders do write: no code, and a single one of one bit.
func (h *huffman) build(lengths []uint8, entry func(symbol int) uint32) error {
	var count [maxCodeBits + 1]int
	longest, used := 0, 0
	for _, n := range lengths {
		count[n]++
		longest = max(longest, int(n))
		if n > 0 {
			used++
		}
	}
	var next [maxCodeBits + 2]int
	code := 0
	for n := 1; n <= longest; n++ {
		next[n] = code
		code = (code + count[n]) << 1
	}
	single := used == 1 && longest == 1
	if used > 0 && !single && code != 1<<(longest+1) {
		return errDeflate
	}
	for i := range 1 << primaryBits {
		h.table[i] = isSpecial
	}
	free := 1 << primaryBits
	for symbol, length := range lengths {
		n := int(length)
		if n == 0 {
			continue
		}
		reversed := int(bits.Reverse16(uint16(next[n])) >> (16 - n))
		next[n]++
		e := entry(symbol) | uint32(n)
		if n <= primaryBits {
			for i := reversed; i < 1<<primaryBits; i += 1 << n {
				h.table[i] = e
			}
			continue
		}
		free = h.link(reversed, n, longest, e, free)
	}
	return nil
}

// link enters a code that is longer than the primary bits. free is where the next linked table may stand.
func (h *huffman) link(reversed, n, longest int, e uint32, free int) int {
	head := &h.table[reversed&(1<<primaryBits-1)]
	width := longest - primaryBits
	if *head&isLink == 0 {
		*head = uint32(free)<<valueShift | uint32(width)<<extraShift | isLink
		for i := range 1 << width {
			h.table[free+i] = isSpecial
		}
		free += 1 << width
	}
	table := int(*head >> valueShift)
	for i := reversed >> primaryBits; i < 1<<width; i += 1 << (n - primaryBits) {
		h.table[table+i] = e
	}
	return free
}

// decode takes one symbol off the word of f, which has been topped up.
func (h *huffman) decode(f *inflater) (uint32, error) {
	e := h.table[f.bits&(1<<primaryBits-1)]
	if e&isLink != 0 {
		e = h.table[e>>valueShift+uint32(f.bits>>primaryBits)&(1<<(e>>extraShift&extraMask)-1)]
	}
	n := uint(e & codeBits)
	if n > f.count {
		return 0, io.ErrUnexpectedEOF
	}
	if e&isSpecial != 0 && e&isEnd == 0 {
		if f.count < maxCodeBits && f.packed.pos == len(f.packed.in) {
			return 0, io.ErrUnexpectedEOF
		}
		return 0, errDeflate
	}
	f.take(n)
	return e, nil
}

// fixedCodes are those of RFC 1951, section 3.2.6. Small members are of them and nothing else, and building the tables
// would cost more than all else in such a member; so they are built only where others stand in their place.
func (f *inflater) fixedCodes() {
	if f.fixed {
		return
	}
	f.fixed = true
	lengths := f.lengths[:288]
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	// Both codes are complete, so building them cannot fail.
	_ = f.symbols.build(lengths, symbolEntry)
	offsets := f.lengths[:32]
	for i := range offsets {
		offsets[i] = 5
	}
	_ = f.offsets.build(offsets, offsetEntry)
}

// codeOrder is the order in which the lengths of the code for lengths are written (RFC 1951, section 3.2.7).
var codeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamicCodes reads the codes of a block that brings its own (RFC 1951, section 3.2.7).
func (f *inflater) dynamicCodes() error {
	if err := f.fill(14); err != nil {
		return err
	}
	symbols, offsets, codes := int(f.take(5))+257, int(f.take(5))+1, int(f.take(4))+4
	if symbols > 286 || offsets > 30 {
		return errDeflate
	}
	var order [19]uint8
	for _, i := range codeOrder[:codes] {
		if err := f.fill(3); err != nil {
			return err
		}
		order[i] = uint8(f.take(3))
	}
	f.fixed = false
	// The table of symbols is not in use yet, so it serves for the code of lengths first.
	if err := f.symbols.build(order[:], plainEntry); err != nil {
		return err
	}
	lengths := f.lengths[:symbols+offsets]
	if err := f.readLengths(lengths); err != nil {
		return err
	}
	if lengths[endOfBlock] == 0 {
		return errDeflate
	}
	if err := f.symbols.build(lengths[:symbols], symbolEntry); err != nil {
		return err
	}
	return f.offsets.build(lengths[symbols:], offsetEntry)
}

// readLengths reads code lengths, which are packed with a code and with repetitions themselves.
func (f *inflater) readLengths(lengths []uint8) error {
	for i := 0; i < len(lengths); {
		f.top()
		e, err := f.symbols.decode(f)
		if err != nil {
			return err
		}
		symbol := int(e >> valueShift)
		if symbol < 16 {
			lengths[i] = uint8(symbol)
			i++
			continue
		}
		repeat := [3]struct {
			bits uint
			base int
		}{{2, 3}, {3, 3}, {7, 11}}[symbol-16]
		if err := f.fill(repeat.bits); err != nil {
			return err
		}
		times := repeat.base + int(f.take(repeat.bits))
		if i+times > len(lengths) || symbol == 16 && i == 0 {
			return errDeflate
		}
		value := uint8(0)
		if symbol == 16 {
			value = lengths[i-1]
		}
		for range times {
			lengths[i] = value
			i++
		}
	}
	return nil
}
