package deliver_test

import (
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/deliver"
)

// Over HTTP/2, too, a stream that is broken off is repeated by deliver alone.
func TestHTTP2(t *testing.T) {
	var seen atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		assert.Equal(t, 2, r.ProtoMajor)
		_, err := io.Copy(io.Discard, r.Body)
		assert.NoError(t, err)
		if n := seen.Add(1); n == 1 || n == 3 {
			panic(http.ErrAbortHandler) // resets the stream
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	client, err := deliver.NewClient(deliver.ClientOptions{URL: server.URL, Roots: roots})
	require.NoError(t, err)

	d := &intake{url: server.URL}
	s := deliver.NewSender(d, client, deliver.Options{MaxInFlight: 1, Jitter: never})
	got := send(t.Context(), t, s, deliver.FlightOptions{}, load{items: 30, each: 10}.batches(d)...)
	require.NoError(t, got.Err)
	assert.Equal(t, 5, got.Requests)
	assert.Equal(t, 20, got.PossibleDuplicates)
	assert.EqualValues(t, got.Requests, seen.Load())
}
