package reingest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseStream(t *testing.T) {
	for name, tc := range map[string]struct {
		arn, service, region, stream string
	}{
		"delivery stream":   {deliveryARN, "firehose", "eu-west-1", "shop-logs"},
		"Kinesis stream":    {kinesisARN, "kinesis", "us-gov-west-1", "shop.in_1"},
		"China":             {"arn:aws-cn:kinesis:cn-north-1:123456789012:stream/s", "kinesis", "cn-north-1", "s"},
		"isolated region":   {"arn:aws-iso-b:firehose:us-isob-east-1:123456789012:deliverystream/s", "firehose", "us-isob-east-1", "s"},
		"sovereign cloud":   {"arn:aws-eusc:firehose:eusc-de-east-1:123456789012:deliverystream/s", "firehose", "eusc-de-east-1", "s"},
		"two-digit region":  {"arn:aws:kinesis:ap-southeast-12:123456789012:stream/s", "kinesis", "ap-southeast-12", "s"},
		"long name":         {"arn:aws:firehose:eu-west-1:123456789012:deliverystream/" + strings.Repeat("x", 64), "firehose", "eu-west-1", strings.Repeat("x", 64)},
		"long Kinesis name": {"arn:aws:kinesis:eu-west-1:123456789012:stream/" + strings.Repeat("x", 128), "kinesis", "eu-west-1", strings.Repeat("x", 128)},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := parseStream(tc.arn)
			require.NoError(t, err)
			assert.Equal(t, tc.service, s.api.service.Name)
			assert.Equal(t, tc.region, s.region)
			assert.Equal(t, tc.stream, s.name)
			assert.Equal(t, tc.arn, s.arn)
		})
	}
}

func TestParseStreamRefuses(t *testing.T) {
	for name, arn := range map[string]string{
		"nothing":                               "",
		"a name":                                "shop-logs",
		"too few fields":                        "arn:aws:firehose:eu-west-1:123456789012",
		"no arn":                                "urn:aws:firehose:eu-west-1:123456789012:deliverystream/s",
		"another service":                       "arn:aws:logs:eu-west-1:123456789012:stream/s",
		"the resource of the other service":     "arn:aws:kinesis:eu-west-1:123456789012:deliverystream/s",
		"the service of the other resource":     "arn:aws:firehose:eu-west-1:123456789012:stream/s",
		"another partition":                     "arn:example:firehose:eu-west-1:123456789012:deliverystream/s",
		"partition that ends in a hyphen":       "arn:aws-:firehose:eu-west-1:123456789012:deliverystream/s",
		"no region":                             "arn:aws:firehose::123456789012:deliverystream/s",
		"region that is a host":                 "arn:aws:firehose:a.example.com/eu-west-1:123456789012:deliverystream/s",
		"region with a host in front":           "arn:aws:firehose:example.com#eu-west-1:123456789012:deliverystream/s",
		"region in capitals":                    "arn:aws:firehose:EU-WEST-1:123456789012:deliverystream/s",
		"region without a number":               "arn:aws:firehose:eu-west-:123456789012:deliverystream/s",
		"region with a large number":            "arn:aws:firehose:eu-west-100:123456789012:deliverystream/s",
		"region of two words":                   "arn:aws:firehose:eu-1:123456789012:deliverystream/s",
		"region with an empty word":             "arn:aws:firehose:eu--1:123456789012:deliverystream/s",
		"region longer than a label":            "arn:aws:firehose:eu-" + strings.Repeat("w", 60) + "-1:123456789012:deliverystream/s",
		"account of 11 digits":                  "arn:aws:firehose:eu-west-1:12345678901:deliverystream/s",
		"account with a letter":                 "arn:aws:firehose:eu-west-1:12345678901x:deliverystream/s",
		"no name":                               "arn:aws:firehose:eu-west-1:123456789012:deliverystream/",
		"name with a slash":                     "arn:aws:firehose:eu-west-1:123456789012:deliverystream/a/b",
		"name with a quote inside":              "arn:aws:firehose:eu-west-1:123456789012:deliverystream/a\"b",
		"consumer of a stream":                  "arn:aws:kinesis:eu-west-1:123456789012:stream/s/consumer/c:1",
		"name too long for a delivery stream":   "arn:aws:firehose:eu-west-1:123456789012:deliverystream/" + strings.Repeat("x", 65),
		"name too long for a Kinesis stream":    "arn:aws:kinesis:eu-west-1:123456789012:stream/" + strings.Repeat("x", 129),
		"white space":                           " " + deliveryARN,
		"a line feed, which is escaped":         deliveryARN + "\n",
		"a megabyte, of which little is quoted": strings.Repeat("x", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseStream(arn)
			require.ErrorContains(t, err, "want arn:<partition>:firehose:<region>:<account>:deliverystream/<name> or arn:")
			assert.Less(t, len(err.Error()), 600)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// FuzzParseStream: whatever is accepted has nothing in its region that could make another host, and its parts put together
// again are the ARN.
func FuzzParseStream(f *testing.F) {
	f.Add(deliveryARN)
	f.Add(kinesisARN)
	f.Add("arn:aws:kinesis:eu-west-1:123456789012:stream/a/b")
	f.Fuzz(func(t *testing.T, arn string) {
		s, err := parseStream(arn)
		if err != nil {
			return
		}
		require.Regexp(t, `^[a-z]+(-[a-z]+)+-[0-9]{1,2}$`, s.region)
		require.Regexp(t, `^[A-Za-z0-9_.-]+$`, s.name)
		parts := strings.Split(arn, ":")
		require.Len(t, parts, 6)
		require.Regexp(t, `^aws(-[a-z]+)*$`, parts[1])
		require.Equal(t, arn, "arn:"+parts[1]+":"+s.api.service.Name+":"+s.region+":"+parts[4]+":"+s.api.resource+s.name)
	})
}
