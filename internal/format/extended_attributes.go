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

func enc(name, ecs, otel string) field { return one(encoded, name, ecs, otel) }

// standardColumns is how many columns a standard access log has unless a user has chosen others.
const standardColumns = 33

// cloudFrontColumns are those of a standard access log, and then those that a user may add.
var cloudFrontColumns = newTable(encoded,
	[]field{
		str("date", "", ""),
		str("time", "", ""),
		str("x-edge-location", "", ""),
		num("sc-bytes", "http.response.bytes", "http.response.size"),
		str("c-ip", "source.ip", "client.address"),
		str("cs-method", "http.request.method", "http.request.method"),
		enc("cs(Host)", "", ""),
		enc("cs-uri-stem", "url.path", "url.path"),
		num("sc-status", "http.response.status_code", "http.response.status_code"),
		enc("cs(Referer)", "http.request.referrer", ""),
		enc("cs(User-Agent)", "user_agent.original", "user_agent.original"),
		enc("cs-uri-query", "url.query", "url.query"),
		enc("cs(Cookie)", "", ""),
		str("x-edge-result-type", "", ""),
		str("x-edge-request-id", "http.request.id", "aws.request_id"),
		enc("x-host-header", "url.domain", "server.address"),
		str("cs-protocol", "url.scheme", "url.scheme"),
		num("cs-bytes", "http.request.bytes", "http.request.size"),
		num("time-taken", "", ""),
		enc("x-forwarded-for", "", ""),
		str("ssl-protocol", "", ""),
		str("ssl-cipher", "tls.cipher", "tls.cipher"),
		str("x-edge-response-result-type", "", ""),
		str("cs-protocol-version", "", ""),
		str("fle-status", "", ""),
		enc("fle-encrypted-fields", "", ""),
		num("c-port", "source.port", "client.port"),
		num("time-to-first-byte", "", ""),
		str("x-edge-detailed-result-type", "", ""),
		enc("sc-content-type", "", ""),
		num("sc-content-len", "", ""),
		num("sc-range-start", "", ""),
		num("sc-range-end", "", ""),
	},
	[]field{
		num("timestamp", "", ""),
		num("timestamp(ms)", "", ""),
		num("origin-fbl", "", ""),
		num("origin-lbl", "", ""),
		num("asn", "", ""),
		str("c-country", "source.geo.country_iso_code", ""),
	},
)

// realtimeColumns are those that a real-time log may have. The stem of a URI has its query here.
var realtimeColumns = newTable(encoded, []field{
	num("timestamp", "", ""),
	str("c-ip", "source.ip", "client.address"),
	num("time-to-first-byte", "", ""),
	num("sc-status", "http.response.status_code", "http.response.status_code"),
	num("sc-bytes", "http.response.bytes", "http.response.size"),
	str("cs-method", "http.request.method", "http.request.method"),
	str("cs-protocol", "url.scheme", "url.scheme"),
	enc("cs-host", "", ""),
	enc("cs-uri-stem", "url.original", ""),
	num("cs-bytes", "http.request.bytes", "http.request.size"),
	str("x-edge-location", "", ""),
	str("x-edge-request-id", "http.request.id", "aws.request_id"),
	enc("x-host-header", "url.domain", "server.address"),
	num("time-taken", "", ""),
	str("cs-protocol-version", "", ""),
	str("c-ip-version", "", ""),
	enc("cs-user-agent", "user_agent.original", "user_agent.original"),
	enc("cs-referer", "http.request.referrer", ""),
	enc("cs-cookie", "", ""),
	enc("cs-uri-query", "url.query", "url.query"),
	str("x-edge-response-result-type", "", ""),
	enc("x-forwarded-for", "", ""),
	str("ssl-protocol", "", ""),
	str("ssl-cipher", "tls.cipher", "tls.cipher"),
	str("x-edge-result-type", "", ""),
	enc("fle-encrypted-fields", "", ""),
	str("fle-status", "", ""),
	enc("sc-content-type", "", ""),
	num("sc-content-len", "", ""),
	num("sc-range-start", "", ""),
	num("sc-range-end", "", ""),
	num("c-port", "source.port", "client.port"),
	str("x-edge-detailed-result-type", "", ""),
	str("c-country", "source.geo.country_iso_code", ""),
	enc("cs-accept-encoding", "", ""),
	enc("cs-accept", "", ""),
	enc("cache-behavior-path-pattern", "", ""),
	enc("cs-headers", "", ""),
	enc("cs-header-names", "", ""),
	num("cs-headers-count", "", ""),
	num("origin-fbl", "", ""),
	num("origin-lbl", "", ""),
	num("asn", "", ""),
})

// spotColumns are strings: prices have their currency behind them.
var spotColumns = newTable(textual,
	texts("Timestamp UsageType Operation"),
	[]field{str("InstanceID", "cloud.instance.id", "host.id")},
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
