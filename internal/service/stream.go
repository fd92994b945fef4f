package service

import "strings"

// Bounds of the parts of a log stream that Lambda names after a function.
const (
	maxStreamFunctionBytes = 75  // a function's 64 and the mark of Lambda@Edge; as the Datadog Forwarder has it
	maxStreamVersionBytes  = 128 // a version or an alias; Lambda API, CreateAlias
	streamIDBytes          = 32  // hexadecimal digits
)

// functionOfStream returns the function that a log stream names, and whether it is such a stream. That is how Lambda names
// streams in a log group of the user's choice, which several functions may share:
//
//	2024/02/01/orders[$LATEST]0123456789abcdef0123456789abcdef
//
// Streams in a function's own group lack its name and are not meant here.
func functionOfStream(stream string) (function string, ok bool) {
	const date = "dddd/dd/dd/" // an outline: the calendar is not asked
	if !matches(stream, date) {
		return "", false
	}
	function, rest, ok := strings.Cut(stream[len(date):], "[")
	if !ok || len(function) > maxStreamFunctionBytes || !only(function, isStreamFunctionByte) {
		return "", false
	}
	version, id, ok := strings.Cut(rest, "]")
	if !ok || len(version) > maxStreamVersionBytes || version != "$LATEST" && !only(version, isNameByte) {
		return "", false
	}
	if len(id) != streamIDBytes || !only(id, isHexDigit) {
		return "", false
	}
	return function, true
}

func isFunctionStream(stream string) bool {
	_, ok := functionOfStream(stream)
	return ok
}

// isCloudTrailStream knows the streams of trails, <account>_CloudTrail_<region> with an organization before or a number
// after it, and the older spelling <account>_CloudTrail/logs_<region>.
func isCloudTrailStream(stream string) bool {
	const mark = "_CloudTrail"
	_, after, ok := strings.Cut(stream, mark)
	return ok && (strings.HasPrefix(after, "_") || strings.HasPrefix(after, "/"))
}

// isInsightStream knows the streams of Insights events.
func isInsightStream(stream string) bool { return strings.Contains(stream, "_CloudTrail-Insight_") }

// isFlowLogStream knows the streams of VPC flow logs, one for each network interface: eni-<hex>-all, -accept, -reject.
func isFlowLogStream(stream string) bool {
	rest, ok := strings.CutPrefix(stream, "eni-")
	if !ok {
		return false
	}
	id, traffic, ok := strings.Cut(rest, "-")
	return ok && only(id, isHexDigit) && (traffic == "all" || traffic == "accept" || traffic == "reject")
}

// isBrokerStream knows the streams of MSK brokers, which hold Broker-<n>.
func isBrokerStream(stream string) bool {
	_, number, ok := strings.Cut(stream, "Broker-")
	return ok && number != "" && isDigit(number[0])
}
