package forward

import (
	"bufio"
	"bytes"
	stdgzip "compress/gzip"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/compress"
	"sluice/internal/ledger"
	"sluice/internal/process"
	"sluice/internal/record"
	"sluice/internal/source/object"
)

// BenchmarkS3 measures the way from the bytes of an object to compressed Datadog bodies, next to the same bounds as
// [BenchmarkCloudWatch]. The network is left out on both sides. MB/s count the plain bytes of the object.
func BenchmarkS3(b *testing.B) {
	for _, corpusOf := range []struct {
		name string
		make func(sizeBytes int) *corpus
		size int // bytes
	}{
		{"alb", albObject, 16 << 20},
		{"vpc", vpcObject, 8 << 20},
		{"jsonl", appObject, 8 << 20},
		{"cloudtrail", trailObject, 8 << 20},
	} {
		b.Run(corpusOf.name, func(b *testing.B) {
			c := corpusOf.make(corpusOf.size)
			b.Run("pipeline", func(b *testing.B) { benchmarkS3Pipeline(b, c) })
			b.Run("limit", func(b *testing.B) { benchmarkS3Limit(b, c) })
			b.Run("naive", func(b *testing.B) { benchmarkS3Naive(b, c) })
		})
	}
}

// objectPath is the way of an object through decoder, rules and one builder.
type objectPath struct {
	f       *Forwarder
	decoder object.Decoder
	lane    *laneRun
}

func newObjectPath(tb testing.TB, codec compress.Codec) *objectPath {
	tb.Helper()
	f := benchForwarder(tb, accepting{}, codec)
	return &objectPath{f: f, lane: &laneRun{
		account: ledger.New("datadog").Account("datadog"), builder: f.lanes[0].builder,
	}}
}

// take forwards the object, and gives every batch to emit.
func (p *objectPath) take(tb testing.TB, c *corpus, emit func(*batch.Batch)) {
	tb.Helper()
	inv := &invocation{f: p.f, ctx: context.Background(), reading: context.Background(), processor: process.New(p.f.rules), lanes: []*laneRun{p.lane}}
	p.lane.builder.Start(emit)
	content, err := p.decoder.Enter(object.Input{
		Body: bytes.NewReader(c.packed),
		Origin: &record.Origin{
			Kind: record.S3, Bucket: "example-logs", Key: c.key, VersionID: "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY", Region: "eu-west-1",
		},
	})
	if err != nil || content.Empty || content.NotALog {
		tb.Fatalf("the object is not read as a log: %+v, %v", content, err)
	}
	if err := inv.forward(p.decoder.Records(), 0); err != nil {
		tb.Fatal(err)
	}
	p.lane.builder.Flush()
}

func benchmarkS3Pipeline(b *testing.B, c *corpus) {
	b.Helper()
	path, sent := newObjectPath(b, fastest(b)), 0
	measure(b, c, func() { path.take(b, c, func(batch *batch.Batch) { sent += batch.Count() }) })
	require.Zero(b, sent%c.events)
	require.NotZero(b, sent)
}

func benchmarkS3Limit(b *testing.B, c *corpus) {
	b.Helper()
	measureLimit(b, c, plainBodies(b, c))
}

// plainBodies are the bodies that an object becomes, before compression.
func plainBodies(tb testing.TB, c *corpus) (bodies [][]byte) {
	tb.Helper()
	newObjectPath(tb, compress.Plain{}).take(tb, c, func(batch *batch.Batch) { bodies = append(bodies, batch.Body) })
	return bodies
}

// benchmarkS3Naive reads lines, and the records of CloudTrail all at once, as it is usually written.
func benchmarkS3Naive(b *testing.B, c *corpus) {
	b.Helper()
	read := naiveLines
	if c.name == "cloudtrail" {
		read = naiveRecords
	}
	measure(b, c, func() {
		zr, err := stdgzip.NewReader(bytes.NewReader(c.packed))
		require.NoError(b, err)
		var items []naiveItem
		read(b, zr, func(message string) {
			items = append(items, naiveItem{
				Message: message, ID: "0123456789abcdef0123456789abcdef", Timestamp: 1_700_000_000_000, Source: c.name, Category: "aws",
				Tags: "env:prod,team:platform,forwardername:sluice,forwarder_version:" + Version, Service: c.name,
				AWS: map[string]any{"s3": map[string]any{"bucket": "example-logs", "key": c.key}},
			})
			if len(items) == 1000 {
				items = sendNaively(b, items)
			}
		})
		sendNaively(b, items)
	})
}

func naiveLines(b *testing.B, r io.Reader, take func(message string)) {
	b.Helper()
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			take(strings.TrimSuffix(line, "\n"))
		}
		if err == io.EOF {
			return
		}
		require.NoError(b, err)
	}
}

func naiveRecords(b *testing.B, r io.Reader, take func(message string)) {
	b.Helper()
	var document struct {
		Records []json.RawMessage `json:"Records"`
	}
	require.NoError(b, json.NewDecoder(r).Decode(&document))
	for _, raw := range document.Records {
		take(string(raw))
	}
}

// TestS3Corpora holds the corpora to what the figures assume.
func TestS3Corpora(t *testing.T) {
	for name, tc := range map[string]struct {
		of     func(sizeBytes int) *corpus
		source string
		size   float64 // bytes of a line
	}{
		"lines of a load balancer": {albObject, "elb", 613},
		"flow log":                 {vpcObject, "vpc", 115},
		"JSON lines":               {appObject, "s3", 400},
		"records of CloudTrail":    {trailObject, "cloudtrail", 1400},
	} {
		t.Run(name, func(t *testing.T) {
			c := tc.of(1 << 20)
			assert.InEpsilon(t, tc.size, float64(len(c.plain))/float64(c.events), 0.05)
			var items []map[string]any
			for _, body := range plainBodies(t, c) {
				var some []map[string]any
				require.NoError(t, json.Unmarshal(body, &some))
				items = append(items, some...)
			}
			require.Len(t, items, c.events)
			for _, item := range items {
				require.Equal(t, tc.source, item["ddsource"])
				require.Contains(t, item, "id")
				require.Equal(t, name != "JSON lines", item["timestamp"] != nil)
			}
		})
	}
}
