package format_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"sluice/internal/format"
	"sluice/internal/service"
)

// cloudTrailRecords are records of about 1.4 kB.
func cloudTrailRecords() [][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	calls := [...][2]string{{"ec2", "StartInstances"}, {"s3", "PutObject"}, {"sts", "AssumeRole"}, {"lambda", "Invoke"}}
	var lines [][]byte
	for i := range 64 {
		call := calls[random.IntN(len(calls))]
		lines = append(lines, fmt.Appendf(nil, `{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE:%[1]d","arn":"arn:aws:sts::123456789012:assumed-role/deploy-%[1]d/session","accountId":"123456789012","accessKeyId":"ASIAEXAMPLE%08[1]d","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEEXAMPLE","arn":"arn:aws:iam::123456789012:role/deploy-%[1]d","accountId":"123456789012","userName":"deploy-%[1]d"},"webIdFederationData":{},"attributes":{"creationDate":"2024-02-01T00:00:%02[2]dZ","mfaAuthenticated":"false"}}},"eventTime":"2024-02-01T00:05:%02[2]dZ","eventSource":"%[3]s.amazonaws.com","eventName":"%[4]s","awsRegion":"us-east-2","sourceIPAddress":"203.0.113.%[5]d","userAgent":"aws-sdk-go-v2/1.24.0 os/linux lang/go#1.21.5 md/GOOS#linux md/GOARCH#amd64","requestParameters":{"instancesSet":{"items":[{"instanceId":"i-%017[5]x"}]},"note":"say \"hi\" to \u00e9"},"responseElements":null,"requestID":"e4336db0-149f-4a6b-844d-%012[5]x","eventID":"e755e09c-42f9-4c5c-9064-%012[1]x","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"%[3]s.us-east-2.amazonaws.com"}}`,
			i, random.IntN(60), call[0], call[1], random.IntN(255)))
	}
	return lines
}

// wafRecords are records of about 1.4 kB.
func wafRecords() [][]byte {
	random := rand.New(rand.NewPCG(3, 4))
	actions := [...]string{"ALLOW", "BLOCK", "COUNT"}
	var lines [][]byte
	for i := range 64 {
		lines = append(lines, fmt.Appendf(nil, `{"timestamp":17067456%05[1]d,"formatVersion":1,"webaclId":"arn:aws:wafv2:us-east-2:123456789012:regional/webacl/shop/1EXAMPLE-2ARN-3ARN-4ARN-123456EXAMPLE","terminatingRuleId":"Default_Action","terminatingRuleType":"REGULAR","action":"%[2]s","terminatingRuleMatchDetails":[],"httpSourceName":"ALB","httpSourceId":"123456789012-app/shop/50dc6c495c0c9188","ruleGroupList":[{"ruleGroupId":"AWS#AWSManagedRulesCommonRuleSet","terminatingRule":null,"nonTerminatingMatchingRules":[],"excludedRules":null,"customerConfig":null}],"rateBasedRuleList":[],"nonTerminatingMatchingRules":[],"requestHeadersInserted":null,"responseCodeSent":null,"httpRequest":{"clientIp":"192.0.2.%[3]d","country":"US","headers":[{"name":"Host","value":"www.example.com"},{"name":"User-Agent","value":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"},{"name":"Accept","value":"*/*"},{"name":"Accept-Language","value":"en-US,en;q=0.9"},{"name":"Cookie","value":"id=%[1]d"},{"name":"X-Forwarded-For","value":"192.0.2.%[3]d"}],"uri":"/products/%[1]d","args":"page=%[3]d&q=%%22x%%22","httpVersion":"HTTP/2.0","httpMethod":"GET","requestId":"1-58337364-23a8c76965a2ef76%08[1]x"},"labels":[{"name":"awswaf:managed:aws:bot-control:bot:category:%[1]d"}],"ja3Fingerprint":"%032[1]x"}`,
			i, actions[random.IntN(len(actions))], random.IntN(255)))
	}
	return lines
}

func benchmarkObjects(b *testing.B, log service.Log, lines [][]byte) {
	b.Helper()
	each := func(b *testing.B, do func(line []byte)) {
		b.Helper()
		total := 0
		for _, line := range lines {
			total += len(line)
		}
		b.SetBytes(int64(total / len(lines)))
		measured(b, func(i int) { do(lines[i%len(lines)]) })
	}
	for name, naming := range map[string]format.Naming{"ours": format.AWS, "ours-ecs": format.ECS} {
		b.Run(name, func(b *testing.B) {
			a, dst := format.NewAttributes(naming), []byte(nil)
			each(b, func(line []byte) {
				var ok bool
				if dst, ok = a.Append(dst[:0], log, nil, line); !ok {
					b.Fatal("a line does not fit")
				}
			})
		})
	}
	b.Run("baseline", func(b *testing.B) {
		each(b, func(line []byte) {
			var object map[string]any
			if err := json.Unmarshal(line, &object); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("baseline-json", func(b *testing.B) {
		each(b, func(line []byte) {
			var object map[string]any
			if err := json.Unmarshal(line, &object); err != nil {
				b.Fatal(err)
			}
			if _, err := json.Marshal(object); err != nil {
				b.Fatal(err)
			}
		})
	})
}

func BenchmarkAttributesCloudTrail(b *testing.B) {
	benchmarkObjects(b, service.CloudTrail, cloudTrailRecords())
}

func BenchmarkAttributesWAF(b *testing.B) { benchmarkObjects(b, service.WAF, wafRecords()) }
