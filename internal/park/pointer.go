package park

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
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
		Count: p.Count, PayloadSHA256: hex.EncodeToString(sha256.New().Sum(nil)), Sources: []Source{p.Source},
	}
	if h.LastFailedAt.IsZero() {
		h.LastFailedAt = h.FirstFailedAt
	}
	h.Reason.Message = presentable(p.Reason.Message)
	if r := p.Source.ByteRange; r != nil {
		h.Sources[0].Layer = Plain
		if r[1] > r[0] {
			h.Bytes = r[1] - r[0]
		}
	}
	if h.BatchID == "" {
		h.BatchID = p.id()
	}
	h.IdempotencyKey = h.BatchID
	return h
}

// id names the part for the destination.
// Format: delivery contract 2.6, with the source's coordinates where a batch has those of its lines.
func (p *Pointer) id() string {
	s, r := &p.Source, Range{0, ToEnd}
	if s.ByteRange != nil {
		r = *s.ByteRange
	}
	h := sha256.New()
	for _, part := range []string{
		p.Destination.ID, s.Bucket, s.Key, cmp.Or(s.VersionID, s.ETag), strconv.FormatInt(s.SizeBytes, 10),
		strconv.FormatInt(r[0], 10), strconv.FormatInt(r[1], 10), p.ConfigSHA,
	} {
		h.Write(append([]byte(part), 0x1f))
	}
	const length = 26
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil))[:length]
}

func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}

// presentable cuts a message to what may be stored: of web addresses only scheme and host, at most 512 bytes, UTF-8.
func presentable(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "://")
		b.WriteString(before)
		if !found {
			return cutTo(b.String(), maxMessageBytes)
		}
		b.WriteString("://")
		s = rest
		if strings.HasSuffix(before, "http") || strings.HasSuffix(before, "https") {
			host, more, after := splitAddress(rest)
			b.WriteString(host)
			if more {
				b.WriteString("/…")
			}
			s = after
		}
	}
}

// splitAddress splits what follows "https://" into its host, whether more of an address follows, and the text after it.
// Paths and queries hold keys with some intakes; so do credentials before an @.
func splitAddress(s string) (host string, more bool, after string) {
	end := strings.IndexFunc(s, endsAddress)
	if end < 0 {
		end = len(s)
	}
	host, after = s[:end], s[end:]
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		host, more = host[:i], true
	}
	return host[strings.LastIndexByte(host, '@')+1:], more, after
}

func endsAddress(r rune) bool { return r <= ' ' || strings.ContainsRune("\"'<>`", r) }

// cutTo shortens s to at most limit bytes, between characters.
func cutTo(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
