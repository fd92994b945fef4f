package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/envelope"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/notify"
)

// What the functions are to redact, as it is and as JSON may hide it. The password comes last: a greedy pattern takes what is
// behind it.
const (
	canaries       = `192.0.2.77 jane@example.com card-4111111111111111 password=hunter2x4711`
	hiddenCanaries = `192\u002e0\u002e2\u002e77 \u006aane\u0040example.com card\u002d4111111111111111 \u0070assword=hunter2x4711`

	canaryRules = `
redact_ip: true
redact_email: true
redact:
  - {name: card, pattern: 'card-\d{16}', replacement: '[card]'}
routes:
  - tags: [route:last]
    redact: [{name: password, pattern: 'password=.*'}]
`
	canaryDestinations = `
destinations:
  - {id: datadog, type: datadog, url: %[1]s, api_key: "env:DD_API_KEY", attributes: aws}
  - {id: array, type: http, url: %[2]s/array, attributes: ecs}
  - {id: lines, type: http, url: %[2]s/lines, format: json_lines, attributes: otel}
`
)

// canaryLines are lines with them, and neighbours that are to arrive as they are.
func canaryLines(t *testing.T) []string {
	t.Helper()
	nested, err := json.Marshal(`{"b":"` + hiddenCanaries + `"}`)
	require.NoError(t, err)
	return []string{
		"neighbour one", "from " + canaries, `{"a":"` + canaries + `","b":1.50}`, `{"a":"` + hiddenCanaries + `"}`, `{"log":` + string(nested) + `}`,
		`INFO {"a":"` + hiddenCanaries + `"}`, `{"kept": "neighbour two" , "n":1.0}`,
	}
}

// canaryRig is a function with all its surroundings, and functions/replay beside it.
type canaryRig struct {
	*s3Rig

	servers []*intake.Server // of the destinations
	replay  *stack.Function

	mu      sync.Mutex
	refuses int // the status of every answer; 0: they are taken
	texts   []string
	taken   map[string]int // messages that were taken, by their text
}

func newCanaryRig(t *testing.T, function string) *canaryRig {
	t.Helper()
	other, err := intake.StartHTTP()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, other.Close()) })
	first, err := intake.StartDatadog(oldKey)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, first.Close()) })
	document := canaryRules + fmt.Sprintf(canaryDestinations, first.URL(), other.URL())
	base := newTagRig(t, setup{function: function, env: map[string]string{
		"DD_URL": "", "SLUICE_CONFIG": document, "SLUICE_FETCH_LAMBDA_TAGS": "false", "SLUICE_FETCH_LOG_GROUP_TAGS": "false",
		"SLUICE_FETCH_S3_TAGS": "false", "SLUICE_FETCH_STEP_FUNCTIONS_TAGS": "false",
	}})
	r := &canaryRig{s3Rig: base.s3Rig, servers: []*intake.Server{first, other}, taken: map[string]int{}}
	for _, server := range r.servers {
		server.SetScript(intake.Always(intake.Step{Checks: []intake.Check{r.see}}))
	}
	binary, err := buildFunction("replay")
	require.NoError(t, err)
	env := r.s3.Env()
	env["DD_API_KEY"], env["SLUICE_CONFIG"], env["SLUICE_PARK_BUCKET"] = oldKey, document, parkBucket
	r.replay, err = stack.New(stack.Config{Binary: binary, Name: "sluice-replay", Timeout: invocationBudget, Env: env})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.replay.Close()) })
	return r
}

// see keeps what an intake is sent, taken or not.
func (r *canaryRig) see(c intake.Content) *intake.Answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = append(r.texts, string(c.Plain))
	if r.refuses != 0 {
		return intake.Refuse(r.refuses).Answer
	}
	for _, item := range itemsIn(c.Plain) {
		r.taken[item.Message]++
	}
	return nil
}

// sentItem is what counts here of an item.
type sentItem struct{ Message string }

// itemsIn are the items of a body; nil when it is not JSON.
func itemsIn(body []byte) (items []sentItem) {
	if bytes.HasPrefix(body, []byte("[")) {
		if json.Unmarshal(body, &items) != nil {
			return nil
		}
		return items
	}
	for line := range bytes.Lines(body) {
		var item sentItem
		if json.Unmarshal(line, &item) != nil {
			return nil
		}
		items = append(items, item)
	}
	return items
}

// deliver hands the lines to the function as its owner would.
func (r *canaryRig) deliver(function string, lines []string) {
	r.t.Helper()
	p := generate.Payload{ID: strings.Repeat("7", 56), Document: canaryDocument(r.t, lines)}
	switch function {
	case "cloudwatch":
		r.queueUp(p)
		r.drain()
	case "kinesis":
		require.NoError(r.t, r.mapping.Drain(r.t.Context(), []envelope.Record{p.Record(shard, time.Now())}))
	case "s3":
		o, err := r.s3.PutObject(r.t.Context(), logBucket, "app/a.log", strings.NewReader(strings.Join(lines, "\n")))
		require.NoError(r.t, err)
		_, err = r.objects.Send(notify.Native(o), "app/a.log")
		require.NoError(r.t, err)
		r.settle()
	}
}

// canaryDocument is a payload of CloudWatch Logs.
func canaryDocument(t *testing.T, lines []string) []byte {
	t.Helper()
	type event struct {
		ID        string `json:"id"`
		Timestamp int64  `json:"timestamp"`
		Message   string `json:"message"`
	}
	var events []event
	for i, line := range lines {
		events = append(events, event{fmt.Sprintf("%056d", i), time.Now().UnixMilli(), line})
	}
	document, err := json.Marshal(map[string]any{
		"messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": "shop", "logStream": "main",
		"subscriptionFilters": []string{"s"}, "logEvents": events,
	})
	require.NoError(t, err)
	return document
}

// What is to be redacted leaves no process: it is in no request, in no object of the park store and in nothing that is
// printed, whether the intakes take it, or refuse it and get it by functions/replay.
func TestCanaryNowhere(t *testing.T) {
	lines := canaryLines(t)
	for _, function := range []string{"cloudwatch", "kinesis", "s3"} {
		for fate, refuses := range map[string]int{"taken": 0, "no intake": http.StatusNotFound, "invalid": http.StatusBadRequest} {
			t.Run(function+", "+fate, func(t *testing.T) {
				r := newCanaryRig(t, function)
				r.refuses = refuses
				r.deliver(function, lines)
				parked := r.parkedTexts()
				assert.Equal(t, refuses != 0, slices.ContainsFunc(parked, func(text string) bool { return strings.Contains(text, "neighbour one") }))
				r.mu.Lock()
				r.refuses = 0
				r.mu.Unlock()
				for _, state := range []string{"pending", "dead"} {
					result, err := r.replay.Invoke(t.Context(), fmt.Appendf(nil, `{"replay":{"state":%q,"all":true,"dry_run":false}}`, state))
					require.NoError(t, err)
					require.Nil(t, result.Error)
					r.texts = append(r.texts, string(result.Response))
				}
				r.checkCanaries(append(parked, r.parkedTexts()...))
				for message, n := range r.taken {
					assert.Equal(t, 3, n, "each of the destinations has it once: %s", message)
				}
				assert.Len(t, r.taken, len(lines))
				assert.Contains(t, r.taken, lines[0])
				assert.Contains(t, r.taken, lines[len(lines)-1])
			})
		}
	}
}

// parkedTexts are the keys, the metadata and the plain bodies of what is in the park store.
func (r *canaryRig) parkedTexts() (texts []string) {
	r.t.Helper()
	for key, body := range r.parked() {
		if unpacked, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(unpacked)
			require.NoError(r.t, err)
		}
		metadata, err := r.s3.Metadata(r.t.Context(), parkBucket, key)
		require.NoError(r.t, err)
		texts = append(texts, fmt.Sprint(key, metadata, string(body)))
	}
	return texts
}

// checkCanaries looks for the canaries in all that is known.
func (r *canaryRig) checkCanaries(texts []string) {
	r.t.Helper()
	texts = slices.Concat(texts, r.texts, r.function.Output(), r.replay.Output())
	for _, d := range r.history() {
		texts = append(texts, d.Error)
	}
	for _, server := range r.servers {
		for _, q := range server.Requests() {
			texts = append(texts, fmt.Sprint(q.Header))
		}
	}
	for _, q := range r.s3.Requests() {
		texts = append(texts, q.Key+"?"+q.Query)
	}
	printed := strings.Join(r.function.Output(), "\n")
	for _, rule := range []string{"redact_ip", "redact_email", "card", "password"} {
		assert.Contains(r.t, printed, `"`+rule+`":`, "what was redacted is counted")
	}
	for _, text := range texts {
		for _, form := range canaryForms() {
			if !assert.NotContains(r.t, unescaped(text), form) {
				return
			}
		}
	}
}

// unescaped is text without the escapes that the canaries were hidden by, however deep.
func unescaped(text string) string {
	text = strings.ReplaceAll(text, `\`, "")
	return strings.NewReplacer("u002e", ".", "u006a", "j", "u0040", "@", "u002d", "-", "u0070", "p").Replace(text)
}

// canaryForms are the canaries as they are, in hex, and in base64, where they may start at any of three places.
func canaryForms() (forms []string) {
	for _, word := range []string{"192.0.2.77", "jane@example.com", "4111111111111111", "hunter2x4711"} {
		forms = append(forms, word, hex.EncodeToString([]byte(word)))
		for shift := range 3 {
			text := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), word...))
			forms = append(forms, text[(shift*8+5)/6:(shift+len(word))*8/6])
		}
	}
	return forms
}
