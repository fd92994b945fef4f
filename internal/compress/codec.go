// Package compress packs and unpacks what travels: request bodies, and the payloads AWS sends.
//
// Encoders and decoders are expensive to make and cheap to reuse, so they are kept in pools. What unpacks bytes from
// outside takes a cap, in bytes of plain text, because a payload of a few kilobytes can hold gigabytes.
package compress

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Codec is a content coding with its level, ready to use by many goroutines at once.
type Codec interface {
	// Encoding is the value of the Content-Encoding header; empty for plain bytes.
	Encoding() string
	// Append appends the packed form of src to dst.
	Append(dst, src []byte) []byte
	// Unpack appends the plain form of src, which Append has packed, to dst.
	Unpack(dst, src []byte) ([]byte, error)
}

// Plain is the coding that changes nothing.
type Plain struct{}

// Encoding is empty: no header is sent.
func (Plain) Encoding() string { return "" }

// Append copies.
func (Plain) Append(dst, src []byte) []byte { return append(dst, src...) }

// Unpack copies.
func (Plain) Unpack(dst, src []byte) ([]byte, error) { return append(dst, src...), nil }

type gzipCodec struct {
	writers sync.Pool
	readers sync.Pool
}

// Gzip returns the gzip coding (RFC 1952) at a level from 1 to 9.
func Gzip(level int) (Codec, error) {
	if level < gzip.BestSpeed || level > gzip.BestCompression {
		return nil, fmt.Errorf("gzip level %d: want 1 to 9", level)
	}
	c := &gzipCodec{}
	c.writers.New = func() any {
		w, _ := gzip.NewWriterLevel(io.Discard, level) // the level is one that it knows
		return w
	}
	c.readers.New = func() any { return new(gzip.Reader) }
	return c, nil
}

func (c *gzipCodec) Encoding() string { return "gzip" }

func (c *gzipCodec) Append(dst, src []byte) []byte {
	w := c.writers.Get().(*gzip.Writer)
	defer c.writers.Put(w)
	out := bytes.NewBuffer(dst)
	w.Reset(out)
	// A bytes.Buffer takes every write, so neither call can fail.
	_, _ = w.Write(src)
	_ = w.Close()
	return out.Bytes()
}

func (c *gzipCodec) Unpack(dst, src []byte) ([]byte, error) {
	r := c.readers.Get().(*gzip.Reader)
	defer c.readers.Put(r)
	if err := r.Reset(bytes.NewReader(src)); err != nil {
		return dst, fmt.Errorf("gunzip own body: %w", err)
	}
	out := bytes.NewBuffer(dst)
	if _, err := out.ReadFrom(r); err != nil {
		return dst, fmt.Errorf("gunzip own body: %w", err)
	}
	return out.Bytes(), nil
}

// zstdWindow keeps an encoder at about 2 MiB; bodies are at most 5 MB, and log lines repeat at short distances.
const zstdWindow = 1 << 20

type zstdCodec struct {
	encoder *zstd.Encoder
	decoder func() (*zstd.Decoder, error)
}

// Zstd returns the Zstandard coding (RFC 8878) at a level as the zstd command counts them: 1 is the fastest.
func Zstd(level int) (Codec, error) {
	if level < 1 || level > 22 {
		return nil, fmt.Errorf("zstd level %d: want 1 to 22", level)
	}
	e, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(zstdWindow),
		zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("zstd level %d: %w", level, err)
	}
	return &zstdCodec{encoder: e, decoder: sync.OnceValues(func() (*zstd.Decoder, error) {
		return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	})}, nil
}

func (c *zstdCodec) Encoding() string { return "zstd" }

func (c *zstdCodec) Append(dst, src []byte) []byte { return c.encoder.EncodeAll(src, dst) }

func (c *zstdCodec) Unpack(dst, src []byte) ([]byte, error) {
	d, err := c.decoder()
	if err != nil {
		return dst, fmt.Errorf("zstd decoder: %w", err)
	}
	out, err := d.DecodeAll(src, dst)
	if err != nil {
		return dst, fmt.Errorf("unzstd own body: %w", err)
	}
	return out, nil
}
