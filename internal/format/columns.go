package format

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind says what the text of a column is, and so what becomes of it.
type kind uint8

const (
	textual   kind = iota
	numeric        // a number by definition, of few digits
	encoded        // text with some bytes as %xx
	moment         // an ISO time; a line without it is none of its log's
	address        // host:port, which become two attributes
	request        // method, URL and protocol of a request, which become three
	bracketed      // text in square brackets
)

// field is a column that has a name.
type field struct {
	name string // in the documentation
	kind kind
	keys [3]*key // of the attributes it becomes, one for most
	// heads are what stands in front of a text, of the first key; empty where they are too long.
	heads [namings]head
	// closes reports whether a quote in front of rest ends the value, for a column in quotes that stand in values as well.
	closes func(rest []byte) bool
}

// entry is a field as it stands in a table: what the compiler can put into the binary as it is. Fields made by code at start
// cost a quarter of a megabyte of it.
type entry struct {
	name, ecs, otel string // its names; empty where the standards have none
	kind            kind
	make            func() field // of a column that is more than that; nil otherwise
}

func fieldsOf(entries []entry) []field {
	fields := make([]field, len(entries))
	for i := range entries {
		if c := &entries[i]; c.make != nil {
			fields[i] = c.make()
		} else {
			fields[i] = one(c.kind, c.name, c.ecs, c.otel)
		}
	}
	return fields
}

func one(k kind, name, ecs, otel string) field {
	f := field{name: name, kind: k}
	f.call(mapped(name, ecs, otel))
	return f
}

// call gives the column the name that a key is.
func (f *field) call(k *key) {
	f.keys[0] = k
	for naming, name := range k {
		f.heads[naming] = newHead(name)
	}
}

// texts are columns that have no other names.
func texts(names string) []field {
	var fields []field
	for name := range strings.FieldsSeq(names) {
		fields = append(fields, one(textual, name, "", ""))
	}
	return fields
}

// table has the columns that a log may have, in the order of its documentation.
type table struct {
	fields []field
	place  map[string]int // of a name in fields
	// otherwise is what a column is that a header names and the documentation does not.
	otherwise kind
}

func newTable(otherwise kind, groups ...[]field) *table {
	t := &table{place: map[string]int{}, otherwise: otherwise}
	for _, fields := range groups {
		for _, f := range fields {
			if _, ok := t.place[f.name]; ok {
				continue // logs of one kind have columns in common
			}
			t.place[f.name] = len(t.fields)
			t.fields = append(t.fields, f)
		}
	}
	return t
}

// ordered returns columns of the table in the order of names, which spaces separate.
func (t *table) ordered(names string) []field {
	var fields []field
	for name := range strings.FieldsSeq(names) {
		fields = append(fields, t.fields[t.place[name]])
	}
	return fields
}

// attributes returns the names of what the columns become.
func attributes(fields []field) []string {
	names := make([]string, 0, len(fields))
	for i := range fields {
		for _, k := range fields[i].keys {
			if k != nil {
				names = append(names, k.name(AWS))
			}
		}
	}
	return names
}

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
	fields := make([]field, 0, len(t.fields))
	used := make(map[string]bool, len(t.fields))
	header = bytes.TrimPrefix(header, []byte(fieldsDirective))
	for name := range bytes.FieldsFuncSeq(header, isSeparator) {
		if len(fields) == maxColumns {
			return nil
		}
		f := t.field(unwrappedName(name), len(fields)+1)
		if used[f.keys[0].name(naming)] { // as two columns may have one name in a standard
			f = t.renamed(f.name, len(fields)+1, used)
		}
		used[f.keys[0].name(naming)] = true
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
func unwrappedName(name []byte) string {
	if inner, ok := bytes.CutPrefix(name, []byte("${")); ok && bytes.HasSuffix(inner, []byte("}")) {
		name = inner[:len(inner)-1]
	}
	return string(name)
}

// field returns the column of a name, the nth of its line.
func (t *table) field(name string, n int) field {
	if at, ok := t.place[name]; ok {
		return t.fields[at]
	}
	if len(name) > maxNameBytes || !utf8.ValidString(name) || strings.HasPrefix(name, extraPrefix) {
		name = extraPrefix + strconv.Itoa(n)
	}
	return one(t.otherwise, name, "", "")
}

// renamed returns the column of a name, the nth of its line, with a name that is not used yet.
func (t *table) renamed(name string, n int, used map[string]bool) field {
	f := t.field(name, n)
	if f.call(named(name)); used[f.keys[0].name(AWS)] {
		f.call(named(extraPrefix + strconv.Itoa(n)))
	}
	return f
}

// column writes what a column becomes, the nth of its line, from 0. It reports false for a column that none of the log's
// lines has, or one too many.
func (a *Attributes) column(w *writer, fields []field, n int, value []byte) bool {
	if n >= len(fields) {
		return w.extra(n+1, value)
	}
	return a.member(w, &fields[n], value)
}

// member writes what a column becomes. It reports false for a value that the column cannot have.
func (a *Attributes) member(w *writer, f *field, value []byte) bool {
	switch f.kind {
	case textual, bracketed:
		w.textOf(f, value)
	case numeric:
		w.numberOf(f, value)
	case encoded:
		a.encoded(w, f, value)
	case moment:
		if !isMoment(value) {
			return false
		}
		w.textOf(f, value)
	case address:
		w.hostAndPort(f, value)
	case request:
		w.methodAndURL(f, value)
	}
	return true
}

// isMoment reports whether text looks like an ISO time.
func isMoment(text []byte) bool {
	return len(text) >= dateBytes+len("T")+clockBytes && text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':'
}

// hostAndPort writes host and port, which the last colon separates: the host may be an IPv6 address, with brackets or without.
func (w *writer) hostAndPort(f *field, value []byte) {
	host, port := value, []byte(nil)
	if at := bytes.LastIndexByte(value, ':'); at >= 0 {
		host, port = value[:at], value[at+1:]
	}
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	}
	w.text(f.keys[0], host)
	w.number(f.keys[1], port)
}

// methodAndURL writes method, URL and protocol, which the first and the last space separate: a URL is logged as it came, and
// may have spaces of its own. A request that was none is written with a hyphen in the place of each.
func (w *writer) methodAndURL(f *field, value []byte) {
	value = bytes.TrimRight(value, " ")
	first, last := bytes.IndexByte(value, ' '), bytes.LastIndexByte(value, ' ')
	if first < 0 {
		w.text(f.keys[1], value)
		return
	}
	w.text(f.keys[0], value[:first])
	if first == last {
		w.text(f.keys[1], value[first+1:])
		return
	}
	w.text(f.keys[1], value[first+1:last])
	w.text(f.keys[2], value[last+1:])
}

// encoded writes a text whose %xx are bytes, decoded once. One that is no UTF-8 then stays as it is, and so do all where
// escapes are kept.
func (a *Attributes) encoded(w *writer, f *field, value []byte) {
	if isAbsent(value) {
		return
	}
	if !a.KeepEscapes && bytes.IndexByte(value, '%') >= 0 {
		a.scratch = appendDecoded(a.scratch[:0], value)
		if utf8.Valid(a.scratch) {
			value = a.scratch
		}
	}
	w.quoted(f.keys[0][w.naming], value)
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
