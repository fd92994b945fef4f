package forward

// groupSamples are logs that come through a log group: the source is told by its name, by that of the stream, or, where
// users choose both, by the first message. Times are those of the group's events.
var groupSamples = []sample{
	{
		file: "vpc-flow/cwl-default-v2.log", group: "/network/eu-west-1",
		stream: "eni-0123456789abcdef0-all",
		want: outcome{
			sent: 5, source: "vpc", service: "vpc",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:04.000Z",
		},
	},
	{
		file: "route53-public/query.log", group: "/aws/route53/example.com",
		stream: "Z0123456789EXAMPLE/DUB2",
		want: outcome{
			sent: 3, source: "route53", service: "route53",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "route53-resolver/query.jsonl", group: "dns",
		stream: "vpc-0aa11bb22cc33dd44_0",
		want: outcome{
			sent: 3, source: "route53", service: "route53",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "waf/web-acl.jsonl", group: "aws-waf-logs-shop",
		stream: "eu-west-1_shop_0",
		want: outcome{
			sent: 3, source: "waf", service: "waf",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "network-firewall/alert.jsonl", group: "edge",
		stream: "/aws/network-firewall/alert/edge-firewall_2026-02-01-09",
		want: outcome{
			sent: 3, source: "network-firewall", service: "network-firewall",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "network-firewall/flow.jsonl", group: "edge",
		stream: "flows",
		want: outcome{
			sent: 3, source: "network-firewall", service: "network-firewall",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "network-firewall/tls.jsonl", group: "edge",
		stream: "tls",
		want: outcome{
			sent: 3, source: "network-firewall", service: "network-firewall",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "msk-broker/broker.log", group: "kafka",
		stream: "carts-Broker-2",
		want: outcome{
			sent: 7, source: "msk", service: "msk",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:06.000Z",
		},
	},
	{
		file: "msk-connect/worker.log", group: "connect",
		stream: "sink",
		want: outcome{
			sent: 6, source: "msk", service: "msk",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:05.000Z",
		},
	},
	{
		file: "elasticache/slow-log.jsonl", group: "carts",
		stream: "slow",
		want: outcome{
			sent: 3, source: "elasticache", service: "elasticache",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "elasticache/slow-log.txt", group: "carts",
		stream: "slow",
		want: outcome{
			sent: 3, source: "elasticache", service: "elasticache",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "elasticache/engine-log.jsonl", group: "carts",
		stream: "engine",
		want: outcome{
			sent: 3, source: "elasticache", service: "elasticache",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "elasticache/engine-log.txt", group: "carts",
		stream: "engine",
		want: outcome{
			sent: 4, source: "elasticache", service: "elasticache",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:03.000Z",
		},
	},
	{
		file: "stepfunctions/express.jsonl", group: "/aws/vendedlogs/states/Checkout-Logs",
		stream: "states/Checkout/2026-02-01-09-30/0a1b2c3d",
		want: outcome{
			sent: 4, source: "stepfunction", service: "stepfunction",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:03.000Z",
		},
	},
	{
		file: "apigateway-access/clf.log", group: "shop-apigw",
		stream: "live",
		want: outcome{
			sent: 3, source: "apigateway", service: "apigateway",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "apigateway-access/json.jsonl", group: "shop",
		stream: "live",
		want: outcome{
			sent: 3, source: "apigateway", service: "apigateway",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "apigateway-access/csv.log", group: "shop-api-gateway",
		stream: "live",
		want: outcome{
			sent: 3, source: "apigateway", service: "apigateway",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "apigateway-access/xml.log", group: "shop-apigateway",
		stream: "live",
		want: outcome{
			sent: 3, source: "apigateway", service: "apigateway",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "apigateway-execution/execution.log", group: "API-Gateway-Execution-Logs_z9y8x7w6v5/live",
		stream: "0123456789abcdef0123456789abcdef",
		want: outcome{
			sent: 8, source: "apigateway", service: "apigateway",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:07.000Z",
		},
	},
	{
		file: "chime-media-quality/metrics.jsonl", group: "/aws/ChimeVoiceConnectorLogs/examplevc1abcdefghij22",
		stream: "metrics",
		want: outcome{
			sent: 3, source: "cloudwatch", service: "cloudwatch",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "chime-sip-messages/sip.jsonl", group: "/aws/ChimeVoiceConnectorSipMessages/examplevc1abcdefghij22",
		stream: "sip",
		want: outcome{
			sent: 3, source: "cloudwatch", service: "cloudwatch",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "evidently/evaluation.jsonl", group: "shop-experiments",
		stream: "basket-colour",
		want: outcome{
			sent: 3, source: "cloudwatch", service: "cloudwatch",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "sagemaker/training-job.log", group: "/aws/sagemaker/TrainingJobs",
		stream: "pictures-3/algo-1-1769938200",
		want: outcome{
			sent: 4, source: "sagemaker", service: "sagemaker",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:03.000Z",
		},
	},
	{
		file: "sagemaker/endpoint.log", group: "/aws/sagemaker/Endpoints/basket",
		stream: "main/i-0a9b8c7d6e5f40312",
		want: outcome{
			sent: 3, source: "sagemaker", service: "sagemaker",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "sagemaker-worker/worker-activity.jsonl", group: "/aws/sagemaker/groundtruth/WorkerActivity",
		stream: "aws/sagemaker/groundtruth/worker-activity/123456789012-eu-west-1/1769938200",
		want: outcome{
			sent: 3, source: "sagemaker", service: "sagemaker",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "storagegateway/health.jsonl", group: "plans",
		stream: "health",
		want: outcome{
			sent: 3, source: "cloudwatch", service: "cloudwatch",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "storagegateway/audit.jsonl", group: "plans",
		stream: "audit",
		want: outcome{
			sent: 3, source: "cloudwatch", service: "cloudwatch",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "cloudtrail/cwl-events.jsonl", group: "audit",
		stream: "123456789012_CloudTrail_eu-west-1",
		want: outcome{
			sent: 3, source: "cloudtrail", service: "cloudtrail",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "rds/mysql-error.log", group: "/aws/rds/instance/mysql-basket/error",
		stream: "mysql-basket",
		want: outcome{
			sent: 3, source: "mysql", service: "mysql",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "rds/mysql-slowquery.log", group: "/aws/rds/instance/basket/slowquery",
		stream: "basket", whole: true,
		want: outcome{
			sent: 1, source: "mysql", service: "mysql",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:00.000Z",
		},
	},
	{
		file: "rds/postgresql.log", group: "/aws/rds/instance/basket/postgresql",
		stream: "basket.0",
		want: outcome{
			sent: 5, source: "postgresql", service: "postgresql",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:04.000Z",
		},
	},
	{
		file: "rds/mariadb-audit.log", group: "/aws/rds/instance/mariadb-basket/audit",
		stream: "mariadb-basket",
		want: outcome{
			sent: 3, source: "mariadb", service: "mariadb",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "rds/os-metrics.json", group: "RDSOSMetrics",
		stream: "db-EXAMPLERESOURCE",
		want: outcome{
			sent: 1, source: "rds", service: "rds",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:00.000Z",
		},
	},
	{
		file: "eks/audit.jsonl", group: "/aws/eks/shop/cluster",
		stream: "kube-apiserver-audit-0123456789abcdef0123456789abcdef",
		want: outcome{
			sent: 3, source: "eks", service: "kube-apiserver-audit",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "eks/kube-apiserver.log", group: "/aws/eks/shop/cluster",
		stream: "kube-apiserver-0123456789abcdef0123456789abcdef",
		want: outcome{
			sent: 3, source: "eks", service: "kube-apiserver",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "eks/authenticator.log", group: "/aws/eks/shop/cluster",
		stream: "authenticator-0123456789abcdef0123456789abcdef",
		want: outcome{
			sent: 3, source: "eks", service: "authenticator",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "redshift/connectionlog.log", group: "/aws/redshift/cluster/shop/connectionlog",
		stream: "shop",
		want: outcome{
			sent: 3, source: "redshift", service: "redshift",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "redshift/userlog.log", group: "/aws/redshift/cluster/shop/userlog",
		stream: "shop",
		want: outcome{
			sent: 3, source: "redshift", service: "redshift",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:02.000Z",
		},
	},
	{
		file: "redshift/useractivitylog.log", group: "/aws/redshift/shop/useractivitylog",
		stream: "shop",
		want: outcome{
			sent: 6, source: "redshift", service: "redshift",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:05.000Z",
		},
	},
	{
		file: "lambda/text.log", group: "/aws/lambda/Basket",
		stream: "2026/02/01/[$LATEST]0a1b2c3d4e5f60718293a4b5c6d7e8f9",
		want: outcome{
			sent: 7, source: "lambda", service: "basket",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:06.000Z",
		},
	},
	{
		file: "lambda/json.jsonl", group: "shop",
		stream: "2026/02/01/basket[$LATEST]0a1b2c3d4e5f60718293a4b5c6d7e8f9",
		want: outcome{
			sent: 6, source: "lambda", service: "basket",
			first: "2026-02-01T09:59:00.000Z", last: "2026-02-01T09:59:05.000Z",
		},
	},
}
