package format

// The logs of load balancers. Older lines have fewer columns than the documentation names, and newer ones more.
// Source: Elastic Load Balancing user guides, "Access log entries" of each kind, "Connection log entries". Where one column
// becomes several attributes, they have the names of the tables in the Athena user guide, "Query Application Load Balancer
// logs".
var (
	albLog = layout{
		millis: isoColumn(1), attributes: albAttributes,
		columns: []*table{albColumns}, time: "the column time, when the response was made",
	}
	clbLog = layout{
		millis: isoColumn(0), attributes: clbAttributes,
		columns: []*table{clbColumns}, time: "the column time, when the request came",
	}
	nlbLog = layout{
		millis: isoColumn(2), attributes: nlbAttributes,
		columns: []*table{nlbColumns}, time: "the column time, when the connection ended",
	}
	connectionLog = layout{
		millis: isoColumn(0), attributes: connectionAttributes,
		columns: []*table{connectionColumns}, time: "the column time",
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

var albColumns = &table{entries: []entry{
	{"type", "", "", textual},
	{"time", "", "", moment},
	{"elb", "", "", textual},
	{"client", "source", "client", address},
	{"target", "destination", "destination", address},
	{"request_processing_time target_processing_time response_processing_time", "", "", numeric},
	{"elb_status_code", "http.response.status_code", "http.response.status_code", numeric},
	{"target_status_code", "", "", numeric},
	{"received_bytes", "http.request.bytes", "http.request.size", numeric},
	{"sent_bytes", "http.response.bytes", "http.response.size", numeric},
	{"request", "", "", request},
	{"user_agent", "user_agent.original", "user_agent.original", quoted},
	{"ssl_cipher", "tls.cipher", "tls.cipher", textual},
	{"ssl_protocol target_group_arn", "", "", textual},
	{"trace_id", "", "", quoted},
	{"domain_name", "tls.client.server_name", "tls.client.server_name", quoted},
	{"chosen_cert_arn", "", "", quoted},
	{"matched_rule_priority", "", "", numeric},
	{"request_creation_time", "", "", textual},
	{"actions_executed redirect_url error_reason target:port_list target_status_code_list classification", "", "", quoted},
	{"classification_reason", "", "", quoted},
	{"conn_trace_id", "", "", textual},
	{"transformed_host transformed_uri request_transform_status", "", "", quoted},
}, least: albLeast}

var clbColumns = &table{entries: []entry{
	{"time", "", "", moment},
	{"elb", "", "", textual},
	{"client", "source", "client", address},
	{"backend", "destination", "destination", address},
	{"request_processing_time backend_processing_time response_processing_time", "", "", numeric},
	{"elb_status_code", "http.response.status_code", "http.response.status_code", numeric},
	{"backend_status_code", "", "", numeric},
	{"received_bytes", "http.request.bytes", "http.request.size", numeric},
	{"sent_bytes", "http.response.bytes", "http.response.size", numeric},
	{"request", "", "", request},
	{"user_agent", "user_agent.original", "user_agent.original", quoted},
	{"ssl_cipher", "tls.cipher", "tls.cipher", textual},
	{"ssl_protocol", "", "", textual},
}, least: clbLeast}

var nlbColumns = &table{entries: []entry{
	{"type version", "", "", textual},
	{"time", "", "", moment},
	{"elb listener", "", "", textual},
	{"client", "source", "client", address},
	{"destination", "destination", "destination", address},
	{"connection_time tls_handshake_time received_bytes sent_bytes", "", "", numeric},
	{"incoming_tls_alert chosen_cert_arn chosen_cert_serial", "", "", textual},
	{"tls_cipher", "tls.cipher", "tls.cipher", textual},
	{"tls_protocol_version", "", "", textual},
	{"tls_named_group", "tls.curve", "tls.curve", textual},
	{"domain_name", "tls.client.server_name", "tls.client.server_name", textual},
	{"alpn_fe_protocol alpn_be_protocol alpn_client_preference_list tls_connection_creation_time", "", "", textual},
}}

var connectionColumns = &table{entries: []entry{
	{"time", "", "", moment},
	{"client_ip", "source.ip", "client.address", textual},
	{"client_port", "source.port", "client.port", numeric},
	{"listener_port", "destination.port", "server.port", numeric},
	{"tls_protocol", "", "", textual},
	{"tls_cipher", "tls.cipher", "tls.cipher", textual},
	{"tls_handshake_latency", "", "", numeric},
	{"leaf_client_cert_subject", "tls.client.subject", "tls.client.subject", quoted},
	{"leaf_client_cert_validity leaf_client_cert_serial_number tls_verify_status conn_trace_id", "", "", textual},
}, least: connectionLeast}

func albAttributes(a *Attributes, w *writer, _, line []byte) bool {
	return a.quotedLine(w, albColumns.in(a.naming), line) >= albLeast
}

func clbAttributes(a *Attributes, w *writer, _, line []byte) bool {
	return a.quotedLine(w, clbColumns.in(a.naming), line) >= clbLeast
}

func connectionAttributes(a *Attributes, w *writer, _, line []byte) bool {
	return a.quotedLine(w, connectionColumns.in(a.naming), line) >= connectionLeast
}

// nlbAttributes knows lines none of whose columns has a space. The last one in use, "h2","http/1.1", is a list in which
// each element is in quotes: it stays as it is.
func nlbAttributes(a *Attributes, w *writer, _, line []byte) bool {
	return a.spacedLine(w, nlbColumns.in(a.naming), line) >= nlbLeast
}
