package park

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Raw is input that could not be read at all. It is stored as it came: nothing in it is redacted.
type Raw struct {
	Entry     string    // how it came in: one of the entries
	Reason    Reason    // its code and its message count
	At        time.Time // when it came; its day is a part of the key
	RequestID string
	Payload   []byte // at most 8 MiB
}

// maxRawBytes is more than any invocation hands over: 6 MB, or 1 MB where nobody waits for the answer.
const maxRawBytes = 8 << 20

// maxRawObjectBytes is the most that an object of it takes: base64, and texts in front of it.
const maxRawObjectBytes = maxRawBytes/3*4 + maxHeaderBytes

// rawObject is a Raw as it is stored: JSON, not packed.
type rawObject struct {
	Schema        int       `json:"schema"`
	Entry         string    `json:"entry"`
	SourceID      string    `json:"source_id"` // the same input has the same one
	Reason        rawReason `json:"reason"`
	At            time.Time `json:"at"`
	RequestID     string    `json:"request_id,omitempty"`
	PayloadSHA256 string    `json:"payload_sha256"` // hex
	Payload       []byte    `json:"payload"`
}

type rawReason struct {
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
}

// PutRaw parks input that cannot be read, for a person. It returns the key of the object that is now durable. The same
// input is stored once a day, whatever the rest says.
func (s *Store) PutRaw(ctx context.Context, raw Raw) (key string, err error) {
	o := raw.object()
	if err := o.check(); err != nil {
		return "", fmt.Errorf("park: %w", err)
	}
	body, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("park: encode what cannot be read: %w", err)
	}
	key = fmt.Sprintf("%s%s/%s/%s/%s.json", s.root, DeadRaw, o.Entry, o.At.Format(dayLayout), o.SourceID)
	_, err = s.create(ctx, &write{state: DeadRaw, key: key, contentType: jsonType, body: body, metadata: map[string]string{
		"entry": o.Entry, "reason": o.Reason.Code, "first-failed-at": o.At.Format(time.RFC3339),
	}})
	if err != nil {
		return "", err
	}
	return key, nil
}

func (raw *Raw) object() *rawObject {
	sum := sha256.Sum256(raw.Payload)
	id := hex.EncodeToString(sum[:])
	return &rawObject{
		Schema: schema, Entry: raw.Entry, SourceID: id,
		Reason: rawReason{Code: raw.Reason.Code, Message: presentable(raw.Reason.Message)},
		At:     stamp(raw.At), RequestID: clean(raw.RequestID), PayloadSHA256: id, Payload: raw.Payload,
	}
}

func (o *rawObject) check() error {
	sum := sha256.Sum256(o.Payload)
	id := hex.EncodeToString(sum[:])
	reason := Reason{Code: o.Reason.Code, Message: o.Reason.Message}
	switch {
	case o.Schema != schema:
		return fmt.Errorf("schema is %d, want %d", o.Schema, schema)
	case !isEntry(o.Entry):
		return fmt.Errorf("entry is %.40q, want one of cwl, kinesis, firehose, s3, async_failure", o.Entry)
	case len(o.Payload) > maxRawBytes:
		return fmt.Errorf("payload has %d bytes, want at most %d", len(o.Payload), maxRawBytes)
	case o.SourceID != id || o.PayloadSHA256 != id:
		return fmt.Errorf("its %d bytes are not those that source_id and payload_sha256 are of", len(o.Payload))
	case o.At.IsZero() || o.At.UTC().Year() < 1970 || o.At.UTC().Year() > 9999:
		return errors.New("at is no time after 1970")
	}
	return errors.Join(reason.check(), checkTexts(o.RequestID))
}

// DecodeRaw reads what PutRaw has stored, whole or not at all. It refuses more than 12 MiB, and what is not as a store
// writes it. The error says what is wrong with the object; an error of r is wrapped.
func DecodeRaw(r io.Reader) (Raw, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxRawObjectBytes+1))
	if err != nil {
		return Raw{}, fmt.Errorf("raw input: %w", err)
	}
	if len(data) > maxRawObjectBytes {
		return Raw{}, fmt.Errorf("raw input: more than %d bytes", maxRawObjectBytes)
	}
	var o rawObject
	if err := decodeJSON(data, &o, "raw input"); err != nil {
		return Raw{}, fmt.Errorf("raw input: %w", err)
	}
	if err := o.check(); err != nil {
		return Raw{}, fmt.Errorf("raw input: %w", err)
	}
	return Raw{
		Entry: o.Entry, Reason: Reason{Code: o.Reason.Code, Message: o.Reason.Message},
		At: o.At.UTC(), RequestID: o.RequestID, Payload: bytes.Clone(o.Payload),
	}, nil
}
