package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/bucket"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/owner"
	"sluice/e2e/stack/tagapi"
)

const (
	ordersGroup = "/aws/lambda/orders"
	flowGroup   = "/aws/vpc/flow-logs"

	tagRoot = parkRoot + "tags/aws/" + stack.Account + "/" + stack.Region + "/" // of what containers share
)

func groupARN(name string) string {
	return "arn:aws:logs:" + stack.Region + ":" + stack.Account + ":log-group:" + name
}

func functionARN(name string) string {
	return "arn:aws:lambda:" + stack.Region + ":" + stack.Account + ":function:" + name
}

func bucketARN(name string) string { return "arn:aws:s3:::" + name }

// tagRig is functions/cloudwatch or functions/s3 with all tags asked for, between its owner, the APIs of tags, a bucket that
// containers share and an intake.
type tagRig struct {
	*s3Rig

	api *tagapi.Server
}

func newTagRig(t *testing.T, s setup) *tagRig {
	t.Helper()
	api, err := tagapi.Start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, api.Close()) })
	env := api.Env()
	for _, kind := range []string{"LAMBDA", "LOG_GROUP", "S3", "STEP_FUNCTIONS"} {
		env["SLUICE_FETCH_"+kind+"_TAGS"] = "true"
	}
	maps.Copy(env, s.env)
	s.env = env
	if s.function == "s3" {
		return &tagRig{newS3Rig(t, s), api}
	}
	server, err := bucket.Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	require.NoError(t, server.CreateBucket(t.Context(), parkBucket, false))
	s.env = server.Env()
	s.env["SLUICE_PARK_BUCKET"] = parkBucket
	maps.Copy(s.env, env)
	return &tagRig{&s3Rig{rig: newRig(t, s), s3: server, bodies: map[string][]string{}}, api}
}

// putUsual gives the usual log groups and function their tags.
func (r *tagRig) putUsual() {
	r.api.Put(functionARN("orders"), map[string]string{"Team": "Shop Floor", "env": "prod", "service": "Order API"})
	r.api.Put(groupARN(ordersGroup), map[string]string{"CostCenter": "42", "aws:cloudformation:stack-name": "shop"})
	r.api.Put(groupARN(flowGroup), map[string]string{"network": "core"})
}

// tagCounts is what the function says of tags in the line of an invocation.
type tagCounts struct {
	RequestID string   `json:"request_id"`
	Untagged  *float64 `json:"LinesUntagged"`
	Failures  float64  `json:"TagCallFailures"`
	Millis    float64  `json:"DurationMs"`
	Lookups   struct {
		Calls     int    `json:"calls"`
		Throttled int    `json:"throttled"`
		Trouble   string `json:"trouble"`
	} `json:"tag_lookups"`
}

// visit is one invocation that has taken what it was given.
type visit struct {
	tagCounts

	lines   int            // deliverable
	entries []intake.Entry // that came of it
	calls   []tagapi.Call  // that were made in it
}

// untagged is how many lines went without tags.
func (v visit) untagged() int { return int(*v.Untagged) }

// labels are the service and the tags of the lines, which all have the same.
func (v visit) labels(t *testing.T) (service, tags string) {
	t.Helper()
	require.NotEmpty(t, v.entries)
	for _, e := range v.entries {
		assert.Equal(t, v.entries[0].Tags, e.Tags)
		assert.Equal(t, v.entries[0].Service, e.Service)
	}
	return v.entries[0].Service, v.entries[0].Tags
}

// place is where a payload says that it comes from.
var place = regexp.MustCompile(`"owner":"[^"]*","logGroup":"[^"]*","logStream":"[^"]*"`)

// deliver sends lines of a log group of an account, in an invocation that has to take them at its first try.
func (r *tagRig) deliver(account, group string, lines int) visit {
	r.t.Helper()
	p := r.generate.Filled(lines, generate.Random(60)) // Mixed has messages with tags of their own
	r.lines = append(r.lines, p.Lines...)
	stream := "2026/02/01/[$LATEST]94fa867e5374431291a7fc14e2f56ae7"
	if group == flowGroup {
		stream = "eni-0123456789abcdef0-all"
	}
	p.Document = place.ReplaceAllLiteral(p.Document,
		fmt.Appendf(nil, `"owner":%q,"logGroup":%q,"logStream":%q`, account, group, stream))
	return r.deliverPayload(p)
}

func (r *tagRig) deliverPayload(p generate.Payload) visit {
	r.t.Helper()
	r.queueUp(p)
	return r.visit(deliverable(p.Lines), r.step)
}

// deliverObject puts an object and announces it, likewise.
func (r *tagRig) deliverObject(key string, lines int) visit {
	r.t.Helper()
	r.announce(r.access(key, lines))
	return r.visit(lines, r.receive)
}

func (r *tagRig) visit(lines int, step func() owner.Delivery) visit {
	r.t.Helper()
	entries, calls := r.intake.Taken(), len(r.api.Calls())
	d := step()
	require.Equal(r.t, owner.Taken, d.Outcome, d.Error)
	v := visit{lines: lines, tagCounts: r.counts(d), entries: r.intake.Entries()[entries:], calls: r.api.Calls()[calls:]}
	require.Len(r.t, v.entries, lines, "every line, and once")
	return v
}

// allCounts are those of all invocations whose line has been read, in order.
func (r *tagRig) allCounts() []tagCounts {
	r.t.Helper()
	var list []tagCounts
	for _, line := range r.function.Output() {
		if !strings.Contains(line, `"LinesIn"`) {
			continue
		}
		var c tagCounts
		require.NoError(r.t, json.Unmarshal([]byte(line), &c))
		require.NotNil(r.t, c.Untagged, "tags are looked up")
		list = append(list, c)
	}
	return list
}

// counts waits for those of an invocation.
func (r *tagRig) counts(d owner.Delivery) tagCounts {
	r.t.Helper()
	r.ledger(d)
	list := r.allCounts()
	at := slices.IndexFunc(list, func(c tagCounts) bool { return c.RequestID == d.RequestID })
	require.GreaterOrEqual(r.t, at, 0, "the function has printed no counts of %s", d.RequestID)
	return list[at]
}

// failures is how many calls have failed so far, as the function counts them.
func (r *tagRig) failures() int {
	r.t.Helper()
	sum := 0
	for _, c := range r.allCounts() {
		sum += int(c.Failures)
	}
	return sum
}

// until repeats an invocation until it is as wanted, and returns that one. The first one usually is. A machine that is busy
// may take longer than a function waits for tags.
func (r *tagRig) until(wanted func(visit) bool, deliver func() visit) visit {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), settleTime)
	defer cancel()
	for {
		if v := deliver(); wanted(v) {
			return v
		}
		require.NoError(r.t, ctx.Err(), "it never comes to that")
	}
}

// untilTagged repeats an invocation until its lines have all their tags.
func (r *tagRig) untilTagged(deliver func() visit) visit {
	r.t.Helper()
	return r.until(func(v visit) bool { return v.untagged() == 0 }, deliver)
}

// usual delivers lines of the usual function.
func (r *tagRig) usual() visit {
	r.t.Helper()
	return r.deliver(stack.Account, ordersGroup, 20)
}

// share writes what another container knew of a kind of resources some time ago.
func (r *tagRig) share(kind string, at time.Time, tags map[string][]string) {
	r.t.Helper()
	type resource struct {
		At   int64    `json:"at"`
		Tags []string `json:"tags,omitempty"`
	}
	resources := map[string]resource{}
	for arn, list := range tags {
		resources[arn] = resource{at.Unix(), list}
	}
	body, err := json.Marshal(map[string]any{"schema": 1, "resources": resources})
	require.NoError(r.t, err)
	_, err = r.s3.PutObject(r.t.Context(), parkBucket, tagRoot+kind+".json", bytes.NewReader(body))
	require.NoError(r.t, err)
}

// shared reports whether containers share what is known of a resource.
func (r *tagRig) shared(kind, arn string) bool {
	r.t.Helper()
	return bytes.Contains(r.parked()[tagRoot+kind+".json"], []byte(`"`+arn+`"`))
}

// audit ends the function: every line has arrived, no event was given twice, and nothing is parked.
func (r *tagRig) audit() *audit.Report {
	r.t.Helper()
	r.settle()
	report := r.rig.audit()
	assert.Equal(r.t, deliverable(r.lines), report.Delivered)
	assert.Zero(r.t, report.TotalDuplicates())
	for key := range r.parked() {
		assert.True(r.t, strings.HasPrefix(key, tagRoot) || strings.HasPrefix(key, parkRoot+"breaker/"), "%s is parked", key)
	}
	return report
}
