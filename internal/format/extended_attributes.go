package format

import (
	"bytes"
	"encoding/json"

	"sluice/internal/jsonwalk"
)

// Source: CloudFront developer guide, "Standard logging", log file fields, and "Use real-time access logs", fields; EC2 user
// guide, "Track your Spot Instance costs using the Spot Instance data feed".
var (
	cloudFrontLog = layout{
		millis: cloudFrontMillis, isHeader: isCloudFrontHeader, attributes: cloudFrontAttributes,
		fields: attributes(cloudFrontColumns.fields[:standardColumns]), time: "the columns date and time, or timestamp",
	}
	realtimeLog = layout{
		attributes: realtimeAttributes, fields: attributes(realtimeColumns.fields),
	}
	spotLog = layout{
		millis: spotMillis, isHeader: isSpotHeader, attributes: spotAttributes,
		fields: attributes(spotColumns.fields), time: "the column Timestamp",
	}
)

// standardColumns is how many columns a standard access log has unless a user has chosen others.
const standardColumns = 33

// cloudFrontColumns are those of a standard access log, and then those that a user may add.
var cloudFrontColumns = newTable(encoded,
	fieldsOf([]entry{
		{"date", "", "", textual, nil},
		{"time", "", "", textual, nil},
		{"x-edge-location", "", "", textual, nil},
		{"sc-bytes", "http.response.bytes", "http.response.size", numeric, nil},
		{"c-ip", "source.ip", "client.address", textual, nil},
		{"cs-method", "http.request.method", "http.request.method", textual, nil},
		{"cs(Host)", "", "", encoded, nil},
		{"cs-uri-stem", "url.path", "url.path", encoded, nil},
		{"sc-status", "http.response.status_code", "http.response.status_code", numeric, nil},
		{"cs(Referer)", "http.request.referrer", "", encoded, nil},
		{"cs(User-Agent)", "user_agent.original", "user_agent.original", encoded, nil},
		{"cs-uri-query", "url.query", "url.query", encoded, nil},
		{"cs(Cookie)", "", "", encoded, nil},
		{"x-edge-result-type", "", "", textual, nil},
		{"x-edge-request-id", "http.request.id", "aws.request_id", textual, nil},
		{"x-host-header", "url.domain", "server.address", encoded, nil},
		{"cs-protocol", "url.scheme", "url.scheme", textual, nil},
		{"cs-bytes", "http.request.bytes", "http.request.size", numeric, nil},
		{"time-taken", "", "", numeric, nil},
		{"x-forwarded-for", "", "", encoded, nil},
		{"ssl-protocol", "", "", textual, nil},
		{"ssl-cipher", "tls.cipher", "tls.cipher", textual, nil},
		{"x-edge-response-result-type", "", "", textual, nil},
		{"cs-protocol-version", "", "", textual, nil},
		{"fle-status", "", "", textual, nil},
		{"fle-encrypted-fields", "", "", encoded, nil},
		{"c-port", "source.port", "client.port", numeric, nil},
		{"time-to-first-byte", "", "", numeric, nil},
		{"x-edge-detailed-result-type", "", "", textual, nil},
		{"sc-content-type", "", "", encoded, nil},
		{"sc-content-len", "", "", numeric, nil},
		{"sc-range-start", "", "", numeric, nil},
		{"sc-range-end", "", "", numeric, nil},
	}),
	fieldsOf([]entry{
		{"timestamp", "", "", numeric, nil},
		{"timestamp(ms)", "", "", numeric, nil},
		{"origin-fbl", "", "", numeric, nil},
		{"origin-lbl", "", "", numeric, nil},
		{"asn", "", "", numeric, nil},
		{"c-country", "source.geo.country_iso_code", "", textual, nil},
	}),
)

// realtimeColumns are those that a real-time log may have. The stem of a URI has its query here.
var realtimeColumns = newTable(encoded, fieldsOf([]entry{
	{"timestamp", "", "", numeric, nil},
	{"c-ip", "source.ip", "client.address", textual, nil},
	{"time-to-first-byte", "", "", numeric, nil},
	{"sc-status", "http.response.status_code", "http.response.status_code", numeric, nil},
	{"sc-bytes", "http.response.bytes", "http.response.size", numeric, nil},
	{"cs-method", "http.request.method", "http.request.method", textual, nil},
	{"cs-protocol", "url.scheme", "url.scheme", textual, nil},
	{"cs-host", "", "", encoded, nil},
	{"cs-uri-stem", "url.original", "", encoded, nil},
	{"cs-bytes", "http.request.bytes", "http.request.size", numeric, nil},
	{"x-edge-location", "", "", textual, nil},
	{"x-edge-request-id", "http.request.id", "aws.request_id", textual, nil},
	{"x-host-header", "url.domain", "server.address", encoded, nil},
	{"time-taken", "", "", numeric, nil},
	{"cs-protocol-version", "", "", textual, nil},
	{"c-ip-version", "", "", textual, nil},
	{"cs-user-agent", "user_agent.original", "user_agent.original", encoded, nil},
	{"cs-referer", "http.request.referrer", "", encoded, nil},
	{"cs-cookie", "", "", encoded, nil},
	{"cs-uri-query", "url.query", "url.query", encoded, nil},
	{"x-edge-response-result-type", "", "", textual, nil},
	{"x-forwarded-for", "", "", encoded, nil},
	{"ssl-protocol", "", "", textual, nil},
	{"ssl-cipher", "tls.cipher", "tls.cipher", textual, nil},
	{"x-edge-result-type", "", "", textual, nil},
	{"fle-encrypted-fields", "", "", encoded, nil},
	{"fle-status", "", "", textual, nil},
	{"sc-content-type", "", "", encoded, nil},
	{"sc-content-len", "", "", numeric, nil},
	{"sc-range-start", "", "", numeric, nil},
	{"sc-range-end", "", "", numeric, nil},
	{"c-port", "source.port", "client.port", numeric, nil},
	{"x-edge-detailed-result-type", "", "", textual, nil},
	{"c-country", "source.geo.country_iso_code", "", textual, nil},
	{"cs-accept-encoding", "", "", encoded, nil},
	{"cs-accept", "", "", encoded, nil},
	{"cache-behavior-path-pattern", "", "", encoded, nil},
	{"cs-headers", "", "", encoded, nil},
	{"cs-header-names", "", "", encoded, nil},
	{"cs-headers-count", "", "", numeric, nil},
	{"origin-fbl", "", "", numeric, nil},
	{"origin-lbl", "", "", numeric, nil},
	{"asn", "", "", numeric, nil},
}))

// spotColumns are strings: prices have their currency behind them.
var spotColumns = newTable(textual,
	texts("Timestamp UsageType Operation"),
	fieldsOf([]entry{{"InstanceID", "cloud.instance.id", "host.id", textual, nil}}),
	texts("MyBidID MyMaxPrice MarketPrice Charge Version"),
)

// cloudFrontAttributes reads a line as its header says or, without one, as the columns stand unless a user has chosen
// others. Logs may be delivered as JSON objects of the same names, too.
func cloudFrontAttributes(a *Attributes, w *writer, header, line []byte) bool {
	if len(line) > 0 && line[0] == '{' {
		return a.namedMembers(w, cloudFrontColumns, line)
	}
	if header != nil {
		return a.tabbedBelow(w, cloudFrontColumns, header, line)
	}
	const least = 12 // as lines have been once, up to cs-uri-query
	date, rest := column(line, 0, '\t')
	clock, _ := column(rest, 0, '\t')
	return dateAndClock(date, clock) > 0 && a.tabbedLine(w, cloudFrontColumns.fields[:standardColumns], line) >= least
}

// realtimeAttributes knows no order of columns but what it is told: a user chooses them.
func realtimeAttributes(a *Attributes, w *writer, header, line []byte) bool {
	return header != nil && a.tabbedBelow(w, realtimeColumns, header, line)
}

func spotAttributes(a *Attributes, w *writer, header, line []byte) bool {
	if spotMillis(nil, line) == 0 {
		return false
	}
	if header != nil {
		return a.tabbedBelow(w, spotColumns, header, line)
	}
	return a.tabbedLine(w, spotColumns.fields, line) >= len(spotColumns.fields)
}

// tabbedBelow writes a line below a header. One that lacks columns has been cut.
func (a *Attributes) tabbedBelow(w *writer, t *table, header, line []byte) bool {
	fields := a.named(t, a.naming, header)
	return fields != nil && a.tabbedLine(w, fields, line) >= len(fields)
}

// tabbedLine writes columns that tabs separate and returns how many there were, -1 for too many.
func (a *Attributes) tabbedLine(w *writer, fields []field, line []byte) int {
	for n := 0; ; n++ {
		at := bytes.IndexByte(line, '\t')
		value := line
		if at >= 0 {
			value = line[:at]
		}
		if !a.column(w, fields, n, value) {
			return -1
		}
		if at < 0 {
			return n + 1
		}
		line = line[at+1:]
	}
}

// namedMembers writes the members of an object whose values are what columns would hold.
func (a *Attributes) namedMembers(w *writer, t *table, line []byte) bool {
	if !json.Valid(line) {
		return false
	}
	members := jsonwalk.Object(line)
	for n := 1; members.Next(); n++ {
		if n > maxColumns {
			return false
		}
		var f field
		if at, ok := t.place[string(members.Name())]; ok {
			f = t.fields[at]
		} else {
			f = t.field(string(members.Name()), n)
		}
		switch value := members.Value(); value[0] {
		case '{', '[':
			return false
		case '"':
			text, _ := jsonwalk.Text(value)
			a.member(w, &f, text)
		case 'n': // null is absence
		default:
			w.raw(f.keys[0], value)
		}
	}
	a.objects.settle(w)
	return true
}
