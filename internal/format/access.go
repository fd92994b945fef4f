package format

// accessLog is the server access log of S3. Lines have had 18 columns once, and get more from time to time.
// Source: S3 user guide, "Amazon S3 server access log format".
var accessLog = layout{
	millis: accessMillis, attributes: balancer(accessColumns, accessLeast),
	fields: attributes(accessColumns), time: "the column time",
}

var accessColumns = quotes(fieldsOf([]entry{
	{"bucket_owner", "", "", textual, nil},
	{"bucket", "", "aws.s3.bucket", textual, nil},
	{"time", "", "", bracketed, nil},
	{"remote_ip", "source.ip", "client.address", textual, nil},
	{"requester", "", "", textual, nil},
	{"request_id", "http.request.id", "aws.request_id", textual, nil},
	{"operation", "event.action", "", textual, nil},
	{"key", "", "", textual, nil},
	{make: func() field {
		return field{name: "request_uri", kind: textual, keys: [3]*key{named("request_uri")}, closes: beforeStatus}
	}},
	{"http_status", "http.response.status_code", "http.response.status_code", numeric, nil},
	{"error_code", "error.code", "error.type", textual, nil},
	{"bytes_sent", "http.response.body.bytes", "http.response.body.size", numeric, nil},
	{"object_size", "", "", numeric, nil},
	{"total_time", "", "", numeric, nil},
	{"turn_around_time", "", "", numeric, nil},
	{"referer", "http.request.referrer", "", textual, nil},
	{"user_agent", "user_agent.original", "user_agent.original", textual, nil},
	{"version_id", "", "", textual, nil},
	{"host_id", "", "", textual, nil},
	{"signature_version", "", "", textual, nil},
	{"cipher_suite", "tls.cipher", "tls.cipher", textual, nil},
	{"authentication_type", "", "", textual, nil},
	{"host_header", "url.domain", "server.address", textual, nil},
	{"tls_version", "", "", textual, nil},
	{"access_point_arn", "", "", textual, nil},
	{"acl_required", "", "", textual, nil},
}), accessLeast, "request_uri", "referer", "user_agent")

// beforeStatus closes a request in front of an HTTP status, three digits or a hyphen.
func beforeStatus(rest []byte) bool {
	if len(rest) >= len(" - ") && rest[0] == ' ' && rest[1] == '-' {
		return rest[2] == ' '
	}
	return len(rest) >= len(" 200 ") && rest[0] == ' ' && rest[1]-'1' < 5 && rest[2]-'0' < 10 && rest[3]-'0' < 10 && rest[4] == ' '
}
