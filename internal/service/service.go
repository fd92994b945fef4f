// Package service answers one question: which AWS service wrote this log?
//
// The answer comes from the name of the log group, then the log stream, then the first message of a payload; for an S3
// object from its key, then its first bytes. It is looked up in tables a person can read: rules.go and object_rules.go for
// names, content.go and object_content.go for messages. It promises a source for every log, the same one for the same
// input, and no work per log: callers ask once per payload or object. An unknown log is "cloudwatch", an unknown object "s3".
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
	// Source is the AWS service, such as "lambda" or "eks"; never empty, "cloudwatch" when it is not known.
	Source string
	// Service is the name the logs go by: the function's for Lambda, the component's for EKS, such as "kube-apiserver".
	// Empty when nothing better than Source is known.
	Service string
	// Host is the log group. It is empty for a Lambda function, whose ARN is its host and the caller's to build. For
	// CloudTrail the caller prefers the EC2 instance that a record names, if it names one.
	Host string
	// Function is the Lambda function, in lower case; empty for all else.
	Function string
}

// FromLogGroup tells who wrote the logs of a stream. first is the plain text of the first message of the payload, read
// only when neither name decides; nil when the caller has none. It allocates only to lower-case a function's name.
//
// Streams whose shape only one service produces come first: several services may be set to write into one group. Letter
// case in the fixed parts of names does not matter.
func FromLogGroup(group, stream string, first []byte) Identity {
	if function, ok := functionOfStream(stream); ok {
		return lambda(group, strings.TrimPrefix(function, edgePrefix))
	}
	source, component := named(group, stream)
	if source == "" {
		source = sniff(first)
	}
	if source == "" {
		source = hinted(group)
	}
	if source == sourceLambda {
		return lambda(group, functionOfGroup(group))
	}
	return Identity{Source: source, Service: component, Host: group}
}

// lambda is the identity of a function's logs. A group below /aws/lambda/ that no function can be called after belongs to
// Lambda all the same, but has no function to build a host from.
func lambda(group, function string) Identity {
	if function == "" {
		return Identity{Source: sourceLambda, Host: group}
	}
	function = strings.ToLower(function)
	return Identity{Source: sourceLambda, Service: function, Function: function}
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
