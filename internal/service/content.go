package service

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"

	"sluice/internal/jsonwalk"
)

// maxSniffBytes bounds how much of a message is looked at: the classic limit of a CloudWatch Logs event.
const maxSniffBytes = 256 << 10

// A jsonShape gives the log of a message that is a JSON object with all of these members of its own, which
// are up to eight.
type jsonShape struct {
	members []string // in the place of one, several between bars: any of them
	text    string   // the message also contains this
	inS3    bool     // holds only for what an S3 object begins with, and for records of streams
	source  string
	log     Log // empty when the lines have no shape that is known
}

// jsonShapes are tried from top to bottom. They are for services that write into a group, or an object, of the user's choice.
var jsonShapes = [...]jsonShape{
	{members: []string{"webaclId", "httpRequest"}, source: "waf", log: WAF},
	{members: []string{"firewall_name", "availability_zone", "event_timestamp", "event"}, source: "network-firewall", log: NetworkFirewall},
	{members: []string{"query_name", "vpc_id", "rcode"}, source: "route53", log: Route53Resolver},
	{members: []string{"eventVersion", "eventTime", "eventID", "awsRegion", "insightDetails"}, source: "cloudtrail", log: CloudTrailInsight},
	{members: []string{"eventVersion", "eventTime", "eventID", "awsRegion"}, source: "cloudtrail", log: CloudTrail},
	{members: []string{"execution_arn", "event_timestamp", "type"}, source: "stepfunction", log: StepFunctions},
	{members: []string{"CacheClusterId", "CacheNodeId", "Command"}, source: "elasticache", log: ElastiCacheSlow},
	{members: []string{"CacheClusterId", "CacheNodeId", "LogLevel"}, source: "elasticache", log: ElastiCacheEngine},
	{members: []string{"CacheClusterId", "CacheNodeId"}, source: "elasticache"},
	{members: []string{"worker_id", "workteam_arn", "event_timestamp"}, source: "sagemaker", log: SageMakerWorker},
	{members: []string{"x-edge-location", "x-edge-request-id"}, source: "cloudfront", log: CloudFront},
	{members: []string{"deliveryStreamARN", "destination", "errorCode"}, source: "kinesis", log: FirehoseErrors},

	// Services without a source of their own. Knowing them keeps a word in the group's name from deciding.
	{members: []string{"project_arn", "event_type", "variation"}, text: ":evidently:", source: sourceUnknown, log: Evidently},
	{members: []string{"gateway"}, text: `"sgw-`, source: sourceUnknown, log: StorageGateway},
	{members: []string{"voice_connector_id", "event_timestamp", "call_id"}, source: sourceUnknown, log: Chime},

	// What comes in S3 objects only, or through Firehose.
	{members: []string{"awsAccountId", "digestStartTime", "digestS3Bucket"}, inS3: true, source: "cloudtrail", log: CloudTrailDigest},
	{members: []string{"schemaVersion", "accountId", "resource", "service", "severity"}, inS3: true, source: "guardduty", log: GuardDuty},
	{members: []string{"fileVersion", "configurationItems"}, inS3: true, source: "config", log: Config},
	{members: []string{"configurationItemCaptureTime", "resourceType"}, inS3: true, source: "config", log: Config},

	// API Gateway access logs have what the user's template has. Last, as these names are common.
	{members: []string{"requestId|extendedRequestId", "httpMethod|resourcePath|routeKey"}, source: "apigateway", log: APIGatewayAccess},
}

// A textShape gives the log of a text that a function knows.
type textShape struct {
	is     func(text []byte) bool
	about  string // what it knows, in words
	source string
	// service is the name the logs go by; empty when the source says it all.
	service string
	log     Log
}

// textShapes are tried from top to bottom on a message that is not a JSON object, without white space around it.
var textShapes = [...]textShape{
	{is: isConnectWorker, about: "`[Worker-<hex digits>] …`", source: "msk", log: MSKConnect},
	{is: isBrokerLine, about: "`[<yyyy-MM-dd HH:mm:ss,SSS>] …` with a logger of Kafka, such as `(kafka.…)`", source: "msk", log: MSKBroker},
	{is: isFlowLine, about: "14 columns, of which the first is `2` and the last `OK`, `NODATA` or `SKIPDATA`", source: "vpc", log: VPCFlow},
	{is: isEngineLine, about: "`<cluster>/<node>:<role> <dd MMM yyyy HH:mm:ss.SSS> UTC …`", source: "elasticache", log: ElastiCacheEngine},
	{is: isSlowLine, about: "`<cluster>,<node>,<epoch seconds>,<microseconds>,<command>,<address>,<name>`", source: "elasticache", log: ElastiCacheSlow},
	{is: isPublicQueryLine, about: "`<version> <yyyy-MM-ddTHH:mm:ss.SSSZ> Z<zone> …` of 10 columns", source: "route53", log: Route53Public},
	{is: isAccessCLF, about: "the Common Log Format with an `extendedRequestId` behind it", source: "apigateway", log: APIGatewayAccess},
	{is: isAccessCSV, about: "CSV with a `requestTime`, and an `extendedRequestId` at its end", source: "apigateway", log: APIGatewayAccess},
	{is: isAccessXML, about: "`<request id=\"…\">` with `<httpMethod>`", source: "apigateway", log: APIGatewayAccess},
}

// sniff returns the source and the log that a message tells, "" when it tells none.
func sniff(message []byte) (source string, log Log) {
	message = bytes.TrimSpace(message[:min(len(message), maxSniffBytes)])
	if len(message) == 0 {
		return "", ""
	}
	if message[0] == '{' {
		shape := sniffJSON(message, false)
		return shape.source, shape.log
	}
	if s := shapeOf(message, textShapes[:]); s != nil {
		return s.source, s.log
	}
	return "", ""
}

// shapeOf returns the first shape that a text has, nil when it has none.
func shapeOf(text []byte, shapes []textShape) *textShape {
	for i := range shapes {
		if shapes[i].is(text) {
			return &shapes[i]
		}
	}
	return nil
}

// A memberUse says which shape a member's name belongs to.
type memberUse struct {
	name  string
	shape int   // its place in jsonShapes
	bit   uint8 // its own among the members of the shape
}

// memberUses holds the members of jsonShapes by the length of their names. Nothing changes it.
var memberUses = usesByLength(jsonShapes[:])

func usesByLength(shapes []jsonShape) [][]memberUse {
	var uses [][]memberUse
	for i := range shapes {
		for bit, names := range shapes[i].members {
			for name := range strings.SplitSeq(names, "|") {
				for len(uses) <= len(name) {
					uses = append(uses, nil)
				}
				uses[len(name)] = append(uses[len(name)], memberUse{name: name, shape: i, bit: 1 << bit})
			}
		}
	}
	return uses
}

// sniffJSON passes once over the object's members and returns the shape they have, the zero shape when they have none. A
// message that breaks off, as API Gateway's do where a value holds a quote, is judged by the members before.
func sniffJSON(message []byte, inS3 bool) jsonShape {
	var seen [len(jsonShapes)]uint8 // a bit for each member of the shape
	members := jsonwalk.Object(message)
	for members.Next() {
		name := members.Name()
		if len(name) >= len(memberUses) {
			continue
		}
		for _, use := range memberUses[len(name)] {
			if string(name) == use.name {
				seen[use.shape] |= use.bit
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

// isPublicQueryLine knows the queries of public hosted zones: "1.0 2017-12-13T08:16:02.130Z Z123412341234 example.com A …".
func isPublicQueryLine(message []byte) bool {
	const columns = 10
	if !matches(message, "d.d dddd-dd-ddTdd:dd:dd.dddZ Z") {
		return false
	}
	spaces, ok := singleSpaces(message)
	return ok && spaces == columns-1
}
