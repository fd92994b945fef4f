// Package datadog writes to the Datadog logs intake, version 2.
//
// Items have the shape of the Datadog Forwarder's, so that pipelines and dashboards built on it keep working. Bodies are
// written here and not by the official client, which serves as the table of sites: encoding is most of what this program
// does. What is the same for all records of an origin is encoded once and copied.
//
// The intake has no idempotency key: what is sent twice is stored twice. The CloudWatch event id in `id` is what tells.
package datadog

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"sluice/internal/compress"
	"sluice/internal/destination"
	"sluice/internal/record"
	"sluice/internal/secret"
)

// Limits of the logs API, version 2 (https://docs.datadoghq.com/api/latest/logs/#send-logs), before compression. The
// intake answers 2xx to a larger item and cuts it, so it must not get that far.
const (
	maxBodyBytes   = 5_000_000
	maxRecords     = 1000
	maxRecordBytes = 1_000_000
	// slackBytes is left free in a body: 5 %, for what a proxy on the way may count differently.
	slackBytes = maxBodyBytes / 20
)

// MaxAge is how old an event may be for Datadog to index it at its own date.
const MaxAge = 18 * time.Hour

// EventID says which id an item carries. It is the most expensive thing in a flow log: 36 % of the bytes sent.
type EventID uint8

// The ids.
const (
	FullID  EventID = iota // the CloudWatch event id, or the record's deterministic id where there is none
	ShortID                // the first 16 digits of the deterministic id
	NoID
)

// Late says what becomes of an event older than Datadog indexes at its date.
type Late uint8

// The policies for late events.
const (
	DropDate Late = iota // send it without a date, keep the date as `event_time`, tag it late:true
	KeepDate             // send it as it is
)

// Options configure a destination.
type Options struct {
	ID        string
	URL       string // of the logs API, see SiteURL and IntakeURL
	APIKey    *secret.Secret
	Codecs    []compress.Codec
	EventID   EventID
	Late      Late
	AsText    bool // send CloudTrail and EventBridge records as text, not as members of the item
	UserAgent string
	Version   string // of the forwarder
	Now       func() time.Time

	// Attributes appends one JSON object with what the line of a record says, and reports whether it says anything that is
	// known; if not, what it appended does not count. The object becomes the member `attrs`, next to the message, unless the
	// members of the record are at the root already. Nil sends no attributes.
	Attributes func(dst []byte, r *record.Record) (out []byte, ok bool)
}

// Destination is one Datadog account.
type Destination struct {
	o       Options
	encoder encoder
}

// New returns a destination.
func New(o Options) *Destination {
	return &Destination{o: o, encoder: encoder{
		eventID: o.EventID, late: o.Late, asText: o.AsText, attributes: o.Attributes, maxBytes: maxRecordBytes,
	}}
}

// ID is the configured name.
func (d *Destination) ID() string { return d.o.ID }

// Limits are those of the logs API.
func (d *Destination) Limits() destination.Limits {
	return destination.Limits{BodyBytes: maxBodyBytes - slackBytes, Records: maxRecords, RecordBytes: maxRecordBytes}
}

// Frame makes a JSON array.
func (d *Destination) Frame() destination.Frame {
	return destination.Frame{Open: "[", Separator: ",", Close: "]"}
}

// Codecs are the configured ones.
func (d *Destination) Codecs() []compress.Codec { return d.o.Codecs }

// Append appends the record as a JSON object.
func (d *Destination) Append(dst []byte, r *record.Record) []byte {
	return d.encoder.append(dst, r, d.o.Now)
}

// Request posts body with the API key. A key that cannot stand in a header is an error here; net/http would find it too,
// but as a failure of the connection.
func (d *Destination) Request(ctx context.Context, body destination.Body) (*http.Request, error) {
	key, err := d.o.APIKey.Get(ctx)
	if err != nil {
		return nil, fmt.Errorf("api key of %s: %w", d.o.ID, err)
	}
	if !isPrintable(key.Reveal()) {
		return nil, fmt.Errorf("api key of %s: has a character that is not printable ASCII: store the key alone", d.o.ID)
	}
	req, err := destination.NewRequest(ctx, http.MethodPost, d.o.URL, body)
	if err != nil {
		return nil, fmt.Errorf("destination %s: %w", d.o.ID, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", d.o.UserAgent)
	req.Header.Set("DD-API-KEY", key.Reveal())
	req.Header.Set("DD-EVP-ORIGIN", "sluice")
	req.Header.Set("DD-EVP-ORIGIN-VERSION", d.o.Version)
	return req, nil
}

// isPrintable reports whether text has only characters that every server takes in a header (RFC 9110, section 5.5).
func isPrintable(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' })
}

// Reauthorize reads the API key anew.
func (d *Destination) Reauthorize(ctx context.Context) (bool, error) {
	changed, err := d.o.APIKey.Refresh(ctx)
	if err != nil {
		return false, fmt.Errorf("api key of %s: %w", d.o.ID, err)
	}
	return changed, nil
}

// Outcome reads the intake's answer: 202 is its word for success, 200 that of proxies in front of it.
func (d *Destination) Outcome(resp *http.Response, body []byte) destination.Outcome {
	verdict := destination.OfStatus(resp.StatusCode)
	if verdict == destination.Delivered {
		if resp.StatusCode != http.StatusAccepted && resp.StatusCode != http.StatusOK {
			verdict = destination.Refused
		} else if destination.IsHTML(resp, body) {
			return destination.Outcome{Verdict: destination.Refused, Reason: "html_answer"}
		}
	}
	return destination.Answer(verdict, resp, d.o.Now())
}
