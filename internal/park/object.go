package park

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
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
	maxSources     = 256      // in a header: those behind them are counted
)

// appendObject appends a parked object's header, packed. The same header gives the same bytes. When it is too long because
// of its sources, it keeps the first of them, and h says so.
func appendObject(dst []byte, packed compress.Codec, h *Header) ([]byte, error) {
	if err := h.check(); err != nil {
		return dst, err
	}
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	for {
		if err := e.Encode(h); err != nil {
			return dst, fmt.Errorf("encode the header: %w", err)
		}
		if line.Len() <= maxHeaderBytes || len(h.Sources) == 1 { // one has 100 KiB, when every byte of it is escaped
			return packed.Append(dst, line.Bytes()), nil
		}
		kept := len(h.Sources) / 2
		h.SourcesLeftOut += len(h.Sources) - kept
		h.Sources = h.Sources[:kept]
		line.Reset()
	}
}

// Object is a parked object that was read back whole.
type Object struct {
	Header Header
	Items  [][]byte // encoded, in order, as they were put; they lie in one array. nil in a pointer
}

// Decode reads a parked object to its end and returns its header. It is [Read] without the items.
func Decode(r io.Reader) (Header, error) {
	o, err := Read(r)
	if err != nil {
		return Header{}, err
	}
	return o.Header, nil
}

// Read reads a parked object to its end. It refuses what is not as a store writes it: another schema, an unknown member, a
// value out of its bounds, lines with another checksum or of another number, bytes behind the end, and more than 64 MiB of
// plain bytes. The error says what is wrong with the object; an error of r is wrapped.
func Read(r io.Reader) (*Object, error) { return decode(r, maxPlainBytes) }

func decode(r io.Reader, limit int64) (*Object, error) {
	var gunzip compress.Gunzip
	if err := gunzip.ResetReader(r, limit); err != nil {
		return nil, fmt.Errorf("parked object: %w", err)
	}
	plain := bufio.NewReader(&gunzip)
	line, err := headerLine(plain)
	if err != nil {
		return nil, fmt.Errorf("parked object: header: %w", err)
	}
	h, err := decodeHeader(line)
	if err != nil {
		return nil, fmt.Errorf("parked object: header: %w", err)
	}
	// The header counts only when all behind it is whole.
	items, err := readItems(plain, &h)
	if err != nil {
		return nil, fmt.Errorf("parked object: payload: %w", err)
	}
	return &Object{Header: h, Items: items}, nil
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
			return nil, err //nolint:wrapcheck // Read says where
		}
	}
}

func decodeHeader(line []byte) (Header, error) {
	var h Header
	if err := decodeJSON(line, &h, "a header"); err != nil {
		return Header{}, err
	}
	if err := h.check(); err != nil {
		return Header{}, err
	}
	h.FirstFailedAt, h.LastFailedAt, h.MaxAgeAt = h.FirstFailedAt.UTC(), h.LastFailedAt.UTC(), h.MaxAgeAt.UTC()
	return h, nil
}

// readItems reads all behind the header.
func readItems(r io.Reader, h *Header) ([][]byte, error) {
	var plain bytes.Buffer
	if h.Kind == KindItems { // the header says how much to expect
		plain.Grow(int(min(h.Bytes, maxItemsBytes)) + min(h.Count, maxItemsBytes) + bytes.MinRead)
	}
	_, err := plain.ReadFrom(r)
	sum := sha256.Sum256(plain.Bytes())
	switch {
	case err != nil:
		return nil, err //nolint:wrapcheck // Read says where
	case hex.EncodeToString(sum[:]) != h.PayloadSHA256:
		return nil, fmt.Errorf("its %d bytes are not those that payload_sha256 is of", plain.Len())
	case h.Kind == KindItems:
		return splitItems(plain.Bytes(), h)
	case plain.Len() != 0:
		return nil, fmt.Errorf("a pointer has none, this one has %d bytes", plain.Len())
	default:
		return nil, nil
	}
}

// splitItems takes lines apart. Items that need no decoding lie in plain.
func splitItems(plain []byte, h *Header) ([][]byte, error) {
	if n := bytes.Count(plain, []byte{'\n'}); n != h.Count || plain[len(plain)-1] != '\n' {
		return nil, fmt.Errorf("it has %d whole lines, count is %d", n, h.Count)
	}
	items, size := make([][]byte, 0, h.Count), int64(0)
	for line := range bytes.Lines(plain) {
		item, err := itemOf(line[:len(line)-1:len(line)-1], h.Encoding)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", len(items)+1, err)
		}
		items, size = append(items, item), size+int64(len(item))
	}
	if size != h.Bytes {
		return nil, fmt.Errorf("its items have %d bytes, bytes is %d", size, h.Bytes)
	}
	return items, nil
}

func itemOf(line []byte, encoding string) ([]byte, error) {
	if encoding == "" {
		if !isLine(line) {
			return nil, errors.New("it is no JSON")
		}
		return line, nil
	}
	if len(line) < 2 || line[0] != '"' || line[len(line)-1] != '"' {
		return nil, errors.New("it is no string of JSON")
	}
	text := line[1 : len(line)-1]
	item := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(item, text)
	if err != nil {
		return nil, fmt.Errorf("its string is no base64: %w", err)
	}
	return item[:n:n], nil
}
