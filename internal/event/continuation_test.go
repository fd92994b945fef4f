package event_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
)

// theRest is an object with all that a continuation carries.
func theRest() (o event.Object, r event.Resume) {
	o = event.Object{
		Bucket: "b.1", Key: "year=2025/a+b%20c é \"q\".gz", VersionID: "v.Example_1", ETag: "0cc1-2", Sequencer: "0067C6E1",
		Region: "eu-west-1", Account: "123456789012", SizeBytes: 1 << 33, EventMillis: 1700000000000,
	}
	r = event.Resume{
		Records: 12345, Offset: 67108864, Hop: 1, Dests: []string{"main", "archive-2"}, Decode: "9f86d081", FirstSeenMillis: 1767323045000,
	}
	return o, r
}

const continuation = `{"sluice":"continue","v":1,"src":{"bucket":"b.1","key":"year=2025/a+b%20c é \"q\".gz",` +
	`"version_id":"v.Example_1","etag":"0cc1-2","size":8589934592,"region":"eu-west-1","sequencer":"0067C6E1",` +
	`"account":"123456789012","event_ms":1700000000000},"records":12345,"offset":67108864,"hop":1,` +
	`"dests":["main","archive-2"],"decode":"9f86d081","first_seen":"2026-01-02T03:04:05Z"}`

func TestAppendContinuation(t *testing.T) {
	o, r := theRest()
	assert.Equal(t, "before"+continuation, string(event.AppendContinuation([]byte("before"), &o, &r)))

	least := event.AppendContinuation(nil, &event.Object{Bucket: "logs", Key: "k", SizeBytes: -1}, &event.Resume{Hop: 99})
	assert.JSONEq(t, `{"sluice":"continue","v":1,"src":{"bucket":"logs","key":"k","version_id":"","etag":"","region":"","sequencer":"",`+
		`"account":"","event_ms":0},"records":0,"offset":0,"hop":99,"dests":[],"decode":""}`, string(least))
}

func TestContinuationHasTheCharactersOfSQSAlone(t *testing.T) {
	o := event.Object{Bucket: "logs", Key: "\x00\x1f\t\uFFFE\uFFFF\U0001FFFE\x7f", SizeBytes: -1}
	doc, untouched := strings.CutPrefix(string(event.AppendContinuation([]byte("\uFFFE"), &o, &event.Resume{Hop: 1})), "\uFFFE")
	assert.True(t, untouched)
	assert.Equal(t, -1, strings.IndexFunc(doc, func(c rune) bool { return c < ' ' || c == '\uFFFE' || c == '\uFFFF' }))
	assert.Equal(t, o.Key, continued(t, doc).Object.Key)
}

// continued is the one notice of a message with this body.
func continued(t *testing.T, body string) event.Notice {
	t.Helper()
	got, err := event.ParseObjects([]byte(inSQS(body)))
	require.NoError(t, err)
	assert.True(t, got.Partial)
	require.Len(t, got.Messages, 1)
	assert.Equal(t, "m", got.Messages[0].ID)
	require.NoError(t, got.Messages[0].Err)
	require.Len(t, got.Messages[0].Notices, 1)
	return got.Messages[0].Notices[0]
}

func TestContinuationComesBack(t *testing.T) {
	o, r := theRest()
	o.Resume = &r
	assert.Equal(t, event.Notice{Object: o}, continued(t, continuation))
	assert.Equal(t, event.Notice{Object: o}, continued(t, " \n"+continuation+"\n"), "white space")
	assert.Equal(t, event.Notice{Object: o}, continued(t, strings.Replace(continuation, `{"sluice"`, `{"new":[1],"Records":[],"sluice"`, 1)))

	least := continued(t, `{"src":{"key":"k","bucket":"logs","event_ms":0,"region":"evil.example.com","account":"1"},"hop":99,"offset":0,`+
		`"records":0,"dests":[],"v":1,"sluice":"continue"}`)
	assert.Equal(t, event.Notice{Object: event.Object{
		Bucket: "logs", Key: "k", SizeBytes: -1, Resume: &event.Resume{Hop: 99},
	}}, least)
}

func TestContinuationThatIsNone(t *testing.T) {
	ids := func(n int) string { return `"dests":[` + strings.TrimSuffix(strings.Repeat(`"d",`, n), ",") + `]` }
	for name, tc := range map[string]struct{ old, replaced, err string }{
		"version of the future":      {`"v":1`, `"v":2`, "v is not 1: it was written by another version of this function"},
		"version as a text":          {`"v":1`, `"v":"1"`, "v is not 1"},
		"no version":                 {`"v":1,`, ``, "v is not 1"},
		"no src":                     {`"src"`, `"source"`, "src: json at byte 0 of 0: expected an object"},
		"bucket that leaves a host":  {`"b.1"`, `"a/../b"`, `src: bucket name "a/../b" of 6 bytes is none that S3 allows`},
		"bucket that is a number":    {`"b.1"`, `777`, "src: the bucket has no name"},
		"no key":                     {`"key":`, `"Key":`, "src: the object has no key"},
		"key that is too long":       {`"key":"`, `"key":"` + strings.Repeat("k", 1024), "S3 allows 1024"},
		"size below zero":            {`"size":8589934592`, `"size":-1`, `src.size is "-1": expected a whole number, 0 or more`},
		"size as a text":             {`"size":8589934592`, `"size":"1"`, "src.size is"},
		"no time":                    {`"event_ms":1700000000000`, `"x":1`, "src.event_ms is missing"},
		"time beyond the calendar":   {`"event_ms":1700000000000`, `"event_ms":253402300800000`, "expected epoch milliseconds"},
		"records below zero":         {`"records":12345`, `"records":-1`, `records is "-1"`},
		"records with a fraction":    {`"records":12345`, `"records":1.5`, `records is "1.5"`},
		"records as a text":          {`"records":12345`, `"records":"1"`, "records is"},
		"records null":               {`"records":12345`, `"records":null`, `records is "null"`},
		"records that do not fit":    {`"records":12345`, `"records":9223372036854775808`, "records is"},
		"no records":                 {`"records":12345,`, ``, "records is missing"},
		"offset below zero":          {`"offset":67108864`, `"offset":-67108864`, "offset is"},
		"no offset":                  {`"offset":67108864,`, ``, "offset is missing"},
		"hop 0":                      {`"hop":1`, `"hop":0`, "hop is 0: expected 1 to 99"},
		"hop 100":                    {`"hop":1`, `"hop":100`, "hop is 100: expected 1 to 99"},
		"hop below zero":             {`"hop":1`, `"hop":-1`, "hop is"},
		"no hop":                     {`"hop":1,`, ``, "hop is missing"},
		"65 destinations":            {`"dests":["main","archive-2"]`, ids(65), "dests has more than 64 ids"},
		"no list of destinations":    {`"dests":["main","archive-2"]`, `"dests":"main"`, "dests: json at byte 0"},
		"destinations missing":       {`"dests":["main","archive-2"],`, ``, "dests: json at byte 0"},
		"destination in upper case":  {`"main"`, `"Main"`, `dests[0] is "Main": expected 1 to 32 of a-z, 0-9 and '-'`},
		"destination that is a path": {`"main"`, `"../x"`, `dests[0] is "../x"`},
		"destination without a name": {`"archive-2"`, `""`, `dests[1] is ""`},
		"destination of 33 bytes":    {`"main"`, `"` + strings.Repeat("m", 33) + `"`, "dests[0] is"},
		"destination null":           {`"main"`, `null`, "dests[0] is"},
		"decode that is a number":    {`"9f86d081"`, `1`, "decode is no text"},
		"decode of 129 characters":   {`"9f86d081"`, `"` + strings.Repeat("d", 129) + `"`, "decode is no text of up to 128 characters"},
		"decode with a line end":     {`"9f86d081"`, `"a\nb"`, "decode has characters"},
		"decode beyond ASCII":        {`"9f86d081"`, `"é"`, "decode has characters"},
		"first seen at no time":      {`"2026-01-02T03:04:05Z"`, `"yesterday"`, `first_seen is "yesterday"`},
		"first seen as a number":     {`"2026-01-02T03:04:05Z"`, `1`, `first_seen is ""`},
		"first seen before 1970":     {`"2026-01-02T03:04:05Z"`, `"1969-12-31T23:59:59Z"`, "first_seen is"},
		"hop, the last of two":       {`"hop":1`, `"hop":1,"hop":0`, "hop is 0"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, continuation, tc.old)
			body := strings.Replace(continuation, tc.old, tc.replaced, 1)
			n := continued(t, body)
			require.ErrorContains(t, n.Err, tc.err)
			assert.ErrorContains(t, n.Err, "Records[0]: continuation: ")
			assert.Equal(t, body, string(n.Raw))
			assert.Equal(t, event.Object{}, n.Object)
		})
	}
	t.Run("several things at once", func(t *testing.T) {
		n := continued(t, `{"sluice":"continue","v":1,"src":{"bucket":"logs","key":"k","event_ms":0},"dests":{}}`)
		for _, text := range []string{"records is missing", "offset is missing", "hop is missing", "dests: json"} {
			assert.ErrorContains(t, n.Err, text)
		}
	})
	assert.NotNil(t, continued(t, strings.Replace(continuation, `"dests":["main","archive-2"]`, ids(64), 1)).Object.Resume)
}

// A continuation is what we have sent to the queue; by another way it is a log like any other.
func TestContinuationByAnotherWay(t *testing.T) {
	for name, tc := range map[string]struct{ payload, want string }{
		"SNS":              {`{"Records":[{"Sns":{"Message":` + quote(continuation) + `}}]}`, "sns text " + continuation},
		"SQS around SNS":   {inSQS(inSNS(continuation)), "sns text " + continuation},
		"SQS around SQS":   {inSQS(inSQS(continuation)), "sqs text " + continuation},
		"of something":     {inSQS(`{"sluice":"something"}`), `sqs text {"sluice":"something"}`},
		"with a number":    {inSQS(`{"sluice":1}`), `sqs text {"sluice":1}`},
		"cut short":        {inSQS(continuation[:len(continuation)-1]), "sqs text " + continuation[:len(continuation)-1]},
		"twice in a row":   {inSQS(continuation + continuation), "sqs text " + continuation + continuation},
		"in a list":        {inSQS("[" + continuation + "]"), "sqs text [" + continuation + "]"},
		"another spelling": {inSQS(`{"Sluice":"continue","v":1}`), `sqs text {"Sluice":"continue","v":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.ParseObjects([]byte(tc.payload))
			require.NoError(t, err)
			require.Len(t, got.Messages, 1)
			require.Len(t, got.Messages[0].Notices, 1)
			assert.Equal(t, tc.want, tell(&got.Messages[0].Notices[0]))
			assert.Nil(t, got.Messages[0].Notices[0].Object.Resume)
		})
	}
	_, err := event.ParseObjects([]byte(continuation))
	require.ErrorContains(t, err, "event has members [sluice, v, src", "as an event of its own")

	bridged, err := event.ParseObjects([]byte(`{"source":"app","detail-type":"x","detail":` + continuation + `,"sluice":"continue"}`))
	require.NoError(t, err)
	assert.Equal(t, event.SourceEventBridge, bridged.Messages[0].Notices[0].Source.Kind)
}

func TestReceiveCount(t *testing.T) {
	notification := `{"Records":[` + s3In("logs") + `]}`
	for name, tc := range map[string]struct {
		body, attributes string
		want             int
	}{
		"a notification":     {quote(notification), `{"ApproximateReceiveCount":"4","SentTimestamp":"1"}`, 4},
		"a continuation":     {quote(continuation), `{"ApproximateReceiveCount":"2"}`, 2},
		"SNS":                {quote(inSNS(notification)), `{"ApproximateReceiveCount":"3"}`, 3},
		"EventBridge":        {quote(bridge("k")), `{"ApproximateReceiveCount":"3"}`, 3},
		"a log":              {`"log"`, `{"ApproximateReceiveCount":"3"}`, 3},
		"another's message":  {quote(inSQS("x")), `{"ApproximateReceiveCount":"6"}`, 6},
		"no body":            {`null`, `{"ApproximateReceiveCount":"5"}`, 5},
		"a broken one":       {quote(`{"sluice":"continue"}`), `{"ApproximateReceiveCount":"7"}`, 7},
		"a number":           {`"log"`, `{"ApproximateReceiveCount":3}`, 3},
		"the last of two":    {`"log"`, `{"ApproximateReceiveCount":"3","ApproximateReceiveCount":"8"}`, 8},
		"below zero":         {`"log"`, `{"ApproximateReceiveCount":"-3"}`, 0},
		"no number":          {`"log"`, `{"ApproximateReceiveCount":"many"}`, 0},
		"that does not fit":  {`"log"`, `{"ApproximateReceiveCount":"99999999999999999999"}`, 0},
		"null":               {`"log"`, `{"ApproximateReceiveCount":null}`, 0},
		"without attributes": {`"log"`, `null`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.ParseObjects(fmt.Appendf(nil, `{"Records":[{"messageId":"m","body":%s,"attributes":%s}]}`, tc.body, tc.attributes))
			require.NoError(t, err)
			require.Len(t, got.Messages, 1)
			assert.Equal(t, tc.want, got.Messages[0].ReceiveCount)
		})
	}
}

// FuzzContinuation holds the reader to the writer, and to encoding/json for what it takes of any body.
func FuzzContinuation(f *testing.F) {
	f.Add(continuation)
	f.Add(strings.Replace(continuation, `"v":1`, `"v":2`, 1))
	f.Add(`{"sluice":"continue","v":1,"src":{"bucket":"logs","key":"\ufffe","event_ms":0},"records":0,"offset":0,"hop":99,"dests":[]}`)
	f.Add(`{"sluice":"continue"}`)
	f.Fuzz(func(t *testing.T, body string) {
		if !utf8.ValidString(body) {
			return
		}
		got, err := event.ParseObjects([]byte(inSQS(body)))
		require.NoError(t, err)
		require.Len(t, got.Messages, 1)
		for i := range got.Messages[0].Notices {
			n := &got.Messages[0].Notices[i]
			checkNotice(t, n)
			if r := n.Object.Resume; r != nil {
				require.NoError(t, n.Err)
				checkResume(t, body, n.Object)
				again := continued(t, string(event.AppendContinuation(nil, &n.Object, r)))
				assert.Equal(t, n.Object, again.Object)
			}
		}
	})
}

// checkResume reads the body slowly. A name that encoding/json would take for another is left out.
func checkResume(t *testing.T, body string, o event.Object) {
	t.Helper()
	r := o.Resume
	assert.True(t, 0 <= r.Records && 0 <= r.Offset && 1 <= r.Hop && r.Hop <= 99 && len(r.Dests) <= 64 && len(r.Decode) <= 128)
	for _, id := range r.Dests {
		assert.Regexp(t, `^[a-z0-9-]{1,32}$`, id)
	}
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(body), &all))
	want := map[string]int64{"v": 1, "records": r.Records, "offset": r.Offset, "hop": int64(r.Hop)}
	for name, n := range want {
		var slowly int64
		require.NoError(t, json.Unmarshal(all[name], &slowly), name)
		assert.Equal(t, slowly, n, name)
	}
	var dests []string
	require.NoError(t, json.Unmarshal(all["dests"], &dests))
	assert.True(t, slices.Equal(dests, r.Dests))
}

func FuzzAppendContinuation(f *testing.F) {
	f.Add("logs", "a key", "v", "e", "s", int64(1), int64(2), int64(3), int64(1700000000000), uint8(1), "main", "9f")
	f.Add("logs", "\uFFFE\uFFFF\x00\"\\", "", "", "", int64(-1), int64(0), int64(math.MaxInt64), int64(0), uint8(98), "a-1", "")
	f.Fuzz(func(t *testing.T, bucket, key, version, etag, sequencer string, size, records, offset, millis int64, hop uint8, dest, decode string) {
		const year9999 = 253402300799999
		o := event.Object{Bucket: bucket, Key: key, VersionID: version, ETag: etag, Sequencer: sequencer, SizeBytes: max(-1, size), EventMillis: min(max(0, millis), year9999)}
		r := event.Resume{
			Records: max(0, records), Offset: max(0, offset), Hop: int(hop)%99 + 1, Dests: []string{dest}, Decode: decode,
			FirstSeenMillis: min(max(0, millis), year9999),
		}
		doc := event.AppendContinuation(nil, &o, &r)
		require.True(t, json.Valid(doc))
		require.True(t, utf8.Valid(doc))
		n := continued(t, string(doc))
		for _, text := range []string{bucket, key, version, etag, sequencer, dest, decode} {
			if !utf8.ValidString(text) {
				return // comes back with U+FFFD
			}
		}
		if n.Err != nil {
			return // what may be in it, the tables say
		}
		o.Resume = &r
		assert.Equal(t, o, n.Object)
	})
}
