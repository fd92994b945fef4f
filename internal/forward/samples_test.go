package forward

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/compress"
	"sluice/internal/record"
	"sluice/internal/service"
	"sluice/internal/source/firehose"
)

const (
	samplesDir    = "testdata/samples"
	samplesGolden = "testdata/samples.golden"
	sampleBucket  = "example-logs"
	sampleETag    = "0123456789abcdef0123456789abcdef"

	// sampleSettings are those with as little as can be: what a sample becomes is the work of our tables alone.
	sampleSettings = `{park_bucket: example-park, destinations: [{id: archive, type: http, url: "https://logs.example.com/ingest"}]}`
)

// sample says how a file of testdata/samples comes to us, and what comes out.
type sample struct {
	file string // a JSON document, lines of a log, or what S3 keeps

	key           string // the file is an S3 object of this key. A text whose key ends in .gz is packed
	coding        string // Content-Encoding of the object
	group, stream string // the file is in a log group: each line is an event
	whole         bool   // the file is one event of the group
	streamed      bool   // each line is a record of a Kinesis stream

	trigger func(*Forwarder) Handler // the file is an event, which this function gets
	holds   string                   // the file that is in the object that the event names

	want outcome
}

// outcome is what comes out of a sample.
type outcome struct {
	sent            int            // records, each delivered
	dropped, parked map[string]int // by rule, by reason
	source, service string         // of the records, in the order in which each comes up first
	log             service.Log    // of an object
	first, last     string         // event time of the first record and of the last one; empty: it has none
	firehose        string         // attributes of the first record
	read            string         // the object that an event leads to, with its version
	answer          string         // empty for null, which is all that an asynchronous event needs
}

// TestSamples puts every sample on the way that it has in life. The ids of the first and the last record are in
// samples.golden: they stand as long as the coordinates of a record do.
func TestSamples(t *testing.T) {
	golden := readGolden(t)
	var ids strings.Builder
	for _, s := range allSamples() {
		t.Run(s.name(), func(t *testing.T) {
			got := s.check(t)
			fmt.Fprintf(&ids, "%s: %s\n", s.name(), got)
			if !*update {
				assert.Equal(t, golden[s.name()], got, "ids")
			}
		})
	}
	if *update {
		require.NoError(t, os.WriteFile(samplesGolden, []byte(ids.String()), 0o644))
	}
}

// readGolden returns what samples.golden says, by the name of the sample.
func readGolden(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(samplesGolden)
	if !*update {
		require.NoError(t, err, "write it with -update")
	}
	golden := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, ids, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		golden[name] = ids
	}
	return golden
}

// TestEverySampleHasARow keeps a file from lying there without a test.
func TestEverySampleHasARow(t *testing.T) {
	rows := map[string]bool{}
	names := map[string]bool{}
	for _, s := range allSamples() {
		rows[s.file], names[s.name()] = true, true
	}
	assert.Len(t, names, len(allSamples()), "each row has a name of its own")
	assert.ElementsMatch(t, slices.Collect(maps.Keys(names)), slices.Collect(maps.Keys(readGolden(t))), samplesGolden)
	for _, file := range shapedFiles() {
		rows[file] = true
	}
	files := 0
	require.NoError(t, filepath.WalkDir(samplesDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "README.md" {
			return err
		}
		files++
		file, err := filepath.Rel(samplesDir, path)
		assert.True(t, rows[filepath.ToSlash(file)], "%s has no row", file)
		return err
	}))
	assert.Len(t, rows, files, "each row has a file")
}

func allSamples() []sample {
	return slices.Concat(objectSamples, deliveredSamples, failedSamples, groupSamples, eventSamples)
}

func (s sample) name() string { return s.file + " as " + s.way() }

// way names how the sample comes.
func (s sample) way() string {
	_, delivered := firehose.ParseKey(s.key)
	switch {
	case delivered:
		return "delivered object"
	case s.key != "":
		return "object"
	case s.group != "":
		return "log group"
	case s.streamed:
		return "stream"
	default:
		return "event"
	}
}

// check sends the sample on its way and returns the ids of its first and last record.
func (s sample) check(t *testing.T) (ids string) {
	t.Helper()
	data := readSample(t, s.file)
	bucket := &sampleStore{}
	var answer string
	var items []map[string]any
	var counts sampleCounts
	switch s.way() {
	case "object", "delivered object":
		bucket.object, bucket.coding = s.stored(t, data), s.coding
		answer, items, counts = sendSample(t, S3, bucket, sampleNotice(s.key))
		assert.Equal(t, s.want.log, service.FromObject(s.key, []byte(s.plain(t, data))).Log, "log")
	case "log group":
		answer, items, counts = sendSample(t, CloudWatch, bucket, s.subscription(t, data))
	case "stream":
		answer, items, counts = sendSample(t, Kinesis, bucket, batchOf(bytes.SplitAfter(data[:len(data)-1], []byte("\n"))...))
	default:
		if s.holds != "" {
			bucket.object = packed(t, readSample(t, s.holds))
		}
		answer, items, counts = sendSample(t, s.trigger, bucket, data)
		assert.Equal(t, s.want.read, strings.Join(bucket.read, ", "), "object")
	}
	if s.want.answer == "" {
		s.want.answer = "null"
	}
	assert.JSONEq(t, s.want.answer, answer)
	assert.Equal(t, s.want.sent, counts.Delivered, "delivered")
	assert.Equal(t, notNil(s.want.dropped), notNil(counts.Dropped), "dropped")
	assert.Equal(t, notNil(s.want.parked), notNil(counts.Parked), "parked")
	if s.trigger == nil && !strings.HasPrefix(s.file, "failed-objects/") {
		checkWhole(t, s.plain(t, data), items)
	}
	checkAttributes(t, s.file, items)
	return s.want.checkItems(t, items)
}

// checkWhole finds each message in the file, one behind the other, byte by byte as it stands there.
func checkWhole(t *testing.T, plain string, items []map[string]any) {
	t.Helper()
	for i, item := range items {
		_, rest, found := strings.Cut(plain, textOf(item, "message"))
		require.True(t, found, "message %d is not in the file, or not behind the one before", i)
		plain = rest
	}
}

// plain is the text of a file that may be packed.
func (s sample) plain(t *testing.T, data []byte) string {
	t.Helper()
	var plain compress.Unpacker
	plain.Reset(bytes.NewReader(data), s.coding, compress.Limits{})
	text, err := io.ReadAll(&plain)
	require.NoError(t, err)
	return string(text)
}

func (w *outcome) checkItems(t *testing.T, items []map[string]any) (ids string) {
	t.Helper()
	require.Len(t, items, w.sent)
	assert.Equal(t, w.source, inOrder(items, "source"))
	assert.Equal(t, w.service, inOrder(items, "service"))
	if len(items) == 0 {
		return "none"
	}
	first, last := items[0], items[len(items)-1]
	assert.Equal(t, w.first, textOf(first, "time"), "first time")
	assert.Equal(t, w.last, textOf(last, "time"), "last time")
	if w.firehose != "" {
		attrs, _ := first["attrs"].(map[string]any)
		got, err := json.Marshal(attrs["firehose"])
		require.NoError(t, err)
		assert.JSONEq(t, w.firehose, string(got))
	}
	return textOf(first, "id") + " " + textOf(last, "id")
}

// inOrder joins the different values of a member.
func inOrder(items []map[string]any, name string) string {
	var values []string
	seen := map[string]bool{}
	for _, item := range items {
		if value := textOf(item, name); !seen[value] {
			seen[value] = true
			values = append(values, value)
		}
	}
	return strings.Join(values, ", ")
}

func textOf(item map[string]any, name string) string {
	text, _ := item[name].(string)
	return text
}

func notNil(tally map[string]int) map[string]int {
	if tally == nil {
		return map[string]int{}
	}
	return tally
}

func readSample(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(samplesDir, filepath.FromSlash(file)))
	require.NoError(t, err)
	return data
}

// stored is the file as S3 keeps it.
func (s sample) stored(t *testing.T, data []byte) []byte {
	t.Helper()
	if strings.HasSuffix(s.key, ".gz") && !bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		return packed(t, data)
	}
	return data
}

// subscription is the event of a log group whose events are the lines of the file, a second apart.
func (s sample) subscription(t *testing.T, data []byte) []byte {
	t.Helper()
	lines := []string{string(data)}
	if !s.whole {
		lines = strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	}
	doc := fmt.Appendf(nil, `{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":%q,"logStream":%q,`+
		`"subscriptionFilters":["sluice"],"logEvents":[`, s.group, s.stream)
	at := time.Date(2026, 2, 1, 9, 59, 0, 0, time.UTC)
	for i, line := range lines {
		if i > 0 {
			doc = append(doc, ',')
		}
		doc = fmt.Appendf(doc, `{"id":"%056d","timestamp":%d,"message":"`, i, at.Add(time.Duration(i)*time.Second).UnixMilli())
		doc = append(record.AppendEscaped(doc, line), `"}`...)
	}
	return direct(packed(t, append(doc, "]}"...)))
}

// sampleNotice is S3's own event for an object. Its size is any but 0: what counts is what S3 answers.
func sampleNotice(key string) []byte {
	return fmt.Appendf(nil, `{"Records":[{"eventSource":"aws:s3","awsRegion":"eu-west-1","eventName":"ObjectCreated:Put",`+
		`"s3":{"bucket":{"name":%q},"object":{"key":%q,"size":1,"eTag":%q}}}]}`, sampleBucket, url.QueryEscape(key), sampleETag)
}

// sampleCounts are those of a destination in the line of an invocation.
type sampleCounts struct {
	In, Delivered             int
	Dropped, Parked, Returned map[string]int
}

// sendSample answers an event with a forwarder of its own.
func sendSample(t *testing.T, trigger func(*Forwarder) Handler, bucket *sampleStore, event []byte) (string, []map[string]any, sampleCounts) {
	t.Helper()
	r := newRig(t, sampleSettings)
	client := func() (s3Client, error) { return bucket, nil }
	r.objects.client, r.park.client = client, client
	answer, err := trigger(r.Forwarder).Invoke(lambdaContext(t), event)
	require.NoError(t, err)
	var line struct {
		Destinations map[string]sampleCounts `json:"destinations"`
		Unaccounted  int
	}
	require.NoError(t, json.Unmarshal(r.out.Bytes(), &line))
	assert.Zero(t, line.Unaccounted)
	counts := line.Destinations["archive"]
	assert.Empty(t, counts.Returned)
	assert.Equal(t, counts.In, counts.Delivered+sum(counts.Dropped)+sum(counts.Parked))
	return string(answer), r.intake.items(t, archiveHost), counts
}

// sampleStore is S3 with one object, whatever it is asked for.
type sampleStore struct {
	s3Client // what no sample asks for

	object []byte
	coding string
	read   []string // bucket/key, and the version behind an @
}

func (b *sampleStore) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	if strings.Contains(*in.Key, "/v1/") { // of the park store
		return nil, errNoSuchKey
	}
	name := *in.Bucket + "/" + *in.Key
	if in.VersionId != nil {
		name += "@" + *in.VersionId
	}
	b.read = append(b.read, name)
	etag := aws.ToString(in.IfMatch)
	if etag == "" {
		etag = `"` + sampleETag + `"`
	}
	return &s3.GetObjectOutput{
		Body: io.NopCloser(bytes.NewReader(b.object)), ContentLength: aws.Int64(int64(len(b.object))),
		ContentEncoding: aws.String(b.coding), ETag: aws.String(etag), VersionId: in.VersionId,
	}, nil
}

func (b *sampleStore) PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	return &s3.PutObjectOutput{}, nil
}
