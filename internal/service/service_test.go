package service_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/service"
)

const hex32 = "0123456789abcdef0123456789abcdef"

// row is a log group and a stream as they are in an account, and the source to find.
type row struct{ group, stream, source string }

func TestSourceFromNames(t *testing.T) {
	for name, tc := range map[string]row{
		"Chime media quality":                  {"/aws/ChimeVoiceConnectorLogs/abcdef1ghij2klmno3pqr4", "s", "cloudwatch"},
		"Chime SIP messages":                   {"/aws/ChimeVoiceConnectorSipMessages/abcdef1ghij2klmno3pqr4", "s", "cloudwatch"},
		"MSK broker":                           {"orders-logs", "orders-Broker-2", "msk"},
		"MSK broker, more after the number":    {"orders-logs", "orders-1a2b/Broker-12_00", "msk"},
		"MSK without a number":                 {"orders-logs", "Message-Broker-main", "cloudwatch"},
		"Network Firewall alert":               {"edge-logs", "/aws/network-firewall/alert/test-firewall_2024-02-01-00", "network-firewall"},
		"Network Firewall flow":                {"/aws/vendedlogs/edge", "/aws/network-firewall/flow/test-firewall_2024-02-01-00", "network-firewall"},
		"Route 53 hosted zone":                 {"/aws/route53/example.com", "Z123412341234/FRA6", "route53"},
		"SageMaker training":                   {"/aws/sagemaker/TrainingJobs", "job-1/algo-1-1706745600", "sagemaker"},
		"SageMaker endpoint":                   {"/aws/sagemaker/Endpoints/churn", "AllTraffic/i-0123456789abcdef0", "sagemaker"},
		"SageMaker worker activity":            {"/aws/sagemaker/groundtruth/WorkerActivity", "aws/sagemaker/groundtruth/worker-activity/123456789012-us-east-2/2019-08-14", "sagemaker"},
		"Step Functions, console's name":       {"/aws/vendedlogs/states/HelloWorld-Logs", "states/HelloWorld/2024-02-01-00-00/abc", "stepfunction"},
		"Step Functions, user's group":         {"workflows", "states/HelloWorld/2024-02-01-00-00/abc", "stepfunction"},
		"VPC flow logs of all traffic":         {"network", "eni-1235b8ca123456789-all", "vpc"},
		"VPC flow logs of accepted traffic":    {"network", "eni-1235b8ca-accept", "vpc"},
		"VPC flow logs of rejected traffic":    {"network", "eni-1235b8ca-reject", "vpc"},
		"eni stream of another kind":           {"network", "eni-1235b8ca-drop", "cloudwatch"},
		"eni stream with letters past f":       {"network", "eni-xyz-all", "cloudwatch"},
		"eni stream without an id":             {"network", "eni--all", "cloudwatch"},
		"WAF":                                  {"aws-waf-logs-shop", "us-east-1_shop-acl_0", "waf"},
		"WAF's prefix in the middle":           {"my-aws-waf-logs-shop", "us-east-1_shop-acl_0", "cloudwatch"},
		"CloudTrail":                           {"audit", "123456789012_CloudTrail_us-east-1", "cloudtrail"},
		"CloudTrail, numbered stream":          {"audit", "123456789012_CloudTrail_us-east-1_3", "cloudtrail"},
		"CloudTrail of an organization":        {"audit", "o-exampleorgid_123456789012_CloudTrail_eu-west-1", "cloudtrail"},
		"CloudTrail, slash in the stream":      {"audit", "111111111111_CloudTrail/logs_us-east-1", "cloudtrail"},
		"CloudTrail Insights":                  {"audit", "123456789012_CloudTrail-Insight_us-east-1", "cloudtrail"},
		"CloudTrail, console's group":          {"aws-cloudtrail-logs-123456789012-a1b2c3d4", "any", "cloudtrail"},
		"CloudTrail, documented group":         {"CloudTrail/logs", "any", "cloudtrail"},
		"stream that only begins like a trail": {"audit", "123456789012_CloudTrailing", "cloudwatch"},

		"RDS PostgreSQL":                      {"/aws/rds/instance/shop/postgresql", "shop", "postgresql"},
		"RDS PostgreSQL, upgrade":             {"/aws/rds/instance/shop/upgrade", "shop", "postgresql"},
		"RDS PostgreSQL with mysql in its id": {"/aws/rds/instance/from-mysql/postgresql", "s", "postgresql"},
		"Aurora PostgreSQL":                   {"/aws/rds/cluster/shop/postgresql", "shop-1", "postgresql"},
		"RDS MySQL slow queries":              {"/aws/rds/instance/shop/slowquery", "shop", "mysql"},
		"RDS MySQL general":                   {"/aws/rds/instance/shop/general", "shop", "mysql"},
		"RDS MySQL by its id":                 {"/aws/rds/instance/shop-mysql/error", "s", "mysql"},
		"RDS MariaDB by its id":               {"/aws/rds/instance/shop-MariaDB/slowquery", "s", "mariadb"},
		"RDS PostgreSQL by its id":            {"/aws/rds/instance/postgres-1/iam-db-auth-error", "s", "postgresql"},
		"RDS error, engine not told":          {"/aws/rds/instance/shop/error", "shop", "rds"},
		"RDS audit, engine not told":          {"/aws/rds/instance/shop/audit", "shop", "rds"},
		"Aurora MySQL error":                  {"/aws/rds/cluster/shop/error", "shop-1", "mysql"},
		"Aurora MySQL audit":                  {"/aws/rds/cluster/shop/audit", "shop-1.audit.log.0", "mysql"},
		"Aurora instance log":                 {"/aws/rds/cluster/shop/instance", "shop-1", "rds"},
		"RDS Oracle alert":                    {"/aws/rds/instance/ledger/alert", "ledger", "rds"},
		"RDS SQL Server, two nodes":           {"/aws/rds/instance/erp.node1/agent", "s", "rds"},
		"RDS Enhanced Monitoring":             {"RDSOSMetrics", "db-EXAMPLE", "rds"},
		"group that begins like it":           {"RDSOSMetricsBackup", "db-EXAMPLE", "cloudwatch"},

		"Container Insights":        {"/aws/containerinsights/prod/application", "pod", "containerinsights"},
		"Container Insights of ECS": {"/aws/ecs/containerinsights/prod/performance", "s", "containerinsights"},
		"ECS":                       {"/aws/ecs/prod", "s", "ecs"},

		"Redshift cluster":            {"/aws/redshift/cluster/dwh/connectionlog", "dwh", "redshift"},
		"Redshift serverless":         {"/aws/redshift/analytics/useractivitylog", "s", "redshift"},
		"API Gateway execution":       {"API-Gateway-Execution-Logs_a1b2c3d4e5/prod", hex32, "apigateway"},
		"API Gateway WebSocket":       {"/aws/apigateway/a1b2c3d4e5/prod", hex32, "apigateway"},
		"API Gateway probe":           {"/aws/apigateway/welcome", "s", "apigateway"},
		"Firehose's own errors":       {"/aws/kinesisfirehose/logs-to-s3", "S3Delivery", "kinesis"},
		"Kinesis Analytics":           {"/aws/kinesis-analytics/app", "kinesis-analytics-log-stream", "kinesis"},
		"SNS delivery":                {"sns/us-east-1/123456789012/orders", "s", "sns"},
		"Bedrock":                     {"models", "aws/bedrock/modelinvocations", "bedrock"},
		"EventBridge":                 {"/aws/events/guardduty", "s", "eventbridge"},
		"EventBridge Pipes":           {"/aws/vendedlogs/pipes/orders", "s", "eventbridge"},
		"DocumentDB":                  {"/aws/docdb/shop/profiler", "s", "docdb"},
		"Neptune":                     {"/aws/neptune/graph/audit", "s", "neptune"},
		"Database Migration Service":  {"dms-tasks-move", "dms-task-ABC", "dms"},
		"Amazon MQ":                   {"/aws/amazonmq/broker/b-1234/general", "s", "amazonmq"},
		"AppSync":                     {"/aws/appsync/apis/abcdefghij", hex32, "appsync"},
		"CodeBuild":                   {"/aws/codebuild/site", "0a1b", "codebuild"},
		"Batch":                       {"/aws/batch/job", "def/default/1", "batch"},
		"group below Batch's":         {"/aws/batch/jobs-of-mine", "s", "cloudwatch"},
		"Elastic Beanstalk":           {"/aws/elasticbeanstalk/shop/var/log/web.stdout.log", "i-0", "elasticbeanstalk"},
		"Glue":                        {"/aws-glue/jobs/output", "jr_1", "glue"},
		"Transfer Family":             {"/aws/transfer/s-0123456789abcdef0", "s", "transfer"},
		"FSx":                         {"/aws/fsx/windows", "s", "aws.fsx"},
		"vended logs say nothing":     {"/aws/vendedlogs/things", "s", "cloudwatch"},
		"user's group":                {"shop-frontend", "i-0123456789abcdef0", "cloudwatch"},
		"user's group for API access": {"shop-api-gateway-access", "s", "apigateway"},
		"user's group for apigw":      {"/shop/ApiGW/access", "s", "apigateway"},
		"user's group for apigateway": {"shop-apigateway", "s", "apigateway"},
		"user's group for CloudTrail": {"org-cloudtrail", "s", "cloudtrail"},
		"user's group for a cache":    {"/shop/elasticache/engine", "s", "elasticache"},
		"user's group for a firewall": {"shop-network-firewall", "s", "network-firewall"},
		"user's group for flow logs":  {"prod-vpc-flow-logs", "custom", "vpc"},
		"user's group, VPCFlowLogs":   {"VPCFlowLogs", "custom", "vpc"},
		"user's group for MSK":        {"/shop/msk/brokers", "s", "msk"},
		"msk as part of a word":       {"/shop/damsk-orders", "s", "cloudwatch"},
		"letter case of a group":      {"/AWS/RDS/Instance/shop/PostgreSQL", "s", "postgresql"},
		"nothing":                     {"", "", "cloudwatch"},
		"slash":                       {"/", "/", "cloudwatch"},
		"only the common prefix":      {"/aws/", "", "cloudwatch"},
	} {
		t.Run(name, func(t *testing.T) {
			got := service.FromLogGroup(tc.group, tc.stream, nil)
			assert.Equal(t, service.Identity{Source: tc.source, Host: tc.group, Log: got.Log}, got) // the log: see TestExamples
		})
	}
}

// The source is the service; what part of the control plane wrote a log is its service name.
func TestEKS(t *testing.T) {
	const group = "/aws/eks/prod/cluster"
	for name, tc := range map[string]struct {
		group, stream, source, service string
		log                            service.Log
	}{
		"audit, the longer prefix":     {group, "kube-apiserver-audit-" + hex32, "eks", "kube-apiserver-audit", service.EKSAudit},
		"API server":                   {group, "kube-apiserver-" + hex32, "eks", "kube-apiserver", service.EKSKlog},
		"controller manager":           {group, "kube-controller-manager-" + hex32, "eks", "kube-controller-manager", service.EKSKlog},
		"cloud controller manager":     {group, "cloud-controller-manager-" + hex32, "eks", "cloud-controller-manager", service.EKSKlog},
		"scheduler":                    {group, "kube-scheduler-" + hex32, "eks", "kube-scheduler", service.EKSKlog},
		"authenticator":                {group, "authenticator-" + hex32, "eks", "authenticator", service.EKSAuthenticator},
		"component of a later version": {group, "new-component-1", "eks", "", ""},
		"same stream in another group": {"prod", "kube-apiserver-" + hex32, "cloudwatch", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			want := service.Identity{Source: tc.source, Service: tc.service, Host: tc.group, Log: tc.log}
			assert.Equal(t, want, service.FromLogGroup(tc.group, tc.stream, nil))
		})
	}
}

func TestLambda(t *testing.T) {
	const stream = "2024/02/01/[$LATEST]" + hex32
	host := func(group string) service.Identity { return service.Identity{Source: "lambda", Host: group} }
	function := func(name string) service.Identity {
		lower := strings.ToLower(name)
		return service.Identity{
			Source: "lambda", Service: lower, Function: lower, FunctionName: strings.TrimPrefix(name, "us-east-1."),
		}
	}
	cloudwatch := func(group string) service.Identity { return service.Identity{Source: "cloudwatch", Host: group} }

	for name, tc := range map[string]struct {
		group, stream string
		want          service.Identity
		coarse        service.Identity
	}{
		"function's own group": {"/aws/lambda/orders", stream, function("orders"), function("orders")},
		"upper case":           {"/aws/lambda/OrdersV2", stream, function("OrdersV2"), function("OrdersV2")},
		"upper case in the fixed part": {
			"/AWS/Lambda/Orders", stream, function("Orders"), function("Orders"),
		},
		"Lambda@Edge": {"/aws/lambda/us-east-1.rewrite", stream, function("rewrite"), function("us-east-1.rewrite")},
		"Lambda@Edge in a shared group": {
			"edge", "2024/02/01/us-east-1.rewrite[3]" + hex32, function("rewrite"), function("us-east-1.rewrite"),
		},
		"shared group":              {"shop", "2024/02/01/orders[$LATEST]" + hex32, function("orders"), function("orders")},
		"shared group, version":     {"shop", "2024/02/01/Orders_v-2[17]" + hex32, function("Orders_v-2"), function("Orders_v-2")},
		"shared group, alias":       {"shop", "2024/02/01/orders[live-1]" + hex32, function("orders"), function("orders")},
		"stream beats its group":    {"/aws/lambda/team", "2024/02/01/orders[$LATEST]" + hex32, function("orders"), function("orders")},
		"stream beats other groups": {"/aws/ecs/prod", "2024/02/01/orders[$LATEST]" + hex32, function("orders"), function("orders")},
		"longest name in a stream": {
			"shop", "2024/02/01/" + strings.Repeat("x", 75) + "[1]" + hex32, function(strings.Repeat("x", 75)), function(strings.Repeat("x", 75)),
		},
		"group with no name":    {"/aws/lambda/", stream, host("/aws/lambda/"), host("/aws/lambda/")},
		"group below the name":  {"/aws/lambda/team/orders", "s", host("/aws/lambda/team/orders"), function("team/orders")},
		"Lambda Insights":       {"/aws/lambda-insights", "orders", host("/aws/lambda-insights"), host("/aws/lambda-insights")},
		"group that looks like": {"/aws/lambda-extra/x", "s", cloudwatch("/aws/lambda-extra/x"), host("/aws/lambda-extra/x")},
		"word inside a group":   {"/my/aws/lambda/orders", "s", cloudwatch("/my/aws/lambda/orders"), cloudwatch("/my/aws/lambda/orders")},

		"stream without a function":      {"shop", stream, cloudwatch("shop"), cloudwatch("shop")},
		"name too long":                  {"shop", "2024/02/01/" + strings.Repeat("x", 76) + "[1]" + hex32, cloudwatch("shop"), cloudwatch("shop")},
		"name with a slash":              {"shop", "2024/02/01/a/b[1]" + hex32, cloudwatch("shop"), cloudwatch("shop")},
		"stream without a version":       {"shop", "2024/02/01/orders[]" + hex32, cloudwatch("shop"), cloudwatch("shop")},
		"stream, bracket not closed":     {"shop", "2024/02/01/orders[1" + hex32, cloudwatch("shop"), cloudwatch("shop")},
		"stream with a space":            {"shop", "2024/02/01/orders[1 2]" + hex32, cloudwatch("shop"), cloudwatch("shop")},
		"version too long":               {"shop", "2024/02/01/orders[" + strings.Repeat("1", 129) + "]" + hex32, cloudwatch("shop"), cloudwatch("shop")},
		"stream id too short":            {"shop", "2024/02/01/orders[1]" + hex32[1:], cloudwatch("shop"), cloudwatch("shop")},
		"stream id too long":             {"shop", "2024/02/01/orders[1]0" + hex32, cloudwatch("shop"), cloudwatch("shop")},
		"stream id in upper case":        {"shop", "2024/02/01/orders[1]" + strings.ToUpper(hex32), cloudwatch("shop"), cloudwatch("shop")},
		"stream with text before":        {"shop", "x2024/02/01/orders[1]" + hex32, cloudwatch("shop"), cloudwatch("shop")},
		"stream with a date of dashes":   {"shop", "2024-02-01/orders[1]" + hex32, cloudwatch("shop"), cloudwatch("shop")},
		"stream with a date of letters":  {"shop", "2024/o2/01/orders[1]" + hex32, cloudwatch("shop"), cloudwatch("shop")},
		"stream that is only a date":     {"shop", "2024/02/01/", cloudwatch("shop"), cloudwatch("shop")},
		"stream that is part of a date":  {"shop", "2024/02", cloudwatch("shop"), cloudwatch("shop")},
		"no bracket":                     {"shop", "2024/02/01/orders", cloudwatch("shop"), cloudwatch("shop")},
		"message of an unrelated stream": {"shop", "main", cloudwatch("shop"), cloudwatch("shop")},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.want.Source == "lambda" && tc.group != "/aws/lambda-insights" {
				tc.want.Log = service.Lambda
			}
			assert.Equal(t, tc.want, service.FromLogGroup(tc.group, tc.stream, nil))
			assert.Equal(t, tc.coarse, service.Coarse(tc.group, tc.stream))
		})
	}
}

func TestCoarse(t *testing.T) {
	for name, tc := range map[string]row{
		"trail's stream":                       {"audit", "123456789012_CloudTrail_us-east-1", "cloudtrail"},
		"trail's stream beats the group":       {"/aws/kinesisfirehose/x", "123456789012_CloudTrail_us-east-1", "cloudtrail"},
		"older trail's stream is not known":    {"audit", "111111111111_CloudTrail/logs_us-east-1", "cloudwatch"},
		"trail's stream in another case":       {"audit", "123456789012_cloudtrail_us-east-1", "cloudwatch"},
		"cloudtrail in the group":              {"Org-CloudTrail", "s", "cloudtrail"},
		"Firehose":                             {"/aws/kinesisfirehose/x", "s", "kinesis"},
		"prefix without a slash":               {"/aws/kinesisx", "s", "kinesis"},
		"prefix before a word in the group":    {"/aws/kinesisfirehose/cloudtrail", "s", "kinesis"},
		"SNS":                                  {"sns/us-east-1/123456789012/orders", "s", "sns"},
		"group that begins like SNS":           {"snsx/1", "s", "cloudwatch"},
		"RDS":                                  {"/aws/rds/instance/shop/postgresql", "s", "cloudwatch"},
		"EKS":                                  {"/aws/eks/prod/cluster", "kube-apiserver-" + hex32, "cloudwatch"},
		"API Gateway":                          {"API-Gateway-Execution-Logs_a1b2c3d4e5/prod", "s", "cloudwatch"},
		"Step Functions":                       {"/aws/vendedlogs/states/HelloWorld-Logs", "s", "cloudwatch"},
		"WAF":                                  {"aws-waf-logs-shop", "us-east-1_shop-acl_0", "cloudwatch"},
		"VPC":                                  {"network", "eni-1235b8ca123456789-all", "cloudwatch"},
		"nothing":                              {"", "", "cloudwatch"},
		"group that only begins with a prefix": {"/aws/kinesi", "s", "cloudwatch"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, service.Identity{Source: tc.source, Host: tc.group}, service.Coarse(tc.group, tc.stream))
		})
	}
}

// FuzzFromLogGroup checks the laws every identity keeps, in fine and coarse names.
func FuzzFromLogGroup(f *testing.F) {
	f.Add("/aws/lambda/us-east-1.rewrite", "2024/02/01/[$LATEST]"+hex32, []byte("START RequestId: x"))
	f.Add("shop", "2024/02/01/orders[1]"+hex32, []byte(nil))
	f.Add("audit", "123456789012_CloudTrail_us-east-1", []byte(`{"eventVersion":"1.08"}`))
	f.Add("apigw", "eni-0-all", []byte(`{"requestId":"1","httpMethod":"GET"`))
	f.Add("/aws/eks/prod/cluster", "kube-apiserver-audit-"+hex32, []byte(`{"kind":"Event"}`))
	f.Add("", "", []byte("2 - - - - - - - - - - - - OK"))
	f.Add("cache", "x", []byte("a/0001:M 29 Oct 2020 20:12:20.499 UTC *"))
	f.Add("kafka", "Broker-1", []byte("[Worker-0] [2024-02-01 00:00:00,151] INFO (kafka.x)"))
	f.Fuzz(func(t *testing.T, group, stream string, first []byte) {
		for _, got := range []service.Identity{
			service.FromLogGroup(group, stream, first),
			service.Coarse(group, stream),
		} {
			require.NotEmpty(t, got.Source)
			if got.Source != "eks" {
				require.Equal(t, got.Function, got.Service, "only functions and components have a name of their own")
			}
			require.Equal(t, strings.ToLower(got.Function), got.Function)
			require.True(t, strings.HasSuffix(got.Function, strings.ToLower(got.FunctionName)))
			require.Equal(t, got.Function == "", got.FunctionName == "")
			if got.Function != "" {
				require.Equal(t, "lambda", got.Source)
				require.Empty(t, got.Host)
			} else {
				require.Equal(t, group, got.Host)
			}
		}
	})
}

func TestFromLogGroupDoesNotAllocate(t *testing.T) {
	flow := []byte("2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK")
	waf := []byte(`{"timestamp":1576280412771,"webaclId":"arn","httpRequest":{"clientIp":"198.51.100.1"}}`)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		service.FromLogGroup("/aws/lambda/orders", "2024/02/01/[$LATEST]"+hex32, nil)
		service.FromLogGroup("shop", "2024/02/01/orders[$LATEST]"+hex32, nil)
		service.FromLogGroup("/aws/eks/prod/cluster", "kube-scheduler-1", nil)
		service.FromLogGroup("network", "custom", flow)
		service.FromLogGroup("shop", "main", waf)
		service.Coarse("/aws/lambda/orders", "2024/02/01/[$LATEST]"+hex32)
		service.Coarse("shop", "main")
	}))
}

func BenchmarkFromLogGroup(b *testing.B) {
	stepFunctions := []byte(`{"id":"1","type":"ExecutionStarted","details":{"input":"{}","inputDetails":{"truncated":false},"roleArn":"arn:aws:iam::123456789012:role/r"},"previous_event_id":"0","event_timestamp":"1706745600123","execution_arn":"arn:aws:states:us-east-1:123456789012:express:HelloWorld:1"}`)
	for name, bc := range map[string]struct {
		group, stream string
		first         []byte
	}{
		"Lambda":               {"/aws/lambda/orders", "2024/02/01/[$LATEST]" + hex32, nil},
		"last of the names":    {"orders-logs", "orders-Broker-2", nil},
		"JSON message":         {"workflows", "main", stepFunctions},
		"text message, hinted": {"shop-network-firewall", "main", []byte("a line of no known kind")},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				service.FromLogGroup(bc.group, bc.stream, bc.first)
			}
		})
	}
}
