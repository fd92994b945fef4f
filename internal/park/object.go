package park

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"sluice/internal/compress"
)

const (
	gzipLevel      = 6        // gzip's own default
	maxHeaderBytes = 1 << 20  // plain; a header with one source has a few KiB
	maxPlainBytes  = 64 << 20 // of a whole object: 32 MiB are the most that is put together, before it is encoded
)

// appendObject appends a parked object: its header, packed. The same header gives the same bytes.
func appendObject(dst []byte, packed compress.Codec, h *Header) ([]byte, error) {
	if err := h.check(); err != nil {
		return dst, err
	}
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	if err := e.Encode(h); err != nil {
		return dst, fmt.Errorf("encode the header: %w", err)
	}
	return packed.Append(dst, line.Bytes()), nil
}

// Decode reads a parked object to its end and returns its header. It refuses what is not as a store writes it: another
// schema, an unknown member, a value out of its bounds, a payload with another checksum, bytes behind the end, and more
// than 64 MiB of plain bytes. The error says what is wrong with the object; an error of r is wrapped.
func Decode(r io.Reader) (Header, error) { return decode(r, maxPlainBytes) }

func decode(r io.Reader, limit int64) (Header, error) {
	var gunzip compress.Gunzip
	if err := gunzip.ResetReader(r, limit); err != nil {
		return Header{}, fmt.Errorf("parked object: %w", err)
	}
	plain := bufio.NewReader(&gunzip)
	line, err := headerLine(plain)
	if err != nil {
		return Header{}, fmt.Errorf("parked object: header: %w", err)
	}
	h, err := decodeHeader(line)
	if err != nil {
		return Header{}, fmt.Errorf("parked object: header: %w", err)
	}
	// The header counts only when all behind it is whole.
	if err := checkPayload(plain, &h); err != nil {
		return Header{}, fmt.Errorf("parked object: payload: %w", err)
	}
	return h, nil
}

// headerLine reads the first line, without its end.
func headerLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxHeaderBytes:
			return nil, fmt.Errorf("it has more than %d bytes", maxHeaderBytes)
		case err == nil:
			return line[:len(line)-1], nil
		case err == io.EOF:
			return nil, errors.New("its line has no end")
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err //nolint:wrapcheck // Decode says where
		}
	}
}

func decodeHeader(line []byte) (Header, error) {
	var h Header
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return Header{}, fmt.Errorf("it is not the JSON of a header: %.200s", err.Error()) // which may quote a name of any length
	}
	if _, err := d.Token(); err != io.EOF {
		return Header{}, errors.New("something follows its JSON")
	}
	if err := h.check(); err != nil {
		return Header{}, err
	}
	h.FirstFailedAt, h.LastFailedAt, h.MaxAgeAt = h.FirstFailedAt.UTC(), h.LastFailedAt.UTC(), h.MaxAgeAt.UTC()
	return h, nil
}

func checkPayload(r io.Reader, h *Header) error {
	sum := sha256.New()
	n, err := io.Copy(sum, r)
	switch {
	case err != nil:
		return err //nolint:wrapcheck // Decode says where
	case hex.EncodeToString(sum.Sum(nil)) != h.PayloadSHA256:
		return fmt.Errorf("its %d bytes are not those that payload_sha256 is of", n)
	case n != 0: // of the kind pointer, which is the only one that check lets through
		return fmt.Errorf("a pointer has none, this one has %d bytes", n)
	default:
		return nil
	}
}
