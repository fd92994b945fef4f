package format

// accessLog is the server access log of S3. Lines have had 18 columns once, and get more from time to time.
// Source: S3 user guide, "Amazon S3 server access log format".
var accessLog = layout{
	millis: accessMillis, attributes: balancer(accessColumns, accessLeast),
	fields: attributes(accessColumns), time: "the column time",
}

var accessColumns = quotes([]field{
	str("bucket_owner", "", ""),
	str("bucket", "", "aws.s3.bucket"),
	one(bracketed, "time", "", ""),
	str("remote_ip", "source.ip", "client.address"),
	str("requester", "", ""),
	str("request_id", "http.request.id", "aws.request_id"),
	str("operation", "event.action", ""),
	str("key", "", ""),
	{name: "request_uri", kind: textual, keys: [3]*key{named("request_uri")}, closes: beforeStatus},
	num("http_status", "http.response.status_code", "http.response.status_code"),
	str("error_code", "error.code", "error.type"),
	num("bytes_sent", "http.response.body.bytes", "http.response.body.size"),
	num("object_size", "", ""),
	num("total_time", "", ""),
	num("turn_around_time", "", ""),
	str("referer", "http.request.referrer", ""),
	str("user_agent", "user_agent.original", "user_agent.original"),
	str("version_id", "", ""),
	str("host_id", "", ""),
	str("signature_version", "", ""),
	str("cipher_suite", "tls.cipher", "tls.cipher"),
	str("authentication_type", "", ""),
	str("host_header", "url.domain", "server.address"),
	str("tls_version", "", ""),
	str("access_point_arn", "", ""),
	str("acl_required", "", ""),
}, accessLeast, "request_uri", "referer", "user_agent")

// beforeStatus closes a request in front of an HTTP status, three digits or a hyphen.
func beforeStatus(rest []byte) bool {
	if len(rest) >= len(" - ") && rest[0] == ' ' && rest[1] == '-' {
		return rest[2] == ' '
	}
	return len(rest) >= len(" 200 ") && rest[0] == ' ' && rest[1]-'1' < 5 && rest[2]-'0' < 10 && rest[3]-'0' < 10 && rest[4] == ' '
}
