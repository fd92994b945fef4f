package service_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/service"
)

func TestCoarseObject(t *testing.T) {
	for name, tc := range map[string]struct{ key, source string }{
		"CloudTrail":                     {"AWSLogs/123456789012/CloudTrail/us-east-2/2024/02/01/123456789012_CloudTrail_us-east-2_20240201T0005Z_Mu0K.json.gz", "cloudtrail"},
		"CloudTrail digest":              {"x/123456789012_CloudTrail-Digest_us-east-2_my-trail_us-east-2_20240201T150131Z.json.gz", "cloudtrail"},
		"CloudTrail Insight":             {"x/123456789012_CloudTrail-Insight_us-gov-west-1_20240201T0005Z_Mu0K.json.gz", "cloudtrail"},
		"CloudTrail, China":              {"x/123456789012_CloudTrail_cn-north-1_20240201T0005Z_Mu0K.json.gz", "cloudtrail"},
		"CloudTrail, upper case":         {"X/123456789012_CLOUDTRAIL_US-EAST-2_20240201T0005Z_MU0K.JSON.GZ", "cloudtrail"},
		"CloudTrail, second mark counts": {"x/1_CloudTrail_2_CloudTrail_us-east-2_20240201T0005Z_Mu0K.json.gz", "cloudtrail"},
		"CloudTrail without a time":      {"x/123456789012_CloudTrail_us-east-2_Mu0K.json.gz", "s3"},
		"CloudTrail not compressed":      {"x/123456789012_CloudTrail_us-east-2_20240201T0005Z_Mu0K.json", "s3"},
		"CloudTrail without an account":  {"x/_CloudTrail_us-east-2_20240201T0005Z_Mu0K.json.gz", "s3"},
		"CloudTrail's name in a folder":  {"123456789012_CloudTrail_us-east-2_20240201T0005Z_a.json.gz/x", "s3"},
		"CloudTrail in two folders":      {"CloudTrail/us-east-2/events.json.gz", "s3"},
		"WAF through Firehose":           {"2024/02/01/00/AWS-WAF-Logs-x-1", "waf"},
		"WAF":                            {"AWSLogs/123456789012/WAFLogs/us-east-2/acl/x.log.gz", "waf"},
		"Kinesis":                        {"amazon_kinesis/2024/x", "kinesis"},
		"WAF before Kinesis":             {"amazon_kinesis/aws-waf-logs-x", "waf"},
		"ALB":                            {"AWSLogs/123456789012/elasticloadbalancing/us-east-2/2024/02/01/x.log.gz", "s3"},
		"empty key":                      {"", "s3"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.source, service.CoarseObject(tc.key))
		})
	}
}

// The Forwarder's own regular expression is the oracle.
func FuzzCoarseObject(f *testing.F) {
	trail := regexp.MustCompile(`(?i)[0-9]+_CloudTrail(|-Digest|-Insight)_\w{2}(|-gov|-cn)-\w{4,9}-\d_(|.+)\d{8}T\d{4,6}Z(|.+).json.gz`)
	f.Add("123456789012_CloudTrail_us-east-2_20240201T0005Z_Mu0KsOhtH1ar15ZZ.json.gz")
	f.Add("1_CloudTrail-Digest_us-gov-west-1_t_20240201T150131Z.json.gz")
	f.Add("1_CloudTrail__cn-cn-__north_-1_0_1_cloudtrail_aa-bbbb-1_000000000t0000000z00000000t0000z\xffjson\u00e9gz")
	f.Add("a\nb_cloudtrail")
	f.Fuzz(func(t *testing.T, key string) {
		name := key[strings.LastIndexByte(key, '/')+1:]
		assert.Equal(t, trail.MatchString(strings.ToLower(name)), service.CoarseObject(key) == "cloudtrail")
	})
}
