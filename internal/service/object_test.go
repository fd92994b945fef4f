package service_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/service"
)

func TestObjectFromKey(t *testing.T) {
	const (
		acct   = "123456789012"
		region = "us-east-2"
		trail  = "AWSLogs/123456789012/CloudTrail/us-east-2/2024/02/01/123456789012_CloudTrail_us-east-2_20240201T0005Z_Mu0KsOhtH1ar15ZZ.json.gz"
		lb     = "AWSLogs/123456789012/elasticloadbalancing/us-east-2/2024/02/01/"
		hive   = "aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-2/year=2024/month=02/day=01/hour=05/"
		task   = "0a1b2c3d-1111-2222-3333-444455556666"
	)
	for name, tc := range map[string]struct {
		key  string
		want service.Object
	}{
		"CloudTrail":                          {trail, service.Object{Source: "cloudtrail", Log: service.CloudTrail, Account: acct, Region: region}},
		"CloudTrail below a prefix":           {"org/audit/" + trail, service.Object{Source: "cloudtrail", Log: service.CloudTrail, Account: acct, Region: region}},
		"CloudTrail below a slash":            {"/" + trail, service.Object{Source: "cloudtrail", Log: service.CloudTrail, Account: acct, Region: region}},
		"CloudTrail of an organization":       {strings.Replace(trail, "AWSLogs/", "AWSLogs/o-exampleorgid/", 1), service.Object{Source: "cloudtrail", Log: service.CloudTrail, Account: acct, Region: region}},
		"CloudTrail in lower case":            {strings.ToLower(trail), service.Object{Source: "cloudtrail", Log: service.CloudTrail, Account: acct, Region: region}},
		"CloudTrail, GovCloud":                {strings.ReplaceAll(trail, region, "us-gov-west-1"), service.Object{Source: "cloudtrail", Log: service.CloudTrail, Account: acct, Region: "us-gov-west-1"}},
		"CloudTrail, file moved elsewhere":    {"moved/123456789012_CloudTrail_us-east-2_20240201T0005Z_Mu0K.json.gz", service.Object{Source: "cloudtrail", Log: service.CloudTrail, Account: acct, Region: region}},
		"CloudTrail, folder alone":            {"cloudtrail/2024/events.json", service.Object{Source: "cloudtrail", Log: service.CloudTrail}},
		"CloudTrail of another kind":          {strings.ReplaceAll(trail, "CloudTrail", "CloudTrail-Aggregated"), service.Object{Source: "cloudtrail", Log: service.CloudTrail, Account: acct, Region: region}},
		"CloudTrail Insight":                  {strings.ReplaceAll(trail, "CloudTrail", "CloudTrail-Insight"), service.Object{Source: "cloudtrail", Log: service.CloudTrailInsight, Account: acct, Region: region}},
		"CloudTrail Insight, file moved":      {"moved/123456789012_CloudTrail-Insight_us-east-2_20240201T0005Z_Mu0K.json.gz", service.Object{Source: "cloudtrail", Log: service.CloudTrailInsight, Account: acct, Region: region}},
		"CloudTrail Insight, folder alone":    {"cloudtrail-insight/x.json.gz", service.Object{Source: "cloudtrail", Log: service.CloudTrailInsight}},
		"Resolver, file moved elsewhere":      {"dns/vpc-0a1b_vpcdnsquerylogs_123456789012_20240201T0005Z_1a2b3c4d.log.gz", service.Object{Source: "route53", Log: service.Route53Resolver}},
		"Resolver, folder alone":              {"p/vpcdnsquerylogs/x.log.gz", service.Object{Source: "route53", Log: service.Route53Resolver}},
		"WAF, file moved elsewhere":           {"acl/123456789012_waflogs_us-east-2_TEST-WEBACL_20240201T0000Z_e0ca43b5.log.gz", service.Object{Source: "waf", Log: service.WAF, Account: acct, Region: region}},
		"WAF, folder alone":                   {"p/WAFLogs/x.log.gz", service.Object{Source: "waf", Log: service.WAF}},
		"Network Firewall, file moved":        {"fw/123456789012_network-firewall_alert_us-east-2_edge_202402010005_fe12.log.gz", service.Object{Source: "network-firewall", Log: service.NetworkFirewall, Account: acct}},
		"Network Firewall, folder alone":      {"p/network-firewall/x.log.gz", service.Object{Source: "network-firewall", Log: service.NetworkFirewall}},
		"Global Accelerator, file moved":      {"ga/123456789012_globalaccelerator_1234abcd-abcd-1234-abcd-1234abcdefgh_20240201T0005Z_1fb1234.log.gz", service.Object{Source: "s3", Service: "globalaccelerator", Log: service.GlobalAccelerator, Account: acct}},
		"Global Accelerator, folder alone":    {"p/globalaccelerator/x.log.gz", service.Object{Source: "s3", Service: "globalaccelerator", Log: service.GlobalAccelerator}},
		"Redshift, file moved elsewhere":      {"dwh/123456789012_redshift_us-east-2_dwh_useractivitylog_2024-02-01T00:05.gz", service.Object{Source: "redshift", Log: service.Redshift, Account: acct, Region: region}},
		"Redshift, folder alone":              {"p/redshift/x.gz", service.Object{Source: "redshift", Log: service.Redshift}},
		"CloudTrail digest":                   {"AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2015/08/17/111122223333_CloudTrail-Digest_us-east-2_your-trail-name_us-east-2_20150817T150131Z.json.gz", service.Object{Source: "cloudtrail", Log: service.CloudTrailDigest, Account: "111122223333", Region: region, NotALog: true}},
		"folder called digest loses no log":   {"cloudtrail-digest/app.log", service.Object{Source: "s3"}},
		"word CloudTrail inside a name":       {"my-cloudtrails/app.log", service.Object{Source: "s3"}},
		"VPC flow log":                        {"AWSLogs/123456789012/vpcflowlogs/us-east-2/2024/02/01/123456789012_vpcflowlogs_us-east-2_fl-1234abcd_20240201T0005Z_fe123456.log.gz", service.Object{Source: "vpc", Log: service.VPCFlow, Account: acct, Region: region}},
		"VPC flow log, hour and Parquet":      {"AWSLogs/123456789012/vpcflowlogs/us-east-2/2024/02/01/05/123456789012_vpcflowlogs_us-east-2_fl-1234abcd_20240201T0005Z_fe123456.log.parquet", service.Object{Source: "vpc", Log: service.VPCFlow, Account: acct, Region: region}},
		"VPC flow log, Hive style":            {"p/AWSLogs/" + hive + "123456789012_vpcflowlogs_us-east-2_fl-1234abcd_20240201T0005Z_fe123456.log.gz", service.Object{Source: "vpc", Log: service.VPCFlow, Account: acct, Region: region}},
		"VPC flow log, account elsewhere":     {"flows/aws-service=vpcflowlogs/x.log.gz", service.Object{Source: "vpc", Log: service.VPCFlow}},
		"VPC flow log, file moved elsewhere":  {"flows/123456789012_vpcflowlogs_us-east-2_fl-1234abcd_20240201T0005Z_fe123456.log.gz", service.Object{Source: "vpc", Log: service.VPCFlow, Account: acct, Region: region}},
		"Resolver":                            {"AWSLogs/123456789012/vpcdnsquerylogs/vpc-0a1b/2024/02/01/vpc-0a1b_vpcdnsquerylogs_123456789012_20240201T0005Z_1a2b3c4d.log.gz", service.Object{Source: "route53", Log: service.Route53Resolver, Account: acct}},
		"WAF":                                 {"AWSLogs/12345678901/WAFLogs/us-east-2/TEST-WEBACL/2024/02/01/00/00/12345678901_waflogs_us-east-2_TEST-WEBACL_20240201T0000Z_e0ca43b5.log.gz", service.Object{Source: "waf", Log: service.WAF, Account: "12345678901", Region: region}},
		"WAF of CloudFront":                   {"AWSLogs/123456789012/WAFLogs/cloudfront/eu-acl-1/2024/02/01/00/00/123456789012_waflogs_cloudfront_eu-acl-1_20240201T0000Z_e0ca43b5.log.gz", service.Object{Source: "waf", Log: service.WAF, Account: acct}},
		"WAF, web ACL called CloudTrail":      {"AWSLogs/123456789012/WAFLogs/us-east-2/CloudTrail/2024/02/01/00/00/123456789012_waflogs_us-east-2_CloudTrail_20240201T0000Z_e0ca43b5.log.gz", service.Object{Source: "waf", Log: service.WAF, Account: acct, Region: region}},
		"WAF through Firehose":                {"2024/02/01/00/aws-waf-logs-x-1-2024-02-01-00-05-10-b17ffab8-ab6f-4c9f-a2d1-6f7fca8fdb77", service.Object{Source: "waf", Log: service.WAF}},
		"Network Firewall alert":              {"AWSLogs/123456789012/network-firewall/alert/us-east-2/edge/2024/02/01/00/123456789012_network-firewall_alert_us-east-2_edge_202402010005_fe12.log.gz", service.Object{Source: "network-firewall", Log: service.NetworkFirewall, Account: acct, Region: region}},
		"Network Firewall TLS, guide's time":  {"AWSLogs/123456789012/network-firewall/tls/us-east-2/edge/2024/02/01/00/123456789012_network-firewall_tls_us-east-2_edge_20240201T0005Z_fe12.log.gz", service.Object{Source: "network-firewall", Log: service.NetworkFirewall, Account: acct, Region: region}},
		"Network Firewall called GuardDuty":   {"AWSLogs/123456789012/network-firewall/flow/us-east-2/GuardDuty/2024/02/01/00/f.log.gz", service.Object{Source: "network-firewall", Log: service.NetworkFirewall, Account: acct, Region: region}},
		"Global Accelerator":                  {"AWSLogs/123456789012/globalaccelerator/us-west-2/2024/02/01/123456789012_globalaccelerator_1234abcd-abcd-1234-abcd-1234abcdefgh_20240201T0005Z_1fb1234.log.gz", service.Object{Source: "s3", Service: "globalaccelerator", Log: service.GlobalAccelerator, Account: acct, Region: "us-west-2"}},
		"Global Accelerator, flow log id":     {"AWSLogs/123456789012/globalaccelerator/us-west-2/2024/02/01/123456789012_globalaccelerator_1234abcd_fl-12_20240201T0005Z_1fb1234.log.gz", service.Object{Source: "s3", Service: "globalaccelerator", Log: service.GlobalAccelerator, Account: acct, Region: "us-west-2"}},
		"MSK broker":                          {"msk/AWSLogs/123456789012/KafkaBrokerLogs/us-east-2/orders-0a1b2c3d/2024-02-01-00/Broker-1_00-05_abc123.log.gz", service.Object{Source: "msk", Log: service.MSKBroker, Account: acct, Region: region}},
		"MSK Connect":                         {"AWSLogs/123456789012/KafkaConnectLogs/us-east-2/sink/2024-02-01-00/x.log.gz", service.Object{Source: "msk", Log: service.MSKConnect, Account: acct, Region: region}},
		"GuardDuty":                           {"AWSLogs/123456789012/GuardDuty/us-east-2/2024/02/01/0a1b2c3d-1111-2222-3333-444455556666.jsonl.gz", service.Object{Source: "guardduty", Log: service.GuardDuty, Account: acct, Region: region}},
		"Redshift, colon in the key":          {"AWSLogs/123456789012/redshift/us-east-2/2024/02/01/123456789012_redshift_us-east-2_dwh_useractivitylog_2024-02-01T00:05.gz", service.Object{Source: "redshift", Log: service.Redshift, Account: acct, Region: region}},
		"ALB":                                 {lb + "123456789012_elasticloadbalancing_us-east-2_app.edge.0123456789abcdef_20240201T0005Z_172.160.001.192_20sg8hgm.log.gz", service.Object{Source: "elb", Log: service.ALB, Account: acct, Region: region}},
		"ALB below another service's word":    {"redshift/" + lb + "123456789012_elasticloadbalancing_us-east-2_app.edge.0123456789abcdef_20240201T0005Z_192.0.2.1_20sg8hgm.log.gz", service.Object{Source: "elb", Log: service.ALB, Account: acct, Region: region}},
		"ALB, file moved elsewhere":           {"123456789012_elasticloadbalancing_us-east-2_app.edge.0123456789abcdef_20240201T0005Z_192.0.2.1_20sg8hgm.log.gz", service.Object{Source: "elb", Log: service.ALB, Account: acct, Region: region}},
		"ALB connections":                     {lb + "conn_log_123456789012_elasticloadbalancing_us-east-2_app.edge.0123456789abcdef_20240201T0005Z_192.0.2.1_20sg8hgm.log.gz", service.Object{Source: "elb", Log: service.ELBConnection, Account: acct, Region: region}},
		"ALB connections, dot":                {lb + "conn_log.123456789012_elasticloadbalancing_us-east-2_app.edge.0123456789abcdef_20240201T0005Z_192.0.2.1_20sg8hgm.log.gz", service.Object{Source: "elb", Log: service.ELBConnection, Account: acct, Region: region}},
		"ALB health checks":                   {lb + "health_check_log_123456789012_elasticloadbalancing_us-east-2_app.edge.0123456789abcdef_20240201T0005Z_192.0.2.1_20sg8hgm.log.gz", service.Object{Source: "elb", Log: service.ELBHealthCheck, Account: acct, Region: region}},
		"NLB":                                 {lb + "123456789012_elasticloadbalancing_us-east-2_net.edge.0123456789abcdef_20240201T0005Z_6e7c8aa1.log.gz", service.Object{Source: "elb", Log: service.NLB, Account: acct, Region: region}},
		"CLB":                                 {lb + "123456789012_elasticloadbalancing_us-east-2_shop_20240201T0005Z_172.160.001.192_20sg8hgm.log", service.Object{Source: "elb", Log: service.CLB, Account: acct, Region: region}},
		"CLB called redshift":                 {lb + "123456789012_elasticloadbalancing_us-east-2_redshift_20240201T0005Z_192.0.2.1_20sg8hgm.log", service.Object{Source: "elb", Log: service.CLB, Account: acct, Region: region}},
		"Config history":                      {"AWSLogs/123456789012/Config/us-east-2/2024/2/1/ConfigHistory/123456789012_Config_us-east-2_ConfigHistory_AWS::EC2::Volume_20240201T000000Z_20240201T055959Z_1.json.gz", service.Object{Source: "config", Log: service.Config, Account: acct, Region: region}},
		"Config snapshot":                     {"AWSLogs/123456789012/Config/us-east-2/2024/2/1/ConfigSnapshot/123456789012_Config_us-east-2_ConfigSnapshot_20240201T000000Z_0a1b.json.gz", service.Object{Source: "config", Log: service.Config, Account: acct, Region: region}},
		"Config, change too big for a notice": {"AWSLogs/123456789012/Config/us-east-2/2024/2/1/OversizedChangeNotification/AWS::EC2::Volume/123456789012_Config_us-east-2_ChangeNotification_AWS::EC2::Volume_vol-1_20240201T000000Z_1.json.gz", service.Object{Source: "config", Account: acct, Region: region}},
		"folder of an application's config":   {"config/app.log", service.Object{Source: "s3"}},
		"API Gateway through Firehose":        {"2024/02/01/00/amazon-apigateway-shop-1-2024-02-01-00-05-10-b17ffab8-ab6f-4c9f-a2d1-6f7fca8fdb77", service.Object{Source: "apigateway", Log: service.APIGatewayAccess}},
		"CloudFront":                          {"cdn/EMLARXS9EXAMPLE.2024-02-01-20.RT4KCN4SGK9.gz", service.Object{Source: "cloudfront", Log: service.CloudFront}},
		"CloudFront, id of 8 digits":          {"EMLARXS9EXAMPLE.2024-02-01-20.0a1b2c3d.gz", service.Object{Source: "cloudfront", Log: service.CloudFront}},
		"CloudFront below AWSLogs":            {"AWSLogs/123456789012/CloudFront/EMLARXS9EXAMPLE.2024-02-01-20.0a1b2c3d.gz", service.Object{Source: "cloudfront", Log: service.CloudFront, Account: acct}},
		"Spot":                                {"spot/123456789012.2024-02-01-20.001.b959dbc6.gz", service.Object{Source: "ec2", Log: service.EC2Spot, Account: acct}},
		"S3 access":                           {"logs/2024-02-01-00-01-57-3E57427F33A59F07", service.Object{Source: "s3", Log: service.S3Access}},
		"S3 access, prefix without a slash":   {"mybucket-access2024-02-01-00-01-57-3E57427F33A59F07", service.Object{Source: "s3", Log: service.S3Access}},
		"S3 access by date":                   {"logs/123456789012/us-east-2/shop/2024/02/01/2024-02-01-00-01-57-3E57427F33A59F07", service.Object{Source: "s3", Log: service.S3Access, Account: acct, Region: region}},
		"S3 access by date, at the start":     {"123456789012/us-east-2/shop/2024/02/01/2024-02-01-00-01-57-3E57427F33A59F07", service.Object{Source: "s3", Log: service.S3Access, Account: acct, Region: region}},
		"S3 access by date, joined prefix":    {"access123456789012/us-east-2/shop/2024/02/01/2024-02-01-00-01-57-3E57427F33A59F07", service.Object{Source: "s3", Log: service.S3Access, Account: acct, Region: region}},
		"S3 access, own folders by date":      {"shop/2024/02/01/2024-02-01-00-01-57-3E57427F33A59F07", service.Object{Source: "s3", Log: service.S3Access}},
		"Firehose's file is not S3 access":    {"2024/02/01/00/stream-1-2024-02-01-00-00-10-11111111-2222-4333-8444-555555555555", service.Object{Source: "s3"}},
		"export of a log group":               {"exportedlogs/" + task + "/main/000000.gz", service.Object{Source: "cloudwatch", Log: service.CloudWatchExport}},
		"export below a user's prefix":        {"a/b/" + task + "/2024-02-01-[$LATEST]0123/000017.gz", service.Object{Source: "cloudwatch", Log: service.CloudWatchExport}},
		"export without a stream":             {task + "/000000.gz", service.Object{Source: "s3"}},
		"test of an export":                   {"exportedlogs/aws-logs-write-test", service.Object{Source: "cloudwatch", NotALog: true}},
		"test of ELB":                         {"p/AWSLogs/123456789012/ELBAccessLogTestFile", service.Object{Source: "elb", Account: acct, NotALog: true}},
		"test of ELB's connection log":        {"AWSLogs/123456789012/ELBConnectionLogTestFile", service.Object{Source: "elb", Account: acct, NotALog: true}},
		"test of ELB's health check log":      {"AWSLogs/123456789012/ELBHealthCheckLogTestFile", service.Object{Source: "elb", Account: acct, NotALog: true}},
		"test of Config":                      {"AWSLogs/123456789012/Config/ConfigWritabilityCheckFile", service.Object{Source: "config", Account: acct, NotALog: true}},
		"test file's name inside a name":      {"copy-of-ELBAccessLogTestFile.log", service.Object{Source: "s3"}},
		"application's object":                {"shop/2024/02/01/app.log.gz", service.Object{Source: "s3"}},
		"application's object with numbers":   {"shop/123456789012/eu-west-1/app.log.gz", service.Object{Source: "s3"}},
		"AWSLogs of a service not known":      {"AWSLogs/123456789012/newservice/eusc-de-east-1/x.log.gz", service.Object{Source: "s3", Account: acct, Region: "eusc-de-east-1"}},
		"AWSLogs without an account":          {"AWSLogs/shop/CloudTrail/x.json.gz", service.Object{Source: "cloudtrail", Log: service.CloudTrail}},
		"empty key":                           {"", service.Object{Source: "s3"}},
		"slashes":                             {"///", service.Object{Source: "s3"}},
		"AWSLogs alone":                       {"AWSLogs/123456789012/", service.Object{Source: "s3", Account: acct}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, service.FromObject(tc.key, []byte(`{"webaclId":"1"}`)))
		})
	}
}

func TestKeyBeatsContent(t *testing.T) {
	got := service.FromObject("spot/123456789012.2024-02-01-20.001.b959dbc6.gz", []byte(`{"webaclId":"1","httpRequest":{}}`))
	assert.Equal(t, service.EC2Spot, got.Log)
}

// The patterns are those of the guides, as regular expressions: the oracle of the hand-written shapes.
func FuzzFromObject(f *testing.F) {
	cloudFront := regexp.MustCompile(`^(?:.*/)?[A-Z0-9]{10,20}\.\d{4}-\d{2}-\d{2}-\d{2}\.[0-9A-Za-z]+\.gz$`)
	spot := regexp.MustCompile(`^(?:.*/)?\d{12}\.\d{4}-\d{2}-\d{2}-\d{2}\.\d{3}\.[0-9A-Za-z]+\.gz$`)
	access := regexp.MustCompile(`\d{4}(?:-\d{2}){5}-[0-9A-F]+$`)
	region := regexp.MustCompile(`^[a-z]{2,4}(?:-[a-z]+)+-\d+$`)
	for _, key := range []string{
		"EMLARXS9EXAMPLE.2024-02-01-20.RT4KCN4SGK9.gz",
		"s/123456789012.2024-02-01-20.001.b959dbc6.gz",
		"p2024-02-01-00-01-57-3E57427F33A59F07",
		"AWSLogs/o-1/123456789012/network-firewall/tls/us-east-2/x/",
		"AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-2/x",
		"123456789012/us-east-2/shop/2024/02/01/2024-02-01-00-01-57-3E57427F33A59F07",
		"exportedlogs/0a1b2c3d-1111-2222-3333-444455556666/main/000000.gz",
		"conn_log._elasticloadbalancing_",
	} {
		f.Add(key, []byte(`{"Records":[{"eventVersion":"1.08","eventTime":"2024-02-01T00:00:00Z"`))
		f.Add(key, []byte("#Version: 1.0\n#Fields: date time x-edge-location\n"))
		f.Add(key, []byte("srcaddr dstaddr\n"))
	}
	f.Fuzz(func(t *testing.T, key string, head []byte) {
		before := string(head)
		got := service.FromObject(key, head)
		assert.Equal(t, before, string(head))
		assert.Equal(t, got, service.FromObject(key, head), "the same every time")
		assert.NotEmpty(t, got.Source)
		if got.Account != "" {
			assert.Regexp(t, `^\d{11,12}$`, got.Account)
		}
		if got.Region != "" {
			assert.Regexp(t, region, got.Region)
			assert.NotEmpty(t, got.Account)
		}
		switch got := service.FromObject(key, nil); got.Log {
		case service.CloudFront:
			assert.Regexp(t, cloudFront, key)
		case service.EC2Spot:
			assert.Regexp(t, spot, key)
		case service.S3Access:
			assert.Regexp(t, access, key)
		case "":
			if got.Source == "s3" && !strings.Contains(key, "\n") {
				assert.NotRegexp(t, cloudFront, key)
				assert.NotRegexp(t, spot, key)
				assert.NotRegexp(t, access, key)
			}
		default: // known by a word
		}
	})
}
