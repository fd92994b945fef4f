package format

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxColumns is how many columns a line may have: more than any log's, and few enough that the names of columns that nobody
// knows cannot make much of little.
const maxColumns = 256

// Bounds of a header, for the same reason. Names of AWS have 40 bytes at most.
const (
	maxHeaderBytes = 16 << 10
	maxNameBytes   = 128
)

// columns are what a header has named, kept until another one comes.
type columns struct {
	of     *table
	header []byte
	fields []field // in the order of the header; nil for a header that names none, or too many
}

// named returns the columns of a header, nil when it names none or too many.
func (c *columns) named(t *table, naming Naming, header []byte) []field {
	if len(header) > maxHeaderBytes {
		return nil
	}
	if c.of == t && bytes.Equal(c.header, header) {
		return c.fields
	}
	c.of, c.header, c.fields = t, bytes.Clone(header), nil
	var fields []field
	used := map[string]bool{}
	header = bytes.TrimPrefix(header, []byte(fieldsDirective))
	for name := range bytes.FieldsFuncSeq(header, isSeparator) {
		if len(fields) == maxColumns {
			return nil
		}
		f := t.field(naming, unwrappedName(name), len(fields)+1)
		if used[f.head.name()] { // as two columns may have one name in a standard
			f.rename(len(fields)+1, used)
		}
		used[f.head.name()] = true
		fields = append(fields, f)
	}
	if len(fields) > 0 {
		c.fields = fields
	}
	return c.fields
}

// isSeparator knows what stands between the names of a header.
func isSeparator(r rune) bool { return r == ' ' || r == '\t' || r == ',' }

// unwrappedName is the name in ${name}, as settings of flow logs are written.
func unwrappedName(name []byte) []byte {
	if inner, ok := bytes.CutPrefix(name, []byte("${")); ok && bytes.HasSuffix(inner, []byte("}")) {
		return inner[:len(inner)-1]
	}
	return name
}

// field returns the column of a name, the nth of its line.
func (t *table) field(naming Naming, name []byte, n int) field {
	if at, ok := t.place(name); ok {
		return t.in(naming)[at]
	}
	own := string(name)
	if len(own) > maxNameBytes || !utf8.ValidString(own) || strings.HasPrefix(own, extraPrefix) {
		own = extraPrefix + strconv.Itoa(n)
	}
	f := field{name: own, kind: t.otherwise, head: newHead(own)}
	f.measure()
	return f
}

// rename gives the column, the nth of its line, its own name or, where that is used, one that no other has.
func (f *field) rename(n int, used map[string]bool) {
	if f.head = newHead(f.name); used[f.head.name()] {
		f.head = newHead(extraPrefix + strconv.Itoa(n))
	}
	f.measure()
}

// column writes what a column becomes, the nth of its line, from 0; plain as for member. It reports false for a column that
// none of the log's lines has, or one too many.
func (a *Attributes) column(w *writer, fields []field, n int, value []byte, plain bool) bool {
	if n >= len(fields) {
		return w.extra(n+1, value)
	}
	return a.member(w, &fields[n], value, plain)
}

// member writes what a column becomes; plain says that no byte of the value needs an escape. It reports false for a value that
// the column cannot have.
func (a *Attributes) member(w *writer, f *field, value []byte, plain bool) bool {
	switch f.kind {
	case numeric:
		w.numberOf(&f.head, value, plain)
	case encoded:
		a.encoded(w, f, value, plain)
	case address:
		w.hostAndPort(f, value, plain)
	case request:
		w.methodAndURL(f, value, plain)
	case moment:
		if !isMoment(value) {
			return false
		}
		fallthrough
	default:
		w.textOf(&f.head, value, plain)
	}
	return true
}

// isMoment reports whether text looks like an ISO time.
func isMoment(text []byte) bool {
	return len(text) >= dateBytes+len("T")+clockBytes && text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':'
}

// hostAndPort writes host and port, which the last colon separates: the host may be an IPv6 address, with brackets or without.
func (w *writer) hostAndPort(f *field, value []byte, plain bool) {
	host, port := value, []byte(nil)
	if at := bytes.LastIndexByte(value, ':'); at >= 0 {
		host, port = value[:at], value[at+1:]
	}
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	}
	w.textOf(&f.head, host, plain)
	w.numberOf(&f.more[0], port, plain)
}

// methodAndURL writes method, URL and protocol, which the first and the last space separate: a URL is logged as it came, and
// may have spaces of its own. A request that was none is written with a hyphen in the place of each.
func (w *writer) methodAndURL(f *field, value []byte, plain bool) {
	value = bytes.TrimRight(value, " ")
	url, protocol := &f.more[0], &f.more[1]
	first, last := bytes.IndexByte(value, ' '), bytes.LastIndexByte(value, ' ')
	if first < 0 {
		w.textOf(url, value, plain)
		return
	}
	w.textOf(&f.head, value[:first], plain)
	if first == last {
		w.textOf(url, value[first+1:], plain)
		return
	}
	w.textOf(url, value[first+1:last], plain)
	w.textOf(protocol, value[last+1:], plain)
}

// encoded writes a text whose %xx are bytes, decoded once. One that is no UTF-8 then stays as it is, and so do all where
// escapes are kept.
func (a *Attributes) encoded(w *writer, f *field, value []byte, plain bool) {
	if !a.KeepEscapes && bytes.IndexByte(value, '%') >= 0 {
		a.scratch = appendDecoded(a.scratch[:0], value)
		if utf8.Valid(a.scratch) {
			w.escaped(&f.head, a.scratch) // a hyphen, or nothing, that was encoded is a value
			return
		}
	}
	w.textOf(&f.head, value, plain)
}

// appendDecoded appends text with the bytes that its %xx stand for. Any other % is one.
func appendDecoded(dst, text []byte) []byte {
	for {
		at := bytes.IndexByte(text, '%')
		if at < 0 {
			return append(dst, text...)
		}
		dst = append(dst, text[:at]...)
		text = text[at:]
		if len(text) >= len("%xx") {
			if high, low := hexDigit(text[1]), hexDigit(text[2]); high|low < 16 {
				dst, text = append(dst, high<<4|low), text[len("%xx"):]
				continue
			}
		}
		dst, text = append(dst, '%'), text[1:]
	}
}

// hexDigit is the value of a digit; 0xff for anything else.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|' ' && c|' ' <= 'f':
		return c | ' ' - 'a' + 10
	}
	return 0xff
}
