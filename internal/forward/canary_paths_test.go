package forward

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/config"
)

// birdPath is a way through what may become of a record before it is sent.
type birdPath struct {
	settings string // beside those that redact; they end in a comma or are empty
	handler  func(*Forwarder) Handler
	event    func(t *testing.T, r *rig) []byte
	shown    map[string]string // what an item of a destination has, which shows that the path was taken
	records  int               // for each destination
}

const (
	birdBalancer = "AWSLogs/123456789012/elasticloadbalancing/eu-west-1/2026/02/01/" +
		"123456789012_elasticloadbalancing_eu-west-1_app.edge.0123456789abcdef_20260201T0930Z_198.51.100.9_2c3d4e5f.log.gz"
	balancerLine = `https 2026-02-01T09:30:00.000001Z app/edge/0123456789abcdef ` + birdAddress + `:4711 10.0.0.1:8080 0.001 0.002 0.000 200 200 100 2000 ` +
		`"GET https://shop.example.com:443/?mail=` + birdEmail + `&card-` + birdCard + ` HTTP/2.0" "agent password=` + birdPassword + `" ` +
		`TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/0f1e2d3c4b5a6978 ` +
		`"Root=1-65b00000-0123456789abcdef01234567" "shop.example.com" "-" 0 2026-02-01T09:29:59.000001Z "waf,forward" "-" "-" "10.0.0.1:8080" "200" "-" "-"`
	apacheLine = birdAddress + ` - - [01/Feb/2026:09:30:00 +0000] "GET /card-` + birdCard + `?` + birdEmail + ` password=` + birdPassword + ` HTTP/1.1" 200 7`
	wafText    = `{"timestamp":1769938200000,"formatVersion":1,"webaclId":"arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/shop/1","action":"BLOCK",` +
		`"terminatingRuleId":"` + birds + `","ruleGroupList":[{"ruleGroupId":"` + birds + `","terminatingRule":{"ruleId":"` + hiddenBirds + `","action":"BLOCK"}}],` +
		`"rateBasedRuleList":[{"rateBasedRuleId":"r","rateBasedRuleName":"` + birds + `","limitKey":"IP"}],"nonTerminatingMatchingRules":[{"ruleId":"` + hiddenBirds + `"}],` +
		`"httpRequest":{"clientIp":"` + birdAddress + `","headers":[{"name":"` + birds + `","value":"` + birds + `"},{"name":"x","value":"` + hiddenBirds + `"}],"uri":"/"}}`
)

// logged is an event of CloudWatch Logs with lines of a log group.
func logged(group string, lines ...string) func(t *testing.T, _ *rig) []byte {
	return func(t *testing.T, _ *rig) []byte {
		t.Helper()
		return direct(packed(t, documentOf(t, "DATA_MESSAGE", group, lines...)))
	}
}

// stowed is the announcement of an object.
func stowed(key, body string) func(_ *testing.T, r *rig) []byte {
	return func(_ *testing.T, r *rig) []byte { return inQueue(native(r.s3.put(logBucket, key, []byte(body)))) }
}

// birdLogs are paths through the knowledge of logs: their members, their attributes, their other shape.
func birdLogs() map[string]birdPath {
	call := strings.ReplaceAll(trailCall("A"), `"alice"`, `"`+birds+`","hidden":"`+hiddenBirds+`"`)
	fields := `{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"shop","logStream":"main","subscriptionFilters":["s"],` +
		`"logEvents":[{"id":"1","timestamp":1769938200000,"message":"m","extractedFields":{"who":"` + birds + `","hidden":"` + hiddenBirds + `"}}]}`
	const requestID = "6234bffe-149a-b642-81ff-2e8e376d8aff"
	return map[string]birdPath{
		"CloudTrail in S3, members at the root": {
			"", S3, stowed(trailKey, `{"Records":[`+call+`]}`), map[string]string{"dd": `"userName":"xxx.xxx`, "dd-text": `"message":"{`, "lines-ecs": `"event.action":"A"`}, 1,
		},
		"CloudTrail in CloudWatch": {"", CloudWatch, logged("CloudTrail/logs", call), map[string]string{"array": `userName`}, 1},
		"flow log": {
			"", S3, stowed(flowKey, "version account-id interface-id srcaddr dstaddr note\n2 123456789012 eni-1 "+birdAddress+" 198.51.100.7 card-"+birdCard+"\n"),
			map[string]string{"dd-attrs": `"srcaddr":"xxx.`, "lines-ecs": `"source.`, "array-aws": `"note":`},
			1,
		},
		"load balancer": {"", S3, stowed(birdBalancer, balancerLine+"\n"), map[string]string{"dd-attrs": `"user_agent":"agent `, "array-aws": `"attrs":{`}, 1},
		"function, text": {
			"", CloudWatch, logged("/aws/lambda/orders", "2026-02-01T09:30:00.173Z\t"+requestID+"\tINFO\t"+birds, "2026-02-01T09:30:00.173Z\t"+requestID+"\tINFO\t"+`{"a":"`+hiddenBirds+`"}`),
			map[string]string{"dd-attrs": `"attrs":{`, "lines-otel": requestID},
			2,
		},
		"function, JSON": {
			"", CloudWatch, logged("/aws/lambda/orders", `{"timestamp":"2026-02-01T09:30:00.173Z","level":"INFO","message":{"a":"`+hiddenBirds+`","b":["`+birds+`"]}}`),
			map[string]string{"dd-attrs": `"attrs":{`},
			1,
		},
		"audit of a database": {
			"", CloudWatch, logged("/aws/rds/instance/mysql-1/audit", `20260201 09:30:00,ip-10-0-0-1,admin,`+birdAddress+`,123,457,QUERY,shop,'select \'`+birdEmail+`\', \'card-`+birdCard+`\' password=`+birdPassword+` x',0`),
			map[string]string{"dd-attrs": `"attrs":{`},
			1,
		},
		"WAF": {
			"", CloudWatch, logged("aws-waf-logs-shop", wafText), map[string]string{"dd": `\"headers\":{`, "dd-attrs": `\"headers\":{`, "array-aws": `"webaclId":`, "array": `\"headers\":[`}, 1,
		},
		"members beside the message": {
			"", CloudWatch, func(t *testing.T, _ *rig) []byte { t.Helper(); return direct(packed(t, []byte(fields))) },
			map[string]string{"dd": `"extractedFields":{"who":"xxx.`, "lines-ecs": `"extractedFields":{`},
			1,
		},
		"error of Firehose": {
			"", S3, stowed(undeliveredKey, strings.Replace(string(undelivered([]byte("m\nn"))), `"no"`, `"`+birds+` `+hiddenBirds+`"`, 1)),
			map[string]string{"dd": `"firehose":{`, "array": `"firehose":{`},
			2,
		},
	}
}

// birdSteps are paths through what settings may do with a record.
func birdSteps() map[string]birdPath {
	agent := func(options string) string { return "agent: {dataProcessingOptions: [" + options + "]}," }
	agentRoute := func(options string) string {
		return `routes: [{log_group: shop, ` + strings.TrimSuffix(agent(options), ",") + `}],`
	}
	const start = "multiline_start: '\\d{4}-', "
	twoParts := []string{"2026-01 secret-begin " + birds, "\tpassword=" + birdPassword, "secret-end", "2026-02 neighbour"}
	return map[string]birdPath{
		"LOGTOJSON": {
			agent("{optionName: LOGTOJSON, logFormat: COMMONAPACHELOG}"), CloudWatch, logged("shop", apacheLine),
			map[string]string{"dd": `\"host\":\"xxx.xxx.xxx.xxx\"`},
			1,
		},
		"LOGTOJSON, no match": {
			agent("{optionName: LOGTOJSON, logFormat: COMMONAPACHELOG}"), CloudWatch, logged("shop", birds, `{"a":"`+hiddenBirds+`"}`), map[string]string{"dd": `agent_raw`}, 2,
		},
		"LOGTOJSON in a route": {
			agentRoute("{optionName: LOGTOJSON, logFormat: COMMONAPACHELOG}"), CloudWatch, logged("shop", apacheLine), map[string]string{"dd": `\"host\":\"xxx.xxx.xxx.xxx\"`}, 1,
		},
		"CSVTOJSON": {
			agent("{optionName: CSVTOJSON, customFieldNames: [a, b]}, {optionName: ADDMETADATA, metadata: {who: '" + birds + "'}}"), CloudWatch, logged("shop", birds+","+birds),
			map[string]string{"array": `\"a\":\"xxx.`},
			1,
		},
		"expansion": {
			"expand: detail.items,", CloudWatch, logged("shop", `{"detail":{"items":[{"a":"`+birds+`"},"`+hiddenBirds+`",{"n":1.50},["`+birds+`"]]}}`),
			map[string]string{"dd": `"message":"{\"n\":1.50}"`},
			4,
		},
		"several lines of CloudWatch": {start + "multiline_events: true,", CloudWatch, logged("shop", twoParts...), map[string]string{"array": `"message":"2026-02 neighbour"`}, 2},
		"several lines of an object":  {start, S3, stowed("a.log", strings.Join(twoParts, "\n")), map[string]string{"array": `"message":"2026-02 neighbour"`}, 2},
		"severity":                    {"severity: true,", CloudWatch, logged("shop", "ERROR "+birds), map[string]string{"dd": `"status":"error"`}, 1},
		"tags of the message": {
			`tag_rules: {rename: {client: who}},`, CloudWatch, logged("shop", `{"ddtags":"client:`+birdAddress+`,service:`+birdEmail+`,x:card-`+birdCard+`"}`), map[string]string{"dd": `who:xxx.xxx`}, 1,
		},
	}
}

// What is to be redacted is nowhere, whatever is made of a record, and whether destinations take it or it is parked.
func TestCanaryOfPaths(t *testing.T) {
	paths := birdLogs()
	maps.Copy(paths, birdSteps())
	for name, path := range paths {
		for which, rules := range birdRules {
			if strings.Contains(rules, "routes:") && (strings.Contains(path.settings, "routes:") || strings.Contains(path.settings, "multiline_start:")) {
				continue // a document has routes once, and one without multiline_start joins nothing
			}
			for fate, answer := range map[string]func(received) int{"taken": nil, "down": always503} {
				t.Run(name+", "+which+", "+fate, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						untilStart()
						r := newRig(t, aviary(rules, path.settings)).ticking()
						r.intake.answer = answer
						_, ledger, err := r.invoke(t, path.handler, path.event(t, r))
						require.NoError(t, err)
						assert.NotEmpty(t, r.redactions(t))
						r.checkNoBird(t)
						r.sendAgain(t)
						r.checkNoBird(t)
						r.checkPath(t, ledger, path, which != greedy) // of a line that is cut, little is left to show
					})
				})
			}
		}
	}
}

// checkPath checks that records went the path.
func (r *rig) checkPath(t *testing.T, ledger statement, path birdPath, shows bool) {
	t.Helper()
	for _, id := range aviaryIDs {
		c := ledger.Destinations[id]
		assert.Equal(t, path.records, c.In-sum(c.Dropped), id)
		items := r.birdItems(t, id, false)
		assert.Len(t, items, path.records, id)
		if shown := path.shown[id]; shows {
			assert.Contains(t, string(bytes.Join(items, []byte("\n"))), shown, id)
		}
	}
}

// A pattern that reaches over lines finds its end in the record that they are joined to.
func TestCanaryOverLines(t *testing.T) {
	rules := `redact: [{name: secret, pattern: '(?s)secret-begin.*?secret-end', replacement: '[gone]'}], multiline_start: '\d{4}-', multiline_events: true,`
	lines := []string{"2026-01 secret-begin", "\t" + birds, "secret-end.", "2026-02 neighbour"}
	ways := birdWays()
	for _, name := range []string{
		"CloudWatch", "Kinesis, a payload of CloudWatch", "S3 by a queue", "S3 by EventBridge", "S3 by a topic", "S3 by a batch job", "S3, what Firehose could not deliver",
	} {
		w := ways[name]
		t.Run(name, func(t *testing.T) {
			r := newRig(t, aviary(strings.TrimSuffix(rules, ","), ""))
			_, _, err := r.invoke(t, w.handler, w.event(t, r, lines))
			require.NoError(t, err)
			r.checkNoBird(t)
			for _, id := range aviaryIDs {
				assert.Equal(t, []string{"2026-01 [gone].", "2026-02 neighbour"}, birdMessages(t, r.birdItems(t, id, false)), id)
			}
			assert.Equal(t, map[string]int{"secret": 1}, r.redactions(t))
		})
	}
}

// What comes back into a delivery stream is redacted in every form, and so is what goes to destinations beside it.
func TestCanaryOfTransformations(t *testing.T) {
	lines := strings.Join(birdLines(), "\n")
	for _, form := range []config.Output{config.OutputDatadog, config.OutputJSON, config.OutputMessage} {
		for which, rules := range birdRules {
			for _, tee := range []bool{false, true} {
				t.Run(fmt.Sprint(form, ", ", which, ", tee ", tee), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						untilStart()
						env := map[string]string{"SLUICE_FIREHOSE_OUTPUT": string(form), "SLUICE_CONFIG": "{" + rules + "}"}
						if tee {
							env["SLUICE_FIREHOSE_TEE"], env["SLUICE_CONFIG"] = "true", aviary(rules, "")
						}
						r := newStreamRig(t, env)
						r.intake.answer = always503
						answer, ledger, err := r.invoke(t, Firehose, transformationOf("", putTexts(lines, string(documentOf(t, "DATA_MESSAGE", "shop", birdLines()...)))))
						require.NoError(t, err)
						checkTransformed(t, form, answer)
						assert.Equal(t, tally{"redacted": 2 * (len(birdLines()) - len(birdNeighbours()))}, ledger.Destinations[streamAccount].Marked)
						assert.Equal(t, birdRuleNames, slices.Sorted(maps.Keys(r.redactions(t))))
						r.checkNoBird(t)
						if tee {
							assert.Equal(t, 2*len(birdLines()), sum(ledger.Destinations["dd-attrs"].Parked))
							r.sendAgain(t)
							r.checkNoBird(t)
						}
					})
				})
			}
		}
	}
}

// checkTransformed checks the lines of an answer of two records.
func checkTransformed(t *testing.T, form config.Output, answer string) {
	t.Helper()
	all := verdicts(t, answer)
	require.Len(t, all, 2)
	for _, v := range all {
		lines := strings.Split(strings.TrimSuffix(v.text(), "\n"), "\n")
		require.Len(t, lines, len(birdLines()))
		assert.False(t, holdsBird(v.text()), v.text())
		for _, line := range lines {
			assert.True(t, form == config.OutputMessage || json.Valid([]byte(line)), line)
		}
		for _, neighbour := range birdNeighbours() {
			assert.Contains(t, v.text(), map[bool]string{true: neighbour, false: strings.Trim(quoted(neighbour), `"`)}[form == config.OutputMessage])
		}
	}
}

// Input that cannot be read is kept as it came, which is said where it is switched on; and it stands nowhere else.
func TestCanaryOfDeadRaw(t *testing.T) {
	cut := stored(t, document(t, birdLines()...))
	cut = cut[:len(cut)-20]
	r := newRig(t, aviary(birdRules["all at the top"], ""))
	_, _, err := r.invoke(t, Kinesis, batchOf([]byte(birds), cut))
	require.NoError(t, err)
	kept := r.rawBelow(t, "")
	require.Len(t, kept, 1)
	assert.True(t, holdsBird(string(kept[0].Payload)))
	key := r.s3.keysBelow("sluice/v1/dead-raw/")[0]
	delete(r.s3.objects, parkBucket+"/"+key)
	r.checkNoBird(t)
	assert.False(t, holdsBird(base64.StdEncoding.EncodeToString([]byte(kept[0].Reason.Message))))
	assert.False(t, holdsBird(kept[0].Reason.Message))
}

// What a Datadog Forwarder has stored was encoded by it, and may never have been redacted. The rules of all routes hold for it.
func TestCanaryOfFailedEvents(t *testing.T) {
	for which := range birdRules {
		t.Run(which, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				r := newRig(t, aviary(birdRules[which], "")).ticking()
				var stored []string
				for _, line := range birdLines() {
					stored = append(stored, fmt.Sprintf(`{"message":%s,"ddtags":"client:%s","who":["%s"],"n":1.50}`, quoted(line), hiddenBirds, birds))
				}
				body, err := json.Marshal(stored)
				require.NoError(t, err)
				r.s3.put(logBucket, "failed_events/0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33/logs/1769938200.5", body)
				_, ledger, err := r.invoke(t, Replay, []byte(`{"replay":{"state":"failed-events","from":"s3://`+logBucket+`/failed_events/","dry_run":false}}`))
				require.NoError(t, err)
				assert.Equal(t, len(stored), ledger.Destinations["dd"].Delivered)
				assert.Equal(t, birdRuleNames, slices.Sorted(maps.Keys(r.redactions(t))))
				r.checkNoBird(t)
				messages := birdMessages(t, r.birdItems(t, "dd", false))
				assert.Subset(t, messages, birdNeighbours())
			})
		})
	}
}
