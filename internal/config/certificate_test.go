package config

import (
	"encoding/pem"
	"net/http/httptest"
	"testing"
)

// certificate returns the certificate of a test server, PEM encoded.
func certificate(t *testing.T) []byte {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}
