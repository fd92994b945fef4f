package park

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// checkTexts refuses what JSON could not give back: a name with a changed byte names something else.
func checkTexts(texts ...string) error {
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return fmt.Errorf("%.40q is not UTF-8", text)
		}
		if len(text) > maxFieldBytes {
			return fmt.Errorf("a text has %d bytes, want at most %d: %.40q", len(text), maxFieldBytes, text)
		}
	}
	return nil
}

// clean makes a text from outside one that checkTexts takes. What is parked must not fail on a name.
func clean(text string) string {
	return cutTo(strings.ToValidUTF8(text, "\uFFFD"), maxFieldBytes)
}

// presentable cuts a message to what may be stored: of web addresses only scheme and host, at most 512 bytes, UTF-8.
func presentable(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "://")
		b.WriteString(before)
		if !found {
			return cutTo(b.String(), maxMessageBytes)
		}
		b.WriteString("://")
		s = rest
		if strings.HasSuffix(before, "http") || strings.HasSuffix(before, "https") {
			host, more, after := splitAddress(rest)
			b.WriteString(host)
			if more {
				b.WriteString("/…")
			}
			s = after
		}
	}
}

// splitAddress splits what follows "https://" into its host, whether more of an address follows, and the text after it.
// Paths and queries hold keys with some intakes; so do credentials before an @.
func splitAddress(s string) (host string, more bool, after string) {
	end := strings.IndexFunc(s, endsAddress)
	if end < 0 {
		end = len(s)
	}
	host, after = s[:end], s[end:]
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		host, more = host[:i], true
	}
	return host[strings.LastIndexByte(host, '@')+1:], more, after
}

func endsAddress(r rune) bool { return r <= ' ' || strings.ContainsRune("\"'<>`", r) }

// cutTo shortens s to at most limit bytes, between characters.
func cutTo(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
