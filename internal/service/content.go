package service

import (
	"bytes"

	"sluice/internal/jsonwalk"
)

// maxSniffBytes bounds how much of a message is looked at: the classic limit of a CloudWatch Logs event.
const maxSniffBytes = 256 << 10

// A jsonShape gives the source of a message that is a JSON object with all of these members of its own. Up to eight.
type jsonShape struct {
	members []string
	text    string // the message also contains this
	inS3    bool   // holds only for what an S3 object begins with
	source  string
	log     Log
}

// jsonShapes are tried from top to bottom. They are for services that write into a group, or an object, of the user's choice.
var jsonShapes = [...]jsonShape{
	{members: []string{"webaclId", "httpRequest"}, source: "waf", log: WAF},
	{members: []string{"firewall_name", "availability_zone", "event_timestamp", "event"}, source: "network-firewall", log: NetworkFirewall},
	{members: []string{"query_name", "vpc_id", "rcode"}, source: "route53", log: Route53Resolver},
	{members: []string{"eventVersion", "eventTime", "eventID", "awsRegion"}, source: "cloudtrail", log: CloudTrail},
	{members: []string{"execution_arn", "event_timestamp", "type"}, source: "stepfunction"},
	{members: []string{"CacheClusterId", "CacheNodeId"}, source: "elasticache"},
	{members: []string{"worker_id", "workteam_arn", "event_timestamp"}, source: "sagemaker"}, // Ground Truth

	// Services without a source of their own. Knowing them keeps a word in the group's name from deciding.
	{members: []string{"project_arn", "event_type", "variation"}, text: ":evidently:", source: sourceUnknown, log: Evidently},
	{members: []string{"gateway"}, text: `"sgw-`, source: sourceUnknown}, // Storage Gateway

	// What comes in S3 objects only, or through Firehose.
	{members: []string{"awsAccountId", "digestStartTime", "digestS3Bucket"}, inS3: true, source: "cloudtrail", log: CloudTrailDigest},
	{members: []string{"schemaVersion", "accountId", "resource", "service", "severity"}, inS3: true, source: "guardduty", log: GuardDuty},
	{members: []string{"fileVersion", "configurationItems"}, inS3: true, source: "config", log: Config},
	{members: []string{"configurationItemCaptureTime", "resourceType"}, inS3: true, source: "config", log: Config},
	{members: []string{"x-edge-location", "x-edge-request-id"}, inS3: true, source: "cloudfront", log: CloudFront},
	{members: []string{"voice_connector_id", "event_timestamp", "call_id"}, inS3: true, source: sourceUnknown, log: Chime},

	// API Gateway access logs have what the user's template has. Last, as these names are common.
	{members: []string{"requestId", "httpMethod"}, source: "apigateway"},
	{members: []string{"requestId", "resourcePath"}, source: "apigateway"},
	{members: []string{"requestId", "routeKey"}, source: "apigateway"},
	{members: []string{"extendedRequestId", "httpMethod"}, source: "apigateway"},
	{members: []string{"extendedRequestId", "resourcePath"}, source: "apigateway"},
	{members: []string{"extendedRequestId", "routeKey"}, source: "apigateway"},
}

// textShapes are tried from top to bottom on a message that is not a JSON object, without white space around it.
var textShapes = [...]struct {
	shape  func(message []byte) bool
	source string
}{
	{isConnectWorker, "msk"},
	{isBrokerLine, "msk"},
	{isFlowLine, "vpc"},
	{isEngineLine, "elasticache"},
	{isSlowLine, "elasticache"},
}

// sniff returns the source that a message tells, "" when it tells none.
func sniff(message []byte) string {
	message = bytes.TrimSpace(message[:min(len(message), maxSniffBytes)])
	if len(message) == 0 {
		return ""
	}
	if message[0] == '{' {
		shape := sniffJSON(message, false)
		return shape.source
	}
	for i := range textShapes {
		if textShapes[i].shape(message) {
			return textShapes[i].source
		}
	}
	return ""
}

// sniffJSON passes once over the object's members and returns the shape they have, the zero shape when they have none. A
// message that breaks off, as API Gateway's do where a value holds a quote, is judged by the members before.
func sniffJSON(message []byte, inS3 bool) jsonShape {
	var seen [len(jsonShapes)]uint8 // a bit for each member of the shape
	members := jsonwalk.Object(message)
	for members.Next() {
		name := members.Name()
		for i := range jsonShapes {
			for bit, member := range jsonShapes[i].members {
				if string(name) == member {
					seen[i] |= 1 << bit
				}
			}
		}
	}
	for i := range jsonShapes {
		s := &jsonShapes[i]
		if seen[i] == 1<<len(s.members)-1 && (inS3 || !s.inS3) && bytes.Contains(message, []byte(s.text)) {
			return *s
		}
	}
	return jsonShape{}
}

// isConnectWorker knows MSK Connect: "[Worker-0bb8afa0b01391c41] …".
func isConnectWorker(message []byte) bool {
	rest, ok := bytes.CutPrefix(message, []byte("[Worker-"))
	id, _, closed := bytes.Cut(rest, []byte("] "))
	return ok && closed && only(id, isHexDigit)
}

// isBrokerLine knows MSK brokers: log4j's "[2024-02-01 00:00:00,151] INFO … (kafka.coordinator.group.GroupCoordinator)".
// The logger has to be Kafka's, as many programs begin their lines so.
func isBrokerLine(message []byte) bool {
	line, _, _ := bytes.Cut(message, []byte("\n"))
	return matches(line, "[dddd-dd-dd dd:dd:dd,ddd] ") &&
		(bytes.Contains(line, []byte("(kafka.")) || bytes.Contains(line, []byte("(org.apache.kafka.")))
}

// isFlowLine knows a VPC flow log in the default format: 14 columns, version 2 first, the log status last. Lines of a
// custom format can be anything.
func isFlowLine(message []byte) bool {
	const columns = 14
	if !bytes.HasPrefix(message, []byte("2 ")) {
		return false
	}
	var last []byte
	n := 0
	for column := range bytes.FieldsSeq(message) {
		last = column
		if n++; n > columns {
			return false
		}
	}
	return n == columns && (string(last) == "OK" || string(last) == "NODATA" || string(last) == "SKIPDATA")
}

// isEngineLine knows the engine log of ElastiCache as text: "<cluster>/<node>:<role> 29 Oct 2020 20:12:20.499 UTC * …",
// with a role of M, S, C or X.
func isEngineLine(message []byte) bool {
	cluster, rest, ok := bytes.Cut(message, []byte("/"))
	return ok && only(cluster, isNameByte) &&
		matches(rest, "dddd:? dd ??? dddd dd:dd:dd.ddd UTC ") &&
		bytes.IndexByte([]byte("MSCX"), rest[len("dddd:")]) >= 0
}

// isSlowLine knows the slow log of ElastiCache as text: "<cluster>,0001,1605631822,30,<command>,<address>,<name>", with a
// time in epoch seconds.
func isSlowLine(message []byte) bool {
	cluster, rest, ok := bytes.Cut(message, []byte(","))
	if !ok || !only(cluster, isNameByte) || !matches(rest, "dddd,dddddddddd,d") {
		return false
	}
	return bytes.Count(rest, []byte(",")) >= 5
}
