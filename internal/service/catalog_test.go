package service_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/service"
)

// recognised is what is compared of all kinds of answers.
type recognised struct {
	source  string
	log     service.Log
	service string
}

const anyStream = "arn:aws:kinesis:us-east-2:123456789012:stream/shop"

func fromGroup(group, stream, first string) recognised {
	id := service.FromLogGroup(group, stream, []byte(first))
	return recognised{id.Source, id.Log, id.Service}
}

func fromMessage(first string) recognised { return fromGroup("users-group", "main", first) }

func fromKey(key, head string) recognised {
	o := service.FromObject(key, []byte(head))
	return recognised{o.Source, o.Log, o.Service}
}

func fromContent(head string) recognised { return fromKey("upload/0001.gz", head) }

func fromStream(arn, first string) recognised {
	id := service.FromStream(arn, []byte(first))
	return recognised{id.Source, id.Log, id.Service}
}

func fromRecord(first string) recognised { return fromStream(anyStream, first) }

func fromEvent(source string) recognised {
	id := service.FromEvent(source)
	return recognised{id.Source, id.Log, id.Service}
}

// readers are the ways that content may come, and what each makes of content that it does not know.
var readers = []struct {
	channel service.Channel
	read    func(string) recognised
	unknown recognised
}{
	{service.ByMessage, fromMessage, recognised{source: "cloudwatch"}},
	{service.ByContent, fromContent, recognised{source: "s3"}},
	{service.ByRecord, fromRecord, recognised{}},
}

// TestExamples recognises each example over its channel, and holds the catalog to it: whatever it says has an example.
func TestExamples(t *testing.T) {
	type told struct {
		recognised
		channel service.Channel
	}
	seen := map[told]bool{}
	check := func(channel service.Channel, want, got recognised, what string) {
		assert.Equal(t, want, got, "%s: %s", channel, what)
		if got.source == "lambda" {
			got.service = "" // the function's
		}
		seen[told{got, channel}] = true
	}
	for _, e := range groupExamples {
		check(service.ByLogGroup, recognised{e.source, e.log, e.service}, fromGroup(e.name, e.stream, ""), e.name+" "+e.stream)
	}
	for _, e := range keyExamples {
		check(service.ByKey, recognised{e.source, e.log, e.service}, fromKey(e.name, ""), e.name)
	}
	for _, e := range streamExamples {
		check(service.ByStream, recognised{e.source, e.log, e.service}, fromStream(e.name, ""), e.name)
	}
	for _, e := range eventExamples {
		check(service.ByEvent, recognised{e.source, e.log, e.service}, fromEvent(e.name), e.name)
	}
	for _, e := range contentExamples {
		for _, r := range readers {
			if want := (recognised{e.source, e.log, e.service}); !e.inStore || r.channel != service.ByMessage {
				check(r.channel, want, r.read(e.content), e.content)
			}
		}
	}
	for _, e := range service.Catalog() {
		for _, way := range e.Ways {
			assert.True(t, seen[told{recognised{e.Source, e.Log, e.Service}, way.Channel}], "no example: %s %s %s by %s", e.Source, e.Log, e.Service, way.Channel)
		}
	}
}

func TestCatalogHasEveryLog(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "log.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	known := map[service.Log]bool{}
	for _, e := range service.Catalog() {
		known[e.Log] = true
	}
	logs := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			logs++
			assert.True(t, known[service.Log(strings.Trim(literal.Value, `"`))], "no entry: %s", literal.Value)
		}
		return true
	})
	assert.Greater(t, logs, 40, "the constants of log.go")
}

func TestCatalogIsWhole(t *testing.T) {
	type key struct {
		recognised
		notALog bool
	}
	seen := map[key]bool{}
	for _, e := range service.Catalog() {
		k := key{recognised{e.Source, e.Log, e.Service}, e.NotALog}
		assert.False(t, seen[k], "two entries: %v", k)
		seen[k] = true
		assert.NotEmpty(t, e.Source)
		assert.NotEmpty(t, e.Ways)
		ways := map[service.Way]bool{}
		for _, way := range e.Ways {
			assert.False(t, ways[way], "twice: %v", way)
			ways[way] = true
			assert.NotEmpty(t, way.Channel)
			assert.NotEmpty(t, way.Tells)
			assert.NotContains(t, way.Tells, "``")
			assert.NotRegexp(t, `^(and|,)|  |(and|,) $`, way.Tells)
			assert.NotContains(t, way.Tells, "\n")
			assert.Zero(t, strings.Count(way.Tells, "`")%2, way.Tells)
		}
	}
}

func TestCatalogWords(t *testing.T) {
	ways := map[string]bool{}
	for _, e := range service.Catalog() {
		for _, way := range e.Ways {
			ways[string(e.Log)+" "+string(way.Channel)+": "+way.Tells] = true
		}
	}
	for _, want := range []string{
		"postgresql log group: log group starts with `/aws/rds/` and ends with `/postgresql`",
		"eks-audit log group: log group starts with `/aws/eks/`, log stream starts with `kube-apiserver-audit-`",
		"rds-os-metrics log group: log group is `RDSOSMetrics`",
		"apigateway-execution log group: log group starts with `/aws/apigateway/`, and the message tells no other log of this source",
		"vpc-flow object key: object key has a folder `vpcflowlogs`",
		"vpc-flow log group: log stream is `eni-<hex digits>-all`, `-accept` or `-reject`",
		"waf log message: JSON with `webaclId` and `httpRequest`",
		"storagegateway stream record: JSON with `gateway`, and `\"sgw-` in it",
		"apigateway-access object content: JSON with `requestId` or `extendedRequestId` and `httpMethod` or `resourcePath` or `routeKey`",
		"waf stream: name of the stream starts with `aws-waf-logs-`",
		"guardduty event: source of the event is `aws.guardduty`",
	} {
		assert.True(t, ways[want], want)
	}
}
