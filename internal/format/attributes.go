package format

import (
	"slices"

	"sluice/internal/service"
)

// Naming says what attributes are called.
type Naming uint8

// The namings.
const (
	AWS  Naming = iota // as the documentation of the service calls them
	ECS                // Elastic Common Schema, dotted, where it has a name for a field
	OTel               // OpenTelemetry semantic conventions, where they have a name for a field
	namings
)

// Attributes says what the lines of logs hold, as JSON. It is not safe for concurrent use.
type Attributes struct {
	// KeepEscapes leaves the escapes of a log's own in values as they stand: the %xx of CloudFront, the backslashes of
	// MySQL's audit log and of EKS's authenticator. It is for lines that were redacted: a rule has looked at the line as it
	// is, and must not be undone by decoding what it did not see. Escapes of JSON are no part of it: redaction reads them.
	KeepEscapes bool

	naming Naming
	log    service.Log // whose lines write reads
	parse  func(a *Attributes, w *writer, header, line []byte) bool
	w      writer
	columns
	objects objects
	scratch []byte // a value without its escapes
	desk    *desk  // made for the first line of columns
}

// NewAttributes returns one that uses these names.
func NewAttributes(naming Naming) *Attributes { return &Attributes{naming: naming} }

// Append appends what a line says as the members of one JSON object, braces included. header is the line that names the
// columns, nil where there is none; line is plain text, valid UTF-8, with or without its end, and stays as it is. It
// reports false, and appends nothing, when the log is not known or the line is not as its lines are: a line that does not
// fit stays a line. Members and columns that are not known are kept, "-" is absence, and names do not repeat. Escapes that a
// log has of its own are decoded once, unless KeepEscapes is set.
func (a *Attributes) Append(dst []byte, log service.Log, header, line []byte) (out []byte, ok bool) {
	if a.parse == nil || a.log != log {
		l := layouts[log]
		if l == nil || l.attributes == nil {
			return dst, false
		}
		a.log, a.parse = log, l.attributes
	}
	line = slices.Clip(trimEnd(line)) // a short value may be read with what follows, but nothing behind the line
	a.w = writer{dst: dst, start: len(dst), naming: a.naming}
	if ok = a.parse(a, &a.w, header, line); ok {
		out = a.w.close()
	} else {
		out = a.w.dst[:len(dst)]
	}
	a.w.dst = nil
	return out, ok
}
