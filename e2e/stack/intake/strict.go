package intake

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
)

var (
	errTooLarge = errors.New("the decoded body is over the limit")
	errEncoding = errors.New("unknown content encoding")
)

const maxZstdWindow = 8 << 20 // what a decoder has to support, RFC 8878 section 3.1.1.1.2

// inflate decodes a body of at most limit bytes. gzip is read by the standard library, which checks every member's
// length and checksum and is not what the functions write with.
func inflate(raw []byte, encoding string, limit int) ([]byte, error) {
	var source io.Reader
	switch encoding {
	case "":
		source = bytes.NewReader(raw)
	case "gzip":
		r, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		source = r
	case "zstd":
		r, err := zstd.NewReader(bytes.NewReader(raw), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		defer r.Close()
		source = r
	default:
		return nil, fmt.Errorf("%w %q", errEncoding, encoding)
	}
	plain, err := io.ReadAll(io.LimitReader(source, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(plain) > limit {
		return nil, fmt.Errorf("%w of %d bytes", errTooLarge, limit)
	}
	return plain, nil
}

// item is one JSON object of a body.
type item struct {
	bytes   int
	members map[string]json.RawMessage
}

// splitArray reads one JSON array of objects and nothing after it.
func splitArray(plain []byte) ([]item, error) {
	if !utf8.Valid(plain) {
		return nil, errors.New("the body is not valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(plain))
	open, err := dec.Token()
	if err != nil || open != json.Delim('[') {
		return nil, errors.New("the body is not a JSON array")
	}
	var items []item
	for dec.More() {
		it, err := nextItem(dec)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", len(items), err)
		}
		items = append(items, it)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("the array does not end: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the array")
	}
	if len(items) == 0 {
		return nil, errors.New("the array is empty")
	}
	return items, nil
}

// splitLines reads JSON objects that each end with a newline.
func splitLines(plain []byte) ([]item, error) {
	if !utf8.Valid(plain) {
		return nil, errors.New("the body is not valid UTF-8")
	}
	if !bytes.HasSuffix(plain, []byte("\n")) {
		return nil, errors.New("the last line has no newline")
	}
	var items []item
	for line := range bytes.Lines(plain) {
		dec := json.NewDecoder(bytes.NewReader(line))
		it, err := nextItem(dec)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", len(items)+1, err)
		}
		if _, err := dec.Token(); !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("line %d holds more than one value", len(items)+1)
		}
		items = append(items, it)
	}
	return items, nil
}

func nextItem(dec *json.Decoder) (item, error) {
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return item{}, fmt.Errorf("not JSON: %w", err)
	}
	if raw[0] != '{' {
		return item{}, errors.New("not an object")
	}
	if err := uniqueNames(raw); err != nil {
		return item{}, err
	}
	it := item{bytes: len(raw)}
	if err := json.Unmarshal(raw, &it.members); err != nil {
		return item{}, fmt.Errorf("not an object: %w", err)
	}
	return it, nil
}

// uniqueNames looks for an object with two members of one name, at any depth. encoding/json lets them pass.
func uniqueNames(raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var open []scope
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("not JSON: %w", err)
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			open = open[:len(open)-1]
			continue
		}
		if len(open) > 0 && !open[len(open)-1].admit(token) {
			return errors.New("a member name stands twice in one object")
		}
		switch token {
		case json.Delim('{'):
			open = append(open, scope{names: map[string]bool{}})
		case json.Delim('['):
			open = append(open, scope{})
		}
	}
}

// scope is an open object (names is set) or array.
type scope struct {
	names   map[string]bool
	inValue bool // an object's next token is a value
}

// admit takes the next token of the scope and says whether it is no repeated name.
func (s *scope) admit(token json.Token) bool {
	if s.names == nil {
		return true
	}
	if s.inValue {
		s.inValue = false
		return true
	}
	name, _ := token.(string)
	if s.names[name] {
		return false
	}
	s.names[name] = true
	s.inValue = true
	return true
}
