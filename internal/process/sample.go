package process

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"sluice/internal/record"
)

// isSampled reports whether sampling keeps a record. The id decides, which is a hash: it is the same for the same record,
// and as good as random among others. Records that have neither an event id nor an offset share theirs with all of their
// origin: their time and text decide.
func (p *Processor) isSampled(r *record.Record) bool {
	p.key = p.key[:0]
	if len(r.EventID.Bytes) > 0 || r.Origin.Kind == record.S3 {
		p.key = r.AppendID(p.key)
	} else {
		p.key = binary.BigEndian.AppendUint64(p.key, uint64(r.TimeMillis))
		sum := sha256.Sum256(append(p.key, p.plain(r.Message)...))
		p.key = hex.AppendEncode(p.key[:0], sum[:])
	}
	var first [8]byte
	_, _ = hex.Decode(first[:], p.key[:2*len(first)]) // hex digits is what it is
	const digits = 53                                 // of a float64
	return float64(binary.BigEndian.Uint64(first[:])>>(64-digits))/(1<<digits) < p.plan.steps.Sample
}
