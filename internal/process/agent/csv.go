package agent

import "unicode/utf8"

// csvToJSON makes a JSON object of the columns of a record. There is no quoting: a delimiter always delimits.
type csvToJSON struct {
	delimiter delimiter
	columns   int
	object    object
}

func newCSVToJSON(o *Option, pretty bool, at place) step {
	if o.CustomFieldNames == nil {
		at.fail("customFieldNames", "is missing: want a name for each column")
	} else {
		checkNames(o.CustomFieldNames, at)
	}
	pattern := o.Delimiter
	if pattern == "" {
		pattern = defaultDelimiter
	}
	d, err := newDelimiter(pattern)
	if err != nil {
		at.fail("delimiter", err.Error())
		return nil
	}
	return &csvToJSON{delimiter: d, columns: len(o.CustomFieldNames), object: newObject(o.CustomFieldNames, pretty)}
}

func (c *csvToJSON) apply(w *workspace, dst, text []byte) (out []byte, ok bool) {
	text = withoutNewline(text)
	columns := w.spans(c.columns)
	for i := split(c.delimiter, text, columns); i < len(columns); i++ {
		columns[i] = none
	}
	return c.object.append(dst, text, columns), true
}

// split writes the first columns of text as String.split of Java cuts it, and returns how many there are of them: no empty
// ones at the end of the text, no empty one in front of a delimiter that is empty, and at least one where no delimiter
// stands. It stops where the rest makes no difference any more.
func split(d delimiter, text []byte, columns []span) int {
	seen, filled, index := 0, 0, 0
	add := func(start, end int) (enough bool) {
		if seen < len(columns) {
			columns[seen] = span{start, end}
		}
		seen++
		if start < end {
			filled = seen
		}
		return filled >= len(columns)
	}
	for from := 0; from <= len(text); {
		start, end := d.find(text, from)
		if start < 0 {
			break
		}
		from = end
		if start == end {
			_, n := utf8.DecodeRune(text[end:])
			from += max(1, n)
		}
		if end == 0 {
			continue
		}
		if add(index, start) {
			return len(columns)
		}
		index = end
	}
	add(index, len(text))
	if index == 0 {
		filled = 1
	}
	return min(filled, len(columns))
}
