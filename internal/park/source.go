package park

import (
	"errors"
	"fmt"
)

// Source is what was read. Every entry fills in what it knows.
//
// In a pointer, the names of the object are what it is read again by: they are stored as they are, or not at all. All other
// texts are for people: what is not UTF-8 in them is replaced, and what is longer than 1,024 bytes is cut.
type Source struct {
	Entry     string    `json:"entry"`           // how the source came in: one of the entries of this package
	Owner     string    `json:"owner,omitempty"` // account: of the log group, the stream or the bucket
	LogGroup  string    `json:"log_group,omitempty"`
	LogStream string    `json:"log_stream,omitempty"`
	EventIDs  [2]string `json:"event_ids,omitzero"` // first and last event of CloudWatch Logs
	StreamARN string    `json:"stream_arn,omitempty"`
	Shard     string    `json:"shard,omitempty"`
	Sequence  [2]string `json:"sequence,omitzero"` // first and last sequence number of Kinesis, or record id of Firehose
	Region    string    `json:"region,omitempty"`  // of the bucket
	Bucket    string    `json:"bucket,omitempty"`  // required in a pointer, as Key is
	Key       string    `json:"key,omitempty"`     // decoded
	VersionID string    `json:"version_id,omitempty"`
	ETag      string    `json:"etag,omitempty"` // without quotes
	Sequencer string    `json:"sequencer,omitempty"`
	SizeBytes int64     `json:"size,omitempty"` // as stored; 0: not known
	// ByteRange is the part to be read again, in the bytes after decompression; nil: the whole object.
	ByteRange *Range `json:"byte_range,omitempty"`
	Layer     string `json:"layer,omitempty"` // what ByteRange counts in: always Plain. The store fills it in
	// Records are those to be forwarded, of the records that the object decodes to; with a ByteRange, of those that the
	// range decodes to. The first number is how many to skip at the start, the second is the number of the record to stop
	// before, or [ToEnd]. nil: all.
	Records *Range `json:"lines,omitempty"`
	// Decode is the fingerprint of the settings that decide how records are counted, at most 64 bytes. With others,
	// Records counts something else. The store takes it as it is.
	Decode string `json:"decode,omitempty"`
}

// Range is a part of a stream: from its first byte or record to the one before its second, which may be [ToEnd].
type Range [2]int64

// ToEnd is the end of a [Range] that goes on to the end of its stream.
const ToEnd = -1

// Plain is the layer of the bytes after decompression.
const Plain = "plain"

const maxDecodeBytes = 64 // a SHA-256 in hex

func (s *Source) check(kind Kind) error {
	switch {
	case !isEntry(s.Entry):
		return fmt.Errorf("sources.entry is %.40q, want one of cwl, kinesis, firehose, s3, async_failure", s.Entry)
	case kind == KindPointer && (s.Bucket == "" || s.Key == ""):
		return errors.New("sources has no bucket and key")
	case s.SizeBytes < 0:
		return fmt.Errorf("sources.size is %d, want 0 where it is not known", s.SizeBytes)
	case (s.ByteRange != nil) != (s.Layer == Plain) || s.ByteRange == nil && s.Layer != "":
		return fmt.Errorf("sources.layer is %.40q, want %q with a byte_range and nothing without", s.Layer, Plain)
	case len(s.Decode) > maxDecodeBytes:
		return fmt.Errorf("sources.decode has %d bytes, want at most %d", len(s.Decode), maxDecodeBytes)
	}
	return errors.Join(s.ByteRange.check("byte_range"), s.Records.check("lines"), checkTexts(
		s.Owner, s.LogGroup, s.LogStream, s.EventIDs[0], s.EventIDs[1], s.StreamARN, s.Shard, s.Sequence[0], s.Sequence[1],
		s.Region, s.Bucket, s.Key, s.VersionID, s.ETag, s.Sequencer, s.Decode))
}

func (r *Range) check(name string) error {
	if r != nil && (r[0] < 0 || r[1] != ToEnd && r[1] <= r[0]) {
		return fmt.Errorf("sources.%s is [%d,%d], want an end after its start, or %d", name, r[0], r[1], ToEnd)
	}
	return nil
}

// cleaned is s with texts that may be stored, and its layer. It shares nothing with s.
func (s *Source) cleaned(kind Kind) Source {
	c := *s
	texts := []*string{
		&c.Owner, &c.LogGroup, &c.LogStream, &c.EventIDs[0], &c.EventIDs[1], &c.StreamARN, &c.Shard, &c.Sequence[0], &c.Sequence[1],
		&c.Sequencer,
	}
	if kind != KindPointer {
		texts = append(texts, &c.Region, &c.Bucket, &c.Key, &c.VersionID, &c.ETag)
	}
	for _, text := range texts {
		*text = clean(*text)
	}
	c.ByteRange, c.Records = s.ByteRange.clone(), s.Records.clone()
	if c.ByteRange != nil {
		c.Layer = Plain
	}
	return c
}

func (r *Range) clone() *Range {
	if r == nil {
		return nil
	}
	c := *r
	return &c
}
