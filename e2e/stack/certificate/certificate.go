// Package certificate makes certificates for servers on the loopback interface: good ones, and ones that a client has to
// refuse. They are made when they are needed and kept nowhere but where the caller writes them.
package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Authority issues certificates.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	der         []byte
}

// New makes an authority that is valid for a day around now.
func New() (*Authority, error) {
	a := &Authority{certificate: template("Example Authority", time.Now())}
	a.certificate.IsCA = true
	a.certificate.KeyUsage = x509.KeyUsageCertSign
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("make the key of an authority: %w", err)
	}
	a.der, err = x509.CreateCertificate(rand.Reader, a.certificate, a.certificate, a.key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	return a, nil
}

// template is a certificate that is valid for a day around a time.
func template(name string, around time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: around.Add(-12 * time.Hour), NotAfter: around.Add(12 * time.Hour), BasicConstraintsValid: true,
	}
}

// PEM is the authority's own certificate, for a client that trusts it.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.der})
}

// Server is the configuration of a server with a certificate for some names or addresses, valid for a day around a time. A
// nil authority stands for one that signs itself.
func (a *Authority) Server(around time.Time, names ...string) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of a server: %w", err)
	}
	own := template("Example Server", around)
	own.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			own.IPAddresses = append(own.IPAddresses, ip)
			continue
		}
		own.DNSNames = append(own.DNSNames, name)
	}
	issuer, signer := own, key
	if a != nil {
		issuer, signer = a.certificate, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, own, issuer, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("make a certificate for %v: %w", names, err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12,
	}, nil
}
