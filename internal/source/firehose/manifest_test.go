package firehose_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/source/firehose"
)

const manifestKey = "load/errors/manifests/2024/06/10/06/warehouse-4-2024-06-10-06-13-20-" + id

func manifestFile(tb testing.TB) []byte {
	tb.Helper()
	doc, err := os.ReadFile("testdata/manifest.json")
	require.NoError(tb, err)
	return doc
}

func TestIsManifest(t *testing.T) {
	const otherKey = "2024/06/10/06/app-1-2024-06-10-06-13-20-" + id
	const oldKey = "load/errors/2024/06/10/06/warehouse-4-2024-06-10-06-13-20-" + id
	const entry = `{"url":"s3://b/k"}`
	file := string(manifestFile(t))
	for name, tc := range map[string]struct {
		key, doc string
		want     bool
	}{
		"manifest under its folder":                   {manifestKey, file, true},
		"manifest under the folder of 2016":           {oldKey, file, true},
		"manifest with another key":                   {otherKey, file, true},
		"manifest with no Firehose key":               {"errors/x", file, true},
		"beginning of a manifest":                     {manifestKey, file[:200], true},
		"beginning of a manifest with another key":    {otherKey, file[:200], true},
		"beginning before the end of the first entry": {manifestKey, file[:60], false},
		"beginning before the entries":                {manifestKey, file[:10], false},
		"empty list under its folder":                 {manifestKey, `{"entries":[]}`, true},
		"empty list under the folder of 2016":         {oldKey, `{"entries":[]}`, true},
		"more members under the folder of 2016":       {oldKey, `{"version":2,"entries":[{"url":"s3://b/k","size":1}]}`, true},
		"empty list with another key":                 {otherKey, `{"entries":[]}`, false},
		"more members under its folder":               {manifestKey, `{"version":2,"entries":[{"url":"s3://b/k","size":1}]}`, true},
		"more members with another key":               {otherKey, `{"version":2,"entries":[` + entry + `]}`, false},
		"more in an entry with another key":           {otherKey, `{"entries":[` + entry + `,{"url":"s3://b/k","size":1}]}`, false},
		"meta and mandatory with another key":         {otherKey, `{"entries":[{"url":"s3://b/k","meta":{"content_length":5},"mandatory":false}]}`, true},
		"member behind the list with another key":     {otherKey, `{"entries":[` + entry + `],"level":"info"}`, false},
		"line behind it with another key":             {otherKey, `{"entries":[` + entry + `]}` + "\n" + `{"level":"info"}`, false},
		"newline behind it":                           {otherKey, `{"entries":[` + entry + `]}` + "\n", true},
		"URL of the web":                              {manifestKey, `{"entries":[{"url":"https://example.com/k"}]}`, false},
		"one URL of the web with another key":         {otherKey, `{"entries":[` + entry + `,{"url":"https://example.com/k"}]}`, false},
		"entries that are texts":                      {manifestKey, `{"entries":["s3://b/k"]}`, false},
		"entries that are a text":                     {manifestKey, `{"entries":"s3://b/k"}`, false},
		"logs under its folder":                       {manifestKey, `{"level":"info"}`, false},
		"text under its folder":                       {manifestKey, "entries", false},
		"failed record under its folder":              {manifestKey, `{"attemptsMade":1,"rawData":"QQ=="}`, false},
		"entries one level deeper":                    {otherKey, `{"a":` + file + `}`, false},
		"empty":                                       {manifestKey, "", false},
		"no Firehose name below errors":               {"errors/x", `{"version":2,"entries":[` + entry + `]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, firehose.IsManifest(tc.key, []byte(tc.doc)))
		})
	}
}

func TestIsManifestKey(t *testing.T) {
	const name = "2024/06/10/06/warehouse-4-2024-06-10-06-13-20-" + id
	for key, want := range map[string]bool{
		manifestKey:                         true,
		"errors/manifests/" + name:          true,
		"errors/manifests/x":                true,
		"errors/" + name:                    true, // as the guide of 2016 has it
		"load/errors/" + name:               true,
		"errors/splunk-failed/" + name:      true, // the content decides
		"errors/x":                          false,
		"manifests/" + name:                 false,
		name:                                false,
		"load/" + name:                      false,
		"":                                  false,
		strings.ToUpper("errors/manifests"): false,
	} {
		assert.Equal(t, want, firehose.IsManifestKey(key), key)
	}
}

func TestParseManifest(t *testing.T) {
	entry := func(key string) firehose.Entry { return firehose.Entry{Bucket: "b", Key: key} }
	for name, tc := range map[string]struct {
		doc  string
		want []firehose.Entry
		errs []string
	}{
		"file": {
			string(manifestFile(t)),
			[]firehose.Entry{
				{Bucket: "example-logs", Key: "2024/06/10/06/warehouse-4-2024-06-10-06-10-20-1a2b3c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d", Mandatory: true},
				{Bucket: "example-logs", Key: "a+b %2F c/warehouse-4-2024-06-10-06-11-20-2a2b3c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d.gz"},
			},
			nil,
		},
		"empty list":          {`{"entries":[]}`, nil, nil},
		"other members":       {`{"v":1,"entries":[{"meta":{"url":"x"},"url":"s3://b/k"}],"w":[]}`, []firehose.Entry{entry("k")}, nil},
		"mandatory as a text": {`{"entries":[{"mandatory":"true","url":"s3://b/k"}]}`, []firehose.Entry{{Bucket: "b", Key: "k", Mandatory: true}}, nil},
		"mandatory is null":   {`{"entries":[{"mandatory":null,"url":"s3://b/k"}]}`, []firehose.Entry{entry("k")}, nil},
		"escapes":             {`{"entries":[{"url":"s3:\/\/b\/\u00e9"}]}`, []firehose.Entry{entry("é")}, nil},
		"scheme in capitals":  {`{"entries":[{"url":"S3://b/k"}]}`, []firehose.Entry{entry("k")}, nil},
		"key with slashes at both ends": {
			`{"entries":[{"url":"s3://b//k/"}]}`, []firehose.Entry{entry("/k/")}, nil,
		},
		"bad entries between good ones": {
			`{"entries":[{"url":"s3://b/0"},{"mandatory":true},{"url":5},{"url":"https://example.com/k"},{"url":"s3://b/"},{"url":"s3:///k"},{"url":"s3://b"},7,{"url":"s3://b/8"}]}`,
			[]firehose.Entry{entry("0"), entry("8")},
			[]string{
				"redshift manifest of 167 bytes: entries[1]: it has no url", "entries[2]: it has no url", `entries[3]: url "https://example.com/k" is not s3://bucket/key`,
				`entries[4]: url "s3://b/" is not`, `entries[5]: url "s3:///k" is not`, `entries[6]: url "s3://b" is not`, "entries[7]: json at byte 0 of 1: expected an object",
			},
		},
		"URL that is no UTF-8": {"{\"entries\":[{\"url\":\"s3://b/\xff\"}]}", nil, []string{"entries[0]: its url is not UTF-8"}},
		"long URL is cut in the error": {
			`{"entries":[{"url":"` + strings.Repeat("x", 100) + `"}]}`, nil, []string{`url "` + strings.Repeat("x", 80) + `" is`},
		},
		"cut in an entry": {
			`{"entries":[{"url":"s3://b/0"},{"url":"s3://b/1`, []firehose.Entry{entry("0")}, []string{"entries[1]: json at byte 0", "list of entries, after 2 of them: json at byte"},
		},
		"cut in the list":        {`{"entries":[{"url":"s3://b/0"}`, []firehose.Entry{entry("0")}, []string{"list of entries, after 1 of them"}},
		"cut behind the list":    {`{"entries":[{"url":"s3://b/0"}]`, []firehose.Entry{entry("0")}, []string{"json at byte 31 of 31"}},
		"bytes behind":           {`{"entries":[{"url":"s3://b/0"}]}{}`, []firehose.Entry{entry("0")}, []string{"2 bytes stand behind its end"}},
		"no entries":             {`{"rawData":"QQ=="}`, nil, []string{"it has no entries"}},
		"entries are an object":  {`{"entries":{}}`, nil, []string{"list of entries, after 0 of them: json at byte 0 of 2: expected an array"}},
		"text":                   {"s3://b/k", nil, []string{"expected an object", "it has no entries"}},
		"comma behind the entry": {`{"entries":[{"url":"s3://b/0"},]}`, []firehose.Entry{entry("0")}, []string{"entries[1]"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := firehose.ParseManifest([]byte(tc.doc))
			assert.Equal(t, tc.want, got)
			if tc.errs == nil {
				require.NoError(t, err)
			}
			for _, text := range tc.errs {
				require.ErrorContains(t, err, text)
			}
		})
	}
}

func TestParseManifestIsBounded(t *testing.T) {
	list := func(entry string, n int) []byte {
		return []byte(`{"entries":[` + strings.TrimSuffix(strings.Repeat(entry+",", n), ",") + `]}`)
	}
	got, err := firehose.ParseManifest(list(`{"url":"s3://b/k"}`, 100_000))
	require.NoError(t, err)
	assert.Len(t, got, 100_000)

	got, err = firehose.ParseManifest(list(`{"url":"s3://b/k"}`, 100_001))
	require.ErrorContains(t, err, "entries beyond the first 100000 are not read")
	assert.Len(t, got, 100_000)

	got, err = firehose.ParseManifest(list(`{}`, 150))
	require.ErrorContains(t, err, "entries[99]: ")
	require.ErrorContains(t, err, "50 further entries are bad")
	assert.NotContains(t, err.Error(), "entries[100]")
	assert.Empty(t, got)
}

// FuzzManifest reads any bytes, holds valid documents to encoding/json, and gets the entry back that it writes.
func FuzzManifest(f *testing.F) {
	f.Add(manifestFile(f), "b", "a+b%20/c")
	f.Add([]byte(`{"entries":[{"url":"s3://b/k"},{"url":"s3:\/\/b`), "b", "é\"")
	f.Add([]byte(`{"v":1,"entries":[{"url":5},{"mandatory":true,"url":"s3://b/k"}]}`), "", "")
	f.Fuzz(func(t *testing.T, doc []byte, bucket, key string) {
		got, err := firehose.ParseManifest(doc)
		if json.Valid(doc) && bytes.Count(doc, []byte("entries")) <= 1 && !bytes.Contains(doc, []byte(`\u`)) {
			want, whole := slowManifest(doc)
			require.Equal(t, want, got)
			require.Equal(t, whole, err == nil)
		}
		if json.Valid(doc) && firehose.IsManifest("a/b", doc) {
			require.NotEmpty(t, got, "a manifest by its content alone has an entry")
		}

		bucket, key = strings.ToValidUTF8(strings.ReplaceAll(bucket, "/", ""), ""), strings.ToValidUTF8(key, "")
		url, jsonErr := json.Marshal("s3://" + bucket + "/" + key)
		require.NoError(t, jsonErr)
		written := []byte(`{"entries":[{"url":` + string(url) + `,"mandatory":true}]}`)
		require.True(t, firehose.IsManifest(manifestKey, written))
		got, err = firehose.ParseManifest(written)
		if bucket == "" || key == "" {
			require.ErrorContains(t, err, "entries[0]")
			return
		}
		require.NoError(t, err)
		require.Equal(t, []firehose.Entry{{Bucket: bucket, Key: key, Mandatory: true}}, got)
	})
}

// slowManifest reads a valid document, and reports whether all of it could be read.
func slowManifest(doc []byte) (entries []firehose.Entry, whole bool) {
	var members map[string]json.RawMessage
	var list []json.RawMessage
	if json.Unmarshal(doc, &members) != nil || json.Unmarshal(members["entries"], &list) != nil || list == nil {
		return nil, false
	}
	whole = true
	for _, text := range list {
		var entry map[string]json.RawMessage
		var url *string
		if json.Unmarshal(text, &entry) != nil || json.Unmarshal(entry["url"], &url) != nil || url == nil || !utf8.Valid(entry["url"]) ||
			len(*url) < 5 || !strings.EqualFold((*url)[:5], "s3://") {
			whole = false
			continue
		}
		bucket, key, _ := strings.Cut((*url)[5:], "/")
		if bucket == "" || key == "" {
			whole = false
			continue
		}
		mandatory, _ := strconv.ParseBool(strings.Trim(string(entry["mandatory"]), `"`))
		entries = append(entries, firehose.Entry{Bucket: bucket, Key: key, Mandatory: mandatory && strings.Contains(string(entry["mandatory"]), "true")})
	}
	return entries, whole
}

func BenchmarkParseManifest(b *testing.B) {
	entry := `{"url":"s3://example-logs/2024/06/10/06/warehouse-4-2024-06-10-06-10-20-` + id + `","mandatory":true}`
	doc := []byte(`{"entries":[` + strings.TrimSuffix(strings.Repeat(entry+",", 1000), ",") + `]}`)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if list, err := firehose.ParseManifest(doc); err != nil || len(list) != 1000 {
			b.Fatal(err)
		}
	}
}
