// Package httpjson writes to any HTTP intake that takes a JSON array or JSON lines.
//
// Items have the shape of http-intakes 12, with names that the settings can change. It promises that an item is one
// valid JSON object on one line whatever the record's text is, and that a record gives the same bytes each time it is
// encoded: a batch that comes again is the batch its Idempotency-Key names. For that reason an item has no member that
// depends on the clock, such as when the forwarder saw it. `time` is that of the event. A record without one has no
// `time`, and the intake's own time of arrival is the next best.
//
// It reads no answers beyond their status: an intake that reports partial success in its body needs a package of its
// own.
package httpjson

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"sluice/internal/compress"
	"sluice/internal/destination"
	"sluice/internal/record"
)

// Format is how items become a body.
type Format uint8

// The formats.
const (
	JSONArray Format = iota // application/json: one array
	JSONLines               // application/x-ndjson: an item a line, the last one ended too
)

// Header is a request header.
type Header struct {
	Name string
	// Value gives the value, a constant or a secret, for each request. An error must not quote it.
	Value func(context.Context) (string, error)
	// Refresh reads the value anew after the intake refused it, and reports whether it changed. Nil for constants.
	Refresh func(context.Context) (bool, error)
}

// Options configure a destination.
type Options struct {
	ID      string
	URL     string // absolute, http or https
	Method  string // POST or PUT; empty is POST
	Headers []Header
	Format  Format

	// Fields gives members of an item another name; an empty one leaves the member out. The names it can change are id,
	// time, message, severity, source, service, host, tags, aws, attrs, marks, truncated_bytes, part and parts. What is
	// inside aws and attrs keeps its names.
	Fields map[string]string

	// Attributes appends one JSON object with what the line of a record says, and reports whether it says anything that is
	// known; if not, what it appended does not count. No name in the object repeats. Its members stand in `attrs`, behind
	// those that the source gave; where both have a name, the source's counts. Nil sends the source's alone.
	Attributes func(dst []byte, r *record.Record) (out []byte, ok bool)

	Codecs       []compress.Codec // most wanted first; at least one
	SuccessCodes StatusSet        // statuses that confirm a body; nil is DefaultSuccess
	Limits       destination.Limits
	UserAgent    string           // empty sends no such header
	Now          func() time.Time // what a date in Retry-After is measured against; nil is time.Now
}

// Destination is one intake. Its Append is for one goroutine at a time, the rest for any number.
type Destination struct {
	o       Options
	encoder encoder
}

// New returns a destination. The error names everything that is wrong with the options, and neither the URL nor the
// value of a header: both may be secret.
func New(o Options) (*Destination, error) {
	if o.Method == "" {
		o.Method = http.MethodPost
	}
	if o.SuccessCodes == nil {
		o.SuccessCodes = DefaultSuccess()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	names, err := keysOf(o.Fields)
	if err = errors.Join(o.check(), err); err != nil {
		return nil, fmt.Errorf("destination %q: %w", o.ID, err)
	}
	d := &Destination{o: o, encoder: newEncoder(names)}
	frame := d.Frame()
	d.encoder.attributes = o.Attributes
	d.encoder.maxBytes = min(o.Limits.RecordBytes, o.Limits.BodyBytes-len(frame.Open)-len(frame.Close))
	return d, nil
}

// ID is the configured name.
func (d *Destination) ID() string { return d.o.ID }

// Limits are the configured ones.
func (d *Destination) Limits() destination.Limits { return d.o.Limits }

// Frame is that of the format.
func (d *Destination) Frame() destination.Frame {
	if d.o.Format == JSONLines {
		return destination.Frame{Separator: "\n", Close: "\n"}
	}
	return destination.Frame{Open: "[", Separator: ",", Close: "]"}
}

// Codecs are the configured ones.
func (d *Destination) Codecs() []compress.Codec { return d.o.Codecs }

// Append appends the record as a JSON object.
func (d *Destination) Append(dst []byte, r *record.Record) []byte { return d.encoder.append(dst, r) }

// Request makes the request that carries body, with the configured headers. Those win over the defaults of Content-Type
// and User-Agent.
func (d *Destination) Request(ctx context.Context, body destination.Body) (*http.Request, error) {
	req, err := destination.NewRequest(ctx, d.o.Method, d.o.URL, body)
	if err != nil {
		return nil, fmt.Errorf("destination %q: %w", d.o.ID, err)
	}
	contentType := "application/json"
	if d.o.Format == JSONLines {
		contentType = "application/x-ndjson"
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("User-Agent", d.o.UserAgent)
	req.Header.Set("X-Forwarder-Attempt", strconv.Itoa(body.Attempt))
	req.Header.Set("X-Forwarder-Records", strconv.Itoa(body.Records))
	for _, header := range d.o.Headers {
		value, err := header.Value(ctx)
		if err != nil {
			return nil, fmt.Errorf("header %s of destination %q: %w", header.Name, d.o.ID, err)
		}
		if !isHeaderValue(value) {
			return nil, fmt.Errorf("header %s of destination %q: its value has a control character", header.Name, d.o.ID)
		}
		req.Header.Set(header.Name, value)
	}
	return req, nil
}

// Reauthorize reads the header values anew that can be. One that cannot be read does not keep the others from it, so
// changed may be true beside an error.
func (d *Destination) Reauthorize(ctx context.Context) (changed bool, err error) {
	var errs []error
	for _, header := range d.o.Headers {
		if header.Refresh == nil {
			continue
		}
		other, err := header.Refresh(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("header %s of destination %q: %w", header.Name, d.o.ID, err))
		}
		changed = changed || other
	}
	return changed, errors.Join(errs...)
}

// Outcome reads the status alone, but does not believe a success that comes with a web page. A 2xx that is not among
// the success codes confirms nothing, and the same body would get it again: it is refused.
func (d *Destination) Outcome(resp *http.Response, body []byte) destination.Outcome {
	if d.o.SuccessCodes.Has(resp.StatusCode) {
		if destination.IsHTML(resp, body) {
			return destination.Outcome{Verdict: destination.Refused, Reason: "html_answer"}
		}
		return destination.Answer(destination.Delivered, resp, d.o.Now())
	}
	verdict := destination.OfStatus(resp.StatusCode)
	if verdict == destination.Delivered {
		verdict = destination.Refused
	}
	return destination.Answer(verdict, resp, d.o.Now())
}
