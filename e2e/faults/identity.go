package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"sync"
	"time"
)

// identity is the certificate that a server shows, and the authority that its clients trust.
type identity struct {
	authority *signer
	bundle    string // a file with the authority's certificate

	mu    sync.Mutex // guards what follows
	shown *tls.Certificate
	asked int // handshakes that were begun
}

// signer is a certificate with its key.
type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newIdentity makes an authority and a server that it vouches for. Close it.
func newIdentity() (*identity, error) {
	authority, err := sign(template("authority", time.Now().Add(time.Hour), true), nil)
	if err != nil {
		return nil, err
	}
	id := &identity{authority: authority}
	file, err := os.CreateTemp("", "sluice-authority-*.pem")
	if err != nil {
		return nil, fmt.Errorf("make a file for a certificate: %w", err)
	}
	id.bundle = file.Name()
	err = pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: authority.cert.Raw})
	if err := errors.Join(err, file.Close(), id.showGood()); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", id.bundle, err), id.close())
	}
	return id, nil
}

func (id *identity) close() error { return os.Remove(id.bundle) }

// config shows what the identity shows at that moment.
func (id *identity) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		id.mu.Lock()
		defer id.mu.Unlock()
		id.asked++
		return id.shown, nil
	}}
}

func (id *identity) handshakes() int {
	id.mu.Lock()
	defer id.mu.Unlock()
	return id.asked
}

func (id *identity) showGood() error { return id.show(time.Now().Add(time.Hour), "", id.authority) }

// show has the server show a certificate for a name, or for this machine's loopback address when there is none.
func (id *identity) show(until time.Time, name string, by *signer) error {
	t := template("intake", until, false)
	if name != "" {
		t.DNSNames = []string{name}
	} else {
		t.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	made, err := sign(t, by)
	if err != nil {
		return err
	}
	id.mu.Lock()
	defer id.mu.Unlock()
	id.shown = &tls.Certificate{Certificate: [][]byte{made.cert.Raw}, PrivateKey: made.key}
	return nil
}

func template(name string, until time.Time, authority bool) *x509.Certificate {
	t := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until, BasicConstraintsValid: true, IsCA: authority,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if authority {
		t.KeyUsage |= x509.KeyUsageCertSign
	}
	return t
}

// sign makes a certificate; nil signs itself.
func sign(t *x509.Certificate, by *signer) (*signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	parent, secret := t, key
	if by != nil {
		parent, secret = by.cert, by.key
	}
	raw, err := x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, secret)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, fmt.Errorf("read a certificate: %w", err)
	}
	return &signer{cert, key}, nil
}
