package datadog

import (
	"encoding/json"

	"sluice/internal/record"
)

// The sources whose records are reshaped, as origins name them.
const (
	sourceWAF         = "waf"
	sourceSecurityHub = "securityhub"
)

// Reshaper gives records the shape that the Datadog Forwarder gives them (datadog-compat 2.2). Arrays of objects cannot be
// searched by their members at Datadog, so they become objects:
//
//   - of a WAF log, the headers of the request by name, rules by their id or name, rule groups by their id;
//   - of an event of Security Hub, each finding becomes a record of its own, with its resources by type.
//
// Where a name is used again, the last one counts. Everything else stays byte for byte, but for white space around what
// is reshaped; a list of another shape than is expected stays as it is, and so does a message that is no JSON object.
//
// The zero value is ready. It is not safe for concurrent use.
type Reshaper struct {
	plain   []byte // of an escaped message
	text    []byte // of the new messages
	ends    []int  // of each of them in text
	entries entries
	records []record.Record
	list    []*record.Record
}

// Each returns the records to be sent in place of r: r itself when there is nothing to reshape. What it returns is valid
// until the next call. The records of one event differ in their Index.
func (s *Reshaper) Each(r *record.Record) []*record.Record {
	s.text, s.ends = s.text[:0], s.ends[:0]
	switch {
	case r.Origin.Source == sourceWAF:
		if doc := s.document(r); doc != nil {
			s.reshapeWAF(doc)
		}
	case r.Origin.Source == sourceSecurityHub && r.Structured && r.Origin.Kind == record.EventBridge:
		if doc := s.document(r); doc != nil {
			s.splitFindings(doc)
		}
	}
	s.list = s.list[:0]
	if len(s.ends) == 0 {
		s.list = append(s.list, r)
		return s.list
	}
	return s.copies(r)
}

// document returns the message as it reads, nil when it is not valid JSON.
func (s *Reshaper) document(r *record.Record) []byte {
	doc := r.Message.Bytes
	if r.Message.Escaped {
		s.plain = r.Message.AppendPlain(s.plain[:0])
		doc = s.plain
	}
	if !json.Valid(doc) {
		return nil
	}
	return doc
}

// copies returns a record like r for each new text.
func (s *Reshaper) copies(r *record.Record) []*record.Record {
	s.records = s.records[:0]
	start := 0
	for i, end := range s.ends {
		c := *r
		c.Message = record.Plain(s.text[start:end:end])
		c.Index += i
		s.records = append(s.records, c)
		start = end
	}
	for i := range s.records {
		s.list = append(s.list, &s.records[i])
	}
	return s.list
}
