package cloudwatch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"unicode/utf8"

	"sluice/internal/record"
)

// errShort says that the bytes looked at end before the JSON value does: read on and look again.
var errShort = errors.New("unexpected end")

// syntaxError is a fault at a place in the bytes that were looked at.
type syntaxError struct {
	at      int
	problem string
}

func (e *syntaxError) Error() string { return e.problem }

func fault(at int, problem string) error { return &syntaxError{at: at, problem: problem} }

// stringEnd finds the closing quote of the JSON string whose first byte is b[i]. clean reports that the bytes before it
// can be passed on as they are: valid UTF-8, no raw control character, no half of a surrogate pair.
//
// This is where most of the decoder's time goes, so it moves by runs: of plain bytes, of what JSON inside JSON is made of,
// and of bytes beyond ASCII.
func stringEnd(b []byte, i int) (end int, clean bool, err error) {
	clean = true
	for {
		i += record.PlainRun(b[i:])
		if i+1 < len(b) && b[i] == '\\' && b[i+1] == '"' {
			i = quotedRun(b, i)
		}
		if i >= len(b) {
			return i, false, errShort
		}
		switch c := b[i]; {
		case c == '"':
			return i, clean, nil
		case c == '\\':
			n, ok, err := escape(b[i:])
			if err != nil {
				return i, false, at(i, err)
			}
			i, clean = i+n, clean && ok
		case c >= utf8.RuneSelf:
			n := highRun(b[i:])
			i, clean = i+n, clean && utf8.Valid(b[i:i+n])
		case c < 0x20:
			i, clean = i+1, false
		default:
			i++ // where quotedRun had no whole word left
		}
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// quotedRun moves from i over plain bytes and over `\"`, which is what JSON inside JSON is full of, eight bytes at a time
// and without a branch for each quote. It stops before anything else, and where no eight bytes are left.
func quotedRun(b []byte, i int) int {
	var open uint64 // the high bit of the lowest byte: the byte before this word is a backslash
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, backslash := equal(w, '"'), equal(w, '\\')
		if open&^quote != 0 {
			break
		}
		stop := (w | (w - ones*0x20)) & highs   // not ASCII, or a control character (see record.PlainRun)
		stop |= quote &^ (backslash<<8 | open)  // the closing quote
		stop |= backslash &^ (quote>>8 | 1<<63) // another escape; of the last byte's the next word shows more
		if stop != 0 {
			return i + bits.TrailingZeros64(stop)/8
		}
		open = backslash >> 56
	}
	return i - int(open>>7)
}

// equal has the high bit set in every byte of w that is c, which is ASCII, and no other bit.
func equal(w uint64, c byte) uint64 {
	x := w ^ ones*uint64(c)
	return ^(x&^highs + ^uint64(highs) | x) & highs
}

// highRun is the number of bytes at the start of b that are not ASCII.
func highRun(b []byte) int {
	i := 0
	for i+8 <= len(b) && binary.LittleEndian.Uint64(b[i:])&highs == highs {
		i += 8
	}
	for i < len(b) && b[i] >= utf8.RuneSelf {
		i++
	}
	return i
}

// at moves a fault that was found i bytes further on. Other errors, nil among them, stay what they are.
func at(i int, err error) error {
	if e, ok := err.(*syntaxError); ok { //nolint:errorlint // made here, never wrapped
		return fault(e.at+i, e.problem)
	}
	return err
}

var simpleEscape = [256]bool{'"': true, '\\': true, '/': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}

// escape reads one escape at the start of b; ok is false for half of a surrogate pair. Where b ends in the middle of a
// pair that is a wrong guess and does no harm: a string without its end is read again.
func escape(b []byte) (n int, ok bool, err error) {
	if len(b) < 2 {
		return 0, false, errShort
	}
	if simpleEscape[b[1]] {
		return 2, true, nil
	}
	if b[1] != 'u' {
		return 0, false, fault(0, "no JSON escape")
	}
	if len(b) < 6 {
		return 0, false, errShort
	}
	r, n := record.DecodeUnicodeEscape(b)
	if n == 0 {
		return 0, false, fault(0, `want four hex digits behind \u`)
	}
	// U+FFFD is half a pair, unless it was written so.
	return n, r != utf8.RuneError || b[2]|0x20 == 'f', nil
}

// appendRepaired appends a string that stringEnd called unclean in a form that can be passed on: raw control characters
// are escaped, each byte that is no UTF-8 and each half of a surrogate pair becomes U+FFFD. b starts behind the opening
// quote and ends with the closing one.
func appendRepaired(dst, b []byte) []byte {
	for {
		n := bytes.IndexByte(b, '\\')
		if n < 0 {
			dst, _ = record.AppendRepaired(dst, b[:len(b)-1])
			return dst
		}
		dst, _ = record.AppendRepaired(dst, b[:n])
		b = b[n:]
		n, ok, _ := escape(b) // stringEnd has read it without an error
		if ok {
			dst = append(dst, b[:n]...)
		} else {
			dst = append(dst, "\uFFFD"...)
		}
		b = b[n:]
	}
}

// space is the length of the white space at the start of b.
func space(b []byte) int {
	for i, c := range b {
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return i
		}
	}
	return len(b)
}
