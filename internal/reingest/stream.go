package reingest

import (
	"fmt"
	"strings"
)

// stream is where records go.
type stream struct {
	api    *api
	arn    string
	region string
	name   string
}

// parseStream reads the ARN of a delivery stream or of a Kinesis stream. The region decides to which host the records go,
// and ARNs come with events, so nothing but a region may stand there.
// Format: Service Authorization Reference, "Actions, resources, and condition keys for Amazon Kinesis Firehose" and "for
// Amazon Kinesis Data Streams".
func parseStream(arn string) (stream, error) {
	const fields = 6 // arn:partition:service:region:account:resource
	parts := strings.SplitN(arn, ":", fields)
	if len(parts) == fields && parts[0] == "arn" && isPartition(parts[1]) && isRegion(parts[3]) && isAccount(parts[4]) {
		for _, a := range []*api{&firehose, &kinesis} {
			name, found := strings.CutPrefix(parts[5], a.resource)
			if found && parts[2] == a.service.Name && isName(name, a.nameChars) {
				return stream{api: a, arn: arn, region: parts[3], name: name}, nil
			}
		}
	}
	const quoted = 256 // it may be anything
	return stream{}, fmt.Errorf("stream %q: want arn:<partition>:firehose:<region>:<account>:deliverystream/<name> or "+
		"arn:<partition>:kinesis:<region>:<account>:stream/<name>", arn[:min(len(arn), quoted)])
}

// isPartition reports whether text is like aws or aws-us-gov.
func isPartition(text string) bool {
	words := strings.Split(text, "-")
	for _, word := range words {
		if word == "" || !consistsOf(word, lowerCase) {
			return false
		}
	}
	return words[0] == "aws"
}

// isRegion reports whether text is like eu-west-1 or us-gov-east-1: words, and a number of one or two digits. A host name
// is made of it, so it is at most as long as one label of those (RFC 1035, section 2.3.4).
func isRegion(text string) bool {
	const maxLabel, minWords = 63, 3
	words := strings.Split(text, "-")
	last := len(words) - 1
	if len(text) > maxLabel || len(words) < minWords || !consistsOf(words[last], digits) {
		return false
	}
	for _, word := range words[:last] {
		if word == "" || !consistsOf(word, lowerCase) {
			return false
		}
	}
	return len(words[last]) == 1 || len(words[last]) == 2
}

func isAccount(text string) bool { return len(text) == 12 && consistsOf(text, digits) }

func isName(text string, maxChars int) bool {
	return text != "" && len(text) <= maxChars && consistsOf(text, nameCharacters)
}

const (
	digits    = "0123456789"
	lowerCase = "abcdefghijklmnopqrstuvwxyz"
	// nameCharacters make the names of both kinds of streams. Firehose API reference, "CreateDeliveryStream"; Kinesis API
	// reference, "CreateStream".
	nameCharacters = lowerCase + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + digits + "_.-"
)

func consistsOf(text, characters string) bool { return strings.Trim(text, characters) == "" }
