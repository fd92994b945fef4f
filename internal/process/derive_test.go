package process

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// applied is a record after a processor with these tags in its settings has seen it.
func applied(t *testing.T, o *record.Origin, settings string, r record.Record) *record.Origin {
	t.Helper()
	r.Origin = o
	before := string(r.Message.Bytes)
	require.Empty(t, ruleOf(New(Rules{Tags: record.ParseTags(settings), ForwarderVersion: version}), &r))
	assert.Equal(t, before, string(r.Message.Bytes), "a message is never changed")
	return r.Origin
}

func TestTagsInAMessage(t *testing.T) {
	const common = "forwarder_version:9.9.9,aws_account:123456789012"
	for name, tc := range map[string]struct{ message, settings, service, tags string }{
		"text":                              {`{"msg":"x","ddtags":"team:a,canary"}`, "", "cloudwatch", common + ",team:a,canary"},
		"spaces mean nothing":               {`{"ddtags":" team : a , b"}`, "", "cloudwatch", common + ",team:a,b"},
		"list of texts":                     {`{"ddtags":["team:a","b:c,d:e"]}`, "", "cloudwatch", common + ",team:a,b:c,d:e"},
		"escapes":                           {`{"ddtags":"team:\u00e9\ta"}`, "", "cloudwatch", common + ",team:é\ta"},
		"value with colons":                 {`{"ddtags":"url:http://example.com"}`, "", "cloudwatch", common + ",url:http://example.com"},
		"empty entries":                     {`{"ddtags":",,a:1,,"}`, "", "cloudwatch", common + ",a:1"},
		"a tag of the settings twice":       {`{"ddtags":"team:b"}`, "team:a", "cloudwatch", "team:a," + common + ",team:b"},
		"service":                           {`{"ddtags":"a:1,service:shop,b:2"}`, "", "shop", common + ",a:1,service:shop,b:2"},
		"service beats that of settings":    {`{"ddtags":"service:shop"}`, "service:db,x:y", "shop", "x:y," + common + ",service:shop"},
		"first service wins":                {`{"ddtags":"service:a,service:b"}`, "", "a", common + ",service:a"},
		"bare word service is no service":   {`{"ddtags":"service"}`, "service:db", "db", "service:db," + common + ",service"},
		"environment":                       {`{"ddtags":"env:prod"}`, "", "cloudwatch", common + ",env:prod"},
		"environment of the settings stays": {`{"ddtags":"env:dev"}`, "env:prod", "cloudwatch", "env:prod," + common + ",env:dev"},
		"environment none goes":             {`{"ddtags":"env:dev"}`, "env:none", "cloudwatch", common + ",env:dev"},
		"bare word env is no environment":   {`{"ddtags":"env"}`, "env:none", "cloudwatch", "env:none," + common + ",env"},
		"white space around the object":     {" \n\t{\"ddtags\":\"a:1\"}\r\n", "", "cloudwatch", common + ",a:1"},
		"first of two members":              {`{"ddtags":"a:1","ddtags":"b:2"}`, "", "cloudwatch", common + ",a:1"},

		"another level":            {`{"log":{"ddtags":"a:1"}}`, "", "cloudwatch", common},
		"inside a text":            {`{"msg":"\"ddtags\":\"a:1\""}`, "", "cloudwatch", common},
		"as a value":               {`{"msg":"ddtags"}`, "", "cloudwatch", common},
		"part of a name":           {`{"my_ddtags":"a:1","ddtags2":"b:1"}`, "", "cloudwatch", common},
		"null":                     {`{"ddtags":null}`, "", "cloudwatch", common},
		"number":                   {`{"ddtags":7}`, "", "cloudwatch", common},
		"object":                   {`{"ddtags":{"a":"1"}}`, "", "cloudwatch", common},
		"list of other things":     {`{"ddtags":["a:1",2]}`, "", "cloudwatch", common},
		"no text":                  {`{"ddtags":""}`, "", "cloudwatch", common},
		"list of objects":          {`[{"ddtags":"a:1"}]`, "", "cloudwatch", common},
		"line that quotes JSON":    {`INFO {"ddtags":"a:1"}`, "", "cloudwatch", common},
		"brackets not closed":      {`{"ddtags":"a:1"`, "", "cloudwatch", common},
		"text behind the object":   {`{"ddtags":"a:1"} x`, "", "cloudwatch", common},
		"two objects":              {`{"ddtags":"a:1"}{"ddtags":"a:1"}`, "", "cloudwatch", common},
		"invalid escape":           {`{"ddtags":"a:\x"}`, "", "cloudwatch", common},
		"as long as may be lifted": {`{"ddtags":"` + strings.Repeat("x", maxTagsBytes-2) + `"}`, "", "cloudwatch", common + "," + strings.Repeat("x", maxTagsBytes-2)},
		"too long to be lifted":    {`{"ddtags":"` + strings.Repeat("x", maxTagsBytes-1) + `"}`, "", "cloudwatch", common},
	} {
		t.Run(name, func(t *testing.T) {
			for form, text := range map[string]record.Text{
				"plain":   record.Plain([]byte(tc.message)),
				"escaped": record.Escaped(record.AppendEscaped(nil, tc.message)),
			} {
				o := applied(t, origin("shop", "s"), tc.settings, record.Record{Message: text})
				assert.Equal(t, tc.service, o.Service, form)
				assert.Equal(t, tc.tags, joined(o.Tags), form)
			}
		})
	}
}

func TestTagsInAMessageOfAFunction(t *testing.T) {
	const head = "forwarder_version:9.9.9,"
	for name, tc := range map[string]struct{ tags, service, want string }{
		"environment replaces none": {"env:dev", "orders", head + "aws_account:123456789012,functionname:orders,region:eu-west-1,service:orders,env:dev"},
		"service replaces ours":     {"service:shop", "shop", head + "env:none,aws_account:123456789012,functionname:orders,region:eu-west-1,service:shop"},
	} {
		t.Run(name, func(t *testing.T) {
			r := record.Record{Message: record.Plain([]byte(`{"ddtags":"` + tc.tags + `"}`))}
			o := applied(t, origin("/aws/lambda/orders", latest), "", r)
			assert.Equal(t, tc.service, o.Service)
			assert.Equal(t, tc.want, joined(o.Tags))
			assert.Equal(t, "arn:aws:lambda:eu-west-1:123456789012:function:orders", o.Host)
		})
	}
}

// A log does not get to say where it came from (contract S12), however it spells it: Datadog tidies tags up.
func TestTagsOfTheInfrastructureAreNotLifted(t *testing.T) {
	for _, tag := range []string{
		"aws_account:1", "region:x", "functionname:x", "forwardername:x", "forwarder_version:1", "source_overridden:true",
		"Region:x", "AWS_ACCOUNT:1", ":region:x", "_region:x", "7region:x", "aws$account:1", "aws__account:1",
		"aws_account_:1", "region", "FunctionName:x", "\u200bregion:x",
	} {
		t.Run(tag, func(t *testing.T) {
			r := record.Record{Message: record.Plain([]byte(`{"ddtags":"a:1,` + tag + `,b:2"}`))}
			o := applied(t, origin("shop", "s"), "", r)
			assert.Equal(t, "forwarder_version:9.9.9,aws_account:123456789012,a:1,b:2", joined(o.Tags))
		})
	}
	for _, tag := range []string{"my_region:x", "regions:x", "aws.account:1", "account:1", "my:region:x"} {
		t.Run(tag, func(t *testing.T) {
			r := record.Record{Message: record.Plain([]byte(`{"ddtags":"` + tag + `"}`))}
			assert.Contains(t, applied(t, origin("shop", "s"), "", r).Tags, record.ParseTag(tag))
		})
	}
}

func TestDerivedOrigins(t *testing.T) {
	p, o := New(rules("")), origin("shop", "s")
	apply := func(i int) *record.Origin {
		r := record.Record{Origin: o, Message: record.Plain(fmt.Appendf(nil, `{"ddtags":"n:%d"}`, i))}
		require.Empty(t, ruleOf(p, &r))
		require.Contains(t, joined(r.Origin.Tags), fmt.Sprintf(",n:%d", i))
		return r.Origin
	}
	first := apply(0)
	for i := range maxDerived {
		apply(i)
	}
	assert.Same(t, first, apply(0), "as many as are kept")
	apply(maxDerived)
	assert.LessOrEqual(t, len(p.derived), maxDerived)
	for i := range 3 * maxDerived {
		apply(i)
		assert.LessOrEqual(t, len(p.derived), maxDerived)
	}
	assert.NotSame(t, first, apply(0))
}

// The parts of a derivation's key can hold any byte: no two derivations share one.
func TestDerivationKey(t *testing.T) {
	a := derivation{tags: []byte("1\x00"), host: []byte("2")}
	b := derivation{tags: []byte("1"), host: []byte("\x002")}
	c := derivation{account: []byte("1"), region: []byte("")}
	d := derivation{account: []byte(""), region: []byte("1")}
	assert.NotEqual(t, a.appendKey(nil), b.appendKey(nil))
	assert.NotEqual(t, c.appendKey(nil), d.appendKey(nil))
}

func TestInstanceBehindATrail(t *testing.T) {
	const group = "CloudTrail/logs"
	for name, tc := range map[string]struct{ message, host string }{
		"17 digits":           {trail(`arn:aws:sts::123456789012:assumed-role/web/i-0123456789abcdef0`), "i-0123456789abcdef0"},
		"8 digits":            {trail(`arn:aws:sts::123456789012:assumed-role/web/i-0123abcd`), "i-0123abcd"},
		"another partition":   {trail(`arn:aws-us-gov:sts::123456789012:assumed-role/web/i-0123abcd`), "i-0123abcd"},
		"9 digits":            {trail(`arn:aws:sts::123456789012:assumed-role/web/i-0123abcde`), group},
		"upper case":          {trail(`arn:aws:sts::123456789012:assumed-role/web/i-0123ABCD`), group},
		"no digits":           {trail(`arn:aws:sts::123456789012:assumed-role/web/i-0123abcg`), group},
		"a person's session":  {trail(`arn:aws:sts::123456789012:assumed-role/web/alice`), group},
		"session goes on":     {trail(`arn:aws:sts::123456789012:assumed-role/web/i-0123abcd/x`), group},
		"role without a name": {trail(`arn:aws:sts::123456789012:assumed-role/i-0123abcd`), group},
		"user":                {trail(`arn:aws:iam::123456789012:user/i-0123abcd`), group},
		"another service":     {trail(`arn:aws:iam::123456789012:assumed-role/web/i-0123abcd`), group},
		"no ARN":              {trail(`x:assumed-role/web/i-0123abcd`), group},
		"ARN elsewhere":       {`{"eventVersion":"1.08","resource":{"arn":"arn:aws:sts::123456789012:assumed-role/web/i-0123abcd"}}`, group},
		"no userIdentity":     {`{"eventVersion":"1.08","userIdentity":null,"x":":assumed-role/"}`, group},
		"ARN is no text":      {`{"userIdentity":{"arn":["arn:aws:sts::123456789012:assumed-role/web/i-0123abcd"]}}`, group},
		"broken off":          {trail(`arn:aws:sts::123456789012:assumed-role/web/i-0123abcd`)[:100], group},
	} {
		t.Run(name, func(t *testing.T) {
			r := record.Record{Message: record.Escaped(record.AppendEscaped(nil, tc.message))}
			o := applied(t, origin(group, "s"), "", r)
			assert.Equal(t, tc.host, o.Host)
			assert.Equal(t, "cloudtrail", o.Source)
		})
	}
	t.Run("in a log of another source", func(t *testing.T) {
		r := record.Record{Message: record.Plain([]byte(trail(`arn:aws:sts::123456789012:assumed-role/web/i-0123abcd`)))}
		assert.Equal(t, "/aws/rds/x", applied(t, origin("/aws/rds/x", "s"), "", r).Host)
	})
}

func trail(arn string) string {
	return `{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","arn":"` + arn + `"},"eventName":"ListUsers"}`
}

// The system fields of a centralised log group say where a log came from. They beat the owner and the region of the group.
func TestCentralisedLogGroup(t *testing.T) {
	const head = "region:mine,forwarder_version:9.9.9,"
	for name, tc := range map[string]struct {
		group, fields string
		want          seen
		region        string
	}{
		"account and region": {"shop", `{"@aws.account":"111122223333","@aws.region":"us-east-2","x":"y"}`, seen{
			"cloudwatch", "cloudwatch", "shop", "", head + "aws_account:111122223333",
		}, "us-east-2"},
		"account alone": {"shop", `{"@aws.account":"111122223333"}`, seen{
			"cloudwatch", "cloudwatch", "shop", "", head + "aws_account:111122223333",
		}, "eu-west-1"},
		"function": {"/aws/lambda/orders", `{"@aws.account":"111122223333","@aws.region":"us-east-2"}`, seen{
			"lambda", "orders", "arn:aws:lambda:us-east-2:111122223333:function:orders", "arn:aws:lambda:us-east-2:111122223333:function:orders",
			head + "env:none,aws_account:111122223333,functionname:orders,region:us-east-2,service:orders",
		}, "us-east-2"},
		"function, region alone": {"/aws/lambda/orders", `{"@aws.region":"us-east-2"}`, seen{
			"lambda", "orders", "arn:aws:lambda:us-east-2:123456789012:function:orders", "arn:aws:lambda:us-east-2:123456789012:function:orders",
			head + "env:none,aws_account:123456789012,functionname:orders,region:us-east-2,service:orders",
		}, "us-east-2"},
		"no account and no region": {"shop", `{"@aws.account":"bob","@aws.region":"a,b"}`, seen{
			"cloudwatch", "cloudwatch", "shop", "", head + "aws_account:123456789012",
		}, "eu-west-1"},
		"other types": {"shop", `{"@aws.account":111122223333,"@aws.region":["us-east-2"]}`, seen{
			"cloudwatch", "cloudwatch", "shop", "", head + "aws_account:123456789012",
		}, "eu-west-1"},
		"escapes": {"shop", `{"@aws.account":"\u003111122223333","@aws.region":"us\u002deast-2"}`, seen{
			"cloudwatch", "cloudwatch", "shop", "", head + "aws_account:123456789012",
		}, "eu-west-1"},
		"a field that is called alike": {"shop", `{"x":{"@aws.account":"111122223333"}}`, seen{
			"cloudwatch", "cloudwatch", "shop", "", head + "aws_account:123456789012",
		}, "eu-west-1"},
		"no object": {"shop", `"\"@aws.account"`, seen{
			"cloudwatch", "cloudwatch", "shop", "", head + "aws_account:123456789012",
		}, "eu-west-1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := record.Record{
				Message: record.Plain([]byte("x")),
				Members: []record.Member{{Name: []byte("other"), Value: []byte(`{"@aws.account":"999999999999"}`)}, {Name: []byte("extractedFields"), Value: []byte(tc.fields)}},
			}
			common := origin(tc.group, "s")
			o := applied(t, common, "region:mine", r)
			assert.Equal(t, tc.want, look(o))
			assert.Equal(t, tc.region, o.Region)
			assert.Equal(t, owner, o.Owner, "the group still belongs to its owner")
			assert.Equal(t, "eu-west-1", common.Region, "the common origin stays what it is")
		})
	}
}

// A payload whose owner is no account has no tag for it, until an event says where it came from.
func TestCentralisedLogGroupOfNobody(t *testing.T) {
	r := record.Record{Members: []record.Member{{Name: []byte("extractedFields"), Value: []byte(`{"@aws.account":"111122223333"}`)}}}
	o := applied(t, withOwner(origin("shop", "s"), "nobody"), "", r)
	assert.Equal(t, "forwarder_version:9.9.9,aws_account:111122223333", joined(o.Tags))
}

// What a text says counts wherever it was read: also in an object, where nothing but the text knows the instance.
func TestDerivedFromObjects(t *testing.T) {
	const common = "forwarder_version:9.9.9,aws_account:123456789012"
	const session = `{"userIdentity":{"arn":"arn:aws:sts::123456789012:assumed-role/r/i-0123456789abcdef0"}}`
	for name, tc := range map[string]struct {
		origin              *record.Origin
		message             string
		service, host, tags string
	}{
		"CloudTrail, an instance":      {object("cloudtrail", ""), session, "cloudtrail", "i-0123456789abcdef0", common},
		"CloudTrail, somebody":         {object("cloudtrail", ""), `{"userIdentity":{"type":"Root"}}`, "cloudtrail", "", common},
		"not CloudTrail":               {object("waf", ""), session, "waf", "", common},
		"tags of the text":             {object("", ""), `{"ddtags":"team:a,service:shop"}`, "shop", "", common + ",team:a,service:shop"},
		"line of an access log":        {object("elb", "alb"), `GET "/?ddtags=a:1"`, "alb", "", common},
		"message of a queue with tags": {&record.Origin{Kind: record.SQS}, `{"ddtags":"a:1"}`, "sqs", "", "forwarder_version:9.9.9,a:1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := record.Record{Message: record.Plain([]byte(tc.message)), Structured: strings.HasPrefix(tc.message, "{")}
			o := applied(t, tc.origin, "", r)
			assert.Equal(t, tc.service, o.Service)
			assert.Equal(t, tc.host, o.Host)
			assert.Equal(t, tc.tags, joined(o.Tags))
			assert.Equal(t, tc.origin.Key, o.Key, "a derived origin is in the same object")
		})
	}
}
