package httpjson_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/destination"
	"sluice/internal/destination/httpjson"
	"sluice/internal/record"
)

var _ destination.Destination = (*httpjson.Destination)(nil)

var update = flag.Bool("update", false, "rewrite the golden files")

// constant is a header value that is no secret.
func constant(value string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return value, nil }
}

// options returns options that New accepts.
func options() httpjson.Options {
	return httpjson.Options{
		ID:        "archive",
		URL:       "https://intake.example.com/logs?index=main",
		Codecs:    []compress.Codec{compress.Plain{}},
		Limits:    destination.Limits{BodyBytes: 1_000_000, Records: 100, RecordBytes: 100_000},
		UserAgent: "sluice/test",
	}
}

func newDestination(tb testing.TB, o httpjson.Options) *httpjson.Destination {
	tb.Helper()
	d, err := httpjson.New(o)
	require.NoError(tb, err)
	return d
}

// lambdaOrigin is a log group with everything that is known about one.
func lambdaOrigin() *record.Origin {
	return &record.Origin{
		Kind:      record.CloudWatch,
		Owner:     "123456789012",
		LogGroup:  "/aws/lambda/f",
		LogStream: "2023/11/14/[$LATEST]abc",
		Region:    "eu-west-1",
		Source:    "lambda",
		Service:   "web",
		Host:      "h",
		Tags:      record.Tags{{Key: "env", Value: "prod"}, {Key: "url", Value: "a:b,c"}, {Key: "bare"}},
	}
}

// streamOrigin is a Kinesis stream with plain records, of which little is known.
func streamOrigin() *record.Origin {
	return &record.Origin{
		Kind:      record.Kinesis,
		StreamARN: "arn:aws:kinesis:eu-west-1:123456789012:stream/s",
		Source:    "kinesis",
	}
}

// objectOrigin is an S3 object with everything that is known about one.
func objectOrigin() *record.Origin {
	return &record.Origin{
		Kind: record.S3, Owner: "123456789012", Region: "eu-west-1", Source: "elb", Service: "alb",
		Bucket: "logs-123456789012-eu-west-1", Key: "AWSLogs/123456789012/elasticloadbalancing/a b+c.log.gz",
		VersionID: "v7", ETag: "0f343b0931126a20f133d67c2b018a3b",
	}
}

// sample returns records that show every member of an item, at least once with and without a value.
func sample() []record.Record {
	lambda, stream := lambdaOrigin(), streamOrigin()
	eventID := record.Escaped([]byte("37908012345678901234567890123456789012345678901234567890"))
	return []record.Record{
		{Origin: lambda, EventID: eventID, TimeMillis: 1_700_000_000_123, Message: record.Escaped([]byte(`say \"hello\"\n`))},
		{
			Origin: lambda, EventID: eventID, TimeMillis: 1_700_000_000_000,
			Message: record.Plain([]byte("<b>é\u2028\x01 cut")),
			Members: []record.Member{
				{Name: []byte("extractedFields"), Value: []byte(`{"level":"warn","n":12345678901234567890}`)},
				{Name: []byte(`a\"b`), Value: []byte("[1,\r\n 2]")},
			},
			Marks:          record.Truncated | record.Chunked | record.UTF8Repaired,
			TruncatedBytes: 17, Part: 1, Parts: 2,
		},
		{
			Origin: stream, Index: 3, Message: record.Plain(nil),
			EventID: record.Plain([]byte("shardId-000000000000:49590338271490256608559692538361571095921575989136588898")),
		},
		{Origin: &record.Origin{Kind: record.CloudWatch}, Message: record.Plain([]byte("of no known origin"))},
		{Origin: objectOrigin(), Offset: 4096, TimeMillis: 1_700_000_000_123, Message: record.Plain([]byte("https - \"GET /\" 200"))},
	}
}

// plainBody encodes records as one body that is not packed.
func plainBody(d *httpjson.Destination, records []record.Record) destination.Body {
	frame := d.Frame()
	items := []byte(frame.Open)
	for i := range records {
		if i > 0 {
			items = append(items, frame.Separator...)
		}
		items = d.Append(items, &records[i])
	}
	return destination.Body{
		Bytes:   append(items, frame.Close...),
		Codec:   compress.Plain{},
		BatchID: "mzxw6ytboi2dknrxha4tamjsgm.0",
		Records: len(records),
		Attempt: 2,
	}
}

// dump writes a request as it reads on the wire, with its headers sorted.
func dump(t *testing.T, req *http.Request) []byte {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\nContent-Length: %d\n", req.Method, req.URL, req.ContentLength)
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		for _, value := range req.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	b.WriteByte('\n')
	_, err := io.Copy(&b, req.Body)
	require.NoError(t, err)
	return b.Bytes()
}

func TestRequestGolden(t *testing.T) {
	for golden, change := range map[string]func(*httpjson.Options){
		"array": func(*httpjson.Options) {},
		"lines": func(o *httpjson.Options) { o.Format = httpjson.JSONLines },
		"renamed": func(o *httpjson.Options) {
			o.Method = http.MethodPut
			o.Fields = map[string]string{
				"id": "", "time": "@timestamp", "message": "msg", "aws": "cloud", "attrs": `"quoted"`, "marks": "",
				"tags": "labels", "host": "", "truncated_bytes": "", "part": "", "parts": "",
			}
			o.Headers = []httpjson.Header{
				{Name: "authorization", Value: constant("Bearer example")},
				{Name: "Content-Type", Value: constant("application/vnd.example+json")},
			}
		},
	} {
		t.Run(golden, func(t *testing.T) {
			o := options()
			change(&o)
			d := newDestination(t, o)
			body := plainBody(d, sample())
			req, err := d.Request(t.Context(), body)
			require.NoError(t, err)
			got := dump(t, req)

			path := "testdata/" + golden + ".http"
			if *update {
				require.NoError(t, os.WriteFile(path, got, 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got))

			again := plainBody(newDestination(t, o), sample())
			assert.Equal(t, string(body.Bytes), string(again.Bytes), "the same records give the same bytes")
		})
	}
}
