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

	source  string
	service string // the part of the service that wrote the log; empty when the source says it all
}

// nameRules are tried from top to bottom; the first that holds decides. Letter case in groups does not matter.
var nameRules = []rule{
	// Streams that only one service writes, whatever group it was given.
	{shape: isCloudTrailStream, source: "cloudtrail"},
	{stream: "/aws/network-firewall/", source: "network-firewall"},
	{stream: "aws/bedrock/modelinvocations", source: "bedrock"},
	{shape: isFlowLogStream, source: "vpc"},

	// Lambda. Insights has one group for all functions and no function of its own.
	{group: lambdaGroup, source: sourceLambda},
	{group: "/aws/lambda-insights", whole: true, source: sourceLambda},

	// API Gateway: execution logs of REST APIs, then of WebSocket APIs.
	{group: "API-Gateway-Execution-Logs_", source: "apigateway"},
	{group: "/aws/apigateway/", source: "apigateway"},

	// EKS control plane: the stream starts with the component that wrote it. The longer prefix comes first.
	{group: "/aws/eks/", stream: "kube-apiserver-audit-", source: "eks", service: "kube-apiserver-audit"},
	{group: "/aws/eks/", stream: "kube-apiserver-", source: "eks", service: "kube-apiserver"},
	{group: "/aws/eks/", stream: "kube-controller-manager-", source: "eks", service: "kube-controller-manager"},
	{group: "/aws/eks/", stream: "cloud-controller-manager-", source: "eks", service: "cloud-controller-manager"},
	{group: "/aws/eks/", stream: "kube-scheduler-", source: "eks", service: "kube-scheduler"},
	{group: "/aws/eks/", stream: "authenticator-", source: "eks", service: "authenticator"},
	{group: "/aws/eks/", source: "eks"},

	// RDS and Aurora: /aws/rds/(instance|cluster)/<id>/<type>. The type tells the engine where only one engine has it; else
	// a cluster is Aurora or MySQL; else the engine's name in the id. SQL Server and Oracle share the types error and audit
	// with MySQL, so an instance that is not named after its engine stays rds.
	{group: "/aws/rds/", end: "/postgresql", source: "postgresql"},
	{group: "/aws/rds/", end: "/upgrade", source: "postgresql"},
	{group: "/aws/rds/", word: "mariadb", source: "mariadb"},
	{group: "/aws/rds/", end: "/slowquery", source: "mysql"},
	{group: "/aws/rds/", end: "/general", source: "mysql"},
	{group: "/aws/rds/cluster/", end: "/error", source: "mysql"},
	{group: "/aws/rds/cluster/", end: "/audit", source: "mysql"},
	{group: "/aws/rds/", word: "mysql", source: "mysql"},
	{group: "/aws/rds/", word: "postgres", source: "postgresql"},
	{group: "/aws/rds/", source: "rds"},
	{group: "RDSOSMetrics", whole: true, source: "rds"}, // Enhanced Monitoring

	// Other databases. Redshift is /aws/redshift/cluster/<cluster>/<type>, serverless /aws/redshift/<namespace>/<type>.
	{group: "/aws/redshift/", source: "redshift"},
	{group: "/aws/docdb/", source: "docdb"},
	{group: "/aws/neptune/", source: "neptune"},
	{group: "dms-tasks-", source: "dms"},

	// Networks and security.
	{group: "aws-waf-logs-", source: "waf"},
	{group: "/aws/route53/", source: "route53"}, // queries of public hosted zones
	{group: "aws-cloudtrail-logs-", source: "cloudtrail"},
	{group: "CloudTrail/", source: "cloudtrail"},

	// Streams, messages and workflows. Firehose reports its own errors under kinesisfirehose.
	{group: "/aws/kinesisfirehose/", source: "kinesis"},
	{group: "/aws/kinesis-analytics/", source: "kinesis"},
	{group: "sns/", source: "sns"},
	{group: "/aws/vendedlogs/states/", source: "stepfunction"},
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
	{group: "/aws/sagemaker/", source: "sagemaker"},

	// Files, calls and devices. Chime has no source of its own; its groups are named so that no message decides.
	{group: "/aws/transfer/", source: "transfer"},
	{group: "/aws/fsx/", source: "aws.fsx"},
	{group: "/aws/ChimeVoiceConnectorLogs/", source: sourceUnknown},
	{group: "/aws/ChimeVoiceConnectorSipMessages/", source: sourceUnknown},

	// Streams that are usual for a service but not its alone: only where the group says nothing.
	{shape: isBrokerStream, source: "msk"},
	{stream: "states/", source: "stepfunction"},
}

// hintRules are for groups named by users. They count last, after the first message.
var hintRules = []rule{
	{word: "api-gateway", source: "apigateway"},
	{word: "apigateway", source: "apigateway"},
	{word: "apigw", source: "apigateway"},
	{word: "cloudtrail", source: "cloudtrail"},
	{word: "elasticache", source: "elasticache"},
	{word: "network-firewall", source: "network-firewall"},
	{word: "vpcflow", source: "vpc"},
	{word: "vpc-flow", source: "vpc"},
	{word: "/msk/", source: "msk"},
}

// named returns the source and the service that the names decide, "" where they do not.
func named(group, stream string) (source, service string) {
	for i := range nameRules {
		if nameRules[i].holds(group, stream) {
			return nameRules[i].source, nameRules[i].service
		}
	}
	return "", ""
}

// hinted returns the source that a word in the group suggests, or that of an unknown log.
func hinted(group string) string {
	for i := range hintRules {
		if hintRules[i].holds(group, "") {
			return hintRules[i].source
		}
	}
	return sourceUnknown
}

func (r *rule) holds(group, stream string) bool {
	rest, ok := cutPrefixFold(group, r.group)
	return ok &&
		(!r.whole || rest == "") &&
		hasSuffixFold(group, r.end) &&
		containsFold(group, r.word) &&
		strings.HasPrefix(stream, r.stream) &&
		(r.shape == nil || r.shape(stream))
}
