package compress

import (
	"encoding/binary"
	"errors"
	"io"
)

// Sizes of the buffer that is inflated into. A match reaches back historyBytes, so as many are kept when the buffer is
// slid; copies are made eight bytes at a time and may write a little beyond the longest match.
const (
	historyBytes = 32 << 10
	bufferBytes  = 4 * historyBytes
	maxMatch     = 258
	copyStep     = 8
	outSlack     = 2 + maxMatch + copyStep // two literals and a match in one turn of the fast loop
	// inSlack is the input that one turn of the fast loop may look at: two words, each at most eight bytes on.
	inSlack = 16
	// stepBytes is the input that any other step may look at: the longest header of a block is 14 bits, 19 lengths of 3
	// bits, and 316 lengths of at most 14 bits (RFC 1951, section 3.2.7), which is 563 bytes.
	stepBytes = 1 << 10
)

var errDeflate = errors.New("corrupt deflate data")

// inflater inflates one deflate stream (RFC 1951) after another.
//
// It is our own because it is a third of all our work. Having the input in memory, or a large window on it, and a buffer
// with room to spare lets it read and write eight bytes at a time and check limits once for each symbol; tests hold it
// against the standard library. Bits are taken from a 64-bit word that is filled up from the input with whole bytes: more of them than count
// says may be in the word, which is harmless, because filling up again puts the same bits into the same places.
type inflater struct {
	packed *input
	bits   uint64 // the next bits, lowest first
	count  uint   // how many of them are valid

	out   []byte
	end   int // of what has been inflated, in out
	read  int // of that, what has been handed out
	start int // of this stream, in out: no match reaches further back

	block   blockKind
	final   bool
	stored  int // bytes left of a stored block
	lengths [maxSymbols]uint8
	symbols huffman
	offsets huffman
	fixed   bool // both tables are of the fixed codes, and may serve again, in another stream as well
}

type blockKind uint8

const (
	betweenBlocks blockKind = iota
	storedBlock
	huffmanBlock
	streamEnd
)

// reset forgets everything but the buffer, and goes on to other input.
func (f *inflater) reset(packed *input) {
	if f.out == nil {
		f.out = make([]byte, bufferBytes)
	}
	f.packed, f.end, f.read = packed, 0, 0
}

// next starts the stream that comes next in the input. What has been inflated and not been read stays.
func (f *inflater) next() {
	f.bits, f.count = 0, 0
	f.start, f.block, f.final = f.end, betweenBlocks, false
}

// more inflates until there is something to hand out. It returns io.EOF at the end of the stream, and then what is left
// of the input is behind the stream.
func (f *inflater) more() error {
	for f.read == f.end {
		if f.block == streamEnd {
			f.giveBack()
			return io.EOF
		}
		f.slide()
		f.packed.ahead(stepBytes)
		if err := f.step(); errors.Is(err, io.ErrUnexpectedEOF) {
			return f.packed.short()
		} else if err != nil {
			return err
		}
	}
	return nil
}

// giveBack returns the whole bytes in the word to the input.
func (f *inflater) giveBack() {
	f.packed.pos -= int(f.count / 8)
	f.bits, f.count = 0, 0
}

// slide makes room behind the history.
func (f *inflater) slide() {
	if len(f.out)-f.end >= historyBytes {
		return
	}
	shift := f.end - historyBytes
	copy(f.out, f.out[shift:f.end])
	f.end -= shift
	f.read -= shift
	f.start = max(f.start-shift, 0)
}

// step inflates some of a block, or reads the next one's header.
func (f *inflater) step() error {
	switch f.block {
	case storedBlock:
		return f.copyStored()
	case huffmanBlock:
		if err := f.inflateFast(); err != nil || f.block != huffmanBlock {
			return err
		}
		return f.inflateSlow()
	case betweenBlocks:
		if f.final {
			f.block = streamEnd
			return nil
		}
		return f.header()
	case streamEnd:
	}
	return nil
}

// fill puts at least n bits into the word, n at most 56. It is for everything but the fast loop, so it may take its time.
func (f *inflater) fill(n uint) error {
	f.top()
	if f.count < n {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// top puts as many whole bytes into the word as fit, and clears what is above them.
func (f *inflater) top() {
	p := f.packed
	f.bits &= 1<<f.count - 1
	for f.count <= 56 && p.pos < len(p.in) {
		f.bits |= uint64(p.in[p.pos]) << f.count
		p.pos++
		f.count += 8
	}
}

// take removes n bits that fill has put into the word.
func (f *inflater) take(n uint) uint64 {
	v := f.bits & (1<<n - 1)
	f.bits >>= n
	f.count -= n
	return v
}

// header reads the three bits in front of a block, and what follows them.
func (f *inflater) header() error {
	if err := f.fill(3); err != nil {
		return err
	}
	f.final = f.take(1) == 1
	switch f.take(2) {
	case 0:
		return f.storedHeader()
	case 1:
		f.fixedCodes()
	case 2:
		if err := f.dynamicCodes(); err != nil {
			return err
		}
	default:
		return errDeflate
	}
	f.block = huffmanBlock
	return nil
}

func (f *inflater) storedHeader() error {
	f.take(f.count % 8)
	if err := f.fill(32); err != nil {
		return err
	}
	n, complement := f.take(16), f.take(16)
	if n != ^complement&0xffff {
		return errDeflate
	}
	f.giveBack() // they are copied from the input itself
	f.stored, f.block = int(n), storedBlock
	return nil
}

func (f *inflater) copyStored() error {
	unread := f.packed.ahead(1)
	n := copy(f.out[f.end:], unread[:min(f.stored, len(unread))])
	f.packed.pos += n
	f.end += n
	f.stored -= n
	if f.stored == 0 {
		f.block = betweenBlocks
		return nil
	}
	if len(unread) == 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// inflateFast inflates as long as input and output have room to spare. It works on copies of the fields, which the
// compiler can keep in registers.
func (f *inflater) inflateFast() error { //nolint:gocognit,funlen // one loop: calls and fields cost what it saves
	in, out := f.packed.in, f.out
	pos, end, bits, count := f.packed.pos, f.end, f.bits, f.count
	symbols, offsets := &f.symbols.table, &f.offsets.table
	start := f.start
	err := error(nil)

	for pos+inSlack <= len(in) && end+outSlack <= len(out) {
		bits |= binary.LittleEndian.Uint64(in[pos:]) << (count & 63)
		pos += int((63 - count) >> 3)
		count |= 56

		e := symbols[bits&(1<<primaryBits-1)]
		if e&isLiteral != 0 {
			bits >>= e & codeBits
			count -= uint(e & codeBits)
			out[end] = byte(e >> valueShift)
			end++
			e = symbols[bits&(1<<primaryBits-1)]
			if e&isLiteral != 0 {
				bits >>= e & codeBits
				count -= uint(e & codeBits)
				out[end] = byte(e >> valueShift)
				end++
				e = symbols[bits&(1<<primaryBits-1)]
				if e&isLiteral != 0 {
					bits >>= e & codeBits
					count -= uint(e & codeBits)
					out[end] = byte(e >> valueShift)
					end++
					continue
				}
			}
			bits |= binary.LittleEndian.Uint64(in[pos:]) << (count & 63)
			pos += int((63 - count) >> 3)
			count |= 56
		}
		if e&isLink != 0 {
			e = symbols[e>>valueShift+uint32(bits>>primaryBits)&(1<<(e>>extraShift&extraMask)-1)]
			if e&isLiteral != 0 {
				bits >>= e & codeBits
				count -= uint(e & codeBits)
				out[end] = byte(e >> valueShift)
				end++
				continue
			}
		}
		bits >>= e & codeBits
		count -= uint(e & codeBits)
		if e&isSpecial != 0 {
			if e&isEnd == 0 {
				err = errDeflate
			}
			f.block = betweenBlocks
			break
		}
		extra := e >> extraShift & extraMask
		length := int(e>>valueShift) + int(bits&(1<<extra-1))
		bits >>= extra
		count -= uint(extra)

		e = offsets[bits&(1<<primaryBits-1)]
		if e&isLink != 0 {
			e = offsets[e>>valueShift+uint32(bits>>primaryBits)&(1<<(e>>extraShift&extraMask)-1)]
		}
		bits >>= e & codeBits
		count -= uint(e & codeBits)
		extra = e >> extraShift & extraMask
		offset := int(e>>valueShift) + int(bits&(1<<extra-1))
		bits >>= extra
		count -= uint(extra)
		if e&isSpecial != 0 || offset > end-start {
			err = errDeflate
			break
		}
		end = copyMatch(out, end, offset, length)
	}
	f.packed.pos, f.end, f.bits, f.count = pos, end, bits, count
	return err
}

// copyMatch appends length bytes from offset bytes back, which may be bytes that it appends itself. It may write up to
// copyStep bytes beyond them.
func copyMatch(out []byte, end, offset, length int) int {
	from, to := end-offset, end+length
	if offset >= length && length > 3*copyStep { // long enough to be worth a call
		copy(out[end:to], out[from:from+length])
		return to
	}
	if offset >= copyStep {
		for ; end < to; end, from = end+copyStep, from+copyStep {
			binary.LittleEndian.PutUint64(out[end:], binary.LittleEndian.Uint64(out[from:]))
		}
		return to
	}
	for ; end < to; end, from = end+1, from+1 {
		out[end] = out[from]
	}
	return to
}

// inflateSlow inflates one symbol where the fast loop cannot: at the end of the input, or of the room.
func (f *inflater) inflateSlow() error {
	if f.end+outSlack > len(f.out) {
		return nil // slide first
	}
	f.top()
	e, err := f.symbols.decode(f)
	if err != nil {
		return err
	}
	switch {
	case e&isLiteral != 0:
		f.out[f.end] = byte(e >> valueShift)
		f.end++
		return nil
	case e&isEnd != 0:
		f.block = betweenBlocks
		return nil
	}
	length, err := f.value(e)
	if err != nil {
		return err
	}
	if e, err = f.offsets.decode(f); err != nil {
		return err
	}
	offset, err := f.value(e)
	if err != nil {
		return err
	}
	if offset > f.end-f.start {
		return errDeflate
	}
	f.end = copyMatch(f.out, f.end, offset, length)
	return nil
}

// value adds the extra bits to the base of a length or an offset.
func (f *inflater) value(e uint32) (int, error) {
	extra := uint(e >> extraShift & extraMask)
	if err := f.fill(extra); err != nil {
		return 0, err
	}
	return int(e>>valueShift) + int(f.take(extra)), nil
}
