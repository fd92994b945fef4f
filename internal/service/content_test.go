package service_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/service"
)

func TestSourceFromFirstMessage(t *testing.T) {
	for name, tc := range map[string]struct{ message, source string }{
		"API Gateway access, console's JSON": {`{"requestId":"6b1f6c1e","extendedRequestId":"SBLqPHuyoAMFk_g=","ip":"203.0.113.7","caller":"-","user":"-","requestTime":"01/Feb/2024:00:00:00 +0000","httpMethod":"GET","resourcePath":"/pets","status":"200","protocol":"HTTP/1.1","responseLength":"1024"}`, "apigateway"},
		"API Gateway access, HTTP API":       {`{"requestId":"1","ip":"203.0.113.7","routeKey":"GET /pets","status":"200"}`, "apigateway"},
		"API Gateway access, resource path":  {`{"requestId":"1","resourcePath":"/pets"}`, "apigateway"},
		"API Gateway access, long id alone":  {`{"extendedRequestId":"1","httpMethod":"GET"}`, "apigateway"},
		"API Gateway access, long id, path":  {`{"extendedRequestId":"1","resourcePath":"/pets"}`, "apigateway"},
		"API Gateway access, long id, route": {`{"extendedRequestId":"1","routeKey":"$connect"}`, "apigateway"},
		"API Gateway access, invalid JSON":   {`{"requestId":"1","httpMethod":"GET","userAgent":"a "quoted" one"}`, "apigateway"},
		"request id alone":                   {`{"requestId":"1","message":"x"}`, "cloudwatch"},
		"API Gateway's names one level down": {`{"request":{"requestId":"1","httpMethod":"GET"}}`, "cloudwatch"},

		"Network Firewall": {`{"firewall_name":"test-firewall","availability_zone":"us-east-1b","event_timestamp":"1602627001","event":{"timestamp":"2020-10-13T22:10:01.006481+0000","event_type":"alert"}}`, "network-firewall"},
		"Route 53 Resolver": {
			`{"version":"1.100000","account_id":"111122223333","region":"us-east-1","vpc_id":"vpc-0example1","query_timestamp":"2021-02-04T17:51:55Z","query_name":"example.com.","query_type":"A","query_class":"IN","rcode":"NOERROR"}`, "route53",
		},
		"WAF, members of its request do not count": {`{"timestamp":1576280412771,"formatVersion":1,"webaclId":"arn:aws:wafv2:us-east-1:123456789012:regional/webacl/shop/1","action":"BLOCK","httpRequest":{"clientIp":"198.51.100.1","httpMethod":"GET","requestId":"1"}}`, "waf"},
		"CloudTrail":         {`{"eventVersion":"1.08","userIdentity":{"type":"Root"},"eventTime":"2024-02-01T00:00:00Z","eventSource":"iam.amazonaws.com","eventName":"ListUsers","awsRegion":"us-east-1","requestID":"r","eventID":"e"}`, "cloudtrail"},
		"CloudTrail Insight": {`{"eventVersion":"1.07","eventTime":"2019-11-14T00:51:00Z","awsRegion":"us-east-1","eventID":"e","eventType":"AwsCloudTrailInsight","insightDetails":{}}`, "cloudtrail"},
		"S3 notification is not CloudTrail": {
			`{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"2024-02-01T00:00:00.000Z","eventName":"ObjectCreated:Put"}`, "cloudwatch",
		},
		"Step Functions":                    {`{"id":"1","type":"ExecutionStarted","details":{"input":"{}"},"previous_event_id":"0","event_timestamp":"1706745600123","execution_arn":"arn:aws:states:us-east-1:123456789012:express:HelloWorld:1"}`, "stepfunction"},
		"ElastiCache slow log":              {`{"CacheClusterId":"example","CacheNodeId":"0001","Id":296,"Timestamp":1605631822,"Duration (us)":0,"Command":"GET ... (1 more arguments)"}`, "elasticache"},
		"ElastiCache engine log":            {`{"CacheClusterId":"example","CacheNodeId":"0001","LogLevel":"VERBOSE","Role":"M","Time":"12 Nov 2020 01:28:57.994 UTC","Message":"m"}`, "elasticache"},
		"Ground Truth worker":               {`{"worker_id":"cd449a289e129409","workteam_arn":"arn:aws:sagemaker:us-east-2:123456789012:workteam/x","event_type":"TasksSubmitted","event_timestamp":"1565798464"}`, "sagemaker"},
		"JSON, white space around":          {" \n{ \"CacheClusterId\" : \"x\",\n \"CacheNodeId\":\"0001\" }\n", "elasticache"},
		"JSON, members in another order":    {`{"rcode":"NOERROR","query_name":"x.","vpc_id":"vpc-1"}`, "route53"},
		"JSON, same member twice":           {`{"webaclId":"1","webaclId":"2"}`, "cloudwatch"},
		"JSON, cut after what tells":        {`{"webaclId":"1","httpRequest":{"clientIp`, "waf"},
		"JSON, cut before what tells":       {`{"webaclId":"1","terminatingRuleMatchDetails":[`, "cloudwatch"},
		"JSON of an application":            {`{"level":"info","event":"start","type":"x"}`, "cloudwatch"},
		"JSON array":                        {`[{"webaclId":"1","httpRequest":{}}]`, "cloudwatch"},
		"what tells is past the first part": {`{"webaclId":"` + strings.Repeat("x", 300<<10) + `","httpRequest":{}}`, "cloudwatch"},

		"MSK Connect":                    {"[Worker-0bb8afa0b01391c41] [2021-09-06 16:02:54,151] WARN [Producer clientId=producer-1] x (org.apache.kafka.clients.NetworkClient:782)", "msk"},
		"MSK Connect, continuation":      {"[Worker-05e6586a48b5f331b] aws.access.key = x", "msk"},
		"worker with a name":             {"[Worker-main] started", "cloudwatch"},
		"worker, bracket not closed":     {"[Worker-0bb8", "cloudwatch"},
		"MSK broker":                     {"[2024-02-01 00:00:00,151] INFO [GroupCoordinator 1]: Stabilized group orders generation 12 (kafka.coordinator.group.GroupCoordinator)", "msk"},
		"MSK broker, controller":         {"[2024-02-01 00:00:00,151] WARN x (org.apache.kafka.controller.QuorumController)\n\tat java.lang.Thread", "msk"},
		"log4j of another program":       {"[2024-02-01 00:00:00,151] INFO order placed (com.example.Orders)", "cloudwatch"},
		"Kafka's name on the next line":  {"[2024-02-01 00:00:00,151] INFO x\n(kafka.server)", "cloudwatch"},
		"VPC flow log":                   {"2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK", "vpc"},
		"VPC flow log, newline":          {"2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK\n", "vpc"},
		"VPC flow log, two spaces":       {"2 123456789010  eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 REJECT OK", "vpc"},
		"VPC flow log, no data":          {"2 unknown eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA", "vpc"},
		"VPC flow log, data skipped":     {"2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - SKIPDATA", "vpc"},
		"flow line of 13 columns":        {"2 1 eni-1 - - - - - - 1431280876 1431280934 - NODATA", "cloudwatch"},
		"flow line of 15 columns":        {"2 1 eni-1 - - - - - - - - 1431280876 1431280934 - NODATA", "cloudwatch"},
		"flow line of version 5":         {"5 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK", "cloudwatch"},
		"flow line with another end":     {"2 a b c d e f g h i j k l fine", "cloudwatch"},
		"ElastiCache engine log as text": {"example-redis/0001:M 29 Oct 2020 20:12:20.499 UTC * A slow script", "elasticache"},
		"engine line of another role":    {"example-redis/0001:Z 29 Oct 2020 20:12:20.499 UTC * A slow script", "cloudwatch"},
		"engine line cut short":          {"example-redis/0001:M", "cloudwatch"},
		"engine line without a cluster":  {"/0001:M 29 Oct 2020 20:12:20.499 UTC * x", "cloudwatch"},
		"ElastiCache slow log as text":   {"example-redis,0001,1605631822,30,GET ... (1 more arguments),192.168.12.104:55452,", "elasticache"},
		"slow line of too few columns":   {"example-redis,0001,1605631822,30,GET", "cloudwatch"},
		"slow line with another node":    {"example-redis,node,1605631822,30,GET,a,b", "cloudwatch"},
		"slow line without a cluster":    {",0001,1605631822,30,GET,a,b", "cloudwatch"},
		"common log format":              {`203.0.113.7 - - [01/Feb/2024:00:00:00 +0000] "GET /pets HTTP/1.1" 200 1024`, "cloudwatch"},
		"empty":                          {"", "cloudwatch"},
		"white space":                    {" \n\t", "cloudwatch"},
		"NUL":                            {"\x00", "cloudwatch"},
	} {
		t.Run(name, func(t *testing.T) {
			got := service.FromLogGroup("users-group", "main", []byte(tc.message))
			assert.Equal(t, service.Identity{Source: tc.source, Host: "users-group", Log: got.Log}, got) // the log: see TestExamples
		})
	}
}

// Services that have no source of their own are known all the same: a word in the group's name must not decide for them.
func TestMessageBeatsAWordInTheGroup(t *testing.T) {
	for name, tc := range map[string]struct{ message, source string }{
		"Evidently":              {`{"event_timestamp":1642624900215,"event_type":"evaluation","version":"1.0.0","project_arn":"arn:aws:evidently:us-east-1:123456789012:project/petfood","feature":"f","variation":"Variation1"}`, "cloudwatch"},
		"Storage Gateway health": {`{"severity":"ERROR","bucket":"b","type":"InaccessibleStorageClass","operation":"S3Upload","key":"k","gateway":"sgw-B1D123D4","timestamp":"1565740862516"}`, "cloudwatch"},
		"Storage Gateway audit":  {`{"operation":"Read","objectName":"/x","gateway":"sgw-B1D123D4"}`, "cloudwatch"},
		"WAF":                    {`{"webaclId":"1","httpRequest":{}}`, "waf"},
		"another gateway":        {`{"gateway":"payments"}`, "apigateway"},
		"another project":        {`{"project_arn":"arn:aws:rekognition:x","event_type":"e","variation":"v"}`, "apigateway"},
		"text":                   {"hello", "apigateway"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.source, service.FromLogGroup("users-apigw", "main", []byte(tc.message)).Source)
		})
	}
}

func TestNamesBeatTheMessage(t *testing.T) {
	waf := []byte(`{"webaclId":"1","httpRequest":{}}`)
	for name, tc := range map[string]row{
		"group":                {"/aws/eks/prod/cluster", "kube-scheduler-1", "eks"},
		"stream":               {"shared", "eni-1235b8ca-all", "vpc"},
		"group without a name": {"/aws/ChimeVoiceConnectorLogs/abc", "s", "cloudwatch"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.source, service.FromLogGroup(tc.group, tc.stream, waf).Source)
		})
	}
}
