package forward

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/config"
)

// hubText is an event of Security Hub as EventBridge writes it, but in a stream.
const hubText = `{"version":"0","id":"7a1b","detail-type":"Security Hub Findings - Imported","source":"aws.securityhub","account":"123456789012",` +
	`"time":"2026-02-01T09:29:10Z","region":"eu-west-1","resources":[],"detail":{"findings":[{"Id":"f1"},{"Id":"f2"}]}}`

// Items are those of a destination of the type that takes them, by the same variables.
func TestTransformedItems(t *testing.T) {
	const day = 24 * time.Hour
	waf := strings.Replace(wafLine, `"a"`, `"arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/shop/0a1b"`, 1)
	trailRecord, flow := string(trail("0a1b")), string(flowPayload(flowText))
	for name, tc := range map[string]struct {
		form  config.Output
		env   string // NAME=value, separated by spaces
		text  string
		later time.Duration // of the clock of the items
		parts []string      // of the output; what stands behind a ! is not in it
	}{
		"a WAF log":                    {config.OutputDatadog, "", waf, 0, []string{`\"headers\":{\"Host\":\"a\"}`, `"ddsource":"waf"`}},
		"a WAF log of CloudWatch Logs": {config.OutputDatadog, "", string(flowPayload(waf)), 0, []string{`\"headers\":{\"Host\":\"a\"}`}},
		"a WAF log as it came":         {config.OutputDatadog, "SLUICE_RESHAPE=false", waf, 0, []string{`\"headers\":[{`}},
		"a WAF log in JSON":            {config.OutputJSON, "SLUICE_RESHAPE=true", waf, 0, []string{`\"headers\":[{`, `"attrs":{"webaclId"`}},
		"a WAF log as text":            {config.OutputMessage, "SLUICE_RESHAPE=true", waf, 0, []string{waf}},
		"findings in a stream":         {config.OutputDatadog, "", hubText, 0, []string{`\"Id\":\"f1\"},{\"Id\":\"f2\"`}},

		"attributes, usual":     {config.OutputJSON, "", flow, 0, []string{`"attrs":{"version":2`, `"srcaddr":"192.0.2.10"`}},
		"attributes, off":       {config.OutputJSON, "SLUICE_ATTRIBUTES=off", flow, 0, []string{flowText, `!"attrs"`}},
		"attributes, ECS":       {config.OutputJSON, "SLUICE_ATTRIBUTES=ecs", flow, 0, []string{`"source.ip":"192.0.2.10"`}},
		"attributes, otel":      {config.OutputJSON, "SLUICE_ATTRIBUTES=otel", flow, 0, []string{`"source.address":"192.0.2.10"`}},
		"attributes of Datadog": {config.OutputDatadog, "SLUICE_ATTRIBUTES=aws", flow, 0, []string{`"attrs":{"version":2`}},
		"Datadog, usual":        {config.OutputDatadog, "", flow, 0, []string{flowText, `!"attrs"`}},
		"attributes by the document": {
			config.OutputJSON, `SLUICE_ATTRIBUTES=off SLUICE_CONFIG={"firehose_items":{"attributes":"ecs"}}`, flow, 0, []string{`"source.ip":"192.0.2.10"`},
		},
		"attributes, but redacted": {
			config.OutputJSON, "SLUICE_REDACT_IP=true", flow, 0, []string{`"srcaddr":"xxx.xxx.xxx.xxx"`, "!192.0.2.10"},
		},
		"attributes of what was reshaped": {
			config.OutputDatadog, "SLUICE_ATTRIBUTES=aws", waf, 0, []string{`"attrs":{"webaclId"`, `"headers":{"Host":"a"}`},
		},
		"attributes of a text": {config.OutputMessage, "SLUICE_ATTRIBUTES=aws", flowText, 0, []string{flowText, "!attrs"}},

		"id, usual":       {config.OutputDatadog, "", flow, 0, []string{`"id":"00000000000000000000000000000000000000000000000000000000"`}},
		"id, short":       {config.OutputDatadog, "SLUICE_EVENT_ID=short", flow, 0, []string{`"id":"a7f69d3f387bc85c"`}},
		"id, none":        {config.OutputDatadog, "SLUICE_EVENT_ID=none", flow, 0, []string{`!"id":`}},
		"id of JSON":      {config.OutputJSON, "SLUICE_EVENT_ID=none", flow, 0, []string{`"id":"`}},
		"late, usual":     {config.OutputDatadog, "", flow, day, []string{`"event_time":1769938195000`, "late:true", `!"timestamp"`}},
		"late, sent":      {config.OutputDatadog, "SLUICE_LATE=send", flow, day, []string{`"timestamp":1769938195000`, "!late:true", `!"event_time"`}},
		"late, JSON":      {config.OutputJSON, "SLUICE_LATE=drop-date", flow, day, []string{`"time":"2026-02-01T09:29:55.000Z"`, "!late:true"}},
		"members":         {config.OutputDatadog, "", trailRecord, 0, []string{`"eventName":"AssumeRole"`, `!"message"`}},
		"members as text": {config.OutputDatadog, "SLUICE_STRUCTURED=message", trailRecord, 0, []string{`"message":"{\"eventVersion\"`}},
		"members of JSON": {config.OutputJSON, "SLUICE_STRUCTURED=fields", trailRecord, 0, []string{`"message":"{\"eventVersion\"`}},
	} {
		t.Run(name, func(t *testing.T) {
			env := config.Environ(strings.Fields(tc.env))
			env["SLUICE_FIREHOSE_OUTPUT"] = string(tc.form)
			r := newStreamRig(t, env)
			r.now = r.now.Add(tc.later)
			got, c := r.transformAll(t, putTexts(tc.text))
			require.Equal(t, []string{ok}, resultsOf(got))
			for _, part := range tc.parts {
				if not, is := strings.CutPrefix(part, "!"); is {
					assert.NotContains(t, got[0].text(), not)
					continue
				}
				assert.Contains(t, got[0].text(), part)
			}
			assert.Equal(t, strings.Count(got[0].text(), "\n"), c.Delivered)
		})
	}
}

// Whatever the settings, the items of the transformation are those that a destination of the same type gets of the same
// records: there is one way to make them.
func TestTransformedLikeDestinations(t *testing.T) {
	_, records := kinds(t)
	for _, env := range []string{
		"", "SLUICE_ATTRIBUTES=off", "SLUICE_ATTRIBUTES=aws", "SLUICE_ATTRIBUTES=ecs", "SLUICE_EVENT_ID=short", "SLUICE_EVENT_ID=none",
		"SLUICE_LATE=send", "SLUICE_STRUCTURED=message", "SLUICE_RESHAPE=false", "SLUICE_REDACT_IP=true SLUICE_ATTRIBUTES=otel",
	} {
		for form, destination := range map[config.Output]string{
			config.OutputDatadog: `{id: datadog, type: datadog, api_key: "plain:` + apiKey + `"}`,
			config.OutputJSON:    `{id: archive, type: http, url: "https://logs.example.com/ingest"}`,
		} {
			for _, later := range []time.Duration{0, 24 * time.Hour} {
				t.Run(env+", "+string(form)+", "+later.String(), func(t *testing.T) {
					vars := config.Environ(strings.Fields(env))
					vars["SLUICE_FIREHOSE_OUTPUT"], vars["SLUICE_FIREHOSE_TEE"] = string(form), "true"
					vars["SLUICE_CONFIG"] = "destinations: [" + destination + "]"
					r := newStreamRig(t, vars)
					r.now = r.now.Add(later)
					got, _ := r.transformAll(t, records)
					var items []map[string]any
					for _, v := range got {
						items = append(items, itemsOf(t, v.text())...)
					}
					host := map[config.Output]string{config.OutputDatadog: datadogHost, config.OutputJSON: archiveHost}[form]
					require.NotEmpty(t, items)
					assert.Equal(t, r.intake.items(t, host), items)
				})
			}
		}
	}
}
