package service

import "strings"

// A rule gives the source, and perhaps the service, of the logs whose group and stream pass all the tests it has.
type rule struct {
	group  string            // the group starts with this
	whole  bool              // and is nothing more
	end    string            // the group ends with this
	word   string            // the group contains this
	stream string            // the stream starts with this
	shape  func(string) bool // the stream has this shape
	about  string            // the shape in words

	source  string
	service string // the part of the service that wrote the log; empty when the source says it all
	log     Log    // empty when the lines have no shape that is known
	several bool   // the first message may tell another log of the same source
}

// nameRules are tried from top to bottom; the first that holds decides. Letter case in groups does not matter.
var nameRules = []rule{
	// Streams that only one service writes, whatever group it was given.
	{shape: isFunctionStream, about: "`<yyyy>/<mm>/<dd>/<function>[<version>]<32 hex digits>`", source: sourceLambda, log: Lambda},
	{shape: isInsightStream, about: "`<account>_CloudTrail-Insight_<region>`", source: "cloudtrail", log: CloudTrailInsight},
	{shape: isCloudTrailStream, about: "`<account>_CloudTrail_<region>`", source: "cloudtrail", log: CloudTrail},
	{stream: "/aws/network-firewall/", source: "network-firewall", log: NetworkFirewall},
	{stream: "aws/bedrock/modelinvocations", source: "bedrock"},
	{shape: isFlowLogStream, about: "`eni-<hex digits>-all`, `-accept` or `-reject`", source: "vpc", log: VPCFlow},

	// Lambda. Insights has one group for all functions and no function of its own.
	{group: lambdaGroup, source: sourceLambda, log: Lambda},
	{group: "/aws/lambda-insights", whole: true, source: sourceLambda},

	// API Gateway: execution logs of REST APIs, then of WebSocket APIs, where users also put access logs.
	{group: "API-Gateway-Execution-Logs_", source: "apigateway", log: APIGatewayExecution},
	{group: "/aws/apigateway/", source: "apigateway", log: APIGatewayExecution, several: true},

	// EKS control plane: the stream starts with the component that wrote it. The longer prefix comes first.
	{group: "/aws/eks/", stream: "kube-apiserver-audit-", source: "eks", service: "kube-apiserver-audit", log: EKSAudit},
	{group: "/aws/eks/", stream: "kube-apiserver-", source: "eks", service: "kube-apiserver", log: EKSKlog},
	{group: "/aws/eks/", stream: "kube-controller-manager-", source: "eks", service: "kube-controller-manager", log: EKSKlog},
	{group: "/aws/eks/", stream: "cloud-controller-manager-", source: "eks", service: "cloud-controller-manager", log: EKSKlog},
	{group: "/aws/eks/", stream: "kube-scheduler-", source: "eks", service: "kube-scheduler", log: EKSKlog},
	{group: "/aws/eks/", stream: "authenticator-", source: "eks", service: "authenticator", log: EKSAuthenticator},
	{group: "/aws/eks/", source: "eks"},

	// RDS and Aurora: /aws/rds/(instance|cluster)/<id>/<type>. The type tells the engine where only one engine has it; else
	// a cluster is Aurora or MySQL; else the engine's name in the id. SQL Server and Oracle share the types error and audit
	// with MySQL, so an instance that is not named after its engine stays rds, and its lines are read as MySQL's if they fit.
	{group: "/aws/rds/", end: "/postgresql", source: "postgresql", log: PostgreSQL},
	{group: "/aws/rds/", end: "/upgrade", source: "postgresql"},
	{group: "/aws/rds/", word: "mariadb", end: "/slowquery", source: "mariadb", log: MySQLSlow},
	{group: "/aws/rds/", word: "mariadb", end: "/error", source: "mariadb", log: MySQLError},
	{group: "/aws/rds/", word: "mariadb", end: "/audit", source: "mariadb", log: MySQLAudit},
	{group: "/aws/rds/", word: "mariadb", source: "mariadb"},
	{group: "/aws/rds/", end: "/slowquery", source: "mysql", log: MySQLSlow},
	{group: "/aws/rds/", end: "/general", source: "mysql"},
	{group: "/aws/rds/cluster/", end: "/error", source: "mysql", log: MySQLError},
	{group: "/aws/rds/cluster/", end: "/audit", source: "mysql", log: MySQLAudit},
	{group: "/aws/rds/", word: "mysql", end: "/error", source: "mysql", log: MySQLError},
	{group: "/aws/rds/", word: "mysql", end: "/audit", source: "mysql", log: MySQLAudit},
	{group: "/aws/rds/", word: "mysql", source: "mysql"},
	{group: "/aws/rds/", word: "postgres", source: "postgresql"},
	{group: "/aws/rds/", end: "/error", source: "rds", log: MySQLError},
	{group: "/aws/rds/", end: "/audit", source: "rds", log: MySQLAudit},
	{group: "/aws/rds/", source: "rds"},
	{group: "RDSOSMetrics", whole: true, source: "rds", log: RDSOSMetrics}, // Enhanced Monitoring

	// Other databases. Redshift is /aws/redshift/cluster/<cluster>/<type>, serverless /aws/redshift/<namespace>/<type>.
	{group: "/aws/redshift/", source: "redshift", log: Redshift},
	{group: "/aws/docdb/", source: "docdb"},
	{group: "/aws/neptune/", source: "neptune"},
	{group: "dms-tasks-", source: "dms"},

	// Networks and security.
	{group: "aws-waf-logs-", source: "waf", log: WAF},
	{group: "/aws/route53/", source: "route53", log: Route53Public}, // queries of public hosted zones
	{group: "aws-cloudtrail-logs-", source: "cloudtrail", log: CloudTrail, several: true},
	{group: "CloudTrail/", source: "cloudtrail", log: CloudTrail, several: true},

	// Streams, messages and workflows. Firehose reports its own errors under kinesisfirehose.
	{group: "/aws/kinesisfirehose/", source: "kinesis", log: FirehoseErrors},
	{group: "/aws/kinesis-analytics/", source: "kinesis"},
	{group: "sns/", source: "sns"},
	{group: "/aws/vendedlogs/states/", source: "stepfunction", log: StepFunctions},
	{group: "/aws/vendedlogs/pipes/", source: "eventbridge"},
	{group: "/aws/events/", source: "eventbridge"},
	{group: "/aws/amazonmq/", source: "amazonmq"},
	{group: "/aws/appsync/", source: "appsync"},

	// Compute, builds and machine learning. Container Insights is not the control plane of the cluster it watches.
	{group: "/aws/containerinsights/", source: "containerinsights"},
	{group: "/aws/ecs/containerinsights/", source: "containerinsights"},
	{group: "/aws/ecs/", source: "ecs"},
	{group: "/aws/codebuild/", source: "codebuild"},
	{group: "/aws/batch/job", whole: true, source: "batch"},
	{group: "/aws/elasticbeanstalk/", source: "elasticbeanstalk"},
	{group: "/aws-glue/", source: "glue"},
	{group: "/aws/sagemaker/groundtruth/WorkerActivity", source: "sagemaker", log: SageMakerWorker},
	{group: "/aws/sagemaker/", source: "sagemaker", log: SageMaker},

	// Files, calls and devices. Chime has no source of its own; its groups are named so that no message decides.
	{group: "/aws/transfer/", source: "transfer"},
	{group: "/aws/fsx/", source: "aws.fsx"},
	{group: "/aws/ChimeVoiceConnectorLogs/", source: sourceUnknown, log: Chime},
	{group: "/aws/ChimeVoiceConnectorSipMessages/", source: sourceUnknown, log: Chime},

	// Streams that are usual for a service but not its alone: only where the group says nothing.
	{shape: isBrokerStream, about: "one with `Broker-<number>` in it", source: "msk", log: MSKBroker},
	{stream: "states/", source: "stepfunction", log: StepFunctions},
}

// hintRules are for groups named by users. They count last, after the first message. Only where a user decides what a line
// looks like do they name the log as well: the message of another log would have told.
var hintRules = []rule{
	{word: "api-gateway", source: "apigateway", log: APIGatewayAccess},
	{word: "apigateway", source: "apigateway", log: APIGatewayAccess},
	{word: "apigw", source: "apigateway", log: APIGatewayAccess},
	{word: "cloudtrail", source: "cloudtrail"},
	{word: "elasticache", source: "elasticache"},
	{word: "network-firewall", source: "network-firewall"},
	{word: "vpcflow", source: "vpc", log: VPCFlow},
	{word: "vpc-flow", source: "vpc", log: VPCFlow},
	{word: "/msk/", source: "msk"},
}

// ruleOfNames returns the rule that decides for a log group and stream, nil when none does.
func ruleOfNames(rules []rule, group, stream string) *rule {
	for i := range rules {
		if rules[i].holds(group, stream) {
			return &rules[i]
		}
	}
	return nil
}

func (r *rule) holds(group, stream string) bool {
	rest, ok := cutPrefixFold(group, r.group)
	return ok &&
		(!r.whole || rest == "") &&
		strings.HasPrefix(stream, r.stream) &&
		(r.shape == nil || r.shape(stream)) &&
		hasSuffixFold(group, r.end) &&
		containsFold(group, r.word)
}
