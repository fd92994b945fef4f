package deliver

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Timeouts of a connection (delivery contract 2.5), and how long an idle one is kept: less than the minute after which
// load balancers close theirs.
const (
	dialTimeout   = 2 * time.Second
	tlsTimeout    = 3 * time.Second
	headerTimeout = 10 * time.Second
	idleTimeout   = 50 * time.Second
)

// ClientOptions configure the connections to one destination.
type ClientOptions struct {
	URL          string         // of the destination; it decides whether loopback may be dialled
	Roots        *x509.CertPool // nil for the system's
	AllowPrivate bool           // dial private addresses (RFC 1918, RFC 4193)
	MaxInFlight  int            // idle connections to keep; 0 for 8
	// AttemptTimeout is what an attempt may take; a longer one than usual waits for the answer's start as long.
	AttemptTimeout time.Duration
}

// NewClient returns an HTTP client for one destination. It honours the proxy variables of the environment, checks
// certificates always, follows no redirect, and refuses to dial addresses that no intake has: a name in the settings must
// not lead to the instance's metadata or to the runtime's own port (delivery contract S4).
func NewClient(o ClientOptions) (*http.Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, errors.New("url of the destination: not a URL; check it") // the cause quotes it, and it may hold a token
	}
	guard := guard{loopback: isLoopback(u.Hostname()), private: o.AllowPrivate}
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u}); err == nil && proxy != nil {
		// The proxy is what is dialled, and it was set by whoever runs the function.
		guard.loopback, guard.private = true, true
	}
	dialer := &net.Dialer{Timeout: dialTimeout, Control: guard.control}
	return &http.Client{
		CheckRedirect: noRedirects,
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           dialer.DialContext,
			TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots},
			TLSHandshakeTimeout:   tlsTimeout,
			ResponseHeaderTimeout: max(headerTimeout, o.AttemptTimeout-usualAttempt+headerTimeout),
			IdleConnTimeout:       idleTimeout,
			MaxIdleConnsPerHost:   cmp.Or(o.MaxInFlight, defaultInFlight),
			DisableCompression:    true,
			ForceAttemptHTTP2:     true,
		},
	}, nil
}

// errAddress says that the resolved address may not be dialled.
var errAddress = errors.New("address not allowed")

// guard decides which addresses may be dialled. It sees them after the name was resolved, so no name gets around it.
type guard struct {
	loopback, private bool
}

func (g guard) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", errAddress, err)
	}
	if ip := at.Addr().Unmap(); !g.allows(ip) {
		return fmt.Errorf("%w: %s (set allow_private for a private one)", errAddress, ip)
	}
	return nil
}

func (g guard) allows(ip netip.Addr) bool {
	switch {
	case ip.IsLoopback():
		return g.loopback
	case ip.IsPrivate():
		return g.private
	case ip.IsLinkLocalUnicast(), ip.IsUnspecified(), ip.IsMulticast(), ip.IsInterfaceLocalMulticast():
		return false
	}
	return true
}

// isLoopback reports whether a URL's host names this machine without a look-up.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
