package service_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/service"
)

// Letter case in the fixed parts of names does not matter; in streams, and in names that are all shape, it does.
func TestNamesInAnotherCase(t *testing.T) {
	for _, e := range groupExamples {
		if strings.Contains(e.name, "us-east-1.") { // the mark of Lambda@Edge, which belongs to the function's name
			continue
		}
		want := recognised{e.source, e.log, e.service}
		assert.Equal(t, want, fromGroup(strings.ToUpper(e.name), e.stream, ""), e.name)
		assert.Equal(t, want, fromGroup(strings.ToLower(e.name), e.stream, ""), e.name)
	}
	for _, e := range keyExamples {
		if slices.Contains([]service.Log{service.CloudFront, service.EC2Spot, service.S3Access, service.CloudWatchExport}, e.log) {
			continue
		}
		want := recognised{e.source, e.log, e.service}
		assert.Equal(t, want, fromKey(strings.ToUpper(e.name), ""), e.name)
		assert.Equal(t, want, fromKey(strings.ToLower(e.name), ""), e.name)
	}
	for _, e := range streamExamples {
		assert.Equal(t, recognised{e.source, e.log, e.service}, fromStream(strings.ToUpper(e.name), ""), e.name)
	}
}

// What stands before the words of a key is a user's.
func TestKeysBelowAnyPrefix(t *testing.T) {
	for _, e := range keyExamples {
		for _, prefix := range []string{"/", "логи/", "a b+c/%2F/", "https://", "\xff/"} {
			assert.Equal(t, recognised{e.source, e.log, e.service}, fromKey(prefix+e.name, ""), prefix+e.name)
		}
	}
}

// TestContentVariants changes what does not matter.
func TestContentVariants(t *testing.T) {
	for _, e := range contentExamples {
		variants := []string{
			e.content + "\n", e.content + "\r\n", strings.ReplaceAll(e.content, "\n", "\r\n") + "\r\n", " \t" + e.content + " \n\n",
		}
		if isOneObject(e) {
			members := e.content[1:]
			variants = append(variants,
				`{"π":"\"}","extra":{"webaclId":"1","gateway":"x"},`+members,
				e.content[:len(e.content)-1]+`,"extra":[{"query_name":1,"vpc_id":2,"rcode":"}"}],"ünï":"\u00e9"}`,
				"{\r\n\t"+members,
				e.content+"\n"+`{"webaclId":"1","httpRequest":{}}`, // the next line
			)
		}
		for _, content := range variants {
			for _, r := range readers {
				if !e.inStore || r.channel != service.ByMessage {
					assert.Equal(t, recognised{e.source, e.log, e.service}, r.read(content), "%s: %q", r.channel, content)
				}
			}
		}
	}
}

// isOneObject tells examples that further members do not change.
func isOneObject(e said) bool {
	return e.content[0] == '{' && !strings.HasPrefix(e.content, `{"message"`) && !strings.HasPrefix(e.content, `{"Records"`)
}

// TestContentCutShort cuts examples anywhere: what is left tells the same source, or none, and never that of another.
func TestContentCutShort(t *testing.T) {
	for _, e := range contentExamples {
		for end := range len(e.content) {
			for _, r := range readers {
				if got := r.read(e.content[:end]); got.source != e.source {
					assert.Equal(t, r.unknown, got, "%s: %q", r.channel, e.content[:end])
				}
			}
		}
	}
}

// TestContentThatIsCertain holds the log to the content, whatever word a user has put into the name of the group.
func TestContentThatIsCertain(t *testing.T) {
	for _, e := range contentExamples {
		if e.inStore {
			continue
		}
		for _, group := range []string{"shop-apigw", "org-cloudtrail", "/shop/elasticache/engine", "shop-network-firewall", "vpcflow", "/shop/msk/a"} {
			assert.Equal(t, recognised{e.source, e.log, e.service}, fromGroup(group, "main", e.content), group+": "+e.content)
		}
	}
}

// TestSeveralLogsOfAGroup: the names tell the service, the message which of its logs.
func TestSeveralLogsOfAGroup(t *testing.T) {
	const (
		access  = `{"requestId":"1","httpMethod":"GET"}`
		insight = `{"eventVersion":"1","eventTime":"2","eventID":"3","awsRegion":"4","insightDetails":{}}`
		waf     = `{"webaclId":"1","httpRequest":{}}`
	)
	for name, tc := range map[string]struct {
		group, first string
		want         recognised
	}{
		"access log of API Gateway":     {"/aws/apigateway/shop", access, recognised{"apigateway", service.APIGatewayAccess, ""}},
		"execution log":                 {"/aws/apigateway/shop", "(" + requestUUID + ") Method completed with status: 200", recognised{"apigateway", service.APIGatewayExecution, ""}},
		"another service in its group":  {"/aws/apigateway/shop", waf, recognised{"apigateway", service.APIGatewayExecution, ""}},
		"REST API: the name is certain": {"API-Gateway-Execution-Logs_a1b2c3d4e5/prod", access, recognised{"apigateway", service.APIGatewayExecution, ""}},
		"Insights":                      {"CloudTrail/logs", insight, recognised{"cloudtrail", service.CloudTrailInsight, ""}},
		"Insights, console's group":     {"aws-cloudtrail-logs-1-2", insight, recognised{"cloudtrail", service.CloudTrailInsight, ""}},
		"no message":                    {"CloudTrail/logs", "", recognised{"cloudtrail", service.CloudTrail, ""}},
		"not JSON":                      {"CloudTrail/logs", "\x00{", recognised{"cloudtrail", service.CloudTrail, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, fromGroup(tc.group, "main", tc.first))
		})
	}
}

// TestNearMisses is content that looks like a log and is none that is known.
func TestNearMisses(t *testing.T) {
	const (
		clf  = `203.0.113.7 - - [01/Feb/2024:00:00:00 +0000] "GET /pets HTTP/1.1" 200 1024`
		tabs = "\ta\tb\tc\td\te\tf\tg\th"
	)
	for name, content := range map[string]string{
		"common log format":                clf,
		"common log format, an id":         clf + " " + requestUUID,
		"common log format, two ids":       clf + " " + requestUUID + " " + requestUUID,
		"common log format, short id":      clf + " " + requestUUID + " SBLqPHuyoAMFk_=",
		"common log format, three ids":     clf + " " + requestUUID + " SBLqPHuyoAMFk_g= x",
		"common log format, next line":     clf + "\n" + requestUUID + " SBLqPHuyoAMFk_g=",
		"combined log format":              clf + ` "-" "curl/8.5.0"`,
		"CSV without a time":               "203.0.113.7,-,-,GET,/pets,200,SBLqPHuyoAMFk_g=",
		"CSV, time longer":                 "203.0.113.7,x01/Feb/2024:00:00:00 +0000,SBLqPHuyoAMFk_g=",
		"CSV without an id":                "203.0.113.7,01/Feb/2024:00:00:00 +0000,GET,/pets,200",
		"XML of another kind":              `<request id="1"><path>/pets</path></request>`,
		"XML of a user's":                  `<requests><httpMethod>GET</httpMethod></requests>`,
		"real-time line of nine columns":   "1706745600.123" + tabs,
		"real-time line, two decimals":     "1706745600.12" + tabs + "\ti",
		"real-time line, whole seconds":    "1706745600" + tabs + "\ti",
		"real-time line, millis":           "1706745600123.000" + tabs + "\ti",
		"real-time line, spaces":           strings.ReplaceAll("1706745600.123"+tabs+"\ti", "\t", " "),
		"real-time line, tabs next line":   "1706745600.123\n" + tabs + "\ti",
		"hosted zone, nine columns":        "1.0 2017-12-13T08:16:02.130Z Z123412341234 example.com A NOERROR UDP FRA6 192.0.2.1",
		"hosted zone, another zone":        "1.0 2017-12-13T08:16:02.130Z X123412341234 example.com A NOERROR UDP FRA6 192.0.2.1 -",
		"Redshift user, ten columns":       "100 |awsuser | |alter|1|1|0|infinity |32453|Thu, 1 Feb 2024 00:00:02:111",
		"Redshift user, no time":           "100 |awsuser | |alter|1|1|0|infinity |32453|1861|1|Thu, 1 Feb 2024 00:00:02:111",
		"Redshift connection, few columns": "authenticated |Thu, 1 Feb 2024 00:00:00:490|::ffff:10.0.0.2 |45242",
		"Redshift, a dot in the time":      "authenticated |Thu, 1 Feb 2024 00:00:00.490|" + strings.Repeat("|", 20),
		"Firehose, no code":                `{"deliveryStreamARN":"arn","destination":"d","message":"m"}`,
		"WAF one level down":               `{"waf":{"webaclId":"1","httpRequest":{}}}`,
		"WAF in another case":              `{"webAclId":"1","HTTPRequest":{}}`,
		"WAF in a text":                    `{"message":"{\"webaclId\":\"1\",\"httpRequest\":{}}"}`,
		"CloudFront, one member":           `{"x-edge-location":"LAX1","time":"21:02:31"}`,
		"Chime without a call":             `{"voice_connector_id":"a","event_timestamp":1}`,
		"wrapped line, and more":           `{"message":"2 1 eni-1 - - - - - - - 1706745600 1706745660 - NODATA","level":"info"}`,
		"wrapped line of another kind":     `{"message":"2 of 3 done"}`,
		"wrapped number":                   `{"message":2}`,
		"execution log in any group":       "(" + requestUUID + ") Method completed with status: 200",
		"member name with a bar":           `{"requestId|extendedRequestId":1,"httpMethod|resourcePath|routeKey":2}`,
		"member name that is empty":        `{"":1,"":2}`,
		"member name that is long":         `{"` + strings.Repeat("x", 300) + `":1}`,
		"brace":                            "{",
		"quote":                            `{"`,
		"byte order mark":                  "\ufeff{\"a\":1}",
		"not UTF-8":                        "{\"\xff\":\"\xfe\"}",
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range readers {
				assert.Equal(t, r.unknown, r.read(content), r.channel)
			}
		})
	}
}

func TestFromEvent(t *testing.T) {
	for source, want := range map[string]recognised{
		"aws.ec2":                 {source: "ec2"},
		"aws.s3":                  {source: "s3"},
		"aws.guardduty":           {source: "guardduty", log: service.GuardDuty},
		"aws.guardduty.extra":     {source: "guardduty"},
		"AWS.GuardDuty":           {source: "GuardDuty"},
		"com.example.orders":      {source: "example"},
		"aws.partner/example.com": {source: "partner/example"},
		"orders":                  {source: "cloudwatch"},
		"aws.":                    {source: "cloudwatch"},
		"aws..ec2":                {source: "cloudwatch"},
		".":                       {source: "cloudwatch"},
		"":                        {source: "cloudwatch"},
	} {
		assert.Equal(t, want, fromEvent(source), source)
	}
}

func TestFromStreamNames(t *testing.T) {
	const waf = `{"webaclId":"1","httpRequest":{}}`
	for arn, want := range map[string]recognised{
		"arn:aws:kinesis:us-east-2:123456789012:stream/my-aws-waf-logs-shop":         {},
		"arn:aws:kinesis:us-east-2:123456789012:stream/shop/consumer/aws-waf-logs-x": {},
		"arn:aws:kinesis:us-east-2:123456789012:stream/aws-waf-logs":                 {},
		"arn:aws:kinesis:us-east-2:123456789012:stream/":                             {},
		"arn:aws:firehose:us-east-2:123456789012:deliverystream/logs":                {},
		"": {},
	} {
		assert.Equal(t, want, fromStream(arn, ""), arn)
		assert.Equal(t, recognised{"waf", service.WAF, ""}, fromStream(arn, waf), arn)
	}
	assert.Equal(t, recognised{"apigateway", service.APIGatewayAccess, ""}, fromStream("amazon-apigateway-x", waf), "the name comes first")
}

// FuzzFromStream holds records to what an object with their content is.
func FuzzFromStream(f *testing.F) {
	for _, e := range contentExamples {
		f.Add(anyStream, []byte(e.content))
	}
	f.Add("deliverystream/aws-waf-logs-x", []byte("1706745600.123\t"))
	f.Fuzz(func(t *testing.T, arn string, first []byte) {
		before := string(first)
		got := service.FromStream(arn, first)
		assert.Equal(t, before, string(first))
		assert.Equal(t, service.Identity{Source: got.Source, Service: got.Service, Log: got.Log}, got, "no host, no function")
		if named := service.FromStream(arn, nil); named.Source != "" {
			assert.Equal(t, named, got)
			return
		}
		object := service.FromObject("", first)
		assert.Equal(t, service.Identity{Source: object.Source, Service: object.Service, Log: object.Log}, orUnknown(got))
		message := service.FromLogGroup("", "", first)
		if message.Log != "" && len(first) < 64<<10 && !strings.Contains(strings.TrimSpace(before), "\n") {
			assert.Equal(t, message.Log, got.Log, "what a message tells, a record tells")
		}
	})
}

// orUnknown gives the source that an object has which nothing tells.
func orUnknown(id service.Identity) service.Identity {
	if id.Source == "" {
		id.Source = "s3"
	}
	return id
}

func TestFromStreamDoesNotAllocate(t *testing.T) {
	contents := make([][]byte, 0, len(contentExamples))
	for _, e := range contentExamples {
		if !strings.Contains(e.content, `\`) {
			contents = append(contents, []byte(e.content))
		}
	}
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		for _, content := range contents {
			service.FromStream(anyStream, content)
			service.FromLogGroup("shop", "main", content)
		}
		service.FromEvent("aws.ec2")
	}))
}
