package forward

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	eventsDir  = "../../events"
	goldenDir  = "testdata/golden"
	objectsDir = "testdata/objects" // those that the events announce; index.json says which file is which
)

// TestGolden shows what leaves for each sample event: the requests to either destination, and what AWS and the log get.
// The sample events are those of `sam local invoke`.
func TestGolden(t *testing.T) {
	events, err := filepath.Glob(filepath.Join(eventsDir, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, events)
	expected := map[string]bool{}
	for _, path := range events {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			event, err := os.ReadFile(path)
			require.NoError(t, err)
			filesOf := goldens
			if strings.HasPrefix(name, "firehose-") {
				filesOf = streamGoldens
			}
			for golden, got := range filesOf(t, name, event) {
				expected[golden] = true
				compare(t, filepath.Join(goldenDir, golden), got)
			}
		})
	}
	files, err := os.ReadDir(goldenDir)
	require.NoError(t, err)
	for _, file := range files {
		assert.True(t, expected[file.Name()], "%s belongs to no event", file.Name())
	}
}

func compare(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "write it with -update")
	assert.Equal(t, string(want), string(got), path)
}

// goldens are the golden files of an event, by name.
func goldens(t *testing.T, name string, event []byte) (files map[string][]byte) {
	t.Helper()
	handler := handlerOf(name)
	synctest.Test(t, func(t *testing.T) { // so that latencies are nothing
		r := newRig(t, both)
		r.s3.load(t)
		answer, _, err := r.invoke(t, handler, event)
		require.NoError(t, err)
		line := r.out.Bytes()
		files = map[string][]byte{
			name + ".datadog.http": dump(t, r.intake, datadogHost),
			name + ".archive.http": dump(t, r.intake, archiveHost),
			name + ".answer.txt":   fmt.Appendf(nil, "%s\n\n%s", answer, ledgerOf(t, line)),
		}

		again := newRig(t, both)
		again.s3.load(t)
		_, _, err = again.invoke(t, handler, event)
		require.NoError(t, err)
		assert.ElementsMatch(t, bodies(r.intake), bodies(again.intake), "the same event gives the same batches and ids")
	})
	return files
}

// streamGoldens are the golden files of the event of a delivery stream: what a record becomes in each form.
func streamGoldens(t *testing.T, name string, event []byte) (files map[string][]byte) {
	t.Helper()
	files = map[string][]byte{}
	for _, form := range forms {
		synctest.Test(t, func(t *testing.T) {
			r := newStreamRig(t, map[string]string{
				"SLUICE_FIREHOSE_OUTPUT": string(form), "SLUICE_TAGS": "env:test", "SLUICE_FIREHOSE_PARTITION_KEYS": "source,year",
			})
			answer, _, err := r.invoke(t, Firehose, event)
			require.NoError(t, err)
			var b bytes.Buffer
			for _, v := range verdicts(t, answer) {
				fmt.Fprintf(&b, "== %s: %s %v\n%s", v.ID, v.Result, v.Metadata.Keys, v.readable(t))
			}
			fmt.Fprintf(&b, "\n%s", ledgerOf(t, r.out.Bytes()))
			files[name+"."+string(form)+".txt"] = b.Bytes()

			again, _, err := r.invoke(t, Firehose, event)
			require.NoError(t, err)
			assert.Equal(t, answer, again, "the same event gives the same answer")
		})
	}
	return files
}

// handlerOf is the function that a sample event is for, by its name.
func handlerOf(name string) func(*Forwarder) Handler {
	trigger, _, _ := strings.Cut(name, "-")
	switch trigger {
	case "kinesis":
		return Kinesis
	case "s3", "sns", "sqs", "eventbridge":
		return S3
	}
	return CloudWatch
}

// load puts the objects that the sample events announce.
func (f *fakeS3) load(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(objectsDir, "index.json"))
	require.NoError(t, err)
	var index []struct {
		Bucket, Key, File string
		VersionID         string `json:"version_id"`
	}
	require.NoError(t, json.Unmarshal(text, &index))
	for _, o := range index {
		body, err := os.ReadFile(filepath.Join(objectsDir, filepath.FromSlash(o.File)))
		require.NoError(t, err)
		f.put(o.Bucket, o.Key, body).Version = o.VersionID
	}
}

// bodies are the requests with what tells them apart.
func bodies(i *intake) []string {
	var list []string
	for _, r := range i.got {
		list = append(list, r.url+" "+r.header.Get("X-Forwarder-Batch")+" "+string(r.body))
	}
	return list
}

// dump writes the requests to a host as they read before compression, an item a block.
func dump(t *testing.T, i *intake, host string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, r := range i.got {
		if !strings.Contains(r.url, host) {
			continue
		}
		fmt.Fprintf(&b, "%s %s\n", r.method, r.url)
		for _, name := range slices.Sorted(maps.Keys(r.header)) {
			fmt.Fprintf(&b, "%s: %s\n", name, masked(t, name, r.header.Get(name)))
		}
		var items []json.RawMessage
		require.NoError(t, json.Unmarshal(r.body, &items))
		fmt.Fprintf(&b, "\n%d items, %d bytes before compression\n", len(items), len(r.body))
		for _, item := range items {
			b.WriteByte('\n')
			require.NoError(t, json.Indent(&b, item, "", "  "))
			b.WriteByte('\n')
		}
	}
	if b.Len() == 0 {
		return []byte("no request\n")
	}
	return b.Bytes()
}

// masked hides header values that are secret, and the batch's id: it changes with any setting that there is.
func masked(t *testing.T, name, value string) string {
	t.Helper()
	switch name {
	case "Dd-Api-Key", "Authorization":
		return "[redacted]"
	case "Idempotency-Key", "X-Forwarder-Batch":
		assert.Regexp(t, "^[A-Z2-7]{26}$", value)
		return "[batch id]"
	}
	return value
}

// ledgerOf is an invocation's line in a readable form, without the directives that are the same in each (package ledger
// has them) and the sizes that a new version of a codec would change.
func ledgerOf(t *testing.T, line []byte) []byte {
	t.Helper()
	var ledger map[string]any
	require.NoError(t, json.Unmarshal(line, &ledger))
	delete(ledger, "_aws")
	delete(ledger, "BytesSent")
	for _, counts := range ledger["destinations"].(map[string]any) {
		delete(counts.(map[string]any), "bytes_sent")
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(ledger))
	return b.Bytes()
}
