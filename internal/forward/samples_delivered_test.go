package forward

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/service"
)

// deliveredSamples are what a delivery stream keeps in S3, in each packing that it knows and some that it does not, and
// what is read from a stream itself. A line has a time where its log is known, by the stream's name or by what it says.
var deliveredSamples = []sample{
	{
		// A JSON object around each line.
		file: "vpc-flow/firehose-direct-record.jsonl",
		key:  "flows/2026/02/01/09/vpc-flows-2-2026-02-01-09-30-10-000000b0-0a0b-4c0d-8e0f-0000000000b0",
		want: outcome{
			sent: 3, source: "vpc", service: "vpc", log: service.VPCFlow,
			first: "2026-02-01T09:30:30.000Z", last: "2026-02-01T09:31:41.000Z",
			firehose: `{"delivery_stream": "vpc-flows", "stream_version": "2", "hour": "2026-02-01T09"}`,
		},
	},
	{
		// WAF wants such a name of the stream.
		file: "waf/web-acl.jsonl",
		key:  "2026/02/01/09/aws-waf-logs-shop-1-2026-02-01-09-30-10-000000c1-0a0b-4c0d-8e0f-0000000000c1.gz",
		want: outcome{
			sent: 3, source: "waf", service: "waf", log: service.WAF,
			first: "2026-02-01T09:30:00.614Z", last: "2026-02-01T09:30:01.907Z",
			firehose: `{"delivery_stream": "aws-waf-logs-shop", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		// So does API Gateway.
		file: "apigateway-access/clf.log",
		key:  "2026/02/01/09/amazon-apigateway-shop-1-2026-02-01-09-30-10-000000c2-0a0b-4c0d-8e0f-0000000000c2.gz",
		want: outcome{
			sent: 3, source: "apigateway", service: "apigateway", log: service.APIGatewayAccess,
			first: "2026-02-01T09:30:00.000Z", last: "2026-02-01T09:30:03.000Z",
			firehose: `{"delivery_stream": "amazon-apigateway-shop", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		file: "network-firewall/alert.jsonl",
		key:  "2026/02/01/09/edge-1-2026-02-01-09-30-10-000000c3-0a0b-4c0d-8e0f-0000000000c3.gz",
		want: outcome{
			sent: 3, source: "network-firewall", service: "network-firewall", log: service.NetworkFirewall,
			first: "2026-02-01T09:29:40.000Z", last: "2026-02-01T09:30:02.000Z",
			firehose: `{"delivery_stream": "edge", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		file: "apigateway-access/json.jsonl",
		key:  "2026/02/01/09/amazon-apigateway-shop-1-2026-02-01-09-30-10-000000d1-0a0b-4c0d-8e0f-0000000000d1.gz",
		want: outcome{
			sent: 3, source: "apigateway", service: "apigateway", log: service.APIGatewayAccess,
			first: "2026-02-01T09:30:00.000Z", last: "2026-02-01T09:30:03.000Z",
			firehose: `{"delivery_stream": "amazon-apigateway-shop", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		file: "apigateway-access/csv.log",
		key:  "2026/02/01/09/amazon-apigateway-shop-1-2026-02-01-09-30-10-000000d2-0a0b-4c0d-8e0f-0000000000d2.gz",
		want: outcome{
			sent: 3, source: "apigateway", service: "apigateway", log: service.APIGatewayAccess,
			first: "2026-02-01T09:30:00.000Z", last: "2026-02-01T09:30:03.000Z",
			firehose: `{"delivery_stream": "amazon-apigateway-shop", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		file: "apigateway-access/xml.log",
		key:  "2026/02/01/09/amazon-apigateway-shop-1-2026-02-01-09-30-10-000000d3-0a0b-4c0d-8e0f-0000000000d3.gz",
		want: outcome{
			sent: 3, source: "apigateway", service: "apigateway", log: service.APIGatewayAccess,
			first: "2026-02-01T09:30:00.000Z", last: "2026-02-01T09:30:03.000Z",
			firehose: `{"delivery_stream": "amazon-apigateway-shop", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		file: "network-firewall/flow.jsonl",
		key:  "2026/02/01/09/edge-1-2026-02-01-09-30-10-000000d4-0a0b-4c0d-8e0f-0000000000d4.gz",
		want: outcome{
			sent: 3, source: "network-firewall", service: "network-firewall", log: service.NetworkFirewall,
			first: "2026-02-01T09:29:30.000Z", last: "2026-02-01T09:30:04.000Z",
			firehose: `{"delivery_stream": "edge", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		file: "network-firewall/tls.jsonl",
		key:  "2026/02/01/09/edge-1-2026-02-01-09-30-10-000000d5-0a0b-4c0d-8e0f-0000000000d5.gz",
		want: outcome{
			sent: 3, source: "network-firewall", service: "network-firewall", log: service.NetworkFirewall,
			first: "2026-02-01T09:30:05.000Z", last: "2026-02-01T09:30:08.000Z",
			firehose: `{"delivery_stream": "edge", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		file: "msk-connect/worker.log",
		key:  "2026/02/01/09/carts-1-2026-02-01-09-30-10-000000d6-0a0b-4c0d-8e0f-0000000000d6.gz",
		want: outcome{
			sent: 6, source: "msk", service: "msk", log: service.MSKConnect,
			first:    "2026-02-01T09:30:00.151Z", // the last one is a line of a record without a time
			firehose: `{"delivery_stream": "carts", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		file: "route53-resolver/query.jsonl",
		key:  "2026/02/01/09/dns-1-2026-02-01-09-30-10-000000c4-0a0b-4c0d-8e0f-0000000000c4.gz",
		want: outcome{
			sent: 3, source: "route53", service: "route53", log: service.Route53Resolver,
			first: "2026-02-01T09:30:11.000Z", last: "2026-02-01T09:30:14.000Z",
			firehose: `{"delivery_stream": "dns", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		file: "msk-broker/broker.log",
		key:  "2026/02/01/09/carts-1-2026-02-01-09-30-10-000000c5-0a0b-4c0d-8e0f-0000000000c5.gz",
		want: outcome{
			sent: 7, source: "msk", service: "msk", log: service.MSKBroker,
			first: "2026-02-01T09:30:00.204Z", last: "2026-02-01T09:30:02.677Z",
			firehose: `{"delivery_stream": "carts", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		file: "elasticache/slow-log.jsonl",
		key:  "2026/02/01/09/carts-1-2026-02-01-09-30-10-000000c6-0a0b-4c0d-8e0f-0000000000c6.gz",
		want: outcome{
			sent: 3, source: "elasticache", service: "elasticache", log: service.ElastiCacheSlow,
			first: "2026-02-01T09:30:00.000Z", last: "2026-02-01T09:30:03.000Z",
			firehose: `{"delivery_stream": "carts", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		file: "elasticache/slow-log.txt",
		key:  "2026/02/01/09/carts-1-2026-02-01-09-30-10-000000c7-0a0b-4c0d-8e0f-0000000000c7.gz",
		want: outcome{
			sent: 3, source: "elasticache", service: "elasticache", log: service.ElastiCacheSlow,
			first: "2026-02-01T09:30:00.000Z", last: "2026-02-01T09:30:03.000Z",
			firehose: `{"delivery_stream": "carts", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		file: "elasticache/engine-log.jsonl",
		key:  "2026/02/01/09/carts-1-2026-02-01-09-30-10-000000c8-0a0b-4c0d-8e0f-0000000000c8.gz",
		want: outcome{
			sent: 3, source: "elasticache", service: "elasticache", log: service.ElastiCacheEngine,
			first: "2026-02-01T09:29:58.014Z", last: "2026-02-01T09:30:07.250Z",
			firehose: `{"delivery_stream": "carts", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		file: "elasticache/engine-log.txt",
		key:  "2026/02/01/09/carts-1-2026-02-01-09-30-10-000000c9-0a0b-4c0d-8e0f-0000000000c9.gz",
		want: outcome{
			sent: 4, source: "elasticache", service: "elasticache", log: service.ElastiCacheEngine,
			first: "2026-02-01T09:29:58.014Z", last: "2026-02-01T09:30:08.000Z",
			firehose: `{"delivery_stream": "carts", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
	{
		// The time is that in the first column, which is how such a line is recognised.
		file: "cloudfront/realtime-first-21-fields.log", streamed: true,
		want: outcome{
			sent: 3, source: "cloudfront", service: "cloudfront",
			first: "2026-02-01T09:30:00.204Z", last: "2026-02-01T09:30:01.006Z", answer: `{"batchItemFailures": []}`,
		},
	},
	{
		file: deliveredText,
		key:  "2026/02/01/09/stream-1-2026-02-01-09-30-10-000000ae-0a0b-4c0d-8e0f-0000000000ae",
		want: packing,
	},
	{
		file: "compression/stream-1-2026-02-01-09-30-10-000000ae-0a0b-4c0d-8e0f-0000000000ae.gz",
		key:  "2026/02/01/09/stream-1-2026-02-01-09-30-10-000000ae-0a0b-4c0d-8e0f-0000000000ae.gz", coding: "gzip",
		want: packing,
	},
	{
		file: "compression/stream-1-2026-02-01-09-30-10-000000ae-0a0b-4c0d-8e0f-0000000000ae.multi-member.gz",
		key:  "2026/02/01/09/stream-1-2026-02-01-09-30-10-000000ae-0a0b-4c0d-8e0f-0000000000ae.gz", coding: "gzip",
		want: packing,
	},
	{
		file: "compression/stream-1-2026-02-01-09-30-10-000000ae-0a0b-4c0d-8e0f-0000000000ae.zip",
		key:  "2026/02/01/09/stream-1-2026-02-01-09-30-10-000000ae-0a0b-4c0d-8e0f-0000000000ae.zip", coding: "zip",
		want: packing,
	},
	{
		file: "compression/stream-1-2026-02-01-09-30-10-000000ae-0a0b-4c0d-8e0f-0000000000ae.snappy",
		key:  "2026/02/01/09/stream-1-2026-02-01-09-30-10-000000ae-0a0b-4c0d-8e0f-0000000000ae.snappy", coding: "snappy-java",
		want: packing,
	},
	{
		file: "compression/stream-1-2026-02-01-09-30-10-000000ae-0a0b-4c0d-8e0f-0000000000ae.hadoop.snappy",
		key:  "2026/02/01/09/stream-1-2026-02-01-09-30-10-000000ae-0a0b-4c0d-8e0f-0000000000ae.snappy", coding: "hadoop-snappy",
		want: packing,
	},
	{
		file: "compression/stream-1-2026-02-01-09-30-10-000000ae-0a0b-4c0d-8e0f-0000000000ae.framed.sz",
		key:  "2026/02/01/09/stream-1-2026-02-01-09-30-10-000000ae-0a0b-4c0d-8e0f-0000000000ae",
		want: packing,
	},
	{
		// Objects that touch.
		file: "compression/no-delimiter.jsonl",
		key:  "2026/02/01/09/stream-1-2026-02-01-09-30-10-000000b1-0a0b-4c0d-8e0f-0000000000b1",
		want: outcome{
			sent: 5, source: "s3", service: "s3",
			firehose: `{"delivery_stream": "stream", "stream_version": "1", "hour": "2026-02-01T09"}`,
		},
	},
}

// deliveredText is the text that all packings hold.
const deliveredText = "compression/stream-1-2026-02-01-09-30-10-000000ae-0a0b-4c0d-8e0f-0000000000ae.jsonl"

// packing is what comes out of the same lines, whatever they are packed with.
var packing = outcome{
	sent: 40, source: "s3", service: "s3",
	firehose: `{"delivery_stream": "stream", "stream_version": "1", "hour": "2026-02-01T09"}`,
}

func TestPackingsHoldOneText(t *testing.T) {
	texts := map[string]int{}
	for _, s := range deliveredSamples {
		if strings.HasPrefix(s.file, "compression/stream-") {
			texts[s.plain(t, readSample(t, s.file))]++
		}
	}
	assert.Len(t, texts, 1)
	assert.Equal(t, 7, texts[string(readSample(t, deliveredText))])
}
