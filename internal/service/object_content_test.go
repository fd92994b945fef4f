package service_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/service"
)

const (
	albLine = `h2 2024-02-01T00:00:05.812345Z app/edge/0123456789abcdef 203.0.113.50:36584 10.0.3.185:9002 0.000 0.023 0.000 200 200 588 429 "POST https://api.example.com:443/v1 HTTP/2.0" "okhttp/4.12.0" TLS_AES_128_GCM_SHA256 TLSv1.3 - "Root=1-65badf05" "api.example.com" "-" 0 2024-02-01T00:00:05.789000Z "forward" "-" "-" "10.0.3.185:9002" "200" "-" "-"`
	nlbLine = `tls 2.0 2024-02-01T00:00:42 net/edge-nlb/0123456789abcdef a1b2c3d4e5f60718 203.0.113.9:50000 198.51.100.185:443 1250 31 1024 20480 - - - TLS_AES_128_GCM_SHA256 tlsv13 - api.example.com h2 - "h2","http/1.1" 2024-02-01T00:00:41`
	clbLine = `2024-02-01T23:39:43.945958Z shop 203.0.113.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/8.5.0" - -`
	s3Line  = `59a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be shop-logs [06/Feb/2024:00:00:38 +0000] 192.0.2.3 arn:aws:iam::111122223333:user/a 3E57427F3EXAMPLE REST.GET.OBJECT a%2520b "GET /shop-logs/a%2520b HTTP/1.1" 200 - 113 - 7 - "-" "a "quoted" agent" - s9lzHYrFp76= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader shop-logs.s3.us-east-2.amazonaws.com TLSv1.2 - -`
)

func TestObjectFromContent(t *testing.T) {
	for name, tc := range map[string]struct {
		head   string
		source string
		log    service.Log
	}{
		"CloudTrail":                          {`{"Records":[{"eventVersion":"1.08","userIdentity":{"type":"Root"},"eventTime":"2024-02-01T00:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"StartInstances"}]}`, "cloudtrail", service.CloudTrail},
		"CloudTrail, white space":             {" {\n \"Records\" : [ {\"eventVersion\":\"1.08\",\n\"eventTime\":\"2024-02-01T00:00:00Z\"", "cloudtrail", service.CloudTrail},
		"CloudTrail, cut in the parameters":   {`{"Records":[{"eventVersion":"1.08","eventTime":"2024-02-01T00:00:00Z","requestParameters":{"a":["` + strings.Repeat("x", 70<<10), "cloudtrail", service.CloudTrail},
		"CloudTrail Insight":                  {`{"Records":[{"eventVersion":"1.07","eventTime":"2024-02-01T00:51:00Z","awsRegion":"us-east-2","eventID":"e","eventType":"AwsCloudTrailInsight","insightDetails":{}}]}`, "cloudtrail", service.CloudTrailInsight},
		"CloudTrail record by itself":         {`{"eventVersion":"1.08","eventTime":"2024-02-01T00:00:00Z","awsRegion":"us-east-2","eventID":"e"}` + "\n", "cloudtrail", service.CloudTrail},
		"CloudTrail digest":                   {`{"awsAccountId":"111122223333","digestStartTime":"2024-02-01T14:01:31Z","digestEndTime":"2024-02-01T15:01:31Z","digestS3Bucket":"b","logFiles":[]}`, "cloudtrail", service.CloudTrailDigest},
		"S3 notification is not CloudTrail":   {`{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-2","eventTime":"2024-02-01T00:00:00.000Z"}]}`, "s3", ""},
		"Records of something else":           {`{"Records":[{"a":1}]}`, "s3", ""},
		"no Records":                          {`{"Records":[]}`, "s3", ""},
		"WAF":                                 {`{"timestamp":1706745600001,"formatVersion":1,"webaclId":"arn","httpRequest":{"clientIp":"192.0.2.44"}}`, "waf", service.WAF},
		"Network Firewall":                    {`{"firewall_name":"edge","availability_zone":"us-east-2b","event_timestamp":"1706745600","event":{}}`, "network-firewall", service.NetworkFirewall},
		"Resolver":                            {`{"version":"1.100000","account_id":"111122223333","vpc_id":"vpc-1","query_timestamp":"2024-02-01T00:00:01Z","query_name":"www.example.com.","rcode":"NOERROR"}`, "route53", service.Route53Resolver},
		"GuardDuty":                           {`{"schemaVersion":"2.0","accountId":"111122223333","type":"Recon:EC2/Portscan","resource":{},"service":{},"severity":8,"updatedAt":"2024-02-01T00:05:00.000Z"}`, "guardduty", service.GuardDuty},
		"Config, cut":                         {`{"fileVersion":"1.0","configSnapshotId":"0a","configurationItems":[{"resourceType":"AWS::EC2::Volume"`, "config", service.Config},
		"Config, whole":                       {`{"fileVersion":"1.0","configurationItems":[{"resourceType":"AWS::EC2::Volume"}]}`, "config", service.Config},
		"Config item":                         {`{"configurationItemCaptureTime":"2024-02-01T00:00:00.918Z","resourceType":"AWS::EC2::Volume"}`, "config", service.Config},
		"Evidently":                           {`{"event_timestamp":1706745600215,"event_type":"evaluation","project_arn":"arn:aws:evidently:us-east-2:123456789012:project/p","variation":"B"}`, "cloudwatch", service.Evidently},
		"Chime":                               {`{"voice_connector_id":"a","event_timestamp":1706745600000,"call_id":"c"}`, "cloudwatch", service.Chime},
		"CloudFront as JSON":                  {`{"date":"2024-02-01","time":"21:02:31","x-edge-location":"LAX1","x-edge-request-id":"r"}`, "cloudfront", service.CloudFront},
		"Step Functions":                      {`{"id":"1","type":"ExecutionStarted","event_timestamp":"1706745600123","execution_arn":"arn"}`, "stepfunction", service.StepFunctions},
		"JSON of an application":              {`{"level":"info","message":"x"}`, "s3", ""},
		"flow line wrapped for Firehose":      {`{"message":"2 123456789012 eni-1235b8ca 192.0.2.139 192.0.2.21 20641 22 6 20 4249 1706745600 1706745660 ACCEPT OK"}` + "\n", "vpc", service.VPCFlow},
		"message of another kind":             {`{"message":"hello"}`, "s3", ""},
		"CloudFront":                          {"#Version: 1.0\n#Fields: date time x-edge-location sc-bytes\n2024-02-01\t21:02:31\tLAX1\t392\n", "cloudfront", service.CloudFront},
		"CloudFront, CRLF":                    {"#Version: 1.0\r\n#Fields: date time x-edge-location sc-bytes\r\n", "cloudfront", service.CloudFront},
		"Spot":                                {"#Version: 1.0\n#Fields: Timestamp UsageType Operation InstanceID\n2024-02-01 20:00:00 UTC\tSpotUsage\n", "ec2", service.EC2Spot},
		"extended log format of another kind": {"#Version: 1.0\n#Fields: date time s-ip\n", "s3", ""},
		"version without fields":              {"#Version: 1.0\n", "s3", ""},
		"comment":                             {"# hello\n", "s3", ""},
		"VPC header":                          {"version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n", "vpc", service.VPCFlow},
		"VPC header, custom":                  {"end dstaddr srcaddr\n1706745600 192.0.2.1 192.0.2.2\n", "vpc", service.VPCFlow},
		"VPC header of a transit gateway":     {"version resource-type account-id tgw-id tgw-attachment-id srcaddr\n", "vpc", service.VPCFlow},
		"header with one of its words":        {"time srcaddr action\n", "s3", ""},
		"VPC line":                            {"2 123456789012 eni-1235b8ca - - - - - - - 1706745600 1706745660 - NODATA\n2 more", "vpc", service.VPCFlow},
		"Global Accelerator":                  {"version aws_account_id accelerator_id client_ip client_port\n1.0 123456789012 1234abcd 203.0.113.21 40112\n", "s3", service.GlobalAccelerator},
		"MSK Connect":                         {"[Worker-0bb8afa0b01391c41] [2024-02-01 16:02:54,151] WARN x (org.apache.kafka.clients.NetworkClient:782)\n", "msk", service.MSKConnect},
		"MSK broker":                          {"[2024-02-01 00:00:00,151] INFO x (kafka.coordinator.group.GroupCoordinator)\n", "msk", service.MSKBroker},
		"log4j of another program":            {"[2024-02-01 00:00:00,151] INFO x (com.example.Orders)\n", "s3", ""},
		"ALB":                                 {albLine + "\n", "elb", service.ALB},
		"NLB":                                 {nlbLine + "\n", "elb", service.NLB},
		"CLB":                                 {clbLine + "\n", "elb", service.CLB},
		"CLB, no backend":                     {`2024-02-01T23:39:43.945958Z shop 203.0.113.39:2817 - -1 -1 -1 504 0 0 0 "GET http://www.example.com:80/ HTTP/1.1"`, "elb", service.CLB},
		"export of an application":            {`2024-02-01T23:39:43.945958Z shop 203.0.113.39 said "hello" to the other one and then nothing more`, "s3", ""},
		"S3 access":                           {s3Line + "\n", "s3", service.S3Access},
		"Redshift activity":                   {"'2024-02-01T00:00:05Z UTC [ db=dev user=awsuser pid=32453 userid=100 xid=1864 ]' LOG: select 1\n", "redshift", service.Redshift},
		"ElastiCache slow log as text":        {"example-redis,0001,1706745600,30,GET a,192.0.2.104:55452,\n", "elasticache", service.ElastiCacheSlow},
		"only white space":                    {" \n\n", "s3", ""},
		"not text":                            {"\x00\xff\xfe", "s3", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := service.FromObject("upload/0001.gz", []byte(tc.head))
			assert.Equal(t, tc.source, got.Source)
			assert.Equal(t, tc.log, got.Log)
			assert.Equal(t, tc.log == service.CloudTrailDigest, got.NotALog)
			assert.Empty(t, got.Account+got.Region)
		})
	}
}

func TestShapesOfObjectsAreNotThoseOfMessages(t *testing.T) {
	finding := []byte(`{"schemaVersion":"2.0","accountId":"1","resource":{},"service":{},"severity":8}`)
	assert.Equal(t, "cloudwatch", service.FromLogGroup("users", "main", finding).Source)
	assert.Equal(t, "guardduty", service.FromObject("upload/1", finding).Source)
}

func TestHeadMayEndAnywhere(t *testing.T) {
	for _, line := range []string{albLine, nlbLine, clbLine, s3Line} {
		for n := range len(line) {
			assert.NotPanics(t, func() { service.FromObject("", []byte(line[:n])) })
		}
	}
}

func TestKeyThatSaysThatAnObjectIsNoLog(t *testing.T) {
	const digest = `{"awsAccountId":"111122223333","digestStartTime":"x","digestS3Bucket":"b"}`
	for key, want := range map[string]bool{
		"AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2026/02/01/111122223333_CloudTrail-Digest_us-east-2_trail_us-east-2_20260201T093000Z.json.gz": true,
		"app/a.log": false,
	} {
		k := service.ForKey(key)
		assert.Equal(t, want, k.NotALog(), key)
		assert.True(t, k.Object([]byte(digest)).NotALog, key)
	}
}

// BenchmarkKeyObject is what telling each record of a Firehose stream costs.
func BenchmarkKeyObject(b *testing.B) {
	for name, head := range map[string]string{
		"flow log":                  "2 123456789010 eni-1235b8ca123456789 192.0.2.139 192.0.2.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK",
		"ALB":                       albLine,
		"JSON of an application":    `{"level":"info","ts":1706745600.123,"msg":"order placed","order":{"id":1,"items":[1,2,3]},"customer":"c"}`,
		"text of no service at all": "2024-02-01T00:00:00.123Z INFO com.example.Orders order 1234 placed, total 12.50, by customer 77 / web",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(head)))
			k, record := service.ForKey("shop-logs"), []byte(head)
			for b.Loop() {
				k.Object(record)
			}
		})
	}
}
