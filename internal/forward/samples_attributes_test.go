package forward

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sampleAttributes are some attributes of the first record of a log, by whatever way it comes. "null" says that it has none.
var sampleAttributes = map[string]string{
	"vpc-flow/s3-default-v2.log":            `{"version": 2, "interface-id": "eni-0123456789abcdef0", "srcaddr": "192.0.2.10", "dstport": 443, "action": "ACCEPT", "log-status": "OK"}`,
	"vpc-flow/s3-custom-v5.log":             `{"version": 5, "srcaddr": "203.0.113.9", "tcp-flags": 19, "pkt-src-aws-service": "S3", "az-id": "euw1-az2", "flow-direction": "ingress"}`,
	"vpc-flow/s3-custom-v10.log":            `{"version": 10, "ecs-cluster-name": "shop", "ecs-service-name": "basket", "traffic-path": 1, "encryption-status": 0}`,
	"vpc-flow/cwl-default-v2.log":           `{"version": 2, "account-id": "123456789012", "interface-id": "eni-0123456789abcdef0", "protocol": 6, "action": "ACCEPT"}`,
	"vpc-flow/firehose-direct-record.jsonl": `{"version": 2, "account-id": "123456789012", "interface-id": "eni-0123456789abcdef0", "protocol": 6, "action": "ACCEPT"}`,

	"alb/access-29-fields.log": `{"type": "http", "elb": "app/shop/9a8b7c6d5e4f3021", "client_ip": "203.0.113.31", "client_port": 40217, "elb_status_code": 200, "request_verb": "GET"}`,
	"alb/access-33-fields.log": `{"type": "https", "elb_status_code": 201, "ssl_protocol": "TLSv1.3", "domain_name": "api.example.com", "conn_trace_id": "TID_00112233445566778899aabbccddeeff"}`,
	"clb/access.log":           `{"elb": "legacy-shop", "backend_ip": "192.0.2.21", "backend_port": 80, "backend_processing_time": 0.002104, "request_verb": "GET"}`,
	"nlb/access.log":           `{"type": "tls", "version": "2.0", "elb": "net/gate/1029384756abcdef", "destination_port": 443, "tls_protocol_version": "tlsv12"}`,

	"cloudfront/standard.log":                 `{"c-ip": "203.0.113.100", "cs-method": "GET", "cs-uri-stem": "/start.html", "sc-status": 200, "cs(User-Agent)": "Example Browser/11.0 (X11; Linux x86_64) Engine/1.0 (like others)"}`,
	"cloudfront/realtime-first-21-fields.log": "null", // which fields there are, a setting has to say
	"s3-access/access.log":                    `{"bucket": "example-assets", "operation": "REST.GET.VERSIONING", "http_status": 200, "remote_ip": "198.51.100.3", "user_agent": "ExampleConsole/2.0"}`,
	"global-accelerator/flow-v1.log":          `{"version": "1.0", "client_ip": "203.0.113.61", "client_port": 44102, "endpoint_region": "eu-west-1", "action": "ACCEPT"}`,
	"global-accelerator/flow-v2.log":          `{"version": "2.0", "client_ip": "203.0.113.62", "client_port": 55100, "vpc_id": "vpc-0aa11bb22cc33dd44"}`,
	"ec2-spot/data-feed.tsv":                  `{"Timestamp": "2026-02-01 08:00:00 UTC", "UsageType": "EUW1-SpotUsage:m6g.large", "InstanceID": "i-0a9b8c7d6e5f40312", "Charge": "0.029 USD", "Version": "1"}`,

	"route53-resolver/query.jsonl": `{"query_name": "40.113.0.203.in-addr.arpa.", "query_type": "PTR", "rcode": "NOERROR", "srcids": {"instance": "i-0a9b8c7d6e5f40312"}, "firewall_rule_action": "BLOCK"}`,
	"route53-public/query.log":     `{"version": "1.0", "hosted_zone_id": "Z0123456789EXAMPLE", "query_name": "example.com", "edge_location": "DUB2", "resolver_ip": "203.0.113.11"}`,
	"waf/web-acl.jsonl":            `{"action": "BLOCK", "terminatingRuleId": "BlockInjection", "timestamp": 1769938200614, "labels": [{"name": "example:probe"}]}`,

	"network-firewall/alert.jsonl": `{"firewall_name": "edge-firewall", "availability_zone": "eu-west-1a", "event_timestamp": "1769938180"}`,
	"network-firewall/flow.jsonl":  `{"firewall_name": "edge-firewall", "availability_zone": "eu-west-1a", "event_timestamp": "1769938170"}`,
	"network-firewall/tls.jsonl":   `{"firewall_name": "edge-firewall", "availability_zone": "eu-west-1b", "event_timestamp": "1769938205"}`,

	"msk-broker/broker.log":        `{"level": "INFO", "logger": "kafka.coordinator.group.GroupCoordinator", "timestamp": "2026-02-01 09:30:00,204"}`,
	"msk-connect/worker.log":       `{"worker": "0c1d2e3f4a5b69788", "level": "WARN", "logger": "org.apache.kafka.clients.NetworkClient", "line": 791}`,
	"elasticache/slow-log.jsonl":   `{"CacheClusterId": "basket-cache", "CacheNodeId": "0001", "Id": 41, "Duration (us)": 0, "Command": "GET ... (1 more arguments)"}`,
	"elasticache/slow-log.txt":     `{"CacheClusterId": "basket-cache", "CacheNodeId": "0001", "Duration (us)": 45, "ClientAddress": "192.0.2.104:50552"}`,
	"elasticache/engine-log.jsonl": `{"CacheClusterId": "basket-cache", "LogLevel": "VERBOSE", "Role": "M", "Message": "The replica starts once the running save is over"}`,
	"elasticache/engine-log.txt":   `{"CacheClusterId": "basket-cache", "LogLevel": "NOTICE", "Role": "M", "Message": "A script has run for 12000 milliseconds and goes on."}`,

	"apigateway-access/clf.log":              `{"ip": "203.0.113.17", "httpMethod": "GET", "resourcePath": "/carts", "status": 200, "requestId": "0f6a7b8c-0000-4111-8222-333344440001"}`,
	"apigateway-access/csv.log":              `{"ip": "203.0.113.17", "httpMethod": "GET", "resourcePath": "/carts", "status": 200, "responseLength": 733}`,
	"apigateway-access/xml.log":              `{"ip": "203.0.113.17", "httpMethod": "GET", "resourcePath": "/carts", "status": 200, "extendedRequestId": "EXaMpLe0001abc="}`,
	"apigateway-access/json.jsonl":           `{"ip": "203.0.113.17", "httpMethod": "GET", "resourcePath": "/carts", "status": "200", "responseLength": "733"}`,
	"apigateway-execution/execution.log":     `{"requestId": "0f6a7b8c-0000-4111-8222-33334444cafe", "message": "Extended Request Id: EXaMpLe0009abc="}`,
	"stepfunctions/express.jsonl":            `{"id": "1", "type": "ExecutionStarted", "previous_event_id": "0", "event_timestamp": "1769938200301"}`,
	"chime-media-quality/metrics.jsonl":      `{"call_id": "CALL-7001", "cust2vc_rtp_packets": 2800, "mos_btwn_vc_and_cust": 4.4}`,
	"chime-sip-messages/sip.jsonl":           `{"call_id": "5f4e3d2c1b0a@203.0.113.10", "voice_connector_id": "examplevc1abcdefghij22", "event_timestamp": 1769938200000}`,
	"evidently/evaluation.jsonl":             `{"event_type": "evaluation", "feature": "basket-colour", "variation": "Green", "event_timestamp": 1769938200311}`,
	"sagemaker/training-job.log":             `{"level": "INFO", "logger": "sagemaker-training-toolkit", "message": "Imported framework example_container.training"}`,
	"sagemaker/endpoint.log":                 `{"level": "INFO", "thread": "W-9001-basket_2.0", "logger": "com.example.serving.WorkerThread", "message": "Answered after: 15"}`,
	"sagemaker-worker/worker-activity.jsonl": `{"worker_id": "a1b2c3d4e5f60718", "event_type": "TasksSubmitted", "event_timestamp": "1769938204"}`,
	"storagegateway/health.jsonl":            `{"severity": "ERROR", "gateway": "sgw-0A1B2C3D", "type": "InaccessibleStorageClass", "operation": "S3Upload"}`,
	"storagegateway/audit.jsonl":             `{"operation": "ReadData", "shareName": "plans", "objectName": "/plans/spring.ods", "status": "Success"}`,

	"cloudtrail/cwl-events.jsonl": `{"eventName": "StopInstances", "eventSource": "ec2.amazonaws.com", "readOnly": false, "sourceIPAddress": "203.0.113.74"}`,
	"cloudtrail/123456789012_CloudTrail_eu-west-1_20260201T0935Z_Qx7LmN2pRs8TuV4w.json":                 `{"eventName": "StopInstances", "eventSource": "ec2.amazonaws.com", "readOnly": false, "recipientAccountId": "123456789012"}`,
	"cloudtrail-insight/123456789012_CloudTrail-Insight_eu-west-1_20260201T0955Z_Zy9XwV8uTs7RqP6o.json": `{"eventType": "AwsCloudTrailInsight", "sharedEventID": "0a1b2c3d-0000-4000-8000-000000000200"}`,
	"guardduty/findings.jsonl":         `{"accountId": "111122223333", "region": "eu-west-1", "id": "00000000000000000000000000000071", "schemaVersion": "2.0"}`,
	"guardduty/eventbridge-event.json": `{"account": "111122223333", "detail-type": "GuardDuty Finding", "source": "aws.guardduty"}`,

	"rds/mysql-error.log":     `{"level": "System", "error_code": "MY-010931", "subsystem": "Server", "thread_id": 0}`,
	"rds/mysql-slowquery.log": `{"user": "reader", "ip": "192.0.2.46", "thread_id": 77, "query_time": 12.500140, "rows_examined": 91, "sql_text": "select * from carts where sleep(6);"}`,
	"rds/postgresql.log":      `{"user": "reader", "dbname": "basket", "pid": 812, "error_severity": "LOG", "message": "statement: SELECT 7", "remote_port": 40222}`,
	"rds/mariadb-audit.log":   `{"username": "reader", "operation": "QUERY", "database": "basket", "object": "select 7", "retcode": 0, "queryid": 901}`,
	"rds/os-metrics.json":     `{"engine": "MYSQL", "instanceID": "basket", "numVCPUs": 4, "loadAverageMinute": {"fifteen": 0.30, "five": 0.41, "one": 0.60}}`,

	"eks/audit.jsonl":        `{"verb": "list", "stage": "ResponseComplete", "sourceIPs": ["192.0.2.15"], "level": "Metadata"}`,
	"eks/kube-apiserver.log": `{"level": "INFO", "file": "controller.go", "line": 702, "thread": 11, "message": "quota now counts: cronjobs.batch"}`,
	"eks/authenticator.log":  `{"level": "info", "msg": "let in", "client": "127.0.0.1:51312", "method": "POST", "path": "/authenticate"}`,

	"redshift/connectionlog.log":   `{"event": "initiating session", "remotehost": "192.0.2.62", "remoteport": 50242, "dbname": "shop", "username": "reader"}`,
	"redshift/userlog.log":         `{"userid": "102", "username": "reader", "action": "alter", "usecreatedb": 1, "xid": "5521"}`,
	"redshift/useractivitylog.log": `{"db": "shop", "user": "reader", "pid": 4410, "query": "select 7"}`,

	"lambda/text.log":   `{"type": "platform.initStart", "runtimeVersion": "provided:al2023.v77"}`,
	"lambda/json.jsonl": `{"type": "platform.initStart", "time": "2026-02-01T09:30:00.002Z"}`,

	"events/cwl-direct.json":                               `{"type": "platform.report", "durationMs": 31.07, "billedDurationMs": 32, "memorySizeMB": 256}`,
	"events/cwl-direct-extracted-fields-policy-level.json": `{"srcaddr": "192.0.2.10", "extractedFields": {"account_id": "123456789012", "action": "ACCEPT", "dstport": "443", "srcaddr": "192.0.2.10", "status": "OK", "version": "2"}}`,
}

// checkAttributes holds the attributes of the first item to those of the table. What is no log of a service has no row.
func checkAttributes(t *testing.T, file string, items []map[string]any) {
	t.Helper()
	text, known := sampleAttributes[file]
	if len(items) == 0 {
		return
	}
	if !known {
		folder, _, _ := strings.Cut(file, "/")
		assert.Contains(t, []string{"events", "compression", "failed-objects"}, folder, "%s has no attributes in the table", file)
		return
	}
	var want map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &want))
	attrs, _ := items[0]["attrs"].(map[string]any)
	got := map[string]any{}
	for name, value := range attrs {
		if _, is := want[name]; is {
			got[name] = value
		}
	}
	if want == nil {
		assert.Empty(t, attrs)
		return
	}
	assert.Equal(t, want, got, "attributes")
}

func TestSampleAttributesAreOfSamples(t *testing.T) {
	files := map[string]bool{}
	for _, s := range allSamples() {
		files[s.file] = true
	}
	for file := range sampleAttributes {
		assert.True(t, files[file], file)
	}
}
