package redact

import "bytes"

// IP returns a rule for IP addresses. Those of version 4 are found as REDACT_IP of the Datadog Forwarder finds them:
// `\d{1,3}(\.\d{1,3}){3}` becomes xxx.xxx.xxx.xxx.
//
// Those of version 6 (RFC 4291, section 2.2) become xxxx::xxxx. They have to stand on their own: `std::a` and the `::` of an
// ARN stay, and so do addresses of letters alone, such as `dead::beef`, unless they are of fc00::/7. A hardware address of
// eight bytes is taken for one, and so is a name such as `a1::b2`.
func IP(name string) Rule { return Rule{Name: name, known: ip{}} }

// Email returns the rule REDACT_EMAIL of the Datadog Forwarder: `[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+` becomes
// xxxxx@xxxxx.com.
func Email(name string) Rule { return Rule{Name: name, known: email{}} }

// finder finds the leftmost match that starts at or behind text[from]; start is -1 when there is none.
type finder func(text []byte, from int) (start, end int)

func (find finder) replace(dst, text []byte, replacement string, room int, g *guard) (out []byte, hits int) {
	e := edit{out: dst, start: len(dst), text: text, high: len(text), room: room, guard: g}
	for {
		start, end := find(text, e.at)
		if start < 0 {
			return e.finish()
		}
		e.at = end
		if !e.concerns(start, end) {
			continue
		}
		if !e.keep(start, end, len(replacement)) {
			return e.giveUp()
		}
		e.out = append(e.out, replacement...)
	}
}

// What takes the place of addresses.
const (
	noIPv4 = "xxx.xxx.xxx.xxx"
	noIPv6 = "xxxx::xxxx"
)

type ip struct{}

// replace looks for the next address of each version only when it has passed the one before.
func (ip) replace(dst, text []byte, room int, g *guard) (out []byte, hits int) {
	e := edit{out: dst, start: len(dst), text: text, high: len(text), room: room, guard: g}
	start4, end4 := findIPv4(text, 0)
	start6, end6 := findIPv6(text, 0)
	for start4 >= 0 || start6 >= 0 {
		start, end, replacement := start4, end4, noIPv4
		if start4 < 0 || 0 <= start6 && start6 <= start4 {
			start, end, replacement = start6, end6, noIPv6
		}
		if e.concerns(start, end) {
			if !e.keep(start, end, len(replacement)) {
				return e.giveUp()
			}
			e.out = append(e.out, replacement...)
		}
		if 0 <= start4 && start4 < end {
			start4, end4 = findIPv4(text, end)
		}
		if 0 <= start6 && start6 < end {
			start6, end6 = findIPv6(text, end)
		}
	}
	return e.finish()
}

func (ip) mayMatch(text []byte) bool { return ipv4{}.mayMatch(text) || ipv6{}.mayMatch(text) }

type ipv4 struct{}

func (ipv4) replace(dst, text []byte, room int, g *guard) (out []byte, hits int) {
	return finder(findIPv4).replace(dst, text, noIPv4, room, g)
}

// Digits and dots are part of no escape that is left.
func (ipv4) mayMatch(text []byte) bool {
	start, _ := findIPv4(text, 0)
	return start >= 0
}

// findIPv4 goes from dot to dot. A match starts with the three digits before one, or fewer, and the two numbers behind it
// are whole runs of digits: so there is nothing to try twice.
func findIPv4(text []byte, from int) (start, end int) {
	for at := from; ; {
		n := bytes.IndexByte(text[at:], '.')
		if n < 0 {
			return -1, -1
		}
		dot := at + n
		at = dot + 1
		if dot == from || !isDigit(text[dot-1]) {
			continue
		}
		if end := threeNumbers(text, dot); end > 0 {
			start = dot - 1
			for start > from && start > dot-3 && isDigit(text[start-1]) {
				start--
			}
			return start, end
		}
	}
}

// threeNumbers returns the end of three times a dot and up to three digits, from the dot at i on; 0 when there is
// something else.
func threeNumbers(text []byte, i int) (end int) {
	for range 3 {
		if i >= len(text) || text[i] != '.' {
			return 0
		}
		digits := i + 1
		for i = digits; i < len(text) && i < digits+3 && isDigit(text[i]); {
			i++
		}
		if i == digits {
			return 0
		}
	}
	return i
}

type email struct{}

func (email) replace(dst, text []byte, room int, g *guard) (out []byte, hits int) {
	return finder(findEmail).replace(dst, text, "xxxxx@xxxxx.com", room, g)
}

// The letter of an escape may be taken for a part of the address: that one too many does not matter here.
func (email) mayMatch(text []byte) bool {
	start, _ := findEmail(text, 0)
	return start >= 0
}

// findEmail goes from @ to @. What is left of one is as long as it can be, and so are the two parts on its right, which
// have no character in common where one gives way to the other.
func findEmail(text []byte, from int) (start, end int) {
	for at := from; ; {
		n := bytes.IndexByte(text[at:], '@')
		if n < 0 {
			return -1, -1
		}
		sign := at + n
		at = sign + 1
		start, dot := sign, sign+1
		for start > from && emailCharacters[text[start-1]]&inLocalPart != 0 {
			start--
		}
		for dot < len(text) && emailCharacters[text[dot]]&inHost != 0 {
			dot++
		}
		if start == sign || dot == sign+1 || dot == len(text) || text[dot] != '.' {
			continue
		}
		end = dot + 1
		for end < len(text) && emailCharacters[text[end]]&(inHost|isDot) != 0 {
			end++
		}
		if end > dot+1 {
			return start, end
		}
	}
}

const (
	inLocalPart = 1 << iota
	inHost      // `[a-zA-Z0-9-]`
	isDot
)

var emailCharacters = func() (table [256]byte) {
	for b := range table {
		switch c := byte(b); {
		case isDigit(c), 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-':
			table[b] = inLocalPart | inHost
		case c == '_', c == '+':
			table[b] = inLocalPart
		case c == '.':
			table[b] = inLocalPart | isDot
		}
	}
	return table
}()

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
