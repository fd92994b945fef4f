package format_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/format"
	"sluice/internal/service"
)

// jsonLines have one line of each log that is JSON, as the service writes it.
var jsonLines = map[service.Log]string{
	"":                        `{"time":"2024-02-01T00:00:00Z","level":"info","msg":"é","n":1.50}`,
	service.CloudTrail:        `{"eventVersion":"1.08","userIdentity":{"type":"AWSService","invokedBy":"delivery.logs.amazonaws.com"},"eventTime":"2024-02-01T00:00:02Z","eventSource":"s3.amazonaws.com","eventName":"GetBucketAcl","awsRegion":"us-east-2","sourceIPAddress":"delivery.logs.amazonaws.com","userAgent":"delivery.logs.amazonaws.com","responseElements":null,"readOnly":true,"recipientAccountId":"123456789012","eventCategory":"Management"}`,
	service.CloudTrailInsight: `{"eventVersion":"1.07","eventTime":"2024-02-01T00:00:00Z","awsRegion":"us-east-1","eventID":"x","eventType":"AwsCloudTrailInsight","recipientAccountId":"123456789012","sharedEventID":"y","insightDetails":{"state":"Start","insightContext":{"statistics":{"baseline":{"average":0.0020000000}}}},"eventCategory":"Insight"}`,
	service.WAF:               wafLine,
	service.NetworkFirewall:   `{"firewall_name":"test-firewall","availability_zone":"us-east-1b","event_timestamp":"1602627001","event":{"timestamp":"2020-10-13T22:10:01.006481+0000","flow_id":1582438383425873,"event_type":"alert","src_ip":"2001:db8::4","src_port":55555,"alert":{"signature":"a \"b\"","category":""}}}`,
	service.Route53Resolver:   `{"version":"1.100000","account_id":"123456789012","region":"us-east-1","vpc_id":"vpc-1","query_timestamp":"2024-02-01T00:00:00Z","query_name":"example.com.","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[{"Rdata":"192.0.2.1","Type":"A","Class":"IN"}],"srcaddr":"192.0.2.5","srcport":"56067","transport":"UDP","srcids":{"instance":"i-1"}}`,
	service.GuardDuty:         `{"schemaVersion":"2.0","accountId":"123456789012","region":"us-east-1","id":"x","type":"Recon:EC2/Portscan","service":{"count":3},"severity":5.3,"updatedAt":"2024-02-01T00:00:00.000Z","title":"t","description":"d"}`,
	service.SecurityHub:       `{"version":"0","id":"x","detail-type":"Security Hub Findings - Imported","source":"aws.securityhub","account":"123456789012","time":"2024-02-01T00:00:00Z","region":"us-east-1","resources":[],"detail":{"findings":[{"Id":"1"}]}}`,
	service.Evidently:         `{"event_timestamp":1642624902000,"event_type":"evaluation","entity_id":"user-Ω","entity_attributes":{"plan":"gold","visits":3}}`,
	service.Chime:             `{"voice_connector_id":"abcdef1ghij2klmno3pqr4","aws_region":"us-east-1","event_timestamp":1706745600000,"call_id":"a84b4c76e66710@192.0.2.10","sip_message":"SIP/2.0 100 Trying\r\nVia: SIP/2.0/UDP 192.0.2.10\r\n\r\n"}`,
	service.Config:            `{"configurationItemVersion":"1.3","configurationItemCaptureTime":"2024-02-01T00:00:00.000Z","awsAccountId":"123456789012","awsRegion":"us-east-1","configuration":{"a":[1,2]}}`,
	service.StepFunctions:     `{"id":"1","type":"ExecutionStarted","details":{"input":"{\"name\":\"Ada\",\"cut","inputDetails":{"truncated":true}},"previous_event_id":"0","event_timestamp":"1706745600123","execution_arn":"arn:aws:states:us-east-1:123456789012:express:a:b:c"}`,
	service.SageMakerWorker:   `{"worker_id":"cd449a289e129409","task_returned_time":"","event_type":"TasksSubmitted","event_timestamp":"1565798464"}`,
	service.StorageGateway:    `{"severity":"ERROR","source":"share-E1A2B34C","type":"S3AccessDenied","operation":"S3Upload","key":"a b/file+1.txt","gateway":"sgw-B1D123D4","timestamp":"1706745600001"}`,
	service.RDSOSMetrics:      `{"engine":"MYSQL","timestamp":"2024-02-01T00:00:00Z","uptime":"1 days, 00:00:00","cpuUtilization":{"user":2.0},"processList":[{"id":8455}]}`,
	service.EKSAudit:          `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"1","requestURI":"/api/v1/pods?limit=500","verb":"list","sourceIPs":["2001:db8::5"],"userAgent":"coredns","requestReceivedTimestamp":"2024-02-01T00:00:00.123456Z","annotations":{"authorization.k8s.io/reason":""}}`,
	service.FirehoseErrors:    `{"deliveryStreamARN":"arn:aws:firehose:us-east-1:123456789012:deliverystream/a","destination":"arn:aws:s3:::b","deliveryStreamVersionId":1,"message":"Access denied","errorCode":"S3.AccessDenied"}`,
	service.ElastiCacheSlow:   `{"CacheClusterId":"a","CacheNodeId":"0001","Id":296,"Timestamp":1605631822,"Duration (us)":0,"Command":"GET ... (1 more arguments)","ClientAddress":"192.0.2.104:55452","ClientName":"##"}`,
	service.ElastiCacheEngine: `{"CacheClusterId":"a","CacheNodeId":"0002","LogLevel":"NOTICE","Role":"S","Time":"01 Feb 2024 00:00:00.001 UTC","Message":"MASTER <-> REPLICA sync"}`,
	service.APIGatewayAccess:  `{"requestId":"x","ip":"203.0.113.7","caller":"AIDAEXAMPLE","requestTime":"01/Feb/2024:00:00:00 +0000","httpMethod":"GET","resourcePath":"/pets","status":"200","protocol":"HTTP/1.1","responseLength":"1024"}`,
	service.Lambda:            `{"time":"2024-02-01T00:00:00.251Z","type":"platform.report","record":{"requestId":"6234bffe-149a-b642-81ff-2e8e376d8aff","metrics":{"durationMs":46.84},"status":"success"}}`,
}

// TestJSONAttributes holds that the attributes of a log of JSON are its members, whatever else comes along.
func TestJSONAttributes(t *testing.T) {
	for log, line := range jsonLines {
		t.Run(string(log), func(t *testing.T) {
			assert.Equal(t, line, attributesOf(t, format.AWS, log, line))
			assert.Equal(t, line, attributesOf(t, format.AWS, log, " "+line+"\r\n"))
			more := strings.TrimSuffix(line, "}") + `,"yet unknown":{"a":[{}]}}`
			assert.Equal(t, more, attributesOf(t, format.AWS, log, strings.Replace(more, `,"yet`, ",\r\n\t\"yet", 1)))
			assert.Empty(t, attributesOf(t, format.AWS, log, line[:len(line)-1]), "cut short")
			assert.Empty(t, attributesOf(t, format.AWS, log, strings.Replace(line, `":`, `"":`, 1)), "a quote in quotes")
			if log != "" {
				assertDocumented(t, log, line)
			}
			want, _ := decoded([]byte(line))
			for _, naming := range []format.Naming{format.ECS, format.OTel} {
				got, _ := decoded([]byte(attributesOf(t, naming, log, line)))
				assert.Len(t, got, len(want), "as many by other names")
			}
		})
	}
}

func TestJSONNaming(t *testing.T) {
	assert.JSONEq(t, `{"version":"1.100000","cloud.account.id":"123456789012","cloud.region":"us-east-1","vpc_id":"vpc-1","query_timestamp":"2024-02-01T00:00:00Z","dns.question.name":"example.com.","dns.question.type":"A","dns.question.class":"IN","dns.response_code":"NOERROR","answers":[{"Rdata":"192.0.2.1","Type":"A","Class":"IN"}],"source.ip":"192.0.2.5","source.port":"56067","network.transport":"UDP","srcids":{"instance":"i-1"}}`,
		attributesOf(t, format.ECS, service.Route53Resolver, jsonLines[service.Route53Resolver]))
	assert.JSONEq(t, `{"deliveryStreamARN":"arn:aws:firehose:us-east-1:123456789012:deliverystream/a","destination":"arn:aws:s3:::b","deliveryStreamVersionId":1,"message":"Access denied","error.type":"S3.AccessDenied"}`,
		attributesOf(t, format.OTel, service.FirehoseErrors, jsonLines[service.FirehoseErrors]))
}

func TestObjectsDoNotAllocate(t *testing.T) {
	for log, lines := range map[service.Log][][]byte{service.CloudTrail: cloudTrailRecords(), service.WAF: wafRecords()} {
		for _, naming := range []format.Naming{format.AWS, format.ECS, format.OTel} {
			a, dst := format.NewAttributes(naming), make([]byte, 0, 4096)
			allocs := testing.AllocsPerRun(100, func() {
				for _, line := range lines {
					if _, ok := a.Append(dst, log, nil, line); !ok {
						t.Fatal("a line does not fit")
					}
				}
			})
			assert.Zero(t, allocs, log)
		}
	}
}

func TestEveryLogIsDocumented(t *testing.T) {
	for log := range jsonLines {
		if log == "" {
			continue
		}
		require.NotEmpty(t, format.Fields(log), log)
		hasTime := format.NewClock(log).Millis([]byte(jsonLines[log])) != 0
		assert.Equal(t, hasTime, format.TimeOf(log) != "", log)
	}
}
