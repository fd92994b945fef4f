package forward

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/deliver"
)

// httpWith is a document with one HTTP destination that has these settings too.
func httpWith(settings string) string {
	return `{destinations: [{id: archive, type: http, url: "https://logs.example.com/ingest", ` + settings + `}]}`
}

// datadogWith is a document with one Datadog destination that has these settings too.
func datadogWith(settings string) string {
	return `{destinations: [{id: datadog, type: datadog, api_key: "plain:` + apiKey + `", ` + settings + `}]}`
}

// with is a document that has these settings at its top too.
func with(settings, document string) string { return "{" + settings + ", " + document[1:] }

// wired is a setting and what can be seen of it.
type wired struct {
	field    string // of package config, that this row shows; empty for a row that shows what happens without it
	document string
	check    func(t *testing.T, r *rig)
}

// first is the first request of an invocation with three lines.
func first(t *testing.T, r *rig) received {
	t.Helper()
	_, _, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, numbered(3)...))))
	require.NoError(t, err)
	require.NotEmpty(t, r.intake.got)
	return r.intake.got[0]
}

// body makes a check of a part of the first body.
func body(parts ...string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		got := string(first(t, r).body)
		for _, part := range parts {
			assert.Contains(t, got, part)
		}
	}
}

// header makes a check of a header of the first request.
func header(name, want string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		assert.Equal(t, want, first(t, r).header.Get(name))
	}
}

// url makes a check of the first request's method and URL.
func sentTo(want string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		got := first(t, r)
		assert.Equal(t, want, got.method+" "+got.url)
	}
}

// packedBy makes a check of the first body against what a codec makes of it.
func packedBy(codecOf func(level int) (compress.Codec, error), level int) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		codec, err := codecOf(level)
		require.NoError(t, err)
		got := first(t, r)
		assert.Equal(t, codec.Encoding(), got.coding)
		assert.Equal(t, codec.Append(nil, got.body), got.packed)
	}
}

// requests makes a check of how many requests an event of ten lines makes.
func requests(want int) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		_, _, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, numbered(10)...))))
		require.NoError(t, err)
		assert.Len(t, r.intake.got, want)
	}
}

// answered makes a check of the error after the intake answered with a status.
func answered(status int, want string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		r.intake.answer = func(received) int { return status }
		_, _, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, "x"))))
		if want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, want)
		}
	}
}

// oversized makes a check of the items that a message of 3000 bytes becomes.
func oversized(items int, mark string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		_, ledger, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, strings.Repeat("x", 3000)))))
		require.NoError(t, err)
		for _, c := range ledger.Destinations {
			assert.Equal(t, items, c.In)
			assert.Equal(t, map[string]int{mark: 1}, c.Marked)
		}
	}
}

// late makes a check of an item whose event is a day old.
func late(part string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		r.now = r.now.Add(24 * time.Hour)
		body(part)(t, r)
	}
}

// inFlight makes a check of the most requests that are under way at once.
func inFlight(want int) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		var flying, most atomic.Int64
		r.intake.answer = func(received) int {
			for n := flying.Add(1); ; {
				known := most.Load()
				if n <= known || most.CompareAndSwap(known, n) {
					break
				}
			}
			time.Sleep(time.Second)
			flying.Add(-1)
			return http.StatusOK
		}
		_, _, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, numbered(100)...))))
		require.NoError(t, err)
		assert.EqualValues(t, want, most.Load())
	}
}

// patience makes a check of how long an answer is waited for.
func patience(want time.Duration) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		var waited time.Duration
		r.intake.answer = func(r received) int {
			begin := time.Now()
			<-r.ctx.Done()
			waited = time.Since(begin)
			return http.StatusNotFound
		}
		_, _, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, "x"))))
		require.Error(t, err)
		assert.Equal(t, want, waited)
	}
}

// client makes a check of the options of the connections.
func client(want deliver.ClientOptions) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		assert.Equal(t, []deliver.ClientOptions{want}, r.clients)
	}
}

// inflated makes a check of a payload of 3 MB.
func inflated(want string) func(*testing.T, *rig) {
	return func(t *testing.T, r *rig) {
		t.Helper()
		_, _, err := r.invoke(t, CloudWatch, direct(packed(t, document(t, strings.Repeat("x", 3_000_000)))))
		if want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, want)
		}
	}
}

// rows has what can be seen of each field of the configuration from outside.
func rows() map[string]wired {
	const ingest = "https://logs.example.com/ingest"
	plain := func(int) (compress.Codec, error) { return compress.Plain{}, nil }
	return map[string]wired{
		"tags":               {"Tags", with("tags: {env: prod, a: b}", datadogWith("")), body(`"ddtags":"env:prod,a:b,forwardername:sluice,`)},
		"no tags":            {"", datadogWith(""), body(`"ddtags":"forwardername:sluice,forwarder_version:` + Version + `,aws_account:123456789012"`)},
		"source":             {"Source", with("source: nginx", datadogWith("")), body(`"ddsource":"nginx"`, "source_overridden:true")},
		"source names":       {"SourceNames", with("source_names: datadog-forwarder", datadogWith("")), coarse("cloudwatch")},
		"usual source names": {"", datadogWith(""), coarse("postgresql")},
		"inflated bytes":     {"MaxInflatedBytes", with("max_inflated_bytes: 2MiB", httpWith("")), inflated("more than 2097152 bytes")},
		"inflated, usual":    {"", httpWith("max_body_bytes: 5MB"), inflated("")},
		"include":            {"Include", with("include: [a, e$]", httpWith("")), become([]string{"apple", "kiwi", "grape"}, "apple", "grape")},
		"exclude":            {"Exclude", with("include: [a], exclude: '^a'", httpWith("")), become([]string{"apple", "kiwi", "grape"}, "grape")},
		"addresses":          {"RedactIP", with("redact_ip: true", httpWith("")), become([]string{"192.0.2.1 a@example.com"}, "xxx.xxx.xxx.xxx a@example.com")},
		"e-mail":             {"RedactEmail", with("redact_email: true", httpWith("")), become([]string{"192.0.2.1 a@example.com"}, "192.0.2.1 xxxxx@xxxxx.com")},
		"rules":              {"Redact", with(`redact: [{name: a, pattern: "key=(\\w+)", replacement: "no=${1}"}, {name: b, pattern: "no=."}]`, httpWith("")), become([]string{"key=abc"}, "bc")},
		"no rules":           {"", httpWith(""), become([]string{"192.0.2.1 a@example.com", ""}, "192.0.2.1 a@example.com", "")},
		"allowed owners":     {"AllowedOwners", with(`allowed_owners: ["111122223333"]`, httpWith("")), refusesOwner},
		"buckets":            {"Buckets", with("buckets: [another]", httpWith("")), objectLines("a.log", "x\n", 0)},
		"buckets, usual":     {"", httpWith(""), objectLines("a.log", "x\n", 1)},
		"object bytes":       {"MaxObjectBytes", with("max_object_bytes: 1MiB", httpWith("")), objectLines("a.log", strings.Repeat("x\n", 1<<20), 1<<19)},
		"manifests":          {"FollowManifests", with("follow_manifests: true", httpWith("")), objectLines("errors/manifests/a", manifestOfItself, 0, "errors/manifests/a", "b.log")},
		"manifests, usual":   {"", httpWith(""), objectLines("errors/manifests/a", manifestOfItself, 0, "errors/manifests/a")},
		"multiline":          {"Multiline", with("multiline_start: '[a-z]'", httpWith("")), objectLines("a.log", "a\n 1\nb\n", 2)},
		"multiline, usual":   {"", httpWith(""), objectLines("a.log", "a\n 1\nb\n", 3)},
		"routes":             {"Routes", with("routes: [{key: a.log, multiline_start: '[a-z]'}]", httpWith("")), objectLines("a.log", "a\n 1\nb\n", 2)},
		"park bucket":        {"ParkBucket", with("park_bucket: kept=111122223333", httpWith("")), parkedAt("kept", "111122223333", "sluice/v1/dead/archive/parquet/")},
		"park prefix":        {"ParkPrefix", with("park_bucket: kept, park_prefix: a/b", httpWith("")), parkedAt("kept", ownAccount, "a/b/v1/dead/archive/parquet/")},
		"park key":           {"ParkKMSKey", with("park_bucket: kept, park_kms_key: alias/kept", httpWith("")), encryptedWith("alias/kept")},
		"park key, usual":    {"", with("park_bucket: kept", httpWith("")), encryptedWith("")},
		"raw input":          {"DeadRaw", with("park_bucket: example-parked, dead_raw: false", httpWith("")), unread("awslogs.data")},
		"raw input, usual":   {"", with("park_bucket: example-parked", httpWith("")), unread("")},
		"queue":              {"ContinueQueue", with("continue_queue: '"+continueQueue+"'", httpWith("")), continuedBy(1)},
		"queue, usual":       {"", httpWith(""), continuedBy(0)},
		"receives":           {"MaxReceives", with("park_bucket: example-parked, max_receives: 3", httpWith("")), waitsInQueue(2)},
		"receives, usual":    {"", with("park_bucket: example-parked", httpWith("")), waitsInQueue(4)},
		"output":             {"Firehose", with("firehose_output: message", httpWith("")), streamed("a line\n", "")},
		"output, usual":      {"", datadogWith(""), streamed(`{"ddsourcecategory":"aws","ddsource":"firehose"`, "")},
		"partition keys":     {"Firehose", with("firehose_output: message, firehose_partition_keys: [source]", httpWith("")), streamed("a line\n", `{"partitionKeys":{"source":"firehose"}}`)},
		"destinations":       {"Destinations", both, requests(2)},
		"warnings":           {"Warnings", datadogWith(""), func(*testing.T, *rig) {}}, // written by FromEnvironment, see its test
		"certificates":       {"CABundle", httpWith(""), func(*testing.T, *rig) {}},    // see TestCABundle

		"id":               {"Destination.ID", httpWith(""), called("archive")},
		"type datadog":     {"Destination.Type", datadogWith(""), body(`"ddsource":"cloudwatch"`)},
		"type http":        {"Destination.Type", httpWith(""), body(`"source":"cloudwatch"`)},
		"URL of HTTP":      {"Destination.URL", httpWith(""), sentTo("POST " + ingest)},
		"URL of Datadog":   {"Destination.URL", datadogWith(`url: "https://proxy.example.com/dd/"`), sentTo("POST https://proxy.example.com/dd/api/v2/logs")},
		"coding, a site":   {"Destination.Compression", datadogWith(""), packedBy(compress.Zstd, zstdLevel)},
		"coding, a proxy":  {"Destination.Compression", datadogWith(`url: "https://proxy.example.com"`), packedBy(compress.Gzip, gzipLevel)},
		"coding, HTTP":     {"Destination.Compression", httpWith(""), packedBy(compress.Gzip, gzipLevel)},
		"zstd for HTTP":    {"Destination.Compression", httpWith("compression: zstd"), packedBy(compress.Zstd, zstdLevel)},
		"gzip for a site":  {"Destination.Compression", datadogWith("compression: gzip"), packedBy(compress.Gzip, gzipLevel)},
		"no coding":        {"Destination.Compression", datadogWith("compression: none"), packedBy(plain, 0)},
		"level of gzip":    {"Destination.CompressionLevel", httpWith("compression_level: 9"), packedBy(compress.Gzip, 9)},
		"level of zstd":    {"Destination.CompressionLevel", datadogWith("compression_level: 9"), packedBy(compress.Zstd, 9)},
		"cut":              {"Destination.Oversize", httpWith("max_record_bytes: 1kB, oversize: truncate"), oversized(1, "truncated")},
		"split":            {"Destination.Oversize", httpWith("max_record_bytes: 1kB, oversize: split"), oversized(6, "chunked")},
		"in flight":        {"Destination.MaxInFlight", httpWith("max_records: 1, max_in_flight: 3"), inFlight(3)},
		"in flight, usual": {"", httpWith("max_records: 1"), inFlight(8)},
		"idle connections": {"Destination.MaxInFlight", httpWith("max_in_flight: 3"), client(deliver.ClientOptions{URL: ingest, MaxInFlight: 3, AttemptTimeout: 15 * time.Second})},
		"timeout":          {"Destination.AttemptTimeout", httpWith("attempt_timeout: 7s"), patience(7 * time.Second)},
		"timeout, usual":   {"", httpWith(""), patience(15 * time.Second)},
		"clear text": {
			"Destination.AllowInsecureHTTP", `{destinations: [{id: a, type: http, url: "http://logs.example.com/", allow_insecure_http: true}]}`,
			sentTo("POST http://logs.example.com/"),
		},
		"private addresses": {
			"Destination.AllowPrivate", httpWith("allow_private: true"),
			client(deliver.ClientOptions{URL: ingest, MaxInFlight: 8, AllowPrivate: true, AttemptTimeout: 15 * time.Second}),
		},

		"site":              {"Destination.Datadog Datadog.Site", datadogWith("site: us5.datadoghq.com"), sentTo("POST https://http-intake.logs.us5.datadoghq.com/api/v2/logs")},
		"site, usual":       {"", datadogWith(""), sentTo("POST https://http-intake.logs.datadoghq.com/api/v2/logs")},
		"API key":           {"Datadog.APIKey", datadogWith(""), header("DD-API-KEY", apiKey)},
		"structured":        {"Datadog.Structured", datadogWith("structured: message"), trailItem(`"message":"{`)},
		"structured, usual": {"", datadogWith(""), trailItem(`"eventName":"A"`)},
		"late":              {"Datadog.Late", datadogWith("late: send"), late(`"timestamp":`)},
		"late, usual":       {"", datadogWith(""), late(`"event_time":`)},
		"event id":          {"Datadog.EventID", datadogWith("event_id: none"), body(`},"timestamp"`)},
		"short id":          {"Datadog.EventID", datadogWith("event_id: short"), body(`},"id":"262d888ecec86329","timestamp"`)},
		"id, usual":         {"", datadogWith(""), body(`},"id":"00000000000000000000000000000000000000000000000000000000","timestamp"`)},
		"user agent":        {"", datadogWith(""), header("User-Agent", "sluice/"+Version)},
		"our version":       {"", datadogWith(""), header("DD-EVP-ORIGIN-VERSION", Version)},
		"agent of HTTP":     {"", httpWith(""), header("User-Agent", "sluice/"+Version)},

		"method":         {"Destination.HTTP HTTP.Method", httpWith("method: PUT"), sentTo("PUT " + ingest)},
		"headers":        {"HTTP.Headers", httpWith(`headers: {X-Token: "plain:abc"}`), header("X-Token", "abc")},
		"lines":          {"HTTP.Format", httpWith("format: json_lines"), body("}\n{")},
		"array":          {"HTTP.Format", httpWith("format: json_array"), body("},{")},
		"fields":         {"HTTP.Fields", httpWith(`fields: {message: msg, id: ""}`), body(`{"time":`, `"msg":"line 0`)},
		"codes":          {"HTTP.SuccessCodes", httpWith("success_codes: 201"), answered(200, "http_200")},
		"codes, usual":   {"", httpWith(""), answered(200, "")},
		"another code":   {"HTTP.SuccessCodes", httpWith("success_codes: [200, 409]"), answered(409, "")},
		"bytes of body":  {"HTTP.MaxBodyBytes", httpWith("max_body_bytes: 1kB"), requests(5)},
		"records":        {"HTTP.MaxRecords", httpWith("max_records: 4"), requests(3)},
		"records, usual": {"", httpWith(""), requests(1)},
		"bytes of item":  {"HTTP.MaxRecordBytes", httpWith("max_record_bytes: 2kB"), oversized(1, "truncated")},
	}
}
