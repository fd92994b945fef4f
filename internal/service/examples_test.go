package service_test

import "sluice/internal/service"

// named is a name that tells a log: a log group and a stream, a key, the ARN of a stream, or the source of an event.
type named struct {
	name, stream string
	source       string
	log          service.Log
	service      string
}

const (
	requestUUID = "6b1f6c1e-0000-4a4a-9b9b-c0ffee000001"
	awsLogs     = "AWSLogs/123456789012/"
	dayBelow    = "us-east-2/2024/02/01/123456789012_"
)

// groupExamples are log groups and streams as they are in an account.
var groupExamples = []named{
	{"/aws/ChimeVoiceConnectorLogs/abcdef1ghij2klmno3pqr4", "s", "cloudwatch", service.Chime, ""},
	{"/aws/ChimeVoiceConnectorSipMessages/abcdef1ghij2klmno3pqr4", "s", "cloudwatch", service.Chime, ""},
	{"orders-logs", "orders-Broker-2", "msk", service.MSKBroker, ""},
	{"/shop/msk/all", "main", "msk", "", ""},
	{"edge-logs", "/aws/network-firewall/alert/edge_2024-02-01-00", "network-firewall", service.NetworkFirewall, ""},
	{"shop-network-firewall", "main", "network-firewall", "", ""},
	{"/aws/route53/example.com", "Z123412341234/FRA6", "route53", service.Route53Public, ""},
	{"/aws/sagemaker/TrainingJobs", "job-1/algo-1-1706745600", "sagemaker", service.SageMaker, ""},
	{"/aws/sagemaker/Endpoints/churn", "AllTraffic/i-0123456789abcdef0", "sagemaker", service.SageMaker, ""},
	{"/aws/sagemaker/groundtruth/WorkerActivity", "aws/sagemaker/groundtruth/worker-activity/123456789012-us-east-2/2019-08-14", "sagemaker", service.SageMakerWorker, ""},
	{"/aws/vendedlogs/states/HelloWorld-Logs", "states/HelloWorld/2024-02-01-00-00/abc", "stepfunction", service.StepFunctions, ""},
	{"workflows", "states/HelloWorld/2024-02-01-00-00/abc", "stepfunction", service.StepFunctions, ""},
	{"network", "eni-1235b8ca123456789-all", "vpc", service.VPCFlow, ""},
	{"prod-vpc-flow-logs", "custom", "vpc", service.VPCFlow, ""},
	{"VPCFlowLogs", "custom", "vpc", service.VPCFlow, ""},
	{"aws-waf-logs-shop", "us-east-1_shop-acl_0", "waf", service.WAF, ""},
	{"audit", "123456789012_CloudTrail_us-east-1", "cloudtrail", service.CloudTrail, ""},
	{"audit", "111111111111_CloudTrail/logs_us-east-1", "cloudtrail", service.CloudTrail, ""},
	{"audit", "123456789012_CloudTrail-Insight_us-east-1", "cloudtrail", service.CloudTrailInsight, ""},
	{"aws-cloudtrail-logs-123456789012-a1b2c3d4", "any", "cloudtrail", service.CloudTrail, ""},
	{"CloudTrail/logs", "any", "cloudtrail", service.CloudTrail, ""},
	{"org-cloudtrail", "any", "cloudtrail", "", ""},
	{"/aws/rds/instance/shop/postgresql", "shop", "postgresql", service.PostgreSQL, ""},
	{"/aws/rds/cluster/shop/postgresql", "shop-1", "postgresql", service.PostgreSQL, ""},
	{"/aws/rds/instance/shop/upgrade", "shop", "postgresql", "", ""},
	{"/aws/rds/instance/shop/slowquery", "shop", "mysql", service.MySQLSlow, ""},
	{"/aws/rds/instance/shop/general", "shop", "mysql", "", ""},
	{"/aws/rds/instance/shop-mysql/error", "s", "mysql", service.MySQLError, ""},
	{"/aws/rds/instance/shop-mysql/audit", "s", "mysql", service.MySQLAudit, ""},
	{"/aws/rds/cluster/shop/error", "shop-1", "mysql", service.MySQLError, ""},
	{"/aws/rds/cluster/shop/audit", "shop-1.audit.log.0", "mysql", service.MySQLAudit, ""},
	{"/aws/rds/instance/shop-MariaDB/slowquery", "s", "mariadb", service.MySQLSlow, ""},
	{"/aws/rds/instance/shop-mariadb/error", "s", "mariadb", service.MySQLError, ""},
	{"/aws/rds/instance/shop-mariadb/audit", "s", "mariadb", service.MySQLAudit, ""},
	{"/aws/rds/instance/shop-mariadb/general", "s", "mariadb", "", ""},
	{"/aws/rds/instance/shop/error", "shop", "rds", service.MySQLError, ""},
	{"/aws/rds/instance/shop/audit", "shop", "rds", service.MySQLAudit, ""},
	{"/aws/rds/instance/ledger/alert", "ledger", "rds", "", ""},
	{"RDSOSMetrics", "db-EXAMPLE", "rds", service.RDSOSMetrics, ""},
	{"/aws/eks/prod/cluster", "kube-apiserver-audit-" + hex32, "eks", service.EKSAudit, "kube-apiserver-audit"},
	{"/aws/eks/prod/cluster", "kube-apiserver-" + hex32, "eks", service.EKSKlog, "kube-apiserver"},
	{"/aws/eks/prod/cluster", "kube-controller-manager-" + hex32, "eks", service.EKSKlog, "kube-controller-manager"},
	{"/aws/eks/prod/cluster", "cloud-controller-manager-" + hex32, "eks", service.EKSKlog, "cloud-controller-manager"},
	{"/aws/eks/prod/cluster", "kube-scheduler-" + hex32, "eks", service.EKSKlog, "kube-scheduler"},
	{"/aws/eks/prod/cluster", "authenticator-" + hex32, "eks", service.EKSAuthenticator, "authenticator"},
	{"/aws/eks/prod/cluster", "new-component-1", "eks", "", ""},
	{"/aws/redshift/cluster/dwh/connectionlog", "dwh", "redshift", service.Redshift, ""},
	{"/aws/redshift/analytics/useractivitylog", "s", "redshift", service.Redshift, ""},
	{"/aws/lambda/orders", "2024/02/01/[$LATEST]" + hex32, "lambda", service.Lambda, "orders"},
	{"/aws/lambda/us-east-1.orders", "2024/02/01/[1]" + hex32, "lambda", service.Lambda, "orders"},
	{"shop", "2024/02/01/orders[17]" + hex32, "lambda", service.Lambda, "orders"},
	{"/aws/lambda-insights", "orders", "lambda", "", ""},
	{"API-Gateway-Execution-Logs_a1b2c3d4e5/prod", hex32, "apigateway", service.APIGatewayExecution, ""},
	{"/aws/apigateway/a1b2c3d4e5/prod", hex32, "apigateway", service.APIGatewayExecution, ""},
	{"shop-api-gateway-access", "s", "apigateway", service.APIGatewayAccess, ""},
	{"/shop/ApiGW/access", "s", "apigateway", service.APIGatewayAccess, ""},
	{"shop-apigateway", "s", "apigateway", service.APIGatewayAccess, ""},
	{"/aws/kinesisfirehose/logs-to-s3", "S3Delivery", "kinesis", service.FirehoseErrors, ""},
	{"/aws/kinesis-analytics/app", "kinesis-analytics-log-stream", "kinesis", "", ""},
	{"/shop/elasticache/engine", "s", "elasticache", "", ""},
	{"sns/us-east-1/123456789012/orders", "s", "sns", "", ""},
	{"models", "aws/bedrock/modelinvocations", "bedrock", "", ""},
	{"/aws/events/guardduty", "s", "eventbridge", "", ""},
	{"/aws/docdb/shop/profiler", "s", "docdb", "", ""},
	{"/aws/neptune/graph/audit", "s", "neptune", "", ""},
	{"dms-tasks-move", "dms-task-ABC", "dms", "", ""},
	{"/aws/amazonmq/broker/b-1234/general", "s", "amazonmq", "", ""},
	{"/aws/appsync/apis/abcdefghij", hex32, "appsync", "", ""},
	{"/aws/containerinsights/prod/application", "pod", "containerinsights", "", ""},
	{"/aws/ecs/prod", "s", "ecs", "", ""},
	{"/aws/codebuild/site", "0a1b", "codebuild", "", ""},
	{"/aws/batch/job", "def/default/1", "batch", "", ""},
	{"/aws/elasticbeanstalk/shop/var/log/web.stdout.log", "i-0", "elasticbeanstalk", "", ""},
	{"/aws-glue/jobs/output", "jr_1", "glue", "", ""},
	{"/aws/transfer/s-0123456789abcdef0", "s", "transfer", "", ""},
	{"/aws/fsx/windows", "s", "aws.fsx", "", ""},
}

// keyExamples are keys of S3 objects, decoded.
var keyExamples = []named{
	{name: awsLogs + "CloudTrail/" + dayBelow + "CloudTrail_us-east-2_20240201T0005Z_Mu0K.json.gz", source: "cloudtrail", log: service.CloudTrail},
	{name: awsLogs + "CloudTrail-Insight/" + dayBelow + "CloudTrail-Insight_us-east-2_20240201T0005Z_Mu0K.json.gz", source: "cloudtrail", log: service.CloudTrailInsight},
	{name: awsLogs + "CloudTrail-Digest/" + dayBelow + "CloudTrail-Digest_us-east-2_trail_us-east-2_20240201T000500Z.json.gz", source: "cloudtrail", log: service.CloudTrailDigest},
	{name: awsLogs + "vpcflowlogs/" + dayBelow + "vpcflowlogs_us-east-2_fl-1234abcd_20240201T0005Z_fe123456.log.gz", source: "vpc", log: service.VPCFlow},
	{name: awsLogs + "vpcdnsquerylogs/vpc-0a1b/2024/02/01/vpc-0a1b_vpcdnsquerylogs_123456789012_20240201T0005Z_1a2b3c4d.log.gz", source: "route53", log: service.Route53Resolver},
	{name: awsLogs + "WAFLogs/us-east-2/acl/2024/02/01/00/00/123456789012_waflogs_us-east-2_acl_20240201T0000Z_e0ca43b5.log.gz", source: "waf", log: service.WAF},
	{name: "2024/02/01/00/aws-waf-logs-x-1-2024-02-01-00-05-10-b17ffab8-ab6f-4c9f-a2d1-6f7fca8fdb77", source: "waf", log: service.WAF},
	{name: "2024/02/01/00/amazon-apigateway-x-1-2024-02-01-00-05-10-b17ffab8-ab6f-4c9f-a2d1-6f7fca8fdb77", source: "apigateway", log: service.APIGatewayAccess},
	{name: awsLogs + "network-firewall/alert/us-east-2/edge/2024/02/01/00/123456789012_network-firewall_alert_us-east-2_edge_202402010005_fe12.log.gz", source: "network-firewall", log: service.NetworkFirewall},
	{name: awsLogs + "globalaccelerator/us-west-2/2024/02/01/123456789012_globalaccelerator_1234abcd_20240201T0005Z_1fb1234.log.gz", source: "s3", log: service.GlobalAccelerator, service: "globalaccelerator"},
	{name: awsLogs + "KafkaBrokerLogs/us-east-2/orders-0a1b/2024-02-01-00/Broker-1_00-05_fe12.log.gz", source: "msk", log: service.MSKBroker},
	{name: awsLogs + "KafkaConnectLogs/us-east-2/orders/2024-02-01-00/worker_fe12.log.gz", source: "msk", log: service.MSKConnect},
	{name: awsLogs + "GuardDuty/us-east-2/2024/02/01/0a1b2c3d-1111-2222-3333-444455556666.jsonl.gz", source: "guardduty", log: service.GuardDuty},
	{name: awsLogs + "redshift/" + dayBelow + "redshift_us-east-2_dwh_connectionlog_2024-02-01T00:05.gz", source: "redshift", log: service.Redshift},
	{name: awsLogs + "elasticloadbalancing/" + dayBelow + "elasticloadbalancing_us-east-2_app.edge.0123456789abcdef_20240201T0005Z_192.0.2.1_20sg8hgm.log.gz", source: "elb", log: service.ALB},
	{name: awsLogs + "elasticloadbalancing/" + dayBelow + "elasticloadbalancing_us-east-2_net.edge.0123456789abcdef_20240201T0005Z_6e7c8aa1.log.gz", source: "elb", log: service.NLB},
	{name: awsLogs + "elasticloadbalancing/" + dayBelow + "elasticloadbalancing_us-east-2_shop_20240201T0005Z_172.160.001.192_20sg8hgm.log", source: "elb", log: service.CLB},
	{name: awsLogs + "elasticloadbalancing/us-east-2/2024/02/01/conn_log_123456789012_elasticloadbalancing_us-east-2_app.edge.0123_20240201T0005Z_192.0.2.1_20sg.log.gz", source: "elb", log: service.ELBConnection},
	{name: awsLogs + "elasticloadbalancing/us-east-2/2024/02/01/health_check_log_123456789012_elasticloadbalancing_us-east-2_app.edge.0123_20240201T0005Z_192.0.2.1_20sg.log.gz", source: "elb", log: service.ELBHealthCheck},
	{name: awsLogs + "ELBAccessLogTestFile", source: "elb"},
	{name: awsLogs + "Config/us-east-2/2024/2/1/ConfigHistory/123456789012_Config_us-east-2_ConfigHistory_AWS::EC2::Volume_20240201T000000Z_20240201T055959Z_1.json.gz", source: "config", log: service.Config},
	{name: awsLogs + "Config/us-east-2/2024/2/1/OversizedChangeNotification/x/123456789012_Config_us-east-2_ChangeNotification_x_20240201T000000Z_1.json.gz", source: "config"},
	{name: awsLogs + "Config/ConfigWritabilityCheckFile", source: "config"},
	{name: "cdn/EMLARXS9EXAMPLE.2024-02-01-20.RT4KCN4SGK9.gz", source: "cloudfront", log: service.CloudFront},
	{name: "spot/123456789012.2024-02-01-20.001.b959dbc6.gz", source: "ec2", log: service.EC2Spot},
	{name: "logs/2024-02-01-00-01-57-3E57427F33A59F07", source: "s3", log: service.S3Access},
	{name: "exportedlogs/0a1b2c3d-1111-2222-3333-444455556666/main/000000.gz", source: "cloudwatch", log: service.CloudWatchExport},
	{name: "exportedlogs/aws-logs-write-test", source: "cloudwatch"},
}

// streamExamples are streams of Kinesis and Firehose, eventExamples sources of events.
var (
	streamExamples = []named{
		{name: "arn:aws:firehose:us-east-2:123456789012:deliverystream/aws-waf-logs-shop", source: "waf", log: service.WAF},
		{name: "arn:aws:kinesis:us-east-2:123456789012:stream/aws-waf-logs-shop/consumer/sluice:1706745600", source: "waf", log: service.WAF},
		{name: "AWS-WAF-Logs-shop", source: "waf", log: service.WAF},
		{name: "arn:aws:firehose:us-east-2:123456789012:deliverystream/amazon-apigateway-shop", source: "apigateway", log: service.APIGatewayAccess},
	}
	eventExamples = []named{
		{name: "aws.guardduty", source: "guardduty", log: service.GuardDuty},
		{name: "aws.securityhub", source: "securityhub", log: service.SecurityHub},
	}
)

// said is content that tells a log, wherever it is. inStore holds for what tells only in S3 objects and records of streams.
type said struct {
	content string
	inStore bool
	source  string
	log     service.Log
	service string
}

var contentExamples = []said{
	{content: `{"requestId":"` + requestUUID + `","extendedRequestId":"SBLqPHuyoAMFk_g=","ip":"203.0.113.7","requestTime":"01/Feb/2024:00:00:00 +0000","httpMethod":"GET","resourcePath":"/pets","status":"200"}`, source: "apigateway", log: service.APIGatewayAccess},
	{content: `203.0.113.7 - - [01/Feb/2024:00:00:00 +0000] "GET /pets HTTP/1.1" 200 1024 ` + requestUUID + ` SBLqPHuyoAMFk_g=`, source: "apigateway", log: service.APIGatewayAccess},
	{content: `2001:db8::8 - alice [01/Feb/2024:00:00:00 +0000] "GET /pets/{petId} HTTP/1.1" 504 - SBLqRGPTIAMFmCQ= ` + requestUUID, source: "apigateway", log: service.APIGatewayAccess},
	{content: `203.0.113.7 - - [01/Feb/2024:00:00:00 +0000] "GET $default HTTP/1.1" 200 18 JKJaXmPLvHcESHA=`, source: "apigateway", log: service.APIGatewayAccess},
	{content: `203.0.113.7,-,-,01/Feb/2024:00:00:00 +0000,GET,/pets,HTTP/1.1,200,1024,` + requestUUID + `,SBLqPHuyoAMFk_g=`, source: "apigateway", log: service.APIGatewayAccess},
	{content: `<request id="` + requestUUID + `"> <ip>203.0.113.7</ip> <httpMethod>GET</httpMethod> </request>`, source: "apigateway", log: service.APIGatewayAccess},
	{content: `{"voice_connector_id":"abcdef1ghij2klmno3pqr4","aws_region":"us-east-1","event_timestamp":1706745600000,"call_id":"a@192.0.2.10","sip_message":"SIP/2.0 100 Trying\r\n"}`, source: "cloudwatch", log: service.Chime},
	{content: `{"date":"2024-02-01","time":"21:02:31","x-edge-location":"LAX1","x-edge-request-id":"r"}`, source: "cloudfront", log: service.CloudFront},
	{content: "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes\n2024-02-01\t21:02:31\tLAX1\t392", inStore: true, source: "cloudfront", log: service.CloudFront},
	{content: "1706745600.123\t203.0.113.5\t0.002\t200\t1045\tGET\thttps\twww.example.com\t/index.html?lang=en\t350\tIAD89-C1", inStore: true, source: "cloudfront", log: service.CloudFrontRealtime},
	{content: `{"event_timestamp":1642624900215,"event_type":"evaluation","project_arn":"arn:aws:evidently:us-east-1:123456789012:project/p","variation":"B"}`, source: "cloudwatch", log: service.Evidently},
	{content: `{"CacheClusterId":"shop","CacheNodeId":"0001","Id":296,"Timestamp":1605631822,"Duration (us)":0,"Command":"GET ... (1 more arguments)"}`, source: "elasticache", log: service.ElastiCacheSlow},
	{content: `{"CacheClusterId":"shop","CacheNodeId":"0001","LogLevel":"VERBOSE","Role":"M","Time":"12 Nov 2020 01:28:57.994 UTC","Message":"m"}`, source: "elasticache", log: service.ElastiCacheEngine},
	{content: `{"CacheClusterId":"shop","CacheNodeId":"0001"}`, source: "elasticache"},
	{content: "shop,0001,1605631822,30,GET ... (1 more arguments),192.0.2.104:55452,", source: "elasticache", log: service.ElastiCacheSlow},
	{content: "shop/0001:M 29 Oct 2020 20:12:20.499 UTC * A slow-running Lua script", source: "elasticache", log: service.ElastiCacheEngine},
	{content: "version aws_account_id accelerator_id client_ip client_port\n1.0 123456789012 1234abcd 203.0.113.21 40112", inStore: true, source: "s3", log: service.GlobalAccelerator, service: "globalaccelerator"},
	{content: "[2024-02-01 00:00:00,151] INFO [GroupCoordinator 1]: Stabilized (kafka.coordinator.group.GroupCoordinator)", source: "msk", log: service.MSKBroker},
	{content: "[Worker-0bb8afa0b01391c41] [2021-09-06 16:02:54,151] WARN x (org.apache.kafka.clients.NetworkClient:782)", source: "msk", log: service.MSKConnect},
	{content: `{"firewall_name":"edge","availability_zone":"us-east-1b","event_timestamp":"1602627001","event":{"event_type":"alert"}}`, source: "network-firewall", log: service.NetworkFirewall},
	{content: albLine, inStore: true, source: "elb", log: service.ALB},
	{content: nlbLine, inStore: true, source: "elb", log: service.NLB},
	{content: clbLine, inStore: true, source: "elb", log: service.CLB},
	{content: s3Line, inStore: true, source: "s3", log: service.S3Access},
	{content: `{"version":"1.100000","account_id":"111122223333","vpc_id":"vpc-1","query_timestamp":"2024-02-01T00:00:01Z","query_name":"www.example.com.","rcode":"NOERROR"}`, source: "route53", log: service.Route53Resolver},
	{content: "1.0 2017-12-13T08:16:02.130Z Z123412341234 example.com A NOERROR UDP FRA6 192.0.2.1 -", source: "route53", log: service.Route53Public},
	{content: `{"worker_id":"cd449a289e129409","workteam_arn":"arn:aws:sagemaker:us-east-2:123456789012:workteam/x","event_type":"TasksSubmitted","event_timestamp":"1565798464"}`, source: "sagemaker", log: service.SageMakerWorker},
	{content: "#Version: 1.0\n#Fields: Timestamp UsageType Operation InstanceID\n2024-02-01 20:00:00 UTC\tSpotUsage", inStore: true, source: "ec2", log: service.EC2Spot},
	{content: `{"id":"1","type":"ExecutionStarted","previous_event_id":"0","event_timestamp":"1706745600123","execution_arn":"arn:aws:states:us-east-1:123456789012:express:HelloWorld:1"}`, source: "stepfunction", log: service.StepFunctions},
	{content: `{"severity":"ERROR","type":"InaccessibleStorageClass","gateway":"sgw-B1D123D4","timestamp":"1565740862516"}`, source: "cloudwatch", log: service.StorageGateway},
	{content: "2 123456789010 eni-1235b8ca123456789 192.0.2.139 192.0.2.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK", source: "vpc", log: service.VPCFlow},
	{content: `{"message":"2 123456789012 eni-1235b8ca 2001:db8::1 2001:db8::2 20641 22 6 20 4249 1706745600 1706745660 ACCEPT OK"}`, inStore: true, source: "vpc", log: service.VPCFlow},
	{content: "end dstaddr srcaddr\n1706745600 192.0.2.1 192.0.2.2", inStore: true, source: "vpc", log: service.VPCFlow},
	{content: `{"timestamp":1576280412771,"formatVersion":1,"webaclId":"arn:aws:wafv2:us-east-1:123456789012:regional/webacl/shop/1","httpRequest":{"clientIp":"198.51.100.1","httpMethod":"GET","requestId":"1"}}`, source: "waf", log: service.WAF},
	{content: `{"eventVersion":"1.08","eventTime":"2024-02-01T00:00:00Z","eventSource":"iam.amazonaws.com","awsRegion":"us-east-1","eventID":"e"}`, source: "cloudtrail", log: service.CloudTrail},
	{content: `{"Records":[{"eventVersion":"1.08","eventTime":"2024-02-01T00:00:00Z","eventSource":"ec2.amazonaws.com"}]}`, inStore: true, source: "cloudtrail", log: service.CloudTrail},
	{content: `{"insightDetails":{"state":"Start"},"eventVersion":"1.07","eventTime":"2019-11-14T00:51:00Z","awsRegion":"us-east-1","eventID":"e"}`, source: "cloudtrail", log: service.CloudTrailInsight},
	{content: `{"Records":[{"eventType":"AwsCloudTrailInsight","eventVersion":"1.07","eventTime":"2024-02-01T00:51:00Z"}]}`, inStore: true, source: "cloudtrail", log: service.CloudTrailInsight},
	{content: `{"awsAccountId":"111122223333","digestStartTime":"2024-02-01T14:01:31Z","digestS3Bucket":"b","logFiles":[]}`, inStore: true, source: "cloudtrail", log: service.CloudTrailDigest},
	{content: `{"schemaVersion":"2.0","accountId":"111122223333","type":"Recon:EC2/Portscan","resource":{},"service":{},"severity":8}`, inStore: true, source: "guardduty", log: service.GuardDuty},
	{content: `{"fileVersion":"1.0","configurationItems":[{"resourceType":"AWS::EC2::Volume"}]}`, inStore: true, source: "config", log: service.Config},
	{content: "'2024-02-01T00:00:05Z UTC [ db=dev user=awsuser pid=32453 userid=100 xid=1864 ]' LOG: select 1", inStore: true, source: "redshift", log: service.Redshift},
	{content: "authenticated |Thu, 1 Feb 2024 00:00:00:490|::ffff:10.0.0.2 |45242|32453|dev |awsuser |password |0|TLSv1.2 |x |0| | | |Driver |", inStore: true, source: "redshift", log: service.Redshift},
	{content: "100 |awsuser | |alter|1|1|0|infinity |32453|1861|Thu, 15 Feb 2024 00:00:02:111", inStore: true, source: "redshift", log: service.Redshift},
	{content: "100 |awsuser | |alter|1|1|0|infinity |32453|1861|Thu, 15 Feb 2024 00:00:02:111|later", inStore: true, source: "redshift", log: service.Redshift},
	{content: `{"deliveryStreamARN":"arn:aws:firehose:us-east-2:123456789012:deliverystream/x","destination":"arn:aws:s3:::b","deliveryStreamVersionId":1,"message":"m","errorCode":"S3.AccessDenied"}`, source: "kinesis", log: service.FirehoseErrors},
}
