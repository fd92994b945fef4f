package redact

import "bytes"

// The longest address: six groups and an address of version 4 (RFC 4291, section 2.2, form 3).
const maxIPv6Bytes = len("0000:0000:0000:0000:0000:ffff:255.255.255.255")

type ipv6 struct{}

func (ipv6) replace(dst, text []byte, room int, g *guard) (out []byte, hits int) {
	return finder(findIPv6).replace(dst, text, noIPv6, room, g)
}

// What stands around an address may be part of an escape, so only the colons count.
func (ipv6) mayMatch(text []byte) bool {
	for at := 0; ; {
		start, end := addressRun(text, at)
		if start < 0 {
			return false
		}
		if mayBeIPv6(text[start:end]) {
			return true
		}
		at = end
	}
}

// findIPv6 looks at each run of hex digits, colons and dots that has a colon.
func findIPv6(text []byte, from int) (start, end int) {
	for at := from; ; at = end {
		start, end = addressRun(text, at)
		if start < 0 {
			return -1, -1
		}
		if !mayBeIPv6(text[start:end]) {
			continue
		}
		if start, end, ok := ipv6In(text, start, end); ok {
			return start, end
		}
	}
}

// addressRun returns the next run of hex digits, dots and colons that has a colon, not before from; start is -1 when there
// is none.
func addressRun(text []byte, from int) (start, end int) {
	n := bytes.IndexByte(text[from:], ':')
	if n < 0 {
		return -1, -1
	}
	start, end = from+n, from+n+1
	for start > from && isAddress(text[start-1]) {
		start--
	}
	for end < len(text) && isAddress(text[end]) {
		end++
	}
	return start, end
}

// mayBeIPv6 tells most times of day and ports from addresses.
func mayBeIPv6(run []byte) bool {
	const fewest = 6 // colons, in an address that writes all its groups
	colons := 0
	for i, c := range run {
		if c != ':' {
			continue
		}
		if colons++; colons == fewest || i > 0 && run[i-1] == ':' {
			return true
		}
	}
	return false
}

// ipv6In finds the address in the run text[start:end], without the punctuation and the port around it.
func ipv6In(text []byte, start, end int) (from, to int, ok bool) {
	inWord := start > 0 && isWord(text[start-1])
	beforeWord := end < len(text) && isWord(text[end])
	for start < end && text[end-1] == '.' {
		end--
		beforeWord = false
	}
	if end-start > 1 && text[end-1] == ':' && text[end-2] != ':' {
		end--
		beforeWord = false
	}
	if end-start > 1 && text[start] == ':' && text[start+1] != ':' || text[start] == '.' {
		start++
		inWord = false
	}
	if inWord {
		return 0, 0, false
	}
	if run := text[start:end]; !beforeWord && len(run) <= maxIPv6Bytes && isIPv6(run) && !isWords(run) {
		return start, end, true
	}
	// Some write a port behind a dot.
	n := bytes.IndexByte(text[start:end], '.')
	if n > 0 && n <= maxIPv6Bytes && isIPv6(text[start:start+n]) && !isWords(text[start:start+n]) {
		return start, start + n, true
	}
	return 0, 0, false
}

// isIPv6 reports whether s is an address of version 6, and not the one that has no digit.
func isIPv6(s []byte) bool {
	const groups = 8
	head, tail, gap := bytes.Cut(s, []byte("::"))
	n, ok := countGroups(head, !gap)
	if !ok || !gap {
		return ok && n == groups
	}
	m, ok := countGroups(tail, true)
	return ok && n+m > 0 && n+m < groups
}

// isWords reports whether an address may be a name of a program just as well, such as `dead::beef`: it has letters alone, as
// no address outside of fc00::/7 (RFC 4193) has.
func isWords(address []byte) bool {
	if bytes.IndexByte(address, ':') == 4 && address[0]|0x20 == 'f' && (address[1]|0x20 == 'c' || address[1]|0x20 == 'd') {
		return false
	}
	return !bytes.ContainsFunc(address, func(r rune) bool { return '0' <= r && r <= '9' })
}

// countGroups counts the groups of up to four hex digits in s. An address of version 4 at the end stands for two.
func countGroups(s []byte, mayEndInIPv4 bool) (n int, ok bool) {
	for more := len(s) > 0; more; {
		var group []byte
		group, s, more = bytes.Cut(s, []byte(":"))
		switch {
		case !more && mayEndInIPv4 && isIPv4(group):
			return n + 2, true
		case len(group) == 0 || len(group) > 4:
			return 0, false
		}
		for _, c := range group {
			if !isHex(c) {
				return 0, false
			}
		}
		n++
	}
	return n, true
}

// isIPv4 reports whether s is an address of version 4, of four numbers up to 255.
func isIPv4(s []byte) bool {
	const numbers = 4
	for i := range numbers {
		part, rest, more := bytes.Cut(s, []byte("."))
		if more != (i < numbers-1) || len(part) == 0 || len(part) > 3 || part[0] == '0' && len(part) > 1 {
			return false
		}
		value := 0
		for _, c := range part {
			if !isDigit(c) {
				return false
			}
			value = value*10 + int(c-'0')
		}
		if value > 255 {
			return false
		}
		s = rest
	}
	return true
}

func isAddress(c byte) bool { return isHex(c) || c == ':' || c == '.' }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

func isWord(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}
