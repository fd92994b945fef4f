package process

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/ledger"
	"sluice/internal/record"
)

// from matches origins of a source, as it was found.
func from(source string) func(o *record.Origin) bool {
	return func(o *record.Origin) bool { return o.Source == source }
}

// inGroup matches log groups that begin so.
func inGroup(prefix string) func(o *record.Origin) bool {
	return func(o *record.Origin) bool { return strings.HasPrefix(o.LogGroup, prefix) }
}

func TestRoutes(t *testing.T) {
	const own = "forwarder_version:9.9.9"
	const orders = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
	all := func(*record.Origin) bool { return true }
	function := func() *record.Origin { return origin("/aws/lambda/orders", latest) }
	database := func() *record.Origin { return origin("/aws/rds/instance/shop/postgresql", "s") }
	for name, tc := range map[string]struct {
		rules  Rules
		routes []Route
		origin *record.Origin
		want   seen
	}{
		"none matches": {Rules{}, []Route{{Match: from("waf"), Source: "x"}}, database(), seen{
			"postgresql", "postgresql", "/aws/rds/instance/shop/postgresql", "", own + ",aws_account:123456789012",
		}},
		"the first that matches counts": {
			Rules{},
			[]Route{{Match: from("waf"), Service: "no"}, {Match: inGroup("/aws/rds/"), Service: "one"}, {Match: all, Service: "two"}},
			database(),
			seen{"postgresql", "one", "/aws/rds/instance/shop/postgresql", "", own + ",aws_account:123456789012"},
		},
		"everything is replaced": {
			Rules{},
			[]Route{{Match: all, Source: "a", Service: "b", Host: "c", Tags: record.ParseTags("d:e")}},
			database(),
			seen{"a", "b", "c", "", "d:e," + own + ",source_overridden:true,aws_account:123456789012"},
		},
		"a route is asked by the source that was found, and its own wins": {
			Rules{Source: "all"},
			[]Route{{Match: from("postgresql"), Source: "one"}},
			database(),
			seen{"one", "one", "/aws/rds/instance/shop/postgresql", "", own + ",source_overridden:true,aws_account:123456789012"},
		},
		"without one the source of all logs counts": {
			Rules{Source: "all"},
			[]Route{{Match: all, Service: "one"}},
			database(),
			seen{"all", "one", "/aws/rds/instance/shop/postgresql", "", own + ",source_overridden:true,aws_account:123456789012"},
		},
		"tags stand behind those of all logs": {
			Rules{Tags: record.ParseTags("a:1,b:1")},
			[]Route{{Match: all, Tags: record.ParseTags("b:2")}},
			origin("shop", "s"),
			seen{"cloudwatch", "cloudwatch", "shop", "", "a:1,b:1,b:2," + own + ",aws_account:123456789012"},
		},
		"service tag of the route": {
			Rules{},
			[]Route{{Match: all, Tags: record.ParseTags("service:shop,service:no")}},
			origin("shop", "s"),
			seen{"cloudwatch", "shop", "shop", "", "service:shop," + own + ",aws_account:123456789012"},
		},
		"service tag of all logs stands first": {
			Rules{Tags: record.ParseTags("service:all")},
			[]Route{{Match: all, Tags: record.ParseTags("service:one")}},
			origin("shop", "s"),
			seen{"cloudwatch", "all", "shop", "", "service:all," + own + ",aws_account:123456789012"},
		},
		"service of the route wins over tags": {
			Rules{Tags: record.ParseTags("service:all,a:1")},
			[]Route{{Match: all, Service: "one"}},
			origin("shop", "s"),
			seen{"cloudwatch", "one", "shop", "", "service:one,a:1," + own + ",aws_account:123456789012"},
		},
		"function, service of the route": {Rules{}, []Route{{Match: all, Service: "one"}}, function(), seen{
			"lambda", "one", orders, orders, own + ",env:none,aws_account:123456789012,functionname:orders,region:eu-west-1,service:one",
		}},
		"function, host and environment of the route": {
			Rules{}, []Route{{Match: all, Host: "h", Tags: record.ParseTags("env:prod")}}, function(), seen{
				"lambda", "orders", "h", orders, "env:prod," + own + ",aws_account:123456789012,functionname:orders,region:eu-west-1,service:orders",
			},
		},
		"object, whose source is replaced": {Rules{}, []Route{{Match: from("elb"), Source: "edge"}}, object("elb", "alb"), seen{
			"edge", "alb", "", "", own + ",source_overridden:true,aws_account:123456789012",
		}},
		"object": {Rules{}, []Route{{Match: from("elb"), Service: "edge"}}, object("elb", "alb"), seen{
			"elb", "edge", "", "", own + ",aws_account:123456789012",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.rules.ForwarderVersion, tc.rules.Routes = version, tc.routes
			p := New(tc.rules)
			for range 2 { // an origin that comes back is what it was
				r := record.Record{Origin: tc.origin, Message: record.Plain([]byte("x"))}
				require.Empty(t, ruleOf(p, &r))
				assert.Equal(t, tc.want, look(r.Origin))
				require.Empty(t, ruleOf(p, &record.Record{Origin: origin("between", "s"), Message: record.Plain([]byte("x"))}))
			}
		})
	}
}

// Where a route has steps, those of all logs do not hold; and what a message says still counts.
func TestRoutesHaveStepsOfTheirOwn(t *testing.T) {
	r := redacting(t)
	r.Exclude = patterns("secret")
	r.Routes = []Route{
		{Match: inGroup("dropped"), Drop: true, Steps: Steps{Exclude: patterns("x")}},
		{Match: inGroup("some"), Destinations: []string{"a", "b"}, Host: "h", Steps: Steps{Exclude: patterns("x")}},
	}
	resources := &fakeResources{}
	r.Resources = resources
	p := New(r)
	assert.Nil(t, p.Destinations(), "before the first record")
	apply := func(group, message string) (*record.Record, ledger.Rule) {
		r := &record.Record{Origin: origin(group, "s"), Message: record.Plain([]byte(message))}
		return r, ruleOf(p, r)
	}

	_, rule := apply("dropped", "x")
	assert.Equal(t, ledger.RouteDrop, rule)
	assert.Empty(t, resources.asked, "nothing is looked up for what is not sent")

	_, rule = apply("other", "a secret")
	assert.Equal(t, ledger.FilterExclude, rule)
	one, rule := apply("other", "192.0.2.1 x")
	assert.Empty(t, rule)
	assert.Equal(t, "xxx.xxx.xxx.xxx x", string(one.Message.Bytes))
	assert.Nil(t, p.Destinations())

	_, rule = apply("some", "x")
	assert.Equal(t, ledger.FilterExclude, rule)
	one, rule = apply("some", `{"ip":"192.0.2.1","secret":1,"ddtags":"service:m"}`)
	assert.Empty(t, rule)
	assert.JSONEq(t, `{"ip":"192.0.2.1","secret":1,"ddtags":"service:m"}`, string(one.Message.Bytes))
	assert.Equal(t, []string{"a", "b"}, p.Destinations())
	assert.Equal(t, "h", one.Origin.Host)
	assert.Equal(t, "m", one.Origin.Service)

	_, rule = apply("other", "y")
	assert.Empty(t, rule)
	assert.Nil(t, p.Destinations())
}

// What a route says about the host holds against what a message says.
func TestRouteKeepsTheHost(t *testing.T) {
	r := rules("")
	r.Routes = []Route{{Match: from("cloudtrail"), Host: "h"}, {Match: from("lambda"), Host: "f"}}
	p := New(r)
	const session = `{"userIdentity":{"arn":"arn:aws:sts::123456789012:assumed-role/r/i-0123456789abcdef0"}}`
	one := record.Record{Origin: object("cloudtrail", ""), Message: record.Plain([]byte(session)), Structured: true}
	require.Empty(t, ruleOf(p, &one))
	assert.Equal(t, "h", one.Origin.Host)

	elsewhere := []record.Member{{Name: []byte("extractedFields"), Value: []byte(`{"@aws.account":"111122223333"}`)}}
	two := record.Record{Origin: origin("/aws/lambda/orders", latest), Message: record.Plain([]byte("x")), Members: elsewhere}
	require.Empty(t, ruleOf(p, &two))
	assert.Equal(t, "f", two.Origin.Host)
	assert.Contains(t, two.Origin.LambdaARN, other)
}

func TestLogsAreNamed(t *testing.T) {
	flows := origin("/aws/vendedlogs/states/all", "s")
	event := &record.Origin{Kind: record.EventBridge, Source: "guardduty"}
	line := object("elb", "alb")
	line.Log = "alb"
	given := &record.Origin{Kind: record.Firehose, Service: "given", StreamARN: "arn:aws:firehose:eu-west-1:123456789012:deliverystream/aws-waf-logs-a"}
	for _, coarse := range []bool{false, true} {
		p := New(Rules{CoarseNames: coarse, ForwarderVersion: version})
		for o, want := range map[*record.Origin]string{flows: "stepfunctions", event: "guardduty", line: "alb", given: "waf"} {
			require.Empty(t, ruleOf(p, &record.Record{Origin: o, Message: record.Plain([]byte("x"))}))
			assert.Equal(t, want, o.Log)
		}
		assert.Equal(t, "given", given.Service, "what a reader says about the service is kept")
	}
}

func TestStreamsAreRecognised(t *testing.T) {
	const flow = "2 123456789012 eni-0a1b2c3d 192.0.2.1 198.51.100.1 443 50000 6 10 840 1700000000 1700000060 ACCEPT OK"
	for name, tc := range map[string]struct {
		kind                             record.Kind
		stream, first                    string
		coarse                           bool
		wantSource, wantService, wantLog string
	}{
		"by its name":      {record.Firehose, "deliverystream/aws-waf-logs-shop", "x", false, "waf", "waf", "waf"},
		"by its content":   {record.Kinesis, "stream/shop", flow, false, "vpc", "vpc", "vpc-flow"},
		"not at all":       {record.Kinesis, "stream/shop", "x", false, "kinesis", "kinesis", ""},
		"coarse names":     {record.Kinesis, "stream/shop", flow, true, "kinesis", "kinesis", "vpc-flow"},
		"delivery streams": {record.Firehose, "deliverystream/shop", "x", false, "firehose", "firehose", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := &record.Origin{Kind: tc.kind, StreamARN: "arn:aws:" + string(tc.kind) + ":eu-west-1:123456789012:" + tc.stream}
			p := New(Rules{CoarseNames: tc.coarse, ForwarderVersion: version})
			for _, message := range []string{tc.first, "another"} {
				require.Empty(t, ruleOf(p, &record.Record{Origin: o, Message: record.Plain([]byte(message))}))
				assert.Equal(t, tc.wantSource, o.Source)
				assert.Equal(t, tc.wantService, o.Service)
				assert.Equal(t, tc.wantLog, o.Log)
				require.Empty(t, ruleOf(p, &record.Record{Origin: origin("between", "s")}))
			}
		})
	}
}
