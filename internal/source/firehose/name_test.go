package firehose_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/source/firehose"
)

const id = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"

func TestParseKey(t *testing.T) {
	at := time.Date(2024, 6, 10, 6, 13, 20, 0, time.UTC)
	const end = "-2024-06-10-06-13-20-" + id
	long := strings.Repeat("s", 64)
	for name, tc := range map[string]struct {
		key  string
		want firehose.Name
	}{
		"default prefix":           {"2024/06/10/06/app-logs-7" + end, firehose.Name{Stream: "app-logs", Version: "7", Prefix: "2024/06/10/06/"}},
		"no prefix":                {"app-logs-7" + end, firehose.Name{Stream: "app-logs", Version: "7"}},
		"no version":               {"logs/app" + end, firehose.Name{Stream: "app", Prefix: "logs/"}},
		"extension":                {"a/app-12" + end + ".gz", firehose.Name{Stream: "app", Version: "12", Prefix: "a/"}},
		"custom extension":         {"a/app-12" + end + ".custom-(1).log", firehose.Name{Stream: "app", Version: "12", Prefix: "a/"}},
		"extension that is a name": {"a/app-1" + end + ".x" + end, firehose.Name{Stream: "app-1" + end + ".x", Prefix: "a/"}},
		"space in the prefix":      {"myApp 2024/06/10/06/app-1" + end, firehose.Name{Stream: "app", Version: "1", Prefix: "myApp 2024/06/10/06/"}},
		"prefix glued to the time": {"legacy2024/06/10/06/app-1" + end, firehose.Name{Stream: "app", Version: "1", Prefix: "legacy2024/06/10/06/"}},
		"prefix glued to the stream becomes part of it": {"logs/raw-app-1" + end, firehose.Name{Stream: "raw-app", Version: "1", Prefix: "logs/"}},
		"prefix that ends in digits":                    {"logs/2024app-1" + end, firehose.Name{Stream: "2024app", Version: "1", Prefix: "logs/"}},
		"prefix glued with another byte":                {"logs/hour=06=app-1" + end, firehose.Name{Stream: "app", Version: "1", Prefix: "logs/hour=06="}},
		"prefix glued to a stream of 64 bytes":          {"logs/raw" + long + "-1" + end, firehose.Name{Stream: long, Version: "1", Prefix: "logs/raw"}},
		"stream that ends in a number":                  {"app-2-1" + end, firehose.Name{Stream: "app-2", Version: "1"}},
		"stream of digits":                              {"7" + end, firehose.Name{Stream: "7"}},
		"stream with every kind of byte":                {"A.b_c-9-1" + end, firehose.Name{Stream: "A.b_c-9", Version: "1"}},
		"stream like a time":                            {"2024-06-10-06-13-20-1" + end, firehose.Name{Stream: "2024-06-10-06-13-20", Version: "1"}},
		"letters beyond ASCII in the prefix":            {"journaux/été/app-1" + end, firehose.Name{Stream: "app", Version: "1", Prefix: "journaux/été/"}},
		"error folder": {
			"logs/aws-waf-logs-x/processing-failed/2024/06/10/06/app-1" + end,
			firehose.Name{Stream: "app", Version: "1", ErrorType: "processing-failed", Prefix: "logs/aws-waf-logs-x/processing-failed/2024/06/10/06/"},
		},
		"error folder glued to the stream": {
			"e/hour=23/processing-failedapp-1" + end,
			firehose.Name{Stream: "app", Version: "1", ErrorType: "processing-failed", Prefix: "e/hour=23/processing-failed"},
		},
		"error folder glued behind an equals sign": {
			"e/type=Splunk_failedapp-1" + end,
			firehose.Name{Stream: "app", Version: "1", ErrorType: "splunk-failed", Prefix: "e/type=Splunk_failed"},
		},
		"stream named like an error folder": {
			"e/splunk-failed-app-1" + end,
			firehose.Name{Stream: "splunk-failed-app", Version: "1", ErrorType: "splunk-failed", Prefix: "e/"},
		},
		"stream named as an error folder": {
			"e/splunk-failed-1" + end,
			firehose.Name{Stream: "splunk-failed", Version: "1", ErrorType: "splunk-failed", Prefix: "e/"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := firehose.ParseKey(tc.key)
			require.True(t, ok)
			tc.want.At = at
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestParseKeyRefuses(t *testing.T) {
	for name, key := range map[string]string{
		"empty":                       "",
		"folder":                      "2024/06/10/06/",
		"no stream":                   "a/-2024-06-10-06-13-20-" + id,
		"no dash before the time":     "2024-06-10-06-13-20-" + id,
		"upper-case uuid":             "app-1-2024-06-10-06-13-20-" + strings.ToUpper(id),
		"uuid cut short":              "app-1-2024-06-10-06-13-20-" + id[:35],
		"uuid with more digits":       "app-1-2024-06-10-06-13-20-" + id + "0",
		"month 13":                    "app-1-2024-13-10-06-13-20-" + id,
		"30 February":                 "app-1-2024-02-30-06-13-20-" + id,
		"dot without an extension":    "app-1-2024-06-10-06-13-20-" + id + ".",
		"extension in upper case":     "app-1-2024-06-10-06-13-20-" + id + ".GZ",
		"extension of 129 bytes":      "app-1-2024-06-10-06-13-20-" + id + "." + strings.Repeat("x", 128),
		"name is a folder":            "app-1-2024-06-10-06-13-20-" + id + "/part",
		"a load balancer's object":    "AWSLogs/123456789012/elasticloadbalancing/eu-west-1/2024/06/10/x_20240610T0605Z_192.0.2.1_1a2b3c4d.log.gz",
		"stream of another character": "ö-2024-06-10-06-13-20-" + id,
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := firehose.ParseKey(key)
			assert.False(t, ok)
			assert.Zero(t, got)
		})
	}
}

func TestErrorType(t *testing.T) {
	for key, want := range map[string]string{
		"processing-failed/2024/06/10/06/app-1":                   "processing-failed",
		"x/decompression-failed/2024/":                            "decompression-failed",
		"x/format-conversion-failed/2024/":                        "format-conversion-failed",
		"x/elasticsearch-failed/2024/":                            "elasticsearch-failed",
		"x/elasticsearch_failed/2024/":                            "elasticsearch-failed",
		"x/AmazonOpenSearchService-failed/2024/":                  "AmazonOpenSearchService-failed",
		"x/AmazonOpenSearchService_failed/2024/":                  "AmazonOpenSearchService-failed",
		"x/AmazonOpenSearchServerlessService-failed/2024/":        "AmazonOpenSearchServerlessService-failed",
		"x/splunk-failed/2024/":                                   "splunk-failed",
		"x/http-endpoint-failed/2024/":                            "http-endpoint-failed",
		"x/HTTP-Endpoint-FAILED/2024/":                            "http-endpoint-failed",
		"x/snowflake-failed/2024/":                                "snowflake-failed",
		"x/iceberg-failed/2024/":                                  "iceberg-failed",
		"type=iceberg-failed/2024/":                               "iceberg-failed",
		"hour=23/iceberg-failed":                                  "iceberg-failed",
		"hour=23/iceberg-failedapp-1-2024":                        "iceberg-failed",
		"iceberg-failed2024/":                                     "iceberg-failed",
		"my/processing-failedness/app":                            "processing-failed", // bounded on the left only
		"http-endpoint-failed/processing-failed/app":              "processing-failed", // the later
		"processing-failed/2024/splunk-failedapp":                 "processing-failed", // the one that is a whole folder
		"logs/aws-waf-logs-x/processing-failed/2024/06/10/06/a-1": "processing-failed",
		"":                                  "",
		"my-processing-failed/2024/":        "",
		"xiceberg-failed/2024/":             "",
		"processing-faile/2024/":            "",
		"processing/failed/2024/":           "",
		"datadog-failed/2024/":              "", // there is none: Datadog is an HTTP endpoint
		"errors/manifests/2024/":            "",
		"processing\u2010failed/2024/06/10": "",
	} {
		assert.Equal(t, want, firehose.ErrorType(key), key)
	}
}

func TestNameAttributes(t *testing.T) {
	whole, ok := firehose.ParseKey("a/app-logs-7-2024-06-10-06-13-20-" + id + ".gz")
	require.True(t, ok)
	for name, tc := range map[string]struct {
		name firehose.Name
		want string
	}{
		"all":                {whole, `{"delivery_stream":"app-logs","stream_version":"7","hour":"2024-06-10T06"}`},
		"nothing":            {firehose.Name{}, `{}`},
		"time alone":         {firehose.Name{At: time.Date(2024, 6, 10, 1, 59, 0, 0, time.FixedZone("", 7200))}, `{"hour":"2024-06-09T23"}`},
		"text of any bytes":  {firehose.Name{Stream: "a\"\xff\n"}, `{"delivery_stream":"a\"` + "\uFFFD" + `\n"}`},
		"error type and all": {firehose.Name{ErrorType: "splunk-failed", Version: "1"}, `{"stream_version":"1"}`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, "x"+tc.want, string(tc.name.AppendAttributes([]byte("x"))))
			assert.True(t, json.Valid([]byte(tc.want)))
		})
	}
}

// pattern is the whole name, as one expression.
var (
	pattern = regexp.MustCompile(`^((?s:.*?))([A-Za-z0-9_.-]{1,64})-(\d+)-(\d{4}(?:-\d{2}){5})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(\.[0-9a-z!\-_.*'()]+)?$`)
	stamp   = regexp.MustCompile(`\d{4}(?:-\d{2}){5}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
)

// FuzzParseKey holds ParseKey to the expression where the key has one time and no error folder, and puts a name together
// that it must read whatever stands before it.
func FuzzParseKey(f *testing.F) {
	f.Add("2024/06/10/06/app-7-2024-06-10-06-13-20-"+id+".gz", uint32(1718000000))
	f.Add("processing-failedapp-2024-06-10-06-13-20-"+id, uint32(0))
	f.Add("raw-1-", uint32(1))
	f.Add("-", uint32(1))
	f.Fuzz(func(t *testing.T, key string, seconds uint32) {
		n, ok := firehose.ParseKey(key)
		if ok {
			require.True(t, strings.HasPrefix(key, n.Prefix+n.Stream+"-"))
			require.Equal(t, firehose.ErrorType(key), n.ErrorType)
			require.LessOrEqual(t, len(n.Stream), 64)
			require.True(t, json.Valid(n.AppendAttributes(nil)))
		}
		if m := pattern.FindStringSubmatch(key); m != nil && len(stamp.FindAllString(key, -1)) == 1 && firehose.ErrorType(key) == "" && len(m[6]) <= 128 {
			at, err := time.Parse("2006-01-02-15-04-05", m[4])
			require.Equal(t, err == nil, ok)
			if ok {
				require.Equal(t, firehose.Name{Stream: m[2], Version: m[3], At: at, Prefix: m[1]}, n)
			}
		}

		at := time.Unix(int64(seconds), 0).UTC()
		n, ok = firehose.ParseKey(key + "/app-7-" + at.Format("2006-01-02-15-04-05-") + id)
		require.True(t, ok)
		require.Equal(t, firehose.Name{Stream: "app", Version: "7", At: at, ErrorType: firehose.ErrorType(key + "/"), Prefix: key + "/"}, n)
	})
}

func BenchmarkParseKey(b *testing.B) {
	key := keyOf("processing-failed")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := firehose.ParseKey(key); !ok {
			b.Fatal("not read")
		}
	}
}
