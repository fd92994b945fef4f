package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/stack/loopback"
)

func TestServer(t *testing.T) {
	known, err := New()
	require.NoError(t, err)
	other, err := New()
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		authority *Authority
		around    time.Duration
		name      string
		refused   string
	}{
		"a good one":              {authority: known, name: "127.0.0.1"},
		"for another name":        {authority: known, name: "logs.example.com", refused: "doesn't contain any IP SANs"},
		"one that has ended":      {authority: known, around: -48 * time.Hour, name: "127.0.0.1", refused: "expired"},
		"one that has not begun":  {authority: known, around: 48 * time.Hour, name: "127.0.0.1", refused: "not yet valid"},
		"of an unknown authority": {authority: other, name: "127.0.0.1", refused: "unknown authority"},
		"of its own making":       {name: "127.0.0.1", refused: "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := tc.authority.Server(time.Now().Add(tc.around), tc.name)
			require.NoError(t, err)
			s, err := loopback.Serve(http.NotFoundHandler(), loopback.TLS(config))
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			roots := x509.NewCertPool()
			require.True(t, roots.AppendCertsFromPEM(known.PEM()))
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
			t.Cleanup(client.CloseIdleConnections)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL(), http.NoBody)
			require.NoError(t, err)

			resp, err := client.Do(req)

			if tc.refused != "" {
				if err == nil {
					resp.Body.Close()
				}
				require.ErrorContains(t, err, tc.refused)
				return
			}
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		})
	}
}
