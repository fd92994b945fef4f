package batch

import (
	"unicode/utf8"

	"sluice/internal/record"
)

// addOversized adds a record whose item is larger than the destination takes, by the policy.
func (b *Builder) addOversized(r *record.Record, unit int) Added {
	if b.o.Oversize == Chunk {
		return b.addChunks(r, unit)
	}
	return b.addTruncated(r, unit)
}

// addTruncated cuts the message until the item fits. What surrounds the message goes only if it is too large by itself:
// first the source's further members, then the tags and the service, which a log's own text may have given. A record
// that is too large even then is added whole, in a batch of its own that is not to be sent.
func (b *Builder) addTruncated(r *record.Record, unit int) Added {
	whole := *r
	defer func() { *r = whole }()

	r.Marks |= record.Truncated
	r.Structured = false // what is left of it is no object any more
	room := b.messageRoom(r)
	if room < 0 {
		r.Members = nil
		room = b.messageRoom(r)
	}
	if room < 0 {
		r.Origin = r.Origin.With(nil, "")
		room = b.messageRoom(r)
	}
	if room < 0 {
		*r = whole
		b.addUnsendable(r, unit)
		return Added{Items: 1}
	}
	keep := cut(r.Message, room)
	r.TruncatedBytes = b.plainLen(record.Text{Bytes: r.Message.Bytes[keep:], Escaped: r.Message.Escaped})
	r.Message.Bytes = r.Message.Bytes[:keep]
	b.settleFitting(r, unit)
	return Added{Items: 1, Marks: record.Truncated}
}

// addChunks cuts the message into as many records as it takes.
func (b *Builder) addChunks(r *record.Record, unit int) Added {
	whole := *r
	defer func() { *r = whole }()

	r.Marks |= record.Chunked
	r.Structured = false
	r.Part, r.Parts = maxParts, maxParts // as many digits as there can be
	room := b.messageRoom(r)
	parts := 0
	if room >= maxEscapedChar { // else not the message is large, the rest is
		parts = countParts(whole.Message, room)
	}
	if parts == 0 || parts > maxParts {
		*r = whole
		return b.addTruncated(r, unit)
	}
	r.Parts = parts
	rest := whole.Message
	for r.Part = 1; r.Part <= parts; r.Part++ {
		n := cut(rest, room)
		r.Message = record.Text{Bytes: rest.Bytes[:n], Escaped: rest.Escaped}
		rest.Bytes = rest.Bytes[n:]
		b.settleFitting(r, unit)
		r.Members = nil // they stand in the first part
	}
	return Added{Items: parts, Marks: record.Chunked}
}

const (
	// maxParts bounds the pieces of one message; a log event of CloudWatch or Kinesis never needs as many.
	maxParts = 999
	// maxEscapedChar is the length of the longest character inside a JSON string: an escaped surrogate pair.
	maxEscapedChar = len(`\ud83d\ude00`)
)

func countParts(t record.Text, room int) int {
	parts := 0
	for len(t.Bytes) > 0 {
		t.Bytes = t.Bytes[cut(t, room):]
		parts++
	}
	return parts
}

// messageRoom is how many encoded bytes of message fit into an item of this record.
func (b *Builder) messageRoom(r *record.Record) int {
	message := r.Message
	r.Message.Bytes = nil
	if r.Marks&record.Truncated != 0 {
		r.TruncatedBytes = len(message.Bytes) // as many digits as there can be
	}
	b.item = b.o.Destination.Append(b.item[:0], r)
	r.Message = message
	return b.recordLimit() - len(b.item)
}

// plainLen is the length of a text as it is read, in bytes.
func (b *Builder) plainLen(t record.Text) int {
	if !t.Escaped {
		return len(t.Bytes)
	}
	b.item = t.AppendPlain(b.item[:0])
	return len(b.item)
}

// settleFitting adds a record that was cut to fit.
func (b *Builder) settleFitting(r *record.Record, unit int) {
	start, itemStart := b.encode(r)
	b.settle(start, itemStart, r, unit)
}

// addUnsendable makes a batch of a record that nothing makes fit.
func (b *Builder) addUnsendable(r *record.Record, unit int) {
	b.Flush()
	b.settleFitting(r, unit)
	b.oversized = true
	b.Flush()
}

// cut is the length of the longest prefix of a text that takes at most room bytes inside a JSON string and ends neither
// inside a character nor inside an escape. room is not negative.
func cut(t record.Text, room int) int {
	if t.Escaped {
		return cutEscaped(t.Bytes, room)
	}
	var scratch [8]byte
	used := 0
	for i := 0; i < len(t.Bytes); {
		_, size := utf8.DecodeRune(t.Bytes[i:])
		used += len(record.AppendEscaped(scratch[:0], t.Bytes[i:i+size]))
		if used > room {
			return i
		}
		i += size
	}
	return len(t.Bytes)
}

func cutEscaped(b []byte, room int) int {
	if len(b) <= room {
		return len(b)
	}
	for i := 0; ; {
		i += record.PlainRun(b[i:room])
		if i == room {
			return room
		}
		size := unitLen(b[i:])
		if i+size > room {
			return i
		}
		i += size
	}
}

// unitLen is the length of the escape or character at the start of b.
func unitLen(b []byte) int {
	if b[0] != '\\' {
		_, size := utf8.DecodeRune(b)
		return size
	}
	if len(b) > 1 && b[1] == 'u' {
		_, n := record.DecodeUnicodeEscape(b)
		return max(n, 2)
	}
	return 2
}
