package forward

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
	"sluice/internal/source/kinesis"
)

const allTaken = `{"batchItemFailures":[]}`

// from is the answer after which Lambda gives a batch again from the record with this number on.
func from(i int) string {
	return fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":"%s"}]}`, sequence(i))
}

func TestKinesisDelivers(t *testing.T) {
	gz := packed(t, document(t, numbered(2)...))
	control := packed(t, documentOf(t, "CONTROL_MESSAGE", "", "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."))
	type dropped = map[string]int
	for name, tc := range map[string]struct {
		event   []byte
		want    []string
		dropped dropped
	}{
		"no records":                       {[]byte(`{"Records":[]}`), []string{}, dropped{}},
		"subscription":                     {batchOf(gz), numbered(2), dropped{}},
		"subscription in two members":      {batchOf(joined(gz, packed(t, document(t, "x")))), append(numbered(2), "x"), dropped{}},
		"subscription, not compressed":     {batchOf(document(t, "a", "b")), []string{"a", "b"}, dropped{}},
		"control messages between":         {batchOf(control, gz, control), numbered(2), dropped{"control_message": 2}},
		"plain record":                     {batchOf([]byte("a line")), []string{"a line"}, dropped{}},
		"lines":                            {batchOf([]byte("a\r\nb\n\nc\n")), []string{"a", "b", "c"}, dropped{"empty_line": 1}},
		"lines, not UTF-8":                 {batchOf([]byte("a\xff\nb")), []string{"a\uFFFD", "b"}, dropped{}},
		"lines, byte order mark":           {batchOf([]byte("\uFEFFa\nb")), []string{"a", "b"}, dropped{}},
		"lines, compressed":                {batchOf(packed(t, []byte("a\nb\n"))), []string{"a", "b"}, dropped{}},
		"lines, compressed, more than 4 K": {batchOf(packed(t, []byte(strings.Repeat("x", 5000)+"\nb"))), []string{strings.Repeat("x", 5000), "b"}, dropped{}},
		"lines, compressed in two members": {batchOf(joined(packed(t, []byte("a\nb")), packed(t, []byte("c\nd")))), []string{"a", "bc", "d"}, dropped{}},
		"compressed nothing":               {batchOf(packed(t, nil)), []string{}, dropped{}},
		"record without data":              {batchOf(nil, []byte("a")), []string{"a"}, dropped{}},
		"JSON that quotes a subscription":  {batchOf([]byte(`{"x":{"messageType":"DATA_MESSAGE","logEvents":[]}}`)), []string{`{"x":{"messageType":"DATA_MESSAGE","logEvents":[]}}`}, dropped{}},
		"aggregate":                        {batchOf(aggregate([]byte("a"), []byte("b\nc"), []byte("d"))), []string{"a", "b", "c", "d"}, dropped{}},
		"aggregate of everything":          {batchOf(aggregate([]byte("a"), gz, control, document(t, "x"), packed(t, []byte("y")))), append(append([]string{"a"}, numbered(2)...), "x", "y"), dropped{"control_message": 1}},
		"aggregate of nothing":             {batchOf(aggregate()), []string{}, dropped{}},
		"mixture":                          {batchOf([]byte("a"), gz, control, aggregate([]byte("b")), []byte("c")), append(append([]string{"a"}, numbered(2)...), "b", "c"), dropped{"control_message": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, both)
			answer, ledger, err := r.invoke(t, Kinesis, tc.event)
			require.NoError(t, err)
			assert.JSONEq(t, allTaken, answer)
			for id, host := range map[string]string{"archive": archiveHost, "datadog": datadogHost} {
				assert.Equal(t, tc.want, r.intake.messages(t, host))
				assert.Equal(t, tc.dropped, ledger.Destinations[id].Dropped)
				assert.Equal(t, len(tc.want)+sum(tc.dropped), ledger.Destinations[id].In)
			}
		})
	}
}

// Every line has an id of its own that depends on its place alone: record and index, through aggregates too.
func TestKinesisIDs(t *testing.T) {
	event := []byte(strings.ReplaceAll(string(batchOf([]byte("only line"))), sequence(0), "49590338271490256608559692538361571095921575989136588898"))
	r := newRig(t, both)
	_, _, err := r.invoke(t, Kinesis, event)
	require.NoError(t, err)
	items := r.intake.items(t, archiveHost)
	require.Len(t, items, 1)
	assert.Equal(t, "db57861ea4eff84b83a7dfba72365567", items[0]["id"], "published vector of http-intakes 1.1")
	assert.Equal(t, "2026-02-01T09:59:00.123Z", items[0]["time"], "when the stream took it")

	ids := func(data []byte) (ids []any) {
		r := newRig(t, both)
		_, _, err := r.invoke(t, Kinesis, batchOf(data))
		require.NoError(t, err)
		for _, item := range r.intake.items(t, archiveHost) {
			ids = append(ids, item["id"])
		}
		return ids
	}
	lines := ids([]byte("a\nb\nc\nd\n"))
	assert.Len(t, lines, 4)
	assert.NotEqual(t, lines[0], lines[1])
	assert.Equal(t, lines, ids([]byte("w\nx\ny\nz")), "the text does not count")
	assert.Equal(t, lines, ids(aggregate([]byte("a\n"), []byte("b\r\nc"), packed(t, []byte("d\n")))), "lines are counted across an aggregate")
	assert.Equal(t, lines[1:], ids([]byte("\nb\nc\nd")), "empty lines have a number too")
}

// The region of a log group is that of the stream, as far as anybody knows.
func TestKinesisRegion(t *testing.T) {
	event := batchOf(packed(t, documentOf(t, "DATA_MESSAGE", "/aws/lambda/orders", "x")), []byte("plain"))
	r := newRig(t, both)
	_, _, err := r.invoke(t, Kinesis, bytes.ReplaceAll(event, []byte(`"awsRegion":"eu-west-1"`), []byte(`"awsRegion":"us-east-2"`)))
	require.NoError(t, err)
	items := r.intake.items(t, datadogHost)
	assert.Equal(t, "arn:aws:lambda:us-east-2:123456789012:function:orders", items[0]["host"])
	for _, item := range r.intake.items(t, archiveHost) {
		assert.Equal(t, "us-east-2", item["aws"].(map[string]any)["region"])
		assert.Equal(t, streamARN, item["aws"].(map[string]any)["stream_arn"])
	}
}

// The lines of a stream share an origin, so that what is the same for all is made once, unless they are of different logs. It
// says whose they are, so that nobody has to look again.
func TestOriginsOfStreams(t *testing.T) {
	known := &origins{known: make(map[originOf]*streamLog)}
	of := func(stream, head string) *record.Origin {
		var text kinesis.UserRecord
		known.begin(&text, &record.Origin{StreamARN: stream, Region: "r"}, []byte(head))
		return text.Origin
	}
	a := of("a", "x")
	assert.Equal(t, &record.Origin{Kind: record.Kinesis, StreamARN: "a", Region: "r", Source: "kinesis"}, a)
	assert.NotSame(t, a, of("b", "x"))
	assert.Same(t, a, of("a", "y\nz"))
	const waf = `{"webaclId":"a","httpRequest":{}}` + "\n"
	other := of("a", waf)
	assert.Equal(t, &record.Origin{Kind: record.Kinesis, StreamARN: "a", Region: "r", Source: "waf", Log: "waf"}, other)
	assert.NotSame(t, a, other)
	assert.Same(t, other, of("a", waf))
	assert.Same(t, other, of("a", "\r\n\n"+waf), "empty lines tell nothing")
}

// A record that cannot be read is named to Lambda: what stands before it is delivered, what stands behind it is not sent.
func TestKinesisDecodeFaults(t *testing.T) {
	const lines = 300
	gz := packed(t, document(t, numbered(lines)...))
	half := stored(t, document(t, numbered(lines)...))
	half = half[:len(half)/2]
	kpl := aggregate([]byte("a"), []byte("b"))
	for name, tc := range map[string]struct {
		record []byte
		some   bool // lines before the fault stand
		reason string
	}{
		"gzip breaks off":            {half, true, "decode"},
		"wrong checksum":             {broken(gz, -8), true, "decode"},
		"lines, wrong checksum":      {broken(packed(t, []byte("a\nb")), -8), true, "decode"},
		"gzip header alone":          {gz[:2], false, "decode"},
		"bomb":                       {packed(t, []byte(strings.Repeat("x", 2<<20))), false, "decode_bomb"},
		"unknown message type":       {packed(t, documentOf(t, "OTHER", "shop", canary)), false, "decode"},
		"subscription breaks off":    {[]byte(`{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s","logEvents":[{"id":"1","message":"` + canary), false, "decode"},
		"aggregate, wrong checksum":  {broken(kpl, -1), false, "decode"},
		"aggregate, broken":          {broken(kpl, 6), false, "decode"},
		"aggregate, user is broken":  {aggregate([]byte("a"), gz[:len(gz)-3]), true, "decode"},
		"a magic number and no more": {[]byte("\xf3\x89\x9a\xc2"), false, "decode"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRigOf(t, map[string]string{"SLUICE_CONFIG": both, "SLUICE_MAX_INFLATED_BYTES": "1MiB"})
			event := batchOf([]byte("first"), packed(t, document(t, "second")), tc.record, []byte("behind"))
			answer, ledger, err := r.invoke(t, Kinesis, event)
			require.NoError(t, err)
			assert.Equal(t, from(2), answer)
			assert.Contains(t, ledger.Error, sequence(2))
			for id, host := range map[string]string{"archive": archiveHost, "datadog": datadogHost} {
				got := r.intake.messages(t, host)
				require.GreaterOrEqual(t, len(got), 2)
				assert.Equal(t, []string{"first", "second"}, got[:2])
				assert.Equal(t, tc.some, len(got) > 2)
				assert.NotContains(t, got, "behind")
				assert.Equal(t, len(got), ledger.Destinations[id].Delivered)
				assert.Equal(t, map[string]int{tc.reason: 1}, ledger.Destinations[id].Returned)
			}
		})
	}
}

func TestKinesisEnvelopeFaults(t *testing.T) {
	good := string(batchOf([]byte("a"), []byte("b"), []byte("c")))
	for name, tc := range map[string]struct {
		event, answer, err string
		want               []string
	}{
		"no base64":          {string(batchOfTexts("YQ==", "****"+canary, "Yw==")), from(1), "", []string{"a"}},
		"data is no text":    {strings.Replace(good, `"data":"Yg=="`, `"data":{"x":"`+canary+`"}`, 1), from(1), "", []string{"a"}},
		"the first record":   {string(batchOfTexts("****"+canary, "YQ==", "Yw==")), "", "kinesis.data", nil},
		"no kinesis member":  {strings.Replace(good, `{"kinesis":`, `{"other":`, 1), "", "no member", nil},
		"no sequence number": {strings.ReplaceAll(strings.Replace(good, `"data":"Yg=="`, `"data":7`, 1), sequence(1), ""), "", "kinesis.data", []string{"a"}},
		"not JSON":           {canary, "", "Kinesis event", nil},
		"breaks off":         {good[:len(good)-20], "", "Kinesis event", nil},
		"another trigger's":  {`{"awslogs":{"data":""}}`, "", `event has members [awslogs]: expected "Records"`, nil},
		"Records is no list": {`{"Records":{"x":"` + canary + `"}}`, "", "Records", nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, oneHTTP)
			answer, ledger, err := r.invoke(t, Kinesis, []byte(tc.event))
			if tc.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tc.err)
			}
			assert.Equal(t, tc.answer, answer)
			assert.ElementsMatch(t, tc.want, r.intake.messages(t, archiveHost))
			assert.Equal(t, map[string]int{"decode": 1}, ledger.Destinations["archive"].Returned)
		})
	}
}

// stream is a batch of n records with a line each.
func stream(n int) []byte {
	records := make([][]byte, n)
	for i := range records {
		records[i] = fmt.Appendf(nil, "line %d.", i)
	}
	return batchOf(records...)
}

// When a destination fails at some batch, the lowest record that it has not got is named, and hardly more is sent: the
// shard comes again from there.
func TestKinesisDestinationFails(t *testing.T) {
	const records, bad = 60, 20
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oneHTTP)
		r.intake.answer = func(r received) int {
			time.Sleep(10 * time.Millisecond)
			if strings.Contains(string(r.body), fmt.Sprintf("line %d.", bad)) {
				return http.StatusBadRequest
			}
			return http.StatusOK
		}
		answer, ledger, err := r.invoke(t, Kinesis, stream(records))
		require.NoError(t, err)
		assert.Equal(t, from(bad), answer)
		assert.Contains(t, ledger.Error, "http_400")
		c := ledger.Destinations["archive"]
		assert.GreaterOrEqual(t, c.Delivered, bad, "all before it")
		assert.LessOrEqual(t, c.Delivered, bad+kinesisWindow, "and what was under way with it")
		assert.Equal(t, 1, c.Returned["http_400"])
		got := r.intake.messages(t, archiveHost)
		for i := range bad {
			assert.Contains(t, got, fmt.Sprintf("line %d.", i))
		}
	})
}

func TestKinesisStopsReadingAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRigOf(t, map[string]string{"SLUICE_CONFIG": oneHTTP, "SLUICE_COMPRESSION": "none"})
		r.intake.answer = func(received) int {
			time.Sleep(time.Second)
			return http.StatusNotFound
		}
		records := make([][]byte, 20)
		for i := range records {
			records[i] = bytes.Repeat([]byte("x"), 900_000) // bodies of 18 MB, of which 8 MiB may wait
		}
		answer, ledger, err := r.invoke(t, Kinesis, batchOf(records...))
		require.NoError(t, err)
		assert.Equal(t, from(0), answer)
		assert.Less(t, ledger.Destinations["archive"].In, len(records), "what is given again anyway is not read")
		assert.LessOrEqual(t, ledger.Destinations["archive"].Requests, kinesisWindow, "and not sent")
	})
}

// Of several failures the lowest record counts, whichever fails first and at whichever destination, a fault in the input
// included.
func TestKinesisLowestFailureCounts(t *testing.T) {
	const two = `{destinations: [
		{id: a, type: http, url: "https://a.example.com/", max_records: 1}, {id: b, type: http, url: "https://b.example.com/", max_records: 1}]}`
	fail := func(host, line string) func(received) bool {
		return func(r received) bool { return strings.Contains(r.url, host) && strings.Contains(string(r.body), line) }
	}
	for name, tc := range map[string]struct {
		slow, quick func(received) bool
		fault       int // number of the record that cannot be read; 0 for none
		want        int
	}{
		"one destination, the lower one later":    {fail("a.", "line 3."), fail("a.", "line 4."), 0, 3},
		"two destinations, the lower one later":   {fail("a.", "line 3."), fail("b.", "line 4."), 0, 3},
		"two destinations, the lower one first":   {fail("a.", "line 4."), fail("b.", "line 3."), 0, 3},
		"destination before a fault in the input": {fail("b.", "line 3."), fail("none", ""), 5, 3},
		"fault in the input alone":                {fail("none", ""), fail("none", ""), 5, 5},
		"same record at both":                     {fail("a.", "line 3."), fail("b.", "line 3."), 0, 3},
		"first record":                            {fail("a.", "line 0."), fail("b.", "line 2."), 0, 0},
		"last record":                             {fail("a.", "line 9."), fail("none", ""), 0, 9},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, two)
				r.intake.answer = func(r received) int {
					time.Sleep(10 * time.Millisecond)
					switch {
					case tc.slow(r):
						time.Sleep(time.Second)
						return http.StatusNotFound
					case tc.quick(r):
						return http.StatusNotFound
					}
					return http.StatusOK
				}
				records := make([][]byte, 10)
				for i := range records {
					records[i] = fmt.Appendf(nil, "line %d.", i)
				}
				if tc.fault > 0 {
					records[tc.fault] = []byte("\x1f\x8b")
				}
				answer, _, err := r.invoke(t, Kinesis, batchOf(records...))
				require.NoError(t, err)
				assert.Equal(t, from(tc.want), answer)
			})
		})
	}
}

func TestKinesisKeepsItsWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oneHTTP)
		var mu sync.Mutex
		flying, most := 0, 0
		count := func(n int) {
			mu.Lock()
			defer mu.Unlock()
			flying += n
			most = max(most, flying)
		}
		r.intake.answer = func(received) int {
			count(1)
			defer count(-1)
			time.Sleep(time.Second)
			return http.StatusOK
		}
		_, _, err := r.invoke(t, Kinesis, stream(50))
		require.NoError(t, err)
		assert.Equal(t, kinesisWindow, most)
	})
}

// A line that an intake refuses is its record's own fault: once that record is the first, an error makes the owner bisect
// until it is alone. A destination that is down is nobody's fault, and the record is named.
func TestKinesisRecordAtFault(t *testing.T) {
	poison := func(r received) int {
		if bytes.Contains(r.body, []byte("poison")) {
			return http.StatusBadRequest
		}
		return http.StatusAccepted
	}
	down := func(received) int { return http.StatusNotFound }
	for name, tc := range map[string]struct {
		intake      func(received) int
		records     []string
		answer, err string
	}{
		"the first":           {poison, []string{"poison", "a", "b"}, "", "http_400"},
		"a later one":         {poison, []string{"a", "poison", "b"}, from(1), ""},
		"destination is down": {down, []string{"poison", "a", "b"}, from(0), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, oneHTTP)
			r.intake.answer = tc.intake
			var records [][]byte
			for _, text := range tc.records {
				records = append(records, []byte(text))
			}
			answer, _, err := r.invoke(t, Kinesis, batchOf(records...))
			assert.Equal(t, tc.answer, answer)
			if tc.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tc.err)
			}
		})
	}
}

// Packed text is forwarded as it is unpacked, in pieces that end with a line.
func TestKinesisPackedText(t *testing.T) {
	long := `{"x":"` + strings.Repeat("y", 300<<10) + `"}`
	var lines []string
	for i := range 5_000 {
		lines = append(lines, fmt.Sprintf("line %d of a text", i))
	}
	lines = append(lines, long, "the last")
	r := newRig(t, `{destinations: [{id: archive, type: http, url: "https://logs.example.com/ingest", max_body_bytes: 2MB}]}`)
	_, _, err := r.invoke(t, Kinesis, batchOf(packed(t, []byte(long+"\n"+strings.Join(lines, "\n")))))
	require.NoError(t, err)
	want, got := append([]string{long}, lines...), r.intake.messages(t, archiveHost)
	slices.Sort(want) // bodies overtake each other on their way
	slices.Sort(got)
	assert.True(t, slices.Equal(want, got))
	ids := map[any]bool{}
	for _, item := range r.intake.items(t, archiveHost) {
		ids[item["id"]] = true
	}
	assert.Len(t, ids, len(lines)+1, "every line has its own id")

	// Events in front of a header of an unusual order are those of a subscription all the same.
	unusual := `{"logEvents":[{"id":"1","timestamp":1,"message":"` + strings.Repeat("z", 10<<10) + `"}],"messageType":"DATA_MESSAGE",` +
		`"owner":"123456789012","logGroup":"g","logStream":"s","subscriptionFilters":[]}`
	r = newRig(t, oneHTTP)
	_, _, err = r.invoke(t, Kinesis, batchOf(packed(t, []byte(unusual))))
	require.NoError(t, err)
	assert.Equal(t, []string{strings.Repeat("z", 10<<10)}, r.intake.messages(t, archiveHost))

	// Memory is bounded by a line, and a line has a bound.
	r = newRig(t, oneHTTP)
	_, ledger, err := r.invoke(t, Kinesis, batchOf(packed(t, []byte("short\n"+strings.Repeat("w", 2*maxTextBytes+pieceBytes)))))
	require.ErrorContains(t, err, "a line of more than")
	assert.Equal(t, []string{"short"}, r.intake.messages(t, archiveHost), "what stands before it is sent")
	assert.Equal(t, map[string]int{"decode": 1}, ledger.Destinations["archive"].Returned)
}
