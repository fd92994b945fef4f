package forward

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/config"
	"sluice/internal/deliver"
	"sluice/internal/jsonwalk"
	"sluice/internal/secret"
)

const (
	functionARN = "arn:aws:lambda:eu-west-1:123456789012:function:sluice"
	requestID   = "00000000-0000-4000-8000-000000000001"
	apiKey      = "0123456789abcdef0123456789abcdef"
	ownLogGroup = "/sluice/test"

	// canary stands in every message and secret of these tests; it must not be in an error or in our own output.
	canary = "CANARY"

	// oneHTTP is a destination that takes lines one by one.
	oneHTTP = `{destinations: [{id: archive, type: http, url: "https://logs.example.com/ingest", max_records: 1,
		headers: {Authorization: "plain:` + canary + `"}}]}`
	oneDatadog = `{destinations: [{id: datadog, type: datadog, api_key: "plain:` + canary + `"}]}`
	// both are two destinations with default settings.
	both = `{tags: ["env:test"], destinations: [
		{id: datadog, type: datadog, site: datadoghq.eu, api_key: "plain:` + apiKey + `"},
		{id: archive, type: http, url: "https://logs.example.com/ingest", headers: {Authorization: "plain:` + canary + `"}}]}`
)

// start is when the tests begin: half an hour after what is in the sample events.
var start = time.Date(2026, 2, 1, 10, 0, 0, 0, time.UTC)

// rig is a forwarder that is wired as the functions wire it, with intakes and a clock of the test's.
type rig struct {
	*Forwarder
	intake  *intake
	s3      *fakeS3
	sqs     *fakeQueue
	clients []deliver.ClientOptions // of the destinations
	now     time.Time
	out     bytes.Buffer // one line per invocation
	log     bytes.Buffer
}

// newRig wires a document.
func newRig(t *testing.T, document string) *rig {
	t.Helper()
	return newRigOf(t, map[string]string{"SLUICE_CONFIG": document})
}

func newRigOf(t *testing.T, env map[string]string) *rig {
	t.Helper()
	cfg, err := config.Load(t.Context(), env, nil)
	require.NoError(t, err)
	r := &rig{intake: &intake{}, s3: &fakeS3{}, sqs: &fakeQueue{}, now: start}
	outside := r.world(secret.NewStores(func(name string) string { return env[name] }, nil))
	r.Forwarder, err = build(t.Context(), cfg, outside, Function{Name: "Sluice", Version: "$LATEST", Region: "eu-west-1", LogGroup: ownLogGroup})
	require.NoError(t, err)
	return r
}

// world is the test's own, with these secrets.
func (r *rig) world(secrets secret.Fetcher) world {
	return world{
		secrets: secrets,
		s3:      func() (s3Client, error) { return r.s3, nil },
		aws:     r.sqs,
		client: func(o deliver.ClientOptions) (*http.Client, error) {
			r.clients = append(r.clients, o)
			return &http.Client{Transport: r.intake}, nil
		},
		now: func() time.Time { return r.now },
		out: &r.out,
		log: slog.New(slog.NewTextHandler(&r.log, nil)),
	}
}

// untilStart puts the clock of a bubble to when the tests begin: times of what is parked have to be of this age.
func untilStart() { time.Sleep(time.Until(start)) }

// ticking has a rig go by the clock of its bubble.
func (r *rig) ticking() *rig {
	r.Forwarder.now = time.Now
	return r
}

// lambdaContext is a context as the Lambda runtime makes it, without a deadline.
func lambdaContext(t *testing.T) context.Context {
	t.Helper()
	return lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: requestID, InvokedFunctionArn: functionARN})
}

// invoke answers an event, and returns the ledger of the invocation. It checks what holds for every invocation: one line
// of output, accounts that balance, and no text of a line or secret in what we say.
func (r *rig) invoke(t *testing.T, handler func(*Forwarder) Handler, event []byte) (answer string, ledger statement, err error) {
	t.Helper()
	return r.invokeWithin(lambdaContext(t), t, handler, event)
}

func (r *rig) invokeWithin(ctx context.Context, t *testing.T, handler func(*Forwarder) Handler, event []byte) (answer string, ledger statement, err error) {
	t.Helper()
	r.out.Reset()
	response, err := handler(r.Forwarder).Invoke(ctx, event)
	line := r.out.String()
	require.Equal(t, 1, strings.Count(line, "\n"), "one line per invocation: %s", line)
	ledger = statementOf(t, line)
	if err != nil {
		assert.NotContains(t, err.Error(), canary)
		assert.NotContains(t, err.Error(), apiKey)
		assert.Nil(t, response, "an error has no answer beside it")
		assert.NotEmpty(t, ledger.Error)
	}
	return string(response), ledger, err
}

// statementOf reads the line of an invocation, and checks what holds for every one.
func statementOf(t *testing.T, line string) (ledger statement) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(line), &ledger))
	assert.Zero(t, ledger.Unaccounted)
	for id, c := range ledger.Destinations {
		assert.Equal(t, c.In, c.Delivered+sum(c.Dropped)+sum(c.Parked)+sum(c.Returned), "account of %s", id)
	}
	assert.NotContains(t, line, canary)
	assert.NotContains(t, line, apiKey)
	return ledger
}

// statement is the line of an invocation.
type statement struct {
	Destinations map[string]counts `json:"destinations"`
	Unaccounted  int
	ColdStart    bool   `json:"cold_start"`
	Error        string `json:"error"`
	RequestID    string `json:"request_id"`
	BytesIn      int
}

type counts struct {
	In, Delivered, Requests, Retries  int
	Dropped, Parked, Returned, Marked map[string]int
}

func sum(tally map[string]int) int {
	total := 0
	for _, n := range tally {
		total += n
	}
	return total
}

// received is a request as an intake sees it, with its body unpacked.
type received struct {
	method, url, coding string
	header              http.Header
	packed, body        []byte
	count               int // requests so far, this one included
	status              int // of the answer; 0: none yet
	ctx                 context.Context
}

// intake is every destination at once. It accepts what it is not told to answer otherwise. It is safe for concurrent use.
type intake struct {
	// answer gives a status; 0 is an answer that never comes.
	answer func(r received) int
	light  bool   // requests are not kept
	after  string // Retry-After of every answer

	mu     sync.Mutex
	got    []received
	count  int // of requests
	closed int // how often idle connections were closed
}

func (i *intake) RoundTrip(req *http.Request) (*http.Response, error) {
	packed, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r := received{method: req.Method, url: req.URL.String(), coding: req.Header.Get("Content-Encoding"), header: req.Header.Clone(), packed: packed, ctx: req.Context()}
	if r.body, err = unpack(r.coding, packed); err != nil {
		return nil, err
	}
	i.mu.Lock()
	i.count++
	r.count = i.count
	if !i.light {
		i.got = append(i.got, r)
	}
	i.mu.Unlock()
	status := http.StatusAccepted
	if i.answer != nil {
		status = i.answer(r)
	}
	i.answered(r.count, status)
	if status == 0 {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	said := http.Header{}
	if i.after != "" {
		said.Set("Retry-After", i.after)
	}
	return &http.Response{StatusCode: status, Header: said, Body: io.NopCloser(strings.NewReader("{}")), Request: req}, nil
}

// answered notes the answer to the request with a number.
func (i *intake) answered(number, status int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n := range i.got {
		if i.got[n].count == number {
			i.got[n].status = status
		}
	}
}

// taken are the messages of the requests that a host has accepted.
func (i *intake) taken(t *testing.T, host string) []string {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	var messages []string
	for _, r := range i.got {
		if r.status/100 == 2 && strings.Contains(r.url, host) {
			for _, item := range itemTexts(t, r.body) {
				messages = append(messages, messageOf(t, []byte(item)))
			}
		}
	}
	return messages
}

func (i *intake) CloseIdleConnections() { i.closed++ }

func unpack(coding string, packed []byte) ([]byte, error) {
	switch coding {
	case "":
		return packed, nil
	case "gzip":
		codec, err := compress.Gzip(1)
		if err != nil {
			return nil, err
		}
		return codec.Unpack(nil, packed)
	case "zstd":
		codec, err := compress.Zstd(1)
		if err != nil {
			return nil, err
		}
		return codec.Unpack(nil, packed)
	}
	return nil, errors.New("unknown content coding " + coding)
}

// items are the items of the requests to a host, as they were sent.
func (i *intake) items(t *testing.T, host string) []map[string]any {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	var items []map[string]any
	for _, r := range i.got {
		if !strings.Contains(r.url, host) {
			continue
		}
		var list []map[string]any
		require.NoError(t, json.Unmarshal(r.body, &list), "%s", r.body)
		items = append(items, list...)
	}
	return items
}

// batches are the items that a host was sent, by batch, byte for byte.
func (i *intake) batches(t *testing.T, host string) map[string][]string {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	all := map[string][]string{}
	for _, r := range i.got {
		if strings.Contains(r.url, host) {
			all[r.header.Get("X-Forwarder-Batch")] = itemTexts(t, r.body)
		}
	}
	return all
}

// itemTexts are the elements of a JSON array.
func itemTexts(t *testing.T, body []byte) []string {
	t.Helper()
	require.True(t, json.Valid(body), "%.200s", body)
	var texts []string
	elements := jsonwalk.Array(body)
	for elements.Next() {
		texts = append(texts, string(elements.Value()))
	}
	require.NoError(t, elements.Err(), "%.200s", body)
	return texts
}

// messages are those of the items that a host was sent.
func (i *intake) messages(t *testing.T, host string) []string {
	t.Helper()
	messages := []string{}
	for _, item := range i.items(t, host) {
		messages = append(messages, item["message"].(string))
	}
	return messages
}

// The hosts of the destinations in these tests.
const (
	archiveHost = "logs.example.com"
	datadogHost = "http-intake.logs.datadoghq"
)
