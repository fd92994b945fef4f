package format

import "bytes"

// goesOn reports whether a query of one line cannot be all of it: a bracket, a quote or a comment stays open, or it ends in
// what something has to follow, or it is a comment alone. A query of several lines has been joined. One that could end where
// the line does, such as "select 1", counts as whole: nothing in the line tells.
func goesOn(query []byte) bool {
	if bytes.IndexByte(query, '\n') >= 0 {
		return false
	}
	brackets, last := 0, []byte(nil) // what stands behind the last comment or, where nothing does, before it
	from := 0
	for i := 0; i < len(query); {
		size, isComment := passed(query[i:])
		if size < 0 {
			return true
		}
		if isComment {
			last = lastText(last, query[from:i])
			from = i + size
		}
		switch query[i] {
		case '(':
			brackets++
		case ')':
			brackets--
		}
		i += size
	}
	return brackets > 0 || wantsMore(lastText(last, query[from:]))
}

// passed returns the size of the literal, the name in quotes, the comment or the byte that a query begins with; -1 for one that
// does not end.
// Source: Redshift database developer guide, "Literals", "Names and identifiers": a quote in quotes is doubled. One behind a
// backslash may be escaped or not, which a setting says, so that all the rest is passed.
func passed(query []byte) (size int, isComment bool) {
	switch c := query[0]; {
	case bytes.HasPrefix(query, []byte("--")):
		return len(query), true
	case bytes.HasPrefix(query, []byte("/*")):
		return endOf(query, "/*", "*/"), true
	case bytes.HasPrefix(query, []byte("$$")):
		return endOf(query, "$$", "$$"), false
	case c == '\'' || c == '"':
		size = endOf(query, string(c), string(c))
		if size > 1 && query[size-2] == '\\' {
			size = len(query)
		}
		return size, false
	}
	return 1, false
}

// endOf returns how much of text stands between what opens it and what closes it, both counted; -1 where nothing closes.
func endOf(text []byte, opens, closes string) int {
	at := bytes.Index(text[len(opens):], []byte(closes))
	if at < 0 {
		return -1
	}
	return len(opens) + at + len(closes)
}

// lastText is the later of two texts that is not empty.
func lastText(before, text []byte) []byte {
	if text = bytes.TrimSpace(text); len(text) > 0 {
		return text
	}
	return before
}

// wantsMore reports whether what a query ends in has to be followed by more.
func wantsMore(text []byte) bool {
	if len(text) == 0 || bytes.IndexByte([]byte(",(=<>+-*/|"), text[len(text)-1]) >= 0 {
		return true
	}
	word := text[bytes.LastIndexAny(text, " \t)")+1:]
	switch string(bytes.ToLower(word)) {
	case "select", "distinct", "from", "where", "and", "or", "not", "in", "join", "by", "having", "union", "except",
		"intersect", "with", "as", "set", "into", "insert", "delete", "create", "table", "view", "when", "then", "else",
		"between", "like", "is", "limit":
		return true
	}
	return false
}
