package e2e

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/tagapi"
)

// ownTags is what a function says of itself among the tags of every line.
const ownTags = `forwardername:sluice-%s,forwarder_version:[0-9.]+`

// likeTags is the pattern of tags: those in front of the function's own, and those behind.
func likeTags(function, before, behind string) string {
	pattern := fmt.Sprintf(ownTags, function)
	if before != "" {
		pattern = before + "," + pattern
	}
	if behind != "" {
		pattern += "," + behind
	}
	return "^" + pattern + "$"
}

// The tags of a log group and of the function that wrote it, in the order of the Datadog Forwarder.
func TestTagsOfAFunction(t *testing.T) {
	const group = "aws_cloudformation_stack-name:shop,costcenter:42"
	for name, tc := range map[string]struct {
		tags          string // of the settings
		untagged      bool   // neither has any
		service       string
		before, after string // the function's own tags
	}{
		"env and service of the function": {
			service: "order_api",
			after:   group + ",aws_account:123456789012,env:prod,functionname:orders,region:eu-west-1,service:order_api,team:shop_floor",
		},
		"without tags": {
			untagged: true, service: "orders",
			after: "env:none,aws_account:123456789012,functionname:orders,region:eu-west-1,service:orders",
		},
		"over a service of the settings": {
			tags: "team:all,service:shop", service: "order_api", before: "team:all,service:order_api",
			after: group + ",aws_account:123456789012,env:prod,functionname:orders,region:eu-west-1,team:shop_floor",
		},
		"a service of the settings where the function has none": {
			tags: "env:e2e,service:shop", untagged: true, service: "shop", before: "env:e2e,service:shop",
			after: "aws_account:123456789012,functionname:orders,region:eu-west-1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newTagRig(t, setup{env: map[string]string{"DD_TAGS": tc.tags}})
			if !tc.untagged {
				r.putUsual()
			}

			service, tags := r.untilTagged(r.usual).labels(t)

			assert.Equal(t, tc.service, service)
			assert.Regexp(t, likeTags("cloudwatch", tc.before, tc.after), tags)
			r.audit()
		})
	}
}

func TestTagsOfALogGroup(t *testing.T) {
	r := newTagRig(t, setup{})
	r.putUsual()
	_, tags := r.untilTagged(func() visit { return r.deliver(stack.Account, flowGroup, 20) }).labels(t)
	assert.Regexp(t, likeTags("cloudwatch", "env:e2e", "network:core,aws_account:123456789012"), tags)
	before := len(r.api.Calls())

	v := r.deliver(otherAccount, flowGroup, 20)

	_, tags = v.labels(t)
	assert.Regexp(t, likeTags("cloudwatch", "env:e2e", "aws_account:"+otherAccount), tags, "a group of that name in another account")
	assert.Zero(t, v.untagged(), "its tags are not to be had")
	assert.Len(t, r.api.Calls(), before)
	r.audit()
}

// execution is a payload of an execution of a state machine.
func execution(n int, machine string) generate.Payload {
	const layout = `{"id":"%d","type":"ExecutionStarted","details":{},"previous_event_id":"0","event_timestamp":"%d",` +
		`"execution_arn":"arn:aws:states:eu-west-1:123456789012:express:%s:run-%d:5c"}`
	at := time.Now().UnixMilli()
	id := new(big.Int).Lsh(big.NewInt(at), 144)
	id.Add(id, big.NewInt(int64(1_000_000+n)))
	message := fmt.Sprintf(layout, n, at, machine, n)
	p := generate.Payload{ID: fmt.Sprintf("execution-%d", n)}
	p.Lines = []generate.Line{{Payload: p.ID, EventID: id.String(), Message: message}}
	p.Document, _ = json.Marshal(map[string]any{ // strings and numbers always encode
		"messageType": "DATA_MESSAGE", "owner": stack.Account, "subscriptionFilters": []string{"to-sluice"},
		"logGroup": "/aws/vendedlogs/states/shop-Logs", "logStream": "states/shop/2026-02-01-00-00/0123abcd",
		"logEvents": []map[string]any{{"id": id.String(), "timestamp": at, "message": message}},
	})
	return p
}

func TestTagsOfAStateMachine(t *testing.T) {
	r := newTagRig(t, setup{})
	r.api.Put("arn:aws:states:eu-west-1:123456789012:stateMachine:Shop", map[string]string{"team": "blue"})
	n := 0

	v := r.untilTagged(func() visit {
		n++
		p := execution(n, "Shop")
		r.lines = append(r.lines, p.Lines...)
		return r.deliverPayload(p)
	})

	_, tags := v.labels(t)
	assert.Regexp(t, likeTags("cloudwatch", "env:e2e", "aws_account:123456789012,team:blue"), tags)
	r.audit()
}

func TestTagsOfABucket(t *testing.T) {
	r := newTagRig(t, setup{function: "s3"})
	r.api.Put(bucketARN(logBucket), map[string]string{"Owner": "Platform", "tier": ""})
	n := 0

	v := r.untilTagged(func() visit {
		n++
		return r.deliverObject(fmt.Sprintf("app/%d.log", n), 50)
	})

	_, tags := v.labels(t)
	assert.Regexp(t, likeTags("s3", "owner:platform,tier,env:e2e", ""), tags)
	r.audit()
}

// What one container has learned, the next one knows without a call.
func TestTagsInASecondContainer(t *testing.T) {
	r := newTagRig(t, setup{})
	r.putUsual()
	r.untilTagged(r.usual)
	first := r.until(func(visit) bool {
		return r.shared("function", functionARN("orders")) && r.shared("log-group", groupARN(ordersGroup))
	}, r.usual)
	require.NoError(t, r.function.Kill())
	r.api.SetScript(tagapi.Always(tagapi.Hang()))
	calls := len(r.api.Calls())

	second := r.untilTagged(r.usual)

	service, tags := first.labels(t)
	serviceAgain, tagsAgain := second.labels(t)
	assert.Equal(t, service, serviceAgain)
	assert.Equal(t, tags, tagsAgain)
	assert.Contains(t, tagsAgain, "team:shop_floor")
	assert.Len(t, r.api.Calls(), calls)
	assert.Equal(t, map[string]int{functionARN("orders"): 1, groupARN(ordersGroup): 1}, r.api.Asked())
	r.audit()
	assert.Equal(t, 2, r.function.Usage().Starts)
}

// tagFault is an API that does not give tags.
type tagFault struct {
	step tagapi.Step
	down bool
	held bool   // calls are not answered before the invocation ends
	says string // what the function says is wrong
}

func tagFaults() map[string]tagFault {
	return map[string]tagFault{
		"throttled": {step: tagapi.Throttle(), says: "ThrottlingException"},
		"failing":   {step: tagapi.Fail(), says: "InternalServiceException"},
		"refused":   {step: tagapi.Deny(), says: "grant the function "},
		"slow":      {step: tagapi.Slow(3 * time.Second), held: true, says: "tags of "},
		"hanging":   {step: tagapi.Hang(), held: true, says: "tags of "},
		"not there": {down: true, says: "tags of "},
	}
}

func (r *tagRig) inject(is tagFault) {
	r.t.Helper()
	r.api.SetScript(tagapi.Always(is.step))
	if is.down {
		require.NoError(r.t, r.api.Down())
	}
}

// untilTold delivers until the function has said what is wrong, and has counted it.
func (r *tagRig) untilTold(is tagFault) visit {
	r.t.Helper()
	return r.until(func(v visit) bool { return strings.Contains(v.Lookups.Trouble, is.says) && r.failures() > 0 }, r.usual)
}

// check looks at an invocation under a fault: its lines had arrived before any call was over that was made in it.
func (is tagFault) check(t *testing.T, v visit) {
	t.Helper()
	if !is.held {
		return
	}
	last := slices.MaxFunc(v.entries, func(a, b intake.Entry) int { return a.At.Compare(b.At) })
	for _, call := range v.calls {
		assert.Zero(t, call.Status, "a call that nobody waits for")
		assert.True(t, call.Ended.IsZero() || last.At.Before(call.Ended), "line %s has waited for call %d", last.ID, call.Number)
	}
}

// Whatever becomes of the calls, every line is delivered at once. What went without its tags is counted.
func TestTagsThatCannotBeHad(t *testing.T) {
	const rounds = 6
	for name, is := range tagFaults() {
		t.Run(name, func(t *testing.T) {
			r := newTagRig(t, setup{})
			r.putUsual()
			r.inject(is)
			var last visit
			var took []float64
			for range rounds {
				for _, group := range []string{ordersGroup, flowGroup} {
					last = r.deliver(stack.Account, group, 50)
					took = append(took, last.Millis)
					assert.Equal(t, last.lines, last.untagged())
					_, tags := last.labels(t)
					assert.NotContains(t, tags, "network:")
					assert.NotContains(t, tags, "team:")
					is.check(t, last)
				}
			}

			failed := r.untilTold(is)

			t.Logf("%d calls, %q, invocations took %v ms", len(r.api.Calls()), failed.Lookups.Trouble, took)
			assert.LessOrEqual(t, len(r.api.Calls()), mostCalls)
			r.audit()
		})
	}
}

// mostCalls is how many calls there are at most when none succeeds: three tries, for two kinds, ten times, which would take
// minutes as the pauses grow.
const mostCalls = 3 * 2 * 10

// An API that is heard again is asked again, in the same container.
func TestTagsThatCanBeHadAgain(t *testing.T) {
	r := newTagRig(t, setup{})
	r.putUsual()
	is := tagFaults()["hanging"]
	r.inject(is)
	r.untilTold(is)
	r.api.SetScript(tagapi.Always(tagapi.Step{}))
	r.api.Release()

	service, _ := r.untilTagged(r.usual).labels(t)

	assert.Equal(t, "order_api", service)
	assert.Equal(t, 1, r.function.Usage().Starts)
	r.audit()
}

func TestBucketTagsThatCannotBeHad(t *testing.T) {
	for name, is := range tagFaults() {
		t.Run(name, func(t *testing.T) {
			r := newTagRig(t, setup{function: "s3"})
			r.api.Put(bucketARN(logBucket), map[string]string{"owner": "platform"})
			r.inject(is)
			for i := range 4 {
				v := r.deliverObject(fmt.Sprintf("app/%d.log", i), 50)
				assert.Equal(t, 50, v.untagged())
				_, tags := v.labels(t)
				assert.Regexp(t, likeTags("s3", "env:e2e", ""), tags)
				is.check(t, v)
			}
			r.audit()
		})
	}
}

// An answer that has grown old is better than none.
func TestTagsOfYesterday(t *testing.T) {
	for name, is := range tagFaults() {
		t.Run(name, func(t *testing.T) {
			r := newTagRig(t, setup{})
			r.putUsual()
			r.inject(is)
			old := time.Now().Add(-12 * time.Hour)
			r.share("function", old, map[string][]string{functionARN("orders"): {"env:old", "team:yesterday"}})
			r.share("log-group", old, map[string][]string{groupARN(ordersGroup): {"costcenter:41"}})
			r.untilTagged(r.usual)

			for range 5 {
				v := r.usual()
				_, tags := v.labels(t)
				assert.Regexp(t, likeTags("cloudwatch", "env:e2e", "costcenter:41,aws_account:123456789012,env:old,"+
					"functionname:orders,region:eu-west-1,service:orders,team:yesterday"), tags)
				assert.Zero(t, v.untagged())
				is.check(t, v)
			}

			r.untilTold(is)
			r.audit()
		})
	}
}

// Many invocations with logs of many functions make few calls: one for each resource, when all is well.
func TestTagCallsAreFew(t *testing.T) {
	const functions, rounds = 30, 3
	for name, step := range map[string]tagapi.Step{"well": {}, "throttled": tagapi.Throttle()} {
		t.Run(name, func(t *testing.T) {
			r := newTagRig(t, setup{})
			r.api.SetScript(tagapi.Always(step))
			untagged := 0
			for range rounds {
				for n := range functions {
					f := fmt.Sprintf("f-%d", n)
					r.api.Put(functionARN(f), map[string]string{"number": f})
					r.api.Put(groupARN("/aws/lambda/"+f), map[string]string{"group": f})
					untagged += r.deliver(stack.Account, "/aws/lambda/"+f, 5).untagged()
				}
			}

			calls := len(r.api.Calls())
			t.Logf("%d invocations, %d functions: %d calls, %d lines of %d without tags", functions*rounds, functions, calls, untagged, len(r.lines))
			if step.Refusal != nil {
				assert.LessOrEqual(t, calls, mostCalls)
				assert.Equal(t, deliverable(r.lines), untagged)
			} else {
				// Two kinds for each function. One in two may be asked for again, where a call was cut off on a busy machine.
				assert.LessOrEqual(t, calls, 3*functions)
				r.untilTagged(func() visit { return r.deliver(stack.Account, "/aws/lambda/f-0", 5) })
			}
			r.audit()
		})
	}
}
