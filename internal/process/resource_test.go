package process

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

// fakeResources knows tags by kind and name.
type fakeResources struct {
	tags     map[string]string
	status   map[string]Knowledge // Known where there is none
	asked    []string
	untagged map[Knowledge]int64
}

func (f *fakeResources) Lookup(kind Resource, _ *record.Origin, name string) (record.Tags, Knowledge) {
	key := [...]string{LogGroup: "log-group", Function: "function", Bucket: "bucket", StateMachine: "state-machine"}[kind] + " " + name
	f.asked = append(f.asked, key)
	if status, has := f.status[key]; has {
		return nil, status
	}
	return record.ParseTags(f.tags[key]), Known
}

func (f *fakeResources) CountUntagged(why Knowledge, records int64) {
	if f.untagged == nil {
		f.untagged = make(map[Knowledge]int64)
	}
	f.untagged[why] += records
}

func TestResourceTags(t *testing.T) {
	const own = "forwardername:sluice-logs,forwarder_version:9.9.9"
	function := func() *record.Origin { return origin("/aws/lambda/Orders", latest) }
	for name, tc := range map[string]struct {
		tags                  map[string]string
		settings              string
		origin                *record.Origin
		message               string
		wantService, wantTags string
	}{
		"log group": {
			map[string]string{"log-group shop": "team:a,cost:1"},
			"env:prod", origin("shop", "s"), "x",
			"cloudwatch", "env:prod," + own + ",team:a,cost:1,aws_account:123456789012",
		},
		"log group, its service": {
			map[string]string{"log-group shop": "service:group,team:a"},
			"", origin("shop", "s"), "x",
			"group", own + ",service:group,team:a,aws_account:123456789012",
		},
		"log group, the settings' service stands first": {
			map[string]string{"log-group shop": "service:group,team:a"},
			"service:set", origin("shop", "s"), "x",
			"set", "service:set," + own + ",team:a,aws_account:123456789012",
		},
		"bucket stands in front": {
			map[string]string{"bucket logs": "team:a,service:bucket"},
			"service:set,x:y", object("elb", "alb"), "x",
			"bucket", "team:a,service:bucket,x:y," + own + ",aws_account:123456789012",
		},
		"function, sorted": {
			map[string]string{"function Orders": "cost:1,team:a,zone:z,region:eu-west-1"},
			"", function(), "x",
			"orders", own + ",env:none,aws_account:123456789012,cost:1,functionname:orders,region:eu-west-1,service:orders,team:a,zone:z",
		},
		"function, its environment": {
			map[string]string{"function Orders": "env:dev"},
			"", function(), "x",
			"orders", own + ",aws_account:123456789012,env:dev,functionname:orders,region:eu-west-1,service:orders",
		},
		"function, its environment beside that of the settings": {
			map[string]string{"function Orders": "env:dev"},
			"env:prod", function(), "x",
			"orders", "env:prod," + own + ",aws_account:123456789012,env:dev,functionname:orders,region:eu-west-1,service:orders",
		},
		"function, its environment in place of none in the settings": {
			map[string]string{"function Orders": "env:dev"},
			"env:none", function(), "x",
			"orders", own + ",aws_account:123456789012,env:dev,functionname:orders,region:eu-west-1,service:orders",
		},
		"function, the environment of its log group": {
			map[string]string{"log-group /aws/lambda/Orders": "env:dev"},
			"", function(), "x",
			"orders", own + ",env:dev,aws_account:123456789012,functionname:orders,region:eu-west-1,service:orders",
		},
		"function, its service": {
			map[string]string{"function Orders": "service:shop,service:no,a:1"},
			"", function(), "x",
			"shop", own + ",env:none,a:1,aws_account:123456789012,functionname:orders,region:eu-west-1,service:shop",
		},
		"function, its service wins over the settings and the group": {
			map[string]string{"function Orders": "service:shop,a:1", "log-group /aws/lambda/Orders": "service:group"},
			"service:set", function(), "x",
			"shop", "service:shop," + own + ",env:none,a:1,aws_account:123456789012,functionname:orders,region:eu-west-1",
		},
		"message wins over all": {
			map[string]string{"function Orders": "service:shop,env:dev"},
			"service:set", function(), `{"ddtags":"service:m,env:test"}`,
			"m", own + ",aws_account:123456789012,env:dev,functionname:orders,region:eu-west-1,service:m,env:test",
		},
		"function that nothing is known of": {
			nil, "", function(), "x",
			"orders", own + ",env:none,aws_account:123456789012,functionname:orders,region:eu-west-1,service:orders",
		},
		"message of a queue": {map[string]string{"bucket ": "a:1"}, "", &record.Origin{Kind: record.SQS}, "x", "sqs", own},
	} {
		t.Run(name, func(t *testing.T) {
			r := rules(tc.settings)
			r.Resources = &fakeResources{tags: tc.tags}
			one := record.Record{Origin: tc.origin, Message: record.Plain([]byte(tc.message))}
			require.Empty(t, ruleOf(New(r), &one))
			assert.Equal(t, tc.wantService, one.Origin.Service)
			assert.Equal(t, tc.wantTags, joined(one.Origin.Tags))
		})
	}
}

func TestServiceOfARouteWinsOverThatOfAFunction(t *testing.T) {
	r := Rules{ForwarderVersion: version, Routes: []Route{{Match: from("lambda"), Service: "one"}}}
	r.Resources = &fakeResources{tags: map[string]string{"function orders": "service:f,team:a"}}
	one := record.Record{Origin: origin("/aws/lambda/orders", latest), Message: record.Plain([]byte("x"))}
	require.Empty(t, ruleOf(New(r), &one))
	assert.Equal(t, "one", one.Origin.Service)
	assert.Equal(t, "forwarder_version:9.9.9,env:none,aws_account:123456789012,functionname:orders,region:eu-west-1,service:one,team:a",
		joined(one.Origin.Tags))
}

// A function of the same name in another account is another function.
func TestResourceTagsOfACentralisedLogGroup(t *testing.T) {
	for name, tc := range map[string]struct{ fields, want string }{
		"here":  {`{"@aws.account":"123456789012","@aws.region":"eu-west-1"}`, "g:1,env:none,aws_account:123456789012,functionname:orders,region:eu-west-1,service:f,team:a"},
		"there": {`{"@aws.account":"111122223333","@aws.region":"us-east-2"}`, "g:1,env:none,aws_account:111122223333,functionname:orders,region:us-east-2,service:orders"},
	} {
		t.Run(name, func(t *testing.T) {
			r := Rules{ForwarderVersion: version}
			r.Resources = &fakeResources{tags: map[string]string{"function orders": "service:f,team:a", "log-group /aws/lambda/orders": "g:1"}}
			one := record.Record{
				Origin: origin("/aws/lambda/orders", latest), Message: record.Plain([]byte("x")),
				Members: []record.Member{{Name: []byte("extractedFields"), Value: []byte(tc.fields)}},
			}
			require.Empty(t, ruleOf(New(r), &one))
			assert.Equal(t, "forwarder_version:9.9.9,"+tc.want, joined(one.Origin.Tags))
		})
	}
}

const executions = "arn:aws:states:eu-west-1:123456789012:execution:"

// Executions of several state machines share a log group, and all those of one share its tags.
func TestTagsOfStateMachines(t *testing.T) {
	r := rules("a:1")
	known := &fakeResources{
		tags: map[string]string{
			"state-machine Orders": "team:x", "state-machine Bills": "service:bills,env:dev", "log-group /aws/vendedlogs/states/all": "g:1",
		},
		status: map[string]Knowledge{"state-machine Slow": Pending},
	}
	r.Resources = known
	p, o := New(r), origin("/aws/vendedlogs/states/all", "s")
	apply := func(message string) *record.Origin {
		one := record.Record{Origin: o, Message: record.Escaped(record.AppendEscaped(nil, message))}
		require.Empty(t, ruleOf(p, &one))
		return one.Origin
	}
	event := func(arn string) string { return `{"id":"1","type":"TaskStateExited","execution_arn":"` + arn + `"}` }
	const common = "a:1,forwardername:sluice-logs,forwarder_version:9.9.9,g:1,aws_account:123456789012"

	first := apply(event(executions + "Orders:1"))
	assert.Equal(t, "stepfunction", first.Source)
	assert.Equal(t, common+",team:x", joined(first.Tags))
	assert.Same(t, first, apply(event(executions+"Orders:2")), "another execution of the same")
	bills := apply(event("arn:aws:states:eu-west-1:123456789012:express:Bills:1:2"))
	assert.Equal(t, common+",service:bills,env:dev", joined(bills.Tags))
	assert.Equal(t, "bills", bills.Service)
	for name, message := range map[string]string{
		"no execution":    `{"id":"1"}`,
		"no ARN":          event("Orders"),
		"other account":   event("arn:aws:states:eu-west-1:111122223333:execution:Orders:1"),
		"other region":    event("arn:aws:states:us-east-2:123456789012:execution:Orders:1"),
		"state machine":   event("arn:aws:states:eu-west-1:123456789012:stateMachine:Orders"),
		"its version":     event("arn:aws:states:eu-west-1:123456789012:stateMachine:Orders:1"),
		"other service":   event("arn:aws:lambda:eu-west-1:123456789012:execution:Orders:1"),
		"other word":      event("arm:aws:states:eu-west-1:123456789012:execution:Orders:1"),
		"other partition": event("arn:x:states:eu-west-1:123456789012:execution:Orders:1"),
		"one level in":    `{"x":` + event(executions+"Orders:1") + `}`,
		"without a name":  event(executions + ":1"),
		"no such name":    event(executions + strings.Repeat("x", 300) + ":1"),
		"not known yet":   event(executions + "Slow:1"),
		"without tags":    event(executions + "Plain:1"),
		"as a whole text": `execution_arn ` + executions + "Orders:1",
	} {
		assert.Same(t, o, apply(message), name)
	}
	lifted := apply(`{"execution_arn":"` + executions + `Bills:1","ddtags":"service:m"}`)
	assert.Equal(t, common+",env:dev,service:m", joined(lifted.Tags))
	p.Close()
	assert.Equal(t, map[Knowledge]int64{Pending: 1}, known.untagged)
}

func TestServiceOfAStateMachine(t *testing.T) {
	const own = "forwarder_version:9.9.9"
	for name, tc := range map[string]struct{ settings, route, want, wantTags string }{
		"stands for itself":           {"", "", "bills", own + ",aws_account:123456789012,service:bills"},
		"wins over the settings":      {"service:set", "", "bills", "service:bills," + own + ",aws_account:123456789012"},
		"does not win over the route": {"", "one", "one", own + ",aws_account:123456789012,service:one"},
		"route and settings":          {"service:set", "one", "one", "service:one," + own + ",aws_account:123456789012"},
	} {
		t.Run(name, func(t *testing.T) {
			r := Rules{Tags: record.ParseTags(tc.settings), ForwarderVersion: version}
			r.Resources = &fakeResources{tags: map[string]string{"state-machine Bills": "service:bills"}}
			r.Routes = []Route{{Match: from("stepfunction"), Service: tc.route}}
			one := record.Record{Origin: origin("/aws/vendedlogs/states/all", "s"), Message: record.Plain([]byte(`{"execution_arn":"` + executions + `Bills:1"}`))}
			require.Empty(t, ruleOf(New(r), &one))
			assert.Equal(t, tc.want, one.Origin.Service)
			assert.Equal(t, tc.wantTags, joined(one.Origin.Tags))
		})
	}
}

func TestStateMachinesAreNotAskedForInOtherLogs(t *testing.T) {
	r := rules("")
	known := &fakeResources{}
	r.Resources = known
	one := record.Record{Origin: origin("shop", "s"), Message: record.Plain([]byte(`{"level":"info","execution_arn":"` + executions + `Orders:1"}`))}
	require.Empty(t, ruleOf(New(r), &one))
	assert.Equal(t, []string{"log-group shop"}, known.asked)
}

// A record that is sent without tags that it may have is counted, once, when the origin is done with.
func TestUntaggedRecordsAreCounted(t *testing.T) {
	r := rules("")
	known := &fakeResources{status: map[string]Knowledge{
		"log-group slow": Pending, "log-group broken": Failed, "log-group known": Known,
		"log-group /aws/lambda/orders": Pending, "function orders": Failed, "log-group /aws/lambda/known": Pending,
	}}
	r.Resources = known
	r.Exclude = patterns("dropped")
	p := New(r)
	for _, group := range []string{"slow", "broken", "known", "tagged", "/aws/lambda/known", "/aws/lambda/orders", "slow"} {
		o := origin(group, "s")
		for _, message := range []string{"a", "dropped", `{"ddtags":"a:1"}`} {
			p.Apply(&record.Record{Origin: o, Message: record.Plain([]byte(message))})
		}
	}
	assert.Equal(t, map[Knowledge]int64{Pending: 4, Failed: 4}, known.untagged, "the last origin is not done with")
	p.Close()
	p.Close()
	assert.Equal(t, map[Knowledge]int64{Pending: 6, Failed: 4}, known.untagged)
	assert.Len(t, known.asked, 9, "once per origin and kind")
}

func TestTagRules(t *testing.T) {
	const message = `{"ddtags":"team:m,shop.size:1"}`
	for name, tc := range map[string]struct {
		rules         TagRules
		want, derived string
	}{
		"none": {
			TagRules{},
			"env:prod,team:a,word,forwarder_version:9.9.9,aws_account:123456789012",
			"env:prod,team:a,word,forwarder_version:9.9.9,aws_account:123456789012,team:m,shop.size:1",
		},
		"rename, once": {
			TagRules{Rename: map[string]string{"team": "group", "group": "no", "word": "other"}},
			"env:prod,group:a,other,forwarder_version:9.9.9,aws_account:123456789012",
			"env:prod,group:a,other,forwarder_version:9.9.9,aws_account:123456789012,group:m,shop.size:1",
		},
		"allow":              {TagRules{Allow: []string{"team", "e*v", "*.size"}}, "env:prod,team:a", "env:prod,team:a,team:m,shop.size:1"},
		"deny":               {TagRules{Deny: []string{"*o*", "aws_account"}}, "env:prod,team:a", "env:prod,team:a,team:m"},
		"allow and deny":     {TagRules{Allow: []string{"*e*"}, Deny: []string{"forward*", "shop*"}}, "env:prod,team:a", "env:prod,team:a,team:m"},
		"the new name":       {TagRules{Rename: map[string]string{"team": "group"}, Allow: []string{"group"}}, "group:a", "group:a,group:m"},
		"at most":            {TagRules{Max: 2}, "env:prod,team:a", "env:prod,team:a"},
		"at most, of those":  {TagRules{Deny: []string{"env"}, Max: 2}, "team:a,word", "team:a,word"},
		"none is left":       {TagRules{Deny: []string{"*"}}, "", ""},
		"none is allowed":    {TagRules{Allow: []string{""}}, "", ""},
		"a service":          {TagRules{Rename: map[string]string{"team": "service"}, Allow: []string{"service"}}, "service:a", "service:m"},
		"more than there is": {TagRules{Allow: []string{"env"}, Max: 100}, "env:prod", "env:prod"},
	} {
		t.Run(name, func(t *testing.T) {
			p := New(Rules{Tags: record.ParseTags("env:prod,team:a,word"), ForwarderVersion: version, TagRules: tc.rules})
			o := origin("shop", "s")
			for range 2 {
				one := record.Record{Origin: o, Message: record.Plain([]byte("x"))}
				require.Empty(t, ruleOf(p, &one))
				assert.Equal(t, tc.want, joined(one.Origin.Tags))
				two := record.Record{Origin: o, Message: record.Plain([]byte(message))}
				require.Empty(t, ruleOf(p, &two))
				assert.Equal(t, tc.derived, joined(two.Origin.Tags))
			}
		})
	}
}

// A tag that becomes the service stands beside no other: of all, the first is left.
func TestTagRulesLeaveOneService(t *testing.T) {
	for name, tc := range map[string]struct {
		tags  string
		rules TagRules
		want  []string
	}{
		"in front of the function's": {"svc:a", TagRules{Rename: map[string]string{"svc": "service"}}, []string{"service:a"}},
		"behind that of the settings": {
			"service:edge,svc:a", TagRules{Rename: map[string]string{"svc": "service"}}, []string{"service:edge"},
		},
		"two that are renamed": {
			"svc:a,app:b", TagRules{Rename: map[string]string{"svc": "service", "app": "service"}}, []string{"service:a"},
		},
		"the word is none":                   {"svc:,service", TagRules{Rename: map[string]string{"svc": "service"}}, []string{"service:orders"}},
		"the service is renamed":             {"service:edge,svc:a", TagRules{Rename: map[string]string{"svc": "service", "service": "was"}}, []string{"service:a"}},
		"those that are denied do not count": {"svc:a", TagRules{Rename: map[string]string{"svc": "service"}, Deny: []string{"service"}}, nil},
		"further ones take no place": {
			"svc:a,app:b,env:prod", TagRules{Rename: map[string]string{"svc": "service", "app": "service"}, Allow: []string{"service", "env"}, Max: 2}, []string{"service:a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := New(Rules{Tags: record.ParseTags(tc.tags), ForwarderVersion: version, TagRules: tc.rules})
			one := record.Record{Origin: origin("/aws/lambda/orders", latest), Message: record.Plain([]byte("x"))}
			require.Empty(t, ruleOf(p, &one))
			var services []string
			for _, tag := range one.Origin.Tags {
				if tag.Key == "service" && tag.Value != "" {
					services = append(services, tag.String())
				}
			}
			assert.Equal(t, tc.want, services, joined(one.Origin.Tags))
			if tc.rules.Max > 0 {
				assert.Contains(t, joined(one.Origin.Tags), "env:prod")
			}
		})
	}
}

// The service is what the tag says that is called so in the end, by the same order as without a rename: the route's, the
// function's own, that of all other tags, what the log says.
func TestTagRulesSettleTheService(t *testing.T) {
	renames := func(pairs ...string) TagRules {
		rules := TagRules{Rename: map[string]string{}}
		for i := 0; i < len(pairs); i += 2 {
			rules.Rename[pairs[i]] = pairs[i+1]
		}
		return rules
	}
	const lambda = "/aws/lambda/orders"
	for name, tc := range map[string]struct {
		group    string // log group
		tags     string // of the settings
		function string // of the function, in AWS
		route    string // service of the route
		message  string // its ddtags
		rules    TagRules
		service  string
		tag      string // "" for none
	}{
		"settings":                        {"shop", "team:payments", "", "", "", renames("team", "service"), "payments", "payments"},
		"settings, of a function's log":   {lambda, "team:payments", "", "", "", renames("team", "service"), "payments", "payments"},
		"two that are renamed":            {"shop", "team:a,app:b", "", "", "", renames("team", "service", "app", "service"), "a", "a"},
		"behind one of that name":         {"shop", "service:edge,team:a", "", "", "", renames("team", "service"), "edge", "edge"},
		"the function's, renamed":         {lambda, "", "team:payments", "", "", renames("team", "service"), "payments", "payments"},
		"the function's, before settings": {lambda, "team:a", "team:b", "", "", renames("team", "service"), "b", "b"},
		"the function's, before its name": {lambda, "service:a", "team:b", "", "", renames("team", "service"), "b", "b"},
		"the route's":                     {"shop", "team:a", "", "checkout", "", renames("team", "service"), "checkout", "checkout"},
		"the message's":                   {"shop", "team:a", "", "", "team:m", renames("team", "service"), "m", "m"},
		"the message's, for a function":   {lambda, "team:a", "team:b", "", "team:m", renames("team", "service"), "m", "m"},
		"renamed away":                    {"shop", "service:a", "", "", "", renames("service", "svc"), "cloudwatch", ""},
		"renamed away, in the message":    {"shop", "", "", "", "service:m", renames("service", "svc"), "cloudwatch", ""},
		"exchanged":                       {"shop", "service:a,team:b", "", "", "", renames("service", "team", "team", "service"), "b", "b"},
		"where it ran":                    {lambda, "", "", "", "", renames("region", "service"), "eu-west-1", "eu-west-1"},
		"a message cannot say where":      {lambda, "", "", "", "region:m", renames("region", "service"), "eu-west-1", "eu-west-1"},
		"a word is no service":            {"shop", "team", "", "", "", renames("team", "service"), "cloudwatch", ""},
		"the tag is left out":             {"shop", "team:a", "", "", "", TagRules{Rename: map[string]string{"team": "service"}, Deny: []string{"service"}}, "a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			rules := Rules{
				Tags: record.ParseTags(tc.tags), ForwarderVersion: version, TagRules: tc.rules,
				Resources: &fakeResources{tags: map[string]string{"function orders": tc.function}},
			}
			if tc.route != "" {
				rules.Routes = []Route{{Match: func(*record.Origin) bool { return true }, Service: tc.route}}
			}
			text := "x"
			if tc.message != "" {
				text = `{"ddtags":"` + tc.message + `"}`
			}
			stream := "s"
			if tc.group == lambda {
				stream = latest
			}
			one := record.Record{Origin: origin(tc.group, stream), Message: record.Plain([]byte(text))}
			require.Empty(t, ruleOf(New(rules), &one))
			assert.Equal(t, tc.service, one.Origin.Service)
			var services []string
			for _, tag := range one.Origin.Tags {
				if tag.Key == "service" && tag.Value != "" {
					services = append(services, tag.Value)
				}
			}
			assert.Equal(t, tc.tag, strings.Join(services, ","), joined(one.Origin.Tags))
		})
	}
}

func TestStandsFor(t *testing.T) {
	for pattern, tc := range map[string]struct{ yes, no []string }{
		"":      {[]string{""}, []string{"a"}},
		"*":     {[]string{"", "a", "a*b"}, nil},
		"a":     {[]string{"a"}, []string{"", "ab", "ba"}},
		"a*":    {[]string{"a", "ab"}, []string{"", "ba"}},
		"*a":    {[]string{"a", "ba", "aa"}, []string{"ab"}},
		"a*a":   {[]string{"aa", "aba"}, []string{"a", "ab"}},
		"a*b*c": {[]string{"abc", "axbxc", "abbcc"}, []string{"acb", "ab", "abcd"}},
		"**":    {[]string{"", "a"}, nil},
	} {
		for _, text := range tc.yes {
			assert.True(t, standsFor(pattern, text), "%q for %q", pattern, text)
		}
		for _, text := range tc.no {
			assert.False(t, standsFor(pattern, text), "%q for %q", pattern, text)
		}
	}
}
