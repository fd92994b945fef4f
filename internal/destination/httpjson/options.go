package httpjson

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"sluice/internal/destination"
)

// ownHeaders follow from the body or from the connection; a setting that gave one would make a request that lies.
var ownHeaders = []string{
	"Connection", "Content-Encoding", "Content-Length", "Host", "Idempotency-Key", "Te", "Trailer", "Transfer-Encoding",
	"X-Forwarder-Attempt", "X-Forwarder-Batch", "X-Forwarder-Records",
}

// check reports everything that is wrong with the options, except their fields.
func (o *Options) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if o.ID == "" {
		wrong("id: want a name")
	}
	if u, err := url.Parse(o.URL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		wrong("url: want an absolute http or https URL") // not quoted: it may hold a token
	}
	if o.Method != http.MethodPost && o.Method != http.MethodPut {
		wrong("method %q: want POST or PUT", o.Method)
	}
	if o.Format != JSONArray && o.Format != JSONLines {
		wrong("format %d: want JSONArray or JSONLines", o.Format)
	}
	if len(o.Codecs) == 0 {
		wrong("codecs: want at least one")
	}
	if !isHeaderValue(o.UserAgent) {
		wrong("user agent %q: has a control character", o.UserAgent)
	}
	errs = append(errs, o.SuccessCodes.check(), checkLimits(o.Limits), checkHeaders(o.Headers))
	return errors.Join(errs...)
}

func checkLimits(l destination.Limits) error {
	if l.BodyBytes <= 0 || l.Records <= 0 || l.RecordBytes <= 0 {
		return fmt.Errorf("limits %+v: want numbers above 0", l)
	}
	if l.RecordBytes > l.BodyBytes {
		return fmt.Errorf("limits %+v: a record of RecordBytes does not fit into BodyBytes", l)
	}
	return nil
}

func checkHeaders(headers []Header) error {
	var errs []error
	seen := make(map[string]bool)
	for _, header := range headers {
		name := http.CanonicalHeaderKey(header.Name)
		switch {
		case !isHeaderName(name):
			errs = append(errs, fmt.Errorf("header %q: no name of a header", name))
		case slices.Contains(ownHeaders, name):
			errs = append(errs, fmt.Errorf("header %s: is set for each request and cannot be given", name))
		case seen[name]:
			errs = append(errs, fmt.Errorf("header %s: given twice", name))
		case header.Value == nil:
			errs = append(errs, fmt.Errorf("header %s: want a value", name))
		}
		seen[name] = true
	}
	return errors.Join(errs...)
}

// isHeaderName reports whether name is a token (RFC 9110, section 5.6.2).
func isHeaderName(name string) bool {
	const allowed = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	return name != "" && strings.Trim(name, allowed) == ""
}

// isHeaderValue reports whether value has none of the characters that would end a header (RFC 9110, section 5.5).
// net/http would find it too, but as a failure of the connection.
func isHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}
