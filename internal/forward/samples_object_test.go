package forward

import "sluice/internal/service"

// objectSamples are logs that AWS services write to S3, with keys as they give them.
var objectSamples = []sample{
	{
		file: "vpc-flow/s3-default-v2.log",
		key:  "AWSLogs/123456789012/vpcflowlogs/eu-west-1/2026/02/01/123456789012_vpcflowlogs_eu-west-1_fl-0a1b2c3d_20260201T0930Z_5e6f7a8b.log.gz",
		want: outcome{
			sent: 7, dropped: map[string]int{"header_line": 1}, source: "vpc", service: "vpc", log: service.VPCFlow,
			first: "2026-02-01T09:30:30.000Z", last: "2026-02-01T09:29:59.000Z",
		},
	},
	{
		file: "vpc-flow/s3-custom-v5.log",
		key:  "AWSLogs/123456789012/vpcflowlogs/eu-west-1/2026/02/01/123456789012_vpcflowlogs_eu-west-1_fl-0b2c3d4e_20260201T0930Z_6f7a8b9c.log.gz",
		want: outcome{
			sent: 3, dropped: map[string]int{"header_line": 1}, source: "vpc", service: "vpc", log: service.VPCFlow,
			first: "2026-02-01T09:31:03.000Z", last: "2026-02-01T09:31:03.000Z",
		},
	},
	{
		file: "vpc-flow/s3-custom-v10.log",
		key:  "AWSLogs/123456789012/vpcflowlogs/eu-west-1/2026/02/01/123456789012_vpcflowlogs_eu-west-1_fl-0c3d4e5f_20260201T0930Z_7a8b9c0d.log.gz",
		want: outcome{
			sent: 3, dropped: map[string]int{"header_line": 1}, source: "vpc", service: "vpc", log: service.VPCFlow,
			first: "2026-02-01T09:30:55.000Z", last: "2026-02-01T09:30:59.000Z",
		},
	},
	{
		file: "alb/access-29-fields.log",
		key:  "AWSLogs/123456789012/elasticloadbalancing/eu-west-1/2026/02/01/123456789012_elasticloadbalancing_eu-west-1_app.shop.9a8b7c6d5e4f3021_20260201T0935Z_192.0.2.5_1a2b3c4d.log.gz",
		want: outcome{
			sent: 5, source: "elb", service: "elb", log: service.ALB,
			first: "2026-02-01T09:30:00.412Z", last: "2026-02-01T09:31:15.000Z",
		},
	},
	{
		file: "alb/access-33-fields.log",
		key:  "AWSLogs/123456789012/elasticloadbalancing/eu-west-1/2026/02/01/123456789012_elasticloadbalancing_eu-west-1_app.shop.9a8b7c6d5e4f3021_20260201T0935Z_192.0.2.6_2b3c4d5e.log.gz",
		want: outcome{
			sent: 3, source: "elb", service: "elb", log: service.ALB,
			first: "2026-02-01T09:30:02.104Z", last: "2026-02-01T09:30:04.250Z",
		},
	},
	{
		// Not packed.
		file: "clb/access.log",
		key:  "AWSLogs/123456789012/elasticloadbalancing/eu-west-1/2026/02/01/123456789012_elasticloadbalancing_eu-west-1_legacy-shop_20260201T0935Z_192.000.002.007_3c4d5e6f.log",
		want: outcome{
			sent: 5, source: "elb", service: "elb", log: service.CLB,
			first: "2026-02-01T09:30:10.118Z", last: "2026-02-01T09:30:41.000Z",
		},
	},
	{
		file: "nlb/access.log",
		key:  "AWSLogs/123456789012/elasticloadbalancing/eu-west-1/2026/02/01/123456789012_elasticloadbalancing_eu-west-1_net.gate.1029384756abcdef_20260201T0935Z_4d5e6f7a.log.gz",
		want: outcome{
			sent: 3, source: "elb", service: "elb", log: service.NLB,
			first: "2026-02-01T09:28:40.000Z", last: "2026-02-01T09:30:58.000Z",
		},
	},
	{
		file: "cloudfront/standard.log",
		key:  "cdn/E1EXAMPLE2345.2026-02-01-09.5e6f7a8b.gz",
		want: outcome{
			sent: 4, dropped: map[string]int{"header_line": 2}, source: "cloudfront", service: "cloudfront", log: service.CloudFront,
			first: "2026-02-01T09:12:44.000Z", last: "2026-02-01T09:06:31.000Z",
		},
	},
	{
		// Not packed.
		file: "s3-access/access.log",
		key:  "access/2026-02-01-10-17-32-0123456789ABCDEF",
		want: outcome{
			sent: 4, source: "s3", service: "s3", log: service.S3Access,
			first: "2026-02-01T09:20:08.000Z", last: "2026-02-01T09:22:31.000Z",
		},
	},
	{
		file: "global-accelerator/flow-v1.log",
		key:  "AWSLogs/123456789012/globalaccelerator/us-west-2/2026/02/01/123456789012_globalaccelerator_a0b1c2d3-e4f5-4061-8273-94a5b6c7d8e9_20260201T0930Z_6f7a8b9c.log.gz",
		want: outcome{
			sent: 3, dropped: map[string]int{"header_line": 1}, source: "s3", service: "globalaccelerator", log: service.GlobalAccelerator,
			first: "2026-02-01T09:31:00.000Z", last: "2026-02-01T09:31:00.000Z",
		},
	},
	{
		file: "global-accelerator/flow-v2.log",
		key:  "AWSLogs/123456789012/globalaccelerator/us-west-2/2026/02/01/123456789012_globalaccelerator_a0b1c2d3-e4f5-4061-8273-94a5b6c7d8e9_fl-0a1b_20260201T0935Z_7a8b9c0d.log.gz",
		want: outcome{
			sent: 3, dropped: map[string]int{"header_line": 1}, source: "s3", service: "globalaccelerator", log: service.GlobalAccelerator,
			first: "2026-02-01T09:31:00.000Z", last: "2026-02-01T09:32:00.000Z",
		},
	},
	{
		file: "ec2-spot/data-feed.tsv",
		key:  "spot/123456789012.2026-02-01-08.001.8b9c0d1e.gz",
		want: outcome{
			sent: 3, dropped: map[string]int{"header_line": 2}, source: "ec2", service: "ec2", log: service.EC2Spot,
			first: "2026-02-01T08:00:00.000Z", last: "2026-02-01T08:21:07.000Z",
		},
	},
	{
		file: "route53-resolver/query.jsonl",
		key:  "AWSLogs/123456789012/vpcdnsquerylogs/vpc-0aa11bb22cc33dd44/2026/02/01/vpc-0aa11bb22cc33dd44_vpcdnsquerylogs_123456789012_20260201T0935Z_9c0d1e2f.log.gz",
		want: outcome{
			sent: 3, source: "route53", service: "route53", log: service.Route53Resolver,
			first: "2026-02-01T09:30:11.000Z", last: "2026-02-01T09:30:14.000Z",
		},
	},
	{
		file: "waf/web-acl.jsonl",
		key:  "AWSLogs/123456789012/WAFLogs/eu-west-1/shop/2026/02/01/09/30/123456789012_waflogs_eu-west-1_shop_20260201T0930Z_0d1e2f3a.log.gz",
		want: outcome{
			sent: 3, source: "waf", service: "waf", log: service.WAF,
			first: "2026-02-01T09:30:00.614Z", last: "2026-02-01T09:30:01.907Z",
		},
	},
	{
		file: "network-firewall/alert.jsonl",
		key:  "AWSLogs/123456789012/network-firewall/alert/eu-west-1/edge-firewall/2026/02/01/09/123456789012_network-firewall_alert_eu-west-1_edge-firewall_202602010930_1e2f3a4b.log.gz",
		want: outcome{
			sent: 3, source: "network-firewall", service: "network-firewall", log: service.NetworkFirewall,
			first: "2026-02-01T09:29:40.000Z", last: "2026-02-01T09:30:02.000Z",
		},
	},
	{
		file: "network-firewall/flow.jsonl",
		key:  "AWSLogs/123456789012/network-firewall/flow/eu-west-1/edge-firewall/2026/02/01/09/123456789012_network-firewall_flow_eu-west-1_edge-firewall_202602010930_2f3a4b5c.log.gz",
		want: outcome{
			sent: 3, source: "network-firewall", service: "network-firewall", log: service.NetworkFirewall,
			first: "2026-02-01T09:29:30.000Z", last: "2026-02-01T09:30:04.000Z",
		},
	},
	{
		file: "network-firewall/tls.jsonl",
		key:  "AWSLogs/123456789012/network-firewall/tls/eu-west-1/edge-firewall/2026/02/01/09/123456789012_network-firewall_tls_eu-west-1_edge-firewall_202602010930_3a4b5c6d.log.gz",
		want: outcome{
			sent: 3, source: "network-firewall", service: "network-firewall", log: service.NetworkFirewall,
			first: "2026-02-01T09:30:05.000Z", last: "2026-02-01T09:30:08.000Z",
		},
	},
	{
		// A trace of three lines, which have no time of their own.
		file: "msk-broker/broker.log",
		key:  "AWSLogs/123456789012/KafkaBrokerLogs/eu-west-1/carts-0a1b2c3d-8888-4999-8aaa-bbbbccccdddd-3/2026-02-01-09/Broker-2_09-30_4b5c6d7e.log.gz",
		want: outcome{
			sent: 7, source: "msk", service: "msk", log: service.MSKBroker,
			first: "2026-02-01T09:30:00.204Z", last: "2026-02-01T09:30:02.677Z",
		},
	},
	{
		// The last lines go on from the second, and have no time.
		file: "msk-connect/worker.log",
		key:  "connect/sink/2026-02-01/worker.log.gz",
		want: outcome{
			sent: 6, source: "msk", service: "msk", log: service.MSKConnect,
			first: "2026-02-01T09:30:00.151Z",
		},
	},
	{
		// Recognised by what it says.
		file: "evidently/evaluation.jsonl",
		key:  "AWSLogs/123456789012/evaluations/2026/02/01/5c6d7e8f.gz",
		want: outcome{
			sent: 3, source: "cloudwatch", service: "cloudwatch", log: service.Evidently,
			first: "2026-02-01T09:30:00.311Z", last: "2026-02-01T09:30:02.500Z",
		},
	},
	{
		file: "cloudtrail/123456789012_CloudTrail_eu-west-1_20260201T0935Z_Qx7LmN2pRs8TuV4w.json",
		key:  "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/02/01/123456789012_CloudTrail_eu-west-1_20260201T0935Z_Qx7LmN2pRs8TuV4w.json.gz",
		want: outcome{
			sent: 3, source: "cloudtrail", service: "cloudtrail", log: service.CloudTrail,
			first: "2026-02-01T09:30:00.000Z", last: "2026-02-01T09:30:09.000Z",
		},
	},
	{
		file: "cloudtrail-insight/123456789012_CloudTrail-Insight_eu-west-1_20260201T0955Z_Zy9XwV8uTs7RqP6o.json",
		key:  "AWSLogs/123456789012/CloudTrail-Insight/eu-west-1/2026/02/01/123456789012_CloudTrail-Insight_eu-west-1_20260201T0955Z_Zy9XwV8uTs7RqP6o.json.gz",
		want: outcome{
			sent: 2, source: "cloudtrail", service: "cloudtrail", log: service.CloudTrailInsight,
			first: "2026-02-01T09:41:00.000Z", last: "2026-02-01T09:44:00.000Z",
		},
	},
	{
		file: "cloudtrail-digest/111122223333_CloudTrail-Digest_eu-west-1_example-trail_eu-west-1_20260201T093131Z.json",
		key:  "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/02/01/111122223333_CloudTrail-Digest_eu-west-1_example-trail_eu-west-1_20260201T093131Z.json.gz",
		want: outcome{dropped: map[string]int{"not_a_log": 1}, log: service.CloudTrailDigest},
	},
	{
		file: "guardduty/findings.jsonl",
		key:  "AWSLogs/111122223333/GuardDuty/eu-west-1/2026/02/01/0a1b2c3d-9999-4aaa-8bbb-ccccddddeeee.jsonl.gz",
		want: outcome{
			sent: 3, source: "guardduty", service: "guardduty", log: service.GuardDuty,
			first: "2026-02-01T09:30:00.000Z", last: "2026-02-01T09:32:30.500Z",
		},
	},
	{
		file: "redshift/connectionlog.log",
		key:  "AWSLogs/123456789012/redshift/eu-west-1/2026/02/01/123456789012_redshift_eu-west-1_shop_connectionlog_2026-02-01T09:30.gz",
		want: outcome{
			sent: 3, source: "redshift", service: "redshift", log: service.Redshift,
			first: "2026-02-01T09:30:00.118Z", last: "2026-02-01T09:30:14.007Z",
		},
	},
	{
		file: "redshift/userlog.log",
		key:  "AWSLogs/123456789012/redshift/eu-west-1/2026/02/01/123456789012_redshift_eu-west-1_shop_userlog_2026-02-01T09:30.gz",
		want: outcome{
			sent: 3, source: "redshift", service: "redshift", log: service.Redshift,
			first: "2026-02-01T09:30:02.404Z", last: "2026-02-01T09:30:04.606Z",
		},
	},
	{
		// A query of four lines, each a record unless the settings join them.
		file: "redshift/useractivitylog.log",
		key:  "AWSLogs/123456789012/redshift/eu-west-1/2026/02/01/123456789012_redshift_eu-west-1_shop_useractivitylog_2026-02-01T09:30.gz",
		want: outcome{
			sent: 6, source: "redshift", service: "redshift", log: service.Redshift,
			first: "2026-02-01T09:30:05.000Z", last: "2026-02-01T09:30:08.000Z",
		},
	},
}
