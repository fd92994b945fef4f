package service

import (
	"bytes"

	"sluice/internal/jsonwalk"
)

// maxHeadBytes bounds how much of an object is looked at.
const maxHeadBytes = 64 << 10

// lineShapes are tried from top to bottom on the first line of an object, which may be cut short; textShapes come after
// them.
var lineShapes = [...]struct {
	shape  func(line []byte) bool
	source string
	log    Log
}{
	{isFlowHeader, "vpc", VPCFlow},
	{isFlowLine, "vpc", VPCFlow},
	{isAcceleratorHeader, sourceUnknownObject, GlobalAccelerator},
	{isConnectWorker, "msk", MSKConnect},
	{isBrokerLine, "msk", MSKBroker},
	{isApplicationLine, "elb", ALB},
	{isNetworkLine, "elb", NLB},
	{isClassicLine, "elb", CLB},
	{isAccessLine, sourceUnknownObject, S3Access},
	{isActivityLine, "redshift", Redshift},
}

// sniffObject returns the source and the log that the beginning of an object tells, "" when it tells none.
func sniffObject(head []byte) (source string, log Log) {
	head = bytes.TrimSpace(head[:min(len(head), maxHeadBytes)])
	if len(head) == 0 {
		return "", ""
	}
	switch head[0] {
	case '{':
		return sniffDocument(head)
	case '#':
		return sniffDirectives(head)
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	line = bytes.TrimSpace(line)
	for i := range lineShapes {
		if lineShapes[i].shape(line) {
			return lineShapes[i].source, lineShapes[i].log
		}
	}
	return sniff(line), ""
}

// sniffDocument knows an object that begins with a JSON object: the log itself, its first line, or an array of records.
func sniffDocument(head []byte) (source string, log Log) {
	if records, ok := afterTokens(head, "{", `"Records"`, ":", "["); ok {
		return sniffTrail(records)
	}
	if shape := sniffJSON(head, true); shape.source != "" {
		return shape.source, shape.log
	}
	if line, ok := onlyMessage(head); ok && isFlowLine(line) {
		return "vpc", VPCFlow // as VPC sends it to Firehose
	}
	return "", ""
}

// sniffTrail knows CloudTrail by the first of its records, of which big request parameters may cut off the end. Notices
// of other services have Records as well; theirs call their source aws:<service>.
func sniffTrail(records []byte) (source string, log Log) {
	var versioned, timed bool
	log = CloudTrail
	members := jsonwalk.Object(records)
	for members.Next() {
		switch string(members.Name()) {
		case "eventVersion":
			versioned = true
		case "eventTime":
			timed = true
		case "eventSource":
			if bytes.HasPrefix(members.Value(), []byte(`"aws:`)) {
				return "", ""
			}
		case "eventType":
			if string(members.Value()) == `"AwsCloudTrailInsight"` {
				log = CloudTrailInsight
			}
		}
	}
	if !versioned || !timed {
		return "", ""
	}
	return "cloudtrail", log
}

// onlyMessage returns the text of a JSON object that has one member, called message.
func onlyMessage(head []byte) (text []byte, ok bool) {
	members := jsonwalk.Object(head)
	if !members.Next() || string(members.Name()) != "message" {
		return nil, false
	}
	text, ok = jsonwalk.Text(members.Value())
	return text, ok && !members.Next()
}

// sniffDirectives knows logs that begin with the lines "#Version: 1.0" and "#Fields: …", by the names of the fields.
// Source: W3C working draft, "Extended Log File Format".
func sniffDirectives(head []byte) (source string, log Log) {
	if !bytes.HasPrefix(head, []byte("#Version:")) {
		return "", ""
	}
	_, names, ok := bytes.Cut(head, []byte("\n#Fields:"))
	if !ok {
		return "", ""
	}
	names, _, _ = bytes.Cut(names, []byte("\n"))
	switch {
	case bytes.Contains(names, []byte("x-edge-")):
		return "cloudfront", CloudFront
	case bytes.Contains(names, []byte("UsageType")):
		return "ec2", EC2Spot
	}
	return "", ""
}

// isFlowHeader knows the first line of a VPC flow log in S3, the names of its fields. A custom format has some of them, in
// any order; two that no other log has are enough.
func isFlowHeader(line []byte) bool {
	telling := 0
	for name := range bytes.FieldsSeq(line) {
		if !isLower(name[0]) || !only(name, isFieldByte) {
			return false
		}
		switch string(name) {
		case "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "log-status", "pkt-srcaddr", "pkt-dstaddr",
			"tcp-flags", "flow-direction", "traffic-path", "tgw-id", "tgw-attachment-id":
			telling++
		}
	}
	return telling >= 2
}

func isFieldByte(c byte) bool { return isLower(c) || isDigit(c) || c == '-' }

func isAcceleratorHeader(line []byte) bool {
	return bytes.HasPrefix(line, []byte("version aws_account_id accelerator_id "))
}

// isApplicationLine knows an ALB: "h2 2024-02-01T00:00:05.812345Z app/edge/0123456789abcdef …".
func isApplicationLine(line []byte) bool {
	kind, rest, _ := bytes.Cut(line, []byte(" "))
	switch string(kind) {
	case "http", "https", "h2", "grpcs", "ws", "wss":
		return matches(rest, "dddd-dd-ddTdd:dd:dd.ddddddZ app/")
	}
	return false
}

// isNetworkLine knows an NLB: "tls 2.0 2024-02-01T00:00:42 net/edge-nlb/0123456789abcdef …".
func isNetworkLine(line []byte) bool { return matches(line, "tls d.d dddd-dd-ddTdd:dd:dd net/") }

// isClassicLine knows a CLB by its first columns and by where its quotes begin:
// `2024-02-01T00:00:43.945958Z shop 192.0.2.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET …`.
func isClassicLine(line []byte) bool {
	const request = 11 // the column
	if !matches(line, "dddd-dd-ddTdd:dd:dd.ddddddZ ") {
		return false
	}
	n := 0
	for column := range bytes.FieldsSeq(line) {
		switch {
		case n == 2 && bytes.LastIndexByte(column, ':') < 1,
			4 <= n && n < 7 && !only(column, isSecondsByte):
			return false
		case n == request:
			return column[0] == '"'
		}
		n++
	}
	return false
}

func isSecondsByte(c byte) bool { return isDigit(c) || c == '.' || c == '-' }

// isAccessLine knows an S3 server access log: the owner's canonical id, the bucket, the time in brackets.
func isAccessLine(line []byte) bool {
	const ownerDigits = 64
	owner, rest, _ := bytes.Cut(line, []byte(" "))
	_, rest, _ = bytes.Cut(rest, []byte(" "))
	return len(owner) == ownerDigits && only(owner, isHexDigit) && matches(rest, "[dd/???/dddd:dd:dd:dd ?dddd] ")
}

// isActivityLine knows the user activity log of Redshift: "'2024-02-01T00:00:05Z UTC [ db=dev user=…".
func isActivityLine(line []byte) bool { return matches(line, "'dddd-dd-ddTdd:dd:ddZ UTC [ ?b=") }

// afterTokens returns what follows these tokens of JSON, between which there may be white space.
func afterTokens(head []byte, tokens ...string) (rest []byte, ok bool) {
	for _, token := range tokens {
		if head, ok = bytes.CutPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte(token)); !ok {
			return nil, false
		}
	}
	return head, true
}
