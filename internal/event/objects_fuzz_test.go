package event_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
	"sluice/internal/ledger"
)

// FuzzParseObjects holds the reader to encoding/json: whatever is wrong with a record, each record of S3 gives one notice
// and each of SQS one message, in order; and every notice is exactly one thing, with an object that can be asked for.
func FuzzParseObjects(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "objects", "*.json"))
	require.NoError(f, err)
	for _, file := range files {
		seed, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(seed)
	}
	f.Add([]byte(`{"Records":[null,1,{"s3":{}},{"messageId":7,"body":"x"},{"Sns":{"Message":"\ud800"}}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := event.ParseObjects(payload)
		for i := range got.Messages {
			for n := range got.Messages[i].Notices {
				checkNotice(t, &got.Messages[i].Notices[n])
			}
		}
		if !json.Valid(payload) || !utf8.Valid(payload) {
			return
		}
		var outer map[string]json.RawMessage
		var list []map[string]json.RawMessage
		if json.Unmarshal(payload, &outer) != nil {
			require.Error(t, err)
			return
		}
		if outer["detail"] != nil || outer["Event"] != nil || outer["Records"] == nil || json.Unmarshal(outer["Records"], &list) != nil {
			return
		}
		checkRecords(t, list, got, err)
	})
}

// checkNotice wants exactly one meaning.
func checkNotice(t *testing.T, n *event.Notice) {
	t.Helper()
	meanings := 0
	if n.Err != nil {
		meanings++
		assert.NotEmpty(t, n.Raw)
	}
	if n.Rule != "" {
		meanings++
		assert.Contains(t, []ledger.Rule{ledger.S3TestEvent, ledger.NotObjectCreated, ledger.EmptyLine}, n.Rule)
	}
	if len(n.Text) > 0 {
		meanings++
		assert.NotEmpty(t, n.Source.Kind)
	}
	if meanings == 0 {
		meanings++
		assert.GreaterOrEqual(t, len(n.Object.Bucket), 3)
		assert.NotEmpty(t, n.Object.Key)
		assert.LessOrEqual(t, len(n.Object.Key), 1024)
		assert.GreaterOrEqual(t, n.Object.SizeBytes, int64(-1))
	}
	assert.Equal(t, 1, meanings)
}

// checkRecords counts what a slow reader finds in Records.
func checkRecords(t *testing.T, list []map[string]json.RawMessage, got event.Objects, err error) {
	t.Helper()
	var alone, single, several int
	for _, r := range list {
		if r["eventSource"] != nil && r["EventSource"] != nil {
			return // the last counts, which a map does not know
		}
		source := plain(r["eventSource"]) + plain(r["EventSource"])
		switch {
		case isObject(r["s3"]) || source == "aws:s3":
			single++
		case isObject(r["Sns"]) || source == "aws:sns":
			several++ // none, one or more
		case source == "aws:sqs" || r["body"] != nil && plain(r["messageId"]) != "":
			alone++
		default:
			// A notice if any other is known, else the event is an error.
			return
		}
	}
	require.NoError(t, err)
	assert.Equal(t, alone > 0, got.Partial)
	messages := got.Messages
	require.GreaterOrEqual(t, len(messages), alone)
	messages = messages[alone:]
	require.LessOrEqual(t, len(messages), 1)
	if several == 0 {
		notices := 0
		if len(messages) == 1 {
			notices = len(messages[0].Notices)
		}
		assert.Equal(t, single, notices)
	}
}

func isObject(value json.RawMessage) bool { return len(value) > 0 && value[0] == '{' }

func plain(value json.RawMessage) string {
	var text string
	var number json.Number
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	if json.Unmarshal(value, &number) == nil {
		return number.String()
	}
	return ""
}

// FuzzKey holds the decoding of keys to AWS's rule, form encoding: what url.QueryEscape writes comes back, a bad escape
// leaves the key as it is, and EventBridge does not encode.
func FuzzKey(f *testing.F) {
	for _, seed := range []string{"a b", "a+b", "a%2Bb", "100%", "%zz", "//a//", "year%3D1", "日本", "%E6%97", "%25", " ", "%00", `"\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if !utf8.ValidString(key) || key == "" || len(key) > 1024 {
			return
		}
		assert.Equal(t, key, routed(t, direct, url.QueryEscape(key)))
		assert.Equal(t, key, routed(t, inQueue, url.QueryEscape(key)), "two wrappings, one encoding")
		assert.Equal(t, key, routed(t, bridge, key))
		assert.Equal(t, slowlyDecoded(key), routed(t, direct, key))

		job, err := event.ParseBatchJob(fmt.Appendf(nil, `{"tasks":[{"taskId":"t","s3Bucket":"logs","s3Key":%s}]}`, quote(key)))
		require.NoError(t, err)
		assert.Equal(t, slowlyDecoded(key), job.Tasks[0].Object.Key)
	})
}

func direct(key string) string { return `{"Records":[` + s3Doc(`"key":`+quote(key)) + `]}` }

func inQueue(key string) string { return inSQS(inSNS(direct(key))) }

func bridge(key string) string {
	return `{"source":"aws.s3","detail-type":"Object Created","detail":{"bucket":{"name":"logs"},"object":{"key":` + quote(key) + `}}}`
}

func routed(t *testing.T, route func(string) string, key string) string {
	t.Helper()
	got, err := event.ParseObjects([]byte(route(key)))
	require.NoError(t, err)
	require.Len(t, got.Messages, 1)
	require.Len(t, got.Messages[0].Notices, 1)
	require.NoError(t, got.Messages[0].Notices[0].Err)
	return got.Messages[0].Notices[0].Object.Key
}

// slowlyDecoded is form decoding spelled out.
func slowlyDecoded(key string) string {
	var out strings.Builder
	for i := 0; i < len(key); i++ {
		switch key[i] {
		case '+':
			out.WriteByte(' ')
		case '%':
			if i+3 > len(key) {
				return key
			}
			c, err := strconv.ParseUint(key[i+1:i+3], 16, 8)
			if err != nil {
				return key
			}
			out.WriteByte(byte(c))
			i += 2
		default:
			out.WriteByte(key[i])
		}
	}
	return out.String()
}

func BenchmarkParseObjects(b *testing.B) {
	for _, name := range []string{"s3", "sqs-sns-s3", "eventbridge"} {
		b.Run(name, func(b *testing.B) {
			payload := load(b, name)
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				if got, err := event.ParseObjects(payload); err != nil || len(got.Messages) != 1 {
					b.Fatal(len(got.Messages), err)
				}
			}
		})
	}
}
