package process

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/ledger"
	"sluice/internal/record"
)

const (
	owner   = "123456789012"
	other   = "111122223333"
	hex32   = "0123456789abcdef0123456789abcdef"
	ownARN  = "arn:aws:lambda:eu-west-1:123456789012:function:sluice"
	latest  = "2024/02/01/[$LATEST]" + hex32
	version = "9.9.9"
)

// rules are those of a forwarder without any setting.
func rules(tags string) Rules {
	return Rules{Tags: record.ParseTags(tags), ForwarderName: "Sluice-Logs", ForwarderVersion: version}
}

func origin(group, stream string) *record.Origin {
	return &record.Origin{
		Kind: record.CloudWatch, Owner: owner, LogGroup: group, LogStream: stream,
		Region: "eu-west-1", FunctionARN: ownARN, FunctionVersion: "$LATEST",
	}
}

// seen is what the processor made of a record's origin.
type seen struct{ source, service, host, lambda, tags string }

func look(o *record.Origin) seen {
	return seen{o.Source, o.Service, o.Host, o.LambdaARN, joined(o.Tags)}
}

func joined(tags record.Tags) string {
	text := ""
	for i, tag := range tags {
		if i > 0 {
			text += ","
		}
		text += tag.String()
	}
	return text
}

func TestApplyCompletesTheOrigin(t *testing.T) {
	const (
		own    = "forwardername:sluice-logs,forwarder_version:9.9.9"
		orders = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
	)
	for name, tc := range map[string]struct {
		rules  Rules
		origin *record.Origin
		first  string
		want   seen
	}{
		"Lambda": {rules(""), origin("/aws/lambda/Orders", latest), "", seen{
			"lambda", "orders", orders, orders,
			own + ",env:none,aws_account:123456789012,functionname:orders,region:eu-west-1,service:orders",
		}},
		"Lambda, an environment in the settings": {rules("env:prod,team:a"), origin("/aws/lambda/orders", latest), "", seen{
			"lambda", "orders", orders, orders,
			"env:prod,team:a," + own + ",aws_account:123456789012,functionname:orders,region:eu-west-1,service:orders",
		}},
		"Lambda, a service in the settings": {rules("service:shop"), origin("/aws/lambda/orders", latest), "", seen{
			"lambda", "shop", orders, orders,
			"service:shop," + own + ",env:none,aws_account:123456789012,functionname:orders,region:eu-west-1",
		}},
		"Lambda, a bare word service is no service": {rules("service"), origin("/aws/lambda/orders", latest), "", seen{
			"lambda", "orders", orders, orders,
			"service," + own + ",env:none,aws_account:123456789012,functionname:orders,region:eu-west-1,service:orders",
		}},
		"Lambda, other source": {
			Rules{Source: "faas", ForwarderVersion: version}, origin("/aws/lambda/orders", latest), "", seen{
				"faas", "orders", orders, orders,
				"forwarder_version:9.9.9,source_overridden:true,env:none,aws_account:123456789012,functionname:orders,region:eu-west-1,service:orders",
			},
		},
		"Lambda of another account: the owner of the group counts": {rules(""), withOwner(origin("/aws/lambda/orders", latest), other), "", seen{
			"lambda", "orders", "arn:aws:lambda:eu-west-1:111122223333:function:orders", "arn:aws:lambda:eu-west-1:111122223333:function:orders",
			own + ",env:none,aws_account:111122223333,functionname:orders,region:eu-west-1,service:orders",
		}},
		"Lambda, an owner that is no account": {rules(""), withOwner(origin("/aws/lambda/orders", latest), "somebody"), "", seen{
			"lambda", "orders", orders, orders, own + ",env:none,functionname:orders,region:eu-west-1,service:orders",
		}},
		"Lambda in another partition": {rules(""), inChina(origin("/aws/lambda/orders", latest)), "", seen{
			"lambda", "orders", "arn:aws-cn:lambda:cn-north-1:123456789012:function:orders", "arn:aws-cn:lambda:cn-north-1:123456789012:function:orders",
			own + ",env:none,aws_account:123456789012,functionname:orders,region:cn-north-1,service:orders",
		}},
		"Lambda, own ARN not known": {rules(""), withoutARN(origin("/aws/lambda/orders", latest)), "", seen{
			"lambda", "orders", orders, orders,
			own + ",env:none,aws_account:123456789012,functionname:orders,region:eu-west-1,service:orders",
		}},
		"Lambda Insights has no function": {rules(""), origin("/aws/lambda-insights", "orders"), "", seen{
			"lambda", "lambda", "/aws/lambda-insights", "", own + ",aws_account:123456789012",
		}},
		"group of a service": {rules("env:prod"), origin("/aws/rds/instance/shop/postgresql", "shop.0"), "", seen{
			"postgresql", "postgresql", "/aws/rds/instance/shop/postgresql", "", "env:prod," + own + ",aws_account:123456789012",
		}},
		"group of a service, a service in the settings": {rules("service:db,service:second,a:b"), origin("/aws/rds/instance/shop/postgresql", "s"), "", seen{
			"postgresql", "db", "/aws/rds/instance/shop/postgresql", "", "service:db,a:b," + own + ",aws_account:123456789012",
		}},
		"component of a service": {rules(""), origin("/aws/eks/prod/cluster", "kube-apiserver-audit-"+hex32), "", seen{
			"eks", "kube-apiserver-audit", "/aws/eks/prod/cluster", "", own + ",aws_account:123456789012",
		}},
		"group of the user's, first message tells": {rules(""), origin("flows", "s"), `{"webaclId":"1","httpRequest":{}}`, seen{
			"waf", "waf", "flows", "", own + ",aws_account:123456789012",
		}},
		"group of the user's, nothing tells": {rules(""), origin("shop", "s"), "hello", seen{
			"cloudwatch", "cloudwatch", "shop", "", own + ",aws_account:123456789012",
		}},
		"other source is the service too": {
			Rules{Source: "nginx", ForwarderVersion: version}, origin("shop", "s"), "", seen{
				"nginx", "nginx", "shop", "", "forwarder_version:9.9.9,source_overridden:true,aws_account:123456789012",
			},
		},
		"coarse names": {
			Rules{CoarseNames: true, ForwarderVersion: version}, origin("/aws/rds/instance/shop/postgresql", "s"), "", seen{
				"cloudwatch", "cloudwatch", "/aws/rds/instance/shop/postgresql", "", "forwarder_version:9.9.9,aws_account:123456789012",
			},
		},
		"coarse names do not ask the message": {
			Rules{CoarseNames: true, ForwarderVersion: version}, origin("flows", "s"), `{"webaclId":"1","httpRequest":{}}`, seen{
				"cloudwatch", "cloudwatch", "flows", "", "forwarder_version:9.9.9,aws_account:123456789012",
			},
		},
		"stream of Kinesis": {rules("env:prod"), &record.Origin{Kind: record.Kinesis, Region: "eu-west-1", FunctionARN: ownARN}, "x", seen{
			"kinesis", "kinesis", "", "", "env:prod," + own,
		}},
		"stream of Kinesis, no function name": {
			Rules{ForwarderVersion: version},
			&record.Origin{Kind: record.Kinesis}, "x",
			seen{"kinesis", "kinesis", "", "", "forwarder_version:9.9.9"},
		},
		"object that its reader has named": {rules("env:prod"), object("elb", "alb"), "x", seen{
			"elb", "alb", "", "", "env:prod," + own + ",aws_account:123456789012",
		}},
		"object that its reader has named, no service": {rules(""), object("vpc", ""), "x", seen{
			"vpc", "vpc", "", "", own + ",aws_account:123456789012",
		}},
		"object that nobody knows": {rules(""), object("", ""), `{"webaclId":"1","httpRequest":{}}`, seen{
			"s3", "s3", "", "", own + ",aws_account:123456789012",
		}},
		"object, a service in the settings": {rules("service:edge"), object("elb", "alb"), "x", seen{
			"elb", "edge", "", "", "service:edge," + own + ",aws_account:123456789012",
		}},
		"object, other source": {
			Rules{Source: "proxy", ForwarderVersion: version}, object("elb", ""), "x", seen{
				"proxy", "proxy", "", "", "forwarder_version:9.9.9,source_overridden:true,aws_account:123456789012",
			},
		},
		"object, owner not known": {rules(""), withOwner(object("elb", "alb"), ""), "x", seen{"elb", "alb", "", "", own}},
		"object, coarse names: what its reader found does not count": {
			Rules{CoarseNames: true, ForwarderVersion: version}, object("elb", "alb"), "x", seen{
				"s3", "s3", "", "", "forwarder_version:9.9.9,aws_account:123456789012",
			},
		},
		"object, coarse names: the key counts": {
			Rules{CoarseNames: true, ForwarderVersion: version}, withKey(object("", ""), "AWS-WAF-Logs-shop/1.gz"), "x", seen{
				"waf", "waf", "", "", "forwarder_version:9.9.9,aws_account:123456789012",
			},
		},
		"log group that Firehose kept in an object is a log group": {
			rules(""), withKey(origin("/aws/rds/instance/shop/postgresql", "shop.0"), "aws-waf-logs/1.gz"), "x", seen{
				"postgresql", "postgresql", "/aws/rds/instance/shop/postgresql", "", own + ",aws_account:123456789012",
			},
		},
		"log group that Firehose kept in an object, coarse names": {
			Rules{CoarseNames: true, ForwarderVersion: version}, withKey(origin("shop", "s"), "aws-waf-logs/1.gz"), "x", seen{
				"cloudwatch", "cloudwatch", "shop", "", "forwarder_version:9.9.9,aws_account:123456789012",
			},
		},
		"message of a queue": {rules(""), &record.Origin{Kind: record.SQS}, "x", seen{"sqs", "sqs", "", "", own}},
		"message of a topic": {rules(""), &record.Origin{Kind: record.SNS}, "x", seen{"sns", "sns", "", "", own}},
		"event whose source is not known": {
			rules(""), &record.Origin{Kind: record.EventBridge}, "{}",
			seen{"eventbridge", "eventbridge", "", "", own},
		},
		"event of a service": {
			rules(""), &record.Origin{Kind: record.EventBridge, Source: "ec2"}, "{}", seen{"ec2", "ec2", "", "", own},
		},
		"event of a service, coarse names are the same": {
			Rules{CoarseNames: true, ForwarderVersion: version},
			&record.Origin{Kind: record.EventBridge, Source: "ec2"}, "{}",
			seen{"ec2", "ec2", "", "", "forwarder_version:9.9.9"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := record.Record{Origin: tc.origin, Message: record.Plain([]byte(tc.first))}
			assert.Empty(t, ruleOf(New(tc.rules), &r))
			assert.Equal(t, tc.want, look(r.Origin))
			assert.Same(t, tc.origin, r.Origin, "nothing in the message asks for another one")
		})
	}
}

// object is an S3 object whose reader has recognised what it is; empty where it has not.
func object(source, service string) *record.Origin {
	return &record.Origin{
		Kind: record.S3, Owner: owner, Bucket: "logs", Key: "AWSLogs/1.gz", Region: "eu-west-1", Source: source, Service: service,
		FunctionARN: ownARN, FunctionVersion: "$LATEST",
	}
}

func withKey(o *record.Origin, key string) *record.Origin {
	o.Key = key
	return o
}

func withOwner(o *record.Origin, owner string) *record.Origin {
	o.Owner = owner
	return o
}

func inChina(o *record.Origin) *record.Origin {
	o.Region, o.FunctionARN = "cn-north-1", "arn:aws-cn:lambda:cn-north-1:123456789012:function:sluice"
	return o
}

func withoutARN(o *record.Origin) *record.Origin {
	o.FunctionARN = ""
	return o
}

func TestApplyDrops(t *testing.T) {
	control := origin("", "")
	control.Control = true
	stream := &record.Origin{Kind: record.Kinesis}
	for name, tc := range map[string]struct {
		record record.Record
		want   ledger.Rule
	}{
		"control message":                    {record.Record{Origin: control, Message: record.Plain([]byte("CWL CONTROL MESSAGE"))}, ledger.ControlMessage},
		"our own log":                        {record.Record{Origin: origin("/aws/lambda/sluice", "s")}, ledger.OwnLogGroup},
		"a log called so of another account": {record.Record{Origin: withOwner(origin("/aws/lambda/sluice", "s"), other)}, ""},
		"a log called so of who knows whom":  {record.Record{Origin: withoutARN(withOwner(origin("/aws/lambda/sluice", "s"), other))}, ledger.OwnLogGroup},
		"text of a control message":          {record.Record{Origin: origin("shop", "s"), Message: record.Plain([]byte("CWL CONTROL MESSAGE"))}, ""},
		"empty line of a stream":             {record.Record{Origin: stream}, ledger.EmptyLine},
		"line of white space":                {record.Record{Origin: stream, Message: record.Plain([]byte(" "))}, ""},
		"empty message of CloudWatch stays":  {record.Record{Origin: origin("shop", "s")}, ""},
		"empty line of an object":            {record.Record{Origin: object("elb", "")}, ledger.EmptyLine},
		"empty message of a queue":           {record.Record{Origin: &record.Origin{Kind: record.SQS}}, ledger.EmptyLine},
		"empty message of a topic":           {record.Record{Origin: &record.Origin{Kind: record.SNS}}, ledger.EmptyLine},
		"empty event":                        {record.Record{Origin: &record.Origin{Kind: record.EventBridge}}, ledger.EmptyLine},
		"empty message of CloudWatch, out of an object, stays": {
			record.Record{Origin: withKey(origin("shop", "s"), "k")},
			"",
		},
		"names of columns": {
			record.Record{Origin: object("vpc", ""), Header: true, Message: record.Plain([]byte("version account-id"))},
			ledger.HeaderLine,
		},
		"names of columns that are empty are an empty line": {record.Record{Origin: object("vpc", ""), Header: true}, ledger.EmptyLine},
		"line that looks like names of columns, but its reader does not say so": {
			record.Record{Origin: object("vpc", ""), Message: record.Plain([]byte("version account-id"))},
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := rules("")
			r.OwnLogGroup = "/aws/lambda/sluice"
			assert.Equal(t, tc.want, ruleOf(New(r), &tc.record))
		})
	}
}

// What is of another account than those that are allowed is dropped, but for what is no log in any case.
func TestApplyDropsForeign(t *testing.T) {
	own, foreign, control := origin("shop", "s"), withOwner(origin("shop", "s"), other), withOwner(origin("", ""), "CloudwatchLogs")
	control.Control = true
	r := rules("")
	r.OwnLogGroup = "/aws/lambda/sluice"
	r.AllowedOwners = []string{"210987654321", own.Owner}
	p := New(r)
	for range 2 {
		for _, tc := range []struct {
			of   *record.Origin
			want ledger.Rule
		}{
			{own, ""},
			{foreign, ledger.NotAllowedSource},
			{foreign, ledger.NotAllowedSource},
			{own, ""},
			{control, ledger.ControlMessage},
			{withOwner(origin("shop", "s"), ""), ledger.NotAllowedSource},
			{origin("/aws/lambda/sluice", "s"), ledger.OwnLogGroup},
			{withOwner(origin("/aws/lambda/sluice", "s"), other), ledger.NotAllowedSource},
			{withOwner(object("elb", "alb"), other), ""}, // of whom the bucket says
			{&record.Origin{Kind: record.Kinesis}, ""},
		} {
			one := record.Record{Origin: tc.of, Message: record.Plain([]byte("x"))}
			assert.Equal(t, tc.want, ruleOf(p, &one))
		}
	}
}

// Objects and log groups take turns in one invocation: completing an origin again changes nothing.
func TestApplyOriginsTakeTurns(t *testing.T) {
	p := New(rules("service:edge"))
	a, b := object("elb", "alb"), origin("/aws/lambda/orders", latest)
	apply := func(o *record.Origin) seen {
		r := record.Record{Origin: o, Message: record.Plain([]byte("x"))}
		assert.Empty(t, ruleOf(p, &r))
		return look(o)
	}
	first, second := apply(a), apply(b)
	for range 2 {
		assert.Equal(t, first, apply(a))
		assert.Equal(t, second, apply(b))
	}
}

// A record that is dropped is not what an origin is judged by.
func TestApplyDropsBeforeItCompletes(t *testing.T) {
	o := object("", "")
	r := record.Record{Origin: o, Header: true, Message: record.Plain([]byte("#Version: 1.0"))}
	assert.Equal(t, ledger.HeaderLine, ruleOf(New(rules("")), &r))
	assert.Empty(t, o.Tags)
	assert.Empty(t, o.Source)
}

// What a record's text asks for is for that record alone, and not for those around it.
func TestApplyRecordsInterleaved(t *testing.T) {
	p := New(rules(""))
	a, b := origin("a", "s"), origin("b", "s")
	apply := func(o *record.Origin, message string) *record.Origin {
		r := record.Record{Origin: o, Message: record.Plain([]byte(message))}
		assert.Empty(t, ruleOf(p, &r))
		assert.Equal(t, message, string(r.Message.Bytes), "a message is never changed")
		return r.Origin
	}
	const one, two = `{"ddtags":"mark:1"}`, `{"ddtags":"mark:2"}`

	a1, a2 := apply(a, one), apply(a, two)
	assert.Contains(t, joined(a1.Tags), "mark:1")
	assert.Contains(t, joined(a2.Tags), "mark:2")
	assert.NotContains(t, joined(a2.Tags), "mark:1")
	assert.Same(t, a, apply(a, "plain"))
	assert.Same(t, a1, apply(a, one), "a text that repeats shares the origin")

	b1 := apply(b, one)
	assert.Equal(t, "b", b1.LogGroup, "the same text in another group has an origin of its own")
	again := apply(a, one)
	assert.Equal(t, "a", again.LogGroup)
	assert.Equal(t, look(a1), look(again))
	assert.NotContains(t, joined(a.Tags), "mark:", "the common origin stays what it is")
}

func TestApplyAllocatesNothing(t *testing.T) {
	escaped := func(text string) record.Text { return record.Escaped(record.AppendEscaped(nil, text)) }
	system := []record.Member{{Name: []byte("extractedFields"), Value: []byte(`{"@aws.account":"111122223333","@aws.region":"us-east-2"}`)}}
	trail := `{"eventVersion":"1.08","userIdentity":{"arn":"arn:aws:sts::123456789012:assumed-role/r/i-0123456789abcdef0"}}`
	for name, tc := range map[string]struct {
		group string
		r     record.Record
	}{
		"plain line":          {"shop", record.Record{Message: escaped("GET / 200 gg ddtags")}},
		"JSON":                {"shop", record.Record{Message: escaped(`{"level":"info","msg":"logging going"}`)}},
		"JSON with tags":      {"shop", record.Record{Message: escaped(`{"msg":"x","ddtags":["env:prod","service:a"]}`)}},
		"CloudTrail":          {"CloudTrail/logs", record.Record{Message: escaped(trail)}},
		"centralised group":   {"shop", record.Record{Message: escaped("x"), Members: system}},
		"tags one level in":   {"shop", record.Record{Message: escaped(`{"a":{"ddtags":"env:prod"}}`)}},
		"tags, text not JSON": {"shop", record.Record{Message: escaped(`{"ddtags":`)}},
	} {
		t.Run(name, func(t *testing.T) {
			p, o := New(rules("env:prod")), origin(tc.group, "s")
			r := tc.r
			assert.Zero(t, testing.AllocsPerRun(100, func() {
				r.Origin = o
				p.Apply(&r)
			}))
		})
	}
}

func BenchmarkApply(b *testing.B) {
	for name, message := range map[string]string{
		"line":        "2 123456789012 eni-0a1b 10.0.0.1 192.0.2.1 443 50000 6 10 840 1700000000 1700000060 ACCEPT OK",
		"JSON":        `{"level":"info","time":"2024-02-01T00:00:00Z","logger":"shop.orders","msg":"order shipped","tags":["going","again"]}`,
		"JSON ddtags": `{"level":"info","time":"2024-02-01T00:00:00Z","logger":"shop.orders","msg":"order shipped","ddtags":"env:prod,service:a"}`,
	} {
		b.Run(name, func(b *testing.B) {
			p, o := New(rules("env:prod")), origin("shop", "s")
			r := record.Record{Message: record.Escaped(record.AppendEscaped(nil, message))}
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				r.Origin = o
				p.Apply(&r)
			}
		})
	}
}

// ruleOf is the rule that drops a record. One that is kept is the only one that comes of it.
func ruleOf(p *Processor, r *record.Record) ledger.Rule {
	out, rule := p.Apply(r)
	if rule == "" && (len(out) != 1 || out[0] != r) || rule != "" && len(out) > 0 {
		return "something else"
	}
	return rule
}
