package format_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/format"
	"sluice/internal/service"
)

// everyLog are all logs that lines may belong to.
var everyLog = []service.Log{
	"", service.ALB, service.NLB, service.CLB, service.ELBConnection, service.ELBHealthCheck, service.CloudFront,
	service.S3Access, service.VPCFlow, service.CloudTrail, service.CloudTrailInsight, service.CloudTrailDigest, service.WAF,
	service.NetworkFirewall, service.Route53Resolver, service.GlobalAccelerator, service.MSKBroker, service.MSKConnect,
	service.GuardDuty, service.Redshift, service.EC2Spot, service.Evidently, service.Chime, service.Config,
	service.CloudWatchExport, service.APIGatewayAccess, service.APIGatewayExecution, service.CloudFrontRealtime,
	service.ElastiCacheSlow, service.ElastiCacheEngine, service.SageMaker, service.SageMakerWorker, service.StepFunctions,
	service.StorageGateway, service.Route53Public, service.PostgreSQL, service.MySQLSlow, service.MySQLError,
	service.MySQLAudit, service.RDSOSMetrics, service.EKSAudit, service.EKSKlog, service.EKSAuthenticator, service.Lambda,
	service.FirehoseErrors, service.SecurityHub,
}

// FuzzAttributes gives any line below any header to any log: what comes out is one valid object in which no name stands
// twice, or nothing, and it does not depend on lines before or on the room there is.
func FuzzAttributes(f *testing.F) {
	lines := []string{
		albLine, clbLine, nlbLine, s3Line, vpcLine, tgwLine, gaLine, cfLine + "%20%ff%2", wafLine, connLine,
		"100 |awsuser | |alter|1|1|0|infinity |32453|1861|Thu, 1 Feb 2024 00:00:02:111",
		"'2024-02-01T00:00:05Z UTC [ db=dev user=awsuser pid=32453 userid=100 xid=1864 ]' LOG: select 1",
		"2024-03-17 20:14:32 UTC\tSpotUsage:c5.large\tRunInstances:SV002\ti-1\tsir-1\t0.085 USD\t0.034 USD\t0.034 USD\t1",
		`{"message":"` + vpcLine + `\n"}`, `{"date":"2024-02-01","c-ip":"192.0.2.1","\u0063-ip":null,"x":-1.5e3}`,
		albHead + `"GET https://example.com/?q="a" b\" HTTP/1.1" "say \"hi" twice\"` + albTail,
		s3Head + `"GET / HTTP/1.1" 200 - 113 - 7 - "-" "x" - forged "y"` + s3Tail + ` new "quoted one"`,
		"2024-02-01T17:05:15.514108Z 2001:db8::1 36280 443 - - 4.036 \"CN=a \"b\"\" - - Success TID_0a",
		finding, jsonLines[service.APIGatewayAccess], `{"user" : "-" ,"httpRequest":{"country":"-"}, "httpSourceId":"-" } `,
		activityHead + "select a, -- b", userLine + "|8|", `{"date":"2024-02-01","o":{"a":[1, {}]},"x":[]}`,
		s3Head + `"GET / HTTP/1.1" 200 - 113 - 7 - "-" "ua "q" z"` + s3Tail + ` "new"`,
		strings.Repeat(`" `, 300), strings.Repeat("x ", 300), strings.Repeat("-\t", 300), "\x00\x1f\"\\\u2028ü",
	}
	lines = append(lines, freeLines...)
	headers := []string{
		"", vpcHeader, tgwHeader, gaHeader, gaHeader + " vpc_id", cfHeader, "#Fields: Timestamp UsageType Operation",
		"timestamp,c-ip\tcs-user-agent", "srcaddr source.ip column_1 column_4 srcaddr client.address \xff",
		"#Fields: c-ip source.ip source.ip cs(User-Agent) cs-user-agent c-ip",
	}
	for i := range everyLog {
		for j, line := range lines {
			f.Add(uint(i), uint8(j), []byte(headers[(i+j)%len(headers)]), []byte(line))
		}
	}
	used := [3]*format.Attributes{format.NewAttributes(format.AWS), format.NewAttributes(format.ECS), format.NewAttributes(format.OTel)}
	f.Fuzz(func(t *testing.T, n uint, naming uint8, header, line []byte) {
		if !utf8.Valid(line) {
			t.Skip("lines are valid UTF-8")
		}
		log, which := everyLog[n%uint(len(everyLog))], naming%3
		if len(header) == 0 {
			header = nil
		}
		header0, line0 := bytes.Clone(header), bytes.Clone(line)

		out, ok := format.NewAttributes(format.Naming(which)).Append([]byte("before"), log, header, line)
		require.Equal(t, line0, line, "the line stays as it is")
		require.Equal(t, header0, header, "the header stays as it is")
		require.True(t, bytes.HasPrefix(out, []byte("before")))
		if out = out[len("before"):]; !ok {
			require.Empty(t, out)
		} else {
			require.True(t, json.Valid(out), "%q", out)
			require.True(t, utf8.Valid(out), "%q", out)
			require.NotContains(t, string(out), "\n")
			assertNoRepeats(t, out)
		}
		again, okAgain := used[which].Append(make([]byte, 0, 1<<14), log, header, line)
		require.Equal(t, ok, okAgain)
		require.Equal(t, string(out), string(again))
	})
}

// assertNoRepeats checks that no name stands twice in the object.
func assertNoRepeats(t *testing.T, object []byte) {
	t.Helper()
	seen := map[string]bool{}
	for _, member := range inOrder(t, object) {
		assert.False(t, seen[member.name], "%q has %s twice", object, member.name)
		seen[member.name] = true
	}
}
