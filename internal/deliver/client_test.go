package deliver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGuard(t *testing.T) {
	const loopback, private = 1, 2 // what the settings may allow
	for name, tc := range map[string]struct {
		address string
		allowed int // by which of them; -1 always, 0 never
	}{
		"public":                             {"203.0.113.7:443", -1},
		"public, IPv6":                       {"[2001:db8::7]:443", -1},
		"metadata of an instance":            {"169.254.169.254:80", 0},
		"credentials of a container":         {"169.254.170.2:80", 0},
		"metadata, mapped into IPv6":         {"[::ffff:169.254.169.254]:80", 0},
		"runtime of the function":            {"127.0.0.1:9001", loopback},
		"all of 127/8":                       {"127.9.9.9:80", loopback},
		"loopback, IPv6":                     {"[::1]:9001", loopback},
		"loopback, mapped into IPv6":         {"[::ffff:127.0.0.1]:9001", loopback},
		"unspecified is this machine":        {"0.0.0.0:9001", 0},
		"unspecified, IPv6":                  {"[::]:9001", 0},
		"unspecified, mapped into IPv6":      {"[::ffff:0.0.0.0]:9001", 0},
		"10/8":                               {"10.1.2.3:443", private},
		"10/8, mapped into IPv6":             {"[::ffff:10.1.2.3]:443", private},
		"172.16/12":                          {"172.31.255.255:443", private},
		"192.168/16":                         {"192.168.0.1:443", private},
		"beside 172.16/12":                   {"172.32.0.1:443", -1},
		"fd00::/8":                           {"[fd00::7]:443", private},
		"fe80::/10":                          {"[fe80::1]:443", 0},
		"fe80::/10 with a zone":              {"[fe80::1%eth0]:443", 0},
		"multicast":                          {"224.0.0.1:443", 0},
		"multicast, IPv6":                    {"[ff02::1]:443", 0},
		"multicast of the interface":         {"[ff01::1]:443", 0},
		"name that nobody has resolved":      {"localhost:443", 0},
		"number that a C library would read": {"0x7f.1:443", 0},
		"no port":                            {"203.0.113.7", 0},
	} {
		t.Run(name, func(t *testing.T) {
			for settings := range 4 {
				g := guard{loopback: settings&loopback != 0, private: settings&private != 0}
				err := g.control("tcp", tc.address, nil)
				if tc.allowed < 0 || settings&tc.allowed != 0 {
					assert.NoError(t, err, "%+v", g)
				} else {
					assert.ErrorIs(t, err, errAddress, "%+v", g)
				}
			}
		})
	}
}

// post sends a request and returns the status, or the reason why there is none.
func post(t *testing.T, client *http.Client, at string) (status int, reason string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at, strings.NewReader("[]"))
	require.NoError(t, err)
	resp, err := client.Do(req)
	switch {
	case err == nil:
		resp.Body.Close()
		return resp.StatusCode, ""
	case errors.Is(err, errAddress):
		return 0, "address_not_allowed"
	}
	return 0, reasonOf(err)
}

// resolving answers look-ups, for as long as the test runs, with these addresses, and all others with NXDOMAIN.
func resolving(t *testing.T, names map[string]string) {
	t.Helper()
	system := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = system })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			var size [2]byte
			if _, err := io.ReadFull(server, size[:]); err != nil {
				return
			}
			query := make([]byte, binary.BigEndian.Uint16(size[:]))
			if _, err := io.ReadFull(server, query); err != nil {
				return
			}
			_, _ = server.Write(dnsAnswer(query, names))
		}()
		return client, nil
	}}
}

// dnsAnswer is the answer to a query, with its length before it (RFC 1035, sections 4.1 and 4.2.2).
func dnsAnswer(query []byte, names map[string]string) []byte {
	var labels []string
	end := 12
	for query[end] != 0 {
		labels = append(labels, string(query[end+1:end+1+int(query[end])]))
		end += 1 + int(query[end])
	}
	question := query[12 : end+5]
	address, known := names[strings.Join(labels, ".")]
	isA := question[len(question)-3] == 1

	answer := append([]byte{0, 0}, query[:2]...)
	switch {
	case !known:
		answer = append(answer, 0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0)
	case isA:
		answer = append(answer, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0)
	default:
		answer = append(answer, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0)
	}
	answer = append(answer, question...)
	if known && isA {
		answer = append(answer, 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
		answer = append(answer, net.ParseIP(address).To4()...)
	}
	binary.BigEndian.PutUint16(answer, uint16(len(answer)-2))
	return answer
}

// A name is judged by what it resolves to when it is dialled, so nothing is gained by changing it after a check.
func TestNamesThatResolveToGuardedAddresses(t *testing.T) {
	resolving(t, map[string]string{
		"rebound.example.com":  "127.0.0.1",
		"metadata.example.com": "169.254.169.254",
		"inside.example.com":   "10.0.0.7",
		"0x7f.1":               "127.0.0.1",
	})
	for _, host := range []string{"rebound.example.com", "metadata.example.com", "inside.example.com", "0x7f.1"} {
		t.Run(host, func(t *testing.T) {
			at := "http://" + net.JoinHostPort(host, "9001")
			client, err := NewClient(ClientOptions{URL: at})
			require.NoError(t, err)
			_, reason := post(t, client, at)
			assert.Equal(t, "address_not_allowed", reason)
		})
	}
	client, err := NewClient(ClientOptions{URL: "http://nowhere.example.com"})
	require.NoError(t, err)
	_, reason := post(t, client, "http://nowhere.example.com")
	assert.Equal(t, "dns", reason)
}

// What the URL names without a look-up may be this machine: that is how an agent beside the function is reached.
func TestLoopbackByName(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	for _, host := range []string{"localhost", "127.0.0.1"} {
		at := "http://" + net.JoinHostPort(host, u.Port())
		client, err := NewClient(ClientOptions{URL: at})
		require.NoError(t, err)
		status, reason := post(t, client, at)
		assert.Equal(t, http.StatusNotFound, status, reason)
	}
	client, err := NewClient(ClientOptions{URL: "https://intake.example.com", AllowPrivate: true})
	require.NoError(t, err)
	_, reason := post(t, client, server.URL)
	assert.Equal(t, "address_not_allowed", reason, "loopback is not private")
}

func TestClientErrorHidesURL(t *testing.T) {
	for _, at := range []string{"https://intake.example.com/%zz/tok3n", "https://user:tok3n/x@intake.example.com", "https://a/tok3n\n"} {
		_, err := NewClient(ClientOptions{URL: at})
		require.ErrorContains(t, err, "url of the destination")
		assert.NotContains(t, err.Error(), "tok3n")
	}
}

// proxyVariable tells the process that TestProxy starts where its proxy is. The proxy variables themselves are read
// once in the life of a process.
const proxyVariable = "SLUICE_TEST_PROXY"

// A proxy on this machine is what is dialled, and it was set by whoever runs the function.
func TestProxy(t *testing.T) {
	if os.Getenv(proxyVariable) != "" {
		client, err := NewClient(ClientOptions{URL: "http://intake.example.com/v1"})
		require.NoError(t, err)
		status, reason := post(t, client, "http://intake.example.com/v1")
		require.Equal(t, http.StatusAccepted, status, reason)
		return
	}
	var asked string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		w.WriteHeader(http.StatusAccepted)
	}))
	defer proxy.Close()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxy$")
	child.Env = append(os.Environ(), proxyVariable+"=1", "HTTP_PROXY="+proxy.URL, "NO_PROXY=")
	out, err := child.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "http://intake.example.com/v1", asked)
}

func TestTLS(t *testing.T) {
	start := func(t *testing.T, config *tls.Config) *httptest.Server {
		t.Helper()
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.TLS = config
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		server.StartTLS()
		t.Cleanup(server.Close)
		return server
	}
	for name, tc := range map[string]struct {
		config  *tls.Config
		trusted bool   // the server's certificate is among the roots
		host    string // in the URL; empty for the address, which the certificate names
		reason  string // "" when there is an answer
	}{
		"certificate of the settings":         {trusted: true},
		"certificate that nobody knows":       {reason: "tls"},
		"name that is not on the certificate": {trusted: true, host: "localhost", reason: "tls"},
		"TLS 1.2":                             {config: &tls.Config{MaxVersion: tls.VersionTLS12}, trusted: true},
		"TLS 1.1": {
			config: &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, trusted: true, reason: "tls",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t, tc.config)
			at := server.URL
			if tc.host != "" {
				u, err := url.Parse(at)
				require.NoError(t, err)
				at = "https://" + net.JoinHostPort(tc.host, u.Port())
			}
			o := ClientOptions{URL: at, Roots: x509.NewCertPool()}
			if tc.trusted {
				o.Roots.AddCert(server.Certificate())
			}
			client, err := NewClient(o)
			require.NoError(t, err)
			status, reason := post(t, client, at)
			assert.Equal(t, tc.reason, reason)
			assert.Equal(t, tc.reason == "", status == http.StatusNotFound)
		})
	}
}
