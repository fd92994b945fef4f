package config

import (
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"sluice/internal/secret"
)

// URL is where requests go. Path and query may hold a token, so it prints its origin only (https://host:port), and "/…"
// where there is more; Reveal gives the whole. The zero value is no URL.
type URL struct {
	whole  secret.Value
	origin string
	local  bool // the host is this machine without a look-up: localhost, 127.0.0.0/8 or [::1]
	more   bool // there is more than the origin
}

// urlForm is what a URL may look like.
type urlForm struct {
	allowed   string
	forbidden string // bytes that may not be in it
}

// The forms of a URL: as it is, and one that a path is added to.
var (
	wholeURL = urlForm{"https://host[:port][/path][?query] without user, password or #fragment", "#"}
	baseURL  = urlForm{"https://host[:port][/path] without user, password, ?query or #fragment", "?#"}
)

// parseURL reads an absolute http or https URL. The text is the problem, never with more of the URL than its origin.
func parseURL(text string, form urlForm) (u URL, problem string) {
	parsed, err := url.Parse(text)
	if err != nil || !isHost(parsed.Hostname()) || !isPort(parsed) {
		return URL{}, "want " + form.allowed
	}
	origin := parsed.Scheme + "://" + parsed.Host
	known := parsed.Scheme == "https" || parsed.Scheme == "http"
	if !known || parsed.User != nil || strings.ContainsAny(text, form.forbidden) {
		return URL{}, quote(origin) + ": want " + form.allowed
	}
	more := parsed.Path != "" && parsed.Path != "/" || parsed.RawQuery != ""
	return URL{whole: secret.NewValue(text), origin: origin, local: isLocal(parsed.Hostname()), more: more}, ""
}

// Reveal returns the whole URL. Do not log it.
func (u URL) Reveal() string { return u.whole.Reveal() }

// IsZero reports whether there is no URL.
func (u URL) IsZero() bool { return u.whole.IsEmpty() }

// insecure reports whether requests would travel in the clear to another machine.
func (u URL) insecure() bool { return strings.HasPrefix(u.origin, "http://") && !u.local }

// String returns the origin, and "/…" when there is more.
func (u URL) String() string {
	if u.more {
		return u.origin + "/…"
	}
	return u.origin
}

// Format writes what String returns, whatever the verb is. fmt reports errors of its own writer.
func (u URL) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, u.String()) }

// MarshalText returns what String returns.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// isHost reports whether text is a host name in ASCII or an IP address.
func isHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return !strings.Contains(text, "%") // no zone
	}
	return isHostName(text)
}

// isHostName reports whether text can be a DNS name: labels of letters, digits, - and _ (RFC 1123; _ occurs inside AWS).
func isHostName(text string) bool {
	if len(text) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(text, "."), ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, nameCharacters) != "" {
			return false
		}
	}
	return true
}

func isPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.Atoi(u.Port())
	return err == nil && port >= minPort && port <= maxPort
}

// isLocal reports whether a host is this machine without a look-up: localhost in any case, or a loopback address, also an
// IPv4 one written as IPv6.
func isLocal(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
