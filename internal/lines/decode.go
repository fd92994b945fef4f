package lines

import (
	"encoding/binary"
	"io"
	"unicode"
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
	first    [3]byte // memory for head, as long as a mark
	head     []byte  // read to look for a mark, or transcoded, and not yet passed on
	units    []byte  // UTF-16 that ends in the middle of a character
	raw, out []byte  // buffers of the transcoder
	err      error   // what the source ended with
}

// What of a text is looked at to believe a mark of UTF-16: two bytes that begin many other things as well.
const (
	evidenceBytes    = 256
	minEvidenceBytes = 4 // of less nothing can be said
)

// rawBytes is how much UTF-16 is transcoded at once. One unit of two bytes becomes at most three bytes.
const rawBytes = 32 << 10

// Decode returns a reader of the text in src. A byte order mark (Unicode 16, section 23.8) is dropped; text with one of
// UTF-16 is transcoded, each half of a surrogate pair that stands alone and half a unit at the end becoming U+FFFD. Text
// without a mark passes as it is, and so does what begins like a mark of UTF-16 but does not go on so. UTF-32 is not
// known: its mark reads as that of UTF-16.
//
// Offsets in what is read count from behind the mark, and in transcoded bytes. They are offsets in src only where Encoding
// is empty, or with three bytes added where it is UTF8BOM.
func Decode(src io.Reader) *Decoder { return &Decoder{src: src} }

// Reset makes d read src, as a decoder that Decode returns would. It keeps the buffers.
func (d *Decoder) Reset(src io.Reader) { *d = Decoder{src: src, raw: d.raw, out: d.out} }

// MayHaveMark reports whether text may begin with a byte order mark, so that it has to pass through a Decoder.
func MayHaveMark(text []byte) bool { return len(text) > 0 && text[0] >= 0xEF }

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
	for head := d.first[:0]; ; {
		switch {
		case string(head) == "\xEF\xBB\xBF":
			d.encoding, d.head = UTF8BOM, nil
			return
		case string(head) == "\xFF\xFE":
			d.believe(head, UTF16LE)
			return
		case string(head) == "\xFE\xFF":
			d.believe(head, UTF16BE)
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

// believe takes a mark of UTF-16 for one if the bytes behind it look like that; else they pass as they are, with the mark.
func (d *Decoder) believe(mark []byte, encoding string) {
	if d.raw == nil {
		d.raw = make([]byte, rawBytes)
	}
	held := copy(d.raw, mark)
	for held < len(mark)+evidenceBytes && d.err == nil {
		var n int
		n, d.err = readSome(d.src, d.raw[held:len(mark)+evidenceBytes])
		held += n
	}
	d.encoding = encoding
	if !isUTF16(d.raw[len(mark):held], d.order()) {
		d.encoding, d.head = "", d.raw[:held]
		return
	}
	d.decode(d.raw[len(mark):held])
}

// isUTF16 reports whether text looks like UTF-16. A quarter of its characters being of Latin-1 is enough. Scripts that have
// none of these are no UTF-8 when read so, and all of their characters can be seen; read as UTF-16, Latin-1 text has some,
// such as U+2061 for "a ", that cannot.
func isUTF16(text []byte, order binary.ByteOrder) bool {
	if len(text) < minEvidenceBytes {
		return true
	}
	units, latin, strange := 0, 0, 0
	for ; len(text) >= 2*(units+1); units++ {
		switch r := rune(order.Uint16(text[2*units:])); {
		case r <= unicode.MaxLatin1:
			latin++
		case !utf16.IsSurrogate(r) && !unicode.IsGraphic(r):
			strange++
		}
	}
	return 4*latin >= units || strange == 0 && !beginsAsUTF8(text)
}

// beginsAsUTF8 reports whether text is UTF-8, but for a character that is cut off at its end.
func beginsAsUTF8(text []byte) bool {
	for cut := range min(utf8.UTFMax, len(text)) {
		if utf8.Valid(text[:len(text)-cut]) {
			return true
		}
	}
	return false
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
	var n int
	n, d.err = readSome(d.src, d.raw[held:])
	d.decode(d.raw[:held+n])
}

// decode makes head the UTF-8 of what is read of UTF-16.
func (d *Decoder) decode(text []byte) {
	d.out, d.units = appendUTF8(d.out[:0], text, d.order())
	if d.err == io.EOF { //nolint:errorlint // the source says so itself; a wrapped one is a fault
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
