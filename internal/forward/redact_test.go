package forward

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/config"
)

// removed is what each kind of rule is to keep in the account: a text that stands in lines.
var removed = map[string]struct{ settings, text string }{
	"addresses": {"redact_ip: true", "192.0.2.77"},
	"e-mail":    {"redact_email: true", "jane@example.com"},
	"pattern":   {`redact: [{name: token, pattern: 't0ken-\w+', replacement: '[gone]'}]`, "t0ken-4711"},
}

// allRemoved are the texts of removed in one line.
const allRemoved = "192.0.2.77 jane@example.com t0ken-4711"

// sensitive are lines with all the texts of removed, in the forms that lines have.
func sensitive() []string {
	return []string{
		"from " + allRemoved + " to nobody",
		`{"a":"` + allRemoved + `","b":["` + allRemoved + `"],"ddtags":"client:` + allRemoved + `"}`,
		`{"a":"192.0.2.77 jane\u0040example.com \u00740ken-4711"}`,
		"\"quoted\"\t" + allRemoved,
		"nothing in here",
	}
}

// said is everything that leaves an invocation: bodies, what is parked, and what we say.
func (r *rig) said(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, got := range r.intake.got {
		fmt.Fprintf(&b, "%s %v\n%s\n", got.url, got.header, got.body)
	}
	for _, key := range r.s3.keysBelow("") {
		o := r.s3.objects[parkBucket+"/"+key]
		body := o.body
		if strings.HasSuffix(key, ".gz") {
			gz, err := gzip.NewReader(bytes.NewReader(body))
			require.NoError(t, err, key)
			body, err = io.ReadAll(gz)
			require.NoError(t, err)
		}
		fmt.Fprintf(&b, "%s %s\n%s\n", key, o.tag, body)
	}
	return b.String() + r.out.String() + r.log.String()
}

// checkRemoved looks for what was to be removed, also as an escape may hide it. What no rule is for has to be there.
func checkRemoved(t *testing.T, rule, said string) {
	t.Helper()
	said = strings.NewReplacer(`\u0040`, "@", `\u0074`, "t").Replace(strings.ReplaceAll(said, `\\`, `\`))
	for name, r := range removed {
		if name == rule {
			assert.NotContains(t, said, r.text)
		} else {
			assert.Contains(t, said, r.text, "no rule is for it")
		}
	}
}

// What a rule is for is in nothing that leaves, whether the destinations take it or it is parked.
func TestRedactedEverywhere(t *testing.T) {
	for entry, w := range ways() {
		for rule, one := range removed {
			for state, answer := range map[string]func(received) int{"taken": nil, "parked": always503, "dead": func(received) int { return 400 }} {
				t.Run(entry+", "+rule+", "+state, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						untilStart()
						t.Helper()
						r := newRig(t, with(one.settings, keeping))
						r.intake.answer = answer
						lines := sensitive()
						_, ledger, err := r.invoke(t, w.handler, w.event(t, r, lines))
						require.NoError(t, err)
						for id, c := range ledger.Destinations {
							assert.Equal(t, len(lines), c.In, id)
							assert.Equal(t, answer == nil, c.Delivered == len(lines), id)
							assert.Equal(t, answer != nil, sum(c.Parked) == len(lines), id)
							assert.Equal(t, tally{"redacted": len(lines) - 1}, c.Marked, id)
						}
						checkRemoved(t, rule, r.said(t))
					})
				})
			}
		}
	}
}

// What stands beside a message is redacted too, and so is what is sent as members in its place.
func TestRedactedBesideTheMessage(t *testing.T) {
	fields := []byte(`{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"shop","logStream":"main","subscriptionFilters":["s"],` +
		`"logEvents":[{"id":"1","timestamp":1769938200000,"message":"m","extractedFields":{"who":"` + allRemoved + `"}}]}`)
	failed := []byte(`{"attemptsMade":1,"arrivalTimestamp":1769938200123,"errorCode":"x","errorMessage":"it says ` + allRemoved + `",` +
		`"attemptEndingTimestamp":1769938200123,"rawData":"` + base64.StdEncoding.EncodeToString([]byte("m\nn")) + `"}`)
	call := strings.Replace(trailCall("A"), `"alice"`, `"`+allRemoved+`"`, 1)
	const failedKey = "errors/http-endpoint-failed/2026/02/01/09/app-logs-3-2026-02-01-09-30-00-11111111-2222-4333-8444-555555555555"
	for rule, one := range removed {
		for name, send := range map[string]func(r *rig) error{
			"extracted fields": func(r *rig) error {
				_, _, err := r.invoke(t, CloudWatch, direct(packed(t, fields)))
				return err
			},
			"error of Firehose": func(r *rig) error {
				_, _, err := r.invoke(t, S3, []byte(native(r.s3.put(logBucket, failedKey, failed))))
				return err
			},
			"structured": func(r *rig) error {
				_, _, err := r.invoke(t, S3, []byte(native(r.s3.put(logBucket, trailKey, []byte(`{"Records":[`+call+`]}`)))))
				return err
			},
		} {
			t.Run(rule+", "+name, func(t *testing.T) {
				r := newRig(t, with(one.settings, both))
				require.NoError(t, send(r))
				require.Len(t, r.intake.got, 2)
				for _, got := range r.intake.got {
					assert.True(t, json.Valid(got.body))
					checkRemoved(t, rule, string(got.body))
				}
			})
		}
	}
}

// A pattern that takes all it can get stays within the value that it matches in.
func TestGreedyPattern(t *testing.T) {
	const greedy = `redact: [{name: password, pattern: 'password=.*'}]`
	r := newRig(t, with(greedy, both))
	_, _, err := r.invoke(t, CloudWatch, direct(packed(t, document(t,
		"first", "a password=b\" c", `{"a":"x password=b","c":{"d":"e"}}`, `{"password=":1,"c":"password=\"}"}`, `{"password=":{"a":1}}`, "last",
	))))
	require.NoError(t, err)
	want := []string{"first", "a ", `{"a":"x ","c":{"d":"e"}}`, `{"password=":"","c":""}`, `{"password=":{"a":1}}`, "last"}
	assert.Equal(t, want, r.intake.messages(t, archiveHost))
	assert.Equal(t, want, r.intake.messages(t, datadogHost))

	r = newRig(t, with(greedy, both))
	calls := strings.Replace(trailCall("A"), "alice", "password=x", 1) + "," + trailCall("B")
	_, _, err = r.invoke(t, S3, []byte(native(r.s3.put(logBucket, trailKey, []byte(`{"Records":[`+calls+`]}`)))))
	require.NoError(t, err)
	items := r.intake.items(t, datadogHost)
	require.Len(t, items, 2)
	assert.Equal(t, map[string]any{"type": "IAMUser", "userName": ""}, items[0]["userIdentity"])
	assert.Equal(t, []any{"A", "B"}, []any{items[0]["eventName"], items[1]["eventName"]})
	assert.Equal(t, map[string]any{"marks": []any{"redacted"}}, items[0]["sluice"])
	assert.NotContains(t, items[1], "sluice")
}

// Of what comes back into a delivery stream the same holds, whatever form it has.
func TestRedactedTransformation(t *testing.T) {
	for rule, one := range removed {
		for _, form := range []config.Output{config.OutputDatadog, config.OutputJSON, config.OutputMessage} {
			t.Run(rule+", "+string(form), func(t *testing.T) {
				r := newStreamRig(t, map[string]string{"SLUICE_FIREHOSE_OUTPUT": string(form), "SLUICE_EXCLUDE": "^nothing", "SLUICE_CONFIG": "{" + one.settings + "}"})
				data := base64.StdEncoding.EncodeToString([]byte(strings.Join(sensitive(), "\n")))
				answer, ledger, err := r.invoke(t, Firehose, []byte(`{"deliveryStreamArn":"`+shopStream+`","records":[{"recordId":"1","data":"`+data+`"}]}`))
				require.NoError(t, err)
				c := ledger.Destinations[streamAccount]
				assert.Equal(t, tally{"filter_exclude": 1}, c.Dropped)
				assert.Equal(t, tally{"redacted": 4}, c.Marked)
				var got struct{ Records []struct{ Data []byte } }
				require.NoError(t, json.Unmarshal([]byte(answer), &got))
				require.Len(t, got.Records, 1)
				assert.NotContains(t, string(got.Records[0].Data), "nothing in here")
				checkRemoved(t, rule, string(got.Records[0].Data)+r.said(t))
			})
		}
	}
}

// What a Datadog Forwarder has stored may never have been redacted.
func TestRedactedFailedEvents(t *testing.T) {
	for rule, one := range removed {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				untilStart()
				t.Helper()
				r := newRig(t, with(one.settings, keeping))
				var stored []string
				for _, line := range sensitive() {
					item, err := json.Marshal(map[string]string{"message": line, "ddtags": "client:" + strings.SplitN(line, "{", 2)[0]})
					require.NoError(t, err)
					stored = append(stored, string(item))
				}
				body, err := json.Marshal(stored)
				require.NoError(t, err)
				r.s3.put(logBucket, "failed_events/0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33/logs/1769938200.5", body)
				answer, ledger, err := r.invoke(t, Replay, []byte(`{"replay":{"state":"failed-events","from":"s3://`+logBucket+`/failed_events/","dry_run":false}}`))
				require.NoError(t, err)
				assert.Equal(t, len(stored), ledger.Destinations["datadog"].Delivered, answer)
				assert.Equal(t, tally{"redacted": len(stored) - 1}, ledger.Destinations["datadog"].Marked)
				require.Len(t, r.intake.got, 1)
				checkRemoved(t, rule, string(r.intake.got[0].body))
			})
		})
	}
}
