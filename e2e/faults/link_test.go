package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/stack/loopback"
)

func TestLink(t *testing.T) {
	const bodyBytes = 300_000
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, strings.Repeat(".", bodyBytes))
	}))
	defer server.Close()
	l, err := newLink(t.Context())
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.close()) }()
	l.to(server.URL)
	client := &http.Client{Timeout: 300 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func() (int, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.url, strings.NewReader(strings.Repeat("x", bodyBytes)))
		require.NoError(t, err)
		resp, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return len(body), err
	}
	for _, tc := range []struct {
		name   string
		damage damage
		least  int
		fails  bool
	}{
		{"none", damage{}, bodyBytes, false},
		{"the request is cut", damage{resetUp: 10_000}, 0, true},
		{"the answer is cut", damage{resetDown: 10_000}, 1, true},
		{"the request is slow", damage{slowUp: time.Millisecond}, 0, true},
		{"the answer is slow", damage{slowDown: time.Millisecond}, 0, true},
		{"none again", damage{}, bodyBytes, false},
	} {
		l.set(tc.damage)
		n, err := ask()
		assert.Equal(t, tc.fails, err != nil, "%s: %v", tc.name, err)
		assert.GreaterOrEqual(t, n, tc.least, tc.name)
	}
	assert.Equal(t, 2, l.cuts())

	l.set(damage{resetUp: 1, times: 1})
	_, first := ask()
	_, second := ask()
	require.Error(t, first, "it happens to one connection")
	require.NoError(t, second, "and not to the next one")
}

func TestIdentity(t *testing.T) {
	id, err := newIdentity()
	require.NoError(t, err)
	server, err := loopback.Serve(http.NotFoundHandler(), loopback.TLS(id.config()))
	require.NoError(t, err)
	defer server.Close()
	bundle, err := os.ReadFile(id.bundle)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(bundle))
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}}
	ask := func() error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL(), http.NoBody)
		require.NoError(t, err)
		resp, err := client.Do(req)
		if err == nil {
			err = resp.Body.Close()
		}
		return err
	}

	require.NoError(t, ask())
	hour := time.Now().Add(time.Hour)
	require.NoError(t, id.show(time.Now().Add(-time.Hour), "", id.authority))
	require.ErrorContains(t, ask(), "expired")
	require.NoError(t, id.show(hour, "intake.example.com", id.authority))
	require.ErrorContains(t, ask(), "127.0.0.1")
	require.NoError(t, id.show(hour, "", nil))
	require.ErrorContains(t, ask(), "unknown authority")
	require.NoError(t, id.showGood())
	require.NoError(t, ask())
	assert.Equal(t, 5, id.handshakes())
	require.NoError(t, id.close())
	assert.NoFileExists(t, id.bundle)
}

func TestLongLines(t *testing.T) {
	line := longLine(3, 100)
	assert.Len(t, line, 100)
	number, at, ok := placeOf(string(line[32:60]))
	assert.True(t, ok)
	assert.Equal(t, []int{3, 32}, []int{number, at})
	for _, text := range []string{"", "a line of another kind", "0000001:000000", "x000001:0000000 "} {
		_, _, ok := placeOf(text)
		assert.False(t, ok, text)
	}
}
