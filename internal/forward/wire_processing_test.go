package forward

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/process/redact"
)

// processingRows show what the settings do that decide what becomes of a record.
func processingRows() map[string]wired {
	const converts = `agent: {dataProcessingOptions: [{optionName: CSVTOJSON, customFieldNames: [a, b]}]}`
	levels := []string{`{"level":"error","n":1}`, `{"level":"info","n":2}`}
	steps := []string{"start", " one", "start"}
	return map[string]wired{
		"include where":   {"IncludeWhere", with(`include_where: [{attribute: level, matches: err}]`, httpWith("")), become(levels, levels[0])},
		"exclude where":   {"ExcludeWhere", with(`exclude_where: [{attribute: level, matches: err}]`, httpWith("")), become(levels, levels[1])},
		"sample":          {"Sample", with(`sample: 0.000001`, httpWith("")), become(levels)},
		"sample, usual":   {"", httpWith(""), become(levels, levels...)},
		"expand":          {"Processing Expand", with(`expand: a.b`, httpWith("")), become([]string{`{"a":{"b":[1.10,{"c":2}]}}`}, `1.10`, `{"c":2}`)},
		"agent":           {"Agent", with(converts, httpWith("")), become([]string{"1,2"}, `{"a":"1","b":"2"}`)},
		"severity":        {"Severity", with("severity: true", httpWith("")), items(levels[:1], `"severity":"error"`)},
		"severity, usual": {"", httpWith(""), items(levels[:1], `"message":`, `!"severity"`)},
		"status":          {"Severity", with("severity: true", datadogWith("")), items(levels[:1], `"status":"error"`)},
		"tag rules":       {"TagRules", with("tag_rules: {deny: [forwarder*]}, tags: [env:a]", datadogWith("")), items(levels[:1], `"ddtags":"env:a,aws_account`, "!forwarder_version")},
		"events":          {"MultilineEvents", with("multiline_start: start, multiline_events: true", httpWith("")), become(steps, "start\n one", "start")},
		"events, usual":   {"", with("multiline_start: start", httpWith("")), become(steps, steps...)},
		"events, a route": {"Routes", with("routes: [{log_group: '*', multiline_start: start}]", httpWith("")), become(steps, "start\n one", "start")},
		"route drops":     {"Routes", with("routes: [{from_source: cloudwatch, drop: true}]", httpWith("")), become(steps)},
		"route, tags":     {"Routes", with("routes: [{owner: '~^1234', tags: [a:b], service: shop, host: h, source: s}]", datadogWith("")), items(steps, `"service":"shop"`, `"host":"h"`, `"ddsource":"s"`, "a:b")},
		"route, columns":  {"Routes", with("routes: [{log_group: '*', log: vpc-flow, columns: 'srcaddr dstaddr, vpc-id'}]", httpWith("")), items([]string{"192.0.2.7 - vpc-0a"}, `"attrs":{"srcaddr":"192.0.2.7","vpc-id":"vpc-0a"}`)},
		"real-time log":   {"Routes", with("routes: [{log_group: '*', log: cloudfront-realtime, columns: 'timestamp c-ip sc-status'}]", httpWith("")), items([]string{"1769938200.123\t192.0.2.7\t200"}, `"sc-status":200`)},
		"reshaped":        {"Datadog.Reshape", datadogWith(""), items([]string{wafLine}, `\"headers\":{\"Host\":\"a\"}`)},
		"not reshaped":    {"Datadog.Reshape", datadogWith("reshape: false"), items([]string{wafLine}, `\"headers\":[{`)},
		"tags of groups":  {"ResourceTags", with("fetch_log_group_tags: true", httpWith("")), asksForTags("ListTagsForResource")},
		"tags, usual":     {"", httpWith(""), func(t *testing.T, r *rig) { t.Helper(); assert.Nil(t, r.tags) }},

		"attributes":                {"Destination.Attributes", httpWith(""), items(levels[:1], `"attrs":{"level":"error","n":1}`)},
		"attributes, off":           {"Destination.Attributes", httpWith("attributes: off"), items(levels[:1], `!"attrs"`)},
		"attributes, Datadog":       {"Destination.Attributes", datadogWith("attributes: aws"), items(levels[:1], `"attrs":{"level":"error","n":1}`)},
		"attributes, Datadog usual": {"", datadogWith(""), items(levels[:1], `!"attrs"`)},
		"attributes, ECS":           {"Destination.Attributes", httpWith("attributes: ecs"), flows(`"source.ip":"192.0.2.7"`)},
		"attributes, OpenTelemetry": {"Destination.Attributes", httpWith("attributes: otel"), flows(`"source.address":"192.0.2.7"`)},
	}
}

const wafLine = `{"webaclId":"a","httpRequest":{"headers":[{"name":"Host","value":"a"}]}}`

// items makes a check of parts of the items that lines become; what stands behind a ! is not in them.
func items(lines []string, parts ...string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		_, _, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, lines...))))
		require.NoError(t, err)
		for _, part := range parts {
			if not, is := strings.CutPrefix(part, "!"); is {
				assert.NotContains(t, string(r.intake.got[0].body), not)
				continue
			}
			assert.Contains(t, string(r.intake.got[0].body), part)
		}
	}
}

// flows is items of a line of a VPC flow log.
func flows(parts ...string) func(*testing.T, *rig) {
	return items([]string{"2 123456789012 eni-0abc 192.0.2.7 198.51.100.9 443 49152 6 10 840 1769938200 1769938260 ACCEPT OK"}, parts...)
}

// asksForTags makes a check that AWS is asked for tags, which these tests' AWS does not know.
func asksForTags(operation string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		_, _, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, "x"))))
		require.NoError(t, err)
		assert.Equal(t, []string{"x"}, r.intake.messages(t, archiveHost))
		assert.ErrorContains(t, r.tags.Trouble(), operation)
	}
}

// A record goes to the destinations of its route, and is accounted for at the others.
func TestRouteToDestinations(t *testing.T) {
	r := newRig(t, twoHTTP(`routes: [{log_group: "*", from_source: cloudwatch, destinations: [b]}], `))
	_, ledger, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, "x", "y"))))
	require.NoError(t, err)
	assert.Empty(t, r.intake.messages(t, "a.example.com"))
	assert.Equal(t, []string{"x", "y"}, r.intake.messages(t, "b.example.com"))
	assert.Equal(t, map[string]int{"route_elsewhere": 2}, ledger.Destinations["a"].Dropped)
	assert.Equal(t, 2, ledger.Destinations["a"].In)
}

// Each record of a stream is looked at: others than those of its first log have other sources.
func TestStreamOfSeveralLogs(t *testing.T) {
	r := newRig(t, httpWith(""))
	_, _, err := r.invoke(t, Kinesis, batchOf([]byte("x"), []byte(`{"webaclId":"a","httpRequest":{}}`), []byte("y\nz")))
	require.NoError(t, err)
	var sources []string
	for _, item := range r.intake.items(t, archiveHost) {
		sources = append(sources, item["source"].(string))
	}
	assert.Equal(t, []string{"kinesis", "waf", "kinesis", "kinesis"}, sources)
}

// Routes without redaction of their own share that of the top: compiling it costs milliseconds for each rule.
func TestRoutesShareRedaction(t *testing.T) {
	r := newRig(t, with(`redact: [{name: a, pattern: a}], routes: [{owner: "1*", tags: [a:b]}, {owner: "2*", redact: [{name: b, pattern: b}]}]`, httpWith("")))
	require.NotNil(t, r.rules.Redact)
	assert.Same(t, r.rules.Redact, r.rules.Routes[0].Redact)
	assert.NotSame(t, r.rules.Redact, r.rules.Routes[1].Redact)
}

// TestRulesOfOneName: two routes may have different rules of one name, however long it is.
func TestRulesOfOneName(t *testing.T) {
	name := strings.Repeat("n", 64)
	route := func(owner, pattern string) string {
		return `{owner: "` + owner + `*", redact: [{name: ` + name + `, pattern: ` + pattern + `, replacement: x}]}`
	}
	r := newRig(t, with("routes: ["+route("1", "aa")+", "+route("2", "bb")+", "+route("3", "cc")+"]", httpWith("")))
	all, hits := redact.New(r.rules.RedactAll).AppendText(nil, []byte("aa bb cc"))
	assert.Equal(t, "x x x", string(all))
	assert.Equal(t, 3, hits)
}

// A route goes by the finer name of a source, whatever name is sent.
func TestRouteByTheFinerName(t *testing.T) {
	r := newRig(t, with(`source_names: datadog-forwarder, routes: [{from_source: elb, tags: [balancer:yes]}, {from_source: postgresql, tags: [db:yes]}]`, datadogWith("")))
	line := "https 2026-02-01T09:30:00.000000Z app/shop/50dc6c495c0c9188 192.0.2.7:2817 - 0 0 0 200 200 34 366 \"GET https://a:443/ HTTP/1.1\" \"a\" - -\n"
	for range 2 {
		_, _, err := r.invoke(t, S3, []byte(native(r.s3.put(logBucket, "AWSLogs/123456789012/elasticloadbalancing/eu-west-1/2026/02/01/123456789012_elasticloadbalancing_eu-west-1_app.shop.50dc6c495c0c9188_20260201T0930Z_192.0.2.2_4dsz0002.log", []byte(line)))))
		require.NoError(t, err)
	}
	_, _, err := r.invoke(t, CloudWatch, direct(packed(t, documentOf(t, "DATA_MESSAGE", "/aws/rds/instance/shop/postgresql", "x"))))
	require.NoError(t, err)
	items := r.intake.items(t, datadogHost)
	require.Len(t, items, 3)
	for _, item := range items[:2] {
		assert.Equal(t, "s3", item["ddsource"])
		assert.Contains(t, item["ddtags"], "balancer:yes")
	}
	assert.Equal(t, "cloudwatch", items[2]["ddsource"])
	assert.Contains(t, items[2]["ddtags"], "db:yes")
}

// Header lines are those of an object, not of each failed record in it, nor of each record of a delivery stream.
func TestSkippedHeaderIsOfTheObject(t *testing.T) {
	r := newRig(t, with("agent: {skipHeaderLines: 1}", httpWith("")))
	var body []byte
	for i := range 3 {
		data := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "line %d\n", i))
		body = fmt.Appendf(body, `{"attemptsMade":1,"arrivalTimestamp":1769938200123,"errorCode":"x","rawData":%q}`+"\n", data)
	}
	o := r.s3.put(logBucket, "errors/processing-failed/2026/02/01/09/shop-1-2026-02-01-09-30-00-11111111-2222-4333-8444-555555555555", body)
	_, _, err := r.invoke(t, S3, inQueue(native(o)))
	require.NoError(t, err)
	assert.Equal(t, []string{"line 0", "line 1", "line 2"}, r.intake.messages(t, archiveHost))

	s := newStreamRig(t, map[string]string{
		"SLUICE_FIREHOSE_OUTPUT": "message", "SLUICE_CONFIG": "routes: [{stream: '*', agent: {skipHeaderLines: 1}}]",
	})
	answer, _, err := s.invoke(t, Firehose, transformationOf("", putTexts("line 0", "line 1\nline 2")))
	require.NoError(t, err)
	for _, v := range verdicts(t, answer) {
		assert.Equal(t, "Ok", v.Result)
	}
}

// Attributes are left out before a text is cut for them.
func TestAttributesAreNoReasonToCut(t *testing.T) {
	with, without := newRig(t, httpWith("max_body_bytes: 2kB")), newRig(t, httpWith("max_body_bytes: 2kB, attributes: off"))
	cut := 0
	for n := 1000; n < 2000; n++ {
		message := `{"a":1` + strings.Repeat(" ", n) + `}` // whose attributes are as long whatever n is
		var marked [2]tally
		for i, r := range []*rig{with, without} {
			_, ledger, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, message))))
			require.NoError(t, err)
			marked[i] = ledger.Destinations["archive"].Marked
		}
		assert.Equal(t, marked[1], marked[0], "%d bytes", n)
		cut += marked[1]["truncated"]
	}
	assert.Positive(t, cut, "some are too long in any case")
}

// What redaction has not seen is not decoded: %40 is no @ in an attribute.
func TestAttributesOfWhatIsRedacted(t *testing.T) {
	const key, header = "cf/E2EXAMPLE12345.2026-02-01-09.0a1b2c3d.gz", "#Fields: date time cs-uri-query\n"
	body := []byte(header + "2026-02-01\t09:30:00\tmail=john%40example.com\n")
	for rules, want := range map[string]string{
		"redact_email: false": `"cs-uri-query":"mail=john@example.com"`,
		"redact_email: true":  `"cs-uri-query":"mail=john%40example.com"`,
		"routes: [{bucket: other, redact: [{name: a, pattern: b}]}]": `"cs-uri-query":"mail=john%40example.com"`,
	} {
		r := newRig(t, with(rules, httpWith("")))
		_, _, err := r.invoke(t, S3, []byte(native(r.s3.put(logBucket, key, body))))
		require.NoError(t, err)
		assert.Contains(t, string(r.intake.got[0].body), want, rules)
	}
}
