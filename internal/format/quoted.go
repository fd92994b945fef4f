package format

import "bytes"

// quotes makes columns ones in quotes that load balancers and S3 write around what clients have sent. They are known to
// leave a quote inside as it came, so that the columns that follow have to tell which one closes: fields are all of the
// line's, in their order, and every line has the first least of them.
func quotes(fields []field, least int, names ...string) []field {
	isQuoted := map[string]bool{}
	for _, name := range names {
		isQuoted[name] = true
	}
	between := -1 // columns from here to the next one in quotes; -1 where none follows
	for i := len(fields) - 1; i >= 0; i-- {
		f := &fields[i]
		if !isQuoted[f.name] {
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
	return fields
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
	for n := 0; ; n++ {
		for len(line) > 0 && line[0] == ' ' {
			line = line[1:]
		}
		if len(line) == 0 {
			return n
		}
		if len(line) > len(`"-"`) && string(line[:len(`"-" `)]) == `"-" ` { // as most columns of most lines are
			line = line[len(`"-"`):]
			continue
		}
		var f *field
		if n < len(fields) {
			f = &fields[n]
		}
		value, rest, ok := nextValue(f, line)
		switch {
		case !ok:
			return -1
		case f == nil:
			ok = w.extra(n+1, value)
		case f.kind == textual:
			w.textOf(f, value)
		default:
			ok = a.member(w, f, value)
		}
		if !ok {
			return -1
		}
		line = rest
	}
}

// nextValue returns the value at the start of a line, without what is around it, and what follows.
func nextValue(f *field, line []byte) (value, rest []byte, ok bool) {
	switch {
	case line[0] == '"':
		var closes func(rest []byte) bool
		if f != nil {
			closes = f.closes
		}
		end := closing(line[1:], closes)
		if end < 0 {
			return nil, nil, false
		}
		return line[1 : 1+end], line[1+end+1:], true
	case f != nil && f.kind == bracketed:
		end := bytes.IndexByte(line, ']')
		if line[0] != '[' || end < 0 || end+1 < len(line) && line[end+1] != ' ' {
			return nil, nil, false
		}
		return line[1:end], line[end+1:], true
	}
	end := columnEnd(line)
	return line[:end], line[end:], true
}
