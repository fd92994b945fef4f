package forward

import (
	"bytes"
	stdgzip "compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"

	"sluice/internal/batch"
	"sluice/internal/compress"
	"sluice/internal/deliver"
	"sluice/internal/destination/datadog"
	"sluice/internal/ledger"
	"sluice/internal/process"
	"sluice/internal/record"
	"sluice/internal/secret"
)

// accepting answers every request at once, so that what is measured is our own work.
type accepting struct{ taken func(body []byte) }

func (a accepting) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.taken != nil {
		body, _ := io.ReadAll(req.Body)
		a.taken(body)
	}
	return &http.Response{
		StatusCode: http.StatusAccepted, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte("{}"))), Request: req,
	}, nil
}

// benchForwarder forwards to Datadog, as it would with default settings, through transport.
func benchForwarder(tb testing.TB, transport http.RoundTripper, codec compress.Codec) *Forwarder {
	tb.Helper()
	ref, err := secret.ParseRef("plain:0123456789abcdef0123456789abcdef")
	require.NoError(tb, err)
	at := time.UnixMilli(1_700_000_600_000)
	dest := datadog.New(datadog.Options{
		ID: "datadog", URL: "https://http-intake.logs.datadoghq.com/api/v2/logs", APIKey: secret.New(ref, secret.NewStores(nil, nil), time.Hour),
		Codecs: []compress.Codec{codec}, UserAgent: "sluice/" + Version, Version: Version, Now: func() time.Time { return at },
	})
	sender := deliver.NewSender(dest, &http.Client{Transport: transport}, deliver.Options{})
	return &Forwarder{
		objects:     &objectSource{},
		lanes:       []*lane{newLane(sender, "bench", batch.Truncate)},
		rules:       process.Rules{Tags: record.ParseTags("env:prod,team:platform"), ForwarderName: "sluice", ForwarderVersion: Version},
		maxInflated: 64 << 20,
		function:    Function{Name: "sluice", Version: "$LATEST", Region: "eu-west-1"},
		out:         io.Discard,
		now:         time.Now,
	}
}

func fastest(tb testing.TB) compress.Codec {
	tb.Helper()
	codec, err := compress.Zstd(1)
	require.NoError(tb, err)
	return codec
}

// BenchmarkCloudWatch measures the way from a payload as CloudWatch Logs packs it to compressed Datadog bodies
// (pipeline), next to what cannot be avoided (limit), to the way it is usually written (naive), and to a whole invocation
// with an intake that costs nothing. MB/s count the plain bytes of the payload.
func BenchmarkCloudWatch(b *testing.B) {
	for _, c := range []*corpus{vpcCorpus(), appCorpus()} {
		b.Run(c.name+"/pipeline", func(b *testing.B) { benchmarkPipeline(b, c) })
		b.Run(c.name+"/limit", func(b *testing.B) { benchmarkLimit(b, c) })
		b.Run(c.name+"/naive", func(b *testing.B) { benchmarkNaive(b, c) })
		b.Run(c.name+"/invocation", func(b *testing.B) { benchmarkInvocation(b, c) })
	}
}

// measure runs once over and over. Beside the time on the clock it reports the processor time of the process, which is
// what ratios are made of: these machines are shared.
func measure(b *testing.B, c *corpus, once func()) {
	b.Helper()
	once() // fill the pools
	b.SetBytes(int64(len(c.plain)))
	b.ReportAllocs()
	allocs := testing.AllocsPerRun(1, once)
	b.ResetTimer()
	before := cpuTime(b)
	for b.Loop() {
		once()
	}
	used := cpuTime(b) - before
	b.ReportMetric(float64(used.Nanoseconds())/float64(b.N), "cpu-ns/op")
	b.ReportMetric(allocs/float64(c.events), "allocs/event")
}

// cpuTime is the processor time that the process has used, in user and system mode.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func benchmarkPipeline(b *testing.B, c *corpus) {
	b.Helper()
	f := benchForwarder(b, accepting{}, fastest(b))
	lane := &laneRun{account: ledger.New("datadog").Account("datadog"), builder: f.lanes[0].builder}
	sent := 0
	measure(b, c, func() {
		inv := &invocation{f: f, ctx: context.Background(), reading: context.Background(), processor: process.New(f.rules), lanes: []*laneRun{lane}}
		lane.builder.Start(func(batch *batch.Batch) { sent += batch.Count() })
		if err := f.gunzip.Reset(c.packed, f.maxInflated); err != nil {
			b.Fatal(err)
		}
		if err := inv.forward(f.decoder.Records(&f.gunzip, &inv.base), 0); err != nil {
			b.Fatal(err)
		}
		lane.builder.Flush()
	})
	require.Zero(b, sent%c.events)
	require.NotZero(b, sent)
}

func benchmarkInvocation(b *testing.B, c *corpus) {
	b.Helper()
	handle := CloudWatch(benchForwarder(b, accepting{}, fastest(b)))
	event := c.event()
	measure(b, c, func() {
		if _, err := handle(context.Background(), event); err != nil {
			b.Fatal(err)
		}
	})
}

// benchmarkLimit does only what cannot be avoided: gunzip, one copy of the bodies, and their compression.
func benchmarkLimit(b *testing.B, c *corpus) {
	b.Helper()
	var bodies [][]byte
	plain := CloudWatch(benchForwarder(b, accepting{taken: func(body []byte) {
		bodies = append(bodies, body)
	}}, compress.Plain{}))
	_, err := plain(context.Background(), c.event())
	require.NoError(b, err)

	measureLimit(b, c, bodies)
}

// measureLimit gunzips the corpus, and copies and compresses the bodies that are made of it.
func measureLimit(b *testing.B, c *corpus, bodies [][]byte) {
	b.Helper()
	codec := fastest(b)
	var gz gzip.Reader
	var src bytes.Reader
	inflated, copied, packed := make([]byte, 32<<10), make([]byte, 5_000_000), []byte(nil)
	measure(b, c, func() {
		src.Reset(c.packed)
		if err := gz.Reset(&src); err != nil {
			b.Fatal(err)
		}
		for {
			_, err := gz.Read(inflated)
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		for _, body := range bodies {
			n := copy(copied, body)
			packed = codec.Append(packed[:0], copied[:n])
		}
	})
	total := 0
	for _, body := range bodies {
		total += len(body)
	}
	b.ReportMetric(float64(total)/float64(len(c.plain)), "out/in")
}

type naiveItem struct {
	Message   string         `json:"message"`
	ID        string         `json:"id"`
	Timestamp int64          `json:"timestamp"`
	Source    string         `json:"ddsource"`
	Category  string         `json:"ddsourcecategory"`
	Tags      string         `json:"ddtags"`
	Service   string         `json:"service"`
	Host      string         `json:"host"`
	AWS       map[string]any `json:"aws"`
}

// benchmarkNaive is the pipeline as it is usually written: unmarshal, structs, marshal, standard gzip.
func benchmarkNaive(b *testing.B, c *corpus) {
	b.Helper()
	event := c.event()
	measure(b, c, func() {
		var outer struct {
			AWSLogs struct {
				Data string `json:"data"`
			} `json:"awslogs"`
		}
		var payload struct {
			Owner     string `json:"owner"`
			LogGroup  string `json:"logGroup"`
			LogStream string `json:"logStream"`
			LogEvents []struct {
				ID        string `json:"id"`
				Timestamp int64  `json:"timestamp"`
				Message   string `json:"message"`
			} `json:"logEvents"`
		}
		require.NoError(b, json.Unmarshal(event, &outer))
		packed, err := base64.StdEncoding.DecodeString(outer.AWSLogs.Data)
		require.NoError(b, err)
		zr, err := stdgzip.NewReader(bytes.NewReader(packed))
		require.NoError(b, err)
		plain, err := io.ReadAll(zr)
		require.NoError(b, err)
		require.NoError(b, json.Unmarshal(plain, &payload))
		var items []naiveItem
		for _, e := range payload.LogEvents {
			items = append(items, naiveItem{
				Message: e.Message, ID: e.ID, Timestamp: e.Timestamp, Source: "vpc", Category: "aws",
				Tags: "env:prod,team:platform,forwardername:sluice,forwarder_version:" + Version, Service: "vpc", Host: payload.LogGroup,
				AWS: map[string]any{"awslogs": map[string]any{"logGroup": payload.LogGroup, "logStream": payload.LogStream, "owner": payload.Owner}},
			})
			if len(items) == 1000 {
				items = sendNaively(b, items)
			}
		}
		sendNaively(b, items)
	})
}

// sendNaively packs a body of the items and leaves none of them.
func sendNaively(b *testing.B, items []naiveItem) []naiveItem {
	b.Helper()
	body, err := json.Marshal(items)
	require.NoError(b, err)
	zw, _ := stdgzip.NewWriterLevel(io.Discard, 6)
	_, _ = zw.Write(body)
	_ = zw.Close()
	return items[:0]
}
