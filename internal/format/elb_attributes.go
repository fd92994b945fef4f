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

var albColumns = quotes([]field{
	str("type", "", ""),
	isoTime(),
	str("elb", "", ""),
	peer("client", "source", "client"),
	peer("target", "destination", "destination"),
	num("request_processing_time", "", ""),
	num("target_processing_time", "", ""),
	num("response_processing_time", "", ""),
	num("elb_status_code", "http.response.status_code", "http.response.status_code"),
	num("target_status_code", "", ""),
	num("received_bytes", "http.request.bytes", "http.request.size"),
	num("sent_bytes", "http.response.bytes", "http.response.size"),
	requestLine(),
	str("user_agent", "user_agent.original", "user_agent.original"),
	str("ssl_cipher", "tls.cipher", "tls.cipher"),
	str("ssl_protocol", "", ""),
	str("target_group_arn", "", ""),
	str("trace_id", "", ""),
	str("domain_name", "tls.client.server_name", "tls.client.server_name"),
	str("chosen_cert_arn", "", ""),
	num("matched_rule_priority", "", ""),
	str("request_creation_time", "", ""),
	str("actions_executed", "", ""),
	str("redirect_url", "", ""),
	str("error_reason", "", ""),
	str("target:port_list", "", ""),
	str("target_status_code_list", "", ""),
	str("classification", "", ""),
	str("classification_reason", "", ""),
	str("conn_trace_id", "", ""),
	str("transformed_host", "", ""),
	str("transformed_uri", "", ""),
	str("request_transform_status", "", ""),
}, albLeast, "request", "user_agent", "trace_id", "domain_name", "chosen_cert_arn", "actions_executed", "redirect_url", "error_reason",
	"target:port_list", "target_status_code_list", "classification", "classification_reason", "transformed_host",
	"transformed_uri", "request_transform_status")

var clbColumns = quotes([]field{
	isoTime(),
	str("elb", "", ""),
	peer("client", "source", "client"),
	peer("backend", "destination", "destination"),
	num("request_processing_time", "", ""),
	num("backend_processing_time", "", ""),
	num("response_processing_time", "", ""),
	num("elb_status_code", "http.response.status_code", "http.response.status_code"),
	num("backend_status_code", "", ""),
	num("received_bytes", "http.request.bytes", "http.request.size"),
	num("sent_bytes", "http.response.bytes", "http.response.size"),
	requestLine(),
	str("user_agent", "user_agent.original", "user_agent.original"),
	str("ssl_cipher", "tls.cipher", "tls.cipher"),
	str("ssl_protocol", "", ""),
}, clbLeast, "request", "user_agent")

var nlbColumns = []field{
	str("type", "", ""),
	str("version", "", ""),
	isoTime(),
	str("elb", "", ""),
	str("listener", "", ""),
	peer("client", "source", "client"),
	peer("destination", "destination", "destination"),
	num("connection_time", "", ""),
	num("tls_handshake_time", "", ""),
	num("received_bytes", "", ""),
	num("sent_bytes", "", ""),
	str("incoming_tls_alert", "", ""),
	str("chosen_cert_arn", "", ""),
	str("chosen_cert_serial", "", ""),
	str("tls_cipher", "tls.cipher", "tls.cipher"),
	str("tls_protocol_version", "", ""),
	str("tls_named_group", "tls.curve", "tls.curve"),
	str("domain_name", "tls.client.server_name", "tls.client.server_name"),
	str("alpn_fe_protocol", "", ""),
	str("alpn_be_protocol", "", ""),
	str("alpn_client_preference_list", "", ""),
	str("tls_connection_creation_time", "", ""),
}

var connectionColumns = quotes([]field{
	isoTime(),
	str("client_ip", "source.ip", "client.address"),
	num("client_port", "source.port", "client.port"),
	num("listener_port", "destination.port", "server.port"),
	str("tls_protocol", "", ""),
	str("tls_cipher", "tls.cipher", "tls.cipher"),
	num("tls_handshake_latency", "", ""),
	str("leaf_client_cert_subject", "tls.client.subject", "tls.client.subject"),
	str("leaf_client_cert_validity", "", ""),
	str("leaf_client_cert_serial_number", "", ""),
	str("tls_verify_status", "", ""),
	str("conn_trace_id", "", ""),
}, connectionLeast, "leaf_client_cert_subject")

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
