package datadog

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/internal/record"
)

// appendHead appends the start of an item: what all records of an origin share, up to a comma.
func appendHead(dst []byte, o *record.Origin, tags record.Tags) []byte {
	dst = append(dst, `{"ddsourcecategory":"aws"`...)
	dst = appendMember(dst, "ddsource", o.Source)
	dst = appendMember(dst, "ddtags", JoinTags(tags))
	dst = appendMember(dst, "service", o.Service)
	dst = appendMember(dst, "host", o.Host)
	dst = append(dst, `,"aws":{`...)
	start := len(dst)
	switch o.Kind {
	case record.CloudWatch:
		dst = appendObject(dst, "awslogs", "logGroup", o.LogGroup, "logStream", o.LogStream, "owner", o.Owner)
	case record.Kinesis:
		dst = appendObject(dst, "kinesis", "streamArn", o.StreamARN)
	case record.Firehose:
		dst = appendObject(dst, "firehose", "streamArn", o.StreamARN)
	case record.SQS:
		dst = appendObject(dst, "sqs", "queueArn", o.StreamARN)
	case record.SNS:
		dst = appendObject(dst, "sns", "topicArn", o.StreamARN)
	case record.S3, record.EventBridge:
	}
	if o.Key != "" { // also of subscription payloads that Firehose has kept in an object
		dst = appendObject(dst, "s3", "bucket", o.Bucket, "key", o.Key)
	}
	dst = appendMember(dst, "invoked_function_arn", o.FunctionARN)
	if o.FunctionVersion != "$LATEST" {
		dst = appendMember(dst, "function_version", o.FunctionVersion)
	}
	if len(dst) > start && dst[start] == ',' {
		dst = append(dst[:start], dst[start+1:]...)
	}
	dst = append(dst, '}')
	if o.LambdaARN != "" {
		dst = appendObject(dst, "lambda", "arn", o.LambdaARN)
	}
	return append(dst, ',')
}

// appendMember appends `,"name":"value"`, or nothing when there is no value. What is no UTF-8 becomes U+FFFD: names of
// streams and functions come from envelopes that nobody has validated.
func appendMember(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":"`...)
	dst = record.AppendEscaped(dst, strings.ToValidUTF8(value, "\uFFFD"))
	return append(dst, '"')
}

// appendObject appends `,"name":{…}` with pairs of names and values; those without a value are left out.
func appendObject(dst []byte, name string, pairs ...string) []byte {
	dst = append(append(append(dst, `,"`...), name...), `":{`...)
	start := len(dst)
	for i := 0; i+1 < len(pairs); i += 2 {
		dst = appendMember(dst, pairs[i], pairs[i+1])
	}
	if len(dst) > start {
		dst = append(dst[:start], dst[start+1:]...)
	}
	return append(dst, '}')
}

// maxTagRunes is the longest tag Datadog keeps (https://docs.datadoghq.com/getting_started/tagging/).
const maxTagRunes = 200

// JoinTags writes tags as the `ddtags` member wants them: `key:value` joined by commas, with what Datadog does not take
// in a tag replaced by an underscore, so that no value can end a tag or start another one.
func JoinTags(tags record.Tags) string {
	var b strings.Builder
	for _, tag := range tags {
		text := cleanTag(tag.String())
		if text == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(text)
	}
	return b.String()
}

// cleanTag keeps letters, digits and `_-:./`, and at most 200 characters.
func cleanTag(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-:./", r) {
			return r
		}
		return '_'
	}, strings.TrimSpace(text))
	if utf8.RuneCountInString(text) > maxTagRunes {
		text = string([]rune(text)[:maxTagRunes])
	}
	return text
}
