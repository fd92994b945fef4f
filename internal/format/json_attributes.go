package format

import "sluice/internal/jsontoken"

// objectOf returns the attributes of a log of JSON objects: their members as they are, some by the names that standards
// have for them.
func objectOf(names *renames) func(a *Attributes, w *writer, header, line []byte) bool {
	return func(a *Attributes, w *writer, _, line []byte) bool { return a.objects.append(w, line, names) }
}

// isObject reports whether a line of a log that has JSON and text is JSON.
func isObject(line []byte) bool {
	return jsontoken.At(line, jsontoken.PastSpace(line, 0)) == '{'
}

// Keys that several logs share. The namings are ECS 8 and the OpenTelemetry semantic conventions 1.
var (
	keyMessage   = named("message")
	keyTimestamp = named("timestamp")
	keyLevel     = mapped("level", "log.level", "")
	keyLogger    = mapped("logger", "log.logger", "")
)

// Layouts of JSON logs.
var (
	// Source: CloudTrail user guide, "CloudTrail record contents". The address may be the name of a service, which ECS has
	// no place for among IP addresses.
	cloudTrailLog = layout{
		millis:     isoMember("eventTime"),
		attributes: objectOf(cloudTrailNames),
		fields: []string{
			"eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
			"userAgent", "errorCode", "errorMessage", "requestParameters", "responseElements", "additionalEventData",
			"requestID", "eventID", "eventType", "apiVersion", "managementEvent", "readOnly", "resources",
			"recipientAccountId", "serviceEventDetails", "sharedEventID", "vpcEndpointId", "eventCategory", "addendum",
			"sessionCredentialFromConsole", "edgeDeviceDetails", "tlsDetails",
		},
		time: "eventTime",
	}
	cloudTrailNames = renamed(
		mapped("eventName", "event.action", ""),
		mapped("eventSource", "event.provider", ""),
		mapped("eventID", "event.id", ""),
		mapped("awsRegion", "cloud.region", "cloud.region"),
		mapped("recipientAccountId", "cloud.account.id", "cloud.account.id"),
		mapped("sourceIPAddress", "source.address", "client.address"),
		mapped("userAgent", "user_agent.original", "user_agent.original"),
		mapped("errorCode", "error.code", "error.type"),
		mapped("errorMessage", "error.message", ""),
	)
	// Source: CloudTrail user guide, "CloudTrail record contents for Insights events".
	cloudTrailInsightLog = layout{
		millis:     isoMember("eventTime"),
		attributes: objectOf(cloudTrailNames),
		fields: []string{
			"eventVersion", "eventTime", "awsRegion", "eventID", "eventType", "recipientAccountId", "sharedEventID",
			"insightDetails", "eventCategory",
		},
		time: "eventTime",
	}
	// Source: WAF developer guide, "Log fields for protection pack (web ACL) traffic".
	wafLog = layout{
		millis: epochMember("timestamp", inMillis),
		attributes: objectOf(renamed(
			mapped("action", "event.action", ""),
			mapped("terminatingRuleId", "rule.id", ""),
			mapped("ja3Fingerprint", "tls.client.ja3", "tls.client.ja3"),
		).without(isUnknownToWAF)),
		fields: []string{
			"timestamp", "formatVersion", "webaclId", "terminatingRuleId", "terminatingRuleType", "action",
			"terminatingRuleMatchDetails", "httpSourceName", "httpSourceId", "ruleGroupList", "rateBasedRuleList",
			"nonTerminatingMatchingRules", "requestHeadersInserted", "responseCodeSent", "httpRequest", "labels",
			"captchaResponse", "challengeResponse", "oversizeFields", "ja3Fingerprint",
		},
		time: "timestamp",
	}
	// Source: Network Firewall developer guide, "Contents of an AWS Network Firewall log".
	networkFirewallLog = layout{
		millis: epochMember("event_timestamp", inSeconds),
		attributes: objectOf(renamed(
			mapped("firewall_name", "observer.name", ""),
			mapped("availability_zone", "cloud.availability_zone", "cloud.availability_zone"),
		)),
		fields: []string{"firewall_name", "availability_zone", "event_timestamp", "event"},
		time:   "event_timestamp",
	}
	// Source: Route 53 developer guide, "Values that appear in VPC Resolver query logs".
	route53ResolverLog = layout{
		millis: isoMember("query_timestamp"),
		attributes: objectOf(renamed(
			mapped("account_id", "cloud.account.id", "cloud.account.id"),
			mapped("region", "cloud.region", "cloud.region"),
			mapped("query_name", "dns.question.name", "dns.question.name"),
			mapped("query_type", "dns.question.type", ""),
			mapped("query_class", "dns.question.class", ""),
			mapped("rcode", "dns.response_code", ""),
			mapped("srcaddr", "source.ip", "client.address"),
			mapped("srcport", "source.port", "client.port"),
			mapped("transport", "network.transport", "network.transport"),
		)),
		fields: []string{
			"version", "account_id", "region", "vpc_id", "query_timestamp", "query_name", "query_type", "query_class",
			"rcode", "answers", "srcaddr", "srcport", "transport", "srcids", "firewall_rule_group_id",
			"firewall_rule_action", "firewall_domain_list_id",
		},
		time: "query_timestamp",
	}
	// Source: EventBridge events of Security Hub, "Security Hub Findings - Imported".
	securityHubLog = layout{
		millis: isoMember("time"),
		attributes: objectOf(renamed(
			mapped("account", "cloud.account.id", "cloud.account.id"),
			mapped("region", "cloud.region", "cloud.region"),
			mapped("id", "event.id", ""),
			mapped("source", "event.provider", ""),
		)),
		fields: []string{
			"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
		},
		time: "time",
	}
	// Source: CloudWatch user guide, "Evidently: storing data, format".
	evidentlyLog = layout{
		millis:     epochMember("event_timestamp", inMillis),
		attributes: objectOf(nil),
		fields: []string{
			"event_timestamp", "event_type", "version", "project_arn", "feature", "variation", "entity_id",
			"entity_attributes", "evaluation_type", "treatment", "experiment",
		},
		time: "event_timestamp",
	}
	// Source: Amazon Chime SDK administrator guide, "Monitoring with CloudWatch: logs for Voice Connectors".
	chimeLog = layout{
		millis:     epochMember("event_timestamp", inMillis),
		attributes: objectOf(renamed(mapped("aws_region", "cloud.region", "cloud.region"))),
		fields: []string{
			"voice_connector_id", "event_timestamp", "call_id", "from_sip_user", "from_country", "to_sip_user",
			"to_country", "endpoint_id", "aws_region", "cust2vc_rtp_packets", "cust2vc_rtp_bytes", "cust2vc_rtcp_packets",
			"cust2vc_rtcp_bytes", "cust2vc_packets_lost", "cust2vc_jitter", "vc2cust_rtp_packets", "vc2cust_rtp_bytes",
			"vc2cust_rtcp_packets", "vc2cust_rtcp_bytes", "vc2cust_packets_lost", "vc2cust_jitter",
			"rtt_btwn_vc_and_cust", "mos_btwn_vc_and_cust", "rem2vc_rtp_packets", "rem2vc_rtp_bytes",
			"rem2vc_rtcp_packets", "rem2vc_rtcp_bytes", "rem2vc_packets_lost", "rem2vc_jitter", "vc2rem_rtp_packets",
			"vc2rem_rtp_bytes", "vc2rem_rtcp_packets", "vc2rem_rtcp_bytes", "vc2rem_packets_lost", "vc2rem_jitter",
			"rtt_btwn_vc_and_rem", "mos_btwn_vc_and_rem", "sip_message",
		},
		time: "event_timestamp",
	}
	// Source: AWS Config developer guide, "Components of a configuration item".
	configItemLog = layout{
		millis: isoMember("configurationItemCaptureTime"),
		attributes: objectOf(renamed(
			mapped("awsAccountId", "cloud.account.id", "cloud.account.id"),
			mapped("awsRegion", "cloud.region", "cloud.region"),
			mapped("availabilityZone", "cloud.availability_zone", "cloud.availability_zone"),
		)),
		fields: []string{
			"configurationItemVersion", "configurationItemCaptureTime", "configurationItemStatus",
			"configurationStateId", "awsAccountId", "awsRegion", "availabilityZone", "resourceType", "resourceId",
			"resourceName", "ARN", "resourceCreationTime", "relatedEvents", "relationships", "configuration",
			"supplementaryConfiguration", "tags",
		},
		time: "configurationItemCaptureTime",
	}
)

// isUnknownToWAF knows the members of WAF's that are a hyphen where WAF does not know: the source of a request, and the
// country in httpRequest.
func isUnknownToWAF(name []byte, depth int) bool {
	switch string(name) {
	case "httpSourceName", "httpSourceId":
		return depth == 1
	case "country":
		return depth == 2
	}
	return false
}
