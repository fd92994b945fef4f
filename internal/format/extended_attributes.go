package format

import (
	"encoding/json"

	"sluice/internal/jsonwalk"
)

// Source: CloudFront developer guide, "Standard logging", log file fields, and "Use real-time access logs", fields; EC2 user
// guide, "Track your Spot Instance costs using the Spot Instance data feed".
var (
	cloudFrontLog = layout{
		millis: cloudFrontMillis, isHeader: isCloudFrontHeader, name: cloudFrontNames, attributes: cloudFrontAttributes,
		columns: []*table{cloudFrontColumns}, standard: standardColumns, time: "the columns date and time, or timestamp",
	}
	realtimeLog = layout{
		millis: realtimeMillis, name: cloudFrontNames, attributes: realtimeAttributes, columns: []*table{realtimeColumns},
		time: "the column timestamp, where a route names the columns; else the first, if it is seconds with a fraction",
	}
	spotLog = layout{
		millis: spotMillis, isHeader: isSpotHeader, attributes: spotAttributes,
		columns: []*table{spotColumns}, time: "the column Timestamp",
	}
)

// standardColumns is how many columns a standard access log has unless a user has chosen others.
const standardColumns = 33

// cloudFrontColumns are those of a standard access log, and then those that a user may add.
var cloudFrontColumns = &table{otherwise: encoded, entries: []entry{
	{"date time x-edge-location", "", "", textual},
	{"sc-bytes", "http.response.bytes", "http.response.size", numeric},
	{"c-ip", "source.ip", "client.address", textual},
	{"cs-method", "http.request.method", "http.request.method", textual},
	{"cs(Host)", "", "", encoded},
	{"cs-uri-stem", "url.path", "url.path", encoded},
	{"sc-status", "http.response.status_code", "http.response.status_code", numeric},
	{"cs(Referer)", "http.request.referrer", "", encoded},
	{"cs(User-Agent)", "user_agent.original", "user_agent.original", encoded},
	{"cs-uri-query", "url.query", "url.query", encoded},
	{"cs(Cookie)", "", "", encoded},
	{"x-edge-result-type", "", "", textual},
	{"x-edge-request-id", "http.request.id", "aws.request_id", textual},
	{"x-host-header", "url.domain", "server.address", encoded},
	{"cs-protocol", "url.scheme", "url.scheme", textual},
	{"cs-bytes", "http.request.bytes", "http.request.size", numeric},
	{"time-taken", "", "", numeric},
	{"x-forwarded-for", "", "", encoded},
	{"ssl-protocol", "", "", textual},
	{"ssl-cipher", "tls.cipher", "tls.cipher", textual},
	{"x-edge-response-result-type cs-protocol-version fle-status", "", "", textual},
	{"fle-encrypted-fields", "", "", encoded},
	{"c-port", "source.port", "client.port", numeric},
	{"time-to-first-byte", "", "", numeric},
	{"x-edge-detailed-result-type", "", "", textual},
	{"sc-content-type", "", "", encoded},
	{"sc-content-len sc-range-start sc-range-end timestamp timestamp(ms) origin-fbl origin-lbl asn", "", "", numeric},
	{"c-country", "source.geo.country_iso_code", "", textual},
}}

// realtimeColumns are those that a real-time log may have. The stem of a URI has its query here.
var realtimeColumns = &table{otherwise: encoded, entries: []entry{
	{"timestamp", "", "", numeric},
	{"c-ip", "source.ip", "client.address", textual},
	{"time-to-first-byte", "", "", numeric},
	{"sc-status", "http.response.status_code", "http.response.status_code", numeric},
	{"sc-bytes", "http.response.bytes", "http.response.size", numeric},
	{"cs-method", "http.request.method", "http.request.method", textual},
	{"cs-protocol", "url.scheme", "url.scheme", textual},
	{"cs-host", "", "", encoded},
	{"cs-uri-stem", "url.original", "", encoded},
	{"cs-bytes", "http.request.bytes", "http.request.size", numeric},
	{"x-edge-location", "", "", textual},
	{"x-edge-request-id", "http.request.id", "aws.request_id", textual},
	{"x-host-header", "url.domain", "server.address", encoded},
	{"time-taken", "", "", numeric},
	{"cs-protocol-version c-ip-version", "", "", textual},
	{"cs-user-agent", "user_agent.original", "user_agent.original", encoded},
	{"cs-referer", "http.request.referrer", "", encoded},
	{"cs-cookie", "", "", encoded},
	{"cs-uri-query", "url.query", "url.query", encoded},
	{"x-edge-response-result-type", "", "", textual},
	{"x-forwarded-for", "", "", encoded},
	{"ssl-protocol", "", "", textual},
	{"ssl-cipher", "tls.cipher", "tls.cipher", textual},
	{"x-edge-result-type", "", "", textual},
	{"fle-encrypted-fields", "", "", encoded},
	{"fle-status", "", "", textual},
	{"sc-content-type", "", "", encoded},
	{"sc-content-len sc-range-start sc-range-end", "", "", numeric},
	{"c-port", "source.port", "client.port", numeric},
	{"x-edge-detailed-result-type", "", "", textual},
	{"c-country", "source.geo.country_iso_code", "", textual},
	{"cs-accept-encoding cs-accept cache-behavior-path-pattern cs-headers cs-header-names", "", "", encoded},
	{"cs-headers-count origin-fbl origin-lbl asn", "", "", numeric},
}}

// spotColumns are strings: prices have their currency behind them.
var spotColumns = &table{entries: []entry{
	{"Timestamp UsageType Operation", "", "", textual},
	{"InstanceID", "cloud.instance.id", "host.id", textual},
	{"MyBidID MyMaxPrice MarketPrice Charge Version", "", "", textual},
}}

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
	return dateAndClock(date, clock) > 0 && a.tabbedLine(w, cloudFrontColumns.in(a.naming)[:standardColumns], line) >= least
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
	fields := spotColumns.in(a.naming)
	return a.tabbedLine(w, fields, line) >= len(fields)
}

// tabbedBelow writes a line below a header. One that lacks columns has been cut.
func (a *Attributes) tabbedBelow(w *writer, t *table, header, line []byte) bool {
	fields := a.named(t, a.naming, header)
	return fields != nil && a.tabbedLine(w, fields, line) >= len(fields)
}

// tabbedLine writes columns that tabs separate and returns how many there were, -1 for too many.
func (a *Attributes) tabbedLine(w *writer, fields []field, line []byte) int {
	for n := 0; ; n++ {
		end, plain := scan(line, '\t')
		if !a.column(w, fields, n, line[:end], plain) {
			return -1
		}
		if end == len(line) {
			return n + 1
		}
		line = line[end+1:]
	}
}

// namedMembers writes the members of an object whose values are what columns would hold. Objects and arrays, which no column
// has, are copied.
func (a *Attributes) namedMembers(w *writer, t *table, line []byte) bool {
	if !json.Valid(line) {
		return false
	}
	members := jsonwalk.Object(line)
	for n := 1; members.Next(); n++ {
		if n > maxColumns {
			return false
		}
		f := t.field(a.naming, members.Name(), n)
		switch value := members.Value(); value[0] {
		case '{', '[':
			if !a.nested(w, &f, value) {
				return false
			}
		case '"':
			text, _ := jsonwalk.Text(value)
			a.member(w, &f, text, isPlain(text))
		case 'n': // null is absence
		default:
			w.plain(&f.head, value, 0)
		}
	}
	a.objects.settle(w)
	return true
}

// nested copies an object or an array as the value of a column. It reports false for one that is too deep.
func (a *Attributes) nested(w *writer, f *field, value []byte) bool {
	const name = `{"v":`
	inner := writer{} // of which the names inside are settled, and white space is gone
	if !a.objects.append(&inner, append(append([]byte(name), value...), '}'), nil) {
		return false
	}
	w.dst = append(w.dst, f.head.text[:len(f.head.text)-len(`"`)]...)
	w.dst = append(w.dst, inner.dst[len(name):]...)
	return true
}
