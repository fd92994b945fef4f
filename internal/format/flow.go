package format

import (
	"encoding/binary"
	"math/bits"

	"sluice/internal/jsonwalk"
)

// flow is how a kind of flow log is laid out: columns that any number of spaces separate, which the first line names.
type flow struct {
	// times are the columns that an event time is taken from, the best first, in epoch seconds.
	times    []string
	table    *table
	defaults []flowDefault // for lines without a header, as they come by way of CloudWatch Logs and Firehose
	// later is a column that ends the lines of a later version alone, which stand below the same header; empty for none.
	later string
}

// flowDefault is a default format: lines of so many columns, the first of which is the version.
type flowDefault struct {
	version     string
	table       *table // whose first columns they are
	count       int    // of columns
	end, status int    // columns, from 0
}

// isHeader knows a line that names columns. Lines of data have numbers, addresses, capitals or hyphens in some column, and
// those that have not are told by this: a header has two names or more, all of them known; or, as new columns come, at
// least three and half of them known.
func (f *flow) isHeader(c *Clock, line []byte) bool {
	n, known := 0, 0
	at := names{date: -1, time: -1, epoch: -1, unit: inSeconds}
	rank := len(f.times)
	for name, rest := nextColumn(line); len(name) > 0; name, rest = nextColumn(rest) {
		if !isColumnName(name) {
			return false
		}
		if _, ok := f.table.place(name); ok {
			known++
		}
		for i, wanted := range f.times[:rank] {
			if string(name) == wanted {
				at.epoch, rank = n, i
			}
		}
		n++
	}
	if n < 2 || known < n && (known < 3 || known*2 < n) {
		return false
	}
	c.named, c.names = true, at
	return true
}

func isColumnName(name []byte) bool {
	for i, b := range name {
		letter := 'a' <= b && b <= 'z'
		if !letter && (i == 0 || b != '-' && b != '_' && (b < '0' || b > '9')) {
			return false
		}
	}
	return true
}

func (f *flow) millis(c *Clock, line []byte) int64 {
	if len(line) > 0 && line[0] == '{' {
		line = unwrapped(line)
	}
	var text []byte
	if c.named {
		text = spacedColumn(line, c.names.epoch)
	} else {
		text = f.defaultEnd(line)
	}
	ms, ok := parseEpoch(text, inSeconds)
	if !ok {
		return 0
	}
	return ms
}

// defaultEnd returns the end of a line in a default format. It has to have all its columns, as a custom format may begin
// with a version as well.
func (f *flow) defaultEnd(line []byte) []byte {
	version, _ := nextColumn(line)
	for i := range f.defaults {
		d := &f.defaults[i]
		if string(version) != d.version {
			continue
		}
		end, rest := nextColumn(skipColumns(line, d.end))
		n, logged := d.end+1, false
		for text, rest := nextColumn(rest); len(text) > 0; text, rest = nextColumn(rest) {
			if n == d.status {
				logged = isLogStatus(text)
			}
			n++
		}
		if n == d.count && logged {
			return end
		}
	}
	return nil
}

func isLogStatus(text []byte) bool {
	return string(text) == "OK" || string(text) == "NODATA" || string(text) == "SKIPDATA"
}

// unwrapped returns the line inside {"message":"…"}, as VPC has been seen to send it to Firehose.
func unwrapped(line []byte) []byte {
	members := jsonwalk.Object(line)
	for members.Next() {
		if string(members.Name()) == "message" {
			text, _ := jsonwalk.Text(members.Value())
			return trimEnd(text)
		}
	}
	return nil
}

// spacedColumn returns the text of a column, from 0; nil where the line has too few, or n is negative.
func spacedColumn(line []byte, n int) []byte {
	if n < 0 {
		return nil
	}
	text, _ := nextColumn(skipColumns(line, n))
	return text
}

// nextColumn returns the first column of a line and what follows it, empty at the end. Documented lines are known to have
// two spaces in a row. Columns are too short for a call of bytes.IndexByte to pay.
func nextColumn(line []byte) (text, rest []byte) {
	start := 0
	for start < len(line) && line[start] == ' ' {
		start++
	}
	end := start
	for end < len(line) && line[end] != ' ' {
		end++
	}
	return line[start:end], line[end:]
}

// skipColumns returns what follows the first n columns; nil where nothing does. It looks at eight bytes at once, as flow
// logs are the longest of all: a column ends at a space whose byte before is none.
func skipColumns(line []byte, n int) []byte {
	if n == 0 {
		return line
	}
	const (
		spaces = 0x2020_2020_2020_2020
		low    = 0x7f7f_7f7f_7f7f_7f7f // all but the top bit of each byte
		top    = 0x80                  // of the first byte
		ones   = 0x0101_0101_0101_0101
	)
	i, before := 0, uint64(top) // the top bit tells that the byte before was a space
	for ; i+8 <= len(line); i += 8 {
		x := binary.LittleEndian.Uint64(line[i:]) ^ spaces
		space := ^((x&low + low) | x | low) // the top bit of each byte that is a space
		ends := space &^ (space<<8 | before)
		count := int(ends >> 7 * ones >> 56) // the product has the sum of all bytes in its top byte
		if count >= n {
			return line[i+nthByte(ends, n):]
		}
		n -= count
		before = space >> 56
	}
	for ; i < len(line); i++ {
		if line[i] != ' ' {
			before = 0
			continue
		}
		if before == 0 {
			if n--; n == 0 {
				return line[i:]
			}
		}
		before = top
	}
	return nil
}

// nthByte is the place of the nth byte of word, from 1, that has its top bit set. No other bit is, and there are as many.
func nthByte(word uint64, n int) int {
	for ; n > 1; n-- {
		word &= word - 1
	}
	return bits.TrailingZeros64(word) / 8
}
