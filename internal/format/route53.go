package format

import "bytes"

// route53PublicLog is the layout of the queries of public hosted zones, columns with a space between them.
// Source: Route 53 developer guide, "Values that appear in DNS query logs"; the names are those of the resolver's logs
// where they mean the same.
var route53PublicLog = layout{
	millis:     isoColumn(1),
	attributes: publicQueryAttributes,
	fields: []string{
		"version", "query_timestamp", "hosted_zone_id", "query_name", "query_type", "rcode", "protocol",
		"edge_location", "resolver_ip", "edns_client_subnet",
	},
	time: "query_timestamp",
}

var publicQueryKeys = [...]*key{
	named("version"),
	named("query_timestamp"),
	named("hosted_zone_id"),
	mapped("query_name", "dns.question.name", "dns.question.name"),
	mapped("query_type", "dns.question.type", ""),
	mapped("rcode", "dns.response_code", ""),
	named("protocol"),
	named("edge_location"),
	mapped("resolver_ip", "source.ip", "client.address"),
	named("edns_client_subnet"),
}

func publicQueryAttributes(_ *Attributes, w *writer, _, line []byte) bool {
	if isoColumn(1)(nil, line) == 0 {
		return false
	}
	rest, more := line, true
	var value []byte
	for _, k := range publicQueryKeys {
		if !more {
			return false
		}
		value, rest, more = bytes.Cut(rest, []byte(" "))
		w.text(k, value)
	}
	for n := len(publicQueryKeys) + 1; more; n++ {
		value, rest, more = bytes.Cut(rest, []byte(" "))
		w.extra(n, value)
	}
	return true
}
