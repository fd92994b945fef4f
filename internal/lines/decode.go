package lines

import (
	"encoding/binary"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// Names of what Decode finds.
const (
	UTF8BOM = "utf-8-bom"
	UTF16LE = "utf-16le"
	UTF16BE = "utf-16be"
)

// Decoder reads text as UTF-8, whatever byte order mark it begins with. Memory is constant.
type Decoder struct {
	src      io.Reader
	encoding string
	sniffed  bool
	head     []byte // read to look for a mark, or transcoded, and not yet passed on
	units    []byte // UTF-16 that ends in the middle of a character
	raw, out []byte // buffers of the transcoder
	err      error  // what the source ended with
}

// rawBytes is how much UTF-16 is transcoded at once. One unit of two bytes becomes at most three bytes.
const rawBytes = 32 << 10

// Decode returns a reader of the text in src. A byte order mark (Unicode 16, section 23.8) is dropped; text with one of
// UTF-16 is transcoded, each half of a surrogate pair that stands alone and half a unit at the end becoming U+FFFD. Text
// without a mark passes as it is. UTF-32 is not known: its mark reads as that of UTF-16.
//
// Offsets in what is read count from behind the mark, and in transcoded bytes. They are offsets in src only where Encoding
// is empty, or with three bytes added where it is UTF8BOM.
func Decode(src io.Reader) *Decoder { return &Decoder{src: src} }

// Encoding says what the mark was: UTF8BOM, UTF16LE, UTF16BE, or empty for none. It reads the first bytes if nobody has.
func (d *Decoder) Encoding() string {
	d.sniff()
	return d.encoding
}

// Read implements io.Reader. The source's fault is returned as it is, behind the whole characters before it.
func (d *Decoder) Read(p []byte) (int, error) {
	d.sniff()
	if len(p) == 0 {
		return 0, nil
	}
	for len(d.head) == 0 && d.err == nil && d.order() != nil {
		d.transcode()
	}
	if len(d.head) > 0 {
		n := copy(p, d.head)
		d.head = d.head[n:]
		return n, nil
	}
	if d.err != nil {
		return 0, d.err
	}
	return d.src.Read(p) //nolint:wrapcheck // a reader hands on io.EOF and faults as they are
}

// sniff reads the first bytes, once, as far as they may be a mark.
func (d *Decoder) sniff() {
	if d.sniffed {
		return
	}
	d.sniffed = true
	for head := make([]byte, 0, 3); ; {
		switch {
		case string(head) == "\xEF\xBB\xBF":
			d.encoding, d.head = UTF8BOM, nil
			return
		case string(head) == "\xFF\xFE":
			d.encoding, d.head = UTF16LE, nil
			return
		case string(head) == "\xFE\xFF":
			d.encoding, d.head = UTF16BE, nil
			return
		}
		d.head = head
		if d.err != nil || !mayBeMark(head) {
			return
		}
		var n int
		n, d.err = readSome(d.src, head[len(head):len(head)+1])
		head = head[:len(head)+n]
	}
}

func mayBeMark(head []byte) bool {
	switch string(head) {
	case "", "\xEF", "\xEF\xBB", "\xFF", "\xFE":
		return true
	}
	return false
}

func (d *Decoder) order() binary.ByteOrder {
	switch d.encoding {
	case UTF16LE:
		return binary.LittleEndian
	case UTF16BE:
		return binary.BigEndian
	}
	return nil
}

// transcode reads some UTF-16 and makes head the UTF-8 of the characters that are whole. At a clean end, what is left of
// one becomes U+FFFD.
func (d *Decoder) transcode() {
	if d.raw == nil {
		d.raw = make([]byte, rawBytes)
	}
	held := copy(d.raw, d.units)
	n, err := readSome(d.src, d.raw[held:])
	d.err = err
	d.out, d.units = appendUTF8(d.out[:0], d.raw[:held+n], d.order())
	if err == io.EOF { //nolint:errorlint // the source says so itself; a wrapped one is a fault
		for range (len(d.units) + 1) / 2 {
			d.out = utf8.AppendRune(d.out, utf8.RuneError)
		}
	}
	d.head = d.out
}

// appendUTF8 appends units as UTF-8. It leaves over what may be the start of a character: up to three bytes.
func appendUTF8(dst, units []byte, order binary.ByteOrder) (out, rest []byte) {
	for len(units) >= 2 {
		r := rune(order.Uint16(units))
		size := 2
		if isHighSurrogate(r) {
			if len(units) < 4 {
				break
			}
			if pair := utf16.DecodeRune(r, rune(order.Uint16(units[2:]))); pair != utf8.RuneError {
				r, size = pair, 4
			}
		}
		dst = utf8.AppendRune(dst, r) // half a pair becomes U+FFFD
		units = units[size:]
	}
	return dst, units
}

// isHighSurrogate reports whether r is the first half of a pair (Unicode 16, section 23.6).
func isHighSurrogate(r rune) bool { return 0xD800 <= r && r < 0xDC00 }

// readSome reads at least one byte, unless src has ended.
func readSome(src io.Reader, p []byte) (n int, err error) {
	for range maxEmptyReads {
		if n, err = src.Read(p); n > 0 || err != nil {
			return n, err //nolint:wrapcheck // a reader hands on io.EOF and faults as they are
		}
	}
	return 0, io.ErrNoProgress
}
