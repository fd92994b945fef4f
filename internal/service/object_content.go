package service

import (
	"bytes"

	"sluice/internal/jsonwalk"
)

// maxHeadBytes bounds how much of an object is looked at.
const maxHeadBytes = 64 << 10

// documentShapes are tried from top to bottom on a JSON object that an object begins with. Shapes of members come after them.
var documentShapes = [...]textShape{
	{is: isInsightDocument, about: "a JSON document whose first of `Records` has `eventType` `AwsCloudTrailInsight`", source: "cloudtrail", log: CloudTrailInsight},
	{is: isTrailDocument, about: "a JSON document whose first of `Records` has `eventVersion` and `eventTime`", source: "cloudtrail", log: CloudTrail},
	{is: isWrappedFlowLine, about: "`{\"message\":\"<flow log line>\"}`", source: "vpc", log: VPCFlow}, // as VPC sends it to Firehose
}

// directiveShapes are tried from top to bottom on the names of the fields in "#Version: 1.0" and "#Fields: …", with which an
// object begins. Source: W3C working draft, "Extended Log File Format".
var directiveShapes = [...]textShape{
	{is: hasEdgeField, about: "`#Version:` and `#Fields:` with names such as `x-edge-location`", source: "cloudfront", log: CloudFront},
	{is: hasUsageField, about: "`#Version:` and `#Fields:` with `UsageType`", source: "ec2", log: EC2Spot},
}

// lineShapes are tried from top to bottom on the first line of an object, which may be cut short; textShapes come before
// them.
var lineShapes = [...]textShape{
	{is: isFlowHeader, about: "names of fields, such as `srcaddr` and `log-status`", source: "vpc", log: VPCFlow},
	{is: isAcceleratorHeader, about: "names of fields, of which the second is `aws_account_id` and the third `accelerator_id`", source: sourceUnknownObject, service: acceleratorService, log: GlobalAccelerator},
	{is: isApplicationLine, about: "`<type> <time> app/…`", source: "elb", log: ALB},
	{is: isNetworkLine, about: "`tls <version> <time> net/…`", source: "elb", log: NLB},
	{is: isClassicLine, about: "`<time> <name> <client:port> <backend:port> <seconds> <seconds> <seconds> …` with a quote before the 12th column", source: "elb", log: CLB},
	{is: isAccessLine, about: "`<64 hex digits> <bucket> [<time>] …`", source: sourceUnknownObject, log: S3Access},
	{is: isActivityLine, about: "`'<time> UTC [ db=…`", source: "redshift", log: Redshift},
	{is: isConnectionLine, about: "values between `|`, of which the second is a time such as `Thu, 1 Feb 2024 00:00:00:482`", source: "redshift", log: Redshift},
	{is: isUserLine, about: "11 values or more between `|`, of which the 11th is a time such as `Thu, 1 Feb 2024 00:00:00:482`", source: "redshift", log: Redshift},
	{is: isRealtimeLine, about: "10 or more tab-separated values, of which the first is epoch seconds with 3 decimals", source: "cloudfront", log: CloudFrontRealtime},
}

// acceleratorService is the service of Global Accelerator, whose source has no name of its own.
const acceleratorService = "globalaccelerator"

// sniffObject returns what the beginning of an object tells, all of it "" when it tells nothing.
func sniffObject(head []byte) (source, service string, log Log) {
	head = bytes.TrimSpace(head[:min(len(head), maxHeadBytes)])
	if len(head) == 0 {
		return "", "", ""
	}
	var s *textShape
	switch head[0] {
	case '{':
		if s = shapeOf(head, documentShapes[:]); s == nil {
			shape := sniffJSON(head, true)
			return shape.source, "", shape.log
		}
	case '#':
		s = shapeOf(fieldNames(head), directiveShapes[:])
	default:
		line, _, _ := bytes.Cut(head, []byte("\n"))
		line = bytes.TrimSpace(line)
		if s = shapeOf(line, textShapes[:]); s == nil {
			s = shapeOf(line, lineShapes[:])
		}
	}
	if s == nil {
		return "", "", ""
	}
	return s.source, s.service, s.log
}

// isTrailDocument knows CloudTrail by the first of its records, of which big request parameters may cut off the end. Notices
// of other services have Records as well; theirs call their source aws:<service>.
func isTrailDocument(head []byte) bool {
	records, ok := afterTokens(head, "{", `"Records"`, ":", "[")
	if !ok {
		return false
	}
	var versioned, timed bool
	members := jsonwalk.Object(records)
	for members.Next() {
		switch string(members.Name()) {
		case "eventVersion":
			versioned = true
		case "eventTime":
			timed = true
		case "eventSource":
			if bytes.HasPrefix(members.Value(), []byte(`"aws:`)) {
				return false
			}
		}
	}
	return versioned && timed
}

// isInsightDocument knows a document of Insights events by the first of them.
func isInsightDocument(head []byte) bool {
	records, ok := afterTokens(head, "{", `"Records"`, ":", "[")
	if !ok || !isTrailDocument(head) {
		return false
	}
	members := jsonwalk.Object(records)
	for members.Next() {
		if string(members.Name()) == "eventType" && string(members.Value()) == `"AwsCloudTrailInsight"` {
			return true
		}
	}
	return false
}

// isWrappedFlowLine knows a JSON object that has one member, called message, with a line of a VPC flow log in it.
func isWrappedFlowLine(head []byte) bool {
	members := jsonwalk.Object(head)
	if !members.Next() || string(members.Name()) != "message" {
		return false
	}
	text, ok := jsonwalk.Text(members.Value())
	return ok && !members.Next() && isFlowLine(bytes.TrimSpace(text))
}

// fieldNames returns the names of the fields of a log that begins with the lines "#Version: 1.0" and "#Fields: …"; nil when
// it does not.
func fieldNames(head []byte) []byte {
	if !bytes.HasPrefix(head, []byte("#Version:")) {
		return nil
	}
	_, names, ok := bytes.Cut(head, []byte("\n#Fields:"))
	if !ok {
		return nil
	}
	names, _, _ = bytes.Cut(names, []byte("\n"))
	return names
}

func hasEdgeField(names []byte) bool { return bytes.Contains(names, []byte("x-edge-")) }

func hasUsageField(names []byte) bool { return bytes.Contains(names, []byte("UsageType")) }

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

// isConnectionLine knows the connection log of Redshift: "authenticated |Thu, 1 Feb 2024 00:00:00:490|::ffff:10.0.0.2 |…".
func isConnectionLine(line []byte) bool {
	const columns = 15 // at least
	_, rest, ok := bytes.Cut(line, []byte("|"))
	return ok && isRedshiftTime(rest) && bytes.Count(line, []byte("|")) >= columns-1
}

// isUserLine knows the user log of Redshift: "100 |awsuser | |alter|1|1|0|infinity |32453|1861|Thu, 1 Feb 2024 00:00:02:111".
func isUserLine(line []byte) bool {
	const before = 10 // columns
	for range before {
		var ok bool
		if _, line, ok = bytes.Cut(line, []byte("|")); !ok {
			return false
		}
	}
	return isRedshiftTime(line)
}

// isRedshiftTime knows what begins with a time such as "Thu, 1 Feb 2024 00:00:00:482".
func isRedshiftTime(text []byte) bool {
	return matches(text, "???, d ??? dddd dd:dd:dd:ddd") || matches(text, "???, dd ??? dddd dd:dd:dd:ddd")
}

// isRealtimeLine knows a line of CloudFront's real-time logs, whose first column a user may have left out: it is none then.
func isRealtimeLine(line []byte) bool {
	const columns = 10
	return matches(line, "dddddddddd.ddd\t") && bytes.Count(line, []byte("\t")) >= columns-1
}

// afterTokens returns what follows these tokens of JSON, between which there may be white space.
func afterTokens(head []byte, tokens ...string) (rest []byte, ok bool) {
	for _, token := range tokens {
		if head, ok = bytes.CutPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte(token)); !ok {
			return nil, false
		}
	}
	return head, true
}
