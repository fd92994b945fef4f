package config

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxBundleBytes bounds a file of certificates. The system's own has about 220 KB.
const maxBundleBytes = 4 << 20

// certificates reads the path of a file of certificates and looks whether there are any.
func certificates[T any](at func(*T) *string) kind[T] {
	const allowed = "the path of a PEM file with certificates"
	return kind[T]{allowed, func(t *T, f field) {
		text, ok := f.text(allowed)
		if !ok {
			return
		}
		*at(t) = strings.TrimSpace(text)
		if err := checkBundle(*at(t)); err != nil {
			f.want(allowed + ": " + err.Error())
		}
	}}
}

func checkBundle(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("look at it: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxBundleBytes {
		return fmt.Errorf("it is no file of at most %d bytes", maxBundleBytes)
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open it: %w", err)
	}
	defer file.Close() // opened for reading: closing cannot lose anything
	text, err := io.ReadAll(file)
	if err != nil {
		return fmt.Errorf("read it: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return errors.New("there is no certificate in it")
	}
	return nil
}
