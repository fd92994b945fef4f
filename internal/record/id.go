package record

import (
	"cmp"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strconv"
)

// IDLen is the length of a record's id in bytes: hex digits.
const IDLen = 32

const unitSeparator = 0x1F

// identity hashes an origin's coordinates once; the digest's state is then copied for each record. What a record needs
// meanwhile is kept here as well, so that an id allocates nothing.
type identity struct {
	digest hash.Hash
	prefix []byte // the digest's state after the origin's parts
	parts  []byte
	sum    [sha256.Size]byte
}

// AppendID appends the record's deterministic id: the first 32 hex digits of the SHA-256 of kind and coordinates, joined
// by 0x1F. The same event has the same id whatever path it took and however often it came.
//
//	cwl          owner account, log group, log stream, event id, and index if it is above 0
//	kinesis      stream ARN, eventID (shard:sequence), index
//	firehose     delivery stream ARN, recordId, index
//	s3           bucket, key, version id (or ETag, in a bucket without versions), offset, index
//	sqs, sns     ARN of the queue or topic, message id, index
//	eventbridge  (nothing), event id, index
//
// It is not safe for concurrent use on records of one origin.
func (r *Record) AppendID(dst []byte) []byte {
	id := r.Origin.identity()
	id.parts = r.EventID.AppendPlain(id.parts[:0])
	if r.Origin.Kind == S3 {
		id.parts = strconv.AppendInt(id.parts[:0], r.Offset, 10)
	}
	if r.Origin.Kind != CloudWatch || r.Index > 0 { // an event of CloudWatch Logs is one record, if its message is not expanded
		id.parts = append(id.parts, unitSeparator)
		id.parts = strconv.AppendInt(id.parts, int64(r.Index), 10)
	}

	// The digest accepts the state it gave itself.
	if err := id.digest.(encoding.BinaryUnmarshaler).UnmarshalBinary(id.prefix); err != nil {
		panic("record: sha256 state: " + err.Error())
	}
	id.digest.Write(id.parts)
	return appendHex(dst, id.digest.Sum(id.sum[:0])[:IDLen/2])
}

// appendHex is hex.AppendEncode at a third of its cost: a digit is a half byte plus '0', and plus the distance from '9' to
// 'a' if it is above 9, for eight digits at once.
func appendHex(dst, b []byte) []byte {
	for ; len(b) >= 4; b = b[4:] {
		w := uint64(binary.BigEndian.Uint32(b)) // four bytes, to be spread over eight
		w = (w | w<<16) & 0x0000FFFF0000FFFF
		w = (w | w<<8) & 0x00FF00FF00FF00FF
		w = (w | w<<4) & (ones * 0x0F)
		above9 := (w + ones*6) >> 4 & ones
		dst = binary.BigEndian.AppendUint64(dst, w+ones*'0'+above9*('a'-'9'-1))
	}
	return hex.AppendEncode(dst, b)
}

func (o *Origin) identity() *identity {
	if o.id.digest != nil {
		return &o.id
	}
	parts := []string{string(o.Kind), o.StreamARN}
	switch o.Kind {
	case CloudWatch:
		parts = []string{string(o.Kind), o.Owner, o.LogGroup, o.LogStream}
	case S3:
		parts = []string{string(o.Kind), o.Bucket, o.Key, cmp.Or(o.VersionID, o.ETag)}
	case Kinesis, Firehose, SQS, SNS, EventBridge:
	}
	digest := sha256.New()
	for _, part := range parts {
		digest.Write(append([]byte(part), unitSeparator))
	}
	prefix, err := digest.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic("record: sha256 state: " + err.Error())
	}
	o.id = identity{digest: digest, prefix: prefix}
	return &o.id
}

// With returns a copy of the origin with other tags and service, for records that carry their own (`ddtags` in a
// message). The copy is another origin to every encoder.
func (o *Origin) With(tags Tags, service string) *Origin {
	c := *o
	c.Tags, c.Service = tags, service
	c.Found.Source, c.Found.Service = "", "" // it may be given coordinates of its own, and is then judged by them
	c.id = identity{}
	return &c
}
