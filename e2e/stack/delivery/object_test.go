package delivery

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/stack"
	"sluice/e2e/stack/notify"
)

const namePattern = `to-here-1-2024-06-10-06-07-08-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`

func TestKeys(t *testing.T) {
	const hours = "2024/06/10/06/"
	for name, tc := range map[string]struct {
		objects Objects
		good    string // pattern before the name, or the whole key when it ends in $
		bad     string
	}{
		"no prefix":                       {Objects{}, hours, "http-endpoint-failed/" + hours},
		"a plain prefix has no separator": {Objects{Prefix: "legacy"}, "legacy" + hours, "legacyhttp-endpoint-failed/" + hours},
		"a space stays":                   {Objects{Prefix: "my app "}, "my app " + hours, "my app http-endpoint-failed/" + hours},
		"a plain error prefix":            {Objects{Prefix: "a/", ErrorPrefix: "errors/"}, "a/" + hours, "errors/http-endpoint-failed/" + hours},
		"expressions append nothing":      {Objects{Prefix: "y=!{timestamp:yyyy}/", ErrorPrefix: "e/!{firehose:error-output-type}/"}, "y=2024/", "e/http-endpoint-failed/"},
		"the error type may be last":      {Objects{ErrorPrefix: "e/hour=!{timestamp:HH}/!{firehose:error-output-type}"}, hours, "e/hour=06/http-endpoint-failed"},
		"quoted text is literal":          {Objects{Prefix: "!{timestamp:'year='yyyy'/it''s/'MM-dd''}/", ErrorPrefix: "!{firehose:error-output-type}/"}, "year=2024/it's/06-10'/", "http-endpoint-failed/"},
		"another zone moves prefix and name": {
			Objects{Zone: time.FixedZone("", 2*3600)},
			`2024/06/10/08/to-here-1-2024-06-10-08-07-08-[0-9a-f-]{36}$`, `http-endpoint-failed/2024/06/10/08/to-here-1-2024-06-10-08-07-08-[0-9a-f-]{36}$`,
		},
		"random texts differ": {
			Objects{Prefix: "!{firehose:random-string}/!{firehose:random-string}/", ErrorPrefix: "!{firehose:random-string}/!{firehose:error-output-type}/"},
			`[A-Za-z0-9]{11}/[A-Za-z0-9]{11}/`, `[A-Za-z0-9]{11}/http-endpoint-failed/`,
		},
		"an extension is added": {Objects{Extension: ".custom.log", Compression: Gzip}, hours + namePattern + `\.custom\.log$`, "http-endpoint-failed/" + hours + namePattern + `\.custom\.log$`},
	} {
		t.Run(name, func(t *testing.T) {
			s, m := rig(t, func(c *Config) {
				store := c.Objects.Store
				c.Objects = tc.objects
				c.Objects.Store, c.Objects.Bucket = store, "example-logs"
			})
			put(t, s, "a")
			require.NoError(t, s.Flush(t.Context()))
			_, err := s.Failed(t.Context(), HTTPEndpointFailed, FailedRecord{Data: []byte("a")})
			require.NoError(t, err)

			for i, want := range []string{tc.good, tc.bad} {
				if !strings.HasSuffix(want, "$") {
					want += namePattern + "$"
				}
				assert.Regexp(t, "^"+want, m.objects[i].key)
				assert.Equal(t, "application/octet-stream", m.objects[i].contentType)
			}
		})
	}
}

func TestTheKeyHasTheTimeOfTheOldestRecord(t *testing.T) {
	now := start
	s, m := rig(t, func(c *Config) { c.Now, c.Version = func() time.Time { return now }, 7 })
	put(t, s, "a")
	now = start.Add(90 * time.Minute)
	put(t, s, "b")
	require.NoError(t, s.Flush(t.Context()))
	require.Len(t, m.objects, 1)
	assert.Regexp(t, `^2024/06/10/06/to-here-7-2024-06-10-06-07-08-`, m.objects[0].key)
}

func TestTheSameSeedGivesTheSameKeys(t *testing.T) {
	var keys []string
	for range 2 {
		s, m := rig(t, nil)
		put(t, s, "a")
		require.NoError(t, s.Flush(t.Context()))
		keys = append(keys, m.objects[0].key)
	}
	assert.Equal(t, keys[0], keys[1])
}

func TestCompression(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, 300_000)
	_, _ = random.Read(noise)
	plain := string(noise) + strings.Repeat("a line\n", 50_000)
	for name, tc := range map[string]struct {
		compression         Compression
		extension, encoding string
		open                func(*testing.T, []byte) string
	}{
		"none":          {"", "", "", func(_ *testing.T, b []byte) string { return string(b) }},
		"gzip":          {Gzip, ".gz", "gzip", openGzip},
		"zip":           {Zip, ".zip", "zip", openZip},
		"snappy":        {Snappy, ".snappy", "snappy-java", openXerial},
		"hadoop snappy": {HadoopSnappy, ".snappy", "hadoop-snappy", openHadoop},
	} {
		t.Run(name, func(t *testing.T) {
			s, m := rig(t, func(c *Config) { c.Objects.Compression = tc.compression })
			_, err := s.Put("", []byte(plain))
			require.NoError(t, err)
			require.NoError(t, s.Flush(t.Context()))

			require.Len(t, m.objects, 1)
			assert.Regexp(t, namePattern+strings.ReplaceAll(tc.extension, ".", `\.`)+"$", m.objects[0].key)
			assert.Equal(t, tc.encoding, m.objects[0].encoding)
			assert.Zero(t, strings.Compare(plain, tc.open(t, m.objects[0].body)), "the bytes are the same")
		})
	}
}

func openGzip(t *testing.T, b []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	require.NoError(t, err)
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(plain)
}

func openZip(t *testing.T, b []byte) string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	require.Len(t, r.File, 1)
	assert.Regexp(t, `^[0-9a-f-]{36}$`, r.File[0].Name)
	assert.Equal(t, zip.Deflate, r.File[0].Method)
	file, err := r.File[0].Open()
	require.NoError(t, err)
	plain, err := io.ReadAll(file)
	require.NoError(t, err)
	return string(plain)
}

func openXerial(t *testing.T, b []byte) string {
	t.Helper()
	head := "\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"
	require.Equal(t, head, string(b[:len(head)]))
	var plain []byte
	for b = b[len(head):]; len(b) > 0; {
		block := openBlock(t, &b)
		assert.LessOrEqual(t, len(block), 32<<10)
		plain = append(plain, block...)
	}
	return string(plain)
}

func openHadoop(t *testing.T, b []byte) string {
	t.Helper()
	var plain []byte
	for len(b) > 0 {
		end := len(plain) + int(binary.BigEndian.Uint32(b))
		for b = b[4:]; len(plain) < end; {
			plain = append(plain, openBlock(t, &b)...)
		}
		assert.Len(t, plain, end)
	}
	return string(plain)
}

func openBlock(t *testing.T, b *[]byte) []byte {
	t.Helper()
	n := int(binary.BigEndian.Uint32(*b))
	block, err := snappy.Decode(nil, (*b)[4:4+n])
	require.NoError(t, err)
	*b = (*b)[4+n:]
	return block
}

func TestSourceBackup(t *testing.T) {
	backup := &memory{}
	s, m := rig(t, func(c *Config) {
		c.Backup = &Objects{Store: backup, Bucket: "example-backup", Prefix: "source/", Compression: Gzip}
		c.Transform = &Transform{Function: each("Dropped", same)}
	})
	put(t, s, "a", "b")
	require.NoError(t, s.Flush(t.Context()))
	assert.Empty(t, m.objects)
	require.Len(t, backup.objects, 1)
	assert.Regexp(t, "^source/2024/06/10/06/"+namePattern+`\.gz$`, backup.objects[0].key)
	assert.Equal(t, "ab", openGzip(t, backup.objects[0].body))
	assert.Equal(t, SourceBackup, s.Objects()[0].Kind)
}

func TestPartitionKeys(t *testing.T) {
	s, m := rig(t, func(c *Config) {
		c.Objects.Prefix = "by=!{partitionKeyFromLambda:kind}/"
		c.Objects.ErrorPrefix = "errors/!{firehose:error-output-type}/"
		c.Transform = &Transform{Function: invoker(func(payload []byte) (stack.Result, error) {
			var e sent
			require.NoError(t, json.Unmarshal(payload, &e))
			answer := `{"records":[{"recordId":"` + e.Records[0].ID + `","result":"Ok","data":"YQ==","metadata":{"partitionKeys":{"kind":"x"}}},` +
				`{"recordId":"` + e.Records[1].ID + `","result":"Ok","data":"Yg==","metadata":{"partitionKeys":{"kind":"y"}}},` +
				`{"recordId":"` + e.Records[2].ID + `","result":"Ok","data":"Yw==","metadata":{"partitionKeys":{"kind":"x"}}},` +
				`{"recordId":"` + e.Records[3].ID + `","result":"Ok","data":"ZA=="}]}`
			return stack.Result{Response: []byte(answer)}, nil
		})}
	})
	put(t, s, "a", "b", "c", "d")
	require.NoError(t, s.Flush(t.Context()))
	assert.Equal(t, "ac", m.under("by=x/to-here-"))
	assert.Equal(t, "b", m.under("by=y/to-here-"))
	assert.Contains(t, m.under("errors/processing-failed/"), "DynamicPartitioning.")
}

func TestConfigIsChecked(t *testing.T) {
	good := func() Config {
		return Config{Name: "a", Objects: Objects{Store: &memory{}, Bucket: "example-logs"}}
	}
	for name, tc := range map[string]struct {
		change func(*Config)
		err    string
	}{
		"no name":                          {func(c *Config) { c.Name = "" }, "Name"},
		"a slash in the name":              {func(c *Config) { c.Name = "a/b" }, "Name"},
		"no store":                         {func(c *Config) { c.Objects.Store = nil }, "Store"},
		"an unknown compression":           {func(c *Config) { c.Objects.Compression = "SNAPPY" }, "Compression"},
		"an extension without a dot":       {func(c *Config) { c.Objects.Extension = "gz" }, "Extension"},
		"a large buffer":                   {func(c *Config) { c.Objects.BufferBytes = 129 << 20 }, "BufferBytes"},
		"no function":                      {func(c *Config) { c.Transform = &Transform{} }, "Function"},
		"a large transformation":           {func(c *Config) { c.Transform = &Transform{Function: each("Ok", same), BufferBytes: 4 << 20} }, "Transform.BufferBytes"},
		"no URL":                           {func(c *Config) { c.HTTP = &HTTP{} }, "URL"},
		"a long key":                       {func(c *Config) { c.HTTP = &HTTP{URL: "http://a", AccessKey: strings.Repeat("k", 4_097)} }, "AccessKey"},
		"a long retry":                     {func(c *Config) { c.HTTP = &HTTP{URL: "http://a", Retry: 3 * time.Hour} }, "Retry"},
		"an attribute without a name":      {func(c *Config) { c.HTTP = &HTTP{URL: "http://a", Attributes: map[string]string{"": "x"}} }, "attribute"},
		"expressions need an error one":    {func(c *Config) { c.Objects.Prefix = "!{timestamp:yyyy}/" }, "ErrorPrefix: set it"},
		"the error type is asked for":      {func(c *Config) { c.Objects.ErrorPrefix = "!{timestamp:yyyy}/" }, "error-output-type"},
		"the error type is not for good":   {func(c *Config) { c.Objects.Prefix = "!{firehose:error-output-type}/" }, "for ErrorPrefix"},
		"partition keys are not for bad":   {func(c *Config) { c.Objects.ErrorPrefix = "!{partitionKeyFromLambda:a}/" }, "for Prefix"},
		"an expression that is not played": {func(c *Config) { c.Objects.Prefix = "!{partitionKeyFromQuery:a}/" }, "not played"},
		"a field that is not played":       {func(c *Config) { c.Objects.Prefix = "!{timestamp:qq}/" }, "qq"},
		"an open quote":                    {func(c *Config) { c.Objects.Prefix = "!{timestamp:'a}/" }, "quoted"},
		"an open expression":               {func(c *Config) { c.Objects.Prefix = "!{timestamp:yyyy" }, "does not end"},
		"keys without a function": {func(c *Config) {
			c.Objects.Prefix, c.Objects.ErrorPrefix = "!{partitionKeyFromLambda:a}/", "!{firehose:error-output-type}/"
		}, "partition keys need"},
	} {
		t.Run(name, func(t *testing.T) {
			c := good()
			tc.change(&c)
			_, err := New(c)
			assert.ErrorContains(t, err, tc.err)
		})
	}
}

func TestFailed(t *testing.T) {
	const (
		head = `{"attemptsMade":3,"arrivalTimestamp":1717999628009,"errorCode":"CODE","errorMessage":"<a> & \"b\"","attemptEndingTimestamp":1717999628009,`
		raw  = `"rawData":"YQo="`
		id   = "49650000000000000000000000000000000000000000000001000000"
	)
	table := `"dataCatalogTable":{"catalogId":null,"databaseName":"logs","tableName":"events","region":"eu-west-1","versionId":"LATEST","catalogArn":null}`
	es := head + `"esDocumentId":"` + id + `.0","esIndexName":"logs","esTypeName":"",` + raw + "}"
	want := map[Kind]string{
		ProcessingFailed:       head + raw + `,"lambdaARN":"arn:aws:lambda:eu-west-1:123456789012:function:transform:$LATEST"}`,
		DecompressionFailed:    head + raw + "}",
		FormatConversionFailed: strings.NewReplacer("errorCode", "lastErrorCode", "errorMessage", "lastErrorMessage").Replace(head) + raw + `,"sequenceNumber":"` + id + `","subSequenceNumber":null,` + table + "}",
		ElasticsearchFailed:    es,
		OpenSearchFailed:       es,
		ServerlessFailed:       head + raw + `,"osDocumentId":"1%3A0%3A` + id + `","osIndexName":"logs"}`,
		SplunkFailed:           head + raw + `,"EventId":"` + id + `.0"}`,
		HTTPEndpointFailed:     head + raw + `,"subsequenceNumber":0,"dataId":"` + id + `.0"}`,
		SnowflakeFailed:        head + raw + "}",
		IcebergFailed:          head + raw + `,"EventId":"` + id + `","SubsequenceNumber":null,"ApproximateArrivalTimestamp":1717999628009}`,
	}
	for _, kind := range FailedKinds() {
		t.Run(string(kind), func(t *testing.T) {
			s, m := rig(t, nil)
			record := FailedRecord{Data: []byte("a\n"), Payload: "p", Attempts: 3, Code: "CODE", Message: `<a> & "b"`}
			printed := record
			printed.AsPrinted = true
			w, err := s.Failed(t.Context(), kind, record, printed, FailedRecord{})
			require.NoError(t, err)

			assert.Equal(t, kind, w.Kind)
			assert.Equal(t, []string{"p"}, w.Payloads)
			assert.Equal(t, 3, w.Records)
			assert.Regexp(t, "^"+string(kind)+"/2024/06/10/06/"+namePattern+"$", w.Key)
			lines := strings.Split(string(m.objects[0].body), "\n")
			require.Len(t, lines, 4)
			assert.Equal(t, want[kind], lines[0])
			assert.Contains(t, lines[1], `"attemptsMade":"3","arrivalTimestamp":"1717999628009"`)
			assert.Contains(t, lines[2], `"rawData":""`)
			assert.Empty(t, lines[3])
			envelopes(t, string(m.objects[0].body))
		})
	}
	s, _ := rig(t, nil)
	_, err := s.Failed(t.Context(), Delivered, FailedRecord{})
	require.ErrorContains(t, err, "FailedKinds")
}

func TestManifest(t *testing.T) {
	s, m := rig(t, func(c *Config) { c.Objects.Compression, c.Objects.Prefix = Gzip, "a/" })
	w, err := s.Manifest(t.Context(), notify.Object{Bucket: "example-logs", Key: "2024/06/10/06/a+b c.gz"})
	require.NoError(t, err)
	assert.Regexp(t, "^errors/manifests/2024/06/10/06/"+namePattern+"$", w.Key)
	assert.JSONEq(t, `{"entries":[{"url":"s3://example-logs/2024/06/10/06/a+b c.gz","mandatory":true}]}`, string(m.objects[0].body))
	assert.Equal(t, RedshiftManifest, w.Kind)
}

func TestWrittenIsCalled(t *testing.T) {
	var keys []string
	s, m := rig(t, func(c *Config) { c.Written = func(w Written) { keys = append(keys, w.Key) } })
	put(t, s, "a")
	require.NoError(t, s.Flush(t.Context()))
	require.Len(t, m.objects, 1)
	assert.Equal(t, []string{m.objects[0].key}, keys)
}

func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{"a/", "!{timestamp:yyyy'/'MM}", "!{firehose:random-string}!{", "!{timestamp:'''}", "!{firehose:error-output-type}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		template, err := parseTemplate(text)
		if err != nil {
			assert.Contains(t, text, "!{")
			return
		}
		got := template.evaluate(place{at: start, kind: ProcessingFailed}, rand.New(rand.NewPCG(1, 1)))
		if !template.expressive() {
			assert.Equal(t, text, got)
		}
	})
}
