package service

import "strings"

// Coarse tells who wrote the logs of a stream with the names that the Datadog Forwarder has had since its
// version 4, for dashboards that filter by them: cloudtrail, kinesis, lambda, sns, or cloudwatch for all else. It stands in
// for FromLogGroup when SLUICE_SOURCE_NAMES is datadog-forwarder. The message is not asked, and the log not named. A
// function of Lambda@Edge keeps the region in Function and Service.
func Coarse(group, stream string) Identity {
	if function, ok := functionOfStream(stream); ok {
		return lambda(group, function)
	}
	source := coarseSource(group, stream)
	if source == sourceLambda {
		function, _ := cutPrefixFold(group, lambdaGroup)
		return lambda(group, function)
	}
	return Identity{Source: source, Host: group}
}

// coarseSource applies the Forwarder's rules for log groups, in its order. Its prefixes have no slash at their end, so that
// a group such as /aws/lambda-insights counts as Lambda.
func coarseSource(group, stream string) string {
	if strings.Contains(stream, "_CloudTrail_") {
		return "cloudtrail"
	}
	for _, r := range [...]rule{
		{group: "/aws/kinesis", source: "kinesis"},
		{group: "/aws/lambda", source: sourceLambda},
		{group: "sns/", source: "sns"},
		{word: "cloudtrail", source: "cloudtrail"},
	} {
		if r.holds(group, stream) {
			return r.source
		}
	}
	return sourceUnknown
}
