package audit

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// header is the first line of a parked object, the members that count here. Format: delivery contract 2.7.
type header struct {
	Schema  int    `json:"schema"`
	Kind    string `json:"kind"`
	BatchID string `json:"batch_id"`
	Attempt int    `json:"attempt"`
	Dest    struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	} `json:"dest"`
	Reason struct {
		Code string `json:"code"`
	} `json:"reason"`
	NotBefore int64    `json:"not_before"`
	Count     int      `json:"count"`
	Encoding  string   `json:"encoding"`
	SHA256    string   `json:"payload_sha256"`
	Sources   []source `json:"sources"`
}

// source is what a pointer points to.
type source struct {
	Bucket    string    `json:"bucket"`
	Key       string    `json:"key"`
	VersionID string    `json:"version_id"`
	ETag      string    `json:"etag"`
	ByteRange *[2]int64 `json:"byte_range"` // of the plain bytes; the end may be -1
	Lines     *[2]int64 `json:"lines"`      // records of that range; likewise
}

const maxPlainBytes = 64 << 20 // of an object: delivery contract 2.7 has it coalesced to 32 MiB, before it is encoded

// object is a parked object.
type object struct {
	header header
	items  [][]byte
}

// readObject reads a parked object with nothing but the published format.
func readObject(body []byte) (*object, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("gunzip: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(unpacked, maxPlainBytes+1))
	if err != nil {
		return nil, fmt.Errorf("gunzip: %w", err)
	}
	if len(plain) > maxPlainBytes {
		return nil, fmt.Errorf("it has more than %d bytes", maxPlainBytes)
	}
	head, payload, found := bytes.Cut(plain, []byte("\n"))
	if !found {
		return nil, errors.New("the header has no end")
	}
	o := &object{}
	if err := json.Unmarshal(head, &o.header); err != nil {
		return nil, fmt.Errorf("decode the header: %w", err)
	}
	if err := o.read(payload); err != nil {
		return nil, err
	}
	return o, nil
}

// read takes the lines behind the header.
func (o *object) read(payload []byte) error {
	h := &o.header
	sum := sha256.Sum256(payload)
	switch {
	case h.Schema != 1 || h.Kind != "items" && h.Kind != "pointer":
		return fmt.Errorf("schema %d, kind %q: neither items nor a pointer of schema 1", h.Schema, h.Kind)
	case hex.EncodeToString(sum[:]) != h.SHA256:
		return errors.New("payload_sha256 is of other bytes")
	case len(h.Sources) == 0:
		return errors.New("it has no source")
	case h.Kind == "pointer" && (len(payload) != 0 || len(h.Sources) != 1):
		return fmt.Errorf("a pointer with %d sources and %d bytes", len(h.Sources), len(payload))
	}
	for line := range bytes.Lines(payload) {
		item, ended := bytes.CutSuffix(line, []byte("\n"))
		if !ended {
			return errors.New("the last item has no end")
		}
		if h.Encoding == "base64" {
			var binary []byte
			if err := json.Unmarshal(item, &binary); err != nil {
				return fmt.Errorf("item %d: %w", len(o.items)+1, err)
			}
			item = binary
		}
		o.items = append(o.items, item)
	}
	if h.Kind == "items" && len(o.items) != h.Count {
		return fmt.Errorf("%d items, and the header counts %d", len(o.items), h.Count)
	}
	return nil
}

// checkName holds a key, below its folder, against the header.
func (o *object) checkName(folder, name string) error {
	h := &o.header
	file := fmt.Sprintf("%s.a%02d.jsonl.gz", h.BatchID, h.Attempt)
	if folder == "pending" {
		if want := fmt.Sprintf("%s/%010d-%s", h.Dest.ID, h.NotBefore, file); name != want {
			return fmt.Errorf("by its header, it belongs to pending/%s", want)
		}
		return nil
	}
	parts := strings.Split(name, "/")
	const date = 3 // yyyy/mm/dd
	if len(parts) != 2+date+1 || parts[0] != h.Dest.ID || parts[len(parts)-1] != file {
		return fmt.Errorf("by its header, it belongs to dead/%s/<reason>/<yyyy>/<mm>/<dd>/%s", h.Dest.ID, file)
	}
	return nil
}

// readRaw reads input that could not be read, and was kept as it came.
func readRaw(body []byte) ([]byte, error) {
	var raw struct {
		Schema  int    `json:"schema"`
		Entry   string `json:"entry"`
		Payload []byte `json:"payload"`
		SHA256  string `json:"payload_sha256"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	sum := sha256.Sum256(raw.Payload)
	if raw.Schema != 1 || raw.Entry == "" || hex.EncodeToString(sum[:]) != raw.SHA256 {
		return nil, fmt.Errorf("schema %d, entry %q: no input of schema 1, or its checksum is of other bytes", raw.Schema, raw.Entry)
	}
	return raw.Payload, nil
}
