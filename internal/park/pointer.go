package park

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strconv"
	"time"
)

// Pointer is a part of an object of S3 that is to be read again for one destination.
type Pointer struct {
	Destination Destination
	Reason      Reason
	// BatchID is the same for the same part and destination. Empty: it is made of them, which is what one wants unless
	// the part had an id before.
	BatchID     string
	Attempt     int       // 1 to 99; 0 is 1
	FirstFailed time.Time // its day is a part of the key of what is dead
	LastFailed  time.Time // zero: FirstFailed
	MaxAge      time.Time // from then on the destination takes it no more; zero: for ever
	Source      Source
	Count       int // lines; 0: not known
	RequestID   string
	Forwarder   string // version
	ConfigSHA   string
}

// header fills in what is left out.
func (p *Pointer) header() Header {
	h := Header{
		Schema: schema, Kind: KindPointer, BatchID: p.BatchID, Attempt: cmp.Or(p.Attempt, 1), Dest: p.Destination, Reason: p.Reason,
		FirstFailedAt: stamp(p.FirstFailed), LastFailedAt: stamp(p.LastFailed), MaxAgeAt: stamp(p.MaxAge),
		Forwarder: p.Forwarder, ConfigSHA: p.ConfigSHA, RequestID: p.RequestID,
		Count: p.Count, PayloadSHA256: hex.EncodeToString(sha256.New().Sum(nil)), Sources: []Source{p.Source.cleaned(KindPointer)},
	}
	if r := p.Source.ByteRange; r != nil && r[1] > r[0] {
		h.Bytes = r[1] - r[0]
	}
	h.tidy()
	if h.BatchID == "" {
		h.BatchID = p.id()
	}
	h.IdempotencyKey = h.BatchID
	return h
}

const idLength = 26 // of ids in base32: delivery contract 2.6

// id names the part for the destination.
// Format: delivery contract 2.6, with the source's coordinates where a batch has those of its lines.
func (p *Pointer) id() string {
	s, r := &p.Source, Range{0, ToEnd}
	if s.ByteRange != nil {
		r = *s.ByteRange
	}
	parts := []string{
		p.Destination.ID, s.Bucket, s.Key, cmp.Or(s.VersionID, s.ETag), strconv.FormatInt(s.SizeBytes, 10),
		strconv.FormatInt(r[0], 10), strconv.FormatInt(r[1], 10), p.ConfigSHA,
	}
	if r := s.Records; r != nil || s.Decode != "" {
		if r == nil {
			r = &Range{0, ToEnd}
		}
		parts = append(parts, strconv.FormatInt(r[0], 10), strconv.FormatInt(r[1], 10), s.Decode)
	}
	h := sha256.New()
	for _, part := range parts {
		h.Write(append([]byte(part), 0x1f))
	}
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil))[:idLength]
}

// tidy makes what came from outside fit to be stored, and fills in the later of the two times.
func (h *Header) tidy() {
	h.Reason.Message = presentable(h.Reason.Message)
	h.Forwarder, h.ConfigSHA, h.RequestID = clean(h.Forwarder), clean(h.ConfigSHA), clean(h.RequestID)
	if h.LastFailedAt.IsZero() {
		h.LastFailedAt = h.FirstFailedAt
	}
}

// stamp is a time as it is stored.
func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}
