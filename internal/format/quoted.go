package format

import "bytes"

// closeQuotes says how the columns close that load balancers and S3 put in quotes, around what clients have sent. They are
// known to leave a quote inside as it came, so that the columns that follow have to tell which one closes: fields are all of
// the line's, in their order, and every line has the first least of them.
func closeQuotes(fields []field, least int) {
	between := -1 // columns from here to the next one in quotes; -1 where none follows
	for i := len(fields) - 1; i >= 0; i-- {
		f := &fields[i]
		if !f.inQuotes() {
			if between >= 0 {
				between++
			}
			continue
		}
		switch {
		case f.closes != nil: // knows better
		case between >= 0:
			f.closes = beforeQuote(between, i+1+between >= least)
		case i == len(fields)-1:
			f.closes = beforeColumn
		default:
			f.closes = beforeLast
		}
		between = 0
	}
}

// beforeQuote closes a column when the next quote opens another, behind n columns without any. A line of an older format
// may end before.
func beforeQuote(n int, mayEnd bool) func(rest []byte) bool {
	return func(rest []byte) bool {
		if n == 0 && len(rest) > 1 {
			return rest[1] == '"'
		}
		next := bytes.IndexByte(rest, '"')
		if next < 0 {
			return mayEnd && bytes.Count(rest, []byte(" ")) <= n
		}
		return rest[next-1] == ' ' && bytes.Count(rest[:next], []byte(" ")) == n+1
	}
}

// beforeColumn closes a column when another begins behind it, or the line ends.
func beforeColumn(rest []byte) bool {
	next := bytes.IndexByte(rest, '"')
	return next < 0 || rest[next-1] == ' '
}

// beforeLast closes the last column in quotes of a line that goes on: no quote follows.
func beforeLast(rest []byte) bool { return len(rest) > 0 && bytes.IndexByte(rest, '"') < 0 }

// maxQuotes is how many quotes a value is searched for the one that closes it. Lines with more are not worth the time.
const maxQuotes = 200

// closing returns where the quote stands that closes the value at the start of text; -1 when none does. It is one that a
// space or the end follows, that has no backslash in front, and behind which the line goes on as it should; failing that,
// one with a backslash, as values may end in one; failing that, the first without.
func closing(text []byte, closes func(rest []byte) bool) int {
	first, slashed := -1, -1
	at := 0
	for range maxQuotes {
		next := bytes.IndexByte(text[at:], '"')
		if next < 0 {
			break
		}
		at += next
		rest := text[at+1:]
		switch {
		case len(rest) > 0 && rest[0] != ' ':
		case hasBackslash(text[:at]):
			if slashed < 0 && (closes == nil || closes(rest)) {
				slashed = at
			}
		case closes == nil || closes(rest):
			return at
		case first < 0:
			first = at
		}
		at++
	}
	if slashed >= 0 {
		return slashed
	}
	return first
}

// hasBackslash reports whether the next character would be escaped.
func hasBackslash(text []byte) bool {
	n := 0
	for n < len(text) && text[len(text)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// quotedLine writes columns that spaces separate, some of them in quotes or brackets, and returns how many there were; -1
// for a line that is none.
func (a *Attributes) quotedLine(w *writer, fields []field, line []byte) int {
	d := a.take(line)
	for at, n := 0, 0; ; {
		at, n = d.run(w, fields, spacesBehind(line, at), n)
		if at = spacesBehind(line, at); at == len(line) {
			return n
		}
		if rest := line[at:]; len(rest) > len(`"-"`) && string(rest[:len(`"-" `)]) == `"-" ` { // as most columns in quotes are
			at, n = at+len(`"-" `), n+1
			continue
		}
		var f *field
		if n < len(fields) {
			f = &fields[n]
		}
		start, end, plain := wrappedValue(f, line, at)
		if end < 0 || !a.column(w, fields, n, line[start:end], plain) {
			return -1
		}
		at, n = end+start-at, n+1 // behind what closes it
	}
}

// wrappedValue returns where the value of a column stands that begins at at, without the quotes or brackets around it, and
// whether no byte of it needs an escape. end is -1 where it does not end, or does not begin as that of its column.
func wrappedValue(f *field, line []byte, at int) (start, end int, plain bool) {
	switch {
	case line[at] == '"':
		start = at + len(`"`)
		end, plain = quotedEnd(f, line[start:])
	case f != nil && f.kind == bracketed:
		start = at + len("[")
		end, plain = bracketedEnd(line[at:])
	default:
		start = at
		end, plain = scan(line[start:], ' ')
	}
	if end < 0 {
		return start, -1, false
	}
	return start, start + end, plain
}

// quotedEnd returns where the value ends that text begins with, behind its opening quote, and whether no byte of it needs an
// escape; -1 where it does not end. Almost always the first quote closes.
func quotedEnd(f *field, text []byte) (end int, plain bool) {
	var closes func(rest []byte) bool
	if f != nil {
		closes = f.closes
	}
	end, plain = scan(text, '"')
	if plain && end+1 < len(text) && text[end+1] == ' ' && (closes == nil || closes(text[end+1:])) {
		return end, true
	}
	if end = closing(text, closes); end < 0 {
		return -1, false
	}
	return end, isPlain(text[:end])
}

// bracketedEnd is quotedEnd for text in brackets, of which line has the opening one.
func bracketedEnd(line []byte) (end int, plain bool) {
	end = bytes.IndexByte(line, ']')
	if line[0] != '[' || end < 0 || end+1 < len(line) && line[end+1] != ' ' {
		return -1, false
	}
	return end - 1, isPlain(line[1:end])
}
