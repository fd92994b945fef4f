package forward

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
	"sluice/internal/record"
)

// What is to be redacted wherever it stands. The last one is what a greedy pattern takes the rest of a text with.
const (
	birdAddress  = "192.0.2.77"
	birdAddress6 = "2001:db8::77"
	birdEmail    = "jane@example.com"
	birdCard     = "4111111111111111"
	birdPassword = "hunter2x4711"

	birds = birdAddress + " " + birdAddress6 + " " + birdEmail + " card-" + birdCard + " password=" + birdPassword
	// hiddenBirds are the same in JSON, as encoders may write them too.
	hiddenBirds = `192\u002e0\u002E2\u002e77 2001\u003adb8\u003A\u003a77 \u006aane\u0040example\u002ecom card\u002d` + birdCard + ` \u0070assword\u003d` + birdPassword
)

// pieces are what a canary must not leave behind, not even where a text is cut.
var pieces = []string{"192.0.2.", "2001:db8", "jane@", "hunter2", "4111111"}

// greedy is the name of rules one of which takes all that it can get.
const greedy = "a greedy pattern"

// birdRules are settings that redact all of it, by what they show.
var birdRules = map[string]string{
	"all at the top": `redact_ip: true, redact_email: true, redact: [
		{name: password, pattern: 'password=\S+', replacement: 'password=***'}, {name: card, pattern: 'card-\d{16}', replacement: '[card]'}]`,
	"some in a route": `redact_ip: true, redact_email: true, redact: [{name: password, pattern: 'password=\S+', replacement: 'password=***'}],
		routes: [{log_group: never, redact: [{name: never, pattern: never}]}, {tags: ["route:last"], redact: [{name: card, pattern: 'card-\d{16}', replacement: '[card]'}]}]`,
	greedy: `redact_ip: true, redact_email: true, redact: [{name: card, pattern: 'card-\d{16}', replacement: '[card]'}, {name: password, pattern: 'password=.*'}]`,
}

var birdRuleNames = []string{"card", "password", "redact_email", "redact_ip"}

// aviary is every form that destinations have, with a place for what they do not take. settings end in a comma or are empty.
func aviary(rules, settings string) string {
	return `{park_bucket: example-parked, ` + rules + `, ` + settings + ` destinations: [
		{id: dd, type: datadog, url: "https://dd.example.com", api_key: "plain:` + apiKey + `"},
		{id: dd-text, type: datadog, url: "https://dd-text.example.com", structured: message, api_key: "plain:` + apiKey + `"},
		{id: dd-attrs, type: datadog, url: "https://dd-attrs.example.com", attributes: aws, api_key: "plain:` + apiKey + `"},
		{id: array, type: http, url: "https://array.example.com/"},
		{id: array-aws, type: http, url: "https://array-aws.example.com/", attributes: aws},
		{id: lines-ecs, type: http, url: "https://lines-ecs.example.com/", format: json_lines, attributes: ecs},
		{id: lines-otel, type: http, url: "https://lines-otel.example.com/", format: json_lines, attributes: otel}]}`
}

var aviaryIDs = []string{"dd", "dd-text", "dd-attrs", "array", "array-aws", "lines-ecs", "lines-otel"}

// birdLines are lines with the canaries, in the forms that lines have, and neighbours that are to stay as they are.
func birdLines() []string {
	return []string{
		"neighbour before",
		"from " + birds,
		"neighbour between",
		`{"a":"` + birds + `","n":{"b":["` + birds + `",1.50]},"ddtags":"client:` + birds + `","kept":"neighbour"}`,
		`{"a":"` + hiddenBirds + `","kept":"neighbour"}`,
		`{"log":` + quoted(`{"b":"`+birds+`"}`) + `,"kept":"neighbour"}`,
		`{"log":` + quoted(`{"b":"`+hiddenBirds+`"}`) + `,"kept":"neighbour"}`,
		`INFO {"a":"` + hiddenBirds + `"}`,
		`{"cut":"` + hiddenBirds + ` and `,
		"\"quoted\"\t" + birds,
		`{"kept": "neighbour" , "n":1.0}`,
		"neighbour behind",
	}
}

// birdNeighbours are those of birdLines in which nothing is to be redacted.
func birdNeighbours() (lines []string) {
	for _, line := range birdLines() {
		if !holdsBird(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// holdsBird reports whether a text holds a canary or a piece of one, as it is or behind any number of escapes.
func holdsBird(text string) bool {
	for {
		if slices.ContainsFunc(pieces, func(piece string) bool { return strings.Contains(text, piece) }) {
			return true
		}
		plain := string(record.AppendUnescaped(nil, []byte(text)))
		if plain == text {
			return slices.ContainsFunc(birdForms, func(form string) bool { return strings.Contains(text, form) })
		}
		text = plain
	}
}

// birdForms are the canaries in hex, in base64, where each may start at any of three places, and in URLs.
var birdForms = func() (forms []string) {
	for _, bird := range []string{birdAddress, birdAddress6, birdEmail, birdCard, birdPassword} {
		digits := hex.EncodeToString([]byte(bird))
		forms = append(forms, digits, strings.ToUpper(digits))
		if escaped := url.QueryEscape(bird); escaped != bird {
			forms = append(forms, escaped)
		}
		for _, coding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			for shift := range 3 {
				text := coding.EncodeToString(append(make([]byte, shift), bird...))
				forms = append(forms, text[(shift*8+5)/6:(shift+len(bird))*8/6])
			}
		}
	}
	return forms
}()

// checkNoBird looks for canaries in what left an invocation: requests, what is parked, messages to queues, and what we say.
func (r *rig) checkNoBird(t *testing.T) {
	t.Helper()
	said := r.said(t) + strings.Join(r.sqs.sent, "\n")
	for line := range strings.SplitSeq(said, "\n") {
		if holdsBird(line) {
			assert.Fail(t, "a canary has left", "%.300s", line)
			return
		}
	}
}

// birdItems are the items of the requests that a destination has accepted, or was asked to when all is true. Each is JSON.
func (r *rig) birdItems(t *testing.T, id string, all bool) (items [][]byte) {
	t.Helper()
	for _, got := range r.intake.got {
		if !strings.HasPrefix(got.url, "https://"+id+".example.com/") || !all && got.status/100 != 2 {
			continue
		}
		texts := strings.Split(strings.TrimSuffix(string(got.body), "\n"), "\n")
		if bytes.HasPrefix(got.body, []byte("[")) {
			texts = itemTexts(t, got.body)
		}
		for _, text := range texts {
			require.True(t, json.Valid([]byte(text)), "%s: %s", id, text)
			items = append(items, []byte(text))
		}
	}
	return items
}

// birdMessages are the messages of items. One that came as JSON is JSON.
func birdMessages(t *testing.T, items [][]byte) (messages []string) {
	t.Helper()
	for _, item := range items {
		message := messageOf(t, item)
		if strings.HasPrefix(message, "{") && !strings.HasPrefix(message, `{"cut"`) {
			assert.True(t, json.Valid([]byte(message)), message)
		}
		messages = append(messages, message)
	}
	return messages
}

// checkNeighbours checks that every destination was given each neighbour as it came, and as many items as there are lines.
func (r *rig) checkNeighbours(t *testing.T) {
	t.Helper()
	for _, id := range aviaryIDs {
		messages := birdMessages(t, r.birdItems(t, id, false))
		assert.Len(t, messages, len(birdLines()), id)
		for _, neighbour := range birdNeighbours() {
			assert.Contains(t, messages, neighbour, id)
		}
		untouched := 0
		for _, item := range r.birdItems(t, id, false) {
			if !bytes.Contains(item, []byte("redacted")) {
				untouched++
			}
		}
		assert.Equal(t, len(birdNeighbours()), untouched, "%s: items that are not marked", id)
	}
}

// redactions are the counts of the line of an invocation.
func (r *rig) redactions(t *testing.T) (counts map[string]int) {
	t.Helper()
	for line := range strings.Lines(r.out.String()) {
		var said struct{ Redactions map[string]int }
		require.NoError(t, json.Unmarshal([]byte(line), &said))
		if said.Redactions != nil {
			counts = said.Redactions
		}
	}
	return counts
}

// birdWay is a way for lines into the account's own logs.
type birdWay struct {
	handler func(*Forwarder) Handler
	event   func(t *testing.T, r *rig, lines []string) []byte
}

// eachOf makes each line a record.
func eachOf(lines []string) (records [][]byte) {
	for _, line := range lines {
		records = append(records, []byte(line))
	}
	return records
}

// birdWays are all ways that lines may come.
func birdWays() map[string]birdWay {
	object := func(r *rig, lines []string) *s3Object { return r.s3.lines("app/a b.log", lines...) }
	return map[string]birdWay{
		"CloudWatch": {CloudWatch, func(t *testing.T, _ *rig, lines []string) []byte {
			t.Helper()
			return direct(packed(t, document(t, lines...)))
		}},
		"Kinesis, a payload of CloudWatch": {Kinesis, func(t *testing.T, _ *rig, lines []string) []byte {
			t.Helper()
			return batchOf(packed(t, document(t, lines...)))
		}},
		"Kinesis, lines":        {Kinesis, func(_ *testing.T, _ *rig, lines []string) []byte { return batchOf(eachOf(lines)...) }},
		"Kinesis, an aggregate": {Kinesis, func(_ *testing.T, _ *rig, lines []string) []byte { return batchOf(aggregate(eachOf(lines)...)) }},
		"S3 by a queue":         {S3, func(_ *testing.T, r *rig, lines []string) []byte { return inQueue(native(object(r, lines))) }},
		"S3 by EventBridge":     {S3, func(_ *testing.T, r *rig, lines []string) []byte { return []byte(bridged(object(r, lines))) }},
		"S3 by a topic":         {S3, func(_ *testing.T, r *rig, lines []string) []byte { return []byte(topic(native(object(r, lines)))) }},
		"S3 by a batch job":     {S3, func(_ *testing.T, r *rig, lines []string) []byte { return batchJob("2.0", object(r, lines)) }},
		"S3, payloads of CloudWatch": {S3, func(t *testing.T, r *rig, lines []string) []byte {
			t.Helper()
			return inQueue(native(r.s3.put(logBucket, "app/payloads.gz", packed(t, document(t, lines...)))))
		}},
		"S3, what Firehose could not deliver": {S3, func(_ *testing.T, r *rig, lines []string) []byte {
			return inQueue(native(r.s3.put(logBucket, undeliveredKey, undelivered([]byte(strings.Join(lines, "\n"))))))
		}},
	}
}

const undeliveredKey = "errors/http-endpoint-failed/2026/02/01/09/app-logs-3-2026-02-01-09-30-00-11111111-2222-4333-8444-555555555555"

// undelivered is what Firehose keeps of a record that its destination did not take.
func undelivered(data []byte) []byte {
	return fmt.Appendf(nil, `{"attemptsMade":1,"arrivalTimestamp":1769938200123,"errorCode":"x","errorMessage":"no",`+
		`"attemptEndingTimestamp":1769938200123,"rawData":%q}`, base64.StdEncoding.EncodeToString(data))
}

// parkedFor are the items that wait or are dead for a destination.
func (r *rig) parkedFor(t *testing.T, id string) (items [][]byte) {
	t.Helper()
	for _, state := range []park.State{park.Pending, park.Dead} {
		for _, o := range r.shelved(t, state, id) {
			items = append(items, o.Items...)
		}
	}
	return items
}
