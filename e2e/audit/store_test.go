package audit

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
)

const below = "sluice/v1/"

// itemsOf are lines as the Datadog destination encodes them.
func itemsOf(texts ...string) [][]byte {
	var items [][]byte
	for _, text := range texts {
		items = append(items, fmt.Appendf(nil, `{"message":%q,"id":"id-%s"}`, text, text))
	}
	return items
}

// pack makes a parked object: change has the header to itself.
func pack(t *testing.T, items [][]byte, change func(map[string]any)) []byte {
	t.Helper()
	var payload []byte
	for _, item := range items {
		payload = append(append(payload, item...), '\n')
	}
	sum := sha256.Sum256(payload)
	header := map[string]any{
		"schema": 1, "kind": "items", "batch_id": "BATCH", "attempt": 1, "not_before": 1_770_000_000, "count": len(items),
		"dest": map[string]any{"id": "dd", "type": "datadog"}, "reason": map[string]any{"code": "http_503"},
		"payload_sha256": hex.EncodeToString(sum[:]), "sources": []map[string]any{{"entry": "cwl"}},
	}
	if change != nil {
		change(header)
	}
	head, err := json.Marshal(header)
	require.NoError(t, err)
	return zipped(t, append(append(head, '\n'), payload...))
}

func zipped(t *testing.T, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(plain)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// pointer changes a header to one of a part of an object.
func pointer(source map[string]any) func(map[string]any) {
	return func(h map[string]any) {
		h["kind"], h["count"] = "pointer", 0
		source["entry"] = "s3"
		h["sources"] = []map[string]any{source}
	}
}

func rawOf(t *testing.T, payload []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(payload)
	body, err := json.Marshal(map[string]any{
		"schema": 1, "entry": "cwl", "payload": payload, "payload_sha256": hex.EncodeToString(sum[:]),
	})
	require.NoError(t, err)
	return body
}

const (
	pendingKey = below + "pending/dd/1770000000-BATCH.a01.jsonl.gz"
	deadKey    = below + "dead/dd/http_400/2026/02/01/BATCH.a01.jsonl.gz"
)

func textsOf(lines []generate.Line) string {
	var texts []string
	for _, line := range lines {
		texts = append(texts, line.Message)
	}
	return strings.Join(texts, "")
}

func TestStore(t *testing.T) {
	object := map[string]any{"bucket": "logs", "key": "k", "etag": "e"}
	part := func(name string, from, to int64) map[string]any {
		return map[string]any{"bucket": "logs", "key": "k", "etag": "e", name: []int64{from, to}}
	}
	both := part("byte_range", 2, -1)
	both["lines"] = []int64{1, 2}
	for name, tc := range map[string]struct {
		key                       string
		body                      []byte
		pending, dead, loose, raw string // the texts of the lines
		problem                   string
	}{
		"items that are pending": {key: pendingKey, body: pack(t, itemsOf("a", "b"), nil), pending: "ab"},
		"items that are dead":    {key: deadKey, body: pack(t, itemsOf("a"), nil), dead: "a"},
		"items as base64": {key: pendingKey, body: pack(t, [][]byte{
			[]byte(`"` + base64.StdEncoding.EncodeToString(itemsOf("c")[0]) + `"`),
		}, func(h map[string]any) { h["encoding"] = "base64" }), pending: "c"},
		"a whole object":                     {key: deadKey, body: pack(t, nil, pointer(object)), dead: "abcd"},
		"what starts in a range of bytes":    {key: deadKey, body: pack(t, nil, pointer(part("byte_range", 1, 4))), dead: "b"},
		"from a byte to the end":             {key: deadKey, body: pack(t, nil, pointer(part("byte_range", 3, -1))), dead: "cd"},
		"records":                            {key: deadKey, body: pack(t, nil, pointer(part("lines", 1, 3))), dead: "bc"},
		"records to the end":                 {key: deadKey, body: pack(t, nil, pointer(part("lines", 3, -1))), dead: "d"},
		"records behind the end":             {key: deadKey, body: pack(t, nil, pointer(part("lines", 9, -1)))},
		"records of a range of bytes":        {key: deadKey, body: pack(t, nil, pointer(both)), dead: "c"},
		"an object whose lines are not told": {key: deadKey, body: pack(t, nil, pointer(map[string]any{"bucket": "logs", "key": "opaque"})), loose: "ab"},
		"an object that was never there": {
			key: deadKey, body: pack(t, nil, pointer(map[string]any{"bucket": "logs", "key": "other"})), problem: "has never been there",
		},
		"another version of the object": {
			key: deadKey, body: pack(t, nil, pointer(map[string]any{"bucket": "logs", "key": "k", "etag": "f"})), problem: "has never been there",
		},
		"raw input": {key: below + "dead-raw/cwl/2026/02/01/x.json", body: rawOf(t, []byte("broken")), raw: "abcd"},
		"raw input that is a part of a message": {
			key: below + "dead-raw/s3/2026/02/01/x.json", body: rawOf(t, []byte(`{"s3":[]}`)), raw: "abcd",
		},
		"raw input of nobody":         {key: below + "dead-raw/cwl/2026/02/01/x.json", body: rawOf(t, []byte("?")), problem: "nothing that was sent"},
		"raw input that is no JSON":   {key: below + "dead-raw/cwl/2026/02/01/x.json", body: []byte("{"), problem: "decode"},
		"raw input with another hash": {key: below + "dead-raw/cwl/2026/02/01/x.json", body: bytes.Replace(rawOf(t, []byte("broken")), []byte(`"schema":1`), []byte(`"schema":2`), 1), problem: "schema 2"},
		"put aside as broken":         {key: below + "dead/dd/store_corrupt/2026/02/01/x", body: []byte("junk")},
		"a marker":                    {key: below + "progress/x.json", body: []byte("{}")},
		"what Lambda keeps":           {key: "aws/lambda/async/f/2026/02/01/x", body: []byte("{}")},
		"a folder of nobody":          {key: below + "others/x", body: []byte("{}"), problem: `no folder "others"`},
		"no gzip":                     {key: pendingKey, body: []byte("junk"), problem: "gunzip"},
		"gzip that is cut":            {key: pendingKey, body: pack(t, itemsOf("a"), nil)[:40], problem: "gunzip"},
		"no end of the header":        {key: pendingKey, body: zipped(t, []byte("{}")), problem: "the header has no end"},
		"a header that is no JSON":    {key: pendingKey, body: zipped(t, []byte("{\n")), problem: "decode the header"},
		"an item more than is counted": {
			key: pendingKey, body: pack(t, itemsOf("a", "b"), func(h map[string]any) { h["count"] = 1 }), problem: "2 items, and the header counts 1",
		},
		"other bytes than the checksum is of": {
			key: pendingKey, body: pack(t, itemsOf("a"), func(h map[string]any) { h["payload_sha256"] = "00" }), problem: "payload_sha256 is of other bytes",
		},
		"a schema of the future": {key: pendingKey, body: pack(t, itemsOf("a"), func(h map[string]any) { h["schema"] = 2 }), problem: "schema 2"},
		"no source":              {key: pendingKey, body: pack(t, itemsOf("a"), func(h map[string]any) { h["sources"] = nil }), problem: "no source"},
		"a pointer with items": {
			key: deadKey, body: pack(t, itemsOf("a"), func(h map[string]any) { h["kind"] = "pointer" }), problem: "a pointer with 1 sources",
		},
		"an item nobody generated":   {key: pendingKey, body: pack(t, itemsOf("a", "z"), nil), problem: "item 2 is no line that was generated"},
		"an item that is no object":  {key: pendingKey, body: pack(t, [][]byte{[]byte("[]")}, nil), problem: "item 1"},
		"an item for another intake": {key: strings.Replace(pendingKey, "/dd/", "/x/", 1), body: pack(t, itemsOf("a"), func(h map[string]any) { h["dest"] = map[string]any{"id": "x", "type": "smoke"} }), problem: "no intake"},
		"a key of another time":      {key: strings.Replace(pendingKey, "1770000000", "1770000001", 1), body: pack(t, itemsOf("a"), nil), problem: "it belongs to pending/dd/1770000000-BATCH.a01.jsonl.gz"},
		"a key of another attempt":   {key: strings.Replace(deadKey, ".a01", ".a02", 1), body: pack(t, itemsOf("a"), nil), problem: "it belongs to dead/dd/<reason>"},
		"a key without a date":       {key: below + "dead/dd/http_400/BATCH.a01.jsonl.gz", body: pack(t, itemsOf("a"), nil), problem: "it belongs to dead/dd/<reason>"},
	} {
		t.Run(name, func(t *testing.T) {
			all := lines("a", "b", "c", "d")
			s := NewStore(below, all, []Source{
				{Bucket: "logs", Key: "k", ETag: "e", Lines: all, Starts: []int64{0, 2, 4, 6}},
				{Bucket: "logs", Key: "opaque", Lines: all[:2]},
			})
			s.Knows(sha256.Sum256([]byte("broken")), "p")
			s.Announced([]byte(`{"Records":[{"s3":[]}]}`), "p")

			s.Add(tc.key, tc.body)

			if tc.problem != "" {
				require.Len(t, s.Problems, 1)
				assert.Contains(t, s.Problems[0], tc.problem)
				assert.Contains(t, s.Problems[0], tc.key)
			} else {
				assert.Empty(t, s.Problems)
			}
			p := s.Of("dd")
			assert.Equal(t, [4]string{tc.pending, tc.dead, tc.loose, tc.raw},
				[4]string{textsOf(p.Pending), textsOf(p.Dead), textsOf(p.Loose), textsOf(p.Raw)})
			assert.Empty(t, s.Of("other").Pending)
		})
	}
}

func TestStoreCounts(t *testing.T) {
	s := NewStore(below, lines("a"), nil)
	s.Add(pendingKey, pack(t, itemsOf("a"), nil))
	s.Add(below+"lease/x.json", nil)
	s.Add(below+"lease/y.json", nil)
	s.Add(below+"dead/dd/store_corrupt/2026/02/01/x", nil)

	assert.Equal(t, map[string]int{"pending": 1, "lease": 2, "dead": 1}, s.Objects)
	assert.Equal(t, 1, s.Corrupt)
	assert.Equal(t, 1, s.Of("dd").Objects)
}

// Whatever lies in the bucket, reading it ends, and what is sound stays so.
func FuzzStore(f *testing.F) {
	var t testing.T
	f.Add(pendingKey, pack(&t, itemsOf("a", "b"), nil))
	f.Add(deadKey, pack(&t, nil, pointer(map[string]any{"bucket": "logs", "key": "k", "lines": []int64{1, 2}})))
	f.Add(below+"dead-raw/cwl/2026/02/01/x.json", rawOf(&t, []byte("broken")))
	f.Add(deadKey, pack(&t, nil, pointer(map[string]any{
		"bucket": "logs", "key": "k", "lines": []int64{-5, -9}, "byte_range": []int64{9, 1},
	})))
	f.Fuzz(func(t *testing.T, key string, body []byte) {
		all := lines("a", "b", "c", "d")
		s := NewStore(below, all, []Source{{Bucket: "logs", Key: "k", Lines: all, Starts: []int64{0, 2, 4, 6}}})

		s.Add(key, body)
		s.Add(pendingKey, pack(t, itemsOf("d"), nil))

		p := s.Of("dd")
		require.NotEmpty(t, p.Pending)
		assert.Equal(t, "d", p.Pending[len(p.Pending)-1].Message)
		for _, line := range append(p.Pending, p.Dead...) {
			assert.Contains(t, all, line, "nothing is held that was not generated")
		}
	})
}
