// Package destination says what an intake is: what it accepts, how a record is encoded for it, how a request is made and
// what its answers mean.
//
// A destination describes and never decides: retrying, splitting, waiting and counting are done once, for all of them,
// by package deliver. Each intake has a package of its own below this one.
package destination

import (
	"context"
	"net/http"

	"sluice/internal/compress"
	"sluice/internal/record"
)

// Destination is one configured intake. Append is called by one goroutine at a time; the other methods may be called
// concurrently.
type Destination interface {
	// ID is the name the user gave the destination; it is unique in a configuration.
	ID() string
	Limits() Limits
	Frame() Frame
	// Codecs are the content codings to send with, most wanted first. The next one is tried when the intake refuses
	// one.
	Codecs() []compress.Codec

	// Append appends r as one item that stands alone and returns the extended buffer. The result is deterministic, and
	// valid whatever the record's text is. It does not keep r.
	Append(dst []byte, r *record.Record) []byte

	// Request makes the request that carries body. Credentials are fetched here; an error means that there are none.
	Request(ctx context.Context, body Body) (*http.Request, error)
	// Reauthorize fetches credentials anew after the intake refused them. It reports whether they changed.
	Reauthorize(ctx context.Context) (changed bool, err error)
	// Outcome says what an answer means. The body is at most the first 64 KiB of the answer's.
	Outcome(resp *http.Response, body []byte) Outcome
}

// Limits is what an intake takes at most. Bytes are those of the encoded form before compression.
type Limits struct {
	BodyBytes   int // whole body, frame included
	Records     int // items in a body
	RecordBytes int // one item
}

// Frame is what makes items one body: Open item Separator item Close.
type Frame struct {
	Open, Separator, Close string
}

// Body is a request body, compressed, with what its headers need to know.
type Body struct {
	Bytes   []byte
	Codec   compress.Codec
	BatchID string // deterministic; the same in every attempt
	Records int
	Attempt int // from 1
}
