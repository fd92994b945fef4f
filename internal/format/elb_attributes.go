package format

// The logs of load balancers. Older lines have fewer columns than the documentation names, and newer ones more.
// Source: Elastic Load Balancing user guides, "Access log entries" of each kind, "Connection log entries". Where one column
// becomes several attributes, they have the names of the tables in the Athena user guide, "Query Application Load Balancer
// logs".
var (
	albLog = layout{
		millis: isoColumn(1), attributes: balancer(albColumns, albLeast),
		fields: attributes(albColumns), time: "the column time, when the response was made",
	}
	clbLog = layout{
		millis: isoColumn(0), attributes: balancer(clbColumns, clbLeast),
		fields: attributes(clbColumns), time: "the column time, when the request came",
	}
	nlbLog = layout{
		millis: isoColumn(2), attributes: nlbAttributes,
		fields: attributes(nlbColumns), time: "the column time, when the connection ended",
	}
	connectionLog = layout{
		millis: isoColumn(0), attributes: balancer(connectionColumns, connectionLeast),
		fields: attributes(connectionColumns), time: "the column time",
	}
	healthCheckLog = layout{millis: isoColumn(1), time: "the second column"}
)

// How many columns lines have had at first.
const (
	albLeast        = 18 // up to trace_id
	clbLeast        = 12 // up to request
	nlbLeast        = 18 // up to domain_name
	connectionLeast = 11 // up to tls_verify_status
	accessLeast     = 18 // up to version_id
)

// isoTime is the column without which a line is none.
func isoTime() field { return one(moment, "time", "", "") }

// peer is a column of host:port, which become two attributes of this name; their names in the standards are those of host
// and port below the names given.
func peer(name, ecs, otel string) field {
	f := field{name: name + ":port", kind: address}
	if ecs == "" {
		f.keys = [3]*key{named(name + "_ip"), named(name + "_port")}
		return f
	}
	f.keys = [3]*key{
		mapped(name+"_ip", ecs+".ip", otel+".address"),
		mapped(name+"_port", ecs+".port", otel+".port"),
	}
	return f
}

func requestLine() field {
	return field{name: "request", kind: request, keys: [3]*key{
		mapped("request_verb", "http.request.method", "http.request.method"),
		mapped("request_url", "url.original", "url.full"),
		named("request_proto"),
	}}
}

var albColumns = quotes(fieldsOf([]entry{
	{"type", "", "", textual, nil},
	{make: isoTime},
	{"elb", "", "", textual, nil},
	{make: func() field { return peer("client", "source", "client") }},
	{make: func() field { return peer("target", "destination", "destination") }},
	{"request_processing_time", "", "", numeric, nil},
	{"target_processing_time", "", "", numeric, nil},
	{"response_processing_time", "", "", numeric, nil},
	{"elb_status_code", "http.response.status_code", "http.response.status_code", numeric, nil},
	{"target_status_code", "", "", numeric, nil},
	{"received_bytes", "http.request.bytes", "http.request.size", numeric, nil},
	{"sent_bytes", "http.response.bytes", "http.response.size", numeric, nil},
	{make: requestLine},
	{"user_agent", "user_agent.original", "user_agent.original", textual, nil},
	{"ssl_cipher", "tls.cipher", "tls.cipher", textual, nil},
	{"ssl_protocol", "", "", textual, nil},
	{"target_group_arn", "", "", textual, nil},
	{"trace_id", "", "", textual, nil},
	{"domain_name", "tls.client.server_name", "tls.client.server_name", textual, nil},
	{"chosen_cert_arn", "", "", textual, nil},
	{"matched_rule_priority", "", "", numeric, nil},
	{"request_creation_time", "", "", textual, nil},
	{"actions_executed", "", "", textual, nil},
	{"redirect_url", "", "", textual, nil},
	{"error_reason", "", "", textual, nil},
	{"target:port_list", "", "", textual, nil},
	{"target_status_code_list", "", "", textual, nil},
	{"classification", "", "", textual, nil},
	{"classification_reason", "", "", textual, nil},
	{"conn_trace_id", "", "", textual, nil},
	{"transformed_host", "", "", textual, nil},
	{"transformed_uri", "", "", textual, nil},
	{"request_transform_status", "", "", textual, nil},
}), albLeast, "request", "user_agent", "trace_id", "domain_name", "chosen_cert_arn", "actions_executed", "redirect_url", "error_reason",
	"target:port_list", "target_status_code_list", "classification", "classification_reason", "transformed_host",
	"transformed_uri", "request_transform_status")

var clbColumns = quotes(fieldsOf([]entry{
	{make: isoTime},
	{"elb", "", "", textual, nil},
	{make: func() field { return peer("client", "source", "client") }},
	{make: func() field { return peer("backend", "destination", "destination") }},
	{"request_processing_time", "", "", numeric, nil},
	{"backend_processing_time", "", "", numeric, nil},
	{"response_processing_time", "", "", numeric, nil},
	{"elb_status_code", "http.response.status_code", "http.response.status_code", numeric, nil},
	{"backend_status_code", "", "", numeric, nil},
	{"received_bytes", "http.request.bytes", "http.request.size", numeric, nil},
	{"sent_bytes", "http.response.bytes", "http.response.size", numeric, nil},
	{make: requestLine},
	{"user_agent", "user_agent.original", "user_agent.original", textual, nil},
	{"ssl_cipher", "tls.cipher", "tls.cipher", textual, nil},
	{"ssl_protocol", "", "", textual, nil},
}), clbLeast, "request", "user_agent")

var nlbColumns = fieldsOf([]entry{
	{"type", "", "", textual, nil},
	{"version", "", "", textual, nil},
	{make: isoTime},
	{"elb", "", "", textual, nil},
	{"listener", "", "", textual, nil},
	{make: func() field { return peer("client", "source", "client") }},
	{make: func() field { return peer("destination", "destination", "destination") }},
	{"connection_time", "", "", numeric, nil},
	{"tls_handshake_time", "", "", numeric, nil},
	{"received_bytes", "", "", numeric, nil},
	{"sent_bytes", "", "", numeric, nil},
	{"incoming_tls_alert", "", "", textual, nil},
	{"chosen_cert_arn", "", "", textual, nil},
	{"chosen_cert_serial", "", "", textual, nil},
	{"tls_cipher", "tls.cipher", "tls.cipher", textual, nil},
	{"tls_protocol_version", "", "", textual, nil},
	{"tls_named_group", "tls.curve", "tls.curve", textual, nil},
	{"domain_name", "tls.client.server_name", "tls.client.server_name", textual, nil},
	{"alpn_fe_protocol", "", "", textual, nil},
	{"alpn_be_protocol", "", "", textual, nil},
	{"alpn_client_preference_list", "", "", textual, nil},
	{"tls_connection_creation_time", "", "", textual, nil},
})

var connectionColumns = quotes(fieldsOf([]entry{
	{make: isoTime},
	{"client_ip", "source.ip", "client.address", textual, nil},
	{"client_port", "source.port", "client.port", numeric, nil},
	{"listener_port", "destination.port", "server.port", numeric, nil},
	{"tls_protocol", "", "", textual, nil},
	{"tls_cipher", "tls.cipher", "tls.cipher", textual, nil},
	{"tls_handshake_latency", "", "", numeric, nil},
	{"leaf_client_cert_subject", "tls.client.subject", "tls.client.subject", textual, nil},
	{"leaf_client_cert_validity", "", "", textual, nil},
	{"leaf_client_cert_serial_number", "", "", textual, nil},
	{"tls_verify_status", "", "", textual, nil},
	{"conn_trace_id", "", "", textual, nil},
}), connectionLeast, "leaf_client_cert_subject")

// balancer returns the attributes of a log whose lines have some columns in quotes, and no fewer than least.
func balancer(fields []field, least int) func(a *Attributes, w *writer, header, line []byte) bool {
	return func(a *Attributes, w *writer, _, line []byte) bool {
		return a.quotedLine(w, fields, line) >= least
	}
}

// nlbAttributes knows lines none of whose columns has a space. The last one in use, "h2","http/1.1", is a list in which
// each element is in quotes: it stays as it is.
func nlbAttributes(a *Attributes, w *writer, _, line []byte) bool {
	n, _ := a.spacedLine(w, nlbColumns, line, -1)
	return n >= nlbLeast
}
