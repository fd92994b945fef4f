// Package service answers one question: which AWS service wrote this log?
//
// The answer comes from the name of the log group, then the log stream, then the first message of a payload; for an S3
// object from its key, then its first bytes; for a plain record of a Kinesis or Firehose stream from the stream's name, then
// the record; for an event of EventBridge from its source. It is looked up in tables a person can read: rules.go and
// object_rules.go for names, content.go and object_content.go for messages. Catalog is what they say, in words. The package
// promises a source for every log group, object and event, the same one for the same input, and no work per log: callers ask
// once per payload, object or record. An unknown log is "cloudwatch", an unknown object "s3"; a stream of a user's choice
// says nothing.
//
// It does not parse messages, look anything up at AWS, or decide by regular expression.
package service

import "strings"

// Sources that callers and this package branch on.
const (
	sourceLambda  = "lambda"
	sourceUnknown = "cloudwatch"
)

// lambdaGroup is what Lambda puts before a function's name to name its log group.
const lambdaGroup = "/aws/lambda/"

// edgePrefix is what Lambda@Edge puts before the name of a function: its replicas log in the region nearest to the viewer,
// while the function itself always lives in us-east-1.
const edgePrefix = "us-east-1."

// Identity is what a log group, stream and first message say about who wrote the log.
type Identity struct {
	// Source is the AWS service, such as "lambda" or "eks"; "cloudwatch" when it is not known, never empty but for a record
	// of a stream.
	Source string
	// Service is the name the logs go by: the function's for Lambda, the component's for EKS, such as "kube-apiserver".
	// Empty when nothing better than Source is known.
	Service string
	// Host is the log group. It is empty for a Lambda function, whose ARN is its host and the caller's to build. For
	// CloudTrail the caller prefers the EC2 instance that a record names, if it names one.
	Host string
	// Function is the Lambda function, in lower case; empty for all else.
	Function string
	// FunctionName is the Lambda function as its log spells it, without the mark of Lambda@Edge: what its ARN has.
	FunctionName string
	// Log is the shape of the lines, "" when it is not known.
	Log Log
}

// FromLogGroup tells who wrote the logs of a stream. first is the plain text of the first message of the payload, read
// only when neither name decides, or the names tell the service but not which of its logs; nil when the caller has none. It
// allocates only to lower-case a function's name.
//
// Streams whose shape only one service produces come first: several services may be set to write into one group. Letter
// case in the fixed parts of names does not matter.
func FromLogGroup(group, stream string, first []byte) Identity {
	if r := ruleOfNames(nameRules, group, stream); r != nil {
		return r.identity(group, stream, first)
	}
	if source, log := sniff(first); source != "" {
		return Identity{Source: source, Host: group, Log: log}
	}
	if r := ruleOfNames(hintRules, group, ""); r != nil {
		return Identity{Source: r.source, Host: group, Log: r.log}
	}
	return Identity{Source: sourceUnknown, Host: group}
}

// identity is what a rule that holds says about a payload.
func (r *rule) identity(group, stream string, first []byte) Identity {
	if r.source == sourceLambda {
		id := lambda(group, r.function(group, stream))
		id.Log = r.log
		return id
	}
	id := Identity{Source: r.source, Service: r.service, Host: group, Log: r.log}
	if r.several {
		if source, log := sniff(first); source == r.source && log != "" {
			id.Log = log
		}
	}
	return id
}

// function returns the function whose log a rule has found, without the mark of Lambda@Edge.
func (r *rule) function(group, stream string) string {
	if r.shape == nil {
		return functionOfGroup(group)
	}
	function, _ := functionOfStream(stream)
	return strings.TrimPrefix(function, edgePrefix)
}

// lambda is the identity of a function's logs. A group below /aws/lambda/ that no function can be called after belongs to
// Lambda all the same, but has no function to build a host from.
func lambda(group, function string) Identity {
	if function == "" {
		return Identity{Source: sourceLambda, Host: group}
	}
	lower := strings.ToLower(function)
	return Identity{
		Source: sourceLambda, Service: lower, Function: lower, FunctionName: strings.TrimPrefix(function, edgePrefix),
	}
}

// functionOfGroup returns the function that a log group is named after, without the mark of Lambda@Edge.
func functionOfGroup(group string) string {
	name, ok := cutPrefixFold(group, lambdaGroup)
	if !ok {
		return ""
	}
	if name = strings.TrimPrefix(name, edgePrefix); !only(name, isNameByte) {
		return ""
	}
	return name
}
