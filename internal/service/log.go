package service

// Log is one kind of log that AWS writes, where its lines have a shape of their own. A source such as "elb" may have several.
type Log string

// The logs that are known. Package format knows how their lines say when they happened.
const (
	ALB               Log = "alb"                // access log of an Application Load Balancer
	NLB               Log = "nlb"                // access log of a Network Load Balancer
	CLB               Log = "clb"                // access log of a Classic Load Balancer
	ELBConnection     Log = "elb-connection"     // connection log of an Application Load Balancer
	ELBHealthCheck    Log = "elb-health-check"   // health check log of an Application Load Balancer
	CloudFront        Log = "cloudfront"         // standard access log
	S3Access          Log = "s3-access"          // S3 server access log
	VPCFlow           Log = "vpc-flow"           // also of transit gateways
	CloudTrail        Log = "cloudtrail"         // a document with an array of Records
	CloudTrailInsight Log = "cloudtrail-insight" // likewise
	CloudTrailDigest  Log = "cloudtrail-digest"  // signatures of log files, not a log
	WAF               Log = "waf"                // a JSON object a line
	NetworkFirewall   Log = "network-firewall"   // a JSON object a line: alert, flow and TLS
	Route53Resolver   Log = "route53-resolver"   // a JSON object a line
	GlobalAccelerator Log = "global-accelerator" // flow log
	MSKBroker         Log = "msk-broker"         // log4j
	MSKConnect        Log = "msk-connect"        // log4j after the worker's id
	GuardDuty         Log = "guardduty"          // a finding, a JSON object, a line
	Redshift          Log = "redshift"           // connection, user and user activity logs
	EC2Spot           Log = "ec2-spot"           // Spot Instance data feed
	Evidently         Log = "evidently"          // a JSON object a line
	Chime             Log = "chime"              // media quality and SIP messages of a Voice Connector, JSON
	Config            Log = "config"             // a document with an array of configurationItems
	CloudWatchExport  Log = "cloudwatch-export"  // a time and the message; a log group exported to S3

	// What comes through CloudWatch Logs, Kinesis, Firehose or EventBridge alone.
	APIGatewayAccess    Log = "apigateway-access"    // JSON, CLF, CSV or XML, as the user's template has it
	APIGatewayExecution Log = "apigateway-execution" // text
	CloudFrontRealtime  Log = "cloudfront-realtime"  // tab-separated values in an order that a user has chosen
	ElastiCacheSlow     Log = "elasticache-slow"     // JSON or text
	ElastiCacheEngine   Log = "elasticache-engine"   // JSON or text
	SageMaker           Log = "sagemaker"            // text of containers
	SageMakerWorker     Log = "sagemaker-worker"     // Ground Truth, JSON
	StepFunctions       Log = "stepfunctions"        // JSON
	StorageGateway      Log = "storagegateway"       // audit and health, JSON
	Route53Public       Log = "route53-public"       // queries of public hosted zones, text
	PostgreSQL          Log = "postgresql"           // RDS and Aurora, with the prefix that RDS sets
	MySQLSlow           Log = "mysql-slow"           // RDS and Aurora, a block of lines
	MySQLError          Log = "mysql-error"          // RDS and Aurora
	MySQLAudit          Log = "mysql-audit"          // of MariaDB's plugin, and Aurora's
	RDSOSMetrics        Log = "rds-os-metrics"       // Enhanced Monitoring, JSON
	EKSAudit            Log = "eks-audit"            // audit events of the API server, JSON
	EKSKlog             Log = "eks-klog"             // API server, scheduler and controllers
	EKSAuthenticator    Log = "eks-authenticator"    // logfmt
	Lambda              Log = "lambda"               // platform and application lines, text and JSON
	FirehoseErrors      Log = "firehose-errors"      // of delivery streams, JSON
	SecurityHub         Log = "securityhub"          // an EventBridge event with findings
)
