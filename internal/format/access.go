package format

import "bytes"

// accessLog is the server access log of S3. Lines have had 18 columns once, and get more from time to time.
// Source: S3 user guide, "Amazon S3 server access log format".
var accessLog = layout{
	millis: accessMillis, attributes: accessAttributes,
	columns: []*table{accessColumns}, time: "the column time",
}

var accessColumns = &table{entries: []entry{
	{"bucket_owner", "", "", textual},
	{"bucket", "", "aws.s3.bucket", textual},
	{"time", "", "", bracketed},
	{"remote_ip", "source.ip", "client.address", textual},
	{"requester", "", "", textual},
	{"request_id", "http.request.id", "aws.request_id", textual},
	{"operation", "event.action", "", textual},
	{"key", "", "", textual},
	{"request_uri", "", "", call},
	{"http_status", "http.response.status_code", "http.response.status_code", numeric},
	{"error_code", "error.code", "error.type", textual},
	{"bytes_sent", "http.response.body.bytes", "http.response.body.size", numeric},
	{"object_size total_time turn_around_time", "", "", numeric},
	{"referer", "http.request.referrer", "", quoted},
	{"user_agent", "user_agent.original", "user_agent.original", agent},
	{"version_id host_id signature_version", "", "", textual},
	{"cipher_suite", "tls.cipher", "tls.cipher", textual},
	{"authentication_type", "", "", textual},
	{"host_header", "url.domain", "server.address", textual},
	{"tls_version access_point_arn acl_required", "", "", textual},
}, least: accessLeast}

func accessAttributes(a *Attributes, w *writer, _, line []byte) bool {
	return a.quotedLine(w, accessColumns.in(a.naming), line) >= accessLeast
}

// beforeStatus closes a request in front of an HTTP status, three digits or a hyphen.
func beforeStatus(rest []byte) bool {
	if len(rest) >= len(" - ") && rest[0] == ' ' && rest[1] == '-' {
		return rest[2] == ' '
	}
	return len(rest) >= len(" 200 ") && rest[0] == ' ' && rest[1]-'1' < 5 && rest[2]-'0' < 10 && rest[3]-'0' < 10 && rest[4] == ' '
}

// beforeTail closes a user agent, which clients may have put quotes into. Today no column behind it is in quotes, so none
// follow; should there be such a column one day, it stands behind those that are known, and the line does not end in them.
func beforeTail(rest []byte) bool {
	const known, upToTLS = 9, 7 // columns, of which lines have had fewer
	next := bytes.IndexByte(rest, '"')
	if next < 0 {
		return len(rest) > 0
	}
	last := bytes.LastIndexByte(rest, '"')
	return isTail(rest[:next-1], known) && !isTail(rest[last+1:], upToTLS)
}

// isTail reports whether text is so many columns or more that look like those behind a user agent: of which the third is the
// version of a signature, and the seventh one of TLS, or a hyphen each.
func isTail(text []byte, least int) bool {
	const signature, tls = 3, 7
	n := 0
	for value := range bytes.SplitSeq(text, []byte(" ")) { // a space stands in front of the first
		switch {
		case n == signature && !isAbsent(value) && !bytes.HasPrefix(value, []byte("Sig")):
			return false
		case n == tls && !isAbsent(value) && !bytes.HasPrefix(value, []byte("TLS")):
			return false
		}
		n++
	}
	return n > least
}
