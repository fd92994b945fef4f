package service

import "strings"

// A streamRule gives the log of the records of a Kinesis or Firehose stream that is named so.
type streamRule struct {
	name   string // the stream's name starts with this
	source string
	log    Log
}

// streamRules are tried from top to bottom. These services write only into streams called so.
var streamRules = [...]streamRule{
	{name: "aws-waf-logs-", source: "waf", log: WAF},
	{name: "amazon-apigateway-", source: "apigateway", log: APIGatewayAccess},
}

// FromStream tells who wrote a plain record of a Kinesis or Firehose stream: by the stream's name, and only if that does not
// tell, by the record, which is what an S3 object may hold. arn is that of the stream, or its name. first is the beginning
// of the record, or of the first of several, of which up to 64 KiB are looked at; nil when the caller has none. FromStream
// keeps neither and allocates nothing.
//
// Unlike that of other identities, Source is empty when neither tells: what is in a stream of a user's choice is the user's.
func FromStream(arn string, first []byte) Identity {
	_, name, ok := strings.Cut(arn, "/")
	if !ok {
		name = arn
	}
	for i := range streamRules {
		if _, ok := cutPrefixFold(name, streamRules[i].name); ok {
			return Identity{Source: streamRules[i].source, Log: streamRules[i].log}
		}
	}
	source, service, log := sniffObject(first)
	return Identity{Source: source, Service: service, Log: log}
}

// An eventRule gives the log of the events of one source.
type eventRule struct {
	event  string // the source of the event
	source string
	log    Log
}

var eventRules = [...]eventRule{
	{event: "aws.guardduty", source: "guardduty", log: GuardDuty},
	{event: "aws.securityhub", source: "securityhub", log: SecurityHub},
}

// FromEvent tells who wrote an event of EventBridge by its member source, such as "aws.ec2": the service is what stands
// behind the first dot, up to the next. Without one the source is "cloudwatch". The Datadog Forwarder names them so.
func FromEvent(source string) Identity {
	for i := range eventRules {
		if eventRules[i].event == source {
			return Identity{Source: eventRules[i].source, Log: eventRules[i].log}
		}
	}
	_, rest, _ := strings.Cut(source, ".")
	if rest, _, _ = strings.Cut(rest, "."); rest != "" {
		return Identity{Source: rest}
	}
	return Identity{Source: sourceUnknown}
}
