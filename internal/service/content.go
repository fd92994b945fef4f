package service

import (
	"bytes"
	"encoding/binary"
	"math/bits"

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
	if spaces, ok := singleSpaces(message); ok {
		return spaces == columns-1 && isFlowStatus(message[bytes.LastIndexByte(message, ' ')+1:])
	}
	var last []byte
	n := 0
	for column := range bytes.FieldsSeq(message) {
		last = column
		if n++; n > columns {
			return false
		}
	}
	return n == columns && isFlowStatus(last)
}

func isFlowStatus(text []byte) bool {
	return string(text) == "OK" || string(text) == "NODATA" || string(text) == "SKIPDATA"
}

// singleSpaces counts the spaces of a line. It reports false where other white space may be in it, or a space beside
// another or at an end: then columns have to be split to be counted. It takes eight bytes at once, and so a
// fraction of the time of splitting.
func singleSpaces(line []byte) (spaces int, ok bool) {
	const ones, high, rest = 0x0101_0101_0101_0101, 0x8080_8080_8080_8080, 0x7f7f_7f7f_7f7f_7f7f
	beside := uint64(1) << 63 // the start of a line is like a space
	for len(line) > 0 {
		w := uint64(ones) * 'x'
		if len(line) >= 8 {
			w, line = binary.LittleEndian.Uint64(line), line[8:]
		} else {
			for i, c := range line {
				w = w&^(0xff<<(8*i)) | uint64(c)<<(8*i)
			}
			if line[len(line)-1] == ' ' {
				return 0, false
			}
			line = nil
		}
		if (w|(w-ones*' ')&^w)&high != 0 { // a control character, or not ASCII
			return 0, false
		}
		v := w ^ ones*' '
		found := ^((v&rest + rest) | v | rest) // the high bit of each byte that is a space
		if found&(found<<8|beside>>56) != 0 {
			return 0, false
		}
		spaces, beside = spaces+bits.OnesCount64(found), found
	}
	return spaces, beside>>63 == 0
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
