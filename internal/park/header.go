package park

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// schema is the version of [Header]; a reader of another one must not guess.
const schema = 1

// Kind says what is parked.
type Kind string

// The kinds of what is parked.
const (
	KindPointer Kind = "pointer" // a header alone: what it names in its source is to be read again
	KindItems   Kind = "items"   // a header and the encoded items that are to be sent
)

// encodingBase64 says that every line is a JSON string, the base64 of an item. Without it a line is an item.
const encodingBase64 = "base64"

// Header is the first line of every parked object.
// Format: delivery contract, 2.7. Times are UTC, with milliseconds at most.
type Header struct {
	Schema         int         `json:"schema"`
	Kind           Kind        `json:"kind"`
	BatchID        string      `json:"batch_id"`
	Attempt        int         `json:"attempt"` // 1 to 99: in how many deliveries it has been
	Dest           Destination `json:"dest"`
	Reason         Reason      `json:"reason"`
	FirstFailedAt  time.Time   `json:"first_failed_at"`
	LastFailedAt   time.Time   `json:"last_failed_at"`
	NotBefore      int64       `json:"not_before,omitempty"` // seconds since the Unix epoch, 10 digits; 0 in what is dead
	MaxAgeAt       time.Time   `json:"max_age_at,omitzero"`  // from then on the destination takes it no more
	Forwarder      string      `json:"forwarder,omitempty"`  // version
	ConfigSHA      string      `json:"config_sha,omitempty"`
	RequestID      string      `json:"request_id,omitempty"`
	Count          int         `json:"count"`              // records; items: lines behind the header; 0 in a pointer: not known
	Bytes          int64       `json:"bytes,omitempty"`    // plain, of items without their line ends; 0 in a pointer: not known
	Encoding       string      `json:"encoding,omitempty"` // of items: "" a line is an item, "base64" it is a JSON string of its base64
	PayloadSHA256  string      `json:"payload_sha256"`     // hex, of all lines behind the header
	IdempotencyKey string      `json:"idempotency_key"`    // the id to send the items with
	Sources        []Source    `json:"sources"`
	SourcesLeftOut int         `json:"sources_left_out,omitempty"` // how many more there were than a header holds
}

// SendID is the id that the items are to be sent with: the batch's own when they are all of it, else one of their own,
// which is the same at every attempt.
func (h *Header) SendID() string { return h.IdempotencyKey }

// Destination is for whom something is parked.
type Destination struct {
	ID   string `json:"id"`             // 1 to 32 of a-z, 0-9 and -
	Type string `json:"type,omitempty"` // "datadog"
	Host string `json:"host,omitempty"` // without port, path and credentials
}

// Reason is why something is parked.
type Reason struct {
	Code              string `json:"code"`                  // 1 to 40 of a-z, 0-9 and _: a part of keys
	Class             string `json:"class,omitempty"`       // likewise: "retriable"
	HTTPStatus        int    `json:"http_status,omitempty"` // 0: no answer
	Message           string `json:"message,omitempty"`     // redacted by the caller; the store cuts it and its URLs
	RetryAfterSeconds int    `json:"retry_after_s,omitempty"`
}

// The entries that something may be parked by.
const (
	EntryCloudWatch   = "cwl"
	EntryKinesis      = "kinesis"
	EntryFirehose     = "firehose"
	EntryS3           = "s3"
	EntryAsyncFailure = "async_failure"
)

func isEntry(s string) bool {
	return slices.Contains([]string{EntryCloudWatch, EntryKinesis, EntryFirehose, EntryS3, EntryAsyncFailure}, s)
}

const (
	maxMessageBytes = 512 // delivery contract 2.7
	maxFieldBytes   = 1024
	maxIDBytes      = 32 // delivery contract, threat S13
	maxCodeBytes    = 40
	maxBatchIDBytes = 128
	maxAttempt      = 99 // two digits in keys; replay ends long before
	minNotBefore    = 1_000_000_000
	maxNotBefore    = 9_999_999_999 // ten digits, so that key order is due order
)

// check says what is wrong with a header, if anything is.
func (h *Header) check() error {
	switch {
	case h.Schema != schema:
		return fmt.Errorf("schema is %d, want %d", h.Schema, schema)
	case h.Kind != KindPointer && h.Kind != KindItems:
		return fmt.Errorf("kind is %.40q, which this version does not know", h.Kind)
	case !isBatchID(h.BatchID):
		return fmt.Errorf("batch_id is %.40q, want letters and digits, with single dots between them", h.BatchID)
	case h.Attempt < 1 || h.Attempt > maxAttempt:
		return fmt.Errorf("attempt is %d, want 1 to %d", h.Attempt, maxAttempt)
	case h.NotBefore != 0 && (h.NotBefore < minNotBefore || h.NotBefore > maxNotBefore):
		return fmt.Errorf("not_before is %d, want seconds since 1970 in 10 digits", h.NotBefore)
	case h.Count < 0 || h.Bytes < 0:
		return fmt.Errorf("count is %d and bytes is %d, want none below 0", h.Count, h.Bytes)
	case len(h.Sources) == 0:
		return errors.New("sources is empty, want what was read")
	case h.SourcesLeftOut < 0:
		return fmt.Errorf("sources_left_out is %d, want none below 0", h.SourcesLeftOut)
	}
	for _, s := range h.Sources {
		if err := s.check(h.Kind); err != nil {
			return err
		}
	}
	return errors.Join(h.checkKind(), h.Dest.check(), h.Reason.check(), h.checkTimes(),
		checkTexts(h.Forwarder, h.ConfigSHA, h.RequestID, h.IdempotencyKey))
}

// checkKind looks at what one kind has and the other has not.
func (h *Header) checkKind() error {
	switch {
	case h.Kind == KindPointer && h.Encoding != "":
		return fmt.Errorf("encoding is %.40q in a pointer, which has no items", h.Encoding)
	case h.Kind == KindPointer:
		return nil
	case h.Encoding != "" && h.Encoding != encodingBase64:
		return fmt.Errorf("encoding is %.40q, want none or %q", h.Encoding, encodingBase64)
	case h.Count == 0 || h.Count > maxItems:
		return fmt.Errorf("count is %d, want the number of items, at most %d", h.Count, maxItems)
	case !isBatchID(h.IdempotencyKey):
		return fmt.Errorf("idempotency_key is %.40q, want letters and digits, with single dots between them", h.IdempotencyKey)
	default:
		return nil
	}
}

func (h *Header) checkTimes() error {
	for _, at := range []time.Time{h.FirstFailedAt, h.LastFailedAt} {
		if at.IsZero() {
			return errors.New("first_failed_at and last_failed_at are both needed")
		}
	}
	for _, at := range []time.Time{h.FirstFailedAt, h.LastFailedAt, h.MaxAgeAt} {
		if year := at.UTC().Year(); !at.IsZero() && (year < 1970 || year > 9999) {
			return fmt.Errorf("a time is in the year %d", year)
		}
	}
	return nil
}

func (d *Destination) check() error {
	switch {
	case !isMadeOf(d.ID, "-", maxIDBytes):
		return fmt.Errorf("dest.id is %.40q, want 1 to %d of a-z, 0-9 and -", d.ID, maxIDBytes)
	case strings.ContainsAny(d.Host, "/?#@\\ "):
		return errors.New("dest.host has more than a host: want no path, query or credentials")
	default:
		return checkTexts(d.Type, d.Host)
	}
}

func (r *Reason) check() error {
	switch {
	case !isMadeOf(r.Code, "_", maxCodeBytes):
		return fmt.Errorf("reason.code is %.40q, want 1 to %d of a-z, 0-9 and _", r.Code, maxCodeBytes)
	case r.Class != "" && !isMadeOf(r.Class, "_", maxCodeBytes):
		return fmt.Errorf("reason.class is %.40q, want at most %d of a-z, 0-9 and _", r.Class, maxCodeBytes)
	case len(r.Message) > maxMessageBytes:
		return fmt.Errorf("reason.message has %d bytes, want at most %d", len(r.Message), maxMessageBytes)
	case r.HTTPStatus < 0 || r.RetryAfterSeconds < 0:
		return errors.New("reason.http_status and reason.retry_after_s must not be below 0")
	default:
		return checkTexts(r.Message)
	}
}

// isMadeOf reports whether s is 1 to limit bytes of a-z, 0-9 and one more.
func isMadeOf(s, more string, limit int) bool {
	return s != "" && len(s) <= limit && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789"+more) == ""
}

// isBatchID takes an id and those of its halves: "<id>.0.1".
func isBatchID(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '.' {
			return false
		}
	}
	return s != "" && len(s) <= maxBatchIDBytes && !strings.Contains("."+s+".", "..")
}
